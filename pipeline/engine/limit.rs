//! A limit of memory: how much of it operators may hold, how many parts run at once within it, and where they spill what does not fit.

use crate::commit;
use crate::error::{Error, Result};
use crate::root::{Lock, Root};
use crate::store;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folder below the restricted root, in which every process that has a limit has its own.
const FOLDER: &str = "_spill";

/// What one part, a shard with all its views, takes at most of a state of any size; joins can't spill, so no more parts run at once than
/// fit.
const PART: usize = 400 << 20;

/// Bytes up to which rows are put together before they are sorted, without a limit.
const SORT_AT_ONCE: usize = 256 << 20;

/// A limit of memory.
#[derive(Debug, Clone)]
pub struct Limit {
    /// Bytes.
    pub bytes: usize,
    /// The restricted root, below which rows may be spilled.
    pub root: PathBuf,
}

impl Limit {
    /// Threads that fit, of those that there are: each runs one part at a time.
    pub fn threads(&self, threads: usize) -> usize {
        threads.min(self.bytes / PART).max(1)
    }

    /// Makes operators keep to it. Rows between steps, readers, writers and the program itself are not counted by the pool: they get the
    /// rest.
    pub fn apply(&self, runtime: RuntimeEnvBuilder, spill: &Spill) -> RuntimeEnvBuilder {
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![spill.folder.clone()]));
        runtime.with_memory_pool(Arc::new(FairSpillPool::new(self.bytes / 2))).with_disk_manager_builder(disk)
    }
}

/// How sorts use memory.
#[derive(Debug, Clone, Copy)]
pub struct Sorts {
    /// Bytes up to which rows are put together before they are sorted.
    pub at_once: usize,
    /// Bytes that each sort keeps for putting together what it spilled; none: the engine's own default.
    pub kept: Option<usize>,
}

impl Sorts {
    /// Within a limit, if there is one.
    pub fn within(limit: Option<&Limit>) -> Sorts {
        limit.map_or(Sorts { at_once: SORT_AT_ONCE, kept: None }, |l| Sorts {
            at_once: SORT_AT_ONCE.min(l.bytes / 8),
            kept: Some(l.bytes / 128),
        })
    }
}

/// The folder of this process for what it spills, readable by its owner only, gone when dropped.
#[derive(Debug)]
pub struct Spill {
    folder: PathBuf,
    _lock: Lock,
}

impl Spill {
    /// Makes the folder, and clears away those of processes that were killed.
    pub fn new(root: &Path) -> Result<Spill> {
        let all = root.join(FOLDER);
        store::create_folder(&all)?;
        for left in fs::read_dir(&all).map_err(|e| Error::io("read", &all, e))?.flatten() {
            // Who is alive holds the lock of his folder.
            if commit::lock(&Root::from(left.path()), "clearing away").is_ok() {
                let _ = fs::remove_dir_all(left.path());
            }
        }
        let folder = all.join(format!("{}-{}", std::process::id(), crate::observe::uuid(&commit::now())));
        let lock = commit::lock(&Root::from(folder.clone()), "spilling")?;
        Ok(Spill { folder, _lock: lock })
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        // Only if nobody else spills.
        let _ = self.folder.parent().map(fs::remove_dir);
    }
}
