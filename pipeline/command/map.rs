//! `perkins map`.

use super::print;
use crate::cli::Settings;
use crate::error::Result;
use crate::intake::Words;
use crate::mapping::Mapping;
use crate::mapping::propose::propose;
use std::path::PathBuf;

/// Flags of `perkins map`.
#[derive(Debug, clap::Args)]
pub struct MapArgs {
    /// The file, in any format that `perkins ingest` reads but fixed places
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Collection to propose; may be given several times [default: the one that the file is most like]
    #[arg(long, value_name = "NAME")]
    collection: Vec<String>,
    /// What stands between the fields: a character, or tab [default: what the first line has most of]
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,
}

/// Prints the proposal.
pub fn main(args: &MapArgs, settings: &Settings) -> Result<()> {
    let contracts = settings.project.contracts()?;
    let shipped = settings.project.mappings()?;
    let names: Vec<String> = shipped.keys().filter_map(|k| k.strip_suffix(".toml").map(str::to_string)).collect();
    let mappings = Mapping::load_all(&names, &settings.project, &contracts)?;
    print(&propose(&args.file, &contracts, &mappings, Words::of(&settings.project)?, &args.collection, args.delimiter.as_deref())?)
}
