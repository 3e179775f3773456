//! Writing result tables as Parquet: the same rows give the same bytes, however they came.

use crate::error::{Error, Result};
use crate::store::{Draft, Stored};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use std::path::Path;
use std::sync::Arc;

/// Rows of a row group of a table that is not written shard by shard.
pub const GROUP_ROWS: usize = 1 << 17;

/// Encodes batches of one schema into row groups and row groups into files.
#[derive(Clone)]
pub struct Encoder {
    schema: SchemaRef,
    properties: WriterPropertiesPtr,
    factory: Arc<ArrowRowGroupWriterFactory>,
}

/// A row group, encoded and compressed.
pub struct Group {
    columns: Vec<ArrowColumnChunk>,
    rows: usize,
}

impl Group {
    /// Rows in it.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

impl Encoder {
    /// An encoder for tables of this schema.
    pub fn new(schema: SchemaRef) -> Result<Encoder> {
        let level = ZstdLevel::try_new(1).map_err(wrong)?;
        let properties = Arc::new(
            WriterProperties::builder()
                .set_compression(Compression::ZSTD(level))
                .set_created_by("perkins".into())
                .set_dictionary_page_size_limit(1 << 19)
                .build(),
        );
        // The file is not there yet: a writer into nothing knows all that row groups need.
        let nowhere = writer(std::io::sink(), &schema, &properties)?;
        let factory = Arc::new(ArrowRowGroupWriterFactory::new(&nowhere, Arc::clone(&schema)));
        Ok(Encoder { schema, properties, factory })
    }

    /// Encodes the rows of some batches as one row group.
    pub fn encode(&self, batches: &[RecordBatch]) -> Result<Group> {
        let batch = concat_batches(&self.schema, batches).map_err(|e| Error::internal("rows of a table", e))?;
        let mut writers = self.factory.create_column_writers(0).map_err(wrong)?;
        let leaves = self.schema.fields().iter().zip(batch.columns()).map(|(f, c)| compute_leaves(f, c));
        let leaves = leaves.collect::<std::result::Result<Vec<_>, _>>().map_err(wrong)?;
        for (writer, leaf) in writers.iter_mut().zip(leaves.iter().flatten()) {
            writer.write(leaf).map_err(wrong)?;
        }
        let columns = writers.into_iter().map(|w| w.close()).collect::<std::result::Result<Vec<_>, _>>().map_err(wrong)?;
        Ok(Group { columns, rows: batch.num_rows() })
    }

    /// Writes row groups as the file `folder/<name>`; returns where it is and its rows.
    pub fn write(&self, root: &Path, folder: &Path, name: &str, groups: Vec<Group>) -> Result<(Stored, usize)> {
        let rows = groups.iter().map(Group::rows).sum();
        let mut writer = writer(Draft::create(folder)?, &self.schema, &self.properties)?;
        for group in groups.into_iter().filter(|g| g.rows > 0) {
            let mut row_group = writer.next_row_group().map_err(wrong)?;
            for column in group.columns {
                column.append_to_row_group(&mut row_group).map_err(wrong)?;
            }
            row_group.close().map_err(wrong)?;
        }
        let draft = writer.into_inner().map_err(wrong)?;
        Ok((draft.finish(root, |_| name.to_string())?, rows))
    }
}

fn writer<W: std::io::Write + Send>(to: W, schema: &SchemaRef, properties: &WriterPropertiesPtr) -> Result<SerializedFileWriter<W>> {
    // Without the Arrow schema in the footer every reader sees plain text columns (notes/engine).
    let parquet = ArrowSchemaConverter::new().convert(schema).map_err(wrong)?;
    SerializedFileWriter::new(to, parquet.root_schema_ptr(), Arc::clone(properties)).map_err(wrong)
}

fn wrong(error: ParquetError) -> Error {
    Error::internal("writing Parquet failed", error)
}
