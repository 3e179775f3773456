//! What a reader has to tell beside its rows: rows that it could not make, names that nobody asked for, and what people should know.

use super::super::limit::UNKNOWN_NAMES;
use super::super::reject::excerpt;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why there is no row where there should be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A line of NDJSON is no JSON.
    NoJson = 1,
    /// A line of NDJSON is no object.
    NoObject,
    /// A line of NDJSON has objects too deep within each other.
    TooDeep,
    /// A line of NDJSON has a name twice.
    Twice,
    /// A text has a zero byte in it.
    ZeroByte,
    /// A cell has an error for a value.
    ErrorCell,
    /// A cell has a formula, but nobody ever computed it.
    NotComputed,
    /// A cell has a number of more digits than a spreadsheet keeps.
    LostDigits,
}

impl Fault {
    const ALL: [Fault; 8] = [
        Fault::NoJson,
        Fault::NoObject,
        Fault::TooDeep,
        Fault::Twice,
        Fault::ZeroByte,
        Fault::ErrorCell,
        Fault::NotComputed,
        Fault::LostDigits,
    ];

    /// What a reject with this number says to the person who corrects the file.
    pub fn message(number: u64) -> Option<&'static str> {
        let fault = Fault::ALL.into_iter().find(|f| *f as u64 == number)?;
        Some(match fault {
            Fault::NoJson => "the line is no JSON; expected one object in braces",
            Fault::NoObject => "the line is JSON, but no object; expected one object in braces",
            Fault::TooDeep => "the line has objects or lists too deep within each other",
            Fault::Twice => "the line has this name twice; leave one",
            Fault::ZeroByte => "a text of the row has a zero byte in it; remove it",
            Fault::ErrorCell => "a cell of the row has an error for a value; correct its formula, or clear the cell",
            Fault::NotComputed => {
                "a cell of the row has a formula that was never computed; open the workbook in a spreadsheet program and save it, or put the value there"
            }
            Fault::LostDigits => {
                "a number of the row has more digits than a spreadsheet keeps; make its column text there, and put the number in again"
            }
        })
    }
}

/// A row that could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulty {
    /// Its line.
    pub line: u64,
    /// What is wrong.
    pub fault: Fault,
    /// What of the file shows it.
    pub text: Option<Box<str>>,
}

/// What was noted of a file.
#[derive(Debug, Default)]
pub struct Noted {
    /// Rows that could not be made, in the order of their lines.
    pub faults: Vec<Faulty>,
    /// Names that nobody asked for.
    pub unknown: BTreeSet<String>,
    /// What people should know: name of a check, and what it found.
    pub told: Vec<(&'static str, String)>,
}

/// Notes that the reader of a file makes, and whoever had it read takes.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Noted>>);

impl Notes {
    fn open(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a row that could not be made.
    pub fn fault(&self, line: u64, fault: Fault, text: &[u8]) {
        self.open().faults.push(Faulty { line, fault, text: excerpt(text) });
    }

    /// Whether there is a row that could not be made.
    pub fn has_faults(&self) -> bool {
        !self.open().faults.is_empty()
    }

    /// Notes a name that nobody asked for.
    pub fn unknown(&self, name: &str) {
        let noted = &mut self.open().unknown;
        if noted.len() < UNKNOWN_NAMES && !noted.contains(name) {
            noted.extend(excerpt(name.as_bytes()).map(String::from));
        }
    }

    /// The names noted so far that nobody asked for.
    pub fn unknown_names(&self) -> Vec<String> {
        self.open().unknown.iter().cloned().collect()
    }

    /// Notes what people should know.
    pub fn tell(&self, check: &'static str, what: String) {
        self.open().told.push((check, what));
    }

    /// What was noted.
    pub fn take(&self) -> Noted {
        std::mem::take(&mut *self.open())
    }
}
