//! `perkins retry`.

use super::print;
use super::run::{EndArgs, RunArgs, finish};
use crate::cli::{Settings, YearFlags};
use crate::commit;
use crate::error::{Error, Result};
use crate::history::{self, Outcome, Run};
use crate::publish::release::PolicyKind;

/// Flags of `perkins retry`.
#[derive(Debug, clap::Args)]
pub struct RetryArgs {
    /// The run to go on with: an id or the beginning of one [default: the newest, if it was not committed]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// How it ends.
    #[command(flatten)]
    end: EndArgs,
}

/// Runs what a run was asked for that failed, was stopped or refused; the tables that it had finished are taken over where they still hold.
pub fn main(args: &RetryArgs, settings: &Settings) -> Result<()> {
    if history::runs(&settings.restricted)?.is_empty() {
        return Err(history::no_runs(&settings.restricted));
    }
    let _lock = commit::lock(&settings.restricted, "retry")?;
    let run = match &args.run {
        Some(name) => Some(history::find(&settings.restricted, name, None)?),
        None => history::runs(&settings.restricted)?.into_iter().next(),
    };
    let Some(run) = run.filter(|r| !matches!(r.outcome, Outcome::Current | Outcome::Former)) else {
        return print("nothing to retry: the newest run was committed\n");
    };
    let asked = asked(&run, &args.end)?;
    print(&format!("retrying run {}: {} tables were finished\n", run.id, run.manifest.tables.len()))?;
    finish(&asked, settings)
}

/// The flags that the run was started with: what refused it refuses it again, unless another limit is given.
fn asked(run: &Run, end: &EndArgs) -> Result<RunArgs> {
    let begun = run.journal.as_ref().and_then(|j| j.begun.as_ref());
    let Some(begun) = begun else {
        return Err(Error::Config(format!("run {} has no record of what it was asked for; start `perkins run`", run.id)));
    };
    Ok(RunArgs {
        jurisdictions: begun.jurisdictions.clone(),
        years: YearFlags { report_year: begun.report_years.clone(), report_years: None },
        tables: begun.tables.clone(),
        again: false,
        end: EndArgs {
            max_change: end.max_change.or(begun.max_change),
            no_publish: end.no_publish || begun.publish.is_none(),
            policy: begun.publish.filter(|_| end.policy == PolicyKind::default()).unwrap_or(end.policy),
        },
        explain_plan: false,
    })
}
