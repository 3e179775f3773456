//! Reports drawn by the real program and read back: every figure of the tables is in its cell, every formula's stored result is the pipeline's
//! value, the files are their owner's only, and the same run gives the same bytes.

use crate::support::{Place, Row, copy, files, home, name, text};
use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};
use perkins::catalog::Catalog;
use perkins::jurisdiction::Jurisdiction;
use perkins::project::Project;
use perkins::report::description::Description;
use perkins::report::formula::{fill, quoted, resolve};
use perkins::report::workbook::file_name;
use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A sheet as it is read: values and formulas by row and column.
struct Sheet {
    values: BTreeMap<(u32, u32), Data>,
    formulas: BTreeMap<(u32, u32), String>,
}

impl Sheet {
    fn text(&self, row: u32, column: u32) -> String {
        self.values.get(&(row, column)).map(ToString::to_string).unwrap_or_default()
    }

    fn number(&self, row: u32, column: u32) -> Option<f64> {
        match self.values.get(&(row, column)) {
            Some(Data::Float(n)) => Some(*n),
            Some(Data::Int(n)) => Some(*n as f64),
            _ => None,
        }
    }

    fn rows(&self) -> u32 {
        self.values.keys().map(|k| k.0 + 1).max().unwrap_or(0)
    }

    /// The row whose cell in a column has this text.
    #[track_caller]
    fn find(&self, column: u32, wanted: &str) -> u32 {
        (0..self.rows()).find(|&r| self.text(r, column) == wanted).unwrap_or_else(|| panic!("no {wanted:?} in column {column}"))
    }

    /// The column of a heading in a row.
    #[track_caller]
    fn heading(&self, row: u32, wanted: &str) -> u32 {
        let found = self.values.keys().find(|(r, c)| *r == row && self.text(*r, *c) == wanted);
        found.unwrap_or_else(|| panic!("no heading {wanted:?} in row {row}")).1
    }
}

type Book = BTreeMap<String, Sheet>;

fn read(bytes: &[u8]) -> (Vec<String>, Book) {
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let names = book.sheet_names();
    let mut sheets = Book::new();
    for name in &names {
        let at = |start: Option<(u32, u32)>, (row, column): (usize, usize)| {
            let (r, c) = start.unwrap_or_default();
            (r + row as u32, c + column as u32)
        };
        let range = book.worksheet_range(name).unwrap();
        let values = range.used_cells().map(|(r, c, v)| (at(range.start(), (r, c)), v.clone())).collect();
        let range = book.worksheet_formula(name).unwrap();
        let formulas = range.used_cells().map(|(r, c, f)| (at(range.start(), (r, c)), f.clone())).collect();
        sheets.insert(name.clone(), Sheet { values, formulas });
    }
    (names, sheets)
}

const ALLOCATION: &str = "program_year,state_name,award_number,award_amount,accounting_basis
2023,Oregon,V048A220037,10000000.00,cash
2024,Oregon,V048A230037,10000000.00,cash
";
const OUTLAY: &str =
    "program_year,report,row,previously_reported,total_outlays,program_income,non_federal_share,unliquidated_obligations,funds_authorized
2023,final,A,600000.00,150000.00,0,0,0,800000.00
2023,final,M,100000.25,399999.75,0,500000.00,0,500000.00
2024,interim,A,0,700000.00,1000.50,0,40000.00,800000.00
2024,interim,B,0,300000.00,0,0,0,475000.00
2024,interim,D,0,3500000.00,0,0,125000.10,4000000.00
2024,interim,E,0,3000000.00,0,0,0,3225000.00
2024,interim,H,0,150000.00,0,0,0,200000.00
2024,interim,I,0,60000.00,0,0,0,60000.00
2024,interim,J,0,1000.00,0,0,0,1000.00
2024,interim,K,0,700000.00,0,0,0,739000.00
2024,interim,M,0,450000.00,0,450000.00,0,500000.01
";
const SUBAWARD: &str = "program_year,section,recipient_id,recipient_name,federal_id,formula_allocation,final_award,consortium_code,consortium_id,is_fiscal_agent
2024,131,R1,North School District,0100005,1500000.50,2000000.00,3,C1,Y
2024,131,R2,East School District,4100002,500000.00,7.00,3,C1,N
2024,131,R3,West School District,410003,2000000.00,2000000.00,0,,
2024,132,P1,A Community College,208318,3225000.00,3225000.00,0,,
";

/// The sample with fiscal collections made by hand, ingested, run for 2023 and 2024, and its reports drawn, once for all tests.
fn drawn() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = Place::new();
        copy(&home().join("data/sample"), &place.raw());
        for (file, rows) in [("allocation", ALLOCATION), ("outlay", OUTLAY), ("subaward", SUBAWARD)] {
            std::fs::remove_dir_all(place.raw().join(file)).unwrap();
            place.file(&format!("raw/{file}.csv"), rows);
        }
        place.ingest(&place.raw());
        place.run("oregon", [2023, 2024], &[]);
        let said = place.works(&["report", "--format", "xlsx"]);
        assert!(said.contains("car-2024.xlsx") && said.contains("workbooks in"), "{said}");
        place
    })
}

/// The files of the current run's reports, without their manifest.
fn reports(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let run = place.manifest("run")["run_id"].as_str().unwrap().to_string();
    let mut all = files(&place.restricted().join("reports").join(run));
    all.retain(|path, _| name(path) != "manifest.json");
    all
}

fn book(path: &str) -> (Vec<String>, Book) {
    let reports = reports(drawn());
    read(reports.get(&PathBuf::from(path)).unwrap_or_else(|| panic!("no {path}: {:?}", reports.keys())))
}

fn number(row: &Row, column: &str) -> Option<f64> {
    (!row[column].is_empty()).then(|| row[column].parse().unwrap())
}

fn equal(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        (a, b) => a == b,
    }
}

#[test]
fn figures_of_an_institution_are_counted_by_formulas_over_its_students() {
    let place = drawn();
    let institutions = place.query("SELECT DISTINCT institution_id FROM postsecondary_detail WHERE report_year = 2024");
    assert!(institutions.len() > 1, "{institutions:?}");
    for institution in institutions.iter().map(|r| &r["institution_id"]) {
        let (names, book) = book(&format!("performance_workbook/{institution}-2024.xlsx"));
        let of = format!("report_year = 2024 AND institution_id = '{institution}'");
        let indicators =
            place.query(&format!("SELECT DISTINCT indicator FROM postsecondary_detail WHERE {of} AND denominator = 'Y' ORDER BY 1"));
        let expected: Vec<String> = indicators.iter().map(|r| r["indicator"].clone()).collect();
        assert_eq!(names, [vec!["Summary".into()], expected.clone(), vec!["Students".to_string()]].concat());
        let summary = &book["Summary"];
        let header = summary.find(0, "Group of students");
        let columns: Vec<u32> = ["Numerator", "Denominator", "Percent", "Target"].iter().map(|h| summary.heading(header, h)).collect();
        let figures = place.query(&format!(
            "SELECT p.*, t.title FROM performance AS p LEFT JOIN reference.group_title AS t ON t.group_kind = p.group_kind AND t.group_code = p.group_code \
             WHERE report_year = 2024 AND ((level = 'institution' AND entity_id = '{institution}') \
             OR (level = 'program' AND p.group_kind = 'all' AND entity_id IN (SELECT program_id FROM postsecondary_detail WHERE {of})))"
        ));
        let mut seen = 0;
        for figure in &figures {
            let part = (0..summary.rows()).find(|&r| summary.text(r, 0).starts_with(&format!("{}:", figure["indicator"]))).unwrap();
            let group = match figure["level"].as_str() {
                "program" => format!("{} ({})", figure["entity_name"], figure["entity_id"]),
                _ if figure["group_kind"] == "all" => "All students".into(),
                _ if figure["title"].is_empty() => figure["group_code"].clone(),
                _ => figure["title"].clone(),
            };
            let row = (part + 1..summary.rows()).find(|&r| summary.text(r, 1) == group).unwrap_or_else(|| panic!("no {group}"));
            for (column, field) in columns.iter().zip(["numerator", "denominator", "rate", "target"]) {
                assert!(
                    equal(summary.number(row, *column), number(figure, field)),
                    "{institution} {} {group} {field}",
                    figure["indicator"]
                );
            }
            assert!(summary.formulas[&(row, columns[0])].starts_with("COUNTIFS("), "{group}");
            assert!(summary.formulas[&(row, columns[2])].starts_with("IF("), "{group}");
            seen += 1;
        }
        let shown = (header + 1..summary.rows()).filter(|&r| !summary.text(r, 1).is_empty()).count();
        assert_eq!(seen, shown, "every figure, and nothing else");
        for indicator in &expected {
            let sheet = &book[indicator];
            let rows = place.query(&format!("SELECT * FROM postsecondary_detail WHERE {of} AND indicator = '{indicator}' AND denominator = 'Y' ORDER BY student_id, program_id"));
            let header = sheet.find(0, "Student");
            let counted = sheet.heading(header, "Counted in the numerator");
            for (i, row) in rows.iter().enumerate() {
                let at = header + 1 + i as u32;
                assert_eq!((sheet.text(at, 0), sheet.text(at, 4)), (row["student_id"].clone(), row["program_id"].clone()));
                assert!(equal(sheet.number(at, counted), number(row, "counted_in_numerator")));
            }
            assert_eq!(sheet.rows(), header + 1 + rows.len() as u32);
            assert!(sheet.formulas.values().any(|f| f.starts_with("SUBTOTAL(103,")), "what the filter shows");
        }
    }
}

#[test]
fn the_forms_have_every_cell_of_the_tables() {
    let place = drawn();
    let (names, book) = book("car-2024.xlsx");
    for sheet in [
        "Contents",
        "I Cover page",
        "II Narrative",
        "II.B.8 Gaps",
        "II.C 131",
        "II.C 132",
        "III.B.1 Interim FSR",
        "III.B.2 Final FSR",
        "Checks",
    ] {
        assert!(names.iter().any(|n| n == sheet), "{sheet}: {names:?}");
    }
    for sheet in book.values().skip(1) {
        assert!((0..4).any(|r| sheet.text(r, 0).contains("Oregon")), "the state's name is on each sheet");
    }
    let state = place.query("SELECT DISTINCT form FROM car_form WHERE report_year = 2024");
    assert!(state.len() > 10);
    for form in state.iter().map(|r| &r["form"]) {
        let sheet = &book[&form.replace(':', " ")];
        let header = sheet.find(0, "Line");
        let kind = form.split(':').next().unwrap();
        let titles = place.query(&format!(
            "SELECT column_name, title FROM reference.car_column WHERE form = '{kind}' AND coalesce(framework, '16') = '16'"
        ));
        let columns: BTreeMap<String, u32> =
            titles.iter().map(|t| (t["column_name"].clone(), sheet.heading(header, &t["title"]))).collect();
        for cell in place.query(&format!("SELECT * FROM car_form WHERE report_year = 2024 AND form = '{form}'")) {
            let at = (sheet.find(1, &cell["population"]), columns[&cell["column"]]);
            let got = sheet.number(at.0, at.1).map_or(sheet.text(at.0, at.1), |n| n.to_string());
            match number(&cell, "value_number") {
                Some(n) => assert!(equal(sheet.number(at.0, at.1), Some(n)), "{form} {cell:?}: {got}"),
                None => assert_eq!(got, cell["value"], "{form} {cell:?}"),
            }
            let generated = ["actual_level", "difference", "met_90"].contains(&cell["column"].as_str()) && !cell["value"].is_empty();
            assert_eq!(sheet.formulas.contains_key(&at), generated, "{form} {cell:?}");
        }
    }
}

#[test]
fn fiscal_forms_compute_their_columns_and_subtotals() {
    let place = drawn();
    let (_, book) = book("car-2024.xlsx");
    let fields = place.query("SELECT name, concat(\"column\", '. ', heading) AS title, formula FROM reference.fsr_column");
    for (sheet, year, report) in [("III.B.1 Interim FSR", 2024, "interim"), ("III.B.2 Final FSR", 2023, "final")] {
        let sheet = &book[sheet];
        let header = sheet.find(0, "Row");
        let rows = place.query(&format!("SELECT * FROM fsr_form WHERE report_year = {year} AND report = '{report}'"));
        assert_eq!(rows.len(), 14, "A to N");
        for row in &rows {
            let at = (header..sheet.rows()).find(|&r| sheet.text(r, 0) == row["row"] && sheet.text(r, 1) == row["label"]).unwrap();
            for field in &fields {
                let column = sheet.heading(header, &field["title"]);
                let value = number(row, &field["name"]);
                assert!(equal(sheet.number(at, column), value), "{report} {} {}", row["row"], field["name"]);
                let generated = value.is_some() && (!field["formula"].is_empty() || row["kind"] != "entered");
                assert_eq!(sheet.formulas.contains_key(&(at, column)), generated, "{report} {} {}", row["row"], field["name"]);
                if generated {
                    let beside = sheet.heading(header, &format!("Pipeline: {}", field["title"]));
                    assert!(equal(sheet.number(at, beside), value), "the pipeline's own value stands beside");
                }
            }
        }
    }
    let subaward = &book["II.C 131"];
    assert!(subaward.formulas.values().all(|f| f.starts_with("SUM(")) && subaward.formulas.len() == 2);
    let header = subaward.find(0, "A. Recipient or Entity Eligible for a Section 131 Subaward");
    assert_eq!((subaward.text(header + 1, 0), subaward.text(header + 1, 1)), ("North School District".into(), "0100005".into()));
    assert_eq!((subaward.number(header + 2, 3), subaward.number(header + 3, 3)), (Some(0.0), Some(2_000_000.0)));
    let checks = &book["Checks"];
    let failed = place.query("SELECT count(*) AS n FROM fsr_check WHERE status = 'failed' AND ((report_year = 2024 AND form <> 'final') OR (report_year = 2023 AND form = 'final'))");
    let header = checks.find(0, "Form");
    let result = checks.heading(header, "Result");
    let shown = (header + 1..checks.rows()).filter(|&r| checks.text(r, result) == "failed").count();
    assert_eq!(shown.to_string(), failed[0]["n"]);
}

#[test]
fn the_same_run_gives_the_same_bytes_and_so_does_another_of_the_same_input() {
    let place = Place::new();
    copy(&home().join("data/sample"), &place.raw());
    place.ingest(&place.raw());
    place.run("oregon", [2024], &[]);
    place.works(&["report"]);
    let first = reports(&place);
    assert!(first.len() > 2, "{:?}", first.keys());
    place.works(&["report", "--partitions", "1"]);
    assert!(reports(&place) == first, "drawn twice");
    place.run("oregon", [2024], &["--partitions", "1"]);
    place.works(&["report"]);
    assert!(reports(&place) == first, "drawn from another run");
    place.works(&["report", "--report", "car"]);
    for path in files(&place.restricted().join("reports")).keys() {
        let path = place.restricted().join("reports").join(path);
        let mode = |p: &std::path::Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700), "{}", path.display());
        assert!(!name(&path).starts_with('.'), "a draft is left: {}", path.display());
    }
    assert!(!place.path().join("public").exists(), "nothing of it is public");
}

#[test]
fn what_cannot_be_drawn() {
    let place = Place::new();
    place.perkins(&["report"]).refuses(10, &["perkins run"]);
    place.ingest(&home().join("tests/golden/1P1/windows/given"));
    place.run("oregon", [2024], &["--table", "performance"]);
    place
        .perkins(&["report", "--report", "performance_workbook"])
        .refuses(3, &["postsecondary_detail", "performance_workbook", "perkins run", "--table"]);
    place.perkins(&["report", "--report", "carr"]).refuses(3, &["carr", "car, performance_workbook"]);
    place.perkins(&["report", "--format", "docx"]).refuses(3, &["docx", "xlsx"]);
    assert!(!place.restricted().join("reports").exists());
    place.run("federal", [2024], &[]);
    place.perkins(&["report", "--report", "performance_workbook"]).refuses(3, &["federal", "performance_workbook", "postsecondary_detail"]);
    place.works(&["report"]);
    assert_eq!(reports(&place).keys().map(|p| text(p).to_string()).collect::<Vec<_>>(), ["car-2024.xlsx"]);
}

#[test]
fn every_report_has_a_jurisdiction_with_its_tables() {
    let project = Project::open(Some(home().into()), vec![]).unwrap();
    let jurisdictions = Jurisdiction::list(&project).unwrap();
    let outputs = |j: &String| Catalog::load(&project, j).unwrap().outputs().iter().map(|v| v.name.clone()).collect::<Vec<_>>();
    let outputs: Vec<Vec<String>> = jurisdictions.iter().map(outputs).collect();
    let reports = Description::all(&project).unwrap();
    assert!(reports.len() > 1);
    for report in reports {
        let mut has = outputs.iter().filter(|o| report.needs.iter().all(|t| o.contains(t))).peekable();
        assert!(has.peek().is_some(), "{}: no jurisdiction has its tables", report.path);
        let references = report.references().unwrap();
        assert!(has.all(|o| references.iter().all(|t| o.contains(t))), "{}: a query asks for a table that is not there", report.path);
        assert!(!report.description.trim().is_empty(), "{}", report.path);
    }
}

#[test]
fn texts_of_a_description_are_filled_in() {
    let value = |name: &str| (name == "code").then(|| "a\"b".to_string());
    assert_eq!(fill("x {code}", &value, false).unwrap(), "x a\"b");
    assert_eq!(
        fill("IF([c]=\"{code}\",{code})", &value, true).unwrap(),
        "IF([c]=\"a\"\"b\",a\"b)",
        "quotes in a text of a formula are doubled"
    );
    assert!(fill("{other}", &value, false).is_err() && fill("{code", &value, false).is_err());
    let address = |name: &str| Ok(format!("<{name}>"));
    assert_eq!(resolve("IF([a]=\"[x] \"\"[y]\",[b!c],[s#d])", &address).unwrap(), "IF(<a>=\"[x] \"\"[y]\",<b!c>,<s#d>)");
    assert!(resolve("[a", &address).is_err());
    assert_eq!(quoted("it's"), "'it''s'");
    assert_eq!((file_name("A-1_b").as_str(), file_name("../a b").as_str()), ("A-1_b", "%2E%2E%2Fa%20b"));
}
