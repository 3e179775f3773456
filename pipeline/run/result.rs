//! The tables of a run, read back.

use super::manifest::Manifest;
use super::output::REPORT_YEAR;
use super::parameter::{Years, register_batch, register_years};
use crate::catalog::Name;
use crate::commit::Commit;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::history;
use crate::jurisdiction::Jurisdiction;
use crate::lake::Load;
use crate::project::Project;
use crate::quality;
use crate::root::Root;
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A session in which each table of a run is a relation.
pub struct Results {
    engine: Engine,
}

impl Results {
    /// Opens the tables of the run that a query names.
    pub async fn open(root: &Path, manifest: &Manifest, sql: &str) -> Result<Results> {
        let results = Results { engine: Engine::new(1, None)? };
        let sql = sql.to_lowercase();
        results.add(root, manifest, None, |table| sql.contains(table))?;
        Ok(results)
    }

    /// Opens all tables of several runs below one root, those of each in a schema of this name.
    pub fn side_by_side(root: &Path, runs: &[(&str, &Manifest)]) -> Result<Results> {
        let results = Results { engine: Engine::new(1, None)? };
        runs.iter().try_for_each(|(schema, manifest)| results.add(root, manifest, Some(schema), |_| true))?;
        Ok(results)
    }

    fn add(&self, root: &Path, manifest: &Manifest, schema: Option<&str>, wanted: impl Fn(&str) -> bool) -> Result<()> {
        for table in manifest.tables.iter().filter(|t| wanted(&t.name)) {
            let of_table = manifest.files.iter().filter(|f| f.table == table.name);
            let batches = of_table.map(|f| read(root, &f.stored.path, f.report_year)).collect::<Result<Vec<_>>>()?;
            let Some(first) = batches.first() else { continue };
            let batch = concat_batches(&first.schema(), &batches).map_err(|e| Error::internal(format!("rows of {}", table.name), e))?;
            register_batch(&self.engine, Name { schema: schema.map(str::to_string), table: table.name.clone() }, batch)?;
        }
        Ok(())
    }

    /// Adds the lake, as `lake.<collection>`, and the reference tables.
    pub fn with_lake(self, root: &Root, project: &Project, manifest: &Manifest) -> Result<Results> {
        let (commit, load) = super::current_load(root)?;
        let jurisdiction = Jurisdiction::load(project, &manifest.jurisdiction)?;
        super::relation::register(&self.engine, project, &project.contracts()?, &jurisdiction, root, &load)?;
        self.add_quality(root, &commit, &load)?;
        Ok(self)
    }

    /// Adds what is known of the quality of a load, the rejected rows too, as `quality.<table>`.
    fn add_quality(&self, root: &Root, commit: &Commit, load: &Load) -> Result<()> {
        let name = |table: String| Name { schema: Some(quality::table::FOLDER.into()), table };
        let at = commit.load.as_ref().map(|p| history::loaded_at(root, p)).transpose()?.unwrap_or_default();
        register_batch(&self.engine, name(quality::table::FRESHNESS.0.into()), quality::table::freshness(load, &at)?)?;
        for stored in load.companions.iter().chain(&load.reject) {
            let table = Path::new(&stored.path).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            register_batch(&self.engine, name(table), whole(root, &stored.path)?)?;
        }
        Ok(())
    }

    /// Adds the reference tables, and what views may ask about the years and rules of the run.
    pub fn with_parameters(self, project: &Project, jurisdiction: &Jurisdiction, manifest: &Manifest) -> Result<Results> {
        super::relation::register_reference(&self.engine, project)?;
        let requested: BTreeSet<i32> = manifest.report_years.iter().copied().collect();
        let years = Years { computed: manifest.computed_years.iter().copied().collect(), grouped: requested.clone(), requested };
        register_years(&self.engine, jurisdiction, &years)?;
        Ok(self)
    }

    /// Asks the tables in SQL.
    pub async fn query(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        Ok(self.engine.query(sql).await?.1)
    }

    /// Asks the tables in SQL; the columns come too, for an answer without rows.
    pub async fn query_with_schema(&self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        self.engine.query(sql).await
    }
}

/// Rows of some columns as texts and then whole numbers; a null is the empty text, or 0.
pub fn rows(batches: &[RecordBatch], texts: usize) -> Result<Vec<(Vec<String>, Vec<i64>)>> {
    let mut rows = Vec::new();
    for batch in batches {
        let (first, others) = batch.columns().split_at(texts.min(batch.num_columns()));
        let numbers: Option<Vec<_>> = others.iter().map(|c| c.as_primitive_opt::<Int64Type>()).collect();
        let numbers = numbers.ok_or_else(|| Error::bug("a comparison gives other than whole numbers"))?;
        for i in 0..batch.num_rows() {
            let text = |c: &ArrayRef| array_value_to_string(c, i).map_err(|e| Error::internal("an answer as text", e));
            let numbers = numbers.iter().map(|n| if n.is_null(i) { 0 } else { n.value(i) });
            rows.push((first.iter().map(text).collect::<Result<_>>()?, numbers.collect()));
        }
    }
    Ok(rows)
}

/// The rows of a table of a run in a report year, the year as the first column.
pub fn table(root: &Path, manifest: &Manifest, table: &str, year: i32) -> Result<RecordBatch> {
    let file = manifest.files.iter().find(|f| f.table == table && f.report_year == year);
    let file = file.ok_or_else(|| Error::Config(format!("run {} has no table {table} of {year}", manifest.run_id)))?;
    read(root, &file.stored.path, year)
}

/// A file as one batch.
fn whole(root: &Path, path: &str) -> Result<RecordBatch> {
    let full = root.join(path);
    let file = File::open(&full).map_err(|e| Error::io("read", &full, e))?;
    let wrong = |e: Box<dyn std::error::Error + Send + Sync>| {
        Error::internal(format!("cannot read {}; `perkins verify` tells more", full.display()), e)
    };
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| wrong(Box::new(e)))?;
    let schema = Arc::clone(reader.schema());
    let batches = reader
        .with_batch_size(1 << 16)
        .build()
        .map_err(|e| wrong(Box::new(e)))?
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|e| wrong(Box::new(e)))?;
    concat_batches(&schema, &batches).map_err(|e| wrong(Box::new(e)))
}

/// A file of a table as one batch, with its report year as the first column.
pub fn read(root: &Path, path: &str, year: i32) -> Result<RecordBatch> {
    let rows = whole(root, path)?;
    let mut fields = vec![Arc::new(Field::new(REPORT_YEAR, DataType::Int32, false))];
    fields.extend(rows.schema_ref().fields().iter().cloned());
    let mut columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from_value(year, rows.num_rows()))];
    columns.extend(rows.columns().iter().cloned());
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| Error::internal(format!("rows of {path}"), e))
}
