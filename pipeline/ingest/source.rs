//! What lies in a raw folder, and how a file of it becomes a stream of text. A further format gets its place here and in [`Format::of`].

use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::store::relative;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

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
            let source = Source { path: path.to_path_buf(), name, format, bytes };
            found.collections.entry(collection.to_string()).or_default().push(source);
            Ok(())
        }
        _ => Err(Error::Data(format!("{name}: collection {collection} cannot be read from it; expected a file ending in {ENDINGS}"))),
    }
}

/// Reads a file and takes its size and hash on the way.
#[derive(Debug)]
pub struct Hashing {
    file: File,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Hashing {
    /// Opens a file.
    pub fn open(source: &Source) -> Result<Hashing> {
        let file = File::open(&source.path).map_err(|e| Error::io("read", &source.path, e))?;
        Ok(Hashing { file, hasher: blake3::Hasher::new(), bytes: 0 })
    }

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
}

impl Input {
    /// Opens a file.
    pub fn open(source: &Source) -> Result<Input> {
        let failed = |e| Error::io("read", &source.path, e);
        let hashing = Hashing::open(source)?;
        Ok(match source.format {
            Format::Csv => Input::Plain(Box::new(hashing)),
            Format::CsvGz => Input::Gz(Box::new(flate2::read::MultiGzDecoder::new(hashing))),
            Format::CsvZst => Input::Zst(Box::new(zstd::Decoder::new(hashing).map_err(failed)?)),
        })
    }

    /// What it reads from, once it has ended.
    pub fn into_hashing(self) -> Hashing {
        match self {
            Input::Plain(hashing) => *hashing,
            Input::Gz(decoder) => decoder.into_inner(),
            Input::Zst(decoder) => decoder.finish().into_inner(),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::Plain(input) => input.read(buffer),
            Input::Gz(input) => input.read(buffer),
            Input::Zst(input) => input.read(buffer),
        }
    }
}
