//! `perkins ingest`.

use super::{Progress, block_on, grouped, print};
use crate::cli::Settings;
use crate::commit::{self, Commit, Pointer};
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::history;
use crate::ingest::limit::ROOM_BYTES;
use crate::ingest::locate::{Wanted, locate};
use crate::ingest::same::is_same;
use crate::ingest::source::find;
use crate::ingest::{Options, Outcome, ingest};
use crate::intake::{Change, Changes, titles};
use crate::jurisdiction::BASE;
use crate::lake::{At, LOADS, Load};
use crate::mapping::Mapping;
use crate::quality::{self, Found, Quality, table};
use crate::root::Root;
use crate::run::check::{self, Look};
use crate::run::read_json;
use crate::store;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Flags of `perkins ingest`.
#[derive(Debug, Clone, clap::Args)]
pub struct IngestArgs {
    /// Folder with the raw collections: <collection>.csv, .tsv, .ndjson (each also with .gz or .zst), .parquet or .xlsx, or <collection>/ with any of
    /// them
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
    let root = &settings.restricted;
    store::create_folder(root)?;
    let before = commit::current(root)?;
    let previous = previous(root, before.as_ref())?;
    let examined = match examine(args, settings, root, previous.as_ref(), Options::default())? {
        Examined::Same(load) => return Ok((*load, true)),
        Examined::New(new) => new,
    };
    let New { mut load, quality, failure, .. } = *examined;
    load.failed.clone_from(&failure);
    commit_load(&mut load, &quality, before.unwrap_or_default(), root)?;
    failure.map_or(Ok((load, false)), |failure| Err(Error::Data(failure)))
}

/// Writes the tables of quality and the manifest of a load, and makes it current, unless it failed: then its record stays, for `perkins status`,
/// until `perkins gc` removes it.
pub fn commit_load(load: &mut Load, quality: &Quality, before: Commit, root: &Root) -> Result<()> {
    let folder = root.join(LOADS).join(&load.load_id);
    load.companions = quality.write(root, &folder.join(table::FOLDER))?;
    let text = serde_json::to_vec_pretty(load).map_err(|e| Error::internal("the load as JSON", e))?;
    let manifest = store::write_whole(root, &folder.join("manifest.json"), &text)?;
    if load.failed.is_none() {
        let pointer = Pointer { id: load.load_id.clone(), manifest: manifest.path, blake3: manifest.blake3 };
        commit::create(root, Commit { load: Some(pointer), ..before })?;
        tracing::info!(load = load.load_id, "load committed");
    }
    Ok(())
}

/// The current load of a root.
pub fn previous(root: &Root, commit: Option<&Commit>) -> Result<Option<Load>> {
    commit.and_then(|c| c.load.as_ref()).map(|pointer| read_json(root, &pointer.manifest)).transpose()
}

/// What came of reading a raw folder.
pub enum Examined {
    /// It is what was loaded before.
    Same(Box<Load>),
    /// It is something new.
    New(Box<New>),
}

/// A load that is not committed.
pub struct New {
    /// The load.
    pub load: Load,
    /// What the checks found.
    pub quality: Quality,
    /// Why it must not be committed.
    pub failure: Option<String>,
    /// When a change of rows from year to year is told.
    pub row_count: Change,
}

/// Reads a raw folder into a root, which has the files of the `previous` load, and looks at it; nothing is committed. The options
/// may say what is to go.
pub fn examine(args: &IngestArgs, settings: &Settings, root: &Path, previous: Option<&Load>, options: Options) -> Result<Examined> {
    let progress = Progress::start(settings);
    progress.at("reading the raw collections");
    if !(0.0..=1.0).contains(&args.max_reject_rate) {
        return Err(Error::Config(format!("--max-reject-rate {} must be a share from 0 to 1", args.max_reject_rate)));
    }
    refuse_roots_inside(&args.raw, settings)?;
    let commit = commit::current(&settings.restricted)?.unwrap_or_default();
    let contracts = settings.project.contracts()?;
    let jurisdiction = settings.jurisdictions.first().map_or(BASE, String::as_str);
    let names = if args.mapping.is_empty() { &settings.mappings } else { &args.mapping };
    let mappings = Mapping::load_all(names, &settings.project, &contracts)?;
    let mapped: String = mappings.iter().map(|m| format!(" {} {}", m.name, m.blake3)).collect();
    let made_with = format!("{} {} {jurisdiction}{mapped}", crate::VERSION, settings.project.hash_of_load()?);
    let changes = Changes::of(&settings.project)?;
    let options = Options {
        partitions: settings.partitions,
        max_reject_rate: args.max_reject_rate,
        made_with: blake3::hash(made_with.as_bytes()).to_hex().to_string(),
        previous_at: commit.load.as_ref().map(|p| history::loaded_at(&settings.restricted, p)).transpose()?.unwrap_or_default(),
        room_bytes: settings.memory_limit.as_ref().map_or(ROOM_BYTES, |limit| (limit.bytes as u64 / 8).min(ROOM_BYTES)),
        fewer_rows: options.removed.is_none().then_some(changes.fewer_rows),
        lone_year: Some(changes.lone_year),
        mappings,
        ..options
    };
    if let Some(previous) = previous
        && is_same(&args.raw, &contracts, previous, &options)?
    {
        return Ok(Examined::Same(Box::new(previous.clone())));
    }
    let Outcome { mut load, unchanged, rejected, failure, .. } = ingest(&args.raw, &contracts, previous, root, &options)?;
    if unchanged && failure.is_none() {
        return Ok(Examined::Same(Box::new(load)));
    }
    progress.at("looking at the data across years");
    let look =
        block_on(settings, check::look(root, &settings.project, &load, jurisdiction, settings.partitions, settings.memory_limit.as_ref()))?;
    let places = places(&args.raw, &contracts, &look, &options)?;
    load.warnings.extend(quality::warnings(&look, &places));
    let found = Found { rejected: &rejected, look, places: &places, titles: &titles(&settings.project)? };
    let quality = Quality::new(&contracts, &load, found);
    Ok(Examined::New(Box::new(New { load, quality, failure, row_count: changes.row_count })))
}

/// What is written must not lie where raw files are read.
fn refuse_roots_inside(raw: &Path, settings: &Settings) -> Result<()> {
    let real = |path: &Path| path.ancestors().find_map(|p| Some((p.canonicalize().ok()?, path.strip_prefix(p).ok()?.to_path_buf())));
    let Ok(raw) = raw.canonicalize() else { return Ok(()) };
    for (name, root) in [("restricted", &settings.restricted), ("public", &settings.public)] {
        if real(root).is_some_and(|(there, rest)| there.join(rest).starts_with(&raw)) {
            let raw = raw.display();
            return Err(Error::Config(format!(
                "the {name} root {} lies in the raw folder {raw}; name another with --{name}",
                root.display()
            )));
        }
    }
    Ok(())
}

/// Where the examples lie that checks of the lake found.
fn places(raw: &Path, contracts: &Contracts, look: &Look, options: &Options) -> Result<BTreeMap<String, Vec<Option<At>>>> {
    let mut places = BTreeMap::new();
    // Rows that were taken out come from no raw file.
    if options.removed.is_some() || look.checks.iter().all(|c| c.examples.is_empty()) {
        return Ok(places);
    }
    let found = find(raw, contracts, &options.mappings)?;
    for check in look.checks.iter().filter(|c| !c.examples.is_empty()) {
        let Some(contract) = check.collection.as_ref().and_then(|name| contracts.get(name)) else { continue };
        let Some(sources) = found.collections.get(&contract.name) else { continue };
        let fields = |row: &Vec<(String, String)>| row.iter().filter(|(f, _)| contract.index(f).is_some()).cloned().collect();
        let wanted: Vec<Wanted> = check.examples.iter().map(fields).collect();
        places.insert(check.check.clone(), locate(contract, sources, &wanted, options.chunk_bytes)?);
    }
    Ok(places)
}

/// What came in by collection, for people.
pub fn rows_text(load: &Load) -> String {
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
    text
}

/// What came in, for people: counts by collection, and warnings.
pub fn summary(load: &Load, unchanged: bool, root: &Root) -> String {
    let mut text = rows_text(load);
    for w in &load.warnings {
        let places: Vec<String> = w.at.iter().flatten().map(|at| at.to_string()).collect();
        // Students are named by the place where they stand only.
        let shown = if w.restricted { places } else { w.examples.clone() };
        let examples = if shown.is_empty() { String::new() } else { format!(" (such as {})", shown.join(", ")) };
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
    let table = load.companions.first().map(|c| root.shown(&root.join(&c.path)));
    text += &table.map(|table| format!("checks, with counts and examples: {table}\n")).unwrap_or_default();
    text + &if unchanged { format!("load {}: unchanged\n", load.load_id) } else { format!("load {}\n", load.load_id) }
}
