//! The tables of data quality, as Parquet beside the load's manifest.

use super::Quality;
use crate::error::{Error, Result};
use crate::lake::{LakeFile, Load};
use crate::store::Stored;
use crate::table::Encoder;
use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use std::path::Path;
use std::sync::Arc;

/// Folder of the tables in that of the load; the schema in which they can be asked.
pub const FOLDER: &str = "quality";

/// A table: name, what a row is, and its columns with type and meaning.
pub type Description = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

/// The tables, for the data dictionary.
pub const TABLES: [Description; 3] = [
    (
        "data_quality",
        "A check of a collection",
        &[
            ("check", "text", "Name of the check: a rule by which rows are rejected, or a view of sql/check"),
            ("title", "text", "What it looks for"),
            ("collection", "text", "The collection; null for a check of the whole folder"),
            ("severity", "text", "error (the rows are rejected), warning or information"),
            (
                "status",
                "text",
                "passed, failed (it found something) or not_applicable (the collection was not handed over, or has nothing of the kind)",
            ),
            ("count", "integer", "How often it found what it looks for"),
            ("rows", "integer", "Rows that it looked at; null if it looks at no rows"),
            ("share", "number", "count / rows"),
        ],
    ),
    (
        "data_quality_example",
        "Something that a check found; at most five for each",
        &[
            ("check", "text", "Name of the check"),
            ("collection", "text", "The collection"),
            ("file", "text", "The file, relative to the raw folder; null if the place is not known"),
            ("line", "integer", "The line as in a text editor; the header is line 1"),
            ("field", "text", "The field that is to blame, or the first of those that name the row"),
            ("text", "text", "What stands there, or which row it is"),
        ],
    ),
    (
        "row_count",
        "Rows of a collection by what they refer to, such as an institution, in a year",
        &[
            ("collection", "text", "The collection"),
            ("field", "text", "The field that refers"),
            ("value", "text", "Its value"),
            ("year", "integer", "The year by which the collection is divided"),
            ("rows", "integer", "Rows in the lake"),
            ("rows_before", "integer", "Rows in the year before; null if the lake has nothing of the collection in that year"),
            ("change_percent", "number", "Change from the year before, in percent of it; null where that had none"),
        ],
    ),
];

/// What the lake has: made when it is asked for.
pub const FRESHNESS: Description = (
    "freshness",
    "What the lake has of a collection, by the year by which it is divided",
    &[
        ("collection", "text", "The collection"),
        ("year", "integer", "The year; null if it is not divided"),
        ("rows", "integer", "Rows in the lake"),
        ("files", "text", "The raw files that they came from, with commas between"),
        ("loaded_at", "text", "When they were loaded, UTC"),
    ],
);

impl Quality {
    /// Writes the tables below a folder.
    pub fn write(&self, root: &Path, folder: &Path) -> Result<Vec<Stored>> {
        let columns = [self.checks_table(), self.examples_table(), self.counts_table()];
        let write = |(table, columns): (&Description, Vec<ArrayRef>)| {
            let name = table.0;
            let rows = rows(*table, columns)?;
            let encoder = Encoder::new(rows.schema())?;
            let groups = if rows.num_rows() > 0 { vec![encoder.encode(&[rows])?] } else { vec![] };
            Ok(encoder.write(root, folder, &format!("{name}.parquet"), groups)?.0)
        };
        TABLES.iter().zip(columns).map(write).collect()
    }

    fn checks_table(&self) -> Vec<ArrayRef> {
        let text =
            |f: &dyn Fn(&super::Check) -> Option<String>| -> ArrayRef { Arc::new(self.checks.iter().map(f).collect::<StringArray>()) };
        vec![
            text(&|c| Some(c.check.clone())),
            text(&|c| Some(c.title.clone())),
            text(&|c| c.collection.clone()),
            text(&|c| Some(c.severity.name().into())),
            text(&|c| Some(c.status.name().into())),
            Arc::new(self.checks.iter().map(|c| c.count as i64).collect::<Int64Array>()),
            Arc::new(self.checks.iter().map(|c| (c.of > 0).then_some(c.of as i64)).collect::<Int64Array>()),
            Arc::new(self.checks.iter().map(super::Check::share).collect::<Float64Array>()),
        ]
    }

    fn examples_table(&self) -> Vec<ArrayRef> {
        let all = || self.checks.iter().flat_map(|c| c.examples.iter().map(move |e| (c, e)));
        let text = |f: &dyn Fn(&super::Check, &super::Example) -> Option<String>| -> ArrayRef {
            Arc::new(all().map(|(c, e)| f(c, e)).collect::<StringArray>())
        };
        vec![
            text(&|c, _| Some(c.check.clone())),
            text(&|c, _| c.collection.clone()),
            text(&|_, e| e.at.as_ref().map(|at| at.file.clone())),
            Arc::new(all().map(|(_, e)| e.at.as_ref().map(|at| at.line as i64)).collect::<Int64Array>()),
            text(&|_, e| e.field.clone()),
            text(&|_, e| Some(e.text.clone()).filter(|t| !t.is_empty())),
        ]
    }

    fn counts_table(&self) -> Vec<ArrayRef> {
        let text =
            |f: fn(&super::RowCount) -> &String| -> ArrayRef { Arc::new(self.counts.iter().map(|c| Some(f(c))).collect::<StringArray>()) };
        let percent = |c: &super::RowCount| c.rows_before.filter(|b| *b > 0).map(|b| 100.0 * (c.rows - b) as f64 / b as f64);
        vec![
            text(|c| &c.collection),
            text(|c| &c.field),
            text(|c| &c.value),
            Arc::new(self.counts.iter().map(|c| c.year).collect::<Int32Array>()),
            Arc::new(self.counts.iter().map(|c| c.rows).collect::<Int64Array>()),
            Arc::new(self.counts.iter().map(|c| c.rows_before).collect::<Int64Array>()),
            Arc::new(self.counts.iter().map(percent).collect::<Float64Array>()),
        ]
    }
}

/// What the lake of a load made at this time has, from which files, and since when; made when it is asked for, since a load does not know its time.
pub fn freshness(load: &Load, at: &str) -> Result<RecordBatch> {
    let files = || load.files.iter();
    let text = |f: &dyn Fn(&LakeFile) -> String| -> ArrayRef { Arc::new(files().map(|file| Some(f(file))).collect::<StringArray>()) };
    let loaded = |f: &LakeFile| if f.loaded_at.is_empty() { at.to_string() } else { f.loaded_at.clone() };
    let columns: Vec<ArrayRef> = vec![
        text(&|f| f.collection.clone()),
        Arc::new(files().map(|f| f.partition).collect::<Int32Array>()),
        Arc::new(files().map(|f| f.rows as i64).collect::<Int64Array>()),
        text(&|f| f.inputs.join(", ")),
        text(&loaded),
    ];
    rows(FRESHNESS, columns)
}

/// Columns of a table as rows.
fn rows((name, _, described): Description, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let columns = described.iter().zip(columns).map(|((column, ..), values)| (*column, values, true));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| Error::internal(format!("rows of {name}"), e))
}
