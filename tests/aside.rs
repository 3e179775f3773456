//! Ingest: rows that memory shall not hold are put aside, and what comes of them is the same to the last byte.

use crate::school::{PROGRAM, School};
use crate::support::{entries, home};
use perkins::ingest::Options;
use perkins::lake::STUDENTS_PER_BLOCK;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// What comes of a folder: first as it is, then with `more` over it. The id of a load is made of all that is in it: files with their hashes,
/// counts, warnings, rejects.
fn loads(raw: &Path, more: &Path, options: Options) -> [String; 2] {
    let mut place = School::new();
    place.options = Options { max_reject_rate: 1.0, ..options };
    let mut ids = Vec::new();
    for folder in [raw, more] {
        if place.raw().exists() {
            place.clear();
        }
        for path in entries(folder) {
            place.file(path.file_name().unwrap().to_str().unwrap(), &fs::read(&path).unwrap());
        }
        let load = place.try_ingest().unwrap().load;
        assert!(load.collections.iter().all(|c| c.accepted > 0), "{:?}", load.collections);
        ids.push(load.load_id.clone());
        place.previous = Some(load);
    }
    ids.try_into().unwrap()
}

/// The same for little and no room, small pieces of files, one thread and several.
#[track_caller]
fn same(raw: &Path, more: &Path) {
    let expected = loads(raw, more, Options { partitions: 2, ..Options::default() });
    for (partitions, room_bytes, chunk_bytes) in [(1, 0, 1 << 20), (3, 0, 100_000), (2, 300_000, 50_000)] {
        let got = loads(raw, more, Options { partitions, room_bytes, chunk_bytes, ..Options::default() });
        assert_eq!(got, expected, "{partitions} threads, {room_bytes} bytes of room");
    }
}

#[test]
fn every_collection_of_the_sample() {
    let sample = home().join("data/sample");
    let place = School::new();
    for path in entries(&sample) {
        let files = if path.is_dir() { entries(&path) } else { vec![path] };
        // Each collection's files lie in one folder here; the names of files are of no account.
        for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "csv")) {
            let name = file.strip_prefix(&sample).unwrap();
            let collection = name.iter().next().unwrap().to_str().unwrap().trim_end_matches(".csv");
            let target = format!("{collection}.csv");
            let text = fs::read_to_string(file).unwrap();
            let before = fs::read_to_string(place.raw().join(&target)).unwrap_or_default();
            let rows = if before.is_empty() { text } else { text.split_once('\n').unwrap().1.to_string() };
            place.file(&target, (before + &rows).as_bytes());
        }
    }
    same(&place.raw(), &place.raw());
}

/// More students than a row group has, so that a partition is divided: in no order, with rows that come twice, that contradict each other, and that
/// are no rows at all, so that the numbers of students are not the places of their ids.
#[test]
fn more_students_than_a_slice_holds() {
    let students = 2 * u64::from(STUDENTS_PER_BLOCK) + 9_000;
    // 7,919 is prime to the number of students: each comes once, far from the one before.
    let mixed = |i: u64| i * 7_919 % students;
    let mut student = "school_year,student_id,education_level,gender,race_ethnicity\n".to_string();
    let mut exit = "school_year,student_id,institution_id,exit_kind\n".to_string();
    let mut cte_course =
        "school_year,student_id,program_id,course_code,term,grade,course_level,credits_earned,passed,cte_specific\n".to_string();
    // Years take turns, so that lines jump from row to row.
    for i in 0..students {
        for year in [2023, 2024] {
            let id = mixed(i);
            if id % 3 == 0 {
                writeln!(cte_course, "{year},{id},P,C{},FA,11,introductory,1.00,Y,N", id % 40).unwrap();
            }
            let gender = if id % 1_000 == 1 { "Q" } else { "F" };
            writeln!(student, "{year},{id},secondary,{gender},white").unwrap();
            if id % 500 == 2 {
                writeln!(student, "{year},{id},secondary,F,white").unwrap();
            }
            if id % 700 == 3 {
                writeln!(student, "{year},{id},secondary,M,white").unwrap();
            }
            if id % 5 == 4 {
                writeln!(exit, "{year},{},S{},dropped_out", if id % 25 == 4 { id + students } else { id }, id % 3).unwrap();
            }
        }
    }
    let (raw, more) = (School::new(), School::new());
    raw.file("student.csv", student.as_bytes());
    raw.file("exit.csv", exit.as_bytes());
    // It numbers its courses, but is in the order of students.
    raw.file("cte_course.csv", cte_course.as_bytes());
    raw.file("program.csv", format!("{PROGRAM}2020,P,S1,Baking,52.0101,approved\n").as_bytes());
    // Some of those that were never accepted come right, with others between them.
    let mut again = "school_year,student_id,education_level,gender,race_ethnicity\n".to_string();
    for i in 0..students {
        writeln!(again, "2024,{}{},secondary,F,white", mixed(i), if i % 50 == 7 { "x" } else { "" }).unwrap();
    }
    more.file("student.csv", again.as_bytes());
    same(&raw.raw(), &more.raw());
}
