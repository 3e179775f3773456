//! Files on local disk that are either whole or not there: written under a temporary name, fsynced, then given their name.
//! Commits are created once and never overwritten (outputs.md, "Layout of a run").

use crate::error::{Error, Result};
use crate::root::Found;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How the names of drafts begin.
const DRAFT: &str = ".draft-";

static SERIAL: AtomicU64 = AtomicU64::new(0);

/// A file that was written whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stored {
    /// Path relative to the root it lies under, with `/`.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the content, 64 hex digits.
    pub blake3: String,
}

/// What any manifest names below its root: that of a load, a run, a release, its evidence, or reports.
#[derive(Debug, serde::Deserialize)]
pub struct Named {
    #[serde(default)]
    files: Vec<Stored>,
    #[serde(default)]
    companions: Vec<Stored>,
    #[serde(default)]
    surrogates: BTreeMap<String, Stored>,
    reject: Option<Stored>,
}

impl Named {
    /// The files that a manifest names.
    pub fn read(root: &Path, manifest: &str) -> Result<Vec<Stored>> {
        let Named { mut files, companions, surrogates, reject } = read_json(root, manifest)?;
        files.extend(companions.into_iter().chain(surrogates.into_values()).chain(reject));
        Ok(files)
    }
}

/// Reads a JSON file below a root.
pub fn read_json<T: serde::de::DeserializeOwned>(root: &Path, path: &str) -> Result<T> {
    let path = root.join(path);
    let text = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
    serde_json::from_slice(&text).map_err(|e| Error::internal(format!("{} is not what this version wrote", path.display()), e))
}

/// A file being written under a temporary name, hashed as it goes.
pub struct Draft {
    file: Option<io::BufWriter<File>>,
    temporary: PathBuf,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Draft {
    /// Starts a draft in `folder` (made if it is not there; restricted folders get mode 0700, files 0600).
    pub fn create(folder: &Path) -> Result<Draft> {
        create_folder(folder)?;
        let temporary = folder.join(format!("{DRAFT}{}-{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed)));
        let file = options().open(&temporary).map_err(|e| Error::io("create", &temporary, e))?;
        Ok(Draft { file: Some(io::BufWriter::with_capacity(1 << 18, file)), temporary, hasher: blake3::Hasher::new(), bytes: 0 })
    }

    /// Fsyncs the draft and names it `folder/<name>`, where `name` is made from the BLAKE3 hex of the content. An equal file that is there already stays.
    pub fn finish(mut self, root: &Path, name: impl FnOnce(&str) -> String) -> Result<Stored> {
        let hash = self.hasher.finalize().to_hex().to_string();
        let target = self.temporary.with_file_name(name(&hash));
        self.name(&target)?;
        Ok(Stored { path: relative(root, &target), bytes: self.bytes, blake3: hash })
    }

    /// Names the draft `target`, in the same folder, if it has this BLAKE3; else it is thrown away.
    pub fn finish_as(mut self, target: &Path, blake3: &str) -> Result<bool> {
        let is_it = self.hasher.finalize().to_hex().as_str() == blake3;
        if is_it {
            self.name(target)?;
        }
        Ok(is_it)
    }

    /// Names the draft `target`, in the same folder, unless there is such a file: of several that try, one is told `true`.
    pub fn finish_new(mut self, target: &Path) -> Result<bool> {
        self.sync(target)?;
        // A hard link fails when the name is taken.
        let linked = fs::hard_link(&self.temporary, target);
        let _ = fs::remove_file(&self.temporary);
        match linked {
            Ok(()) => sync_folder_of(target).map(|()| true),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(Error::io("write", target, e)),
        }
    }

    fn name(&mut self, target: &Path) -> Result<()> {
        self.sync(target)?;
        fs::rename(&self.temporary, target).map_err(|e| Error::io("write", target, e))?;
        sync_folder_of(target)
    }

    fn sync(&mut self, target: &Path) -> Result<()> {
        let doing = |e| Error::io("write", target, e);
        let Some(mut buffered) = self.file.take() else { return Ok(()) };
        let written = buffered.flush().and_then(|()| buffered.get_ref().sync_all());
        if written.is_err() {
            let _ = fs::remove_file(&self.temporary);
        }
        written.map_err(doing)
    }
}

impl Write for Draft {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let file = self.file.as_mut().ok_or_else(|| io::Error::other("draft is finished"))?;
        file.write_all(buffer)?;
        self.hasher.update(buffer);
        self.bytes += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a folder and its parents, readable by their owner only; their names last, like those of files.
pub fn create_folder(folder: &Path) -> Result<()> {
    make_folder(folder, folder)
}

/// Makes a folder on the way to the one that was asked for.
fn make_folder(folder: &Path, asked: &Path) -> Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    folder.parent().map_or(Ok(()), |parent| make_folder(parent, asked))?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists || !folder.is_dir() => Err(Error::io("create folder", asked, e)),
        _ => sync_folder_of(folder),
    }
}

/// Fsyncs a folder, so that the names in it last.
pub fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io("sync folder", folder, e))
}

/// Fsyncs the folder that a file or folder lies in.
fn sync_folder_of(path: &Path) -> Result<()> {
    sync_folder(path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Removes a file, which may be gone already.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, e)),
        _ => Ok(()),
    }
}

/// The files below a folder of a root, which may not be there.
pub fn files(root: &Path, folder: &str) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let failed = |e| Error::io("read", &folder, e);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(failed(e)),
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let metadata = entry.metadata().map_err(failed)?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                let (path, modified) = (relative(root, &entry.path()), metadata.modified().map_err(failed)?);
                found.push(Found { path, bytes: metadata.len(), modified });
            }
        }
    }
    Ok(found)
}

/// What a killed command was writing: readers look at no name that begins with a dot.
pub fn is_draft(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(DRAFT))
}

/// Removes drafts below a folder that a killed process left; who calls this holds the lock, so no other one is at work there.
pub fn remove_drafts(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            remove_drafts(&path)?;
        } else if entry.file_name().to_string_lossy().starts_with(DRAFT) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Writes a small file whole: draft, fsync, rename.
pub fn write_whole(root: &Path, path: &Path, content: &[u8]) -> Result<Stored> {
    let folder = path.parent().ok_or_else(|| Error::bug(format!("no folder in {}", path.display())))?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut draft = Draft::create(folder)?;
    draft.write_all(content).map_err(|e| Error::io("write", path, e))?;
    draft.finish(root, |_| name)
}

/// `path` below `root`, with `/` between the parts.
pub fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Whether a file is there with the content that it was written with.
pub fn is_whole(root: &Path, stored: &Stored) -> bool {
    let path = root.join(&stored.path);
    if !fs::metadata(&path).is_ok_and(|m| m.len() == stored.bytes) {
        return false;
    }
    let mut hasher = blake3::Hasher::new();
    let read = File::open(&path).and_then(|file| hasher.update_reader(file).map(|_| ()));
    read.is_ok() && hasher.finalize().to_hex().as_str() == stored.blake3
}

/// Gives a file that is there another name under the same root, without a copy where the disk can do that. The content never changes.
pub fn link(root: &Path, from: &Stored, to: &Path) -> Result<Stored> {
    let folder = to.parent().ok_or_else(|| Error::bug(format!("no folder in {}", to.display())))?;
    create_folder(folder)?;
    let source = root.join(&from.path);
    if fs::hard_link(&source, to).is_err() {
        let mut draft = Draft::create(folder)?;
        let mut file = File::open(&source).map_err(|e| Error::io("read", &source, e))?;
        io::copy(&mut file, &mut draft).map_err(|e| Error::io("write", to, e))?;
        let name = to.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        return draft.finish(root, |_| name);
    }
    sync_folder_of(to)?;
    Ok(Stored { path: relative(root, to), ..from.clone() })
}
