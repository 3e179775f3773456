//! `perkins jurisdiction`.

mod text;

use super::status::Form;
use super::{Progress, Scratch, answer, block_on, ingest};
use crate::cli::Settings;
use crate::compare::{Comparison, Ground, compare};
use crate::describe::{Description, describe};
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::lake::Load;
use crate::root::Root;
use crate::run::{current_load, requested_years};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Flags of `perkins jurisdiction`.
#[derive(Debug, clap::Args)]
pub struct JurisdictionArgs {
    /// What to show.
    #[command(subcommand)]
    command: JurisdictionCommand,
}

/// What there is to show.
#[derive(Debug, clap::Subcommand)]
enum JurisdictionCommand {
    /// List the jurisdictions, with how much each sets itself
    List(ListArgs),
    /// Show every rule of a jurisdiction with its authority, the views that it replaces or adds, and its default collections
    Show(ShowArgs),
    /// Show what differs between two jurisdictions: rules, views, and the figures over the same data
    Diff(DiffArgs),
}

/// Flags of `perkins jurisdiction list`.
#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// Flags of `perkins jurisdiction show`.
#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The jurisdiction
    #[arg(value_name = "NAME")]
    id: String,
    /// Only the rule values of this report year [default: all, with their years]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1990..=2100))]
    report_year: Option<i32>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// Flags of `perkins jurisdiction diff`.
#[derive(Debug, clap::Args)]
struct DiffArgs {
    /// A jurisdiction
    #[arg(value_name = "A")]
    a: String,
    /// The one to compare it with
    #[arg(value_name = "B")]
    b: String,
    /// Folder with raw collections to compare figures over; they are read into a folder that is thrown away [default: the current lake]
    #[arg(value_name = "RAW_DIR")]
    raw: Option<PathBuf>,
    /// The report year to compare [default: the latest school year of the data]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1990..=2100))]
    report_year: Option<i32>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// Shows what was asked for.
pub fn main(args: &JurisdictionArgs, settings: &Settings) -> Result<()> {
    match &args.command {
        JurisdictionCommand::List(args) => answer(args.format, &list(settings)?, |all| text::list(all)),
        JurisdictionCommand::Show(args) => {
            let description = describe(&settings.project, &args.id, args.report_year)?;
            answer(args.format, &description, |d| text::show(d, args.report_year))
        }
        JurisdictionCommand::Diff(args) => answer(args.format, &diff(args, settings)?, text::diff),
    }
}

fn list(settings: &Settings) -> Result<Vec<Description>> {
    Jurisdiction::list(&settings.project)?.iter().map(|id| describe(&settings.project, id, None)).collect()
}

fn diff(args: &DiffArgs, settings: &Settings) -> Result<Comparison> {
    let ids = [args.a.as_str(), args.b.as_str()];
    // A wrong jurisdiction is said before anything is read.
    ids.iter().try_for_each(|id| Jurisdiction::load(&settings.project, id).map(|_| ()))?;
    let scratch = Scratch::new(&settings.restricted);
    let Some((root, load)) = data(args, settings, &scratch)? else {
        return compare(&settings.project, ids, args.report_year.unwrap_or_default());
    };
    let years = requested_years(&settings.project, &load, &args.report_year.into_iter().collect::<BTreeSet<_>>())?;
    let report_year = years.last().copied().ok_or_else(|| Error::bug("no report year"))?;
    let mut comparison = compare(&settings.project, ids, report_year)?;
    let ground = Ground {
        root: &root,
        load: &load,
        scratch: &scratch.0,
        partitions: settings.partitions,
        memory_limit: settings.memory_limit.clone(),
    };
    let progress = Progress::start(settings);
    comparison.figures = Some(block_on(settings, ground.figures(&settings.project, &comparison, &|what| progress.at(what)))?);
    Ok(comparison)
}

/// The lake to compare over: of the raw folder, else the current one. Without either, rules and views of a stated year can still be compared.
fn data(args: &DiffArgs, settings: &Settings, scratch: &Scratch) -> Result<Option<(Root, Load)>> {
    if let Some(raw) = &args.raw {
        let settings = Settings { restricted: Root::from(scratch.0.clone()), ..settings.clone() };
        let max_reject_rate = crate::ingest::Options::default().max_reject_rate;
        let loaded =
            ingest::load(&ingest::IngestArgs { raw: raw.clone(), max_reject_rate, mapping: Vec::new() }, &settings).map_err(|e| match e {
                Error::Data(what) => {
                    Error::Data(format!("{what}\n(nothing was kept; `perkins ingest {}` keeps the rejected rows)", raw.display()))
                }
                other => other,
            });
        return Ok(Some((Root::from(scratch.0.clone()), loaded?.0)));
    }
    match current_load(&settings.restricted) {
        Ok((_, load)) => Ok(Some((settings.restricted.clone(), load))),
        Err(Error::NoLake(_)) if args.report_year.is_some() => Ok(None),
        Err(Error::NoLake(what)) => {
            Err(Error::NoLake(format!("{what}; or name a RAW_DIR to compare over, or a --report-year to compare only rules and views")))
        }
        Err(other) => Err(other),
    }
}
