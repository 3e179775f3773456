//! `perkins audit`.

use super::{Progress, grouped, print};
use crate::audit::{Description, Frame};
use crate::cli::Settings;
use crate::error::{Error, Result};
use crate::publish::check::{Audited, frame};
use crate::publish::release::{EVIDENCE, Release};
use crate::publish::{Outcome, audit_files, description};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Flags of `perkins audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    /// Published tables (CSV or Parquet), which need --describe [default: the current release]
    files: Vec<PathBuf>,
    /// What the columns of the files are, which texts mean hidden, and which figures sum to which (TOML); data/audit has examples
    #[arg(long, value_name = "FILE", requires = "files")]
    describe: Option<PathBuf>,
    /// A table of lines: which entities' figures sum to which (CSV or Parquet), if the description speaks of one
    #[arg(long, value_name = "FILE", requires = "files")]
    lines: Option<PathBuf>,
    /// Jurisdiction whose current release is audited [default: that of the latest release]
    #[arg(long, value_name = "NAME", conflicts_with = "files")]
    jurisdiction: Option<String>,
    /// Print no more findings than this for each table
    #[arg(long, value_name = "N", default_value_t = 20)]
    most: usize,
}

/// Audits and says what was found; findings are an error.
pub fn main(args: &AuditArgs, settings: &Settings) -> Result<()> {
    let progress = Progress::start(settings);
    let mut findings = 0;
    let mut text = String::new();
    let mut add = |name: &str, audited: &Audited| {
        let attack = &audited.attack;
        findings += attack.findings.len() + attack.undecided.len() + attack.contradictions.len();
        text += &told(name, audited, args.most);
    };
    match &args.describe {
        Some(describe) => {
            let described = Description::file(describe).map_err(|e| Error::Config(e.to_string()))?;
            let lines = args.lines.as_deref().map(read).transpose()?;
            for file in &args.files {
                progress.at(&format!("attacking {}", file.display()));
                let mut audited = Audited::read(&described, &read(file)?, lines.as_ref())?;
                audited.attack(None, settings.partitions)?;
                add(&file.display().to_string(), &audited);
            }
        }
        None if !args.files.is_empty() => {
            return Err(Error::Config("what are the columns of the file? Give --describe FILE.toml; data/audit has examples".into()));
        }
        None => {
            let release = current(args, settings)?;
            for table in description::Description::all(&settings.project)?.iter().map(description::Description::public_table) {
                for &year in &release.report_years {
                    progress.at(&format!("attacking {table} of {year}"));
                    if let Some(mut audited) = audit_files(&settings.project, &settings.public, &release.files, &table, year)? {
                        let certificate = certificate(settings, &release, &table, year)?;
                        audited.attack(certificate.as_deref(), settings.partitions)?;
                        add(&format!("{table}, report year {year}"), &audited);
                    }
                }
            }
        }
    }
    drop(progress);
    print(&text)?;
    match findings {
        0 => Ok(()),
        1 => Err(Error::Data("one finding".into())),
        n => Err(Error::Data(format!("{} findings", grouped(n as u64)))),
    }
}

/// The certificate of a public table, if who audits may see it.
fn certificate(settings: &Settings, release: &Release, table: &str, year: i32) -> Result<Option<Vec<u8>>> {
    let folder = settings.restricted.join(EVIDENCE).join(&release.release_id);
    let path = folder.join(format!("certificate-{table}-{year}.ndjson.zst"));
    if let Err(e) = settings.restricted.fetch_changed(&format!("{EVIDENCE}/{}/manifest.json", release.release_id)) {
        tracing::info!("without the certificate: {e}");
    }
    path.is_file().then(|| std::fs::read(&path).map_err(|e| Error::io("read", &path, e))).transpose()
}

fn current(args: &AuditArgs, settings: &Settings) -> Result<Release> {
    let release = Release::current(&settings.public, args.jurisdiction.as_deref())?;
    release.ok_or_else(|| {
        Error::NoLake(format!(
            "nothing is published under {}{}; start `perkins run` first, or name another folder with --public",
            settings.public.display(),
            args.jurisdiction.as_ref().map(|j| format!(" of {j}")).unwrap_or_default()
        ))
    })
}

/// Reads a published table: Parquet by its name, else CSV.
fn read(path: &Path) -> Result<Frame> {
    if path.extension().is_some_and(|e| e == "parquet") {
        let wrong = |e: Box<dyn std::error::Error + Send + Sync>| Error::Data(format!("{} can't be read as Parquet: {e}", path.display()));
        let file = File::open(path).map_err(|e| Error::io("read", path, e))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|b| b.build()).map_err(|e| wrong(Box::new(e)))?;
        let batches = reader.collect::<std::result::Result<Vec<_>, _>>().map_err(|e| wrong(Box::new(e)))?;
        return frame(&path.display().to_string(), &batches);
    }
    Frame::csv(path).map_err(|e| Error::Data(e.to_string()))
}

fn told(name: &str, audited: &Audited, most: usize) -> String {
    let attack = &audited.attack;
    let mut text = format!(
        "{name}: {} figures, {} counts not shown, {} sums; {}\n",
        grouped(audited.table.published.cells.len() as u64),
        grouped(audited.hidden() as u64),
        grouped(audited.table.published.lines.len() as u64),
        match attack.findings.len() {
            0 if attack.clean() => "none of them can be computed".to_string(),
            n => format!("{} of them can be computed", grouped(n as u64)),
        }
    );
    audited.table.notes.iter().for_each(|n| text += &format!("  note: {n}\n"));
    text + &audited.told(most).lines().map(|l| format!("  {l}\n")).collect::<String>()
}

/// What is public now, by level, for people.
pub fn summary(made: &Outcome, settings: &Settings) -> Result<String> {
    let Outcome { release, evidence, unchanged } = made;
    let folder = settings.public.shown(&settings.public.join("runs").join(&release.release_id));
    if *unchanged {
        return Ok(format!("\npublic: unchanged: {folder}\n"));
    }
    let descriptions = description::Description::all(&settings.project)?;
    let mut text = String::new();
    for (table, levels) in &release.shown {
        text += &format!("\n{table:<26}{:>10}{:>10}{:>10}{:>12}{:>10}\n", "figures", "shown", "banded", "students", "hidden");
        let mut levels: Vec<_> = levels.iter().collect();
        levels.sort_by_key(|(level, _)| descriptions.iter().flat_map(|d| &d.levels).position(|l| l == *level));
        for (level, n) in levels {
            let numbers = [n.figures, n.shown, n.banded, n.denominator_only, n.hidden].map(grouped);
            let [figures, shown, banded, only, hidden] = numbers;
            text += &format!("  {level:<24}{figures:>10}{shown:>10}{banded:>10}{only:>12}{hidden:>10}\n");
        }
        if let Some(further) = evidence.as_ref().and_then(|e| e.further.get(table)) {
            text += &format!(
                "  hidden beyond the rules: {} figures (at least {} are needed), and {} numerators (at least {})\n",
                grouped(further.denominators),
                grouped(further.denominators_at_least),
                grouped(further.numerators),
                grouped(further.numerators_at_least)
            );
        }
    }
    let audit = match release.left_open {
        0 => "the audit found no hidden figure that can be computed".to_string(),
        n => format!("POLICY RULE LEAVES OPEN {} hidden figures that anybody can compute", grouped(n)),
    };
    Ok(text + &format!("{audit}\npublic: {folder}\n"))
}
