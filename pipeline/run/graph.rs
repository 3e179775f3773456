//! What a run computes: the views of one jurisdiction or several as one graph of steps, each view that they share in it once.

use super::key::Key;
use crate::catalog::{Catalog, Layer, Name, View};
use crate::error::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// The column that shards are ranges of, and the names of the id that it stands for.
pub const STUDENT: [&str; 3] = ["student_key", "student_id", "reporting_secure_student_id"];

/// When and how a view runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No student in it: once.
    Reference,
    /// In each shard by itself.
    Shard,
    /// What counts over students: once, after all shards of what it reads.
    Whole,
}

/// A view that is run by itself.
#[derive(Debug, Clone)]
pub struct Step {
    /// The view.
    pub view: View,
    /// How it runs.
    pub phase: Phase,
    /// The jurisdictions that have it, by position; it runs with the relations of the first.
    pub of: Vec<usize>,
    /// The views that are written out in it, each after those that it refers to.
    pub inline: Vec<View>,
    /// The steps that it reads.
    pub inputs: BTreeSet<usize>,
    /// The steps that read it.
    pub readers: BTreeSet<usize>,
}

impl Step {
    /// The column that numbers its output's rows by student, if the shards of the table follow each other in its file.
    pub fn follows_students(&self) -> bool {
        self.phase == Phase::Shard
            && self.view.layer == Layer::Output
            && self.view.header.grain.get(1).is_some_and(|c| STUDENT.contains(&c.as_str()))
    }
}

/// The steps of a run, each after those that it reads.
#[derive(Debug, Default)]
pub struct Graph {
    /// The steps.
    pub steps: Vec<Step>,
    by_key: BTreeMap<String, usize>,
    jurisdictions: usize,
}

impl Graph {
    /// Adds what the outputs of a further jurisdiction need. A view with the key of one that is there already is not run again.
    pub fn add(&mut self, catalog: &Catalog, outputs: &[&str], by_student: &BTreeSet<Name>, keys: &BTreeMap<String, Key>) -> Result<()> {
        let jurisdiction = self.jurisdictions;
        self.jurisdictions += 1;
        let order = catalog.in_order(outputs)?;
        let phases = phases(&order, by_student)?;
        let inline = inline(&order, &phases);
        // For each view: the steps that it reads, through views that are written out in it, and those views.
        let mut reads: BTreeMap<&str, (BTreeSet<usize>, BTreeSet<usize>)> = BTreeMap::new();
        for (at, view) in order.iter().enumerate() {
            let (mut inputs, mut written_out) = (BTreeSet::new(), BTreeSet::new());
            for reference in view.references.iter().filter(|r| r.schema.is_none()) {
                if let Some((steps, views)) = reads.get(reference.table.as_str()) {
                    inputs.extend(steps);
                    written_out.extend(views);
                }
            }
            if inline[at] {
                written_out.insert(at);
                reads.insert(&view.name, (inputs, written_out));
                continue;
            }
            let key = keys.get(&view.name).ok_or_else(|| Error::bug(format!("view {} has no key", view.name)))?;
            let step = Step {
                view: (*view).clone(),
                phase: phases[at],
                of: vec![],
                inline: written_out.iter().map(|&i| order[i].clone()).collect(),
                inputs,
                readers: BTreeSet::new(),
            };
            let step = self.share(&key.key, step);
            self.steps[step].of.push(jurisdiction);
            reads.insert(&view.name, (BTreeSet::from([step]), BTreeSet::new()));
        }
        Ok(())
    }

    /// The step of a key: that which is there, or a new one.
    fn share(&mut self, key: &str, step: Step) -> usize {
        if let Some(&there) = self.by_key.get(key) {
            return there;
        }
        let new = self.steps.len();
        for &input in &step.inputs {
            self.steps[input].readers.insert(new);
        }
        self.by_key.insert(key.to_string(), new);
        self.steps.push(step);
        new
    }
}

/// How each view runs, of views each after those that it refers to.
pub fn phases(order: &[&View], by_student: &BTreeSet<Name>) -> Result<Vec<Phase>> {
    let mut known: BTreeMap<&str, Phase> = BTreeMap::new();
    let mut phases = Vec::with_capacity(order.len());
    for view in order {
        let phase = phase(view, &known, by_student)?;
        known.insert(&view.name, phase);
        phases.push(phase);
    }
    Ok(phases)
}

fn phase(view: &View, phases: &BTreeMap<&str, Phase>, by_student: &BTreeSet<Name>) -> Result<Phase> {
    let of = |r: &Name| match r.schema {
        None => phases.get(r.table.as_str()).copied(),
        Some(_) => by_student.contains(r).then_some(Phase::Shard),
    };
    let inputs: Vec<Phase> = view.references.iter().filter_map(of).collect();
    let has_student = view.header.grain.iter().any(|c| STUDENT.contains(&c.as_str()));
    match (inputs.contains(&Phase::Whole), inputs.contains(&Phase::Shard)) {
        (true, _) if has_student => Err(Error::Config(format!(
            "{}: has a student in its grain, but refers to a view that counts over students; such a view can't be run by student",
            view.path
        ))),
        (true, _) => Ok(Phase::Whole),
        (false, true) if has_student => Ok(Phase::Shard),
        (false, true) => Ok(Phase::Whole),
        (false, false) => Ok(Phase::Reference),
    }
}

/// Which views are written out where they are referred to: staging, and what one view of the same phase reads.
fn inline(order: &[&View], phases: &[Phase]) -> Vec<bool> {
    let refers = |w: &View, v: &View| w.references.iter().any(|r| r.schema.is_none() && r.table == v.name);
    let is_inline = |(i, view): (usize, &&View)| {
        let mut readers = (0..order.len()).filter(|&r| refers(order[r], view));
        match view.layer {
            Layer::Staging => true,
            Layer::Output => false,
            _ => matches!((readers.next(), readers.next()), (Some(r), None) if phases[r] == phases[i]) && !view.header.kept,
        }
    };
    order.iter().enumerate().map(is_inline).collect()
}
