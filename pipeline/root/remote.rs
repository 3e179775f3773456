//! A root on an object store: what is fetched into its mirror, and sent from it.

use super::Found;
use super::address::variables;
use crate::commit::{self, Commit};
use crate::error::{Error, Result};
use crate::seal;
use crate::store::{self, Draft, Stored};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, WriteMultipart};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::future::Future;
use std::io::{Read, Write};
use std::path::{Component, Path};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Runtime;

/// Larger files go in parts of this size, both ways.
const PART: usize = 8 << 20;

/// Requests at once.
const AT_ONCE: usize = 8;

/// How often a commit is tried whose fate the store does not tell.
const TRIES: usize = 4;

/// A prefix of a store.
#[derive(Debug)]
pub struct Remote {
    /// What people are told.
    pub url: String,
    pub(super) store: Arc<dyn ObjectStore>,
    prefix: Key,
    /// Its own threads, so that it can be waited for from anywhere, and a lease is renewed while they compute.
    runtime: Option<Runtime>,
    seen: AtomicBool,
    /// Manifests whose files this process found or made whole in the mirror: they are looked at once.
    whole: Mutex<BTreeSet<String>>,
}

impl Drop for Remote {
    fn drop(&mut self) {
        // The last one may be dropped by a task, where a runtime must not be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Remote {
    pub fn new(store: Arc<dyn ObjectStore>, url: &str, prefix: &str) -> Result<Remote> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = Some(runtime.map_err(|e| Error::internal("cannot start threads", e))?);
        let prefix = Key::parse(prefix).map_err(|e| Error::Config(format!("{url}: {e}")))?;
        Ok(Remote { url: url.into(), store, prefix, runtime, seen: AtomicBool::new(false), whole: Mutex::default() })
    }

    /// Whether the commits were looked at.
    pub fn is_seen(&self) -> bool {
        self.seen.load(Ordering::Acquire)
    }

    /// Whether the files of a manifest were looked at.
    pub fn is_whole(&self, manifest: &str) -> bool {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner).contains(manifest)
    }

    pub(super) fn runtime(&self) -> Result<&Runtime> {
        self.runtime.as_ref().ok_or_else(|| Error::bug("a store after its end"))
    }

    /// Waits for work, also from a thread that must not block on its own runtime.
    pub fn wait<T: Send>(&self, work: impl Future<Output = T> + Send) -> Result<T> {
        let runtime = self.runtime()?;
        let done = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(work)).join());
        done.map_err(|_| Error::bug(format!("work on {} panicked", self.url)))
    }

    pub(super) fn key(&self, path: &str) -> Key {
        path.split('/').filter(|p| !p.is_empty()).fold(self.prefix.clone(), |key, part| key.join(part))
    }

    /// Fetches the commits that the mirror lacks, each after its manifests, and forgets those that the store does not have.
    pub async fn refresh(&self, mirror: &Path) -> Result<()> {
        // First: what another process commits meanwhile is on the store before it is in the mirror.
        let here: BTreeSet<u64> = commit::files(mirror)?.into_iter().collect();
        let listed = self.list(commit::FOLDER).await?;
        let there: BTreeMap<u64, u64> = listed.iter().filter_map(|(path, size)| Some((commit::number(path)?, *size))).collect();
        for gone in here.iter().filter(|n| !there.contains_key(n)) {
            store::remove(&mirror.join(commit::path(*gone)))?;
        }
        // A store that was made anew has the same numbers: then the newest differs, which the commits before do not tell by their sizes.
        let newest = match there.last_key_value() {
            Some((number, _)) => Some((*number, self.get(&commit::path(*number)).await?)),
            None => None,
        };
        let content = |number: u64| fs::read(mirror.join(commit::path(number))).ok();
        let anew = newest.as_ref().is_some_and(|(n, text)| content(*n).is_some_and(|c| c != text.as_deref().unwrap_or_default()));
        let mut manifests = BTreeSet::new();
        for (&number, &size) in there.iter().rev() {
            let known = content(number).filter(|c| !anew && c.len() as u64 == size && seal::unseal::<Commit>(c).is_ok());
            let text = match (known, &newest) {
                (Some(known), _) => Bytes::from(known),
                (None, Some((n, Some(text)))) if *n == number => text.clone(),
                (None, _) => self.get(&commit::path(number)).await?.unwrap_or_default(),
            };
            let commit = seal::unseal::<Commit>(&text).unwrap_or_default();
            for pointer in commit.pointers().filter(|p| manifests.insert((p.manifest.clone(), p.blake3.clone()))) {
                self.fetch_manifest(mirror, &pointer.manifest, &pointer.blake3).await?;
            }
            if content(number).is_none_or(|c| c != text) {
                store::write_whole(mirror, &mirror.join(commit::path(number)), &text)?;
            }
        }
        self.seen.store(true, Ordering::Release);
        Ok(())
    }

    /// A manifest that a commit names: if the store has not what the commit says, whoever reads the commit finds that.
    async fn fetch_manifest(&self, mirror: &Path, path: &str, blake3: &str) -> Result<()> {
        let target = mirror.join(checked(path)?);
        let is_it = |content: &[u8]| blake3::hash(content).to_hex().as_str() == blake3;
        if fs::read(&target).is_ok_and(|content| is_it(&content)) {
            return Ok(());
        }
        match self.get(path).await? {
            Some(content) if is_it(&content) => store::write_whole(mirror, &target, &content).map(drop),
            _ => Ok(()),
        }
    }

    /// Fetches the files of a manifest that the mirror lacks or that are damaged there.
    pub async fn fetch(&self, mirror: &Path, manifest: &str, files: &[Stored]) -> Result<()> {
        files.iter().try_for_each(|f| checked(&f.path).map(drop))?;
        let lacking = files.iter().filter(|f| !store::is_whole(mirror, f));
        all(lacking.map(|file| self.download(mirror, manifest, file).boxed()).collect()).await?;
        self.whole.lock().unwrap_or_else(PoisonError::into_inner).insert(manifest.into());
        Ok(())
    }

    async fn download(&self, mirror: &Path, manifest: &str, file: &Stored) -> Result<()> {
        let target = mirror.join(&file.path);
        let mut draft = Draft::create(target.parent().unwrap_or(mirror))?;
        let read = self.read(file, &mut |part| draft.write_all(part).map_err(|e| Error::io("write", &target, e))).await?;
        let wrong = match read {
            None if draft.finish_as(&target, &file.blake3)? => return Ok(()),
            wrong => wrong.unwrap_or("was changed in the mirror while it was fetched"),
        };
        let advice = "restore it from a copy, or start again what made it";
        Err(Error::Data(format!("{}/{}, which {manifest} names, {wrong}; {advice}", self.url, file.path)))
    }

    /// Reads an object in parts; gives what is wrong with it, if it is not as its manifest says.
    async fn read(&self, file: &Stored, each: &mut (dyn FnMut(&[u8]) -> Result<()> + Send)) -> Result<Option<&'static str>> {
        let (key, mut at, mut hasher) = (self.key(&file.path), 0, blake3::Hasher::new());
        while at < file.bytes {
            let end = file.bytes.min(at + PART as u64);
            let part = match self.store.get_range(&key, at..end).await {
                Ok(part) => part,
                Err(StoreError::NotFound { .. }) => return Ok(Some("is missing on the store")),
                Err(e) => return Err(self.failed("read", &file.path, e)),
            };
            if part.len() as u64 != end - at {
                return Ok(Some("is too short on the store"));
            }
            hasher.update(&part);
            each(&part)?;
            at = end;
        }
        Ok((hasher.finalize().to_hex().as_str() != file.blake3).then_some("has another BLAKE3 on the store"))
    }

    /// Objects that are not as manifests say, by path: by their sizes, or by all that is in them.
    pub async fn wrong(&self, files: &[&Stored], read_data: bool) -> Result<Vec<(String, &'static str)>> {
        let sizes = self.list("").await?;
        let mut wrong = Vec::new();
        for file in files {
            let found = match sizes.get(&file.path) {
                None => Some("is missing on the store"),
                Some(size) if *size != file.bytes => Some("has another size on the store"),
                Some(_) if read_data => self.read(file, &mut |_| Ok(())).await?,
                Some(_) => None,
            };
            wrong.extend(found.map(|what| (file.path.clone(), what)));
        }
        Ok(wrong)
    }

    /// Copies an object into the mirror as it is now; where there is none, the mirror has none either.
    pub async fn fetch_whole(&self, mirror: &Path, path: &str) -> Result<()> {
        let target = mirror.join(checked(path)?);
        match self.get(path).await? {
            Some(content) => store::write_whole(mirror, &target, &content).map(drop),
            None => store::remove(&target),
        }
    }

    /// Sends files, except those that the store has; what it has under another name, it copies itself.
    pub async fn send<'a>(&'a self, mirror: &'a Path, files: &'a [Stored], known: &'a [Stored]) -> Result<()> {
        let by_content: BTreeMap<&str, &Stored> = known.iter().map(|f| (f.blake3.as_str(), f)).collect();
        let known: BTreeSet<(&str, &str)> = known.iter().map(|f| (f.path.as_str(), f.blake3.as_str())).collect();
        let lacking = files.iter().filter(|f| !known.contains(&(f.path.as_str(), f.blake3.as_str())));
        let send = |file: &'a Stored| match by_content.get(file.blake3.as_str()) {
            Some(same) => self.copy(&same.path, &file.path).boxed(),
            None => self.upload(mirror, file).boxed(),
        };
        all(lacking.map(send).collect()).await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<()> {
        self.store.copy(&self.key(from), &self.key(to)).await.map_err(|e| self.failed("write", to, e))
    }

    async fn upload(&self, mirror: &Path, file: &Stored) -> Result<()> {
        let failed = |e| self.failed("write", &file.path, e);
        if file.bytes <= PART as u64 {
            return self.send_whole(mirror, &file.path).await;
        }
        let (source, key) = (mirror.join(&file.path), self.key(&file.path));
        let mut from = File::open(&source).map_err(|e| Error::io("read", &source, e))?;
        let mut upload = WriteMultipart::new_with_chunk_size(self.store.put_multipart(&key).await.map_err(failed)?, PART);
        let mut part = vec![0; PART];
        let sent = loop {
            match from.read(&mut part) {
                Ok(0) => break upload.finish().await.map(drop).map_err(failed),
                Ok(n) => upload.write(&part[..n]),
                Err(e) => break upload.abort().await.map_err(failed).and(Err(Error::io("read", &source, e))),
            }
            if let Err(e) = upload.wait_for_capacity(AT_ONCE).await {
                // The parts that came are of no use; that they cannot be taken back changes nothing.
                let _ = upload.abort().await;
                break Err(failed(e));
            }
        };
        sent?;
        let size = self.store.head(&key).await.map_err(failed)?.size;
        let short =
            || Error::bug(format!("{}/{} came to the store with {size} bytes, not {}; start again", self.url, file.path, file.bytes));
        if size == file.bytes { Ok(()) } else { Err(short()) }
    }

    /// Sends a small file of the mirror as it is now.
    pub async fn send_whole(&self, mirror: &Path, path: &str) -> Result<()> {
        let source = mirror.join(path);
        let content = fs::read(&source).map_err(|e| Error::io("read", &source, e))?;
        self.store.put(&self.key(path), content.into()).await.map(drop).map_err(|e| self.failed("write", path, e))
    }

    /// Removes objects, some of which may be gone already.
    pub async fn remove_all(&self, paths: &[String]) -> Result<()> {
        all(paths.iter().map(|path| self.remove(path).boxed()).collect()).await
    }

    /// Removes an object, which may be gone already.
    pub async fn remove(&self, path: &str) -> Result<()> {
        match self.store.delete(&self.key(path)).await {
            Err(e) if !matches!(e, StoreError::NotFound { .. }) => Err(self.failed("remove", path, e)),
            _ => Ok(()),
        }
    }

    /// Makes an object that must not be there. If the store does not tell whether it did, the object itself tells.
    pub async fn create(&self, path: &str, content: &[u8]) -> Result<bool> {
        let key = self.key(path);
        for tries in 1.. {
            let Err(e) = self.store.put_opts(&key, Bytes::copy_from_slice(content).into(), PutMode::Create.into()).await else {
                return Ok(true);
            };
            match self.store.get(&key).await {
                Ok(there) => match there.bytes().await {
                    Ok(there) => return Ok(there == content),
                    Err(_) if tries < TRIES => continue,
                    Err(e) => return Err(self.failed("read", path, e)),
                },
                Err(read) if tries >= TRIES => {
                    let cause = if matches!(read, StoreError::NotFound { .. }) { e } else { read };
                    return Err(self.failed("commit", path, cause));
                }
                Err(_) if matches!(e, StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }) => {
                    return Err(self.failed("commit", path, e));
                }
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(200 * tries as u64)).await,
            }
        }
        Ok(false)
    }

    /// A small object; `None` if it is not there.
    pub async fn get(&self, path: &str) -> Result<Option<Bytes>> {
        let got = match self.store.get(&self.key(path)).await {
            Ok(got) => got.bytes().await,
            Err(e) => Err(e),
        };
        match got {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(e) => Err(self.failed("read", path, e)),
        }
    }

    /// Objects below a folder, by path below the root, with their sizes.
    pub async fn list(&self, folder: &str) -> Result<BTreeMap<String, u64>> {
        Ok(self.objects(folder).await?.into_iter().map(|o| (o.path, o.bytes)).collect())
    }

    /// Objects below a folder.
    pub async fn objects(&self, folder: &str) -> Result<Vec<Found>> {
        let found: Vec<_> = self.store.list(Some(&self.key(folder))).try_collect().await.map_err(|e| self.failed("list", folder, e))?;
        let below =
            |key: &Key| key.prefix_match(&self.prefix).map(|parts| parts.map(|p| p.as_ref().to_string()).collect::<Vec<_>>().join("/"));
        Ok(found
            .into_iter()
            .filter_map(|o| Some(Found { path: below(&o.location)?, bytes: o.size, modified: o.last_modified.into() }))
            .collect())
    }

    /// What failed and what to do, without anything that a credential could be in.
    pub fn failed(&self, doing: &str, path: &str, e: StoreError) -> Error {
        let (what, look) = (format!("cannot {doing} {}/{path}", self.url), format!("look at the variables {}", variables(&self.url)));
        let cause = told(&e);
        // A list tells the answer in its cause only.
        let answered = |codes: &[&str]| codes.iter().any(|code| cause.contains(&format!("status code: {code}")));
        match e {
            StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => self.refused(&what),
            StoreError::NotImplemented { .. } | StoreError::NotSupported { .. } => {
                Error::Config(format!("{what}: the store must be able to make an object only if it is not there ({cause})"))
            }
            _ if answered(&["401", "403"]) => self.refused(&what),
            _ if matches!(e, StoreError::NotFound { .. }) || answered(&["404"]) => {
                Error::Config(format!("{what}: there is no such bucket or container; make it, or correct the URL ({look})"))
            }
            _ if ["credential", "metadata", "169.254.169.254"].iter().any(|w| cause.to_lowercase().contains(w)) => {
                Error::Config(format!("{what}: there are no credentials for it; {look}"))
            }
            _ => Error::internal(format!("{what}; if the store can be reached, start again"), cause),
        }
    }

    fn refused(&self, what: &str) -> Error {
        let variables = variables(&self.url);
        Error::Config(format!("{what}: the store refuses the credentials, or they do not allow it; look at the variables {variables}"))
    }
}

/// Does all of it, some at once.
async fn all(work: Vec<BoxFuture<'_, Result<()>>>) -> Result<()> {
    stream::iter(work).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
}

/// An error of a store with its causes, without what comes after a question mark in URLs: a signature may be there.
fn told(e: &StoreError) -> String {
    let mut text = e.to_string();
    let mut cause = std::error::Error::source(e);
    while let Some(e) = cause {
        if !text.contains(&e.to_string()) {
            text += &format!(": {e}");
        }
        cause = e.source();
    }
    let mut parts = text.split('?');
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| text + "?…" + part.trim_start_matches(|c: char| !c.is_whitespace()))
}

/// A path that a manifest of the store names: below the root, or it is refused.
fn checked(path: &str) -> Result<&str> {
    let inside = Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    if inside { Ok(path) } else { Err(Error::Data(format!("a manifest names {path:?}, which is no path below the root"))) }
}
