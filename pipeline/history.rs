//! The runs below a root: those that are or were current, and those that never were, because they failed, were refused or are under way.

use crate::commit::{self, Commit, Pointer};
use crate::error::{Error, Result};
use crate::lake::{LOADS, Load};
use crate::root::Root;
use crate::run::journal::Record;
use crate::run::manifest::Manifest;
use crate::run::{RUNS, read_json};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The current run of its jurisdiction.
    Current,
    /// It was current once.
    Former,
    /// It has all its tables, but was never current: a figure moved too far, or the program was stopped before the commit.
    NotCommitted,
    /// It failed.
    Failed,
    /// It is under way, or the program was stopped.
    Unfinished,
}

impl Outcome {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Outcome::Current => "current",
            Outcome::Former => "former",
            Outcome::NotCommitted => "not committed",
            Outcome::Failed => "failed",
            Outcome::Unfinished => "unfinished",
        }
    }
}

/// A run.
#[derive(Debug)]
pub struct Run {
    /// Its id and folder.
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// When it became current.
    pub committed_at: Option<String>,
    /// Its manifest; of one that did not get so far, what it had finished.
    pub manifest: Manifest,
    /// Its journal, if it was not committed.
    pub journal: Option<Record>,
}

/// Every run, the newest first.
pub fn runs(root: &Root) -> Result<Vec<Run>> {
    let history = commit::history(root)?;
    let current: BTreeSet<&str> = history.first().into_iter().flat_map(|c| c.runs.values()).map(|p| p.id.as_str()).collect();
    let made = made_current(&history);
    let mut runs = Vec::new();
    for id in folders(root, RUNS)? {
        let committed = made.get(id.as_str());
        let outcome = match committed {
            Some(_) if current.contains(id.as_str()) => Some(Outcome::Current),
            Some(_) => Some(Outcome::Former),
            None => None,
        };
        let Some((manifest, journal, left)) = read(root, &id) else { continue };
        let committed_at = committed.map(|c| c.at.clone());
        runs.push(Run { outcome: outcome.unwrap_or(left), committed_at, manifest, journal, id });
    }
    // Ids begin with the second in which the run began; of two in one second, the folder tells which was written later.
    let written = |id: &str| std::fs::metadata(root.join(RUNS).join(id)).and_then(|m| m.modified()).ok();
    runs.sort_by_cached_key(|r| std::cmp::Reverse((second(&r.id).to_string(), written(&r.id), r.id.clone())));
    Ok(runs)
}

/// A load.
#[derive(Debug)]
pub struct PastLoad {
    /// Its manifest.
    pub load: Load,
    /// What became of it: one that is not committed failed.
    pub outcome: Outcome,
    /// When it was made current, or when it failed, UTC.
    pub at: String,
}

/// When a load was made current first, UTC.
pub fn loaded_at(root: &Root, load: &Pointer) -> Result<String> {
    let history = commit::history(root)?;
    Ok(history.iter().rfind(|c| c.load.as_ref() == Some(load)).map(|c| c.at.clone()).unwrap_or_default())
}

/// Every load that was made current, each time, and those that failed, the newest first.
pub fn loads(root: &Root) -> Result<Vec<PastLoad>> {
    let history = commit::history(root)?;
    let read = |id: &str| read_json::<Load>(root, &format!("{LOADS}/{id}/manifest.json")).ok();
    let mut loads = Vec::new();
    let (mut current, mut committed) = (None, BTreeSet::new());
    for commit in history.iter().rev() {
        let Some(pointer) = commit.load.as_ref().filter(|p| current != Some(*p)) else { continue };
        current = Some(pointer);
        committed.insert(pointer.id.as_str());
        loads.extend(read(&pointer.id).map(|load| PastLoad { load, outcome: Outcome::Former, at: commit.at.clone() }));
    }
    loads.last_mut().into_iter().for_each(|last| last.outcome = Outcome::Current);
    for id in folders(root, LOADS)?.into_iter().filter(|id| !committed.contains(id.as_str())) {
        let Some(load) = read(&id) else { continue };
        let outcome = if load.failed.is_some() { Outcome::Failed } else { Outcome::NotCommitted };
        let written = std::fs::metadata(root.join(LOADS).join(&id).join("manifest.json")).and_then(|m| m.modified());
        loads.push(PastLoad { load, outcome, at: written.map(commit::stamp).unwrap_or_default() });
    }
    // Of one second, what failed was later than what it did not replace.
    loads.sort_by(|a, b| a.at.cmp(&b.at));
    loads.reverse();
    Ok(loads)
}

/// That there is no run at all, as an error.
pub fn no_runs(root: &Root) -> Error {
    Error::NoLake(format!("there is no run under {} yet; start `perkins run`, or name another folder with --restricted", root.display()))
}

/// For each run that was ever current, the oldest commit that tells so: that which made it, or one that closed a year of it.
fn made_current(history: &[Commit]) -> BTreeMap<&str, &Commit> {
    history.iter().flat_map(|c| c.pointers().map(move |p| (p.id.as_str(), c))).collect()
}

/// Names of the folders in a folder of a root, such as that of the runs.
fn folders(root: &Path, of: &str) -> Result<Vec<String>> {
    let folder = root.join(of);
    match std::fs::read_dir(&folder) {
        Ok(entries) => entries.map(|e| Ok(e?.file_name().to_string_lossy().into_owned())).collect::<std::io::Result<_>>(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
        Err(e) => Err(e),
    }
    .map_err(|e| Error::io("read", &folder, e))
}

/// What a run's folder says of it, and what it is if no commit names it; none for a folder in which there is neither manifest nor journal
/// yet.
fn read(root: &Path, id: &str) -> Option<(Manifest, Option<Record>, Outcome)> {
    let journal = Record::read(&root.join(RUNS).join(id));
    if let Ok(manifest) = read_json::<Manifest>(root, &format!("{RUNS}/{id}/manifest.json")) {
        return Some((manifest, journal, Outcome::NotCommitted));
    }
    let record = journal?;
    let outcome = if record.failed.is_some() { Outcome::Failed } else { Outcome::Unfinished };
    Some((record.manifest()?, Some(record), outcome))
}

fn second(id: &str) -> &str {
    id.split_once('-').map_or(id, |(at, _)| at)
}

/// What runs of a jurisdiction left that were not committed, since the current one or ever: their finished tables, the newest first.
pub fn left(root: &Root, jurisdiction: &str, current: Option<&str>) -> Result<Vec<Manifest>> {
    let since = current.map(second).unwrap_or_default();
    let mut ids: Vec<String> = folders(root, RUNS)?.into_iter().filter(|id| second(id) >= since && Some(id.as_str()) != current).collect();
    ids.sort_by(|a, b| b.cmp(a));
    // Most nights there is none, and the history is long.
    let history = if ids.is_empty() { vec![] } else { commit::history(root)? };
    let made = made_current(&history);
    let of = |id: &String| read(root, id).map(|(manifest, ..)| manifest).filter(|m| m.jurisdiction == jurisdiction);
    Ok(ids.iter().filter(|id| !made.contains_key(id.as_str())).filter_map(of).collect())
}

/// The run that is meant by an id, a beginning of an id that only one has, `current` or `previous`; these two of a jurisdiction.
pub fn find(root: &Root, name: &str, jurisdiction: Option<&str>) -> Result<Run> {
    let runs = runs(root)?;
    if runs.is_empty() {
        return Err(no_runs(root));
    }
    let none = |what: String| Err(Error::Config(format!("{what} under {}; `perkins status` lists the runs", root.display())));
    let found: Vec<Run> = match name {
        "current" | "previous" => {
            let commit = commit::current(root)?.unwrap_or_default();
            let Some(pointer) = commit.run(jurisdiction) else { return none("there is no current run".into()) };
            let of = runs.iter().find(|r| r.id == pointer.id).map(|r| r.manifest.jurisdiction.clone());
            let wanted = if name == "current" { Outcome::Current } else { Outcome::Former };
            let is_it = |r: &Run| Some(&r.manifest.jurisdiction) == of.as_ref() && r.outcome == wanted;
            runs.into_iter().filter(is_it).take(1).collect()
        }
        _ => {
            let whole = runs.iter().any(|r| r.id == name);
            runs.into_iter().filter(|r| if whole { r.id == name } else { r.id.starts_with(name) }).collect()
        }
    };
    let ids: Vec<String> = found.iter().map(|r| r.id.clone()).collect();
    match (found.into_iter().next(), &ids[..]) {
        (Some(run), [_]) => Ok(run),
        (Some(_), _) => none(format!("{name:?} is the beginning of {} runs ({}): give more of the id", ids.len(), ids.join(", "))),
        (None, _) => none(format!("there is no run {name:?}")),
    }
}
