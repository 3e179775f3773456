//! What may go: everything that no commit names which is kept, once it is older than the grace period.
//!
//! Commits go first, then the files that only they named, so that at every moment each commit that is there is whole. What stopped runs
//! left goes by the same rule, since no commit names it.

use crate::commit::{self, Commit, Pointer};
use crate::error::{Error, Result};
use crate::lake::{LOADS, Load};
use crate::publish::release::{EVIDENCE, Evidence, Release, withdrawn};
use crate::root::{Found, Root};
use crate::run::{RUNS, read_json};
use crate::{report, store};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folder of the lake: each of its files is kept or not by itself.
const LAKE: &str = "lake";
/// Folder of what is thrown away after a command.
const SCRATCH: &str = "scratch";

/// Folders of the restricted root.
const FOLDERS: [&str; 7] = [commit::FOLDER, LAKE, LOADS, RUNS, EVIDENCE, report::FOLDER, SCRATCH];

/// What to keep.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// States of the restricted root that are kept: the newest ones, each from the commit that made its runs current.
    pub keep: usize,
    /// What was current, or was written, after this stays.
    pub since: SystemTime,
}

/// Something that may go.
#[derive(Debug)]
pub struct Item {
    /// The root.
    pub root: Root,
    /// Where it is, for people: below which root, and the path there.
    pub name: String,
    /// Paths of its files below the root.
    pub files: Vec<String>,
    /// Their sizes together.
    pub bytes: u64,
}

/// What may go, in the order in which it must.
#[derive(Debug, Default)]
pub struct Plan {
    /// Everything, commits first.
    pub items: Vec<Item>,
    /// Releases that stay although their runs go, because what they showed is nowhere else.
    pub shown_before: usize,
}

/// Says what may go of both roots.
pub fn plan(restricted: &Root, public: &Root, options: Options) -> Result<Plan> {
    let mut plan = Plan::default();
    let history = whole_history(restricted)?;
    let Some(current) = history.first() else {
        // Nothing was ever committed: whatever is there was left by what failed.
        plan.walk(restricted, &FOLDERS, &Stay::default(), options)?;
        return Ok(plan);
    };
    let kept = kept(&history, options);
    let ids = |of: &[&Commit]| -> BTreeSet<String> {
        of.iter().flat_map(|c| c.pointers().filter(|p| Some(*p) != c.load.as_ref())).map(|p| p.id.clone()).collect()
    };
    let runs = ids(&kept);
    plan.add_commits(restricted, history.iter().filter(|c| !kept.iter().any(|k| k.number == c.number)));
    let mut stay = Stay::default();
    stay.folders.extend(runs.iter().flat_map(|id| [format!("{RUNS}/{id}"), format!("{}/{id}", report::FOLDER)]));
    for pointer in kept.iter().filter_map(|c| c.load.as_ref()) {
        stay.load(restricted, pointer)?;
    }
    let releases = if public == restricted { runs.clone() } else { plan.public(public, current, &runs, options)? };
    for id in &releases {
        // What a closed year keeps was found safe in an earlier release.
        let manifest = format!("{EVIDENCE}/{id}/manifest.json");
        restricted.fetch_manifest(&manifest)?;
        let evidence = read_json::<Evidence>(restricted, &manifest).ok();
        stay.folders.extend(evidence.iter().flat_map(|e| e.closed.values()).map(|of| format!("{EVIDENCE}/{of}")));
        stay.folders.insert(format!("{EVIDENCE}/{id}"));
    }
    stay.folders.insert(commit::FOLDER.into());
    plan.walk(restricted, &FOLDERS, &stay, options)?;
    Ok(plan)
}

/// Every commit, the newest first; one that is not whole may name what would go, so nothing goes.
fn whole_history(root: &Root) -> Result<Vec<Commit>> {
    let read = |n| {
        let told = |(path, what): (String, String)| {
            let root = root.display();
            Error::Data(format!("{path} under {root} {what}; nothing was removed: `perkins verify` tells more"))
        };
        commit::read(root, n).map_err(told)
    };
    commit::numbers(root)?.into_iter().map(read).collect()
}

/// The current commit, those that were current within the grace period, and for the newest states the commit that made each.
fn kept(history: &[Commit], options: Options) -> Vec<&Commit> {
    let since = commit::stamp(options.since);
    let mut kept = Vec::new();
    let mut states = 0;
    for (at, commit) in history.iter().enumerate() {
        let first_of_state = !commit.runs.is_empty() && history.get(at + 1).is_none_or(|older| older.runs != commit.runs);
        let in_grace = at == 0 || history[at - 1].at > since;
        if in_grace || (first_of_state && states < options.keep) {
            kept.push(commit);
        }
        states += usize::from(first_of_state);
    }
    kept
}

/// What stays below a root: whole folders, single files.
#[derive(Default)]
struct Stay {
    folders: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl Stay {
    fn load(&mut self, root: &Path, pointer: &Pointer) -> Result<()> {
        let load: Load = read_json(root, &pointer.manifest)?;
        let stored = load.files.iter().map(|f| &f.stored).chain(load.surrogates.values().map(|s| &s.stored)).chain(&load.reject);
        self.files.extend(stored.map(|s| s.path.clone()));
        self.folders.insert(format!("{LOADS}/{}", load.load_id));
        Ok(())
    }
}

impl Plan {
    /// Releases that stay: of runs that stay, current ones, those whose figures a closed year keeps, and those that showed what is shown
    /// nowhere else: what was once public is never forgotten, since later releases are protected against who remembers it. Gives those of
    /// them whose evidence stays, all but the last.
    fn public(&mut self, public: &Root, current: &Commit, runs: &BTreeSet<String>, options: Options) -> Result<BTreeSet<String>> {
        let history = whole_history(public)?;
        let withdrawn = history.first().map(withdrawn).unwrap_or_default();
        let since = commit::stamp(options.since);
        let mut releases: Vec<(Release, bool)> = Vec::new();
        for (at, commit) in history.iter().enumerate() {
            let in_grace = at == 0 || history[at - 1].at > since;
            for pointer in commit.runs.values().filter(|p| !releases.iter().any(|(r, _)| r.release_id == p.id)).collect::<Vec<_>>() {
                let release: Release = read_json(public, &pointer.manifest)?;
                let stays = in_grace || runs.contains(&release.run_id) && !withdrawn.contains(&release.release_id);
                releases.push((release, stays));
            }
        }
        for year in current.windows.iter().filter(|w| w.reopened.is_none()) {
            let has = |r: &Release| {
                !withdrawn.contains(&r.release_id) && r.jurisdiction == year.jurisdiction && r.report_years.contains(&year.report_year)
            };
            releases.iter_mut().filter(|(r, _)| has(r)).take(1).for_each(|(_, stays)| *stays = true);
        }
        let evidence: BTreeSet<String> = releases.iter().filter(|(_, stays)| *stays).map(|(r, _)| r.release_id.clone()).collect();
        let content = |r: &Release| r.files.iter().map(|f| (f.table.clone(), f.report_year, f.stored.blake3.clone())).collect::<Vec<_>>();
        let mut shown: BTreeSet<_> = releases.iter().filter(|(_, stays)| *stays).flat_map(|(r, _)| content(r)).collect();
        for (release, stays) in releases.iter_mut().filter(|(r, stays)| !*stays && !withdrawn.contains(&r.release_id)) {
            let content = content(release);
            *stays = content.iter().any(|c| !shown.contains(c));
            self.shown_before += usize::from(*stays);
            shown.extend(content);
        }
        let mut stay = Stay {
            folders: releases.iter().filter(|(_, stays)| *stays).map(|(r, _)| format!("{RUNS}/{}", r.release_id)).collect(),
            ..Stay::default()
        };
        let gone = |c: &&Commit| c.pointers().any(|p| !stay.folders.contains(&format!("{RUNS}/{}", p.id)));
        self.add_commits(public, history.iter().filter(gone));
        stay.folders.insert(commit::FOLDER.into());
        self.walk(public, &[commit::FOLDER, RUNS], &stay, options)?;
        Ok(evidence)
    }

    fn add_commits<'a>(&mut self, root: &Root, commits: impl Iterator<Item = &'a Commit>) {
        let mut files: Vec<String> = commits.map(|c| commit::path(c.number)).collect();
        // The oldest goes first.
        files.sort();
        if !files.is_empty() {
            let bytes = files.iter().filter_map(|f| root.join(f).metadata().ok()).map(|m| m.len()).sum();
            let name = format!("{}: {} commits", root.display(), files.len());
            self.items.insert(0, Item { root: root.clone(), name, files, bytes });
        }
    }

    /// Gathers the files below some folders of a root that may go. A folder of a run, a load or a release goes whole or not at all.
    fn walk(&mut self, root: &Root, folders: &[&str], stay: &Stay, options: Options) -> Result<()> {
        for name in folders {
            let mut groups: BTreeMap<String, Vec<Found>> = BTreeMap::new();
            for file in root.files_and_copies(name)?.into_iter().filter(|f| !stay.files.contains(&f.path)) {
                let flat = [LAKE, commit::FOLDER].contains(name);
                let group = if flat { name.to_string() } else { file.path.splitn(3, '/').take(2).collect::<Vec<_>>().join("/") };
                groups.entry(group).or_default().push(file);
            }
            for (group, mut files) in groups {
                let old = |written: SystemTime| written < options.since;
                // A link to an old file is as old as the file; its folder tells when it was made. A store has no links.
                let made = root.join(&group).metadata().and_then(|m| m.modified()).ok().filter(|_| !root.is_mirror());
                match *name == LAKE {
                    true => files.retain(|f| old(f.modified)),
                    false if stay.folders.contains(&group) => files.retain(|f| store::is_draft(&f.path) && old(f.modified)),
                    false if made.is_some_and(|m| !old(m)) || files.iter().any(|f| !old(f.modified)) => continue,
                    false => {}
                }
                if !files.is_empty() {
                    let bytes = files.iter().map(|f| f.bytes).sum();
                    let files = files.into_iter().map(|f| f.path).collect();
                    self.items.push(Item { root: root.clone(), name: root.shown(&root.join(&group)), files, bytes });
                }
            }
        }
        Ok(())
    }

    /// Bytes that the disk gets back: a file with several names only with the last of them. A store gets back all.
    pub fn freed(&self) -> u64 {
        let on_stores: u64 = self.items.iter().filter(|i| i.root.is_mirror()).map(|i| i.bytes).sum();
        let files = self.items.iter().filter(|i| !i.root.is_mirror()).flat_map(|i| i.files.iter().map(|f| i.root.join(f)));
        let mut names: HashMap<(u64, u64), (u64, u64)> = HashMap::new();
        for metadata in files.filter_map(|f| f.symlink_metadata().ok()) {
            let (id, links) = identity(&metadata, names.len() as u64);
            names.entry(id).or_insert((links, metadata.len())).0 -= 1;
        }
        on_stores + names.values().filter(|(left, _)| *left == 0).map(|(_, bytes)| bytes).sum::<u64>()
    }

    /// Removes everything.
    pub fn remove(&self) -> Result<()> {
        for item in &self.items {
            item.root.remove_all(&item.files)?;
            let folders: BTreeSet<PathBuf> = item.files.iter().filter_map(|f| Some(item.root.join(f).parent()?.to_path_buf())).collect();
            // What is named by a commit must not go before the commit, also if the power fails.
            folders.iter().filter(|f| f.is_dir()).try_for_each(|folder| store::sync_folder(folder))?;
            for folder in folders {
                // The first folder with something in it stays, and so do those above it.
                folder.ancestors().map_while(|f| fs::remove_dir(f).ok()).for_each(drop);
            }
        }
        Ok(())
    }
}

/// What tells a file apart from others, and how many names it has.
#[cfg(unix)]
fn identity(metadata: &Metadata, _: u64) -> ((u64, u64), u64) {
    use std::os::unix::fs::MetadataExt;
    ((metadata.dev(), metadata.ino()), metadata.nlink())
}

#[cfg(not(unix))]
fn identity(_: &Metadata, serial: u64) -> ((u64, u64), u64) {
    ((0, serial), 1)
}
