//! How cells look.

use super::description::{Column, Complete};
use super::grid::{Cell, Value};
use crate::error::{Error, Result};
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};
use std::collections::HashMap;

/// Cells that a person completes.
const COMPLETE: Color = Color::RGB(0xFFF2CC);
/// Cells whose formula computes them.
const COMPUTED: Color = Color::RGB(0xE7E6E6);
/// Headings of columns.
const HEADING: Color = Color::RGB(0xD9E2F3);
/// Lines that begin a part of a table.
const PART: Color = Color::RGB(0xF2F2F2);
/// Thin lines between cells, and what stands aside.
const LINE: Color = Color::RGB(0xBFBFBF);
const ASIDE: Color = Color::RGB(0x7F7F7F);

/// What a cell is, which decides its look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A value of a table.
    Plain,
    /// What a formula computes.
    Computed,
    /// What a person completes.
    Complete,
    /// The value beside the table that a formula must agree with.
    Aside,
}

/// The kind of a cell of a column.
pub fn kind(column: &Column, cell: &Cell, has_formula: bool) -> Kind {
    match column.complete {
        Some(Complete::All) => Kind::Complete,
        Some(Complete::Empty) if cell.value == Value::Empty => Kind::Complete,
        _ if has_formula => Kind::Computed,
        _ => Kind::Plain,
    }
}

/// Formats of the cells of one column, each made once.
pub struct Styles<'a> {
    column: &'a Column,
    made: HashMap<(Kind, Option<&'a str>, bool), Format>,
}

impl<'a> Styles<'a> {
    /// None made yet.
    pub fn new(column: &'a Column) -> Styles<'a> {
        Styles { column, made: HashMap::new() }
    }

    /// The format of a cell with a value.
    pub fn of(&mut self, kind: Kind, value: &Value) -> Result<&Format> {
        let colour = match value {
            Value::Text(text) if !self.column.colour.is_empty() => self.column.colour.get(text).map(String::as_str),
            _ => None,
        };
        let is_date = matches!(value, Value::Date(_));
        let key = (kind, colour, is_date);
        if !self.made.contains_key(&key) {
            self.made.insert(key, format(self.column, kind, colour, is_date)?);
        }
        self.made.get(&key).ok_or_else(|| Error::bug("a format that was just made"))
    }
}

fn format(column: &Column, kind: Kind, colour: Option<&str>, is_date: bool) -> Result<Format> {
    let mut format = Format::new().set_align(FormatAlign::Top).set_border(FormatBorder::Thin).set_border_color(LINE);
    if let Some(number) = column.format.as_deref().or(is_date.then_some("yyyy-mm-dd")) {
        format = format.set_num_format(number);
    }
    if column.wrap {
        format = format.set_text_wrap();
    }
    if !column.colour.is_empty() {
        format = format.set_align(FormatAlign::Center);
    }
    if column.bold {
        format = format.set_bold();
    }
    format = match kind {
        Kind::Plain => format,
        Kind::Computed => format.set_background_color(COMPUTED),
        Kind::Complete => format.set_background_color(COMPLETE),
        Kind::Aside => format.set_font_color(ASIDE),
    };
    match colour.map(|c| u32::from_str_radix(c, 16)) {
        Some(Ok(colour)) if kind != Kind::Aside => Ok(format.set_background_color(Color::RGB(colour))),
        Some(Err(e)) => Err(Error::internal("a colour of a report", e)),
        _ => Ok(format),
    }
}

/// Heading of a sheet.
pub fn title() -> Format {
    Format::new().set_bold().set_font_size(14)
}

/// Lines below it.
pub fn line() -> Format {
    Format::new().set_font_color(Color::RGB(0x404040))
}

/// Heading of a table.
pub fn table() -> Format {
    Format::new().set_bold()
}

/// Headings of columns.
pub fn heading() -> Format {
    let format = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top).set_background_color(HEADING);
    format.set_border(FormatBorder::Thin).set_border_color(LINE)
}

/// Headings of the columns beside a table.
pub fn heading_aside() -> Format {
    Format::new().set_italic().set_text_wrap().set_align(FormatAlign::Top).set_font_color(ASIDE)
}

/// A line that begins a part of a table.
pub fn part() -> Format {
    Format::new().set_bold().set_background_color(PART).set_border(FormatBorder::Thin).set_border_color(LINE)
}

/// A cell that a person completes, below a table.
pub fn complete() -> Format {
    let format = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_background_color(COMPLETE);
    format.set_border(FormatBorder::Thin).set_border_color(LINE)
}

/// A formula's result that is not the pipeline's value.
pub fn differs() -> Format {
    Format::new().set_bold().set_font_color(Color::RGB(0x9C0006)).set_background_color(Color::RGB(0xFFC7CE))
}
