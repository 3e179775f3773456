//! What lies in a raw folder, and how a file of it becomes a stream of text. A further format gets its place here and in [`Format::of`].

use super::format::encoding::{Encoding, Utf8};
use super::format::notes::Notes;
use super::format::unpack::Unpacked;
use super::format::{Want, rows};
use super::rows::Text;
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::store::relative;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What a file is, once it is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text of fields with this byte between them.
    Text(u8),
    /// A JSON object on each line.
    Ndjson,
    /// Parquet.
    Parquet,
    /// A workbook, of which the first sheet is read.
    Xlsx,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not.
    None,
    /// With gzip.
    Gzip,
    /// With Zstandard.
    Zstd,
}

/// What a file is, and how it is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// What it is.
    pub kind: Kind,
    /// How it is packed.
    pub packing: Packing,
}

/// The endings that are read. Those of text may also be packed.
const ENDINGS: [(&str, Kind); 5] = [
    (".csv", Kind::Text(b',')),
    (".tsv", Kind::Text(b'\t')),
    (".ndjson", Kind::Ndjson),
    (".parquet", Kind::Parquet),
    (".xlsx", Kind::Xlsx),
];
const PACKED: [(&str, Packing); 2] = [(".gz", Packing::Gzip), (".zst", Packing::Zstd)];
/// The same for messages.
const READABLE: &str = "csv, tsv, ndjson (each also with .gz or .zst after it), parquet or xlsx";

impl Format {
    /// The format that a file's name tells by its ending, in any letter case.
    pub fn of(name: &str) -> Option<Format> {
        let lower = name.to_ascii_lowercase();
        let packed = PACKED.into_iter().find_map(|(ending, packing)| Some((lower.strip_suffix(ending)?, packing)));
        let (name, packing) = packed.unwrap_or((&lower, Packing::None));
        let kind = ENDINGS.into_iter().find_map(|(ending, kind)| name.ends_with(ending).then_some(kind))?;
        let packable = matches!(kind, Kind::Text(_) | Kind::Ndjson);
        (packing == Packing::None || packable).then_some(Format { kind, packing })
    }
}

/// A file to be read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its path in the raw folder, with `/`.
    pub name: String,
    /// What it is, and how it is packed.
    pub format: Format,
    /// Size in bytes.
    pub bytes: u64,
}

/// What was found in a raw folder.
#[derive(Debug, Default)]
pub struct Found {
    /// The files of each collection, by path.
    pub collections: BTreeMap<String, Vec<Source>>,
    /// Files that belong to no collection.
    pub unknown: Vec<String>,
}

/// Looks through a raw folder: `<collection>.<ext>` and `<collection>/*.<ext>`.
pub fn find(raw: &Path, contracts: &Contracts) -> Result<Found> {
    let mut found = Found::default();
    for (path, name) in entries(raw)? {
        if path.is_dir() && contracts.get(&name).is_some() {
            for (inner, file) in entries(&path)? {
                add(&mut found, raw, &name, &inner, &file)?;
            }
            continue;
        }
        let stem = name.split('.').next().unwrap_or_default();
        if !path.is_dir() && contracts.get(stem).is_some() {
            add(&mut found, raw, stem, &path, &name)?;
        } else if !name.to_lowercase().starts_with("readme") {
            // A README beside the collections is for people.
            found.unknown.push(relative(raw, &path));
        }
    }
    found.collections.values_mut().for_each(|files| files.sort_by(|a, b| a.name.cmp(&b.name)));
    found.unknown.sort();
    if found.collections.is_empty() {
        let names = contracts.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Error::Data(format!("{}: no collection is there; expected files or folders named {names}", raw.display())));
    }
    Ok(found)
}

/// A folder that is not there, or is none, is a wrong argument.
fn no_folder(folder: &Path, e: std::io::Error) -> Error {
    match e.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Error::Config(format!(
            "{} is no folder; check the path: it must be the folder that holds the raw collections, such as student.csv or student/*.csv",
            folder.display()
        )),
        _ => Error::io("read folder", folder, e),
    }
}

/// The entries of a folder but the hidden ones, and those that a spreadsheet program keeps beside a workbook that is open.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| no_folder(folder, e))? {
        let entry = entry.map_err(|e| Error::io("read folder", folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !name.starts_with("~$") {
            all.push((entry.path(), name));
        }
    }
    Ok(all)
}

fn add(found: &mut Found, raw: &Path, collection: &str, path: &Path, file: &str) -> Result<()> {
    let name = relative(raw, path);
    refuse_links_out(raw, path, &name)?;
    match Format::of(file) {
        Some(format) if path.is_file() => {
            let bytes = path.metadata().map_err(|e| Error::io("read", path, e))?.len();
            let source = Source { path: path.to_path_buf(), name, format, bytes };
            found.collections.entry(collection.to_string()).or_default().push(source);
            Ok(())
        }
        _ => Err(Error::Data(format!("{name}: collection {collection} cannot be read from it; expected a file ending in {READABLE}"))),
    }
}

/// A link may stand for a file of the raw folder, not for one elsewhere: who can write there could have any file of the machine read.
fn refuse_links_out(raw: &Path, path: &Path, name: &str) -> Result<()> {
    let real = |path: &Path| path.canonicalize();
    let out = |why: String| Err(Error::Data(format!("{name}: {why}; put the file itself into the folder")));
    match (real(raw), real(path)) {
        (Ok(raw), Ok(real)) if real.starts_with(&raw) => Ok(()),
        (Ok(_), Ok(_)) => out("is a link out of the raw folder".into()),
        (_, Err(e)) if path.is_symlink() => out(format!("is a link to what cannot be read ({e})")),
        (Err(e), _) | (_, Err(e)) => Err(Error::io("read", path, e)),
    }
}

/// The text of a file: comma-separated, or with another byte between fields; UTF-8.
pub enum Input {
    /// A file of text.
    Text(Box<Utf8<Unpacked>>),
    /// Rows of any other format, or of a mapping.
    Rows(Text),
}

impl Input {
    /// Opens a file for those columns of it that are wanted. Text without a byte-order mark is taken for `unmarked`.
    pub fn open(source: &Source, unmarked: Encoding, want: &Want, notes: &Notes) -> Result<Input> {
        if let Some(rows) = rows(source, want, notes)? {
            return Ok(Input::Rows(Text::new(rows)));
        }
        let unpacked = Unpacked::open(&source.path, &source.name, source.format.packing)?;
        let text = Utf8::new(unpacked, &source.name, unmarked).map_err(|e| read_error(e, &source.name))?;
        Ok(Input::Text(Box::new(text)))
    }

    /// The line that it begins with.
    pub fn first_line(&self) -> u64 {
        match self {
            Input::Text(_) => 1,
            Input::Rows(text) => text.first_line(),
        }
    }

    /// The encoding that was found; rows are decoded already.
    pub fn encoding(&self) -> Encoding {
        match self {
            Input::Text(text) => text.encoding(),
            Input::Rows(_) => Encoding::Utf8Marked,
        }
    }

    /// Reads what is left of the file, then gives its size and hash.
    pub fn finish(self) -> Result<(u64, String)> {
        match self {
            Input::Text(text) => text.into_input().finish(),
            Input::Rows(text) => text.into_rows().finish().map(|end| (end.bytes, end.blake3)),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::Text(input) => input.read(buffer),
            Input::Rows(input) => input.read(buffer),
        }
    }
}

/// What went wrong in reading: our own error if it is one, else the machine's, else the file is damaged. `name` is the file's name.
pub fn read_error(e: io::Error, name: &str) -> Error {
    match e.downcast::<Error>() {
        Ok(ours) => ours,
        Err(e) if e.raw_os_error().is_some() => Error::internal(format!("cannot read {name}"), e),
        Err(e) => Error::Data(format!("{name}: cannot be unpacked ({e}); check that the file is whole")),
    }
}
