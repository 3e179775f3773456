//! The manifest of a run: what it was made from, what it wrote, and what was decided.

use super::Prepared;
use super::key::Key;
use super::output::OutputFile;
use super::stage::Timings;
use crate::error::{Error, Result};
use crate::jurisdiction::Value;
use crate::lake::Load;
use crate::store::{self, Stored};
use crate::window::Kept;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// What a run was made from and what it wrote.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Id and folder of the run.
    pub run_id: String,
    /// Version of the program.
    pub program_version: String,
    /// The jurisdiction.
    pub jurisdiction: String,
    /// Report years asked for.
    pub report_years: Vec<i32>,
    /// Report years computed, with the earlier ones that outputs compare with.
    pub computed_years: Vec<i32>,
    /// The load that it read.
    pub load_id: String,
    /// Hash of each lake file that it could read, by path.
    pub inputs: BTreeMap<String, String>,
    /// Collections that were not handed over and come from a shipped default.
    pub defaults: BTreeMap<String, String>,
    /// Rule values in force, with their authorities.
    pub rules: BTreeMap<String, Vec<Value>>,
    /// BLAKE3 of each view's SQL, by path.
    pub sql: BTreeMap<String, String>,
    /// BLAKE3 of each file of the overlay folders, by path.
    #[serde(default)]
    pub overlays: BTreeMap<String, String>,
    /// What each view depended on, for the next run.
    #[serde(default)]
    pub views: BTreeMap<String, Key>,
    /// Tables: columns with types, key, description.
    pub tables: Vec<Table>,
    /// The files written.
    pub files: Vec<OutputFile>,
    /// Closed report years, whose files are those of another run, and what would have changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<i32, Kept>,
    /// Files beside the tables that show how to read them.
    pub companions: Vec<Stored>,
    /// Seconds spent on each view, over all threads.
    pub timings: BTreeMap<String, f64>,
    /// Seconds from start to commit.
    pub seconds: f64,
    /// When it ended, UTC.
    pub ended_at: String,
}

/// A result table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Heading.
    pub title: String,
    /// What one row is.
    pub description: String,
    /// Columns that together occur once; empty where only the order tells rows apart.
    pub key: Vec<String>,
    /// Columns in order.
    pub columns: Vec<Column>,
}

impl Table {
    /// Whether it has the columns of another, in the same order.
    pub fn same_columns(&self, other: &Table) -> bool {
        let names = |t: &Table| t.columns.iter().map(|c| (c.name.clone(), c.kind.clone())).collect::<Vec<_>>();
        names(self) == names(other)
    }
}

/// A column of a result table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Arrow type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it means.
    pub description: String,
}

impl Manifest {
    /// Gathers the manifest of a run whose tables were written.
    pub fn new(
        run_id: String,
        prepared: &Prepared,
        load: &Load,
        mut files: Vec<OutputFile>,
        mut tables: Vec<Table>,
        (views, timings): (BTreeMap<String, Key>, Timings),
        took: Duration,
    ) -> Result<Manifest> {
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        files.sort_by(|a, b| (&a.table, a.report_year).cmp(&(&b.table, b.report_year)));
        let needed = prepared.catalog.in_order(&prepared.outputs.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(Manifest {
            run_id,
            program_version: crate::VERSION.into(),
            jurisdiction: prepared.jurisdiction.id.clone(),
            report_years: prepared.years.requested.iter().copied().collect(),
            computed_years: prepared.years.all(),
            load_id: load.load_id.clone(),
            inputs: load.files.iter().map(|f| (f.stored.path.clone(), f.stored.blake3.clone())).collect(),
            defaults: prepared.registered.defaults.clone(),
            rules: prepared.jurisdiction.in_force(&prepared.years.all())?,
            sql: needed.iter().map(|v| (v.path.clone(), blake3::hash(v.sql.as_bytes()).to_hex().to_string())).collect(),
            overlays: prepared.overlays.clone(),
            views,
            tables,
            files,
            kept: BTreeMap::new(),
            companions: vec![],
            timings: timings.into_iter().map(|(k, v)| (k, (v * 1000.0).round() / 1000.0)).collect(),
            seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
            ended_at: crate::commit::now(),
        })
    }

    /// Writes `manifest.json` into the run's folder.
    pub fn write(&self, root: &Path, folder: &Path) -> Result<Stored> {
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::internal("the manifest as JSON", e))?;
        store::write_whole(root, &folder.join("manifest.json"), &text)
    }

    /// Paths of the files of a table, below the root.
    pub fn files_of(&self, table: &str) -> Vec<&str> {
        self.files.iter().filter(|f| f.table == table).map(|f| f.stored.path.as_str()).collect()
    }
}
