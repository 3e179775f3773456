//! Ingest, from raw files to the lake (collections.md): every check, every counted row, and the same bytes whatever the machine.

use arrow::array::{Array, AsArray};
use arrow::util::display::array_value_to_string;
use perkins::contract::Contracts;
use perkins::error::Error;
use perkins::ingest::fields::{Place, Tile};
use perkins::ingest::records::{Chunk, Records};
use perkins::ingest::{Options, Outcome, ingest};
use perkins::lake::{Counts, LakeReader, Load, STUDENTS_PER_BLOCK};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const STUDENT: &str = "school_year,student_id,education_level,gender,race_ethnicity\n";
const PROGRAM: &str = "school_year,program_id,institution_id,program_name,cip_code,approval\n";
const COURSE: &str = "school_year,student_id,program_id,course_code,term,grade,course_level,credits_earned,passed\n";
const ENROLLMENT: &str = "school_year,student_id,institution_id,grade\n";

/// A raw folder and a restricted root of its own.
struct School {
    folder: TempDir,
    options: Options,
    previous: Option<Load>,
}

/// A row of the reject table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rejected {
    collection: String,
    file: String,
    line: i64,
    field: String,
    rule: String,
    text: String,
    message: String,
}

impl School {
    fn new() -> Self {
        let options = Options { partitions: 2, max_reject_rate: 1.0, ..Options::default() };
        School { folder: tempfile::tempdir().unwrap(), options, previous: None }
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let place = Self::new();
        files.iter().for_each(|(name, text)| place.file(name, text.as_bytes()));
        place
    }

    fn raw(&self) -> PathBuf {
        self.folder.path().join("raw")
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("restricted")
    }

    fn file(&self, name: &str, content: &[u8]) {
        let path = self.raw().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn clear(&self) {
        fs::remove_dir_all(self.raw()).unwrap();
    }

    fn try_ingest(&self) -> Result<Outcome, Error> {
        ingest(&self.raw(), &Contracts::embedded().unwrap(), self.previous.as_ref(), &self.root(), &self.options)
    }

    fn ingest(&self) -> Outcome {
        let outcome = self.try_ingest().unwrap_or_else(|e| panic!("{e}"));
        for input in &outcome.load.inputs {
            assert_eq!(input.rows_read, input.accepted + input.duplicates + input.rejected, "{input:?}");
        }
        for counts in &outcome.load.collections {
            let rows: u64 = outcome.load.files_of(&counts.collection).filter(|f| self.is_new(&f.stored.path)).map(|f| f.rows).sum();
            assert_eq!(counts.accepted, rows, "{counts:?}");
            assert_eq!(counts.rejected, counts.by_rule.values().sum::<u64>());
        }
        outcome
    }

    fn is_new(&self, path: &str) -> bool {
        self.previous.as_ref().is_none_or(|p| p.files.iter().all(|f| f.stored.path != path))
    }

    fn error(&self) -> String {
        match self.try_ingest() {
            Err(error @ Error::Data(_)) => error.to_string(),
            Err(error) => panic!("{error:?}"),
            Ok(outcome) => panic!("{:?}", outcome.load.collections),
        }
    }

    /// The values of a column, in the order of the files.
    fn column(&self, load: &Load, collection: &str, column: &str) -> Vec<String> {
        let contracts = Contracts::embedded().unwrap();
        let schema = contracts.lake_schema(contracts.get(collection).unwrap());
        let mut values = Vec::new();
        for file in load.files_of(collection) {
            for batch in LakeReader::open(&self.root(), &file.stored.path, schema.clone()).unwrap().read_all(&[column]).unwrap() {
                let array = batch.column(0);
                let text = |i| if array.is_null(i) { String::new() } else { array_value_to_string(array, i).unwrap() };
                values.extend((0..batch.num_rows()).map(text));
            }
        }
        values
    }
}

fn rejects(outcome: &Outcome) -> Vec<Rejected> {
    let file = fs::File::open(&outcome.reject).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut all = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let text = |name: &str, i: usize| {
            let column = batch.column_by_name(name).unwrap().as_string::<i32>();
            if column.is_null(i) { String::new() } else { column.value(i).to_string() }
        };
        let line = batch.column_by_name("line").unwrap().as_primitive::<arrow::datatypes::Int64Type>();
        all.extend((0..batch.num_rows()).map(|i| Rejected {
            collection: text("collection", i),
            file: text("file", i),
            line: line.value(i),
            field: text("field", i),
            rule: text("rule", i),
            text: text("text", i),
            message: text("message", i),
        }));
    }
    let mut sorted = all.clone();
    sorted.sort_by(|a, b| (&a.collection, &a.file, a.line).cmp(&(&b.collection, &b.file, b.line)));
    assert_eq!(all, sorted);
    all
}

/// (line, field, rule) of every reject.
fn brief(outcome: &Outcome) -> Vec<(i64, String, String)> {
    rejects(outcome).into_iter().map(|r| (r.line, r.field, r.rule)).collect()
}

fn owned(rows: &[(i64, &str, &str)]) -> Vec<(i64, String, String)> {
    rows.iter().map(|(line, field, rule)| (*line, field.to_string(), rule.to_string())).collect()
}

fn counts<'a>(outcome: &'a Outcome, collection: &str) -> &'a Counts {
    outcome.load.collections.iter().find(|c| c.collection == collection).unwrap()
}

#[test]
fn every_type_is_read_as_the_specification_says() {
    let header =
        "school_year,student_id,education_level,first_name,birth_date,cohort_year,gender,race_ethnicity,homeless,migrant,single_parent\n";
    let place = School::with(&[(
        "student.csv",
        &format!(
            "{header} 2024 ,007, Secondary ,  Ann Marie ,2008-02-29,,f,WHITE,yes,T,0\n2024,8,middle,,1969-12-31,2028,X,asian,N,,tRuE\n\
             2023,9,postsecondary,\u{a0}Zoë\u{a0},0001-01-01,1990,U,unknown,1,f,\n"
        ),
    )]);
    let outcome = place.ingest();
    let column = |name: &str| place.column(&outcome.load, "student", name);
    assert_eq!(column("student_id"), ["9", "007", "8"]);
    assert_eq!(column("student_key"), ["2", "0", "1"]);
    assert_eq!(column("education_level"), ["postsecondary", "secondary", "middle"]);
    assert_eq!(column("first_name"), ["Zoë", "Ann Marie", ""]);
    assert_eq!(column("birth_date"), ["0001-01-01", "2008-02-29", "1969-12-31"]);
    assert_eq!(column("cohort_year"), ["1990", "", "2028"]);
    assert_eq!(column("gender"), ["U", "F", "X"]);
    assert_eq!(column("homeless"), ["true", "true", "false"]);
    assert_eq!(column("migrant"), ["false", "true", ""]);
    assert_eq!(column("single_parent"), ["", "false", "true"]);
    assert_eq!(column("section_504"), ["", "", ""]);
}

#[test]
fn decimals_are_exact() {
    let header = "program_year,section,recipient_id,recipient_name,federal_id,formula_allocation,final_award,consortium_code\n";
    let rows = "2024,131,A,a,1,999999999999.99,-1,0\n2024,131,B,b,1,.5,1.,+3\n2024,132,C,c,1,-0.01,00012.3,2\n";
    let place = School::with(&[("subaward.csv", &format!("{header}{rows}"))]);
    let outcome = place.ingest();
    assert_eq!(place.column(&outcome.load, "subaward", "formula_allocation"), ["999999999999.99", "0.50", "-0.01"]);
    assert_eq!(place.column(&outcome.load, "subaward", "final_award"), ["-1.00", "1.00", "12.30"]);
    assert_eq!(place.column(&outcome.load, "subaward", "consortium_code"), ["0", "3", "2"]);
    let bad = [
        "1000000000000.00,1,0",
        "1.234,1,0",
        "1.230,1,0",
        "1e3,1,0",
        "\"1,000\",1,0",
        "-,1,0",
        ".,1,0",
        "1.2.3,1,0",
        "1,1,2.0",
        "1,1,4",
        "1,1,-1",
    ];
    let rows: String = bad.iter().enumerate().map(|(i, row)| format!("2024,131,R{i},n,1,{row}\n")).collect();
    let place = School::with(&[("subaward.csv", &format!("{header}{rows}"))]);
    let found: Vec<String> = rejects(&place.ingest()).into_iter().map(|r| format!("{} {}", r.field, r.rule)).collect();
    let (type_, range) = ("formula_allocation type", "formula_allocation range");
    let code = ["consortium_code type", "consortium_code range", "consortium_code range"];
    assert_eq!(found, [[range, type_, type_, type_, type_, type_, type_, type_].as_slice(), &code].concat());
}

#[test]
fn each_fault_has_its_rule_and_the_first_field_is_named() {
    let long = "x".repeat(65);
    let rows = [
        ("2024,1,secondary,F,white", "", ""),
        ("20x4,2,secondary,F,white", "school_year", "type"),
        ("1989,3,secondary,F,white", "school_year", "range"),
        ("2101,3,secondary,F,white", "school_year", "range"),
        ("99999999999,3,secondary,F,white", "school_year", "range"),
        ("2024,,secondary,F,white", "student_id", "required"),
        ("2024,  ,secondary,F,white", "student_id", "required"),
        (&format!("2024,{long},secondary,F,white"), "student_id", "range"),
        (&format!("2024,{},secondary,F,white", "é".repeat(64)), "", ""),
        ("2024,5,primary,F,white", "education_level", "code"),
        ("2024,6,,Q,", "education_level", "required"),
        ("2024,7,secondary,F,", "race_ethnicity", "required"),
        ("20x4,8,primary,Q,", "school_year", "type"),
    ];
    let text: String = rows.iter().map(|(row, ..)| format!("{row}\n")).collect();
    let place = School::with(&[("student.csv", &format!("{STUDENT}{text}"))]);
    let outcome = place.ingest();
    let numbered = rows.iter().zip(2..).filter(|((_, field, _), _)| !field.is_empty());
    let expected: Vec<(i64, &str, &str)> = numbered.map(|((_, field, rule), line)| (line, *field, *rule)).collect();
    assert_eq!(brief(&outcome), owned(&expected));
    assert_eq!(counts(&outcome, "student").read, rows.len() as u64);
    let first = &rejects(&outcome)[0];
    assert_eq!(
        (first.text.as_str(), first.message.as_str(), first.file.as_str()),
        ("20x4", "expected a year from 1990 to 2100", "student.csv")
    );
}

#[test]
fn dates_and_booleans_and_cip_codes_are_checked() {
    let dates = [
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-04-31",
        "2024-1-05",
        "2024/01/05",
        "20240105",
        "2024-01-005",
        "0000-01-01",
        "24-01-05xx",
    ];
    let header = "school_year,student_id,education_level,gender,race_ethnicity,birth_date\n";
    let rows: String = dates.iter().enumerate().map(|(i, d)| format!("2024,{i},middle,F,asian,{d}\n")).collect();
    let place = School::with(&[("student.csv", &format!("{header}{rows}"))]);
    let outcome = place.ingest();
    assert_eq!(counts(&outcome, "student").by_rule, BTreeMap::from([("type".to_string(), dates.len() as u64)]));

    let header = "cip_code,career_cluster\n";
    let place = School::with(&[(
        "crosswalk.csv",
        &format!("{header}01.0101,a\n10000,b\n521401,c\n5214,d\n52.14,d\n52.14012,d\nx2.1401,d\n5é401,d\n"),
    )]);
    let outcome = place.ingest();
    assert_eq!(place.column(&outcome.load, "crosswalk", "cip_code"), ["01.0000", "01.0101", "52.1401"]);
    assert_eq!(counts(&outcome, "crosswalk").by_rule, BTreeMap::from([("type".to_string(), 5)]));

    let header = "school_year,student_id,education_level,gender,race_ethnicity,homeless\n";
    let place = School::with(&[("student.csv", &format!("{header}2024,1,middle,F,asian,maybe\n2024,2,middle,F,asian,2\n"))]);
    let outcome = place.ingest();
    assert_eq!(brief(&outcome), owned(&[(2, "homeless", "type"), (3, "homeless", "type")]));
}

#[test]
fn a_value_can_be_required_because_of_another() {
    let header = "school_year,student_id,program_id,status,status_date\n";
    let rows = "2024,1,P,enrolled,\n2024,2,P,completed,\n2024,3,P,LEFT,2024-06-01\n2024,4,P,ENROLLED,\n2024,5,P,,\n";
    let students: String = (1..6).map(|i| format!("2024,{i},secondary,F,white\n")).collect();
    let files = [
        ("student.csv", format!("{STUDENT}{students}")),
        ("program.csv", format!("{PROGRAM}2024,P,S,Name,520101,approved\n")),
        ("program_enrollment.csv", format!("{header}{rows}")),
    ];
    let place = School::new();
    files.iter().for_each(|(name, text)| place.file(name, text.as_bytes()));
    let outcome = place.ingest();
    assert_eq!(brief(&outcome), owned(&[(3, "status_date", "required"), (6, "status", "required")]));
    assert_eq!(rejects(&outcome)[0].message, "a value is required unless status is enrolled");
    // Without the column every row that needs it is rejected.
    place.file("program_enrollment.csv", rows.replace(",\n", "\n").replace(",2024-06-01", "").replace("2024,5,P,\n", "").as_bytes());
    place.file("program_enrollment.csv", b"school_year,student_id,program_id,status\n2024,1,P,enrolled\n2024,2,P,completed\n");
    assert_eq!(brief(&place.ingest()), owned(&[(3, "status_date", "required")]));
}

#[test]
fn lines_are_those_of_a_text_editor() {
    let rows = "\n2024,1,secondary,F,white\n2024,2,secondary\n   \n2024,3,secondary,F,white,more\n\"2024\",\"4\",\"secondary\",\"F\",\"whi\nte\"\n\
                2024,5,secondary,Q,white\n2024,\"6 \"\"x\"\"\",secondary,F,white\n,,,,\n2024,7,secondary,?,white";
    for chunk_bytes in [1, 7, 40, 1 << 20] {
        let mut place = School::with(&[("student.csv", &format!("{STUDENT}{rows}"))]);
        place.options.chunk_bytes = chunk_bytes;
        let outcome = place.ingest();
        let expected = [
            (4, "", "type"),
            (6, "", "type"),
            (7, "race_ethnicity", "code"),
            (9, "gender", "code"),
            (11, "school_year", "required"),
            (12, "gender", "code"),
        ];
        assert_eq!(brief(&outcome), owned(&expected));
        assert_eq!(rejects(&outcome)[0].message, "expected 5 fields, found 3");
        assert_eq!(place.column(&outcome.load, "student", "student_id"), ["1", "6 \"x\""]);
        assert_eq!(counts(&outcome, "student").read, 8);
    }
}

#[test]
fn files_may_be_packed_and_headers_in_any_order() {
    let plain = "\u{feff} Gender,RACE_ethnicity,student_id,school_year,note,Education_Level\r\nF,white,1,2024,hello,secondary\r\nM,asian,2,2024,,middle\r\n";
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(plain.as_bytes()).unwrap();
    let packed = [
        ("student.csv", plain.as_bytes().to_vec()),
        ("student.csv.gz", gz.finish().unwrap()),
        ("student.csv.zst", zstd::encode_all(plain.as_bytes(), 1).unwrap()),
    ];
    let mut files = Vec::new();
    for (name, bytes) in &packed {
        let place = School::new();
        place.file(name, bytes);
        let outcome = place.ingest();
        let input = &outcome.load.inputs[0];
        assert_eq!((input.accepted, input.unknown_columns.clone()), (2, vec!["note".to_string()]));
        assert_eq!((input.bytes, input.blake3.clone()), (bytes.len() as u64, blake3::hash(bytes).to_hex().to_string()));
        files.push(outcome.load.files);
    }
    assert_eq!(files[0], files[1]);
    assert_eq!(files[0], files[2]);
    let place = School::new();
    place.file("student.csv.gz", &packed[1].1[..packed[1].1.len() - 9]);
    assert!(place.error().contains("student.csv.gz: cannot be unpacked"));
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let error = |name: &str, content: &[u8]| {
        let place = School::new();
        place.file(name, content);
        place.error()
    };
    let missing = error("student.csv", b"school_year,student_id,Colour\n2024,1,red\n");
    assert!(missing.contains(
        "student.csv: required columns are missing: education_level, gender, race_ethnicity; columns found: school_year, student_id, Colour"
    ));
    assert!(error("student.csv", b"").contains("columns found: none"));
    assert!(error("student.csv", b"school_year,Gender,gender\n").contains("the column gender twice"));
    let mut latin = format!("{STUDENT}2024,1,secondary,F,white\n2024,").into_bytes();
    latin.extend(b"Jos\xE9,secondary,F,white\n");
    assert!(error("student/a.csv", &latin).contains("student/a.csv: line 3, byte 9 of the line: 0xE9"));
    let open = format!("{STUDENT}2024,1,secondary,F,white\n2024,\"2,secondary,F,white\n2024,3,secondary,F,white\n");
    assert!(error("student.csv", open.as_bytes()).contains("student.csv: the record that begins in line 3"));
    assert!(error("student.csv", b"\xFF\xFEs\0").contains("UTF-16"));
    assert!(error("student.ods", b"x").contains("student.ods: collection student cannot be read from it; expected a file ending in csv"));
    assert!(error("notes.txt", b"x").contains("no collection is there"));
    // Both files are named at once.
    let place = School::with(&[("student/a.csv", "x\n"), ("student/b.csv", "y\n")]);
    let both = place.error();
    assert!(both.contains("student/a.csv") && both.contains("student/b.csv"));
}

#[test]
fn unknown_files_are_a_warning() {
    let place = School::with(&[
        ("student.csv", STUDENT),
        ("notes.md", "x"),
        ("more/student.csv", "x"),
        (".hidden", "x"),
        ("README.md", "for people"),
    ]);
    let warnings = place.ingest().load.warnings;
    assert_eq!((warnings[0].check.as_str(), warnings[0].count), ("unknown_file", 2));
    assert_eq!(warnings[0].examples, ["more", "notes.md"]);
}

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

/// A number generator for test data.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
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
        assert_eq!(load.files, seen[0].0.files);
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

/// What our splitter makes of a text: rows of so many fields with their lines, and lines of other records with their number of fields.
#[derive(Debug, Default, PartialEq)]
struct Split {
    rows: Vec<(u64, Vec<String>)>,
    odd: Vec<(u64, usize)>,
}

fn split(text: &[u8], chunk_bytes: usize, columns: usize) -> Result<Split, Error> {
    let (mut records, mut chunk, mut tile, mut found) =
        (Records::new(text, chunk_bytes), Chunk::default(), Tile::default(), Split::default());
    while records.next(&mut chunk, "test")? {
        let mut place = Place::start(&chunk);
        while tile.next(&chunk, &mut place, columns) {
            for (&row, &line) in tile.rows.iter().zip(&tile.lines) {
                let text = tile.text(&chunk);
                let field = |f| {
                    let (start, len) = tile.field(text, row, f);
                    if tile.clean {
                        assert_eq!((start, len), tile.field_of::<true>(text, row, f));
                    }
                    String::from_utf8_lossy(&text[start..start + len]).into_owned()
                };
                found.rows.push((chunk.line + u64::from(line), (0..columns).map(field).collect()));
            }
            found.odd.extend(tile.irregular.iter().map(|(line, fields)| (chunk.line + u64::from(*line), *fields as usize)));
        }
    }
    Ok(found)
}

/// The same by the `csv` crate.
fn split_by_crate(text: &[u8], columns: usize) -> Split {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).terminator(csv::Terminator::Any(b'\n')).from_reader(text);
    let mut found = Split::default();
    for record in reader.byte_records() {
        let record = record.unwrap();
        let mut start = record.position().unwrap().byte() as usize;
        start += text[start..].iter().take_while(|b| **b == b'\n').count();
        let line = 1 + text[..start].iter().filter(|b| **b == b'\n').count() as u64;
        let fields: Vec<String> = record.iter().map(|f| String::from_utf8_lossy(f).trim().to_string()).collect();
        match fields.len() {
            1 if fields[0].is_empty() => {}
            n if n == columns => found.rows.push((line, fields)),
            n => found.odd.push((line, n)),
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn splitting_agrees_with_the_csv_crate(text in "([,\"\n\r a\u{e9}]|a,b\n|\"x\"\"\n\",y\n){0,60}", chunk_bytes in 1usize..50, columns in 1usize..4) {
        // An open quotation mark is an error of ours; the crate takes the rest as one field.
        if let Ok(ours) = split(text.as_bytes(), chunk_bytes, columns) {
            prop_assert_eq!(ours, split_by_crate(text.as_bytes(), columns));
        }
    }
}

#[test]
fn splitting_agrees_with_the_csv_crate_on_long_texts() {
    for (seed, quotes) in [(1, 0), (2, 3), (3, 400)] {
        let (mut dice, mut text) = (Dice(seed), String::new());
        while text.len() < 300_000 {
            let fields = (0..3).map(|_| match dice.roll(1000) {
                n if n < quotes => format!("\"{}\n\"\"{n}, \"", "q".repeat(n as usize)),
                n if n < 990 => "v".repeat(n as usize % 11),
                n => " é ".repeat(n as usize % 3),
            });
            text += &fields.collect::<Vec<_>>().join(",");
            text += ["\n", "\n", "\n", "\r\n", "\n\n", ",\n"][dice.roll(6) as usize];
        }
        // A record longer than a tile.
        text += &format!("{},b,c\n1,2,3\n", "w".repeat(100_000));
        let expected = split_by_crate(text.as_bytes(), 3);
        assert!(expected.rows.len() > 500 && expected.odd.len() > 50, "{} {}", expected.rows.len(), expected.odd.len());
        for chunk_bytes in [5_000, 64 << 10, 1 << 20] {
            assert_eq!(split(text.as_bytes(), chunk_bytes, 3).unwrap(), expected);
        }
    }
}
