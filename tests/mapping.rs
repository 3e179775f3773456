//! Mappings as a library: what each word of a mapping file does, on rows made by hand; and what holds of any file and any rows.

use perkins::contract::Contracts;
use perkins::error::{Error, Result};
use perkins::ingest::rows::{End, Row, Rows, Text};
use perkins::ingest::source::{Format, Input, Source};
use perkins::intake::Words;
use perkins::mapping::Mapping;
use perkins::mapping::date;
use perkins::mapping::description::Fixed;
use perkins::mapping::name::{matches, nearest, year};
use perkins::mapping::propose::propose;
use perkins::mapping::rows::Use;
use perkins::mapping::tally::Tally;
use perkins::mapping::text::{Delimited, FixedWidth};
use perkins::project::{File, Project};
use proptest::prelude::*;
use std::io::Read;
use std::sync::{Arc, OnceLock};

/// Rows made by hand: the header, then rows with their lines.
struct Made {
    header: Vec<String>,
    rows: std::vec::IntoIter<Row>,
}

impl Rows for Made {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn header_line(&self) -> u64 {
        1
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        match self.rows.next() {
            Some(next) => *row = next,
            None => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self: Box<Self>) -> Result<End> {
        Ok(End::default())
    }
}

fn contracts() -> &'static Contracts {
    static CONTRACTS: OnceLock<Contracts> = OnceLock::new();
    CONTRACTS.get_or_init(|| Contracts::embedded().unwrap())
}

fn parse(toml: &str) -> Result<Mapping> {
    Mapping::parse("made", &File { label: "made.toml".into(), text: toml.into(), in_overlay: false }, contracts())
}

fn wrong(toml: &str) -> String {
    match parse(toml) {
        Err(Error::Config(what)) => what,
        other => panic!("{other:?}"),
    }
}

/// A mapping to `credential`, whose fields are an id, an id, a date, yes or no, an id; with further words.
fn credential(words: &str, fields: &str) -> String {
    format!("title = \"Made\"\nfiles = \"*.csv\"\n[[collection]]\nname = \"credential\"\n{words}\n[collection.fields]\n{fields}\n")
}

const PLAIN: &str = "credential_code = \"code\"\nearned_on = \"day\"\nrecognized = { constant = true }\n";

fn made(header: &str, rows: &[&str]) -> Box<dyn Rows> {
    let fields = |line: &str| line.split(',').map(str::to_string).collect::<Vec<_>>();
    let rows: Vec<Row> = rows.iter().zip(2..).map(|(r, line)| Row { line, fields: fields(r) }).collect();
    Box::new(Made { header: fields(header), rows: rows.into_iter() })
}

/// Lines and fields of what a mapping gives, pass by pass, and what it met.
fn give(mapping: &Arc<Mapping>, file: &str, header: &str, rows: &[&str]) -> (Vec<(u64, String)>, Vec<Tally>) {
    let (mut given, mut tallies) = (Vec::new(), Vec::new());
    for (_, used) in Use::all(mapping) {
        let mut mapped = used.rows(made(header, rows), file).unwrap();
        let mut row = Row::default();
        while mapped.next(&mut row).unwrap() {
            given.push((row.line, row.fields.join("|")));
        }
        tallies.push(used.tally());
    }
    (given, tallies)
}

/// What becomes of one field, for each text of the column `x`.
fn field(rule: &str, texts: &[&str]) -> Vec<String> {
    let mapping = Arc::new(parse(&credential("", &format!("student_id = {rule}\n{PLAIN}"))).unwrap());
    let rows: Vec<String> = texts.iter().map(|t| format!("{t},y,C,2024-01-31")).collect();
    let (given, _) = give(&mapping, "a-2024.csv", "x,other,code,day", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    given.into_iter().map(|(_, fields)| fields.split('|').next().unwrap().to_string()).collect()
}

#[test]
fn each_word_of_a_field() {
    assert_eq!(field("\"x\"", &[" a ", "", "0042"]), ["a", "", "0042"]);
    assert_eq!(field("{ from = \" X \" }", &["a"]), ["a"]);
    assert_eq!(field("{ from = [\"x\", \"other\"] }", &["a", ""]), ["a", "y"]);
    assert_eq!(field("{ from = [\"x\", \"other\"], join = \"-\" }", &["a", ""]), ["a-y", ""]);
    assert_eq!(field("{ constant = 7 }", &["a"]), ["7"]);
    assert_eq!(field("{ file_year = true }", &["a"]), ["2024"]);
    assert_eq!(field("{ from = \"x\", after = \"#\" }", &["uri://a.org/B#Old#New", "plain", "ends#"]), ["New", "plain", ""]);
    assert_eq!(field("{ from = \"x\", strip = \"_'\" }", &["'001_", "_", "a_b"]), ["001", "", "a_b"]);
    assert_eq!(field("{ from = \"x\", pad = 4 }", &["7", "12345", ""]), ["0007", "12345", ""]);
    assert_eq!(field("{ from = \"x\", prefix = \"S\", suffix = \"-CTE\" }", &["7", ""]), ["S7-CTE", ""]);
    assert_eq!(field("{ from = \"x\", empty = \"none\" }", &["7", ""]), ["7", "none"]);
    assert_eq!(field("{ from = \"x\", codes = { A = \"1\", \"b c\" = \"2\", n = \"\" } }", &["a", "B C", "N", "d"]), ["1", "2", "", "d"]);
    assert_eq!(field("{ from = \"x\", codes = { A = \"1\" }, otherwise = \"null\" }", &["a", "d"]), ["1", ""]);
    assert_eq!(field("{ from = \"x\", codes = { A = \"1\" }, otherwise = \"skip\" }", &["d", "a", ""]), ["1", ""]);
    assert_eq!(field("{ from = \"x\", codes = { \"04\" = \"1\" }, pad = 2 }", &["4"]), ["1"]);
    assert_eq!(
        field("{ from = \"x\", date = [\"%Y%m%d\", \"%m/%d/%Y*\"] }", &["20240131", "1/31/2024 0:00", "31/1/2024"]),
        ["2024-01-31", "2024-01-31", "31/1/2024"]
    );
    assert_eq!(field("{ from = \"x\", take = \"year\" }", &["2023-12-31", "soon"]), ["2023", "soon"]);
    assert_eq!(field("{ from = \"x\", take = \"school_year\" }", &["2023-06-30", "2023-07-01"]), ["2023", "2024"]);
    assert_eq!(field("{ from = \"x\", take = \"quarter\" }", &["2023-03-31", "2023-04-01", "2023-12-31"]), ["1", "2", "4"]);
    assert_eq!(field("{ from = \"x\", take = \"quarter\", quarters_later = 2 }", &["2023-06-10", "2023-07-01"]), ["4", "1"]);
    assert_eq!(field("{ from = \"x\", take = \"quarter_year\", quarters_later = 2 }", &["2023-06-10", "2023-07-01"]), ["2023", "2024"]);
}

#[test]
fn words_that_do_not_go_together_are_refused() {
    let refuses = |rule: &str, piece: &str| {
        let said = wrong(&credential("", &format!("student_id = {rule}\n{PLAIN}")));
        assert!(said.contains("made.toml") && said.contains(piece), "{rule}: {said}");
    };
    refuses("{ constant = \"a\", from = \"x\" }", "say one of from");
    refuses("{ pad = 3 }", "say one of from");
    refuses("{ constant = \"a\", pad = 3 }", "only with from");
    refuses("{ from = \"x\", codes = { A = \"1\" }, take = \"year\" }", "do not go together");
    refuses("{ from = \"x\", codes = { A = \"1\", a = \"2\" } }", "twice");
    refuses("{ from = \"x\", codes = { \" \" = \"1\" } }", "empty = ");
    refuses("{ from = \"x\", otherwise = \"skip\" }", "otherwise needs codes");
    refuses("{ from = \"x\", join = \"-\" }", "several columns");
    refuses("{ from = \"x\", quarters_later = 2 }", "quarters_later needs");
    refuses("{ from = \"x\", date = \"%d.%m\" }", "a year, a month and a day");
    refuses("{ each = \"year\" }", "each needs each_quarter");
    refuses("{ form = \"x\" }", "form");
    refuses("{ from = \"\" }", "must have a name");
    refuses("{ constant = [1] }", "quotation marks");
    refuses("5", "the name of a column");
    let good = format!("student_id = \"x\"\n{PLAIN}");
    for (words, piece) in [
        ("when = [{ column = \"x\" }]", "must say one of in, not_in, empty or above"),
        ("when = [{ column = \"x\", in = [\"a\"], empty = true }]", "must say one of"),
        ("each_quarter = { from = \"a\", to = \"b\", at_most = 0 }", "at_most must be 1 to"),
    ] {
        assert!(wrong(&credential(words, &good)).contains(piece), "{words}");
    }
    let layout = |line: &str| wrong(&credential("", &good).replacen("[[collection]]", &format!("{line}\n[[collection]]"), 1));
    assert!(layout("delimiter = \"::\"").contains("one character"));
    assert!(layout("fixed = [{ name = \"x\", start = 0, length = 2 }]").contains("at least 1"));
    assert!(layout("columns = [\"x\", \"x\"]").contains("twice"));
    assert!(layout("optional = [\"y\"]").contains("which no collection reads"));
    assert!(layout("also_called = { y = [\"z\"] }").contains("also_called names \"y\""));
}

#[test]
fn conditions_choose_rows_and_lines_stay() {
    let toml = credential(
        "when = [{ column = \"found\", in = [\"Y\", \"yes\"] }, { column = \"wage\", above = 0 }]\nwhen_any = [{ column = \"a\", empty = false }, { column = \"b\", after = \"#\", not_in = [\"no\"] }]",
        &format!("student_id = \"id\"\n{PLAIN}"),
    );
    let mapping = Arc::new(parse(&toml).unwrap());
    let rows = [
        "1,y,1,a,no,C,D",
        "2,N,1,a,,C,D",
        "3,YES,0,a,,C,D",
        "4,Y,1,,u#NO,C,D",
        "5,Y,0.5,,u#maybe,C,D",
        "6,Y,much,a,,C,D",
        "7,Y,1",
        "8,Y,,a,,C,D",
        "9,Y,2,,,C,D",
    ];
    let (given, tallies) = give(&mapping, "a.csv", "id,found,wage,a,b,code,day", &rows);
    let ids: Vec<(u64, &str)> = given.iter().map(|(line, fields)| (*line, fields.split('|').next().unwrap())).collect();
    // Line 8 has three fields of seven: it is given with a number of fields that the reader rejects.
    assert_eq!(ids, [(2, "1"), (6, "5"), (8, "?"), (10, "9")]);
    assert_eq!(perkins::mapping::rows::ragged(tallies[0].columns, 4, given[2].1.split('|').count()), (7, 3));
    assert_eq!((tallies[0].rows, tallies[0].left_out, tallies[0].no_number.get("wage")), (9, 5, Some(&2)));
}

#[test]
fn a_row_for_each_quarter_of_a_span() {
    let toml = "title = \"Made\"\nfiles = \"*\"\n[[collection]]\nname = \"placement\"\neach_quarter = { from = \"begin\", to = \"end\", at_most = 3 }\n[collection.fields]\nstudent_id = \"id\"\nplacement_year = { each = \"year\" }\nplacement_quarter = { each = \"quarter\" }\nplacement_kind = \"kind\"\nsource = { constant = \"other\" }\n";
    let mapping = Arc::new(parse(toml).unwrap());
    let rows =
        ["1,2023-09-30,2024-01-01,k", "2,2023-10-01,,k", "3,2024-05-01,2024-01-01,k", "4,never,2024-01-01,k", "5,2020-01-01,2023-01-01,k"];
    let (mut given, tallies) = give(&mapping, "a.csv", "id,begin,end,kind", &rows);
    given.sort();
    let given: Vec<String> = given.into_iter().map(|(_, f)| f.replace("|k|other", "")).collect();
    let expected = ["1|2023|3", "1|2023|4", "1|2024|1", "2|2023|4", "3|2024|2", "4|never|never", "5|2020|1", "5|2020|2", "5|2020|3"];
    assert_eq!(given, expected);
    assert_eq!(tallies.iter().map(|t| t.longer).sum::<u64>(), 1);
    assert!(tallies.iter().all(|t| t.left_out == 0 && t.rows == 5));
}

#[test]
fn texts_without_a_code_are_counted_and_shown_only_where_they_are_codes() {
    let toml = credential(
        "",
        &format!(
            "student_id = {{ from = \"x\", codes = {{ A = \"1\" }} }}\n{}",
            PLAIN.replace("{ constant = true }", "{ from = \"yes\", codes = { J = \"Y\" } }")
        ),
    );
    let mapping = Arc::new(parse(&toml).unwrap());
    let rows = ["B,C,D,Ja", "C,C,D,Ja", "A,C,D,j", "A,C,D,123456789", "A,C,D,Oui"];
    let (_, tallies) = give(&mapping, "a.csv", "x,code,day,yes", &rows);
    let unknown = &tallies[0].unknown;
    assert_eq!((unknown["student_id"].rows, unknown["student_id"].examples()), (2, vec![]));
    assert_eq!(
        (unknown["recognized"].rows, unknown["recognized"].examples()),
        (4, vec!["\"Ja\" (2)".to_string(), "\"Oui\" (1)".to_string()])
    );
    let mut many = Tally::default();
    (0..30).for_each(|i| many.unknown("f", &format!("t{i}"), true));
    assert_eq!((many.unknown["f"].rows, many.unknown["f"].examples().len()), (30, 0));
}

#[test]
fn names_and_dates() {
    assert!(
        matches("*nsc*.CSV", "in/My_NSC_2.csv")
            && matches("nsc/*", "nsc/a.csv")
            && !matches("nsc/*", "a/nsc.csv")
            && matches("a?.*", "ab.c")
    );
    assert!(!matches("*.csv", "a.csv.gz") && matches("*a*b*", "xxaxxbxxb") && !matches("*a*b", "ab.") && matches("***", ""));
    let years = [
        ("sims-2024.csv", Some(2024)),
        ("a/2020/sims_2023-24.csv", Some(2024)),
        ("2023_2024.csv", Some(2024)),
        ("20240801.csv", None),
        ("2022 2024.csv", None),
    ];
    years.into_iter().for_each(|(file, expected)| assert_eq!(year(file), expected, "{file}"));
    let names = ["Student ID".to_string(), "Grade".to_string()];
    assert_eq!(nearest("student_id", &names), Some(&names[0]));
    assert_eq!(nearest("wage", &names), None);
    let read = |format: &str, text: &str| date::Format::parse(format).unwrap().read(text).map(|d| d.to_string());
    assert_eq!(read("%d-%b-%Y", "5-jul-2023").as_deref(), Some("2023-07-05"));
    assert_eq!(read("%Y%m%d", "20240230"), None);
    assert_eq!(read("%Y%m%d", "2024229"), None);
    assert_eq!(read("%Y-%m-%d*", "2024-02-29T10:00:00Z").as_deref(), Some("2024-02-29"));
    assert_eq!(read("%m/%d/%Y", "2/29/2023"), None);
}

#[test]
fn as_text_each_record_is_in_its_line() {
    let mapping =
        Arc::new(parse(&credential("when = [{ column = \"x\", not_in = [\"out\"] }]", &format!("student_id = \"x\"\n{PLAIN}"))).unwrap());
    let mut rows = vec!["out,C,D"; 200_000];
    rows.extend(["a,\"C,D", "out,C,D", "b,C,D"]);
    let used = Use::all(&mapping).remove(0).1;
    let mut text = String::new();
    let mut quoted = Vec::new();
    for (row, line) in rows.iter().zip(2..) {
        quoted.push(Row { line, fields: row.splitn(3, ',').map(str::to_string).collect() });
    }
    let made = Made { header: ["x", "code", "day"].map(str::to_string).to_vec(), rows: quoted.into_iter() };
    Text::new(Box::new(used.rows(Box::new(made), "a.csv").unwrap())).read_to_string(&mut text).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "student_id,credential_code,earned_on,recognized");
    assert_eq!((lines[200_001], lines[200_002], lines[200_003]), ("a,\"\"\"C\",D,true", "", "b,C,D,true"));
    assert_eq!(lines.iter().filter(|l| !l.is_empty()).count(), 3);
}

#[test]
fn a_column_may_have_other_names_or_be_missing() {
    let toml = credential("", &format!("student_id = {{ from = [\"id\", \"old\"] }}\n{PLAIN}"));
    let toml = toml.replacen("[[", "optional = [\"old\"]\nalso_called = { id = [\"Number\", \"code\"] }\n[[", 1);
    let mapping = Arc::new(parse(&toml).unwrap());
    let first = |header: &str, row: &str| give(&mapping, "a.csv", header, &[row]).0[0].1.split('|').next().unwrap().to_string();
    assert_eq!(first("number,code,day", "1,2,D"), "1");
    assert_eq!(first("number,ID,code,day", "1,3,2,D"), "3");
    assert_eq!(first("number,Old,code,day", ",4,2,D"), "4");
    // In the order in which they are named, so the first that the file has.
    assert_eq!(first("code,day", "2,D"), "2");
    let used = Use::all(&mapping).remove(0).1;
    let header_of = |header: &str| used.rows(made(header, &[]), "a.csv").map(|_| ()).unwrap_err().to_string();
    assert!(header_of("number,code,date").contains("\"day\" for earned_on of credential"));
    assert!(header_of("number,NUMBER,code,day").contains("the column id twice"));
    // A title above the names.
    let below = |title: &str, rows: &[&str]| used.rows(made(title, rows), "a.csv").map(|_| ()).unwrap_err().to_string();
    assert!(
        below("Credentials of 2024", &["", "ID,Code,Day,more", "1,2,D,x"])
            .contains("the names of the columns are in line 3; remove the lines")
    );
    assert!(below("Credentials of 2024", &["", "ID,Code,Date", "1,2,D"]).contains("\"id\" for student_id of credential"));
}

/// A file with a content, opened as rows of it are.
fn open(content: &[u8]) -> (tempfile::NamedTempFile, Input) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let source = Source { path: file.path().into(), name: "f.csv".into(), format: Format::mapped("f.csv"), bytes: 0, mapping: None };
    let input = Input::of_file(&source).unwrap();
    (file, input)
}

/// Lines and fields of a file; its header is `a` and `b` unless columns are given.
fn delimited(content: &str, delimiter: u8, columns: Option<&[String]>) -> Vec<(u64, Vec<String>)> {
    let (_file, input) = open(content.as_bytes());
    let mut rows = Delimited::open(input, "f.csv", delimiter, columns).unwrap();
    let (mut row, mut all) = (Row::default(), Vec::new());
    while rows.next(&mut row).unwrap() {
        all.push((row.line, row.fields.clone()));
    }
    let end = Box::new(rows).finish().unwrap();
    assert_eq!((end.bytes, end.blake3), (content.len() as u64, blake3::hash(content.as_bytes()).to_hex().to_string()));
    all
}

#[test]
fn records_of_delimited_text_and_their_lines() {
    let fields = |texts: &[&str]| texts.iter().map(|t| t.to_string()).collect::<Vec<_>>();
    let text = "\u{FEFF}a^b\r\n\r\n1^2\r\n\"3\r\n^\"\"x\"^4\n  \n\"5\"y\n6^\"\"";
    let expected = [(3, fields(&["1", "2"])), (4, fields(&["3\n^\"x", "4"])), (7, fields(&["5y"])), (8, fields(&["6", ""]))];
    assert_eq!(delimited(text, b'^', None), expected);
    let names = fields(&["a", "b"]);
    assert_eq!(delimited("1\t2\n\n3\t\n", b'\t', Some(&names)), [(1, fields(&["1", "2"])), (3, fields(&["3", ""]))]);
    // Old Macintosh files, and files of several hands.
    assert_eq!(
        delimited("a,b\r1,2\r\r3,4\r\n5,6\n\r7,8", b',', None),
        [(2, "1", "2"), (4, "3", "4"), (5, "5", "6"), (7, "7", "8")].map(|(l, a, b)| (l, fields(&[a, b])))
    );
    let failed = |content: &[u8]| {
        let (_file, input) = open(content);
        let mut rows = match Delimited::open(input, "f.csv", b',', None) {
            Ok(rows) => rows,
            Err(e) => return e.to_string(),
        };
        let mut row = Row::default();
        loop {
            match rows.next(&mut row) {
                Ok(true) => {}
                Ok(false) => panic!("no error"),
                Err(e) => return e.to_string(),
            }
        }
    };
    assert!(failed(b"a,b\n1,2\n3,\"4\n5,6\n").contains("begins in line 3 has a quotation mark that is never closed"));
    // What is no UTF-8 is Windows-1252, in which this byte means nothing.
    assert!(failed(b"a,b\n1,2\n3,\x81\n").contains("line 3, byte 3 of the line: 0x81"));
    let (_file, input) = open(b"a,b\n1,2\n3,\xE9\n");
    let (mut rows, mut row) = (Delimited::open(input, "f.csv", b',', None).unwrap(), Row::default());
    assert!(rows.next(&mut row).unwrap() && rows.next(&mut row).unwrap());
    assert_eq!(row.fields, fields(&["3", "\u{e9}"]));
}

#[test]
fn fields_in_fixed_places() {
    let fixed = |name: &str, start, length| Fixed { name: name.into(), start, length };
    let columns = [fixed("id", 1, 3), fixed("year", 5, 4), fixed("note", 10, 5)];
    let (_file, input) = open("001 2024 late \r\n\r\n0é2 2023\n003\n004 20240note\u{1A}\n\u{1A}".as_bytes());
    let mut rows = FixedWidth::open(input, "f.dat", &columns, &["note".to_string()]);
    let (mut row, mut all) = (Row::default(), Vec::new());
    while rows.next(&mut row).unwrap() {
        all.push((row.line, row.fields.join("|")));
    }
    // Line 4 ends before the year: it has too few fields. The note may be missing.
    assert_eq!(all, [(1, "001|2024|late ".into()), (3, "0é2|2023|".into()), (4, "003|".into()), (5, "004|2024|note".to_string())]);
    assert_eq!((rows.header_line(), rows.header().len()), (0, 3));
}

/// A mapping file put together at random: most are refused, some are not.
fn toml() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "from = \"a\"",
        "from = [\"a\", \"b\"]",
        "join = \"-\"",
        "after = \"#\"",
        "strip = \"_\"",
        "pad = 3",
        "take = \"quarter\"",
        "date = \"%Y%m%d\"",
        "quarters_later = 1",
        "codes = { x = \"y\" }",
        "otherwise = \"skip\"",
        "empty = \"e\"",
        "constant = 1",
        "file_year = true",
        "each = \"year\"",
        "suffix = \"s\"",
    ]);
    let rule = prop::collection::vec(word, 1..4).prop_map(|words| format!("{{ {} }}", words.join(", ")));
    let condition = prop::sample::select(vec![
        "",
        "when = [{ column = \"a\", in = [\"x\"] }]",
        "when_any = [{ column = \"b\", above = 3 }]",
        "each_quarter = { from = \"a\", to = \"b\" }",
    ]);
    (rule, condition).prop_map(|(rule, condition)| credential(condition, &format!("student_id = {rule}\n{}", PLAIN.replace("day", "b"))))
}

#[test]
fn a_mark_that_closes_too_late_is_told_in_mapped_files_too() {
    let said = |text: &str| {
        let (_file, input) = open(text.as_bytes());
        let (mut rows, mut row) = (Delimited::open(input, "f.txt", b'|', None).unwrap(), Row::default());
        loop {
            match rows.next(&mut row) {
                Ok(true) => {}
                Ok(false) => return String::new(),
                Err(e) => return e.to_string(),
            }
        }
    };
    let late = |first: u32, last: u32| format!("f.txt: the record that begins in line {first} goes on to line {last}, and what is between");
    assert!(said("a|b|c\n1|\"x|2\n3|y|4\n5|z\"|6\n").starts_with(&late(2, 4)));
    assert!(said("a|b|c\n1|x|2\n3|\"y|4\n5|\"z\"|6\n").starts_with(&late(3, 4)));
    assert_eq!(said("a|b|c\n1|\"x\n|\ny\"|2\n"), "");
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in "\\PC{0,200}", toml in toml()) {
        let _ = parse(&text);
        let _ = parse(&format!("{toml}{text}"));
    }

    #[test]
    fn delimited_text_is_read_as_it_was_written(
        rows in prop::collection::vec(prop::collection::vec("[a-c|\"\n\r, é]{0,6}", 3), 0..12),
        crlf in any::<bool>(),
    ) {
        // A line within a field that could be a record is told as one that was swallowed: see below.
        prop_assume!(rows.iter().flatten().all(|f| f.split(['\r', '\n']).all(|line| line.matches('|').count() != 2)));
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().delimiter(b'|').has_headers(false).terminator(terminator).from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        let (mut expected, mut line) = (Vec::new(), 2);
        for row in &rows {
            writer.write_record(row).unwrap();
            // A line end in a field is a line feed, whatever it is in the file.
            let row: Vec<String> = row.iter().map(|f| f.replace("\r\n", "\n").replace('\r', "\n")).collect();
            let within = row.iter().map(|f| f.matches('\n').count() as u64).sum::<u64>();
            expected.push((line, row));
            line += 1 + within;
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        prop_assert_eq!(delimited(&text, b'|', None), expected);
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), any::<u8>()], 0..200)) {
        let (file, input) = open(&bytes);
        let mut row = Row::default();
        if let Ok(mut rows) = Delimited::open(input, "f.csv", b',', None) {
            while rows.next(&mut row).unwrap_or(false) {}
        }
        let source = Source { path: file.path().into(), name: "f.dat".into(), format: Format::mapped("f.dat"), bytes: 0, mapping: None };
        let columns = [Fixed { name: "x".into(), start: 2, length: 3 }];
        let mut rows = FixedWidth::open(Input::of_file(&source).unwrap(), "f.dat", &columns, &[]);
        while rows.next(&mut row).unwrap_or(false) {}
        if let Ok(toml) = propose(file.path(), contracts(), &[], Words::of(&Project::default()).unwrap(), &[], Some("|")) {
            // What is proposed is TOML, whatever the names of the columns are.
            prop_assert!(toml::from_str::<toml::Table>(&toml).is_ok(), "{}", toml);
        }
    }

    #[test]
    fn rows_given_are_no_more_than_rows_read_and_lines_grow(
        toml in toml(),
        texts in prop::collection::vec(prop::collection::vec("[x#_0-9 -]{0,10}|2024[01][0-9][0-3][0-9]|\\PC{0,5}", 0..5), 0..20),
        gaps in prop::collection::vec(1u64..4, 20),
    ) {
        let Ok(mapping) = parse(&toml) else { return Ok(()) };
        let mut line = 1;
        let rows: Vec<Row> = texts.iter().zip(&gaps).map(|(t, gap)| { line += gap; Row { line, fields: t.clone() } }).collect();
        for (_, used) in Use::all(&Arc::new(mapping)) {
            let header = ["a", "b", "code"].map(str::to_string).to_vec();
            let mut mapped = used.rows(Box::new(Made { header, rows: rows.clone().into_iter() }), "f-2024.csv").unwrap();
            let (mut row, mut before, mut given) = (Row::default(), 1, 0);
            while mapped.next(&mut row).unwrap() {
                prop_assert!(row.line > before && rows.iter().any(|r| r.line == row.line));
                (before, given) = (row.line, given + 1);
                prop_assert!(row.fields.len() == mapped.header().len() || row.fields.len() > mapped.header().len() + rows.iter().find(|r| r.line == row.line).unwrap().fields.len());
            }
            let tally = used.tally();
            prop_assert!(given + tally.left_out <= tally.rows && tally.rows == rows.len() as u64);
        }
    }
}
