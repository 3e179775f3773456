//! Runs the steps of a graph: each as soon as what it reads is there, as many at once as there are threads, and shard by shard, so that only
//! the shards under way are in memory.

use super::graph::{Graph, Phase, Step};
use crate::catalog::{INDICATOR_COLUMNS, Layer, Name, View};
use crate::engine::{Engine, Memory, Scan, ShardPlan};
use crate::error::{Error, Result};
use crate::table::{Encoder, Group};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::task::JoinSet;

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

/// Seconds that each step took, over all shards.
pub type Timings = BTreeMap<String, f64>;

/// The error that ended a run, and the view that it was in, if it was in one.
#[derive(Debug)]
pub struct Failure {
    /// The view.
    pub node: Option<String>,
    /// The error.
    pub error: Error,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { node: None, error }
    }
}

/// What is done with the rows of an output as soon as they are there.
pub type Sink = Arc<dyn Fn(Step, Rows) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// The steps of a run and what they run on.
pub struct Stage {
    /// An engine for each jurisdiction, with its relations.
    pub engines: Vec<Arc<Engine>>,
    /// The steps.
    pub steps: Vec<Step>,
    /// Ids of the runs of each jurisdiction, for the log.
    pub runs: Vec<String>,
    /// Number of shards.
    pub shards: usize,
    /// Whether student keys follow the text of the ids.
    pub in_text_order: bool,
    state: Vec<Mutex<State>>,
    /// The views of each jurisdiction that are known to be written out in others.
    written_out: Vec<tokio::sync::Mutex<BTreeSet<String>>>,
}

/// An output that is encoded shard by shard: its columns, and its row groups by report year and shard.
type Streamed = (SchemaRef, Encoder, BTreeMap<(i32, usize), Group>);

/// What a step has made so far.
#[derive(Default)]
struct State {
    plan: Option<ShardPlan>,
    relation: Option<Arc<Memory>>,
    streamed: Option<Streamed>,
    seconds: f64,
    rows: usize,
    bytes: usize,
}

impl State {
    /// Counts rows that a step made. Texts are counted by their codes: a dictionary belongs to many batches.
    fn count(&mut self, batches: &[RecordBatch]) {
        let own = |column: &ArrayRef| match column.as_any_dictionary_opt() {
            Some(codes) => codes.keys().to_data().get_slice_memory_size(),
            None => column.to_data().get_slice_memory_size(),
        };
        self.rows += batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        self.bytes += batches.iter().flat_map(RecordBatch::columns).filter_map(|c| own(c).ok()).sum::<usize>();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    /// The steps of a graph.
    pub fn new(engines: Vec<Arc<Engine>>, runs: Vec<String>, graph: Graph, shards: usize, in_text_order: bool) -> Stage {
        let state = graph.steps.iter().map(|_| Mutex::default()).collect();
        let written_out = engines.iter().map(|_| tokio::sync::Mutex::default()).collect();
        Stage { engines, runs, steps: graph.steps, shards, in_text_order, state, written_out }
    }

    /// Runs everything; the rows of each output go to the sink. `progress` is told what is being worked on. When a step fails, all that
    /// does not depend on it still runs, so that a retry has nothing else to do; the first error comes back at the end.
    pub async fn run(self, sink: Sink, progress: &(dyn Fn(&str) + Sync)) -> std::result::Result<Timings, Failure> {
        let stage = Arc::new(self);
        let threads = stage.engines.first().map_or(1, |e| e.partitions());
        let shards_first = stage.engines.first().is_some_and(|e| e.is_limited());
        let mut queue = Queue::new(&stage.steps, stage.shards, threads, shards_first);
        // A step with its shard; a written output has none.
        let mut running: JoinSet<(usize, Option<usize>, Result<()>)> = JoinSet::new();
        let mut failed: Option<Failure> = None;
        loop {
            while running.len() < threads
                && let Some((step, shard)) = queue.next()
            {
                progress(&stage.describe(step, shard));
                let stage = Arc::clone(&stage);
                running.spawn(async move { (step, Some(shard), stage.run_part(step, shard).await) });
            }
            let Some(ended) = running.join_next().await else { break };
            let (step, shard, ran) = ended.map_err(|e| Error::internal("a step of the run ended early", e))?;
            if let Err(error) = ran {
                failed.get_or_insert(Failure { node: Some(stage.steps[step].view.name.clone()), error });
                continue;
            }
            let Some(shard) = shard else { continue };
            let done = queue.done(step, shard);
            done.read_for_the_last_time.iter().for_each(|&(step, shard)| stage.release(step, shard));
            if done.whole {
                stage.log(step);
            }
            if done.whole && stage.steps[step].view.layer == Layer::Output {
                let (rows, of) = (stage.collect(step)?, stage.steps[step].clone());
                let written = sink(of, rows);
                running.spawn(async move { (step, None, written.await) });
            }
        }
        if let Some(failure) = failed {
            return Err(failure);
        }
        queue.check()?;
        let mut timings = Timings::new();
        for (step, state) in stage.steps.iter().zip(&stage.state) {
            *timings.entry(step.view.name.clone()).or_default() += lock(state).seconds;
        }
        Ok(timings)
    }

    /// Logs a step that has ended, for each run that it is part of.
    fn log(&self, at: usize) {
        let (step, state) = (&self.steps[at], lock(&self.state[at]));
        let State { rows, bytes, seconds, .. } = *state;
        let runs = step.of.iter().filter_map(|&j| self.runs.get(j));
        runs.for_each(|run| tracing::info!(run, node = step.view.name, rows, bytes, seconds, "node done"));
    }

    fn describe(&self, step: usize, shard: usize) -> String {
        let Step { view, phase, .. } = &self.steps[step];
        if *phase == Phase::Shard && self.shards > 1 {
            format!("{}, shard {} of {}", view.name, shard + 1, self.shards)
        } else {
            view.name.clone()
        }
    }

    async fn run_part(&self, at: usize, shard: usize) -> Result<()> {
        let step = &self.steps[at];
        let engine = &self.engines[step.of[0]];
        let start = Instant::now();
        let ran = match step.phase {
            Phase::Shard => self.run_shard(engine, step, at, shard).await,
            Phase::Reference | Phase::Whole => self.run_whole(engine, step, at).await,
        };
        lock(&self.state[at]).seconds += start.elapsed().as_secs_f64();
        ran
    }

    async fn run_whole(&self, engine: &Engine, step: &Step, at: usize) -> Result<()> {
        self.write_out(engine, step).await?;
        let (schema, batches) = engine.run_whole(&step.view).await?;
        lock(&self.state[at]).count(&batches);
        let memory = match (step.view.layer, step.phase) {
            (Layer::Output, _) => {
                let (schema, batches) = super::output::in_place(schema, batches)?;
                Memory::whole(schema, batches)
            }
            (_, Phase::Reference) => Memory::coded(&schema, &batches)?,
            _ => Memory::whole(schema, batches),
        };
        self.make_known(step, at, Arc::new(memory))
    }

    /// The first shard plans the step, with what it knows of the sizes; the others follow its plan.
    async fn run_shard(&self, engine: &Engine, step: &Step, at: usize, shard: usize) -> Result<()> {
        if shard == 0 {
            self.write_out(engine, step).await?;
            let plan = engine.plan_shard(&step.view).await?;
            self.make_known(step, at, Arc::new(Memory::by_student(plan.schema(), self.shards)))?;
            let mut state = lock(&self.state[at]);
            if self.in_text_order && step.follows_students() {
                let schema = super::output::written_schema(&plan.schema());
                let encoder = Encoder::new(super::output::file_schema(&schema))?;
                state.streamed = Some((schema, encoder, BTreeMap::new()));
            }
            state.plan = Some(plan);
        }
        let plan = lock(&self.state[at]).plan.clone().ok_or_else(|| Error::bug(format!("{} was not planned", step.view.name)))?;
        let batches = engine.run_shard(&step.view, &plan, shard).await?;
        lock(&self.state[at]).count(&batches);
        self.keep(step, at, shard, &plan, batches)
    }

    /// Makes the views known that are written out in a step; each once, since another step may be planned at the same time.
    async fn write_out(&self, engine: &Engine, step: &Step) -> Result<()> {
        let mut known = self.written_out[step.of[0]].lock().await;
        for view in step.inline.iter().filter(|v| !known.contains(&v.name)).collect::<Vec<_>>() {
            engine.register_inline(view).await?;
            if view.indicator().is_some() {
                check_indicator(view, &engine.schema(view).await?)?;
            }
            known.insert(view.name.clone());
        }
        Ok(())
    }

    /// Registers what a step makes with every jurisdiction that has it.
    fn make_known(&self, step: &Step, at: usize, memory: Arc<Memory>) -> Result<()> {
        let name = Name { schema: None, table: step.view.name.clone() };
        for &jurisdiction in step.of.iter().filter(|_| step.view.layer != Layer::Output) {
            self.engines[jurisdiction].register(&name, Arc::clone(&memory) as _)?;
        }
        lock(&self.state[at]).relation = Some(memory);
        Ok(())
    }

    fn keep(&self, step: &Step, at: usize, shard: usize, plan: &ShardPlan, batches: Vec<RecordBatch>) -> Result<()> {
        let (schema, batches) = match step.view.layer {
            Layer::Output => super::output::in_place(plan.schema(), batches)?,
            _ => (plan.schema(), batches),
        };
        let encoder = lock(&self.state[at]).streamed.as_ref().map(|s| s.1.clone());
        let Some(encoder) = encoder else {
            if let Some(memory) = &lock(&self.state[at]).relation {
                memory.put(shard, batches);
            }
            return Ok(());
        };
        for (year, batches) in super::output::split_years(&schema, &batches)? {
            let group = encoder.encode(&batches)?;
            if let Some((_, _, groups)) = &mut lock(&self.state[at]).streamed {
                groups.insert((year, shard), group);
            }
        }
        Ok(())
    }

    /// Frees what no step reads any more.
    fn release(&self, step: usize, shard: usize) {
        if self.steps[step].view.layer != Layer::Output {
            lock(&self.state[step]).relation.iter().for_each(|memory| drop(memory.take(shard)));
        }
    }

    /// The rows of an output whose every part is there.
    fn collect(&self, step: usize) -> Result<Rows> {
        let mut state = lock(&self.state[step]);
        if let Some((schema, encoder, groups)) = state.streamed.take() {
            let mut years: BTreeMap<i32, Vec<Group>> = BTreeMap::new();
            groups.into_iter().for_each(|((year, _), group)| years.entry(year).or_default().push(group));
            return Ok(Rows::Encoded(schema, years, encoder));
        }
        let memory = state.relation.take();
        let memory = memory.ok_or_else(|| Error::bug(format!("output {} did not run", self.steps[step].view.name)))?;
        let parts = (0..memory.parts()).map(|s| memory.take(s)).collect();
        Ok(Rows::Batches(super::output::written_schema(&memory.schema()), parts))
    }
}

/// Which parts of which steps may run, in a fixed order of preference: earlier shards first, then earlier steps. What counts over
/// students runs among the shards, to keep threads busy; under a limit of memory after them, so that the rows of outputs are written and
/// gone by then.
struct Queue<'a> {
    steps: &'a [Step],
    shards: usize,
    /// Shards that may be under way at once.
    window: usize,
    /// Whether what counts over students waits until the shards have ended.
    shards_first: bool,
    /// Inputs of each part of each step that are not there yet.
    missing: Vec<Vec<usize>>,
    /// Parts of each step that have not ended.
    open: Vec<usize>,
    /// Reads of each part of each step that are still to come.
    reads: Vec<Vec<usize>>,
    /// Steps that each shard still has to run.
    left: Vec<usize>,
    /// By preference: the shard, or the place among them; the step; and the part.
    ready: BTreeSet<(usize, usize, usize)>,
}

/// What follows from the end of a part.
struct Done {
    /// Every part of the step has ended.
    whole: bool,
    /// Parts that nothing reads any more.
    read_for_the_last_time: Vec<(usize, usize)>,
}

impl<'a> Queue<'a> {
    fn new(steps: &'a [Step], shards: usize, threads: usize, shards_first: bool) -> Queue<'a> {
        let parts = |s: &Step| if s.phase == Phase::Shard { shards } else { 1 };
        let by_shard = steps.iter().filter(|s| s.phase == Phase::Shard).count();
        let mut queue = Queue {
            steps,
            shards,
            window: threads,
            shards_first,
            missing: steps.iter().map(|s| vec![0; parts(s)]).collect(),
            open: steps.iter().map(parts).collect(),
            reads: steps.iter().map(|s| vec![0; parts(s)]).collect(),
            left: vec![by_shard; shards],
            ready: BTreeSet::new(),
        };
        for (i, step) in steps.iter().enumerate() {
            // All but the first shard wait for the plan that the first makes.
            (1..parts(step)).for_each(|shard| queue.missing[i][shard] += 1);
            for &input in &step.inputs {
                for (shard, reader) in queue.readings(input, i) {
                    queue.missing[i][reader] += 1;
                    queue.reads[input][shard] += 1;
                }
            }
            (0..parts(step)).filter(|&p| queue.missing[i][p] == 0).collect::<Vec<_>>().into_iter().for_each(|p| queue.is_ready(i, p));
        }
        queue
    }

    /// Which part of a step is read by which part of a reader.
    fn readings(&self, input: usize, reader: usize) -> Vec<(usize, usize)> {
        match (self.steps[input].phase, self.steps[reader].phase) {
            (Phase::Shard, Phase::Shard) => (0..self.shards).map(|s| (s, s)).collect(),
            (Phase::Shard, _) => (0..self.shards).map(|s| (s, 0)).collect(),
            (_, Phase::Shard) => (0..self.shards).map(|s| (0, s)).collect(),
            _ => vec![(0, 0)],
        }
    }

    /// The next part to run: step and shard.
    fn next(&mut self) -> Option<(usize, usize)> {
        let ended = self.left.iter().take_while(|&&n| n == 0).count();
        let &(place, step, part) = self.ready.first().filter(|(place, ..)| *place < ended + self.window)?;
        self.ready.remove(&(place, step, part));
        Some((step, part))
    }

    fn done(&mut self, step: usize, shard: usize) -> Done {
        self.open[step] -= 1;
        if self.steps[step].phase == Phase::Shard {
            self.left[shard] -= 1;
            if shard == 0 {
                (1..self.shards).for_each(|s| self.arrived(step, s));
            }
        }
        for &reader in &self.steps[step].readers {
            let parts = self.readings(step, reader).into_iter().filter(|(s, _)| *s == shard);
            parts.for_each(|(_, p)| self.arrived(reader, p));
        }
        let mut ended: Vec<(usize, usize)> = Vec::new();
        for &input in &self.steps[step].inputs {
            for (of_input, _) in self.readings(input, step).into_iter().filter(|(_, p)| *p == shard) {
                self.reads[input][of_input] -= 1;
                ended.extend((self.reads[input][of_input] == 0).then_some((input, of_input)));
            }
        }
        Done { whole: self.open[step] == 0, read_for_the_last_time: ended }
    }

    fn arrived(&mut self, step: usize, part: usize) {
        self.missing[step][part] -= 1;
        if self.missing[step][part] == 0 {
            self.is_ready(step, part);
        }
    }

    fn is_ready(&mut self, step: usize, part: usize) {
        let waits = self.shards_first && self.steps[step].phase == Phase::Whole;
        self.ready.insert((if waits { self.shards } else { part }, step, part));
    }

    /// Every part has run.
    fn check(&self) -> Result<()> {
        let stuck = self.steps.iter().zip(&self.open).find(|(_, open)| **open > 0);
        stuck.map_or(Ok(()), |(s, _)| Err(Error::bug(format!("{} never came to run", s.view.name))))
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
