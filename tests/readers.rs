//! What lies beside the tables of a run and of a release, in the hands of the programs that it is for.

use crate::support::{Place, home, python, rows, skipped, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The sample, run for two years and published.
fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = Place::shared("readers");
        let sample = home().join("data/sample");
        place.works(&["all", text(&sample), "--jurisdiction", "oregon", "--report-years", "2023..2024", "--no-report"]);
        place
    })
}

/// The folders of the run and of the release.
fn folders() -> [PathBuf; 2] {
    let id = place().manifest("run")["run_id"].as_str().unwrap().to_string();
    [place().restricted().join("runs").join(&id), place().path().join("public/runs").join(&id)]
}

/// Rows of each table, from the manifest.
fn counts(folder: &Path) -> BTreeMap<String, u64> {
    let manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let mut counts = BTreeMap::new();
    for file in manifest["files"].as_array().unwrap() {
        *counts.entry(file["table"].as_str().unwrap().to_string()).or_default() += file["rows"].as_u64().unwrap();
    }
    counts
}

/// Runs a script that prints one JSON value, in a folder.
fn asks(program: &Path, folder: &Path, script: &str) -> Value {
    let output = Command::new(program).args(["-c", script]).current_dir(folder).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}{err}", String::from_utf8_lossy(&output.stdout)))
}

/// Figures of the state in every report year, as `perkins query` has them; in the order and form in which the scripts below give them.
fn figures() -> Vec<Vec<String>> {
    let sql = "SELECT report_year, indicator, numerator, denominator, rate, CAST(target AS VARCHAR) AS target FROM performance \
               WHERE level = 'state' AND group_kind = 'all' ORDER BY report_year, indicator";
    let csv = place().works(&["query", sql, "--format", "csv"]);
    let columns = ["report_year", "indicator", "numerator", "denominator", "rate", "target"];
    let number = |v: &str| if v.is_empty() { v.to_string() } else { format!("{:.9}", v.parse::<f64>().unwrap()) };
    let shown = |(i, v): (usize, &String)| if i > 3 { number(v) } else { v.clone() };
    rows(csv.as_bytes()).iter().map(|r| columns.iter().map(|c| &r[*c]).enumerate().map(shown).collect()).collect()
}

fn same(reader: &str, said: &Value, folder: &Path) {
    let counted: BTreeMap<String, u64> = serde_json::from_value(said["counts"].clone()).unwrap();
    assert_eq!(counted, counts(folder), "{reader}: rows of the tables");
    if folder == folders()[0] {
        let read: Vec<Vec<String>> = serde_json::from_value(said["figures"].clone()).unwrap();
        assert!(read.len() > 15, "{read:?}");
        assert_eq!(read, figures(), "{reader}: figures of the state");
    }
}

/// How the scripts show a row as `figures` does.
const SHOW: &str = "
import json
def show(rows):
    number = lambda v: '' if v is None or v != v else f'{float(v):.9f}'
    return [[str(int(r[0])), r[1], str(int(r[2])), str(int(r[3])), number(r[4]), number(r[5])] for r in rows]
";

#[test]
fn duckdb_reads_the_views() {
    let Some(program) = python("duckdb") else { return };
    for folder in folders() {
        let script = format!(
            "{SHOW}
import duckdb
c = duckdb.connect()
c.execute(open('views.sql').read())
tables = [t for (t,) in c.execute('select view_name from duckdb_views() where not internal').fetchall()]
counts = {{t: c.execute(f'select count(*) from {{t}}').fetchone()[0] for t in tables}}
rows = []
if 'performance' in tables:
    assert c.execute('describe performance').fetchone()[:2] == ('report_year', 'INTEGER')
    rows = c.execute(\"select report_year, indicator, numerator, denominator, rate, target from performance where level = 'state' and group_kind = 'all' order by 1, 2\").fetchall()
print(json.dumps({{'counts': counts, 'figures': show(rows)}}))"
        );
        same("DuckDB", &asks(&program, &folder, &script), &folder);
    }
}

#[test]
fn polars_and_pandas_read_the_tables() {
    for library in ["polars", "pandas"] {
        let Some(program) = python(library) else { continue };
        for folder in folders() {
            let script = format!(
                "{SHOW}
import runpy
module = runpy.run_path('read.py')
read = lambda table: module['read'](table, '{library}')
counts = {{t: len(read(t)) for t in module['FILES']}}
rows = []
if 'performance' in counts:
    frame = read('performance')
    records = frame.to_dicts() if '{library}' == 'polars' else frame.to_dict('records')
    columns = ['report_year', 'indicator', 'numerator', 'denominator', 'rate', 'target']
    rows = sorted([r[c] for c in columns] for r in records if r['level'] == 'state' and r['group_kind'] == 'all')
print(json.dumps({{'counts': counts, 'figures': show(rows)}}))"
            );
            same(library, &asks(&program, &folder, &script), &folder);
        }
    }
}

/// The validator reads Parquet by way of pandas, where a whole number that is null is no number at all: these cells, and only these, it must
/// find wrong.
#[test]
fn the_data_package_is_valid() {
    let Some(program) = python("frictionless") else { return };
    for folder in folders() {
        let said = asks(
            &program,
            &folder,
            "
import json, frictionless
report = frictionless.validate('datapackage.json', limit_errors=1000000)
errors = [[t.name, e.type, getattr(e, 'field_name', ''), str(getattr(e, 'cell', ''))] for t in report.tasks for e in t.errors]
print(json.dumps({'report': [str(e) for e in report.errors], 'tables': [t.name for t in report.tasks], 'errors': errors}))",
        );
        assert_eq!(said["report"], Value::Array(vec![]), "the package itself");
        assert_eq!(said["tables"].as_array().unwrap().len(), counts(&folder).len());
        let package: Value = serde_json::from_slice(&std::fs::read(folder.join("datapackage.json")).unwrap()).unwrap();
        let resources = package["resources"].as_array().unwrap();
        for error in said["errors"].as_array().unwrap() {
            let [table, kind, field, cell] = [0, 1, 2, 3].map(|i| error[i].as_str().unwrap());
            let resource = resources.iter().find(|r| r["name"] == table).unwrap();
            let described = resource["schema"]["fields"].as_array().unwrap().iter().find(|f| f["name"] == field).unwrap();
            assert_eq!((kind, cell, &described["type"]), ("type-error", "nan", &Value::from("integer")), "{table}.{field}");
        }
    }
}

#[test]
fn r_reads_the_tables() {
    let has_arrow = Command::new("Rscript").args(["-e", "library(arrow)"]).output().is_ok_and(|o| o.status.success());
    if !has_arrow {
        skipped("no Rscript with the package arrow: read.R was not run");
        return;
    }
    for folder in folders() {
        let script = "source('read.R'); cat(paste(names(files), sapply(names(files), function(t) nrow(read_table(t)))), sep = '\\n')";
        let output = Command::new("Rscript").args(["-e", script]).current_dir(&folder).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let counted = said.lines().map(|l| l.split_once(' ').unwrap()).map(|(t, n)| (t.to_string(), n.parse().unwrap())).collect();
        assert_eq!(counts(&folder), counted, "{}", String::from_utf8_lossy(&output.stderr));
    }
}
