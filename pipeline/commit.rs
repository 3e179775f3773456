//! Commits: small files that are created once and never overwritten. The highest valid number is what readers see.
//!
//! A commit of the restricted root names the load that makes up the lake and the run that is current, so that a reader sees the state
//! before or the state after, never a mixture (specification: outputs, Layout of a run).

use crate::error::{Error, Result};
use crate::{seal, store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::Path;

const FOLDER: &str = "_commits";
/// The file by which one command at a time writes below a root.
pub const LOCK: &str = "_lock";

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
    /// When it was made, UTC; for people only.
    pub at: String,
}

impl Commit {
    /// The current run of a jurisdiction; of the one shown first, if none is named.
    pub fn run(&self, jurisdiction: Option<&str>) -> Option<&Pointer> {
        self.runs.get(jurisdiction.or(self.jurisdiction.as_deref())?)
    }
}

/// Path of a commit below its root.
pub fn path(number: u64) -> String {
    format!("{FOLDER}/{number:08}.json")
}

/// Numbers of the commits that are there, readable or not, the newest first.
pub fn numbers(root: &Path) -> Result<Vec<u64>> {
    let folder = root.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(e) => return Err(Error::io("read", &folder, e)),
    };
    let mut numbers: Vec<u64> = Vec::new();
    for entry in entries {
        let name = entry.map_err(|e| Error::io("read", &folder, e))?.file_name();
        numbers.extend(name.to_string_lossy().strip_suffix(".json").and_then(|n| n.parse::<u64>().ok()));
    }
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    Ok(numbers)
}

/// Every commit that can be read and whose manifests are there, the newest first.
pub fn history(root: &Path) -> Result<Vec<Commit>> {
    Ok(numbers(root)?.into_iter().filter_map(|n| read(root, n).ok()).collect())
}

/// The current commit; `None` before the first.
pub fn current(root: &Path) -> Result<Option<Commit>> {
    Ok(history(root)?.into_iter().next())
}

/// Reads a commit and checks that its manifests are there, unchanged; else what is wrong with which file, relative to the root.
pub fn read(root: &Path, number: u64) -> std::result::Result<Commit, (String, String)> {
    let file = path(number);
    let wrong = |what: String| (file.clone(), what);
    let text = fs::read(root.join(&file)).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let commit: Commit = seal::unseal(&text).map_err(wrong)?;
    if commit.number != number {
        return Err(wrong(format!("says that it is commit {}", commit.number)));
    }
    for pointer in commit.load.iter().chain(commit.runs.values()) {
        let manifest = fs::read(root.join(&pointer.manifest)).map_err(|e| (pointer.manifest.clone(), format!("cannot be read: {e}")))?;
        if blake3::hash(&manifest).to_hex().as_str() != pointer.blake3 {
            return Err((pointer.manifest.clone(), format!("is not the manifest that commit {number} names: its BLAKE3 differs")));
        }
    }
    Ok(commit)
}

/// Makes the next commit. Fails if another process made it first.
pub fn create(root: &Path, mut commit: Commit) -> Result<Commit> {
    let folder = root.join(FOLDER);
    store::create_folder(&folder)?;
    let taken = fs::read_dir(&folder).map_err(|e| Error::io("read", &folder, e))?;
    let highest = taken.flatten().filter_map(|e| e.file_name().to_string_lossy().strip_suffix(".json")?.parse::<u64>().ok()).max();
    commit.number = highest.unwrap_or(0) + 1;
    commit.at = now();
    let target = root.join(path(commit.number));
    let text = seal::seal(&commit)?;
    let draft = store::write_whole(root, &folder.join(format!(".next-{}", std::process::id())), &text)?;
    let draft = root.join(draft.path);
    // A hard link fails when the name is taken: exactly one of several writers wins.
    let linked = fs::hard_link(&draft, &target);
    let _ = fs::remove_file(&draft);
    match linked {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::Locked(format!("another run committed {} first; start this one again", target.display())));
        }
        Err(e) => return Err(Error::io("commit", &target, e)),
    }
    store::sync_folder(&folder)?;
    Ok(commit)
}

/// The lock of a root: held while a load or run is under way, given back when dropped or when the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock of a root, or says who holds it.
pub fn lock(root: &Path, doing: &str) -> Result<Lock> {
    store::create_folder(root)?;
    let path = root.join(LOCK);
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let open = options.open(&path);
    let mut file = open.map_err(|e| Error::io("open", &path, e))?;
    if rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        return Err(Error::Locked(format!("another run is at work on {}: {}; wait until it ends", root.display(), holder.trim())));
    }
    let holder = format!("perkins {doing}, process {}, since {}\n", std::process::id(), now());
    let write = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
    write.map_err(|e| Error::io("write", &path, e))?;
    Ok(Lock { _file: file })
}

/// The time as `2026-11-22T10:15:00Z`; only names and manifests use it, never a rule.
pub fn now() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs()) as i64;
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
