//! What was not handed over, or is not known by its name, is said; it does not pass for nobody.

use crate::support::{Place, Row, copy, home};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The sample without some of its collections.
fn sample_without(collections: &[&str]) -> Place {
    let place = Place::new();
    copy(&home().join("data/sample"), &place.raw());
    for collection in collections {
        let path = place.raw().join(collection);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path.with_extension("csv")).unwrap() }
    }
    place
}

#[test]
fn indicators_that_lack_a_collection_are_named() {
    let told = |place: &Place| -> Vec<String> {
        let said = place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024", "--no-publish", "--no-report"]);
        said.lines().filter(|l| l.starts_with("not handed over")).map(str::to_string).collect()
    };
    // What ships with the program stands in for a crosswalk and targets.
    assert_eq!(told(&sample_without(&[])), Vec::<String>::new());
    let lacking = told(&sample_without(&["placement", "institution"]));
    assert_eq!(lacking.len(), 2, "{lacking:?}");
    assert!(lacking[0].contains("institution (every indicator reads it"), "{lacking:?}");
    assert!(lacking[1].contains("placement (1P1, 3S1 read it"), "{lacking:?}");
}

/// The cells of a form's first line, by cluster.
fn clusters(place: &Place, form: &str) -> BTreeMap<String, String> {
    let sql = format!("SELECT \"column\", value FROM car_form WHERE form = '{form}' AND line = '1'");
    let cell = |mut row: Row| (row.remove("column").unwrap(), row.remove("value").unwrap());
    place.query(&sql).into_iter().map(cell).collect()
}

/// Report year 2027 has the framework of 14 clusters, of which the crosswalk that ships (of the 16) names none: no cluster can be told to
/// be offered or not. P1, P2 and P3 are in Other; A, C and D are enrolled. By the crosswalk of the case, clusters without a program are not
/// offered: 14 less Agriculture, Advanced Manufacturing, Construction and Digital Technology.
#[test]
fn a_cluster_is_not_offered_only_where_that_can_be_told() {
    let run = |place: &Place| place.run("massachusetts", [2027], &["--table", "car_form"]);
    let place = Place::new();
    copy(&home().join("tests/golden/car_form/framework/given"), &place.raw());
    place.ingest(&place.raw());
    run(&place);
    let by_crosswalk = clusters(&place, "1b");
    assert_eq!(by_crosswalk.values().filter(|v| *v == "-9").count(), 10, "{by_crosswalk:?}");
    assert_eq!(by_crosswalk.values().filter(|v| *v == "-1").count(), 0, "{by_crosswalk:?}");
    let place = Place::new();
    copy(&home().join("tests/golden/car_form/framework/given"), &place.raw());
    fs::remove_file(place.raw().join("crosswalk.csv")).unwrap();
    place.ingest(&place.raw());
    run(&place);
    let untold = clusters(&place, "1b");
    assert_eq!(untold.values().filter(|v| *v == "-1").count(), 14, "{untold:?}");
    assert_eq!(untold["Other"], "3");
}

#[test]
fn names_of_clusters_that_no_framework_has_are_warned_about() {
    let place = Place::new();
    copy(&home().join("tests/golden/car_form/framework/given"), &place.raw());
    place.file(
        "raw/program.csv",
        "school_year,program_id,institution_id,program_name,cip_code,approval,career_cluster\n\
         2020,P1,S1,Program P1,01.0000,approved,Busness\n2020,P2,S1,Program P2,48.0508,approved,Manufacturing; other\n\
         2020,P3,S1,Program P3,52.1401,approved,\n2020,PC,C1,Program PC,11.0201,approved,\n",
    );
    place.file("raw/crosswalk.csv", "cip_code,career_cluster\n01.0000,Helth Science\n11,information_technology\n52.14,marketing\n");
    let said = place.ingest(&place.raw());
    let warnings: BTreeSet<&str> = said.lines().filter(|l| l.starts_with("warning") && l.contains("cluster")).collect();
    let expected = [
        "warning: crosswalk, unknown_crosswalk_cluster: 1 (such as Helth Science)",
        "warning: program, unknown_career_cluster: 1 (such as Busness)",
    ];
    assert_eq!(warnings, BTreeSet::from(expected), "{said}");
}
