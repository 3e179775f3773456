//! `perkins query`.

use super::{block_on, print};
use crate::cli::Settings;
use crate::error::{Error, Result};
use crate::jurisdiction::BASE;
use crate::run::manifest::Manifest;
use crate::run::{current_load, read_json, result::Results};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Flags of `perkins query`.
#[derive(Debug, clap::Args)]
pub struct QueryArgs {
    /// The query, such as "select * from performance where level = 'state'"
    #[arg(value_name = "SQL")]
    sql: String,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    /// A run's id [default: the current run]
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Jurisdiction whose current run is asked [default: PERKINS_JURISDICTION, perkins.toml, or that of the latest run]
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    jurisdiction: Option<String>,
}

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Columns for people.
    Table,
    /// Comma-separated, with a header; null is empty.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// Answers a query over the tables of a run.
pub fn main(args: &QueryArgs, settings: &Settings) -> Result<()> {
    let manifest = match manifest(settings, args.run.as_deref(), args.jurisdiction.as_deref()) {
        // The lake can be asked before the first run.
        Err(Error::NoLake(_)) if args.jurisdiction.is_none() && current_load(&settings.restricted).is_ok() => {
            let jurisdiction = settings.jurisdictions.first().map_or(BASE, String::as_str).to_string();
            Manifest { jurisdiction, ..Manifest::default() }
        }
        manifest => manifest?,
    };
    let answer = async {
        let results = Results::open(&settings.restricted, &manifest, &args.sql).await?;
        results.with_lake(&settings.restricted, &settings.project, &manifest)?.query_with_schema(&args.sql).await
    };
    let (schema, batches) = block_on(settings, answer).map_err(|e| with_tables(e, &manifest))?;
    match args.format {
        Form::Table => table(&schema, &batches),
        Form::Csv => csv(&schema, &batches),
        Form::Ndjson => ndjson(&schema, &batches),
    }
}

/// Tells of a table that is not there which ones are.
fn with_tables(error: Error, manifest: &Manifest) -> Error {
    match error {
        Error::Config(message) if message.contains("table '") && message.contains("not found") => {
            let tables: Vec<&str> = manifest.tables.iter().map(|t| t.name.as_str()).collect();
            let message = message.replace("datafusion.public.", "").replace("datafusion.", "");
            let tables = if tables.is_empty() { "there is no run yet".into() } else { format!("the run has {}", tables.join(", ")) };
            Error::Config(format!("{message}; {tables}, and its input is lake.<collection>, with quality.<table>"))
        }
        other => other,
    }
}

/// The manifest of a run by id, or of the current one of a jurisdiction: that which is named, that of the settings if it has a run, or that of
/// the latest run.
pub fn manifest(settings: &Settings, run: Option<&str>, jurisdiction: Option<&str>) -> Result<Manifest> {
    let root = &settings.restricted;
    if let Some(id) = run {
        let path = format!("runs/{id}/manifest.json");
        let known = !id.contains(['/', '\\']) && root.look().and_then(|()| root.fetch(&path)).map(|()| root.join(&path).is_file())?;
        if !known {
            return Err(Error::Config(format!("there is no run {id:?} under {}; `perkins status` lists them", root.display())));
        }
        return read_json(root, &path);
    }
    let commit = crate::commit::current(root)?.unwrap_or_default();
    let preferred = settings.jurisdictions.first().map(String::as_str).filter(|j| commit.runs.contains_key(*j));
    let pointer = commit.run(jurisdiction.or(preferred)).ok_or_else(|| match jurisdiction {
        Some(id) if !commit.runs.is_empty() => Error::NoLake(format!(
            "there is no run of {id} under {}, only of {}; start `perkins run --jurisdiction {id}`",
            root.display(),
            commit.runs.keys().cloned().collect::<Vec<_>>().join(", ")
        )),
        _ if commit.load.is_none() => Error::NoLake(format!(
            "nothing is loaded under {}; load files with `perkins ingest RAW_DIR` (`perkins check RAW_DIR` says what is wrong with them) and start \
             `perkins run`, or name another folder with --restricted",
            root.display()
        )),
        _ => Error::NoLake(format!(
            "there is no run under {}; start `perkins run` first, or name another folder with --restricted",
            root.display()
        )),
    })?;
    read_json(root, &pointer.manifest)
}

fn formatters<'a>(batch: &'a RecordBatch, options: &'a FormatOptions<'a>) -> Result<Vec<ArrayFormatter<'a>>> {
    let all = batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), options)).collect::<std::result::Result<Vec<_>, _>>();
    all.map_err(|e| Error::internal("the answer as text", e))
}

fn table(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<()> {
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    let mut rows: Vec<Vec<String>> = vec![names];
    let options = FormatOptions::default();
    for batch in batches {
        let columns = formatters(batch, &options)?;
        rows.extend((0..batch.num_rows()).map(|i| columns.iter().map(|c| c.value(i).to_string()).collect()));
    }
    let widths: Vec<usize> = (0..schema.fields().len()).map(|c| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (i, row) in rows.iter().enumerate() {
        let cells = row.iter().enumerate().map(|(c, cell)| {
            let right = i > 0 && schema.field(c).data_type().is_numeric();
            if right { format!("{cell:>width$}", width = widths[c]) } else { format!("{cell:<width$}", width = widths[c]) }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
        if i == 0 {
            text += &widths.iter().map(|&w| "-".repeat(w)).collect::<Vec<_>>().join("  ");
            text.push('\n');
        }
    }
    print(&text)
}

fn csv(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<()> {
    let wrong = |e: csv::Error| Error::internal("the answer as CSV", e);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(schema.fields().iter().map(|f| f.name())).map_err(wrong)?;
    let options = FormatOptions::default();
    for batch in batches {
        let columns = formatters(batch, &options)?;
        for i in 0..batch.num_rows() {
            writer.write_record(columns.iter().map(|c| c.value(i).to_string())).map_err(wrong)?;
        }
    }
    let bytes = writer.into_inner().map_err(|e| Error::internal("the answer as CSV", e.into_error()))?;
    print(&String::from_utf8_lossy(&bytes))
}

fn ndjson(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<()> {
    let options = FormatOptions::default();
    let mut text = String::new();
    for batch in batches {
        let columns = formatters(batch, &options)?;
        for i in 0..batch.num_rows() {
            let cell = |c: usize| {
                let value = columns[c].value(i).to_string();
                let kind = schema.field(c).data_type();
                let bare = kind.is_numeric() || *kind == arrow::datatypes::DataType::Boolean;
                match batch.column(c).is_null(i) {
                    true => serde_json::Value::Null,
                    false if bare => serde_json::from_str(&value).unwrap_or(serde_json::Value::String(value)),
                    false => serde_json::Value::String(value),
                }
            };
            let object: serde_json::Map<String, serde_json::Value> =
                (0..columns.len()).map(|c| (schema.field(c).name().clone(), cell(c))).collect();
            text += &serde_json::Value::Object(object).to_string();
            text.push('\n');
        }
    }
    print(&text)
}
