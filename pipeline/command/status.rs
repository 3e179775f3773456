//! `perkins status`.

use crate::cli::Settings;
use crate::error::{Error, Result};

/// Flags of `perkins status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {}

/// Does it.
pub fn main(_: &StatusArgs, _: &Settings) -> Result<()> {
    Err(Error::bug("not built yet"))
}
