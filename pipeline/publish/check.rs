//! The audit of a release: what its files say, read back as anybody would, attacked; and the certificate.

use crate::audit::{Attack, Column, Description, Frame, PublicTable, attack};
use crate::certificate;
use crate::error::{Error, Result};
use crate::published::{Count, Field, Published};
use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use hashbrown::HashMap;
use std::io::Write;

/// What an audit of a table found.
pub struct Audited {
    /// What is published.
    pub table: PublicTable,
    /// What can be computed from it.
    pub attack: Attack,
}

impl Audited {
    /// Attacks a table.
    pub fn new(description: &Description, table: &Frame, lines: Option<&Frame>, threads: usize) -> Result<Audited> {
        let table = PublicTable::read(description, table, lines).map_err(|e| Error::Data(e.to_string()))?;
        let attack = attack(&table.published, threads);
        Ok(Audited { table, attack })
    }

    /// Counts that can be computed, or of which it could not be told; the cell is the row.
    pub fn found(&self) -> Vec<Count> {
        self.attack.findings.iter().map(|f| f.count).chain(self.attack.undecided.iter().copied()).collect()
    }

    /// Counts that are not shown.
    pub fn hidden(&self) -> usize {
        let is_hidden = |k: crate::published::Known| !matches!(k, crate::published::Known::Exactly(_));
        self.table.published.cells.iter().map(|c| usize::from(is_hidden(c.denominator)) + usize::from(is_hidden(c.numerator))).sum()
    }

    /// What was found, for people; restricted, since it tells what is hidden. At most so many findings.
    pub fn told(&self, most: usize) -> String {
        let label = |cell: u32| self.table.label(cell);
        let mut text = String::new();
        for finding in self.attack.findings.iter().take(most) {
            for (i, sentence) in finding.told(&self.table.published, &label).iter().enumerate() {
                text += &format!("{}{sentence}\n", if i == 0 { "" } else { "    " });
            }
        }
        if self.attack.findings.len() > most {
            text += &format!("and {} more\n", self.attack.findings.len() - most);
        }
        for count in self.attack.undecided.iter().take(most) {
            text += &format!("undecided within the budget: {} of {}\n", field(count), label(count.cell));
        }
        if !self.attack.contradictions.is_empty() {
            text += &format!("{} places where the figures contradict each other\n", self.attack.contradictions.len());
        }
        text
    }

    /// The certificate, compressed: a line for each cell with a hidden count (its key and its two counts in the base table), then one for each
    /// second table (what differs from the base). It is verified before it is given out.
    pub fn certificate(&self) -> Result<Vec<u8>> {
        let published: &Published = &self.table.published;
        certificate::verify(published, &self.attack.base, &self.attack.moves)
            .map_err(|e| Error::bug(format!("the certificate of the release does not hold: {e}")))?;
        let wrong = |e: std::io::Error| Error::internal("the certificate", e);
        let mut out = zstd::Encoder::new(Vec::new(), 3).map_err(wrong)?;
        for (i, cell) in published.cells.iter().enumerate() {
            if matches!((cell.denominator, cell.numerator), (crate::published::Known::Exactly(_), crate::published::Known::Exactly(_))) {
                continue;
            }
            let (d, n) = (self.attack.base.denominator[i], self.attack.base.numerator[i]);
            let line = serde_json::json!({"cell": i, "key": self.table.label(i as u32), "denominator": d, "numerator": n});
            writeln!(out, "{line}").map_err(wrong)?;
        }
        for second in &self.attack.moves {
            let change = |(count, by): &(Count, i64)| serde_json::json!([count.cell, field(count), by]);
            writeln!(out, "{}", serde_json::json!({"differs": second.change.iter().map(change).collect::<Vec<_>>()})).map_err(wrong)?;
        }
        out.finish().map_err(wrong)
    }
}

fn field(count: &Count) -> &'static str {
    match count.field {
        Field::Denominator => "denominator",
        Field::Numerator => "numerator",
    }
}

/// Rows as the audit reads them: columns of texts, each text once.
pub fn frame(file: &str, batches: &[RecordBatch]) -> Result<Frame> {
    let Some(first) = batches.first() else { return Err(Error::Data(format!("{file}: no rows"))) };
    let schema = first.schema();
    let mut frame = Frame { file: file.into(), ..Frame::default() };
    frame.lines = (1..=batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u32).collect();
    for (i, field) in schema.fields().iter().enumerate() {
        let mut column = Column::default();
        let mut known: HashMap<String, u32> = HashMap::new();
        for batch in batches {
            let texts: ArrayRef =
                cast(batch.column(i), &DataType::Utf8).map_err(|e| Error::internal(format!("column {}", field.name()), e))?;
            for text in texts.as_string::<i32>() {
                let next = column.texts.len() as u32;
                let text = text.unwrap_or_default();
                let code = *known.entry_ref(text).or_insert_with(|| {
                    column.texts.push(text.to_string());
                    next
                });
                column.codes.push(code);
            }
        }
        frame.names.push(field.name().clone());
        frame.columns.push(column);
    }
    Ok(frame)
}
