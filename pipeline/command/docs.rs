//! `perkins docs`.

use super::{block_on, print};
use crate::cli::Settings;
use crate::docs::{Form, differences, lineage, pages, write};
use crate::error::{Error, Result};
use crate::jurisdiction::BASE;
use std::path::PathBuf;

/// Flags of `perkins docs`.
#[derive(Debug, clap::Args)]
pub struct DocsArgs {
    /// Folder of the pages
    #[arg(long, value_name = "DIR", default_value = "docs")]
    out: PathBuf,
    /// Write nothing; fail if the pages in the folder are not what would be written
    #[arg(long, conflicts_with = "lineage")]
    check: bool,
    /// Write nothing; show which view reads which
    #[arg(long)]
    lineage: bool,
    /// Form of the graph
    #[arg(long, value_enum, default_value_t = Form::Text, requires = "lineage")]
    format: Form,
    /// Jurisdiction of the graph
    #[arg(long, value_name = "NAME", default_value = BASE, requires = "lineage")]
    jurisdiction: String,
}

/// Writes or checks the pages, or shows the graph.
pub fn main(args: &DocsArgs, settings: &Settings) -> Result<()> {
    if args.lineage {
        return print(&lineage(&settings.project, &args.jurisdiction, args.format)?);
    }
    let pages = block_on(settings, pages(&settings.project))?;
    let folder = args.out.display();
    if !args.check {
        let changed = write(&args.out, &pages)?;
        return print(&format!("{} pages in {folder}, {} changed\n", pages.len(), changed.len()));
    }
    let found = differences(&args.out, &pages)?;
    if found.is_empty() {
        return print(&format!("{} pages in {folder} are up to date\n", pages.len()));
    }
    print(&found.iter().map(|(path, how)| format!("{folder}/{path}: {how}\n")).collect::<String>())?;
    Err(Error::Data(format!("{} pages are not up to date; run `perkins docs --out {folder}`", found.len())))
}
