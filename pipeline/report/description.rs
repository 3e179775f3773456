//! What a report contains: `data/report/<name>.toml`.

use crate::catalog::{PROVIDED, references};
use crate::error::{Error, Result};
use crate::project::Project;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A report: workbooks, their sheets, and the queries that fill them.
///
/// Texts may name columns of the answer in braces, such as `{report_year}`; a sheet's texts take the values of its first row. Formulas may
/// name cells in brackets: see [`super::formula`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Name in flags: the file's.
    #[serde(skip)]
    pub name: String,
    /// Path of the file in messages.
    #[serde(skip)]
    pub path: String,
    /// BLAKE3 of the file.
    #[serde(skip)]
    pub blake3: String,
    /// Title of the document.
    pub title: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// Path of a workbook below the run's reports, without `.xlsx`.
    pub file: String,
    /// Columns that every query has: a workbook for each of their values in the query `workbook`, whose columns all texts may name.
    pub by: Vec<String>,
    /// Tables without which a jurisdiction does not have this report.
    pub needs: Vec<String>,
    /// Queries over the tables of the run, the reference tables, and `requested`, `report_year`, `rule`, `jurisdiction`.
    pub query: BTreeMap<String, String>,
    /// The sheets in order.
    pub sheet: Vec<Sheet>,
}

/// A sheet, or one for each value of some columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// Name on the tab.
    pub name: String,
    /// Heading.
    pub title: String,
    /// Lines below the heading.
    #[serde(default)]
    pub line: Vec<String>,
    /// Further columns of its queries: a sheet for each of their values. None: one sheet.
    #[serde(default)]
    pub by: Vec<String>,
    /// What a sheet without rows says; without it there is no such sheet.
    pub empty: Option<String>,
    /// Columns that stay in view on the left.
    #[serde(default)]
    pub frozen: u16,
    /// Pages that it is wide when printed.
    #[serde(default = "one")]
    pub pages: u16,
    /// The tables on it, one below the other. The last one is the sheet's own: its columns have the widths, its heading stays in view.
    pub table: Vec<Table>,
}

/// A table on a sheet.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The query whose rows it shows.
    pub query: String,
    /// Heading of the table.
    pub title: Option<String>,
    /// Column by which formulas name its rows.
    pub key: Option<String>,
    /// Columns whose change begins a part of the table with a line of its own.
    #[serde(default)]
    pub section: Vec<String>,
    /// Rows are turned into columns.
    pub pivot: Option<Pivot>,
    /// Whether readers may filter.
    #[serde(default)]
    pub filter: bool,
    /// Whether it has no line of headings.
    #[serde(default)]
    pub bare: bool,
    /// Heading of the columns beside it that repeat, as values, what formulas compute: `{heading}` is the column's. None: no such columns.
    pub values: Option<String>,
    /// Columns in order.
    pub column: Vec<Column>,
    /// Labels below it, each with a cell that a person completes.
    #[serde(default)]
    pub complete: Vec<String>,
}

/// Which rows of the answer become columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pivot {
    /// Column with the names of the columns to be.
    pub column: String,
    /// Column with their cells.
    pub value: String,
    /// Column with their headings.
    pub heading: Option<String>,
    /// Column with the formulas of the cells, or null.
    pub formula: Option<String>,
}

/// A column of a table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Column of the answer; `*` stands for every column made by a pivot that is not named.
    pub field: String,
    /// Heading; none: a pivot's heading, else the field's name.
    pub heading: Option<String>,
    /// Width in characters.
    pub width: Option<f64>,
    /// Number format, such as `#,##0` or `0.00`; with one, texts that are numbers become numbers.
    pub format: Option<String>,
    /// Formula; the field has its result.
    pub formula: Option<String>,
    /// Whether long text goes over several lines.
    #[serde(default)]
    pub wrap: bool,
    /// Whether it is a heading of its line.
    #[serde(default)]
    pub bold: bool,
    /// Which of its cells a person completes.
    pub complete: Option<Complete>,
    /// Colour of cells by value, as RRGGBB.
    #[serde(default)]
    pub colour: BTreeMap<String, String>,
}

/// Which cells a person completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Complete {
    /// Those without a value.
    Empty,
    /// All: what stands there is a draft.
    All,
}

fn one() -> u16 {
    1
}

/// The field that stands for all columns of a pivot that are not named.
pub const REST: &str = "*";

/// The query with a row for each workbook.
pub const WORKBOOK: &str = "workbook";

impl Description {
    /// All descriptions of the project, by name.
    pub fn all(project: &Project) -> Result<Vec<Description>> {
        let files = project.reports()?;
        let toml = files.iter().filter_map(|(path, file)| Some((path.strip_suffix(".toml")?, file)));
        toml.map(|(name, file)| Description::parse(name, file.label.clone(), &file.text)).collect()
    }

    /// Reads a description and checks that it agrees with itself.
    pub fn parse(name: &str, path: String, text: &str) -> Result<Description> {
        let mut report: Description = toml::from_str(text).map_err(|e| Error::Config(format!("{path}: {e}")))?;
        report.name = name.into();
        report.path = path;
        report.blake3 = blake3::hash(text.as_bytes()).to_hex().to_string();
        if !report.query.contains_key(WORKBOOK) {
            return Err(Error::Config(format!("{}: has no query {WORKBOOK:?}, with a row for each workbook", report.path)));
        }
        for sheet in &report.sheet {
            report.check(sheet).map_err(|e| Error::Config(format!("{}: sheet {:?}: {e}", report.path, sheet.name)))?;
        }
        Ok(report)
    }

    fn check(&self, sheet: &Sheet) -> std::result::Result<(), String> {
        if sheet.table.is_empty() {
            return Err("has no table".into());
        }
        for table in &sheet.table {
            if !self.query.contains_key(&table.query) {
                let known: Vec<&str> = self.query.keys().map(String::as_str).collect();
                return Err(format!("there is no query {:?}; there are: {}", table.query, known.join(", ")));
            }
            if table.pivot.is_none() && table.column.iter().any(|c| c.field == REST) {
                return Err("a column * needs a pivot".into());
            }
            for colour in table.column.iter().flat_map(|c| c.colour.values()) {
                if colour.len() != 6 || u32::from_str_radix(colour, 16).is_err() {
                    return Err(format!("colour {colour:?} must be six hexadecimal digits"));
                }
            }
        }
        Ok(())
    }

    /// The tables of a run that its queries refer to.
    pub fn references(&self) -> Result<BTreeSet<String>> {
        let mut tables = BTreeSet::new();
        for (name, sql) in &self.query {
            let found = references(&format!("{}: query {name}", self.path), sql)?;
            tables.extend(found.into_iter().filter(|n| n.schema.is_none() && !PROVIDED.contains(&n.table.as_str())).map(|n| n.table));
        }
        Ok(tables)
    }
}
