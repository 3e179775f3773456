//! One partition of a collection: its rows brought together, sorted, and checked against each other and against other collections.

use super::EXAMPLES;
use super::column::Column;
use super::dictionary::Dictionary;
use super::intern::NULL;
use super::order::{self, Sorted};
use super::parse::{Block, Lines};
use super::plan::{Plan, Reader};
use super::reference::NEVER;
use super::reject::{Reject, Rule, excerpt};
use super::value::{date_text, decimal_text};
use crate::chunk::ByteTexts;
use crate::error::Result;
use crate::lake::STUDENTS_PER_BLOCK;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Where the rows of a block came from.
#[derive(Debug)]
struct Origin {
    start: usize,
    file: u32,
    lines: Lines,
}

/// Puts each value in its place.
fn scatter<T: Copy>(to: &mut [T], from: &[T], places: &[u32]) {
    for (value, place) in from.iter().zip(places) {
        to[*place as usize] = *value;
    }
}

/// Values of a foreign key that are in no row, of rows that stay.
#[derive(Debug, Default, Clone)]
pub struct Unknown {
    /// Rows.
    pub rows: u64,
    /// Some of the values, the first in text order, each with the file and line on which it stands first.
    pub examples: BTreeMap<String, (u32, u64)>,
}

impl Unknown {
    /// Adds what another partition found.
    pub fn merge(&mut self, other: Unknown) {
        self.rows += other.rows;
        other.examples.into_iter().for_each(|(text, at)| self.note(text, || at));
    }

    fn note(&mut self, example: String, at: impl FnOnce() -> (u32, u64)) {
        if self.examples.len() >= EXAMPLES && self.examples.last_key_value().is_some_and(|(last, _)| *last < example) {
            return;
        }
        let at = at();
        self.examples.entry(example).and_modify(|first| *first = at.min(*first)).or_insert(at);
        if self.examples.len() > EXAMPLES {
            self.examples.pop_last();
        }
    }
}

/// A partition's accepted rows and what became of the others.
#[derive(Debug)]
pub struct Part {
    /// The partition's value.
    pub year: Option<i32>,
    /// Values by field; that of the partition is empty.
    pub columns: Vec<Column>,
    /// Accepted rows, sorted by key.
    pub rows: Vec<u32>,
    /// Rejected rows.
    pub rejects: Vec<Reject>,
    /// Rows dropped because an equal one is kept, by file.
    pub duplicates: BTreeMap<u32, u64>,
    /// For each foreign key that warns, what it found.
    pub unknown: Vec<Unknown>,
    /// Numbers of the files that its rows came from.
    pub files: BTreeSet<u32>,
    /// For each field that others refer to, the codes it has.
    pub referred: Vec<BTreeSet<u32>>,
    /// The codes of the accepted rows in a field that this collection numbers.
    pub numbered: Vec<u32>,
    origins: Vec<Origin>,
    /// For each row as read, its place in the columns.
    places: Vec<u32>,
    /// The other way round; made when the first row has to be named.
    sources: Vec<u32>,
    /// Where the rows of each student block begin in the columns, and where the last end.
    bounds: Vec<u32>,
}

/// What a partition is checked with.
pub struct Checks<'a> {
    /// The plan of the collection.
    pub plan: &'a Plan<'a>,
    /// The texts of each field.
    pub dictionaries: &'a [Dictionary<'a>],
    /// For each foreign key, the first year of each code of its field.
    pub first_years: &'a [Cow<'a, [i32]>],
}

impl Checks<'_> {
    /// Brings blocks together and checks them.
    pub fn run(&self, year: Option<i32>, blocks: Vec<Block>) -> Result<Part> {
        let mut part = self.assemble(year, blocks)?;
        let codes = |field: usize| match &self.plan.readers[field] {
            Reader::Code(codes) => codes.words().len(),
            Reader::Boolean => 2,
            _ => self.dictionaries[field].len(),
        };
        let key: Vec<(&Column, usize)> = self.plan.key.iter().map(|&f| (&part.columns[f], codes(f))).collect();
        let ranges = part.bounds.windows(2).map(|ends| ends[0]..ends[1]);
        let sorted = order::sort(&key, ranges);
        self.resolve_keys(&mut part, sorted);
        self.check_links(&mut part);
        Ok(part)
    }

    /// Divides the rows of a partition so that those of one range of codes of the leading field take no more than `most` bytes, where students can
    /// be parted: a range holds whole student blocks. `numbers` are what the codes become, if they are still to be given.
    pub fn ranges(&self, blocks: &[Block], most: u64, numbers: Option<&[u32]>) -> Result<Vec<RangeInclusive<u32>>> {
        let Some(field) = self.plan.leading() else { return Ok(vec![0..=u32::MAX]) };
        let number = |code: u32| numbers.map_or(code, |n| n[code as usize]);
        let mut counts = vec![0u64; self.dictionaries[field].len() / STUDENTS_PER_BLOCK as usize + 1];
        let mut codes = Vec::new();
        for block in blocks {
            codes.clear();
            block.codes(self.plan, field, &self.dictionaries[field], &mut codes)?;
            codes.iter().for_each(|code| counts[(number(*code) / STUDENTS_PER_BLOCK) as usize] += 1);
        }
        let row_bytes = self.plan.widths().sum::<usize>() as u64;
        let (mut begins, mut rows) = (vec![0], 0);
        for (block, count) in (0u32..).zip(counts) {
            if rows > 0 && (rows + count) * row_bytes > most {
                let first = block * STUDENTS_PER_BLOCK;
                begins.push(numbers.map_or(first, |n| n.partition_point(|number| *number < first) as u32));
                rows = 0;
            }
            rows += count;
        }
        let ends = begins.iter().skip(1).map(|begin| begin - 1).chain([u32::MAX]);
        Ok(begins.iter().zip(ends).map(|(begin, end)| *begin..=end).collect())
    }

    /// Brings blocks together. Rows of one student block are put side by side, so that sorting and writing them stays in the caches.
    fn assemble(&self, year: Option<i32>, blocks: Vec<Block>) -> Result<Part> {
        let rows = blocks.iter().map(|b| b.rows).sum();
        let (places, bounds) = self.places(&blocks, rows)?;
        let mut columns: Vec<Column> = self.plan.readers.iter().map(|r| Column::for_reader(r, 0)).collect();
        columns.iter_mut().enumerate().filter(|(f, _)| Some(*f) != self.plan.partition).for_each(|(_, c)| c.fill(rows));
        let mut origins = Vec::with_capacity(blocks.len());
        let mut start = 0;
        let mut codes = Vec::new();
        for block in blocks {
            let places = &places[start..start + block.rows];
            for (field, (to, from)) in columns.iter_mut().zip(block.columns(self.plan)?.iter()).enumerate() {
                match (to, from) {
                    (Column::Bytes(to), Column::Bytes(from)) => scatter(to, from, places),
                    (Column::Ints(to), Column::Ints(from)) => scatter(to, from, places),
                    (Column::Longs(to), Column::Longs(from)) => scatter(to, from, places),
                    (Column::Texts(to), Column::Texts(from)) => {
                        codes.clear();
                        self.dictionaries[field].translate(block.thread, from, &mut codes);
                        scatter(to, &codes, places);
                    }
                    _ => {}
                }
            }
            origins.push(Origin { start, file: block.file, lines: block.lines.here()? });
            start += block.rows;
        }
        let unknown = vec![Unknown::default(); self.plan.links.len()];
        let (rejects, duplicates) = (Vec::new(), BTreeMap::new());
        Ok(Part {
            year,
            columns,
            rows: Vec::new(),
            rejects,
            duplicates,
            unknown,
            files: origins.iter().map(|o| o.file).collect(),
            referred: Vec::new(),
            numbered: Vec::new(),
            origins,
            places,
            sources: Vec::new(),
            bounds,
        })
    }

    /// Where each row goes, and where each student block begins and the last ends.
    fn places(&self, blocks: &[Block], rows: usize) -> Result<(Vec<u32>, Vec<u32>)> {
        let Some(field) = self.plan.leading() else { return Ok(((0..rows as u32).collect(), vec![0, rows as u32])) };
        let mut codes = Vec::with_capacity(rows);
        for block in blocks {
            block.codes(self.plan, field, &self.dictionaries[field], &mut codes)?;
        }
        let student_block = |code: u32| (code / STUDENTS_PER_BLOCK) as usize;
        let mut bounds = vec![0u32; self.dictionaries[field].len() / STUDENTS_PER_BLOCK as usize + 2];
        codes.iter().for_each(|code| bounds[student_block(*code) + 1] += 1);
        for i in 1..bounds.len() {
            bounds[i] += bounds[i - 1];
        }
        let mut next = bounds.clone();
        for code in &mut codes {
            let place = &mut next[student_block(*code)];
            *code = *place;
            *place += 1;
        }
        Ok((codes, bounds))
    }

    /// Keeps one of equal rows; rejects all rows of a key whose rows differ.
    fn resolve_keys(&self, part: &mut Part, sorted: Sorted) {
        let Sorted { rows, repeats } = sorted;
        if !repeats.contains(&true) {
            part.rows = rows;
            return;
        }
        part.rows.reserve(rows.len());
        let mut start = 0;
        while start < rows.len() {
            let end = start + 1 + repeats[start + 1..].iter().take_while(|r| **r).count();
            let group = &rows[start..end];
            start = end;
            let distinct = self.distinct(part, group);
            let differ = distinct[1..].iter().fold(0, |mask, row| mask | self.differences(part, distinct[0], *row));
            if differ == 0 {
                part.rows.push(distinct[0]);
                continue;
            }
            let places: Vec<(u32, u64)> = distinct.iter().map(|row| part.origin(*row)).collect();
            for (i, (row, (file, line))) in distinct.into_iter().zip(&places).enumerate() {
                let text = excerpt(self.key_text(part, row).as_bytes());
                let other = places.get(usize::from(i == 0)).copied().map(Box::new);
                let (file, line) = (*file, *line);
                part.rejects.push(Reject { file, line, field: None, rule: Rule::ConflictingKey, text, detail: differ, other });
            }
        }
    }

    /// The rows of a key that differ from each other, in the order of their files and lines; the others count as duplicates.
    fn distinct(&self, part: &mut Part, group: &[u32]) -> Vec<u32> {
        let mut rows = group.to_vec();
        rows.sort_by_key(|&row| part.origin(row));
        let mut distinct: Vec<u32> = Vec::new();
        for row in rows {
            if distinct.iter().all(|&kept| self.differences(part, kept, row) != 0) {
                distinct.push(row);
            } else {
                let (file, _) = part.origin(row);
                *part.duplicates.entry(file).or_default() += 1;
            }
        }
        distinct
    }

    fn differences(&self, part: &Part, a: u32, b: u32) -> u64 {
        let differ = |(field, column): (usize, &Column)| {
            let partition = Some(field) == self.plan.partition;
            u64::from(!partition && !column.equal(a as usize, b as usize)) << field
        };
        part.columns.iter().enumerate().map(differ).sum()
    }

    /// The key of a row as text, its parts separated by commas.
    fn key_text(&self, part: &Part, row: u32) -> String {
        let year = part.year.map(|y| y.to_string());
        let parts = self.plan.key.iter().map(|&f| self.value_text(part, f, row));
        year.into_iter().chain(parts).collect::<Vec<_>>().join(",")
    }

    fn value_text(&self, part: &Part, field: usize, row: u32) -> String {
        let at = row as usize;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match (&part.columns[field], &self.plan.readers[field]) {
            (column, _) if column.is_null(at) => String::new(),
            (Column::Bytes(v), Reader::Code(codes)) => text(codes.text(v[at])),
            (Column::Bytes(v), _) => if v[at] == 1 { "Y" } else { "N" }.to_string(),
            (Column::Texts(v), _) => text(self.dictionaries[field].get(v[at])),
            (Column::Ints(v), Reader::Date) => date_text(v[at]),
            (Column::Ints(v), Reader::Decimal { scale, .. }) => decimal_text(i64::from(v[at]), *scale),
            (Column::Ints(v), _) => v[at].to_string(),
            (Column::Longs(v), Reader::Decimal { scale, .. }) => decimal_text(v[at], *scale),
            (Column::Longs(v), _) => v[at].to_string(),
        }
    }

    /// Rejects rows that refer to nothing, or counts them where that only warns.
    fn check_links(&self, part: &mut Part) {
        let mut dropped: Vec<bool> = Vec::new();
        for (link, first_years) in self.plan.links.iter().zip(self.first_years).filter(|(l, _)| !l.warns) {
            let violations = self.violations(part, link, first_years);
            if !violations.is_empty() {
                dropped.resize(part.rows.len(), false);
            }
            for place in violations {
                // The first field to blame is the one that is named.
                if !std::mem::replace(&mut dropped[place], true) {
                    let row = part.rows[place];
                    let (file, line) = part.origin(row);
                    let text = excerpt(self.value_text(part, link.field, row).as_bytes());
                    let field = Some(link.field as u16);
                    part.rejects.push(Reject { file, line, field, rule: Rule::ForeignKey, text, detail: 0, other: None });
                }
            }
        }
        if !dropped.is_empty() {
            let mut kept = dropped.iter().map(|d| !d);
            part.rows.retain(|_| kept.next().unwrap_or(true));
        }
        for (i, (link, first_years)) in self.plan.links.iter().zip(self.first_years).enumerate().filter(|(_, (l, _))| l.warns) {
            for place in self.violations(part, link, first_years) {
                let row = part.rows[place];
                let text = self.value_text(part, link.field, row);
                let mut unknown = std::mem::take(&mut part.unknown[i]);
                unknown.rows += 1;
                unknown.note(text, || part.origin(row));
                part.unknown[i] = unknown;
            }
        }
    }

    /// Places among the accepted rows whose value is in no row, or only in rows of later years.
    fn violations(&self, part: &Part, link: &super::plan::Link, first_years: &[i32]) -> Vec<usize> {
        let Column::Texts(codes) = &part.columns[link.field] else { return Vec::new() };
        let years = link.as_of.filter(|f| Some(*f) != self.plan.partition).map(|f| &part.columns[f]);
        let until = |row: usize| match (link.as_of, years) {
            (None, _) => NEVER - 1,
            (Some(_), Some(Column::Ints(v))) => v[row],
            (Some(_), _) => part.year.unwrap_or(NEVER - 1),
        };
        let wrong = |row: usize| codes[row] != NULL && first_years.get(codes[row] as usize).is_none_or(|first| *first > until(row));
        part.rows.iter().enumerate().filter(|(_, row)| wrong(**row as usize)).map(|(place, _)| place).collect()
    }
}

impl Part {
    /// File and line of a row.
    fn origin(&mut self, row: u32) -> (u32, u64) {
        if self.sources.is_empty() {
            self.sources = vec![0; self.places.len()];
            let read = (0u32..).zip(&self.places);
            read.for_each(|(from, place)| self.sources[*place as usize] = from);
        }
        let row = self.sources.get(row as usize).map_or(0, |from| *from as usize);
        let after = self.origins.partition_point(|o| o.start <= row);
        self.origins.get(after.wrapping_sub(1)).map_or((0, 0), |o| (o.file, o.lines.of((row - o.start) as u32)))
    }

    /// Frees what is only needed until the rows are written; returns how many there are.
    pub fn forget_rows(&mut self) -> usize {
        (self.origins, self.columns, self.places, self.sources) = Default::default();
        std::mem::take(&mut self.rows).len()
    }

    /// The codes that the accepted rows have in a field, one after the other, equal ones side by side once.
    pub fn runs(&self, field: usize) -> Vec<u32> {
        let Column::Texts(codes) = &self.columns[field] else { return Vec::new() };
        let mut runs: Vec<u32> = self.rows.iter().map(|row| codes[*row as usize]).collect();
        runs.dedup();
        runs
    }

    /// The codes that the accepted rows have in a field of texts.
    pub fn codes(&self, field: usize) -> BTreeSet<u32> {
        let Column::Texts(codes) = &self.columns[field] else { return BTreeSet::new() };
        self.rows.iter().map(|row| codes[*row as usize]).filter(|c| *c != NULL).collect()
    }
}
