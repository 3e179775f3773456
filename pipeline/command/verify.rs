//! `perkins verify`.

use super::{Progress, block_on, grouped, print};
use crate::cli::Settings;
use crate::commit::{self, Commit};
use crate::error::{Error, Result};
use crate::lake::Load;
use crate::publish::release::{EVIDENCE, Evidence, Release};
use crate::root::Root;
use crate::run::manifest::Manifest;
use crate::run::output::OutputFile;
use crate::run::{read_json, result::Results};
use crate::store::{Stored, relative};
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What to do about a file of the lake, and about one of a run.
const LOAD_ADVICE: &str = "restore it from a copy, or run `perkins ingest` with the raw files again under a new --restricted folder";
const RUN_ADVICE: &str = "start `perkins run` again";
const PUBLIC_ADVICE: &str = "restore it from a copy, or start `perkins run --again` to publish anew";

/// Flags of `perkins verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Also read every file: its BLAKE3, its rows, and whether the figures of performance agree with each other
    #[arg(long)]
    read_data: bool,
}

/// A file that a manifest names.
struct Expected {
    stored: Stored,
    /// Rows, for a Parquet file whose rows the manifest gives.
    rows: Option<u64>,
    advice: &'static str,
}

/// What was found, and how much was looked at.
#[derive(Default)]
struct Report {
    counts: Vec<(u64, &'static str)>,
    findings: Vec<String>,
}

impl Report {
    fn finding(&mut self, path: &str, what: &str, advice: &str) {
        self.findings.push(format!("{path}: {what}; {advice}"));
    }
}

/// Checks and says what was checked.
pub fn main(args: &VerifyArgs, settings: &Settings) -> Result<()> {
    let root = &settings.restricted;
    let progress = Progress::start(settings);
    let mut report = Report::default();
    let Some(current) = commits(root, &mut report)? else {
        return end(
            report,
            format!(
                "nothing was loaded under {} yet; run `perkins ingest RAW_DIR` first, or name another folder with --restricted",
                root.display()
            ),
        );
    };
    fetched(current.pointers().try_for_each(|p| root.fetch(&p.manifest)), &mut report)?;
    let mut files = Vec::new();
    let load: Option<Load> = current.load.as_ref().map(|p| read_json(root, &p.manifest)).transpose()?;
    let runs = current.runs.values().map(|p| Ok((p, read_json(root, &p.manifest)?))).collect::<Result<Vec<(_, Manifest)>>>()?;
    if let Some(load) = &load {
        check_load(load, &mut report);
        files.extend(load_files(load));
    }
    for (pointer, run) in &runs {
        check_run(run, &pointer.manifest, load.as_ref(), &mut report);
        files.extend(run_files(run));
        check_strays(root, run, &pointer.manifest, &mut report);
    }
    progress.at("looking at every file");
    check_files(root, &files, args.read_data, settings.partitions, &mut report);
    check_store(root, &files, args.read_data, &mut report)?;
    progress.at("looking at what is public");
    check_public(settings, args.read_data, &mut report)?;
    for (_, run) in runs.iter().filter(|_| args.read_data && report.findings.is_empty()).collect::<Vec<_>>() {
        progress.at("looking at the figures");
        check_figures(settings, run, &mut report)?;
    }
    drop(progress);
    end(report, String::new())
}

/// Prints what was checked; findings, or that there is nothing to check, are errors.
fn end(report: Report, nothing: String) -> Result<()> {
    let counts: Vec<String> = report.counts.iter().map(|(n, what)| format!("{} {what}", grouped(*n))).collect();
    let mut text: String = report.findings.iter().map(|f| format!("{f}\n")).collect();
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
fn commits(root: &Root, report: &mut Report) -> Result<Option<Commit>> {
    let numbers = commit::numbers(root)?;
    let mut current = None;
    for &number in &numbers {
        match commit::read(root, number) {
            Ok(commit) => current = current.or(Some(commit)),
            Err((path, what)) => {
                let advice = if current.is_none() {
                    format!("readers see the commit before {number}: restore the file from a copy, or start again what made it")
                } else {
                    "a later commit is current, so this is history only: restore the file from a copy if it must be kept".into()
                };
                report.finding(&path, &what, &advice);
            }
        }
    }
    report.counts.push((numbers.len() as u64, "commits with their manifests"));
    Ok(current)
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
    report.counts.push((checked, "sums of rows read"));
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
    report.counts.push((run.inputs.len() as u64, "inputs of the run"));
}

fn load_files(load: &Load) -> Vec<Expected> {
    let file = |stored: &Stored, rows| Expected { stored: stored.clone(), rows, advice: LOAD_ADVICE };
    let mut files: Vec<Expected> = load.files.iter().map(|f| file(&f.stored, Some(f.rows))).collect();
    files.extend(load.surrogates.values().map(|s| file(&s.stored, Some(u64::from(s.count)))));
    let rejected = load.collections.iter().map(|c| c.rejected).sum();
    files.extend(load.reject.iter().map(|r| file(r, Some(rejected))));
    files
}

fn run_files(run: &Manifest) -> Vec<Expected> {
    let file = |stored: &Stored, rows| Expected { stored: stored.clone(), rows, advice: RUN_ADVICE };
    let tables = run.files.iter().map(|f| file(&f.stored, Some(f.rows as u64)));
    tables.chain(run.companions.iter().map(|c| file(c, None))).collect()
}

/// Files in the run's folder that no manifest names: who reads the folder by itself would count them.
fn check_strays(root: &Path, run: &Manifest, manifest: &str, report: &mut Report) {
    let named: BTreeSet<String> = run_files(run).into_iter().map(|f| f.stored.path).chain([manifest.to_string()]).collect();
    strays(root, &root.join("runs").join(&run.run_id), &named, report);
}

fn strays(root: &Path, folder: &Path, named: &BTreeSet<String>, report: &mut Report) {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        // A folder that is gone is found by the files that it should have.
        for path in std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|e| e.path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(relative(root, &path));
            }
        }
    }
    for stray in found.difference(named) {
        report.finding(
            stray,
            "is there, but the run's manifest does not name it",
            "move it elsewhere: what reads the folder and not the manifest would count it",
        );
    }
}

/// The current releases: their files, nothing else in their folders, and the evidence for them under the restricted root.
fn check_public(settings: &Settings, read_data: bool, report: &mut Report) -> Result<()> {
    let public = &settings.public;
    if public == &settings.restricted || commit::numbers(public)?.is_empty() {
        return Ok(());
    }
    let Some(current) = commits(public, report)? else { return Ok(()) };
    for pointer in current.runs.values() {
        fetched(public.fetch(&pointer.manifest), report)?;
        let release: Release = read_json(public, &pointer.manifest)?;
        let expected = |f: &OutputFile| Expected { stored: f.stored.clone(), rows: Some(f.rows as u64), advice: PUBLIC_ADVICE };
        let companion = |c: &Stored| Expected { stored: c.clone(), rows: None, advice: PUBLIC_ADVICE };
        let files: Vec<Expected> = release.files.iter().map(expected).chain(release.companions.iter().map(companion)).collect();
        check_files(public, &files, read_data, settings.partitions, report);
        check_store(public, &files, read_data, report)?;
        let named = files.iter().map(|f| f.stored.path.clone()).chain([pointer.manifest.clone()]).collect();
        strays(public, &public.join("runs").join(&release.release_id), &named, report);
        let path = format!("{EVIDENCE}/{}/manifest.json", release.release_id);
        fetched(settings.restricted.fetch_changed(&path), report)?;
        match read_json::<Evidence>(&settings.restricted, &path) {
            Ok(evidence) => {
                let files: Vec<Expected> =
                    evidence.files.into_iter().map(|stored| Expected { stored, rows: None, advice: PUBLIC_ADVICE }).collect();
                check_files(&settings.restricted, &files, read_data, settings.partitions, report);
            }
            Err(_) => report.finding(&path, "is missing or broken: the evidence of the release that is public", PUBLIC_ADVICE),
        }
    }
    Ok(())
}

/// What the store has not as its manifests say is a finding; a store that does not answer is an error.
fn fetched(result: Result<()>, report: &mut Report) -> Result<()> {
    match result {
        Err(Error::Data(what)) => report.findings.push(what),
        other => return other,
    }
    Ok(())
}

/// Looks at every object of a root on a store: that its copy here is whole tells nothing of it.
fn check_store(root: &Root, files: &[Expected], read_data: bool, report: &mut Report) -> Result<()> {
    let stored: Vec<&Stored> = files.iter().map(|f| &f.stored).collect();
    let Some(wrong) = root.wrong_objects(&stored, read_data)? else { return Ok(()) };
    for (path, what) in wrong {
        let advice = files.iter().find(|f| f.stored.path == path).map_or(RUN_ADVICE, |f| f.advice);
        report.finding(&path, what, advice);
    }
    report.counts.push((files.len() as u64, if read_data { "objects read" } else { "objects by size" }));
    Ok(())
}

/// Looks at every file, on all threads; findings come in the order of the files.
fn check_files(root: &Path, files: &[Expected], read_data: bool, threads: usize, report: &mut Report) {
    let next = AtomicUsize::new(0);
    let found: Mutex<BTreeMap<usize, String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(files.len()) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(i) else { break };
                    if let Err(what) = check_file(root, file, read_data) {
                        found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(i, what);
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (i, what) in found {
        report.finding(&files[i].stored.path, &what, files[i].advice);
    }
    report.counts.push((files.len() as u64, if read_data { "files read" } else { "files by size" }));
    report.counts.push((files.iter().map(|f| f.stored.bytes).sum(), "bytes"));
    if read_data {
        report.counts.push((files.iter().filter_map(|f| f.rows).sum(), "rows"));
    }
}

fn check_file(root: &Path, file: &Expected, read_data: bool) -> std::result::Result<(), String> {
    let path = root.join(&file.stored.path);
    let size = match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Err("is not a file".into()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err("is missing".into()),
        Err(e) => return Err(format!("cannot be read: {e}")),
    };
    if size != file.stored.bytes {
        return Err(format!("has {size} bytes, not {}", file.stored.bytes));
    }
    if !read_data {
        return Ok(());
    }
    let mut hasher = blake3::Hasher::new();
    File::open(&path).and_then(|f| hasher.update_reader(f).map(|_| ())).map_err(|e| format!("cannot be read: {e}"))?;
    if hasher.finalize().to_hex().as_str() != file.stored.blake3 {
        return Err("has another BLAKE3 than its manifest says: it was changed".into());
    }
    match file.rows {
        Some(expected) => check_rows(&path, expected),
        None => Ok(()),
    }
}

/// Decodes a Parquet file and counts its rows.
fn check_rows(path: &Path, expected: u64) -> std::result::Result<(), String> {
    let damaged = |e: &dyn std::fmt::Display| format!("is no whole Parquet file: {e}");
    let file = File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(file).and_then(|b| b.with_batch_size(1 << 14).build()).map_err(|e| damaged(&e))?;
    let mut rows = 0;
    for batch in reader {
        rows += batch.map_err(|e| damaged(&e))?.num_rows() as u64;
    }
    if rows == expected { Ok(()) } else { Err(format!("has {rows} rows, not {expected}")) }
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
    report.counts.push((value(0).unsigned_abs(), "figures"));
    Ok(())
}
