//! `perkins run`.

use super::{Progress, block_on, print};
use crate::cli::{Settings, YearFlags};
use crate::commit;
use crate::error::Result;
use crate::run::{Options, Outcome, run};

/// Flags of `perkins run`.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// Jurisdiction, such as oregon or federal [default: PERKINS_JURISDICTION or perkins.toml]
    #[arg(long, value_name = "NAME")]
    pub jurisdiction: Option<String>,
    /// Report years.
    #[command(flatten)]
    pub years: YearFlags,
    /// Write only this output table; may be given several times [default: all]
    #[arg(long = "table", value_name = "NAME")]
    pub tables: Vec<String>,
}

/// Runs and shows the state's figures.
pub fn main(args: &RunArgs, settings: &Settings) -> Result<()> {
    let _lock = commit::lock(&settings.restricted, "run")?;
    let outcome = start(args, settings)?;
    print(&super::all::figures(&outcome, settings)?)
}

/// Runs with the flags and settings.
pub fn start(args: &RunArgs, settings: &Settings) -> Result<Outcome> {
    let options = Options {
        jurisdiction: settings.jurisdiction(args.jurisdiction.as_deref())?,
        report_years: args.years.years(),
        tables: args.tables.clone(),
        partitions: settings.partitions,
        memory_limit: settings.memory_limit,
    };
    let progress = Progress::start(settings);
    let outcome = block_on(settings, run(&settings.restricted, &settings.project, &options, &|what| progress.at(what)))?;
    tracing::info!(run = outcome.manifest.run_id, seconds = outcome.manifest.seconds, "run committed");
    Ok(outcome)
}
