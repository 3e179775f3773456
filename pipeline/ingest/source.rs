//! What lies in a raw folder, and how a file of it becomes a stream of text. A further format gets its place here and in [`Format::of`].

use super::records::read_failed;
use super::rows::Text;
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::mapping::Mapping;
use crate::mapping::rows::Use;
use crate::store::relative;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated text.
    Csv,
    /// The same, packed with gzip.
    CsvGz,
    /// The same, packed with zstd.
    CsvZst,
}

/// The endings that are read, for messages.
const ENDINGS: &str = "csv, csv.gz, csv.zst";

impl Format {
    /// Splits a file name into what stands before the first dot that begins a known ending, and the format.
    fn of(name: &str) -> Option<(&str, Format)> {
        let endings = [(".csv", Format::Csv), (".csv.gz", Format::CsvGz), (".csv.zst", Format::CsvZst)];
        let lower = name.to_ascii_lowercase();
        endings.into_iter().find_map(|(ending, format)| lower.ends_with(ending).then(|| (&name[..name.len() - ending.len()], format)))
    }

    /// How a file is packed that a mapping reads, whatever its name before that.
    pub fn packed(name: &str) -> Format {
        match name.to_ascii_lowercase().rsplit('.').next() {
            Some("gz") => Format::CsvGz,
            Some("zst") => Format::CsvZst,
            _ => Format::Csv,
        }
    }
}

/// A file to be read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its path in the raw folder, with `/`.
    pub name: String,
    /// How it is packed.
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
    /// Files that belong to no collection.
    pub unknown: Vec<String>,
    /// Names of mappings that are for no file of the folder.
    pub idle: Vec<String>,
}

/// Looks through a raw folder: `<collection>.<ext>` and `<collection>/*.<ext>`. A file that a mapping is for belongs to the mapping's collections
/// only, wherever it lies and whatever its name.
pub fn find(raw: &Path, contracts: &Contracts, mappings: &[Arc<Mapping>]) -> Result<Found> {
    let mut found = Found { idle: mappings.iter().map(|m| m.name.clone()).collect(), ..Found::default() };
    for (path, name) in entries(raw)? {
        let is_collection = contracts.get(&name).is_some();
        if path.is_dir() && (is_collection || !mappings.is_empty()) {
            let mut others = Vec::new();
            let inside = entries(&path)?;
            let files = inside.len();
            for (inner, file) in inside {
                let mapped = add_mapped(&mut found, raw, &inner, mappings)?;
                if !mapped && is_collection {
                    add(&mut found, raw, &name, &inner, &file)?;
                } else if !mapped {
                    others.push(relative(raw, &inner));
                }
            }
            let whole = others.len() == files && !is_collection;
            found.unknown.extend(if whole { vec![relative(raw, &path)] } else { others });
            continue;
        }
        if add_mapped(&mut found, raw, &path, mappings)? {
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
        let patterns = |m: &Arc<Mapping>| format!("; or, for mapping {}, files named {}", m.name, m.description.files.join(", "));
        let mapped: String = mappings.iter().map(patterns).collect();
        return Err(Error::Data(format!("{}: no collection is there; expected files or folders named {names}{mapped}", raw.display())));
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

/// The entries of a folder but the hidden ones.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| no_folder(folder, e))? {
        let entry = entry.map_err(|e| Error::io("read folder", folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            all.push((entry.path(), name));
        }
    }
    Ok(all)
}

fn add(found: &mut Found, raw: &Path, collection: &str, path: &Path, file: &str) -> Result<()> {
    let name = relative(raw, path);
    match Format::of(file) {
        Some((_, format)) if path.is_file() => {
            let bytes = path.metadata().map_err(|e| Error::io("read", path, e))?.len();
            let source = Source { path: path.to_path_buf(), name, format, bytes, mapping: None };
            found.collections.entry(collection.to_string()).or_default().push(source);
            Ok(())
        }
        _ => Err(Error::Data(format!("{name}: collection {collection} cannot be read from it; expected a file ending in {ENDINGS}"))),
    }
}

/// Adds a file for each use that mappings make of it; false if none is for it.
fn add_mapped(found: &mut Found, raw: &Path, path: &Path, mappings: &[Arc<Mapping>]) -> Result<bool> {
    let name = relative(raw, path);
    let of: Vec<&Arc<Mapping>> = mappings.iter().filter(|m| path.is_file() && m.is_for(&name)).collect();
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
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
            let source = Source { path: path.to_path_buf(), name: name.clone(), format: Format::packed(&name), bytes, mapping: Some(used) };
            found.collections.entry(collection).or_default().push(source);
        }
    }
    Ok(!of.is_empty())
}

/// Reads a file and takes its size and hash on the way.
#[derive(Debug)]
pub struct Hashing {
    file: File,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Hashing {
    /// Reads what is left, then gives size and hash of the whole file.
    pub fn finish(mut self) -> io::Result<(u64, String)> {
        io::copy(&mut self, &mut io::sink())?;
        Ok((self.bytes, self.hasher.finalize().to_hex().to_string()))
    }
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// The text of a file, unpacked.
pub enum Input {
    /// Not packed.
    Plain(Box<Hashing>),
    /// Packed with gzip.
    Gz(Box<flate2::read::MultiGzDecoder<Hashing>>),
    /// Packed with zstd.
    Zst(Box<zstd::Decoder<'static, BufReader<Hashing>>>),
    /// Rows that were decoded, as comma-separated text.
    Rows(Box<Text>),
}

impl Input {
    /// Opens a file as comma-separated text; through its mapping, if it has one.
    pub fn open(source: &Source) -> Result<Input> {
        match &source.mapping {
            None => Input::of_file(source),
            Some(used) => Ok(Input::Rows(Box::new(Text::new(Box::new(used.open(source)?))))),
        }
    }

    /// Opens a file as the text that is in it.
    pub fn of_file(source: &Source) -> Result<Input> {
        let failed = |e| Error::io("read", &source.path, e);
        let file = File::open(&source.path).map_err(failed)?;
        let hashing = Hashing { file, hasher: blake3::Hasher::new(), bytes: 0 };
        Ok(match source.format {
            Format::Csv => Input::Plain(Box::new(hashing)),
            Format::CsvGz => Input::Gz(Box::new(flate2::read::MultiGzDecoder::new(hashing))),
            Format::CsvZst => Input::Zst(Box::new(zstd::Decoder::new(hashing).map_err(failed)?)),
        })
    }

    /// The number of the first line of the text: 1, or 0 if the file has no header.
    pub fn first_line(&self) -> u64 {
        if let Input::Rows(text) = self { text.first_line() } else { 1 }
    }

    /// Reads what is left of the file, then gives its size in bytes and its hash.
    pub fn finish(self, name: &str) -> Result<(u64, String)> {
        let hashing = match self {
            Input::Plain(hashing) => *hashing,
            Input::Gz(decoder) => decoder.into_inner(),
            Input::Zst(decoder) => decoder.finish().into_inner(),
            Input::Rows(text) => return text.into_rows().finish().map(|end| (end.bytes, end.blake3)),
        };
        hashing.finish().map_err(|e| read_failed(e, name))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::Plain(input) => input.read(buffer),
            Input::Gz(input) => input.read(buffer),
            Input::Zst(input) => input.read(buffer),
            Input::Rows(input) => input.read(buffer),
        }
    }
}
