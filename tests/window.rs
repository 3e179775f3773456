//! Report years that are closed: their tables and public figures stay to the byte, until they are opened again for a reason.

use crate::diff::add_record;
use crate::support::{Place, entries, files, home, loaded, name, ran};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const RUN: [&str; 6] = ["run", "--jurisdiction", "oregon", "--report-year", "2024", "--no-publish"];
const CLOSE: [&str; 5] = ["close", "--jurisdiction", "oregon", "--report-year", "2024"];
const REOPEN: [&str; 7] =
    ["reopen", "--jurisdiction", "oregon", "--report-year", "2024", "--reason", "S1 sent its work-based learning late"];

fn numerator(place: &Place) -> String {
    let sql = "SELECT numerator FROM performance WHERE report_year = 2024 AND level = 'state' AND indicator = '5S3' AND group_kind = 'all'";
    place.query(sql)[0]["numerator"].clone()
}

#[test]
fn a_closed_year_keeps_its_tables_and_says_what_would_have_changed() {
    let place = ran();
    let (closed, run) = (place.results(), place.manifest("run")["run_id"].as_str().unwrap().to_string());
    assert!(place.works(&CLOSE).contains(&run));
    let commit = place.commit();
    assert!(place.works(&CLOSE).contains("closed already"));
    assert!(place.works(&RUN).contains("unchanged"));
    assert_eq!(place.commit(), commit, "nothing changed, so nothing is committed");
    add_record(&place);
    let said = place.works(&RUN);
    assert_eq!(place.results(), closed, "to the byte");
    // The golden case with one record more: 6 of 8 would be 7 of 8, in 5 entities × 4 groups; see tests/diff.rs.
    let has = |words: &[&str]| said.lines().any(|l| l.split_whitespace().eq(words.iter().copied()));
    assert!(has(&["performance", "0", "rows", "added,", "0", "removed,", "20", "changed"]), "{said}");
    assert!(said.contains("report year 2024 is closed") && said.contains("20 figures, such as"), "{said}");
    assert!(has(&["2024", "5S3", "state", "OR", "all", "all:", "6", "of", "8", "became", "7", "of", "8", "(12.5", "%)"]), "{said}");
    assert_eq!(numerator(&place), "6");
    place.works(&["verify", "--read-data"]);
    // The next night is unchanged, and says the same again; so does one that computes everything.
    let again = place.works(&RUN);
    assert!(again.contains("unchanged") && again.contains("20 figures, such as"), "{again}");
    place.run("oregon", [2024], &[]);
    assert_eq!(place.results(), closed);
    place.works(&["diff", "previous", "current"]);
    // A figure of a closed year does not move, so no change of it is too large.
    place.run("oregon", [2024], &["--max-change", "0"]);
}

#[test]
fn a_year_is_opened_again_for_a_reason_that_is_kept() {
    let place = ran();
    place.perkins(&REOPEN).refuses(3, &["2024", "not closed", "none is"]);
    place.works(&CLOSE);
    add_record(&place);
    place.works(&RUN);
    place.perkins(&REOPEN[..5]).refuses(3, &["--reason"]);
    place.perkins(&[&REOPEN[..6], &[" "]].concat()).refuses(3, &["--reason"]);
    place.perkins(&["reopen", "--jurisdiction", "oregon", "--report-year", "2023", "--reason", "x"]).refuses(3, &["closed: 2024"]);
    assert_eq!(numerator(&place), "6");
    place.works(&REOPEN);
    let status = place.works(&["status"]);
    assert!(status.contains("S1 sent its work-based learning late"), "{status}");
    // What was taken from the closed run is not taken over.
    assert!(!place.works(&RUN).contains("is closed"));
    assert_eq!(numerator(&place), "7");
    // The window stays in the history, and the year can be closed again as it is now.
    place.works(&CLOSE);
    let json: Value = serde_json::from_str(&place.works(&["status", "--format", "json"])).unwrap();
    let windows: Vec<bool> = json["windows"].as_array().unwrap().iter().map(|w| w["reopened"].is_null()).collect();
    assert_eq!(windows, [false, true], "{json}");
    place.run("oregon", [2024], &[]);
    assert_eq!(numerator(&place), "7");
}

#[test]
fn what_cannot_be_closed() {
    Place::new().perkins(&CLOSE).refuses(10, &["no run of oregon"]);
    loaded().perkins(&CLOSE).refuses(10, &["perkins run"]);
    let place = ran();
    place.perkins(&["close", "--jurisdiction", "oregon", "--report-year", "2023"]).refuses(3, &["[2024]", "2023"]);
    place.perkins(&["close", "--jurisdiction", "atlantis", "--report-year", "2024"]).refuses(3, &["atlantis"]);
    place.perkins(&["close", "--report-year", "2024"]).refuses(3, &["which jurisdiction?"]);
    place.perkins(&["close", "--jurisdiction", "federal", "--report-year", "2024"]).refuses(10, &["federal"]);
    // The years of one jurisdiction do not close those of another.
    place.works(&CLOSE);
    add_record(&place);
    assert!(!place.run("federal", [2024], &[]).contains("is closed"));
    place.perkins(&["close", "--jurisdiction", "oregon"]).refuses(3, &["--report-year"]);
}

/// One table has the same columns in all years, so a closed year cannot stand beside others with more.
#[test]
fn a_table_with_other_columns_than_a_closed_year_has_is_refused() {
    let place = ran();
    place.works(&CLOSE);
    let sql = std::fs::read_to_string(home().join("sql/output/performance.sql")).unwrap();
    let sql = sql.replacen("/*\n", "/*\nreason = \"a test\"\n", 1).replacen("[columns]\n", "[columns]\nfurther = \"a test\"\n", 1);
    place.file("ours/sql/output/performance.sql", &sql.replace("f.status, f.place", "f.status, 1 AS further, f.place"));
    let before = place.commit();
    let ours = [&RUN[..], &["--overlay", "ours"]].concat();
    place.perkins(&ours).refuses(3, &["performance", "closed report year 2024", "perkins reopen --report-year 2024"]);
    assert_eq!(place.commit(), before);
    let status = place.works(&["status"]);
    assert!(status.contains(" failed ") && !status.contains("unfinished"), "{status}");
    place.works(&REOPEN);
    place.works(&[&ours[..], &["--again"]].concat());
    assert_eq!(place.query("SELECT DISTINCT further FROM performance")[0]["further"], "1");
}

/// The public files of a report year, with their names below the release.
fn public(place: &Place, year: i32) -> BTreeMap<PathBuf, Vec<u8>> {
    let public = place.path().join("public");
    let commits = files(&public.join("_commits"));
    let commit: Value = serde_json::from_slice(commits.values().next_back().expect("no commit")).unwrap();
    let folder = public.join(Path::new(commit["runs"]["oregon"]["manifest"].as_str().unwrap()).parent().unwrap());
    let of_year = |path: &PathBuf| path.components().any(|c| c.as_os_str().to_string_lossy() == format!("report_year={year}"));
    files(&folder).into_iter().filter(|(path, _)| of_year(path)).collect()
}

#[test]
fn public_figures_of_a_closed_year_stay_to_the_byte() {
    let place = Place::new();
    place.works(&["synth", "--students", "500", "--years", "2019..2024", "--seed", "5", "--jurisdiction", "oregon", "--out", "raw"]);
    let all = ["all", "raw", "--jurisdiction", "oregon", "--report-years", "2023..2024", "--no-report"];
    place.works(&all);
    let before = [2023, 2024].map(|y| public(&place, y));
    assert!(before.iter().all(|files| files.len() > 3), "{before:?}");
    let said = place.works(&["close", "--jurisdiction", "oregon", "--report-year", "2023"]);
    assert!(!said.contains("warning"), "{said}");
    // Every other exit of 2023 and 2024 is lost: figures of both years change.
    for path in files(&place.raw()).into_keys().filter(|p| p.starts_with("exit")) {
        let content = std::fs::read_to_string(place.raw().join(&path)).unwrap();
        let recent = |l: &str| l.starts_with("2023") || l.starts_with("2024");
        let kept = content.lines().enumerate().filter(|(i, l)| *i == 0 || !recent(l) || i % 2 == 0).map(|(_, l)| format!("{l}\n"));
        std::fs::write(place.raw().join(&path), kept.collect::<String>()).unwrap();
    }
    let said = place.works(&all);
    assert!(said.contains("report year 2023 is closed") && !said.contains("report year 2024 is closed"), "{said}");
    assert_eq!(public(&place, 2023), before[0], "to the byte");
    assert_ne!(public(&place, 2024), before[1]);
    place.works(&["audit"]);
    place.works(&["verify", "--read-data"]);
    // Old runs can go; what the closed year keeps stays, also the evidence that it was found safe.
    let releases = || entries(&place.path().join("public/runs")).into_iter().map(|p| name(&p).to_string()).collect::<Vec<_>>();
    let first_two = releases();
    place.works(&["gc", "--keep", "1", "--grace", "0"]);
    place.works(&["verify", "--read-data"]);
    assert_eq!(releases(), first_two);
    let second = public(&place, 2024);
    place.works(&[&all[..], &["--again"]].concat());
    assert_eq!(public(&place, 2023), before[0]);
    assert_eq!(public(&place, 2024), second);
    place.works(&["reopen", "--jurisdiction", "oregon", "--report-year", "2023", "--reason", "exits were wrong"]);
    place.works(&all);
    assert_ne!(public(&place, 2023), before[0]);
    // Now no year needs the first run. Its release showed figures of 2024 that no other shows, and later ones are protected against who
    // remembers them, so it stays; the second is the same as the third.
    let said = place.works(&["gc", "--keep", "1", "--grace", "0"]);
    assert!(said.contains("former releases stay"), "{said}");
    assert!(!place.restricted().join("runs").join(&first_two[0]).exists());
    assert!(releases().contains(&first_two[0]) && !releases().contains(&first_two[1]), "{first_two:?} {:?}", releases());
    place.works(&["verify", "--read-data"]);
    place.works(&["audit"]);
    // What is public is not of the last run.
    place.works(&["run", "--jurisdiction", "oregon", "--report-years", "2023..2024", "--again", "--no-publish"]);
    let said = place.works(&["close", "--jurisdiction", "oregon", "--report-year", "2024"]);
    assert!(said.contains("warning: what is public of it is of run"), "{said}");
}

/// A closed year is part of every run, asked for or not, so it stays current and public.
#[test]
fn a_run_of_other_years_keeps_the_closed_ones() {
    let place = Place::new();
    place.works(&["synth", "--students", "300", "--years", "2019..2024", "--seed", "6", "--jurisdiction", "oregon", "--out", "raw"]);
    place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2023", "--no-report"]);
    let before = public(&place, 2023);
    place.works(&["close", "--jurisdiction", "oregon", "--report-year", "2023"]);
    let years = || place.manifest("run")["report_years"].clone();
    let said = place.works(&["run", "--jurisdiction", "oregon", "--report-year", "2024"]);
    assert!(said.contains("report year 2023 is closed"), "{said}");
    assert_eq!(years(), serde_json::json!([2023, 2024]));
    assert_eq!(public(&place, 2023), before);
    assert!(!public(&place, 2024).is_empty());
    // Also where none is asked for, and where years are filled in one by one.
    assert!(place.works(&["run", "--jurisdiction", "oregon"]).contains("unchanged"));
    place.works(&["backfill", "--jurisdiction", "oregon", "--report-years", "2022..2022"]);
    assert_eq!(years(), serde_json::json!([2022, 2023]));
    assert_eq!(public(&place, 2023), before);
    assert!(public(&place, 2024).is_empty(), "it was open, and was not asked for");
    place.works(&["verify", "--read-data"]);
}
