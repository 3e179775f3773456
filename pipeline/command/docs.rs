//! `perkins docs`.

use crate::cli::Settings;
use crate::error::{Error, Result};

/// Flags of `perkins docs`.
#[derive(Debug, clap::Args)]
pub struct DocsArgs {}

/// Does it.
pub fn main(_: &DocsArgs, _: &Settings) -> Result<()> {
    Err(Error::bug("not built yet"))
}
