//! A run: from the current load to committed result tables of the report years asked for.

pub mod check;
pub mod companion;
pub mod manifest;
pub mod output;
pub mod parameter;
pub mod relation;
pub mod result;
pub mod stage;

use crate::catalog::{Catalog, Earlier, Layer};
use crate::commit::{self, Commit, Pointer};
use crate::contract::Contracts;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::lake::{LakeFile, Load};
use crate::project::Project;
use crate::store;
use manifest::Manifest;
use parameter::Years;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The field by which collections of students are divided.
const SCHOOL_YEAR: &str = "school_year";

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Jurisdiction, such as `oregon`.
    pub jurisdiction: String,
    /// Report years asked for; none: the latest school year of the lake.
    pub report_years: BTreeSet<i32>,
    /// Output tables to write; none: all.
    pub tables: Vec<String>,
    /// Threads.
    pub partitions: usize,
    /// Bytes of memory for the engine; none: as much as it takes.
    pub memory_limit: Option<usize>,
}

/// What a run made.
#[derive(Debug)]
pub struct Outcome {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its folder.
    pub folder: PathBuf,
    /// The commit that made it current.
    pub commit: Commit,
}

/// The load that is current, from its manifest.
pub fn current_load(root: &Path) -> Result<(Commit, Load)> {
    let none = || {
        Error::NoLake(format!(
            "there is no lake under {}; run `perkins ingest RAW_DIR` first, or name another folder with --restricted",
            root.display()
        ))
    };
    let commit = commit::current(root)?.ok_or_else(none)?;
    let pointer = commit.load.clone().ok_or_else(none)?;
    Ok((commit, read_json(root, &pointer.manifest)?))
}

/// Reads a JSON file below a root.
pub fn read_json<T: serde::de::DeserializeOwned>(root: &Path, path: &str) -> Result<T> {
    let path = root.join(path);
    let text = std::fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
    serde_json::from_slice(&text).map_err(|e| Error::internal(format!("{} is not what this version wrote", path.display()), e))
}

/// A session over the lake with everything registered that views may refer to, and the views.
pub struct Prepared {
    /// The engine.
    pub engine: Arc<Engine>,
    /// The jurisdiction.
    pub jurisdiction: Jurisdiction,
    /// All views, the generated ones too.
    pub catalog: Catalog,
    /// The report years.
    pub years: Years,
    /// What was registered from files.
    pub registered: relation::Registered,
    /// The output tables to write, in order.
    pub outputs: Vec<String>,
    /// BLAKE3 of each file of the overlay folders.
    pub overlays: BTreeMap<String, String>,
}

/// Registers the lake, rules and views of a jurisdiction for some report years.
pub async fn prepare(root: &Path, load: &Load, project: &Project, options: &Options) -> Result<Prepared> {
    let contracts = project.contracts()?;
    let jurisdiction = Jurisdiction::load(project, &options.jurisdiction)?;
    let mut catalog = Catalog::load(project, &options.jurisdiction)?;
    let engine = Arc::new(Engine::new(options.partitions, options.memory_limit)?);
    let registered = relation::register(&engine, project, &contracts, &jurisdiction, root, load)?;
    let outputs = chosen_outputs(&catalog, &options.tables)?;
    let requested = requested_years(&contracts, load, &options.report_years)?;
    let years = computed_years(&engine, &catalog, &outputs, requested).await?;
    parameter::register_years(&engine, &jurisdiction, &years)?;
    register_groups(&engine, &mut catalog, &contracts).await?;
    parameter::register_indicators(&engine, &mut catalog, &jurisdiction, &years.all(), &registered.group_codes)?;
    Ok(Prepared { engine, jurisdiction, catalog, years, registered, outputs, overlays: project.overlay_hashes()? })
}

/// Registers the student groups, found in the columns of the view that lists them.
pub async fn register_groups(engine: &Engine, catalog: &mut Catalog, contracts: &Contracts) -> Result<()> {
    let population = parameter::population_view(catalog)?.clone();
    // Its columns are the groups, and only its staging views are needed to know them.
    for view in catalog.in_order(&[&population.name])?.into_iter().filter(|v| v.layer == Layer::Staging) {
        engine.register_inline(view).await?;
    }
    let schema = engine.schema(&population).await?;
    parameter::register_groups(engine, catalog, contracts, &schema)?;
    Ok(())
}

fn chosen_outputs(catalog: &Catalog, tables: &[String]) -> Result<Vec<String>> {
    let all: Vec<String> = catalog.outputs().iter().map(|v| v.name.clone()).collect();
    match tables.iter().find(|t| !all.contains(t)) {
        Some(unknown) => Err(Error::Config(format!("there is no output table {unknown:?}; there are: {}", all.join(", ")))),
        None if tables.is_empty() => Ok(all),
        None => Ok(all.into_iter().filter(|t| tables.contains(t)).collect()),
    }
}

/// The years asked for, which must be years that the lake can know of; none: its latest school year. A collection by another year, such as a
/// grant's, makes the latest only where there is no school year at all: it may be handed over before the students of that year.
pub fn requested_years(contracts: &Contracts, load: &Load, asked: &BTreeSet<i32>) -> Result<BTreeSet<i32>> {
    let by_school_year = |f: &&LakeFile| contracts.iter().any(|c| c.name == f.collection && c.partition.as_deref() == Some(SCHOOL_YEAR));
    let years: BTreeSet<i32> = load.files.iter().filter_map(|f| f.partition).collect();
    let school_years = load.files.iter().filter(by_school_year).filter_map(|f| f.partition);
    let (Some(&first), Some(last), Some(&latest)) = (years.first(), school_years.max().or(years.last().copied()), years.last()) else {
        return Err(Error::Data("the lake has no school year; ingest collections with a school_year first".into()));
    };
    if asked.is_empty() {
        return Ok(BTreeSet::from([last]));
    }
    match asked.iter().find(|&&y| y < first || y > latest + 2) {
        Some(year) => Err(Error::Config(format!("report year {year} has no data: the lake has school years {first} to {latest}"))),
        None => Ok(asked.clone()),
    }
}

/// Adds the earlier years that outputs compare with.
async fn computed_years(engine: &Engine, catalog: &Catalog, outputs: &[String], requested: BTreeSet<i32>) -> Result<Years> {
    let asks = |what: Earlier| outputs.iter().filter_map(|o| catalog.get(o)).any(|v| v.header.earlier_years == Some(what));
    let (mut computed, mut grouped) = (requested.clone(), requested.clone());
    if asks(Earlier::YearBefore) {
        computed.extend(requested.iter().map(|y| y - 1));
        grouped.extend(requested.iter().map(|y| y - 1));
    }
    if asks(Earlier::YearsWithTargets) {
        let (_, batches) = engine.query("SELECT DISTINCT report_year FROM lake.target").await?;
        let with_targets = relation::distinct_years(&batches);
        for &year in &requested {
            computed.extend((1..).map(|n| year - n).take_while(|y| with_targets.contains(y)));
        }
    }
    Ok(Years { requested, computed, grouped })
}

/// Runs and commits. `progress` is told what is being worked on.
pub async fn run(root: &Path, project: &Project, options: &Options, progress: &(dyn Fn(&str) + Sync)) -> Result<Outcome> {
    let (commit, load) = current_load(root)?;
    let pointer = commit.load.clone().ok_or_else(|| Error::bug("a commit without a load"))?;
    let (mut manifest, folder) = compute(root, &load, project, options, &root.join("runs"), progress).await?;
    manifest.companions = companion::write(&manifest, root, &folder)?;
    let stored = manifest.write(root, &folder)?;
    store::sync_folder(&folder)?;
    store::sync_folder(&root.join("runs"))?;
    let next = Commit {
        load: Some(pointer),
        run: Some(Pointer { id: manifest.run_id.clone(), manifest: stored.path, blake3: stored.blake3 }),
        ..Commit::default()
    };
    let commit = commit::create(root, next)?;
    Ok(Outcome { manifest, folder, commit })
}

/// Writes the tables of a run into a new folder below one of the root's, and gathers its manifest; nothing is committed.
pub async fn compute(
    root: &Path,
    load: &Load,
    project: &Project,
    options: &Options,
    below: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(Manifest, PathBuf)> {
    let start = Instant::now();
    let contracts = project.contracts()?;
    let prepared = prepare(root, load, project, options).await?;
    let wanted: Vec<&str> = prepared.outputs.iter().map(String::as_str).collect();
    let nodes = stage::plan(&prepared.catalog, &wanted, &prepared.registered.by_student)?;
    let in_text_order = prepared.registered.in_text_order;
    let (rows, timings) = stage::run(Arc::clone(&prepared.engine), nodes, prepared.registered.shards, in_text_order, progress).await?;
    let run_id = format!("{}-{}-{:08x}", commit::now().replace([':', '-'], ""), prepared.jurisdiction.id, unique());
    let folder = below.join(&run_id);
    let (mut files, mut tables) = (Vec::new(), Vec::new());
    for (name, rows) in rows {
        progress(&format!("writing {name}"));
        let view = prepared.catalog.get(&name).ok_or_else(|| Error::bug(format!("output {name} has no view")))?;
        tables.push(output::describe(view, &rows.schema(), &contracts)?);
        files.extend(output::write(&prepared.engine, root, &folder, view, rows, &prepared.years.requested, in_text_order).await?);
    }
    let manifest = Manifest::new(run_id, &prepared, load, files, tables, timings, start.elapsed())?;
    Ok((manifest, folder))
}

/// A number that no other run of this second has.
fn unique() -> u32 {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    nanos ^ std::process::id().rotate_left(16)
}
