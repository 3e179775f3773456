//! `perkins report`.

use super::query::manifest;
use super::{Progress, block_on, print};
use crate::cli::Settings;
use crate::commit;
use crate::error::Result;
use crate::report::{Drawn, FOLDER, draw};
use crate::run::manifest::Manifest;

/// Flags of `perkins report`.
#[derive(Debug, Clone, clap::Args)]
pub struct ReportArgs {
    /// Forms of the reports
    #[arg(long, value_enum, value_delimiter = ',', default_value = "xlsx")]
    format: Vec<Form>,
    /// Draw only this report, such as car; may be given several times [default: all that the jurisdiction has]
    #[arg(long = "report", value_name = "NAME")]
    reports: Vec<String>,
    /// A run's id [default: the current run]
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Jurisdiction whose current run is drawn [default: PERKINS_JURISDICTION, perkins.toml, or that of the latest run]
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    jurisdiction: Option<String>,
}

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Workbooks for Excel and LibreOffice, restricted: unsuppressed figures and students.
    Xlsx,
}

/// Draws all reports of a run, unless they are there already.
pub fn of_run(run: &Manifest, settings: &Settings) -> Result<()> {
    let manifest = manifest_of(run);
    settings.restricted.fetch_changed(&manifest)?;
    if settings.restricted.join(&manifest).is_file() {
        return Ok(());
    }
    let drawn = drawn(run, &[], settings)?;
    let count = drawn.manifest.files.len();
    let folder = settings.restricted.shown(&drawn.folder);
    print(&format!("reports: {count} {} in {folder}\n", if count == 1 { "workbook" } else { "workbooks" }))
}

/// Path of the manifest of a run's reports.
fn manifest_of(run: &Manifest) -> String {
    format!("{FOLDER}/{}/manifest.json", run.run_id)
}

/// Draws reports beside those that were drawn before, and keeps them.
fn drawn(run: &Manifest, only: &[String], settings: &Settings) -> Result<Drawn> {
    let progress = Progress::start(settings);
    let at = |what: &str| progress.at(what);
    let drawn = block_on(settings, draw(&settings.restricted, &settings.project, run, only, &at))?;
    settings.restricted.send(&manifest_of(run), &[])?;
    tracing::info!(run = run.run_id, files = drawn.manifest.files.len(), "reports drawn");
    Ok(drawn)
}

/// Draws the reports of a run.
pub fn main(args: &ReportArgs, settings: &Settings) -> Result<()> {
    let _lock = commit::lock(&settings.restricted, "report")?;
    let run = manifest(settings, args.run.as_deref(), args.jurisdiction.as_deref())?;
    let mut text = String::new();
    for form in &args.format {
        let Form::Xlsx = form;
        settings.restricted.fetch_changed(&manifest_of(&run))?;
        text += &summary(&drawn(&run, &args.reports, settings)?, settings);
    }
    print(&text)
}

fn summary(drawn: &Drawn, settings: &Settings) -> String {
    let files = &drawn.manifest.files;
    let noun = if files.len() == 1 { "workbook" } else { "workbooks" };
    let mut text = format!("{} {noun} in {}\n", files.len(), settings.restricted.shown(&drawn.folder));
    for file in files {
        let name = file.stored.path.rsplit_once(&drawn.manifest.run_id).map_or("", |(_, n)| n.trim_start_matches('/'));
        text += &format!("  {name:<50}{:>4} sheets {:>12} bytes\n", file.sheets.len(), super::grouped(file.stored.bytes));
    }
    text
}
