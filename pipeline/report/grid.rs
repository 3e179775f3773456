//! The answer to a query as rows of cells: divided among workbooks and sheets, and turned from rows into columns.

use super::description::Pivot;
use crate::error::{Error, Result};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, SchemaRef};
use arrow::util::display::array_value_to_string;
use std::collections::{BTreeMap, HashMap};

/// A value of a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Empty,
    /// A number.
    Number(f64),
    /// Days since 1970.
    Date(i32),
    /// Text.
    Text(String),
}

impl Value {
    /// The value as text; nothing is the empty text.
    pub fn text(&self) -> String {
        match self {
            Value::Empty => String::new(),
            Value::Number(n) => n.to_string(),
            Value::Date(days) => days.to_string(),
            Value::Text(text) => text.clone(),
        }
    }
}

/// A cell: its value, and the formula that gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The value; with a formula, its result.
    pub value: Value,
    /// A formula, with references in brackets.
    pub formula: Option<String>,
}

/// Rows with named columns.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Headings of columns made by a pivot, by name.
    pub headings: HashMap<String, String>,
    /// The columns made by a pivot, in order.
    pub pivoted: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// The whole answer to a query.
#[derive(Debug, Clone)]
pub struct Answer(RecordBatch);

impl Answer {
    /// Joins the batches of an answer.
    pub fn new(schema: SchemaRef, batches: &[RecordBatch]) -> Result<Answer> {
        // A union may give other types than its plan says.
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        concat_batches(&schema, batches).map(Answer).map_err(|e| Error::internal("the rows of a report", e))
    }

    fn column(&self, name: &str) -> Result<&ArrayRef> {
        self.0.column_by_name(name).ok_or_else(|| Error::Config(format!("a query of the report has no column {name}")))
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.0.num_rows() == 0
    }

    /// The rows by the values of some columns, in the order in which these come first.
    pub fn split(&self, by: &[String]) -> Result<Vec<(Vec<String>, Answer)>> {
        let columns: Vec<&ArrayRef> = by.iter().map(|c| self.column(c)).collect::<Result<_>>()?;
        let mut order: Vec<Vec<String>> = Vec::new();
        let mut rows: HashMap<Vec<String>, Vec<u64>> = HashMap::new();
        for i in 0..self.0.num_rows() {
            let values: Vec<String> = columns.iter().map(|c| text(c, i)).collect::<Result<_>>()?;
            let of = rows.entry(values).or_insert_with_key(|v| {
                order.push(v.clone());
                vec![]
            });
            of.push(i as u64);
        }
        let part = |values: Vec<String>| {
            let indices = UInt64Array::from(rows.remove(&values).unwrap_or_default());
            let rows = take_record_batch(&self.0, &indices).map_err(|e| Error::internal("the rows of a sheet", e))?;
            Ok((values, Answer(rows)))
        };
        order.into_iter().map(part).collect()
    }

    /// The values of the first row by column, as text.
    pub fn first(&self) -> Result<BTreeMap<String, String>> {
        if self.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.0.schema().fields().iter().zip(self.0.columns()).map(|(f, c)| Ok((f.name().clone(), text(c, 0)?))).collect()
    }

    /// The rows as cells.
    pub fn grid(&self) -> Result<Grid> {
        let columns: Vec<Vec<Value>> = self.0.columns().iter().map(values).collect::<Result<_>>()?;
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        let mut rows = Vec::with_capacity(self.0.num_rows());
        for _ in 0..self.0.num_rows() {
            rows.push(columns.iter_mut().map(|c| Cell { value: c.next().unwrap_or(Value::Empty), formula: None }).collect());
        }
        let columns = self.0.schema().fields().iter().map(|f| f.name().clone()).collect();
        Ok(Grid { columns, rows, ..Grid::default() })
    }
}

/// The answers of a workbook, by name of the query.
pub type Parts = BTreeMap<String, Answer>;

/// Divides all answers among workbooks; `first` is the query with a row for each workbook.
pub fn split(by: &[String], first: &str, answers: &Parts) -> Result<Vec<Parts>> {
    let none = || Error::bug(format!("no answer to query {first}"));
    let order: Vec<Vec<String>> = answers.get(first).ok_or_else(none)?.split(by)?.into_iter().map(|(v, _)| v).collect();
    let mut parts: HashMap<&Vec<String>, Parts> = order.iter().map(|v| (v, Parts::new())).collect();
    for (name, answer) in answers {
        for (values, part) in answer.split(by)? {
            if let Some(of) = parts.get_mut(&values) {
                of.insert(name.clone(), part);
            }
        }
    }
    Ok(order.iter().filter_map(|v| parts.remove(v)).collect())
}

fn text(column: &ArrayRef, row: usize) -> Result<String> {
    if column.is_null(row) {
        return Ok(String::new());
    }
    array_value_to_string(column, row).map_err(|e| Error::internal("a value of a report", e))
}

/// The values of a column. Whole numbers above 2^53 would lose digits, so they stay text.
fn values(column: &ArrayRef) -> Result<Vec<Value>> {
    let wrong = |e| Error::internal("a column of a report", e);
    let kind = column.data_type();
    if kind.is_numeric() {
        let numbers = cast(column, &DataType::Float64).map_err(wrong)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        let exact = |n: f64| n.abs() < 9_007_199_254_740_992.0;
        return (0..column.len())
            .map(|i| match numbers.is_null(i) {
                true => Ok(Value::Empty),
                false if exact(numbers.value(i)) => Ok(Value::Number(numbers.value(i))),
                false => text(column, i).map(Value::Text),
            })
            .collect();
    }
    if let Some(days) = column.as_primitive_opt::<Date32Type>() {
        return Ok(days.iter().map(|d| d.map_or(Value::Empty, Value::Date)).collect());
    }
    (0..column.len()).map(|i| Ok(if column.is_null(i) { Value::Empty } else { Value::Text(text(column, i)?) })).collect()
}

impl Grid {
    /// Place of a column.
    pub fn index(&self, column: &str) -> Result<usize> {
        let found = self.columns.iter().position(|c| c == column);
        found.ok_or_else(|| Error::Config(format!("has no column {column}; there are: {}", self.columns.join(", "))))
    }

    /// Turns rows into columns: those that agree in all other columns become one row, in the order in which they come first.
    pub fn pivot(&self, pivot: &Pivot) -> Result<Grid> {
        let (column, value) = (self.index(&pivot.column)?, self.index(&pivot.value)?);
        let heading = pivot.heading.as_ref().map(|h| self.index(h)).transpose()?;
        let formula = pivot.formula.as_ref().map(|f| self.index(f)).transpose()?;
        let used = [Some(column), Some(value), heading, formula];
        let kept: Vec<usize> = (0..self.columns.len()).filter(|i| !used.contains(&Some(*i))).collect();
        let mut grid = Grid { columns: kept.iter().map(|&k| self.columns[k].clone()).collect(), ..Grid::default() };
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut lines: HashMap<Vec<String>, usize> = HashMap::new();
        for row in &self.rows {
            let name = row[column].value.text();
            let at = *places.entry(name.clone()).or_insert_with(|| {
                grid.columns.push(name.clone());
                grid.pivoted.push(name.clone());
                grid.headings.insert(name.clone(), heading.map_or(name.clone(), |h| row[h].value.text()));
                grid.columns.len() - 1
            });
            let key: Vec<String> = kept.iter().map(|&k| row[k].value.text()).collect();
            let line = *lines.entry(key).or_insert_with(|| {
                grid.rows.push(kept.iter().map(|&k| row[k].clone()).collect());
                grid.rows.len() - 1
            });
            let empty = Cell { value: Value::Empty, formula: None };
            let line = &mut grid.rows[line];
            line.resize(line.len().max(at + 1), empty);
            if line[at].value != Value::Empty {
                return Err(Error::Config(format!("has two rows for one cell of column {name}")));
            }
            let formula = formula.map(|f| row[f].value.text()).filter(|f| !f.is_empty());
            line[at] = Cell { value: row[value].value.clone(), formula };
        }
        let width = grid.columns.len();
        grid.rows.iter_mut().for_each(|r| r.resize(width, Cell { value: Value::Empty, formula: None }));
        Ok(grid)
    }
}
