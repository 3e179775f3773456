//! Workbooks: the first sheet that is shown, with its header wherever it is below a title. Read as a stream, with number formats, which is why
//! it is not left to a library.

mod package;
mod sheet;
pub mod style;
mod workbook;
mod xml;

use super::super::limit::{HEADER_ROWS, RECORD_BYTES, SHEET_BYTES};
use super::super::rows::{End, Row, Rows};
use super::super::source::Source;
use super::Want;
use super::notes::Notes;
use super::unpack::Hashing;
use crate::error::{Error, Result};
use package::Package;
use sheet::{Cell, Sheet};
use std::collections::{BTreeSet, VecDeque};
use workbook::Other;

/// A workbook.
pub struct Xlsx {
    hashing: Hashing,
    sheet: Sheet,
    /// Rows read while the header was looked for.
    read: VecDeque<(u64, Vec<Cell>)>,
    header: Vec<String>,
    header_line: u64,
    /// Which columns somebody asked for.
    wanted: Vec<bool>,
    cells: Vec<Cell>,
    notes: Notes,
}

impl Xlsx {
    /// Opens a workbook and finds the header of its first sheet.
    pub fn open(source: &Source, want: &Want, notes: &Notes) -> Result<Xlsx> {
        let name = &source.name;
        let hashing = Hashing::open(&source.path, name)?;
        let mut package = Package::open(&source.path, name)?;
        let workbook = workbook::read(&mut package, name)?;
        let others = workbook.others.clone();
        for Other { name: other, .. } in &others {
            notes.tell("sheet_not_read", format!("{name} ({other})"));
        }
        let none = || Error::Data(format!("{name}: is damaged: its first sheet is not there; save it as xlsx again"));
        let part = package.part(&workbook.sheet, SHEET_BYTES)?.ok_or_else(none)?;
        let mut sheet = Sheet::new(part, workbook);
        let mut read = first_rows(&mut sheet)?;
        let place = header_place(read.make_contiguous(), want);
        if !read.iter().any(|(_, cells)| is_complete(cells, want))
            && let Some(number) = sheet_that_fits(source, want, &others)
        {
            return Err(Error::Data(format!(
                "{name}: the first sheet does not have the required columns, but sheet {number} has: move it to the front, or save it as a file of \
                 its own"
            )));
        }
        let title = read.iter().take(place).filter(|(_, cells)| !is_blank(cells)).count();
        if title > 0 {
            notes.tell("rows_above_header", format!("{name} ({title})"));
        }
        read.drain(..place);
        let (header_line, header) = read.pop_front().unwrap_or((1, Vec::new()));
        let mut header: Vec<String> = header.into_iter().map(|cell| cell.text.trim().to_string()).collect();
        header.truncate(header.iter().rposition(|h| !h.is_empty()).map_or(0, |last| last + 1));
        let wanted = header.iter().map(|h| want.place(h).is_some()).collect();
        Ok(Xlsx { hashing, sheet, read, header, header_line, wanted, cells: Vec::new(), notes: notes.clone() })
    }

    fn cells(&mut self) -> Result<Option<u64>> {
        match self.read.pop_front() {
            Some((line, cells)) => {
                self.cells = cells;
                Ok(Some(line))
            }
            None => self.sheet.next(&mut self.cells),
        }
    }
}

impl Rows for Xlsx {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn header_line(&self) -> u64 {
        self.header_line
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        while let Some(line) = self.cells()? {
            // An error where nobody looks is no value: formulas are often dragged down beyond the last row.
            let wanted = |column: usize| self.wanted.get(column).copied().unwrap_or_default();
            let unwanted = self.cells.iter_mut().enumerate().filter(|(column, cell)| cell.fault.is_some() && !wanted(*column));
            unwanted.for_each(|(_, cell)| *cell = Cell::default());
            if is_blank(&self.cells) {
                continue;
            }
            if let Some((column, cell, fault)) = self.cells.iter().enumerate().find_map(|(column, cell)| Some((column, cell, cell.fault?)))
            {
                self.notes.fault(line, fault, format!("{}: {}", self.header[column], cell.text).trim_end_matches(": ").as_bytes());
                continue;
            }
            row.line = line;
            row.fields.clear();
            // What is beyond the header makes the row too long.
            let last = self.cells.iter().rposition(|c| !c.text.trim().is_empty()).map_or(0, |last| last + 1).max(self.header.len());
            self.cells.resize(last, Cell::default());
            row.fields.extend(self.cells.iter_mut().map(|cell| std::mem::take(&mut cell.text)));
            return Ok(true);
        }
        Ok(false)
    }

    fn finish(self: Box<Self>) -> Result<End> {
        let (bytes, blake3) = self.hashing.finish()?;
        Ok(End { bytes, blake3 })
    }
}

/// The rows of a sheet among which its header is looked for.
fn first_rows(sheet: &mut Sheet) -> Result<VecDeque<(u64, Vec<Cell>)>> {
    let (mut read, mut cells, mut bytes) = (VecDeque::new(), Vec::new(), 0);
    while read.len() < HEADER_ROWS
        && bytes < RECORD_BYTES
        && let Some(line) = sheet.next(&mut cells)?
    {
        bytes += cells.iter().map(|cell: &Cell| cell.text.len()).sum::<usize>();
        read.push_back((line, std::mem::take(&mut cells)));
    }
    Ok(read)
}

/// Whether a row has every column without which a file is of no use; not if none is asked for.
fn is_complete(cells: &[Cell], want: &Want) -> bool {
    let named: BTreeSet<usize> = cells.iter().filter_map(|cell| want.place(&cell.text)).collect();
    let mut required = want.columns.iter().enumerate().filter(|(_, (_, required))| *required).peekable();
    required.peek().is_none() || required.all(|(place, _)| named.contains(&place))
}

/// The number of the first sheet that has every required column, and rows below, of the few that are looked at; its name may be a student's.
fn sheet_that_fits(source: &Source, want: &Want, others: &[Other]) -> Option<usize> {
    const LOOKED_AT: usize = 10;
    let fits = |part: &str| -> Result<bool> {
        let mut package = Package::open(&source.path, &source.name)?;
        let workbook = workbook::read(&mut package, &source.name)?;
        let Some(part) = package.part(part, SHEET_BYTES)? else { return Ok(false) };
        let rows = first_rows(&mut Sheet::new(part, workbook))?;
        let below = rows.iter().skip_while(|(_, cells)| !is_complete(cells, want)).skip(1);
        Ok(below.into_iter().any(|(_, cells)| !is_blank(cells)))
    };
    others.iter().take(LOOKED_AT).find(|other| fits(&other.part).unwrap_or(false)).map(|other| other.number)
}

fn is_blank(cells: &[Cell]) -> bool {
    cells.iter().all(|cell| cell.fault.is_none() && cell.text.trim().is_empty())
}

/// Which of the first rows is the header: the first of those with the most of the wanted columns; if none has any, the first of those with the
/// most texts, so that a message can show what is there: a title has few.
fn header_place(rows: &[(u64, Vec<Cell>)], want: &Want) -> usize {
    let named = |cells: &[Cell]| cells.iter().filter_map(|cell| want.place(&cell.text)).collect::<BTreeSet<_>>().len();
    let texts = |cells: &[Cell]| cells.iter().filter(|cell| !cell.text.trim().is_empty()).count();
    let best = |score: &dyn Fn(&[Cell]) -> usize| {
        let rows = rows.iter().map(|(_, cells)| score(cells)).enumerate();
        rows.max_by_key(|(place, score)| (*score, std::cmp::Reverse(*place)))
    };
    match best(&named) {
        Some((place, 1..)) => place,
        _ => best(&texts).map_or(0, |(place, _)| place),
    }
}
