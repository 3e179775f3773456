//! Validation windows: a report year that is closed keeps its tables and public figures to the byte, until it is opened again for a reason.
//!
//! Which years are closed stands in the commit. A run computes a closed year like any other, notes what would have changed, and then has
//! the closed files in place of its own.

use crate::commit::{self, Commit, Pointer};
use crate::diff::figure::FigureDifference;
use crate::diff::{Pair, TableDifference};
use crate::error::{Error, Result};
use crate::project::Project;
use crate::root::Root;
use crate::run::manifest::Manifest;
use crate::run::output::OutputFile;
use crate::run::read_json;
use crate::store;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Figures of a closed year that are noted, and those that people are told of; all others are counted.
const NOTED: usize = 100;
const NAMED: usize = 5;

/// A report year that was closed, and perhaps opened again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The jurisdiction.
    pub jurisdiction: String,
    /// The report year.
    pub report_year: i32,
    /// The run that was current when it was closed: the year keeps its tables.
    pub run: Pointer,
    /// When it was closed, UTC.
    pub closed_at: String,
    /// When and why it was opened again.
    pub reopened: Option<Reopened>,
}

/// Why a report year was opened again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopened {
    /// When, UTC.
    pub at: String,
    /// The reason that was given.
    pub reason: String,
}

/// What a run did not change in a closed year.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The run whose tables the year keeps.
    pub run_id: String,
    /// Rows that would have changed, by table.
    pub tables: Vec<TableDifference>,
    /// How many figures would have moved, by table.
    pub moved: BTreeMap<String, usize>,
    /// The first of them, those of most students.
    pub figures: Vec<FigureDifference>,
}

impl Kept {
    /// Adds what another run noted of some tables.
    pub fn take_over(&mut self, of: &Kept, table: impl Fn(&str) -> bool) {
        self.run_id.clone_from(&of.run_id);
        self.moved.extend(of.moved.iter().filter(|(t, _)| table(t)).map(|(t, n)| (t.clone(), *n)));
        self.add(of.tables.iter().filter(|t| table(&t.table)).cloned(), of.figures.iter().filter(|f| table(&f.table)).cloned());
    }

    fn add(&mut self, tables: impl IntoIterator<Item = TableDifference>, figures: impl IntoIterator<Item = FigureDifference>) {
        self.tables.extend(tables);
        self.tables.sort_by(|a, b| a.table.cmp(&b.table));
        self.figures.extend(figures);
        FigureDifference::sort(&mut self.figures);
        self.figures.truncate(NOTED);
    }
}

/// The report years of a jurisdiction that are closed, with the runs whose tables they keep.
pub fn closed<'a>(commit: &'a Commit, jurisdiction: &str) -> BTreeMap<i32, &'a Pointer> {
    let of = commit.windows.iter().filter(|w| w.jurisdiction == jurisdiction && w.reopened.is_none());
    of.map(|w| (w.report_year, &w.run)).collect()
}

/// Closes a report year with the tables of the current run; none if it is closed already.
pub fn close(root: &Root, jurisdiction: &str, report_year: i32) -> Result<Option<Commit>> {
    let mut commit = commit::current(root)?.unwrap_or_default();
    let Some(run) = commit.run(Some(jurisdiction)).cloned() else {
        return Err(Error::NoLake(format!(
            "there is no run of {jurisdiction} under {} to close a report year of; start `perkins run --jurisdiction {jurisdiction}` first",
            root.display()
        )));
    };
    if closed(&commit, jurisdiction).contains_key(&report_year) {
        return Ok(None);
    }
    let manifest: Manifest = read_json(root, &run.manifest)?;
    if !manifest.report_years.contains(&report_year) {
        return Err(Error::Config(format!(
            "the current run of {jurisdiction} is of report years {:?}, not of {report_year}: run that year first, then close it",
            manifest.report_years
        )));
    }
    let window = Window { jurisdiction: jurisdiction.into(), report_year, run, closed_at: commit::now(), reopened: None };
    commit.windows.push(window);
    commit::create(root, commit).map(Some)
}

/// Opens a closed report year again.
pub fn reopen(root: &Root, jurisdiction: &str, report_year: i32, reason: &str) -> Result<Commit> {
    if reason.trim().is_empty() {
        return Err(Error::Config("--reason must say why the report year is opened again; it is kept with the commit".into()));
    }
    let mut commit = commit::current(root)?.unwrap_or_default();
    let of_year = |w: &&mut Window| w.jurisdiction == jurisdiction && w.report_year == report_year && w.reopened.is_none();
    let Some(window) = commit.windows.iter_mut().find(of_year) else {
        let years: Vec<String> = closed(&commit, jurisdiction).keys().map(i32::to_string).collect();
        let years = if years.is_empty() { "none is".into() } else { format!("closed: {}", years.join(", ")) };
        return Err(Error::Config(format!("report year {report_year} of {jurisdiction} is not closed; {years}")));
    };
    window.reopened = Some(Reopened { at: commit::now(), reason: reason.trim().into() });
    commit::create(root, commit)
}

/// Whether tables of a run may be taken over: its closed years must be closed now, with the same tables. A year that it computed itself is
/// as the data have it, whether it is closed now or not.
pub fn fits(run: &Manifest, closed: &BTreeMap<i32, &Pointer>) -> bool {
    run.kept.iter().all(|(year, kept)| closed.get(year).is_some_and(|p| p.id == kept.run_id))
}

/// Puts the files of closed years in place of those computed, and notes in the manifest what would have changed. What was taken over from a
/// run has its note already, and the closed files.
pub async fn keep(root: &Path, project: &Project, closed: &BTreeMap<i32, &Pointer>, run: &mut Manifest) -> Result<()> {
    for (&year, pointer) in closed.iter().filter(|(y, _)| run.report_years.contains(y)).collect::<Vec<_>>() {
        let before: Manifest = read_json(root, &pointer.manifest)?;
        let before = Manifest { report_years: vec![year], ..before };
        same_columns(&before, run, year)?;
        let found = Pair { root, project, a: &before, b: run }.differences(false).await?;
        let kept = run.kept.entry(year).or_insert_with(|| Kept { run_id: pointer.id.clone(), ..Kept::default() });
        found.figures.iter().for_each(|f| *kept.moved.entry(f.table.clone()).or_default() += 1);
        kept.add(found.tables, found.figures);
        for file in run.files.iter_mut().filter(|f| f.report_year == year) {
            let closed = before.files.iter().find(|b| b.table == file.table && b.report_year == year);
            if let Some(closed) = closed.filter(|c| c.stored.blake3 != file.stored.blake3) {
                replace(root, file, closed)?;
            }
        }
    }
    Ok(())
}

/// Gives a file of a run that is not committed yet the content of a closed one.
fn replace(root: &Path, file: &mut OutputFile, closed: &OutputFile) -> Result<()> {
    let path = root.join(&file.stored.path);
    std::fs::remove_file(&path).map_err(|e| Error::io("replace", &path, e))?;
    *file = OutputFile { stored: store::link(root, &closed.stored, &path)?, ..closed.clone() };
    Ok(())
}

/// A table has the same columns in all years, so a closed year cannot stand beside years with others.
fn same_columns(closed: &Manifest, run: &Manifest, year: i32) -> Result<()> {
    for table in &run.tables {
        if closed.tables.iter().any(|t| t.name == table.name && !t.same_columns(table)) {
            return Err(Error::Config(format!(
                "{}: its columns are not those that closed report year {year} has (run {}), which every run keeps; to change it, \
                 `perkins reopen --report-year {year}`",
                table.name, closed.run_id
            )));
        }
    }
    Ok(())
}

/// Closed years that a run is not of, because the lake has no data of their time any more, for people.
pub fn left_out(commit: &Commit, run: &Manifest) -> String {
    let years = closed(commit, &run.jurisdiction).into_keys().filter(|y| !run.report_years.contains(y));
    let years: Vec<String> = years.map(|y| y.to_string()).collect();
    match &years[..] {
        [] => String::new(),
        _ => format!(
            "closed, and not in this run, because the lake has no school year of their time: {}; load one, so that they stay current and public\n",
            years.join(", ")
        ),
    }
}

/// What a run kept as it was, for people.
pub fn told(run: &Manifest) -> String {
    let mut text = String::new();
    for (year, kept) in &run.kept {
        text += &format!("report year {year} is closed: its tables are those of run {}; ", kept.run_id);
        if kept.tables.is_empty() {
            text += "nothing would have changed\n";
            continue;
        }
        text += "without that would have changed\n";
        for t in &kept.tables {
            text += &format!("  {:<28}{} rows added, {} removed, {} changed\n", t.table, t.added, t.removed, t.changed);
        }
        text += &format!("  {} figures, such as\n", kept.moved.values().sum::<usize>());
        kept.figures.iter().take(NAMED).for_each(|f| text += &format!("    {}\n", f.text()));
    }
    text
}
