//! `perkins explain` says what the tables say, in plain words.

use crate::support::{Place, home, ran, small};
use std::collections::BTreeSet;
use std::path::Path;

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
