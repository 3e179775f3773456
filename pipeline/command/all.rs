//! `perkins all`: ingest, run, publish and report in one, and a short table of what came of it.

use super::{block_on, ingest, print, run};
use crate::catalog::{Catalog, LAKE};
use crate::cli::Settings;
use crate::commit;
use crate::disclosure::{Tie, Treatment, rate_shown};
use crate::error::Result;
use crate::jurisdiction::Jurisdiction;
use crate::run::manifest::Manifest;
use crate::run::result::Results;
use crate::run::{Outcome, current_load};
use crate::window;
use arrow::array::AsArray;
use arrow::datatypes::{Int32Type, Int64Type};
use std::collections::{BTreeMap, BTreeSet};

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
    run::release(&args.run.end, &outcomes, settings)?;
    // A run of some tables only has not what the reports are drawn from.
    match args.no_report || !args.run.tables.is_empty() {
        true => Ok(()),
        false => outcomes.iter().try_for_each(|o| super::report::of_run(&o.manifest, settings)),
    }
}

/// The state's figures against targets, what was not handed over for them, and where the outputs lie.
pub fn figures(outcome: &Outcome, settings: &Settings) -> Result<String> {
    let manifest = &outcome.manifest;
    let folder = settings.restricted.shown(&outcome.folder);
    let mut text = String::new();
    if !manifest.files_of("performance").is_empty() {
        let jurisdiction = Jurisdiction::load(&settings.project, &manifest.jurisdiction)?;
        let catalog = Catalog::load(&settings.project, &manifest.jurisdiction)?;
        text += &state_figures(manifest, &jurisdiction, &catalog, settings)?;
        text += &not_handed_over(manifest, &jurisdiction, &catalog, settings)?;
        text.push('\n');
    }
    text += &match outcome {
        Outcome { unchanged: true, .. } => format!("run {}: unchanged: {folder}\n", manifest.run_id),
        Outcome { reused, .. } if !reused.is_empty() => {
            let reused = format!("{} of {} tables reused", reused.len(), manifest.tables.len());
            format!("run {} in {:.1} s, {reused}: {folder}\n", manifest.run_id, manifest.seconds)
        }
        _ => format!("run {} in {:.1} s: {folder}\n", manifest.run_id, manifest.seconds),
    };
    text += &window::told(manifest);
    text += &window::left_out(&commit::current(&settings.restricted)?.unwrap_or_default(), manifest);
    for table in &manifest.tables {
        let rows: usize = manifest.files.iter().filter(|f| f.table == table.name).map(|f| f.rows).sum();
        text += &format!("  {:<22}{:>12} rows  {}\n", table.name, super::grouped(rows as u64), table.title);
    }
    Ok(text)
}

fn state_figures(manifest: &Manifest, jurisdiction: &Jurisdiction, catalog: &Catalog, settings: &Settings) -> Result<String> {
    let sql = "SELECT report_year, entity_name, indicator, numerator, denominator, CAST(target AS VARCHAR) AS target, status \
               FROM performance WHERE level = 'state' AND group_kind = 'all' ORDER BY report_year, indicator";
    let batches = block_on(settings, async { Results::open(&settings.restricted, manifest, sql).await?.query(sql).await })?;
    let titles: BTreeMap<&str, &str> =
        catalog.indicators().into_iter().filter_map(|v| Some((v.indicator()?, v.header.title.as_str()))).collect();
    let (mut text, mut heading) = (String::new(), String::new());
    for (batch, i) in batches.iter().flat_map(|b| (0..b.num_rows()).map(move |i| (b, i))) {
        let text_of = |c: usize| arrow::util::display::array_value_to_string(batch.column(c), i).unwrap_or_default();
        let count = |c: usize| batch.column(c).as_primitive::<Int64Type>().value(i);
        let year = batch.column(0).as_primitive::<Int32Type>().value(i);
        let line = format!("{}, report year {year} ({}-{:02})", text_of(1), year - 1, year % 100);
        if line != heading {
            let space = if heading.is_empty() { "" } else { "\n" };
            text +=
                &format!("{space}{line}\n{:<69}{:>9} {:>9} {:>7} {:>7}  status\n", "       indicator", "met by", "of", "rate", "target");
            heading = line;
        }
        let (id, numerator, denominator) = (text_of(2), count(3), count(4));
        let tie = Tie::of(&jurisdiction.value("rate_tie_rule", year)?.value);
        let rate = rate_shown(Treatment::Shown, denominator, numerator, tie).unwrap_or_default();
        let target = Some(text_of(5)).filter(|t| !t.is_empty()).unwrap_or_else(|| "-".into());
        let status = match text_of(6).as_str() {
            "met" => "met",
            "within_90" => "in the 90% range",
            "below_90" => "BELOW 90%",
            _ => "no target",
        };
        let title = titles.get(id.as_str()).copied().unwrap_or_default();
        text += &format!("{id:<7}{title:<62}{numerator:>9} {denominator:>9} {rate:>7} {target:>7}  {status}\n");
    }
    Ok(text)
}

/// Collections that indicators which a run reports read, but that the lake does not have: what they count is 0, not known.
fn not_handed_over(manifest: &Manifest, jurisdiction: &Jurisdiction, catalog: &Catalog, settings: &Settings) -> Result<String> {
    let (_, load) = current_load(&settings.restricted)?;
    let mut reported = BTreeSet::new();
    for year in &manifest.report_years {
        reported.extend(jurisdiction.codes("reported_indicators", *year)?);
    }
    let defaults = settings.project.defaults()?;
    let mut readers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let all: Vec<_> = catalog.indicators().into_iter().filter(|v| v.indicator().is_some_and(|i| reported.contains(i))).collect();
    for indicator in &all {
        let views = catalog.in_order(&[indicator.name.as_str()])?;
        let read: BTreeSet<&str> =
            views.iter().flat_map(|v| &v.references).filter(|r| r.schema.as_deref() == Some(LAKE)).map(|r| r.table.as_str()).collect();
        for collection in read {
            if load.files_of(collection).next().is_none() && jurisdiction.default_collection(&defaults, collection).is_none() {
                readers.entry(collection.to_string()).or_default().extend(indicator.indicator());
            }
        }
    }
    let mut text = String::new();
    for (collection, by) in readers {
        let by = if by.len() == all.len() { "every indicator reads it".into() } else { format!("{} read it", by.join(", ")) };
        text += &format!("not handed over: {collection} ({by}; without it they count too few)\n");
    }
    Ok(text)
}
