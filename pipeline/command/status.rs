//! `perkins status`.

use super::{answer, grouped, table, years};
use crate::cli::Settings;
use crate::commit::{self, Commit, Pointer, Withdrawn};
use crate::error::{Error, Result};
use crate::history::{self, Outcome};
use crate::lake::{Input, Load};
use crate::publish::release::Release;
use crate::run::read_json;
use crate::window::{Reopened, Window};
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
    loads: Vec<PastLoadStatus>,
    windows: Vec<Window>,
    runs: Vec<RunStatus>,
    /// What is public of each jurisdiction; none if the public root cannot be read from here.
    releases: Option<Vec<ReleaseStatus>>,
    withdrawn: Vec<Withdrawn>,
}

#[derive(Serialize)]
struct ReleaseStatus {
    jurisdiction: String,
    release_id: String,
    run_id: String,
    /// Its figures are those of the current run.
    of_current_run: bool,
}

#[derive(Serialize)]
struct LoadStatus {
    load_id: String,
    committed_at: String,
    bytes: u64,
    collections: Vec<Collection>,
}

/// A load of the history.
#[derive(Serialize)]
struct PastLoadStatus {
    load_id: String,
    at: String,
    outcome: Outcome,
    files: Vec<FileStatus>,
    rows_read: u64,
    accepted: u64,
    duplicates: u64,
    rejected: u64,
    /// What was taken out, if that made it: of which collection, and why.
    removed: Option<[String; 2]>,
}

/// A raw file of a load.
#[derive(Serialize)]
struct FileStatus {
    collection: String,
    path: String,
    bytes: u64,
    blake3: String,
    rows_read: u64,
    rejected: u64,
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
    outcome: Outcome,
    /// When it became current; empty for a run that never was.
    committed_at: String,
    jurisdiction: String,
    report_years: Vec<i32>,
    load_id: String,
    /// Files of the lake that it could read.
    inputs: usize,
    /// Tables that it has, or had finished.
    tables: usize,
    /// The view that failed, if it was one.
    failed_node: Option<String>,
    seconds: f64,
    rows: usize,
    bytes: u64,
}

/// Shows the current load and the runs.
pub fn main(args: &StatusArgs, settings: &Settings) -> Result<()> {
    let root = &settings.restricted;
    let history = commit::history(root)?;
    let Some(current) = history.first() else {
        let failed = history::loads(root)?.into_iter().find_map(|past| past.load.failed);
        let failed = failed.map(|why| format!("; the last load failed: {why}")).unwrap_or_default();
        return Err(Error::NoLake(format!(
            "nothing was loaded under {} yet; run `perkins ingest RAW_DIR` first, or name another folder with --restricted{failed}",
            root.display()
        )));
    };
    let load = current.load.as_ref().map(|p| load_status(root, p, &history)).transpose()?;
    let runs = history::runs(root)?.into_iter().map(run_status).collect();
    let loads = history::loads(root)?.into_iter().map(past_load).collect();
    let (releases, withdrawn) = match public(settings, current) {
        Ok((releases, withdrawn)) => (Some(releases), withdrawn),
        Err(error) => {
            tracing::warn!("what is public cannot be told: {error}");
            (None, vec![])
        }
    };
    let status = Status { commit: current.number, load, loads, windows: current.windows.clone(), runs, releases, withdrawn };
    answer(args.format, &status, |status| text(status, &root.display()))
}

/// What is public, and what was withdrawn.
fn public(settings: &Settings, current: &Commit) -> Result<(Vec<ReleaseStatus>, Vec<Withdrawn>)> {
    let public = commit::current(&settings.public)?.unwrap_or_default();
    let of = |jurisdiction: &String| -> Result<Option<ReleaseStatus>> {
        let Some(Release { release_id, run_id, .. }) = Release::current(&settings.public, Some(jurisdiction))? else { return Ok(None) };
        let of_current_run = current.runs.get(jurisdiction).is_some_and(|p| p.id == run_id);
        Ok(Some(ReleaseStatus { jurisdiction: jurisdiction.clone(), release_id, run_id, of_current_run }))
    };
    let releases = public.runs.keys().filter_map(|j| of(j).transpose()).collect::<Result<_>>()?;
    Ok((releases, public.withdrawn))
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

fn past_load(history::PastLoad { load, outcome, at }: history::PastLoad) -> PastLoadStatus {
    let sum = |of: fn(&Input) -> u64| load.inputs.iter().map(of).sum();
    let (rows_read, accepted, duplicates, rejected) =
        (sum(|i| i.rows_read), sum(|i| i.accepted), sum(|i| i.duplicates), sum(|i| i.rejected));
    let file = |i: Input| FileStatus {
        collection: i.collection,
        path: i.path,
        bytes: i.bytes,
        blake3: i.blake3,
        rows_read: i.rows_read,
        rejected: i.rejected,
    };
    let files = load.inputs.into_iter().map(file).collect();
    let removed = load.removed.map(|r| {
        let what = r.year.map_or_else(|| format!("one {}", r.collection), |year| format!("{} of {year}", r.collection));
        [what, r.reason]
    });
    PastLoadStatus { removed, load_id: load.load_id, at, outcome, files, rows_read, accepted, duplicates, rejected }
}

fn run_status(run: history::Run) -> RunStatus {
    let history::Run { id, outcome, committed_at, manifest, journal } = run;
    RunStatus {
        run_id: id,
        current: outcome == Outcome::Current,
        outcome,
        committed_at: committed_at.unwrap_or_default(),
        failed_node: journal.and_then(|j| j.failed?.node),
        inputs: manifest.inputs.len(),
        tables: manifest.tables.len(),
        rows: manifest.files.iter().map(|f| f.rows).sum(),
        bytes: manifest.files.iter().map(|f| f.stored.bytes).chain(manifest.companions.iter().map(|c| c.bytes)).sum(),
        seconds: manifest.seconds,
        jurisdiction: manifest.jurisdiction,
        report_years: manifest.report_years,
        load_id: manifest.load_id,
    }
}

fn text(status: &Status, root: &str) -> String {
    let mut text = format!("{root}, commit {}\n\n", status.commit);
    match &status.load {
        Some(load) => text += &load_text(load),
        None => text += "no load\n",
    }
    text += &loads_text(&status.loads);
    text += &windows_text(&status.windows);
    if status.runs.is_empty() {
        return text + "\nno run yet; start `perkins run`\n";
    }
    let width = status.runs.iter().map(|r| r.run_id.len()).max().unwrap_or(0);
    let years_width = status.runs.iter().map(|r| years(&r.report_years).len()).max().unwrap_or(0).max(12);
    text += &format!(
        "\n  {:<width$}  {:<years_width$}  {:<16}  {:<13}  {:>8}  {:>13}  {:>10}\n",
        "run", "report years", "load", "outcome", "seconds", "rows", "size"
    );
    for run in &status.runs {
        let mark = if run.current { '*' } else { ' ' };
        let (years, seconds, rows) = (years(&run.report_years), format!("{:.1}", run.seconds), grouped(run.rows as u64));
        text += &format!(
            "{mark} {:<width$}  {years:<years_width$}  {:<16}  {:<13}  {seconds:>8}  {rows:>13}  {:>10}\n",
            run.run_id,
            run.load_id,
            run.outcome.text(),
            size(run.bytes)
        );
        if matches!(run.outcome, Outcome::Failed | Outcome::Unfinished) {
            let failed = run.failed_node.as_ref().map(|node| format!("failed in {node}, ")).unwrap_or_default();
            text += &format!("    {failed}{} tables finished: `perkins retry` goes on\n", run.tables);
        }
        if run.outcome == Outcome::NotCommitted {
            text += &format!("    was never current: `perkins diff current {}` shows what it would change\n", run.run_id);
        }
    }
    text += "\n* is the current run of its jurisdiction: `perkins query` asks it\n";
    text + &status.releases.as_deref().map(|r| releases_text(r, &status.withdrawn)).unwrap_or_default()
}

fn releases_text(releases: &[ReleaseStatus], withdrawn: &[Withdrawn]) -> String {
    let mut text = if releases.is_empty() { "nothing is public\n".to_string() } else { String::new() };
    for ReleaseStatus { jurisdiction, release_id, run_id, of_current_run } in releases {
        text += &match of_current_run {
            true => format!("public of {jurisdiction}: release {release_id}, of the current run\n"),
            false => format!(
                "public of {jurisdiction}: release {release_id}, of run {run_id}, not of the current run: `perkins run` publishes that, or says why not\n"
            ),
        };
    }
    withdrawn.iter().for_each(|w| text += &format!("release {} was withdrawn {}: {}\n", w.release_id, w.at, w.reason));
    text
}

fn loads_text(loads: &[PastLoadStatus]) -> String {
    let mut rows = vec![["load", "made", "outcome", "files", "rows read", "accepted", "duplicates", "rejected"].map(str::to_string)];
    rows.extend(loads.iter().map(|l| {
        let [read, accepted, duplicates, rejected] = [l.rows_read, l.accepted, l.duplicates, l.rejected].map(grouped);
        let files = grouped(l.files.len() as u64);
        [l.load_id.clone(), l.at.clone(), l.outcome.text().to_string(), files, read, accepted, duplicates, rejected]
    }));
    let mut text = if loads.is_empty() { String::new() } else { format!("\n{}", table(&rows, "")) };
    for (load, [what, reason]) in loads.iter().filter_map(|l| Some((&l.load_id, l.removed.as_ref()?))) {
        text += &format!("load {load}: rows of {what} were removed: {reason}\n");
    }
    text + "\n"
}

fn windows_text(windows: &[Window]) -> String {
    let mut text = if windows.is_empty() { String::new() } else { "\nclosed report years\n".into() };
    for w in windows {
        let state = match &w.reopened {
            None => format!("closed {}, keeps run {}", w.closed_at, w.run.id),
            Some(Reopened { at, reason }) => format!("closed {}, opened again {at}: {reason}", w.closed_at),
        };
        text += &format!("  {} {}  {state}\n", w.jurisdiction, w.report_year);
    }
    text
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
