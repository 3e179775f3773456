//! The parts of a workbook: a zip archive of which single parts are unpacked as they are read, never onto the disk. What the archive says of
//! sizes is looked at before, and holds while reading: it may lie.

use super::super::super::limit::{PARTS, WORKBOOK_BYTES};
use crate::error::{Error, Result};
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};
use zip::{CompressionMethod, ZipArchive};

/// An open workbook.
pub struct Package {
    path: PathBuf,
    name: String,
    archive: ZipArchive<BufReader<File>>,
}

impl Package {
    /// Opens a workbook. `name` is its name in messages.
    pub fn open(path: &Path, name: &str) -> Result<Package> {
        let failed = |e| Error::io("read", path, e);
        let mut file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        if size > WORKBOOK_BYTES {
            return Err(Error::Data(format!("{name}: has {size} bytes; at most {WORKBOOK_BYTES} of a workbook are read; save it as csv")));
        }
        let mut start = Vec::new();
        (&mut file).take(4).read_to_end(&mut start).and_then(|_| file.rewind()).map_err(failed)?;
        if start == *b"\xD0\xCF\x11\xE0" {
            return Err(Error::Data(format!(
                "{name}: is protected by a password, or is an old workbook (xls); save it as xlsx without a password"
            )));
        }
        let archive = ZipArchive::new(BufReader::new(file));
        let archive =
            archive.map_err(|e| Error::Data(format!("{name}: is no xlsx workbook, or is damaged ({e}); save it as xlsx again")))?;
        if archive.len() > PARTS {
            return Err(Error::Data(format!("{name}: has {} parts; at most {PARTS} of a workbook are read", archive.len())));
        }
        Ok(Package { path: path.to_path_buf(), name: name.to_string(), archive })
    }

    /// Opens a part that unpacks to at most so many bytes; none if the workbook has no such part.
    pub fn part(&mut self, part: &str, most: u64) -> Result<Option<Part>> {
        let name = &self.name;
        let wrong = |what: String| Error::Data(format!("{name}: its part {part} {what}; save it as xlsx again"));
        let same = |name: &str| name.trim_start_matches('/').replace('\\', "/").eq_ignore_ascii_case(part);
        let Some(index) = (0..self.archive.len()).find(|i| self.archive.name_for_index(*i).is_some_and(same)) else { return Ok(None) };
        let entry = self.archive.by_index_raw(index).map_err(|e| wrong(format!("is damaged ({e})")))?;
        if entry.encrypted() {
            return Err(wrong("is protected by a password".into()));
        }
        let size = entry.size();
        if size > most {
            return Err(Error::Data(format!(
                "{name}: its part {part} unpacks to {size} bytes; at most {most} are read; save the sheet as csv"
            )));
        }
        let (start, packed) = (entry.data_start().ok_or_else(|| wrong("is not where it should be".into()))?, entry.compressed_size());
        let (method, crc) = (entry.compression(), entry.crc32());
        let mut file = File::open(&self.path).map_err(|e| Error::io("read", &self.path, e))?;
        file.seek(SeekFrom::Start(start)).map_err(|e| Error::io("read", &self.path, e))?;
        let file = BufReader::new(file.take(packed));
        let bytes = match method {
            CompressionMethod::Stored => Bytes::Stored(file),
            CompressionMethod::Deflated => Bytes::Deflated(Box::new(DeflateDecoder::new(file))),
            method => return Err(wrong(format!("is packed with {method}"))),
        };
        Ok(Some(Part { name: name.clone(), part: part.to_string(), bytes, left: size, crc: Some((Crc::new(), crc)) }))
    }
}

enum Bytes {
    Stored(BufReader<Take<File>>),
    Deflated(Box<DeflateDecoder<BufReader<Take<File>>>>),
}

/// A part being read; an error if it is not what the archive says.
pub struct Part {
    name: String,
    part: String,
    bytes: Bytes,
    left: u64,
    crc: Option<(Crc, u32)>,
}

impl Part {
    fn damaged(&self) -> io::Error {
        let Part { name, part, .. } = self;
        io::Error::other(Error::Data(format!(
            "{name}: its part {part} is not what the file says of it, so the file is damaged; save it as xlsx again"
        )))
    }

    /// What reads it, for messages: the workbook and the part.
    pub fn label(&self) -> String {
        format!("{}: {}", self.name, self.part)
    }
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.bytes {
            Bytes::Stored(bytes) => bytes.read(buffer)?,
            Bytes::Deflated(bytes) => bytes.read(buffer)?,
        };
        if read as u64 > self.left {
            return Err(self.damaged());
        }
        self.left -= read as u64;
        if let Some((sum, _)) = &mut self.crc {
            sum.update(&buffer[..read]);
        }
        if read == 0 && !buffer.is_empty() {
            let whole = self.crc.take().is_none_or(|(sum, expected)| sum.sum() == expected);
            if self.left > 0 || !whole {
                return Err(self.damaged());
            }
        }
        Ok(read)
    }
}
