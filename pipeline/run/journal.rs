//! The journal of a run: what it was asked for, and each table as soon as its files are whole. It lies in the run's folder until the run
//! has its manifest, so that a run that failed or was killed leaves a record, and the next one takes over what it had finished.

use super::Options;
use super::key::Key;
use super::manifest::{Manifest, Table};
use super::output::OutputFile;
use crate::error::{Error, Result};
use crate::publish::release::PolicyKind;
use crate::{commit, store};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Name of the journal in the run's folder.
pub const NAME: &str = "journal.ndjson";

/// What a run was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Begun {
    /// Id and folder of the run.
    pub run_id: String,
    /// The jurisdiction.
    pub jurisdiction: String,
    /// All jurisdictions that were run at once.
    pub jurisdictions: Vec<String>,
    /// Report years asked for.
    pub report_years: Vec<i32>,
    /// Output tables asked for; none: all.
    pub tables: Vec<String>,
    /// Percent by which a watched figure might move; none: any.
    #[serde(default)]
    pub max_change: Option<f64>,
    /// How it was to be published, if at all.
    #[serde(default)]
    pub publish: Option<PolicyKind>,
    /// The load that it read.
    pub load_id: String,
    /// When it began, UTC.
    pub at: String,
}

impl Begun {
    /// What one of the jurisdictions of a run is asked for.
    pub fn new(options: &Options, run_id: String, jurisdiction: &str, load_id: &str, at: &str) -> Begun {
        Begun {
            run_id,
            jurisdiction: jurisdiction.into(),
            jurisdictions: options.jurisdictions.clone(),
            report_years: options.report_years.iter().copied().collect(),
            tables: options.tables.clone(),
            max_change: options.max_change,
            publish: options.publish,
            load_id: load_id.into(),
            at: at.into(),
        }
    }
}

/// A table whose files are whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finished {
    /// Its columns.
    pub table: Table,
    /// What it depended on.
    pub key: Key,
    /// Its files, of all report years.
    pub files: Vec<OutputFile>,
}

/// Why a run was not committed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failed {
    /// The view that failed, if it was one.
    pub node: Option<String>,
    /// The message. It may tell of values, so it is read here and shown nowhere else.
    pub message: String,
    /// Seconds since it began.
    pub seconds: f64,
    /// When, UTC.
    pub at: String,
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Begun(Begun),
    Finished(Box<Finished>),
    Failed(Failed),
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    start: Instant,
}

impl Journal {
    /// Begins the journal of a run in its folder, which is made.
    pub fn begin(folder: &Path, begun: Begun) -> Result<Journal> {
        store::create_folder(folder)?;
        let journal = Journal { path: folder.join(NAME), start: Instant::now() };
        append(&journal.path, &Line::Begun(begun))?;
        store::sync_folder(folder)?;
        Ok(journal)
    }

    /// A table is whole.
    pub fn finished(&self, table: Finished) -> Result<()> {
        append(&self.path, &Line::Finished(Box::new(table)))
    }

    /// The run ends without a commit.
    pub fn failed(&self, node: Option<&str>, message: &str) -> Result<()> {
        let seconds = (self.start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        append(&self.path, &Line::Failed(Failed { node: node.map(str::to_string), message: message.into(), seconds, at: commit::now() }))
    }
}

/// Adds a line and makes sure that it lasts. It is one write, so that lines of tables that end at the same time do not mix.
fn append(path: &Path, line: &Line) -> Result<()> {
    let mut text = serde_json::to_vec(line).map_err(|e| Error::internal("a line of a journal", e))?;
    text.push(b'\n');
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_data()));
    written.map_err(|e| Error::io("write", path, e))
}

/// Says in a run's folder why it is not committed, although its tables are there.
pub fn failed(folder: &Path, seconds: f64, why: &str) -> Result<()> {
    append(&folder.join(NAME), &Line::Failed(Failed { node: None, message: why.into(), seconds, at: commit::now() }))
}

/// The run has a manifest now, and needs no journal.
pub fn end(folder: &Path) -> Result<()> {
    let path = folder.join(NAME);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &path, e)),
        _ => Ok(()),
    }
}

/// What a journal says.
#[derive(Debug, Clone)]
pub struct Record {
    /// What the run was asked for; none for one that was put together from the runs of single years.
    pub begun: Option<Begun>,
    /// What it had finished.
    pub finished: Vec<Finished>,
    /// Why it ended; none: it is under way, or was killed.
    pub failed: Option<Failed>,
}

impl Record {
    /// Reads the journal in a run's folder, if there is one. What follows a broken line was never known to be written.
    pub fn read(folder: &Path) -> Option<Record> {
        let text = std::fs::read_to_string(folder.join(NAME)).ok()?;
        let mut record = Record { begun: None, finished: vec![], failed: None };
        for line in text.lines().map_while(|line| serde_json::from_str::<Line>(line).ok()) {
            match line {
                Line::Begun(begun) => record.begun = Some(begun),
                Line::Finished(table) => record.finished.push(*table),
                Line::Failed(failed) => record.failed = Some(failed),
            }
        }
        Some(record)
    }

    /// The finished tables as the manifest of a run, for the next run to take over.
    pub fn manifest(&self) -> Option<Manifest> {
        let Begun { run_id, jurisdiction, report_years, load_id, at, .. } = self.begun.clone()?;
        let seconds = self.failed.as_ref().map_or(0.0, |f| f.seconds);
        let mut manifest = Manifest { run_id, jurisdiction, report_years, load_id, seconds, ended_at: at, ..Manifest::default() };
        for Finished { table, key, files } in self.finished.iter().cloned() {
            manifest.views.insert(table.name.clone(), key);
            manifest.tables.push(table);
            manifest.files.extend(files);
        }
        Some(manifest)
    }
}
