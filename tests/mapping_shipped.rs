//! The mappings that ship, each on a small made-up file in the real layout (tests/mapping/<mapping>): through the program to the rows of the
//! lake, the rejects and the warnings that were worked out by hand.

use crate::support::{Place, copy, entries, home, name, rows_of, text};
use arrow::array::Array;
use arrow::util::display::array_value_to_string;
use perkins::contract::Contracts;
use perkins::lake::{LakeReader, Load};
use perkins::mapping::Mapping;
use perkins::project::Project;
use std::fs;
use std::path::{Path, PathBuf};

fn case(mapping: &str) -> PathBuf {
    home().join("tests/mapping").join(mapping)
}

fn load(place: &Place) -> Load {
    serde_json::from_value(place.manifest("load")).unwrap()
}

/// Columns of the rows of a collection, sorted as text.
fn lake(place: &Place, collection: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let contracts = Contracts::embedded().unwrap();
    let contract = contracts.get(collection).unwrap();
    let mut rows = Vec::new();
    for file in load(place).files_of(collection) {
        let reader = LakeReader::open(&place.restricted(), &file.stored.path, contracts.lake_schema(contract)).unwrap();
        for batch in reader.read_all(columns).unwrap() {
            for i in 0..batch.num_rows() {
                let value = |column: &&str| match batch.column_by_name(column) {
                    Some(array) if array.is_null(i) => String::new(),
                    Some(array) => array_value_to_string(array, i).unwrap(),
                    None => file.partition.unwrap().to_string(),
                };
                rows.push(columns.iter().map(value).collect());
            }
        }
    }
    rows.sort();
    rows
}

/// Rows of an expected table, sorted as text, and the names of its columns in order.
fn expected(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let header = fs::read_to_string(path).unwrap().lines().next().unwrap().split(',').map(str::to_string).collect::<Vec<_>>();
    let mut rows: Vec<Vec<String>> = rows_of(path).iter().map(|r| header.iter().map(|c| r[c].clone()).collect()).collect();
    rows.sort();
    (header, rows)
}

fn check(mapping: &str, folder: &Path) {
    let place = Place::new();
    copy(&folder.join("given"), &place.raw());
    let said = place.works(&["ingest", "raw", "--mapping", mapping]);
    let load = load(&place);
    for path in entries(&folder.join("expect")).iter().filter(|p| name(p).ends_with(".csv") && name(p) != "reject.csv") {
        let (columns, rows) = expected(path);
        let collection = name(path).strip_suffix(".csv").unwrap();
        assert_eq!(lake(&place, collection, &columns.iter().map(String::as_str).collect::<Vec<_>>()), rows, "{mapping} {collection}");
    }
    let (columns, rows) = expected(&folder.join("expect/reject.csv"));
    let reject = place.restricted().join(&load.reject.as_ref().unwrap().path);
    assert_eq!(parquet(&reject, &columns), rows, "{mapping}: rejects");
    let warnings: Vec<String> = load.warnings.iter().filter(|w| w.check.starts_with("mapping_")).map(warning).collect();
    assert_eq!(warnings, fs::read_to_string(folder.join("expect/warning.txt")).unwrap().lines().collect::<Vec<_>>(), "{mapping}: warnings");
    assert!(load.warnings.iter().filter(|w| w.check.starts_with("mapping_")).all(|w| said.contains(&w.examples[0])), "{said}");
    for input in load.inputs.iter().filter(|i| i.mapping.is_some()) {
        assert_eq!(input.rows_read, input.accepted + input.duplicates + input.rejected, "{input:?}");
        let applied = input.mapping.as_ref().unwrap();
        assert_eq!((applied.name.as_str(), applied.blake3.len()), (mapping, 64));
        assert!(input.rows_read + applied.left_out <= applied.rows, "{input:?}");
        assert!(input.unknown_columns.is_empty(), "{input:?}");
    }
    // Nothing changes when it comes again, and no student's id is in what the program says.
    assert!(place.works(&["ingest", "raw", "--mapping", mapping, "--partitions", "1"]).contains("unchanged"));
    let ids = rows_of(&folder.join("given/student.csv"));
    assert!(ids.iter().all(|r| !said.contains(&r["student_id"])), "{said}");
}

fn warning(warning: &perkins::lake::Warning) -> String {
    format!("{} {} {}", warning.check, warning.count, warning.examples.join(" "))
}

/// Columns of a Parquet file as text, sorted.
fn parquet(path: &Path, columns: &[String]) -> Vec<Vec<String>> {
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader.map(Result::unwrap) {
        for i in 0..batch.num_rows() {
            let value = |c: &String| {
                let array = batch.column_by_name(c).unwrap();
                if array.is_null(i) { String::new() } else { array_value_to_string(array, i).unwrap() }
            };
            rows.push(columns.iter().map(value).collect::<Vec<_>>());
        }
    }
    rows.sort();
    rows
}

#[test]
fn each_makes_what_was_worked_out_by_hand() {
    let folders = entries(&home().join("tests/mapping"));
    let names: Vec<&str> = folders.iter().map(|f| name(f)).collect();
    let shipped = Project::default().mappings().unwrap();
    assert_eq!(
        names,
        shipped.keys().map(|k| k.strip_suffix(".toml").unwrap()).collect::<Vec<_>>(),
        "a mapping without a case, or a case without one"
    );
    for folder in &folders {
        check(name(folder), folder);
    }
}

#[test]
fn each_cites_its_sources_and_is_for_the_files_of_its_case() {
    let contracts = Contracts::embedded().unwrap();
    let guide = fs::read_to_string(home().join("docs/mapping.md")).unwrap();
    for (file, text) in Project::default().mappings().unwrap() {
        let mapping = Mapping::parse(file.strip_suffix(".toml").unwrap(), &text, &contracts).unwrap();
        assert!(!mapping.description.source.is_empty(), "{file}");
        assert!(guide.contains(&format!("| `{}` |", mapping.name)), "docs/mapping.md does not list {file}");
        let given = entries(&case(&mapping.name).join("given"));
        assert_eq!(given.iter().filter(|p| mapping.is_for(name(p))).count(), 1, "{file}");
    }
}

#[test]
fn a_changed_mapping_is_a_changed_load() {
    let place = Place::new();
    copy(&case("nsc-detail").join("given"), &place.raw());
    let shipped = fs::read_to_string(home().join("data/mapping/nsc-detail.toml")).unwrap();
    place.file("nsc-detail.toml", &shipped);
    place.works(&["ingest", "raw", "--mapping", "nsc-detail"]);
    // The same text by path, and by the settings file.
    assert!(place.works(&["ingest", "raw", "--mapping", "./nsc-detail.toml"]).contains("unchanged"));
    place.file("perkins.toml", "mapping = [\"nsc-detail\"]\n");
    assert!(place.works(&["ingest", "raw"]).contains("unchanged"));
    let changed = shipped.replace("\"W\", \"A\", \"D\"", "\"A\", \"D\"");
    assert_ne!(changed, shipped);
    let mapping = place.file("nsc-detail.toml", &changed);
    let before = lake(&place, "placement", &["student_id"]).len();
    assert!(!place.works(&["ingest", "raw", "--mapping", text(&mapping)]).contains("unchanged"));
    assert_eq!(lake(&place, "placement", &["student_id"]).len(), before + 1);
    // An overlay's mapping goes before the one that ships.
    place.file("ours/data/mapping/nsc-detail.toml", &changed);
    assert!(place.works(&["ingest", "raw", "--overlay", "ours"]).contains("unchanged"));
}

#[test]
fn two_mappings_of_one_file_make_different_collections() {
    let place = Place::new();
    copy(&case("massachusetts-sims-plans").join("given"), &place.raw());
    place.works(&["ingest", "raw", "--mapping", "massachusetts-sims-plans", "--mapping", "massachusetts-sims-exit"]);
    assert_eq!(lake(&place, "graduate_follow_up", &["student_id"]).len(), 12);
    assert_eq!(lake(&place, "exit", &["student_id"]).len(), 15);
    fs::copy(home().join("data/mapping/massachusetts-sims-exit.toml"), place.path().join("again.toml")).unwrap();
    let twice = place.perkins(&["ingest", "raw", "--mapping", "massachusetts-sims-exit", "--mapping", "again.toml"]);
    twice.refuses(3, &["sims-2024.csv", "massachusetts-sims-exit", "again", "exit"]);
}

#[test]
fn what_is_wrong_names_the_mapping_and_what_to_do() {
    let place = Place::new();
    copy(&case("nsc-detail").join("given"), &place.raw());
    let ingest = |mapping: &str| place.perkins(&["ingest", "raw", "--mapping", mapping]);
    ingest("nsc-details").refuses(3, &["nsc-details", "did you mean nsc-detail?", "wage-lehd"]);
    ingest("missing/file.toml").refuses(3, &["missing/file.toml", "wage-lehd"]);
    let shipped = fs::read_to_string(home().join("data/mapping/nsc-detail.toml")).unwrap();
    let wrong = |from: &str, to: &str| {
        assert!(shipped.contains(from), "{from}");
        place.file("ours.toml", &shipped.replacen(from, to, 1));
        ingest("ours.toml")
    };
    wrong("student_id =", "student =").refuses(3, &["ours.toml", "collection 1 of the file (placement)", "student", "did you mean"]);
    wrong("{ each = \"quarter\" }", "{ each = \"week\" }").refuses(3, &["ours.toml", "line", "week", "quarter"]);
    wrong("placement_quarter = { each = \"quarter\" }\n", "").refuses(3, &["ours.toml", "must have a value", "placement_quarter"]);
    wrong("\"clearinghouse\" }", "\"clearing house\" }").refuses(3, &["ours.toml", "field source", "clearing house", "wage_record"]);
    wrong("name = \"placement\"", "name = \"placements\"").refuses(3, &["ours.toml", "placements", "work_based_learning"]);
    wrong("%Y%m%d", "%y%m%d").refuses(3, &["ours.toml", "%y%m%d", "two digits"]);
    wrong("\"Record Found Y/N\"", "\"Records Found\"").refuses(
        1,
        &["nsc_return_20240801.csv", "ours.toml", "\"Records Found\"", "did you mean \"Record Found Y/N\"?", "College Sequence"],
    );
    fs::rename(place.raw().join("nsc_return_20240801.csv"), place.raw().join("return.csv")).unwrap();
    // A mapping for no file is no error, as nightly loads may lack one; but it is said.
    let said = place.works(&["ingest", "raw", "--mapping", "nsc-detail"]);
    assert!(said.contains("mapping_without_file") && said.contains("nsc-detail is for files named *nsc*.csv"), "{said}");
    fs::remove_file(place.raw().join("student.csv")).unwrap();
    ingest("nsc-detail").refuses(1, &["no collection is there", "for mapping nsc-detail, files named *nsc*.csv"]);
}

#[test]
fn a_load_that_fails_for_texts_without_a_code_says_which_mapping_needs_a_line() {
    let place = Place::new();
    copy(&case("massachusetts-sims-exit").join("given"), &place.raw());
    let path = place.raw().join("sims-2024.csv");
    let text = fs::read_to_string(&path).unwrap();
    let last = text.lines().last().unwrap();
    fs::write(&path, format!("{text}{}", format!("{last}\n").repeat(10))).unwrap();
    let said = place.perkins(&["ingest", "raw", "--mapping", "massachusetts-sims-exit"]);
    said.refuses(
        1,
        &["exit: 11 of 30 rows", "code in exit_kind 11", "massachusetts-sims-exit.toml: codes of exit_kind needs a line for \"99\" (11)"],
    );
}

#[test]
fn the_year_in_the_name_of_a_file_is_needed_where_nothing_else_says_it() {
    let place = Place::new();
    copy(&case("massachusetts-sims-exit").join("given"), &place.raw());
    let raw = |file: &str| place.raw().join(file);
    fs::rename(raw("sims-2024.csv"), raw("sims.csv")).unwrap();
    let ingest = || place.perkins(&["ingest", "raw", "--mapping", "massachusetts-sims-exit"]);
    ingest().refuses(1, &["sims.csv", "massachusetts-sims-exit", "school_year", "name-2024.csv"]);
    fs::create_dir(raw("sims")).unwrap();
    fs::rename(raw("sims.csv"), raw("sims/SIMS eoy 2023-24.CSV")).unwrap();
    fs::write(raw("sims/notes.docx"), "").unwrap();
    let said = ingest();
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("sims/notes.docx"), "{}", said.out);
    assert!(lake(&place, "exit", &["school_year"]).iter().all(|r| r[0] == "2024"));
}

#[test]
fn a_mapped_file_may_be_packed_and_goes_before_a_name_of_a_collection() {
    let place = Place::new();
    copy(&case("wage-delimited").join("given"), &place.raw());
    place.works(&["ingest", "raw", "--mapping", "wage-delimited"]);
    let rows = lake(&place, "placement", &["student_id", "placement_year"]);
    let text = fs::read(place.raw().join("il-wages.csv")).unwrap();
    fs::remove_file(place.raw().join("il-wages.csv")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, &text).unwrap();
    fs::create_dir(place.raw().join("placement")).unwrap();
    fs::write(place.raw().join("placement/wages.csv.gz"), packed.finish().unwrap()).unwrap();
    place.works(&["ingest", "raw", "--mapping", "wage-delimited"]);
    assert_eq!(lake(&place, "placement", &["student_id", "placement_year"]), rows);
    let applied = load(&place).inputs.into_iter().find_map(|i| i.mapping).unwrap();
    assert_eq!((applied.rows, applied.left_out, applied.unused_columns), (6, 2, 1));
}
