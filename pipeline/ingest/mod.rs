//! Ingest: raw files in, typed and checked Parquet out (collections.md, "Files" to "Checks on the way in").
//!
//! Files become UTF-8 text of records, whatever they are (`source`, `format`, `rows`; nothing larger than `limit` says). The text is read in
//! chunks by all threads (`job`, `records`, `fields`, `value`, `column`, `parse`); its text tables are brought together in an order that depends
//! on nothing but the texts (`dictionary`); each partition is sorted by key and checked (`order`, `part`, `reference`), then written (`encode`,
//! `write`). So the files are the same for any number of threads and any order of files and rows.

mod account;
pub mod aside;
pub mod column;
pub mod dictionary;
pub mod fields;
pub mod format;
pub mod intern;
pub mod job;
mod kept;
pub mod limit;
mod load;
pub mod locate;
pub mod order;
pub mod parse;
pub mod part;
mod partition;
pub mod plan;
pub mod records;
pub mod reference;
pub mod reject;
pub mod rows;
pub mod same;
pub mod source;
pub mod value;
pub mod write;

use crate::contract::Contracts;
use crate::error::Result;
use crate::intake::{Change, LoneYear};
use crate::lake::{At, Load, Removed};
use crate::mapping::Mapping;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How to ingest.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of threads.
    pub partitions: usize,
    /// The load fails if more than this share of a collection's rows, and more than ten, are rejected.
    pub max_reject_rate: f64,
    /// Bytes of a file that a thread reads at a time.
    pub chunk_bytes: usize,
    /// Bytes of the values of a collection that memory holds while it is read; more are put aside on disk. What is written is the same.
    pub room_bytes: u64,
    /// BLAKE3 of what the load is made with, beside the files: a load by another program or other contracts is another one.
    pub made_with: String,
    /// Collections and partitions of which nothing stays, whatever the load before has.
    pub emptied: BTreeSet<(String, Option<i32>)>,
    /// What was taken out, if that is what makes the load.
    pub removed: Option<Removed>,
    /// When the load before was made, UTC: its files that stay say so.
    pub previous_at: String,
    /// When it is told that rows of the load before are gone; never if not given.
    pub fewer_rows: Option<Change>,
    /// When a year without neighbours is told; never if not given.
    pub lone_year: Option<LoneYear>,
    /// Mappings of files in foreign layouts.
    pub mappings: Vec<Arc<Mapping>>,
}

impl Default for Options {
    fn default() -> Self {
        let partitions = std::thread::available_parallelism().map_or(1, usize::from);
        Options {
            partitions,
            max_reject_rate: 0.01,
            chunk_bytes: 1 << 20,
            room_bytes: limit::ROOM_BYTES,
            made_with: String::new(),
            emptied: BTreeSet::new(),
            removed: None,
            previous_at: String::new(),
            fewer_rows: None,
            lone_year: None,
            mappings: Vec::new(),
        }
    }
}

/// What an ingest made; nothing is current until the load is committed.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The new load.
    pub load: Load,
    /// Whether it says the same as the load before.
    pub unchanged: bool,
    /// The reject table.
    pub reject: PathBuf,
    /// The first rejects of each collection and rule.
    pub rejected: Vec<RejectExample>,
    /// Why it must not be committed: too many rows were rejected.
    pub failure: Option<String>,
}

/// A rejected row, for people.
#[derive(Debug, Clone)]
pub struct RejectExample {
    /// The collection.
    pub collection: String,
    /// The rule, as in the reject table.
    pub rule: &'static str,
    /// The field, if one is to blame.
    pub field: Option<String>,
    /// Where it is.
    pub at: At,
    /// The offending text; restricted.
    pub text: String,
    /// What was expected.
    pub message: String,
}

/// So many examples are kept of what a check finds.
pub const EXAMPLES: usize = 5;

/// Reads a raw folder, checks it and writes lake files and the reject table below `root`, the restricted root.
/// Collections and years that are not in the folder keep the files of the `previous` load.
pub fn ingest(raw: &Path, contracts: &Contracts, previous: Option<&Load>, root: &Path, options: &Options) -> Result<Outcome> {
    load::Ingest::new(contracts, previous, root, options).run(raw)
}

/// Runs `work` on so many threads at once, with the thread's number.
fn on_threads<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        let mut results = vec![work(0)];
        for other in others {
            // A panic of another thread goes on in this one.
            results.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}

/// Does the same with each item, on so many threads; the results come in the order of the items.
fn in_parallel<I: Send, T: Send>(threads: usize, items: Vec<I>, work: impl Fn(I) -> T + Sync) -> Vec<T> {
    let threads = threads.min(items.len()).max(1);
    let queue = Mutex::new(items.into_iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = |_| std::iter::from_fn(next).map(|(place, item)| (place, work(item))).collect::<Vec<_>>();
    let mut results: Vec<(usize, T)> = on_threads(threads, run).into_iter().flatten().collect();
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
