//! From bytes to records: pieces of a text file that begin and end with a record, and their line numbers (RFC 4180; lines end with LF or CRLF).

use crate::error::{Error, Result};
use memchr::{memchr, memchr_iter, memchr2, memrchr};
use std::io::{self, Read};

/// Zero bytes kept after the records of a chunk, so that wide loads at its end stay inside.
pub const PADDING: usize = 64;

/// No record is longer, unless a quotation mark is never closed.
pub const LONGEST: usize = 64 << 20;

/// Some records of a file.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The records, each ended by a line feed, then [`PADDING`] zeros.
    pub text: Vec<u8>,
    /// Where the first record begins.
    pub start: usize,
    /// Where the last record ends.
    pub end: usize,
    /// Line of the first record; the first line of the file is 1.
    pub line: u64,
    /// Number of line feeds in the records.
    pub lines: usize,
    /// Whether there is a quotation mark in it.
    pub quoted: bool,
}

/// Reads a text file chunk by chunk.
pub struct Records<R> {
    input: R,
    rest: Vec<u8>,
    line: u64,
    size: usize,
    begun: bool,
}

impl<R: Read> Records<R> {
    /// Reads `input` in chunks of about `size` bytes.
    pub fn new(input: R, size: usize) -> Self {
        Records { input, rest: Vec::new(), line: 1, size: size.max(1), begun: false }
    }

    /// Counts the lines from this one on: 0 for text whose header is no line of the file.
    pub fn from_line(self, line: u64) -> Self {
        Records { line, ..self }
    }

    /// What is read from.
    pub fn into_input(self) -> R {
        self.input
    }

    /// Fills `chunk` with the next records; false at the end of the file. `name` is the file's name in messages.
    pub fn next(&mut self, chunk: &mut Chunk, name: &str) -> Result<bool> {
        let text = &mut chunk.text;
        text.clear();
        text.append(&mut self.rest);
        let end = loop {
            let more = self.read(text, name)?;
            chunk.quoted = memchr(b'"', text).is_some();
            if !more && text.last().is_some_and(|&b| b != b'\n') {
                text.push(b'\n');
            }
            match if chunk.quoted { last_record_end(text) } else { memrchr(b'\n', text).map(|at| at + 1) } {
                Some(end) if more || end == text.len() => break end,
                None if more => {}
                None if text.is_empty() => break 0,
                end => return Err(self.unclosed(text, end.unwrap_or(0), name)),
            }
        };
        self.rest.extend_from_slice(&text[end..]);
        text.truncate(end);
        chunk.line = self.line;
        chunk.lines = memchr_iter(b'\n', text).count();
        self.line += chunk.lines as u64;
        text.resize(end + PADDING, 0);
        (chunk.start, chunk.end) = (0, end);
        Ok(end > 0)
    }

    fn read(&mut self, text: &mut Vec<u8>, name: &str) -> Result<bool> {
        let before = text.len();
        // A record longer than what was read: read as much again, so that long records cost no more than twice their length.
        let size = self.size.max(before);
        if size > LONGEST {
            return Err(self.unclosed(text, 0, name));
        }
        text.reserve(size + PADDING + 1);
        let read = (&mut self.input).take(size as u64).read_to_end(text);
        let read = read.map_err(|e| read_failed(e, name))?;
        if !self.begun {
            self.begun = true;
            if text.starts_with(b"\xEF\xBB\xBF") {
                text.drain(before..before + 3);
            } else if text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF") {
                return Err(Error::Data(format!("{name}: is UTF-16; save it as CSV UTF-8")));
            }
        }
        Ok(read == size)
    }

    fn unclosed(&self, text: &[u8], from: usize, name: &str) -> Error {
        let line = self.line + memchr_iter(b'\n', &text[..from]).count() as u64;
        Error::Data(format!(
            "{name}: the record that begins in line {line} has a quotation mark that is never closed; close it, or double it if it is part of the text"
        ))
    }
}

/// The error of reading a file: ours if the reader made it, else the machine's, else that of a file that can't be unpacked.
pub fn read_failed(e: io::Error, name: &str) -> Error {
    match e.downcast::<Error>() {
        Ok(error) => error,
        Err(e) if e.raw_os_error().is_some() => Error::internal(format!("cannot read {name}"), e),
        Err(e) => Error::Data(format!("{name}: cannot be unpacked ({e}); check that the file is whole")),
    }
}

/// Where the last whole record ends.
fn last_record_end(text: &[u8]) -> Option<usize> {
    let mut last = None;
    while let Some(end) = record_end(text, last.unwrap_or(0)) {
        last = Some(end);
    }
    last
}

/// Where the record that begins at `at` ends, behind its line feed.
pub fn record_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        if text.get(at) == Some(&b'"') {
            at = closing_quote(text, at + 1)? + 1;
        }
        at += memchr2(b',', b'\n', text.get(at..)?)? + 1;
        if text[at - 1] == b'\n' {
            return Some(at);
        }
    }
}

/// Where the quotation mark is that closes a field whose content begins at `at`.
pub fn closing_quote(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr(b'"', text.get(at..)?)?;
        if text.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}
