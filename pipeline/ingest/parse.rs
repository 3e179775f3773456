//! Reads the files of a collection on several threads: each takes a chunk of a file, reads its fields, and keeps the columns.

use super::column::{Bad, Column, Reading, read_tile};
use super::fields::{Place, Tile, record};
use super::intern::Interner;
use super::plan::Plan;
use super::records::{Chunk, Records, record_end};
use super::reference::Reference;
use super::reject::{Reject, Rule};
use super::source::{Input, Source};
use crate::error::{Error, Result};
use crate::mapping::rows::ragged;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of one chunk that belong to one partition.
#[derive(Debug)]
pub struct Block {
    /// Number of the file.
    pub file: u32,
    /// The thread whose text tables the columns use.
    pub thread: usize,
    /// The lines of the rows.
    pub lines: Lines,
    /// Number of rows.
    pub rows: usize,
    /// The values, by field.
    pub columns: Vec<Column>,
}

/// The lines on which rows begin: where they jump, (row, its line); rows between follow line by line.
#[derive(Debug, Default)]
pub struct Lines(Vec<(u32, u64)>);

impl Lines {
    /// The line on which a row begins.
    pub fn of(&self, row: u32) -> u64 {
        let after = self.0.partition_point(|(first, _)| *first <= row);
        self.0.get(after.wrapping_sub(1)).map_or(0, |(first, line)| line + u64::from(row - first))
    }

    /// Notes the line of the next row.
    fn push(&mut self, row: usize, line: u64) {
        if self.0.last().is_none_or(|(first, at)| at + (row as u64 - u64::from(*first)) != line) {
            self.0.push((row as u32, line));
        }
    }

    /// The line of the first row.
    fn first(&self) -> u64 {
        self.0.first().map_or(0, |(_, line)| *line)
    }
}

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
}

/// A guess at how many bytes of files there are for each identifier: about three rows of a hundred bytes.
const BYTES_PER_ID: u64 = 300;

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
}

/// Where a file's fields are.
#[derive(Debug)]
struct Layout {
    positions: Vec<Option<usize>>,
    columns: usize,
    /// Columns of the file itself, if a mapping made the header.
    mapped: Option<usize>,
}

impl Layout {
    /// Fields expected and found of a record with another number than the header.
    fn expected_and_found(&self, found: usize) -> u64 {
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
}

struct Job<'a> {
    source: &'a Source,
    number: u32,
    state: Mutex<State>,
    facts: Mutex<FileFacts>,
    failed: AtomicBool,
}

/// What all threads that read a collection share.
struct Shared<'a> {
    plan: &'a Plan<'a>,
    shared: Vec<Option<&'a Reference>>,
    jobs: Vec<Job<'a>>,
    chunk_bytes: usize,
    errors: Mutex<Vec<(u32, u64, Error)>>,
}

/// Reads the files of a collection; `first_number` is the number of its first file.
pub fn parse(
    plan: &Plan,
    shared: Vec<Option<&Reference>>,
    sources: &[Source],
    first_number: u32,
    threads: usize,
    chunk_bytes: usize,
) -> Result<Parsed> {
    let job = |(i, source)| Job {
        source,
        number: first_number + i as u32,
        state: Mutex::new(State::New),
        facts: Mutex::default(),
        failed: AtomicBool::new(false),
    };
    let jobs: Vec<Job> = sources.iter().enumerate().map(job).collect();
    let shared = Shared { plan, shared, jobs, chunk_bytes, errors: Mutex::default() };
    let workers = super::on_threads(threads, |thread| Worker::new(&shared, thread).run());
    if let Some(error) = first_errors(shared.errors.into_inner().unwrap_or_else(PoisonError::into_inner)) {
        return Err(error);
    }
    let mut parsed = Parsed { tables: plan.readers.iter().map(|_| Vec::new()).collect(), ..Parsed::default() };
    for worker in workers {
        let (blocks, tables, rejects) = worker?;
        for (year, block) in blocks {
            parsed.parts.entry(year).or_default().push(block);
        }
        parsed.tables.iter_mut().zip(tables).for_each(|(all, table)| all.push(table));
        parsed.rejects.extend(rejects);
    }
    let place = |b: &Block| (b.file, b.lines.first());
    parsed.parts.values_mut().for_each(|blocks| blocks.sort_by_key(place));
    parsed.files = shared.jobs.into_iter().map(|j| j.facts.into_inner().unwrap_or_else(PoisonError::into_inner)).collect();
    Ok(parsed)
}

/// The errors of files as one, in order of file and line.
fn first_errors(mut errors: Vec<(u32, u64, Error)>) -> Option<Error> {
    errors.sort_by_key(|(file, line, _)| (*file, *line));
    errors.dedup_by_key(|(file, ..)| *file);
    let all_data = errors.iter().all(|(.., e)| matches!(e, Error::Data(_)));
    if all_data && errors.len() > 1 {
        return Some(Error::Data(errors.iter().map(|(.., e)| e.to_string()).collect::<Vec<_>>().join("\n")));
    }
    let first = errors.iter().position(|(.., e)| !matches!(e, Error::Data(_))).unwrap_or(0);
    (!errors.is_empty()).then(|| errors.swap_remove(first).2)
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
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared<'a>, thread: usize) -> Self {
        let mut own: Vec<Interner> = shared.plan.readers.iter().map(|_| Interner::default()).collect();
        if let Some((field, _)) = shared.plan.defines() {
            // Most threads meet most ids: a table that need not grow is filled in half the time.
            let bytes: u64 = shared.jobs.iter().map(|job| job.source.bytes).sum();
            own[field] = Interner::with_capacity((bytes / BYTES_PER_ID) as usize);
        }
        Worker { shared, thread, blocks: Vec::new(), own, rejects: Vec::new(), bad: Bad::default(), tile: Tile::default() }
    }

    /// Goes over the files, from one that is its own on, until all have ended.
    fn run(mut self) -> Result<Read> {
        let jobs = &self.shared.jobs;
        let mut chunk = Chunk::default();
        for i in 0..jobs.len() {
            let job = &jobs[(i + self.thread) % jobs.len()];
            loop {
                let layout = match job.take(self.shared, &mut chunk) {
                    Ok(Some(layout)) => layout,
                    Ok(None) => break,
                    Err(error) => {
                        job.fail(self.shared, 0, error);
                        break;
                    }
                };
                if let Err((line, error)) = check_text(&chunk, &job.source.name) {
                    job.fail(self.shared, line, error);
                    break;
                }
                self.read(&chunk, &layout, job);
            }
        }
        Ok((self.blocks, self.own, self.rejects))
    }

    /// Reads the fields of a chunk into a block for each partition.
    fn read(&mut self, chunk: &Chunk, layout: &Layout, job: &Job) {
        let Shared { plan, shared, .. } = self.shared;
        let mut columns: Vec<Column> = plan.readers.iter().map(|r| Column::for_reader(r, chunk.lines)).collect();
        let reading = Reading { plan, positions: &layout.positions, shared };
        let mut place = Place::start(chunk);
        let (mut lines, mut rows, mut read) = (Lines::default(), 0usize, 0u64);
        while self.tile.next(chunk, &mut place, layout.columns) {
            let tile = &self.tile;
            read_tile(reading, tile, tile.text(chunk), &mut self.own, &mut columns, &mut self.bad);
            rows += note_lines(&mut lines, tile, &self.bad, rows, chunk.line);
            read += (tile.rows.len() + tile.irregular.len()) as u64;
            self.rejects.extend(tile.irregular.iter().map(|&(line, found)| Reject {
                file: job.number,
                line: chunk.line + u64::from(line),
                field: None,
                rule: Rule::Type,
                text: None,
                detail: layout.expected_and_found(found as usize),
            }));
        }
        let place = |r: Reject| Reject { file: job.number, line: chunk.line + r.line, ..r };
        self.rejects.extend(self.bad.rejects.drain(..).map(place));
        job.facts.lock().unwrap_or_else(PoisonError::into_inner).rows += read;
        if rows > 0 {
            self.divide(Block { file: job.number, thread: self.thread, lines, rows, columns });
        }
    }

    /// Keeps a block, divided by partition.
    fn divide(&mut self, mut block: Block) {
        let Some(field) = self.shared.plan.partition else { return self.blocks.push((None, block)) };
        let Column::Ints(years) = std::mem::replace(&mut block.columns[field], Column::Ints(Vec::new())) else { return };
        let first = years[0];
        if years.iter().all(|y| *y == first) {
            return self.blocks.push((Some(first), block));
        }
        let mut rows: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (row, year) in years.iter().enumerate() {
            rows.entry(*year).or_default().push(row as u32);
        }
        for (year, rows) in rows {
            let mut lines = Lines::default();
            rows.iter().enumerate().for_each(|(to, &from)| lines.push(to, block.lines.of(from)));
            let columns = block.columns.iter().enumerate();
            let columns = columns.map(|(f, c)| if f == field { Column::Ints(Vec::new()) } else { c.take(&rows) }).collect();
            self.blocks.push((Some(year), Block { file: block.file, thread: block.thread, lines, rows: rows.len(), columns }));
        }
    }
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

/// Makes sure that a chunk is UTF-8.
fn check_text(chunk: &Chunk, name: &str) -> std::result::Result<(), (u64, Error)> {
    let text = &chunk.text[chunk.start..chunk.end];
    let Err(error) = std::str::from_utf8(text) else { return Ok(()) };
    let at = chunk.start + error.valid_up_to();
    let line = chunk.line + memchr::memchr_iter(b'\n', &chunk.text[..at]).count() as u64;
    let column = at - memchr::memrchr(b'\n', &chunk.text[..at]).map_or(0, |n| n + 1) + 1;
    let byte = chunk.text[at];
    let what = format!("{name}: line {line}, byte {column} of the line: 0x{byte:02X} is no UTF-8; save the file as CSV UTF-8");
    Err((line, Error::Data(what)))
}

impl Job<'_> {
    /// Takes the next chunk of the file.
    fn take(&self, shared: &Shared, chunk: &mut Chunk) -> Result<Option<Arc<Layout>>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.failed.load(Ordering::Relaxed) {
            *state = State::Done;
        }
        if let State::New = *state {
            // An error leaves it done: it is reported once.
            *state = State::Done;
            let open = self.open(shared)?;
            *state = State::Open(open);
        }
        let State::Open(open) = &mut *state else { return Ok(None) };
        let more = match open.first.take() {
            Some(first) => {
                *chunk = first;
                true
            }
            None => open.records.next(chunk, &self.source.name)?,
        };
        if more {
            return Ok(Some(open.layout.clone()));
        }
        if let State::Open(open) = std::mem::replace(&mut *state, State::Done) {
            let finished = open.records.into_input().finish(&self.source.name)?;
            let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
            (facts.bytes, facts.blake3) = finished;
        }
        Ok(None)
    }

    fn fail(&self, shared: &Shared, line: u64, error: Error) {
        self.failed.store(true, Ordering::Relaxed);
        shared.errors.lock().unwrap_or_else(PoisonError::into_inner).push((self.number, line, error));
    }

    /// Opens the file and reads its header.
    fn open(&self, shared: &Shared) -> Result<Box<Open>> {
        let name = &self.source.name;
        let input = Input::open(self.source)?;
        let first_line = input.first_line();
        let mut records = Records::new(input, shared.chunk_bytes).from_line(first_line);
        let mut chunk = Chunk::default();
        let mut header = Vec::new();
        // The header is the first record that is not blank; a chunk may hold nothing before it.
        while header.iter().all(String::is_empty) {
            if chunk.start == chunk.end && !records.next(&mut chunk, name)? {
                break;
            }
            let Some(end) = record_end(&chunk.text[..chunk.end], chunk.start) else { break };
            check_text(&chunk, name).map_err(|(_, e)| e)?;
            header = record(&chunk.text[chunk.start..end]);
            chunk.start = end;
        }
        let (mut layout, unknown) = layout(shared.plan, &header).map_err(|what| Error::Data(format!("{name}: {what}")))?;
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).unknown_columns = unknown;
        layout.mapped = self.source.mapping.as_ref().map(|used| used.tally().columns);
        Ok(Box::new(Open { records, first: Some(chunk), layout: Arc::new(layout) }))
    }
}

/// Finds the contract's fields in a header; also the columns that it does not know.
fn layout(plan: &Plan, header: &[String]) -> std::result::Result<(Layout, Vec<String>), String> {
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
    if let Some(twice) = lower.iter().enumerate().find(|(i, h)| !h.is_empty() && lower[..*i].contains(h)) {
        return Err(format!("the header has the column {} twice; remove or rename one", twice.1));
    }
    if !missing.is_empty() {
        let found = if header.is_empty() { "none".to_string() } else { header.join(", ") };
        return Err(format!("required columns are missing: {}; columns found: {found}", missing.join(", ")));
    }
    let name = |(i, h): (usize, &String)| if h.is_empty() { format!("(column {} without a name)", i + 1) } else { h.clone() };
    let unknown = header.iter().enumerate().filter(|(i, _)| !positions.contains(&Some(*i))).map(name).collect();
    Ok((Layout { positions, columns: header.len(), mapped: None }, unknown))
}
