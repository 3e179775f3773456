//! A sheet, row by row.

use super::super::super::limit::{CELLS, COLUMNS, RECORD_BYTES, SHEET_ROWS};
use super::super::notes::Fault;
use super::package::Part;
use super::style::{Shape, text};
use super::workbook::{Workbook, rich_text, unescape};
use super::xml::{Item, Xml, attribute};
use crate::error::Result;

/// What is in a cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text; empty for null.
    pub text: String,
    /// What is wrong with it.
    pub fault: Option<Fault>,
}

/// The rows of a sheet.
pub struct Sheet {
    xml: Xml,
    workbook: Workbook,
    line: u64,
    cells: u64,
    ended: bool,
}

/// Up to this whole number, of 15 digits, a spreadsheet keeps every digit.
const MOST_EXACT: f64 = 999_999_999_999_999.0;

/// Where a cell is and how it is to be read, from its attributes.
struct Head {
    column: usize,
    kind: String,
    style: usize,
}

impl Sheet {
    /// Reads the part of a sheet.
    pub fn new(part: Part, workbook: Workbook) -> Sheet {
        Sheet { xml: Xml::new(part), workbook, line: 0, cells: 0, ended: false }
    }

    /// Fills `cells` with the next row that the file has, from the first column on; gives its number, or none at the end.
    pub fn next(&mut self, cells: &mut Vec<Cell>) -> Result<Option<u64>> {
        while !self.ended {
            match self.xml.next()? {
                Item::Start(element) if element.local_name().as_ref() == b"row" => {
                    let line = attribute(&element, b"r").map_or(Some(self.line + 1), |r| r.parse().ok());
                    self.begin(line)?;
                    self.row(cells)?;
                    return Ok(Some(self.line));
                }
                Item::End(name) if name == b"sheetData" => {
                    self.ended = true;
                    self.xml.skip_rest()?;
                }
                Item::Eof => return Err(self.xml.damaged("it ends early")),
                _ => {}
            }
        }
        Ok(None)
    }

    fn begin(&mut self, line: Option<u64>) -> Result<()> {
        match line {
            Some(line) if line > self.line && line <= SHEET_ROWS => self.line = line,
            _ => return Err(self.xml.damaged(&format!("what comes after row {} is no row from there to {SHEET_ROWS}", self.line))),
        }
        Ok(())
    }

    /// Reads the cells of a row that has begun.
    fn row(&mut self, cells: &mut Vec<Cell>) -> Result<()> {
        cells.clear();
        let (mut next, mut bytes) = (0, 0);
        loop {
            let head = match self.xml.next()? {
                Item::Start(element) if element.local_name().as_ref() == b"c" => {
                    let of = |name: &[u8]| attribute(&element, name).unwrap_or_default();
                    let place = of(b"r");
                    let column = if place.is_empty() { Some(next) } else { column(&place) };
                    column.map(|column| Head { column, kind: of(b"t"), style: of(b"s").parse().unwrap_or(0) })
                }
                Item::End(name) if name == b"row" => return Ok(()),
                Item::Eof => return Err(self.xml.damaged("it ends early")),
                _ => continue,
            };
            let line = self.line;
            let Some(head) = head.filter(|h| h.column < COLUMNS) else {
                return Err(self.xml.damaged(&format!("row {line} has a cell beyond the {COLUMNS} columns that a sheet can have")));
            };
            next = head.column + 1;
            self.cells += 1;
            if self.cells > CELLS {
                return Err(self.xml.too_large(&format!("the sheet has more than {CELLS} cells")));
            }
            let cell = self.cell(&head)?;
            bytes += cell.text.len();
            if bytes > RECORD_BYTES {
                return Err(self.xml.too_large(&format!("row {line} has more than {RECORD_BYTES} bytes")));
            }
            if cells.len() <= head.column {
                cells.resize(head.column + 1, Cell::default());
            }
            cells[head.column] = cell;
        }
    }

    /// Reads a cell that has begun.
    fn cell(&mut self, head: &Head) -> Result<Cell> {
        let (mut value, mut computed, mut formula, mut inside) = (String::new(), false, false, false);
        loop {
            match self.xml.next()? {
                Item::Start(element) => match element.local_name().as_ref() {
                    b"v" => (inside, computed) = (true, true),
                    b"f" => formula = true,
                    b"is" => {
                        value = rich_text(&mut self.xml, b"is")?;
                        computed = true;
                    }
                    _ => {}
                },
                Item::Text(text) if inside => value.push_str(&text),
                Item::End(name) if name == b"v" => inside = false,
                Item::End(name) if name == b"c" => break,
                Item::Eof => return Err(self.xml.damaged("it ends early")),
                _ => {}
            }
            if value.len() > RECORD_BYTES {
                return Err(self.xml.too_large("a cell has very much text"));
            }
        }
        // Programs that do not compute leave the value out, or empty; an empty text that was computed says that it is text.
        if formula && (!computed || (value.is_empty() && head.kind != "str")) {
            return Ok(Cell { text: String::new(), fault: Some(Fault::NotComputed) });
        }
        self.value(head, value)
    }

    fn value(&self, head: &Head, value: String) -> Result<Cell> {
        let Workbook { strings, shapes, since_1904, .. } = &self.workbook;
        let text = match head.kind.as_str() {
            _ if value.is_empty() => value,
            "s" => {
                let text = value.trim().parse().ok().and_then(|number| strings.get(number));
                text.ok_or_else(|| self.xml.damaged("a cell refers to a text that is not there"))?.to_string()
            }
            "b" => if value.trim() == "0" { "false" } else { "true" }.to_string(),
            "e" => return Ok(Cell { text: value, fault: Some(Fault::ErrorCell) }),
            "d" => value.trim().trim_end_matches('Z').trim_end_matches(".000").trim_end_matches("T00:00:00").to_string(),
            "" | "n" if value.trim().parse().is_ok_and(|number: f64| number.abs() > MOST_EXACT) => {
                return Ok(Cell { text: value, fault: Some(Fault::LostDigits) });
            }
            "" | "n" => text(value.trim(), shapes.get(head.style).unwrap_or(&Shape::Number), *since_1904),
            _ => unescape(value),
        };
        let fault = text.contains('\0').then_some(Fault::ZeroByte);
        Ok(Cell { text, fault })
    }
}

/// The column of a cell such as `AB12`, from 0 on.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.take(4).fold(0, |n, b| n * 26 + usize::from(b.to_ascii_uppercase() - b'A') + 1);
    number.checked_sub(1)
}
