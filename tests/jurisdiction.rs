//! `perkins jurisdiction`: what a jurisdiction sets, and what differs between two.

use crate::support::{Place, entries, home, text};
use perkins::jurisdiction::{BASE, Jurisdiction};
use perkins::project::Project;
use serde_json::Value;
use std::path::PathBuf;

fn json(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_str(&place.works(&[&["jurisdiction"], arguments, &["--format", "json"]].concat())).unwrap()
}

/// A case whose figures differ between jurisdictions: its case.md derives them.
fn given() -> PathBuf {
    home().join("tests/golden/5S3/work_based_learning/given")
}

#[test]
fn list_names_every_jurisdiction() {
    let place = Place::new();
    let said = place.works(&["jurisdiction", "list"]);
    let project = Project::open(Some(home().into()), vec![]).unwrap();
    for id in Jurisdiction::list(&project).unwrap() {
        let jurisdiction = Jurisdiction::load(&project, &id).unwrap();
        let line = said.lines().find(|l| l.split_whitespace().next() == Some(&id)).unwrap_or_else(|| panic!("{id}: {said}"));
        assert!(line.contains(&jurisdiction.code) && line.contains(&jurisdiction.name), "{line}");
    }
    assert!(json(&place, &["list"]).as_array().unwrap().iter().any(|j| j["id"] == BASE));
    assert!(entries(place.path()).is_empty(), "it writes nothing");
}

#[test]
fn show_gives_every_rule_with_its_authority_and_where_it_is_from() {
    let place = Place::new();
    let said = place.works(&["jurisdiction", "show", "oregon"]);
    for piece in ["Oregon (oregon, entity OR), over the base, federal", "section 3(12)", "data/default/oregon/target.csv"] {
        assert!(said.contains(piece), "{piece}: {said}");
    }
    let own = said.lines().find(|l| l.contains("secondary_concentrator_credits ")).unwrap();
    assert_eq!(own.split_whitespace().collect::<Vec<_>>(), ["secondary_concentrator_credits", "2.0", "from", "1990", "own"]);
    let base = said.lines().find(|l| l.contains("postsecondary_concentrator_credits ")).unwrap();
    assert_eq!(base.split_whitespace().collect::<Vec<_>>(), ["postsecondary_concentrator_credits", "12", "from", "1990", "base"]);
    let shown = json(&place, &["show", "oregon", "--report-year", "2024"]);
    let project = Project::open(Some(home().into()), vec![]).unwrap();
    let jurisdiction = Jurisdiction::load(&project, "oregon").unwrap();
    let rules = shown["rules"].as_array().unwrap();
    assert_eq!(rules.len(), jurisdiction.definitions.len(), "one value of each rule in a report year");
    for rule in rules {
        let value = jurisdiction.value(rule["rule"].as_str().unwrap(), 2024).unwrap();
        assert_eq!((rule["value"].as_str(), rule["authority"].as_str()), (Some(&*value.value), Some(&*value.authority)));
    }
    place.perkins(&["jurisdiction", "show", "atlantis"]).refuses(3, &["atlantis", "oregon"]);
    place.perkins(&["jurisdiction", "show"]).refuses(3, &["NAME"]);
    place.perkins(&["jurisdiction"]).refuses(3, &["Usage"]);
}

#[test]
fn show_says_what_an_overlay_sets() {
    let place = Place::new();
    let example = home().join("docs/example/overlay");
    let said = place.works(&["jurisdiction", "show", "oregon", "--overlay", text(&example)]);
    let lines: Vec<&str> = said.lines().filter(|l| l.trim_start().starts_with("reported_indicators")).collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].contains("1990 to 2023") && !lines[0].contains("5S4") && lines[0].ends_with("own"), "{}", lines[0]);
    assert!(lines[1].contains("from 2024") && lines[1].contains("5S4"), "{}", lines[1]);
    assert!(lines[1].ends_with(&format!("own ({}) + own", example.join("data/rule/oregon.toml").display())), "{}", lines[1]);
    assert!(said.contains(&format!("{}, added", example.join("sql/indicator/5S4.sql").display())), "{said}");
}

/// A project folder in which a jurisdiction replaces a view.
fn with_replaced_view(place: &Place) {
    let view = std::fs::read_to_string(home().join("sql/indicator/5S3.sql")).unwrap();
    let view = view.replacen("title = ", "reason = \"Any record is enough\"\ntitle = ", 1);
    let view = view.replace("coalesce(w.hours >= r.work_based_learning_hours, FALSE)", "w.student_key IS NOT NULL");
    place.file("ours/sql/jurisdiction/oregon/indicator/5S3.sql", &view);
}

#[test]
fn views_that_are_replaced_are_shown_with_reason_and_authority() {
    let place = Place::new();
    with_replaced_view(&place);
    let overlay = ["--overlay", "ours"];
    for command in [vec!["jurisdiction", "show", "oregon"], vec!["jurisdiction", "diff", "oregon", "federal", "--report-year", "2024"]] {
        let said = place.works(&[&command[..], &overlay].concat());
        for piece in ["ours/sql/jurisdiction/oregon/indicator/5S3.sql, in place of", "Any record is enough", "113(b)(2)(A)(iv)(I)(cc)"] {
            assert!(said.contains(piece), "{piece}: {said}");
        }
    }
    let said = place.works(&["jurisdiction", "show", "federal", "--overlay", "ours"]);
    assert!(!said.contains("Any record is enough"), "{said}");
}

/// Oregon 6/8, federal 5/8 (case.md): only Oregon counts G, in both; only federal H, in the denominator.
fn differs_as_derived(diff: &Value) {
    let state = diff["figures"]["state"].as_array().unwrap();
    let of = |indicator: &str| state.iter().find(|f| f["indicator"] == indicator).unwrap_or_else(|| panic!("{indicator}: {diff}"));
    let counts = |figure: &Value| (figure["numerator"].as_i64().unwrap(), figure["denominator"].as_i64().unwrap());
    let figure = of("5S3");
    assert_eq!((counts(&figure["a"]), counts(&figure["b"])), ((6, 8), (5, 8)), "{figure}");
    assert_eq!((counts(&figure["only_a"]), counts(&figure["only_b"])), ((1, 1), (0, 1)), "{figure}");
    // Only federal reports 5S1: of its graduates nobody has a credential.
    let figure = of("5S1");
    assert!(figure["a"].is_null(), "{figure}");
    assert_eq!((counts(&figure["b"]), counts(&figure["only_b"])), ((0, 8), (0, 8)), "{figure}");
    let rules = diff["rules_that_differ"].as_array().unwrap();
    let rule = rules.iter().find(|r| r["a"]["rule"] == "secondary_concentrator_credits").unwrap();
    assert_eq!((rule["a"]["value"].as_str(), rule["b"]["value"].as_str()), (Some("2.0"), Some("0")));
    assert!(rule["a"]["authority"].as_str().unwrap().contains("Oregon") && rule["b"]["authority"].as_str().unwrap().contains("Federal"));
    assert!(!rules.iter().any(|r| r["a"]["rule"] == "postsecondary_concentrator_credits"), "equal rules are left out");
}

#[test]
fn diff_over_a_raw_folder_keeps_nothing() {
    let place = Place::new();
    let given = given();
    let arguments = ["diff", "oregon", "federal", text(&given), "--report-year", "2024"];
    differs_as_derived(&json(&place, &arguments));
    assert!(!place.restricted().exists(), "student rows are left behind");
    let said = place.works(&[&["jurisdiction"], &arguments[..]].concat());
    let line = said.lines().find(|l| l.trim_start().starts_with("5S3")).unwrap_or_else(|| panic!("{said}"));
    for piece in ["6 / 8", "5 / 8", "1 / 1", "0 / 1"] {
        assert!(line.contains(piece), "{piece}: {line}");
    }
    place.file("raw/notes.txt", "");
    place.perkins(&["jurisdiction", "diff", "oregon", "federal", "raw"]).refuses(1, &["no collection"]);
    place.perkins(&["jurisdiction", "diff", "oregon", "atlantis", "nowhere"]).refuses(3, &["atlantis"]);
    assert!(!place.restricted().exists(), "a failure leaves something behind");
}

#[test]
fn diff_over_the_current_lake_commits_nothing() {
    let place = Place::new();
    place.perkins(&["jurisdiction", "diff", "oregon", "federal"]).refuses(10, &["perkins ingest", "RAW_DIR", "--report-year"]);
    let said = place.works(&["jurisdiction", "diff", "oregon", "federal", "--report-year", "2024"]);
    assert!(said.contains("Rules that differ") && said.contains("not compared"), "{said}");
    let target = said.lines().find(|l| l.trim_start().starts_with("target ")).unwrap_or_else(|| panic!("{said}"));
    assert!(target.contains("data/default/oregon/target.csv") && target.ends_with(" -"), "{target}");
    place.ingest(&given());
    let before = crate::support::files(&place.restricted());
    differs_as_derived(&json(&place, &["diff", "oregon", "federal", "--report-year", "2024"]));
    let same = json(&place, &["diff", "oregon", "oregon", "--report-year", "2024"]);
    assert!(same["rules_that_differ"].as_array().unwrap().is_empty(), "{same}");
    assert!(same["figures"]["levels"].as_array().unwrap().iter().all(|l| l["differ"] == 0 && l["figures"] != 0), "{same}");
    assert_eq!(crate::support::files(&place.restricted()), before, "a comparison changes nothing");
    place.perkins(&["jurisdiction", "diff", "oregon", "federal", "--report-year", "1995"]).refuses(3, &["1995"]);
}
