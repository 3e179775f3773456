//! Ingest of what is broken or made to do harm: a clear message, bounded work, and nothing half-written.

use crate::fuzz::read::{book, cells, package};
use crate::school::{PROGRAM, STUDENT, School, brief, owned};
use crate::support::{Place, entries, files, home, skipped, text};
use perkins::error::Error;
use perkins::ingest::format::encoding::Encoding;
use perkins::ingest::format::unpack::Hashing;
use perkins::ingest::format::{Want, notes::Notes};
use perkins::ingest::source::{Format, Input, Source};
use std::fs;
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::symlink;
use std::process::Command;

fn error(name: &str, content: &[u8]) -> String {
    let place = School::new();
    place.file(name, content);
    let said = place.error();
    assert!(!place.root().exists() || files(&place.root()).is_empty(), "something was written");
    assert!(said.starts_with(name), "{said}");
    said
}

const ROW: &str = "2024,1,secondary,F,white\n";

#[test]
fn what_unpacks_to_very_much_is_not_unpacked() {
    let bomb = STUDENT.to_string() + &ROW.repeat((80 << 20) / ROW.len());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(bomb.as_bytes()).unwrap();
    for (name, bytes) in [("student.csv.zst", zstd::encode_all(bomb.as_bytes(), 3).unwrap()), ("student.csv.gz", gz.finish().unwrap())] {
        assert!(error(name, &bytes).contains("unpacks to more than 250 times its size"));
    }
    let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20)).repeat(80);
    assert!(error("student.ndjson.zst", &zstd::encode_all(line.as_bytes(), 3).unwrap()).contains("unpacks to more than 250 times"));
    // What repeats itself as tables do is no bomb.
    let usual: String = (0..100_000).map(|i| format!("2024,{i},secondary,F,white\n")).collect();
    let place = School::new();
    place.file("student.csv.zst", &zstd::encode_all((STUDENT.to_string() + &usual).as_bytes(), 3).unwrap());
    assert_eq!(place.ingest().load.inputs[0].accepted, 100_000);
}

#[test]
fn records_and_headers_have_limits() {
    let long = format!("{STUDENT}{ROW}2024,{}", "x".repeat(40 << 20));
    assert!(error("student.csv", long.as_bytes()).contains("line 3 is longer than 16 MiB; is it a table"));
    let open = format!("{STUDENT}{ROW}2024,\"{}", "x\n".repeat(20 << 20));
    assert!(error("student.csv", open.as_bytes()).contains("the record that begins in line 3 has a quotation mark that is never closed"));
    let wide = STUDENT.trim().to_string() + &(0..100_000).map(|i| format!(",c{i}")).collect::<String>();
    assert!(error("student.csv", wide.as_bytes()).contains("the header has 100005 columns; at most 16384"));
    let many = STUDENT.trim().to_string() + &(0..10_000).map(|i| format!(",c{i}")).collect::<String>();
    let place = School::with(&[("student.csv", &format!("{many}\n{}{}", ROW.trim(), ",".repeat(10_000)))]);
    assert_eq!((place.ingest().load.inputs[0].accepted, place.ingest().load.inputs[0].unknown_columns.len()), (1, 10_000));
    let name = |length: usize| format!("2024,P{length},S,{},520101,approved\n", "é".repeat(length));
    let place = School::with(&[("program.csv", &format!("{PROGRAM}{}{}", name(32_767), name(32_768)))]);
    let outcome = place.ingest();
    assert_eq!(brief(&outcome), owned(&[(3, "program_name", "range")]));
}

#[test]
fn ndjson_may_be_no_deeper_than_its_limit() {
    let lines = ["[", "{\"a\":"].map(|open| format!("{{\"cip_code\":{}", open.repeat(1_000_000)));
    let place = School::with(&[(
        "crosswalk.ndjson",
        &format!("{}\n{}\n{{\"cip_code\":\"01.0101\",\"career_cluster\":\"a\"}}", lines[0], lines[1]),
    )]);
    let outcome = place.ingest();
    assert_eq!(brief(&outcome), owned(&[(1, "", "type"), (2, "", "type")]));
    // Names that never end in number are not all kept.
    let names: String = (0..5000).map(|i| format!(",\"n{i}\":1")).collect();
    let place = School::with(&[("crosswalk.ndjson", &format!("{{\"cip_code\":\"01.0101\",\"career_cluster\":\"a\"{names}}}"))]);
    assert_eq!(place.ingest().load.inputs[0].unknown_columns.len(), 1000);
}

/// Overwrites what the archive's directory says of the size of a part, as it is packed last in `bytes`.
fn lie(bytes: &mut [u8], part: &str, size: u32) {
    let at = bytes.windows(part.len()).rposition(|w| w == part.as_bytes()).unwrap();
    // 46 bytes before the name in the directory; the size is 24 bytes after their beginning (APPNOTE.TXT, 4.3.12).
    bytes[at - 22..at - 18].copy_from_slice(&size.to_le_bytes());
}

#[test]
fn parts_of_a_workbook_are_as_large_as_they_say_and_no_larger() {
    let rows = format!("<row>{}</row><row>{}</row>", cells(STUDENT), cells(ROW));
    let good = book("", "", "", &rows);
    let place = School::new();
    place.file("student.xlsx", &good);
    assert_eq!(place.ingest().load.inputs[0].accepted, 1);
    let with = |part: &str, size: u32| {
        let mut bytes = good.clone();
        lie(&mut bytes, part, size);
        error("student.xlsx", &bytes)
    };
    for (part, limit) in [
        ("xl/worksheets/sheet1.xml", 2u32 << 30),
        ("xl/sharedStrings.xml", 512 << 20),
        ("xl/styles.xml", 64 << 20),
        ("xl/workbook.xml", 64 << 20),
    ] {
        let said = with(part, limit + 1);
        assert!(said.contains(&format!("its part {part} unpacks to {} bytes; at most {limit} are read", limit + 1)), "{said}");
        let said = with(part, 20);
        assert!(said.contains(&format!("its part {part} is not what the file says of it")), "{said}");
        assert!(with(part, limit - 1).contains("is not what the file says of it"));
    }
    // A byte of the packed data.
    let mut bytes = good.clone();
    let at = bytes.windows(10).position(|w| w == b"sheet1.xml").unwrap() + 40;
    bytes[at] ^= 1;
    let said = error("student.xlsx", &bytes);
    assert!(said.contains("xl/worksheets/sheet1.xml") && said.contains("damaged"), "{said}");
    let many: Vec<(String, &str)> = (0..10_001).map(|i| (format!("p{i}"), "")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    assert!(error("student.xlsx", &package(&many)).contains("has 10001 parts; at most 10000"));
}

#[test]
fn a_sheet_may_say_that_it_has_billions_of_cells() {
    let rows = format!(
        "<row>{}</row><row>{}</row><row r=\"1048576\">{}<c r=\"XFD1048576\" t=\"str\"><v>far</v></c></row>",
        cells(STUDENT),
        cells(ROW),
        cells(ROW)
    );
    let sheet = format!("<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData>{rows}</sheetData></worksheet>");
    let place = School::new();
    place.file("student.xlsx", &book("", "", "", "").to_vec());
    let parts = |sheet: &str| {
        let mut archive = zip::ZipArchive::new(Cursor::new(book("", "", "", ""))).unwrap();
        let mut parts = Vec::new();
        for i in 0..archive.len() {
            let mut entry = archive.by_index(i).unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let text = if entry.name().ends_with("sheet1.xml") { sheet.to_string() } else { text };
            parts.push((entry.name().to_string(), text));
        }
        package(&parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
    };
    place.file("student.xlsx", &parts(&sheet));
    let outcome = place.ingest();
    assert_eq!(brief(&outcome), owned(&[(1_048_576, "", "type")]));
    // XML within its limits: depth, length of a tag, entities that stand for more and more.
    let within = |inside: String| error("student.xlsx", &parts(&format!("<worksheet>{inside}<sheetData/></worksheet>")));
    assert!(within("<a>".repeat(100)).contains("its elements are too deep within each other"));
    assert!(within(format!("<a b=\"{}\"/>", "x".repeat(2 << 20))).contains("a tag or a text of more than 1048576 bytes"));
    let laugh = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><worksheet><sheetData><row><c t=\"str\"><v>&b;</v></c></row></sheetData></worksheet>";
    assert!(error("student.xlsx", &parts(laugh)).contains("xl/worksheets/sheet1.xml: is damaged"));
}

#[test]
fn names_of_parts_lead_nowhere() {
    let place = School::new();
    let good = book("", "", "", &format!("<row>{}</row><row>{}</row>", cells(STUDENT), cells(ROW)));
    let mut zip = zip::ZipWriter::new_append(Cursor::new(good)).unwrap();
    zip.start_file("../../../evil.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"evil").unwrap();
    place.file("student.xlsx", &zip.finish().unwrap().into_inner());
    assert_eq!(place.ingest().load.inputs[0].accepted, 1);
    assert!(files(place.folder.path()).keys().all(|path| !path.ends_with("evil.txt")));
    let relations = "<Relationships><Relationship Id=\"r1\" Type=\"x/worksheet\" Target=\"../../etc/passwd\"/></Relationships>";
    let sheets = "<workbook><sheets><sheet name=\"A\" id=\"r1\"/></sheets></workbook>";
    let said = error("student.xlsx", &package(&[("xl/workbook.xml", sheets), ("xl/_rels/workbook.xml.rels", relations)]));
    assert!(said.contains("a part of the workbook is named ../../etc/passwd, which leads out of it"), "{said}");
}

#[test]
fn links_out_of_the_folder_are_refused() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("student.csv"), format!("{STUDENT}{ROW}")).unwrap();
    let refused = |make: &dyn Fn(&School), name: &str, why: &str| {
        let place = School::with(&[("program.csv", PROGRAM)]);
        make(&place);
        let said = place.error();
        assert!(said.starts_with(&format!("{name}: {why}")), "{said}");
        assert!(!place.root().exists());
    };
    let to_file = |place: &School| symlink(outside.path().join("student.csv"), place.raw().join("student.csv")).unwrap();
    refused(&to_file, "student.csv", "is a link out of the raw folder; put the file itself");
    let to_folder = |place: &School| symlink(outside.path(), place.raw().join("student")).unwrap();
    refused(&to_folder, "student/student.csv", "is a link out of the raw folder");
    let to_nothing = |place: &School| symlink("nowhere", place.raw().join("student.csv")).unwrap();
    refused(&to_nothing, "student.csv", "is a link to what cannot be read");
    let round = |place: &School| symlink("student.csv", place.raw().join("student.csv")).unwrap();
    refused(&round, "student.csv", "is a link to what cannot be read");
    // Within the folder a link is as good as a file, and the folder itself may be one.
    let place = School::with(&[("all/2024.csv", &format!("{STUDENT}{ROW}"))]);
    symlink("all/2024.csv", place.raw().join("student.csv")).unwrap();
    assert_eq!(place.ingest().load.inputs[0].accepted, 1);
    let linked = School::new();
    symlink(place.raw(), linked.raw()).unwrap();
    assert_eq!(linked.ingest().load.inputs[0].accepted, 1);
}

#[test]
fn what_is_no_file_or_has_no_readable_name_is_refused() {
    let place = School::with(&[("program.csv", PROGRAM)]);
    let pipe = place.raw().join("student.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(place.error().starts_with("student.csv: is no file but a pipe or a device"), "{}", place.error());
    fs::remove_file(pipe).unwrap();
    let bytes = std::os::unix::ffi::OsStrExt::from_bytes(b"2024-\xFF.csv");
    fs::create_dir(place.raw().join("student")).unwrap();
    fs::write(place.raw().join("student").join::<&std::ffi::OsStr>(bytes), STUDENT).unwrap();
    assert!(place.error().contains("its name has bytes that are no UTF-8"), "{}", place.error());
    // A mapping without end.
    let place = crate::support::place();
    place.perkins(&["ingest", "raw", "--mapping", "/dev/zero"]).refuses(3, &["/dev/zero", "longer than 1 MiB"]);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let place = School::with(&[("student.csv", &format!("{STUDENT}{ROW}"))]);
    let path = place.raw().join("student.csv");
    let source =
        |name: &str| Source { path: place.raw().join(name), name: name.into(), format: Format::of(name).unwrap(), bytes: 0, mapping: None };
    let read = |change: &dyn Fn()| {
        let mut input = Input::open(&source("student.csv"), Encoding::Utf8, &Want::default(), &Notes::default()).unwrap();
        let mut start = [0; 10];
        input.read_exact(&mut start).unwrap();
        change();
        input.finish()
    };
    let (bytes, hash) = read(&|| ()).unwrap();
    let content = fs::read(&path).unwrap();
    assert_eq!((bytes as usize, hash), (content.len(), blake3::hash(&content).to_hex().to_string()));
    let says = |result: Result<(u64, String), Error>| {
        assert!(matches!(&result, Err(Error::Data(e)) if e.starts_with("student.csv: changed while it was read")), "{result:?}")
    };
    says(read(&|| fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(ROW.as_bytes()).unwrap()));
    // Other content of the same size, a shorter file, and another file in its place.
    says(read(&|| fs::write(&path, fs::read(&path).unwrap().to_ascii_uppercase()).unwrap()));
    says(read(&|| fs::File::options().write(true).open(&path).unwrap().set_len(30).unwrap()));
    says(read(&|| {
        fs::write(place.raw().join("new"), "other content, of which there is more").unwrap();
        fs::rename(place.raw().join("new"), &path).unwrap();
    }));
    // Formats that are read from several places at once look at the end, too.
    let hashing = Hashing::open(&path, "student.csv").unwrap();
    fs::write(&path, "x").unwrap();
    says(hashing.finish());
}

/// A file system of its own, so small that a load does not fit; taken away when it is dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn new(at: std::path::PathBuf, size: &str) -> Option<SmallDisk> {
        fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", text(&at)]).output();
        mounted.is_ok_and(|o| o.status.success()).then(|| SmallDisk(at))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    for size in ["16k", "64k", "128k"] {
        let place = Place::new();
        let Some(disk) = SmallDisk::new(place.restricted(), size) else {
            return skipped("a full disk: only root can mount a small one");
        };
        let said = place.perkins(&["ingest", text(&home().join("data/sample"))]);
        said.refuses(2, &["free some space", text(&place.restricted())]);
        let commits = place.restricted().join("_commits");
        assert!(!commits.exists() || entries(&commits).is_empty());
        let left: Vec<_> = files(&place.restricted()).into_keys().filter(|path| text(path).contains(".draft-")).collect();
        assert!(left.is_empty(), "{left:?}");
        // With space the same folder is as good as new.
        let remounted = Command::new("mount").args(["-o", "remount,size=64m", text(&disk.0)]).output().unwrap();
        assert!(remounted.status.success());
        place.ingest(&home().join("data/sample"));
        place.works(&["verify"]);
    }
}
