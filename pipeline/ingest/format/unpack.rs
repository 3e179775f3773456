//! Packed text: gzip and Zstandard, with a limit to how much may come out of how little.

use super::super::limit::{UNPACKED_FREE, UNPACKED_TIMES};
use super::super::source::Packing;
use crate::error::{Error, Result};
use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file whose size and time of change were noted as it was opened.
#[derive(Debug)]
pub struct Steady {
    path: PathBuf,
    name: String,
    before: Option<(u64, SystemTime)>,
}

impl Steady {
    /// Notes what a file is before it is read. `name` is its name in messages.
    pub fn new(path: &Path, name: &str, metadata: &Metadata) -> Steady {
        Steady { path: path.to_path_buf(), name: name.to_string(), before: facts(metadata) }
    }

    /// An error if the file is no longer what it was, or if other than `read` bytes came out of it.
    pub fn check(&self, read: u64) -> Result<()> {
        let now = std::fs::metadata(&self.path).map_err(|e| Error::io("read", &self.path, e))?;
        if facts(&now) == self.before && self.before.is_none_or(|(size, _)| size == read) {
            return Ok(());
        }
        Err(Error::Data(format!("{}: changed while it was read; load again once whoever writes it has finished", self.name)))
    }
}

fn facts(metadata: &Metadata) -> Option<(u64, SystemTime)> {
    Some((metadata.len(), metadata.modified().ok()?))
}

/// Reads a file and takes its size and hash on the way.
#[derive(Debug)]
pub struct Hashing {
    file: File,
    steady: Steady,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Hashing {
    /// Opens a file. `name` is its name in messages.
    pub fn open(path: &Path, name: &str) -> Result<Hashing> {
        let failed = |e| Error::io("read", path, e);
        let file = File::open(path).map_err(failed)?;
        let steady = Steady::new(path, name, &file.metadata().map_err(failed)?);
        Ok(Hashing { file, steady, hasher: blake3::Hasher::new(), bytes: 0 })
    }

    /// Reads what is left, then gives size and hash of the whole file; an error if it changed meanwhile.
    pub fn finish(mut self) -> Result<(u64, String)> {
        io::copy(&mut self, &mut io::sink()).map_err(|e| Error::io("read", &self.steady.path, e))?;
        self.steady.check(self.bytes)?;
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

/// The bytes of a file, unpacked.
pub struct Unpacked {
    packed: Packed,
    unpacked: u64,
}

enum Packed {
    Plain(Box<Hashing>),
    Gzip(Box<flate2::read::MultiGzDecoder<Hashing>>),
    Zstd(Box<zstd::Decoder<'static, BufReader<Hashing>>>),
}

impl Unpacked {
    /// Opens a file that is packed so. `name` is its name in messages.
    pub fn open(path: &Path, name: &str, packing: Packing) -> Result<Unpacked> {
        let hashing = Hashing::open(path, name)?;
        let packed = match packing {
            Packing::None => Packed::Plain(Box::new(hashing)),
            Packing::Gzip => Packed::Gzip(Box::new(flate2::read::MultiGzDecoder::new(hashing))),
            Packing::Zstd => Packed::Zstd(Box::new(zstd::Decoder::new(hashing).map_err(|e| Error::io("read", path, e))?)),
        };
        Ok(Unpacked { packed, unpacked: 0 })
    }

    /// Reads what is left of the file, then gives its size and hash.
    pub fn finish(self) -> Result<(u64, String)> {
        match self.packed {
            Packed::Plain(hashing) => hashing.finish(),
            Packed::Gzip(decoder) => decoder.into_inner().finish(),
            Packed::Zstd(decoder) => decoder.finish().into_inner().finish(),
        }
    }

    fn hashing(&self) -> &Hashing {
        match &self.packed {
            Packed::Plain(hashing) => hashing,
            Packed::Gzip(decoder) => decoder.get_ref(),
            Packed::Zstd(decoder) => decoder.get_ref().get_ref(),
        }
    }

    /// An error once much more came out than a table of rows can have been packed into so little.
    fn limit(&self) -> io::Result<()> {
        let hashing = self.hashing();
        if self.unpacked <= UNPACKED_FREE || self.unpacked / UNPACKED_TIMES <= hashing.bytes {
            return Ok(());
        }
        Err(io::Error::other(Error::Data(format!(
            "{}: unpacks to more than {UNPACKED_TIMES} times its size, as files do that are made to fill a disk; if it is right, hand it over unpacked",
            hashing.steady.name
        ))))
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.packed {
            Packed::Plain(input) => return input.read(buffer),
            Packed::Gzip(input) => input.read(buffer)?,
            Packed::Zstd(input) => input.read(buffer)?,
        };
        self.unpacked += read as u64;
        self.limit()?;
        Ok(read)
    }
}
