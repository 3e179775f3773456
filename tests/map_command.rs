//! `perkins map`: what it proposes for files in real and invented layouts, that no student's value is in it, and that it is a mapping once the
//! gaps are filled.

use crate::fuzz::read::{book, cells};
use crate::support::{Place, home, place, text};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use std::fs;
use std::sync::Arc;

/// The proposal for a text, as a file of this name.
fn proposal(place: &Place, file: &str, content: &str, flags: &[&str]) -> String {
    place.file(file, content);
    place.works(&[&["map", file], flags].concat())
}

/// All pieces are in it, as lines but for the blanks around.
#[track_caller]
fn has(proposal: &str, lines: &[&str]) {
    let missing: Vec<_> = lines.iter().filter(|l| !proposal.lines().any(|p| p.trim() == **l)).collect();
    assert!(missing.is_empty(), "{missing:?} not in\n{proposal}");
}

#[test]
fn a_file_with_other_names_and_forms() {
    let place = place();
    let header = "SchoolYear|Student Identifier|School ID|Withdrawal Date|Exit Type|Last Name";
    let rows = [
        "2024|0001|S1|06/14/2024|Regular Diploma|Adams",
        "2024|0002|S1|06/14/2024|Regular Diploma|Baker",
        "2024|0003|S1|01/31/2024|Dropped Out|Clark",
        "2024|0004|S1|01/31/2024|Dropped Out|Davis",
        "2024|0005|S1|02/01/2024|MOVED|Evans",
        "2024|0006|S1|02/01/2024|MOVED|Frank",
    ];
    let proposed = proposal(&place, "leavers.txt", &format!("{header}\n{}\n", rows.join("\n")), &[]);
    has(
        &proposed,
        &[
            "name = \"exit\"",
            "files = [\"leavers.txt\"]",
            "delimiter = \"|\"",
            "school_year = \"SchoolYear\"",
            "student_id = \"Student Identifier\"",
            "institution_id = \"School ID\"",
            "exit_date = { from = \"Withdrawal Date\", date = \"%m/%d/%Y\" }",
            "from = \"Exit Type\"",
            "\"Regular Diploma\" = \"regular_diploma\"",
            "\"Dropped Out\" = \"dropped_out\"",
            "# \"MOVED\" = \"…\" # MISSING: its code (or \"\" for none)",
            "#   \"Last Name\"",
        ],
    );
    assert!(["0001", "06/14", "Adams"].iter().all(|v| !proposed.contains(v)), "{proposed}");
    // Filled in, it is a mapping.
    place.file("leavers.toml", &proposed.replace("# \"MOVED\" = \"…\"", "\"MOVED\" = \"transferred_out\""));
    let student = "school_year,student_id,education_level,gender,race_ethnicity\n".to_string();
    let students: String = (1..7).map(|i| format!("2024,000{i},secondary,F,white\n")).collect();
    let raw = Place::new();
    raw.file("raw/student.csv", &(student + &students));
    fs::copy(place.path().join("leavers.txt"), raw.raw().join("leavers.txt")).unwrap();
    raw.works(&["ingest", "raw", "--mapping", text(&place.path().join("leavers.toml"))]);
    let counts = raw.manifest("load")["collections"].clone();
    assert!(counts.as_array().unwrap().iter().any(|c| c["collection"] == "exit" && c["accepted"] == 6), "{counts}");
}

#[test]
fn a_file_that_is_as_it_should_be() {
    let place = place();
    for (collection, file) in [("student", "student"), ("enrollment", "enrollment"), ("exit", "exit"), ("program", "program")] {
        let given = home().join("data/sample");
        let path = [given.join(format!("{file}.csv")), given.join(file).join(format!("{file}-2023.csv"))].into_iter().find(|p| p.is_file());
        let path = path.unwrap();
        let proposed = place.works(&["map", text(&path)]);
        let header = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_string();
        has(&proposed, &[format!("name = \"{collection}\"").as_str()]);
        header.split(',').for_each(|column| has(&proposed, &[format!("{column} = \"{column}\"").as_str()]));
        assert!(!proposed.contains("MISSING: ") && !proposed.contains("UNSURE: "), "{proposed}");
    }
}

#[test]
fn what_no_column_gives_is_said() {
    let place = place();
    let file = home().join("tests/mapping/nsc-detail/given/nsc_return_20240801.csv");
    let proposed = place.works(&["map", text(&file), "--collection", "placement"]);
    has(&proposed, &["name = \"placement\"", "student_id = \"Your Unique Identifier\"", "#   \"First Name\""]);
    for required in ["placement_kind", "source"] {
        assert!(proposed.lines().any(|l| l.starts_with(&format!("# {required} = "))), "{proposed}");
    }
    assert!(proposed.contains("# MISSING: "), "{proposed}");
    // One that ships does it.
    assert!(proposed.contains("--mapping nsc-detail") && !proposed.contains("--mapping wage"), "{proposed}");
    assert!(["000A", "ANYBODY", "2023"].iter().all(|v| !proposed.contains(v)), "{proposed}");
    // Until then it is refused, with the names of the fields.
    let path = place.file("nsc.toml", &proposed);
    place.perkins(&["ingest", "raw", "--mapping", text(&path)]).refuses(3, &["nsc.toml", "must have a value", "placement_kind", "source"]);
}

#[test]
fn a_file_without_a_header_is_not_shown() {
    let place = place();
    let proposed = proposal(&place, "w.csv", "2024,1,123456789,Smith\n2024,2,987654321,Jones\n", &["--collection", "placement"]);
    has(&proposed, &["columns = [\"column 1\", \"column 2\", \"column 3\", \"column 4\"]"]);
    assert!(["123456789", "987654321", "Smith", "Jones"].iter().all(|v| !proposed.contains(v)), "{proposed}");
    assert!(!proposed.contains("--mapping wage"), "{proposed}");
    // Nor when a mapping with names is used on it.
    fs::copy(place.path().join("w.csv"), place.raw().join("wages.csv")).unwrap();
    let refused = place.perkins(&["ingest", "raw", "--mapping", "wage-delimited"]);
    refused.refuses(1, &["wages.csv", "looks like a record", "columns = "]);
    assert!(["123456789", "Smith"].iter().all(|v| !refused.err.contains(v)), "{}", refused.err);
}

#[test]
fn texts_are_shown_only_where_they_can_be_codes() {
    let place = place();
    let row = |i: usize| format!("2024,{i},F,kind {},{}\n", i % 30, ["yes please", "no thanks"][i % 2]);
    let header = "school_year,student_id,gender,race_ethnicity,homeless\n".to_string();
    let proposed = proposal(&place, "many.csv", &(header.clone() + &(0..90).map(row).collect::<String>()), &["--collection", "student"]);
    assert!(!proposed.contains("kind 1") && proposed.contains("They are not shown"), "{proposed}");
    has(&proposed, &["# \"no thanks\" = \"…\" # MISSING: its code (or \"\" for none)"]);
    // Few rows, each with its own text: it might be anything.
    let proposed = proposal(&place, "few.csv", &(header + "2024,1,F,my own,N\n2024,2,M,another,Y\n"), &["--collection", "student"]);
    assert!(!proposed.contains("my own") && proposed.contains("They are not shown"), "{proposed}");
}

#[test]
fn values_that_can_not_be_a_field_s_are_not_proposed_for_it() {
    let place = place();
    let file = home().join("tests/mapping/wage-delimited/given/il-wages.csv");
    let proposed = place.works(&["map", text(&file)]);
    has(
        &proposed,
        &["name = \"placement\"", "placement_year = \"year\"", "placement_quarter = \"quarter\"", "# high_wage = \"…\"", "#   \"wage\""],
    );
    // A begin is no end, however much their names are alike.
    let file = home().join("tests/mapping/ceds-cte/given/ProgramParticipationCTE-2024.csv");
    let proposed = place.works(&["map", text(&file), "--collection", "program_enrollment"]);
    has(
        &proposed,
        &["status_date = { from = \"ProgramParticipationEndDate\", date = \"%Y-%m-%d*\" }", "#   \"ProgramParticipationBeginDate\""],
    );
    let proposed = proposal(&place, "2024.csv", "student id,homeless\n1,Y\n2,N\n", &["--collection", "exit"]);
    has(&proposed, &["school_year = { file_year = true }", "student_id = \"student id\""]);
}

#[test]
fn workbooks_objects_and_parquet_are_proposed_for_as_text_is() {
    let place = place();
    let lines = [
        "school_year = \"Year\"",
        "student_id = \"Pupil Number\"",
        "institution_id = \"School ID\"",
        "exit_date = { from = \"Left On\", date = \"%m/%d/%Y\" }",
        "\"Dropped Out\" = \"dropped_out\"",
        "\"Regular Diploma\" = \"regular_diploma\"",
        "#   \"Remark\"",
    ];
    let names = ["Year", "Pupil Number", "School ID", "Left On", "Exit Type", "Remark"];
    let rows: Vec<[String; 6]> = (0..8)
        .map(|i| {
            let kind = ["Regular Diploma", "Dropped Out"][i % 2];
            ["2024".into(), format!("00{i}"), "S1".into(), format!("06/1{i}/2024"), kind.into(), String::new()]
        })
        .collect();
    // A sheet with a title above the names.
    let sheet: String = rows.iter().map(|r| format!("<row>{}</row>", cells(&r.join(",")))).collect();
    let title = format!("<row>{}</row><row>{}</row>", cells("Leavers,2024"), cells(&names.join(",")));
    fs::write(place.path().join("leavers.xlsx"), book("", "", "<styleSheet/>", &(title + &sheet))).unwrap();
    // Objects, in which names have another order and letter case does not count.
    let object = |r: &[String; 6]| {
        let fields = names.iter().zip(r).rev().filter(|(_, v)| !v.is_empty());
        let fields = fields.map(|(n, v)| format!("\"{n}\":\"{v}\"")).collect::<Vec<_>>().join(",");
        format!("{{{fields},\"remark\":null,\"by\":{{\"id 12345\":1}}}}\n")
    };
    place.file("leavers.ndjson", &rows.iter().map(object).collect::<String>());
    let column = |i: usize| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r[i].as_str()))) };
    let batch = RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, name)| (*name, column(i)))).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    fs::write(place.path().join("leavers.parquet"), writer.into_inner().unwrap()).unwrap();
    for file in ["leavers.xlsx", "leavers.ndjson", "leavers.parquet"] {
        let proposed = place.works(&["map", file]);
        let remark = |line: &&&str| file != "leavers.ndjson" || !line.contains("Remark");
        has(&proposed, &lines.iter().filter(remark).copied().collect::<Vec<_>>());
        assert!(["001", "06/1", "12345"].iter().all(|v| !proposed.contains(v)), "{proposed}");
        // It is a mapping, and the file is read with it.
        let path = place.file(&format!("{file}.toml"), &proposed);
        let raw = Place::new();
        let student = |r: &[String; 6]| format!("2024,{},secondary,F,white\n", r[1]);
        let students: String = rows.iter().map(student).collect();
        raw.file("raw/student.csv", &format!("school_year,student_id,education_level,gender,race_ethnicity\n{students}"));
        fs::copy(place.path().join(file), raw.raw().join(file)).unwrap();
        raw.works(&["ingest", "raw", "--mapping", text(&path)]);
        let counts = raw.manifest("load")["collections"].clone();
        assert!(counts.as_array().unwrap().iter().any(|c| c["collection"] == "exit" && c["accepted"] == 8), "{file}: {counts}");
    }
    // What the API of Ed-Fi returns is known.
    let file = home().join("tests/mapping/edfi-cte/given/studentCTEProgramAssociations-2024.ndjson");
    let proposed = place.works(&["map", text(&file)]);
    assert!(proposed.contains("--mapping edfi-cte"), "{proposed}");
    has(&proposed, &["student_id = \"studentReference.studentUniqueId\""]);
}

#[test]
fn one_number_is_a_name_and_a_birth_date_is_no_year() {
    let place = place();
    let rows = |i: usize| format!("2024,0{i},2008-01-0{i},Y\n");
    let content = format!("Report Year,SSID,Birth Date,504\n{}", (1..9).map(rows).collect::<String>());
    let proposed = proposal(&place, "pupils.csv", &content, &["--collection", "student"]);
    has(&proposed, &["school_year = \"Report Year\"", "birth_date = \"Birth Date\"", "section_504 = \"504\""]);
    let proposed = proposal(&place, "pupils.csv", &content.replace("Report Year", "Nothing"), &["--collection", "student"]);
    assert!(!proposed.contains("take = \"school_year\""), "{proposed}");
}

#[test]
fn an_agency_s_words_are_data() {
    let place = place();
    place.file("a.csv", "Schuljahr,Kennung,homeless\n2024,1,Y\n2024,2,N\n");
    let flags = ["--collection", "student"];
    let map = |more: &[&str]| place.works(&[&["map", "a.csv"], &flags[..], more].concat());
    assert!(!map(&[]).contains("from = \"Kennung\"") && map(&[]).contains("#   \"Kennung\""));
    let shipped = fs::read_to_string(home().join("data/intake/words.toml")).unwrap();
    place.file("ours/data/intake/words.toml", &shipped.replace("\nid = [", "\nid = [\"kennung\", "));
    has(&map(&["--overlay", "ours"]), &["student_id = \"Kennung\""]);
    place.file("ours/data/intake/words.toml", "same = 1\n");
    place.perkins(&["map", "a.csv", "--overlay", "ours"]).refuses(3, &["words.toml", "same"]);
}

#[test]
fn what_can_not_be_mapped_is_refused() {
    let place = place();
    place.perkins(&["map", "nowhere.csv"]).refuses(3, &["nowhere.csv"]);
    place.file("fixed.dat", "0000012024\n");
    place.perkins(&["map", "fixed.dat"]).refuses(1, &["fixed.dat", "fixed = [", "wage-lehd"]);
    place.file("empty.csv", "");
    place.perkins(&["map", "empty.csv"]).refuses(1, &["empty.csv", "empty"]);
    place.file("a.csv", "a,b\n1,2\n");
    place.perkins(&["map", "a.csv", "--collection", "students"]).refuses(3, &["students", "student,"]);
    place.file("title.csv", "Students of 2024\n\nschool_year,student_id,homeless\n2024,1,Y\n");
    place.perkins(&["map", "title.csv"]).refuses(1, &["title.csv: line 3 has many fields", "remove the lines above"]);
    place.file("a.ndjson", "{\"a\":1}\n");
    place.perkins(&["map", "a.ndjson", "--delimiter", "|"]).refuses(3, &["a.ndjson", "--delimiter"]);
    fs::write(place.path().join("record.xlsx"), book("", "", "<styleSheet/>", &format!("<row>{}</row>", cells("2024,Smith,123456789"))))
        .unwrap();
    let refused = place.perkins(&["map", "record.xlsx"]);
    refused.refuses(1, &["record.xlsx", "looks like a record"]);
    assert!(!refused.err.contains("Smith"), "{}", refused.err);
    place.perkins(&["map", "a.csv", "--delimiter", "::"]).refuses(3, &["one character"]);
    place.file("open.csv", "a,b\n\"1,2\n3,4\n");
    place.perkins(&["map", "open.csv"]).refuses(1, &["open.csv", "line 2", "quotation mark"]);
}

#[test]
fn abbreviations_are_written_out() {
    let place = place();
    let header = "School Year,Student Number,Gender,Race/Ethnicity,LEP,Econ Dis,SPED,504 Flag,Foster,Notes";
    let row = |i: u32| format!("2024,{i:06},{},White,Y,N,N,Y,N,none\n", if i.is_multiple_of(2) { "F" } else { "M" });
    let proposed = proposal(&place, "pupils.csv", &format!("{header}\n{}", (1..20).map(row).collect::<String>()), &[]);
    let lines = [
        "name = \"student\"",
        "english_learner = \"LEP\"",
        "economically_disadvantaged = \"Econ Dis\"",
        "individual_with_disability = \"SPED\"",
        "section_504 = \"504 Flag\"",
        "foster_care = \"Foster\"",
        "#   \"Notes\"",
    ];
    has(&proposed, &lines);
    let header = "Year,Student ID,School Code,Grade";
    let row = |i: u32| format!("2024,{i:06},{:04},{}\n", 10 + i % 3, 9 + i % 4);
    let proposed = proposal(&place, "roster.csv", &format!("{header}\n{}", (1..20).map(row).collect::<String>()), &[]);
    has(&proposed, &["name = \"enrollment\"", "institution_id = \"School Code\""]);
    // What is not, or was, is another thing.
    let header =
        "School Year,Student Number,Level,Gender,Race,Non-LEP,Former LEP,504 Eligible,IEP Declined,Mother Birth Date,Ever Foster Care";
    let row = |i: u32| format!("2024,{i:06},secondary,F,White,Y,N,Y,N,19{}-01-31,Y\n", 70 + i);
    let proposed = proposal(&place, "nots.csv", &format!("{header}\n{}", (1..20).map(row).collect::<String>()), &[]);
    has(&proposed, &["ever_foster_care = \"Ever Foster Care\""]);
    for field in ["english_learner", "section_504", "individual_with_disability", "birth_date"] {
        assert!(!proposed.lines().any(|l| l.starts_with(&format!("{field} = "))), "{field} in {proposed}");
    }
    // An agency's own words.
    let words = std::fs::read_to_string(crate::support::home().join("data/intake/words.toml")).unwrap();
    place.file("ours/data/intake/words.toml", &words.replace("\"lep\" = ", "\"mll\" = \"english learner\"\n\"lep\" = "));
    let header = "Year,Student ID,Level,Gender,Race,MLL";
    let row = |i: u32| format!("2024,{i:06},secondary,F,white,{}\n", if i.is_multiple_of(2) { "Y" } else { "N" });
    let proposed = proposal(&place, "own.csv", &format!("{header}\n{}", (1..20).map(row).collect::<String>()), &["--overlay", "ours"]);
    has(&proposed, &["english_learner = \"MLL\""]);
}
