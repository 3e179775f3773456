//! `perkins all`: ingest, run, publish and report in one, and a short table of what came of it.

use super::{block_on, ingest, print, run};
use crate::cli::Settings;
use crate::commit;
use crate::error::Result;
use crate::run::Outcome;
use crate::run::result::Results;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};

/// Flags of `perkins all`.
#[derive(Debug, clap::Args)]
pub struct AllArgs {
    /// What to read.
    #[command(flatten)]
    ingest: ingest::IngestArgs,
    /// What to run.
    #[command(flatten)]
    run: run::RunArgs,
    /// Draw no reports
    #[arg(long)]
    no_report: bool,
}

/// Ingests, runs, and shows the state's figures.
pub fn main(args: &AllArgs, settings: &Settings) -> Result<()> {
    // A wrong jurisdiction is said before anything is read.
    settings.jurisdictions(&args.run.jurisdictions)?;
    let _lock = commit::lock(&settings.restricted, "all")?;
    let (load, unchanged) = ingest::load(&args.ingest, settings)?;
    print(&ingest::summary(&load, unchanged, &settings.restricted))?;
    let outcomes = run::start(&args.run, settings)?;
    print("\n")?;
    run::show(&outcomes, settings)?;
    run::release(&args.run, &outcomes, settings)?;
    // A run of some tables only has not what the reports are drawn from.
    match args.no_report || !args.run.tables.is_empty() {
        true => Ok(()),
        false => outcomes.iter().try_for_each(|o| super::report::of_run(&o.manifest, settings)),
    }
}

/// The state's figures against targets, and where the outputs lie.
pub fn figures(outcome: &Outcome, settings: &Settings) -> Result<String> {
    let manifest = &outcome.manifest;
    let mut text = String::new();
    if !manifest.files_of("performance").is_empty() {
        let sql = "SELECT p.report_year, p.entity_name, p.indicator, p.numerator, p.denominator, p.rate, CAST(p.target AS DOUBLE) AS target, p.status \
                   FROM performance AS p WHERE p.level = 'state' AND p.group_kind = 'all' ORDER BY p.report_year, p.indicator";
        let batches = block_on(settings, async { Results::open(&settings.restricted, manifest, sql).await?.query(sql).await })?;
        let titles = crate::catalog::Catalog::load(&settings.project, &manifest.jurisdiction)?;
        let title = |id: &str| {
            titles.indicators().into_iter().find(|v| v.indicator() == Some(id)).map_or(String::new(), |v| v.header.title.clone())
        };
        let mut heading = String::new();
        for batch in &batches {
            let text_of = |c: usize, i: usize| arrow::util::display::array_value_to_string(batch.column(c), i).unwrap_or_default();
            for i in 0..batch.num_rows() {
                let year = batch.column(0).as_primitive::<Int32Type>().value(i);
                let line = format!("{}, report year {year} ({}-{:02})", text_of(1, i), year - 1, year % 100);
                if line != heading {
                    text += &format!(
                        "{}{line}\n{:<7}{:<62}{:>9} {:>9} {:>7} {:>7}  status\n",
                        if heading.is_empty() { "" } else { "\n" },
                        "",
                        "indicator",
                        "met by",
                        "of",
                        "rate",
                        "target"
                    );
                    heading = line;
                }
                let id = text_of(2, i);
                let count = |c: usize| batch.column(c).as_primitive::<Int64Type>().value(i);
                let percent = |c: usize| {
                    (!batch.column(c).is_null(i)).then(|| format!("{:.1}", batch.column(c).as_primitive::<Float64Type>().value(i)))
                };
                let status = match text_of(7, i).as_str() {
                    "met" => "met",
                    "within_90" => "in the 90% range",
                    "below_90" => "BELOW 90%",
                    _ => "no target",
                };
                text += &format!(
                    "{id:<7}{:<62}{:>9} {:>9} {:>7} {:>7}  {status}\n",
                    title(&id),
                    count(3),
                    count(4),
                    percent(5).unwrap_or_default(),
                    percent(6).unwrap_or_else(|| "-".into())
                );
            }
        }
        text.push('\n');
    }
    text += &match outcome {
        Outcome { unchanged: true, .. } => format!("run {}: unchanged: {}\n", manifest.run_id, outcome.folder.display()),
        Outcome { reused, .. } if !reused.is_empty() => {
            let reused = format!("{} of {} tables reused", reused.len(), manifest.tables.len());
            format!("run {} in {:.1} s, {reused}: {}\n", manifest.run_id, manifest.seconds, outcome.folder.display())
        }
        _ => format!("run {} in {:.1} s: {}\n", manifest.run_id, manifest.seconds, outcome.folder.display()),
    };
    for table in &manifest.tables {
        let rows: usize = manifest.files.iter().filter(|f| f.table == table.name).map(|f| f.rows).sum();
        text += &format!("  {:<22}{:>12} rows  {}\n", table.name, super::grouped(rows as u64), table.title);
    }
    Ok(text)
}
