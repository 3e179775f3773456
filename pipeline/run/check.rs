//! A look at the lake of a load: the checks of `sql/check`, which stop nothing (specification: collections, Checks on the way in), and how many rows
//! there are of whatever collections refer to without being sure of it, such as institutions, from year to year.

use super::graph::{Phase, phases};
use super::relation;
use crate::catalog::{Catalog, LAKE, Layer, View};
use crate::contract::{Contract, Contracts, OnViolation};
use crate::engine::{Engine, Limit};
use crate::error::{Error, Result};
use crate::ingest::EXAMPLES;
use crate::jurisdiction::Jurisdiction;
use crate::lake::Load;
use crate::project::Project;
use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::{SortColumn, cast, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, FieldRef, Int32Type, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A check of `sql/check`.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Its name.
    pub check: String,
    /// What it looks for.
    pub title: String,
    /// The collection that it is about.
    pub collection: Option<String>,
    /// Its examples are students.
    pub restricted: bool,
    /// How often it found what it looks for; none: the collection was not handed over.
    pub count: Option<u64>,
    /// The first of them: values by column.
    pub examples: Vec<Vec<(String, String)>>,
}

/// Rows of a collection with a value, in a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowCount {
    /// The collection.
    pub collection: String,
    /// The field.
    pub field: String,
    /// Its value.
    pub value: String,
    /// The year by which the collection is divided.
    pub year: i32,
    /// Rows.
    pub rows: i64,
    /// Rows of the year before; none if the lake has nothing of that year in the collection.
    pub rows_before: Option<i64>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Look {
    /// Every check, by name.
    pub checks: Vec<Checked>,
    /// Rows by year.
    pub counts: Vec<RowCount>,
}

/// Looks at the lake of a load; checks run for collections of this load. The jurisdiction tells which crosswalk stands in when none was handed over.
pub async fn look(
    root: &Path,
    project: &Project,
    load: &Load,
    jurisdiction: &str,
    partitions: usize,
    memory_limit: Option<&Limit>,
) -> Result<Look> {
    let catalog = Catalog::load(project, jurisdiction)?;
    let engine = Arc::new(Engine::new(partitions, memory_limit)?);
    let (jurisdiction, contracts) = (Jurisdiction::load(project, jurisdiction)?, project.contracts()?);
    let registered = relation::register(&engine, project, &contracts, &jurisdiction, root, load)?;
    let handed_over = |v: &View| v.header.collection.as_ref().is_some_and(|name| load.collections.iter().any(|c| c.collection == *name));
    let checks: Vec<&View> = catalog.views().filter(|v| v.layer == Layer::Check).collect();
    let names: Vec<&str> = checks.iter().filter(|v| handed_over(v)).map(|v| v.name.as_str()).collect();
    let order = catalog.in_order(&names)?;
    for view in order.iter().filter(|v| v.layer == Layer::Staging) {
        engine.register_inline(view).await?;
    }
    let phases = phases(&order, &registered.by_student)?;
    let by_student = |view: &View| order.iter().zip(&phases).any(|(v, phase)| v.name == view.name && *phase == Phase::Shard);
    let mut look = Look::default();
    for view in checks {
        let (count, examples) = match handed_over(view) {
            true if by_student(view) => run_by_student(&engine, view, registered.shards).await?,
            true => found(&engine.run_whole(view).await?.1)?,
            false => (None, vec![]),
        };
        look.checks.push(Checked {
            check: view.name.strip_prefix("check_").unwrap_or(&view.name).to_string(),
            title: view.header.title.clone(),
            collection: view.header.collection.clone(),
            restricted: view.header.restricted,
            count,
            examples,
        });
    }
    look.counts = counts(&engine, &contracts, load).await?;
    Ok(look)
}

type Found = (Option<u64>, Vec<Vec<(String, String)>>);

/// Runs a check for each shard by itself, as many at once as there are threads: tables of a shard's students are small.
async fn run_by_student(engine: &Arc<Engine>, view: &View, shards: usize) -> Result<Found> {
    let plan = engine.plan_shard(view).await?;
    let (mut running, mut batches) = (JoinSet::new(), Vec::new());
    for shard in 0..shards {
        if running.len() >= engine.partitions() {
            batches.extend(ended(running.join_next().await)?);
        }
        let (engine, view, plan) = (Arc::clone(engine), view.clone(), plan.clone());
        running.spawn(async move { engine.run_shard(&view, &plan, shard).await });
    }
    while let Some(shard) = running.join_next().await {
        batches.extend(ended(Some(shard))?);
    }
    let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let (_, examples) = found(&[first(&plan.schema(), &batches)?])?;
    Ok((Some(count as u64), examples))
}

fn ended(shard: Option<std::result::Result<Result<Vec<RecordBatch>>, tokio::task::JoinError>>) -> Result<Vec<RecordBatch>> {
    shard.map_or(Ok(vec![]), |shard| shard.map_err(|e| Error::internal("a check ended early", e))?)
}

/// The first rows by their columns, of whichever shard they are.
fn first(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch> {
    let wrong = |e| Error::internal("findings of a check", e);
    let rows = concat_batches(schema, batches.iter().filter(|b| b.num_rows() > 0)).map_err(wrong)?;
    let columns: Vec<SortColumn> = rows.columns().iter().map(|c| SortColumn { values: Arc::clone(c), options: None }).collect();
    let order = lexsort_to_indices(&columns, Some(EXAMPLES)).map_err(wrong)?;
    take_record_batch(&rows, &order).map_err(wrong)
}

fn found(batches: &[RecordBatch]) -> Result<Found> {
    let count: usize = batches.iter().map(|b| b.num_rows()).sum();
    let rows = batches.iter().flat_map(|b| (0..b.num_rows()).map(move |i| row(b, i)));
    Ok((Some(count as u64), rows.take(EXAMPLES).collect::<Result<_>>()?))
}

fn row(batch: &RecordBatch, i: usize) -> Result<Vec<(String, String)>> {
    let value = |(field, column): (&FieldRef, &ArrayRef)| Ok((field.name().clone(), array_value_to_string(column, i)?));
    let row = batch.schema_ref().fields().iter().zip(batch.columns()).map(value).collect::<std::result::Result<_, ArrowError>>();
    row.map_err(|e| Error::internal("examples of a check", e))
}

/// Counts rows by each field that refers to a collection and only warns where that has no such row.
async fn counts(engine: &Engine, contracts: &Contracts, load: &Load) -> Result<Vec<RowCount>> {
    let mut counts = Vec::new();
    for contract in contracts.iter().filter(|c| load.files_of(&c.name).next().is_some()) {
        let fields = contract.foreign_keys.iter().filter(|k| k.on_violation == OnViolation::Warning).map(|k| &k.fields);
        for (field, year) in fields.filter_map(|field| Some((field, contract.partition.as_ref()?))) {
            let rows = count(engine, contract, field, year).await?;
            counts.extend(compare(&contract.name, field, &rows));
        }
    }
    Ok(counts)
}

/// Rows by year and value.
async fn count(engine: &Engine, contract: &Contract, field: &str, year: &str) -> Result<BTreeMap<i32, BTreeMap<String, i64>>> {
    let sql = format!("SELECT {year}, {field}, count(*) FROM {LAKE}.{} WHERE {field} IS NOT NULL GROUP BY {year}, {field}", contract.name);
    let mut rows: BTreeMap<i32, BTreeMap<String, i64>> = BTreeMap::new();
    for batch in engine.query(&sql).await?.1 {
        let wrong = |e| Error::internal("rows by year", e);
        let [years, values] = [(0, DataType::Int32), (1, DataType::Utf8)].map(|(i, kind)| cast(batch.column(i), &kind).map_err(wrong));
        let (years, values) = (years?, values?);
        let (years, values, counts) =
            (years.as_primitive::<Int32Type>(), values.as_string::<i32>(), batch.column(2).as_primitive::<Int64Type>());
        for i in 0..batch.num_rows() {
            rows.entry(years.value(i)).or_default().insert(values.value(i).to_string(), counts.value(i));
        }
    }
    Ok(rows)
}

/// Each year beside the one before; a value that has no rows any more has 0.
fn compare(collection: &str, field: &str, rows: &BTreeMap<i32, BTreeMap<String, i64>>) -> Vec<RowCount> {
    let mut counts = Vec::new();
    for (&year, now) in rows {
        let before = rows.get(&(year - 1));
        let gone = before.into_iter().flatten().filter(|(value, _)| !now.contains_key(*value)).map(|(value, _)| (value, 0));
        let mut of_year: Vec<(&String, i64)> = now.iter().map(|(value, rows)| (value, *rows)).chain(gone).collect();
        of_year.sort_unstable();
        counts.extend(of_year.into_iter().map(|(value, rows)| RowCount {
            collection: collection.into(),
            field: field.into(),
            value: value.clone(),
            year,
            rows,
            rows_before: before.map(|b| b.get(value).copied().unwrap_or(0)),
        }));
    }
    counts
}
