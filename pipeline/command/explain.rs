//! `perkins explain`.

use super::{Progress, block_on, print};
use crate::cli::{Settings, YearFlags};
use crate::error::{Error, Result};
use crate::explain::{Question, ask, text};
use crate::run::manifest::Manifest;

/// Flags of `perkins explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The student's id, as in the collections
    #[arg(long, value_name = "ID")]
    student: String,
    /// Report years.
    #[command(flatten)]
    years: YearFlags,
    /// Only this indicator, such as 1S1; may be given several times [default: all that are reported]
    #[arg(long = "indicator", value_name = "INDICATOR")]
    indicators: Vec<String>,
    /// Jurisdiction [default: PERKINS_JURISDICTION, perkins.toml, or that of the current run]
    #[arg(long, value_name = "NAME")]
    jurisdiction: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = super::status::Form::Text)]
    format: super::status::Form,
}

/// Says why a student counts, or does not.
pub fn main(args: &ExplainArgs, settings: &Settings) -> Result<()> {
    let question = Question {
        student_id: args.student.trim().to_string(),
        jurisdiction: jurisdiction(args, settings)?,
        report_years: args.years.years(),
        indicators: args.indicators.clone(),
        partitions: settings.partitions,
        memory_limit: settings.memory_limit.clone(),
    };
    let progress = Progress::start(settings);
    progress.at("looking at the student's rows");
    let answers = block_on(settings, ask(&settings.restricted, &settings.project, &question))?;
    drop(progress);
    print(&match args.format {
        super::status::Form::Text => answers.iter().map(text).collect::<Vec<_>>().join("\n\n"),
        super::status::Form::Json => serde_json::to_string_pretty(&answers).map_err(|e| Error::internal("the answer as JSON", e))? + "\n",
    })
}

/// The jurisdiction asked for, else that of the current run.
fn jurisdiction(args: &ExplainArgs, settings: &Settings) -> Result<String> {
    let of_run = || -> Option<Manifest> {
        let commit = crate::commit::current(&settings.restricted).ok()??;
        crate::run::read_json(&settings.restricted, &commit.run(None)?.manifest).ok()
    };
    match args.jurisdiction.as_deref().or(settings.jurisdictions.first().map(String::as_str)) {
        Some(jurisdiction) => Ok(jurisdiction.to_string()),
        None => of_run().map_or_else(|| settings.jurisdiction(None), |m| Ok(m.jurisdiction)),
    }
}
