//! Reports for people, drawn from the tables of a run. What a report contains is said by `data/report/<name>.toml`: queries, and how their
//! answers are laid out. The Rust here lays out tables by such a description and knows no form, state or indicator.

pub mod description;
pub mod formula;
pub mod grid;
pub mod layout;
pub mod style;
pub mod workbook;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::project::Project;
use crate::run::manifest::Manifest;
use crate::run::result::Results;
use crate::seal;
use crate::store::{self, Stored};
use description::Description;
use grid::Answer;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folder of the reports below the restricted root, with a folder for each run.
pub const FOLDER: &str = "reports";

/// What was drawn.
#[derive(Debug)]
pub struct Drawn {
    /// The folder of the run's reports.
    pub folder: PathBuf,
    /// What its manifest says.
    pub manifest: ReportManifest,
}

/// The manifest of a run's reports, sealed. It has no time: the same run gives the same bytes.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReportManifest {
    /// The run that the reports are drawn from.
    pub run_id: String,
    /// Version of the program that drew them.
    pub program_version: String,
    /// The jurisdiction.
    pub jurisdiction: String,
    /// BLAKE3 of each description, by name of the report.
    pub descriptions: BTreeMap<String, String>,
    /// The tables read, by path, with their BLAKE3.
    pub inputs: BTreeMap<String, String>,
    /// The files drawn.
    pub files: Vec<ReportFile>,
}

/// A file of a report.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReportFile {
    /// Name of the report: that of its description.
    pub report: String,
    /// Where it is.
    #[serde(flatten)]
    pub stored: Stored,
    /// Its sheets in order.
    pub sheets: Vec<String>,
}

/// Draws the reports that the jurisdiction of a run has (or only some) into `reports/<run_id>/`. `progress` is told what is being worked on.
pub async fn draw(root: &Path, project: &Project, run: &Manifest, only: &[String], progress: &(dyn Fn(&str) + Sync)) -> Result<Drawn> {
    let catalog = Catalog::load(project, &run.jurisdiction)?;
    let jurisdiction = Jurisdiction::load(project, &run.jurisdiction)?;
    let chosen = chosen(project, &catalog, &run.jurisdiction, only)?;
    let mut inputs = BTreeSet::new();
    for report in &chosen {
        inputs.extend(tables(report, &catalog, run)?);
    }
    let folder = root.join(FOLDER).join(&run.run_id);
    let mut manifest = ReportManifest {
        run_id: run.run_id.clone(),
        program_version: crate::VERSION.into(),
        jurisdiction: run.jurisdiction.clone(),
        descriptions: chosen.iter().map(|d| (d.name.clone(), d.blake3.clone())).collect(),
        inputs: run.files.iter().filter(|f| inputs.contains(&f.table)).map(|f| (f.stored.path.clone(), f.stored.blake3.clone())).collect(),
        files: vec![],
    };
    for report in &chosen {
        progress(&format!("asking the tables of {}", report.name));
        let answers = ask(root, project, &jurisdiction, run, report).await?;
        for parts in grid::split(&report.by, description::WORKBOOK, &answers)? {
            let book = workbook::Book::new(report, parts)?;
            let path = book.path();
            progress(&format!("drawing {path}"));
            let (bytes, sheets) = book.draw()?;
            let stored = store::write_whole(root, &folder.join(&path), &bytes)?;
            manifest.files.push(ReportFile { report: report.name.clone(), stored, sheets });
        }
    }
    keep_others(root, &folder, &mut manifest)?;
    manifest.files.sort_by(|a, b| a.stored.path.cmp(&b.stored.path));
    let text = seal::seal(&manifest)?;
    store::write_whole(root, &folder.join("manifest.json"), &text)?;
    Ok(Drawn { folder, manifest })
}

/// Keeps what an earlier call drew of other reports in the manifest, and takes away what it drew of these reports and is no longer part of them.
fn keep_others(root: &Path, folder: &Path, manifest: &mut ReportManifest) -> Result<()> {
    let path = folder.join("manifest.json");
    let Ok(text) = std::fs::read(&path) else { return Ok(()) };
    let before: ReportManifest =
        seal::unseal(&text).map_err(|what| Error::bug(format!("{} {what}; delete it, then start again", path.display())))?;
    for file in before.files {
        if !manifest.descriptions.contains_key(&file.report) {
            manifest.files.push(file);
        } else if !manifest.files.iter().any(|f| f.stored.path == file.stored.path) {
            let old = root.join(&file.stored.path);
            std::fs::remove_file(&old)
                .or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(Error::io("remove", &old, e)) })?;
        }
    }
    for (report, blake3) in before.descriptions {
        manifest.descriptions.entry(report).or_insert(blake3);
    }
    manifest.inputs.extend(before.inputs);
    Ok(())
}

/// The descriptions to draw: those whose tables the jurisdiction has.
fn chosen(project: &Project, catalog: &Catalog, jurisdiction: &str, only: &[String]) -> Result<Vec<Description>> {
    let all = Description::all(project)?;
    let has = |d: &Description| d.needs.iter().all(|t| is_output(catalog, t));
    if let Some(unknown) = only.iter().find(|o| !all.iter().any(|d| d.name == **o)) {
        let names: Vec<&str> = all.iter().map(|d| d.name.as_str()).collect();
        return Err(Error::Config(format!("there is no report {unknown:?}; there are: {}", names.join(", "))));
    }
    if let Some(foreign) = all.iter().find(|d| only.contains(&d.name) && !has(d)) {
        return Err(Error::Config(format!("{jurisdiction} has no report {}: it has no table {}", foreign.name, foreign.needs.join(", "))));
    }
    let chosen: Vec<Description> = all.into_iter().filter(|d| if only.is_empty() { has(d) } else { only.contains(&d.name) }).collect();
    match chosen.is_empty() {
        true => Err(Error::Config(format!("{jurisdiction} has no table that a report of data/report is drawn from"))),
        false => Ok(chosen),
    }
}

fn is_output(catalog: &Catalog, table: &str) -> bool {
    catalog.outputs().iter().any(|v| v.name == table)
}

/// The output tables that a report reads; each must be known to the jurisdiction and be in the run.
fn tables(report: &Description, catalog: &Catalog, run: &Manifest) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for table in report.references()? {
        if !is_output(catalog, &table) {
            return Err(Error::Config(format!(
                "{}: a query refers to {table}, which is no output table of {}",
                report.path, run.jurisdiction
            )));
        }
        found.insert(table);
    }
    let missing: Vec<&str> = found.iter().filter(|t| run.files_of(t).is_empty()).map(String::as_str).collect();
    match missing.is_empty() {
        true => Ok(found),
        false => Err(Error::Config(format!(
            "run {} has no table {}, which report {} is drawn from: start `perkins run` again without --table, or with {}",
            run.run_id,
            missing.join(", "),
            report.name,
            found.iter().map(|t| format!("--table {t}")).collect::<Vec<_>>().join(" ")
        ))),
    }
}

/// The answers to a report's queries, by name of the query.
async fn ask(
    root: &Path,
    project: &Project,
    jurisdiction: &Jurisdiction,
    run: &Manifest,
    report: &Description,
) -> Result<BTreeMap<String, Answer>> {
    let all: String = report.query.values().map(|q| format!("{q}\n")).collect();
    let results = Results::open(root, run, &all).await?.with_parameters(project, jurisdiction, run)?;
    let mut answers = BTreeMap::new();
    for (name, sql) in &report.query {
        let (schema, batches) =
            results.query_with_schema(sql).await.map_err(|e| Error::Config(format!("{}: query {name}: {e}", report.path)))?;
        answers.insert(name.clone(), Answer::new(schema, &batches)?);
    }
    Ok(answers)
}
