//! `perkins status`.

use super::{grouped, print, years};
use crate::cli::Settings;
use crate::commit::{self, Commit, Pointer};
use crate::error::{Error, Result};
use crate::lake::Load;
use crate::run::manifest::Manifest;
use crate::run::read_json;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Flags of `perkins status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Serialize)]
struct Status {
    commit: u64,
    load: Option<LoadStatus>,
    runs: Vec<RunStatus>,
}

#[derive(Serialize)]
struct LoadStatus {
    load_id: String,
    committed_at: String,
    bytes: u64,
    collections: Vec<Collection>,
}

#[derive(Serialize)]
struct Collection {
    collection: String,
    rows: u64,
    /// Rows of each school year; empty for a collection that is not divided by one.
    by_school_year: BTreeMap<i32, u64>,
}

#[derive(Serialize)]
struct RunStatus {
    run_id: String,
    current: bool,
    committed_at: String,
    jurisdiction: String,
    report_years: Vec<i32>,
    load_id: String,
    seconds: f64,
    rows: usize,
    bytes: u64,
}

/// Shows the current load and the runs.
pub fn main(args: &StatusArgs, settings: &Settings) -> Result<()> {
    let root = &settings.restricted;
    let history = commit::history(root)?;
    let Some(current) = history.first() else {
        return Err(Error::NoLake(format!(
            "nothing was loaded under {} yet; run `perkins ingest RAW_DIR` first, or name another folder with --restricted",
            root.display()
        )));
    };
    let load = current.load.as_ref().map(|p| load_status(root, p, &history)).transpose()?;
    let status = Status { commit: current.number, load, runs: runs(root, current, &history)? };
    print(&match args.format {
        Form::Text => text(&status, root),
        Form::Json => serde_json::to_string_pretty(&status).map_err(|e| Error::internal("the status as JSON", e))? + "\n",
    })
}

fn load_status(root: &Path, pointer: &Pointer, history: &[Commit]) -> Result<LoadStatus> {
    let load: Load = read_json(root, &pointer.manifest)?;
    // The oldest commit of those in a row that name the load is the one that made it current.
    let first = history.iter().take_while(|c| c.load.as_ref() == Some(pointer)).last();
    let mut collections: BTreeMap<&str, Collection> = BTreeMap::new();
    for file in &load.files {
        let new = || Collection { collection: file.collection.clone(), rows: 0, by_school_year: BTreeMap::new() };
        let collection = collections.entry(&file.collection).or_insert_with(new);
        collection.rows += file.rows;
        if let Some(year) = file.partition {
            *collection.by_school_year.entry(year).or_default() += file.rows;
        }
    }
    Ok(LoadStatus {
        load_id: pointer.id.clone(),
        committed_at: first.map(|c| c.at.clone()).unwrap_or_default(),
        bytes: load.files.iter().map(|f| f.stored.bytes).sum(),
        collections: collections.into_values().collect(),
    })
}

/// Every run that was ever current, the newest first.
fn runs(root: &Path, current: &Commit, history: &[Commit]) -> Result<Vec<RunStatus>> {
    let mut runs: Vec<RunStatus> = Vec::new();
    let mut made: Vec<(&Pointer, &str)> = Vec::new();
    for commit in history.iter().rev() {
        for pointer in commit.runs.values() {
            if !made.iter().any(|(m, _)| *m == pointer) {
                made.push((pointer, &commit.at));
            }
        }
    }
    for (pointer, at) in made.into_iter().rev() {
        let manifest: Manifest = read_json(root, &pointer.manifest)?;
        runs.push(RunStatus {
            run_id: pointer.id.clone(),
            current: current.runs.values().any(|p| p == pointer),
            committed_at: at.to_string(),
            jurisdiction: manifest.jurisdiction,
            report_years: manifest.report_years,
            load_id: manifest.load_id,
            seconds: manifest.seconds,
            rows: manifest.files.iter().map(|f| f.rows).sum(),
            bytes: manifest.files.iter().map(|f| f.stored.bytes).chain(manifest.companions.iter().map(|c| c.bytes)).sum(),
        });
    }
    Ok(runs)
}

fn text(status: &Status, root: &Path) -> String {
    let mut text = format!("{}, commit {}\n\n", root.display(), status.commit);
    match &status.load {
        Some(load) => text += &load_text(load),
        None => text += "no load\n",
    }
    if status.runs.is_empty() {
        return text + "\nno run yet; start `perkins run`\n";
    }
    let width = status.runs.iter().map(|r| r.run_id.len()).max().unwrap_or(0);
    let years_width = status.runs.iter().map(|r| years(&r.report_years).len()).max().unwrap_or(0).max(12);
    text += &format!(
        "\n  {:<width$}  {:<years_width$}  {:<16}  {:>8}  {:>13}  {:>9}\n",
        "run", "report years", "load", "seconds", "rows", "size"
    );
    for run in &status.runs {
        let mark = if run.current { '*' } else { ' ' };
        let (years, seconds, rows) = (years(&run.report_years), format!("{:.1}", run.seconds), grouped(run.rows as u64));
        text += &format!(
            "{mark} {:<width$}  {years:<years_width$}  {:<16}  {seconds:>8}  {rows:>13}  {:>9}\n",
            run.run_id,
            run.load_id,
            size(run.bytes)
        );
    }
    text + "\n* is the current run of its jurisdiction: `perkins query` asks it\n"
}

fn load_text(load: &LoadStatus) -> String {
    let years: Vec<i32> = {
        let all: std::collections::BTreeSet<i32> = load.collections.iter().flat_map(|c| c.by_school_year.keys().copied()).collect();
        all.into_iter().collect()
    };
    let mut text = format!("load {}, of {}, {}\n{:<24}{:>14}", load.load_id, load.committed_at, size(load.bytes), "collection", "rows");
    years.iter().for_each(|y| text += &format!("{y:>12}"));
    text.push('\n');
    for collection in &load.collections {
        let mut line = format!("{:<24}{:>14}", collection.collection, grouped(collection.rows));
        for year in &years {
            let rows = collection.by_school_year.get(year).map(|r| grouped(*r)).unwrap_or_default();
            line += &format!("{rows:>12}");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = (0..units.len()).rev().find(|&u| bytes >= 1 << (10 * u)).unwrap_or(0);
    let shown = bytes as f64 / (1u64 << (10 * unit)) as f64;
    if unit == 0 { format!("{bytes} B") } else { format!("{shown:.1} {}", units[unit]) }
}
