//! `perkins backfill`.

use super::run::{EndArgs, RunArgs, options, release, show, tell};
use super::{Progress, block_on, print, table};
use crate::backfill::{Backfill, backfill};
use crate::cli::{Settings, YearFlags};
use crate::commit;
use crate::error::{Error, Result};

/// Flags of `perkins backfill`.
#[derive(Debug, clap::Args)]
pub struct BackfillArgs {
    /// Jurisdiction, such as oregon or federal [default: PERKINS_JURISDICTION or perkins.toml]
    #[arg(long, value_name = "NAME")]
    jurisdiction: Option<String>,
    /// Report years.
    #[command(flatten)]
    years: YearFlags,
    /// How it ends.
    #[command(flatten)]
    end: EndArgs,
}

/// Runs years one by one, says what became of each, and makes those that succeeded the current run.
pub fn main(args: &BackfillArgs, settings: &Settings) -> Result<()> {
    if args.years.years().is_empty() {
        return Err(Error::Config("which report years? Give --report-years, such as 2019..2024".into()));
    }
    let run = RunArgs {
        jurisdictions: vec![settings.jurisdiction(args.jurisdiction.as_deref())?],
        years: args.years.clone(),
        tables: vec![],
        again: false,
        end: args.end.clone(),
        explain_plan: false,
    };
    let options = options(&run, settings)?;
    let _lock = commit::lock(&settings.restricted, "backfill")?;
    settings.watch.iter().for_each(|w| w.begins(&format!("run.{}", options.jurisdictions.join(","))));
    let progress = Progress::start(settings);
    let Backfill { years, outcome } =
        block_on(settings, backfill(&settings.restricted, &settings.project, &options, &|what| progress.at(what)))?;
    drop(progress);
    let mut rows = vec![["report year", "outcome", "seconds", "run or error"].map(str::to_string)];
    let mut failed = None;
    for (year, outcome) in years {
        rows.push(match &outcome {
            Ok(run) => [year.to_string(), "done".into(), format!("{:.1}", run.seconds), run.run_id.clone()],
            Err(error) => [year.to_string(), "failed".into(), String::new(), error.to_string()],
        });
        failed = failed.or(outcome.err());
    }
    print(&format!("{}\n", table(&rows, "")))?;
    if let Some(outcome) = outcome {
        tell(std::slice::from_ref(&outcome), settings)?;
        show(std::slice::from_ref(&outcome), settings)?;
        release(&args.end, &[outcome], settings)?;
    }
    failed.map_or(Ok(()), Err)
}
