//! Equal, row for row, to the independent implementation in tests/reference, on fuzzed raw files with dirt in them.

use crate::support::{Place, home, skipped, text};
use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs;
use std::path::Path;
use std::process::Command;

const STUDENTS: &str = "600";
const SEED: &str = "20240630";
const YEARS: [i32; 3] = [2022, 2023, 2024];

/// Runs a script of tests/reference; gives what it printed if it failed.
fn python(script: &str, arguments: &[&str]) -> Result<String, String> {
    let path = home().join("tests/reference").join(script);
    let output = Command::new("python3").env("PYTHONDONTWRITEBYTECODE", "1").arg(path).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// The reject table of the current load as CSV; it is no table of a run, so `perkins query` does not have it.
fn rejects(place: &Place) -> String {
    let load = place.manifest("load");
    let path = place.restricted().join(load["reject"]["path"].as_str().expect("the load names its reject table"));
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = reader.schema().fields().iter().map(|f| f.name().clone()).collect();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&names).unwrap();
    let options = FormatOptions::default();
    for batch in &batches {
        let columns: Vec<_> = batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap()).collect();
        (0..batch.num_rows()).for_each(|i| writer.write_record(columns.iter().map(|c| c.value(i).to_string())).unwrap());
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// Exports every table that the comparison knows of.
fn export(place: &Place, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for table in place.manifest("run")["tables"].as_array().unwrap() {
        let table = table["name"].as_str().unwrap();
        let csv = place.works(&["query", &format!("SELECT * FROM {table}"), "--format", "csv"]);
        fs::write(to.join(format!("{table}.csv")), csv).unwrap();
    }
    fs::write(to.join("reject.csv"), rejects(place)).unwrap();
}

/// What the fuzzer writes in UTF-16 or Windows-1252 becomes UTF-8 until ingest reads those itself.
fn to_utf8(raw: &Path) {
    for (path, bytes) in crate::support::files(raw) {
        let path = raw.join(path);
        let utf8 = match &bytes[..] {
            [0xff, 0xfe, rest @ ..] => {
                let units: Vec<u16> = rest.chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
                String::from_utf16(&units).unwrap()
            }
            _ if path.extension().is_some_and(|e| e == "csv") && std::str::from_utf8(&bytes).is_err() => {
                bytes.iter().map(|b| windows_1252(*b)).collect()
            }
            _ => continue,
        };
        fs::write(path, utf8).unwrap();
    }
}

fn windows_1252(byte: u8) -> char {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    match byte {
        0x80..=0x9f => HIGH.chars().nth(usize::from(byte - 0x80)).unwrap(),
        _ => char::from(byte),
    }
}

/// A raw folder of the fuzzer, compared with the reference for some jurisdictions.
fn equals_the_reference(dirt: &str, jurisdictions: &[&str]) {
    if Command::new("python3").arg("--version").output().is_err() {
        skipped("the reference in tests/reference: python3 is not there");
        return;
    }
    let place = Place::new();
    let raw = place.raw();
    let made = python("fuzz.py", &["--students", STUDENTS, "--seed", SEED, "--dirt", dirt, "--out", text(&raw)])
        .unwrap_or_else(|e| panic!("fuzz.py: {e}"));
    to_utf8(&raw);
    place.works(&["ingest", text(&raw), "--max-reject-rate", "1"]);
    let dirty = dirt.parse::<f64>().unwrap() > 0.0;
    assert_eq!(dirty, rejects(&place).lines().count() > 20, "{made}");
    let mut wrong = String::new();
    for jurisdiction in jurisdictions {
        place.run(jurisdiction, YEARS, &[]);
        let (ours, theirs) = (place.path().join(format!("{jurisdiction}-ours")), place.path().join(format!("{jurisdiction}-theirs")));
        export(&place, &ours);
        let years: Vec<String> = YEARS.iter().map(|y| format!("--report-year={y}")).collect();
        let mut arguments = vec![text(&raw), "--jurisdiction", jurisdiction, "--out", text(&theirs)];
        arguments.extend(years.iter().map(String::as_str));
        python("reference.py", &arguments).unwrap_or_else(|e| panic!("reference.py: {e}"));
        if let Err(differences) = python("compare.py", &[text(&theirs), text(&ours)]) {
            wrong += &format!("{jurisdiction}:\n{differences}\n");
        }
    }
    assert!(wrong.is_empty(), "the reference and perkins differ (which is right, the specification says):\n{wrong}");
}

#[test]
fn dirty_files_give_what_the_reference_gives() {
    equals_the_reference("0.004", &["oregon", "federal", "massachusetts"]);
}

#[test]
fn clean_files_give_what_the_reference_gives() {
    equals_the_reference("0", &["oregon"]);
}
