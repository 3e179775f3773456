//! All cores make students, in lots of some hundred; the lots are written in their order, so that the bytes do not depend on the threads.
//! Only some lots wait at any time, and the pages of a file are gathered before it is opened, so memory and open files stay few.

use super::calendar::EIGHT;
use super::dirt::Dirt;
use super::row::{Collection, Out, Page};
use super::tally::Tally;
use super::{World, Written, adult, fiscal, measure, pupil, region};
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Students in a lot.
const LOT: u32 = 512;
/// Bytes that all files together may gather before they are written.
const GATHER: usize = 32 << 20;

/// Some students who enter in one school year.
#[derive(Debug, Clone, Copy)]
struct Lot {
    college: bool,
    entry: i32,
    first: u32,
    end: u32,
}

/// All lots of students who may have a row in the years asked for.
fn lots(world: &World) -> Vec<Lot> {
    let (first, last) = (world.options.first_year, world.options.last_year);
    let longest = world.sources.rates.path.iter().map(|p| p.grades.len() as i32).max().unwrap_or(0);
    // Years of study, with a pause in each, and the year after.
    let study = 2 * world.sources.rates.college.years.len() as i32 + 1;
    let pupils = (first - longest - study..=last + i32::from(EIGHT) + 1).map(|entry| (false, entry, world.pupils_per_cohort));
    let adults = (first - study..=last).map(|entry| (true, entry, world.adults_per_entry));
    let mut lots = Vec::new();
    for (college, entry, people) in pupils.chain(adults) {
        lots.extend((0..people).step_by(LOT as usize).map(|from| Lot { college, entry, first: from, end: (from + LOT).min(people) }));
    }
    lots
}

/// What a lot comes to.
struct Made {
    pages: Vec<Page>,
    tally: Tally,
}

fn out(world: &World, pages: Vec<Page>) -> Out<'_> {
    let years = (world.options.last_year - world.options.first_year + 1) as usize;
    let dirt = world.ways.as_ref().map(|ways| Dirt::new(ways, &world.state.later_programs));
    Out::new(world.options.first_year, years, &world.places, pages, dirt)
}

/// Writes the rows of a lot's students.
fn make(world: &World, lot: Lot, pages: Vec<Page>) -> Made {
    let mut out = out(world, pages);
    for index in lot.first..lot.end {
        out.start(world.options.seed, &[u64::from(lot.college), lot.entry as u64, u64::from(index)]);
        if lot.college {
            adult::live(world, &mut out, lot.entry, index);
        } else {
            pupil::live(world, &mut out, lot.entry, index);
        }
    }
    Made { pages: out.pages, tally: out.tally }
}

/// Writes the rows of districts, schools and the state, from what was counted of the students.
fn whole(world: &World, tally: &Tally) -> Result<Vec<Page>> {
    let mut out = out(world, Vec::new());
    out.start_state(world.options.seed);
    region::procedures(world, &mut out, tally);
    measure::measures(world, &mut out, tally);
    fiscal::grant(world, &mut out)?;
    Ok(out.pages)
}

/// What the threads share.
struct Queue {
    next: usize,
    written: usize,
    done: BTreeMap<usize, Made>,
    spare: Vec<Vec<Page>>,
    failed: bool,
}

/// Lets the others stop if a thread breaks down, instead of waiting for its lot.
struct Alarm<'a>(&'a Mutex<Queue>, &'a Condvar);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(self.0).failed = true;
            self.1.notify_all();
        }
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the collections that are written by school year: the lots of students, then what is not of students as a last lot.
pub(super) fn years(world: &World) -> Result<Vec<Written>> {
    let lots = lots(world);
    let threads = match world.options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let queue = Mutex::new(Queue { next: 0, written: 0, done: BTreeMap::new(), spare: Vec::new(), failed: false });
    let changed = Condvar::new();
    let mut files = Files::create(world)?;
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(world, &lots, &queue, &changed, threads * 4))).collect();
        let result = (0..lots.len()).try_for_each(|at| {
            let mut made = take(&queue, &changed, at)?;
            files.add(at, &mut made.pages)?;
            tally.join(made.tally);
            lock(&queue).spare.push(made.pages);
            Ok(())
        });
        lock(&queue).failed |= result.is_err();
        changed.notify_all();
        let broken = workers.into_iter().filter_map(|w| w.join().err()).count();
        if broken > 0 { Err(Error::bug("a thread that makes students broke down")) } else { result }
    })?;
    files.add(lots.len(), &mut whole(world, &tally)?)?;
    files.finish()
}

/// Waits for a lot.
fn take(queue: &Mutex<Queue>, changed: &Condvar, at: usize) -> Result<Made> {
    let mut shared = lock(queue);
    loop {
        if let Some(made) = shared.done.remove(&at) {
            shared.written = at + 1;
            changed.notify_all();
            return Ok(made);
        }
        if shared.failed {
            return Err(Error::bug("a thread that makes students broke down"));
        }
        shared = changed.wait(shared).unwrap_or_else(PoisonError::into_inner);
    }
}

/// A thread: makes lots while there are any, and not too far ahead of what is written.
fn work(world: &World, lots: &[Lot], queue: &Mutex<Queue>, changed: &Condvar, ahead: usize) {
    let _alarm = Alarm(queue, changed);
    loop {
        let mut shared = lock(queue);
        while !shared.failed && shared.next < lots.len() && shared.next >= shared.written + ahead {
            shared = changed.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
        let Some(lot) = lots.get(shared.next).filter(|_| !shared.failed) else { return };
        let at = shared.next;
        shared.next += 1;
        let spare = shared.spare.pop().unwrap_or_default();
        drop(shared);
        let made = make(world, *lot, spare);
        lock(queue).done.insert(at, made);
        changed.notify_all();
    }
}

/// A file, and what waits to be written to it.
struct Sheaf {
    written: Written,
    path: PathBuf,
    page: Page,
}

/// All files, by collection, year and part.
struct Files {
    sheaves: Vec<Sheaf>,
    parts: usize,
    gather: usize,
}

impl Files {
    /// Creates every file with its header.
    fn create(world: &World) -> Result<Files> {
        let options = &world.options;
        let parts = options.files_per_collection;
        let mut sheaves = Vec::new();
        for (collection, header) in Collection::ALL.iter().zip(&world.headers) {
            if world.places.get(*collection as usize).is_none_or(Option::is_none) {
                continue;
            }
            let name = collection.name();
            let folder = options.out.join(name);
            fs::create_dir(&folder).map_err(|e| Error::io("create", &folder, e))?;
            for year in options.first_year..=options.last_year {
                for part in 1..=parts {
                    let file = if parts == 1 { format!("{name}-{year}.csv") } else { format!("{name}-{year}-{part:03}.csv") };
                    let path = folder.join(&file);
                    let page = Page { bytes: header.clone().into_bytes(), rows: 0 };
                    File::create_new(&path).map_err(|e| Error::io("create", &path, e))?;
                    let written = Written { path: format!("{name}/{file}"), collection: name.into(), rows: 0, bytes: 0 };
                    sheaves.push(Sheaf { written, path, page });
                }
            }
        }
        let gather = GATHER / sheaves.len().max(1);
        Ok(Files { sheaves, parts, gather })
    }

    /// Takes a lot's pages, and leaves them empty.
    fn add(&mut self, lot: usize, pages: &mut [Page]) -> Result<()> {
        for (at, page) in pages.iter_mut().enumerate() {
            if let Some(sheaf) = self.sheaves.get_mut(at * self.parts + lot % self.parts) {
                sheaf.page.bytes.extend_from_slice(&page.bytes);
                sheaf.page.rows += page.rows;
                if sheaf.page.bytes.len() > self.gather {
                    sheaf.write()?;
                }
            }
            page.bytes.clear();
            page.rows = 0;
        }
        Ok(())
    }

    /// Writes what is left.
    fn finish(mut self) -> Result<Vec<Written>> {
        self.sheaves.iter_mut().try_for_each(Sheaf::write)?;
        Ok(self.sheaves.into_iter().map(|s| s.written).collect())
    }
}

impl Sheaf {
    fn write(&mut self) -> Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.path).map_err(|e| Error::io("open", &self.path, e))?;
        file.write_all(&self.page.bytes).map_err(|e| Error::io("write", &self.path, e))?;
        self.written.rows += self.page.rows;
        self.written.bytes += self.page.bytes.len() as u64;
        self.page.bytes.clear();
        self.page.rows = 0;
        Ok(())
    }
}
