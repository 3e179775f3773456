//! Ingest (collections.md): types, files and headers; every fault has its rule, and the line of a text editor.

use crate::school::{PROGRAM, STUDENT, School, brief, contents, counts, owned, rejects};
use std::collections::BTreeMap;
use std::io::Write;

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
        ("20x4", "expected a year as one number, such as 2024 for 2023-24, from 1990 to 2100", "student.csv")
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
        &format!("{header}01.0101,a\n10000,b\n521401,c\n52,s\n52.14,s\n5214,d\n5.214,d\n52.14012,d\nx2.1401,d\n5é401,d\n"),
    )]);
    let outcome = place.ingest();
    assert_eq!(place.column(&outcome.load, "crosswalk", "cip_code"), ["01.0000", "01.0101", "52", "52.14", "52.1401"]);
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

/// A file that lacks its header has a student in the place of it.
#[test]
fn a_record_in_place_of_the_header_is_not_shown() {
    let place = School::new();
    place.file("student.csv", b"2024,SECRET-7,secondary,F,white\n2024,SECRET-8,secondary,F,white\n");
    let error = place.error();
    assert!(error.contains("student.csv: required columns are missing") && error.contains("looks like a record"), "{error}");
    assert!(!error.contains("SECRET"), "{error}");
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
        files.push(contents(&outcome.load.files));
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
        "student.csv: required columns are missing: education_level, gender, race_ethnicity; columns found: school_year, student_id, Colour; if they \
         have other names, `perkins map FILE` proposes a mapping"
    ));
    assert!(error("student.csv", b"").contains("columns found: none"));
    assert!(error("student.csv", b"school_year,Gender,gender\n").contains("the column gender twice"));
    let open = format!("{STUDENT}2024,1,secondary,F,white\n2024,\"2,secondary,F,white\n2024,3,secondary,F,white\n");
    assert!(error("student.csv", open.as_bytes()).contains("student.csv: the record that begins in line 3"));
    assert!(error("student.ods", b"x").contains("student.ods: collection student cannot be read from it; expected a file ending in csv"));
    assert!(error("notes.txt", b"x").contains("no collection is there"));
    // Both files are named at once.
    let place = School::with(&[("student/a.csv", "x\n"), ("student/b.csv", "y\n")]);
    let both = place.error();
    assert!(both.contains("student/a.csv") && both.contains("student/b.csv"));
}

#[test]
fn where_the_names_of_the_columns_are_is_said() {
    let error = |content: &str| School::with(&[("student.csv", content)]).error();
    let below = |above: &str, line: u32| {
        let said = error(&format!("{above}{STUDENT}2024,A,secondary,F,white\n"));
        assert_eq!(said, format!("student.csv: the names of the columns are in line {line}; remove the lines above it"));
    };
    below("Students of Oregon,,,,\n,,,,\n", 3);
    below("\"Students\nof Oregon\"\n\n\n", 5);
    below("sep=,\n", 2);
    below("2024,A,secondary,F,white\n2024,B,secondary,F,white\n", 3);
    // Beyond the rows that are looked at, and where nothing is.
    assert!(error(&format!("{}{STUDENT}", "title\n".repeat(101))).contains("required columns are missing"));
    assert!(error("sep=;\n2024;A\n").contains("separated by semicolons"));
    assert!(error("\n \n\n").contains("columns found: none"));
}

#[test]
fn a_quotation_mark_that_closes_too_late_swallows_no_rows() {
    let header = "school_year,student_id,education_level,first_name,gender,race_ethnicity\n";
    let row = |i: u32, name: &str| format!("2024,{i},secondary,{name},F,white\n");
    let try_rows = |rows: &[String]| {
        let place = School::with(&[("student.csv", &(header.to_string() + &rows.concat()))]);
        place.try_ingest().map(|o| counts(&o, "student").accepted).map_err(|e| e.to_string())
    };
    let late = |first: u32, last: u32| {
        Err(format!(
            "student.csv: the record that begins in line {first} goes on to line {last}, and what is between looks like records of its own: a \
             quotation mark is missing there, or is closed too late; correct it"
        ))
    };
    // Opened before a name and closed behind another: the lines between are records.
    assert_eq!(try_rows(&[row(1, "Ann"), row(2, "\"Bea"), row(3, "Cy"), row(4, "Di\""), row(5, "Eve")]), late(3, 5));
    // Closed by the mark that opens the next: the field goes on behind it.
    assert_eq!(try_rows(&[row(1, "\"Ann"), row(2, "\"Bea\""), row(3, "Cy")]), late(2, 3));
    // Line ends, separators and quotation marks that are text.
    assert_eq!(try_rows(&[row(1, "\"Ann\nBea, Cy\nDi \"\"D\"\"\""), row(2, "\"Eve\n\n\"")]), Ok(2));
    assert_eq!(try_rows(&[row(1, "\"a note\nof, one, line, like, a, record\nand, more\"")]), Ok(1));
    assert_eq!(try_rows(&[row(1, "\"a,b,c,d,e,f\nBea, Cy\n1,2,3,4,5\nDi\"")]), Ok(1));
}

#[test]
fn identifiers_that_a_spreadsheet_spoiled_are_rejected() {
    let ids = ["8.00033E+08", "1e+10", "=\"0005\"", "'0005", "0005", "1E5", "E+5", "a'b", "5.5E+x", "1.E+2"];
    let rows: String = ids.iter().map(|id| format!("2024,\"{}\",secondary,F,white\n", id.replace('"', "\"\""))).collect();
    let place = School::with(&[("student.csv", &format!("{STUDENT}{rows}"))]);
    let outcome = place.ingest();
    assert_eq!(
        brief(&outcome),
        owned(&[(2, "student_id", "type"), (3, "student_id", "type"), (4, "student_id", "type"), (5, "student_id", "type")])
    );
    assert!(rejects(&outcome)[0].message.contains("make its column text"), "{:?}", rejects(&outcome)[0]);
}

#[test]
fn identifiers_that_say_there_is_none_are_rejected() {
    let spoiled = ["#N/A", "#REF!", "#####", "NaN", "None", "NULL", "null", "\\N", "n/a", "<NA>"];
    let good = ["#12", "N-A", "NA", "Nonesuch", "N", "."];
    let rows: String = spoiled.iter().chain(&good).map(|id| format!("2024,{id},secondary,F,white\n")).collect();
    let place = School::with(&[("student.csv", &format!("{STUDENT}{rows}"))]);
    let outcome = place.ingest();
    let lines: Vec<(i64, &str, &str)> = (2..).take(spoiled.len()).map(|line| (line, "student_id", "type")).collect();
    assert_eq!(brief(&outcome), owned(&lines));
    assert_eq!(counts(&outcome, "student").accepted, good.len() as u64);
    // What a lake of before has is not lost when `perkins remove` writes it again.
    let mut former = School::with(&[("student.csv", &format!("{STUDENT}{rows}"))]);
    former.options.removed = Some(perkins::lake::Removed::default());
    assert_eq!(counts(&former.ingest(), "student").accepted, (spoiled.len() + good.len()) as u64);
}

#[test]
fn names_that_may_be_a_student_s_are_not_shown() {
    let error = |name: &str, content: &str| School::with(&[(name, content)]).error();
    let said = error("student.csv", "Smith,Minh,F,hispanic\nJones,Ann,F,white\n");
    assert!(said.contains("columns found: 4, none of which is one of the names") && !said.contains("Minh"), "{said}");
    let said = error("student.ndjson", "{\"0281312578\":{\"gender\":\"F\"},\"student_id\":\"1\"}\n");
    assert!(said.contains("columns found: student_id") && !said.contains("0281312578"), "{said}");
    // One of six may be a value by chance.
    let said = error("student.csv", "Smith John,Lincoln High,secondary,F,white,homeless\nJones Amy,Grant High,secondary,F,white,none\n");
    assert!(said.contains("columns found: homeless, and 5 that are no names of it") && !said.contains("Smith"), "{said}");
    // One short number is a name among others.
    let said = error("student.csv", "school_year,student_id,504\n");
    assert!(said.contains("columns found: school_year, student_id, 504"), "{said}");
}

#[test]
fn letter_case_of_file_names_does_not_count() {
    let row = "2024,A,secondary,F,white\n";
    let place = School::with(&[("Student.CSV", &format!("{STUDENT}{row}"))]);
    assert_eq!(counts(&place.ingest(), "student").accepted, 1);
    let place = School::with(&[("STUDENT/2024.csv", &format!("{STUDENT}{row}"))]);
    assert_eq!(counts(&place.ingest(), "student").accepted, 1);
}

#[test]
fn what_may_have_been_meant_is_said() {
    let place = School::with(&[
        ("student.csv", STUDENT),
        ("programs.csv", "x\n"),
        ("program_enrollment-2024.csv", "x\n"),
        ("exits/2024.csv", "x\n"),
        ("programs.md", "x"),
    ]);
    let warnings = place.ingest().load.warnings;
    let meant = [
        "exits (if it is of the collection exit, put it into a folder exit)",
        "program_enrollment-2024.csv (if it is of the collection program_enrollment, put it into a folder program_enrollment)",
        "programs.csv (if it is of the collection program, put it into a folder program)",
        "programs.md",
    ];
    assert_eq!(warnings[0].examples, meant);
    let said = School::with(&[("students.csv", STUDENT)]).error();
    assert!(said.contains("students.csv (if it is of the collection student, put it into a folder student)"), "{said}");
}

#[test]
fn what_systems_leave_in_folders_is_passed_over() {
    let row = "2024,A,secondary,F,white\n";
    let place = School::with(&[
        ("student/2024.csv", &format!("{STUDENT}{row}")),
        ("student/Thumbs.db", "x"),
        ("student/desktop.ini", "x"),
        ("__MACOSX/student/._2024.csv", "x"),
        ("student/_SUCCESS", ""),
        ("student/readme.txt", "x"),
    ]);
    let load = place.ingest().load;
    assert!(load.warnings.is_empty(), "{:?}", load.warnings);
    // A folder in the folder of a collection may hold what is missing.
    let said = School::with(&[("student/2024/student.csv", STUDENT)]).error();
    assert!(said.starts_with("student/2024: is a folder within that of a collection; put its files into student/ itself"), "{said}");
}

#[test]
fn unknown_files_are_a_warning() {
    let place = School::with(&[
        ("student/student.csv", STUDENT),
        ("notes.md", "x"),
        ("more/student.csv", "x"),
        (".hidden", "x"),
        ("student/~$student.xlsx", "left by a spreadsheet program while a workbook is open"),
        ("README.md", "for people"),
    ]);
    let warnings = place.ingest().load.warnings;
    assert_eq!((warnings[0].check.as_str(), warnings[0].count), ("unknown_file", 2));
    assert_eq!(warnings[0].examples, ["more", "notes.md"]);
}
