//! Whether files are what their manifests say: size, BLAKE3, columns and rows.

use super::Report;
use crate::run::manifest::Table;
use crate::run::output::{OutputFile, REPORT_YEAR};
use crate::store::Stored;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is computed again, when it was damaged, is made anew in a later run: nothing mends the one before, and nothing rests on it.
const HISTORY_ADVICE: &str = "a later one is current, so this is history only: restore it from a copy if it must be kept";

/// A file that a manifest names.
pub struct Expected {
    /// Where it is, its size and hash.
    pub stored: Stored,
    /// What to do if it is not whole.
    pub advice: &'static str,
    /// It is of a load or run that is no longer current.
    pub is_history: bool,
    /// Rows, for a Parquet file whose rows the manifest gives.
    rows: Option<u64>,
    /// Names and types of its columns, if the manifest gives them.
    columns: Option<Vec<(String, String)>>,
}

impl Expected {
    /// A file of which only size and hash are known.
    pub fn bytes(stored: &Stored, advice: &'static str) -> Expected {
        Expected { stored: stored.clone(), advice, is_history: false, rows: None, columns: None }
    }

    /// A Parquet file with so many rows.
    pub fn rows(stored: &Stored, rows: u64, advice: &'static str) -> Expected {
        Expected { rows: Some(rows), ..Expected::bytes(stored, advice) }
    }

    /// Says whether it is of a load or run that is no longer current.
    pub fn in_history(self, is_history: bool) -> Expected {
        Expected { is_history, ..self }
    }

    /// Reports what is wrong with it.
    pub fn tell(&self, what: &str, report: &mut Report) {
        match self.is_history {
            true => report.warnings.push(format!("{}: {what}; {HISTORY_ADVICE}", self.stored.path)),
            false => report.finding(&self.stored.path, what, self.advice),
        }
    }

    /// A file of one of these tables.
    pub fn of_table(file: &OutputFile, tables: &[Table], advice: &'static str) -> Expected {
        // Parquet has one type of texts, however long.
        let of_file = |kind: &str| if kind == "LargeUtf8" { "Utf8".to_string() } else { kind.to_string() };
        let columns = |t: &Table| t.columns.iter().filter(|c| c.name != REPORT_YEAR).map(|c| (c.name.clone(), of_file(&c.kind))).collect();
        let columns = tables.iter().find(|t| t.name == file.table).map(columns);
        Expected { columns, ..Expected::rows(&file.stored, file.rows as u64, advice) }
    }
}

/// Looks at every file, on all threads; findings come in the order of the files.
pub fn check_files(root: &Path, files: &[Expected], read_data: bool, threads: usize, report: &mut Report) {
    let next = AtomicUsize::new(0);
    let found: Mutex<BTreeMap<usize, String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(files.len()) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(i) else { break };
                    if let Err(what) = check_file(root, file, read_data) {
                        found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(i, what);
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (i, what) in found {
        files[i].tell(&what, report);
    }
    report.count(files.len() as u64, if read_data { "files read" } else { "files by size" });
    report.count(files.iter().map(|f| f.stored.bytes).sum(), "bytes");
    if read_data {
        report.count(files.iter().filter_map(|f| f.rows).sum(), "rows");
    }
}

fn check_file(root: &Path, file: &Expected, read_data: bool) -> std::result::Result<(), String> {
    let path = root.join(&file.stored.path);
    let size = match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Err("is not a file".into()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err("is missing".into()),
        Err(e) => return Err(format!("cannot be read: {e}")),
    };
    if size != file.stored.bytes {
        return Err(format!("has {size} bytes, not {}", file.stored.bytes));
    }
    if !read_data {
        return Ok(());
    }
    let mut hasher = blake3::Hasher::new();
    File::open(&path).and_then(|f| hasher.update_reader(f).map(|_| ())).map_err(|e| format!("cannot be read: {e}"))?;
    if hasher.finalize().to_hex().as_str() != file.stored.blake3 {
        return Err("has another BLAKE3 than its manifest says: it was changed".into());
    }
    match file.rows {
        Some(rows) => check_parquet(&path, rows, file.columns.as_deref()),
        None => Ok(()),
    }
}

/// Decodes every page of a Parquet file, and compares its columns and rows.
fn check_parquet(path: &Path, expected: u64, columns: Option<&[(String, String)]>) -> std::result::Result<(), String> {
    let damaged = |e: &dyn std::fmt::Display| format!("is no whole Parquet file: {e}");
    let file = File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(&e))?;
    let found: Vec<(String, String)> = builder.schema().fields().iter().map(|f| (f.name().clone(), f.data_type().to_string())).collect();
    if let Some(columns) = columns.filter(|c| *c != found) {
        let differs = columns.iter().zip(&found).find(|(a, b)| a != b).map(|(a, b)| format!("{} {} and not {} {}", b.0, b.1, a.0, a.1));
        let differs = differs.unwrap_or_else(|| format!("{} columns and not {}", found.len(), columns.len()));
        return Err(format!("has other columns than its manifest says: {differs}"));
    }
    let mut rows = 0;
    for batch in builder.with_batch_size(1 << 14).build().map_err(|e| damaged(&e))? {
        rows += batch.map_err(|e| damaged(&e))?.num_rows() as u64;
    }
    if rows == expected { Ok(()) } else { Err(format!("has {rows} rows, not {expected}")) }
}
