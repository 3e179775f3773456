//! A mapping between the rows of a file and a collection: it gives rows whose header is the collection's fields, in the lines of the file.

use super::Mapping;
use super::name;
use super::table::{Given, Source, Table};
use super::tally::Tally;
use crate::error::{Error, Result};
use crate::ingest::format::notes::{Noted, Notes};
use crate::ingest::job::columns_found;
use crate::ingest::limit::HEADER_ROWS;
use crate::ingest::rows::{End, Row, Rows};
use crate::ingest::source;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A mapping as a file is read with it: one table, in one pass. The file is read for each of them, so that every row keeps its line.
#[derive(Debug, Clone)]
pub struct Use {
    /// The mapping.
    pub mapping: Arc<Mapping>,
    /// Number of the table.
    pub table: usize,
    /// The pass, from 0.
    pub pass: u32,
    /// What was met, once the file was read.
    tally: Arc<Mutex<Tally>>,
}

impl Use {
    /// The uses that a mapping makes of a file: (collection, use).
    pub fn all(mapping: &Arc<Mapping>) -> Vec<(String, Use)> {
        let mut all = Vec::new();
        for (number, table) in mapping.tables.iter().enumerate() {
            for pass in 0..table.passes {
                let tally = Arc::default();
                all.push((table.collection.clone(), Use { mapping: Arc::clone(mapping), table: number, pass, tally }));
            }
        }
        all
    }

    /// What was met.
    pub fn tally(&self) -> Tally {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> &Table {
        &self.mapping.tables[self.table]
    }

    /// The collection's rows of a file.
    pub fn open(&self, source: &source::Source, notes: &Notes) -> Result<Mapped> {
        self.rows(self.mapping.rows_of(source, notes)?, &source.name)
    }

    /// What the file's reader noted, as it is told once for all uses of the file: rows that could not be made count for the first use only, and
    /// names that nobody asked for are only counted.
    pub fn settle(&self, noted: &mut Noted) {
        self.locked().unused.extend(std::mem::take(&mut noted.unknown));
        if !self.table().first || self.pass > 0 {
            noted.faults.clear();
            noted.told.clear();
        }
    }

    /// The collection's rows of a file's. `file` is its path in the raw folder.
    pub fn rows(&self, mut rows: Box<dyn Rows>, file: &str) -> Result<Mapped> {
        let table = self.table();
        let positions = self.positions(rows.header(), file);
        let positions = positions.map_err(|error| self.names_below(rows.as_mut(), file).unwrap_or(error))?;
        let year = name::year(file);
        if let (Some(field), None) = (&table.file_year, year) {
            return Err(Error::Data(format!(
                "{file}: mapping {} takes {field} from the year in the file's name, which has none, or several; name the file such as name-2024.csv, \
                 or copy the mapping and write {field} = {{ constant = 2024 }}",
                self.mapping.label
            )));
        }
        let used = self.mapping.columns();
        let unused = rows.header().iter().filter(|h| !used.iter().any(|u| self.mapping.names_of(u).any(|n| same(n, h))));
        let unused = unused.cloned().collect();
        *self.locked() = Tally { columns: rows.header().len(), unused, ..Tally::default() };
        let from = Row::default();
        Ok(Mapped { rows, from, positions, year, used: self.clone(), tally: Tally::default() })
    }

    /// An error that tells the line with the names of the columns, if what was taken for the header is a title above it.
    fn names_below(&self, rows: &mut dyn Rows, file: &str) -> Option<Error> {
        let mut row = Row::default();
        for _ in 0..HEADER_ROWS {
            if !rows.next(&mut row).ok()? {
                return None;
            }
            if self.positions(&row.fields, file).is_ok() {
                let line = row.line;
                return Some(Error::Data(format!("{file}: the names of the columns are in line {line}; remove the lines above it")));
            }
        }
        None
    }

    /// Where the table's columns are in a header.
    fn positions(&self, header: &[String], file: &str) -> Result<Vec<Option<usize>>> {
        let (table, mapping) = (self.table(), &self.mapping);
        let mut positions = Vec::new();
        for (column, read_for) in table.columns.iter().zip(&table.read_for) {
            let of = |name: &str| header.iter().enumerate().filter(|(_, h)| same(name, h)).map(|(at, _)| at).collect::<Vec<_>>();
            let found = mapping.names_of(column).map(of).find(|found| !found.is_empty()).unwrap_or_default();
            let position = found.first().copied();
            if found.len() > 1 {
                return Err(Error::Data(format!(
                    "{file}: the header has the column {column} twice, and mapping {} reads it; rename one",
                    mapping.label
                )));
            }
            if position.is_none() && !mapping.description.optional.iter().any(|o| same(o, column)) {
                return Err(self.missing(column, read_for, header, file));
            }
            positions.push(position);
        }
        Ok(positions)
    }

    fn missing(&self, column: &str, read_for: &[String], header: &[String], file: &str) -> Error {
        let what =
            if read_for.is_empty() { "a condition".into() } else { format!("{} of {}", read_for.join(", "), self.table().collection) };
        let meant = name::nearest(column, header).map_or(".".to_string(), |n| format!("; did you mean {n:?}?"));
        let label = &self.mapping.label;
        let what = format!("{file}: mapping {label} reads the column {column:?} for {what}, and the file has none of that name");
        // The first record of a file without a header must not be shown.
        Error::Data(match name::is_record(header) {
            true => format!("{what}. Its first line looks like a record: if it has no header, say columns = [\"…\", …] in the mapping"),
            false => {
                let columns = self.mapping.columns();
                let is_known = |name: &str| columns.iter().any(|c| self.mapping.names_of(c).any(|n| same(n, name)));
                let found = columns_found(header, |name| is_known(name) || name::nearest(column, [&name.to_string()]).is_some());
                format!("{what}{meant} Correct the name there, or add it to optional or also_called; columns found: {found}")
            }
        })
    }
}

/// Whether two names of columns are the same: letter case and blanks around do not count.
pub(super) fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim(), b.trim());
    a == b || a.to_lowercase() == b.to_lowercase()
}

/// The rows of a collection that a mapping makes.
pub struct Mapped {
    rows: Box<dyn Rows>,
    from: Row,
    positions: Vec<Option<usize>>,
    year: Option<i32>,
    used: Use,
    tally: Tally,
}

impl Mapped {
    /// Fields of a row that the reader is to reject for its number of fields: it has one more than the header and the fields found.
    fn ragged(&self, row: &mut Row) {
        row.fields.clear();
        row.fields.resize(self.used.table().fields.len() + 1 + self.from.fields.len(), "?".to_string());
    }
}

impl Rows for Mapped {
    fn header(&self) -> &[String] {
        &self.used.table().fields
    }

    fn header_line(&self) -> u64 {
        self.rows.header_line()
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        let used = &self.used;
        let table = &used.mapping.tables[used.table];
        while self.rows.next(&mut self.from)? {
            row.line = self.from.line;
            let first_look = table.first && used.pass == 0;
            self.tally.rows += 1;
            if self.from.fields.len() != self.rows.header().len() {
                // Once is enough: the file is read again for other tables and passes.
                if first_look {
                    self.ragged(row);
                    return Ok(true);
                }
                continue;
            }
            let source = Source { fields: &self.from.fields, positions: &self.positions, year: self.year, pass: used.pass };
            match table.give(&source, &mut row.fields, &mut self.tally) {
                Given::Row => return Ok(true),
                Given::LeftOut => self.tally.left_out += 1,
                Given::Over => {}
            }
        }
        let mut kept = used.locked();
        let (columns, unused) = (kept.columns, std::mem::take(&mut kept.unused));
        *kept = Tally { columns, unused, ..self.tally.clone() };
        Ok(false)
    }

    fn finish(self: Box<Self>) -> Result<End> {
        self.rows.finish()
    }
}

/// Fields expected and found of a row with too many or too few, from the number of fields that [`Mapped`] gives for it.
pub fn ragged(columns_of_source: usize, header: usize, given: usize) -> (usize, usize) {
    (columns_of_source, given.saturating_sub(header + 1))
}
