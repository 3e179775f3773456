//! The lake: what a load wrote, and reading it back.

use crate::error::{Error, Result};
use crate::store::Stored;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::statistics::Statistics;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// No row group has students on both sides of a multiple of this many student keys.
pub const STUDENTS_PER_BLOCK: u32 = 65_536;

/// Folder of the loads below the restricted root.
pub const LOADS: &str = "loads";

/// The load manifest: which files make up the lake, and what became of each row that came in.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Load {
    /// Made from the content of everything below: the same input on the same lake has the same id.
    pub load_id: String,
    /// The files of the raw folder.
    pub inputs: Vec<Input>,
    /// The collections of the raw folder.
    pub collections: Vec<Counts>,
    /// All files that now make up the lake, by collection and partition.
    pub files: Vec<LakeFile>,
    /// The stable whole numbers of identifiers, by name of the key.
    pub surrogates: BTreeMap<String, Surrogate>,
    /// What should be looked at, but stops nothing.
    pub warnings: Vec<Warning>,
    /// The table of rejected rows.
    pub reject: Option<Stored>,
    /// The tables of data quality.
    #[serde(default)]
    pub companions: Vec<Stored>,
    /// BLAKE3 of what it was made with, beside the files: program, contracts, checks.
    #[serde(default)]
    pub made_with: String,
    /// What was taken out, if that is what made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// What was taken out of loads before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removals: Vec<Removed>,
    /// Why it was not committed, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// Rows that were taken out of the lake.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Removed {
    /// The collection of the identifier.
    pub collection: String,
    /// The identifier; empty if a year was taken out.
    pub id: String,
    /// The year that was taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<i32>,
    /// The reason that was given.
    pub reason: String,
    /// How many rows of each collection.
    pub rows: BTreeMap<String, u64>,
}

/// A file of the raw folder; rows read = accepted + duplicates + rejected.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Input {
    /// Its collection.
    pub collection: String,
    /// Path relative to the raw folder, with `/`.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the file, 64 hex digits.
    pub blake3: String,
    /// Records in the file.
    pub rows_read: u64,
    /// Rows now in the lake.
    pub accepted: u64,
    /// Rows equal to one that is kept.
    pub duplicates: u64,
    /// Rows in the reject table.
    pub rejected: u64,
    /// Columns that were kept out.
    pub unknown_columns: Vec<String>,
    /// Fields of the contract that it has no column for, as far as it says that: objects and mapped files do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_columns: Vec<String>,
    /// The mapping that made its rows, if any; the file is listed for each use of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Applied>,
}

/// How a mapping was used on a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Applied {
    /// Its name.
    pub name: String,
    /// BLAKE3 of the mapping file, 64 hex digits.
    pub blake3: String,
    /// Number of its collection, from 1.
    pub collection: usize,
    /// The quarter of each row that was made, from 1, if it makes several.
    pub quarter: u32,
    /// Rows of the file.
    pub rows: u64,
    /// Rows that it leaves out.
    pub left_out: u64,
    /// Columns of the file that it does not read.
    pub unused_columns: u64,
}

/// A place in a raw file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct At {
    /// Path relative to the raw folder, with `/`.
    pub file: String,
    /// The line, as in a text editor.
    pub line: u64,
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} line {}", self.file, self.line)
    }
}

/// What became of the rows of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Name of the collection.
    pub collection: String,
    /// Records in its files.
    pub read: u64,
    /// Rows now in the lake.
    pub accepted: u64,
    /// Rows equal to one that is kept.
    pub duplicates: u64,
    /// Rows in the reject table.
    pub rejected: u64,
    /// Rejected rows by rule.
    pub by_rule: BTreeMap<String, u64>,
}

/// A file of the lake.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LakeFile {
    /// Its collection.
    pub collection: String,
    /// The year of its partition, if the collection is divided by one.
    pub partition: Option<i32>,
    /// The file, relative to the restricted root.
    #[serde(flatten)]
    pub stored: Stored,
    /// Number of rows.
    pub rows: u64,
    /// The raw files that its rows came from.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// When they were read, UTC; empty if that was with this load: a load says nothing of its own time, so that it is the same whenever it is made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub loaded_at: String,
}

/// The file that gives each identifier its number: a column named as the key and one named as the identifier, in order of the key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Surrogate {
    /// The field that is numbered.
    pub field: String,
    /// The file, relative to the restricted root.
    #[serde(flatten)]
    pub stored: Stored,
    /// Number of identifiers; keys are 0 to this, exclusive.
    pub count: u32,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Warning {
    /// Name of the check.
    pub check: String,
    /// The collection, if it is about one.
    pub collection: Option<String>,
    /// How often.
    pub count: u64,
    /// Up to five examples.
    pub examples: Vec<String>,
    /// Where the examples lie, as far as that is known.
    #[serde(default)]
    pub at: Vec<Option<At>>,
    /// The examples are students: they stay in the load's manifest.
    #[serde(default)]
    pub restricted: bool,
}

impl Warning {
    /// A warning whose examples name no student.
    pub fn new(check: impl Into<String>, collection: Option<&str>, count: u64, examples: Vec<String>) -> Warning {
        Warning { check: check.into(), collection: collection.map(str::to_string), count, examples, at: vec![], restricted: false }
    }
}

impl Load {
    /// The files of the raw folder, each once: one that mappings read is an input for each use of it.
    pub fn raw_files(&self) -> impl Iterator<Item = &Input> {
        let mut seen = BTreeSet::new();
        self.inputs.iter().filter(move |i| seen.insert(&i.path))
    }

    /// The files of a collection.
    pub fn files_of<'a>(&'a self, collection: &'a str) -> impl Iterator<Item = &'a LakeFile> {
        self.files.iter().filter(move |f| f.collection == collection)
    }
}

/// A row group of a lake file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowGroup {
    /// Its place in the file.
    pub index: usize,
    /// Number of rows.
    pub rows: usize,
    /// Smallest and largest value of the key asked for.
    pub keys: Option<(i32, i32)>,
}

/// An open lake file: its footer is read, its rows on demand and from several threads.
#[derive(Debug, Clone)]
pub struct LakeReader {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
}

impl LakeReader {
    /// Reads the footer of `root/path`. `schema` gives the types to read as: those of `Contracts::lake_schema`.
    pub fn open(root: &Path, path: &str, schema: SchemaRef) -> Result<LakeReader> {
        let path = root.join(path);
        let file = File::open(&path).map_err(|e| Error::io("read", &path, e))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new().with_schema(schema));
        let metadata = metadata.map_err(|e| {
            let what = format!(
                "{} does not have the columns of its contract, which changed since; ingest the raw collections again",
                path.display()
            );
            Error::internal(what, e)
        })?;
        Ok(LakeReader { path, metadata })
    }

    /// The row groups, with the range of a key such as `student_key`.
    pub fn row_groups(&self, key: &str) -> Vec<RowGroup> {
        let metadata = self.metadata.metadata();
        let column = metadata.file_metadata().schema_descr().columns().iter().position(|c| c.name() == key);
        let range = |statistics: Option<&Statistics>| match statistics {
            Some(Statistics::Int32(s)) => Some((*s.min_opt()?, *s.max_opt()?)),
            _ => None,
        };
        let groups = metadata.row_groups().iter().enumerate();
        groups
            .map(|(index, g)| RowGroup { index, rows: g.num_rows() as usize, keys: column.and_then(|c| range(g.column(c).statistics())) })
            .collect()
    }

    /// Reads columns of some row groups, one batch for each; the columns come in the order of the file.
    pub fn read(&self, row_groups: &[usize], columns: &[&str]) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::with_capacity(row_groups.len());
        for &group in row_groups {
            let file = File::open(&self.path).map_err(|e| Error::io("read", &self.path, e))?;
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
            let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
            let rows = self.metadata.metadata().row_groups().get(group).map_or(0, |g| g.num_rows() as usize);
            let builder = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(rows.max(1));
            for batch in builder.build().map_err(|e| failed(&self.path, e))? {
                batches.push(batch.map_err(|e| failed(&self.path, e))?);
            }
        }
        Ok(batches)
    }

    /// Number of row groups.
    pub fn groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Reads columns of the whole file, one batch for each row group.
    pub fn read_all(&self, columns: &[&str]) -> Result<Vec<RecordBatch>> {
        let groups: Vec<usize> = (0..self.groups()).collect();
        self.read(&groups, columns)
    }
}

fn failed(path: &Path, e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::internal(format!("cannot read {}, which may be damaged: `perkins verify` tells", path.display()), e)
}
