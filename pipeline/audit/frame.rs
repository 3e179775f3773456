//! A table as columns of texts, each text stored once: what a description is read against, whatever file it came from.

use super::describe::DescribeError;
use hashbrown::HashMap;
use std::path::Path;

/// A column: distinct texts, and for each row which of them.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Distinct texts; a null is the empty text.
    pub texts: Vec<String>,
    /// For each row the index of its text.
    pub codes: Vec<u32>,
}

impl Column {
    /// The text of a row.
    pub fn text(&self, row: usize) -> &str {
        &self.texts[self.codes[row] as usize]
    }
}

/// A table in columns.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// What it was read from, for messages.
    pub file: String,
    /// Names of the columns.
    pub names: Vec<String>,
    /// Columns of the same length.
    pub columns: Vec<Column>,
    /// For each row its line in the file (in Parquet the number of the row, from 1).
    pub lines: Vec<u32>,
}

impl Frame {
    /// Reads CSV (RFC 4180, UTF-8) with a line of names.
    ///
    /// # Errors
    /// A file that cannot be read, a row with more or fewer values than names, text that is not UTF-8, the same name twice.
    pub fn csv(path: &Path) -> Result<Frame, DescribeError> {
        let file = path.display().to_string();
        let opened =
            std::fs::File::open(path).map_err(|e| DescribeError::at(&file, None, None, "a file that can be read", &e.to_string()))?;
        Frame::csv_from(&file, std::io::BufReader::with_capacity(1 << 20, opened))
    }

    /// The same from anything that can be read; `file` is its name in messages.
    ///
    /// # Errors
    /// As [`Frame::csv`].
    pub fn csv_from(file: &str, reader: impl std::io::Read) -> Result<Frame, DescribeError> {
        let wrong = |line: Option<u64>, e: &csv::Error| {
            DescribeError::at(file, line, None, "a CSV row as long as the line of names", &e.to_string())
        };
        let mut reader = csv::ReaderBuilder::new().from_reader(reader);
        let names: Vec<String> =
            reader.headers().map_err(|e| wrong(Some(1), &e))?.iter().map(|n| n.trim_start_matches('\u{feff}').to_string()).collect();
        if let Some(twice) = names.iter().enumerate().find(|(i, n)| names[..*i].contains(n)) {
            return Err(DescribeError::at(file, Some(1), Some(twice.1), "each column once", "the same name twice"));
        }
        let mut frame = Frame { file: file.to_string(), columns: vec![Column::default(); names.len()], names, lines: Vec::new() };
        let mut known: Vec<HashMap<String, u32>> = vec![HashMap::new(); frame.names.len()];
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(false) => return Ok(frame),
                Ok(true) => {}
                Err(e) => return Err(wrong(e.position().map(csv::Position::line), &e)),
            }
            frame.lines.push(record.position().map_or(0, |p| p.line() as u32));
            for (c, text) in record.iter().enumerate() {
                let column = &mut frame.columns[c];
                let code = match known[c].get(text) {
                    Some(&code) => code,
                    None => {
                        let code = column.texts.len() as u32;
                        column.texts.push(text.to_string());
                        known[c].insert(text.to_string(), code);
                        code
                    }
                };
                column.codes.push(code);
            }
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// A column by name.
    ///
    /// # Errors
    /// There is no such column.
    pub fn column(&self, name: &str) -> Result<&Column, DescribeError> {
        match self.names.iter().position(|n| n == name) {
            Some(c) => Ok(&self.columns[c]),
            None => {
                Err(DescribeError::at(&self.file, Some(1), Some(name), "this column", &format!("the columns {}", self.names.join(", "))))
            }
        }
    }

    /// An error in a row.
    pub(super) fn wrong(&self, row: usize, column: &str, expected: &str, got: &str) -> DescribeError {
        DescribeError::at(&self.file, self.lines.get(row).map(|&l| u64::from(l)), Some(column), expected, got)
    }
}

/// Combinations of columns as numbers from 0, in the order of their first rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    /// Number of the combination for each row.
    pub of_row: Vec<u32>,
    /// The texts of each combination.
    pub texts: Vec<Vec<String>>,
    numbers: HashMap<Vec<String>, u32>,
}

impl Keys {
    pub fn of(frame: &Frame, columns: &[&str]) -> Result<Keys, DescribeError> {
        let columns: Vec<&Column> = columns.iter().map(|c| frame.column(c)).collect::<Result<_, _>>()?;
        let mut by_codes: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut keys = Keys { of_row: Vec::with_capacity(frame.rows()), ..Keys::default() };
        let mut codes = Vec::new();
        for row in 0..frame.rows() {
            codes.clear();
            codes.extend(columns.iter().map(|c| c.codes[row]));
            let next = keys.texts.len() as u32;
            let number = *by_codes.entry_ref(&codes[..]).or_insert(next);
            if number == next {
                keys.texts.push(columns.iter().map(|c| c.text(row).to_string()).collect());
            }
            keys.of_row.push(number);
        }
        keys.numbers = keys.texts.iter().enumerate().map(|(i, t)| (t.clone(), i as u32)).collect();
        Ok(keys)
    }

    /// The number of a combination.
    pub fn number(&self, texts: &[String]) -> Option<u32> {
        self.numbers.get(texts).copied()
    }
}
