//! What lies in a raw folder, and how a file of it becomes a stream of text. A further format gets its place here and in [`Format::of`].

use super::format::encoding::{Encoding, Utf8};
use super::format::notes::Notes;
use super::format::unpack::Unpacked;
use super::format::{Want, rows};
use super::rows::Text;
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::mapping::Mapping;
use crate::mapping::name::nearest;
use crate::mapping::rows::Use;
use crate::store::relative;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
const ENDINGS: [(&str, Kind); 6] = [
    (".csv", Kind::Text(b',')),
    (".tsv", Kind::Text(b'\t')),
    (".ndjson", Kind::Ndjson),
    (".jsonl", Kind::Ndjson),
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

    /// The format of a file that a mapping reads: text, whatever its name, unless that says otherwise. The mapping knows what is between fields.
    pub fn mapped(name: &str) -> Format {
        let lower = name.to_ascii_lowercase();
        let packing = PACKED.into_iter().find_map(|(ending, packing)| lower.ends_with(ending).then_some(packing));
        Format::of(name).unwrap_or(Format { kind: Kind::Text(b','), packing: packing.unwrap_or(Packing::None) })
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
    /// The mapping that it is read with, if any.
    pub mapping: Option<Use>,
}

/// What was found in a raw folder.
#[derive(Debug, Default)]
pub struct Found {
    /// The files of each collection, by path.
    pub collections: BTreeMap<String, Vec<Source>>,
    /// Files that belong to no collection, each with the name that may have been meant.
    pub unknown: Vec<String>,
    /// Names of mappings that are for no file of the folder.
    pub idle: Vec<String>,
}

/// Looks through a raw folder: `<collection>.<ext>` and `<collection>/*.<ext>`, in any letter case. A file that a mapping is for belongs to the
/// mapping's collections only, wherever it lies and whatever its name.
pub fn find(raw: &Path, contracts: &Contracts, mappings: &[Arc<Mapping>]) -> Result<Found> {
    let mut found = Found { idle: mappings.iter().map(|m| m.name.clone()).collect(), ..Found::default() };
    for (path, name) in entries(raw)? {
        let is_folder = path.is_dir();
        let collection = if is_folder { &name } else { name.split('.').next().unwrap_or_default() }.to_lowercase();
        let is_collection = contracts.get(&collection).is_some();
        let unknown = || relative(raw, &path) + &meant(contracts, &collection, is_folder || Format::of(&name).is_some());
        if is_folder && (is_collection || !mappings.is_empty()) {
            let mut others = Vec::new();
            let inside = entries(&path)?;
            let files = inside.len();
            for (inner, _) in inside {
                let mapped = add_mapped(&mut found, raw, &inner, mappings)?;
                // A README beside the files is for people.
                if !mapped && is_collection && !is_readme(&inner) {
                    add(&mut found, raw, &collection, &inner)?;
                } else if !mapped && !is_readme(&inner) {
                    others.push(relative(raw, &inner));
                }
            }
            let whole = others.len() == files && !is_collection;
            found.unknown.extend(if whole { vec![unknown()] } else { others });
        } else if add_mapped(&mut found, raw, &path, mappings)? {
        } else if !is_folder && is_collection {
            add(&mut found, raw, &collection, &path)?;
        } else if !is_readme(&path) {
            found.unknown.push(unknown());
        }
    }
    found.collections.values_mut().for_each(|files| files.sort_by(|a, b| a.name.cmp(&b.name)));
    found.unknown.sort();
    if found.collections.is_empty() {
        let names = contracts.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        let patterns = |m: &Arc<Mapping>| format!("; or, for mapping {}, files named {}", m.name, m.description.files.join(", "));
        let mapped: String = mappings.iter().map(patterns).collect();
        let there =
            if found.unknown.is_empty() { "nothing".into() } else { found.unknown.iter().take(5).cloned().collect::<Vec<_>>().join(", ") };
        let what = format!("no collection is there, only {there}; expected files or folders named {names}{mapped}");
        return Err(Error::Data(format!("{}: {what}", raw.display())));
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

/// What systems put into folders for themselves; besides hidden files, names that begin with `_` (Spark, old Macs), and what a spreadsheet program
/// keeps beside a workbook that is open.
const NOBODY_S: [&str; 2] = ["thumbs.db", "desktop.ini"];

/// The entries of a folder but those that nobody put there.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| no_folder(folder, e))? {
        let entry = entry.map_err(|e| Error::io("read folder", folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(['.', '_']) && !name.starts_with("~$") && !NOBODY_S.contains(&name.to_lowercase().as_str()) {
            all.push((entry.path(), name));
        }
    }
    Ok(all)
}

fn is_readme(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase().starts_with("readme"))
}

/// The collection that a name may have been meant for, in words.
fn meant(contracts: &Contracts, name: &str, is_readable: bool) -> String {
    let names: Vec<String> = contracts.iter().map(|c| c.name.clone()).collect();
    let begins = |n: &&String| name.strip_prefix(n.as_str()).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    let longest = names.iter().filter(begins).max_by_key(|n| n.len());
    let near = longest.or_else(|| nearest(name, &names)).filter(|_| is_readable);
    near.map(|near| format!(" (if it is of the collection {near}, put it into a folder {near})")).unwrap_or_default()
}

fn add(found: &mut Found, raw: &Path, collection: &str, path: &Path) -> Result<()> {
    let name = readable_name(raw, path)?;
    let wrong = |what: &str| Err(Error::Data(format!("{name}: {what}")));
    refuse_links_out(raw, path, &name)?;
    if path.is_dir() {
        return wrong(&format!("is a folder within that of a collection; put its files into {collection}/ itself"));
    }
    if !path.is_file() {
        return wrong("is no file but a pipe or a device; put a file there");
    }
    let Some(format) = Format::of(&name) else {
        return wrong(&format!("collection {collection} cannot be read from it; expected a file ending in {READABLE}"));
    };
    let bytes = path.metadata().map_err(|e| Error::io("read", path, e))?.len();
    let source = Source { path: path.to_path_buf(), name, format, bytes, mapping: None };
    found.collections.entry(collection.to_string()).or_default().push(source);
    Ok(())
}

/// A file's path in the raw folder. Two names with bytes that are no UTF-8 could look the same.
fn readable_name(raw: &Path, path: &Path) -> Result<String> {
    let name = relative(raw, path);
    match path.file_name().and_then(|n| n.to_str()) {
        Some(_) => Ok(name),
        None => Err(Error::Data(format!("{name}: its name has bytes that are no UTF-8; give it another"))),
    }
}

/// Adds a file for each use that mappings make of it; false if none is for it.
fn add_mapped(found: &mut Found, raw: &Path, path: &Path, mappings: &[Arc<Mapping>]) -> Result<bool> {
    let name = relative(raw, path);
    let of: Vec<&Arc<Mapping>> = mappings.iter().filter(|m| path.is_file() && m.is_for(&name)).collect();
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    if !of.is_empty() {
        readable_name(raw, path)?;
        refuse_links_out(raw, path, &name)?;
    }
    for mapping in &of {
        found.idle.retain(|idle| *idle != mapping.name);
        let bytes = path.metadata().map_err(|e| Error::io("read", path, e))?.len();
        for (collection, used) in Use::all(mapping) {
            let owner = *owners.entry(collection.clone()).or_insert(&mapping.name);
            if owner != mapping.name {
                return Err(Error::Config(format!(
                    "{name}: mappings {owner} and {} both make {collection} of it; give one of them, or make their files differ",
                    mapping.name
                )));
            }
            let source = Source { path: path.to_path_buf(), name: name.clone(), format: Format::mapped(&name), bytes, mapping: Some(used) };
            found.collections.entry(collection).or_default().push(source);
        }
    }
    Ok(!of.is_empty())
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
        if let Some(used) = &source.mapping {
            return Ok(Input::Rows(Text::new(Box::new(used.open(source, notes)?))));
        }
        if let Some(rows) = rows(source, want, notes)? {
            return Ok(Input::Rows(Text::new(rows)));
        }
        Input::text(source, unmarked)
    }

    fn text(source: &Source, unmarked: Encoding) -> Result<Input> {
        let unpacked = Unpacked::open(&source.path, &source.name, source.format.packing)?;
        let text = Utf8::new(unpacked, &source.name, unmarked).map_err(|e| read_error(e, &source.name))?;
        Ok(Input::Text(Box::new(text)))
    }

    /// Opens a file of text as it is, without its mapping; it is read once before, to know its encoding.
    pub fn of_file(source: &Source) -> Result<Input> {
        let mut input = Input::text(source, Encoding::Utf8)?;
        let is_utf8 = input.encoding() != Encoding::Utf8 || is_utf8(&mut input).map_err(|e| read_error(e, &source.name))?;
        Input::text(source, if is_utf8 { Encoding::Utf8 } else { Encoding::Windows1252 })
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

/// Whether all that is read is UTF-8.
fn is_utf8(input: &mut impl Read) -> io::Result<bool> {
    let (mut block, mut rest) = (vec![0; 1 << 16], 0);
    loop {
        let read = input.read(&mut block[rest..])?;
        let text = &block[..rest + read];
        let valid = match std::str::from_utf8(text) {
            Ok(_) => text.len(),
            // A character may go on in the next block.
            Err(e) if e.error_len().is_none() && read > 0 => e.valid_up_to(),
            Err(_) => return Ok(false),
        };
        if read == 0 {
            return Ok(true);
        }
        let end = rest + read;
        block.copy_within(valid..end, 0);
        rest = end - valid;
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
