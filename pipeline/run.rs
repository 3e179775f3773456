//! A run: from the current load to committed result tables of the report years asked for.

pub mod check;
pub mod companion;
pub mod graph;
pub mod journal;
pub mod key;
pub mod manifest;
pub mod output;
pub mod parameter;
pub mod plan;
pub mod relation;
pub mod result;
pub mod stage;

use crate::catalog::{Catalog, Earlier, Layer};
use crate::commit::{self, Commit, Pointer};
use crate::contract::Contracts;
use crate::diff::{self, figure::FigureDifference};
use crate::engine::{Engine, Limit};
use crate::error::{Error, Result};
use crate::intake::{Changes, LatestYear};
use crate::jurisdiction::Jurisdiction;
use crate::lake::{LakeFile, Load};
use crate::project::Project;
use crate::publish::release::PolicyKind;
use crate::root::Root;
pub use crate::store::read_json;
use crate::{history, store, window};
use manifest::Manifest;
use parameter::Years;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The field by which collections of students are divided.
const SCHOOL_YEAR: &str = "school_year";

/// Folder of the runs below a root, with a folder for each.
pub const RUNS: &str = "runs";

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Jurisdictions, such as `oregon`; what they share is computed once.
    pub jurisdictions: Vec<String>,
    /// Report years asked for; none: the latest school year of the lake.
    pub report_years: BTreeSet<i32>,
    /// Output tables to write; none: all.
    pub tables: Vec<String>,
    /// Threads.
    pub partitions: usize,
    /// Memory for the engine; none: as much as it takes.
    pub memory_limit: Option<Limit>,
    /// Compute everything again, even what did not change since the current run.
    pub again: bool,
    /// Percent by which a watched figure may move against the current run; none: any.
    pub max_change: Option<f64>,
    /// How it is to be published, if at all: recorded for a retry.
    pub publish: Option<PolicyKind>,
}

/// What a run made for a jurisdiction.
#[derive(Debug)]
pub struct Outcome {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its folder.
    pub folder: PathBuf,
    /// Every table would be that of the current run, which is this one.
    pub unchanged: bool,
    /// Tables taken over from the run before, because nothing that they depend on changed.
    pub reused: Vec<String>,
}

/// The load that is current, from its manifest.
pub fn current_load(root: &Root) -> Result<(Commit, Load)> {
    let none = || {
        let (root, there) = (root.display(), commit::files(root).is_ok_and(|numbers| !numbers.is_empty()));
        let what = if there { " that can be read: its commits are damaged, or of an earlier version (`perkins verify`)" } else { "" };
        let what =
            format!("there is no lake under {root}{what}; run `perkins ingest RAW_DIR` first, or name another folder with --restricted");
        Error::NoLake(what)
    };
    let commit = commit::current(root)?.ok_or_else(none)?;
    let pointer = commit.load.clone().ok_or_else(none)?;
    Ok((commit, read_json(root, &pointer.manifest)?))
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

/// Registers the lake, rules and views of a jurisdiction for some report years with an engine.
pub async fn prepare(engine: Engine, root: &Path, load: &Load, project: &Project, id: &str, options: &Options) -> Result<Prepared> {
    let contracts = project.contracts()?;
    let jurisdiction = Jurisdiction::load(project, id)?;
    let mut catalog = Catalog::load(project, id)?;
    let engine = Arc::new(engine);
    let registered = relation::register(&engine, project, &contracts, &jurisdiction, root, load)?;
    let outputs = chosen_outputs(&catalog, &options.tables)?;
    let requested = requested_years(project, load, &options.report_years)?;
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

/// The years asked for, which must be years that the lake can know of; none: its latest school year.
pub fn requested_years(project: &Project, load: &Load, asked: &BTreeSet<i32>) -> Result<BTreeSet<i32>> {
    let years: BTreeSet<i32> = load.files.iter().filter_map(|f| f.partition).collect();
    let (Some(&first), Some(&latest)) = (years.first(), years.last()) else {
        return Err(Error::Data("the lake has no school year; ingest collections with a school_year first".into()));
    };
    if asked.is_empty() {
        let changes = Changes::of(project)?;
        return Ok(BTreeSet::from([latest_school_year(&project.contracts()?, load, &changes.latest_year).unwrap_or(latest)]));
    }
    match asked.iter().find(|&&y| y < first || y > latest + 2) {
        Some(year) => Err(Error::Config(format!("report year {year} has no data: the lake has school years {first} to {latest}"))),
        None => Ok(asked.clone()),
    }
}

/// The latest school year that enough collections have; a later one, which few have, is told. A collection by another year, such as a grant's, does
/// not count: it may be handed over before the students of that year.
fn latest_school_year(contracts: &Contracts, load: &Load, latest: &LatestYear) -> Option<i32> {
    let by_school_year = |f: &&LakeFile| contracts.iter().any(|c| c.name == f.collection && c.partition.as_deref() == Some(SCHOOL_YEAR));
    let mut rows: BTreeMap<&str, BTreeMap<i32, u64>> = BTreeMap::new();
    for (year, file) in load.files.iter().filter(by_school_year).filter_map(|f| Some((f.partition?, f))) {
        *rows.entry(&file.collection).or_default().entry(year).or_default() += file.rows;
    }
    let year = latest.of(&rows)?;
    let later: BTreeSet<i32> = rows.values().flat_map(BTreeMap::keys).copied().filter(|y| *y > year).collect();
    for later in later {
        tracing::warn!(
            "report year {year} is taken, not {later}: {} of {} collections have rows of {later} as of other years; if it is meant, --report-year {later}",
            latest.collections_with(&rows, later),
            rows.len()
        );
    }
    Some(year)
}

/// The options with the years that are meant: those asked for, and every closed one that the lake knows of, so that what is closed stays in what
/// is current and public, and each run says what would have changed in it.
pub fn with_closed_years(project: &Project, commit: &Commit, load: &Load, options: &Options) -> Result<Options> {
    let mut report_years = requested_years(project, load, &options.report_years)?;
    report_years.extend(closed_years(project, commit, load, options)?);
    Ok(Options { report_years, ..options.clone() })
}

/// The closed report years that the lake knows of.
pub fn closed_years(project: &Project, commit: &Commit, load: &Load, options: &Options) -> Result<Vec<i32>> {
    let closed = options.jurisdictions.iter().flat_map(|j| window::closed(commit, j).into_keys());
    Ok(closed.filter(|year| requested_years(project, load, &BTreeSet::from([*year])).is_ok()).collect())
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

/// Runs and commits. `progress` is told what is being worked on. A jurisdiction whose tables would all be the same as those of its current
/// run keeps that; if that is so of all of them, nothing is committed.
pub async fn run(root: &Root, project: &Project, options: &Options, progress: &(dyn Fn(&str) + Sync)) -> Result<Vec<Outcome>> {
    let (commit, load) = current_load(root)?;
    let options = with_closed_years(project, &commit, &load, options)?;
    let ground = Ground::new(root, &load, &commit, &options)?;
    let mut outcomes = compute(&ground, project, &options, progress).await?;
    progress("comparing with the current run");
    finish(&ground, project, &options, &mut outcomes).await?;
    Ok(outcomes)
}

/// Makes runs whose tables were written current: with the tables of closed years in place of theirs, and unless a figure moved too far.
pub async fn finish(ground: &Ground<'_>, project: &Project, options: &Options, outcomes: &mut [Outcome]) -> Result<()> {
    let mut next = ground.commit.clone();
    let mut refused: Vec<String> = Vec::new();
    for outcome in outcomes.iter_mut().filter(|o| !o.unchanged) {
        let (pointer, why) = match complete(ground, project, outcome).await {
            Ok(pointer) => (Some(pointer), moved_too_far(ground, project, options, &outcome.manifest).await),
            Err(error) => (None, Err(error)),
        };
        match &why {
            Ok(None) => {}
            Ok(Some(why)) => journal::failed(&outcome.folder, outcome.manifest.seconds, why)?,
            Err(error) => journal::failed(&outcome.folder, outcome.manifest.seconds, &error.to_string())?,
        }
        refused.extend(why?);
        next.runs.extend(pointer.map(|p| (outcome.manifest.jurisdiction.clone(), p)));
    }
    if !refused.is_empty() {
        return Err(Error::Data(format!("{}; nothing was committed or published", refused.join("; "))));
    }
    // Of several, the first is the one that is shown when none is named.
    next.jurisdiction = options.jurisdictions.first().cloned();
    outcomes.iter().filter(|o| !o.unchanged).try_for_each(|o| journal::end(&o.folder))?;
    if outcomes.iter().any(|o| !o.unchanged) {
        store::sync_folder(&ground.below)?;
        commit::create(ground.root, next)?;
    }
    Ok(())
}

/// Puts closed years in place and writes what goes with the tables, the manifest last.
async fn complete(ground: &Ground<'_>, project: &Project, outcome: &mut Outcome) -> Result<Pointer> {
    let (root, run) = (ground.root, &mut outcome.manifest);
    window::keep(root, project, &window::closed(ground.commit, &run.jurisdiction), run).await?;
    run.companions = companion::write((&*run).into(), root, &outcome.folder)?;
    let stored = run.write(root, &outcome.folder)?;
    store::sync_folder(&outcome.folder)?;
    Ok(Pointer { id: run.run_id.clone(), manifest: stored.path, blake3: stored.blake3 })
}

/// Says which watched figures moved by more than is allowed, each report year against the newest run that was ever current and has its figures.
async fn moved_too_far(ground: &Ground<'_>, project: &Project, options: &Options, run: &Manifest) -> Result<Option<String>> {
    const NAMED: usize = 5;
    let Some(max) = options.max_change else { return Ok(None) };
    let mut far: Vec<(FigureDifference, String)> = Vec::new();
    for before in figures_before(ground, project, run)? {
        let found = diff::Pair { root: ground.root, project, a: &before, b: run }.figures().await?;
        far.extend(found.into_iter().filter(|f| f.watched && f.percent > max).map(|f| (f, before.run_id.clone())));
    }
    far.sort_by(|a, b| b.0.percent.total_cmp(&a.0.percent));
    let worst: Vec<String> = far.iter().take(NAMED).map(|(f, _)| f.text()).collect();
    Ok(far.first().map(|(_, before)| {
        format!(
            "{}: {} figures moved by more than {max} % since the run before; the worst:\n  {}\n`perkins diff {before} {}` tells what \
             moved them; --max-change with a larger number lets them pass",
            run.jurisdiction,
            far.len(),
            worst.join("\n  "),
            run.run_id
        )
    }))
}

/// The newest runs that were ever current and have figures of the report years of a run, each with the years that it stands for.
fn figures_before(ground: &Ground<'_>, project: &Project, run: &Manifest) -> Result<Vec<Manifest>> {
    let mut years: BTreeSet<i32> = run.report_years.iter().copied().collect();
    let mut found = Vec::new();
    for history::Run { id, outcome, manifest, .. } in history::runs(ground.root)? {
        let was_current = matches!(outcome, history::Outcome::Current | history::Outcome::Former);
        let of: Vec<i32> = manifest.report_years.iter().copied().filter(|y| years.contains(y)).collect();
        if was_current && manifest.jurisdiction == run.jurisdiction && !of.is_empty() && diff::have_figures(project, &manifest, run)? {
            ground.root.fetch(&format!("{RUNS}/{id}/manifest.json"))?;
            years.retain(|y| !of.contains(y));
            found.push(Manifest { report_years: of, ..manifest });
        }
    }
    Ok(found)
}

/// For each jurisdiction: what would become of each view, and why.
pub async fn explain_plan(root: &Root, project: &Project, options: &Options) -> Result<Vec<(String, Vec<plan::Line>)>> {
    let (commit, load) = current_load(root)?;
    let options = with_closed_years(project, &commit, &load, options)?;
    let ground = Ground::new(root, &load, &commit, &options)?;
    let (runs, graph) = plan(&ground, project, &options).await?;
    Ok(runs.iter().enumerate().map(|(at, (prepared, plan))| (prepared.jurisdiction.id.clone(), plan.explain(&graph, at))).collect())
}

/// Prepares each jurisdiction and gathers the steps of all.
async fn plan(ground: &Ground<'_>, project: &Project, options: &Options) -> Result<(Vec<(Prepared, plan::Plan)>, graph::Graph)> {
    let mut runs = Vec::new();
    let mut graph = graph::Graph::default();
    let first = Engine::new(options.partitions, options.memory_limit.as_ref())?;
    for id in &options.jurisdictions {
        let prepared = prepare(first.another(), ground.root, ground.load, project, id, options).await?;
        let plan = plan::Plan::new(ground, &prepared)?;
        graph.add(&prepared.catalog, &plan.to_run(), &prepared.registered.by_student, &plan.keys)?;
        runs.push((prepared, plan));
    }
    Ok((runs, graph))
}

/// Leaves a record of runs that failed before any view was run, such as for a view that cannot be read.
fn never_begun(ground: &Ground<'_>, project: &Project, options: &Options, error: &Error) {
    let at = commit::now();
    for id in options.jurisdictions.iter().filter(|id| Jurisdiction::load(project, id).is_ok()) {
        let begun = journal::Begun::new(options, output::run_id(id, &at), id, &ground.load.load_id, &at);
        let folder = ground.below.join(&begun.run_id);
        let recorded = journal::Journal::begin(&folder, begun).and_then(|journal| journal.failed(None, &error.to_string()));
        if let Err(e) = recorded {
            tracing::warn!("{e}");
        }
    }
}

/// Where a run reads and writes.
pub struct Ground<'a> {
    /// The restricted root.
    pub root: &'a Root,
    /// The load.
    pub load: &'a Load,
    /// The state before the run.
    pub commit: &'a Commit,
    /// Folder of the root below which each run makes its own.
    pub below: PathBuf,
    /// Runs whose tables may be taken over where nothing changed, by jurisdiction.
    pub before: BTreeMap<String, plan::Before>,
}

impl<'a> Ground<'a> {
    /// The ground of runs that may become current. Unless everything is to be computed again, they take over tables of the current runs, as far
    /// as those can be read, and what runs after them left.
    pub fn new(root: &'a Root, load: &'a Load, commit: &'a Commit, options: &Options) -> Result<Ground<'a>> {
        let mut before = BTreeMap::new();
        for id in options.jurisdictions.iter().filter(|_| !options.again) {
            let current: Option<Manifest> = commit.runs.get(id).and_then(|p| read_json(root, &p.manifest).ok());
            let left = history::left(root, id, current.as_ref().map(|c| c.run_id.as_str()))?;
            before.insert(id.clone(), plan::Before { current, left });
        }
        Ok(Ground { root, load, commit, below: root.join(RUNS), before })
    }
}

/// Writes the tables of each jurisdiction into a new folder, and gathers its manifest; nothing is committed.
pub async fn compute(ground: &Ground<'_>, project: &Project, options: &Options, progress: &(dyn Fn(&str) + Sync)) -> Result<Vec<Outcome>> {
    let start = Instant::now();
    let contracts = Arc::new(project.contracts()?);
    let (runs, graph) = plan(ground, project, options).await.inspect_err(|error| never_begun(ground, project, options, error))?;
    let Some((prepared, _)) = runs.first() else { return Err(Error::Config("name a jurisdiction".into())) };
    let writer = Arc::new(output::Writer::new(ground, &runs, contracts, options)?);
    let (shards, in_text_order) = (prepared.registered.shards, prepared.registered.in_text_order);
    let engines = runs.iter().map(|(p, _)| Arc::clone(&p.engine)).collect();
    let stage = stage::Stage::new(engines, writer.run_ids(), graph, shards, in_text_order);
    let sink = Arc::clone(&writer);
    let sink: stage::Sink = Arc::new(move |step, rows| Box::pin(Arc::clone(&sink).write(step, rows)));
    let timings = stage.run(sink, progress).await.map_err(|stage::Failure { node, error }| {
        writer.failed(node.as_deref(), &error);
        error
    })?;
    let mut outcomes = Vec::new();
    for (at, (prepared, plan)) in runs.iter().enumerate() {
        outcomes.push(plan.outcome(ground, prepared, writer.written(at), &timings, start.elapsed())?);
    }
    Ok(outcomes)
}
