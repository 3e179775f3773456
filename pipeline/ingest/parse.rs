//! Reads the files of a collection on several threads: each takes a chunk of a file, reads its fields, and keeps the columns.

use super::aside::{Room, Shelf, Values, read as read_shelf};
use super::column::{Bad, Column, Reading, read_tile};
use super::fields::{Place, Tile, late_error};
use super::intern::Interner;
use super::job::{FileFacts, Job, Layout};
use super::limit::REJECTS;
use super::plan::Plan;
use super::records::Chunk;
use super::reference::Reference;
use super::reject::{Reject, Rule};
use super::source::Source;
use crate::error::{Error, Result};
use arrow::datatypes::ToByteSlice;
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows of one chunk that belong to one partition.
#[derive(Debug, Clone)]
pub struct Block {
    /// Number of the file.
    pub file: u32,
    /// The thread whose text tables the columns use.
    pub thread: usize,
    /// The lines of the rows.
    pub lines: Lines,
    /// Number of rows.
    pub rows: usize,
    /// The values.
    pub values: Values,
}

/// The lines on which rows begin.
#[derive(Debug, Default, Clone)]
pub struct Lines {
    /// Where they jump, (row, its line): rows between follow line by line.
    jumps: Vec<(u32, u64)>,
    /// The first line, and for each row how many lines after it; instead, if they jump often.
    after_first: Option<(u64, After)>,
}

#[derive(Debug, Clone)]
enum After {
    Here(Vec<u32>),
    /// On a shelf, from this byte on, for so many rows.
    Aside(Arc<File>, u64, usize),
}

/// If lines jump more often than after so many rows, each is kept.
const ROWS_PER_JUMP: usize = 4;

impl Lines {
    /// The line on which a row begins.
    pub fn of(&self, row: u32) -> u64 {
        if let Some((first, After::Here(after))) = &self.after_first {
            return after.get(row as usize).map_or(0, |lines| first + u64::from(*lines));
        }
        let after = self.jumps.partition_point(|(first, _)| *first <= row);
        self.jumps.get(after.wrapping_sub(1)).map_or(0, |(first, line)| line + u64::from(row - first))
    }

    /// The lines of some of the rows.
    pub fn take(&self, rows: &[u32]) -> Lines {
        let mut lines = Lines::default();
        rows.iter().enumerate().for_each(|(to, &from)| lines.push(to, self.of(from)));
        if lines.jumps.len() * ROWS_PER_JUMP > rows.len() {
            let first = lines.first();
            let after = |&row: &u32| self.of(row).checked_sub(first).and_then(|lines| u32::try_from(lines).ok());
            lines.after_first = rows.iter().map(after).collect::<Option<Vec<u32>>>().map(|after| (first, After::Here(after)));
        }
        if lines.after_first.is_some() {
            lines.jumps = Vec::new();
        }
        lines
    }

    /// Notes the line of the next row.
    fn push(&mut self, row: usize, line: u64) {
        if self.jumps.last().is_none_or(|(first, at)| at + (row as u64 - u64::from(*first)) != line) {
            self.jumps.push((row as u32, line));
        }
    }

    /// The line of the first row.
    fn first(&self) -> u64 {
        self.after_first.as_ref().map_or_else(|| self.of(0), |(first, _)| *first)
    }

    /// Bytes that they take in memory, but for a few.
    fn bytes(&self) -> u64 {
        if let Some((_, After::Here(after))) = &self.after_first { 4 * after.len() as u64 } else { 16 * self.jumps.len() as u64 }
    }

    /// Puts them on a shelf, if they are many.
    pub fn put(&mut self, shelf: &mut Shelf) -> Result<()> {
        if let Some((_, after)) = &mut self.after_first
            && let After::Here(lines) = after
        {
            let rows = lines.len();
            let (file, at) = shelf.put_bytes(lines.as_slice().to_byte_slice())?;
            *after = After::Aside(file, at, rows);
        }
        Ok(())
    }

    /// The same in memory.
    pub fn here(&self) -> Result<Lines> {
        let Some((first, After::Aside(file, at, rows))) = &self.after_first else { return Ok(self.clone()) };
        let bytes = read_shelf(file, *at, 4 * rows)?;
        let after = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_ne_bytes(*word)).collect();
        Ok(Lines { jumps: Vec::new(), after_first: Some((*first, After::Here(after))) })
    }
}

/// A guess at how many bytes of files there are for each identifier: about three rows of a hundred bytes.
const BYTES_PER_ID: u64 = 300;
/// A table begins with room for no more than so many: what a file says by its size need not be so.
const MOST_IDS_AT_FIRST: u64 = 1 << 21;

/// A collection as read.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The blocks of each partition (`None`: the collection has none), in order of file and line.
    pub parts: BTreeMap<Option<i32>, Vec<Block>>,
    /// For each field, the text tables of the threads.
    pub tables: Vec<Vec<Interner>>,
    /// Rows rejected so far.
    pub rejects: Vec<Reject>,
    /// The files, in the order given.
    pub files: Vec<FileFacts>,
    /// Whether there are rows that memory does not hold.
    pub aside: bool,
}

/// What reading may take.
pub struct Means<'a> {
    /// Threads.
    pub threads: usize,
    /// Bytes of a file that a thread reads at a time.
    pub chunk_bytes: usize,
    /// Room for values in memory.
    pub room: &'a Room,
}

/// What all threads that read a collection share.
struct Shared<'a> {
    plan: &'a Plan<'a>,
    shared: Vec<Option<&'a Reference>>,
    jobs: Vec<Job<'a>>,
    room: &'a Room,
    /// Bytes of a row's values.
    row_bytes: u64,
    /// Rows rejected so far.
    rejected: AtomicU64,
}

/// Reads the files of a collection; `first_number` is the number of its first file.
pub fn parse(plan: &Plan, shared: Vec<Option<&Reference>>, sources: &[Source], first_number: u32, means: &Means) -> Result<Parsed> {
    let &Means { threads, chunk_bytes, room } = means;
    let job = |(number, source)| Job::new(source, plan, number, chunk_bytes);
    let jobs: Vec<Job> = (first_number..).zip(sources).map(job).collect();
    let row_bytes = plan.widths().sum::<usize>() as u64;
    let shared = Shared { plan, shared, jobs, room, row_bytes, rejected: AtomicU64::new(0) };
    let workers = super::on_threads(threads, |thread| Worker::new(&shared, thread).run());
    let tables = plan.readers.iter().map(|_| Vec::new()).collect();
    let mut parsed = Parsed { tables, aside: room.is_full(), ..Parsed::default() };
    // What was read of a file before it was read once more does not count.
    let counts = |file: u32| shared.jobs.iter().find_map(|job| job.counts(file));
    for (blocks, tables, rejects) in workers {
        for (year, block) in blocks {
            let kept = counts(block.file).map(|file| Block { file, ..block });
            parsed.parts.entry(year).or_default().extend(kept);
        }
        parsed.tables.iter_mut().zip(tables).for_each(|(all, table)| all.push(table));
        parsed.rejects.extend(rejects.into_iter().filter_map(|r| Some(Reject { file: counts(r.file)?, ..r })));
    }
    parsed.parts.retain(|_, blocks| !blocks.is_empty());
    let place = |b: &Block| (b.file, b.lines.first());
    parsed.parts.values_mut().for_each(|blocks| blocks.sort_by_key(place));
    let mut errors = Vec::new();
    for (number, job) in (first_number..).zip(shared.jobs) {
        match job.finish() {
            Ok(facts) => {
                parsed.rejects.extend(facts.faults.iter().map(|f| Reject::of_fault(number, f)));
                parsed.files.push(facts);
            }
            Err(error) => errors.push(error),
        }
    }
    first_errors(errors).map_or(Ok(parsed), Err)
}

/// The errors of files as one, in the order of the files.
fn first_errors(mut errors: Vec<Error>) -> Option<Error> {
    let all_data = errors.iter().all(|e| matches!(e, Error::Data(_)));
    if all_data && errors.len() > 1 {
        return Some(Error::Data(errors.iter().map(Error::to_string).collect::<Vec<_>>().join("\n")));
    }
    let first = errors.iter().position(|e| !matches!(e, Error::Data(_))).unwrap_or(0);
    (!errors.is_empty()).then(|| errors.swap_remove(first))
}

type Read = (Vec<(Option<i32>, Block)>, Vec<Interner>, Vec<Reject>);

/// One thread's work.
struct Worker<'a> {
    shared: &'a Shared<'a>,
    thread: usize,
    blocks: Vec<(Option<i32>, Block)>,
    own: Vec<Interner>,
    rejects: Vec<Reject>,
    bad: Bad,
    tile: Tile,
    shelf: Option<Shelf>,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared<'a>, thread: usize) -> Self {
        let mut own: Vec<Interner> = shared.plan.readers.iter().map(|_| Interner::default()).collect();
        if let Some((field, _)) = shared.plan.defines() {
            // Most threads meet most ids: a table that need not grow is filled in half the time.
            let bytes: u64 = shared.jobs.iter().map(|job| job.source.bytes).sum();
            own[field] = Interner::with_capacity((bytes / BYTES_PER_ID).min(MOST_IDS_AT_FIRST) as usize);
        }
        Worker { shared, thread, blocks: Vec::new(), own, rejects: Vec::new(), bad: Bad::default(), tile: Tile::default(), shelf: None }
    }

    /// Goes over the files, from one that is its own on, until all have ended.
    fn run(mut self) -> Read {
        let jobs = &self.shared.jobs;
        let mut chunk = Chunk::default();
        for i in 0..jobs.len() {
            let job = &jobs[(i + self.thread) % jobs.len()];
            while let Some(layout) = job.take(&mut chunk) {
                match check_text(&chunk, &job.source.name) {
                    Ok(()) => {
                        if let Err(error) = self.read(&chunk, &layout, job) {
                            job.fail(layout.file, chunk.line, error);
                        }
                    }
                    Err(_) if layout.guessed => job.read_again(layout.file),
                    Err((line, error)) => job.fail(layout.file, line, error),
                }
            }
        }
        (self.blocks, self.own, self.rejects)
    }

    /// Reads the fields of a chunk into a block for each partition.
    fn read(&mut self, chunk: &Chunk, layout: &Layout, job: &Job) -> Result<()> {
        let Shared { plan, shared, rejected, .. } = self.shared;
        let (file, before) = (layout.file, self.rejects.len());
        let mut columns: Vec<Column> = plan.readers.iter().map(|r| Column::for_reader(r, chunk.lines)).collect();
        let reading = Reading { plan, positions: &layout.positions, shared };
        let mut place = Place::start(chunk);
        let (mut lines, mut rows, mut read) = (Lines::default(), 0usize, 0u64);
        while self.tile.next(chunk, &mut place, layout.columns) {
            let tile = &self.tile;
            if let Some((first, last)) = tile.late {
                return Err(late_error(&job.source.name, chunk.line + u64::from(first), chunk.line + u64::from(last)));
            }
            read_tile(reading, tile, tile.text(chunk), &mut self.own, &mut columns, &mut self.bad);
            rows += note_lines(&mut lines, tile, &self.bad, rows, chunk.line);
            read += (tile.rows.len() + tile.irregular.len()) as u64;
            self.rejects.extend(tile.irregular.iter().map(|&(line, found)| Reject {
                file,
                line: chunk.line + u64::from(line),
                field: None,
                rule: Rule::Type,
                text: None,
                detail: layout.expected_and_found(found as usize),
                other: None,
            }));
        }
        let place = |r: Reject| Reject { file, line: chunk.line + r.line, ..r };
        self.rejects.extend(self.bad.rejects.drain(..).map(place));
        job.count(file, read);
        let more = (self.rejects.len() - before) as u64;
        if rejected.fetch_add(more, Ordering::Relaxed) + more > REJECTS {
            return Err(too_many_rejects(&plan.contract.name));
        }
        if rows > 0 { self.divide(Block { file, thread: self.thread, lines, rows, values: Values::default() }, columns) } else { Ok(()) }
    }

    /// Keeps the columns of a block, divided by partition.
    fn divide(&mut self, block: Block, mut columns: Vec<Column>) -> Result<()> {
        let Some(field) = self.shared.plan.partition else { return self.keep(None, block, columns) };
        let Column::Ints(years) = std::mem::replace(&mut columns[field], Column::Ints(Vec::new())) else { return Ok(()) };
        let first = years[0];
        if years.iter().all(|y| *y == first) {
            return self.keep(Some(first), block, columns);
        }
        let mut rows: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (row, year) in years.iter().enumerate() {
            rows.entry(*year).or_default().push(row as u32);
        }
        for (year, rows) in rows {
            let lines = block.lines.take(&rows);
            let columns = columns.iter().enumerate();
            let columns = columns.map(|(f, c)| if f == field { Column::Ints(Vec::new()) } else { c.take(&rows) }).collect();
            self.keep(Some(year), Block { lines, rows: rows.len(), ..block.clone() }, columns)?;
        }
        Ok(())
    }

    /// Keeps a block of one partition, in memory or aside.
    fn keep(&mut self, year: Option<i32>, mut block: Block, columns: Vec<Column>) -> Result<()> {
        let Shared { room, row_bytes, .. } = self.shared;
        let values = if room.take(block.rows as u64 * row_bytes + block.lines.bytes()) {
            Values::Here(Arc::new(columns))
        } else {
            let shelf = match &mut self.shelf {
                Some(shelf) => shelf,
                none => none.insert(room.shelf()?),
            };
            block.lines.put(shelf)?;
            shelf.put(&columns)?
        };
        self.blocks.push((year, Block { values, ..block }));
        Ok(())
    }
}

/// The error of a collection with more rejected rows than can be kept.
pub fn too_many_rejects(collection: &str) -> Error {
    Error::Data(format!(
        "{collection}: more than {REJECTS} rows are rejected, which is more than can be told one by one; correct what they have in common: \
         `perkins check` on some thousand lines of each file shows it"
    ))
}

/// Notes where the lines of a tile's accepted rows jump; returns how many rows there are.
fn note_lines(lines: &mut Lines, tile: &Tile, bad: &Bad, before: usize, first_line: u64) -> usize {
    let mut row = before;
    for (i, &line) in tile.lines.iter().enumerate() {
        if bad.any && bad.flags[i] {
            continue;
        }
        lines.push(row, first_line + u64::from(line));
        row += 1;
    }
    row - before
}

/// Makes sure that a chunk is UTF-8, also the header before its first record.
fn check_text(chunk: &Chunk, name: &str) -> std::result::Result<(), (u64, Error)> {
    let Err(error) = std::str::from_utf8(&chunk.text[..chunk.end]) else { return Ok(()) };
    let at = error.valid_up_to();
    let line = chunk.line + memchr::memchr_iter(b'\n', &chunk.text[..at]).count() as u64;
    let column = at - memchr::memrchr(b'\n', &chunk.text[..at]).map_or(0, |n| n + 1) + 1;
    let byte = chunk.text[at];
    let what = format!("{name}: line {line}, byte {column} of the line: 0x{byte:02X} is no UTF-8; save the file as CSV UTF-8");
    Err((line, Error::Data(what)))
}
