//! A release of wrong data is taken back: what was public before is so again, and the right data can be published.

use crate::support::{Answer, Place, files};
use serde_json::Value;

const ALL: [&str; 6] = ["all", "raw", "--jurisdiction", "oregon", "--report-years", "2023..2024"];
const WITHDRAW: [&str; 4] = ["withdraw", "--jurisdiction", "oregon", "--reason"];

/// The ids that the public commits name, the newest first.
fn releases(place: &Place) -> Vec<String> {
    let commits = files(&place.path().join("public/_commits"));
    let commits = commits.values().rev().filter_map(|c| serde_json::from_slice::<Value>(c).ok());
    commits.map(|c| c["runs"]["oregon"]["id"].as_str().unwrap_or_default().to_string()).collect()
}

fn figures(place: &Place) -> Vec<Vec<u8>> {
    let folder = place.path().join("public/runs").join(&releases(place)[0]);
    files(&folder).into_iter().filter(|(p, _)| p.extension().is_some_and(|e| e == "parquet")).map(|(_, bytes)| bytes).collect()
}

#[test]
fn a_release_of_wrong_data_is_withdrawn_and_the_right_data_published() {
    let place = Place::new();
    place.perkins(&[&WITHDRAW[..], &["x"]].concat()).refuses(10, &["nothing is public", "--public"]);
    place.works(&["synth", "--students", "500", "--years", "2019..2024", "--seed", "5", "--jurisdiction", "oregon", "--out", "raw"]);
    let all = || place.perkins(&[&ALL[..], &["--no-report"]].concat());
    assert_eq!(all().code, 0);
    let right = figures(&place);
    // Every other placement is lost.
    let placements: Vec<_> = files(&place.raw()).into_iter().filter(|(path, _)| path.starts_with("placement")).collect();
    for (path, content) in &placements {
        let content = String::from_utf8(content.clone()).unwrap();
        let kept = content.lines().enumerate().filter(|(i, _)| *i == 0 || i % 2 == 1).map(|(_, l)| format!("{l}\n"));
        std::fs::write(place.raw().join(path), kept.collect::<String>()).unwrap();
    }
    assert_eq!(all().code, 0);
    assert_ne!(figures(&place), right);
    // What both releases showed would tell what a third hides.
    placements.iter().for_each(|(path, content)| std::fs::write(place.raw().join(path), content).unwrap());
    all().refuses(1, &["nothing was published", "perkins withdraw RELEASE --reason"]);
    let status = place.works(&["status"]);
    assert!(status.contains("not of the current run: `perkins run` publishes that, or says why not"), "{status}");
    let [wrong, first] = [&releases(&place)[0], &releases(&place)[1]].map(String::clone);
    place.perkins(&[&WITHDRAW[..], &[" "]].concat()).refuses(3, &["--reason"]);
    place.perkins(&[&WITHDRAW[..], &["x", "none-such"]].concat()).refuses(3, &["none-such", &wrong, &first]);
    let said = place.works(&[&WITHDRAW[..], &["half of the placements were missing"]].concat());
    assert!(said.contains(&format!("release {wrong} of oregon: withdrawn; release {first} is current")), "{said}");
    assert_eq!(figures(&place), right);
    place.perkins(&[&WITHDRAW[..], &["again", &wrong]].concat()).refuses(3, &["withdrawn already"]);
    place.works(&["verify", "--read-data"]);
    place.works(&["audit"]);
    let Answer { code, out, err } = all();
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("load") && out.contains("unchanged"), "{out}");
    assert_eq!(figures(&place), right);
    let status = place.works(&["status"]);
    assert!(status.contains("of the current run\n") && status.contains("half of the placements were missing"), "{status}");
    // Nothing of it stays.
    place.works(&["gc", "--keep", "1", "--grace", "0"]);
    assert!(!place.path().join("public/runs").join(&wrong).exists());
    place.works(&["verify", "--read-data"]);
}

#[test]
fn a_closed_year_keeps_its_release() {
    let place = crate::support::place();
    place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024", "--no-report"]);
    place.works(&["close", "--jurisdiction", "oregon", "--report-year", "2024"]);
    place.perkins(&[&WITHDRAW[..], &["x"]].concat()).refuses(3, &["report year 2024", "closed", "perkins reopen"]);
    place.works(&["reopen", "--jurisdiction", "oregon", "--report-year", "2024", "--reason", "x"]);
    place.works(&[&WITHDRAW[..], &["x"]].concat());
}

#[test]
fn the_only_release_can_be_withdrawn_and_its_run_is_not_published_again() {
    let place = crate::support::place();
    let all = ["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024", "--no-report"];
    place.works(&all);
    let said = place.works(&[&WITHDRAW[..], &["not checked yet"]].concat());
    assert!(said.contains("nothing is public now"), "{said}");
    assert!(place.works(&["status"]).contains("nothing is public\n"));
    let said = place.works(&all);
    assert!(said.contains("not published: this release was withdrawn") && said.contains("not checked yet"), "{said}");
    assert_eq!(releases(&place)[0], "");
    place.works(&["verify", "--read-data"]);
    place.works(&[&all[..], &["--again"]].concat());
    assert_ne!(releases(&place)[0], "");
}
