//! What must hold of any data: figures agree with each other and with the student rows, and the same input gives the same bytes, whatever the
//! threads, files, order of rows, steps of loading and years asked for at once.

use crate::support::{Place, Row, entries, files, home, name, rows_of, text};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

const YEARS: std::ops::RangeInclusive<i32> = 2021..=2024;
const JURISDICTION: &str = "oregon";

/// The sample that ships, loaded and run; shared by the tests that only look, and gone after the last of them.
fn sample() -> Arc<Place> {
    static SAMPLE: Mutex<Weak<Place>> = Mutex::new(Weak::new());
    let mut shared = SAMPLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(place) = shared.upgrade() {
        return place;
    }
    let place = Arc::new(Place::new());
    place.ingest(&home().join("data/sample"));
    place.run(JURISDICTION, YEARS, &[]);
    *shared = Arc::downgrade(&place);
    place
}

/// Raw collections of another state, made for this test.
fn synth(place: &Place, students: u32, years: &str, flags: &[&str]) -> PathBuf {
    let raw = place.raw();
    let students = students.to_string();
    let mut arguments =
        vec!["synth", "--jurisdiction", "oregon", "--students", &students, "--years", years, "--seed", "5", "--out", text(&raw)];
    arguments.extend(flags);
    place.works(&arguments);
    raw
}

fn count(row: &Row, column: &str) -> i64 {
    row[column].parse().unwrap_or_else(|e| panic!("{column} of {row:?}: {e}"))
}

fn number(row: &Row, column: &str) -> Option<f64> {
    (!row[column].is_empty()).then(|| row[column].parse().unwrap())
}

fn key(row: &Row, columns: &[&str]) -> Vec<String> {
    columns.iter().map(|c| row[*c].clone()).collect()
}

const ENTITY: [&str; 4] = ["report_year", "indicator", "level", "entity_id"];

/// Everything that must hold of the tables of one run.
fn tables_agree(place: &Place) {
    let performance = place.table("performance");
    let membership = place.table("indicator_membership");
    let status = place.table("student_program");
    assert!(performance.len() > 1000 && membership.len() > 1000 && status.len() > 1000, "the data are too few to show anything");
    figures_are_fractions(&performance);
    partitions_sum_to_all(&performance);
    levels_contain_each_other(&performance);
    memberships_are_consistent(&membership, &status);
    figures_count_members_once(&performance, &membership, &status);
    counts_agree(&place.table("enrollment_count"));
    gaps_follow_from_figures(&place.table("gap"), &performance);
    plans_follow_from_figures(&place.table("improvement_plan"), &performance);
    statuses_are_consistent(&status);
}

fn figures_are_fractions(performance: &[Row]) {
    let mut keys = BTreeSet::new();
    for row in performance {
        let (n, d) = (count(row, "numerator"), count(row, "denominator"));
        assert!(0 <= n && n <= d && d > 0, "{row:?}");
        assert_eq!(number(row, "rate"), Some(100.0 * n as f64 / d as f64), "{row:?}");
        assert!(keys.insert(key(row, &[&ENTITY[..], &["group_kind", "group_code"]].concat())), "twice: {row:?}");
        // Hundredths of a percent: exact, whatever the number of digits.
        let target = number(row, "target").map(|t| (t * 100.0).round() as i64);
        let expected = target.map_or("", |t| match (n * 10_000 >= t * d, n * 100_000 >= 9 * t * d) {
            (true, _) => "met",
            (false, true) => "within_90",
            (false, false) => "below_90",
        });
        assert_eq!(row["status"], expected, "{row:?}");
        assert!(row["group_kind"] != "placement" || target.is_none(), "placement has no target: {row:?}");
    }
}

/// Figures of all students by year, indicator, level and entity.
fn all_of(performance: &[Row]) -> BTreeMap<Vec<String>, (i64, i64)> {
    let all = performance.iter().filter(|r| r["group_kind"] == "all");
    all.map(|r| (key(r, &ENTITY), (count(r, "numerator"), count(r, "denominator")))).collect()
}

fn partitions_sum_to_all(performance: &[Row]) {
    let all = all_of(performance);
    for kind in ["gender", "race_ethnicity"] {
        let mut sums: BTreeMap<Vec<String>, (i64, i64)> = BTreeMap::new();
        for row in performance.iter().filter(|r| r["group_kind"] == kind) {
            let sum = sums.entry(key(row, &ENTITY)).or_default();
            *sum = (sum.0 + count(row, "numerator"), sum.1 + count(row, "denominator"));
        }
        assert_eq!(sums, all, "groups of {kind} do not sum to all students");
    }
    for row in performance {
        let (n, d) = all[&key(row, &ENTITY)];
        assert!(count(row, "numerator") <= n && count(row, "denominator") <= d, "more than all students: {row:?}");
        assert!(row["group_kind"] != "placement" || count(row, "denominator") == d, "placement has the indicator's denominator: {row:?}");
    }
    let clustered: BTreeSet<Vec<String>> =
        performance.iter().filter(|r| r["group_kind"] == "career_cluster").map(|r| key(r, &ENTITY)).collect();
    assert!(clustered.iter().eq(all.keys()), "every figure has a career cluster");
}

/// Numerators and denominators of the entities of each level.
type ByLevel<'a> = BTreeMap<&'a str, Vec<(i64, i64)>>;

/// A level's figure is at least that of any entity below it, and at most the sum of them: who counts below counts above, once.
fn levels_contain_each_other(performance: &[Row]) {
    let at = ["report_year", "indicator", "group_kind", "group_code"];
    let mut levels: BTreeMap<Vec<String>, ByLevel> = BTreeMap::new();
    for row in performance {
        let figure = (count(row, "numerator"), count(row, "denominator"));
        levels.entry(key(row, &at)).or_default().entry(&row["level"]).or_default().push(figure);
    }
    for (at, by_level) in levels {
        let [(n, d)] = by_level["state"][..] else { panic!("{at:?}: {:?}", by_level["state"]) };
        for (level, figures) in &by_level {
            assert!(figures.iter().all(|f| f.0 <= n && f.1 <= d), "{at:?}: a {level} has more students than the state");
            let sum = figures.iter().fold((0, 0), |s, f| (s.0 + f.0, s.1 + f.1));
            // Colleges have no district.
            assert!(*level == "district" || (sum.0 >= n && sum.1 >= d), "{at:?}: {level} has {sum:?}, the state {n} of {d}");
        }
        let total = |level: &str| by_level.get(level).map_or(0, |f| f.iter().map(|f| f.1).sum::<i64>());
        assert!(total("grantee") <= total("institution") && total("institution") <= total("program"), "{at:?}: {by_level:?}");
    }
}

fn memberships_are_consistent(membership: &[Row], status: &[Row]) {
    let concentrators: BTreeSet<Vec<String>> =
        status.iter().filter(|r| r["status"] == "concentrator").map(|r| key(r, &["report_year", "student_id", "program_id"])).collect();
    let mut keys = BTreeSet::new();
    for row in membership {
        assert!(row["numerator"] == "false" || row["denominator"] == "true", "numerator alone: {row:?}");
        assert_eq!(row["denominator"] == "true", row["exclusion"].is_empty(), "{row:?}");
        assert!(concentrators.contains(&key(row, &["report_year", "student_id", "program_id"])), "no concentrator: {row:?}");
        assert!(keys.insert(key(row, &["report_year", "indicator", "student_id", "program_id"])), "twice: {row:?}");
    }
}

/// Counts the members of every entity anew, each student once, in all and by career cluster's sum of entities.
fn figures_count_members_once(performance: &[Row], membership: &[Row], status: &[Row]) {
    let columns = [("grantee", "grantee_id"), ("district", "district_id"), ("institution", "institution_id"), ("program", "program_id")];
    let places: BTreeMap<Vec<String>, &Row> = status.iter().map(|r| (key(r, &["report_year", "student_id", "program_id"]), r)).collect();
    let state = &performance.iter().find(|r| r["level"] == "state").unwrap()["entity_id"];
    let mut students: BTreeMap<Vec<String>, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for row in membership.iter().filter(|r| r["denominator"] == "true") {
        let place = places[&key(row, &["report_year", "student_id", "program_id"])];
        let entities = columns.iter().map(|(level, column)| (*level, place[*column].as_str())).filter(|(_, id)| !id.is_empty());
        for (level, id) in entities.chain([("state", state.as_str())]) {
            let figure = students.entry(vec![row["report_year"].clone(), row["indicator"].clone(), level.into(), id.into()]).or_default();
            figure.1.insert(&row["student_id"]);
            if row["numerator"] == "true" {
                figure.0.insert(&row["student_id"]);
            }
        }
    }
    let counted: BTreeMap<Vec<String>, (i64, i64)> = students.into_iter().map(|(k, f)| (k, (f.0.len() as i64, f.1.len() as i64))).collect();
    assert_eq!(counted, all_of(performance), "figures are not the members counted once");
}

fn counts_agree(counts: &[Row]) {
    let cell = ["report_year", "education_level", "level", "entity_id", "career_cluster"];
    let mut figures: BTreeMap<(Vec<String>, String, String), BTreeMap<String, i64>> = BTreeMap::new();
    for row in counts {
        assert!(count(row, "students") > 0, "{row:?}");
        let of = figures.entry((key(row, &cell), row["status"].clone(), row["group_kind"].clone())).or_default();
        assert!(of.insert(row["group_code"].clone(), count(row, "students")).is_none(), "twice: {row:?}");
    }
    for ((cell, status, kind), groups) in &figures {
        let all = figures[&(cell.clone(), status.clone(), "all".to_string())]["all"];
        let sum: i64 = groups.values().sum();
        match kind.as_str() {
            "gender" | "race_ethnicity" => assert_eq!(sum, all, "{cell:?} {status} {kind}"),
            _ => assert!(groups.values().all(|n| *n <= all), "{cell:?} {status} {kind}"),
        }
        if status == "concentrator" {
            let participants = &figures[&(cell.clone(), "participant".to_string(), kind.clone())];
            assert!(groups.iter().all(|(code, n)| participants[code] >= *n), "a concentrator is also a participant: {cell:?} {kind}");
        }
        let mut whole = cell.clone();
        whole[4] = "all".into();
        let whole = &figures[&(whole, status.clone(), kind.clone())];
        assert!(groups.iter().all(|(code, n)| whole[code] >= *n), "a career cluster has more students than all: {cell:?} {kind}");
    }
}

fn gaps_follow_from_figures(gaps: &[Row], performance: &[Row]) {
    let columns = [&ENTITY[..], &["group_kind", "group_code"]].concat();
    let figures: BTreeMap<Vec<String>, &Row> = performance.iter().map(|r| (key(r, &columns), r)).collect();
    let all: BTreeMap<Vec<String>, f64> =
        performance.iter().filter(|r| r["group_kind"] == "all").map(|r| (key(r, &ENTITY), number(r, "rate").unwrap())).collect();
    let wanted = performance.iter().filter(|r| r["level"] != "program" && !["all", "placement"].contains(&r["group_kind"].as_str()));
    let wanted: BTreeSet<Vec<String>> = wanted.map(|r| key(r, &columns)).collect();
    assert_eq!(gaps.iter().map(|r| key(r, &columns)).collect::<BTreeSet<_>>(), wanted);
    for row in gaps {
        let figure = figures[&key(row, &columns)];
        let (rate, all) = (number(row, "rate").unwrap(), all[&key(row, &ENTITY)]);
        let close = |a: Option<f64>, b: Option<f64>| a.is_some() == b.is_some() && a.zip(b).is_none_or(|(a, b)| (a - b).abs() <= 1e-9);
        assert!(close(number(figure, "rate"), Some(rate)) && close(number(row, "all_rate"), Some(all)), "{row:?}");
        assert!(close(number(row, "gap_to_all"), Some(rate - all)), "{row:?}");
        assert!(close(number(row, "gap_to_target"), number(figure, "target").map(|t| rate - t)), "{row:?}");
        let prior = number(row, "prior_rate");
        assert!(close(number(row, "change"), prior.map(|p| rate - p)), "{row:?}");
        assert_eq!(row["progress"] == "new", prior.is_none(), "{row:?}");
        // A year of the run before this one must be what this one compares with.
        let mut before = key(row, &columns);
        before[0] = (count(row, "report_year") - 1).to_string();
        if YEARS.contains(&before[0].parse().unwrap()) {
            assert!(close(prior, figures.get(&before).map(|f| number(f, "rate").unwrap())), "{row:?}");
        }
    }
}

fn plans_follow_from_figures(plans: &[Row], performance: &[Row]) {
    let below =
        |r: &&Row| r["group_kind"] == "all" && r["status"] == "below_90" && ["state", "grantee", "district"].contains(&r["level"].as_str());
    let wanted: BTreeSet<Vec<String>> = performance.iter().filter(below).map(|r| key(r, &ENTITY)).collect();
    assert_eq!(plans.iter().map(|r| key(r, &ENTITY)).collect::<BTreeSet<_>>(), wanted);
    for row in plans {
        let years = count(row, "years_below_in_a_row");
        assert_eq!(count(row, "first_year_below"), count(row, "report_year") - years + 1, "{row:?}");
        assert_eq!(row["progress_after_three_years"] == "too_early", years < 3, "{row:?}");
        assert!(row["widest_gaps"].split(';').count() <= 3, "{row:?}");
    }
}

fn statuses_are_consistent(status: &[Row]) {
    let mut primary = BTreeSet::new();
    for row in status {
        assert!(count(row, "first_school_year") <= count(row, "last_school_year"), "{row:?}");
        assert!(count(row, "last_school_year") <= count(row, "report_year"), "{row:?}");
        assert!(number(row, "advanced_credits") <= number(row, "credits"), "{row:?}");
        assert!(number(row, "cte_specific_credits") <= number(row, "credits"), "{row:?}");
        if row["is_primary"] == "true" {
            assert!(row["status"] == "concentrator" && row["approval"] == "approved", "{row:?}");
            assert!(primary.insert(key(row, &["report_year", "student_id", "education_level"])), "two primary programs: {row:?}");
        }
    }
    let rank = |r: &Row| ["enrollee", "participant", "concentrator"].iter().position(|s| r["status"] == *s).unwrap();
    let by_year: BTreeMap<Vec<String>, usize> =
        status.iter().map(|r| (key(r, &["student_id", "program_id", "report_year"]), rank(r))).collect();
    for (k, rank) in &by_year {
        let next = vec![k[0].clone(), k[1].clone(), (k[2].parse::<i32>().unwrap() + 1).to_string()];
        assert!(by_year.get(&next).is_none_or(|later| later >= rank), "status only grows: {k:?}");
    }
}

#[test]
fn tables_of_the_sample_agree() {
    tables_agree(&sample());
}

#[test]
fn tables_of_another_state_agree_in_every_jurisdiction() {
    let place = Place::new();
    let raw = synth(&place, 1500, "2019..2024", &["--targets", "--dirt", "0.004"]);
    place.ingest(&raw);
    for jurisdiction in perkins::jurisdiction::Jurisdiction::list(&perkins::project::Project::default()).unwrap() {
        place.run(&jurisdiction, YEARS, &[]);
        tables_agree(&place);
    }
}

/// Fails, naming the files, unless both are the same.
#[track_caller]
fn assert_same_files(one: &BTreeMap<PathBuf, Vec<u8>>, other: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    assert!(!one.is_empty(), "{what}: no files");
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{what}");
    let different: Vec<_> = one.iter().filter(|(path, bytes)| other[*path] != **bytes).map(|(path, _)| path).collect();
    assert!(different.is_empty(), "{what}: these differ: {different:?}");
}

/// Adds students who did nothing, between the others by id, so that the students take several shards.
fn add_bystanders(raw: &Path, each: usize) -> usize {
    let students: Vec<Row> = entries(&raw.join("student")).iter().flat_map(|p| rows_of(p)).collect();
    let ids: BTreeSet<&str> = students.iter().map(|r| r["student_id"].as_str()).filter(|id| !id.is_empty() && id.len() < 40).collect();
    let mut text = String::from("school_year,student_id,education_level,gender,race_ethnicity\n");
    for id in &ids {
        (0..each).for_each(|n| text += &format!("2022,{id}-{n:03},secondary,F,white\n"));
    }
    fs::write(raw.join("student/bystander.csv"), text).unwrap();
    ids.len() * (each + 1)
}

#[test]
fn the_same_bytes_for_any_number_of_partitions() {
    let made = Place::new();
    let raw = synth(&made, 1200, "2020..2024", &["--dirt", "0.003", "--targets"]);
    let students = add_bystanders(&raw, 60);
    assert!(students > 2 * perkins::lake::STUDENTS_PER_BLOCK as usize, "{students} students are too few for three shards");
    let places = [1, 2, 8].map(|n| {
        let place = Place::new();
        let partitions = format!("--partitions={n}");
        place.works(&["ingest", text(&raw), &partitions]);
        place.run(JURISDICTION, [2023, 2024], &[&partitions]);
        place
    });
    let [one, others @ ..] = &places;
    let plain = Place::new();
    plain.ingest(&raw);
    // The setting may come from the environment too; more threads than students hurt nobody.
    let variable = crate::support::answer(plain.command().env("PERKINS_PARTITIONS", "3").args([
        "run",
        "--no-publish",
        "--jurisdiction",
        JURISDICTION,
        "--report-years=2023..2024",
    ]));
    assert_eq!(variable.code, 0, "{}", variable.err);
    for (other, what) in others.iter().chain([&plain]).zip(["2 partitions", "8 partitions", "3 partitions"]) {
        assert_same_files(&one.lake(), &other.lake(), what);
        assert_same_files(&one.results(), &other.results(), what);
    }
}

/// Every collection's rows in another order, in other files of other names.
fn shuffle(from: &Path, to: &Path) {
    const FILES: usize = 3;
    for path in entries(from) {
        let parts = if path.is_dir() { entries(&path) } else { vec![path.clone()] };
        let collection = name(&path).split('.').next().unwrap();
        if collection == "README" {
            continue;
        }
        let mut header = None;
        let mut records = Vec::new();
        for part in parts {
            let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::None).from_path(&part).unwrap();
            let names = reader.headers().unwrap().clone();
            assert!(header.is_none() || header.as_ref() == Some(&names), "{}", part.display());
            header = Some(names);
            records.extend(reader.records().map(Result::unwrap));
        }
        // Far from the old order, and the same in every run of the test.
        records.sort_by_cached_key(|r| blake3::hash(r.iter().collect::<Vec<_>>().join("\u{1f}").as_bytes()).to_hex().to_string());
        fs::create_dir_all(to.join(collection)).unwrap();
        for part in 0..FILES {
            let file = to.join(collection).join(format!("{}-{collection}.csv", ["zebra", "apple", "mango"][part]));
            let mut writer = csv::Writer::from_path(file).unwrap();
            writer.write_record(header.as_ref().unwrap()).unwrap();
            records.iter().skip(part).step_by(FILES).for_each(|r| writer.write_record(r).unwrap());
        }
    }
}

#[test]
fn the_same_bytes_for_any_order_of_files_and_rows() {
    let other = Place::new();
    shuffle(&home().join("data/sample"), &other.raw());
    other.ingest(&other.raw());
    other.run(JURISDICTION, YEARS, &[]);
    let sample = sample();
    assert_same_files(&sample.lake(), &other.lake(), "lake of shuffled files");
    assert_same_files(&sample.results(), &other.results(), "results of shuffled files");
    let rejected = |place: &Place| -> Vec<u64> {
        place.manifest("load")["collections"].as_array().unwrap().iter().map(|c| c["rejected"].as_u64().unwrap()).collect()
    };
    assert_eq!(rejected(&sample), rejected(&other));
}

#[test]
fn several_report_years_in_one_run_are_those_of_single_runs() {
    let sample = sample();
    let together = sample.results();
    let apart = Place::new();
    apart.ingest(&home().join("data/sample"));
    let mut single = BTreeMap::new();
    for year in YEARS {
        apart.run(JURISDICTION, [year], &[]);
        single.extend(apart.results());
    }
    assert_same_files(&together, &single, "single years");
}

#[test]
fn loading_the_same_folder_again_changes_nothing() {
    let place = Place::new();
    let raw = home().join("data/sample");
    place.ingest(&raw);
    let (commit, before) = (place.commit(), files(&place.restricted()));
    let said = place.ingest(&raw);
    assert!(said.contains("unchanged"), "{said}");
    assert_eq!(place.commit(), commit);
    let mut after = files(&place.restricted());
    after.retain(|path, _| path != Path::new("_lock"));
    let before: BTreeMap<_, _> = before.into_iter().filter(|(path, _)| path != Path::new("_lock")).collect();
    assert_same_files(&before, &after, "loaded again");
}

/// The later years in a second load: the keys of students differ, the results must not.
#[test]
fn loading_years_in_two_steps_gives_the_same_results() {
    let made = Place::new();
    let raw = synth(&made, 1500, "2019..2024", &[]);
    let whole = Place::new();
    whole.ingest(&raw);
    whole.run(JURISDICTION, YEARS, &[]);
    let steps = Place::new();
    let (first, second) = (steps.path().join("first"), steps.path().join("second"));
    for (path, bytes) in files(&raw) {
        let collection = text(&path).split(['/', '.']).next().unwrap();
        let contract = perkins::contract::Contracts::embedded().unwrap().get(collection).unwrap().clone();
        let all = rows_of(&raw.join(&path));
        // A collection without a partition is replaced whole: its second load has the old rows too.
        let of_year = |keep: &dyn Fn(i32) -> bool| -> String {
            let header: Vec<&str> = contract.fields.iter().map(|f| f.name.as_str()).collect();
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&header).unwrap();
            for row in all.iter().filter(|r| contract.partition.as_ref().is_none_or(|p| keep(r[p].parse().unwrap()))) {
                writer.write_record(header.iter().map(|h| row.get(*h).map_or("", String::as_str))).unwrap();
            }
            String::from_utf8(writer.into_inner().unwrap()).unwrap()
        };
        let write = |folder: &Path, content: &[u8]| {
            fs::create_dir_all(folder.join(&path).parent().unwrap()).unwrap();
            fs::write(folder.join(&path), content).unwrap();
        };
        if contract.partition.is_some() {
            let (early, late) = (of_year(&|y| y < 2024), of_year(&|y| y >= 2024));
            // A file without rows would be a load of nothing.
            if early.lines().count() > 1 {
                write(&first, early.as_bytes());
            }
            if late.lines().count() > 1 {
                write(&second, late.as_bytes());
            }
        } else {
            // What refers to students of 2024 can only come with them.
            if contract.foreign_keys.is_empty() {
                write(&first, &bytes);
            }
            write(&second, &bytes);
        }
    }
    steps.ingest(&first);
    steps.run(JURISDICTION, [2023], &[]);
    steps.ingest(&second);
    steps.run(JURISDICTION, YEARS, &[]);
    assert_same_files(&whole.results(), &steps.results(), "two steps");
    assert_ne!(whole.lake(), steps.lake(), "the keys were given in another order, or this test shows nothing");
}
