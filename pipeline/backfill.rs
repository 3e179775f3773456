//! Many report years one by one: each is a run of its own that is not committed, and those that succeed are put together as one run. A
//! year that fails does not lose the others, and what is there already is not computed again by the next attempt.

use crate::commit::{self, Commit};
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::project::Project;
use crate::root::Root;
use crate::run::manifest::Manifest;
use crate::run::output::{OutputFile, run_id};
use crate::run::{Ground, Options, Outcome, RUNS, closed_years, compute, current_load, finish, journal};
use crate::{history, run, store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What became of a report year: the run of that year alone, or why there is none.
pub type Year = (i32, Result<Manifest>);

/// What became of each year, and the run of those that succeeded; none if none did.
pub struct Backfill {
    /// The years in order.
    pub years: Vec<Year>,
    /// The run.
    pub outcome: Option<Outcome>,
}

/// Runs the years of the options, of one jurisdiction, and commits the run of those that succeed.
pub async fn backfill(root: &Root, project: &Project, options: &Options, progress: &(dyn Fn(&str) + Sync)) -> Result<Backfill> {
    let (commit, load) = current_load(root)?;
    let mut options = options.clone();
    options.report_years.extend(closed_years(project, &commit, &load, &options)?);
    let options = &options;
    let mut years: Vec<Year> = Vec::new();
    for &year in &options.report_years {
        let at = |what: &str| progress(&format!("{year}: {what}"));
        let alone = Options { report_years: BTreeSet::from([year]), ..options.clone() };
        let mut ground = Ground::new(root, &load, &commit, &alone)?;
        for (id, before) in &mut ground.before {
            // Runs of single years are never current, so those before the current run count too.
            before.left = history::left(root, id, None)?;
        }
        years.push((year, one(&ground, project, &alone, &at).await));
    }
    let done: Vec<&Manifest> = years.iter().filter_map(|(_, run)| run.as_ref().ok()).collect();
    if done.is_empty() {
        return Ok(Backfill { years, outcome: None });
    }
    progress("putting the years together");
    let mut outcomes = [together(root, project, &commit, &done)?];
    let ground = Ground::new(root, &load, &commit, options)?;
    finish(&ground, project, options, &mut outcomes).await?;
    let [outcome] = outcomes;
    Ok(Backfill { years, outcome: Some(outcome) })
}

/// Runs a year; its manifest makes it one that later attempts take over.
async fn one(ground: &Ground<'_>, project: &Project, options: &Options, progress: &(dyn Fn(&str) + Sync)) -> Result<Manifest> {
    let outcome = compute(ground, project, options, progress).await?.into_iter().next();
    let outcome = outcome.ok_or_else(|| Error::bug("a jurisdiction makes a run"))?;
    if !outcome.unchanged {
        outcome.manifest.write(ground.root, &outcome.folder)?;
        journal::end(&outcome.folder)?;
    }
    Ok(outcome.manifest)
}

/// One run of the years of several, with the same files; the current run, if it is just that.
fn together(root: &Root, project: &Project, commit: &Commit, years: &[&Manifest]) -> Result<Outcome> {
    let last = years.last().ok_or_else(|| Error::bug("no year to put together"))?;
    let content = |files: &mut dyn Iterator<Item = &OutputFile>| -> BTreeSet<(String, i32, String)> {
        files.map(|f| (f.table.clone(), f.report_year, f.stored.blake3.clone())).collect()
    };
    let files = || years.iter().flat_map(|m| &m.files);
    let current: Option<Manifest> = commit.runs.get(&last.jurisdiction).map(|p| run::read_json(root, &p.manifest)).transpose()?;
    if let Some(current) = current.filter(|c| content(&mut c.files.iter()) == content(&mut files())) {
        let folder = root.join(RUNS).join(&current.run_id);
        return Ok(Outcome { manifest: current, folder, unchanged: true, reused: vec![] });
    }
    let run_id = run_id(&last.jurisdiction, &commit::now());
    let folder = root.join(RUNS).join(&run_id);
    let link = |f: &OutputFile| -> Result<OutputFile> {
        let below = Path::new(&f.stored.path).components().skip(2).collect::<std::path::PathBuf>();
        Ok(OutputFile { stored: store::link(root, &f.stored, &folder.join(below))?, ..f.clone() })
    };
    let mut linked = files().map(link).collect::<Result<Vec<_>>>()?;
    linked.sort_by(|a, b| (&a.table, a.report_year).cmp(&(&b.table, b.report_year)));
    let computed: BTreeSet<i32> = years.iter().flat_map(|m| &m.computed_years).copied().collect();
    let computed_years: Vec<i32> = computed.into_iter().collect();
    let mut timings: BTreeMap<String, f64> = BTreeMap::new();
    years.iter().flat_map(|m| &m.timings).for_each(|(view, seconds)| *timings.entry(view.clone()).or_default() += seconds);
    let manifest = Manifest {
        run_id,
        report_years: years.iter().flat_map(|m| &m.report_years).copied().collect(),
        rules: Jurisdiction::load(project, &last.jurisdiction)?.in_force(&computed_years)?,
        computed_years,
        defaults: years.iter().flat_map(|m| m.defaults.clone()).collect(),
        files: linked,
        timings,
        seconds: years.iter().map(|m| m.seconds).sum(),
        ended_at: commit::now(),
        ..(*last).clone()
    };
    Ok(Outcome { manifest, folder, unchanged: false, reused: vec![] })
}
