//! Rows that memory shall not hold while a collection is read: they are put aside into files without names, and come back as often as they are
//! needed, so that memory depends on how many students there are and not on how many rows.

use super::column::Column;
use super::dictionary::Dictionary;
use super::parse::Block;
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::memory;
use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where rows go that memory shall not hold; all threads that read a collection share it.
#[derive(Debug)]
pub struct Room {
    folder: PathBuf,
    most: u64,
    taken: AtomicU64,
}

/// The values of a block, by field; a clone of them takes no memory.
#[derive(Debug, Clone)]
pub enum Values {
    /// In memory.
    Here(Arc<Vec<Column>>),
    /// In a file: field after field, from this byte on.
    Aside(Arc<File>, u64),
}

impl Default for Values {
    fn default() -> Values {
        Values::Here(Arc::default())
    }
}

/// The file of one thread.
#[derive(Debug)]
pub struct Shelf {
    file: Arc<File>,
    end: u64,
}

fn failed(e: std::io::Error) -> Error {
    Error::internal("rows that do not fit into memory could not be put aside on disk", e)
}

impl Room {
    /// Memory holds so many bytes of values; the rest goes to the disk on which `folder` is, or will be.
    pub fn new(folder: &Path, most: u64) -> Room {
        Room { folder: folder.to_path_buf(), most, taken: AtomicU64::new(0) }
    }

    /// Takes room for some bytes; false if there is none.
    pub fn take(&self, bytes: u64) -> bool {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.most;
        if !fits && before <= self.most {
            // What comes is much, so what is freed must not wait for its thread.
            memory::give_back();
        }
        fits
    }

    /// Whether something found no room.
    pub fn is_full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.most
    }

    /// A new file. It has no name, so that nothing is left of it, whatever happens.
    pub fn shelf(&self) -> Result<Shelf> {
        let there = self.folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
        Ok(Shelf { file: Arc::new(tempfile::tempfile_in(there).map_err(failed)?), end: 0 })
    }
}

impl Shelf {
    /// Puts bytes aside; gives the file and where they begin.
    pub fn put_bytes(&mut self, bytes: &[u8]) -> Result<(Arc<File>, u64)> {
        let at = self.end;
        self.file.as_ref().write_all(bytes).map_err(failed)?;
        self.end += bytes.len() as u64;
        Ok((Arc::clone(&self.file), at))
    }

    /// Puts columns aside.
    pub fn put(&mut self, columns: &[Column]) -> Result<Values> {
        let (file, at) = self.put_bytes(&columns.iter().map(Column::bytes).collect::<Vec<_>>().concat())?;
        Ok(Values::Aside(file, at))
    }
}

impl Block {
    /// The values of a field.
    fn column(&self, plan: &Plan, field: usize) -> Result<Cow<'_, Column>> {
        Ok(match &self.values {
            Values::Here(columns) => Cow::Borrowed(&columns[field]),
            Values::Aside(file, at) => {
                let before: usize = plan.widths().take(field).sum();
                let at = at + (before * self.rows) as u64;
                Cow::Owned(plan.column(field, &read(file, at, plan.widths().nth(field).unwrap_or(0) * self.rows)?))
            }
        })
    }

    /// The values of all fields.
    pub fn columns(&self, plan: &Plan) -> Result<Cow<'_, [Column]>> {
        Ok(match &self.values {
            Values::Here(columns) => Cow::Borrowed(columns.as_slice()),
            Values::Aside(file, at) => {
                let bytes = read(file, *at, plan.widths().sum::<usize>() * self.rows)?;
                let mut rest = bytes.as_slice();
                let next = |(field, width): (usize, usize)| {
                    let (of, after) = rest.split_at(width * self.rows);
                    rest = after;
                    plan.column(field, of)
                };
                Cow::Owned(plan.widths().enumerate().map(next).collect())
            }
        })
    }

    /// The codes of a field of texts, as a dictionary has them.
    pub fn codes(&self, plan: &Plan, field: usize, dictionary: &Dictionary, out: &mut Vec<u32>) -> Result<()> {
        if let Column::Texts(codes) = self.column(plan, field)?.as_ref() {
            dictionary.translate(self.thread, codes, out);
        }
        Ok(())
    }

    /// Its rows by the range that their code of the leading field is in, those of each put on a shelf, but where all are in one.
    pub fn divide(
        &self,
        plan: &Plan,
        field: usize,
        dictionary: &Dictionary,
        ranges: &[RangeInclusive<u32>],
        shelf: &mut Shelf,
    ) -> Result<Vec<(usize, Block)>> {
        let mut codes = Vec::with_capacity(self.rows);
        self.codes(plan, field, dictionary, &mut codes)?;
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); ranges.len()];
        let range = |code: u32| ranges.partition_point(|range| *range.end() < code);
        (0..).zip(codes).for_each(|(row, code)| rows[range(code)].push(row));
        if let Some(only) = rows.iter().position(|rows| rows.len() == self.rows) {
            return Ok(vec![(only, self.clone())]);
        }
        let (columns, all_lines) = (self.columns(plan)?, self.lines.here()?);
        let part = |(range, rows): (usize, Vec<u32>)| {
            let mut lines = all_lines.take(&rows);
            lines.put(shelf)?;
            let take = |(f, column): (usize, &Column)| if Some(f) == plan.partition { column.clone() } else { column.take(&rows) };
            let columns: Vec<Column> = columns.iter().enumerate().map(take).collect();
            Ok((range, Block { lines, rows: rows.len(), values: shelf.put(&columns)?, ..self.clone() }))
        };
        rows.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()).map(part).collect()
    }
}

/// Reads some bytes of a file of a shelf.
pub fn read(file: &File, at: u64, bytes: usize) -> Result<Vec<u8>> {
    let mut read = vec![0; bytes];
    file.read_exact_at(&mut read, at).map_err(failed)?;
    Ok(read)
}
