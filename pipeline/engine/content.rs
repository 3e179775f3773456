//! What relations hold, as hashes: equal hashes are equal rows in the same order.

use crate::error::{Error, Result};
use arrow::array::RecordBatch;
use arrow::row::{RowConverter, SortField};
use std::collections::BTreeMap;

/// What a relation holds, as hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Whole(String),
    /// Of each column, with the rows in order.
    Columns(BTreeMap<String, String>),
}

impl Content {
    /// The content of a relation that is in memory.
    pub fn of(batch: &RecordBatch) -> Result<Content> {
        let wrong = |e| Error::internal("hash of a relation", e);
        let mut columns = BTreeMap::new();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let mut hasher = blake3::Hasher::new();
            hasher.update(field.data_type().to_string().as_bytes());
            let converter = RowConverter::new(vec![SortField::new(field.data_type().clone())]).map_err(wrong)?;
            for row in &converter.convert_columns(std::slice::from_ref(column)).map_err(wrong)? {
                hasher.update(&(row.as_ref().len() as u64).to_le_bytes()).update(row.as_ref());
            }
            columns.insert(field.name().clone(), hasher.finalize().to_hex().to_string());
        }
        Ok(Content::Columns(columns))
    }

    /// The content of a relation that lies in files, by their hashes.
    pub fn of_files<'a>(hashes: impl IntoIterator<Item = &'a str>) -> Content {
        let mut hasher = blake3::Hasher::new();
        hashes.into_iter().for_each(|h| {
            hasher.update(h.as_bytes()).update(b"\n");
        });
        Content::Whole(hasher.finalize().to_hex().to_string())
    }
}
