//! Ingest (collections.md): keys, references and loads; every row counted, and the same bytes whatever the machine.

use crate::school::{COURSE, Dice, ENROLLMENT, PROGRAM, STUDENT, School, brief, contents, counts, owned, rejects};
use perkins::contract::Contracts;
use perkins::error::Error;
use perkins::ingest::Options;
use perkins::lake::{LakeReader, Load, STUDENTS_PER_BLOCK};
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn equal_rows_are_kept_once_and_different_ones_not_at_all() {
    let place = School::with(&[
        (
            "student/b.csv",
            &format!("{STUDENT}2024,1,secondary,F,white\n2024,2,secondary,F,white\n2024,3,secondary,F,white\n2024,4,middle,F,white\n"),
        ),
        (
            "student/a.csv",
            &format!(
                "{STUDENT}2024,1, SECONDARY ,f,White\n2024,2,secondary,M,white\n2024,3,secondary,F,white\n2024,3,secondary,F,asian\n2024,4,secondary,F,white\n"
            ),
        ),
    ]);
    let outcome = place.ingest();
    let inputs: Vec<_> = outcome.load.inputs.iter().map(|i| (i.path.as_str(), i.accepted, i.duplicates, i.rejected)).collect();
    // Student 1: the row of a.csv stays, that of b.csv is the duplicate. 2: two rows differ. 3: two equal, one different: one duplicate, and the two that differ go. 4: two levels.
    assert_eq!(inputs, [("student/a.csv", 2, 0, 3), ("student/b.csv", 1, 2, 1)]);
    let found: Vec<_> = rejects(&outcome).into_iter().map(|r| (r.file, r.line, r.rule, r.text, r.field)).collect();
    let row = |file: &str, line, id: &str| {
        (format!("student/{file}.csv"), line, "conflicting_key".to_string(), format!("2024,{id},secondary"), String::new())
    };
    assert_eq!(found, [row("a", 3, "2"), row("a", 4, "3"), row("a", 5, "3"), row("b", 3, "2")]);
    let messages: Vec<String> = rejects(&outcome).into_iter().map(|r| r.message).collect();
    assert!(messages[0].contains("but differ in gender;") && messages[1].contains("but differ in race_ethnicity;"));
    let others: Vec<_> = messages.iter().filter_map(|m| m.split("another is ").nth(1)?.split(';').next()).collect();
    assert_eq!(others, ["student/b.csv line 3", "student/a.csv line 5", "student/a.csv line 4", "student/a.csv line 3"]);
}

#[test]
fn null_parts_of_a_key_are_equal() {
    let header = "report_year,indicator,grantee_id,target_percent\n";
    let place =
        School::with(&[("target.csv", &format!("{header}2024,1S1,,50\n2024,1S1,,50.00\n2024,1S1,G,40\n2024,2S1,,1\n2024,2S1,,2\n"))]);
    let outcome = place.ingest();
    let counts = counts(&outcome, "target");
    assert_eq!((counts.accepted, counts.duplicates, counts.rejected), (2, 1, 2));
    assert_eq!(place.column(&outcome.load, "target", "grantee_id"), ["", "G"]);
    assert_eq!(rejects(&outcome)[0].text, "2024,2S1,");
}

#[test]
fn references_are_checked_and_rejects_cascade() {
    let course = |year, student, program: &str, code| format!("{year},{student},{program},{code},,11,advanced,1,Y\n");
    let place = School::with(&[
        (
            "student.csv",
            &format!("{STUDENT}2024,1,secondary,F,white\n2024,2,secondary,Q,white\n2024,3,secondary,F,white\n2024,3,secondary,M,white\n"),
        ),
        ("program.csv", &format!("{PROGRAM}2023,P,S,Name,520101,approved\n2023,R,S,Name,bad,approved\n")),
        (
            "cte_course.csv",
            &format!(
                "{COURSE}{}{}{}{}{}{}{}{}",
                course(2022, 1, "P", "early"),
                course(2023, 1, "P", "same"),
                course(2025, 1, "P", "late"),
                course(2024, 1, "R", "rejected program"),
                course(2024, 2, "P", "rejected student"),
                course(2024, 3, "P", "conflicting student"),
                course(2024, 9, "Q", "both unknown"),
                course(2024, 9, "Q", "both unknown"),
            ),
        ),
        (
            "credential.csv",
            "student_id,credential_code,earned_on,recognized,program_id\n1,A,2019-01-01,Y,P\n1,B,2019-01-01,Y,\n1,C,2019-01-01,Y,X\n",
        ),
    ]);
    let outcome = place.ingest();
    assert_eq!(place.column(&outcome.load, "cte_course", "course_code"), ["same", "late"]);
    assert_eq!(place.column(&outcome.load, "cte_course", "program_key"), ["0", "0"]);
    assert_eq!(place.column(&outcome.load, "credential", "credential_code"), ["A", "B"]);
    assert_eq!(place.column(&outcome.load, "credential", "program_key"), ["0", ""]);
    let found: Vec<_> = rejects(&outcome).into_iter().filter(|r| r.rule == "foreign_key").map(|r| (r.line, r.field, r.text)).collect();
    let row = |line, field: &str, text: &str| (line, field.to_string(), text.to_string());
    let (student, program) = ("student_id", "program_id");
    let courses = [row(2, program, "P"), row(5, program, "R"), row(6, student, "2"), row(7, student, "3"), row(8, student, "9")];
    assert_eq!(found, [&[row(4, program, "X")], courses.as_slice()].concat());
    assert_eq!(counts(&outcome, "cte_course").duplicates, 1);
    let message = |line| rejects(&outcome).into_iter().find(|r| r.collection == "cte_course" && r.line == line).unwrap().message;
    assert_eq!(message(2), "no accepted row of program of the same or an earlier school_year has this program_id");
    assert_eq!(message(6), "no accepted row of student has this student_id");
    assert_eq!(outcome.load.surrogates["student_key"].count, 1);
}

#[test]
fn unknown_institutions_are_a_warning() {
    let students: String = (1..9).map(|i| format!("2024,{i},secondary,F,white\n")).collect();
    let enrollments: String = (1..9).map(|i| format!("2024,{i},S{},11\n", 9 - i)).collect();
    let institution = "school_year,institution_id,institution_kind,grantee_id,grantee_name\n1999,S2,school,G,g\n";
    let place = School::with(&[
        ("student.csv", &format!("{STUDENT}{students}")),
        ("institution.csv", institution),
        ("enrollment.csv", &format!("{ENROLLMENT}{enrollments}2024,77,S99,11\n")),
    ]);
    let outcome = place.ingest();
    let warning = outcome.load.warnings.iter().find(|w| w.check == "unknown_institution").unwrap();
    assert_eq!((warning.collection.as_deref(), warning.count), (Some("enrollment"), 7));
    assert_eq!(warning.examples, ["S1", "S3", "S4", "S5", "S6"]);
    assert_eq!(counts(&outcome, "enrollment").accepted, 8);
}

/// Students and courses of three years, with faults, in random order.
fn school(seed: u64, students: u64) -> BTreeMap<&'static str, Vec<String>> {
    let mut dice = Dice(seed);
    let mut rows: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for year in 2022..2025 {
        rows.entry("program").or_default().extend((0..9).map(|p| format!("{year},P{p},S{p},Program {p},5201{p:02},approved")));
        for id in 0..students {
            let race = ["white", "asian", "Hispanic_or_Latino", "?"][dice.roll(20).min(23) as usize % 4];
            rows.entry("student").or_default().push(format!(
                "{year},N{:04},secondary,{},{race}",
                id * 7 % students,
                ["F", "M"][dice.roll(2) as usize]
            ));
            for _ in 0..dice.roll(4) {
                let term = ["", "S1", "\"S2, late\""][dice.roll(3) as usize];
                let course = format!(
                    "{year},N{:04},P{},C{},{term},{},advanced,{}.5,{}",
                    dice.roll(students + 3),
                    dice.roll(9),
                    dice.roll(30),
                    9 + dice.roll(4),
                    dice.roll(31),
                    ["Y", "n"][dice.roll(2) as usize]
                );
                rows.entry("cte_course").or_default().push(course);
            }
        }
    }
    for rows in rows.values_mut() {
        let again: Vec<String> = (0..rows.len() / 50).map(|_| rows[dice.roll(rows.len() as u64) as usize].clone()).collect();
        rows.extend(again);
        (0..rows.len()).for_each(|i| rows.swap(i, 0));
        for i in 0..rows.len() {
            let j = dice.roll(rows.len() as u64) as usize;
            rows.swap(i, j);
        }
    }
    rows
}

#[test]
fn the_lake_is_the_same_whatever_the_threads_files_and_order() {
    let rows = school(1, 400);
    let mut seen: Vec<(Load, Vec<u64>)> = Vec::new();
    for (partitions, chunk_bytes, files, backwards) in [(1, 1 << 20, 1, false), (2, 999, 3, false), (5, 20_000, 4, true), (3, 1, 2, true)] {
        let mut place = School::new();
        place.options = Options { partitions, chunk_bytes, ..place.options.clone() };
        for (collection, rows) in &rows {
            let header = match *collection {
                "student" => STUDENT,
                "program" => PROGRAM,
                _ => COURSE,
            };
            let mut rows = rows.clone();
            if backwards {
                rows.reverse();
            }
            for (i, part) in rows.chunks(rows.len().div_ceil(files)).enumerate() {
                place.file(&format!("{collection}/{}.csv", files - i), format!("{header}{}\n", part.join("\n")).as_bytes());
            }
        }
        let outcome = place.ingest();
        let mut reasons = rejects(&outcome).into_iter().map(|r| (r.field, r.rule, r.text)).collect::<Vec<_>>();
        reasons.sort();
        assert!(reasons.len() > 100);
        let counted: Vec<u64> = outcome.load.collections.iter().flat_map(|c| [c.read, c.accepted, c.duplicates, c.rejected]).collect();
        let written: Vec<u64> = outcome.load.files.iter().map(|f| f.rows).collect();
        seen.push((outcome.load, [counted, written].concat()));
    }
    for (load, counted) in &seen[1..] {
        assert_eq!(contents(&load.files), contents(&seen[0].0.files));
        assert_eq!(load.surrogates, seen[0].0.surrogates);
        assert_eq!(*counted, seen[0].1);
    }
    // By year and sorted by student, program, course and term, nulls first.
    let order = seen[0].0.files_of("cte_course").map(|f| f.partition).collect::<Vec<_>>();
    assert_eq!(order, [Some(2022), Some(2023), Some(2024)]);
}

#[test]
fn rows_of_a_file_are_sorted_by_key() {
    let place = School::new();
    for (collection, rows) in school(2, 300) {
        let header =
            [("student", STUDENT), ("program", PROGRAM), ("cte_course", COURSE)].into_iter().find(|h| h.0 == collection).unwrap().1;
        place.file(&format!("{collection}.csv"), format!("{header}{}\n", rows.join("\n")).as_bytes());
    }
    let outcome = place.ingest();
    for year in [2022, 2023, 2024] {
        let mut load = outcome.load.clone();
        load.files.retain(|f| f.partition == Some(year));
        let column = |name: &str| place.column(&load, "cte_course", name);
        let keys: Vec<i32> = column("student_key").iter().map(|k| k.parse().unwrap()).collect();
        let (ids, programs, courses, terms) = (column("student_id"), column("program_id"), column("course_code"), column("term"));
        let all: Vec<_> = (0..keys.len()).map(|i| (keys[i], &ids[i], &programs[i], &courses[i], &terms[i])).collect();
        assert!(all.len() > 300 && all.windows(2).all(|w| w[0] < w[1]));
        let by_id: Vec<_> = (0..keys.len()).map(|i| &ids[i]).collect();
        assert!(by_id.is_sorted());
    }
}

#[test]
fn loading_again_changes_nothing_and_a_year_is_replaced_alone() {
    let students = |year: i32, ids: &[&str]| ids.iter().map(|id| format!("{year},{id},secondary,F,white\n")).collect::<String>();
    let mut place = School::with(&[
        ("student.csv", &format!("{STUDENT}{}{}", students(2023, &["B", "D"]), students(2024, &["D", "F"]))),
        ("placement.csv", "student_id,placement_year,placement_quarter,placement_kind,source\nB,2024,4,employment,survey\n"),
    ]);
    let first = place.ingest();
    assert!(!first.unchanged);
    place.previous = Some(first.load.clone());
    let again = place.try_ingest().unwrap();
    assert!(again.unchanged);
    assert_eq!(again.load, first.load);

    // A corrected 2024 with an id that sorts between the others: old ids keep their keys, the new one gets the next.
    place.clear();
    place.file("student.csv", format!("{STUDENT}{}", students(2024, &["F", "A", "C"])).as_bytes());
    place.file("enrollment.csv", format!("{ENROLLMENT}2024,B,S,11\n2024,A,S,11\n2024,F,S,11\n2024,X,S,11\n").as_bytes());
    let second = place.ingest();
    assert_eq!(place.column(&second.load, "student", "student_id"), ["B", "D", "F", "A", "C"]);
    assert_eq!(place.column(&second.load, "student", "student_key"), ["0", "1", "2", "3", "4"]);
    assert_eq!(place.column(&second.load, "enrollment", "student_key"), ["0", "2", "3"]);
    let path = |load: &Load, year| load.files_of("student").find(|f| f.partition == Some(year)).unwrap().stored.path.clone();
    assert_eq!(path(&second.load, 2023), path(&first.load, 2023));
    assert_ne!(path(&second.load, 2024), path(&first.load, 2024));
    assert_eq!(second.load.files_of("placement").count(), 1);

    // B and D have no row in any year once 2023 is replaced: their keys stay, but nothing may refer to them.
    place.previous = Some(second.load);
    place.clear();
    place.file("student.csv", format!("{STUDENT}{}", students(2023, &["F"])).as_bytes());
    place.file("enrollment.csv", format!("{ENROLLMENT}2024,B,S,11\n2024,A,S,11\n").as_bytes());
    let third = place.ingest();
    assert_eq!(brief(&third), owned(&[(2, "student_id", "foreign_key")]));
    assert_eq!(third.load.surrogates["student_key"].count, 5);
    assert_eq!(place.column(&third.load, "student", "student_key"), ["2", "2", "3", "4"]);
}

#[test]
fn references_reach_into_years_that_stay() {
    let mut place = School::with(&[
        ("student.csv", &format!("{STUDENT}2022,1,secondary,F,white\n")),
        ("program.csv", &format!("{PROGRAM}2022,P,S,Name,520101,approved\n")),
        ("institution.csv", "school_year,institution_id,institution_kind,grantee_id,grantee_name\n2022,S,school,G,g\n"),
    ]);
    place.previous = Some(place.ingest().load);
    place.clear();
    place.file("cte_course.csv", format!("{COURSE}2021,1,P,A,,11,advanced,1,Y\n2024,1,P,B,,11,advanced,1,Y\n").as_bytes());
    place.file("enrollment.csv", format!("{ENROLLMENT}2024,1,S,11\n2023,1,T,11\n").as_bytes());
    let outcome = place.ingest();
    assert_eq!(brief(&outcome), owned(&[(2, "program_id", "foreign_key")]));
    assert_eq!(outcome.load.warnings.iter().find(|w| w.check == "unknown_institution").unwrap().examples, ["T"]);
    assert_eq!(outcome.load.files.len(), 6);
}

#[test]
fn a_load_fails_above_one_percent_and_above_ten() {
    let load = |good: usize, bad: usize| {
        let rows =
            (0..good).map(|i| format!("2024,G{i},secondary,F,white\n")).chain((0..bad).map(|i| format!("2024,B{i},secondary,Q,white\n")));
        let mut place = School::with(&[("student.csv", &format!("{STUDENT}{}", rows.collect::<String>()))]);
        place.options.max_reject_rate = 0.01;
        let result = place.try_ingest();
        (place, result)
    };
    assert!(load(0, 10).1.is_ok());
    assert!(load(1089, 11).1.is_ok());
    let (place, result) = load(1088, 11);
    let Err(Error::Data(message)) = result else { panic!("{result:?}") };
    assert!(message.contains("student: 11 of 1099 rows (1.00 %; at most 1 % may be): code in gender 11"), "{message}");
    let table = message.split(" are in ").nth(1).unwrap().split(". Correct").next().unwrap();
    assert!(Path::new(table).starts_with(place.root()) && Path::new(table).is_file());
}

#[test]
fn row_groups_do_not_cross_student_blocks() {
    let students = 70_000;
    let rows: String =
        (0..students).rev().map(|i| format!("2024,{i:06},secondary,{},white\n", if i % 3 == 0 { "F" } else { "M" })).collect();
    let place = School::with(&[("student.csv", &format!("{STUDENT}{rows}"))]);
    let outcome = place.ingest();
    let contracts = Contracts::embedded().unwrap();
    let schema = contracts.lake_schema(contracts.get("student").unwrap());
    let file = outcome.load.files_of("student").next().unwrap();
    let reader = LakeReader::open(&place.root(), &file.stored.path, schema).unwrap();
    let block = STUDENTS_PER_BLOCK as i32;
    let groups: Vec<_> = reader.row_groups("student_key").into_iter().map(|g| (g.rows as i32, g.keys.unwrap())).collect();
    assert_eq!(groups, [(block, (0, block - 1)), (students - block, (block, students - 1))]);
    let ids = place.column(&outcome.load, "student", "student_id");
    assert!(ids.iter().enumerate().all(|(i, id)| *id == format!("{i:06}")));
    let genders = place.column(&outcome.load, "student", "gender");
    assert!(genders.iter().enumerate().all(|(i, g)| (g == "F") == (i % 3 == 0)));
}
