//! `perkins verify`.

mod file;
mod stray;

use super::{Progress, block_on, grouped, print};
use crate::cli::Settings;
use crate::commit::{self, Commit, Pointer};
use crate::error::{Error, Result};
use crate::lake::Load;
use crate::publish::release::{EVIDENCE, Evidence, Release};
use crate::report::{self, ReportManifest};
use crate::root::{LOCK, MIRROR, Root};
use crate::run::manifest::Manifest;
use crate::run::{read_json, result::Results};
use crate::seal;
use crate::store::Stored;
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use file::{Expected, check_files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What to do about a file of the lake, and about one of a run.
const LOAD_ADVICE: &str = "restore it from a copy, or run `perkins ingest` with the raw files again under a new --restricted folder";
const RUN_ADVICE: &str = "start `perkins run` again";
const REPORT_ADVICE: &str = "start `perkins report` again";
const PUBLIC_ADVICE: &str = "restore it from a copy: whoever publishes more must know what it showed";
const EVIDENCE_ADVICE: &str = "restore it from a copy, or start `perkins run --again` to publish anew";

/// Flags of `perkins verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Also read every file: its BLAKE3, every page, columns and rows, and whether the figures of performance agree with each other
    #[arg(long)]
    read_data: bool,
}

/// What was found, and how much was looked at.
#[derive(Default)]
pub struct Report {
    counts: BTreeMap<&'static str, u64>,
    findings: Vec<String>,
    warnings: Vec<String>,
}

impl Report {
    fn finding(&mut self, path: &str, what: &str, advice: &str) {
        self.findings.push(format!("{path}: {what}; {advice}"));
    }

    fn count(&mut self, n: u64, what: &'static str) {
        *self.counts.entry(what).or_default() += n;
    }
}

/// What the commits of a root name.
#[derive(Default)]
struct Named {
    /// The newest commit that is whole.
    current: Option<Commit>,
    /// Every load and every run (or release) that a whole commit names, the newest first.
    loads: Vec<Pointer>,
    runs: Vec<Pointer>,
    /// Paths of the commits and of the manifests.
    paths: BTreeSet<String>,
}

/// Checks and says what was checked.
pub fn main(args: &VerifyArgs, settings: &Settings) -> Result<()> {
    let root = &settings.restricted;
    let progress = Progress::start(settings);
    let mut report = Report::default();
    let mut named = commits(root, &mut report)?;
    let Some(current) = named.current.take() else {
        return end(
            report,
            format!(
                "nothing was loaded under {} yet; run `perkins ingest RAW_DIR` first, or name another folder with --restricted",
                root.display()
            ),
        );
    };
    fetched(current.pointers().try_for_each(|p| root.fetch(&p.manifest)), &mut report)?;
    let loads = named.loads.iter().map(|p| read_json(root, &p.manifest)).collect::<Result<Vec<Load>>>()?;
    let runs = named.runs.iter().map(|p| Ok((p.clone(), read_json(root, &p.manifest)?))).collect::<Result<Vec<(Pointer, Manifest)>>>()?;
    let is_current = |p: &Pointer| current.pointers().any(|c| c == p);
    let mut files = Vec::new();
    for load in &loads {
        check_load(load, &mut report);
        let is_history = current.load.as_ref().is_none_or(|p| p.id != load.load_id);
        files.extend(load_files(load).into_iter().map(|file| file.in_history(is_history)));
    }
    for (pointer, run) in &runs {
        check_run(run, &pointer.manifest, loads.iter().find(|l| l.load_id == run.load_id), &mut report);
        files.extend(run_files(run).map(|file| file.in_history(!is_current(pointer))));
    }
    files.extend(report_files(root, &mut named.paths, &mut report)?);
    progress.at("looking at what is public");
    files.extend(check_public(settings, args.read_data, &mut named.paths, &mut report)?);
    progress.at("looking at every file");
    looked_at(root, files, args.read_data, named, settings, &mut report)?;
    for (_, run) in runs.iter().filter(|(p, _)| args.read_data && report.findings.is_empty() && is_current(p)).collect::<Vec<_>>() {
        progress.at("looking at the figures");
        check_figures(settings, run, &mut report)?;
    }
    drop(progress);
    end(report, String::new())
}

/// Looks at every file that a root should have, and at what else is there.
fn looked_at(root: &Root, files: Vec<Expected>, read: bool, mut named: Named, settings: &Settings, report: &mut Report) -> Result<()> {
    // Loads share the files of what did not change; the newest comes first.
    let mut once: BTreeMap<String, Expected> = BTreeMap::new();
    for file in files {
        once.entry(file.stored.path.clone()).or_insert(file);
    }
    named.paths.extend(once.keys().cloned().chain([LOCK, MIRROR].map(String::from)));
    let mut files: Vec<Expected> = once.into_values().collect();
    if check_store(root, &files, read, report)? {
        // What is no longer current was never fetched.
        files.retain(|f| !f.is_history);
    }
    check_files(root, &files, read, settings.partitions, report);
    let folder = |p: &Pointer| p.manifest.rsplit_once('/').map(|(folder, _)| folder.to_string());
    let committed = named.runs.iter().chain(&named.loads).filter_map(folder).collect();
    let other = if *root == settings.public { &settings.restricted } else { &settings.public };
    stray::check(root, &named.paths, &committed, other, report)
}

/// What the store has not as its manifests say is a finding; a store that does not answer is an error.
fn fetched(result: Result<()>, report: &mut Report) -> Result<()> {
    match result {
        Err(Error::Data(what)) => report.findings.push(what),
        other => return other,
    }
    Ok(())
}

/// Looks at every object of a root on a store: that its copy here is whole tells nothing of it. Gives whether it is on a store.
fn check_store(root: &Root, files: &[Expected], read_data: bool, report: &mut Report) -> Result<bool> {
    let stored: Vec<&Stored> = files.iter().map(|f| &f.stored).collect();
    let Some(wrong) = root.wrong_objects(&stored, read_data)? else { return Ok(false) };
    let by_path: BTreeMap<&str, &Expected> = files.iter().map(|f| (f.stored.path.as_str(), f)).collect();
    for (path, what) in wrong {
        match by_path.get(path.as_str()) {
            Some(file) => file.tell(what, report),
            None => report.finding(&path, what, RUN_ADVICE),
        }
    }
    report.count(files.len() as u64, if read_data { "objects read" } else { "objects by size" });
    Ok(true)
}

/// Prints what was checked; findings, or that there is nothing to check, are errors.
fn end(report: Report, nothing: String) -> Result<()> {
    let counts: Vec<String> = report.counts.iter().map(|(what, n)| format!("{} {what}", grouped(*n))).collect();
    let mut text: String = report.findings.iter().map(|f| format!("{f}\n")).collect();
    report.warnings.iter().for_each(|w| text += &format!("warning: {w}\n"));
    if !counts.is_empty() {
        text += &format!("checked: {}\n", counts.join(", "));
    }
    if report.findings.is_empty() && nothing.is_empty() {
        return print(&(text + "all is whole\n"));
    }
    print(&text)?;
    match report.findings.len() {
        0 => Err(Error::NoLake(nothing)),
        1 => Err(Error::Data("one finding".into())),
        n => Err(Error::Data(format!("{n} findings"))),
    }
}

/// Reads every commit with its manifests; the newest that is whole is the current one.
fn commits(root: &Root, report: &mut Report) -> Result<Named> {
    let mut named = Named::default();
    for number in commit::numbers(root)? {
        report.count(1, "commits with their manifests");
        named.paths.insert(commit::path(number));
        match commit::read(root, number) {
            Ok(commit) => {
                for pointer in commit.pointers().filter(|p| named.paths.insert(p.manifest.clone())) {
                    let of_load = commit.load.as_ref() == Some(pointer);
                    if of_load { &mut named.loads } else { &mut named.runs }.push(pointer.clone());
                }
                named.current.get_or_insert(commit);
            }
            Err((path, what)) => {
                let advice = if named.current.is_none() {
                    format!("readers see the commit before {number}: restore the file from a copy, or start again what made it")
                } else {
                    "a later commit is current, so this is history only: restore the file from a copy if it must be kept".into()
                };
                // It is there, though damaged: no stray.
                named.paths.insert(path.clone());
                report.finding(&path, &what, &advice);
            }
        }
    }
    Ok(named)
}

/// Rows read = rows accepted + duplicates + rejected, for every input and collection.
fn check_load(load: &Load, report: &mut Report) {
    let sums = load.inputs.iter().map(|i| (&i.path, i.rows_read, i.accepted + i.duplicates + i.rejected));
    let sums = sums.chain(load.collections.iter().map(|c| (&c.collection, c.read, c.accepted + c.duplicates + c.rejected)));
    let mut checked = 0;
    for (what, read, sum) in sums {
        checked += 1;
        if read != sum {
            let what = format!("{read} rows of {what} were read, but {sum} were accepted, duplicates or rejected");
            report.finding(&format!("loads/{}/manifest.json", load.load_id), &what, LOAD_ADVICE);
        }
    }
    report.count(checked, "sums of rows read");
}

/// The run says what it is, and read the files that its load names.
fn check_run(run: &Manifest, path: &str, load: Option<&Load>, report: &mut Report) {
    if path != format!("runs/{}/manifest.json", run.run_id) {
        report.finding(path, &format!("says that it is of run {}", run.run_id), RUN_ADVICE);
    }
    let Some(load) = load.filter(|l| l.load_id == run.load_id) else { return };
    let files: BTreeMap<&str, &str> = load.files.iter().map(|f| (f.stored.path.as_str(), f.stored.blake3.as_str())).collect();
    for (input, hash) in &run.inputs {
        if files.get(input.as_str()) != Some(&hash.as_str()) {
            report.finding(path, &format!("names {input} as an input, with another BLAKE3 than load {}", load.load_id), RUN_ADVICE);
        }
    }
    report.count(run.inputs.len() as u64, "inputs of runs");
}

fn load_files(load: &Load) -> Vec<Expected> {
    let mut files: Vec<Expected> = load.files.iter().map(|f| Expected::rows(&f.stored, f.rows, LOAD_ADVICE)).collect();
    files.extend(load.surrogates.values().map(|s| Expected::rows(&s.stored, u64::from(s.count), LOAD_ADVICE)));
    let rejected = load.collections.iter().map(|c| c.rejected).sum();
    files.extend(load.companions.iter().map(|c| Expected::bytes(c, LOAD_ADVICE)));
    files.extend(load.reject.iter().map(|r| Expected::rows(r, rejected, LOAD_ADVICE)));
    files
}

fn run_files(run: &Manifest) -> impl Iterator<Item = Expected> {
    let tables = run.files.iter().map(|f| Expected::of_table(f, &run.tables, RUN_ADVICE));
    tables.chain(run.companions.iter().map(|c| Expected::bytes(c, RUN_ADVICE)))
}

/// The files that the manifests of reports name.
fn report_files(root: &Root, paths: &mut BTreeSet<String>, report: &mut Report) -> Result<Vec<Expected>> {
    let mut files = Vec::new();
    // Where there is none, drawing was stopped: its files are strays.
    for path in root.files(report::FOLDER)?.into_iter().map(|f| f.path).filter(|p| p.ends_with("/manifest.json")) {
        fetched(root.fetch_changed(&path), report)?;
        paths.insert(path.clone());
        match sealed::<ReportManifest>(root, &path) {
            Ok(drawn) => files.extend(drawn.files.iter().map(|f| Expected::bytes(&f.stored, REPORT_ADVICE))),
            Err(what) => report.finding(&path, &what, REPORT_ADVICE),
        }
    }
    Ok(files)
}

/// Every release that was ever public: its files, nothing else in their folders, and the evidence for them, whose files are given back.
fn check_public(settings: &Settings, read_data: bool, paths: &mut BTreeSet<String>, report: &mut Report) -> Result<Vec<Expected>> {
    let public = &settings.public;
    if public == &settings.restricted || commit::numbers(public)?.is_empty() {
        return Ok(vec![]);
    }
    let named = commits(public, report)?;
    let (mut files, mut evidence_files) = (Vec::new(), Vec::new());
    let current: Vec<Pointer> = named.current.iter().flat_map(Commit::pointers).cloned().collect();
    fetched(current.iter().try_for_each(|p| public.fetch(&p.manifest)), report)?;
    for pointer in &named.runs {
        let release: Release = read_json(public, &pointer.manifest)?;
        let is_history = !current.contains(pointer);
        let tables = release.files.iter().map(|f| Expected::of_table(f, &release.tables, PUBLIC_ADVICE));
        let companions = release.companions.iter().map(|c| Expected::bytes(c, PUBLIC_ADVICE));
        files.extend(tables.chain(companions).map(|file| file.in_history(is_history)));
        let path = format!("{EVIDENCE}/{}/manifest.json", release.release_id);
        fetched(settings.restricted.fetch_changed(&path), report)?;
        match sealed::<Evidence>(&settings.restricted, &path) {
            Ok(evidence) => {
                evidence_files.extend(evidence.files.iter().map(|f| Expected::bytes(f, EVIDENCE_ADVICE).in_history(is_history)))
            }
            // The evidence of a former release goes with its run (`perkins gc`).
            Err(_) if is_history && !settings.restricted.join(&path).exists() => {}
            Err(what) => report.finding(&path, &format!("{what} (the evidence of a release)"), EVIDENCE_ADVICE),
        }
        paths.insert(path);
    }
    looked_at(public, files, read_data, named, settings, report)?;
    Ok(evidence_files)
}

/// Reads a sealed manifest; else what is wrong with it.
fn sealed<T: serde::de::DeserializeOwned>(root: &Path, path: &str) -> std::result::Result<T, String> {
    seal::unseal(&std::fs::read(root.join(path)).map_err(|e| format!("cannot be read: {e}"))?)
}

/// In performance, the numerator is at most the denominator, and the rate is what they give.
fn check_figures(settings: &Settings, run: &Manifest, report: &mut Report) -> Result<()> {
    const TABLE: &str = "performance";
    if run.files_of(TABLE).is_empty() {
        return Ok(());
    }
    let mut only = run.clone();
    only.tables.retain(|t| t.name == TABLE);
    let sql = format!(
        "SELECT count(*) AS figures, \
         count(*) FILTER (WHERE numerator < 0 OR denominator < 0 OR numerator > denominator) AS wrong_counts, \
         count(*) FILTER (WHERE rate IS DISTINCT FROM CASE WHEN denominator > 0 THEN CAST(100 * numerator AS DOUBLE) / CAST(denominator AS DOUBLE) END) AS wrong_rates \
         FROM {TABLE}"
    );
    let answer = block_on(settings, async { Results::open(&settings.restricted, &only, &sql).await?.query(&sql).await })?;
    let value = |c: usize| {
        answer
            .iter()
            .filter(|b| b.num_rows() > 0)
            .map(|b| b.column(c))
            .filter(|c| !c.is_empty())
            .map(|c| c.as_primitive::<Int64Type>().value(0))
            .sum::<i64>()
    };
    let path = format!("runs/{}/{TABLE}", run.run_id);
    for (column, what) in [(1, "have a numerator above the denominator"), (2, "have a rate that is not 100 × numerator / denominator")] {
        if value(column) > 0 {
            report.finding(&path, &format!("{} figures {what}", value(column)), RUN_ADVICE);
        }
    }
    report.count(value(0).unsigned_abs(), "figures");
    Ok(())
}
