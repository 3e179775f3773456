//! `perkins close`.

use super::print;
use crate::cli::Settings;
use crate::commit;
use crate::error::Result;
use crate::publish::release::Release;
use crate::window;

/// Flags of `perkins close`.
#[derive(Debug, clap::Args)]
pub struct CloseArgs {
    /// The report year to close
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1990..=2100))]
    report_year: i32,
    /// Its jurisdiction [default: PERKINS_JURISDICTION or perkins.toml]
    #[arg(long, value_name = "NAME")]
    jurisdiction: Option<String>,
}

/// Closes a report year: its tables and public figures stay as they are.
pub fn main(args: &CloseArgs, settings: &Settings) -> Result<()> {
    let jurisdiction = settings.jurisdiction(args.jurisdiction.as_deref())?;
    let _lock = commit::lock(&settings.restricted, "close")?;
    let year = args.report_year;
    let Some(commit) = window::close(&settings.restricted, &jurisdiction, year)? else {
        return print(&format!("{jurisdiction}, report year {year}: closed already\n"));
    };
    tracing::info!(jurisdiction, report_year = year, commit = commit.number, "report year closed");
    let run = commit.run(Some(&jurisdiction)).map(|p| p.id.as_str()).unwrap_or_default();
    print(&format!(
        "{jurisdiction}, report year {year}: closed; it keeps the tables of run {run}, and its public figures, \
         until `perkins reopen --report-year {year} --reason …`\n{}",
        public(settings, &jurisdiction, year, run)?
    ))
}

/// Says so if what is public of the year is not of the run whose tables it keeps: they may differ, and stay so.
fn public(settings: &Settings, jurisdiction: &str, year: i32, run: &str) -> Result<String> {
    let released = Release::history(&settings.public, jurisdiction)?.into_iter().find(|r| r.report_years.contains(&year));
    Ok(match released {
        Some(release) if release.run_id == run => String::new(),
        Some(release) => format!(
            "warning: what is public of it is of run {}; to publish the tables that it keeps, open it again, start `perkins run`, and close it then\n",
            release.run_id
        ),
        None => "nothing of it is public yet: the next run that publishes does so from the tables that it keeps\n".into(),
    })
}
