//! `perkins run`.

use super::{Progress, block_on, print};
use crate::cli::{Settings, YearFlags, parse_percent};
use crate::commit;
use crate::error::Result;
use crate::publish::{self, Ground, release::PolicyKind};
use crate::run::output::OutputFile;
use crate::run::{Options, Outcome, current_load, explain_plan, run};
use std::time::{Duration, Instant};

/// Flags of `perkins run`.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// Jurisdiction, such as oregon or federal; several (with a comma between, or given several times) are run at once, and what they share is
    /// computed once [default: PERKINS_JURISDICTION or perkins.toml]
    #[arg(long = "jurisdiction", value_name = "NAME", value_delimiter = ',')]
    pub jurisdictions: Vec<String>,
    /// Report years.
    #[command(flatten)]
    pub years: YearFlags,
    /// Write only this output table; may be given several times [default: all]
    #[arg(long = "table", value_name = "NAME")]
    pub tables: Vec<String>,
    /// Compute every table again, even where nothing changed since the current run
    #[arg(long)]
    pub again: bool,
    /// How it ends.
    #[command(flatten)]
    pub end: EndArgs,
    /// Compute nothing: say for each view whether it would be run, shared or reused, and why
    #[arg(long, conflicts_with = "again")]
    pub explain_plan: bool,
}

/// Flags of what is done with the tables of a run.
#[derive(Debug, Clone, clap::Args)]
pub struct EndArgs {
    /// Fail, commit and publish nothing if a figure of the state or a grantee moved by more than this against the current run: the
    /// students by which its numerator or denominator moved, in percent of all students that the entity had in the indicator [default:
    /// max_change in perkins.toml, else any change is let through]
    #[arg(long, env = "PERKINS_MAX_CHANGE", value_name = "PERCENT", value_parser = parse_percent)]
    pub max_change: Option<f64>,
    /// Keep the public as it is: publish nothing
    #[arg(long)]
    pub no_publish: bool,
    /// How public figures are protected
    #[arg(long, value_enum, default_value_t)]
    pub policy: PolicyKind,
}

/// Runs and shows the state's figures.
pub fn main(args: &RunArgs, settings: &Settings) -> Result<()> {
    if args.explain_plan {
        return print(&plan(args, settings)?);
    }
    let _lock = commit::lock(&settings.restricted, "run")?;
    finish(args, settings)
}

/// Runs, shows the state's figures and publishes, under the lock.
pub fn finish(args: &RunArgs, settings: &Settings) -> Result<()> {
    let outcomes = start(args, settings)?;
    show(&outcomes, settings)?;
    release(&args.end, &outcomes, settings)
}

/// Publishes what the runs made, those of the first jurisdiction only, unless some of the tables that this needs were not asked for.
pub fn release(args: &EndArgs, outcomes: &[Outcome], settings: &Settings) -> Result<()> {
    if args.no_publish {
        return Ok(());
    }
    for Outcome { manifest, .. } in outcomes {
        if let Some(why) = publish::why_not(&settings.project, &settings.public, manifest, args.policy)? {
            print(&format!("\n{}: not published: {why}\n", manifest.jurisdiction))?;
            continue;
        }
        let lacking = publish::lacks(&settings.project, manifest)?;
        if !lacking.is_empty() {
            print(&format!("nothing is published: the run was asked for without {}\n", lacking.join(", ")))?;
            continue;
        }
        let _public = (settings.public != settings.restricted).then(|| commit::lock(&settings.public, "publish")).transpose()?;
        settings.watch.iter().for_each(|w| w.begins(&format!("release.{}", manifest.jurisdiction)));
        let start = Instant::now();
        let progress = Progress::start(settings);
        let ground =
            Ground { restricted: &settings.restricted, public: &settings.public, project: &settings.project, threads: settings.partitions };
        let at = |what: &str| progress.at(what);
        let made = block_on(settings, publish::publish(&ground, manifest, args.policy, &at))?;
        drop(progress);
        log(&made, start.elapsed());
        settings.watch.iter().for_each(|w| w.published(manifest, &made));
        print(&super::audit::summary(&made, settings)?)?;
    }
    Ok(())
}

/// Logs what was made public, table by table.
fn log(made: &publish::Outcome, took: Duration) {
    let release = &made.release;
    let (id, seconds) = (&release.release_id, took.as_secs_f64());
    for file in release.files.iter().filter(|_| !made.unchanged) {
        let OutputFile { table, report_year, stored, rows } = file;
        tracing::info!(release = id, table, report_year, rows, bytes = stored.bytes, "table made public");
    }
    tracing::info!(release = id, left_open = release.left_open, unchanged = made.unchanged, seconds, "published");
}

/// Shows the state's figures of each jurisdiction.
pub fn show(outcomes: &[Outcome], settings: &Settings) -> Result<()> {
    outcomes.iter().enumerate().try_for_each(|(i, outcome)| {
        let space = if i == 0 { "" } else { "\n" };
        print(&format!("{space}{}", super::all::figures(outcome, settings)?))
    })
}

/// The options of a run.
pub fn options(args: &RunArgs, settings: &Settings) -> Result<Options> {
    Ok(Options {
        jurisdictions: settings.jurisdictions(&args.jurisdictions)?,
        report_years: args.years.years(),
        tables: args.tables.clone(),
        partitions: settings.partitions,
        memory_limit: settings.memory_limit.clone(),
        again: args.again,
        max_change: args.end.max_change.or(settings.max_change),
        publish: (!args.end.no_publish).then_some(args.end.policy),
    })
}

/// Runs with the flags and settings.
pub fn start(args: &RunArgs, settings: &Settings) -> Result<Vec<Outcome>> {
    let options = options(args, settings)?;
    settings.watch.iter().for_each(|w| w.begins(&format!("run.{}", options.jurisdictions.join(","))));
    let progress = Progress::start(settings);
    let outcomes = block_on(settings, run(&settings.restricted, &settings.project, &options, &|what| progress.at(what)))?;
    tell(&outcomes, settings)?;
    Ok(outcomes)
}

/// Tells log and watch of runs that ended.
pub fn tell(outcomes: &[Outcome], settings: &Settings) -> Result<()> {
    for Outcome { manifest, unchanged, reused, .. } in outcomes {
        let what = if *unchanged { "unchanged" } else { "run committed" };
        tracing::info!(run = manifest.run_id, seconds = manifest.seconds, reused = reused.len(), "{what}");
        reused.iter().filter(|_| !unchanged).for_each(|table| tracing::info!(run = manifest.run_id, node = table, "reused"));
    }
    if let Some(watch) = &settings.watch {
        watch.ran(&current_load(&settings.restricted)?.1, outcomes);
    }
    Ok(())
}

/// What a run would do, view by view.
fn plan(args: &RunArgs, settings: &Settings) -> Result<String> {
    let options = options(args, settings)?;
    let plans = block_on(settings, explain_plan(&settings.restricted, &settings.project, &options))?;
    let mut text = String::new();
    for (id, lines) in plans {
        text += &format!("{}{id}\n", if text.is_empty() { "" } else { "\n" });
        let width = lines.iter().map(|(view, ..)| view.len()).max().unwrap_or(0);
        lines.iter().for_each(|(view, what, why)| text += &format!("  {what:<6} {view:<width$}  {why}\n"));
    }
    Ok(text)
}
