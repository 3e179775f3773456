//! `perkins synth`.

use super::{grouped, print};
use crate::cli::{Settings, parse_years};
use crate::error::Result;
use crate::jurisdiction::BASE;
use crate::synth::{Options, synth};
use std::path::PathBuf;

/// Flags of `perkins synth`.
#[derive(Debug, clap::Args)]
pub struct SynthArgs {
    /// Students in each school year, of all levels
    #[arg(long, default_value_t = 5000)]
    students: u64,
    /// School years, both ends included
    #[arg(long, value_name = "FIRST..LAST", default_value = "2019..2024", value_parser = parse_years)]
    years: (i32, i32),
    /// Another seed gives another state
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Jurisdiction whose collections, ids, targets and proportions to follow
    #[arg(long, default_value = BASE)]
    jurisdiction: String,
    /// Folder for the raw collections; must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Files of a collection in each school year
    #[arg(long, value_name = "N", default_value_t = 1)]
    files_per_collection: usize,
    /// Share of rows to break, such as 0.005
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    dirt: f64,
    /// Also write a target collection, with some grantees' own levels
    #[arg(long)]
    targets: bool,
}

/// Makes raw collections and says what it made.
pub fn main(args: &SynthArgs, settings: &Settings) -> Result<()> {
    let summary = synth(&Options {
        students: args.students,
        first_year: args.years.0,
        last_year: args.years.1,
        seed: args.seed,
        jurisdiction: args.jurisdiction.clone(),
        out: args.out.clone(),
        files_per_collection: args.files_per_collection,
        dirt: args.dirt,
        targets: args.targets,
        threads: settings.partitions,
    })?;
    let mut text = format!("{:<24}{:>6}{:>14}{:>16}\n", "collection", "files", "rows", "bytes");
    for (collection, (files, rows, bytes)) in summary.by_collection() {
        text += &format!("{collection:<24}{files:>6}{:>14}{:>16}\n", grouped(rows), grouped(bytes));
    }
    text += &format!("\n{} rows in {out}; next: perkins all {out}\n", grouped(summary.rows()), out = args.out.display());
    print(&text)
}
