//! Ingest (collections.md, "Files"): the first sheet of a workbook gives the same lake as comma-separated text.

use crate::fuzz::read::{book, cells, package};
use crate::school::{STUDENT, School, brief, contents, counts, owned, rejects};
use perkins::ingest::Outcome;
use perkins::ingest::format::xlsx::style::{Shape, of_code, text};
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};

fn loaded(name: &str, content: &[u8]) -> (School, Outcome) {
    let place = School::new();
    place.file(name, content);
    let outcome = place.ingest();
    (place, outcome)
}

fn error(content: &[u8]) -> String {
    let place = School::new();
    place.file("student.xlsx", content);
    place.error()
}

fn workbook(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap()
}

fn header(sheet: &mut Worksheet, row: u32, column: u16, names: &str) {
    for (name, at) in names.trim().split(',').zip(column..) {
        sheet.write_string(row, at, name).unwrap();
    }
}

#[test]
fn a_sheet_below_a_title_gives_the_same_lake_as_text() {
    let names = "school_year,student_id,education_level,first_name,birth_date,cohort_year,gender,race_ethnicity,homeless,migrant";
    let csv = format!(
        "{names}\n2024,00712,secondary,Ann,2008-02-29,2026,F,white,Y,N\n2024,8,secondary,\"B, \"\"C\"\"\",,,M,asian,,\n2023,123456789012345,middle,,1905-01-01,,X,white,N,Y\n"
    );
    let (_, expected) = loaded("student.csv", csv.as_bytes());
    let bytes = workbook(|sheet| {
        let (bold, date, padded) =
            (Format::new().set_bold(), Format::new().set_num_format("m/d/yyyy"), Format::new().set_num_format("00000"));
        sheet.merge_range(0, 0, 0, 9, "Students of the district, 2024", &bold).unwrap();
        sheet.write_string(1, 0, "Contact: the office of records").unwrap();
        header(sheet, 3, 0, &names.to_uppercase());
        sheet.write_string(3, 10, "Remarks").unwrap();
        sheet.write_number(4, 0, 2024).unwrap();
        sheet.write_number_with_format(4, 1, 712, &padded).unwrap();
        sheet.write_string(4, 2, "Secondary").unwrap();
        sheet.write_string(4, 3, "Ann").unwrap();
        sheet.write_number_with_format(4, 4, 39_507, &date).unwrap();
        sheet.write_number(4, 5, 2026).unwrap();
        header(sheet, 4, 6, "F,white,");
        sheet.write_boolean(4, 8, true).unwrap();
        sheet.write_boolean(4, 9, false).unwrap();
        sheet.write_string(4, 10, "moved in May").unwrap();
        // A row that ends early, with numbers as text.
        header(sheet, 6, 0, "2024,8,secondary");
        sheet.write_string(6, 3, "B, \"C\"").unwrap();
        header(sheet, 6, 6, "M,asian");
        sheet.write_formula(7, 0, Formula::new("=2022+1").set_result("2023")).unwrap();
        sheet.write_number(7, 1, 123_456_789_012_345.0).unwrap();
        sheet.write_formula(7, 2, Formula::new("=LOWER(\"MIDDLE\")").set_result("middle")).unwrap();
        sheet.write_number_with_format(7, 4, 1828, &date).unwrap();
        header(sheet, 7, 6, "X,white,N,1");
        // What is left of rows and columns that were cleared.
        for row in 8..200 {
            sheet.write_blank(row, 3, &bold).unwrap();
        }
        sheet.write_blank(5, 40, &bold).unwrap();
        sheet.write_string(300, 2, "   ").unwrap();
    });
    let (_place, outcome) = loaded("student.xlsx", &bytes);
    assert_eq!(rejects(&outcome), []);
    assert_eq!(contents(&outcome.load.files), contents(&expected.load.files));
    let input = &outcome.load.inputs[0];
    assert_eq!((input.rows_read, input.unknown_columns.clone()), (3, vec!["Remarks".to_string()]));
    assert_eq!((input.bytes, input.blake3.clone()), (bytes.len() as u64, blake3::hash(&bytes).to_hex().to_string()));
    let told: Vec<_> = outcome.load.warnings.iter().map(|w| (w.check.as_str(), w.examples.concat())).collect();
    assert_eq!(told, [("rows_above_header", "student.xlsx (2)".to_string())]);
}

#[test]
fn rows_are_rejected_by_the_number_that_the_sheet_shows() {
    let bytes = workbook(|sheet| {
        header(sheet, 2, 1, &format!("{},note", STUDENT.trim()));
        header(sheet, 3, 1, "2024,1,secondary,F,white");
        header(sheet, 5, 1, "2024,2,secondary,Q,white");
        header(sheet, 6, 1, "2024,3,secondary,F");
        header(sheet, 7, 1, "2024,4,secondary,F,white,,,too far");
        header(sheet, 8, 1, "2024,5,secondary,F,white");
        sheet.write_formula(8, 2, Formula::new("=VLOOKUP(1,A1:B2,2)").set_result("#N/A")).unwrap();
        header(sheet, 9, 1, "2024,6,secondary,F,white");
        for row in 9..15 {
            sheet.write_formula(row, 6, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
        }
    });
    let (place, outcome) = loaded("student.xlsx", &bytes);
    assert_eq!(brief(&outcome), owned(&[(6, "gender", "code"), (7, "race_ethnicity", "required"), (8, "", "type"), (9, "", "type")]));
    let said: Vec<_> = rejects(&outcome).into_iter().map(|r| (r.text, r.message)).collect();
    assert_eq!(said[2].1, "expected 7 fields, found 9");
    assert_eq!(said[3].0, "student_id: #N/A");
    assert!(said[3].1.starts_with("a cell of the row has an error for a value"), "{said:?}");
    // An error where nobody looks is nobody's matter.
    assert_eq!(place.column(&outcome.load, "student", "student_id"), ["1", "6"]);
    assert_eq!(counts(&outcome, "student").read, 6);
}

#[test]
fn what_a_sheet_does_not_tell_is_no_value() {
    let row = |id: &str, homeless: &str| format!("<row><c><v>2024</v></c>{id}{}{homeless}</row>", cells("secondary,F,white"));
    let (id, none) = ("<c t=\"str\"><v>1</v></c>", "<c/>");
    let rows = [
        row(id, none),
        // 15 digits are kept.
        row("<c><v>999999999999999</v></c>", none),
        row("<c><v>1000000000000000</v></c>", none),
        row("<c><v>1.2345678901234567E+19</v></c>", none),
        // Never computed, as two libraries write it; computed, and empty.
        row("<c t=\"str\"><v>2</v></c>", "<c><f>1=1</f><v/></c>"),
        row("<c t=\"str\"><v>3</v></c>", "<c><f>1=1</f><v></v></c>"),
        row("<c t=\"str\"><v>4</v></c>", "<c t=\"str\"><f>A1</f><v></v></c>"),
    ];
    let header = cells("school_year,student_id,education_level,gender,race_ethnicity,homeless");
    let (place, outcome) = loaded("student.xlsx", &book("", "", "", &format!("<row>{header}</row>{}", rows.concat())));
    assert_eq!(brief(&outcome), owned(&[(4, "", "type"), (5, "", "type"), (6, "", "type"), (7, "", "type")]));
    let said: Vec<String> = rejects(&outcome).into_iter().map(|r| r.message).collect();
    assert!(said[0].contains("more digits than a spreadsheet keeps") && said[2].contains("never computed"), "{said:?}");
    assert_eq!(place.column(&outcome.load, "student", "student_id"), ["1", "4", "999999999999999"]);
}

#[test]
fn other_sheets_are_told_and_hidden_ones_passed_over() {
    let mut workbook = Workbook::new();
    let hidden = workbook.add_worksheet().set_name("Lists").unwrap();
    hidden.write_string(0, 0, "not a table").unwrap();
    hidden.set_hidden(true);
    let sheet = workbook.add_worksheet().set_name("2024 & on").unwrap();
    header(sheet, 0, 0, STUDENT);
    header(sheet, 1, 0, "2024,1,secondary,F,white");
    sheet.set_active(true);
    workbook.add_worksheet().set_name("2023").unwrap();
    let (place, outcome) = loaded("student.xlsx", &workbook.save_to_buffer().unwrap());
    assert_eq!(place.column(&outcome.load, "student", "student_id"), ["1"]);
    let told: Vec<_> = outcome.load.warnings.iter().map(|w| (w.check.as_str(), w.examples.concat())).collect();
    assert_eq!(told, [("sheet_not_read", "student.xlsx (2023)".to_string())]);
}

#[test]
fn a_first_sheet_without_the_columns_tells_which_has_them() {
    let with = |sheets: &[&[&str]]| {
        let mut workbook = Workbook::new();
        for (number, rows) in sheets.iter().enumerate() {
            let sheet = workbook.add_worksheet().set_name(format!("GIRL-{number}")).unwrap();
            rows.iter().zip(0..).for_each(|(row, at)| header(sheet, at, 0, row));
        }
        workbook.save_to_buffer().unwrap()
    };
    let student: [&str; 2] = [STUDENT, "2024,1,secondary,F,white"];
    let notes: [&str; 2] = ["How to fill in this workbook", "school_year,the year in which school ends"];
    let said = error(&with(&[&notes, &[student[0]], &["Students of 2024", student[0], student[1]], &student]));
    let begin = "student.xlsx: the first sheet does not have the required columns, but sheet 3 has: move it to the front";
    assert!(said.contains(begin) && !said.contains("GIRL"), "{said}");
    // None has them: what is missing is said of the first.
    let said = error(&with(&[&notes, &["school_year,student_id"]]));
    assert!(said.contains("required columns are missing") && !said.contains("but sheet"), "{said}");
    let (place, outcome) = loaded("student.xlsx", &with(&[&student, &student]));
    assert_eq!((place.column(&outcome.load, "student", "student_id"), rejects(&outcome).len()), (vec!["1".to_string()], 0));
}

#[test]
fn cells_of_every_kind_are_read() {
    let names = "school_year,student_id,education_level,gender,race_ethnicity,first_name,last_name,birth_date,homeless";
    let rows = format!(
        "<row>{}</row><row r=\"4\"><c><v>2024</v></c><c t=\"str\"><f>A</f><v>a&amp;&#x62;</v></c><c t=\"s\"><v>0</v></c><c r=\"D4\" t=\"s\"><v>1</v></c>\
         <c r=\"E4\" t=\"inlineStr\"><is><r><t>wh</t></r><r><t>ite</t></r></is></c><c r=\"F4\" t=\"s\"><v> 2 </v></c><c r=\"G4\" t=\"str\"><v></v></c>\
         <c r=\"H4\" t=\"d\"><v>2008-02-29T00:00:00.000Z</v></c><c r=\"I4\" t=\"b\"><v>1</v></c></row>\
         <row><c><v>2.023E3</v></c><c t=\"n\"><v>7</v></c>{}<c r=\"H5\" s=\"1\"><v>0</v></c><c r=\"I5\"/></row>\
         <row><c><f>1+1</f></c><c><v>8</v></c>{}</row>",
        cells(names),
        cells("middle,M,asian"),
        cells("middle,M,asian")
    );
    let strings = "<si><t xml:space=\"preserve\"> secondary </t></si><si><r><t>F</t></r><rPh><t>eff</t></rPh></si><si><t>_x0041_nn_x000D_ Lee _x</t></si>";
    let styles = "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"yyyy\\-mm\\-dd\"/></numFmts><cellStyleXfs><xf numFmtId=\"9\"/></cellStyleXfs>\
                  <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"200\"/></cellXfs></styleSheet>";
    let (place, outcome) = loaded("student.xlsx", &book("date1904=\"1\"", strings, styles, &rows));
    assert_eq!(brief(&outcome), owned(&[(6, "", "type")]));
    assert!(rejects(&outcome)[0].message.starts_with("a cell of the row has a formula that was never computed"));
    let column = |name: &str| place.column(&outcome.load, "student", name);
    assert_eq!(outcome.load.files.iter().map(|f| f.partition).collect::<Vec<_>>(), [Some(2023), Some(2024)]);
    assert_eq!(column("student_id"), ["7", "a&b"]);
    assert_eq!(column("education_level"), ["middle", "secondary"]);
    assert_eq!(column("race_ethnicity"), ["asian", "white"]);
    assert_eq!(column("first_name"), ["", "Ann  Lee _x"]);
    assert_eq!((column("last_name"), column("homeless")), (vec![String::new(); 2], vec![String::new(), "true".into()]));
    assert_eq!(column("birth_date"), ["1904-01-01", "2008-02-29"]);
}

#[test]
fn number_formats_say_what_numbers_are() {
    let shown = |number: &str, code: &str| text(number, &of_code(code), false);
    let cases = [
        // Leading zeros.
        ("712", "00000", "00712"),
        ("1234567", "00000", "1234567"),
        ("1.0101", "00.0000", "01.0101"),
        ("52.14", "00.0000", "52.1400"),
        ("123456789", "000\\-00\\-0000", "123-45-6789"),
        ("12", "\"S\"000;[Red]-000", "S012"),
        ("7", "[$-409]000_)", "007"),
        ("1.5", "000", "1.5"),
        ("-5", "000", "-5"),
        // Numbers stay numbers.
        ("12.50", "0.00", "12.5"),
        ("1234.5", "#,##0.00", "1234.5"),
        ("7", "General", "7"),
        ("0.30000000000000004", "General", "0.3"),
        ("12345678901234567", "0", "12345678901234567"),
        ("1.5", "0.0E+00", "1.5"),
        ("x", "00000", "x"),
        // Percentages as they are shown.
        ("0.85", "0%", "85"),
        ("0.0725", "0.00%", "7.25"),
        ("1", "0 %", "100"),
        // Dates: 1 January 1900 is 1, and 29 February 1900 never was.
        ("1", "m/d/yyyy", "1900-01-01"),
        ("59", "yyyy-mm-dd", "1900-02-28"),
        ("60", "yyyy-mm-dd", "1900-02-29"),
        ("61", "yyyy-mm-dd", "1900-03-01"),
        ("25569", "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", "1970-01-01"),
        ("45292.5", "m/d/yy h:mm", "2024-01-01T12:00:00"),
        ("45292.9999999", "m/d/yy", "2024-01-02"),
        ("0.25", "h:mm AM/PM", "06:00:00"),
        ("1.5", "[h]:mm", "1.5"),
        ("0", "yyyy", "0"),
        ("-3", "yyyy", "-3"),
        ("4000000", "yyyy", "4000000"),
        ("2958465", "yyyy", "9999-12-31"),
    ];
    for (number, code, expected) in cases {
        assert_eq!(shown(number, code), expected, "{number} as {code}");
    }
    assert_eq!(text("0", &Shape::Date, true), "1904-01-01");
    assert_eq!(text("43830", &Shape::Date, true), "2024-01-01");
}

#[test]
fn workbooks_that_cannot_be_read_say_why() {
    assert!(error(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").contains("student.xlsx: is protected by a password, or is an old workbook"));
    assert!(error(b"school_year,student_id\n").contains("student.xlsx: is no xlsx workbook"));
    assert!(error(b"").contains("student.xlsx: is no xlsx workbook"));
    assert!(error(&package(&[("a.txt", "x")])).contains("it has no part xl/workbook.xml"));
    let missing = workbook(|sheet| {
        sheet.write_string(0, 0, "Students").unwrap();
        header(sheet, 1, 0, "school_year,Student number,gender");
    });
    let said = error(&missing);
    assert!(
        said.contains(
            "required columns are missing: student_id, education_level, race_ethnicity; columns found: school_year, Student number, gender"
        ),
        "{said}"
    );
    let none = workbook(|sheet| header(sheet, 3, 3, "only a title"));
    assert!(error(&none).contains("columns found:"));
    let bytes = workbook(|sheet| header(sheet, 0, 0, STUDENT));
    assert!(error(&bytes[..bytes.len() / 2]).contains("student.xlsx: is no xlsx workbook, or is damaged"));
    let rows = |rows: &str| error(&book("", "", "", &format!("<row>{}</row>{rows}", cells(STUDENT))));
    assert!(rows("<row r=\"2\"/><row r=\"2\"/>").contains("what comes after row 2 is no row from there to 1048576"));
    assert!(rows("<row r=\"1048577\"/>").contains("what comes after row 1"));
    assert!(rows("<row><c r=\"XFE2\"><v>1</v></c></row>").contains("beyond the 16384 columns"));
    assert!(rows("<row><c t=\"s\"><v>5</v></c></row>").contains("a cell refers to a text that is not there"));
    assert!(rows("<row><c>").contains("student.xlsx: xl/worksheets/sheet1.xml: is damaged"));
    assert!(rows("<row></c></row>").contains("is damaged"));
}
