//! `perkins ingest`.

use super::{Progress, block_on, grouped, print};
use crate::cli::Settings;
use crate::commit::{self, Commit, Pointer};
use crate::error::{Error, Result};
use crate::ingest::{Options, ingest};
use crate::jurisdiction::BASE;
use crate::lake::Load;
use crate::mapping::Mapping;
use crate::root::Root;
use crate::run::{check, read_json};
use crate::store;
use std::path::PathBuf;

/// Flags of `perkins ingest`.
#[derive(Debug, Clone, clap::Args)]
pub struct IngestArgs {
    /// Folder with the raw collections: <collection>.csv or <collection>/*.csv, also .gz and .zst
    #[arg(value_name = "RAW_DIR")]
    pub raw: PathBuf,
    /// Share of a collection's rows that may be rejected (more than ten rows must be)
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    pub max_reject_rate: f64,
    /// Mapping of files in a foreign layout: a TOML file, or the name of one that ships; may be given several times [default: mapping in
    /// perkins.toml]
    #[arg(long, value_name = "FILE|NAME")]
    pub mapping: Vec<String>,
}

/// Ingests and says what came in.
pub fn main(args: &IngestArgs, settings: &Settings) -> Result<()> {
    let _lock = commit::lock(&settings.restricted, "ingest")?;
    let (load, unchanged) = load(args, settings)?;
    print(&summary(&load, unchanged, &settings.restricted))
}

/// Ingests a raw folder and commits the load, unless it is the current one already.
pub fn load(args: &IngestArgs, settings: &Settings) -> Result<(Load, bool)> {
    settings.watch.iter().for_each(|w| w.begins("load"));
    let (load, unchanged) = read(args, settings)?;
    settings.watch.iter().for_each(|w| w.loaded(&args.raw, &load, unchanged));
    Ok((load, unchanged))
}

fn read(args: &IngestArgs, settings: &Settings) -> Result<(Load, bool)> {
    let progress = Progress::start(settings);
    progress.at("reading the raw collections");
    if !(0.0..=1.0).contains(&args.max_reject_rate) {
        return Err(Error::Config(format!("--max-reject-rate {} must be a share from 0 to 1", args.max_reject_rate)));
    }
    let root = &settings.restricted;
    store::create_folder(root)?;
    let contracts = settings.project.contracts()?;
    let before = commit::current(root)?;
    let previous: Option<Load> = match before.as_ref().and_then(|c| c.load.as_ref()) {
        Some(pointer) => Some(read_json(root, &pointer.manifest)?),
        None => None,
    };
    let names = if args.mapping.is_empty() { &settings.mappings } else { &args.mapping };
    let mappings = Mapping::load_all(names, &settings.project, &contracts)?;
    let options = Options { partitions: settings.partitions, max_reject_rate: args.max_reject_rate, mappings, ..Options::default() };
    let outcome = ingest(&args.raw, &contracts, previous.as_ref(), root, &options)?;
    if outcome.unchanged {
        return Ok((outcome.load, true));
    }
    progress.at("looking at the data across years");
    let mut load = outcome.load;
    let jurisdiction = settings.jurisdictions.first().map_or(BASE, String::as_str);
    load.warnings.extend(block_on(settings, check::findings(root, &settings.project, &load, jurisdiction, settings.partitions))?);
    let folder = root.join("loads").join(&load.load_id);
    let text = serde_json::to_vec_pretty(&load).map_err(|e| Error::internal("the load as JSON", e))?;
    let manifest = store::write_whole(root, &folder.join("manifest.json"), &text)?;
    let pointer = Pointer { id: load.load_id.clone(), manifest: manifest.path, blake3: manifest.blake3 };
    commit::create(root, Commit { load: Some(pointer), ..before.unwrap_or_default() })?;
    tracing::info!(load = load.load_id, "load committed");
    Ok((load, false))
}

/// What came in, for people: counts by collection, and warnings.
pub fn summary(load: &Load, unchanged: bool, root: &Root) -> String {
    let mut text = format!("{:<24}{:>14}{:>14}{:>12}{:>10}\n", "collection", "rows read", "accepted", "duplicates", "rejected");
    for c in &load.collections {
        text += &format!(
            "{:<24}{:>14}{:>14}{:>12}{:>10}\n",
            c.collection,
            grouped(c.read),
            grouped(c.accepted),
            grouped(c.duplicates),
            grouped(c.rejected)
        );
    }
    for w in &load.warnings {
        let examples = match w.examples.join(", ") {
            none if none.is_empty() => String::new(),
            _ if w.restricted => format!(" (which, in {})", root.shown(&root.join("loads").join(&load.load_id).join("manifest.json"))),
            some => format!(" (such as {some})"),
        };
        text += &format!(
            "warning: {}{}: {}{examples}\n",
            w.collection.as_ref().map(|c| format!("{c}, ")).unwrap_or_default(),
            w.check,
            grouped(w.count)
        );
    }
    if load.collections.iter().any(|c| c.rejected > 0) {
        let reject = load.reject.as_ref().map(|r| root.shown(&root.join(&r.path))).unwrap_or_default();
        text += &format!("rejected rows, with file, line and reason: {reject}\n");
    }
    text + &if unchanged { format!("load {}: unchanged\n", load.load_id) } else { format!("load {}\n", load.load_id) }
}
