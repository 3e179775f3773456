//! The query engine: the one place that touches a DataFusion session.
//!
//! Relations with a student in their grain lie in *shards*: ranges of student keys, so that everything about a student is in one shard. A view
//! over them is planned once and run for each shard by itself, on one thread, without an exchange between threads; several shards run at
//! once. All other views run once, over everything.

mod content;
mod limit;
mod lineage;
mod scan;
mod sequence;

pub use content::Content;
pub use limit::Limit;
pub use lineage::Needs;
pub use scan::{Batches, Memory, Scan};

use crate::catalog::{Name, View};
use crate::error::{Error, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::datasource::ViewTable;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionStateBuilder, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use futures::TryStreamExt;
use limit::{Sorts, Spill};
use scan::{Mode, ScanTable, Shard};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of a batch inside the engine.
const BATCH_ROWS: usize = 8192;

/// Sessions and settings of a run.
pub struct Engine {
    whole: SessionContext,
    shard: SessionContext,
    partitions: usize,
    runtime: Arc<RuntimeEnv>,
    sorts: Sorts,
    spill: Option<Arc<Spill>>,
    relations: Mutex<BTreeMap<Name, Arc<dyn Scan>>>,
}

/// A view that was planned for its shards.
#[derive(Clone)]
pub struct ShardPlan(Arc<dyn ExecutionPlan>);

impl ShardPlan {
    /// Columns of the view.
    pub fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}

impl Engine {
    /// An engine on `partitions` threads; beyond a limit of memory, operators spill to disk.
    pub fn new(partitions: usize, limit: Option<&Limit>) -> Result<Engine> {
        let spill = limit.map(|l| Spill::new(&l.root)).transpose()?;
        let runtime = RuntimeEnvBuilder::new();
        let runtime = limit.zip(spill.as_ref()).map_or(runtime.clone(), |(limit, spill)| limit.apply(runtime, spill));
        Ok(Engine::on(runtime.build_arc()?, partitions, Sorts::within(limit), spill.map(Arc::new)))
    }

    /// Another engine that shares this one's memory limit and threads, with relations of its own.
    pub fn another(&self) -> Engine {
        Engine::on(Arc::clone(&self.runtime), self.partitions, self.sorts, self.spill.clone())
    }

    fn on(runtime: Arc<RuntimeEnv>, partitions: usize, sorts: Sorts, spill: Option<Arc<Spill>>) -> Engine {
        let session = |threads: usize| {
            let mut config =
                SessionConfig::new().with_target_partitions(threads).with_batch_size(BATCH_ROWS).with_information_schema(false);
            let options = config.options_mut();
            options.sql_parser.collect_spans = true;
            // Text as plain strings: views of strings keep every buffer that they came from alive, and joins pile them up.
            options.sql_parser.map_string_types_to_utf8view = false;
            // Filters found while running make plans depend on timing; they gain nothing on tables in memory.
            options.optimizer.enable_dynamic_filter_pushdown = false;
            // Sorts that fit are done at once: a merge of sorted runs would copy all texts of a dictionary into each batch.
            options.execution.sort_in_place_threshold_bytes = sorts.at_once;
            if let Some(bytes) = sorts.kept {
                options.execution.sort_spill_reservation_bytes = bytes;
            }
            // A union of a literal and a column differs in nullability between the logical and the physical plan; nothing depends on it.
            options.execution.skip_physical_aggregate_schema_check = true;
            let mut state = SessionStateBuilder::new().with_config(config).with_runtime_env(Arc::clone(&runtime)).with_default_features();
            if threads == 1 {
                let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = vec![Arc::new(sequence::SequenceUnions)];
                rules.extend(PhysicalOptimizer::new().rules);
                state = state.with_physical_optimizer_rules(rules);
            }
            let context = SessionContext::new_with_state(state.build());
            crate::tally::aggregates().into_iter().for_each(|a| context.register_udaf(a));
            context
        };
        Engine { whole: session(partitions), shard: session(1), partitions, runtime, sorts, spill, relations: Mutex::default() }
    }

    /// Threads that the engine may use.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    /// Whether there is a limit of memory.
    pub fn is_limited(&self) -> bool {
        self.spill.is_some()
    }

    /// Makes a relation known under a name.
    pub fn register(&self, name: &Name, scan: Arc<dyn Scan>) -> Result<()> {
        for (context, mode) in [(&self.whole, Mode::Whole { partitions: self.partitions }), (&self.shard, Mode::Shard)] {
            let table = Arc::new(ScanTable::new(Arc::clone(&scan), mode));
            replace(context, name, table)?;
        }
        self.relations.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), scan);
        Ok(())
    }

    /// What the registered relations hold, of those that can tell.
    pub fn contents(&self) -> Result<BTreeMap<Name, Content>> {
        let relations = self.relations.lock().unwrap_or_else(PoisonError::into_inner);
        let content = |(name, scan): (&Name, &Arc<dyn Scan>)| scan.content().map(|c| c.map(|c| (name.clone(), c))).transpose();
        relations.iter().filter_map(content).collect()
    }

    /// Makes a view known that is written out wherever it is referred to.
    pub async fn register_inline(&self, view: &View) -> Result<()> {
        for context in [&self.whole, &self.shard] {
            let plan = logical(context, view).await?;
            let table = Arc::new(ViewTable::new(plan, None));
            replace(context, &Name { schema: None, table: view.name.clone() }, table)?;
        }
        Ok(())
    }

    /// Columns of a view, without running it.
    pub async fn schema(&self, view: &View) -> Result<SchemaRef> {
        Ok(Arc::clone(logical(&self.whole, view).await?.schema().inner()))
    }

    /// Plans a view to be run shard by shard.
    pub async fn plan_shard(&self, view: &View) -> Result<ShardPlan> {
        let plan = logical(&self.shard, view).await?;
        let plan = self.shard.state().create_physical_plan(&plan).await.map_err(|e| in_view(view, &e))?;
        trace(view, &plan);
        Ok(ShardPlan(plan))
    }

    /// Runs a planned view for one shard.
    pub async fn run_shard(&self, view: &View, plan: &ShardPlan, shard: usize) -> Result<Vec<RecordBatch>> {
        let run = async {
            // A plan keeps what a join built: each shard gets a fresh copy.
            let plan = reset_plan_states(Arc::clone(&plan.0))?;
            let config = self.shard.copied_config().with_extension(Arc::new(Shard(shard)));
            let context = TaskContext::default().with_session_config(config).with_runtime(self.shard.runtime_env());
            let batches = execute_stream(Arc::clone(&plan), Arc::new(context))?.try_collect().await;
            trace_metrics(view, &plan);
            batches
        };
        run.await.map_err(|e: DataFusionError| in_view(view, &e))
    }

    /// Runs a view over everything.
    pub async fn run_whole(&self, view: &View) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let plan = logical(&self.whole, view).await?;
        let run = async {
            let plan = self.whole.state().create_physical_plan(&plan).await?;
            trace(view, &plan);
            let schema = plan.schema();
            let batches = collect(Arc::clone(&plan), self.whole.task_ctx()).await?;
            trace_metrics(view, &plan);
            Ok((schema, batches))
        };
        run.await.map_err(|e: DataFusionError| in_view(view, &e))
    }

    /// Runs any query over the registered relations; only queries, nothing that changes or writes.
    pub async fn query(&self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let run = async {
            let only_queries = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
            let frame = self.whole.sql_with_options(sql, only_queries).await?;
            let schema = Arc::clone(frame.schema().inner());
            Ok((schema, frame.collect().await?))
        };
        run.await.map_err(|e: DataFusionError| Error::Config(format!("the query failed: {}", message(&e))))
    }
}

/// Logs a physical plan for people who tune views: `PERKINS_LOG=perkins::engine=debug`. Plans hold no data.
fn trace(view: &View, plan: &Arc<dyn ExecutionPlan>) {
    tracing::debug!("plan of {}\n{}", view.name, datafusion::physical_plan::displayable(plan.as_ref()).indent(false));
}

/// Logs what each operator of a plan cost: `PERKINS_LOG=perkins::engine=trace`.
fn trace_metrics(view: &View, plan: &Arc<dyn ExecutionPlan>) {
    if tracing::enabled!(tracing::Level::TRACE) {
        tracing::trace!(
            "metrics of {}\n{}",
            view.name,
            datafusion::physical_plan::display::DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false)
        );
    }
}

async fn logical(context: &SessionContext, view: &View) -> Result<LogicalPlan> {
    context.state().create_logical_plan(&view.sql).await.map_err(|e| in_view(view, &e))
}

/// Registers a table, in place of one of the same name.
fn replace(context: &SessionContext, name: &Name, table: Arc<dyn TableProvider>) -> Result<()> {
    let schema = schema(context, name.schema.as_deref())?;
    schema.deregister_table(&name.table)?;
    schema.register_table(name.table.clone(), table)?;
    Ok(())
}

/// The schema of a session by name, made when it is not there.
fn schema(context: &SessionContext, name: Option<&str>) -> Result<Arc<dyn SchemaProvider>> {
    let state = context.state();
    let options = &state.config_options().catalog;
    let catalog: Arc<dyn CatalogProvider> =
        context.catalog(&options.default_catalog).ok_or_else(|| Error::bug("the session has no default catalog"))?;
    let name = name.unwrap_or(&options.default_schema);
    match catalog.schema(name) {
        Some(schema) => Ok(schema),
        None => {
            let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
            catalog.register_schema(name, Arc::clone(&schema))?;
            Ok(schema)
        }
    }
}

/// An error of a view: where the SQL is wrong, with the place in the file if the engine knows it.
fn in_view(view: &View, error: &DataFusionError) -> Error {
    let place = error.diagnostic().and_then(|d| d.span).map(|s| format!(":{}:{}", s.start.line, s.start.column)).unwrap_or_default();
    match error.find_root() {
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) | DataFusionError::SQL(..) | DataFusionError::Diagnostic(..) => {
            Error::Config(format!("{}{place}: {}", view.path, message(error)))
        }
        _ => Error::Internal { message: format!("view {} ({}) failed: {}", view.name, view.path, message(error)), source: None },
    }
}

/// What the engine says. Of an error in the data nothing from the first value on: it may be one of a student.
fn message(error: &DataFusionError) -> String {
    // What our own readers say has no values in it.
    if let DataFusionError::External(cause) = error.find_root()
        && let Some(own) = cause.downcast_ref::<Error>()
    {
        return own.to_string();
    }
    let text = error.strip_backtrace();
    let is_value = |c: char| c == '\'' || c == '"' || c.is_ascii_digit();
    match (error.find_root(), text.find(is_value)) {
        (DataFusionError::ArrowError(..) | DataFusionError::Execution(_) | DataFusionError::External(_), Some(at)) => {
            format!("{}… (values are not shown)", &text[..at])
        }
        _ => text,
    }
}
