//! Roots: where the files of the program lie. A root is a local folder, or a place on an object store with a local mirror.
//!
//! The program reads and writes the folder in both cases. On an object store the folder is a mirror: before a root is read, what others
//! committed is fetched into it, and a commit sends what it names, then makes one object that must not be there yet. The store alone says
//! which commits there are; a mirror that is lost or damaged is fetched again.

mod address;
mod lease;
mod lock;
mod remote;

pub use lock::{LOCK, Lock, MIRROR};
use object_store::ObjectStore;

use crate::error::{Error, Result};
use crate::store::{self, Draft, Named, Stored};
use address::Address;
use remote::Remote;
use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A file below a root.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its path below the root, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written: on a store, there.
    pub modified: SystemTime,
}

/// A root. It can be used like the path of its folder.
#[derive(Debug, Clone)]
pub struct Root {
    folder: PathBuf,
    remote: Option<Arc<Remote>>,
    /// How long to wait for whoever holds the lock.
    wait: Duration,
}

impl From<PathBuf> for Root {
    fn from(folder: PathBuf) -> Root {
        Root { folder, remote: None, wait: Duration::ZERO }
    }
}

impl Deref for Root {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.folder
    }
}

impl PartialEq for Root {
    fn eq(&self, other: &Root) -> bool {
        // The folder of a mirror is named after the URL.
        self.folder == other.folder
    }
}

impl Root {
    /// The root of a setting: a path, or a URL such as `s3://bucket/prefix`, whose mirror lies below the folder `cache`. `name` is the setting's.
    pub fn open(name: &str, place: &Path, cache: Option<&Path>, wait: Duration) -> Result<Root> {
        let Some(url) = place.to_str().filter(|p| p.contains("://")) else { return Ok(Root { wait, ..Root::from(place.to_path_buf()) }) };
        let address = Address::parse(name, url)?;
        let mirror = address.mirror(cache)?;
        Ok(Root { wait, ..Root::on(address.store()?, &address.url, address.prefix(), mirror)? })
    }

    /// A root below a prefix of a store; `url` is what people are told.
    pub fn on(store: Arc<dyn ObjectStore>, url: &str, prefix: &str, mirror: PathBuf) -> Result<Root> {
        Ok(Root { remote: Some(Arc::new(Remote::new(store, url, prefix)?)), ..Root::from(mirror) })
    }

    /// The root as people name it: path or URL.
    pub fn display(&self) -> String {
        self.remote.as_ref().map_or_else(|| self.folder.display().to_string(), |r| r.url.clone())
    }

    /// A path below the folder as people find it: below the folder or the URL.
    pub fn shown(&self, path: &Path) -> String {
        match &self.remote {
            Some(remote) => format!("{}/{}", remote.url, store::relative(&self.folder, path)),
            None => path.display().to_string(),
        }
    }

    /// Whether its folder is a mirror of an object store.
    pub fn is_mirror(&self) -> bool {
        self.remote.is_some()
    }

    /// Takes the lock, or says who holds it.
    pub fn lock(&self, doing: &str) -> Result<Lock> {
        Lock::take(self, doing)
    }

    /// Before the first look at the commits: fetches those that the folder lacks, with their manifests.
    pub fn look(&self) -> Result<()> {
        match &self.remote {
            Some(remote) if !remote.is_seen() => self.refresh(),
            _ => Ok(()),
        }
    }

    /// Fetches commits that others made since, with their manifests.
    pub fn refresh(&self) -> Result<()> {
        let Some(remote) = &self.remote else { return Ok(()) };
        store::create_folder(&self.folder)?;
        remote.wait(remote.refresh(&self.folder))?
    }

    /// Makes sure that the files which a manifest names are in the folder; the manifest too, if the folder lacks it and the store has it.
    pub fn fetch(&self, manifest: &str) -> Result<()> {
        let Some(remote) = self.remote.as_ref().filter(|r| !r.is_whole(manifest)) else { return Ok(()) };
        if !self.folder.join(manifest).is_file() {
            return self.fetch_changed(manifest);
        }
        let files = Named::read(&self.folder, manifest)?;
        remote.wait(remote.fetch(&self.folder, manifest, &files))?
    }

    /// Fetches a manifest as it is now, and its files: one that no commit names may have been changed, such as that of reports. Where the store
    /// has none, the folder has none afterwards.
    pub fn fetch_changed(&self, manifest: &str) -> Result<()> {
        if !self.is_mirror() {
            return Ok(());
        }
        self.fetch_manifest(manifest)?;
        if !self.folder.join(manifest).is_file() {
            return Ok(());
        }
        let files = Named::read(&self.folder, manifest)?;
        let Some(remote) = &self.remote else { return Ok(()) };
        remote.wait(remote.fetch(&self.folder, manifest, &files))?
    }

    /// Sends what a manifest names to the store, and then the manifest; the store has what the manifests `before` name.
    pub fn send(&self, manifest: &str, before: &[&str]) -> Result<()> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let files = Named::read(&self.folder, manifest)?;
        let known: Vec<Stored> = before.iter().filter_map(|m| Named::read(&self.folder, m).ok()).flatten().collect();
        remote.wait(async {
            remote.send(&self.folder, &files, &known).await?;
            remote.send_whole(&self.folder, manifest).await
        })?
    }

    /// Makes a file that must not be there yet: of several that try, on any machine, exactly one is told `true`.
    pub fn create(&self, path: &str, content: &[u8]) -> Result<bool> {
        if let Some(remote) = &self.remote
            && !remote.wait(remote.create(path, content))??
        {
            return Ok(false);
        }
        let target = self.folder.join(path);
        let folder = target.parent().ok_or_else(|| Error::bug(format!("no folder in {path}")))?;
        let mut draft = Draft::create(folder)?;
        draft.write_all(content).map_err(|e| Error::io("write", &target, e))?;
        // In a mirror it may be there already: a reader on this machine fetched it first.
        Ok(draft.finish_new(&target)? || self.remote.is_some())
    }

    /// Removes a file, which may be gone already, from the store first. A commit goes before what it names.
    pub fn remove(&self, file: &Path) -> Result<()> {
        if let Some(remote) = &self.remote {
            remote.wait(remote.remove(&store::relative(&self.folder, file)))??;
        }
        store::remove(file)
    }

    /// Removes files, some of which may be gone already, from the store first.
    pub fn remove_all(&self, paths: &[String]) -> Result<()> {
        if let Some(remote) = &self.remote {
            remote.wait(remote.remove_all(paths))??;
        }
        paths.iter().try_for_each(|path| store::remove(&self.folder.join(path)))
    }

    /// The files below a folder, which may not be there; on a store, its objects.
    pub fn files(&self, folder: &str) -> Result<Vec<Found>> {
        match &self.remote {
            Some(remote) => remote.wait(remote.objects(folder))?,
            None => store::files(&self.folder, folder),
        }
    }

    /// The same, and what only the mirror has.
    pub fn files_and_copies(&self, folder: &str) -> Result<Vec<Found>> {
        let mut found = self.files(folder)?;
        if self.is_mirror() {
            let there: BTreeSet<String> = found.iter().map(|f| f.path.clone()).collect();
            found.extend(store::files(&self.folder, folder)?.into_iter().filter(|f| !there.contains(&f.path)));
        }
        Ok(found)
    }

    /// Fetches a manifest as it is now, without its files.
    pub fn fetch_manifest(&self, manifest: &str) -> Result<()> {
        let Some(remote) = &self.remote else { return Ok(()) };
        remote.wait(remote.fetch_whole(&self.folder, manifest))?
    }

    /// Objects of the store that are not as manifests say, with what is wrong: by their sizes, or by all that is in them. `None` where the folder
    /// is all there is.
    pub fn wrong_objects(&self, files: &[&Stored], read_data: bool) -> Result<Option<Vec<(String, &'static str)>>> {
        let Some(remote) = &self.remote else { return Ok(None) };
        remote.wait(remote.wrong(files, read_data))?.map(Some)
    }
}
