//! The command line as a first-time user meets it: one clear message with what to do, and the exit codes of the specification
//! (0 done, 1 findings in the data, 2 the program failed, 3 configuration or SQL is wrong, 10 no lake, 11 another run holds the lock).

use crate::support::{Answer, Place, answer, copy, entries, files, home, loaded, place, ran, rows_of, text};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

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
    for command in ["synth", "ingest", "run", "all", "query", "report", "status", "verify", "explain", "jurisdiction", "docs"] {
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
    for piece in ["public_performance", "the audit found no hidden figure that can be computed", "public/runs/", "reports: "] {
        assert!(said.contains(piece), "{piece}: {said}");
    }
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

/// A wrong value shows that a source is asked, a right one of a stronger source that it goes first.
#[test]
fn engine_and_memory_limit_are_taken_from_each_source() {
    let place = Place::new();
    for (setting, wrong, right) in [("engine", "abacus", "local"), ("memory_limit", "5", "64MiB")] {
        let (variable, flag) = (format!("PERKINS_{}", setting.to_uppercase()), format!("--{}", setting.replace('_', "-")));
        let says = |file: &str, in_variable: Option<&str>, in_flag: Option<&str>| {
            place.file("perkins.toml", &format!("{setting} = \"{file}\"\n"));
            let mut command = place.command();
            command.arg("status").envs(in_variable.map(|v| (variable.clone(), v)));
            command.args(in_flag.into_iter().flat_map(|v| [flag.as_str(), v]));
            answer(&mut command)
        };
        // Whatever is right goes on to find no lake.
        says(wrong, None, None).refuses(3, &[wrong]);
        says(right, None, None).refuses(10, &[]);
        says(right, Some(wrong), None).refuses(3, &[wrong]);
        says(wrong, Some(right), None).refuses(10, &[]);
        says(right, Some(right), Some(wrong)).refuses(3, &[wrong]);
        says(wrong, Some(wrong), Some(right)).refuses(10, &[]);
    }
    place.file("perkins.toml", "public = \"by-file\"\n");
    place.perkins(&["status", "--public", "by-flag"]).refuses(10, &[]);
    place.file("perkins.toml", "public = 5\n");
    place.perkins(&["status"]).refuses(3, &["perkins.toml", "public"]);
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
    // The lake can be asked before the first run; a run that is named must be there.
    assert_eq!(loaded.query("SELECT count(*) AS n FROM lake.crosswalk")[0]["n"], "1");
    loaded.perkins(&["query", "select * from performance"]).refuses(3, &["performance", "there is no run yet", "lake.<collection>"]);
    loaded.perkins(&["query", "select 1", "--jurisdiction", "oregon"]).refuses(10, &["no run", "perkins run"]);
}

#[test]
fn queries_that_are_wrong() {
    let place = ran();
    let query = |sql: &str| place.perkins(&["query", sql]);
    query("selct 1").refuses(3, &["selct"]);
    query("select * from nothing").refuses(3, &["nothing", "the run has", "performance"]);
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
    place.run("oregon", [2023], &[]);
    place.run("federal", [2023], &[]);
    let json: serde_json::Value = serde_json::from_str(&place.works(&["status", "--format", "json"])).unwrap();
    let runs = json["runs"].as_array().unwrap();
    // The newest first; each jurisdiction has its own current run.
    assert_eq!(runs.iter().map(|r| r["current"].as_bool().unwrap()).collect::<Vec<_>>(), [true, true, false], "{json}");
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

/// Student ids and names of raw files.
pub fn values_of_students(raw: &Path) -> BTreeSet<String> {
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
    let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|v| v.is_object());
    assert!(!json || said.err.lines().all(is_json), "no JSON: {}", said.err);
    for line in said.out.lines().chain(said.err.lines()) {
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

/// Of a grant's year there may be no students yet.
#[test]
fn the_year_of_a_grant_is_no_latest_school_year() {
    let place = Place::new();
    place.file(
        "raw/allocation.csv",
        "program_year,state_name,award_number,award_amount,accounting_basis\n2024,Oregon,V048A240037,1.00,cash\n",
    );
    place.ingest(&place.raw());
    place.run("federal", [], &["--table", "fsr_form"]);
    assert_eq!(place.manifest("run")["report_years"], serde_json::json!([2024]));
    let school = "school_year,institution_id,institution_name,institution_kind,grantee_id,grantee_name\n2023,1,School,school,G,Grantee\n";
    place.file("raw/institution.csv", school);
    place.ingest(&place.raw());
    place.run("federal", [], &["--table", "fsr_form"]);
    assert_eq!(place.manifest("run")["report_years"], serde_json::json!([2023]));
    place.run("federal", [2024], &["--table", "fsr_form"]);
}
