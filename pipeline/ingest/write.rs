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
use std::path::Path;

/// Rows of a row group where students do not cut them.
const ROWS_PER_GROUP: usize = 1 << 20;

/// What a partition is written with.
pub struct Layout<'a> {
    /// The plan of the collection.
    pub plan: &'a Plan<'a>,
    /// The texts of each field.
    pub dictionaries: &'a [Dictionary<'a>],
    /// The columns of the file.
    pub schema: SchemaRef,
}

impl Layout<'_> {
    /// Writes a partition as `folder/<collection>-<hash>.parquet`.
    pub fn write(&self, root: &Path, folder: &Path, part: &Part) -> Result<Stored> {
        let failed = |e: ParquetError| Error::internal(format!("cannot write {} to the lake", self.plan.contract.name), e);
        let (mut writer, schema) = start(Draft::create(folder)?, &self.schema).map_err(failed)?;
        let mut encoder = Encoder::new()?;
        for rows in self.groups(part) {
            let chunks = self.group(&mut encoder, &schema, part, rows).map_err(failed)?;
            append(&mut writer, chunks).map_err(failed)?;
        }
        let draft = writer.into_inner().map_err(failed)?;
        draft.finish(root, |hash| format!("{}-{}.parquet", self.plan.contract.name, &hash[..16]))
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
                let domain = self.dictionaries[field].len();
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
        let dictionary = &self.dictionaries[field];
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
