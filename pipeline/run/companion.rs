//! Files beside a run's tables that show how to read them: DuckDB, Polars and pandas, R, and a Frictionless data package.

use super::manifest::{Manifest, Table};
use crate::error::{Error, Result};
use crate::store::{self, Stored};
use serde_json::{Value, json};
use std::path::Path;

/// Writes `views.sql`, `read.py`, `read.R` and `datapackage.json` into the run's folder, with explicit lists of its files.
pub fn write(manifest: &Manifest, root: &Path, folder: &Path) -> Result<Vec<Stored>> {
    let package = serde_json::to_string_pretty(&datapackage(manifest)).map_err(|e| Error::internal("the data package as JSON", e))?;
    let files =
        [("views.sql", views(manifest)), ("read.py", python(manifest)), ("read.R", r(manifest)), ("datapackage.json", package + "\n")];
    files.into_iter().map(|(name, text)| store::write_whole(root, &folder.join(name), text.as_bytes())).collect()
}

/// Paths of a table's files, relative to the run's folder.
fn paths<'a>(manifest: &'a Manifest, table: &str) -> Vec<&'a str> {
    let below = format!("runs/{}/", manifest.run_id);
    manifest.files_of(table).into_iter().map(|p| p.strip_prefix(&below).unwrap_or(p)).collect()
}

fn quoted(paths: &[&str]) -> String {
    paths.iter().map(|p| format!("'{p}'")).collect::<Vec<_>>().join(", ")
}

fn views(manifest: &Manifest) -> String {
    let mut text = format!("-- Run {}: in this folder, `duckdb -init views.sql`\n", manifest.run_id);
    for table in &manifest.tables {
        let files = quoted(&paths(manifest, &table.name));
        text += &format!(
            "-- {}\nCREATE OR REPLACE VIEW {} AS SELECT * FROM read_parquet([{files}], hive_partitioning = true);\n",
            table.title, table.name
        );
    }
    text
}

fn python(manifest: &Manifest) -> String {
    let lists: String = manifest
        .tables
        .iter()
        .map(|t| format!("    \"{}\": [{}],\n", t.name, quoted(&paths(manifest, &t.name)).replace('\'', "\"")))
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
        manifest.run_id
    )
}

fn r(manifest: &Manifest) -> String {
    let lists: Vec<String> = manifest.tables.iter().map(|t| format!("  {} = c({})", t.name, quoted(&paths(manifest, &t.name)))).collect();
    format!(
        "# Run {}: in this folder, source(\"read.R\"); read_table(\"performance\")\nfiles <- list(\n{}\n)\nread_table <- function(table, folder = \".\") {{\n  \
         frames <- lapply(files[[table]], function(path) {{\n    year <- as.integer(sub(\".*report_year=([0-9]+)/.*\", \"\\\\1\", path))\n    \
         cbind(report_year = year, as.data.frame(arrow::read_parquet(file.path(folder, path))))\n  }})\n  do.call(rbind, frames)\n}}\n",
        manifest.run_id,
        lists.join(",\n")
    )
}

/// The run as a Frictionless Data Package (version 2).
fn datapackage(manifest: &Manifest) -> Value {
    let resources: Vec<Value> = manifest.tables.iter().map(|t| resource(manifest, t)).collect();
    json!({
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": manifest.run_id.to_lowercase(),
        "title": format!("Perkins V indicators, {}, report years {:?}", manifest.jurisdiction, manifest.report_years),
        "resources": resources,
    })
}

fn resource(manifest: &Manifest, table: &Table) -> Value {
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
    if !key.is_empty() && manifest.report_years.len() == 1 {
        schema["primaryKey"] = json!(key);
    }
    json!({
        "name": table.name.replace('_', "-"),
        "title": table.title,
        "description": table.description,
        "path": paths(manifest, &table.name),
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
