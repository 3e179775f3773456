//! From the rows of the outputs to Parquet files by report year, in the order of each table's key.

use super::graph::{STUDENT, Step};
use super::journal::{Begun, Finished, Journal};
use super::key::Key;
use super::manifest::{Column, Table};
use super::plan::Plan;
use super::stage::Rows;
use super::{Ground, Options, Prepared};
use crate::catalog::{Name, View};
use crate::commit;
use crate::contract::Contracts;
use crate::engine::{Engine, Memory};
use crate::error::{Error, Result};
use crate::store::{self, Stored};
use crate::table::{Encoder, GROUP_ROWS, Group};
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{concat_batches, partition, sort_to_indices, take_record_batch};
use arrow::datatypes::{Field, Int32Type, Schema, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, SortField};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The column by which outputs are partitioned; it is in the folder's name, not in the files.
pub const REPORT_YEAR: &str = "report_year";

/// A column of an output view that tells the order of its rows and is not written: the order of the table's key as one number.
pub const PLACE: &str = "place";

/// A file of an output.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutputFile {
    /// The table.
    pub table: String,
    /// The report year.
    pub report_year: i32,
    /// Where it is.
    #[serde(flatten)]
    pub stored: Stored,
    /// Its rows.
    pub rows: usize,
}

/// Columns of an output's files: all but the report year.
pub fn file_schema(schema: &SchemaRef) -> SchemaRef {
    Arc::new(Schema::new(schema.fields().iter().filter(|f| f.name() != REPORT_YEAR).cloned().collect::<Vec<_>>()))
}

/// Columns of an output that are written: all but its place.
pub fn written_schema(schema: &SchemaRef) -> SchemaRef {
    Arc::new(Schema::new(schema.fields().iter().filter(|f| f.name() != PLACE).cloned().collect::<Vec<_>>()))
}

/// Sorts rows by their column `place`, if there is one, and drops it. One number to sort by and one gather of the texts cost a fifth of a sort
/// in the engine, which moves every text twice.
pub fn in_place(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let Ok(at) = schema.index_of(PLACE) else { return Ok((schema, batches)) };
    let wrong = |e| Error::internal("rows of an output in order", e);
    let rows = concat_batches(&schema, &batches).map_err(wrong)?;
    let order = sort_to_indices(rows.column(at), None, None).map_err(wrong)?;
    let others: Vec<usize> = (0..schema.fields().len()).filter(|&i| i != at).collect();
    let rows = take_record_batch(&rows.project(&others).map_err(wrong)?, &order).map_err(wrong)?;
    Ok((rows.schema(), vec![rows]))
}

/// Describes an output from its header and the contracts; every column must have a description.
pub fn describe(view: &View, schema: &SchemaRef, contracts: &Contracts) -> Result<Table> {
    let wrong = |what: String| Error::Config(format!("{}: {what}", view.path));
    if let Some(missing) = view.header.grain.iter().find(|c| schema.index_of(c).is_err()) {
        return Err(wrong(format!("header: grain names {missing}, which the view does not give")));
    }
    if let Some(missing) = view.header.columns.keys().find(|c| schema.index_of(c).is_err()) {
        return Err(wrong(format!("header: columns describes {missing}, which the view does not give")));
    }
    let column = |f: &Arc<Field>| {
        let description = view.header.columns.get(f.name()).cloned().or_else(|| contracts.describe(f.name()));
        let description = description.ok_or_else(|| wrong(format!("header: columns has no description of {}", f.name())))?;
        Ok(Column { name: f.name().clone(), kind: crate::table::stored_type(f.data_type()).to_string(), description })
    };
    Ok(Table {
        name: view.name.clone(),
        title: view.header.title.clone(),
        description: view.header.description.clone().unwrap_or_default(),
        key: if view.header.without_key { vec![] } else { view.header.grain.clone() },
        columns: schema.fields().iter().filter(|f| f.name() != PLACE).map(column).collect::<Result<_>>()?,
    })
}

/// Splits batches sorted by report year into those of each year, without the column.
pub fn split_years(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<BTreeMap<i32, Vec<RecordBatch>>> {
    let at = schema.index_of(REPORT_YEAR).map_err(|_| Error::Config(format!("an output must have a column {REPORT_YEAR}")))?;
    let others: Vec<usize> = (0..schema.fields().len()).filter(|&i| i != at).collect();
    let wrong = |e| Error::internal("rows of an output by report year", e);
    let mut years: BTreeMap<i32, Vec<RecordBatch>> = BTreeMap::new();
    for batch in batches.iter().filter(|b| b.num_rows() > 0) {
        let year = batch.column(at);
        let rest = batch.project(&others).map_err(wrong)?;
        for range in partition(std::slice::from_ref(year)).map_err(wrong)?.ranges() {
            let of = year
                .as_primitive_opt::<Int32Type>()
                .ok_or_else(|| Error::Config(format!("column {REPORT_YEAR} of an output must be a 32-bit integer")))?;
            years.entry(of.value(range.start)).or_default().push(rest.slice(range.start, range.len()));
        }
    }
    Ok(years)
}

/// Row groups of each year of an output.
async fn by_year(engine: &Engine, view: &View, rows: Rows, in_text_order: bool) -> Result<(BTreeMap<i32, Vec<Group>>, Encoder)> {
    let (schema, parts) = match rows {
        Rows::Encoded(_, years, encoder) => return Ok((years, encoder)),
        Rows::Batches(schema, parts) => (schema, parts),
    };
    let batches = if parts.len() == 1 {
        parts.into_iter().flatten().collect()
    } else if in_text_order {
        join_parts(view, &schema, &parts)?
    } else {
        sort(engine, view, &schema, parts).await?
    };
    let encoder = Encoder::new(file_schema(&schema))?;
    let mut years = BTreeMap::new();
    for (year, batches) in split_years(&schema, &batches)? {
        years.insert(year, encode(&encoder, &batches, engine.partitions())?);
    }
    Ok((years, encoder))
}

/// What was written for a jurisdiction.
struct Destination {
    folder: PathBuf,
    engine: Arc<Engine>,
    years: BTreeSet<i32>,
    /// None if the run would be the current one.
    journal: Option<Journal>,
    keys: BTreeMap<String, Key>,
    written: Mutex<(Vec<OutputFile>, Vec<Table>)>,
}

/// Writes outputs as they come: a file for each report year asked for (an empty one where it has no rows), for each jurisdiction that has it.
pub struct Writer {
    root: PathBuf,
    contracts: Arc<Contracts>,
    in_text_order: bool,
    destinations: Vec<Destination>,
}

impl Writer {
    /// A new folder for each jurisdiction; it is made with the journal, or the first file.
    pub fn new(ground: &Ground, runs: &[(Prepared, Plan)], contracts: Arc<Contracts>, options: &Options) -> Result<Writer> {
        let at = commit::now();
        let mut in_text_order = true;
        let mut destinations = Vec::new();
        for (prepared, plan) in runs {
            in_text_order = prepared.registered.in_text_order;
            let (jurisdiction, years) = (&prepared.jurisdiction.id, &prepared.years.requested);
            let run_id = run_id(jurisdiction, &at);
            let folder = ground.below.join(&run_id);
            let of_years = Options { report_years: years.clone(), ..options.clone() };
            let begun = Begun::new(&of_years, run_id, jurisdiction, &ground.load.load_id, &at);
            destinations.push(Destination {
                journal: plan.unchanged(prepared).is_none().then(|| Journal::begin(&folder, begun)).transpose()?,
                folder,
                engine: Arc::clone(&prepared.engine),
                years: years.clone(),
                keys: plan.keys.clone(),
                written: Mutex::default(),
            });
        }
        Ok(Writer { root: ground.root.to_path_buf(), contracts, in_text_order, destinations })
    }

    /// Writes an output.
    pub async fn write(self: Arc<Self>, step: Step, rows: Rows) -> Result<()> {
        let of: Vec<&Destination> = step.of.iter().filter_map(|&j| self.destinations.get(j)).collect();
        let Some((first, others)) = of.split_first() else { return Ok(()) };
        let (view, table) = (&step.view, describe(&step.view, &rows.schema(), &self.contracts)?);
        let (mut years, encoder) = by_year(&first.engine, view, rows, self.in_text_order).await?;
        for &year in &first.years {
            let below = Path::new(&view.name).join(format!("{REPORT_YEAR}={year}"));
            let name = format!("{}-00000.parquet", view.name);
            let groups = years.remove(&year).unwrap_or_default();
            let (stored, rows) = encoder.write(&self.root, &first.folder.join(&below), &name, groups)?;
            for other in others {
                let stored = store::link(&self.root, &stored, &other.folder.join(&below).join(&name))?;
                other.add(OutputFile { table: view.name.clone(), report_year: year, stored, rows });
            }
            first.add(OutputFile { table: view.name.clone(), report_year: year, stored, rows });
        }
        of.iter().try_for_each(|d| d.finish(table.clone()))
    }

    /// Leaves a record in each folder of why there is no run in it.
    pub fn failed(&self, node: Option<&str>, error: &Error) {
        for journal in self.destinations.iter().filter_map(|d| d.journal.as_ref()) {
            if let Err(e) = journal.failed(node, &error.to_string()) {
                tracing::warn!("{e}");
            }
        }
    }

    /// The id of each jurisdiction's run: the name of its folder.
    pub fn run_ids(&self) -> Vec<String> {
        self.destinations.iter().map(|d| d.run_id().to_string()).collect()
    }

    /// Folder, files and tables of a jurisdiction, by position.
    pub fn written(&self, at: usize) -> (PathBuf, Vec<OutputFile>, Vec<Table>) {
        let destination = &self.destinations[at];
        let (files, tables) = std::mem::take(&mut *lock(&destination.written));
        (destination.folder.clone(), files, tables)
    }
}

impl Destination {
    fn run_id(&self) -> Cow<'_, str> {
        self.folder.file_name().map(|n| n.to_string_lossy()).unwrap_or_default()
    }

    fn add(&self, file: OutputFile) {
        let OutputFile { table, report_year, stored, rows } = &file;
        tracing::info!(run = %self.run_id(), table, report_year, rows, bytes = stored.bytes, "table written");
        lock(&self.written).0.push(file);
    }

    /// All files of a table are there.
    fn finish(&self, table: Table) -> Result<()> {
        let mut written = lock(&self.written);
        let files = written.0.iter().filter(|f| f.table == table.name).cloned().collect();
        written.1.push(table.clone());
        match (&self.journal, self.keys.get(&table.name)) {
            (Some(journal), Some(key)) => journal.finished(Finished { table, key: key.clone(), files }),
            _ => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The id of a run that begins at a time: ids of later runs come later in text order.
pub fn run_id(jurisdiction: &str, at: &str) -> String {
    format!("{}-{jurisdiction}-{:08x}", at.replace([':', '-'], ""), unique())
}

/// A number that no other run of this second has.
fn unique() -> u32 {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    nanos ^ std::process::id().rotate_left(16) ^ SERIAL.fetch_add(1, Ordering::Relaxed).rotate_left(8)
}

/// Joins the sorted rows of the shards: by the key's columns before the student, then by shard, since shards are ranges of students in order.
fn join_parts(view: &View, schema: &SchemaRef, parts: &[Vec<RecordBatch>]) -> Result<Vec<RecordBatch>> {
    let wrong = |e| Error::internal(format!("rows of {} in order", view.name), e);
    let before: Vec<usize> =
        view.header.grain.iter().take_while(|c| !STUDENT.contains(&c.as_str())).filter_map(|c| schema.index_of(c).ok()).collect();
    let converter =
        RowConverter::new(before.iter().map(|&i| SortField::new(schema.field(i).data_type().clone())).collect()).map_err(wrong)?;
    let mut runs: BTreeMap<OwnedRow, Vec<RecordBatch>> = BTreeMap::new();
    for batch in parts.iter().flatten().filter(|b| b.num_rows() > 0) {
        let columns: Vec<_> = before.iter().map(|&i| Arc::clone(batch.column(i))).collect();
        let keys = converter.convert_columns(&columns).map_err(wrong)?;
        for range in partition(&columns).map_err(wrong)?.ranges() {
            runs.entry(keys.row(range.start).owned()).or_default().push(batch.slice(range.start, range.len()));
        }
    }
    Ok(runs.into_values().flatten().collect())
}

/// Sorts an output by its key: needed when student keys do not follow the text of the ids.
async fn sort(engine: &Engine, view: &View, schema: &SchemaRef, parts: Vec<Vec<RecordBatch>>) -> Result<Vec<RecordBatch>> {
    let memory = Arc::new(Memory::whole(Arc::clone(schema), parts.into_iter().flatten().collect()));
    let table = format!("unsorted_{}", view.name);
    engine.register(&Name { schema: None, table: table.clone() }, Arc::clone(&memory) as _)?;
    let (_, batches) = engine.query(&format!("SELECT * FROM {table} ORDER BY {}", view.header.grain.join(", "))).await?;
    memory.take(0);
    Ok(batches)
}

/// Encodes rows as row groups of a fixed size, on several threads.
fn encode(encoder: &Encoder, batches: &[RecordBatch], threads: usize) -> Result<Vec<Group>> {
    let mut pieces: Vec<Vec<RecordBatch>> = vec![];
    let mut room = 0;
    for batch in batches {
        let mut start = 0;
        while start < batch.num_rows() {
            if room == 0 {
                pieces.push(vec![]);
                room = GROUP_ROWS;
            }
            let rows = room.min(batch.num_rows() - start);
            pieces.last_mut().into_iter().for_each(|p| p.push(batch.slice(start, rows)));
            (start, room) = (start + rows, room - rows);
        }
    }
    in_parallel(threads, pieces.len(), |i| encoder.encode(&pieces[i]))
}

/// Runs `job` for 0 to n−1 on several threads; results in order.
pub fn in_parallel<T: Send>(threads: usize, n: usize, job: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                return done;
            }
            done.push((i, job(i)));
        }
    };
    let mut all: Vec<(usize, Result<T>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(n)).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(_) => all.push((usize::MAX, Err(Error::bug("a thread ended early")))),
            }
        }
        all
    });
    all.sort_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, result)| result).collect()
}
