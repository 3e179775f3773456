//! A file being read by several threads, chunk by chunk: its header, which encoding it is taken for, and what is known of it in the end.

use super::fields::record;
use super::format::Want;
use super::format::encoding::Encoding;
use super::format::notes::{Faulty, Notes};
use super::limit::{COLUMNS, HEADER_ROWS};
use super::plan::Plan;
use super::records::{Chunk, Records, record_end};
use super::source::{Input, Kind, Source};
use crate::contract::Contract;
use crate::error::{Error, Result};
use crate::mapping::name::{is_record, may_be_a_number};
use crate::mapping::rows::ragged;
use memchr::memchr_iter;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Marks the number of a file that is read once more, as Windows-1252: what threads read of it before does not count.
const AGAIN: u32 = 1 << 31;

/// What is known of a file after reading.
#[derive(Debug, Default, Clone)]
pub struct FileFacts {
    /// Size in bytes, as it lies there.
    pub bytes: u64,
    /// BLAKE3 of the file, 64 hex digits.
    pub blake3: String,
    /// Records read.
    pub rows: u64,
    /// Columns that are not in the contract.
    pub unknown_columns: Vec<String>,
    /// Fields of the contract that no column is for, as far as the file says that.
    pub missing_columns: Vec<String>,
    /// Rows that could not be made; they are counted in `rows`.
    pub faults: Vec<Faulty>,
    /// What people should know: name of a check, and what it found.
    pub told: Vec<(&'static str, String)>,
}

/// Where a file's fields are.
#[derive(Debug)]
pub struct Layout {
    /// For each field of the contract, the column.
    pub positions: Vec<Option<usize>>,
    /// Number of columns.
    pub columns: usize,
    /// Number of the file, marked if it is read once more.
    pub file: u32,
    /// Whether the file is taken for UTF-8 until a byte says otherwise.
    pub guessed: bool,
    /// Columns of the file itself, if a mapping made the header.
    pub mapped: Option<usize>,
}

impl Layout {
    /// Fields expected and found of a record with another number than the header.
    pub fn expected_and_found(&self, found: usize) -> u64 {
        let (expected, found) = match self.mapped {
            Some(columns) => ragged(columns, self.columns, found),
            None => (self.columns, found),
        };
        (expected as u64) << 32 | found as u64
    }
}

enum State {
    New,
    Open(Box<Open>),
    Done,
}

struct Open {
    records: Records<Input>,
    first: Option<Chunk>,
    layout: Arc<Layout>,
    notes: Notes,
}

/// A file that threads read.
pub struct Job<'a> {
    /// The file.
    pub source: &'a Source,
    plan: &'a Plan<'a>,
    number: u32,
    chunk_bytes: usize,
    again: AtomicBool,
    state: Mutex<State>,
    facts: Mutex<FileFacts>,
    error: Mutex<Option<(u64, Error)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Job<'a> {
    /// A file of a collection, with its number, to be read in chunks of about so many bytes.
    pub fn new(source: &'a Source, plan: &'a Plan, number: u32, chunk_bytes: usize) -> Job<'a> {
        let (state, facts, error) = (Mutex::new(State::New), Mutex::default(), Mutex::default());
        Job { source, plan, number, chunk_bytes, again: AtomicBool::new(false), state, facts, error }
    }

    /// The number of the file, marked if it is read once more.
    fn current(&self) -> u32 {
        if self.again.load(Ordering::SeqCst) { self.number | AGAIN } else { self.number }
    }

    /// The number of the file, if what was read of the marked number counts.
    pub fn counts(&self, file: u32) -> Option<u32> {
        (file == self.current()).then_some(self.number)
    }

    /// Takes the next chunk of the file; none at its end, or once it has failed.
    pub fn take(&self, chunk: &mut Chunk) -> Option<Arc<Layout>> {
        let mut state = locked(&self.state);
        match self.next(&mut state, chunk) {
            Ok(layout) => layout,
            Err(error) => {
                *state = State::Done;
                *locked(&self.error) = Some((0, error));
                None
            }
        }
    }

    fn next(&self, state: &mut State, chunk: &mut Chunk) -> Result<Option<Arc<Layout>>> {
        if let State::New = *state {
            *state = State::Open(self.open()?);
        }
        let State::Open(open) = &mut *state else { return Ok(None) };
        if let Some(first) = open.first.take() {
            *chunk = first;
            return Ok(Some(open.layout.clone()));
        }
        if open.records.next(chunk, &self.source.name)? {
            return Ok(Some(open.layout.clone()));
        }
        if let State::Open(open) = std::mem::replace(state, State::Done) {
            let (bytes, blake3) = open.records.into_input().finish()?;
            let mut noted = open.notes.take();
            if let Some(used) = &self.source.mapping {
                used.settle(&mut noted);
            }
            let mut facts = locked(&self.facts);
            facts.rows += noted.faults.len() as u64;
            facts.unknown_columns.extend(noted.unknown);
            facts.told.extend(noted.told);
            *facts = FileFacts { bytes, blake3, faults: noted.faults, ..std::mem::take(&mut *facts) };
        }
        Ok(None)
    }

    /// Counts rows that were read.
    pub fn count(&self, file: u32, rows: u64) {
        let mut facts = locked(&self.facts);
        if self.counts(file).is_some() {
            facts.rows += rows;
        }
    }

    /// What was read is wrong in this line: no more is read.
    pub fn fail(&self, file: u32, line: u64, error: Error) {
        let mut state = locked(&self.state);
        if self.counts(file).is_some() {
            *state = State::Done;
            let mut first = locked(&self.error);
            if first.as_ref().is_none_or(|(at, _)| line < *at || *at == 0) {
                *first = Some((line, error));
            }
        }
    }

    /// What was read under this number is no UTF-8: begins the file once more, as Windows-1252, unless somebody has already.
    pub fn read_again(&self, file: u32) {
        let mut state = locked(&self.state);
        if self.counts(file).is_some() {
            let mut facts = locked(&self.facts);
            self.again.store(true, Ordering::SeqCst);
            (*state, *facts, *locked(&self.error)) = (State::New, FileFacts::default(), None);
        }
    }

    /// What became of the file.
    pub fn finish(self) -> std::result::Result<FileFacts, Error> {
        match self.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(self.facts.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Opens the file and reads its header.
    fn open(&self) -> Result<Box<Open>> {
        let (name, file, notes) = (&self.source.name, self.current(), Notes::default());
        let unmarked = if file == self.number { Encoding::Utf8 } else { Encoding::Windows1252 };
        let Some(begun) = Begun::begin(self.source, self.plan.contract, unmarked, self.chunk_bytes, &notes)? else {
            self.again.store(true, Ordering::SeqCst);
            return self.open();
        };
        let mapped = self.source.mapping.as_ref().map(|used| used.tally().columns);
        let columns = layout(self.plan, &begun.header, name).map_err(|e| match begun.names_below(self.plan, &mapped) {
            Some(line) => Error::Data(format!("{name}: the names of the columns are in line {line}; remove the lines above it")),
            None => e,
        })?;
        let Begun { records, chunk, header, encoding, .. } = begun;
        let layout = Layout { file, guessed: encoding == Encoding::Utf8, mapped, ..columns };
        let mut facts = locked(&self.facts);
        facts.unknown_columns = unknown(&layout, &header);
        let fields = self.plan.contract.fields.iter().zip(&layout.positions);
        facts.missing_columns = fields.filter(|(_, at)| at.is_none()).map(|(field, _)| field.name.clone()).collect();
        facts.told.extend(encoding.name().map(|encoding| ("encoding", format!("{name} ({encoding})"))));
        Ok(Box::new(Open { records, first: Some(chunk), layout: Arc::new(layout), notes }))
    }
}

/// A file whose header was read.
pub struct Begun {
    /// The records.
    pub records: Records<Input>,
    /// What follows the header.
    pub chunk: Chunk,
    /// The names of the columns.
    pub header: Vec<String>,
    /// The byte between fields.
    pub separator: u8,
    /// What the text is taken for.
    pub encoding: Encoding,
}

impl Begun {
    /// Opens a file and reads its header, the first record that is not blank; none if it is no UTF-8, though it was taken for that.
    pub fn begin(source: &Source, contract: &Contract, unmarked: Encoding, chunk_bytes: usize, notes: &Notes) -> Result<Option<Begun>> {
        let input = Input::open(source, unmarked, &Want::of(contract), notes)?;
        let encoding = input.encoding();
        let separator = match (&input, source.format.kind) {
            (Input::Text(_), Kind::Text(separator)) => separator,
            _ => b',',
        };
        let line = input.first_line();
        let mut records = Records::new(input, separator, chunk_bytes).from_line(line);
        let (mut chunk, mut header) = (Chunk::default(), Vec::new());
        // A chunk may hold nothing before it.
        while header.iter().all(String::is_empty) {
            if chunk.start == chunk.end && !records.next(&mut chunk, &source.name)? {
                break;
            }
            let Some(end) = record_end(&chunk.text[..chunk.end], chunk.start, separator) else { break };
            if encoding == Encoding::Utf8 && std::str::from_utf8(&chunk.text[chunk.start..end]).is_err() {
                return Ok(None);
            }
            header = record(&chunk.text[chunk.start..end], separator);
            chunk.start = end;
        }
        Ok(Some(Begun { records, chunk, header, separator, encoding }))
    }

    /// The line of a record that has every required column, if what was taken for the header is a title above it.
    fn names_below(&self, plan: &Plan, mapped: &Option<usize>) -> Option<u64> {
        // A header that has some of the names is one, whatever is wrong with it.
        if mapped.is_some() || self.header.iter().any(|h| plan.contract.index(&h.to_lowercase()).is_some()) {
            return None;
        }
        let Chunk { text, start, end, line, .. } = &self.chunk;
        let required = || plan.contract.fields.iter().filter(|f| f.constraints.required);
        let mut at = *start;
        for _ in 0..HEADER_ROWS {
            let next = record_end(&text[..*end], at, self.separator)?;
            let names: Vec<String> = record(&text[at..next], self.separator).iter().map(|n| n.to_lowercase()).collect();
            if required().all(|f| names.contains(&f.name)) {
                return Some(line + memchr_iter(b'\n', &text[..at]).count() as u64);
            }
            at = next;
        }
        None
    }
}

/// Finds the contract's fields in a header.
fn layout(plan: &Plan, header: &[String], name: &str) -> Result<Layout> {
    let wrong = |what: String| Err(Error::Data(format!("{name}: {what}")));
    if header.len() > COLUMNS {
        return wrong(format!("the header has {} columns; at most {COLUMNS} can be read", header.len()));
    }
    let lower: Vec<String> = header.iter().map(|h| h.to_lowercase()).collect();
    let mut positions = Vec::new();
    let mut missing = Vec::new();
    for field in &plan.contract.fields {
        let position = lower.iter().position(|h| *h == field.name);
        if position.is_none() && field.constraints.required {
            missing.push(field.name.as_str());
        }
        positions.push(position);
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = lower.iter().find(|h| !h.is_empty() && !seen.insert(h.as_str())) {
        let twice = if is_record(header) {
            columns_found(header, |_| true)
        } else {
            format!("the header has the column {twice} twice; remove or rename one")
        };
        return wrong(twice);
    }
    if !missing.is_empty() {
        let is_known = |name: &str| plan.contract.index(&name.to_lowercase()).is_some();
        let found = columns_found(header, is_known);
        return wrong(format!("required columns are missing: {}; columns found: {found}{}", missing.join(", "), hint(header)));
    }
    Ok(Layout { positions, columns: header.len(), file: 0, guessed: false, mapped: None })
}

/// The columns found, for a message; never a record in the place of a header, which may be a student's: names are told if two of them are known, or
/// one of three, but for those that may be somebody's number.
pub fn columns_found(header: &[String], is_known: impl Fn(&str) -> bool) -> String {
    let names: Vec<&str> = header.iter().map(String::as_str).filter(|n| !may_be_a_number(n)).collect();
    match header {
        header if header.iter().all(String::is_empty) => "none".into(),
        header if is_record(header) => "the first line looks like a record, not like names; put the names of the columns above it".into(),
        header => {
            let known: Vec<&str> = names.iter().copied().filter(|name| is_known(name.trim())).collect();
            let few = known.len() < 2 && known.len() * 3 < header.len();
            match known.first() {
                Some(_) if !few => names.join(", "),
                Some(one) => {
                    format!("{one}, and {} that are no names of it; they are not shown, because they may be a student's", header.len() - 1)
                }
                None => format!("{}, none of which is one of the names; they are not shown, because they may be a student's", header.len()),
            }
        }
    }
}

/// What may be wrong with a header: it is one column, or its names are others.
fn hint(header: &[String]) -> String {
    let between = |header: &String| {
        [(';', "semicolons"), ('\t', "tabs"), ('|', "bars"), (',', "commas")].into_iter().find(|(c, _)| header.contains(*c))
    };
    match header {
        [only] => between(only).map_or_else(String::new, |(_, what)| {
            format!("; the fields seem to be separated by {what}: save it as csv with commas, or as tsv with tabs")
        }),
        header if is_record(header) => String::new(),
        _ => "; if they have other names, `perkins map FILE` proposes a mapping".into(),
    }
}

/// The columns that the contract does not know.
fn unknown(layout: &Layout, header: &[String]) -> Vec<String> {
    let name = |(i, h): (usize, &String)| if h.is_empty() { format!("(column {} without a name)", i + 1) } else { h.clone() };
    header.iter().enumerate().filter(|(i, _)| !layout.positions.contains(&Some(*i))).map(name).collect()
}
