//! A release: what is under the public root, and the evidence for it under the restricted one.

use crate::commit::{self, Commit, Pointer, Withdrawn};
use crate::error::{Error, Result};
use crate::root::Root;
use crate::run::companion::{self, Content};
use crate::run::manifest::Table;
use crate::run::output::OutputFile;
use crate::run::read_json;
use crate::store::{self, Stored};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// By which policy figures are published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum PolicyKind {
    /// The jurisdiction's own rules, and everything that they leave open is closed
    #[default]
    Protected,
    /// The jurisdiction's own rules alone: small figures hidden, extreme rates as bounds; what can be subtracted is left open
    Rule,
}

impl PolicyKind {
    /// The id of the release of a run.
    pub fn release_of(self, run_id: &str) -> String {
        match self {
            PolicyKind::Protected => run_id.into(),
            PolicyKind::Rule => format!("{run_id}-rule"),
        }
    }
}

/// How many figures of a level are shown, shown as a bound, and hidden; of those hidden, how many still show their denominator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// All figures.
    pub figures: u64,
    /// With numerator, denominator and rate.
    pub shown: u64,
    /// With denominator and a bound of the rate.
    pub banded: u64,
    /// With the denominator only.
    pub denominator_only: u64,
    /// With nothing.
    pub hidden: u64,
}

/// The manifest of a release, public: it tells nothing that its tables do not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Release {
    /// Id and folder: that of the run, with the policy if it is not the default.
    pub release_id: String,
    /// The run whose figures they are.
    pub run_id: String,
    /// The jurisdiction.
    pub jurisdiction: String,
    /// The policy.
    pub policy: PolicyKind,
    /// Version of the program.
    pub program_version: String,
    /// Report years.
    pub report_years: Vec<i32>,
    /// Tables: columns with types, key, description.
    pub tables: Vec<Table>,
    /// The files.
    pub files: Vec<OutputFile>,
    /// Files that show how to read them.
    #[serde(default)]
    pub companions: Vec<Stored>,
    /// By table and level: what is shown.
    pub shown: BTreeMap<String, BTreeMap<String, Shown>>,
    /// Hidden figures that anybody can compute from what is shown; 0 under the policy `protected`.
    pub left_open: u64,
}

/// Why figures of a level are not shown (restricted).
pub type Why = BTreeMap<String, BTreeMap<String, BTreeMap<String, u64>>>;

/// The evidence of a release (restricted).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The release.
    pub release_id: String,
    /// By table, level and reason: figures.
    pub why: Why,
    /// By table: figures hidden although no rule names them, and the least that any protection could hide.
    pub further: BTreeMap<String, Further>,
    /// Closed report years, with the release whose evidence is theirs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub closed: BTreeMap<i32, String>,
    /// Tables of reasons, findings, and the certificate.
    pub files: Vec<Stored>,
}

/// Complementary suppression, beside the lower bound of what is needed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Further {
    /// Denominators hidden although no rule names them.
    pub denominators: u64,
    /// No protection can hide fewer.
    pub denominators_at_least: u64,
    /// Numerators hidden, with their denominators shown, although no rule names them.
    pub numerators: u64,
    /// No protection can hide fewer.
    pub numerators_at_least: u64,
}

/// Folder of the evidence below the restricted root.
pub const EVIDENCE: &str = "releases";

impl Release {
    /// Every release of a jurisdiction that was ever public and was not withdrawn, the newest first.
    pub fn history(public: &Root, jurisdiction: &str) -> Result<Vec<Release>> {
        let history = commit::history(public)?;
        let mut seen: BTreeSet<String> = history.first().map(withdrawn).unwrap_or_default();
        let mut all = Vec::new();
        for commit in history {
            if let Some(pointer) = commit.runs.get(jurisdiction).filter(|p| seen.insert(p.id.clone())) {
                public.fetch(&pointer.manifest)?;
                all.push(read_json(public, &pointer.manifest)?);
            }
        }
        Ok(all)
    }

    /// Withdraws a release, the current one if none is named: it is not current any more, and later ones are not measured against it. What was
    /// current before it becomes so again. Gives the release, and the one that is current now.
    pub fn withdraw(public: &Root, jurisdiction: &str, id: Option<&str>, reason: &str) -> Result<(Release, Option<Release>)> {
        if reason.trim().is_empty() {
            return Err(Error::Config("--reason must say why the release is withdrawn; it is public, as the release was".into()));
        }
        let history = Release::history(public, jurisdiction)?;
        let mut commit = commit::current(public)?.unwrap_or_default();
        let at = commit.runs.get(jurisdiction).map(|p| p.id.clone());
        let Some(wanted) = id.map(str::to_string).or(at) else {
            return Err(Error::NoLake(format!("nothing of {jurisdiction} is public under {}", public.display())));
        };
        let Some(release) = history.iter().find(|r| r.release_id == wanted).cloned() else {
            let ids: Vec<&str> = history.iter().map(|r| r.release_id.as_str()).collect();
            let ids = if ids.is_empty() { "there is none".into() } else { format!("there are: {}", ids.join(", ")) };
            return Err(Error::Config(format!(
                "{wanted} is no release of {jurisdiction} that is public, or it was withdrawn already; {ids}"
            )));
        };
        if commit.runs.get(jurisdiction).is_some_and(|p| p.id == wanted) {
            let before = history.iter().find(|r| r.release_id != wanted).map(|r| r.pointer(public)).transpose()?;
            commit.runs.remove(jurisdiction);
            commit.runs.extend(before.map(|p| (jurisdiction.to_string(), p)));
            commit.jurisdiction = commit.runs.keys().next().cloned();
        }
        commit.withdrawn.push(Withdrawn { release_id: wanted, at: commit::now(), reason: reason.trim().into() });
        commit::create(public, commit)?;
        Ok((release, Release::current(public, Some(jurisdiction))?))
    }

    /// The pointer of a release that is public.
    fn pointer(&self, public: &Root) -> Result<Pointer> {
        let manifest = format!("runs/{}/manifest.json", self.release_id);
        let content = std::fs::read(public.join(&manifest)).map_err(|e| Error::io("read", &public.join(&manifest), e))?;
        Ok(Pointer { id: self.release_id.clone(), manifest, blake3: blake3::hash(&content).to_hex().to_string() })
    }

    /// The current release of a jurisdiction; of the latest, if none is named.
    pub fn current(public: &Root, jurisdiction: Option<&str>) -> Result<Option<Release>> {
        let commit = commit::current(public)?.unwrap_or_default();
        commit.run(jurisdiction).map(|p| read_json(public, &p.manifest)).transpose()
    }

    /// Writes the files that show how to read it and the manifest, and makes the release current, in place of what the commit `before` names.
    pub fn commit(&mut self, public: &Root, before: Commit) -> Result<()> {
        let folder = public.join("runs").join(&self.release_id);
        let Release { release_id, jurisdiction, report_years, tables, files, .. } = &*self;
        self.companions = companion::write(Content { id: release_id, jurisdiction, report_years, tables, files }, public, &folder)?;
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::internal("the manifest of a release", e))?;
        let stored = store::write_whole(public, &folder.join("manifest.json"), &text)?;
        let mut next = before;
        let pointer = Pointer { id: self.release_id.clone(), manifest: stored.path, blake3: stored.blake3 };
        next.runs.insert(self.jurisdiction.clone(), pointer);
        next.jurisdiction = Some(self.jurisdiction.clone());
        commit::create(public, next).map(drop)
    }
}

/// Ids of the releases that were withdrawn.
pub fn withdrawn(commit: &Commit) -> BTreeSet<String> {
    commit.withdrawn.iter().map(|w| w.release_id.clone()).collect()
}
