//! Files beside a run's tables that show how to read them: DuckDB, Polars and pandas, R, and a Frictionless data package.

use super::manifest::{Manifest, Table};
use super::output::OutputFile;
use crate::error::{Error, Result};
use crate::store::{self, Stored};
use serde_json::{Value, json};
use std::path::Path;

/// What the files describe: the tables of a run, or of a release.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// Id of the run or release: the name of its folder.
    pub id: &'a str,
    /// The jurisdiction.
    pub jurisdiction: &'a str,
    /// Report years.
    pub report_years: &'a [i32],
    /// Tables.
    pub tables: &'a [Table],
    /// Their files.
    pub files: &'a [OutputFile],
}

impl<'a> From<&'a Manifest> for Content<'a> {
    fn from(run: &'a Manifest) -> Self {
        let Manifest { run_id, jurisdiction, report_years, tables, files, .. } = run;
        Content { id: run_id, jurisdiction, report_years, tables, files }
    }
}

/// Writes `views.sql`, `read.py`, `read.R` and `datapackage.json` into the run's folder, with explicit lists of its files.
pub fn write(content: Content, root: &Path, folder: &Path) -> Result<Vec<Stored>> {
    let package = serde_json::to_string_pretty(&datapackage(&content)).map_err(|e| Error::internal("the data package as JSON", e))?;
    let files =
        [("views.sql", views(&content)), ("read.py", python(&content)), ("read.R", r(&content)), ("datapackage.json", package + "\n")];
    files.into_iter().map(|(name, text)| store::write_whole(root, &folder.join(name), text.as_bytes())).collect()
}

/// Paths of a table's files, relative to the run's folder.
fn paths<'a>(content: &Content<'a>, table: &str) -> Vec<&'a str> {
    let below = format!("runs/{}/", content.id);
    let of_table = content.files.iter().filter(|f| f.table == table).map(|f| f.stored.path.as_str());
    of_table.map(|p| p.strip_prefix(&below).unwrap_or(p)).collect()
}

fn quoted(paths: &[&str]) -> String {
    paths.iter().map(|p| format!("'{p}'")).collect::<Vec<_>>().join(", ")
}

fn views(content: &Content) -> String {
    let mut text = format!("-- Run {}: in this folder, `duckdb -init views.sql`\n", content.id);
    for table in content.tables {
        let files = quoted(&paths(content, &table.name));
        text += &format!(
            "-- {}\nCREATE OR REPLACE VIEW {} AS SELECT CAST(report_year AS INTEGER) AS report_year, * EXCLUDE (report_year) \
             FROM read_parquet([{files}], hive_partitioning = true);\n",
            table.title, table.name
        );
    }
    text
}

fn python(content: &Content) -> String {
    let lists: String = content
        .tables
        .iter()
        .map(|t| format!("    \"{}\": [{}],\n", t.name, quoted(&paths(content, &t.name)).replace('\'', "\"")))
        .collect();
    format!(
        "\"\"\"Run {}: read(\"performance\") gives a Polars frame, read(\"performance\", \"pandas\") a pandas one.\"\"\"\nimport pathlib\n\nHERE = \
         pathlib.Path(__file__).parent\nFILES = {{\n{lists}}}\n\n\ndef read(table, library=\"polars\"):\n    frames = []\n    if library == \
         \"polars\":\n        import polars\n\n        for path in FILES[table]:\n            year = int(path.split(\"report_year=\")[1].split(\"/\")[0])\n            \
         frames.append(polars.read_parquet(HERE / path, hive_partitioning=False).select(polars.lit(year, polars.Int32).alias(\"report_year\"), \
         polars.all()))\n        return polars.concat(frames)\n    import pandas\n\n    for path in FILES[table]:\n        year = \
         int(path.split(\"report_year=\")[1].split(\"/\")[0])\n        with open(HERE / path, \"rb\") as file:\n            frame = \
         pandas.read_parquet(file)\n        frame.insert(0, \"report_year\", year)\n        frames.append(frame)\n    return \
         pandas.concat(frames, ignore_index=True)\n",
        content.id
    )
}

fn r(content: &Content) -> String {
    let lists: Vec<String> = content.tables.iter().map(|t| format!("  {} = c({})", t.name, quoted(&paths(content, &t.name)))).collect();
    format!(
        "# Run {}: in this folder, source(\"read.R\"); read_table(\"performance\")\nfiles <- list(\n{}\n)\nread_table <- function(table, folder = \".\") {{\n  \
         frames <- lapply(files[[table]], function(path) {{\n    year <- as.integer(sub(\".*report_year=([0-9]+)/.*\", \"\\\\1\", path))\n    \
         cbind(report_year = year, as.data.frame(arrow::read_parquet(file.path(folder, path))))\n  }})\n  do.call(rbind, frames)\n}}\n",
        content.id,
        lists.join(",\n")
    )
}

/// The run as a Frictionless Data Package (version 2).
fn datapackage(content: &Content) -> Value {
    let resources: Vec<Value> = content.tables.iter().map(|t| resource(content, t)).collect();
    json!({
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": content.id.to_lowercase(),
        "title": format!("Perkins V indicators, {}, report years {:?}", content.jurisdiction, content.report_years),
        "resources": resources,
    })
}

fn resource(content: &Content, table: &Table) -> Value {
    // The report year is in the folder's name, not in the files.
    let fields: Vec<Value> = table
        .columns
        .iter()
        .filter(|c| c.name != super::output::REPORT_YEAR)
        .map(|c| json!({"name": c.name, "type": frictionless(&c.kind), "description": c.description}))
        .collect();
    // So nothing in the files tells the rows of one year from those of another.
    let key: Vec<&String> = table.key.iter().filter(|k| *k != super::output::REPORT_YEAR).collect();
    let mut schema = json!({"fields": fields});
    if !key.is_empty() && content.report_years.len() == 1 {
        schema["primaryKey"] = json!(key);
    }
    json!({
        "name": table.name.replace('_', "-"),
        "title": table.title,
        "description": table.description,
        "path": paths(content, &table.name),
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "schema": schema,
    })
}

/// The Table Schema type of an Arrow type.
fn frictionless(kind: &str) -> &'static str {
    match kind {
        k if k.starts_with("Int") => "integer",
        k if k.starts_with("Float") || k.starts_with("Decimal") => "number",
        "Boolean" => "boolean",
        k if k.starts_with("Date") => "date",
        _ => "string",
    }
}
