//! A release: what is under the public root, and the evidence for it under the restricted one.

use crate::commit::{self, Commit};
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
    /// Every release of a jurisdiction that was ever public, the newest first.
    pub fn history(public: &Root, jurisdiction: &str) -> Result<Vec<Release>> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for commit in commit::history(public)? {
            if let Some(pointer) = commit.runs.get(jurisdiction).filter(|p| seen.insert(p.id.clone())) {
                public.fetch(&pointer.manifest)?;
                all.push(read_json(public, &pointer.manifest)?);
            }
        }
        Ok(all)
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
        let pointer = commit::Pointer { id: self.release_id.clone(), manifest: stored.path, blake3: stored.blake3 };
        next.runs.insert(self.jurisdiction.clone(), pointer);
        next.jurisdiction = Some(self.jurisdiction.clone());
        commit::create(public, next).map(drop)
    }
}
