//! Data quality: what each check found and where, rows from year to year, what the lake has; `perkins check`; loads that change nothing or fail.

use crate::support::{Place, files, loaded, place};
use serde_json::Value;
use std::fmt::Write;

/// Adds lines to a raw file; gives the line of the first.
fn add(place: &Place, file: &str, lines: &str) -> usize {
    let path = place.raw().join(file);
    let content = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{content}{lines}")).unwrap();
    content.lines().count() + 1
}

/// A place with one fault of each kind, and the lines on which they begin in student.csv and exit.csv.
fn faulty() -> (Place, usize, usize) {
    let place = place();
    let student = add(
        &place,
        "student.csv",
        "2024,GIRL-6,secondary,Q,white\n2023,GIRL-7,secondary,M,white\n2024,GIRL-7,secondary,F,white\n2024,GIRL-7,secondary,F,white\n",
    );
    let exit = add(&place, "exit.csv", "2024,GIRL-7,S404,regular_diploma,2024-06-08\n");
    (place, student, exit)
}

#[test]
fn each_check_says_what_it_found_and_where() {
    let (place, student, exit) = faulty();
    let said = place.ingest(&place.raw());
    assert!(said.contains(&format!("student, gender_or_race_changes: 1 (such as student.csv line {})", student + 1)), "{said}");
    // A wrong column may stand in the place of an institution: its values are not shown either.
    assert!(said.contains(&format!("exit, unknown_institution: 1 (such as exit.csv line {exit})")), "{said}");
    assert!(!said.contains("GIRL") && !said.contains("S404"), "{said}");
    let checks = place.query("SELECT * FROM quality.data_quality");
    let of = |collection: &str, check: &str| -> [String; 5] {
        let is_it = |r: &&crate::support::Row| r["collection"] == collection && r["check"] == check;
        let row = checks.iter().find(is_it).unwrap_or_else(|| panic!("no {check} of {collection}"));
        ["severity", "status", "count", "rows", "share"].map(|c| row[c].clone())
    };
    // The header is no row.
    let read = student - 2 + 4;
    let share = format!("{}", 1.0 / read as f64);
    assert_eq!(of("student", "code"), ["error", "failed", "1", &read.to_string(), &share].map(String::from));
    assert_eq!(of("student", "duplicate"), ["information", "failed", "1", &read.to_string(), &share].map(String::from));
    assert_eq!(of("student", "type")[..3], ["error", "passed", "0"]);
    assert_eq!(of("student", "gender_or_race_changes")[..3], ["warning", "failed", "1"]);
    assert_eq!(of("exit", "unknown_institution")[..3], ["warning", "failed", "1"]);
    assert_eq!(of("program", "unknown_institution")[..3], ["warning", "passed", "0"]);
    // Not handed over; and a collection without references has none that can be wrong.
    assert_eq!(of("assessment", "code")[1], "not_applicable");
    assert_eq!(of("institution", "foreign_key")[1], "not_applicable");
    let examples = place.query("SELECT * FROM quality.data_quality_example ORDER BY collection, check");
    let examples: Vec<[&str; 6]> =
        examples.iter().map(|r| ["collection", "check", "file", "line", "field", "text"].map(|c| r[c].as_str())).collect();
    let lines = [exit, student, student + 1].map(|l| l.to_string());
    let expected = [
        ["exit", "unknown_institution", "exit.csv", &lines[0], "institution_id", "S404"],
        ["student", "code", "student.csv", &lines[1], "gender", "Q"],
        // The first row of hers, though the second is what differs: the check is of the student.
        ["student", "gender_or_race_changes", "student.csv", &lines[2], "student_id", "GIRL-7"],
    ];
    assert_eq!(examples, expected);
    let rejects = place.query("SELECT line, field FROM quality.reject");
    assert_eq!((rejects.len(), rejects[0]["line"].as_str()), (1, lines[1].as_str()));
    place.works(&["verify", "--read-data"]);
}

#[test]
fn rows_are_compared_from_year_to_year_and_the_lake_says_how_old_it_is() {
    let place = place();
    let mut enrollment = "school_year,student_id,institution_id,grade\n".to_string();
    let mut student = String::new();
    for (year, school, students) in [(2023, "S1", 0..40), (2023, "S2", 40..52), (2024, "S1", 0..15)] {
        for i in students {
            writeln!(enrollment, "{year},N{i},{school},11").unwrap();
            writeln!(student, "{year},N{i},secondary,F,white").unwrap();
        }
    }
    add(&place, "student.csv", &student);
    place.file("raw/enrollment/first.csv", &enrollment);
    place.file(
        "raw/institution.csv",
        &(std::fs::read_to_string(place.raw().join("institution.csv")).unwrap()
            + "2020,S2,school,G1,Grantee G1,School S2,D1,District D1\n"),
    );
    let said = place.works(&["check", "raw"]);
    // 15 after 40, and none after 12.
    let jumps: Vec<&str> = said.lines().skip_while(|l| !l.starts_with("rows that changed")).skip(1).take(2).collect();
    let jump = |school: &str, rows: &str| format!("  enrollment, institution_id {school}: {rows} in 2023");
    assert_eq!(jumps, [jump("S1", "15 in 2024 after 40"), jump("S2", "0 in 2024 after 12")], "{said}");
    place.works(&["ingest", "raw"]);
    let counts = place.query("SELECT * FROM quality.row_count WHERE collection = 'enrollment' ORDER BY year, value");
    let counts: Vec<[&str; 5]> =
        counts.iter().map(|r| ["value", "year", "rows", "rows_before", "change_percent"].map(|c| r[c].as_str())).collect();
    let expected = [
        ["S1", "2023", "40", "", ""],
        ["S2", "2023", "12", "", ""],
        ["S1", "2024", "15", "40", "-62.5"],
        ["S2", "2024", "0", "12", "-100.0"],
    ];
    assert_eq!(counts, expected);
    // The raw folder is no place for what is written.
    place.perkins(&["ingest", "raw", "--restricted", "raw/lake"]).refuses(3, &["restricted", "lies in the raw folder"]);
    place.perkins(&["check", "raw", "--public", "raw"]).refuses(3, &["public", "lies in the raw folder"]);
    // A correction of 2024 alone: 2023 is as old as it was, from the file that it came from.
    let of = |year: &str| -> [String; 3] {
        let sql = format!("SELECT * FROM quality.freshness WHERE collection = 'enrollment' AND year = {year}");
        ["rows", "files", "loaded_at"].map(|c| place.query(&sql)[0][c].clone())
    };
    let (before, old) = (of("2024"), of("2023"));
    assert_eq!((before[0].as_str(), before[1].as_str()), ("15", "enrollment/first.csv"));
    place.file("second/enrollment.csv", "school_year,student_id,institution_id,grade\n2024,N1,S1,11\n");
    let said = place.works(&["ingest", "second"]);
    assert!(said.contains("warning: enrollment, fewer_rows: 14 (such as 1 rows of 2024 after 15)"), "{said}");
    assert_eq!(of("2023"), old);
    assert_eq!(of("2024")[..2], ["1", "enrollment.csv"]);
}

#[test]
fn a_check_says_what_a_load_would_and_keeps_nothing() {
    let (place, student, exit) = faulty();
    let said = place.works(&["check", "raw"]);
    let has = |text: &str| assert!(said.contains(text), "{text}\n{said}");
    has(&format!("error: student, code: 1 of {} rows", student + 2));
    has(&format!("student.csv line {student} (gender: expected one of F, M, U, X)"));
    has("warning: exit, unknown_institution: 1 of");
    has(&format!("exit.csv line {exit}"));
    has("`perkins ingest` would load it");
    assert!(!said.contains("GIRL"), "{said}");
    assert!(!place.restricted().exists(), "nothing is kept");
    // Over a lake: what is not in the folder is what was loaded.
    place.works(&["ingest", "raw"]);
    let before = files(&place.restricted());
    let again = place.works(&["check", "raw"]);
    assert!(again.contains("nothing differs from load"), "{again}");
    place.file(
        "one/exit.csv",
        "school_year,student_id,institution_id,exit_kind\n2024,A,S1,regular_diploma\n2024,NOBODY,S1,regular_diploma\n",
    );
    let one = place.works(&["check", "one"]);
    assert!(
        one.contains("error: exit, foreign_key: 1 of 2 rows (50.00 %)")
            && one.contains("exit.csv line 3 (student_id: no accepted row of student"),
        "{one}"
    );
    assert!(files(&place.restricted()) == before, "something was kept");
    // Too much is wrong: the exit code of a failed load, with the same details.
    let bad: String = (0..20).map(|i| format!("2024,A,S1,none-such-{i}\n")).collect();
    place.file("one/exit.csv", &format!("school_year,student_id,institution_id,exit_kind\n{bad}"));
    let answer = place.perkins(&["check", "one"]);
    assert!(answer.out.contains("error: exit, code: 20 of 20 rows (100.00 %)"), "{}", answer.out);
    answer.refuses(1, &["too many rows", "--max-reject-rate"]);
    assert!(files(&place.restricted()) == before, "something was kept");
    place.perkins(&["check", "nowhere"]).refuses(3, &["nowhere"]);
}

#[test]
fn rows_that_stay_are_told_when_what_they_refer_to_is_gone() {
    let place = place();
    place.works(&["ingest", "raw"]);
    let of_a =
        |collection: &str| place.query(&format!("SELECT count(*) AS n FROM lake.{collection} WHERE student_id = 'A'"))[0]["n"].clone();
    let (exits, concentrators) = (of_a("exit"), of_a("cte_course"));
    assert!(exits != "0" && concentrators != "0");
    // Student A is taken out of the students by hand, and program P1 with them; nothing else is handed over again.
    let without = |file: &str, gone: &dyn Fn(&str) -> bool| {
        let content = std::fs::read_to_string(place.raw().join(file)).unwrap();
        let rest: String = content.lines().filter(|l| !gone(l)).map(|l| format!("{l}\n")).collect();
        place.file(&format!("second/{file}"), &rest);
    };
    without("student.csv", &|line| line.split(',').nth(1) == Some("A"));
    let said = place.works(&["ingest", "second"]);
    let warned = |collection: &str, rows: &str| {
        said.lines().any(|l| l.starts_with(&format!("warning: {collection}, orphaned_rows: {rows} (such as ")))
    };
    assert!(warned("exit", &exits) && warned("cte_course", &concentrators), "{said}");
    assert!(said.contains("without their student, from exit.csv"), "{said}");
    // It is a check like others, and goes away with the rows.
    let checks = "SELECT collection, title FROM quality.data_quality WHERE check = 'orphaned_rows'";
    assert!(place.query(checks).iter().all(|r| r["title"].starts_with("Rows of former loads that refer to")));
    without("program.csv", &|line| line.split(',').nth(1) == Some("P1"));
    let said = place.works(&["ingest", "second"]);
    assert!(said.contains("without their student or program, from cte_course.csv"), "{said}");
    let said = place.works(&["ingest", "raw"]);
    assert!(!said.contains("orphaned_rows"), "{said}");
}

#[test]
fn a_file_of_which_nothing_is_accepted_is_named() {
    let place = place();
    place.file("raw/enrollment/2024.csv", "school_year,student_id,institution_id,grade\n2024,NOBODY,S1,11\n2024,NOBODY-2,S1,11\n");
    place.file("raw/enrollment/none.csv", "school_year,student_id,institution_id,grade\n");
    let said = place.works(&["ingest", "raw"]);
    assert!(said.contains("warning: enrollment, no_row_accepted: 1 (such as enrollment/2024.csv)"), "{said}");
}

#[test]
fn when_a_change_is_told_is_data() {
    let place = place();
    let exits = |rows: u32| {
        let row = |i: u32| format!("2022,G{i},S1,transferred_out,\n");
        let student = |i: u32| format!("2022,G{i},secondary,F,white\n");
        place.file(
            "more/student.csv",
            &format!("school_year,student_id,education_level,gender,race_ethnicity\n{}", (0..20).map(student).collect::<String>()),
        );
        place.file(
            "more/exit.csv",
            &format!("school_year,student_id,institution_id,exit_kind,exit_date\n{}", (0..rows).map(row).collect::<String>()),
        );
    };
    let said = |rows: u32, flags: &[&str]| {
        exits(rows);
        place.works(&[&["ingest", "more"], flags].concat()).contains("exit, fewer_rows")
    };
    // 20 to 11 is less than half; 20 to 10 is half, and ten rows.
    assert_eq!([said(20, &[]), said(11, &[]), said(20, &[]), said(10, &[])], [false, false, false, true]);
    let limits = "[fewer_rows]\nshare = 0.1\nrows = 2\n[row_count]\nshare = 0.5\nrows = 10\n[lone_year]\nshare = 0.1\nyears = 2\n[latest_year]\ncollections = 0.5\nshare = 0.1\n";
    place.file("ours/data/intake/change.toml", limits);
    let ours = ["--overlay", "ours"];
    // 20 to 19 is one row; 20 to 18 is a tenth, and two rows.
    assert_eq!([said(20, &ours), said(19, &ours), said(20, &ours), said(18, &ours)], [false, false, false, true]);
    place.file("ours/data/intake/change.toml", &limits.replace("0.1", "1.1"));
    place.perkins(&["ingest", "raw", "--overlay", "ours"]).refuses(3, &["change.toml", "share", "1.1 must be a share from 0 to 1"]);
    place.file("ours/data/intake/change.toml", &limits.replace("rows", "row"));
    place.perkins(&["ingest", "raw", "--overlay", "ours"]).refuses(3, &["change.toml", "row"]);
}

#[test]
fn a_column_that_is_gone_is_told() {
    let place = place();
    place.works(&["ingest", "raw"]);
    let header = "school_year,student_id,education_level,gender,race_ethnicity";
    let rows = "2024,A,secondary,F,white\n2024,B,secondary,F,white\n";
    let said = |homeless: &str| {
        place.file("second/student/one.csv", &format!("{header},homeless\n2024,C,secondary,F,white,Y\n"));
        place.file(
            "second/student/two.csv",
            &format!("{header}{homeless}\n{}", if homeless.is_empty() { rows.to_string() } else { rows.replace("white", "white,N") }),
        );
        let answer = place.perkins(&["ingest", "second"]);
        assert_eq!(answer.code, 0, "{}", answer.err);
        answer.out + &answer.err
    };
    let without = said("");
    assert!(without.contains("warning: student, missing_column: 1 (such as student/two.csv has no homeless)"), "{without}");
    assert!(!said(",homeless").contains("missing_column"));
    // A name that is nearly it; what the load before had counts too.
    let misspelt = said(",homeles");
    assert!(misspelt.contains("homeles (did you mean homeless?)"), "{misspelt}");
    std::fs::remove_file(place.path().join("second/student/one.csv")).unwrap();
    place.file("second/student/two.csv", &format!("{header}\n{rows}"));
    let said = place.works(&["ingest", "second"]);
    assert!(said.contains("missing_column: 1 (such as student/two.csv has no homeless)"), "{said}");
    // Who never has it is not asked for it.
    assert!(!place.works(&["ingest", "second"]).contains("missing_column: 2"));
}

#[test]
fn a_year_that_stands_alone_is_told() {
    let place = place();
    let mut student = "school_year,student_id,education_level,gender,race_ethnicity\n".to_string();
    (0..20).for_each(|i| student += &format!("{},N{i},secondary,F,white\n", 2023 + i % 2));
    // A tenth of the ten of a year is one row.
    place.file("second/student.csv", &(student.clone() + "2042,N1,secondary,F,white\n"));
    let said = place.works(&["check", "second"]);
    assert!(said.contains("lone_year: 1") && said.contains("1 rows of 2042, from student.csv"), "{said}");
    // The next year; more than a tenth, not more than three years from the others; four, also before them.
    for (rows, told) in [
        ("2025,N1,secondary,F,white\n", false),
        ("2027,N1,secondary,F,white\n2027,N2,secondary,F,white\n", false),
        ("2019,N1,secondary,F,white\n2019,N2,secondary,F,white\n", true),
        ("2028,N1,secondary,F,white\n2028,N2,secondary,F,white\n", true),
    ] {
        place.file("second/student.csv", &(student.clone() + rows));
        assert_eq!(place.works(&["check", "second"]).contains("lone_year"), told, "{rows}");
    }
    // It is told until it is gone.
    place.works(&["ingest", "second"]);
    place.file("second/student.csv", &student);
    assert!(place.works(&["ingest", "second"]).contains("lone_year: 2"));
    place.perkins(&["remove", "student", "--year", "2029", "--reason", "mistyped"]).refuses(3, &["no row of student of 2029"]);
    place.perkins(&["remove", "credential", "--year", "2028", "--reason", "mistyped"]).refuses(3, &["divided by a year", "student"]);
    place.perkins(&["remove", "student", "N1", "--year", "2028", "--reason", "mistyped"]).refuses(3, &["--year"]);
    let said = place.works(&["remove", "student", "--year", "2028", "--reason", "mistyped"]);
    assert!(said.starts_with("student                              2 rows\n"), "{said}");
    assert!(place.works(&["status"]).contains("rows of student of 2028 were removed: mistyped"));
    assert!(!place.works(&["check", "second"]).contains("lone_year"));
    place.works(&["verify", "--read-data"]);
    place.file("second/student.csv", &(student + "2028,N1,secondary,F,white\n"));
    assert!(place.works(&["ingest", "second"]).contains("lone_year: 1"));
}

#[test]
fn a_mistyped_year_is_not_the_latest_and_is_not_published() {
    let lake = |more: &str| {
        let place = place();
        let mut student = "school_year,student_id,education_level,gender,race_ethnicity\n".to_string();
        (0..20).for_each(|i| student += &format!("{},N{i},secondary,F,white\n", 2023 + i % 2));
        place.file("second/student.csv", &(student + more));
        place.works(&["ingest", "second"]);
        place
    };
    let run = ["run", "--jurisdiction", "federal", "--no-publish"];
    let taken = |more: &str| {
        let ran = lake(more).perkins(&run);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let told = ran.err.split("report year ").nth(1).and_then(|rest| rest.split(':').next());
        told.map(|told| told.to_string())
    };
    // A tenth of the ten rows of the largest year is one row; two rows are more.
    assert_eq!(taken(""), None);
    assert_eq!(taken("2042,N1,secondary,F,white\n").as_deref(), Some("2024 is taken, not 2042"));
    assert_eq!(taken("2025,N1,secondary,F,white\n").as_deref(), Some("2024 is taken, not 2025"));
    assert_eq!(taken("2025,N1,secondary,F,white\n2025,N2,secondary,F,white\n"), None);
    // One collection of three has many rows of 2025; two are at least half.
    let enrollment = "school_year,student_id,institution_id,grade\n2024,N1,S1,11\n";
    let exit = "school_year,student_id,institution_id,exit_kind,exit_date\n2024,N1,S1,regular_diploma,\n";
    for (enrolled, told) in [("", Some("2024 is taken, not 2025")), ("2025,N1,S1,12\n", None)] {
        let place = lake("2025,N1,secondary,F,white\n2025,N2,secondary,F,white\n");
        place.file("second/enrollment.csv", &format!("{enrollment}{enrolled}"));
        place.file("second/exit.csv", exit);
        place.works(&["ingest", "second"]);
        let ran = place.perkins(&run);
        assert_eq!(ran.err.split("report year ").nth(1).and_then(|rest| rest.split(':').next()), told, "{}", ran.err);
    }
    let place = lake("2042,N1,secondary,F,white\n");
    let asked = place.perkins(&["run", "--jurisdiction", "federal", "--report-year", "2042"]);
    assert_eq!(asked.code, 0, "{}", asked.err);
    assert!(
        asked.out.contains("federal: not published: there is no figure of report year 2042; --report-year names another"),
        "{}",
        asked.out
    );
    assert!(!place.path().join("public/runs").exists());
}

#[test]
fn what_was_removed_and_is_back_is_told() {
    let place = place();
    place.works(&["ingest", "raw"]);
    place.works(&["remove", "student", "A", "--reason", "a court said so"]);
    // Another load between, so that it is not the one before that knows.
    place.file("second/institution.csv", &std::fs::read_to_string(place.raw().join("institution.csv")).unwrap());
    assert!(!place.works(&["ingest", "second"]).contains("removed_is_back"));
    let said = place.works(&["ingest", "raw"]);
    assert!(said.contains("warning: student, removed_is_back: 1 (such as removed because: a court said so)"), "{said}");
    place.works(&["verify"]);
}

#[test]
fn a_file_without_rows_replaces_nothing_and_is_told() {
    let place = place();
    let placement = "student_id,placement_year,placement_quarter,placement_kind,source\n";
    place.file("raw/placement.csv", &format!("{placement}A,2024,4,military,survey\n"));
    place.works(&["ingest", "raw"]);
    let rows = || place.query("SELECT count(*) AS n FROM lake.placement")[0]["n"].clone();
    assert_eq!(rows(), "1");
    for name in ["placement.csv", "placement.ndjson"] {
        place.file(&format!("{name}/{name}"), if name.ends_with("csv") { placement } else { "" });
        let said = place.works(&["ingest", name]);
        assert!(said.contains(&format!("warning: placement, file_without_rows: 1 (such as {name})")), "{said}");
        assert_eq!(rows(), "1");
    }
}

/// What a load logs of the collections that it reads.
fn collections_read(place: &Place, flags: &[&str]) -> usize {
    let answer = place.perkins(&[&["ingest", "raw", "--log-format", "json", "--log-level", "info"], flags].concat());
    assert_eq!(answer.code, 0, "{}", answer.err);
    answer.err.lines().filter(|l| l.contains("collection read")).count()
}

#[test]
fn the_same_files_are_not_read_again() {
    let place = place();
    assert!(collections_read(&place, &[]) > 3);
    let commit = place.commit();
    assert_eq!(collections_read(&place, &[]), 0);
    assert!(place.works(&["ingest", "raw"]).contains("unchanged"));
    // Another content of the same size, a file less, another contract: each is another load.
    let path = place.raw().join("exit.csv");
    let content = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, content.replacen("2024-06-08", "2024-06-07", 1)).unwrap();
    assert!(collections_read(&place, &[]) > 3);
    assert_ne!(place.commit(), commit);
    std::fs::write(&path, content).unwrap();
    place.works(&["ingest", "raw"]);
    std::fs::remove_file(place.raw().join("work_based_learning.csv")).unwrap();
    assert!(collections_read(&place, &[]) > 3);
    assert_eq!(collections_read(&place, &[]), 0);
    let contract = std::fs::read_to_string(crate::support::home().join("data/contract/exit.toml")).unwrap();
    place.file("ours/data/contract/exit.toml", &contract.replacen("description = \"", "description = \"Ours: ", 1));
    assert!(collections_read(&place, &["--overlay", "ours"]) > 3);
}

#[test]
fn every_load_is_in_the_history_also_one_that_failed() {
    let place = loaded();
    let before = place.commit();
    let good = std::fs::read_to_string(place.raw().join("exit.csv")).unwrap();
    let bad: String = (0..20).map(|i| format!("2024,A,S1,none-such-{i},\n")).collect();
    add(&place, "exit.csv", &bad);
    let refused = place.perkins(&["ingest", "raw"]);
    refused.refuses(1, &["too many rows are rejected", "exit: 20 of", "code in exit_kind 20"]);
    assert_eq!(place.commit(), before);
    let status: Value = serde_json::from_str(&place.works(&["status", "--format", "json"])).unwrap();
    let loads = status["loads"].as_array().unwrap();
    let outcomes: Vec<&str> = loads.iter().map(|l| l["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["failed", "current"], "{status}");
    assert_eq!(loads[0]["rejected"], 20);
    let exit = loads[0]["files"].as_array().unwrap().iter().find(|f| f["path"] == "exit.csv").unwrap();
    let hash = blake3::hash(&std::fs::read(place.raw().join("exit.csv")).unwrap()).to_hex().to_string();
    assert_eq!((exit["blake3"].as_str().unwrap(), &exit["rejected"]), (hash.as_str(), &Value::from(20)));
    let text = place.works(&["status"]);
    assert!(text.lines().any(|l| l.contains(" failed ") && l.ends_with(" 20")), "{text}");
    place.works(&["verify"]);
    // Corrected, it loads.
    std::fs::write(place.raw().join("exit.csv"), good).unwrap();
    assert!(place.works(&["ingest", "raw"]).contains("unchanged"));
}

#[test]
fn an_institution_is_removed_with_all_that_refers_to_it() {
    let place = place();
    // P9 is of S9, whose students have courses and records of it; P1 was of S9 in 2019 and of S1 since, so its rows stay.
    let institution = std::fs::read_to_string(place.raw().join("institution.csv")).unwrap();
    std::fs::write(place.raw().join("institution.csv"), institution + "2020,S9,school,G1,Grantee G1,School S9,D1,District D1\n").unwrap();
    add(&place, "program.csv", "2019,P1,S9,Program P1,52.1401,approved\n2020,P9,S9,Program P9,52.1401,approved\n");
    add(&place, "exit.csv", "2021,A,S9,transferred_out,\n");
    add(&place, "cte_course.csv", "2024,A,P9,P9-1,12,introductory,1.00,Y\n");
    add(&place, "work_based_learning.csv", "2024,A,P9,internship,40\n");
    let without = loaded();
    place.works(&["ingest", "raw"]);
    place.perkins(&["remove", "institution", "S9"]).refuses(3, &["--reason"]);
    let remove = |what: &[&str]| place.perkins(&[&["remove"], what, &["--reason", "closed"]].concat());
    remove(&["school", "S9"]).refuses(3, &["school", "institution"]);
    remove(&["institution", "S404"]).refuses(3, &["no row of institution", "S404"]);
    let before = files(&place.restricted());
    let said = place.works(&["remove", "institution", "S9", "--reason", "closed", "--dry-run"]);
    assert!(files(&place.restricted()) == before);
    let rows = |said: &str| -> Vec<String> {
        said.lines().filter(|l| l.ends_with(" rows")).map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let expected = ["cte_course 1 rows", "exit 1 rows", "institution 1 rows", "program 2 rows", "work_based_learning 1 rows"];
    assert_eq!(rows(&said), expected, "{said}");
    let said = place.works(&["remove", "institution", "S9", "--reason", "the school closed"]);
    assert_eq!(rows(&said), expected, "{said}");
    // The figures are what they would be if it had never come; the exit was the only one of its year.
    place.run("oregon", [2024], &[]);
    without.run("oregon", [2024], &[]);
    assert!(place.results() == without.results());
    assert!(place.works(&["status"]).contains("rows of one institution were removed: the school closed"));
    place.works(&["verify", "--read-data"]);
    let files_of = |place: &Place| place.query("SELECT collection, year, files FROM quality.freshness ORDER BY collection, year");
    assert_eq!(files_of(&place), files_of(&without));
    // A student goes the same way; an institution that others had before stays.
    place.works(&["remove", "student", "A", "--reason", "asked for it"]);
    for collection in ["student", "cte_course", "exit", "work_based_learning"] {
        assert_eq!(
            place.query(&format!("SELECT count(*) AS n FROM lake.{collection} WHERE student_id = 'A'"))[0]["n"],
            "0",
            "{collection}"
        );
    }
    place.works(&["verify", "--read-data"]);
    // The files still have everything.
    place.works(&["ingest", "raw"]);
    assert_eq!(place.query("SELECT count(*) AS n FROM lake.exit WHERE institution_id = 'S9'")[0]["n"], "1");
}

/// Names of warnings stand where they are made; each has a title.
#[test]
fn every_warning_has_a_title() {
    let titles: std::collections::BTreeMap<String, String> =
        toml::from_str(&std::fs::read_to_string(crate::support::home().join("data/intake/warning.toml")).unwrap()).unwrap();
    let mut folders = vec![crate::support::home().join("pipeline")];
    let mut names = std::collections::BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&entry).unwrap();
                let made = ["Warning::new(\"", ".tell(\""].iter().flat_map(|call| text.split(call).skip(1));
                names.extend(made.filter_map(|rest| rest.split_once('"')).map(|(name, _)| name.to_string()));
            }
        }
    }
    assert!(names.len() >= 10, "{names:?}");
    let without: Vec<&String> = names.iter().filter(|name| !titles.contains_key(*name)).collect();
    assert!(without.is_empty(), "{without:?} have no title in data/intake/warning.toml");
}

/// The program is there before the year of the course only in the year that goes.
#[test]
fn what_a_removed_year_leaves_without_what_it_refers_to_is_told() {
    let place = place();
    place.file("more/student.csv", "school_year,student_id,education_level,gender,race_ethnicity\n2023,A,secondary,F,white\n");
    let program = "school_year,program_id,institution_id,program_name,cip_code,approval\n";
    place.file("more/program.csv", &format!("{program}2013,P1,S1,Name,520101,approved\n2024,P1,S1,Name,520101,approved\n"));
    let course = "school_year,student_id,program_id,course_code,term,grade,course_level,credits_earned,passed\n";
    place.file("more/cte_course.csv", &format!("{course}2023,A,P1,C1,,11,advanced,1,Y\n"));
    place.works(&["ingest", "more"]);
    let said = place.works(&["remove", "program", "--year", "2013", "--reason", "mistyped"]);
    assert!(said.contains("warning: cte_course, orphaned_rows: 1 (1 rows of 2023 without their program, from cte_course.csv)"), "{said}");
}

#[test]
fn a_file_that_is_not_handed_over_again_is_told() {
    let place = place();
    let header = "school_year,student_id,education_level,gender,race_ethnicity\n";
    let file = |name: &str, ids: std::ops::Range<u32>| {
        let rows: String = ids.map(|i| format!("2024,N{i},secondary,F,white\n")).collect();
        place.file(&format!("more/student/{name}.csv"), &format!("{header}{rows}"));
    };
    file("a", 0..6);
    file("b", 6..10);
    place.works(&["ingest", "more"]);
    std::fs::remove_file(place.path().join("more/student/b.csv")).unwrap();
    file("a", 0..7);
    let said = place.works(&["ingest", "more"]);
    assert!(said.contains("student, file_gone: 1 (such as 7 rows of 2024 after 10, and no student/b.csv)"), "{said}");
    // Under another name, with as many rows.
    std::fs::remove_file(place.path().join("more/student/a.csv")).unwrap();
    file("corrected", 1..8);
    assert!(!place.works(&["ingest", "more"]).contains("file_gone"));
}

#[test]
fn rows_without_their_institution_are_told_when_it_goes() {
    let place = place();
    place.works(&["ingest", "raw"]);
    let institution = std::fs::read_to_string(place.raw().join("institution.csv")).unwrap();
    let other = institution.replace(",S1,", ",S-OTHER,");
    assert!(other != institution);
    place.file("second/institution.csv", &other);
    let said = place.works(&["ingest", "second"]);
    assert!(said.contains("exit, orphaned_rows: ") && said.contains(" without their institution, from "), "{said}");
    assert!(!place.works(&["ingest", "raw"]).contains("orphaned_rows"));
}

/// More students than a shard has (65,536), and one of a later load, whose number is the last though its id is the first.
#[test]
fn a_check_finds_students_of_every_shard_in_the_order_of_their_ids() {
    let place = place();
    let header = "school_year,student_id,education_level,gender,race_ethnicity\n";
    let race = |i: u32| if i == 7 || i == 65_999 { "unknown" } else { "white" };
    let rows: String = (0..66_000).map(|i| format!("2023,M{i:05},secondary,F,{}\n", race(i))).collect();
    place.file("many/student/2023.csv", &format!("{header}{rows}"));
    assert!(
        place
            .works(&["ingest", "many"])
            .contains("student, race_unknown: 2 (such as student/2023.csv line 9, student/2023.csv line 66001)")
    );
    place.file("many/student/2024.csv", &format!("{header}2024,A1,secondary,F,unknown\n"));
    let first = "student, race_unknown: 3 (such as student/2024.csv line 2, student/2023.csv line 9, student/2023.csv line 66001)";
    let said = place.works(&["ingest", "many"]);
    assert!(said.contains(first), "{said}");
}
