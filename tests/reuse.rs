//! What need not be computed again: by several jurisdictions of one run, and by a run after a run.

use crate::support::{Place, loaded, ran, text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The result files of a jurisdiction's current run.
fn results(place: &Place, jurisdiction: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let commit = place.commit();
    let manifest = place.restricted().join(commit["runs"][jurisdiction]["manifest"].as_str().unwrap());
    let folder = manifest.parent().unwrap();
    let all = crate::support::files(folder).into_iter();
    all.filter(|(path, _)| path.extension().is_some_and(|e| e == "parquet"))
        .map(|(path, bytes)| (path.strip_prefix(folder).map(PathBuf::from).unwrap_or(path), bytes))
        .collect()
}

/// What `--explain-plan` says of each view: run, share or reuse, and why.
fn plan(place: &Place, arguments: &[&str]) -> BTreeMap<String, (String, String)> {
    let said = place.works(&[&["run", "--explain-plan", "--report-year", "2024"], arguments].concat());
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (what, view) = (words.next()?.to_string(), words.next()?.to_string());
        Some((view, (what, words.collect::<Vec<_>>().join(" "))))
    };
    said.lines().filter(|l| l.starts_with("  ")).filter_map(line).collect()
}

fn of<'a>(plan: &'a BTreeMap<String, (String, String)>, what: &str) -> BTreeSet<&'a str> {
    plan.iter().filter(|(_, (w, _))| w == what).map(|(view, _)| view.as_str()).collect()
}

#[test]
fn jurisdictions_of_one_run_share_views_and_give_the_same_bytes_as_alone() {
    let together = loaded();
    let planned = together.works(&["run", "--explain-plan", "--report-year", "2024", "--jurisdiction", "federal,oregon"]);
    let (federal, oregon) = planned.split_once("\noregon\n").expect("oregon comes second");
    assert!(!federal.contains("share"), "{federal}");
    // Which row of a student holds as of a year, no rule of a state decides; who is a concentrator, each decides for itself.
    assert!(oregon.contains("share  student_as_of"), "{oregon}");
    assert!(oregon.lines().any(|l| l.starts_with("  run ") && l.contains(" student_program_status ")), "{oregon}");
    let said = together.works(&["run", "--report-year", "2024", "--jurisdiction", "federal,oregon"]);
    assert!(said.contains("United States") && said.contains("Oregon"), "{said}");
    for jurisdiction in ["federal", "oregon"] {
        let alone = loaded();
        alone.run(jurisdiction, [2024], &[]);
        assert_eq!(results(&together, jurisdiction), results(&alone, jurisdiction), "{jurisdiction}");
        assert!(!results(&alone, jurisdiction).is_empty());
        // Each is asked by name; without a name, the first.
        let sql = ["query", "SELECT DISTINCT entity_id FROM performance WHERE level = 'state'", "--format", "csv"];
        let named = together.works(&[&sql[..], &["--jurisdiction", jurisdiction]].concat());
        assert!(named.contains(if jurisdiction == "federal" { "US" } else { "OR" }), "{named}");
    }
    let first = together.works(&["query", "SELECT DISTINCT entity_id FROM performance WHERE level = 'state'", "--format", "csv"]);
    assert!(first.contains("US"), "{first}");
    together.works(&["verify", "--read-data"]);
    together.perkins(&["query", "SELECT 1", "--jurisdiction", "massachusetts"]).refuses(10, &["massachusetts", "federal, oregon"]);
}

#[test]
fn a_second_run_over_the_same_changes_nothing() {
    let place = ran();
    let before = place.commit();
    let said = place.works(&["run", "--jurisdiction", "oregon", "--report-year", "2024"]);
    assert!(said.contains("unchanged"), "{said}");
    assert_eq!(place.commit(), before);
    let plan = plan(&place, &["--jurisdiction", "oregon"]);
    assert!(plan["performance"].0 == "reuse" && of(&plan, "run").is_empty(), "{plan:?}");
    assert_eq!(place.commit(), before, "explaining a plan commits nothing");
}

#[test]
fn only_what_depends_on_a_changed_collection_runs_again() {
    let place = ran();
    // A record of work-based learning more: 5S3 moves, and what rests on figures; who is in which program does not.
    let path = place.raw().join("work_based_learning.csv");
    let raw = std::fs::read_to_string(&path).unwrap();
    assert!(raw.ends_with("\n") && !raw.contains("2024,F,"), "{raw}");
    std::fs::write(&path, format!("{raw}2024,F,P1,internship,50\n")).unwrap();
    place.works(&["ingest", "raw"]);
    let plan = plan(&place, &["--jurisdiction", "oregon"]);
    let (run, reuse) = (of(&plan, "run"), of(&plan, "reuse"));
    assert!(reuse.contains("student_program") && reuse.contains("enrollment_count"), "{plan:?}");
    assert!(run.contains("performance") && run.contains("indicator_membership"), "{plan:?}");
    assert!(plan["indicator_membership"].1.contains("changed"), "{plan:?}");
    let kept = results(&place, "oregon");
    let said = place.works(&["run", "--jurisdiction", "oregon", "--report-year", "2024"]);
    assert!(said.contains("tables reused"), "{said}");
    let fresh = Place::new();
    fresh.ingest(&place.raw());
    fresh.run("oregon", [2024], &[]);
    assert_eq!(results(&place, "oregon"), results(&fresh, "oregon"), "as if everything had been computed");
    assert_ne!(results(&place, "oregon"), kept);
    place.works(&["verify", "--read-data"]);
}

#[test]
fn a_changed_rule_or_a_lost_file_is_noticed() {
    let place = ran();
    let rule = "code = \"OR\"\nname = \"Oregon\"\n[[rule]]\nid = \"work_based_learning_hours\"\nfirst_report_year = 2024\nvalue = \"39\"\nauthority = \"a test\"\n";
    place.file("ours/data/rule/oregon.toml", rule);
    let ours = place.path().join("ours");
    let changed = plan(&place, &["--jurisdiction", "oregon", "--overlay", text(&ours)]);
    assert!(changed["student_program"].0 == "reuse" && changed["performance"].0 == "run", "{changed:?}");
    let told = changed.values().any(|(what, why)| what == "run" && why.contains("rule.work_based_learning_hours"));
    assert!(told, "{changed:?}");
    // Another year is another table.
    let other = place.works(&["run", "--explain-plan", "--report-year", "2023", "--jurisdiction", "oregon"]);
    assert!(!other.contains("reuse"), "{other}");
    let lost = results(&place, "oregon").into_keys().find(|p| p.starts_with("summary")).unwrap();
    let run = place.manifest("run")["run_id"].as_str().unwrap().to_string();
    std::fs::remove_file(place.restricted().join("runs").join(run).join(&lost)).unwrap();
    let mended = plan(&place, &["--jurisdiction", "oregon"]);
    assert!(mended["summary"].0 == "run" && mended["summary"].1.contains("not whole"), "{mended:?}");
    place.works(&["run", "--jurisdiction", "oregon", "--report-year", "2024"]);
    place.works(&["verify", "--read-data"]);
}
