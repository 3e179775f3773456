//! Writing result tables as Parquet: the same rows give the same bytes, however they came.

use crate::chunk::{self, Chunk, Encoded, NULL, NULL_BYTE, NULL_INT, NULL_LONG};
use crate::error::{Error, Result};
use crate::store::{Draft, Stored};
use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, Int32Type, Int64Type, Schema, SchemaRef};
use hashbrown::HashMap;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::SchemaDescPtr;
use std::path::Path;
use std::sync::Arc;

/// Rows of a row group of a table that is not written shard by shard.
pub const GROUP_ROWS: usize = 1 << 17;

/// Digits of a decimal that Parquet stores in 32 and in 64 bits.
const DIGITS: (u8, u8) = (9, 18);

/// Encodes batches of one schema into row groups and row groups into files.
#[derive(Clone)]
pub struct Encoder {
    schema: SchemaRef,
    parquet: SchemaDescPtr,
    properties: WriterPropertiesPtr,
    factory: Arc<ArrowRowGroupWriterFactory>,
}

/// A column chunk by us, or by the `parquet` crate for the types that we leave to it.
enum Column {
    Ours(Chunk),
    Theirs(ArrowColumnChunk),
}

/// A row group, encoded and compressed.
pub struct Group {
    columns: Vec<Column>,
    rows: usize,
}

impl Group {
    /// Rows in it.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// The type that a column has in files: texts that come as codes are plain texts there.
pub fn stored_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, value) => value,
        other => other,
    }
}

impl Encoder {
    /// An encoder for tables of this schema.
    pub fn new(schema: SchemaRef) -> Result<Encoder> {
        let properties = Arc::new(chunk::properties()?);
        // Without the Arrow schema in the footer every reader sees plain text columns (notes/engine).
        let fields = schema.fields().iter().map(|f| f.as_ref().clone().with_data_type(stored_type(f.data_type()).clone()));
        let stored = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
        let parquet = Arc::new(ArrowSchemaConverter::new().convert(&stored).map_err(wrong)?);
        // The file is not there yet: a writer into nothing knows all that row groups need.
        let nowhere = writer(std::io::sink(), &parquet, &properties)?;
        let factory = Arc::new(ArrowRowGroupWriterFactory::new(&nowhere, stored));
        Ok(Encoder { schema, parquet, properties, factory })
    }

    /// Encodes the rows of some batches as one row group.
    pub fn encode(&self, batches: &[RecordBatch]) -> Result<Group> {
        let batch = concat_batches(&self.schema, batches).map_err(|e| Error::internal("rows of a table", e))?;
        let mut ours = chunk::Encoder::new()?;
        let rows: Vec<u32> = (0..batch.num_rows() as u32).collect();
        let mut theirs = None;
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (i, array) in batch.columns().iter().enumerate() {
            if let Some(chunk) = self.ours(&mut ours, i, array, &rows).map_err(wrong)? {
                columns.push(Column::Ours(chunk));
                continue;
            }
            if theirs.is_none() {
                theirs = Some(self.factory.create_column_writers(0).map_err(wrong)?.into_iter().map(Some).collect::<Vec<_>>());
            }
            let writer = theirs.as_mut().and_then(|w| w.get_mut(i)).and_then(Option::take);
            let mut writer = writer.ok_or_else(|| Error::bug("a table has nested columns"))?;
            for leaf in compute_leaves(self.schema.field(i), array).map_err(wrong)? {
                writer.write(&leaf).map_err(wrong)?;
            }
            columns.push(Column::Theirs(writer.close().map_err(wrong)?));
        }
        Ok(Group { columns, rows: batch.num_rows() })
    }

    /// A column as a chunk of ours; `None` if its type, or a value that we take for null, is left to the `parquet` crate.
    fn ours(&self, encoder: &mut chunk::Encoder, i: usize, array: &ArrayRef, rows: &[u32]) -> Encoded<Option<Chunk>> {
        let description = self.parquet.column(i);
        Ok(match array.data_type() {
            DataType::Utf8 | DataType::Dictionary(_, _) => match text_codes(array, &mut encoder.codes) {
                Some(words) => Some(encoder.words(&description, &words)?),
                None => None,
            },
            DataType::Boolean => {
                let byte = |v: Option<bool>| v.map_or(NULL_BYTE, u8::from);
                let values: Vec<u8> = array.as_boolean().iter().map(byte).collect();
                Some(encoder.bytes(&description, &values, rows, None)?)
            }
            DataType::Int32 => match numbers(array.as_primitive::<Int32Type>(), NULL_INT, Some) {
                Some(values) => Some(encoder.ints(&description, &values, rows)?),
                None => None,
            },
            DataType::Date32 => match numbers(array.as_primitive::<Date32Type>(), NULL_INT, Some) {
                Some(values) => Some(encoder.ints(&description, &values, rows)?),
                None => None,
            },
            DataType::Int64 => match numbers(array.as_primitive::<Int64Type>(), NULL_LONG, Some) {
                Some(values) => Some(encoder.longs(&description, &values, rows)?),
                None => None,
            },
            DataType::Decimal128(digits, _) if *digits <= DIGITS.0 => {
                match numbers(array.as_primitive::<Decimal128Type>(), NULL_INT, |v| i32::try_from(v).ok()) {
                    Some(values) => Some(encoder.ints(&description, &values, rows)?),
                    None => None,
                }
            }
            DataType::Decimal128(digits, _) if *digits <= DIGITS.1 => {
                match numbers(array.as_primitive::<Decimal128Type>(), NULL_LONG, |v| i64::try_from(v).ok()) {
                    Some(values) => Some(encoder.longs(&description, &values, rows)?),
                    None => None,
                }
            }
            _ => None,
        })
    }

    /// Writes row groups as the file `folder/<name>`; returns where it is and its rows.
    pub fn write(&self, root: &Path, folder: &Path, name: &str, groups: Vec<Group>) -> Result<(Stored, usize)> {
        let rows = groups.iter().map(Group::rows).sum();
        let mut writer = writer(Draft::create(folder)?, &self.parquet, &self.properties)?;
        for group in groups.into_iter().filter(|g| g.rows > 0) {
            let mut row_group = writer.next_row_group().map_err(wrong)?;
            for column in group.columns {
                match column {
                    Column::Ours((bytes, close)) => row_group.append_column(&bytes, close).map_err(wrong)?,
                    Column::Theirs(chunk) => chunk.append_to_row_group(&mut row_group).map_err(wrong)?,
                }
            }
            row_group.close().map_err(wrong)?;
        }
        let draft = writer.into_inner().map_err(wrong)?;
        Ok((draft.finish(root, |_| name.to_string())?, rows))
    }
}

/// Numbers with `null` for nulls; `None` if a value does not fit or is `null` itself.
fn numbers<T: ArrowPrimitiveType, N: Copy + PartialEq>(
    array: &PrimitiveArray<T>,
    null: N,
    fit: impl Fn(T::Native) -> Option<N>,
) -> Option<Vec<N>> {
    let value = |v: Option<T::Native>| match v {
        None => Some(null),
        Some(v) => fit(v).filter(|n| *n != null),
    };
    array.iter().map(value).collect()
}

/// Numbers the texts of a column in the order in which they first occur, so that the same rows always give the same codes; gives the texts.
fn text_codes<'a>(array: &'a ArrayRef, codes: &mut Vec<u32>) -> Option<Vec<&'a [u8]>> {
    let mut words = Words::default();
    codes.clear();
    codes.reserve(array.len());
    if let Some(texts) = array.as_string_opt::<i32>() {
        codes.extend(texts.iter().map(|t| t.map_or(NULL, |t| words.code(t.as_bytes()))));
        return Some(words.texts);
    }
    let dictionary = array.as_dictionary_opt::<Int32Type>()?;
    let texts = dictionary.values().as_string_opt::<i32>()?;
    // Two places of a dictionary may hold the same text: each is looked up once.
    let mut known = vec![NULL; texts.len()];
    codes.extend(dictionary.keys().iter().map(|key| {
        let Some(at) = key.map(|k| k as usize).filter(|k| texts.is_valid(*k)) else { return NULL };
        if known[at] == NULL {
            known[at] = words.code(texts.value(at).as_bytes());
        }
        known[at]
    }));
    Some(words.texts)
}

/// Distinct texts by their numbers.
#[derive(Default)]
struct Words<'a> {
    texts: Vec<&'a [u8]>,
    numbers: HashMap<&'a [u8], u32>,
    last: u32,
}

impl<'a> Words<'a> {
    fn code(&mut self, text: &'a [u8]) -> u32 {
        // Most columns of a sorted table repeat the text of the row before.
        if self.texts.get(self.last as usize) != Some(&text) {
            let next = self.texts.len() as u32;
            self.last = *self.numbers.entry(text).or_insert(next);
            if self.last == next {
                self.texts.push(text);
            }
        }
        self.last
    }
}

fn writer<W: std::io::Write + Send>(to: W, parquet: &SchemaDescPtr, properties: &WriterPropertiesPtr) -> Result<SerializedFileWriter<W>> {
    SerializedFileWriter::new(to, parquet.root_schema_ptr(), Arc::clone(properties)).map_err(wrong)
}

fn wrong(error: ParquetError) -> Error {
    Error::internal("writing Parquet failed", error)
}
