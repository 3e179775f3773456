//! Ingest (collections.md, "Files"): encodings, line ends and separators; whatever text a table comes as, it is the same table.

use crate::school::{Dice, PROGRAM, STUDENT, School, brief, contents, counts, owned, rejects};
use perkins::ingest::Options;
use perkins::ingest::format::encoding::is_utf8;
use perkins::lake::{LakeFile, Warning};
use proptest::prelude::*;
use std::io::Write;

/// Programs whose names have letters beyond ASCII, all of which Windows-1252 has.
const NAMES: [&str; 3] = ["Soudage à l’arc", "Koch/Köchin", "Pâtisserie — 50 €"];

fn programs() -> String {
    let rows = NAMES.iter().enumerate().map(|(i, name)| format!("2024,P{i},S,{name},520101,approved\n"));
    PROGRAM.to_string() + &rows.collect::<String>()
}

fn utf16(text: &str, mark: bool, little: bool) -> Vec<u8> {
    let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

fn windows(text: &str) -> Vec<u8> {
    let (bytes, _, lossy) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!lossy);
    bytes.into_owned()
}

fn packed(text: &[u8]) -> [Vec<u8>; 2] {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text).unwrap();
    [gz.finish().unwrap(), zstd::encode_all(text, 1).unwrap()]
}

/// The lake's files and the warnings of the encoding of one raw file, read on several threads in small pieces.
fn load(name: &str, content: &[u8]) -> (Vec<LakeFile>, Vec<Warning>) {
    let mut loaded = Vec::new();
    for (partitions, chunk_bytes) in [(1, 1 << 20), (4, 50)] {
        let mut place = School::new();
        place.options = Options { partitions, chunk_bytes, ..place.options.clone() };
        place.file(name, content);
        let load = place.ingest().load;
        loaded.push((contents(&load.files), load.warnings.into_iter().filter(|w| w.check == "encoding").collect()));
    }
    let last = loaded.pop().unwrap();
    assert_eq!(last, loaded[0]);
    last
}

fn error(name: &str, content: &[u8]) -> String {
    let mut place = School::new();
    place.options.chunk_bytes = 100;
    place.file(name, content);
    place.error()
}

#[test]
fn a_table_is_the_same_in_every_encoding() {
    let text = programs();
    let (expected, warnings) = load("program.csv", text.as_bytes());
    assert!(warnings.is_empty());
    let place = School::with(&[("program.csv", &text)]);
    assert_eq!(place.column(&place.ingest().load, "program", "program_name"), NAMES);
    let encodings = [
        (format!("\u{feff}{text}").into_bytes(), None),
        (utf16(&text, true, true), Some("UTF-16")),
        (utf16(&text, true, false), Some("UTF-16")),
        (windows(&text), Some("Windows-1252")),
    ];
    for (bytes, encoding) in encodings {
        let [gz, zst] = packed(&bytes);
        for (name, bytes) in [("program.csv", &bytes), ("program.csv.gz", &gz), ("program.csv.zst", &zst)] {
            let (files, warnings) = load(name, bytes);
            assert_eq!(files, expected);
            let told: Vec<_> = warnings.iter().map(|w| (w.check.as_str(), w.count, w.examples.concat())).collect();
            let said = encoding.map(|encoding| ("encoding", 1, format!("{name} ({encoding})")));
            assert_eq!(told, Vec::from_iter(said));
        }
    }
}

/// One byte decides for the file as a whole, wherever it is: what was taken for UTF-8 before it is read again.
#[test]
fn a_late_byte_decides_for_the_whole_file() {
    // "Ã©" in Windows-1252 is the two bytes of "é" in UTF-8.
    let rows = |names: &[&str]| -> String {
        let row = |(i, name): (usize, &&str)| format!("2024,P{i:04},S,{name},520101,approved\n");
        PROGRAM.to_string() + &names.iter().enumerate().map(row).collect::<String>()
    };
    let mut names = vec!["Café"; 3000];
    let (expected_before, _) = load("program.csv", rows(&names).as_bytes());
    let mut bytes = rows(&names).into_bytes();
    names.fill("CafÃ©");
    names.push("Köchin");
    bytes.extend(windows("2024,P3000,S,Köchin,520101,approved\n"));
    let (expected, _) = load("program.csv", rows(&names).as_bytes());
    let (files, warnings) = load("program.csv", &bytes);
    assert_eq!(files, expected);
    assert_ne!(files, expected_before);
    assert_eq!((warnings.len(), warnings[0].check.as_str()), (1, "encoding"));
    // The rejects of what was read before the byte are not counted twice.
    let mut faulty = rows(&["Café"; 400]).replacen("approved", "maybe", 200).into_bytes();
    faulty.extend(windows("2024,Q,S,Köchin,520101,approved\n"));
    let mut place = School::new();
    place.options = Options { partitions: 3, chunk_bytes: 300, ..place.options.clone() };
    place.file("program.csv", &faulty);
    let outcome = place.ingest();
    assert_eq!((counts(&outcome, "program").read, counts(&outcome, "program").rejected), (401, 200));
    assert_eq!(rejects(&outcome)[0].line, 2);
}

#[test]
fn a_header_may_have_letters_that_are_no_ascii() {
    let text = windows("Größe,Länge,student_id,school_year,education_level,gender,race_ethnicity\n1,2,A,2024,secondary,F,white\n");
    let place = School::new();
    place.file("student.csv", &text);
    assert_eq!(place.ingest().load.inputs[0].unknown_columns, ["Größe", "Länge"]);
}

#[test]
fn bytes_that_mean_nothing_are_named() {
    let row = |name: &[u8]| [b"2024,P,S,", name, b",520101,approved\r\n"].concat();
    let head = PROGRAM.replace('\n', "\r\n").into_bytes();
    for byte in [0x81, 0x8D, 0x8F, 0x90, 0x9D] {
        let bytes = [head.clone(), row(b"fine"), row(b"K\xF6chin"), row(&[b'a', byte])].concat();
        let said = error("program.csv", &bytes);
        assert!(
            said.contains(&format!("program.csv: line 4, byte 11 of the line: 0x{byte:02X} is neither UTF-8 nor Windows-1252")),
            "{said}"
        );
        let said = error("program.csv.gz", &packed(&bytes)[0]);
        assert!(said.contains("program.csv.gz: line 4, byte 11"), "{said}");
    }
    // With a mark for UTF-8 nothing is guessed.
    let marked = [b"\xEF\xBB\xBF".to_vec(), head.clone(), row(b"fine"), row(b"K\xF6chin")].concat();
    assert!(error("program.csv", &marked).contains("program.csv: line 3, byte 11 of the line: 0xF6 is no UTF-8"));
    // UTF-16 that is cut off, and UTF-16 without a mark.
    let text = programs();
    let mut cut = utf16(&text, true, true);
    cut.pop();
    assert!(error("program.csv", &cut).contains("program.csv: line 4: half a character of UTF-16"));
    let said = error("program.csv", &utf16(&text, false, true));
    assert!(said.contains("program.csv: line 1 has a zero byte") && said.contains("UTF-16 without a byte-order mark"), "{said}");
    assert!(error("program.csv", format!("{PROGRAM}\n\nx\0y\n").as_bytes()).contains("program.csv: line 4 has a zero byte"));
}

#[test]
fn lines_end_as_in_a_text_editor() {
    let rows = [
        "2024,1,secondary,F,white",
        "2024,2,secondary",
        "",
        "2024,3,secondary,F,\"whi\nte\"",
        "2024,4,secondary,Q,white",
        "2024,5,secondary,F,white",
    ];
    let text = format!("{STUDENT}{}", rows.join("\n"));
    let expected = [(3, "", "type"), (5, "race_ethnicity", "code"), (7, "gender", "code")];
    let mut dice = Dice(3);
    let mixed: String = text.split('\n').map(|line| line.to_string() + ["\n", "\r", "\r\n"][dice.roll(3) as usize]).collect();
    for text in [text.replace('\n', "\r"), text.replace('\n', "\r\n"), text.clone(), mixed, text.replace('\n', "\r") + "\r"] {
        for encode in [|text: &str| text.as_bytes().to_vec(), |text: &str| utf16(text, true, false)] {
            for chunk_bytes in [1, 2, 3, 7, 40, 1 << 20] {
                let mut place = School::new();
                place.options.chunk_bytes = chunk_bytes;
                place.file("student.csv", &encode(&text));
                let outcome = place.ingest();
                assert_eq!(brief(&outcome), owned(&expected), "{text:?} {chunk_bytes}");
                assert_eq!(place.column(&outcome.load, "student", "student_id"), ["1", "5"]);
            }
        }
    }
}

#[test]
fn tabs_separate_the_fields_of_tsv() {
    let text = "school_year\tprogram_id\tinstitution_id\tprogram_name\tcip_code\tapproval\n2024\tP1\tS\tBread, cakes, pies\t520101\tapproved\n\
                2024\tP2\tS\t\"tab\tand \"\"mark\"\"\"\t520101\tapproved\n2024\tP3\tS\tshort\n2024\tP4\tS\t\t520101\tapproved\n2024\tP5\tS\tmore\t520101\tapproved\t\n";
    let [gz, zst] = packed(text.as_bytes());
    for (name, bytes) in [("program.tsv", text.as_bytes()), ("program.tsv.gz", &gz), ("program.TSV.zst", &zst)] {
        let place = School::new();
        place.file(name, bytes);
        let outcome = place.ingest();
        assert_eq!(place.column(&outcome.load, "program", "program_name"), ["Bread, cakes, pies", "tab\tand \"mark\""]);
        assert_eq!(brief(&outcome), owned(&[(4, "", "type"), (5, "program_name", "required"), (6, "", "type")]));
        assert_eq!(rejects(&outcome)[2].message, "expected 6 fields, found 7");
    }
    // What is separated by something else says so.
    let said = error("program.csv", text.as_bytes());
    assert!(said.contains("the fields seem to be separated by tabs: save it as csv with commas, or as tsv with tabs"), "{said}");
    assert!(error("program.csv", PROGRAM.replace(',', ";").as_bytes()).contains("separated by semicolons"));
    assert!(error("program.tsv", PROGRAM.as_bytes()).contains("separated by commas"));
}

#[test]
fn a_collection_may_come_in_several_formats_at_once() {
    let row = |id: &str| format!("2024,{id},secondary,F,white\n");
    let place = School::with(&[("student.csv", &format!("{STUDENT}{}", row("1"))), ("student.tsv", &STUDENT.replace(',', "\t"))]);
    place.file("student/more.tsv", format!("{STUDENT}{}", row("2")).replace(',', "\t").as_bytes());
    place.file("student/c.csv.gz", &packed(format!("{STUDENT}{}", row("3")).as_bytes())[0]);
    let outcome = place.ingest();
    assert_eq!(place.column(&outcome.load, "student", "student_id"), ["1", "2", "3"]);
    assert_eq!(outcome.load.inputs.len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn utf8_is_told_in_any_pieces(mut bytes in "(a|é|€|𝄞){0,40}".prop_map(String::into_bytes), cut in 0usize..200, size in 1usize..9) {
        let whole = cut >= bytes.len();
        bytes.truncate(cut);
        let pieces = bytes.chunks(size).map(std::io::Cursor::new).fold(Box::new(std::io::empty()) as Box<dyn std::io::Read>, |a, b| Box::new(std::io::Read::chain(a, b)));
        let expected = std::str::from_utf8(&bytes).is_ok();
        prop_assert_eq!(is_utf8(pieces).unwrap(), expected);
        prop_assert!(expected || !whole);
    }
}
