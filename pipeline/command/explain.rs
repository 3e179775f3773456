//! `perkins explain`.

use crate::cli::Settings;
use crate::error::{Error, Result};

/// Flags of `perkins explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {}

/// Does it.
pub fn main(_: &ExplainArgs, _: &Settings) -> Result<()> {
    Err(Error::bug("not built yet"))
}
