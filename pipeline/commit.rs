//! Commits: small files that are created once and never overwritten. The highest valid number is what readers see.
//!
//! A commit of the restricted root names the load that makes up the lake and the run that is current, so that a reader sees the state
//! before or the state after, never a mixture (specification: outputs, Layout of a run).

use crate::error::{Error, Result};
use crate::root::{Lock, Root};
use crate::window::Window;
use crate::{seal, store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Folder of the commits below a root.
pub const FOLDER: &str = "_commits";

/// A manifest that a commit names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// Id of the load or run.
    pub id: String,
    /// Path of its manifest below the root.
    pub manifest: String,
    /// BLAKE3 of the manifest.
    pub blake3: String,
}

/// A release that is public no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// Its id.
    pub release_id: String,
    /// When, UTC.
    pub at: String,
    /// The reason that was given.
    pub reason: String,
}

/// The state of a root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its number; the file's name.
    pub number: u64,
    /// The load that makes up the lake.
    pub load: Option<Pointer>,
    /// The current run of each jurisdiction.
    #[serde(default)]
    pub runs: BTreeMap<String, Pointer>,
    /// The jurisdiction whose run is shown when none is named: that of the latest run.
    #[serde(default)]
    pub jurisdiction: Option<String>,
    /// Report years that were closed, those opened again too, in the order in which they were closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Releases that were withdrawn (public root only), in the order in which that was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Withdrawn>,
    /// When it was made, UTC; for people only.
    pub at: String,
    /// Tells it from any other that somebody tries to make, should the answer of a store be lost.
    #[serde(default)]
    pub token: String,
}

impl Commit {
    /// The current run of a jurisdiction; of the one shown first, if none is named.
    pub fn run(&self, jurisdiction: Option<&str>) -> Option<&Pointer> {
        self.runs.get(jurisdiction.or(self.jurisdiction.as_deref())?)
    }

    /// Every manifest that it names: of the load, of the current runs, and of those whose tables closed years keep.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        let closed = self.windows.iter().filter(|w| w.reopened.is_none()).map(|w| &w.run);
        self.load.iter().chain(self.runs.values()).chain(closed)
    }
}

/// Path of a commit below its root.
pub fn path(number: u64) -> String {
    format!("{FOLDER}/{number:08}.json")
}

/// The number of the commit that lies at a path.
pub fn number(path: &str) -> Option<u64> {
    path.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix(".json")?.parse().ok()
}

/// Numbers of the commits that are there, readable or not, the newest first.
pub fn numbers(root: &Root) -> Result<Vec<u64>> {
    root.look()?;
    files(root)
}

/// Numbers of the commits in a folder, the newest first.
pub fn files(root: &Path) -> Result<Vec<u64>> {
    let folder = root.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(e) => return Err(Error::io("read", &folder, e)),
    };
    let mut numbers: Vec<u64> = Vec::new();
    for entry in entries {
        let name = entry.map_err(|e| Error::io("read", &folder, e))?.file_name();
        numbers.extend(number(&format!("{FOLDER}/{}", name.to_string_lossy())));
    }
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    Ok(numbers)
}

/// Every commit that can be read and whose manifests are there, the newest first.
pub fn history(root: &Root) -> Result<Vec<Commit>> {
    Ok(numbers(root)?.into_iter().filter_map(|n| read(root, n).ok()).collect())
}

/// The current commit, with everything that it names; `None` before the first.
pub fn current(root: &Root) -> Result<Option<Commit>> {
    let current = history(root)?.into_iter().next();
    if let Some(commit) = &current {
        commit.pointers().try_for_each(|pointer| root.fetch(&pointer.manifest))?;
    }
    Ok(current)
}

/// Reads a commit and checks that its manifests are there, unchanged; else what is wrong with which file, relative to the root.
pub fn read(root: &Path, number: u64) -> std::result::Result<Commit, (String, String)> {
    let wrong = |what: String| (path(number), what);
    let text = fs::read(root.join(path(number))).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let commit: Commit = seal::unseal(&text).map_err(wrong)?;
    if commit.number != number {
        return Err(wrong(format!("says that it is commit {}", commit.number)));
    }
    for pointer in commit.pointers() {
        let manifest = fs::read(root.join(&pointer.manifest)).map_err(|e| (pointer.manifest.clone(), format!("cannot be read: {e}")))?;
        if blake3::hash(&manifest).to_hex().as_str() != pointer.blake3 {
            return Err((pointer.manifest.clone(), format!("is not the manifest that commit {number} names: its BLAKE3 differs")));
        }
    }
    Ok(commit)
}

/// Makes the commit that follows the one whose number it has (0: the first). Fails if another was made since, by whomever: what is committed
/// rests on what was read.
pub fn create(root: &Root, mut commit: Commit) -> Result<Commit> {
    store::create_folder(root)?;
    root.refresh()?;
    let beaten = |number| Error::Locked(format!("another run made commit {number} of {} first; start this one again", root.display()));
    let base = read(root, commit.number).ok();
    let numbers = files(root)?;
    // One that is broken counts for nobody, but its number is taken.
    if let Some(number) = numbers.iter().find(|&&n| n > commit.number && read(root, n).is_ok()) {
        return Err(beaten(*number));
    }
    let before: Vec<&Pointer> = base.iter().flat_map(Commit::pointers).collect();
    let manifests: Vec<&str> = before.iter().map(|p| p.manifest.as_str()).collect();
    commit.pointers().filter(|p| !before.contains(p)).try_for_each(|p| root.send(&p.manifest, &manifests))?;
    commit.number = numbers.first().copied().unwrap_or(0) + 1;
    commit.at = now();
    commit.token = token();
    let text = seal::seal(&commit)?;
    if root.create(&path(commit.number), &text)? { Ok(commit) } else { Err(beaten(commit.number)) }
}

/// Takes the lock of a root for as long as what is given back lives, or says who holds it.
pub fn lock(root: &Root, doing: &str) -> Result<Lock> {
    root.lock(doing)
}

/// A text that nobody else makes, on any machine: the standard library seeds its hashers from the operating system.
pub fn token() -> String {
    let random = || std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

/// The time as `2026-11-22T10:15:00Z`; only names and manifests use it, never a rule.
pub fn now() -> String {
    stamp(std::time::SystemTime::now())
}

/// A time in the form of `now`; the order of such texts is that of the times.
pub fn stamp(time: std::time::SystemTime) -> String {
    let seconds = time.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs()) as i64;
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Year, month and day of a number of days since 1970-01-01 (proleptic Gregorian).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
