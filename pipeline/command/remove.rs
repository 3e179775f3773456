//! `perkins remove`.

use super::ingest::{Examined, IngestArgs, New, commit_load, examine, previous};
use super::{Scratch, grouped, print};
use crate::cli::Settings;
use crate::commit;
use crate::error::{Error, Result};
use crate::ingest::Options;
use crate::lake::{LakeFile, Removed};
use crate::remove::{What, without};
use std::collections::BTreeMap;

/// Flags of `perkins remove`.
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// A collection that others refer to, such as institution, program or student; with --year any that is divided by a year
    #[arg(value_name = "COLLECTION")]
    collection: String,
    /// The identifier whose rows go, with all that refer to them
    #[arg(value_name = "ID", required_unless_present = "year")]
    id: Option<String>,
    /// The year whose rows go, such as a mistyped one, with all that refer to what is then gone
    #[arg(long, value_name = "YEAR", conflicts_with = "id")]
    year: Option<i32>,
    /// Why; it is kept with the load
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Keep everything: say how many rows would go
    #[arg(long)]
    dry_run: bool,
}

/// Takes rows out of the lake, as a load of its own.
pub fn main(args: &RemoveArgs, settings: &Settings) -> Result<()> {
    if args.reason.trim().is_empty() {
        return Err(Error::Config("--reason must say why the rows are removed; it is kept with the load".into()));
    }
    let root = &settings.restricted;
    let before = commit::current(root)?;
    let Some(load) = previous(root, before.as_ref())? else {
        return Err(Error::NoLake(format!("nothing was loaded under {}; name another folder with --restricted", root.display())));
    };
    let _lock = (!args.dry_run).then(|| commit::lock(root, "remove")).transpose()?;
    let scratch = Scratch::new(root);
    let id = args.id.clone().unwrap_or_default();
    let what = args.year.map_or(What::Id(&id), What::Year);
    let removal = without(root, &settings.project.contracts()?, &load, &args.collection, what, &scratch.0)?;
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    removal.rows.iter().for_each(|((collection, _), n)| *rows.entry(collection.clone()).or_default() += n);
    let mut text: String = rows.iter().map(|(collection, n)| format!("{collection:<24}{:>14} rows\n", grouped(*n))).collect();
    if args.dry_run {
        return print(&(text + "would be removed\n"));
    }
    // Rows that refer to an earlier year's row which is gone go too: that is no fault of a file.
    let again = IngestArgs { raw: scratch.0.clone(), max_reject_rate: 1.0, mapping: vec![] };
    let removed = Removed { collection: args.collection.clone(), id: id.clone(), year: args.year, reason: args.reason.trim().into(), rows };
    let options = Options { emptied: removal.emptied.clone(), removed: Some(removed), ..Options::default() };
    let New { load: mut new, quality, .. } = match examine(&again, settings, root, Some(&load), options)? {
        Examined::New(new) => *new,
        Examined::Same(_) => return Err(Error::bug("the lake is the same without rows that it has")),
    };
    let is_rewritten = |f: &LakeFile| removal.rows.contains_key(&(f.collection.clone(), f.partition));
    for file in new.files.iter_mut().filter(|f| is_rewritten(f)) {
        let was = load.files.iter().find(|w| w.collection == file.collection && w.partition == file.partition);
        was.iter().for_each(|was| file.inputs.clone_from(&was.inputs));
    }
    // Its files were ours, and nobody's raw files.
    new.inputs.clear();
    let left: u64 = new.collections.iter().map(|c| c.rejected).sum();
    new.collections.clear();
    commit_load(&mut new, &quality, before.unwrap_or_default(), root)?;
    text += &format!("removed: load {}\n", new.load_id);
    for orphans in new.warnings.iter().filter(|w| w.check == "orphaned_rows") {
        let of = orphans.collection.as_deref().unwrap_or_default();
        text += &format!("warning: {of}, orphaned_rows: {} ({})\n", grouped(orphans.count), orphans.examples.join("; "));
    }
    if left > 0 {
        text += &format!(
            "{} rows more went because they refer to what is gone: `perkins query \"select * from quality.reject\"`\n",
            grouped(left)
        );
    }
    text += "`perkins run` computes without them; a later load of files that still have them brings them back.\n";
    text += "Former loads and runs keep them until `perkins gc`; identifiers keep their numbers in lake/_key.\n";
    print(&text)
}
