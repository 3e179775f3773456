//! Runs that failed or were killed, years one by one, and what goes when it is old.

use crate::diff::add_record;
use crate::support::{Place, entries, files, home, loaded, name, ran, text};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const RUN: [&str; 6] = ["run", "--jurisdiction", "oregon", "--report-year", "2024", "--no-publish"];

/// An overlay whose view of that name fails when it runs: a number is divided by 0.
fn broken(place: &Place, table: &str) -> PathBuf {
    let sql = std::fs::read_to_string(home().join(format!("sql/output/{table}.sql"))).unwrap();
    let sql = sql.replacen("/*\n", "/*\nreason = \"a test\"\n", 1);
    assert!(!sql.contains("WHERE"), "{sql}");
    place.file(&format!("broken/sql/output/{table}.sql"), &format!("{}\nWHERE 1 / (f.denominator - f.denominator) >= 0\n", sql.trim_end()));
    place.path().join("broken")
}

fn status(place: &Place) -> Value {
    serde_json::from_str(&place.works(&["status", "--format", "json"])).unwrap()
}

fn outcomes(place: &Place) -> Vec<String> {
    status(place)["runs"].as_array().unwrap().iter().map(|r| r["outcome"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_retry_has_only_to_do_what_failed() {
    let place = loaded();
    let overlay = broken(&place, "performance");
    let before = place.commit();
    place.perkins(&[&RUN[..], &["--overlay", text(&overlay)]].concat()).refuses(2, &[]);
    assert_eq!(place.commit(), before);
    let failed = &status(&place)["runs"][0];
    assert_eq!((&failed["outcome"], &failed["failed_node"]), (&"failed".into(), &"performance".into()), "{failed}");
    assert_eq!(failed["report_years"], serde_json::json!([2024]));
    let said = place.works(&["status"]);
    assert!(said.contains("failed in performance") && said.contains("perkins retry"), "{said}");
    place.works(&["verify"]);
    place.perkins(&["diff", failed["run_id"].as_str().unwrap(), "current"]).refuses(3, &["there is no current run"]);
    // Every table but the one that failed was finished, and is taken over.
    let said = place.works(&["retry", "--metrics", "retried.prom"]);
    assert!(said.lines().last().unwrap().starts_with("perkins retry oregon 2024: done"), "{said}");
    assert!(std::fs::read_to_string(place.path().join("retried.prom")).unwrap().contains("retry"));
    let tables = place.manifest("run")["tables"].as_array().unwrap().len();
    assert_eq!(failed["tables"], tables - 1);
    assert!(said.contains(&format!("{} of {tables} tables reused", tables - 1)), "{said}");
    let fresh = loaded();
    fresh.works(&RUN);
    assert_eq!(place.results(), fresh.results());
    assert_eq!(outcomes(&place), ["current", "failed"]);
    place.works(&["verify", "--read-data"]);
    assert!(place.works(&["retry"]).contains("nothing to retry"));
    place.perkins(&["retry", "nothing"]).refuses(3, &["perkins status"]);
}

/// A view that cannot be planned fails before the run has a folder: that night has its record too.
#[test]
fn a_run_that_never_began_is_in_the_history() {
    let place = loaded();
    place.perkins(&[&RUN[..], &["--jurisdiction", "atlantis"]].concat()).refuses(3, &["atlantis"]);
    assert!(outcomes(&place).is_empty(), "a name that is none is no night");
    let sql = std::fs::read_to_string(home().join("sql/output/performance.sql")).unwrap();
    place
        .file("broken/sql/output/performance.sql", &sql.replacen("/*\n", "/*\nreason = \"a test\"\n", 1).replacen("SELECT", "SELECTED", 1));
    place.perkins(&[&RUN[..], &["--overlay", "broken"]].concat()).refuses(3, &["performance.sql"]);
    assert_eq!(outcomes(&place), ["failed"]);
    place.works(&["retry"]);
    assert_eq!(outcomes(&place), ["current", "failed"]);
    place.works(&["verify"]);
}

/// Nothing was ever committed, and yet there is something to remove.
#[test]
fn what_a_first_load_left_that_failed_goes() {
    let place = Place::new();
    place.file("restricted/lake/exit/exit-1.parquet", "a disk that was full");
    place.file("restricted/scratch/7-7/lake/exit/exit-1.parquet", "a check that was killed");
    place.perkins(&["status"]).refuses(10, &["perkins ingest"]);
    place.works(&["gc", "--keep", "1", "--grace", "0"]);
    let left: Vec<PathBuf> = files(&place.restricted()).into_keys().collect();
    assert!(left.iter().all(|p| p.starts_with("_lock")), "{left:?}");
}

/// The engine names the value that it could not convert, which may be a student.
#[test]
fn an_error_in_the_data_tells_no_value() {
    let place = loaded();
    place.perkins(&["retry"]).refuses(10, &["perkins run"]);
    place.perkins(&["diff", "previous", "current"]).refuses(10, &["perkins run"]);
    place.perkins(&["gc", "--keep", "1", "--restricted", "typo"]).refuses(10, &["typo", "--restricted"]);
    assert!(!place.path().join("typo").exists());
    place.works(&RUN);
    let id = place.query("SELECT min(student_id) AS id FROM student_program")[0]["id"].clone();
    let said = place.perkins(&["query", "SELECT CAST(student_id || 'x' AS INT) FROM student_program"]);
    said.refuses(3, &["Cast error", "values are not shown"]);
    assert!(!id.is_empty() && !said.err.contains(&format!("{id}x")), "{}", said.err);
    // Nor do students lie below the public root.
    place.perkins(&["--restricted", "public/restricted", "--public", "public", "status"]).refuses(3, &["lies in the public one"]);
}

#[test]
fn a_killed_run_leaves_the_former_one_and_a_retry_goes_on() {
    let place = Place::new();
    place.works(&["synth", "--students", "3000", "--years", "2019..2024", "--seed", "7", "--jurisdiction", "oregon", "--out", "raw"]);
    place.works(&["ingest", "raw"]);
    place.works(&["run", "--jurisdiction", "oregon", "--report-year", "2023", "--no-publish"]);
    let (before, results) = (place.commit(), place.results());
    let mut child = place.command().args(RUN).stdout(std::process::Stdio::null()).spawn().unwrap();
    // It is killed as soon as it says that a table is finished.
    let finished = || {
        let journals = entries(&place.restricted().join("runs")).into_iter().map(|run| run.join("journal.ndjson"));
        journals.filter_map(|j| std::fs::read_to_string(j).ok()).any(|text| text.contains("\"finished\""))
    };
    let start = Instant::now();
    while !finished() {
        assert!(start.elapsed() < Duration::from_secs(120), "no table was ever finished");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((place.commit(), place.results()), (before, results));
    assert_eq!(outcomes(&place), ["unfinished", "current"]);
    place.works(&["verify", "--read-data"]);
    let said = place.works(&["retry"]);
    assert!(said.contains("tables reused"), "{said}");
    place.works(&["verify", "--read-data"]);
    let fresh = Place::new();
    fresh.works(&["ingest", text(&place.raw())]);
    fresh.works(&RUN);
    assert_eq!(place.results(), fresh.results());
}

#[test]
fn old_runs_go_and_what_is_current_closed_or_young_stays() {
    let place = ran();
    place.works(&["close", "--jurisdiction", "oregon", "--report-year", "2024"]);
    let closed = place.manifest("run")["run_id"].as_str().unwrap().to_string();
    let overlay = broken(&place, "performance");
    place.perkins(&[&RUN[..], &["--overlay", text(&overlay)]].concat()).refuses(2, &[]);
    place.run("oregon", [2023], &[]);
    let middle = place.manifest("run")["run_id"].as_str().unwrap().to_string();
    add_record(&place);
    place.run("oregon", [2023], &[]);
    place.file("restricted/lake/exit/.draft-1-1", "half a file");
    let all = files(&place.restricted());
    let results = place.results();
    place.perkins(&["gc"]).refuses(3, &["--keep"]);
    place.perkins(&["gc", "--keep", "0"]).refuses(3, &["--keep"]);
    // Everything is young.
    let said = place.works(&["gc", "--keep", "1"]);
    assert!(said.starts_with("removed 0 bytes"), "{said}");
    let said = place.works(&["gc", "--keep", "1", "--grace", "0", "--dry-run"]);
    assert!(said.contains(&middle) && !said.contains(&closed), "{said}");
    assert_eq!(files(&place.restricted()).keys().collect::<Vec<_>>(), all.keys().collect::<Vec<_>>());
    let freed = said.lines().last().unwrap().replace("would remove", "removed");
    let said = place.works(&["gc", "--keep", "1", "--grace", "0"]);
    assert!(said.ends_with(&format!("{freed}\n")) && !freed.starts_with("removed 0 bytes"), "{said}");
    let left: Vec<String> = entries(&place.restricted().join("runs")).iter().map(|p| name(p).to_string()).collect();
    let current = place.manifest("run")["run_id"].as_str().unwrap().to_string();
    assert_eq!(left, [closed, current], "the failed run and the one between went too");
    assert_eq!(place.results(), results);
    assert!(!place.restricted().join("lake/exit/.draft-1-1").exists());
    let bytes = |files: std::collections::BTreeMap<PathBuf, Vec<u8>>| files.values().map(Vec::len).sum::<usize>();
    assert!(bytes(files(&place.restricted())) < bytes(all));
    place.works(&["verify", "--read-data"]);
    place.works(&["query", "SELECT count(*) FROM lake.exit"]);
    assert!(place.works(&["gc", "--keep", "1", "--grace", "0"]).starts_with("removed 0 bytes"));
    // A commit that is not whole may name anything.
    let commit = entries(&place.restricted().join("_commits")).pop().unwrap();
    std::fs::write(&commit, "{").unwrap();
    place.perkins(&["gc", "--keep", "1", "--grace", "0"]).refuses(1, &["_commits", "nothing was removed", "perkins verify"]);
}

#[test]
fn years_one_by_one_are_one_run_and_one_that_fails_does_not_lose_the_others() {
    let place = loaded();
    let backfill = ["backfill", "--jurisdiction", "oregon", "--no-publish", "--report-years"];
    // The lake ends with 2025, and two years more may be asked for.
    let said = place.perkins(&[&backfill[..], &["2024..2028"]].concat());
    said.refuses(3, &["2028", "no data"]);
    let outcome = |said: &str| -> Vec<(String, String)> {
        let words = |l: &str| l.split_whitespace().map(str::to_string).collect::<Vec<_>>();
        let years = said.lines().map(words).filter(|w| w.len() > 2 && w[0].parse::<i32>().is_ok());
        years.map(|w| (w[0].clone(), w[1].clone())).filter(|(_, w)| w == "done" || w == "failed").collect()
    };
    let told = |last: &str| -> Vec<(String, String)> {
        let years = [("2024", "done"), ("2025", "done"), ("2026", "done"), ("2027", "done"), ("2028", last)];
        years.iter().map(|(y, o)| (y.to_string(), o.to_string())).collect()
    };
    assert_eq!(outcome(&said.out), told("failed"), "{}", said.out);
    assert_eq!(place.manifest("run")["report_years"], serde_json::json!([2024, 2025, 2026, 2027]));
    let together = loaded();
    together.run("oregon", 2024..=2027, &[]);
    assert_eq!(place.results(), together.results(), "as if all years had been run at once");
    assert_eq!(place.manifest("run")["tables"], together.manifest("run")["tables"]);
    place.works(&["verify", "--read-data"]);
    // What is there is not computed again, and nothing new is committed.
    let before = place.commit();
    let again = place.works(&[&backfill[..], &["2024..2027"]].concat());
    assert!(again.contains("unchanged"), "{again}");
    assert_eq!(place.commit(), before);
    let runs: Vec<&str> = again.lines().filter(|l| l.contains(" done ")).filter_map(|l| l.split_whitespace().last()).collect();
    assert_eq!(runs.len(), 4, "{again}");
    for run in runs {
        let manifest = std::fs::read(place.restricted().join("runs").join(run).join("manifest.json")).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&manifest).unwrap()["timings"], serde_json::json!({}), "{run} ran no view");
    }
    place.perkins(&backfill[..4]).refuses(3, &["--report-years"]);
    place.perkins(&[&backfill[..], &["1995..1996"]].concat()).refuses(3, &["1995", "no data"]);
    assert_eq!(place.commit(), before);
}
