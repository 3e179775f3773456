//! NDJSON: a JSON object on each line. What is in objects within objects has dotted names, which are the columns.

use super::super::limit::RECORD_BYTES;
use super::super::rows::{End, Row, Rows};
use super::super::source::{Source, read_error};
use super::Want;
use super::encoding::{Encoding, Utf8, end_lines, is_utf8};
use super::json::{Value, flatten};
use super::notes::{Fault, Notes};
use super::number::plain;
use super::unpack::Unpacked;
use crate::error::{Error, Result};
use memchr::memchr;
use std::collections::{BTreeSet, HashMap};
use std::io::Read;

/// The lines of a text, at most so long as a record may be.
struct Lines<R> {
    input: R,
    text: Vec<u8>,
    at: usize,
    ended: bool,
    line: u64,
}

/// Bytes read at a time.
const BLOCK: u64 = 256 << 10;

impl<R: Read> Lines<R> {
    /// The next line and its number, without its end; none at the end of the text.
    fn next(&mut self, name: &str) -> Result<Option<(u64, &[u8])>> {
        let mut looked_at = self.at;
        let end = loop {
            if let Some(end) = memchr(b'\n', &self.text[looked_at..]) {
                break looked_at + end;
            }
            if self.ended {
                break self.text.len();
            }
            self.text.drain(..std::mem::take(&mut self.at));
            let before = self.text.len();
            if before > RECORD_BYTES {
                let (line, most) = (self.line + 1, RECORD_BYTES >> 20);
                return Err(Error::Data(format!("{name}: line {line} is longer than {most} MiB; expected one JSON object on each line")));
            }
            let read = (&mut self.input).take(BLOCK).read_to_end(&mut self.text).map_err(|e| read_error(e, name))?;
            self.ended = (read as u64) < BLOCK;
            end_lines(&mut self.text, before, !self.ended);
            looked_at = before.saturating_sub(1);
        };
        let start = self.at;
        self.at = (end + 1).min(self.text.len());
        self.line += 1;
        Ok((start < self.text.len()).then(|| (self.line, &self.text[start..end])))
    }
}

/// A file of NDJSON.
pub struct Ndjson {
    lines: Lines<Utf8<Unpacked>>,
    name: String,
    want: Want,
    header: Vec<String>,
    places: HashMap<String, usize>,
    /// Which columns were found in any line.
    seen: Vec<bool>,
    notes: Notes,
    any: bool,
}

impl Ndjson {
    /// Opens a file; its columns are those wanted, whatever it has.
    pub fn open(source: &Source, want: &Want, notes: &Notes) -> Result<Ndjson> {
        let open = |encoding| {
            let unpacked = Unpacked::open(&source.path, &source.name, source.format.packing)?;
            Utf8::new(unpacked, &source.name, encoding).map_err(|e| read_error(e, &source.name))
        };
        let mut input = open(Encoding::Utf8)?;
        if input.encoding() == Encoding::Utf8 {
            let valid = is_utf8(&mut input).map_err(|e| read_error(e, &source.name))?;
            input = open(if valid { Encoding::Utf8 } else { Encoding::Windows1252 })?;
        }
        if let Some(encoding) = input.encoding().name() {
            notes.tell("encoding", format!("{} ({encoding})", source.name));
        }
        let lines = Lines { input, text: Vec::new(), at: 0, ended: false, line: 0 };
        let header: Vec<String> = want.columns.iter().map(|(name, _)| name.clone()).collect();
        let places = header.iter().cloned().zip(0..).collect();
        let (name, want, notes, seen) = (source.name.clone(), want.clone(), notes.clone(), vec![false; header.len()]);
        Ok(Ndjson { lines, name, want, header, places, seen, notes, any: false })
    }

    /// At the end: what no line had may be what every row needs.
    fn check(&self) -> Result<()> {
        // A line that cannot be read may be the one that has it.
        if !self.any || self.notes.has_faults() {
            return Ok(());
        }
        let seen = self.header.iter().zip(&self.seen).filter(|(_, seen)| **seen).map(|(name, _)| name.as_str());
        let unknown = self.notes.unknown_names();
        self.want.check(seen.chain(unknown.iter().map(String::as_str)), &self.name)
    }
}

impl Rows for Ndjson {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn header_line(&self) -> u64 {
        0
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        let Ndjson { lines, name, places, seen, notes, any, .. } = self;
        while let Some((number, line)) = lines.next(name)? {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let text = std::str::from_utf8(line).map_err(|e| no_utf8(name, number, line, e.valid_up_to()))?;
            if !*any {
                refuse_other_json(name, text)?;
            }
            (*any, row.line) = (true, number);
            row.fields.iter_mut().for_each(String::clear);
            row.fields.resize(places.len(), String::new());
            let mut found = Found { places, seen, notes, fields: &mut row.fields, named: BTreeSet::new(), twice: None };
            match flatten(text, &mut |name, value| found.take(name, value)) {
                Ok(()) => return Ok(true),
                Err(Fault::Twice) => notes.fault(number, Fault::Twice, found.twice.unwrap_or_default().as_bytes()),
                Err(fault) => notes.fault(number, fault, line),
            }
        }
        self.check()?;
        Ok(false)
    }

    fn finish(self: Box<Self>) -> Result<End> {
        let (bytes, blake3) = self.lines.input.into_input().finish()?;
        Ok(End { bytes, blake3 })
    }
}

/// The values of one line.
struct Found<'f> {
    places: &'f HashMap<String, usize>,
    seen: &'f mut [bool],
    notes: &'f Notes,
    fields: &'f mut [String],
    named: BTreeSet<usize>,
    twice: Option<String>,
}

impl Found<'_> {
    fn take(&mut self, name: &str, value: Value) -> std::result::Result<(), Fault> {
        let lower = name.trim().to_lowercase();
        let Some(&place) = self.places.get(&lower) else {
            self.notes.unknown(name);
            return Ok(());
        };
        if !self.named.insert(place) {
            self.twice = Some(name.to_string());
            return Err(Fault::Twice);
        }
        self.seen[place] = true;
        let field = &mut self.fields[place];
        match value {
            Value::Null => {}
            Value::Boolean(value) => field.push_str(if value { "true" } else { "false" }),
            Value::Number(digits) => field.push_str(&plain(digits)),
            Value::Text(text) if text.contains('\0') => return Err(Fault::ZeroByte),
            Value::Text(text) => field.push_str(&text),
        }
        Ok(())
    }
}

fn no_utf8(name: &str, line: u64, text: &[u8], at: usize) -> Error {
    let (column, byte) = (at + 1, text.get(at).copied().unwrap_or_default());
    Error::Data(format!("{name}: line {line}, byte {column} of the line: 0x{byte:02X} is no UTF-8; save the file as UTF-8"))
}

/// A list, or an object over many lines, is JSON but has no rows; it need not be rejected line by line.
fn refuse_other_json(name: &str, first: &str) -> Result<()> {
    let first = first.trim();
    if first.starts_with('[') || first == "{" {
        let what = if first == "{" { "an object over several lines" } else { "a list" };
        return Err(Error::Data(format!(
            "{name}: begins with {what}; expected one JSON object on each line, as `jq -c '.[]'` writes a list"
        )));
    }
    Ok(())
}
