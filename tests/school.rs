//! What the tests of ingest share: a raw folder with a lake of its own, and what became of its rows.

use arrow::array::{Array, AsArray};
use arrow::util::display::array_value_to_string;
use perkins::contract::Contracts;
use perkins::error::Error;
use perkins::ingest::{Options, Outcome, ingest};
use perkins::lake::LakeFile;
use perkins::lake::{Counts, LakeReader, Load};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

pub const STUDENT: &str = "school_year,student_id,education_level,gender,race_ethnicity\n";
pub const PROGRAM: &str = "school_year,program_id,institution_id,program_name,cip_code,approval\n";
pub const COURSE: &str = "school_year,student_id,program_id,course_code,term,grade,course_level,credits_earned,passed\n";
pub const ENROLLMENT: &str = "school_year,student_id,institution_id,grade\n";

/// A raw folder and a restricted root of its own.
pub struct School {
    pub folder: TempDir,
    pub options: Options,
    pub previous: Option<Load>,
}

/// A row of the reject table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub collection: String,
    pub file: String,
    pub line: i64,
    pub field: String,
    pub rule: String,
    pub text: String,
    pub message: String,
}

impl School {
    pub fn new() -> Self {
        let options = Options { partitions: 2, max_reject_rate: 1.0, ..Options::default() };
        School { folder: tempfile::tempdir().unwrap(), options, previous: None }
    }

    pub fn with(files: &[(&str, &str)]) -> Self {
        let place = Self::new();
        files.iter().for_each(|(name, text)| place.file(name, text.as_bytes()));
        place
    }

    pub fn raw(&self) -> PathBuf {
        self.folder.path().join("raw")
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("restricted")
    }

    pub fn file(&self, name: &str, content: &[u8]) {
        let path = self.raw().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn clear(&self) {
        fs::remove_dir_all(self.raw()).unwrap();
    }

    pub fn try_ingest(&self) -> Result<Outcome, Error> {
        let outcome = ingest(&self.raw(), &Contracts::embedded().unwrap(), self.previous.as_ref(), &self.root(), &self.options)?;
        match outcome.failure {
            Some(failure) => Err(Error::Data(failure)),
            None => Ok(outcome),
        }
    }

    pub fn ingest(&self) -> Outcome {
        let outcome = self.try_ingest().unwrap_or_else(|e| panic!("{e}"));
        for input in &outcome.load.inputs {
            assert_eq!(input.rows_read, input.accepted + input.duplicates + input.rejected, "{input:?}");
        }
        for counts in &outcome.load.collections {
            let rows: u64 = outcome.load.files_of(&counts.collection).filter(|f| self.is_new(&f.stored.path)).map(|f| f.rows).sum();
            assert_eq!(counts.accepted, rows, "{counts:?}");
            assert_eq!(counts.rejected, counts.by_rule.values().sum::<u64>());
        }
        outcome
    }

    pub fn is_new(&self, path: &str) -> bool {
        self.previous.as_ref().is_none_or(|p| p.files.iter().all(|f| f.stored.path != path))
    }

    pub fn error(&self) -> String {
        match self.try_ingest() {
            Err(error @ Error::Data(_)) => error.to_string(),
            Err(error) => panic!("{error:?}"),
            Ok(outcome) => panic!("{:?}", outcome.load.collections),
        }
    }

    /// The values of a column, in the order of the files.
    pub fn column(&self, load: &Load, collection: &str, column: &str) -> Vec<String> {
        let contracts = Contracts::embedded().unwrap();
        let schema = contracts.lake_schema(contracts.get(collection).unwrap());
        let mut values = Vec::new();
        for file in load.files_of(collection) {
            for batch in LakeReader::open(&self.root(), &file.stored.path, schema.clone()).unwrap().read_all(&[column]).unwrap() {
                let array = batch.column(0);
                let text = |i| if array.is_null(i) { String::new() } else { array_value_to_string(array, i).unwrap() };
                values.extend((0..batch.num_rows()).map(text));
            }
        }
        values
    }
}

pub fn rejects(outcome: &Outcome) -> Vec<Rejected> {
    let file = fs::File::open(&outcome.reject).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut all = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let text = |name: &str, i: usize| {
            let column = batch.column_by_name(name).unwrap().as_string::<i32>();
            if column.is_null(i) { String::new() } else { column.value(i).to_string() }
        };
        let line = batch.column_by_name("line").unwrap().as_primitive::<arrow::datatypes::Int64Type>();
        all.extend((0..batch.num_rows()).map(|i| Rejected {
            collection: text("collection", i),
            file: text("file", i),
            line: line.value(i),
            field: text("field", i),
            rule: text("rule", i),
            text: text("text", i),
            message: text("message", i),
        }));
    }
    let mut sorted = all.clone();
    sorted.sort_by(|a, b| (&a.collection, &a.file, a.line).cmp(&(&b.collection, &b.file, b.line)));
    assert_eq!(all, sorted);
    all
}

/// (line, field, rule) of every reject.
pub fn brief(outcome: &Outcome) -> Vec<(i64, String, String)> {
    rejects(outcome).into_iter().map(|r| (r.line, r.field, r.rule)).collect()
}

pub fn owned(rows: &[(i64, &str, &str)]) -> Vec<(i64, String, String)> {
    rows.iter().map(|(line, field, rule)| (*line, field.to_string(), rule.to_string())).collect()
}

pub fn counts<'a>(outcome: &'a Outcome, collection: &str) -> &'a Counts {
    outcome.load.collections.iter().find(|c| c.collection == collection).unwrap()
}

/// A number generator for test data.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Files of the lake, whatever they were read from, and when.
pub fn contents(files: &[LakeFile]) -> Vec<LakeFile> {
    files.iter().map(|f| LakeFile { inputs: vec![], loaded_at: String::new(), ..f.clone() }).collect()
}
