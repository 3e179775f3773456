//! From files to text: encodings (`encoding`), packed files (`unpack`), and the formats that are no text of rows (`ndjson`, `parquet`, `xlsx`),
//! which are read as [`Rows`].

pub mod encoding;
pub mod header;
pub mod json;
pub mod ndjson;
pub mod notes;
pub mod number;
pub mod pages;
pub mod parquet;
pub mod thrift;
pub mod unpack;
pub mod xlsx;

use super::job::columns_found;
use super::rows::Rows;
use super::source::{Kind, Source};
use crate::contract::Contract;
use crate::error::{Error, Result};
use notes::Notes;

/// The columns that somebody asks of a file, in lower case; of NDJSON the dotted names of what is in objects within objects.
#[derive(Debug, Clone, Default)]
pub struct Want {
    /// Each column, and whether a file without it is of no use.
    pub columns: Vec<(String, bool)>,
}

impl Want {
    /// The fields of a contract.
    pub fn of(contract: &Contract) -> Want {
        Want { columns: contract.fields.iter().map(|f| (f.name.clone(), f.constraints.required)).collect() }
    }

    /// The place of a column, whatever the letter case of its name.
    fn place(&self, name: &str) -> Option<usize> {
        let name = name.trim().to_lowercase();
        self.columns.iter().position(|(wanted, _)| *wanted == name)
    }

    /// An error if a required column is not among those `found` in a file. `name` is the file's name.
    fn check<'n>(&self, found: impl Iterator<Item = &'n str>, name: &str) -> Result<()> {
        let found: Vec<&str> = found.collect();
        let there = |wanted: &str| found.iter().any(|f| f.trim().to_lowercase() == wanted);
        let missing: Vec<&str> = self.columns.iter().filter(|(w, required)| *required && !there(w)).map(|(w, _)| w.as_str()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let is_known = |name: &str| self.place(name).is_some();
        let found = columns_found(&found.iter().map(|f| f.to_string()).collect::<Vec<_>>(), is_known);
        Err(Error::Data(format!("{name}: required columns are missing: {}; columns found: {found}", missing.join(", "))))
    }
}

/// The rows of a file, unless it is text of records already.
pub fn rows(source: &Source, want: &Want, notes: &Notes) -> Result<Option<Box<dyn Rows>>> {
    Ok(Some(match source.format.kind {
        Kind::Text(_) => return Ok(None),
        Kind::Ndjson => Box::new(ndjson::Ndjson::open(source, want, notes)?),
        Kind::Parquet => Box::new(parquet::Parquet::open(source, want, notes)?),
        Kind::Xlsx => Box::new(xlsx::Xlsx::open(source, want, notes)?),
    }))
}
