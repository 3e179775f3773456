//! Rows of mapped text files: fields with a delimiter between them, or in fixed places. Not by the `csv` crate: it counts blank lines to the
//! record after them, and takes what follows a quotation mark that is never closed for one field, which would lose rows without a word.

use super::description::Fixed;
use crate::error::{Error, Result};
use crate::ingest::fields::{closes_late, late_error};
use crate::ingest::limit::RECORD_BYTES;
use crate::ingest::rows::{End, Row, Rows};
use crate::ingest::source::{Input, read_error};
use memchr::memchr2;
use std::io::{BufRead, BufReader};

/// Bytes read at a time.
const BUFFER: usize = 1 << 18;

/// The lines of a text file.
struct Lines {
    input: BufReader<Input>,
    /// The file in messages.
    name: String,
    /// Number of the line read last.
    line: u64,
    /// The line read last ended with CR: a line feed that follows belongs to it.
    after_return: bool,
}

impl Lines {
    fn new(input: Input, name: &str) -> Lines {
        Lines { input: BufReader::with_capacity(BUFFER, input), name: name.to_string(), line: 0, after_return: false }
    }

    /// Adds the next line to `text`, which may already hold what came before in the same record; false at the end. A line ends with LF, CR or
    /// CRLF in the file, with LF in `text`.
    fn next(&mut self, text: &mut Vec<u8>) -> Result<bool> {
        let before = text.len();
        loop {
            let name = &self.name;
            let bytes = self.input.fill_buf().map_err(|e| read_error(e, name))?;
            if std::mem::take(&mut self.after_return) && bytes.first() == Some(&b'\n') {
                self.input.consume(1);
                continue;
            }
            let end = memchr2(b'\n', b'\r', bytes);
            let taken = end.unwrap_or(bytes.len());
            text.extend_from_slice(&bytes[..taken]);
            self.after_return = end.is_some_and(|at| bytes[at] == b'\r');
            let ended = bytes.is_empty();
            self.input.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                text.push(b'\n');
            } else if text.len() < RECORD_BYTES && !ended {
                continue;
            }
            self.line += u64::from(text.len() > before);
            if text.len() >= RECORD_BYTES {
                let what = "is longer than 16 MiB; a line end or a closing quotation mark must be missing";
                return Err(Error::Data(format!("{}: the record in line {} {what}", self.name, self.line)));
            }
            if self.line == 1 && before == 0 && text.starts_with(b"\xEF\xBB\xBF") {
                text.drain(..3);
                return Ok(true);
            }
            return Ok(text.len() > before);
        }
    }

    fn text(&self, bytes: &[u8], line: u64) -> Result<String> {
        let utf8 = std::str::from_utf8(bytes).map(str::to_string);
        utf8.map_err(|_| Error::Data(format!("{}: line {line} is no UTF-8; save the file as UTF-8", self.name)))
    }

    fn finish(self) -> Result<End> {
        let (bytes, blake3) = self.input.into_inner().finish()?;
        Ok(End { bytes, blake3 })
    }
}

/// Where a record is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// Behind a quotation mark that closes a field, or is the first of two that stand for one.
    Quote,
}

/// Rows of a file with a delimiter (RFC 4180 but for the delimiter).
pub struct Delimited {
    lines: Lines,
    delimiter: u8,
    header: Vec<String>,
    header_line: u64,
    text: Vec<u8>,
}

impl Delimited {
    /// Reads the header, unless the names of the columns are given: then the file has none.
    pub fn open(input: Input, name: &str, delimiter: u8, columns: Option<&[String]>) -> Result<Delimited> {
        let mut rows = Delimited { lines: Lines::new(input, name), delimiter, header: Vec::new(), header_line: 0, text: Vec::new() };
        match columns {
            Some(columns) => rows.header = columns.to_vec(),
            None => {
                let mut header = Row::default();
                if !rows.record(&mut header)? {
                    return Err(Error::Data(format!("{name}: the file is empty; expected a line with the names of the columns")));
                }
                rows.header = header.fields.iter().map(|f| f.trim().to_string()).collect();
                rows.header_line = header.line;
            }
        }
        Ok(rows)
    }

    /// Reads the next record that is not blank.
    fn record(&mut self, row: &mut Row) -> Result<bool> {
        loop {
            row.fields.clear();
            row.line = self.lines.line + 1;
            let (mut at, mut field, mut done) = (At::Start, Vec::new(), 0);
            self.text.clear();
            loop {
                if !self.lines.next(&mut self.text)? {
                    if at == At::Quoted {
                        return Err(self.unclosed(row.line));
                    }
                    if done == 0 {
                        return Ok(false);
                    }
                    break;
                }
                at = self.split(done, at, &mut field, row)?;
                done = self.text.len();
                if at != At::Quoted {
                    break;
                }
            }
            row.fields.push(self.lines.text(&field, row.line)?);
            if self.lines.line > row.line && closes_late(&self.text, self.delimiter, self.header.len()) {
                return Err(late_error(&self.lines.name, row.line, self.lines.line));
            }
            if row.fields.iter().any(|f| !f.trim().is_empty()) || row.fields.len() > 1 {
                return Ok(true);
            }
        }
    }

    /// Goes on with a record from a line's begin; the last field stays open.
    fn split(&self, from: usize, mut at: At, field: &mut Vec<u8>, row: &mut Row) -> Result<At> {
        for &byte in &self.text[from..] {
            at = match (at, byte) {
                (At::Start | At::Plain | At::Quote, b'\n') => at,
                (At::Start, b'"') => At::Quoted,
                (At::Quoted, b'"') => At::Quote,
                (At::Quote, b'"') => {
                    field.push(byte);
                    At::Quoted
                }
                (At::Start | At::Plain | At::Quote, _) if byte == self.delimiter => {
                    row.fields.push(self.lines.text(field, row.line)?);
                    field.clear();
                    At::Start
                }
                (At::Quoted, _) => {
                    field.push(byte);
                    At::Quoted
                }
                _ => {
                    field.push(byte);
                    At::Plain
                }
            };
        }
        Ok(at)
    }

    fn unclosed(&self, line: u64) -> Error {
        let name = &self.lines.name;
        Error::Data(format!(
            "{name}: the record that begins in line {line} has a quotation mark that is never closed; close it, or double it if it is part of the text"
        ))
    }
}

impl Rows for Delimited {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn header_line(&self) -> u64 {
        self.header_line
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        self.record(row)
    }

    fn finish(self: Box<Self>) -> Result<End> {
        self.lines.finish()
    }
}

/// Rows of a file in which each field has its place in the line. A line that ends before a field has too few.
pub struct FixedWidth {
    lines: Lines,
    columns: Vec<Fixed>,
    /// Names of columns that may lie behind the end of a line.
    optional: Vec<String>,
    header: Vec<String>,
    text: Vec<u8>,
}

impl FixedWidth {
    /// Rows of a file without a header.
    pub fn open(input: Input, name: &str, columns: &[Fixed], optional: &[String]) -> FixedWidth {
        let header = columns.iter().map(|c| c.name.clone()).collect();
        let (columns, optional) = (columns.to_vec(), optional.to_vec());
        FixedWidth { lines: Lines::new(input, name), columns, optional, header, text: Vec::new() }
    }

    fn split(&self, text: &str, row: &mut Row) {
        row.fields.clear();
        let ascii = text.is_ascii();
        let length = if ascii { text.len() } else { text.chars().count() };
        for column in &self.columns {
            let from = column.start.saturating_sub(1);
            if from >= length && !self.optional.contains(&column.name) {
                continue;
            }
            row.fields.push(if ascii {
                text.get(from..length.min(from.saturating_add(column.length))).unwrap_or_default().to_string()
            } else {
                text.chars().skip(from).take(column.length).collect()
            });
        }
    }
}

impl Rows for FixedWidth {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn header_line(&self) -> u64 {
        0
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        loop {
            self.text.clear();
            if !self.lines.next(&mut self.text)? {
                return Ok(false);
            }
            row.line = self.lines.line;
            let text = self.lines.text(&self.text, row.line)?;
            // Old files may end with Control-Z.
            let text = text.trim_end_matches(['\n', '\x1A']);
            if text.trim().is_empty() {
                continue;
            }
            self.split(text, row);
            return Ok(true);
        }
    }

    fn finish(self: Box<Self>) -> Result<End> {
        self.lines.finish()
    }
}
