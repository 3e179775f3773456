//! Relations as the engine sees them: parts that are read whole, or one shard at a time.

use super::Content;
use crate::error::{Error, Result};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as EngineResult, Statistics, project_schema};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// The shard that a task works on, carried by its session's configuration.
pub struct Shard(pub usize);

/// Batches of one part, or an error.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Data in parts: as many as there are shards if it is by student, else one.
pub trait Scan: fmt::Debug + Send + Sync {
    /// Columns.
    fn schema(&self) -> SchemaRef;
    /// Whether the parts are the shards.
    fn by_student(&self) -> bool;
    /// Number of parts.
    fn parts(&self) -> usize;
    /// Rows of a part, exact or estimated.
    fn rows(&self, part: usize) -> usize;
    /// What it holds, as hashes; `None` if it can't tell.
    fn content(&self) -> Result<Option<Content>> {
        Ok(None)
    }
    /// Reads some columns of a part.
    fn read(&self, part: usize, columns: &[usize]) -> Result<Batches>;
}

/// A relation in memory. Parts are put in when they are there and taken out when nobody needs them any more.
#[derive(Debug)]
pub struct Memory {
    schema: SchemaRef,
    by_student: bool,
    parts: Vec<Mutex<Vec<RecordBatch>>>,
    content: Option<Content>,
}

impl Memory {
    /// An empty relation with one part for each shard.
    pub fn by_student(schema: SchemaRef, shards: usize) -> Memory {
        Memory { schema, by_student: true, parts: (0..shards).map(|_| Mutex::default()).collect(), content: None }
    }

    /// A relation that is there whole.
    pub fn whole(schema: SchemaRef, batches: Vec<RecordBatch>) -> Memory {
        Memory { schema, by_student: false, parts: vec![Mutex::new(batches)], content: None }
    }

    /// Says what the relation holds.
    pub fn with_content(self, content: Content) -> Memory {
        Memory { content: Some(content), ..self }
    }

    /// A relation that is there whole, its texts as codes: whatever is joined to it then moves numbers instead of texts.
    pub fn coded(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Memory> {
        let wrong = |e| Error::internal("texts of a relation as codes", e);
        let rows = concat_batches(schema, batches).map_err(wrong)?;
        let columns: Vec<ArrayRef> = rows
            .columns()
            .iter()
            .map(|c| match c.data_type() {
                DataType::Utf8 => cast(c, &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))),
                _ => Ok(Arc::clone(c)),
            })
            .collect::<std::result::Result<_, _>>()
            .map_err(wrong)?;
        let fields = schema.fields().iter().zip(&columns).map(|(f, c)| f.as_ref().clone().with_data_type(c.data_type().clone()));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
        let rows = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(wrong)?;
        Ok(Memory::whole(schema, vec![rows]))
    }

    /// Puts in a part.
    pub fn put(&self, part: usize, batches: Vec<RecordBatch>) {
        *self.lock(part) = batches;
    }

    /// Takes out a part and leaves it empty.
    pub fn take(&self, part: usize) -> Vec<RecordBatch> {
        std::mem::take(&mut *self.lock(part))
    }

    /// A part's batches; their columns are shared, not copied.
    pub fn get(&self, part: usize) -> Vec<RecordBatch> {
        self.lock(part).clone()
    }

    fn lock(&self, part: usize) -> std::sync::MutexGuard<'_, Vec<RecordBatch>> {
        self.parts[part].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scan for Memory {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn by_student(&self) -> bool {
        self.by_student
    }

    fn parts(&self) -> usize {
        self.parts.len()
    }

    fn rows(&self, part: usize) -> usize {
        self.lock(part).iter().map(RecordBatch::num_rows).sum()
    }

    fn content(&self) -> Result<Option<Content>> {
        Ok(self.content.clone())
    }

    fn read(&self, part: usize, columns: &[usize]) -> Result<Batches> {
        let columns = columns.to_vec();
        let project = move |b: RecordBatch| b.project(&columns).map_err(|e| Error::internal("columns of a relation in memory", e));
        Ok(Box::new(self.get(part).into_iter().map(project)))
    }
}

/// How a session sees relations.
#[derive(Debug, Clone, Copy)]
pub enum Mode {
    /// All parts, dealt out to this many partitions.
    Whole { partitions: usize },
    /// The part of the task's shard, in one partition.
    Shard,
}

/// A relation as a table of a session.
#[derive(Debug)]
pub struct ScanTable {
    scan: Arc<dyn Scan>,
    mode: Mode,
}

impl ScanTable {
    pub fn new(scan: Arc<dyn Scan>, mode: Mode) -> ScanTable {
        ScanTable { scan, mode }
    }
}

#[async_trait::async_trait]
impl TableProvider for ScanTable {
    fn schema(&self) -> SchemaRef {
        self.scan.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let columns = projection.cloned().unwrap_or_else(|| (0..self.scan.schema().fields().len()).collect());
        Ok(Arc::new(ScanExec::try_new(Arc::clone(&self.scan), columns, self.mode)?))
    }
}

/// Reads a relation.
#[derive(Debug)]
struct ScanExec {
    scan: Arc<dyn Scan>,
    columns: Vec<usize>,
    mode: Mode,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    fn try_new(scan: Arc<dyn Scan>, columns: Vec<usize>, mode: Mode) -> EngineResult<ScanExec> {
        let schema = project_schema(&scan.schema(), Some(&columns))?;
        let partitions = match mode {
            Mode::Whole { partitions } => partitions.min(scan.parts()).max(1),
            Mode::Shard => 1,
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(ScanExec { scan, columns, mode, properties: Arc::new(properties) })
    }

    /// The parts that a partition reads.
    fn parts(&self, partition: usize, context: Option<&TaskContext>) -> Range<usize> {
        let all = self.scan.parts();
        match self.mode {
            Mode::Whole { partitions } => {
                let n = partitions.min(all).max(1);
                all * partition / n..all * (partition + 1) / n
            }
            Mode::Shard if !self.scan.by_student() => 0..all,
            Mode::Shard => {
                let shard = context.and_then(|c| c.session_config().get_extension::<Shard>()).map_or(0, |s| s.0);
                shard..shard + 1
            }
        }
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let schema = self.scan.schema();
        let names: Vec<&str> = self.columns.iter().map(|&c| schema.field(c).name().as_str()).collect();
        write!(f, "ScanExec: columns=[{}]", names.join(", "))
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &'static str {
        "ScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn reset_state(self: Arc<Self>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        let (scan, columns) = (Arc::clone(&self.scan), self.columns.clone());
        let batches = self.parts(partition, Some(&context)).flat_map(move |part| match scan.read(part, &columns) {
            Ok(batches) => batches,
            Err(e) => Box::new(std::iter::once(Err(e))),
        });
        let stream = futures::stream::iter(batches.map(|b| b.map_err(|e| DataFusionError::External(Box::new(e)))));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> EngineResult<Arc<Statistics>> {
        let partitions = self.properties.partitioning.partition_count();
        let parts = args.partition().map_or(0..partitions, |p| p..p + 1).flat_map(|p| self.parts(p, None));
        let rows: usize = parts.map(|p| self.scan.rows(p)).sum();
        Ok(Arc::new(Statistics::new_unknown(&self.schema()).with_num_rows(Precision::Inexact(rows))))
    }
}
