//! A workbook, drawn: the bytes of an `.xlsx`, the same every time.

use super::description::{Description, Sheet, WORKBOOK};
use super::formula::fill;
use super::grid::{Parts, Value};
use super::layout::{PlacedSheet, PlacedTable, Variables, formula, place};
use super::style::{self, Kind, Styles};
use crate::error::{Error, Result};
use crate::run::output::REPORT_YEAR;
use rust_xlsxwriter::utility::row_col_to_cell;
use rust_xlsxwriter::{
    ConditionalFormatFormula, DocProperties, ExcelDateTime, Format, Formula, IgnoreError, Workbook, Worksheet, XlsxError,
};

/// Days from Excel's first day to 1970.
const EXCEL_EPOCH: f64 = 25_569.0;
/// Width of a column that has none, in characters.
const WIDTH: f64 = 12.0;
/// How much wider the columns beside a table are: their headings are longer.
const ASIDE: f64 = 6.0;
/// A heading that begins further down than this does not stay in view: it would leave no room for rows.
const FROZEN_ROWS: u32 = 9;
/// Points of a line of text, and of the highest row that there may be.
const LINE_HEIGHT: f64 = 15.0;
const HIGHEST: f64 = 409.0;
/// US Letter.
const PAPER: u8 = 1;

/// A workbook to be drawn.
pub struct Book<'a> {
    report: &'a Description,
    variables: Variables,
    parts: Parts,
}

impl<'a> Book<'a> {
    /// The workbook of some answers.
    pub fn new(report: &'a Description, parts: Parts) -> Result<Book<'a>> {
        let variables = parts.get(WORKBOOK).map(|a| a.first()).transpose()?.unwrap_or_default();
        let book = Book { report, variables, parts };
        book.fill(&report.file)?;
        Ok(book)
    }

    fn fill(&self, template: &str) -> Result<String> {
        let wrong = |e: Error| Error::Config(format!("{}: {e}", self.report.path));
        fill(template, &|name| self.variables.get(name).cloned(), false).map_err(wrong)
    }

    /// Path below the folder of the run's reports. Values become names of files whatever they hold.
    pub fn path(&self) -> String {
        let safe = |name: &str| self.variables.get(name).map(|v| file_name(v));
        fill(&self.report.file, &safe, false).unwrap_or_default() + ".xlsx"
    }

    /// Draws it: the bytes, and the names of the sheets.
    pub fn draw(&self) -> Result<(Vec<u8>, Vec<String>)> {
        let wrong = |e: Error| match e {
            Error::Config(what) => Error::Config(format!("{}: {what}", self.report.path)),
            other => other,
        };
        let sheets = place(&self.report.sheet, &self.variables, &self.parts).map_err(wrong)?;
        if sheets.is_empty() {
            return Err(Error::Data(format!("{}: the tables of the run have nothing for {}", self.report.path, self.path())));
        }
        let mut workbook = Workbook::new();
        workbook.set_properties(&self.properties()?);
        for i in 0..sheets.len() {
            let worksheet = workbook.add_worksheet();
            let title = self.fill(&self.report.title)?;
            draw_sheet(worksheet, &sheets, i, &title).map_err(|e| e.in_sheet(&self.report.path, &sheets[i].name))?;
        }
        let bytes = workbook.save_to_buffer().map_err(|e| Error::internal(format!("cannot draw {}", self.path()), e))?;
        Ok((bytes, sheets.into_iter().map(|s| s.name).collect()))
    }

    /// Properties of the document. It is dated the last day of its report year: a clock would give other bytes every time.
    fn properties(&self) -> Result<DocProperties> {
        let year = self.variables.get(REPORT_YEAR).and_then(|y| y.parse().ok()).unwrap_or(1970);
        let date = ExcelDateTime::from_ymd(year, 6, 30).map_err(|e| Error::internal("the date of a report", e))?;
        let properties = DocProperties::new().set_title(self.fill(&self.report.title)?).set_subject(self.report.description.clone());
        Ok(properties.set_author("perkins").set_status("Restricted").set_creation_datetime(&date))
    }
}

/// A value as the name of a file: letters, digits, `-` and `_` stay, all else becomes `%` and its bytes in hexadecimal.
pub fn file_name(value: &str) -> String {
    let part = |b: u8| if b.is_ascii_alphanumeric() || b"-_".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    value.bytes().map(part).collect()
}

/// What went wrong in a sheet.
enum Wrong {
    Ours(Error),
    Writer(XlsxError),
}

impl From<Error> for Wrong {
    fn from(e: Error) -> Self {
        Wrong::Ours(e)
    }
}

impl From<XlsxError> for Wrong {
    fn from(e: XlsxError) -> Self {
        Wrong::Writer(e)
    }
}

impl Wrong {
    fn in_sheet(self, path: &str, sheet: &str) -> Error {
        match self {
            Wrong::Ours(Error::Config(what)) => Error::Config(format!("{path}: sheet {sheet}: {what}")),
            Wrong::Ours(other) => other,
            Wrong::Writer(XlsxError::RowColumnLimitError) => {
                Error::Config(format!("{path}: sheet {sheet} has more rows or columns than a spreadsheet can hold; divide it further (by)"))
            }
            Wrong::Writer(e) => Error::internal(format!("{path}: cannot draw sheet {sheet}"), e),
        }
    }
}

fn draw_sheet(worksheet: &mut Worksheet, sheets: &[PlacedSheet], at: usize, document: &str) -> std::result::Result<(), Wrong> {
    let sheet = &sheets[at];
    worksheet.set_name(&sheet.name)?;
    worksheet.write_string_with_format(0, 0, &sheet.title, &style::title())?;
    for (i, line) in sheet.lines.iter().enumerate() {
        worksheet.write_string_with_format(i as u32 + 1, 0, line, &style::line())?;
    }
    if let Some(empty) = &sheet.empty {
        worksheet.write_string(sheet.lines.len() as u32 + 2, 0, empty)?;
    }
    for table in 0..sheet.tables.len() {
        draw_frame(worksheet, &sheet.tables[table], sheet.sheet.frozen)?;
        draw_cells(worksheet, sheets, at, table)?;
        set_heights(worksheet, sheet, &sheet.tables[table])?;
    }
    if let Some(own) = sheet.tables.last() {
        view(worksheet, sheet, own)?;
    }
    print_setup(worksheet, document, sheet.sheet)?;
    Ok(())
}

/// Rows as high as their longest text asks for: not every reader of workbooks finds that out by itself. The widths are those of the sheet's own
/// table.
fn set_heights(worksheet: &mut Worksheet, sheet: &PlacedSheet, table: &PlacedTable) -> std::result::Result<(), Wrong> {
    let Some(own) = sheet.tables.last() else { return Ok(()) };
    let width = |c: usize| own.columns.get(c).and_then(|c| c.column.width).unwrap_or(WIDTH);
    if let Some(row) = table.header {
        let main = table.columns.iter().enumerate().map(|(c, column)| lines(&column.heading, width(c)));
        let aside = table.values.iter().map(|(c, _, heading)| lines(heading, width(*c) + ASIDE));
        worksheet.set_row_height(row, LINE_HEIGHT * main.chain(aside).max().unwrap_or(1) as f64)?;
    }
    let wrapped: Vec<(usize, usize)> = table.columns.iter().enumerate().filter(|(_, c)| c.column.wrap).map(|(i, c)| (i, c.index)).collect();
    for (cells, row) in table.grid.rows.iter().zip(&table.rows) {
        let high = wrapped.iter().map(|&(c, index)| lines(&cells[index].value.text(), width(c))).max().unwrap_or(1);
        if high > 1 {
            worksheet.set_row_height(*row, (LINE_HEIGHT * high as f64).min(HIGHEST))?;
        }
    }
    Ok(())
}

/// Lines that a text takes in a column of so many characters, rather one too many than one too few.
fn lines(text: &str, width: f64) -> usize {
    ((text.chars().count() as f64 * 1.15 / width).ceil() as usize).max(1)
}

/// Headings, lines that begin a part, and labels to be completed.
fn draw_frame(worksheet: &mut Worksheet, table: &PlacedTable, frozen: u16) -> std::result::Result<(), Wrong> {
    if let Some((row, title)) = &table.title {
        worksheet.write_string_with_format(*row, 0, title, &style::table())?;
    }
    if let Some(row) = table.header {
        for (i, column) in table.columns.iter().enumerate() {
            worksheet.write_string_with_format(row, i as u16, &column.heading, &style::heading())?;
        }
    }
    for (_, column, heading) in &table.values {
        // A table without headings has none for its values either.
        if let Some(row) = table.header {
            worksheet.write_string_with_format(row, *column, heading, &style::heading_aside())?;
        }
    }
    let last = table.columns.len().saturating_sub(1) as u16;
    for (row, text) in &table.sections {
        for column in 0..=last {
            worksheet.write_blank(*row, column, &style::part())?;
        }
        worksheet.write_string_with_format(*row, 0, text, &style::part())?;
    }
    for (row, label) in &table.complete {
        // The label takes the columns that name a line, which stay in view; the rest is one cell.
        let first = frozen.min(last).max(1);
        match first {
            1 => _ = worksheet.write_string_with_format(*row, 0, label, &style::part())?,
            _ => _ = worksheet.merge_range(*row, 0, *row, first - 1, label, &style::part())?,
        }
        if last > first {
            worksheet.merge_range(*row, first, *row, last, "", &style::complete())?;
        }
        worksheet.set_row_height(*row, 45)?;
    }
    Ok(())
}

fn draw_cells(worksheet: &mut Worksheet, sheets: &[PlacedSheet], at: usize, table: usize) -> std::result::Result<(), Wrong> {
    let placed = &sheets[at].tables[table];
    let is_number = |c: &super::description::Column| c.format.is_some();
    for (c, column) in placed.columns.iter().enumerate() {
        let mut styles = Styles::new(&column.column);
        let aside = placed.values.iter().find(|v| v.0 == c).map(|v| v.1);
        for (i, &row) in placed.rows.iter().enumerate() {
            let cell = &placed.grid.rows[i][column.index];
            let value = if is_number(&column.column) { as_number(&cell.value) } else { cell.value.clone() };
            let formula = formula(sheets, at, table, i, c)?;
            let kind = style::kind(&column.column, cell, formula.is_some());
            match formula {
                Some(formula) => {
                    let formula = Formula::new(format!("={formula}")).set_result(value.text());
                    worksheet.write_formula_with_format(row, c as u16, formula, styles.of(kind, &value)?)?;
                    if let Some(aside) = aside {
                        write(worksheet, row, aside, &value, styles.of(Kind::Aside, &value)?)?;
                    }
                }
                None => write(worksheet, row, c as u16, &value, styles.of(kind, &value)?)?,
            }
        }
        if let (Some(aside), Some(&first), Some(&last)) = (aside, placed.rows.first(), placed.rows.last()) {
            mark_differences(worksheet, c as u16, aside, first, last)?;
        }
    }
    Ok(())
}

/// Marks formulas whose result is not the value beside the table.
fn mark_differences(worksheet: &mut Worksheet, column: u16, aside: u16, first: u32, last: u32) -> std::result::Result<(), Wrong> {
    let (computed, value) = (row_col_to_cell(first, column), row_col_to_cell(first, aside));
    let rule = format!(
        "=AND({value}<>\"\",IF(ISNUMBER({value}),IF(ISNUMBER({computed}),ABS({computed}-{value})>0.000001,TRUE),{computed}<>{value}))"
    );
    let rule = ConditionalFormatFormula::new().set_rule(rule.as_str()).set_format(style::differs());
    worksheet.add_conditional_format(first, column, last, column, &rule)?;
    Ok(())
}

/// A text that is a number, as one.
fn as_number(value: &Value) -> Value {
    match value {
        Value::Text(text) => text.parse::<f64>().ok().filter(|n| n.is_finite()).map_or_else(|| value.clone(), Value::Number),
        other => other.clone(),
    }
}

fn write(worksheet: &mut Worksheet, row: u32, column: u16, value: &Value, format: &Format) -> std::result::Result<(), Wrong> {
    match value {
        Value::Empty => worksheet.write_blank(row, column, format)?,
        Value::Number(n) => worksheet.write_number_with_format(row, column, *n, format)?,
        Value::Date(days) => worksheet.write_number_with_format(row, column, f64::from(*days) + EXCEL_EPOCH, format)?,
        Value::Text(text) => worksheet.write_string_with_format(row, column, text, format)?,
    };
    Ok(())
}

/// Widths, what stays in view, the filter, and what is printed.
fn view(worksheet: &mut Worksheet, sheet: &PlacedSheet, own: &PlacedTable) -> std::result::Result<(), Wrong> {
    for (i, column) in own.columns.iter().enumerate() {
        worksheet.set_column_width(i as u16, column.column.width.unwrap_or(WIDTH))?;
    }
    for (i, at, _) in &own.values {
        worksheet.set_column_width(*at, own.columns[*i].column.width.unwrap_or(WIDTH) + ASIDE)?;
    }
    let last = own.columns.len().saturating_sub(1) as u16;
    if let (Some(header), Some(&first)) = (own.header, own.rows.first()) {
        worksheet.set_repeat_rows(header, header)?;
        if header <= FROZEN_ROWS {
            worksheet.set_freeze_panes(header + 1, sheet.sheet.frozen)?;
        } else if sheet.sheet.frozen > 0 {
            worksheet.set_freeze_panes(0, sheet.sheet.frozen)?;
        }
        if own.table.filter {
            worksheet.autofilter(header, 0, own.end(), last)?;
        }
        // Ids of digits are texts, on purpose.
        worksheet.ignore_error_range(first, 0, own.end(), last, IgnoreError::NumberStoredAsText)?;
    }
    worksheet.set_print_area(0, 0, own.end(), last)?;
    Ok(())
}

fn print_setup(worksheet: &mut Worksheet, document: &str, sheet: &Sheet) -> std::result::Result<(), Wrong> {
    let document = document.replace('&', "&&");
    worksheet.set_landscape().set_paper_size(PAPER).set_print_fit_to_pages(sheet.pages, 0).set_margins(0.4, 0.4, 0.7, 0.6, 0.3, 0.3);
    worksheet.set_header(format!("&L{document}&RRestricted: unsuppressed figures")).set_footer("&L&A&RPage &P of &N");
    if sheet.pages > 1 && sheet.frozen > 0 {
        worksheet.set_repeat_columns(0, sheet.frozen - 1)?;
    }
    Ok(())
}
