//! Where everything stands: sheets, tables, rows and columns get their places before anything is written, so that formulas can refer to any
//! of them.

use super::description::{Column, REST, Sheet, Table};
use super::formula::{fill, quoted, resolve};
use super::grid::{Grid, Parts};
use crate::error::{Error, Result};
use rust_xlsxwriter::utility::{row_col_to_cell, row_col_to_cell_absolute};
use std::collections::{BTreeMap, HashMap};

/// Values that texts may name.
pub type Variables = BTreeMap<String, String>;

/// A sheet with the places of its tables.
#[derive(Debug)]
pub struct PlacedSheet<'a> {
    /// What describes it.
    pub sheet: &'a Sheet,
    /// Name on the tab.
    pub name: String,
    /// Heading.
    pub title: String,
    /// Lines below the heading.
    pub lines: Vec<String>,
    /// What it says instead of tables.
    pub empty: Option<String>,
    /// Its tables; the last one is the sheet's own.
    pub tables: Vec<PlacedTable<'a>>,
}

/// A table with the places of its rows and columns.
#[derive(Debug)]
pub struct PlacedTable<'a> {
    /// What describes it.
    pub table: &'a Table,
    /// Its rows.
    pub grid: Grid,
    /// Heading and its row.
    pub title: Option<(u32, String)>,
    /// Row of the headings of columns.
    pub header: Option<u32>,
    /// The columns in order, from the first column of the sheet.
    pub columns: Vec<PlacedColumn>,
    /// Columns that repeat the results of formulas: place among `columns`, column of the sheet, heading.
    pub values: Vec<(usize, u16, String)>,
    /// Lines that begin a part.
    pub sections: Vec<(u32, String)>,
    /// Row of the sheet of each row.
    pub rows: Vec<u32>,
    /// Labels with a cell that a person completes.
    pub complete: Vec<(u32, String)>,
    keys: HashMap<String, usize>,
}

/// A column of a table.
#[derive(Debug)]
pub struct PlacedColumn {
    /// What describes it.
    pub column: Column,
    /// Its place in the grid.
    pub index: usize,
    /// Its heading.
    pub heading: String,
}

impl PlacedColumn {
    fn has_formula(&self, grid: &Grid) -> bool {
        self.column.formula.is_some() || grid.rows.iter().any(|r| r[self.index].formula.is_some())
    }
}

/// The most characters that the name of a sheet may have.
const NAME: usize = 31;

/// Gives every sheet of a workbook its places.
pub fn place<'a>(sheets: &'a [Sheet], workbook: &Variables, parts: &Parts) -> Result<Vec<PlacedSheet<'a>>> {
    let mut placed: Vec<PlacedSheet> = Vec::new();
    for sheet in sheets {
        let Some(own) = sheet.table.last() else { continue };
        let mut each = parts.get(&own.query).map(|a| a.split(&sheet.by)).transpose()?.unwrap_or_default();
        if each.is_empty() && sheet.empty.is_some() {
            placed.push(place_sheet(sheet, workbook.clone(), vec![])?);
        }
        for (values, answer) in each.drain(..) {
            let mut variables = workbook.clone();
            variables.extend(answer.first()?);
            let mut grids = Vec::new();
            for table in &sheet.table {
                let same = |(v, a)| (v == values).then_some(a);
                let of = parts.get(&table.query).map(|a| a.split(&sheet.by)).transpose()?.unwrap_or_default().into_iter().find_map(same);
                let Some(rows) = of else { continue };
                let grid = rows.grid()?;
                let grid = table.pivot.as_ref().map_or_else(|| Ok(grid.clone()), |p| grid.pivot(p));
                grids.push((table, grid.map_err(|e| Error::Config(format!("query {}: {e}", table.query)))?));
            }
            placed.push(place_sheet(sheet, variables, grids)?);
        }
    }
    let mut names: Vec<String> = placed.iter().map(|s| s.name.to_lowercase()).collect();
    names.sort();
    match names.windows(2).find(|w| w[0] == w[1]) {
        Some(twice) => Err(Error::Config(format!("two sheets are named {:?}", twice[0]))),
        None => Ok(placed),
    }
}

fn place_sheet<'a>(sheet: &'a Sheet, variables: Variables, grids: Vec<(&'a Table, Grid)>) -> Result<PlacedSheet<'a>> {
    let text = |template: &str| fill(template, &|name| variables.get(name).cloned(), false);
    let lines: Vec<String> = sheet.line.iter().map(|l| text(l)).collect::<Result<_>>()?;
    let empty = grids.is_empty().then(|| sheet.empty.as_deref().map(text)).flatten().transpose()?;
    let mut row = lines.len() as u32 + 2;
    let mut tables = Vec::new();
    for (table, grid) in grids {
        let title = table.title.as_deref().map(text).transpose()?;
        let placed = place_table(table, grid, title, row)?;
        row = placed.end() + 2;
        tables.push(placed);
    }
    // Characters that a name may not have.
    let name: String = text(&sheet.name)?.chars().map(|c| if "[]:*?/\\".contains(c) { ' ' } else { c }).take(NAME).collect();
    Ok(PlacedSheet { sheet, name: name.trim_matches('\'').to_string(), title: text(&sheet.title)?, lines, empty, tables })
}

fn place_table(table: &Table, grid: Grid, title: Option<String>, mut row: u32) -> Result<PlacedTable<'_>> {
    let wrong = |e: Error| Error::Config(format!("query {}: {e}", table.query));
    let mut next = || {
        row += 1;
        row - 1
    };
    let title = title.map(|t| (next(), t));
    let header = (!table.bare).then(&mut next);
    let columns = place_columns(table, &grid).map_err(wrong)?;
    let sections: Vec<usize> = table.section.iter().map(|s| grid.index(s)).collect::<Result<_>>().map_err(wrong)?;
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    let mut last: Vec<String> = vec![String::new(); sections.len()];
    for cells in &grid.rows {
        let now: Vec<String> = sections.iter().map(|&s| cells[s].value.text()).collect();
        let changed = now.iter().zip(&last).position(|(a, b)| a != b).unwrap_or(now.len());
        for text in now[changed..].iter().filter(|t| !t.is_empty()) {
            lines.push((next(), text.clone()));
        }
        last = now;
        rows.push(next());
    }
    let complete = table.complete.iter().map(|label| (next(), label.clone())).collect();
    let key = table.key.as_ref().map(|k| grid.index(k)).transpose().map_err(wrong)?;
    let keys = key.map(|k| grid.rows.iter().enumerate().map(|(i, r)| (r[k].value.text(), i)).collect()).unwrap_or_default();
    let mut values = Vec::new();
    if let Some(heading) = &table.values {
        for (i, column) in columns.iter().enumerate().filter(|(_, c)| c.has_formula(&grid)) {
            // An empty column stands between the table and its values.
            let at = (columns.len() + 1 + values.len()) as u16;
            values.push((i, at, fill(heading, &|n| (n == "heading").then(|| column.heading.clone()), false)?));
        }
    }
    Ok(PlacedTable { table, grid, title, header, columns, values, sections: lines, rows, complete, keys })
}

fn place_columns(table: &Table, grid: &Grid) -> Result<Vec<PlacedColumn>> {
    let mut columns = Vec::new();
    for column in &table.column {
        let fields: Vec<String> = if column.field == REST {
            let named = |f: &String| table.column.iter().any(|c| c.field == *f);
            grid.pivoted.iter().filter(|f| !named(f)).cloned().collect()
        } else if table.pivot.is_some() && !grid.columns.contains(&column.field) {
            // A column that no row of the pivot has.
            vec![]
        } else {
            vec![column.field.clone()]
        };
        for field in fields {
            let given = column.heading.clone().or_else(|| grid.headings.get(&field).cloned());
            let heading = given.unwrap_or_else(|| field.clone());
            columns.push(PlacedColumn { column: column.clone(), index: grid.index(&field)?, heading });
        }
    }
    Ok(columns)
}

impl PlacedTable<'_> {
    /// The last row that it takes.
    pub fn end(&self) -> u32 {
        let last = [self.title.as_ref().map(|t| t.0), self.header, self.rows.last().copied(), self.complete.last().map(|c| c.0)];
        last.into_iter().flatten().max().unwrap_or(0)
    }

    fn column(&self, field: &str) -> Result<u16> {
        let found = self.columns.iter().position(|c| self.grid.columns[c.index] == field);
        found
            .map(|c| c as u16)
            .ok_or_else(|| Error::Config(format!("query {}: a formula refers to column {field}, which is not shown", self.table.query)))
    }
}

/// The formula of a cell with addresses, or `None` if it has none. A cell without a value has none either: what is blank stays blank.
pub fn formula(sheets: &[PlacedSheet], sheet: usize, table: usize, row: usize, column: usize) -> Result<Option<String>> {
    let placed = &sheets[sheet].tables[table];
    let (grid, column) = (&placed.grid, &placed.columns[column]);
    let cell = &grid.rows[row][column.index];
    let Some(template) = cell.formula.as_ref().or(column.column.formula.as_ref()) else { return Ok(None) };
    if cell.value == super::grid::Value::Empty {
        return Ok(None);
    }
    let value = |name: &str| grid.index(name).ok().map(|i| grid.rows[row][i].value.text());
    let filled = fill(template, &value, true)?;
    resolve(&filled, &|reference| address(sheets, sheet, placed, row, reference)).map(Some)
}

fn address(sheets: &[PlacedSheet], sheet: usize, table: &PlacedTable, row: usize, reference: &str) -> Result<String> {
    if let Some((name, field)) = reference.split_once('#') {
        let found = if name.is_empty() { sheets.get(sheet) } else { sheets.iter().find(|s| s.name == name) };
        let no = || Error::Config(format!("a formula refers to [{reference}], but the workbook has no such sheet with rows"));
        let target = found.and_then(|s| s.tables.last()).ok_or_else(no)?;
        let (first, last) = target.rows.first().zip(target.rows.last()).ok_or_else(no)?;
        let column = target.column(field)?;
        let range = format!("{}:{}", row_col_to_cell_absolute(*first, column), row_col_to_cell_absolute(*last, column));
        return Ok(if name.is_empty() { range } else { format!("{}!{range}", quoted(name)) });
    }
    let (row, field) = match reference.split_once('!') {
        None => (row, reference),
        Some((key, field)) => {
            let found = table.keys.get(key).copied();
            (
                found.ok_or_else(|| {
                    Error::Config(format!("query {}: a formula refers to line {key}, which is not there", table.table.query))
                })?,
                field,
            )
        }
    };
    Ok(row_col_to_cell(table.rows[row], table.column(field)?))
}
