//! The command line as a first-time user meets it: one clear message with what to do, and the exit codes of the specification
//! (0 done, 1 findings in the data, 2 the program failed, 3 configuration or SQL is wrong, 10 no lake, 11 another run holds the lock).

use crate::support::{Answer, Place, answer, copy, entries, files, home, name, rows_of, skipped, text};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A small, clean raw folder.
fn small() -> PathBuf {
    home().join("tests/golden/5S3/work_based_learning/given")
}

/// A place with a raw folder that a test may break.
fn place() -> Place {
    let place = Place::new();
    copy(&small(), &place.raw());
    place
}

fn loaded() -> Place {
    let place = place();
    place.works(&["ingest", "raw"]);
    place
}

fn ran() -> Place {
    let place = loaded();
    place.run("oregon", [2024], &[]);
    place
}

/// Nothing was published: there is no commit.
fn nothing_committed(place: &Place) {
    let commits = place.restricted().join("_commits");
    assert!(!commits.is_dir() || entries(&commits).is_empty(), "a failed command published something");
}

#[test]
fn help_and_version() {
    let place = Place::new();
    assert!(place.works(&["--version"]).starts_with(concat!("perkins ", env!("CARGO_PKG_VERSION"))));
    let help = place.works(&["--help"]);
    for command in ["synth", "ingest", "run", "all", "query", "status", "verify", "explain", "jurisdiction", "docs"] {
        assert!(
            help.lines().any(|l| l.split_whitespace().next() == Some(command) && l.split_whitespace().count() > 3),
            "{command}: {help}"
        );
        let own = place.works(&[command, "--help"]);
        assert!(own.contains("Usage: perkins") && own.contains("--restricted"), "{own}");
    }
    place.perkins(&[]).refuses(3, &["Usage"]);
    place.perkins(&["frobnicate"]).refuses(3, &["frobnicate", "Usage"]);
    place.perkins(&["run", "--frobnicate"]).refuses(3, &["--frobnicate"]);
    place.perkins(&["ingest"]).refuses(3, &["RAW_DIR"]);
    assert!(entries(place.path()).is_empty(), "help writes nothing");
}

#[test]
fn all_goes_from_raw_files_to_a_table_for_people() {
    let place = place();
    let said = place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024"]);
    for piece in ["collection", "rows read", "Oregon, report year 2024 (2023-24)", "5S3", "Work-Based Learning", "performance", "runs/"] {
        assert!(said.contains(piece), "{piece}: {said}");
    }
    assert!(!place.path().join("public").exists(), "nothing is public before disclosure control");
    for file in ["manifest.json", "views.sql", "read.py", "read.R", "datapackage.json"] {
        let run = place.restricted().join("runs").join(place.manifest("run")["run_id"].as_str().unwrap());
        assert!(run.join(file).is_file(), "{file}");
    }
}

#[test]
fn restricted_files_are_their_owners_only() {
    let place = ran();
    for path in files(&place.restricted()).keys().filter(|p| !p.ends_with("_lock")) {
        let path = place.restricted().join(path);
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o077;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0, 0), "{} can be read by others", path.display());
    }
}

#[test]
fn settings_come_from_flags_then_variables_then_the_file() {
    let place = place();
    place.file("perkins.toml", "restricted = \"by-file\"\njurisdiction = \"federal\"\n");
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = place.command();
        command.env_remove("PERKINS_RESTRICTED").envs(variables.iter().copied()).args(arguments);
        answer(&mut command)
    };
    assert_eq!(run(&[], &["ingest", "raw"]).code, 0);
    assert!(place.path().join("by-file/lake").is_dir());
    assert_eq!(run(&[("PERKINS_RESTRICTED", "by-variable")], &["ingest", "raw"]).code, 0);
    assert!(place.path().join("by-variable/lake").is_dir());
    assert_eq!(run(&[("PERKINS_RESTRICTED", "by-variable")], &["ingest", "raw", "--restricted", "by-flag"]).code, 0);
    assert!(place.path().join("by-flag/lake").is_dir());
    let jurisdiction = |variables: &[(&str, &str)], arguments: &[&str]| {
        let said = run(variables, &[&["run", "--report-year", "2024"], arguments].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        said.out.lines().next().unwrap_or_default().to_string()
    };
    assert!(jurisdiction(&[], &[]).contains("United States"), "jurisdiction of the file");
    assert!(jurisdiction(&[("PERKINS_JURISDICTION", "oregon")], &[]).contains("Oregon"), "of the variable");
    assert!(jurisdiction(&[("PERKINS_JURISDICTION", "oregon")], &["--jurisdiction", "federal"]).contains("United States"), "of the flag");
    place.file("perkins.toml", "restricted = \"x\"\ncolour = \"red\"\n");
    run(&[], &["status"]).refuses(3, &["perkins.toml", "colour"]);
    place.file("perkins.toml", "engine = \"abacus\"\n");
    run(&[], &["status"]).refuses(3, &["abacus"]);
    run(&[], &["status", "--config", "nowhere.toml"]).refuses(3, &["nowhere.toml"]);
    fs::remove_file(place.path().join("perkins.toml")).unwrap();
    for (flag, value) in
        [("--partitions", "0"), ("--partitions", "many"), ("--memory-limit", "5"), ("--memory-limit", "much"), ("--log-format", "xml")]
    {
        run(&[], &["status", flag, value]).refuses(3, &[value]);
    }
}

#[test]
fn a_wrong_raw_folder() {
    let place = Place::new();
    place.perkins(&["ingest", "nowhere"]).refuses(3, &["nowhere", "check the path"]);
    let file = place.file("student.csv", "school_year\n");
    place.perkins(&["ingest", text(&file)]).refuses(3, &["student.csv", "folder"]);
    fs::create_dir(place.path().join("empty")).unwrap();
    place.perkins(&["ingest", "empty"]).refuses(1, &["empty", "no collection", "cte_course", "student"]);
    place.file("other/notes.txt", "hello");
    place.perkins(&["all", "other", "--jurisdiction", "oregon"]).refuses(1, &["other", "no collection"]);
    nothing_committed(&place);
}

#[test]
fn a_collection_that_is_missing_is_named() {
    for collection in ["student", "program"] {
        let place = Place::new();
        copy(&home().join("data/sample"), &place.raw());
        let missing = place.raw().join(collection);
        if missing.is_dir() {
            fs::remove_dir_all(missing).unwrap()
        } else {
            fs::remove_file(missing.with_extension("csv")).unwrap()
        }
        let said = place.perkins(&["all", "raw", "--jurisdiction", "oregon"]);
        said.refuses(1, &["foreign_key", &format!("{collection}_id"), "reject.parquet"]);
        // Thousands of rejected rows are a symptom; the message must say what is the matter.
        let names = |l: &str| {
            l.contains(&format!("collection {collection}"))
                || l.contains(&format!("{collection} collection"))
                || l.contains(&format!("no {collection}"))
        };
        assert!(said.err.lines().any(names), "does not say that the collection {collection} is missing:\n{}", said.err);
        nothing_committed(&place);
    }
    // A collection that nothing refers to may be missing: its indicators count nobody.
    let place = place();
    let _ = fs::remove_file(place.raw().join("work_based_learning.csv"));
    place.works(&["all", "raw", "--jurisdiction", "oregon"]);
}

#[test]
fn a_missing_column_is_named_with_the_columns_found() {
    let place = place();
    let path = place.raw().join("student.csv");
    let content = fs::read_to_string(&path).unwrap();
    fs::write(&path, content.replacen("gender", "sex", 1)).unwrap();
    place.perkins(&["ingest", "raw"]).refuses(1, &["student.csv", "missing", "gender", "columns found", "sex", "race_ethnicity"]);
    nothing_committed(&place);
}

/// Rows of one collection with so many unknown codes among them.
fn students(place: &Place, good: usize, bad: usize) {
    let mut content = String::from("school_year,student_id,education_level,gender,race_ethnicity\n");
    (0..good).for_each(|i| content += &format!("2024,G{i:06},secondary,F,white\n"));
    (0..bad).for_each(|i| content += &format!("2024,B{i:06},secondary,Q,white\n"));
    place.file("raw/student.csv", &content);
}

#[test]
fn unknown_codes_are_rejected_up_to_one_percent() {
    let place = Place::new();
    students(&place, 2000, 10);
    let said = place.works(&["ingest", "raw"]);
    assert!(said.contains("reject.parquet"), "says where the rejected rows are: {said}");
    let before = place.commit();
    // Ten rows are always allowed; eleven of 1,100 are exactly one percent; one more is too many.
    students(&place, 20, 10);
    place.works(&["ingest", "raw"]);
    students(&place, 1089, 11);
    place.works(&["ingest", "raw"]);
    let good = place.commit();
    assert_ne!(before, good);
    students(&place, 1088, 12);
    let said = place.perkins(&["ingest", "raw"]);
    said.refuses(1, &["student", "12 of 1100", "code in gender", "1 %", "reject.parquet"]);
    assert_eq!(place.commit(), good, "the load before stays in place");
    let reject = said.err.split_whitespace().find(|w| w.contains("reject.parquet")).unwrap().trim_end_matches(['.', ',']);
    assert!(place.path().join(reject).is_file(), "the rejected rows can be looked at: {reject}");
    place.works(&["ingest", "raw", "--max-reject-rate", "0.02"]);
    for rate in ["7", "-1", "some"] {
        place.perkins(&["ingest", "raw", &format!("--max-reject-rate={rate}")]).refuses(3, &["max-reject-rate"]);
    }
}

#[test]
fn wrong_years_and_jurisdictions() {
    let place = loaded();
    let run = |arguments: &[&str]| place.perkins(&[&["run"], arguments].concat());
    run(&["--jurisdiction", "oregon", "--report-year", "2040"]).refuses(3, &["2040", "school years"]);
    run(&["--jurisdiction", "oregon", "--report-year", "1995"]).refuses(3, &["1995", "school years"]);
    run(&["--jurisdiction", "oregon", "--report-year", "1890"]).refuses(3, &["1890", "1990"]);
    run(&["--jurisdiction", "oregon", "--report-year", "last"]).refuses(3, &["last"]);
    run(&["--jurisdiction", "oregon", "--report-years", "2024..2021"]).refuses(3, &["2024..2021", "such as 2021..2024"]);
    run(&["--jurisdiction", "oregon", "--report-years", "2024"]).refuses(3, &["such as 2021..2024"]);
    run(&[]).refuses(3, &["--jurisdiction", "PERKINS_JURISDICTION", "federal", "oregon"]);
    run(&["--jurisdiction", "atlantis"]).refuses(3, &["atlantis", "federal", "oregon"]);
    run(&["--jurisdiction", "rule"]).refuses(3, &["rule", "oregon"]);
    run(&["--jurisdiction", "../oregon"]).refuses(3, &["../oregon"]);
    run(&["--jurisdiction", "oregon", "--table", "nonsense"]).refuses(3, &["nonsense", "performance"]);
    // A wrong jurisdiction is said before anything is read.
    let fresh = self::place();
    fresh.perkins(&["all", "raw", "--jurisdiction", "atlantis"]).refuses(3, &["atlantis"]);
    fresh.perkins(&["all", "raw"]).refuses(3, &["--jurisdiction"]);
    nothing_committed(&fresh);
}

#[test]
fn no_lake_and_no_run() {
    let place = Place::new();
    place.perkins(&["run", "--jurisdiction", "oregon"]).refuses(10, &["no lake", "perkins ingest", "--restricted"]);
    place.perkins(&["query", "select 1"]).refuses(10, &["perkins run", "--restricted"]);
    let loaded = loaded();
    loaded.perkins(&["query", "select 1"]).refuses(10, &["no run", "perkins run"]);
}

#[test]
fn queries_that_are_wrong() {
    let place = ran();
    let query = |sql: &str| place.perkins(&["query", sql]);
    query("selct 1").refuses(3, &["selct"]);
    query("select * from nothing").refuses(3, &["nothing"]);
    query("select colour from performance").refuses(3, &["colour", "denominator"]);
    query("").refuses(3, &[]);
    place.perkins(&["query", "select 1", "--run", "nowhere"]).refuses(3, &["nowhere", "perkins status"]);
    place.perkins(&["query", "select 1", "--run", "../x"]).refuses(3, &["../x"]);
    place.perkins(&["query", "select 1", "--format", "pdf"]).refuses(3, &["pdf", "csv"]);
    let empty = place.works(&["query", "select report_year, rate from performance where false", "--format", "csv"]);
    assert_eq!(empty, "report_year,rate\n", "an answer without rows has its columns");
    let run = place.manifest("run")["run_id"].as_str().unwrap().to_string();
    let named = place.works(&["query", "select count(*) as n from performance", "--run", &run, "--format", "ndjson"]);
    assert!(named.starts_with("{\"n\":"), "{named}");
    let table = place.works(&["query", "select indicator, numerator from performance where level = 'state' limit 1"]);
    assert!(table.starts_with("indicator") && table.lines().count() == 3, "{table}");
}

/// A query asks; it must not change or write anything.
#[test]
fn queries_only_read() {
    let place = ran();
    let before = files(&place.restricted());
    for sql in [
        "drop table performance",
        "create table x as select 1",
        "create external table x (a int) stored as csv location 'x.csv'",
        "copy performance to 'stolen.csv' stored as csv",
        "insert into performance select * from performance",
    ] {
        place.perkins(&["query", sql]).refuses(3, &[]);
        assert!(!place.path().join("stolen.csv").exists(), "{sql} wrote a file");
    }
    assert_eq!(files(&place.restricted()), before);
}

#[test]
fn status_shows_the_load_and_the_runs() {
    let place = Place::new();
    place.perkins(&["status"]).refuses(10, &["perkins ingest", "--restricted"]);
    let place = ran();
    let run = place.manifest("run")["run_id"].as_str().unwrap().to_string();
    let load = place.manifest("load")["load_id"].as_str().unwrap().to_string();
    let said = place.works(&["status"]);
    for piece in ["cte_course", &run, &load] {
        assert!(said.contains(piece), "{piece}: {said}");
    }
    let json: serde_json::Value = serde_json::from_str(&place.works(&["status", "--format", "json"])).unwrap();
    assert_eq!((json["runs"][0]["run_id"].as_str(), json["load"]["load_id"].as_str()), (Some(run.as_str()), Some(load.as_str())));
    place.run("federal", [2023], &[]);
    let json: serde_json::Value = serde_json::from_str(&place.works(&["status", "--format", "json"])).unwrap();
    let runs = json["runs"].as_array().unwrap();
    assert_eq!(runs.iter().map(|r| r["current"].as_bool().unwrap()).collect::<Vec<_>>(), [true, false], "{json}");
}

/// Whether explanations agree with the table of members, for every student of a case.
fn explanations_agree(given: &Path, jurisdiction: &str, year: i32) {
    let place = Place::new();
    place.ingest(given);
    place.run(jurisdiction, [year], &[]);
    let members = place.table("indicator_membership");
    let students: BTreeSet<&str> = members.iter().map(|r| r["student_id"].as_str()).collect();
    assert!(students.len() > 3);
    let year = year.to_string();
    for student in students {
        let said =
            place.works(&["explain", "--student", student, "--report-year", &year, "--jurisdiction", jurisdiction, "--format", "json"]);
        let answers: serde_json::Value = serde_json::from_str(&said).unwrap();
        let decided: BTreeSet<(&str, &str, bool, bool, &str)> = answers[0]["indicators"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|i| i["programs"].as_array().unwrap().iter().map(move |p| (i["indicator"].as_str().unwrap(), p)))
            .filter(|(_, p)| p["candidate"] == true)
            .map(|(indicator, p)| {
                let yes = |name: &str| p[name].as_bool().unwrap();
                (indicator, p["program_id"].as_str().unwrap(), yes("denominator"), yes("numerator"), p["exclusion"].as_str().unwrap_or(""))
            })
            .collect();
        for row in members.iter().filter(|r| r["student_id"] == student) {
            let member = (
                row["indicator"].as_str(),
                row["program_id"].as_str(),
                row["denominator"] == "true",
                row["numerator"] == "true",
                row["exclusion"].as_str(),
            );
            assert!(decided.contains(&member), "{student}: the table says {member:?}, the explanation {decided:?}");
        }
        let denominators =
            |of: &str| members.iter().any(|r| r["student_id"] == student && r["indicator"] == of && r["denominator"] == "true");
        for indicator in answers[0]["indicators"].as_array().unwrap() {
            let id = indicator["indicator"].as_str().unwrap();
            assert_eq!(indicator["denominator"] == true, denominators(id), "{student} {id}");
            assert!(!indicator["authority"].as_str().unwrap().is_empty(), "{id} has no authority");
        }
    }
}

#[test]
fn explanations_are_what_the_tables_say() {
    explanations_agree(&small(), "oregon", 2024);
    explanations_agree(&home().join("tests/golden/2P1/windows/given"), "federal", 2024);
}

#[test]
fn explain_says_why_in_plain_words() {
    let place = ran();
    let student =
        place.query("select student_id from indicator_membership where denominator and indicator = '5S3' limit 1")[0]["student_id"].clone();
    let explain = |arguments: &[&str]| place.perkins(&[&["explain", "--report-year", "2024"], arguments].concat());
    let said = explain(&["--student", &student]);
    assert_eq!(said.code, 0, "{}", said.err);
    for piece in [student.as_str(), "2024", "Oregon", "5S3", "Authority", "Rule", "credits", "denominator"] {
        assert!(said.out.contains(piece), "{piece}: {}", said.out);
    }
    let one = explain(&["--student", &student, "--indicator", "5S3"]);
    assert!(one.out.contains("5S3") && !one.out.contains("1S1 "), "{}", one.out);
    explain(&["--student", "nobody"]).refuses(1, &["no student", "leading zeros"]);
    explain(&["--student", &student, "--indicator", "9Z9"]).refuses(3, &["9Z9", "5S3"]);
    explain(&["--student", &student, "--jurisdiction", "atlantis"]).refuses(3, &["atlantis"]);
    explain(&[]).refuses(3, &["--student"]);
    Place::new().perkins(&["explain", "--student", "A", "--jurisdiction", "oregon"]).refuses(10, &["perkins ingest"]);
}

#[test]
fn docs_show_the_graph_of_views() {
    let place = Place::new();
    let said = place.works(&["docs", "--lineage", "--jurisdiction", "oregon"]);
    for piece in ["staging", "output", "performance", "lake.student"] {
        assert!(said.contains(piece), "{piece}: {said}");
    }
    place.works(&["docs", "--out", "pages"]);
    place.works(&["docs", "--out", "pages", "--check"]);
    place.file("pages/dictionary.md", "changed by hand");
    let said = place.perkins(&["docs", "--out", "pages", "--check"]);
    said.refuses(1, &["perkins docs"]);
    assert!(said.out.contains("dictionary.md"), "{}", said.out);
}

#[test]
fn a_second_run_at_once_is_told_who_holds_the_lock() {
    let place = loaded();
    let lock = perkins::commit::lock(&place.restricted(), "test").unwrap();
    let holder = format!("process {}", std::process::id());
    for arguments in [&["ingest", "raw"][..], &["run", "--jurisdiction", "oregon"], &["all", "raw", "--jurisdiction", "oregon"]] {
        place.perkins(arguments).refuses(11, &["perkins test", &holder, "wait"]);
    }
    drop(lock);
    place.run("oregon", [2024], &[]);
    // Whoever only reads does not wait.
    let _lock = perkins::commit::lock(&place.restricted(), "test").unwrap();
    place.works(&["query", "select 1"]);
}

#[test]
fn folders_that_cannot_be_written() {
    let place = place();
    let file = place.file("file", "");
    // Below a file there is no folder, for anyone.
    place.perkins(&["ingest", "raw", "--restricted", text(&file.join("below"))]).refuses(2, &["cannot", "file/below"]);
    if rustix::process::getuid().is_root() {
        skipped("cli: folders without permission: root may write everywhere");
        return;
    }
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    place.perkins(&["ingest", "raw", "--restricted", "closed/restricted"]).refuses(2, &["closed/restricted", "permission"]);
    fs::set_permissions(place.raw().join("student.csv"), fs::Permissions::from_mode(0o000)).unwrap();
    place.perkins(&["ingest", "raw"]).refuses(2, &["student.csv", "permission"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn files_that_are_broken_are_found_by_verify() {
    let place = ran();
    place.works(&["verify"]);
    place.works(&["verify", "--read-data"]);
    let run = place.manifest("run");
    let results = run["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap().to_string());
    let lake =
        place.manifest("load")["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap().to_string()).collect::<Vec<_>>();
    let result = results.into_iter().find(|p| p.contains("performance")).unwrap();
    for path in [&result, &lake[0]] {
        let full = place.restricted().join(path);
        let whole = fs::read(&full).unwrap();
        let mut turned = whole.clone();
        turned[whole.len() / 2] ^= 0x10;
        fs::write(&full, &turned).unwrap();
        let said = place.perkins(&["verify", "--read-data"]);
        assert_eq!(said.code, 1, "a byte turned in {path}: {}{}", said.out, said.err);
        assert!(format!("{}{}", said.out, said.err).contains(path.as_str()), "{path} is not named: {}{}", said.out, said.err);
        fs::write(&full, &whole[..whole.len() - 1]).unwrap();
        let said = place.perkins(&["verify"]);
        assert_eq!(said.code, 1, "cut short: {path}: {}{}", said.out, said.err);
        fs::remove_file(&full).unwrap();
        let said = place.perkins(&["verify"]);
        assert_eq!(said.code, 1, "gone: {path}: {}{}", said.out, said.err);
        fs::write(&full, &whole).unwrap();
    }
    place.works(&["verify"]);
}

/// A commit that was not written to its end does not count; the one before does.
#[test]
fn a_broken_commit_gives_way_to_the_one_before() {
    let place = ran();
    let before = place.works(&["query", "select * from performance", "--format", "csv"]);
    let commits = place.restricted().join("_commits");
    let next = commits.join("00000099.json");
    fs::write(&next, "{\"number\": 99, \"load\": nu").unwrap();
    assert_eq!(place.works(&["query", "select * from performance", "--format", "csv"]), before);
    place.run("oregon", [2024], &[]);
    let newest = entries(&commits).into_iter().rfind(|p| name(p).ends_with(".json")).unwrap();
    assert_eq!(name(&newest), "00000100.json", "numbers only grow");
}

/// A project folder with what ships, which a test may break.
struct Broken {
    place: Place,
}

impl Broken {
    fn new() -> Broken {
        let place = loaded();
        let project = place.path().join("project");
        copy(&home().join("sql"), &project.join("sql"));
        for folder in entries(&home().join("data")).into_iter().filter(|f| name(f) != "sample") {
            copy(&folder, &project.join("data").join(name(&folder)));
        }
        Broken { place }
    }

    fn file(&self, path: &str, content: &str) -> PathBuf {
        self.place.file(&format!("project/{path}"), content)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.place.path().join("project").join(path)).unwrap()
    }

    /// Replaces a piece of a file; gives the line on which it stands.
    fn replace(&self, path: &str, old: &str, new: &str) -> usize {
        let content = self.read(path);
        let at = content.find(old).unwrap_or_else(|| panic!("{path} has no {old:?}"));
        self.file(path, &content.replacen(old, new, 1));
        content[..at].matches('\n').count() + 1
    }

    fn run(&self) -> Answer {
        self.place.perkins(&["run", "--jurisdiction", "oregon", "--report-year", "2024", "--project", "project"])
    }
}

const HEADER: &str = "/*\ntitle = \"T\"\ngrain = [\"report_year\"]\nauthority = \"A\"\n*/\n";

#[test]
fn a_project_folder_can_replace_what_is_built_in() {
    let project = Broken::new();
    assert_eq!(project.run().code, 0, "{}", project.run().err);
    project.replace("data/rule/oregon.toml", "name = \"Oregon\"", "name = \"Cascadia\"");
    assert!(project.run().out.contains("Cascadia"), "{}", project.run().out);
    let none = |folder: &str| project.place.perkins(&["run", "--jurisdiction", "oregon", "--project", folder]);
    none("nowhere").refuses(3, &["nowhere", "--project"]);
    project.place.file("a-file", "");
    none("a-file").refuses(3, &["a-file"]);
    fs::create_dir(project.place.path().join("bare")).unwrap();
    none("bare").refuses(3, &["bare", "--project"]);
}

/// An overlay of an indicator, whose line 10 begins the SELECT.
const OVERLAY: &str = r#"/*
title = "Ours"
reason = "A state's own"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "A"
denominator_text = "D"
numerator_text = "N"
*/
SELECT
    report_year, student_key, program_key,
    TRUE AS denominator,
    is_graduate AS numerator,
    CAST(NULL AS VARCHAR) AS exclusion
FROM secondary_concentrator
"#;

const OVERLAY_PATH: &str = "sql/jurisdiction/oregon/indicator/5S3.sql";

#[test]
fn a_mistake_in_sql_is_shown_with_file_and_line() {
    let project = Broken::new();
    let mistakes: [(&str, &str, &[&str]); 13] = [
        ("FROM", "FRM", &["15"]),
        ("is_graduate", "is_gradate", &["5S3.sql:13:", "is_gradate"]),
        ("TRUE AS", "nofunction(1) AS", &["5S3.sql:12:", "nofunction"]),
        (
            "secondary_concentrator",
            "secondary_concentrater",
            &["5S3.sql:15:6", "secondary_concentrater", "did you mean secondary_concentrator?"],
        ),
        ("TRUE AS denominator", "TRUE AS denominatr", &["denominator"]),
        ("TRUE AS", "is_graduate + 5 AS", &[]),
        ("title =", "titel =", &["titel"]),
        ("reason = \"A", "reason = A", &["3"]),
        ("/*", "--", &["header"]),
        ("education_level = \"secondary\"", "education_level = \"tertiary\"", &["education_level"]),
        ("numerator_text", "#", &["numerator_text"]),
        ("FROM secondary_concentrator", "FROM secondary_concentrator; DROP TABLE rule", &["exactly one SELECT"]),
        ("SELECT", "EXPLAIN SELECT", &["exactly one SELECT"]),
    ];
    let mut wrong = Vec::new();
    for (old, new, pieces) in mistakes {
        assert!(OVERLAY.contains(old));
        project.file(OVERLAY_PATH, &OVERLAY.replacen(old, new, 1));
        let said = project.run();
        let missing: Vec<_> = [&[OVERLAY_PATH], pieces].concat().into_iter().filter(|p| !said.err.contains(p)).collect();
        if said.code != 3 || !missing.is_empty() {
            wrong.push(format!("{old} → {new}: exit code {}, {missing:?} not in: {}", said.code, said.err));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    project.file(OVERLAY_PATH, OVERLAY);
    assert_eq!(project.run().code, 0, "without a mistake it runs: {}", project.run().err);
}

#[test]
fn views_keep_to_their_layers() {
    let refuses = |path: &str, sql: &str, pieces: &[&str]| {
        let project = Broken::new();
        let file = project.file(path, &format!("{HEADER}{sql}\n"));
        let pieces: Vec<&str> = [&["project/", path], pieces].concat();
        project.run().refuses(3, &pieces);
        fs::remove_file(file).unwrap();
        assert_eq!(project.run().code, 0, "{path} was the only mistake");
    };
    refuses("sql/status/jump.sql", "SELECT report_year FROM lake.student", &["jump.sql:6:", "lake.student", "staging"]);
    refuses("sql/status/up.sql", "SELECT report_year\nFROM figure", &["up.sql:7:", "status", "tally", "downwards"]);
    refuses("sql/output/sideways.sql", "SELECT report_year FROM performance", &["sideways.sql:6:", "performance", "own layer"]);
    refuses("sql/status/unknown.sql", "SELECT report_year FROM studnet", &["unknown.sql:6:", "studnet", "did you mean student?"]);
    refuses("sql/status/schema.sql", "SELECT report_year FROM elsewhere.student", &["schema.sql:6:", "lake, reference and key"]);
    refuses("sql/status/clock.sql", "SELECT now() AS report_year", &["clock.sql", "clock"]);
    refuses("sql/status/rule.sql", "SELECT 1 AS report_year", &["rule.sql", "provides"]);
    refuses("sql/status/Upper.sql", "SELECT 1 AS report_year", &["Upper.sql", "lower case"]);
    refuses("sql/elsewhere/x.sql", "SELECT 1 AS report_year", &["x.sql", "staging", "output"]);
    refuses("sql/tally/last_exit.sql", "SELECT 1 AS report_year", &["status/last_exit.sql", "define the same view"]);
}

#[test]
fn views_that_refer_to_each_other_in_a_circle() {
    let project = Broken::new();
    project.file("sql/status/one.sql", &format!("{HEADER}SELECT report_year FROM two\n"));
    project.file("sql/status/two.sql", &format!("{HEADER}SELECT report_year FROM three\n"));
    project.file("sql/status/three.sql", &format!("{HEADER}SELECT report_year FROM one\n"));
    project.run().refuses(3, &["circle", "one", "two", "three", " → "]);
    let project = Broken::new();
    project.file("sql/status/itself.sql", &format!("{HEADER}SELECT report_year FROM itself\n"));
    project.run().refuses(3, &["itself.sql"]);
}

#[test]
fn an_overlay_says_why() {
    let project = Broken::new();
    project.file(OVERLAY_PATH, &OVERLAY.replace("reason", "# reason"));
    project.run().refuses(3, &[OVERLAY_PATH, "reason"]);
    project.file(OVERLAY_PATH, &project.read("sql/indicator/5S3.sql").replacen("title = ", "reason = \"Because\"\ntitle = ", 1));
    project.run().refuses(3, &[OVERLAY_PATH, "same"]);
    project.file(OVERLAY_PATH, &OVERLAY.replace("grain = [\"report_year\", ", "grain = ["));
    project.run().refuses(3, &[OVERLAY_PATH, "grain"]);
    project.file(OVERLAY_PATH, OVERLAY);
    let of =
        |jurisdiction: &str| project.place.works(&["run", "--jurisdiction", jurisdiction, "--report-year", "2024", "--project", "project"]);
    assert!(of("oregon").contains("Ours") && !of("federal").contains("Ours"), "the overlay holds for its jurisdiction only");
}

#[test]
fn a_state_specific_indicator_is_one_file_and_one_value() {
    let project = Broken::new();
    let like = project.read("sql/indicator/5S3.sql").replacen("title = \"", "title = \"Ours: ", 1);
    project.file("sql/indicator/5S4.sql", &like);
    let rules = project.read("data/rule/oregon.toml");
    let changed: Vec<String> = rules
        .lines()
        .map(|l| if l.starts_with("value = ") && l.contains("5S3") { l.replace("5S3", "5S3,5S4") } else { l.into() })
        .collect();
    project.file("data/rule/oregon.toml", &changed.join("\n"));
    let said = project.run();
    assert_eq!(said.code, 0, "{}", said.err);
    let rows = |indicator: &str| {
        let sql = format!(
            "select level, entity_id, group_kind, group_code, numerator, denominator from performance where indicator = '{indicator}' order by 1, 2, 3, 4"
        );
        project.place.query(&sql)
    };
    assert!(!rows("5S4").is_empty() && rows("5S4") == rows("5S3"), "the new indicator counts as the one that it copies");
}

#[test]
fn rules_and_contracts_that_are_wrong() {
    let wrong = |path: &str, old: &str, new: &str, pieces: &[&str]| {
        let project = Broken::new();
        project.replace(path, old, new);
        project.run().refuses(3, &[&[path], pieces].concat());
    };
    let rules = "data/rule/oregon.toml";
    wrong(
        rules,
        "id = \"secondary_participant_courses\"",
        "id = \"secondary_participant_course\"",
        &["secondary_participant_course", "rule.toml"],
    );
    wrong(rules, "value = \"0.5\"", "value = \"half\"", &["secondary_participant_credits", "half"]);
    wrong(rules, "value = \"0.5\"", "value = 0.5", &["line"]);
    wrong(rules, "code = \"OR\"", "", &["code"]);
    wrong(rules, "authority = \"Oregon", "authority = \"\" # \"", &["authority"]);
    wrong("data/contract/student.toml", "type = \"year\"", "type = \"yaer\"", &["yaer"]);
    wrong("data/contract/exit.toml", "name = \"exit\"", "name = \"exits\"", &["exits"]);
}

/// Student ids and names of raw files.
fn values_of_students(raw: &Path) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for path in files(raw).into_keys().filter(|p| p.extension().is_some_and(|e| e == "csv")) {
        for row in rows_of(&raw.join(path)) {
            values.extend(["student_id", "first_name", "last_name", "birth_date"].iter().filter_map(|c| row.get(*c).cloned()));
        }
    }
    values.retain(|v| v.chars().count() > 3);
    values
}

fn logs_no_student(said: &Answer, values: &BTreeSet<String>, json: bool) {
    for line in said.err.lines() {
        assert!(!json || serde_json::from_str::<serde_json::Value>(line).is_ok_and(|v| v.is_object()), "no JSON: {line}");
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '-');
        let leaked: Vec<_> = words.filter(|w| values.contains(*w)).collect();
        assert!(leaked.is_empty(), "values of students in a log line: {leaked:?} in {line}");
    }
}

#[test]
fn no_value_of_a_student_is_logged() {
    let place = Place::new();
    copy(&home().join("data/sample"), &place.raw());
    let values = values_of_students(&place.raw());
    assert!(values.len() > 3000, "{}", values.len());
    let run = |arguments: &[&str], level: &str| {
        let mut command = place.command();
        command.env("PERKINS_LOG", level).args(arguments).args(["--log-format", "json"]);
        answer(&mut command)
    };
    for level in ["info", "trace"] {
        let said = run(&["all", "raw", "--jurisdiction", "oregon", "--restricted", level], level);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.err.contains("committed"), "{level} tells something: {}", &said.err[..said.err.len().min(500)]);
        logs_no_student(&said, &values, true);
    }
    // A load that fails: unknown codes, broken rows and all.
    for path in entries(&place.raw().join("student")) {
        let content = fs::read_to_string(&path).unwrap();
        fs::write(&path, content.replace(",F,", ",Q,")).unwrap();
    }
    let failed = run(&["all", "raw", "--jurisdiction", "oregon"], "info");
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.lines().any(|l| l.contains("\"exit_code\":1")), "{}", failed.err);
    logs_no_student(&failed, &values, true);
    // The same for people.
    logs_no_student(&place.perkins(&["ingest", "raw"]), &values, false);
}

/// Whatever is no terminal gets plain text.
#[test]
fn there_are_no_colours_outside_a_terminal() {
    let place = place();
    place.file("raw/notes.md", "a file that belongs to no collection");
    let said = place.perkins(&["all", "raw", "--jurisdiction", "oregon"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("notes.md"), "says which file it did not read: {}", said.err);
    assert!(!said.err.contains('\u{1b}') && !said.out.contains('\u{1b}'), "{}", said.err);
}
