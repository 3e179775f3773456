//! `perkins verify`.

use crate::cli::Settings;
use crate::error::{Error, Result};

/// Flags of `perkins verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {}

/// Does it.
pub fn main(_: &VerifyArgs, _: &Settings) -> Result<()> {
    Err(Error::bug("not built yet"))
}
