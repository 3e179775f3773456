//! `perkins gc`.

use super::{grouped, print};
use crate::cli::Settings;
use crate::commit;
use crate::error::{Error, Result};
use crate::gc::{Options, plan};
use std::time::{Duration, SystemTime};

/// Flags of `perkins gc`.
#[derive(Debug, clap::Args)]
pub struct GcArgs {
    /// Runs to keep: the newest that were current, with the loads that they read; the current one and those of closed report years always
    /// stay
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: u32,
    /// Hours for which everything stays that was current or was written
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    grace: u32,
    /// Remove nothing: say what would go
    #[arg(long)]
    dry_run: bool,
}

/// Removes what nothing needs any more.
pub fn main(args: &GcArgs, settings: &Settings) -> Result<()> {
    let (restricted, public) = (&settings.restricted, &settings.public);
    if commit::numbers(restricted)?.is_empty() && !restricted.is_dir() {
        let what = "nothing was ever loaded here; name another folder with --restricted";
        return Err(Error::NoLake(format!("{}: {what}", restricted.display())));
    }
    let _lock = commit::lock(restricted, "gc")?;
    let _public = (public != restricted && (public.is_mirror() || public.exists())).then(|| commit::lock(public, "gc")).transpose()?;
    let grace = Duration::from_secs(u64::from(args.grace) * 3600);
    let since = SystemTime::now().checked_sub(grace).ok_or_else(|| Error::Config(format!("--grace {}: too many hours", args.grace)))?;
    let plan = plan(restricted, public, Options { keep: args.keep as usize, since })?;
    let freed = plan.freed();
    let would = if args.dry_run { "would remove" } else { "removed" };
    let mut text = String::new();
    for item in &plan.items {
        text += &format!("{would} {}: {} files, {} bytes\n", item.name, grouped(item.files.len() as u64), grouped(item.bytes));
    }
    if plan.shown_before > 0 {
        text += &format!(
            "{} former releases stay: what they showed is shown nowhere else, and later releases are protected against it\n",
            plan.shown_before
        );
    }
    if !args.dry_run {
        plan.remove()?;
    }
    tracing::info!(items = plan.items.len(), bytes = freed, dry_run = args.dry_run, "old files");
    print(&(text + &format!("{would} {} bytes in all\n", grouped(freed))))
}
