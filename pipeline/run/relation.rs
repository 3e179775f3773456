//! The relations that come from files: collections of the lake (or their shipped defaults), identifiers, and reference tables.

use super::graph::STUDENT;
use super::parameter::{register as register_columns, register_batch};
use crate::catalog::{LAKE, Name};
use crate::contract::{Contract, Contracts};
use crate::engine::{Batches, Content, Engine, Memory, Scan};
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::lake::{LakeReader, Load, STUDENTS_PER_BLOCK};
use crate::project::{File, Files, Project};
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// What was registered.
#[derive(Debug, Default)]
pub struct Registered {
    /// Relations whose parts are the shards.
    pub by_student: BTreeSet<Name>,
    /// Number of shards, at least one.
    pub shards: usize,
    /// Whether student keys follow the text of the ids.
    pub in_text_order: bool,
    /// `group_code`s of the reference tables that have them, in text order.
    pub group_codes: BTreeMap<String, Vec<String>>,
    /// Collections that were not handed over and come from a default file: collection and file.
    pub defaults: BTreeMap<String, String>,
}

/// Registers every collection as `lake.<collection>`, every key as `key.<name>` and every reference table as `reference.<table>`.
pub fn register(
    engine: &Engine,
    project: &Project,
    contracts: &Contracts,
    jurisdiction: &Jurisdiction,
    root: &Path,
    load: &Load,
) -> Result<Registered> {
    let students = load.surrogates.get(STUDENT[0]).map_or(0, |s| s.count);
    let mut registered =
        Registered { shards: students.div_ceil(STUDENTS_PER_BLOCK).max(1) as usize, in_text_order: true, ..Registered::default() };
    register_keys(engine, contracts, root, load, &mut registered)?;
    let defaults = project.defaults()?;
    let limits = default_limits(&defaults)?;
    let missing = |name: &str| load.files_of(name).next().is_none();
    let excluded = |name: &str| limits.get(name).into_iter().flat_map(|l| l.unless.iter().map(String::as_str));
    for contract in contracts.iter() {
        let name = Name { schema: Some(LAKE.into()), table: contract.name.clone() };
        let stands_in = missing(&contract.name) && excluded(&contract.name).all(missing);
        let default = if stands_in { jurisdiction.default_collection(&defaults, &contract.name) } else { None };
        if let Some(file) = default {
            register_batch(engine, name, read_default(contract, file)?)?;
            registered.defaults.insert(contract.name.clone(), file.label.clone());
        } else {
            let scan = LakeScan::open(contracts, contract, root, load, registered.shards)?;
            if scan.by_student() {
                registered.by_student.insert(name.clone());
            }
            engine.register(&name, Arc::new(scan))?;
        }
    }
    register_collections(engine, contracts, load)?;
    registered.group_codes = register_reference(engine, project)?;
    Ok(registered)
}

/// Registers every reference table as `reference.<table>`; gives the `group_code`s of those that have them, in text order.
pub fn register_reference(engine: &Engine, project: &Project) -> Result<BTreeMap<String, Vec<String>>> {
    let mut group_codes = BTreeMap::new();
    for (path, file) in project.reference()?.iter().filter(|(p, _)| p.ends_with(".csv")) {
        let table = path.trim_end_matches(".csv").to_string();
        let batch = read_text(file)?;
        if let Some(codes) = batch.column_by_name("group_code") {
            let codes: BTreeSet<String> = codes.as_string::<i32>().iter().flatten().map(str::to_string).collect();
            group_codes.insert(table.clone(), codes.into_iter().collect());
        }
        register_batch(engine, Name { schema: Some("reference".into()), table }, batch)?;
    }
    Ok(group_codes)
}

/// Registers `collection (collection, is_given)`: which collections were handed over. A form tells none at all from nobody.
fn register_collections(engine: &Engine, contracts: &Contracts, load: &Load) -> Result<()> {
    let names: Vec<&str> = contracts.iter().map(|c| c.name.as_str()).collect();
    let given: Vec<bool> = names.iter().map(|n| load.files_of(n).next().is_some()).collect();
    let columns: Vec<(&str, ArrayRef)> =
        vec![("collection", Arc::new(StringArray::from(names))), ("is_given", Arc::new(arrow::array::BooleanArray::from(given)))];
    register_columns(engine, "collection", columns)
}

/// Replaces every relation by student by the rows of one student, read from the row groups that may hold them. `student` is its row of the
/// relation of keys.
pub fn register_student(
    engine: &Engine,
    contracts: &Contracts,
    root: &Path,
    load: &Load,
    registered: &Registered,
    student: RecordBatch,
) -> Result<()> {
    let key = student.column_by_name(STUDENT[0]).and_then(|c| c.as_primitive_opt::<Int32Type>()).and_then(|c| c.iter().flatten().next());
    let key = key.ok_or_else(|| Error::bug("no row of the student's key"))?;
    for contract in contracts.iter() {
        let name = Name { schema: Some(LAKE.into()), table: contract.name.clone() };
        if !registered.by_student.contains(&name) {
            continue;
        }
        let mut scan = LakeScan::open(contracts, contract, root, load, registered.shards)?;
        let files = Arc::clone(&scan.files);
        let holds = |&(f, group, _): &(usize, usize, usize)| {
            files.get(f).is_some_and(|(r, _)| {
                r.row_groups(STUDENT[0]).iter().any(|g| g.index == group && g.keys.is_none_or(|(a, b)| (a..=b).contains(&key)))
            })
        };
        scan.parts.iter_mut().for_each(|part| part.retain(holds));
        let columns: Vec<usize> = (0..scan.schema.fields().len()).collect();
        let mut batches = Vec::new();
        for part in 0..scan.parts() {
            for batch in scan.read(part, &columns)? {
                batches.push(of_student(&batch?, key)?);
            }
        }
        engine.register(&name, Arc::new(Memory::whole(scan.schema(), batches)))?;
    }
    let name = Name { schema: Some("key".into()), table: STUDENT[0].strip_suffix("_key").unwrap_or(STUDENT[0]).into() };
    register_batch(engine, name, student)
}

/// The rows of a batch that belong to a student.
fn of_student(batch: &RecordBatch, key: i32) -> Result<RecordBatch> {
    let column = batch.column_by_name(STUDENT[0]).ok_or_else(|| Error::bug("a relation by student without its key"))?;
    let is_of: arrow::array::BooleanArray = column.as_primitive::<Int32Type>().iter().map(|k| Some(k == Some(key))).collect();
    arrow::compute::filter_record_batch(batch, &is_of).map_err(|e| Error::internal("rows of a student", e))
}

/// When a default does not stand in: `default.toml`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultLimit {
    /// Collections whose presence rules the default out.
    unless: Vec<String>,
}

fn default_limits(defaults: &Files) -> Result<BTreeMap<String, DefaultLimit>> {
    let parse = |file: &File| toml::from_str(&file.text).map_err(|e| Error::Config(format!("{}: {e}", file.label)));
    defaults.get("default.toml").map_or(Ok(BTreeMap::new()), parse)
}

/// A relation for each key: `key.student (student_key, student_id, student_order)`, where the order is the rank of the id as text.
fn register_keys(engine: &Engine, contracts: &Contracts, root: &Path, load: &Load, registered: &mut Registered) -> Result<()> {
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    for contract in contracts.iter() {
        keys.extend(contract.fields.iter().filter_map(|f| Some((f.surrogate.clone()?, f.name.clone()))));
    }
    for (key, id) in keys {
        let stem = key.strip_suffix("_key").unwrap_or(&key).to_string();
        let schema = Arc::new(Schema::new(vec![Field::new(&key, DataType::Int32, false), Field::new(&id, DataType::Utf8, false)]));
        let batches = match load.surrogates.get(&key) {
            Some(surrogate) => LakeReader::open(root, &surrogate.stored.path, Arc::clone(&schema))?.read_all(&[&key, &id])?,
            None => vec![],
        };
        let all = arrow::compute::concat_batches(&schema, &batches).map_err(|e| Error::internal(format!("identifiers of {key}"), e))?;
        let (order, sorted) = text_order(all.column(1).as_string::<i32>());
        let ids = as_codes(all.column(1))?;
        let fields = vec![
            schema.field(0).clone(),
            Field::new(&id, ids.data_type().clone(), false),
            Field::new(format!("{stem}_order"), DataType::Int32, false),
        ];
        let columns = vec![Arc::clone(all.column(0)), ids, Arc::new(order) as ArrayRef];
        let table = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|e| Error::internal(format!("identifiers of {key}"), e))?;
        let name = Name { schema: Some("key".into()), table: stem };
        if key == STUDENT[0] {
            registered.in_text_order = sorted;
            registered.by_student.insert(name.clone());
            let content = Content::of_files(load.surrogates.get(&key).map(|s| s.stored.blake3.as_str()));
            engine.register(&name, Arc::new(in_shards(&table, registered.shards)?.with_content(content)))?;
        } else {
            register_batch(engine, name, table)?;
        }
    }
    Ok(())
}

/// Rank of each text among all, and whether they are in order already.
fn text_order(texts: &StringArray) -> (Int32Array, bool) {
    let sorted = (1..texts.len()).all(|i| texts.value(i - 1) < texts.value(i));
    if sorted {
        return (Int32Array::from_iter_values(0..texts.len() as i32), true);
    }
    let mut places: Vec<u32> = (0..texts.len() as u32).collect();
    places.sort_unstable_by_key(|&i| texts.value(i as usize));
    let mut rank = vec![0i32; texts.len()];
    places.iter().enumerate().for_each(|(r, &i)| rank[i as usize] = r as i32);
    (Int32Array::from(rank), false)
}

/// Distinct texts as codes: what is joined to them moves numbers, and the texts stay where they are.
fn as_codes(texts: &ArrayRef) -> Result<ArrayRef> {
    let keys = Int32Array::from_iter_values(0..texts.len() as i32);
    let codes = arrow::array::DictionaryArray::try_new(keys, Arc::clone(texts)).map_err(|e| Error::internal("identifiers as codes", e))?;
    Ok(Arc::new(codes))
}

/// Cuts a table whose row i belongs to student key i into shards, each with the texts of its own codes.
fn in_shards(table: &RecordBatch, shards: usize) -> Result<Memory> {
    let memory = Memory::by_student(table.schema(), shards);
    for shard in 0..shards {
        let start = (shard * STUDENTS_PER_BLOCK as usize).min(table.num_rows());
        let rows = (table.num_rows() - start).min(STUDENTS_PER_BLOCK as usize);
        let of_shard = table.slice(start, rows);
        let own = |c: &ArrayRef| match c.as_dictionary_opt::<Int32Type>() {
            Some(codes) => as_codes(&codes.values().slice(start, rows)),
            None => Ok(Arc::clone(c)),
        };
        let columns = of_shard.columns().iter().map(own).collect::<Result<Vec<_>>>()?;
        memory.put(shard, vec![RecordBatch::try_new(table.schema(), columns).map_err(|e| Error::internal("identifiers of a shard", e))?]);
    }
    Ok(memory)
}

/// A collection of the lake.
#[derive(Debug)]
struct LakeScan {
    schema: SchemaRef,
    partition: Option<String>,
    by_student: bool,
    /// Row groups of each part: file, row group, rows.
    parts: Vec<Vec<(usize, usize, usize)>>,
    files: Arc<Vec<(LakeReader, Option<i32>)>>,
    content: Content,
}

impl LakeScan {
    fn open(contracts: &Contracts, contract: &Contract, root: &Path, load: &Load, shards: usize) -> Result<LakeScan> {
        let in_files = contracts.lake_schema(contract);
        let inside = |name: &str| in_files.field_with_name(name).ok().cloned();
        let mut fields: Vec<Field> =
            contract.fields.iter().filter_map(|f| inside(&f.name).or_else(|| Some(Field::new(&f.name, f.data_type(), false)))).collect();
        fields.extend(contracts.surrogates(contract).iter().filter_map(|(_, key)| inside(key)));
        let by_student = in_files.field_with_name(STUDENT[0]).is_ok();
        let mut parts = vec![vec![]; if by_student { shards } else { 1 }];
        let mut files = Vec::new();
        for (f, file) in load.files_of(&contract.name).enumerate() {
            let reader = LakeReader::open(root, &file.stored.path, Arc::clone(&in_files))?;
            for group in reader.row_groups(STUDENT[0]) {
                // A row of nobody belongs to the first shard as well as to any other.
                let part = group.keys.filter(|_| by_student).map_or(0, |(first, _)| first as usize / STUDENTS_PER_BLOCK as usize);
                let parts: &mut Vec<_> =
                    parts.get_mut(part).ok_or_else(|| Error::bug(format!("{} has a student key beyond the last", file.stored.path)))?;
                parts.push((f, group.index, group.rows));
            }
            files.push((reader, file.partition));
        }
        Ok(LakeScan {
            schema: Arc::new(Schema::new(fields)),
            partition: contract.partition.clone(),
            by_student,
            parts,
            files: Arc::new(files),
            content: Content::of_files(
                std::iter::once(in_files.to_string().as_str()).chain(load.files_of(&contract.name).map(|f| f.stored.blake3.as_str())),
            ),
        })
    }
}

/// One row group of a lake file, with the year of its partition as a column.
fn read_group(
    file: &(LakeReader, Option<i32>),
    group: usize,
    rows: usize,
    schema: &SchemaRef,
    partition: Option<&str>,
) -> Result<RecordBatch> {
    let (reader, year) = file;
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).filter(|n| Some(*n) != partition).collect();
    let batches = reader.read(&[group], &names)?;
    let arrays = schema.fields().iter().map(|field| match batches.first().and_then(|b| b.column_by_name(field.name())) {
        Some(column) => Ok(Arc::clone(column)),
        None => year
            .map(|y| Arc::new(Int32Array::from_value(y, rows)) as ArrayRef)
            .ok_or_else(|| Error::bug(format!("a lake file has no {}", field.name()))),
    });
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options).map_err(|e| Error::internal("rows of the lake", e))
}

impl Scan for LakeScan {
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
        self.parts[part].iter().map(|g| g.2).sum()
    }

    fn content(&self) -> Result<Option<Content>> {
        Ok(Some(self.content.clone()))
    }

    fn read(&self, part: usize, columns: &[usize]) -> Result<Batches> {
        let schema = Arc::new(self.schema.project(columns).map_err(|e| Error::internal("columns of the lake", e))?);
        let (files, groups, partition) = (Arc::clone(&self.files), self.parts[part].clone(), self.partition.clone());
        let read = move |(file, group, rows): (usize, usize, usize)| read_group(&files[file], group, rows, &schema, partition.as_deref());
        Ok(Box::new(groups.into_iter().map(read)))
    }
}

/// A CSV text as a table of text columns; empty is null.
fn read_text(File { label, text, .. }: &File) -> Result<RecordBatch> {
    let wrong = |e: csv::Error| Error::Config(format!("{label}: {e}"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(wrong)?.clone();
    let mut columns: Vec<Vec<Option<String>>> = vec![vec![]; header.len()];
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        for (column, value) in columns.iter_mut().zip(record.iter()) {
            column.push((!value.is_empty()).then(|| value.to_string()));
        }
    }
    let fields: Vec<Field> = header.iter().map(|h| Field::new(h, DataType::Utf8, true)).collect();
    let arrays = columns.into_iter().map(|c| Arc::new(StringArray::from(c)) as ArrayRef).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|e| Error::internal(label.clone(), e))
}

/// A default collection, typed as its contract says.
fn read_default(contract: &Contract, file: &File) -> Result<RecordBatch> {
    let (raw, label) = (read_text(file)?, &file.label);
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for field in &contract.fields {
        let data_type = field.data_type();
        let column = match raw.column_by_name(&field.name) {
            Some(column) => cast(column, &data_type).map_err(|e| Error::Config(format!("{label}: column {}: {e}", field.name)))?,
            None => arrow::array::new_null_array(&data_type, raw.num_rows()),
        };
        let nulls = raw.column_by_name(&field.name).map_or(raw.num_rows(), |c| c.null_count());
        if column.null_count() > nulls || (field.constraints.required && nulls > 0) {
            return Err(Error::Config(format!("{label}: column {} has a value that is missing or not a {data_type}", field.name)));
        }
        fields.push(Field::new(&field.name, data_type, true));
        columns.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| Error::internal(label.clone(), e))
}

/// The distinct values of an integer column.
pub fn distinct_years(batches: &[RecordBatch]) -> BTreeSet<i32> {
    batches.iter().flat_map(|b| b.column(0).as_primitive::<Int32Type>().iter().flatten().collect::<Vec<_>>()).collect()
}
