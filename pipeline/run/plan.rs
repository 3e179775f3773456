//! What a run has to do for a jurisdiction: which tables to compute, and which to take over from the run before.

use super::graph::Graph;
use super::key::{self, Key};
use super::manifest::{Manifest, Table};
use super::output::OutputFile;
use super::stage::Timings;
use super::{Ground, Outcome, Prepared};
use crate::error::Result;
use crate::store;
use crate::window::{self, Kept};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// A view, what becomes of it (`run`, `share` or `reuse`), and why.
pub type Line = (String, &'static str, String);

/// The plan of a jurisdiction.
pub struct Plan {
    /// Keys of all views that its outputs need.
    pub keys: BTreeMap<String, Key>,
    /// Each output, and whether the run before has it.
    pub outputs: Vec<(String, Reuse)>,
    before: Before,
}

/// Runs whose tables may be taken over.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// The current run.
    pub current: Option<Manifest>,
    /// What runs after it left that were not committed, the newest first.
    pub left: Vec<Manifest>,
}

impl Before {
    fn all(&self) -> impl Iterator<Item = &Manifest> {
        self.current.iter().chain(&self.left)
    }
}

/// Whether an output is taken over from a run before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reuse {
    /// Nothing that it depends on changed since the run of this id.
    TakenOver(String),
    /// It is computed; why.
    Computed(String),
}

impl Plan {
    /// Compares what the outputs depend on with the run before.
    pub fn new(ground: &Ground, prepared: &Prepared) -> Result<Plan> {
        let wanted: Vec<&str> = prepared.outputs.iter().map(String::as_str).collect();
        let keys = key::keys(&prepared.catalog.in_order(&wanted)?, &prepared.engine.contents()?);
        let before = ground.before.get(&prepared.jurisdiction.id).cloned().unwrap_or_default();
        let closed = window::closed(ground.commit, &prepared.jurisdiction.id);
        let reuse = |name: &String| {
            let mut reuses = before.all().map(|run| match run.report_years.iter().eq(&prepared.years.requested) {
                false => Reuse::Computed("the run before is of other report years".into()),
                true if !window::fits(run, &closed) => Reuse::Computed("a report year was closed or opened since".into()),
                true => reuse(ground.root, run, &keys, name),
            });
            // Why it is computed is told of the current run, or of the newest there is.
            let first = reuses.next();
            let first = first.unwrap_or_else(|| Reuse::Computed("there is no current run of this jurisdiction to take it from".into()));
            let is_taken = |r: &Reuse| matches!(r, Reuse::TakenOver(_));
            if is_taken(&first) { first } else { reuses.find(is_taken).unwrap_or(first) }
        };
        let outputs = prepared.outputs.iter().map(|name| (name.clone(), reuse(name))).collect();
        Ok(Plan { keys, outputs, before })
    }

    /// The outputs to compute.
    pub fn to_run(&self) -> Vec<&str> {
        self.outputs.iter().filter(|(_, r)| matches!(r, Reuse::Computed(_))).map(|(name, _)| name.as_str()).collect()
    }

    /// The current run, if a new one would be just that.
    pub fn unchanged(&self, prepared: &Prepared) -> Option<&Manifest> {
        let same = |current: &&Manifest| {
            let taken = self.taken_over(Some(&current.run_id)).len();
            taken == self.outputs.len() && taken == current.tables.len() && prepared.overlays == current.overlays
        };
        self.before.current.as_ref().filter(same)
    }

    /// Puts a run together from what was computed and what is taken over.
    pub fn outcome(
        &self,
        ground: &Ground,
        prepared: &Prepared,
        written: (std::path::PathBuf, Vec<OutputFile>, Vec<Table>),
        timings: &Timings,
        took: Duration,
    ) -> Result<Outcome> {
        let (folder, mut files, mut tables) = written;
        let names: Vec<String> = self.taken_over(None).into_iter().cloned().collect();
        if let Some(current) = self.unchanged(prepared) {
            let folder = ground.below.join(&current.run_id);
            return Ok(Outcome { manifest: current.clone(), folder, unchanged: true, reused: names });
        }
        let mut kept: BTreeMap<i32, Kept> = BTreeMap::new();
        for run in self.before.all() {
            let reused = self.taken_over(Some(&run.run_id));
            tables.extend(run.tables.iter().filter(|t| reused.contains(&t.name)).cloned());
            for file in run.files.iter().filter(|f| reused.contains(&f.table)) {
                let below = Path::new(&file.stored.path).components().skip_while(|c| c.as_os_str() != file.table.as_str());
                let stored = store::link(ground.root, &file.stored, &folder.join(below.collect::<std::path::PathBuf>()))?;
                files.push(OutputFile { stored, ..file.clone() });
            }
            for (year, of_year) in run.kept.iter().filter(|_| !reused.is_empty()) {
                kept.entry(*year).or_default().take_over(of_year, |table| reused.iter().any(|r| *r == table));
            }
        }
        let own: Timings = timings.iter().filter(|(view, _)| self.keys.contains_key(*view)).map(|(v, s)| (v.clone(), *s)).collect();
        let run_id = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let manifest = Manifest::new(run_id, prepared, ground.load, files, tables, (self.keys.clone(), own), took)?;
        Ok(Outcome { manifest: Manifest { kept, ..manifest }, folder, unchanged: false, reused: names })
    }

    /// The tables that are taken over: from one run, or from any.
    fn taken_over(&self, from: Option<&String>) -> BTreeSet<&String> {
        let taken = |r: &Reuse| matches!(r, Reuse::TakenOver(run) if from.is_none_or(|f| f == run));
        self.outputs.iter().filter(|(_, r)| taken(r)).map(|(name, _)| name).collect()
    }

    /// For people: what each view that would run is run for, and what is taken over; `graph` has the steps of all jurisdictions.
    pub fn explain(&self, graph: &Graph, at: usize) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for step in graph.steps.iter().filter(|s| s.of.contains(&at)) {
            let name = &step.view.name;
            let why = match self.outputs.iter().find(|(o, _)| o == name) {
                Some((_, Reuse::Computed(why))) => why.clone(),
                _ => self.changed(name),
            };
            let (what, why) = match step.of.first() {
                Some(&first) if first != at => ("share", "the same for another jurisdiction of this run".to_string()),
                _ => ("run", why),
            };
            lines.push((name.clone(), what, why));
        }
        let reused = self.taken_over(None).into_iter();
        lines.extend(reused.map(|name| (name.clone(), "reuse", "nothing that it depends on changed".to_string())));
        lines
    }

    fn changed(&self, view: &str) -> String {
        let key = self.keys.get(view);
        match (key, self.before.all().next().and_then(|b| b.views.get(view))) {
            (Some(key), Some(before)) if key != before => format!("changed: {}", key.changes(before).join(", ")),
            (Some(_), Some(_)) => "unchanged, but a table that runs reads it".into(),
            _ => "the run before did not have it".into(),
        }
    }
}

fn reuse(root: &Path, before: &Manifest, keys: &BTreeMap<String, Key>, name: &str) -> Reuse {
    match (keys.get(name), before.views.get(name)) {
        (Some(key), Some(old)) if key.key == old.key && before.tables.iter().any(|t| t.name == name) => {
            match before.files.iter().filter(|f| f.table == name).find(|f| !store::is_whole(root, &f.stored)) {
                None => Reuse::TakenOver(before.run_id.clone()),
                Some(file) => Reuse::Computed(format!("{} of the run before is not whole", file.stored.path)),
            }
        }
        (Some(key), Some(old)) if key.key != old.key => Reuse::Computed(format!("changed: {}", key.changes(old).join(", "))),
        _ => Reuse::Computed("the run before did not write it".into()),
    }
}
