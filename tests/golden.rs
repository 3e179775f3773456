//! tests/golden: hand-derived cases for every indicator and topic. Their README says how a case is read; what fails here is never regenerated.

use crate::support::{Case, Place, Row, compare, entries, home, in_parallel, name, none_wrong, readings, same};
use std::collections::BTreeMap;

fn cases() -> Vec<Case> {
    let topics = entries(&home().join("tests/golden")).into_iter().filter(|p| p.is_dir());
    let folders = topics.flat_map(|topic| entries(&topic).into_iter().filter(|p| p.is_dir()).map(move |case| (topic.clone(), case)));
    folders.map(|(topic, case)| Case::new(format!("tests/golden/{}/{}", name(&topic), name(&case)), &case, "given", "expect-")).collect()
}

#[test]
fn every_case_gives_what_was_derived_by_hand() {
    let cases = cases();
    assert!(!cases.is_empty(), "tests/golden has no case");
    let problems = in_parallel(&cases, |case| case.check(looks_back(case)));
    none_wrong(&problems, cases.len());
}

/// Whether a case is also about years before the one that a run is asked for.
fn looks_back(case: &Case) -> bool {
    let expects = |table: &str| case.expected.iter().any(|(_, folder)| folder.join(table).is_file());
    let tables = ["gap", "improvement_plan", "car_check", "car_narrative", "car_improvement", "disproportionality"];
    case.name.contains("/several_years/") || tables.iter().any(|t| expects(&format!("{t}.csv")))
}

#[test]
fn every_case_is_whole() {
    for case in cases() {
        assert!(case.given.is_dir(), "{}: no given/", case.name);
        assert!(case.given.with_file_name("case.md").is_file(), "{}: no case.md", case.name);
        assert!(!case.expected.is_empty(), "{}: no expect-<jurisdiction>/", case.name);
        for (_, folder) in &case.expected {
            assert!(entries(folder).iter().any(|p| name(p).ends_with(".csv")), "{}: expects no table", folder.display());
            for path in entries(folder) {
                let table = name(&path).strip_suffix(".csv").unwrap_or_else(|| panic!("{} is no table", path.display()));
                assert!(readings().contains_key(table), "{}: tests/golden/README.md does not say how to read it", path.display());
            }
        }
    }
}

/// Oregon's reports have the columns of the guide in its order: the case that has them all says which.
#[test]
fn the_columns_of_the_oregon_reports_are_in_the_order_of_the_guide() {
    for (table, columns) in [("detail", 49), ("summary", 14)] {
        let case = home().join("tests/golden").join(table).join("every_column");
        let expected = std::fs::read_to_string(case.join("expect-oregon").join(format!("{table}.csv"))).unwrap();
        let expected: Vec<&str> = expected.lines().next().unwrap().split(',').collect();
        assert_eq!((expected[0], expected.len() - 1), ("report_year", columns), "{table}");
        let place = Place::new();
        place.ingest(&case.join("given"));
        place.run("oregon", [2024], &[&format!("--table={table}")]);
        let manifest = place.manifest("run");
        let written = manifest["tables"].as_array().unwrap().iter().find(|t| t["name"] == table).unwrap();
        let written: Vec<&str> = written["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert_eq!(written, expected, "{table}");
    }
}

fn row(columns: &[&str], values: &[&str]) -> Row {
    columns.iter().zip(values).map(|(c, v)| (c.to_string(), v.to_string())).collect()
}

fn kinds(columns: &[&str], numbers: &[&str], booleans: &[&str]) -> BTreeMap<String, String> {
    let kind = |c: &str| {
        if numbers.contains(&c) {
            "Int64"
        } else if booleans.contains(&c) {
            "Boolean"
        } else {
            "Utf8"
        }
    };
    columns.iter().map(|c| (c.to_string(), kind(c).to_string())).collect()
}

const FIGURE: [&str; 9] =
    ["report_year", "indicator", "level", "entity_id", "group_kind", "group_code", "numerator", "denominator", "status"];

/// The comparison itself must see every kind of difference.
#[test]
fn the_comparison_of_figures_notices_differences() {
    let types = kinds(&FIGURE, &["report_year", "numerator", "denominator"], &[]);
    let figure = |entity: &str, group: &str, n: &str, d: &str, status: &str| {
        row(&FIGURE, &["2024", "1S1", "program", entity, "gender", group, n, d, status])
    };
    let expected = [figure("007", "F", "1", "2", "met"), figure("007", "M", "0", "0", "")];
    let differences = |actual: &[Row]| compare("performance", &types, &expected, actual).len();
    assert_eq!(differences(&[figure("007", "F", "1.0", "2", "met")]), 0, "numbers compare as numbers");
    assert_eq!(differences(&[]), 1, "a missing row");
    assert_eq!(differences(&[figure("007", "F", "2", "2", "met")]), 1, "another number");
    assert_eq!(differences(&[figure("007", "F", "1", "2", "")]), 1, "null for a value");
    assert_eq!(differences(&[figure("7", "F", "1", "2", "met")]), 2, "an id is text: one is missing, one too many");
    assert_eq!(differences(&[expected[0].clone(), figure("007", "M", "0", "1", "")]), 1, "a row where there must be none");
    assert_eq!(differences(&[expected[0].clone(), figure("8", "F", "0", "1", "")]), 1, "a row too many within what is stated");
    assert_eq!(differences(&[expected[0].clone(), expected[0].clone()]), 1, "a row twice");
    let mut elsewhere = figure("8", "F", "0", "1", "");
    elsewhere.insert("group_kind".into(), "all".into());
    assert_eq!(differences(&[expected[0].clone(), elsewhere]), 0, "what is not stated is not compared");
    let mut unknown = expected[0].clone();
    unknown.insert("colour".into(), "red".into());
    assert_eq!(compare("performance", &types, &[unknown], &expected[..1]).len(), 1, "a column that is not there");
    assert_eq!(compare("colours", &types, &expected, &expected).len(), 1, "a table that is not there");
}

#[test]
fn the_comparison_of_memberships_notices_differences() {
    let columns = ["report_year", "indicator", "student_id", "program_id", "denominator", "numerator", "exclusion"];
    let types = kinds(&columns, &["report_year"], &["denominator", "numerator"]);
    let member = |student: &str, d: &str, n: &str, why: &str| row(&columns, &["2024", "1S1", student, "P", d, n, why]);
    let expected = [member("A", "true", "false", ""), member("B", "false", "false", "not_exited"), member("C", "false", "false", "")];
    let differences = |actual: &[Row]| compare("indicator_membership", &types, &expected, actual).len();
    assert_eq!(differences(&[member("A", "true", "false", "")]), 0, "rows out of the denominator may be left out");
    assert_eq!(differences(&[expected[0].clone(), expected[1].clone(), member("C", "false", "false", "any")]), 0);
    assert_eq!(differences(&[expected[0].clone(), member("C", "false", "false", "")]), 1, "no reason");
    assert_eq!(differences(&[expected[0].clone(), member("B", "false", "false", "other")]), 1, "another reason");
    assert_eq!(differences(&[expected[0].clone(), member("B", "true", "false", "")]), 3, "in the denominator, and no reason");
    assert_eq!(differences(&[expected[0].clone(), member("B", "false", "true", "not_exited")]), 1, "numerator alone");
    assert_eq!(differences(&[member("A", "true", "false", "not_exited")]), 1 + 1, "a reason within the denominator");
    assert_eq!(differences(&[expected[0].clone(), member("D", "true", "true", "")]), 1, "a member too many");
    assert_eq!(differences(&[expected[0].clone(), member("D", "false", "false", "x")]), 0, "one out of the denominator more");
}

#[test]
fn values_compare_by_type() {
    assert!(same("Float64", "66.6666666666667", "66.66666666666667") && !same("Float64", "66.6666", "66.6667"));
    assert!(same("Decimal128(5, 2)", "50", "50.00") && !same("Utf8", "50", "50.00") && !same("Int32", "", "0"));
    assert!(same("Boolean", "true", "TRUE") && !same("Boolean", "true", "false"));
}
