//! What differs between two runs, and runs that differ too much.

use crate::support::{Place, loaded, ran, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const RUN: [&str; 6] = ["run", "--jurisdiction", "oregon", "--report-year", "2024", "--no-publish"];

/// Adds the record of work-based learning that student F of the golden case 5S3/work_based_learning lacks, and ingests: Oregon's 5S3 of
/// 2024 has 6 of 8 without it (case.md), so 7 of 8 with it.
pub fn add_record(place: &Place) {
    let path = place.raw().join("work_based_learning.csv");
    let raw = std::fs::read_to_string(&path).unwrap();
    assert!(raw.ends_with('\n') && !raw.contains("2024,F,"), "{raw}");
    std::fs::write(&path, format!("{raw}2024,F,P1,internship,50\n")).unwrap();
    place.works(&["ingest", "raw"]);
}

fn moved() -> Place {
    let place = ran();
    add_record(&place);
    place.works(&RUN);
    place
}

fn id(place: &Place) -> String {
    place.manifest("run")["run_id"].as_str().unwrap().into()
}

fn differences(place: &Place, arguments: &[&str]) -> Value {
    let said = place.perkins(&[&["diff", "previous", "current", "--format", "json"], arguments].concat());
    said.refuses(1, &["differ"]);
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.out))
}

fn of_table<'a>(found: &'a Value, table: &str) -> &'a Value {
    let tables = found["tables"].as_array().unwrap();
    tables.iter().find(|t| t["table"] == table).unwrap_or_else(|| panic!("{table} is the same: {found}"))
}

fn counts(table: &Value) -> [i64; 3] {
    ["added", "removed", "changed"].map(|c| table[c].as_i64().unwrap())
}

#[test]
fn a_record_more_moves_one_student_and_the_figures_that_count_the_student() {
    let place = moved();
    let found = differences(&place, &[]);
    assert_eq!(found["report_years"], json!([2024]));
    assert_eq!(found["made_from"]["collections"], json!({"work_based_learning": ["school_year=2024"]}));
    for what in ["rules", "sql", "overlays", "defaults"] {
        assert_eq!(found["made_from"][what], json!([]), "{what}");
    }
    // One candidate, F in P1, is in the numerator now.
    let membership = of_table(&found, "indicator_membership");
    assert_eq!(counts(membership), [0, 0, 1]);
    assert_eq!(membership["because"], json!(["lake.work_based_learning"]));
    // F counts for the state, grantee G1, district D1, school S1 and program P1; in each for all, gender M, race white and cluster
    // marketing: 5 × 4 figures of 5S3.
    assert_eq!(counts(of_table(&found, "performance")), [0, 0, 20]);
    let figures = found["figures"].as_array().unwrap();
    assert_eq!(figures.len(), 20, "{figures:?}");
    let levels: BTreeSet<&str> = figures.iter().map(|f| f["figure"]["level"].as_str().unwrap()).collect();
    assert_eq!(levels, BTreeSet::from(["state", "grantee", "district", "institution", "program"]));
    let kinds: BTreeSet<&str> = figures.iter().map(|f| f["figure"]["group_kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["all", "gender", "race_ethnicity", "career_cluster"]));
    let is_state = |f: &&Value| f["figure"]["level"] == "state" && f["figure"]["group_kind"] == "all";
    let state = figures.iter().find(is_state).unwrap();
    assert_eq!((&state["numerator"], &state["denominator"]), (&json!([6, 7]), &json!([8, 8])));
    // One student of 8: 12.5 percent.
    assert_eq!((state["students"].as_i64(), state["percent"].as_f64(), &state["watched"]), (Some(1), Some(12.5), &json!(true)));
    let moved = json!([{
        "report_year": 2024, "indicator": "5S3", "into_numerator": 1, "out_of_numerator": 0, "into_denominator": 0, "out_of_denominator": 0,
        "because": ["lake.work_based_learning"],
    }]);
    assert_eq!(found["students"], moved);
    // Tables that do not count work-based learning are not named.
    let named: BTreeSet<&str> = found["tables"].as_array().unwrap().iter().map(|t| t["table"].as_str().unwrap()).collect();
    assert!(!named.contains("student_program") && !named.contains("enrollment_count"), "{named:?}");
    // Of a table without a key, whole rows differ: that of F in P1 is another one.
    assert_eq!(counts(of_table(&found, "detail")), [1, 1, 0]);
}

#[test]
fn students_are_listed_only_when_asked_for() {
    let place = moved();
    assert!(differences(&place, &[]).get("moved").is_none());
    let listed = differences(&place, &["--students"]);
    let f = json!({
        "report_year": 2024, "indicator": "5S3", "student_id": "F", "program_id": "P1", "before": "denominator", "after": "numerator",
    });
    assert_eq!(listed["moved"], json!([f]));
    let said = place.perkins(&["diff", "previous", "current", "--students"]);
    assert!(said.out.lines().any(|l| l.split_whitespace().eq(["2024", "5S3", "F", "P1", "denominator", "numerator"])), "{}", said.out);
    assert!(said.out.contains("changed: collection work_based_learning school_year=2024"), "{}", said.out);
    assert!(said.out.contains("2024 5S3 state OR all all: 6 of 8 became 7 of 8 (12.5 %)"), "{}", said.out);
}

#[test]
fn the_same_run_does_not_differ_and_runs_are_found_by_what_they_are_called() {
    let place = moved();
    let run = id(&place);
    for name in [run.as_str(), &run[..run.len() - 2], "current"] {
        let said = place.works(&["diff", name, &run]);
        assert!(said.contains("every table is the same"), "{said}");
    }
    place.perkins(&["diff", "20", &run]).refuses(3, &["\"20\"", "2 runs", &run]);
    place.perkins(&["diff", "nothing", &run]).refuses(3, &["\"nothing\"", "perkins status"]);
    place.perkins(&["diff", "../runs", &run]).refuses(3, &["there is no run"]);
    place.run("federal", [2024], &[]);
    place.perkins(&["diff", &run, "current"]).refuses(3, &["oregon", "federal", "perkins jurisdiction diff"]);
    place.perkins(&["diff", "previous", "current", "--jurisdiction", "federal"]).refuses(3, &["there is no run \"previous\""]);
    place.run("oregon", [2023], &[]);
    place.perkins(&["diff", &run, "current", "--jurisdiction", "oregon"]).refuses(3, &["[2024]", "[2023]", "none in common"]);
    // Neither a lake nor a run (outputs.md, "Command line").
    Place::new().perkins(&["diff", "previous", "current"]).refuses(10, &["there is no run"]);
}

#[test]
fn figures_that_move_too_far_are_neither_committed_nor_published() {
    let place = loaded();
    place.works(&RUN[..5]);
    let (before, public) = (place.commit(), crate::support::files(&place.path().join("public")));
    let current = id(&place);
    add_record(&place);
    let loaded = place.commit();
    // 12.5 percent of the state's and of the grantee's students moved, in each of four groups: 2 × 4 figures.
    let refused = place.perkins(&[&RUN[..5], &["--max-change", "12"]].concat());
    refused.refuses(
        1,
        &[
            "oregon: 8 figures moved by more than 12 %",
            "5S3 state OR all all: 6 of 8 became 7 of 8 (12.5 %)",
            "tells what moved them",
            "nothing was committed",
        ],
    );
    // A retry has the limit of what it retries.
    place.perkins(&["retry"]).refuses(1, &["more than 12 %"]);
    assert_eq!(place.commit(), loaded);
    assert_ne!(loaded, before, "the load is there");
    assert_eq!(crate::support::files(&place.path().join("public")), public);
    assert_eq!(id(&place), current);
    // The settings file and the variable say the same; what is asked for on the command line holds.
    place.file("perkins.toml", "max_change = 12");
    place.perkins(&RUN).refuses(1, &["more than 12 %"]);
    place.perkins(&[&RUN[..], &["--max-change", "many"]].concat()).refuses(3, &["many", "percent"]);
    // What was computed can be looked at, and taken over by a run that lets it pass.
    let status: Value = serde_json::from_str(&place.works(&["status", "--format", "json"])).unwrap();
    let refused: Vec<&Value> = status["runs"].as_array().unwrap().iter().filter(|r| r["outcome"] == "not_committed").collect();
    assert_eq!(refused.len(), 3, "{status}");
    let said = place.perkins(&["diff", "current", refused[0]["run_id"].as_str().unwrap(), "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap()["figures"].as_array().unwrap().len(), 20);
    let said = place.works(&["retry", "--max-change", "12.5"]);
    let tables = place.manifest("run")["tables"].as_array().unwrap().len();
    assert!(said.contains(&format!("{tables} of {tables} tables reused")), "{said}");
    let met = place.query("SELECT numerator FROM performance WHERE level = 'state' AND indicator = '5S3' AND group_kind = 'all'");
    assert_eq!(met[0]["numerator"], "7");
    place.works(&["verify", "--read-data"]);
    assert!(place.works(&["retry"]).contains("nothing to retry"));
    let fresh = Place::new();
    fresh.works(&["ingest", text(&place.raw())]);
    fresh.works(&RUN);
    assert_eq!(place.results(), fresh.results());
}

/// The limit holds for a year's figures since they were last current, also if the run before had none.
#[test]
fn a_narrower_run_between_hides_no_change() {
    let place = loaded();
    place.works(&RUN);
    add_record(&place);
    place.works(&[&RUN[..], &["--table", "student_program", "--max-change", "12"]].concat());
    place.perkins(&[&RUN[..], &["--max-change", "12"]].concat()).refuses(1, &["8 figures moved by more than 12 %"]);
}
