//! Rows of text: what every format but plain comma-separated text is decoded to, and what a mapping reads and gives. [`Text`] writes them as
//! comma-separated text with each record on the line that it came from, so that everything after it knows one format only.

use crate::error::Result;
use std::io::{self, Read};

/// A row as it was found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line: of a text file as in a text editor, of a sheet its row, of Parquet the row's number plus one. From row to row it grows.
    pub line: u64,
    /// Its fields in the order of the header; empty text is null.
    pub fields: Vec<String>,
}

/// What is known of a file once its rows were read.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct End {
    /// Size in bytes, as it lies there.
    pub bytes: u64,
    /// BLAKE3 of the file, 64 hex digits.
    pub blake3: String,
}

/// The rows of a file.
pub trait Rows: Send {
    /// The names of the columns.
    fn header(&self) -> &[String];
    /// The line on which they stand; 0 if the file has no header.
    fn header_line(&self) -> u64;
    /// Fills `row` with the next one; false at the end. Errors name file and line.
    fn next(&mut self, row: &mut Row) -> Result<bool>;
    /// Reads what is left of the file, and says what was read.
    fn finish(self: Box<Self>) -> Result<End>;
}

/// Rows as comma-separated text: a record in the line of its row, without line feeds in its fields, and blank lines where there is none.
pub struct Text {
    rows: Box<dyn Rows>,
    row: Row,
    /// Text that was not read yet, from `at` on.
    text: Vec<u8>,
    at: usize,
    line: u64,
    begun: bool,
    /// The row is still to be written.
    waits: bool,
}

/// Blank lines written at a time.
const MOST_BLANK: u64 = 1 << 16;

impl Text {
    /// The text of some rows.
    pub fn new(rows: Box<dyn Rows>) -> Text {
        let line = rows.header_line().min(1);
        Text { rows, row: Row::default(), text: Vec::new(), at: 0, line, begun: false, waits: false }
    }

    /// The number of its first line: 1, or 0 if the file has no header.
    pub fn first_line(&self) -> u64 {
        self.rows.header_line().min(1)
    }

    /// What it reads from.
    pub fn into_rows(self) -> Box<dyn Rows> {
        self.rows
    }

    fn fill(&mut self) -> Result<bool> {
        self.text.clear();
        self.at = 0;
        if !self.begun {
            self.begun = true;
            self.row = Row { line: self.rows.header_line(), fields: self.rows.header().to_vec() };
        } else if !self.waits && !self.rows.next(&mut self.row)? {
            return Ok(false);
        }
        // Rows that a mapping leaves out are blank lines: of very many in a row, only some at a time.
        let blank = self.row.line.saturating_sub(self.line).min(MOST_BLANK);
        self.text.resize(blank as usize, b'\n');
        self.line += blank;
        self.waits = self.line < self.row.line;
        if self.waits {
            return Ok(true);
        }
        for (i, field) in self.row.fields.iter().enumerate() {
            if i > 0 {
                self.text.push(b',');
            }
            write_field(&mut self.text, field);
        }
        self.text.push(b'\n');
        self.line += 1;
        Ok(true)
    }
}

/// Writes a field, in quotation marks where it needs them; a line feed in it becomes a blank.
fn write_field(text: &mut Vec<u8>, field: &str) {
    if !field.bytes().any(|b| matches!(b, b'"' | b',' | b'\n' | b'\r')) {
        return text.extend_from_slice(field.as_bytes());
    }
    text.push(b'"');
    for byte in field.bytes() {
        match byte {
            b'"' => text.extend_from_slice(b"\"\""),
            b'\n' | b'\r' => text.push(b' '),
            byte => text.push(byte),
        }
    }
    text.push(b'"');
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() && !self.fill().map_err(io::Error::other)? {
            return Ok(0);
        }
        let n = buffer.len().min(self.text.len() - self.at);
        buffer[..n].copy_from_slice(&self.text[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
