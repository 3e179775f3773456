//! `perkins reopen`.

use super::print;
use crate::cli::Settings;
use crate::commit;
use crate::error::Result;
use crate::window;

/// Flags of `perkins reopen`.
#[derive(Debug, clap::Args)]
pub struct ReopenArgs {
    /// The report year to open again
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1990..=2100))]
    report_year: i32,
    /// Why; it is kept with the commit
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Its jurisdiction [default: PERKINS_JURISDICTION or perkins.toml]
    #[arg(long, value_name = "NAME")]
    jurisdiction: Option<String>,
}

/// Opens a closed report year again: the next run computes it.
pub fn main(args: &ReopenArgs, settings: &Settings) -> Result<()> {
    let jurisdiction = settings.jurisdiction(args.jurisdiction.as_deref())?;
    let _lock = commit::lock(&settings.restricted, "reopen")?;
    let commit = window::reopen(&settings.restricted, &jurisdiction, args.report_year, &args.reason)?;
    tracing::info!(jurisdiction, report_year = args.report_year, commit = commit.number, "report year opened again");
    print(&format!("{jurisdiction}, report year {}: open again; the next run computes it\n", args.report_year))
}
