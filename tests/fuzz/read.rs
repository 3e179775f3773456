//! Reads bytes as a raw file of some format, and checks what must hold whatever they are: no panic, an error that names the file or every row
//! accounted for, and the same for any number of threads. Shared by `tests/fuzz.rs` and the targets of `fuzz/`.

#![allow(dead_code)]

use perkins::contract::Contracts;
use perkins::error::Error;
use perkins::ingest::aside::Room;
use perkins::ingest::parse::{Means, Parsed, parse};
use perkins::ingest::plan::Plan;
use perkins::ingest::reference::References;
use perkins::ingest::reject::message;
use perkins::ingest::source::{Format, Source};
use perkins::mapping::Mapping;
use perkins::mapping::rows::Use;
use perkins::project::{File, Project};
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use zip::write::SimpleFileOptions;

/// What became of a file, so that it can be compared.
#[derive(Debug, PartialEq)]
enum Seen {
    Rows { rows: u64, accepted: u64, rejects: Vec<String>, columns: Vec<String>, bytes: u64, hash: String },
    Refused(String),
}

fn contracts() -> &'static Contracts {
    static CONTRACTS: OnceLock<Contracts> = OnceLock::new();
    CONTRACTS.get_or_init(|| Contracts::embedded().unwrap())
}

/// Reads `bytes` as a file `program.<ending>` in `folder`.
pub fn read(folder: &Path, ending: &str, bytes: &[u8]) {
    let name = format!("program.{ending}");
    let path = folder.join(&name);
    std::fs::write(&path, bytes).unwrap();
    check("program", &Source { path, format: Format::of(&name).unwrap(), name, bytes: bytes.len() as u64, mapping: None });
}

/// Reads `bytes` as a file that a mapping is for, with each of its uses.
pub fn read_mapped(folder: &Path, mapping: &Arc<Mapping>, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    for (collection, used) in Use::all(mapping) {
        let (path, bytes) = (path.clone(), bytes.len() as u64);
        check(&collection, &Source { path, format: Format::mapped(name), name: name.into(), bytes, mapping: Some(used) });
    }
}

/// A mapping with the files of its case: name and content.
pub type Case = (Arc<Mapping>, Vec<(String, Vec<u8>)>);

/// The mappings that ship.
pub fn mappings() -> Vec<Case> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = if home.ends_with("fuzz") { home.parent().unwrap() } else { home };
    let shipped = Project::default().mappings().unwrap();
    let of = |(file, text): (String, File)| {
        let mapping = Arc::new(Mapping::parse(file.trim_end_matches(".toml"), &text, contracts()).unwrap());
        let given = std::fs::read_dir(home.join("tests/mapping").join(&mapping.name).join("given")).unwrap();
        let mut files: Vec<PathBuf> = given.map(|e| e.unwrap().path()).collect();
        files.sort();
        let named = |p: &PathBuf| (p.file_name().unwrap().to_str().unwrap().to_string(), std::fs::read(p).unwrap());
        let files = files.iter().map(named).filter(|(name, _)| mapping.is_for(name)).collect();
        (mapping, files)
    };
    shipped.into_iter().map(of).collect()
}

fn check(collection: &str, source: &Source) {
    let small = outcome(collection, source, 1, 61);
    // Threads cost more than the reading: guided fuzzing, which looks at very many files, starts them for some.
    if !cfg!(fuzzing) || source.bytes.is_multiple_of(4) {
        match (outcome(collection, source, 3, 61), &small) {
            // Of a file that is broken in several ways, and no UTF-8, another fault may be met first.
            (Seen::Refused(_), Seen::Refused(_)) => {}
            (several, one) => assert_eq!(several, *one, "the number of threads changes what is read"),
        }
    }
    match (outcome(collection, source, if cfg!(fuzzing) { 1 } else { 2 }, 1 << 20), small) {
        (Seen::Refused(_), Seen::Refused(_)) => {}
        (large, small) => assert_eq!(large, small, "the size of the pieces changes what is read"),
    }
}

fn outcome(collection: &str, source: &Source, threads: usize, chunk_bytes: usize) -> Seen {
    let contract = contracts().get(collection).unwrap();
    let plan = Plan::new(contract, contracts()).unwrap();
    let shared = plan.shared(&References::default()).into_iter().map(|_| None).collect();
    let room = Room::new(Path::new("."), u64::MAX);
    match parse(&plan, shared, std::slice::from_ref(source), 0, &Means { threads, chunk_bytes, room: &room }) {
        Ok(Parsed { parts, rejects, files, .. }) => {
            let (accepted, facts) = (parts.values().flatten().map(|b| b.rows as u64).sum(), files[0].clone());
            assert_eq!(facts.rows, accepted + rejects.len() as u64, "a row was lost");
            assert_eq!(facts.bytes, source.bytes);
            let mut rejects: Vec<String> =
                rejects.iter().map(|r| format!("{:>9} {}: {:?}", r.line, message(r, contract, &[]), r.text)).collect();
            rejects.sort();
            Seen::Rows { rows: facts.rows, accepted, rejects, columns: facts.unknown_columns, bytes: facts.bytes, hash: facts.blake3 }
        }
        Err(Error::Data(what)) => {
            assert!(what.starts_with(&source.name), "the file is not named: {what}");
            Seen::Refused(what)
        }
        Err(error) => panic!("not an error of the data: {error:?}"),
    }
}

/// A workbook of parts written by hand.
pub fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated)).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
    <Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
    <Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="/xl/sharedStrings.xml"/>
    <Relationship Id="r3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="./styles.xml"/></Relationships>"#;

/// A workbook whose sheet has these rows.
pub fn book(properties: &str, strings: &str, styles: &str, rows: &str) -> Vec<u8> {
    let sheets = format!(
        "<workbook xmlns:r=\"x\"><workbookPr {properties}/><sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    package(&[
        ("xl/workbook.xml", &sheets),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/sharedStrings.xml", &format!("<sst>{strings}</sst>")),
        ("xl/styles.xml", styles),
        ("xl/worksheets/sheet1.xml", &format!("<?xml version=\"1.0\"?><worksheet><sheetData>{rows}</sheetData></worksheet>")),
    ])
}

/// The cells of a row, from text with commas between them.
pub fn cells(text: &str) -> String {
    text.trim().split(',').map(|text| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>")).collect()
}

/// A workbook of programs, with cells of every kind.
pub fn workbook() -> Vec<u8> {
    let row = "<row r=\"9\"><c r=\"A9\"><v>2024</v></c><c t=\"s\"><v>0</v></c><c t=\"str\"><f>1</f><v>S</v></c><c t=\"e\"><v>#N/A</v></c>\
               <c s=\"1\"><v>52</v></c><c t=\"b\"><v>1</v></c></row>";
    let styles = "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"00.0000;yyyy\"/></numFmts>\
                  <cellXfs><xf numFmtId=\"14\"/><xf numFmtId=\"200\"/></cellXfs></styleSheet>";
    let header = cells("school_year,program_id,institution_id,program_name,cip_code,approval");
    let rows = format!("<row><c><v>1</v></c></row><row>{header}</row><row>{}</row>{row}", cells("2024,P1,S,Baking,520101,approved"));
    book("date1904=\"1\"", "<si><t>P_x0041_</t></si><si><r><t>a</t></r></si>", styles, &rows)
}

/// A workbook whose parts are those of `workbook` but for one, the content of which is given.
pub fn with_part(workbook: &[u8], part: usize, content: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let part = part % archive.len();
    let mut content = Some(content);
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if let Some(content) = content.take_if(|_| i == part) {
            bytes = content(bytes);
        }
        zip.start_file(entry.name(), SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored)).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A folder in memory, if there is one, for files that are written and read very often.
pub fn folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
