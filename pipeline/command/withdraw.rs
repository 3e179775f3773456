//! `perkins withdraw`.

use super::print;
use crate::cli::Settings;
use crate::commit;
use crate::error::{Error, Result};
use crate::publish::release::Release;
use crate::window;

/// Flags of `perkins withdraw`.
#[derive(Debug, clap::Args)]
pub struct WithdrawArgs {
    /// The release to withdraw [default: the current one]
    #[arg(value_name = "RELEASE")]
    release: Option<String>,
    /// Why; it stands in the public root
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Its jurisdiction [default: PERKINS_JURISDICTION or perkins.toml]
    #[arg(long, value_name = "NAME")]
    jurisdiction: Option<String>,
}

/// Takes a release of wrong data back, as far as that can be done.
pub fn main(args: &WithdrawArgs, settings: &Settings) -> Result<()> {
    let jurisdiction = settings.jurisdiction(args.jurisdiction.as_deref())?;
    if commit::numbers(&settings.public)?.is_empty() {
        let what = "nothing is public there; name another folder with --public";
        return Err(Error::NoLake(format!("{}: {what}", settings.public.display())));
    }
    let _lock = commit::lock(&settings.public, "withdraw")?;
    refuse_closed(args, &jurisdiction, settings)?;
    let (release, now) = Release::withdraw(&settings.public, &jurisdiction, args.release.as_deref(), &args.reason)?;
    tracing::info!(jurisdiction, release = release.release_id, "release withdrawn");
    let now = match now {
        Some(now) => format!("release {} is current", now.release_id),
        None => "nothing is public now".into(),
    };
    print(&format!(
        "release {} of {jurisdiction}: withdrawn; {now}\nIts files go with the next `perkins gc`. Whoever read it may remember what it showed: \
         later releases are not protected against that any more.\n",
        release.release_id
    ))
}

/// A closed year keeps its public figures: the release that has them stays until the year is opened again.
fn refuse_closed(args: &WithdrawArgs, jurisdiction: &str, settings: &Settings) -> Result<()> {
    let history = Release::history(&settings.public, jurisdiction)?;
    let wanted = args.release.as_deref().or(history.first().map(|r| r.release_id.as_str())).unwrap_or_default();
    let commit = commit::current(&settings.restricted)?.unwrap_or_default();
    for year in window::closed(&commit, jurisdiction).into_keys() {
        let newest = history.iter().find(|r| r.report_years.contains(&year));
        if newest.is_some_and(|r| r.release_id == wanted) {
            return Err(Error::Config(format!(
                "report year {year} of {jurisdiction} is closed and keeps the public figures of release {wanted}; \
                 `perkins reopen --report-year {year} --reason …` first"
            )));
        }
    }
    Ok(())
}
