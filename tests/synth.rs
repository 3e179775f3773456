//! `perkins synth`: the same bytes for the same options, the proportions of a state, every boundary of the rules, and dirt of every kind.

use crate::support::home;
use perkins::error::Error;
use perkins::synth::{Options, Summary, synth};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A row by the names of its fields.
#[derive(Clone, PartialEq)]
pub struct Row {
    names: Rc<csv::StringRecord>,
    values: csv::StringRecord,
}

impl Row {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(self.names.iter().position(|n| n == name)?)
    }
}

impl Index<&str> for Row {
    type Output = str;
    fn index(&self, name: &str) -> &str {
        self.get(name).unwrap()
    }
}

fn rows_of(path: &Path) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).unwrap();
    let names = Rc::new(reader.headers().unwrap().clone());
    reader.records().map(|values| Row { names: names.clone(), values: values.unwrap() }).collect()
}

fn options(out: &Path, students: u64) -> Options {
    Options { students, jurisdiction: "oregon".into(), out: out.into(), ..Options::default() }
}

pub fn make(options: &Options) -> Summary {
    synth(options).unwrap_or_else(|e| panic!("{e}"))
}

/// The files of a folder by relative path.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(path.strip_prefix(folder).unwrap().into(), std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

pub fn read(folder: &Path, collection: &str) -> Vec<Row> {
    let single = folder.join(format!("{collection}.csv"));
    let mut paths: Vec<PathBuf> = match single.exists() {
        true => vec![single],
        false => std::fs::read_dir(folder.join(collection)).unwrap().map(|e| e.unwrap().path()).collect(),
    };
    paths.sort();
    paths.iter().flat_map(|p| rows_of(p)).collect()
}

pub fn data(path: &str) -> PathBuf {
    home().join("data").join(path)
}

pub fn contract(collection: &str) -> toml::Table {
    std::fs::read_to_string(data(&format!("contract/{collection}.toml"))).unwrap().parse().unwrap()
}

fn hundredths(text: &str) -> i64 {
    (text.parse::<f64>().unwrap() * 100.0).round() as i64
}

/// The collections of a folder, those that others refer to first.
pub fn collections(folder: &Path) -> Vec<String> {
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap().trim_end_matches(".csv").to_string();
    let mut names: Vec<String> = std::fs::read_dir(folder).unwrap().map(|e| name(e.unwrap())).collect();
    names.sort_by_key(|name| (!["student", "program"].contains(&name.as_str()), name.clone()));
    names
}

/// What is wrong with a value, by the contract: the name of the rule.
fn wrong(field: &toml::Table, row: &Row) -> Option<&'static str> {
    let value = &row[field["name"].as_str().unwrap()];
    let none = toml::Table::new();
    let limits = field.get("constraints").and_then(|c| c.as_table()).unwrap_or(&none);
    if value.is_empty() {
        let unless = limits.get("requiredUnless").and_then(|u| u.as_table());
        let required = unless.is_some_and(|u| &row[u["field"].as_str().unwrap()] != u["value"].as_str().unwrap());
        return (required || limits.get("required").is_some_and(|r| r.as_bool() == Some(true))).then_some("required");
    }
    if let Some(codes) = limits.get("enum").and_then(|e| e.as_array()) {
        return (!codes.iter().any(|c| c.as_str() == Some(value))).then_some("code");
    }
    let number = match field["type"].as_str().unwrap() {
        "year" | "integer" => value.parse::<i64>().ok().map(|n| n as f64),
        "number" => {
            let scale = field["decimal"]["scale"].as_integer().unwrap() as usize;
            value.parse::<f64>().ok().filter(|_| value.split_once('.').is_none_or(|(_, d)| d.len() <= scale))
        }
        "boolean" => return (!matches!(value, "Y" | "N")).then_some("type"),
        "date" => return (value.len() != 10 || value[5..7].parse::<u8>().is_err() || value.contains('/')).then_some("type"),
        _ => return None,
    };
    let Some(number) = number else { return Some("type") };
    let limit = |name: &str| limits.get(name).and_then(|l| l.as_float().or(l.as_integer().map(|i| i as f64)));
    let low = limit("minimum").is_some_and(|l| number < l) || limit("exclusiveMinimum").is_some_and(|l| number <= l);
    (low || limit("maximum").is_some_and(|l| number > l)).then_some("range")
}

/// Rows by rule that they break, and duplicates; the collections are checked in the order of their references.
pub fn findings(folder: &Path) -> BTreeMap<String, BTreeMap<&'static str, usize>> {
    let mut all = BTreeMap::new();
    let mut students = BTreeSet::new();
    let mut programs: BTreeMap<String, i32> = BTreeMap::new();
    for collection in collections(folder) {
        let contract = contract(&collection);
        let fields: Vec<&toml::Table> = contract["fields"].as_array().unwrap().iter().map(|f| f.as_table().unwrap()).collect();
        let key: Vec<&str> = contract["primaryKey"].as_array().unwrap().iter().map(|k| k.as_str().unwrap()).collect();
        let mut found: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut by_key: BTreeMap<Vec<String>, Vec<Row>> = BTreeMap::new();
        for row in read(folder, &collection) {
            match fields.iter().find_map(|f| wrong(f, &row)) {
                Some(rule) => *found.entry(rule).or_default() += 1,
                None => by_key.entry(key.iter().map(|k| row[k].to_string()).collect()).or_default().push(row),
            }
        }
        for rows in by_key.into_values() {
            let row = &rows[0];
            if rows.iter().any(|r| r != row) {
                *found.entry("conflicting_key").or_default() += rows.len();
                continue;
            }
            if rows.len() > 1 {
                *found.entry("duplicate").or_default() += rows.len() - 1;
            }
            let program = row.get("program_id").filter(|p| !p.is_empty() && collection != "program");
            let year = row.get("school_year").map_or(i32::MAX, |y| y.parse().unwrap());
            let student = row.get("student_id").filter(|s| !s.is_empty() && collection != "student");
            if student.is_some_and(|s| !students.contains(s)) || program.is_some_and(|p| programs.get(p).is_none_or(|first| *first > year))
            {
                *found.entry("foreign_key").or_default() += 1;
            }
            if collection == "student" {
                students.insert(row["student_id"].to_string());
            }
            if collection == "program" {
                let first = programs.entry(row["program_id"].to_string()).or_insert(year);
                *first = year.min(*first);
            }
        }
        all.insert(collection, found);
    }
    all
}

#[test]
fn same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let with = |name: &str, threads: usize, seed: u64| {
        let out = folder.path().join(name);
        let more = Options { threads, seed, dirt: 0.01, files_per_collection: 3, targets: true, ..options(&out, 2000) };
        (make(&more), files(&out))
    };
    let one = with("one", 1, 7);
    assert!(one == with("two", 2, 7), "2 threads");
    assert!(one == with("seven", 7, 7), "7 threads");
    assert_ne!(one.1, with("other", 2, 8).1, "another seed");
}

#[test]
fn the_summary_is_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let summary = make(&Options { files_per_collection: 2, ..options(folder.path(), 500) });
    let files = files(folder.path());
    assert_eq!(summary.files.len(), files.len());
    for written in &summary.files {
        let bytes = &files[Path::new(&written.path)];
        assert_eq!(written.bytes, bytes.len() as u64, "{}", written.path);
        let lines = bytes.iter().filter(|b| **b == b'\n').count() as u64;
        assert_eq!(written.rows, lines - 1, "{}", written.path);
    }
    assert_eq!(summary.rows(), summary.files.iter().map(|f| f.rows).sum::<u64>());
    assert_eq!(summary.by_collection()["student"].0, 12, "two files for each of six years");
}

#[test]
fn headers_are_the_contracts() {
    let folder = tempfile::tempdir().unwrap();
    let summary = make(&Options { targets: true, ..options(folder.path(), 300) });
    let files = files(folder.path());
    for written in &summary.files {
        let contract = contract(&written.collection);
        let fields: Vec<&str> = contract["fields"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
        let text = String::from_utf8(files[Path::new(&written.path)].clone()).unwrap();
        assert_eq!(text.lines().next().unwrap(), fields.join(","), "{}", written.path);
    }
}

#[test]
fn clean_data_has_no_findings_and_dirt_has_all() {
    let folder = tempfile::tempdir().unwrap();
    let clean = folder.path().join("clean");
    make(&options(&clean, 3000));
    for (collection, found) in findings(&clean) {
        assert!(found.is_empty(), "{collection}: {found:?}");
    }
    let dirty = folder.path().join("dirty");
    let summary = make(&Options { dirt: 0.005, ..options(&dirty, 6000) });
    let by_collection = summary.by_collection();
    for (collection, found) in findings(&dirty) {
        let rows = by_collection[collection.as_str()].1 as f64;
        let rejected = found.iter().filter(|(rule, _)| **rule != "duplicate").map(|(_, n)| *n).sum::<usize>() as f64;
        assert!(rejected / rows < 0.01 || rejected <= 10.0, "{collection}: {found:?} of {rows}");
        if rows > 30_000.0 {
            assert!(rejected / rows > 0.003, "{collection}: {found:?} of {rows}");
            let mut rules = vec!["code", "conflicting_key", "duplicate", "range", "required", "type"];
            rules.extend((collection != "student").then_some("foreign_key"));
            for rule in rules {
                assert!(found.contains_key(rule), "{collection}: no {rule} in {found:?}");
            }
        }
    }
}

#[test]
fn any_size_streams() {
    let folder = tempfile::tempdir().unwrap();
    for (students, years) in [(1, 2024..=2024), (60, 2024..=2024), (700, 2015..=2024), (30_000, 2023..=2024)] {
        let out = folder.path().join(students.to_string());
        let summary = make(&Options { first_year: *years.start(), last_year: *years.end(), ..options(&out, students) });
        let counted = summary.files.iter().filter(|f| f.collection == "student");
        for file in counted {
            let there = file.rows as f64 / students as f64;
            assert!(students < 100 || (0.9..1.1).contains(&there), "{}: {} of {students}", file.path, file.rows);
        }
    }
}

/// Credits of the secondary programs by student and program: all, and intermediate or advanced.
fn secondary_credits(folder: &Path) -> BTreeMap<(String, String), (i64, i64)> {
    let mut sums: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for course in read(folder, "cte_course") {
        let grade = &course["grade"];
        if &course["passed"] == "Y" && grade != "PS" && grade >= "09" {
            let sum = sums.entry((course["student_id"].to_string(), course["program_id"].to_string())).or_default();
            let credits = hundredths(&course["credits_earned"]);
            sum.0 += credits;
            sum.1 += if &course["course_level"] == "introductory" { 0 } else { credits };
        }
    }
    sums
}

#[test]
fn proportions_of_a_state() {
    let folder = tempfile::tempdir().unwrap();
    make(&options(folder.path(), 8000));
    let students = read(folder.path(), "student");
    let year: Vec<&Row> = students.iter().filter(|s| &s["school_year"] == "2024").collect();
    let share = |what: &dyn Fn(&Row) -> bool| year.iter().filter(|s| what(s)).count() as f64 / year.len() as f64;
    assert!((0.97..1.03).contains(&(year.len() as f64 / 8000.0)), "{} students", year.len());
    assert!((0.27..0.33).contains(&share(&|s| &s["education_level"] == "postsecondary")));
    assert!((0.03..0.10).contains(&share(&|s| &s["education_level"] == "middle")));
    assert!((0.45..0.54).contains(&share(&|s| &s["gender"] == "F")));
    assert!(share(&|s| &s["gender"] == "X") > 0.005 && share(&|s| &s["gender"] == "U") > 0.005);
    assert!(year.iter().all(|s| &s["gender"] != "U" || &s["education_level"] == "postsecondary"), "U below postsecondary");
    assert!((0.38..0.52).contains(&share(&|s| &s["economically_disadvantaged"] == "Y")));

    let credits = secondary_credits(folder.path());
    let concentrators: BTreeSet<&str> = credits.iter().filter(|(_, c)| c.0 >= 200 && c.1 >= 100).map(|((s, _), _)| s.as_str()).collect();
    let several = credits.iter().filter(|(_, c)| c.0 >= 200 && c.1 >= 100).count() - concentrators.len();
    let enrollment = read(folder.path(), "enrollment");
    let upper = |e: &&Row| &e["school_year"] == "2024" && matches!(&e["grade"], "10" | "11" | "12");
    let upper: BTreeSet<&str> = enrollment.iter().filter(upper).map(|e| &e["student_id"]).collect();
    let share = upper.iter().filter(|s| concentrators.contains(*s)).count() as f64 / upper.len() as f64;
    assert!((0.27..0.40).contains(&share), "{share} of grades 10 to 12 concentrate");
    let several = several as f64 / concentrators.len() as f64;
    assert!((0.03..0.09).contains(&several), "{several} in several programs");
}

#[test]
fn every_kind_of_thing_occurs() {
    let folder = tempfile::tempdir().unwrap();
    make(&options(folder.path(), 12_000));
    let all_codes = |collection: &str, field: &str, except: &[&str]| {
        let contract = contract(collection);
        let fields = contract["fields"].as_array().unwrap();
        let codes = fields.iter().find(|f| f["name"].as_str() == Some(field)).unwrap()["constraints"]["enum"].as_array().unwrap().clone();
        let seen: BTreeSet<String> = read(folder.path(), collection).into_iter().map(|r| r[field].to_string()).collect();
        for code in codes.iter().map(|c| c.as_str().unwrap()).filter(|c| !except.contains(c)) {
            assert!(seen.contains(code), "{collection}: no {field} {code}");
        }
    };
    all_codes("student", "education_level", &[]);
    all_codes("student", "gender", &[]);
    all_codes("student", "race_ethnicity", &[]);
    all_codes("enrollment", "grade", &[]);
    all_codes("program_enrollment", "status", &[]);
    all_codes("cte_course", "course_level", &[]);
    all_codes("assessment", "subject", &[]);
    all_codes("assessment", "assessment_kind", &[]);
    all_codes("exit", "exit_kind", &[]);
    all_codes("placement", "placement_kind", &[]);
    all_codes("placement", "source", &[]);
    all_codes("work_based_learning", "work_based_learning_kind", &[]);
    all_codes("postsecondary_credit", "credit_kind", &[]);
    all_codes("program", "approval", &[]);

    let programs = read(folder.path(), "program");
    assert!(programs.iter().any(|p| p["career_cluster"].contains(';')), "no program of two clusters");
    assert!(programs.iter().any(|p| !p["cip_code"].contains('.')), "no CIP code without its dot");
    let institutions = read(folder.path(), "institution");
    let grantees: BTreeMap<&str, BTreeSet<&str>> = institutions.iter().fold(BTreeMap::new(), |mut by, i| {
        by.entry(&i["grantee_id"]).or_insert_with(BTreeSet::new).insert(&i["district_id"]);
        by
    });
    assert!(grantees.values().any(|d| d.len() > 2) && grantees.values().any(|d| d.len() == 1), "consortia and single districts");
    assert!(institutions.iter().any(|i| i["institution_name"].is_empty()), "no institution without a name");
    let both: BTreeSet<(String, String)> = read(folder.path(), "student")
        .into_iter()
        .filter(|s| &s["education_level"] == "secondary")
        .map(|s| (s["school_year"].to_string(), s["student_id"].to_string()))
        .collect();
    let students = read(folder.path(), "student");
    let in_both =
        |s: &Row| &s["education_level"] == "postsecondary" && both.contains(&(s["school_year"].to_string(), s["student_id"].to_string()));
    assert!(students.iter().any(in_both), "nobody of two levels in a year");
}

#[test]
fn every_boundary_of_the_rules_occurs() {
    let folder = tempfile::tempdir().unwrap();
    make(&options(folder.path(), 12_000));
    let credits = secondary_credits(folder.path());
    for exact in [50, 200] {
        assert!(credits.values().any(|c| c.0 == exact), "nobody with exactly {exact} hundredths of credits");
    }
    assert!(credits.values().any(|c| c.0 >= 200 && c.1 == 100), "no exact intermediate or advanced credits");
    assert!(credits.values().any(|c| (150..200).contains(&c.0) && c.1 >= 100), "nobody just below");
    assert!(credits.values().any(|c| c.0 >= 200 && c.1 < 100), "nobody with too few advanced");
    college_boundaries(folder.path());
    ties(&credits);
    dates(folder.path());
}

fn college_boundaries(folder: &Path) {
    let mut sums: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for course in read(folder, "cte_course").iter().filter(|c| &c["passed"] == "Y" && &c["grade"] == "PS") {
        let sum = sums.entry((course["student_id"].to_string(), course["program_id"].to_string())).or_default();
        let credits = hundredths(&course["credits_earned"]);
        sum.0 += credits;
        sum.1 += if &course["cte_specific"] == "N" { 0 } else { credits };
    }
    assert!(sums.values().any(|c| c.0 == 1200 && c.1 >= 900), "nobody with exactly 12 credits");
    assert!(sums.values().any(|c| c.0 >= 1200 && c.1 == 900), "nobody with exactly 9 specific credits");
    assert!(sums.values().any(|c| c.0 >= 1200 && c.1 < 900), "nobody with too few specific credits");
    let programs: BTreeMap<String, String> =
        read(folder, "program").into_iter().map(|p| (p["program_id"].to_string(), p["required_credits"].to_string())).collect();
    let short = |p: &Row| &p["status"] == "completed" && programs[&p["program_id"]].parse::<f64>().is_ok_and(|c| c < 12.0);
    assert!(read(folder, "program_enrollment").iter().any(short), "nobody completed a short program");
    assert!(programs.values().any(|c| c == "12.00"), "no program of exactly 12 credits");
}

fn ties(credits: &BTreeMap<(String, String), (i64, i64)>) {
    let mut by_student: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for ((student, _), sum) in credits.iter().filter(|(_, c)| c.0 >= 200 && c.1 >= 100) {
        by_student.entry(student).or_default().push(*sum);
    }
    assert!(by_student.values().any(|p| p.len() == 2 && p[0] == p[1]), "no tie of primary programs");
}

fn dates(folder: &Path) {
    let ends = |collection: &str, field: &str, end: &str| {
        let found = read(folder, collection).iter().any(|r| r[field].ends_with(end));
        assert!(found, "{collection}: no {field} on {end}");
    };
    for end in ["-08-31", "-09-01"] {
        ends("exit", "exit_date", end);
    }
    for end in ["-06-30", "-07-01", "-08-31", "-09-01"] {
        ends("credential", "earned_on", end);
    }
    let program_enrollment = read(folder, "program_enrollment");
    for end in ["-06-30", "-07-01"] {
        let ends = |r: &Row| &r["status"] == "completed" && r["status_date"].ends_with(end);
        assert!(program_enrollment.iter().any(ends), "no completion on {end}");
    }
    let exits = read(folder, "exit");
    assert!(exits.iter().any(|e| e["exit_date"].is_empty()), "no exit without a date");
    let summer = |e: &&Row| e["exit_date"].ends_with("-08-31");
    let same_year: BTreeSet<bool> = exits.iter().filter(summer).map(|e| e["exit_date"][..4] == e["school_year"]).collect();
    assert_eq!(same_year.len(), 2, "summer exits stand in the year that ended or the one that began");
}

#[test]
fn targets_are_the_states_and_some_grantees() {
    let folder = tempfile::tempdir().unwrap();
    make(&Options { first_year: 2021, targets: true, ..options(folder.path(), 500) });
    let rows = read(folder.path(), "target");
    let key = |r: &Row| (r["report_year"].to_string(), r["indicator"].to_string(), hundredths(&r["target_percent"]));
    let of_state: BTreeSet<_> = rows.iter().filter(|r| r["grantee_id"].is_empty()).map(key).collect();
    let shipped = rows_of(&data("default/oregon/target.csv"));
    let wanted = |r: &&Row| r["grantee_id"].is_empty() && (2021..=2024).contains(&r["report_year"].parse::<i32>().unwrap());
    assert_eq!(of_state, shipped.iter().filter(wanted).map(key).collect());
    assert!(rows.iter().any(|r| !r["grantee_id"].is_empty()), "no grantee's own target");
    let none = Options { targets: true, ..Options { jurisdiction: "federal".into(), ..options(&folder.path().join("none"), 10) } };
    assert!(matches!(synth(&none), Err(Error::Config(message)) if message.contains("target")));
}

#[test]
fn refuses_what_it_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |options: Options| match synth(&options) {
        Err(Error::Config(message)) => message,
        other => panic!("{options:?}: {other:?}"),
    };
    let used = folder.path().join("used");
    make(&options(&used, 20));
    assert!(refused(options(&used, 20)).contains("not empty"));
    let file = used.join("program.csv");
    assert!(refused(options(&file, 20)).contains("is a file"));
    let new = folder.path().join("new");
    assert!(refused(Options { jurisdiction: "atlantis".into(), ..options(&new, 20) }).contains("oregon"));
    assert!(refused(options(&new, 0)).contains("--students"));
    assert!(refused(Options { first_year: 2025, ..options(&new, 20) }).contains("--years"));
    assert!(refused(Options { first_year: 1900, ..options(&new, 20) }).contains("--years"));
    assert!(refused(Options { dirt: 0.9, ..options(&new, 20) }).contains("--dirt"));
    assert!(refused(Options { files_per_collection: 0, ..options(&new, 20) }).contains("--files-per-collection"));
    assert!(!new.exists(), "a refusal leaves nothing behind");
}

/// data/sample is what its README's command makes: change synth, and the sample must be made again.
#[test]
fn the_sample_that_ships_is_what_synth_makes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("sample");
    make(&Options { dirt: 0.003, ..options(&out, 2500) });
    let mut shipped = files(&data("sample"));
    shipped.remove(Path::new("README.md"));
    let made = files(&out);
    assert_eq!(shipped.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (path, bytes) in &made {
        assert!(&shipped[path] == bytes, "{} differs: make data/sample again as its README says", path.display());
    }
    assert!(made.values().map(Vec::len).sum::<usize>() <= 6_000_000, "the sample is small");
}
