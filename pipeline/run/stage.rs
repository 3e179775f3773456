//! Runs the views that the wanted outputs need, in three phases: what has no student in it; what is by student, shard by shard; what counts
//! over all students.

use crate::catalog::{Catalog, INDICATOR_COLUMNS, Layer, Name, View};
use crate::engine::{Engine, Memory, ShardPlan};
use crate::error::{Error, Result};
use crate::table::{Encoder, Group};
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

/// The column that shards are ranges of, and the names of the id that it stands for.
pub const STUDENT: [&str; 3] = ["student_key", "student_id", "reporting_secure_student_id"];

/// When and how a view runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the shards: no student in it.
    Reference,
    /// In each shard by itself.
    Shard,
    /// After the shards, over everything.
    Whole,
}

/// A view and how it runs.
#[derive(Debug, Clone)]
pub struct Node {
    /// The view.
    pub view: View,
    /// When it runs.
    pub phase: Phase,
    /// Written out where it is referred to, instead of being run by itself.
    pub inline: bool,
    /// Position of the last node of the shard phase that reads it; `None` if a later phase does.
    last_reader: Option<usize>,
}

/// What became of an output.
pub enum Rows {
    /// Sorted batches of each part, in the order of the parts: one, or the shards.
    Batches(SchemaRef, Vec<Vec<RecordBatch>>),
    /// Row groups of each report year, encoded shard by shard.
    Encoded(SchemaRef, BTreeMap<i32, Vec<Group>>, Encoder),
}

impl Rows {
    /// Columns of the output, the report year among them.
    pub fn schema(&self) -> SchemaRef {
        match self {
            Rows::Batches(schema, _) | Rows::Encoded(schema, _, _) => Arc::clone(schema),
        }
    }
}

/// Seconds that a view took, over all shards.
pub type Timings = BTreeMap<String, f64>;

/// Orders the views that the outputs need and decides how each runs.
pub fn plan(catalog: &Catalog, outputs: &[&str], by_student: &BTreeSet<Name>) -> Result<Vec<Node>> {
    let order = catalog.in_order(outputs)?;
    let mut nodes: Vec<Node> = Vec::with_capacity(order.len());
    let mut phases: BTreeMap<&str, Phase> = BTreeMap::new();
    for view in &order {
        let phase = phase(view, &phases, by_student)?;
        phases.insert(&view.name, phase);
        nodes.push(Node { view: (*view).clone(), phase, inline: false, last_reader: None });
    }
    let readers: Vec<Vec<usize>> = order
        .iter()
        .map(|v| {
            order
                .iter()
                .enumerate()
                .filter(|(_, w)| w.references.iter().any(|r| r.schema.is_none() && r.table == v.name))
                .map(|(i, _)| i)
                .collect()
        })
        .collect();
    let same_phase = |i: usize| readers[i].iter().all(|&r| nodes[r].phase == nodes[i].phase);
    let inline: Vec<bool> = (0..nodes.len())
        .map(|i| match nodes[i].view.layer {
            Layer::Staging => true,
            Layer::Output => false,
            _ => readers[i].len() == 1 && same_phase(i) && !nodes[i].view.header.kept,
        })
        .collect();
    // A node that is written out elsewhere is read where that one runs.
    let mut runs_at: Vec<usize> = (0..nodes.len()).collect();
    for i in (0..nodes.len()).rev().filter(|&i| inline[i]) {
        runs_at[i] = readers[i].iter().map(|&r| runs_at[r]).max().unwrap_or(i);
    }
    let last_reader: Vec<Option<usize>> = (0..nodes.len())
        .map(|i| if nodes[i].phase == Phase::Shard && same_phase(i) { readers[i].iter().map(|&r| runs_at[r]).max() } else { None })
        .collect();
    for (i, node) in nodes.iter_mut().enumerate() {
        (node.inline, node.last_reader) = (inline[i], last_reader[i]);
    }
    Ok(nodes)
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

/// Runs the nodes and hands out the rows of each output.
pub async fn run(
    engine: Arc<Engine>,
    nodes: Vec<Node>,
    shards: usize,
    in_text_order: bool,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(BTreeMap<String, Rows>, Timings)> {
    let stage = Arc::new(Stage {
        engine,
        nodes,
        shards,
        in_text_order,
        relations: Mutex::default(),
        encoded: Mutex::default(),
        timings: Mutex::default(),
    });
    let mut outputs = BTreeMap::new();
    for phase in [Phase::Reference, Phase::Shard, Phase::Whole] {
        if phase == Phase::Shard {
            stage.clone().run_shards(progress).await?;
        } else {
            for node in stage.nodes.iter().filter(|n| n.phase == phase) {
                progress(&node.view.name);
                stage.run_whole(node, &mut outputs).await?;
            }
        }
    }
    stage.collect_sharded(&mut outputs)?;
    let timings = lock(&stage.timings).clone();
    Ok((outputs, timings))
}

/// An output that is encoded shard by shard: its row groups by report year and shard.
struct Streamed {
    schema: SchemaRef,
    encoder: Encoder,
    groups: BTreeMap<(i32, usize), Group>,
}

struct Stage {
    engine: Arc<Engine>,
    nodes: Vec<Node>,
    shards: usize,
    in_text_order: bool,
    relations: Mutex<BTreeMap<String, Arc<Memory>>>,
    encoded: Mutex<BTreeMap<String, Streamed>>,
    timings: Mutex<Timings>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    async fn run_whole(&self, node: &Node, outputs: &mut BTreeMap<String, Rows>) -> Result<()> {
        if node.inline {
            return self.engine.register_inline(&node.view).await;
        }
        let start = Instant::now();
        let (schema, batches) = self.engine.run_whole(&node.view).await?;
        self.took(node, start);
        if node.view.layer == Layer::Output {
            let (schema, batches) = super::output::in_place(schema, batches)?;
            outputs.insert(node.view.name.clone(), Rows::Batches(schema, vec![batches]));
        } else if node.phase == Phase::Reference {
            self.engine.register(&name(&node.view), Arc::new(Memory::coded(&schema, &batches)?))?;
        } else {
            self.engine.register(&name(&node.view), Arc::new(Memory::whole(schema, batches)))?;
        }
        Ok(())
    }

    fn took(&self, node: &Node, start: Instant) {
        *lock(&self.timings).entry(node.view.name.clone()).or_default() += start.elapsed().as_secs_f64();
    }

    /// Runs every shard: as many at once as there are threads. The first plans each view, with what it knows of the sizes; the others follow it.
    async fn run_shards(self: Arc<Self>, progress: &(dyn Fn(&str) + Sync)) -> Result<()> {
        let positions: Vec<usize> = (0..self.nodes.len()).filter(|&i| self.nodes[i].phase == Phase::Shard).collect();
        if positions.is_empty() {
            return Ok(());
        }
        let plans: Arc<Mutex<Vec<Option<ShardPlan>>>> = Arc::default();
        let (sender, receiver) = watch::channel(0usize);
        let mut sender = Some(sender);
        let mut running = tokio::task::JoinSet::new();
        for shard in 0..self.shards {
            while running.len() >= self.engine.partitions() {
                next(&mut running).await?;
                progress(&format!("students, shard {shard} of {}", self.shards));
            }
            let (stage, positions, plans, receiver, sender) =
                (Arc::clone(&self), positions.clone(), Arc::clone(&plans), receiver.clone(), sender.take());
            running.spawn(async move { stage.run_shard(shard, &positions, &plans, sender, receiver).await });
        }
        while !running.is_empty() {
            next(&mut running).await?;
        }
        Ok(())
    }

    async fn run_shard(
        &self,
        shard: usize,
        positions: &[usize],
        plans: &Mutex<Vec<Option<ShardPlan>>>,
        first: Option<watch::Sender<usize>>,
        mut planned: watch::Receiver<usize>,
    ) -> Result<()> {
        for (step, &i) in positions.iter().enumerate() {
            let node = &self.nodes[i];
            if let Some(sender) = &first {
                let plan = self.plan(node).await?;
                lock(plans).push(plan);
                let _ = sender.send(step + 1);
            } else if planned.wait_for(|n| *n > step).await.is_err() {
                // The first shard failed; its error is the one to show.
                return Ok(());
            }
            let plan = lock(plans)[step].clone();
            if let Some(plan) = plan {
                let start = Instant::now();
                let batches = self.engine.run_shard(&node.view, &plan, shard).await?;
                self.keep(node, shard, &plan, batches)?;
                self.took(node, start);
            }
            self.release(i, shard);
        }
        Ok(())
    }

    /// Plans a node and registers the relation that it will fill; `None` if it is inlined.
    async fn plan(&self, node: &Node) -> Result<Option<ShardPlan>> {
        if node.inline {
            self.engine.register_inline(&node.view).await?;
            if node.view.indicator().is_some() {
                check_indicator(&node.view, &self.engine.schema(&node.view).await?)?;
            }
            return Ok(None);
        }
        let plan = self.engine.plan_shard(&node.view).await?;
        let memory = Arc::new(Memory::by_student(plan.schema(), self.shards));
        self.engine.register(&name(&node.view), Arc::clone(&memory) as _)?;
        lock(&self.relations).insert(node.view.name.clone(), memory);
        if self.streams(node) {
            let schema = super::output::written_schema(&plan.schema());
            let encoder = Encoder::new(super::output::file_schema(&schema))?;
            lock(&self.encoded).insert(node.view.name.clone(), Streamed { schema, encoder, groups: BTreeMap::new() });
        }
        Ok(Some(plan))
    }

    /// Whether an output's rows are sorted by report year and student, so that the shards follow each other in the file.
    fn streams(&self, node: &Node) -> bool {
        node.view.layer == Layer::Output
            && self.in_text_order
            && node.view.header.grain.get(1).is_some_and(|c| STUDENT.contains(&c.as_str()))
    }

    fn keep(&self, node: &Node, shard: usize, plan: &ShardPlan, batches: Vec<RecordBatch>) -> Result<()> {
        let (schema, batches) = match node.view.layer {
            Layer::Output => super::output::in_place(plan.schema(), batches)?,
            _ => (plan.schema(), batches),
        };
        if !self.streams(node) {
            if let Some(memory) = lock(&self.relations).get(&node.view.name) {
                memory.put(shard, batches);
            }
            return Ok(());
        }
        let encoder = lock(&self.encoded).get(&node.view.name).map(|e| e.encoder.clone());
        let encoder = encoder.ok_or_else(|| Error::bug(format!("output {} was not planned", node.view.name)))?;
        for (year, batches) in super::output::split_years(&schema, &batches)? {
            let group = encoder.encode(&batches)?;
            if let Some(entry) = lock(&self.encoded).get_mut(&node.view.name) {
                entry.groups.insert((year, shard), group);
            }
        }
        Ok(())
    }

    /// Frees what no later node reads.
    fn release(&self, done: usize, shard: usize) {
        for node in self.nodes.iter().filter(|n| n.last_reader == Some(done) && n.view.layer != Layer::Output) {
            if let Some(memory) = lock(&self.relations).get(&node.view.name) {
                memory.take(shard);
            }
        }
    }

    fn collect_sharded(&self, outputs: &mut BTreeMap<String, Rows>) -> Result<()> {
        for (name, streamed) in std::mem::take(&mut *lock(&self.encoded)) {
            let mut years: BTreeMap<i32, Vec<Group>> = BTreeMap::new();
            streamed.groups.into_iter().for_each(|((year, _), group)| years.entry(year).or_default().push(group));
            outputs.insert(name, Rows::Encoded(streamed.schema, years, streamed.encoder));
        }
        for node in self.nodes.iter().filter(|n| n.phase == Phase::Shard && n.view.layer == Layer::Output && !self.streams(n)) {
            let memory = lock(&self.relations).get(&node.view.name).cloned();
            let memory = memory.ok_or_else(|| Error::bug(format!("output {} did not run", node.view.name)))?;
            let parts = (0..self.shards).map(|s| memory.take(s)).collect();
            let schema = super::output::written_schema(&crate::engine::Scan::schema(memory.as_ref()));
            outputs.insert(node.view.name.clone(), Rows::Batches(schema, parts));
        }
        Ok(())
    }
}

/// Every indicator gives the same columns: the union of all of them depends on it.
fn check_indicator(view: &View, schema: &SchemaRef) -> Result<()> {
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    if names != INDICATOR_COLUMNS {
        let wanted = INDICATOR_COLUMNS.join(", ");
        return Err(Error::Config(format!(
            "{}: an indicator gives the columns {wanted}, in this order; this one gives {}",
            view.path,
            names.join(", ")
        )));
    }
    match ["denominator", "numerator"].into_iter().find(|c| !schema.field_with_name(c).is_ok_and(|f| f.data_type() == &DataType::Boolean)) {
        Some(column) => Err(Error::Config(format!("{}: {column} must be yes or no (a boolean)", view.path))),
        None => Ok(()),
    }
}

async fn next(running: &mut tokio::task::JoinSet<Result<()>>) -> Result<()> {
    match running.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(e)) => Err(Error::internal("a shard's task ended early", e)),
        None => Ok(()),
    }
}

fn name(view: &View) -> Name {
    Name { schema: None, table: view.name.clone() }
}
