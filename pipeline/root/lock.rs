//! The lock of a root: one writer at a time, so that nobody computes for nothing. Commits do not depend on it: they are made once or not at all.

use super::Root;
use super::lease::Lease;
use crate::commit;
use crate::error::{Error, Result};
use crate::store;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Name of the lock below a root: a file that the operating system locks, and an object of a store.
pub const LOCK: &str = "_lock";

/// The file by which one command at a time writes into a mirror.
pub const MIRROR: &str = "_mirror";

/// How soon who waits looks again, at a file and at an object.
const LOOK: Duration = Duration::from_millis(200);
const LOOK_AT_STORE: Duration = Duration::from_secs(2);

/// Held while a load or run is under way, given back when dropped or when the process ends.
#[derive(Debug)]
pub struct Lock {
    // Given back first.
    _lease: Option<Lease>,
    _file: Locked,
}

/// The locked file.
#[derive(Debug)]
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // To close it is not enough: a process that another thread is starting in this moment has it open too.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

impl Lock {
    /// Takes the lock of a root, waiting as long as the root says; then it is seen as it is now.
    pub(super) fn take(root: &Root, doing: &str) -> Result<Lock> {
        store::create_folder(root)?;
        let until = Instant::now() + root.wait;
        let holder = format!("perkins {doing}, process {} on {}, since {}", std::process::id(), host(), commit::now());
        let mut patience = Patience { root, until, told: false };
        let file = loop {
            match lock_file(root, &holder)? {
                Ok(file) => break file,
                Err(other) => patience.wait(&other, LOOK)?,
            }
        };
        let Some(remote) = &root.remote else { return Ok(Lock { _lease: None, _file: file }) };
        let mirror = identity(root)?;
        let lease = loop {
            match Lease::take(remote, &holder, &mirror)? {
                Ok(lease) => break lease,
                Err(other) => patience.wait(&other, LOOK_AT_STORE)?,
            }
        };
        root.refresh()?;
        Ok(Lock { _lease: Some(lease), _file: file })
    }
}

/// How long to wait for another.
struct Patience<'a> {
    root: &'a Root,
    until: Instant,
    told: bool,
}

impl Patience<'_> {
    /// Waits a moment for who holds the lock, or says who that is.
    fn wait(&mut self, holder: &str, look: Duration) -> Result<()> {
        let root = self.root.display();
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Locked(format!(
                "another run is at work on {root}: {holder}; wait until it ends, or start with --wait SECONDS"
            )));
        }
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!("waiting for another run on {root}: {holder}");
        }
        std::thread::sleep(look.min(left));
        Ok(())
    }
}

/// The locked file, or what its holder wrote into it.
fn lock_file(root: &Path, holder: &str) -> Result<std::result::Result<Locked, String>> {
    let path = root.join(LOCK);
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(|e| Error::io("open", &path, e))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut other = String::new();
        let _ = file.read_to_string(&mut other);
        return Ok(Err(other.trim().to_string()));
    }
    let mut file = Locked(file);
    let write = file.0.set_len(0).and_then(|()| file.0.rewind()).and_then(|()| file.0.write_all(format!("{holder}\n").as_bytes()));
    write.map_err(|e| Error::io("write", &path, e))?;
    Ok(Ok(file))
}

/// A name that no other mirror has. Who holds the lock of the mirror's file knows that a lease of this name is nobody's any more.
fn identity(mirror: &Path) -> Result<String> {
    let path = mirror.join(MIRROR);
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.is_empty() => Ok(name),
        _ => {
            let name = commit::token();
            store::write_whole(mirror, &path, name.as_bytes())?;
            Ok(name)
        }
    }
}

fn host() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|h| h.trim().to_string());
    named.or_else(|| std::env::var("HOSTNAME").ok()).filter(|h| !h.is_empty()).unwrap_or_else(|| "an unnamed machine".into())
}
