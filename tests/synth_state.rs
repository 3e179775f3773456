//! `perkins synth`, the collections of one state and of the grant: they agree with the student rows, have a state's proportions, meet every
//! boundary of their rules at small sizes, and fill every table of a run.

use crate::support::Place;
use crate::synth::{Row, collections, contract, data, files, findings, make, read};
use perkins::synth::Options;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn options(out: &Path, students: u64) -> Options {
    Options { students, jurisdiction: "massachusetts".into(), out: out.into(), ..Options::default() }
}

fn cents(text: &str) -> i64 {
    (text.parse::<f64>().unwrap() * 100.0).round() as i64
}

fn count(row: &Row, field: &str) -> i64 {
    row[field].parse().unwrap()
}

/// Collections of the contracts of these domains.
fn of_domains(domains: &[&str]) -> BTreeSet<String> {
    let names = std::fs::read_dir(data("contract")).unwrap().map(|e| e.unwrap().path());
    let names = names.map(|p| p.file_stem().unwrap().to_str().unwrap().to_string());
    names.filter(|name| domains.contains(&contract(name)["domain"].as_str().unwrap())).collect()
}

#[test]
fn a_state_has_the_collections_of_its_domains() {
    let folder = tempfile::tempdir().unwrap();
    for (jurisdiction, domains, others) in [
        ("massachusetts", &["student", "fiscal", "massachusetts"][..], &[][..]),
        ("oregon", &["student", "fiscal"][..], &["massachusetts"][..]),
        ("federal", &["student", "fiscal"][..], &["massachusetts"][..]),
    ] {
        let out = folder.path().join(jurisdiction);
        make(&Options { jurisdiction: jurisdiction.into(), ..options(&out, 100) });
        let made: BTreeSet<String> = collections(&out).into_iter().collect();
        assert!(of_domains(domains).is_subset(&made), "{jurisdiction}: {made:?}");
        assert!(of_domains(others).is_disjoint(&made), "{jurisdiction}: {made:?}");
        for collection in of_domains(domains) {
            let fields: Vec<String> = contract(&collection)["fields"].as_array().unwrap().iter().map(|f| f["name"].to_string()).collect();
            let header = fields.join(",").replace('"', "") + "\n";
            for (path, bytes) in files(&out.join(&collection)) {
                assert!(bytes.starts_with(header.as_bytes()), "{jurisdiction}: {collection}, {}", path.display());
            }
        }
    }
}

#[test]
fn same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let with = |name: &str, threads: usize| {
        let out = folder.path().join(name);
        (make(&Options { threads, dirt: 0.01, files_per_collection: 3, ..options(&out, 2000) }), files(&out))
    };
    let one = with("one", 1);
    assert!(one == with("two", 2), "2 threads");
    assert!(one == with("five", 5), "5 threads");
}

#[test]
fn dirt_is_in_these_collections_too() {
    let folder = tempfile::tempdir().unwrap();
    let clean = folder.path().join("clean");
    make(&options(&clean, 2000));
    assert!(findings(&clean).into_iter().all(|(_, found)| found.is_empty()));
    let dirty = folder.path().join("dirty");
    make(&Options { dirt: 0.05, ..options(&dirty, 6000) });
    let findings = findings(&dirty);
    for collection in of_domains(&["massachusetts", "fiscal"]).iter().filter(|c| *c != "allocation") {
        assert!(!findings[collection].is_empty(), "{collection} is clean");
    }
    for collection in ["resident", "application", "graduate_follow_up", "pell"] {
        for rule in ["type", "range", "required", "foreign_key", "conflicting_key", "duplicate"] {
            assert!(findings[collection].contains_key(rule), "{collection}: no {rule} in {:?}", findings[collection]);
        }
    }
}

/// Rows by school year and student.
fn by_student(rows: &[Row]) -> BTreeMap<(&str, &str), Vec<&Row>> {
    let mut by = BTreeMap::<_, Vec<_>>::new();
    rows.iter().filter(|r| !r["student_id"].is_empty()).for_each(|r| by.entry((&r["school_year"], &r["student_id"])).or_default().push(r));
    by
}

#[test]
fn the_rows_agree_with_the_students() {
    let folder = tempfile::tempdir().unwrap();
    make(&options(folder.path(), 3000));
    let read = |collection: &str| read(folder.path(), collection);
    let (enrollment, resident, institution) = (read("enrollment"), read("resident"), read("institution"));
    let enrolled = by_student(&enrollment);
    let district: BTreeMap<&str, &str> = institution.iter().map(|i| (&i["institution_id"], &i["district_id"])).collect();
    for row in &resident {
        let same = |e: &&&Row| e["grade"] == row["grade"] && e["out_of_district_placement"] == row["out_of_district_placement"];
        assert!(enrolled[&(&row["school_year"], &row["student_id"])].iter().any(|e| same(&e)), "a resident in no school");
    }
    let pupils: BTreeSet<_> = enrollment.iter().filter(|e| &e["grade"] != "PS").map(|e| (&e["school_year"], &e["student_id"])).collect();
    assert_eq!(pupils, by_student(&resident).into_keys().collect(), "every pupil lives in a town");

    let application = read("application");
    let cte: BTreeSet<&str> = application.iter().map(|a| &a["district_id"]).collect();
    assert!(resident.iter().all(|r| cte.contains(&r["member_district_id"])));
    let applied = by_student(&application);
    let mut accepted: BTreeMap<(&str, &str, &str), bool> = BTreeMap::new();
    for row in application.iter().filter(|a| &a["round"] == "fall" && &a["outcome"] == "accepted" && !a["student_id"].is_empty()) {
        let there = &enrolled[&(&row["school_year"], &row["student_id"])];
        let comes = there.iter().any(|e| district.get(&e["institution_id"]) == Some(&&row["district_id"]));
        accepted.insert((&row["school_year"], &row["student_id"], &row["district_id"]), comes);
    }
    let came = accepted.values().filter(|comes| **comes).count() as f64 / accepted.len() as f64;
    assert!((0.85..0.999).contains(&came), "{came} of those accepted enroll");
    let ninth = enrollment.iter().filter(|e| &e["grade"] == "09" && district.get(&e["institution_id"]).is_some_and(|d| cte.contains(d)));
    let known = ninth.filter(|e| applied.contains_key(&(&e["school_year"], &e["student_id"]))).count();
    assert!(known > 500, "{known} in grade 09 of the CTE districts had applied");
    let rows: Vec<(&Row, &str)> = application.iter().map(|a| (a, &a["institution_id"])).filter(|(_, i)| !i.is_empty()).collect();
    assert!(rows.iter().all(|(a, i)| district[i] == &a["district_id"]), "a school of another district");

    let exits = read("exit");
    let diplomas = ["regular_diploma", "modified_diploma", "alternate_diploma", "postgraduate_scholar"];
    let graduates: BTreeSet<&str> = exits.iter().filter(|e| diplomas.contains(&&e["exit_kind"])).map(|e| &e["student_id"]).collect();
    let followed = read("graduate_follow_up");
    // The exits of the last summer stand in the school year after the last.
    let known = followed.iter().filter(|f| &f["school_year"] < "2024");
    assert!(known.clone().count() > 500 && known.clone().all(|f| graduates.contains(&f["student_id"])), "no graduate");
    for row in &read("pell") {
        let there = &enrolled[&(&row["school_year"], &row["student_id"])];
        assert!(there.iter().any(|e| &e["grade"] == "PS"), "a grant to no college student: {}", &row["student_id"]);
    }
    for row in &read("subaward") {
        let same = |i: &&Row| {
            if &row["section"] == "131" { i["district_id"] == row["recipient_id"] } else { i["grantee_id"] == row["recipient_id"] }
        };
        assert!(institution.iter().filter(same).any(|i| i["federal_id"] == row["federal_id"]), "{}", &row["recipient_id"]);
    }
}

#[test]
fn proportions_of_a_state() {
    let folder = tempfile::tempdir().unwrap();
    make(&options(folder.path(), 8000));
    let read = |collection: &str| read(folder.path(), collection);
    let share = |what: &str, part: usize, of: usize, expected: std::ops::Range<f64>| {
        let share = part as f64 / of as f64;
        assert!(expected.contains(&share), "{what}: {part} of {of}, {share:.3}");
    };
    let applicants = |rows: &[Row], keep: &dyn Fn(&Row) -> bool| {
        let all = rows
            .iter()
            .filter(|r| keep(r))
            .map(|r| (r["school_year"].to_string(), r["district_id"].to_string(), r["applicant_id"].to_string()));
        all.collect::<BTreeSet<_>>().len()
    };
    let application = read("application");
    let all = applicants(&application, &|_| true);
    let ended = |outcome: &'static str| applicants(&application, &|r| &r["round"] == "fall" && &r["outcome"] == outcome);
    share("accepted", ended("accepted"), all, 0.45..0.75);
    share("waitlisted", ended("waitlisted"), all, 0.10..0.35);
    share(
        "late",
        applicants(&application, &|r| &r["round"] == "fall") - all.min(applicants(&application, &|r| &r["round"] == "spring")),
        all,
        0.02..0.15,
    );
    share("no student", applicants(&application, &|r| r["applicant_id"].starts_with('X')), all, 0.005..0.06);

    let follow_up = read("graduate_follow_up");
    let outcome = |codes: &[&str]| follow_up.iter().filter(|f| codes.contains(&&f["outcome"])).count();
    share("unknown", outcome(&["unknown"]), follow_up.len(), 0.08..0.14);
    share("at college", outcome(&["four_year_college", "two_year_college", "other_postsecondary"]), follow_up.len(), 0.36..0.58);
    share("at work", outcome(&["employed_related", "employed_unrelated"]), follow_up.len(), 0.15..0.35);

    let adults = read("student").iter().filter(|s| &s["education_level"] == "postsecondary").count();
    let pell = read("pell");
    share("with Pell", pell.len(), adults, 0.25..0.42);
    let mean = pell.iter().map(|p| cents(&p["award_amount"])).sum::<i64>() / pell.len() as i64;
    assert!((380_000..560_000).contains(&mean), "a mean grant of {mean} cents");

    let measure = read("school_measure");
    for (name, expected) in [("masscore_completion", 0.70..0.90), ("student_teacher_ratio", 9.0..14.0), ("teacher_licensure", 0.88..1.0)] {
        let rows: Vec<&Row> = measure.iter().filter(|m| &m["measure"] == name).collect();
        let sum = |field: &str| rows.iter().map(|m| cents(&m[field])).sum::<i64>();
        share(name, sum("numerator") as usize, sum("denominator") as usize, expected);
    }
}

#[test]
fn boundaries_of_admission_occur_in_a_small_state() {
    let folder = tempfile::tempdir().unwrap();
    make(&options(folder.path(), 3000));
    let read = |collection: &str| read(folder.path(), collection);
    for (collection, field) in
        [("application", "round"), ("application", "lottery"), ("application", "outcome"), ("graduate_follow_up", "outcome")]
    {
        let contract = contract(collection);
        let found = contract["fields"].as_array().unwrap().iter().find(|f| f["name"].as_str() == Some(field)).unwrap();
        let codes: BTreeSet<String> = found["constraints"]["enum"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().into()).collect();
        let seen: BTreeSet<String> = read(collection).iter().map(|r| r[field].to_string()).filter(|c| c != "weighted").collect();
        assert_eq!(seen, codes.into_iter().filter(|c| c != "weighted").collect(), "{collection}: {field}");
    }
    let (application, procedure) = (read("application"), read("admission_procedure"));
    let mut applicants: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for row in &application {
        applicants.entry((&row["school_year"], &row["district_id"])).or_default().insert(&row["applicant_id"]);
    }
    let over: BTreeSet<i64> = procedure
        .iter()
        .filter_map(|p| applicants.get(&(&p["school_year"], &p["district_id"])).map(|a| a.len() as i64 - count(p, "seats")))
        .collect();
    assert!(over.contains(&0) && over.iter().any(|n| *n < 0) && over.contains(&1), "applications less seats: {over:?}");
    let reported: BTreeSet<&str> = procedure.iter().map(|p| &p["district_id"]).collect();
    let applied: BTreeSet<&str> = applicants.keys().map(|(_, district)| *district).collect();
    assert!(!reported.is_subset(&applied), "no district without applications");
    for field in ["student_id", "institution_id", "program_id"] {
        let in_spring_only = |a: &&Row| &a["round"] == "fall" && a[field].is_empty();
        assert!(application.iter().any(|a| in_spring_only(&a)), "{field} is in every row of the fall");
    }
    let (resident, pell, measure) = (read("resident"), read("pell"), read("school_measure"));
    assert!(["Y", "N", ""].iter().all(|placed| resident.iter().any(|r| &r["out_of_district_placement"] == *placed)));
    assert!(resident.iter().any(|r| &r["grade"] < "09"), "no grade that a CTE district does not serve");
    assert!(pell.iter().any(|p| &p["award_amount"] == "7395.00"), "nobody has the greatest grant");
    assert!(measure.iter().any(|m| &m["denominator"] == "0.00"), "no measure without a student");
}

/// A small state through ingest and run; its tables have what the boundaries of the rules ask for.
#[test]
fn a_run_fills_every_table_and_meets_every_rule() {
    let place = Place::new();
    make(&options(&place.raw(), 3000));
    let ingested = place.perkins(&["ingest", place.raw().to_str().unwrap()]);
    assert_eq!(ingested.code, 0, "{}", ingested.err);
    for line in ingested.out.lines().skip(1).filter(|l| l.split_whitespace().count() == 5) {
        assert!(line.ends_with(" 0"), "rejects: {line}");
    }
    let made = of_domains(&["massachusetts", "fiscal"]);
    for line in format!("{}{}", ingested.out, ingested.err).lines().filter_map(|l| l.strip_prefix("warning: ")) {
        assert!(made.iter().all(|collection| !line.starts_with(&format!("{collection},"))), "{line}");
    }
    place.run("massachusetts", 2019..=2024, &[]);
    // Without targets no plan is owed.
    let run = place.manifest("run");
    let tables = run["tables"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap());
    for table in tables.filter(|name| !["improvement_plan", "car_improvement"].contains(name)) {
        assert_ne!(place.query(&format!("SELECT count(*) AS n FROM {table}"))[0]["n"], "0", "{table} is empty");
    }
    let values = |sql: &str| place.query(sql).into_iter().map(|r| r["x"].clone()).collect::<BTreeSet<String>>();
    let categories = values("SELECT DISTINCT category AS x FROM disproportionality WHERE category IS NOT NULL");
    assert_eq!(categories.len(), 5, "{categories:?}");
    for flag in ["flag_1", "flag_2", "flag_3", "in_desk_review"] {
        assert_eq!(values(&format!("SELECT DISTINCT {flag} AS x FROM disproportionality WHERE {flag} IS NOT NULL")).len(), 2, "{flag}");
    }
    assert!(values("SELECT index AS x FROM comparison_index WHERE members = 0").contains("0.0"), "no group without a member");
    let ranks = values("SELECT DISTINCT lowest_quartile AS x FROM qss WHERE percentile_rank = 25.0");
    assert_eq!(ranks, BTreeSet::from(["false".into()]), "no school on the edge of the lowest quartile");
    limits_of_the_grant(&place);
}

/// Every limit of the Financial Status Reports is met exactly, missed by at most a cent or two, and kept by as little.
fn limits_of_the_grant(place: &Place) {
    let limits = "reserve_share local_share state_institutions_share nontraditional_minimum nontraditional_maximum recruitment_minimum \
        leadership_share administration_maximum administration_match maintenance_of_effort";
    let rows = place.query("SELECT check, status, found - limit_value AS beyond FROM fsr_check WHERE status <> 'not_applicable'");
    for check in limits.split_whitespace() {
        let of: Vec<(f64, &str)> =
            rows.iter().filter(|r| r["check"] == check).map(|r| (r["beyond"].parse().unwrap(), r["status"].as_str())).collect();
        assert!(of.iter().any(|(beyond, status)| *beyond == 0.0 && *status == "passed"), "{check}: none at the limit: {of:?}");
        assert!(of.iter().any(|(beyond, status)| beyond.abs() < 0.025 && *status == "failed"), "{check}: none beyond: {of:?}");
        let within = check == "nontraditional_minimum";
        assert!(
            within || of.iter().any(|(beyond, status)| *beyond != 0.0 && beyond.abs() < 0.025 && *status == "passed"),
            "{check}: none just within: {of:?}"
        );
    }
    for check in ["secondary_awards", "postsecondary_awards", "balance"] {
        for status in ["passed", "failed"] {
            assert!(rows.iter().any(|r| r["check"] == check && r["status"] == status), "{check}: none {status}");
        }
    }
    let final_reports = place.query("SELECT count(*) AS n FROM fsr_check WHERE form = 'final' AND status = 'failed'");
    assert_eq!(final_reports[0]["n"], "0", "what is beyond is set right in the final report");
}
