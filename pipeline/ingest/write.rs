//! Writes a partition's accepted rows as Parquet, from their codes.

use super::column::Column;
use super::dictionary::Dictionary;
use super::part::Part;
use super::plan::{Plan, Reader};
use crate::chunk::{Chunk, Encoded, Encoder, properties};
use crate::error::{Error, Result};
use crate::lake::STUDENTS_PER_BLOCK;
use crate::store::{Draft, Stored};
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};
use std::path::{Path, PathBuf};

/// Rows of a row group where students do not cut them.
const ROWS_PER_GROUP: usize = 1 << 20;

/// What a partition is written with.
pub struct Layout<'a> {
    /// The plan of the collection.
    pub plan: &'a Plan<'a>,
    /// The texts of each field.
    pub dictionaries: &'a [Dictionary<'a>],
    /// The field whose texts the collection has numbered, and these, in the place of its dictionary.
    pub numbered: Option<(usize, &'a Dictionary<'a>)>,
    /// The columns of the file.
    pub schema: SchemaRef,
}

/// A partition being written, part after part.
pub struct Writing<'a> {
    layout: &'a Layout<'a>,
    folder: PathBuf,
    open: Option<(SerializedFileWriter<Draft>, SchemaDescriptor, Encoder)>,
    /// Rows so far.
    pub rows: u64,
}

impl<'a> Writing<'a> {
    /// A file `folder/<collection>-<hash>.parquet`, which is begun with the first row.
    pub fn new(layout: &'a Layout<'a>, folder: PathBuf) -> Writing<'a> {
        Writing { layout, folder, open: None, rows: 0 }
    }

    fn failed(&self, e: ParquetError) -> Error {
        Error::internal(format!("cannot write {} to the lake", self.layout.plan.contract.name), e)
    }

    /// Writes the accepted rows of a part, and forgets them.
    pub fn add(&mut self, part: &mut Part) -> Result<()> {
        if !part.rows.is_empty() {
            let (mut writer, schema, mut encoder) = match self.open.take() {
                Some(open) => open,
                None => {
                    let (writer, schema) = start(Draft::create(&self.folder)?, &self.layout.schema).map_err(|e| self.failed(e))?;
                    (writer, schema, Encoder::new()?)
                }
            };
            for rows in self.layout.groups(part) {
                let chunks = self.layout.group(&mut encoder, &schema, part, rows).map_err(|e| self.failed(e))?;
                append(&mut writer, chunks).map_err(|e| self.failed(e))?;
            }
            self.open = Some((writer, schema, encoder));
        }
        self.rows += part.forget_rows() as u64;
        Ok(())
    }

    /// Ends the file; none if there was no row.
    pub fn finish(mut self, root: &Path) -> Result<Option<Stored>> {
        let Some((writer, ..)) = self.open.take() else { return Ok(None) };
        let draft = writer.into_inner().map_err(|e| self.failed(e))?;
        draft.finish(root, |hash| format!("{}-{}.parquet", self.layout.plan.contract.name, &hash[..16])).map(Some)
    }
}

impl Layout<'_> {
    /// The texts of a field.
    fn dictionary(&self, field: usize) -> &Dictionary<'_> {
        match self.numbered {
            Some((numbered, texts)) if numbered == field => texts,
            _ => &self.dictionaries[field],
        }
    }

    /// Cuts the rows into row groups: at multiples of so many students, if the collection is sorted by them.
    fn groups<'r>(&self, part: &'r Part) -> Vec<&'r [u32]> {
        match self.plan.leading().map(|field| &part.columns[field]) {
            Some(Column::Texts(keys)) => {
                let block = |row: &u32| keys[*row as usize] / STUDENTS_PER_BLOCK;
                let (mut rest, mut groups) = (part.rows.as_slice(), Vec::new());
                while let Some(first) = rest.first().map(block) {
                    let (group, after) = rest.split_at(rest.partition_point(|row| block(row) == first));
                    groups.push(group);
                    rest = after;
                }
                groups
            }
            _ => part.rows.chunks(ROWS_PER_GROUP).collect(),
        }
    }

    /// Encodes a row group; the chunks come in the order of the schema: fields, then surrogate keys.
    fn group(&self, encoder: &mut Encoder, schema: &SchemaDescriptor, part: &Part, rows: &[u32]) -> Encoded<Vec<Chunk>> {
        let plan = self.plan;
        let fields = plan.readers.len() - usize::from(plan.partition.is_some());
        let mut chunks = Vec::with_capacity(fields + plan.surrogates.len());
        let mut keys = Vec::with_capacity(plan.surrogates.len());
        for (field, (column, reader)) in part.columns.iter().zip(&plan.readers).enumerate().filter(|(f, _)| Some(*f) != plan.partition) {
            let description = schema.column(chunks.len());
            chunks.push(self.chunk(encoder, &description, field, column, reader, rows)?);
            if plan.surrogates.iter().any(|(f, _)| *f == field) {
                let description = schema.column(fields + keys.len());
                let sorted = plan.leading() == Some(field);
                let domain = self.dictionary(field).len();
                keys.push(if sorted { encoder.sorted_keys(&description)? } else { encoder.keys(&description, domain)? });
            }
        }
        chunks.append(&mut keys);
        Ok(chunks)
    }

    fn chunk(
        &self,
        encoder: &mut Encoder,
        description: &ColumnDescPtr,
        field: usize,
        column: &Column,
        reader: &Reader,
        rows: &[u32],
    ) -> Encoded<Chunk> {
        let dictionary = self.dictionary(field);
        match (column, reader) {
            (Column::Bytes(values), Reader::Code(codes)) => encoder.bytes(description, values, rows, Some(codes)),
            (Column::Bytes(values), _) => encoder.bytes(description, values, rows, None),
            (Column::Texts(values), _) => {
                encoder.codes.clear();
                encoder.codes.extend(rows.iter().map(|r| values[*r as usize]));
                if self.plan.leading() == Some(field) {
                    encoder.sorted_texts(description, |code| dictionary.get(code))
                } else {
                    encoder.texts(description, dictionary.len(), |code| dictionary.get(code))
                }
            }
            (Column::Ints(values), _) => encoder.ints(description, values, rows),
            (Column::Longs(values), _) => encoder.longs(description, values, rows),
        }
    }
}

fn start(draft: Draft, schema: &SchemaRef) -> Encoded<(SerializedFileWriter<Draft>, SchemaDescriptor)> {
    let schema = ArrowSchemaConverter::new().convert(schema)?;
    let properties: WriterPropertiesPtr = properties().map_err(|e| ParquetError::External(Box::new(e)))?.into();
    Ok((SerializedFileWriter::new(draft, schema.root_schema_ptr(), properties)?, schema))
}

fn append(writer: &mut SerializedFileWriter<Draft>, chunks: Vec<Chunk>) -> Encoded<()> {
    let mut group = writer.next_row_group()?;
    for (bytes, close) in chunks {
        group.append_column(&bytes, close)?;
    }
    group.close()?;
    Ok(())
}

/// Writes the values of a field by their surrogate keys: `folder/<field>-<hash>.parquet`, in the order of the keys.
pub fn write_keys(root: &Path, folder: &Path, field: &str, schema: &SchemaRef, texts: &super::intern::Texts) -> Result<Stored> {
    let failed = |e: ParquetError| Error::internal(format!("cannot write the keys of {field}"), e);
    let (mut writer, schema) = start(Draft::create(folder)?, schema).map_err(failed)?;
    let mut encoder = Encoder::new()?;
    let all: Vec<u32> = (0..texts.len() as u32).collect();
    for group in all.chunks(ROWS_PER_GROUP) {
        encoder.codes.clear();
        encoder.codes.extend_from_slice(group);
        let keys = encoder.sorted_keys(&schema.column(0)).map_err(failed)?;
        let ids = encoder.sorted_texts(&schema.column(1), |code| texts.get(code as usize)).map_err(failed)?;
        append(&mut writer, vec![keys, ids]).map_err(failed)?;
    }
    writer.into_inner().map_err(failed)?.finish(root, |hash| format!("{field}-{}.parquet", &hash[..16]))
}
