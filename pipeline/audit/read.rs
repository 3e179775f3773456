//! A table and its description become cells and relations.

use super::describe::{DescribeError, Description};
use super::frame::{Frame, Keys};
use super::shown::{Rate, count, numerators, rate};
use crate::published::{Cell, Known, Published};
use hashbrown::HashMap;

/// A table that was read: each row is the cell with its index.
#[derive(Debug, Clone)]
pub struct PublicTable {
    /// Cells and relations.
    pub published: Published,
    /// What was left out and why, in sentences.
    pub notes: Vec<String>,
    /// Lines and partitions that the shown figures contradict.
    pub lines_dropped: usize,
    pub(super) keys: TableKeys,
    names: [Vec<String>; 3],
}

/// The keys of the rows.
#[derive(Debug, Clone, Default)]
pub(super) struct TableKeys {
    pub cohort: Keys,
    pub entity: Keys,
    pub group: Keys,
    cell: HashMap<(u32, u32, u32), u32>,
}

impl TableKeys {
    fn of(frame: &Frame, description: &Description) -> Result<TableKeys, DescribeError> {
        let columns = &description.columns;
        let names =
            |names: &[String]| -> Result<Keys, DescribeError> { Keys::of(frame, &names.iter().map(String::as_str).collect::<Vec<_>>()) };
        let entity: Vec<String> = columns.level.iter().chain([&columns.entity]).cloned().collect();
        let mut keys =
            TableKeys { cohort: names(&columns.cohort)?, entity: names(&entity)?, group: names(&columns.group)?, ..TableKeys::default() };
        keys.cell.reserve(frame.rows());
        for row in 0..frame.rows() {
            let key = (keys.cohort.of_row[row], keys.entity.of_row[row], keys.group.of_row[row]);
            if let Some(first) = keys.cell.insert(key, row as u32) {
                let before = format!("the same cohort, entity and group as in line {}", frame.lines[first as usize]);
                return Err(frame.wrong(row, &columns.entity, "one row for each cohort, entity and group", &before));
            }
        }
        Ok(keys)
    }

    pub fn cell(&self, cohort: u32, entity: u32, group: u32) -> Option<u32> {
        self.cell.get(&(cohort, entity, group)).copied()
    }
}

impl PublicTable {
    /// Reads a table; `lines` is the table of lines that the description speaks of.
    ///
    /// # Errors
    /// A column that is not there, a text that is neither a number nor hidden nor a band, a row that is there twice, a rate that no
    /// numerator has or another than the shown one, a numerator above its denominator, a table of lines that is missing.
    pub fn read(description: &Description, frame: &Frame, lines: Option<&Frame>) -> Result<PublicTable, DescribeError> {
        let keys = TableKeys::of(frame, description)?;
        let published = Published { hidden_minimum: description.shown.hidden_minimum, ..Published::default() };
        let columns = &description.columns;
        let entity: Vec<String> = columns.level.iter().chain([&columns.entity]).cloned().collect();
        let names = [columns.cohort.clone(), entity, columns.group.clone()];
        let mut table = PublicTable { published, notes: Vec::new(), lines_dropped: 0, keys, names };
        table.cells(description, frame)?;
        super::relate::relate(&mut table, description, frame, lines)?;
        Ok(table)
    }

    /// The row of a cell in words: the texts of its key.
    pub fn label(&self, cell: u32) -> String {
        let keys = [&self.keys.cohort, &self.keys.entity, &self.keys.group];
        let texts = keys.iter().zip(&self.names).flat_map(|(k, names)| {
            let texts = &k.texts[k.of_row[cell as usize] as usize];
            names.iter().zip(texts).map(|(_, t)| t.as_str())
        });
        texts.filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn cells(&mut self, description: &Description, frame: &Frame) -> Result<(), DescribeError> {
        let (columns, shown) = (&description.columns, &description.shown);
        let counts = |name: &String| -> Result<(Vec<Option<Known>>, &Vec<u32>), DescribeError> {
            let column = frame.column(name)?;
            Ok((column.texts.iter().map(|t| count(t, shown)).collect(), &column.codes))
        };
        let denominators = counts(&columns.denominator)?;
        let numerators_shown = columns.numerator.as_ref().map(counts).transpose()?;
        let rates = match &columns.rate {
            Some(name) => {
                let column = frame.column(name)?;
                Some((column.texts.iter().map(|t| rate(t, shown)).collect::<Vec<_>>(), &column.codes))
            }
            None => None,
        };
        let mut unused = 0;
        for row in 0..frame.rows() {
            let of = |name: &String, (values, codes): &(Vec<Option<Known>>, &Vec<u32>)| {
                let text = || frame.column(name).map_or("", |c| c.text(row)).to_string();
                values[codes[row] as usize]
                    .ok_or_else(|| frame.wrong(row, name, "a whole number or a text that means hidden", &format!("{:?}", text())))
            };
            let denominator = of(&columns.denominator, &denominators)?;
            let numerator = match (&columns.numerator, &numerators_shown) {
                (Some(name), Some(values)) => of(name, values)?,
                // A table of counts only: there is nothing to hide.
                _ if rates.is_none() => Known::Exactly(0),
                _ => Known::Hidden,
            };
            let mut cell = Cell { denominator, numerator };
            if let (Some(name), Some((values, codes))) = (&columns.rate, &rates) {
                let text = || frame.column(name).map_or("", |c| c.text(row)).to_string();
                let Some(rate) = values[codes[row] as usize] else {
                    return Err(frame.wrong(
                        row,
                        name,
                        "a rate, a band such as `> 95`, or a text that means hidden",
                        &format!("{:?}", text()),
                    ));
                };
                match (denominator, numerator, numerators_of(rate, denominator, description)) {
                    (_, Known::Hidden, Some((low, high))) if low > high => {
                        return Err(frame.wrong(row, name, "a rate that a numerator has with this denominator", &format!("{:?}", text())));
                    }
                    (_, Known::Hidden, Some((low, high))) => cell.numerator = Known::Between(low, high),
                    (_, Known::Exactly(n), Some((low, high))) if n < low || n > high => {
                        let found = format!("{:?} beside {n}", text());
                        return Err(frame.wrong(row, name, "the rate of the shown numerator and denominator", &found));
                    }
                    (Known::Exactly(_), _, _) | (_, _, None) if rate == Rate::Hidden || matches!(denominator, Known::Exactly(_)) => {}
                    _ => unused += 1,
                }
            }
            if let (Known::Exactly(d), Known::Exactly(n)) = (cell.denominator, cell.numerator)
                && n > d
            {
                return Err(frame.wrong(row, &columns.denominator, "at least the numerator", &format!("{d} for {n}")));
            }
            self.published.cells.push(cell);
        }
        if unused > 0 {
            self.notes.push(format!("{unused} rates are shown beside a hidden denominator: they say more than this audit uses"));
        }
        Ok(())
    }
}

fn numerators_of(rate: Rate, denominator: Known, description: &Description) -> Option<(i64, i64)> {
    match denominator {
        Known::Exactly(d) => numerators(rate, d, &description.shown),
        _ => None,
    }
}
