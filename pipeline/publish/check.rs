//! The audit of a release: what its files say, read back as anybody would, attacked; and the certificate.

use crate::audit::{Attack, Column, Description, Frame, PublicTable, attack};
use crate::certificate;
use crate::error::{Error, Result};
use crate::published::{Count, Field, Known, Move, Table};
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
        certificate::hidden(&self.table.published).count()
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

    /// Proves, by the tables of whoever knows the truth, that counts have more than one value. What the attack could not decide and these prove is
    /// decided. Gives what nothing proves.
    ///
    /// # Errors
    /// The tables do not agree with what is published: a mistake of the program.
    pub fn prove(&mut self, truth: &Table, moves: &[Move]) -> Result<Vec<Count>> {
        let wrong = |e| Error::bug(format!("the certificate of the release does not hold: {e}"));
        let published = &self.table.published;
        let differs = certificate::proven(published, truth, moves).map_err(wrong)?;
        let found = |c: &Count| self.attack.findings.iter().any(|f| f.count == *c);
        if let Some(count) = self.attack.findings.iter().map(|f| f.count).find(|c| differs.of(*c)) {
            return Err(Error::bug(format!(
                "the audit and the certificate contradict each other about the {} of cell {}",
                field(&count),
                count.cell
            )));
        }
        self.attack.undecided.retain(|c| !differs.of(*c));
        // The attack's own tables hold only where it has a first table of everything near.
        let missing: Vec<Count> = certificate::hidden(published).filter(|c| !differs.of(*c) && !found(c)).collect();
        if missing.is_empty() {
            return Ok(missing);
        }
        let own = certificate::proven(published, &self.attack.base, &self.attack.moves);
        Ok(missing.into_iter().filter(|c| !own.as_ref().is_ok_and(|own| own.of(*c))).collect())
    }

    /// The certificate, compressed: a line for each cell with a hidden count (its key and its two counts in the true table), then one for each
    /// second table (what differs from the true one); then, if some counts have one only in the attack, the same for its tables.
    pub fn certificate(&self, truth: &Table, moves: &[Move]) -> Result<Vec<u8>> {
        let wrong = |e: std::io::Error| Error::internal("the certificate", e);
        let mut out = zstd::Encoder::new(Vec::new(), 3).map_err(wrong)?;
        let mut covered: hashbrown::HashSet<Count> = moves.iter().flat_map(|m| m.change.iter().map(|c| c.0)).collect();
        let mut parts = vec![(truth, moves.to_vec())];
        let more = self.attack.moves.iter().filter(|m| m.change.iter().any(|c| covered.insert(c.0))).cloned().collect::<Vec<_>>();
        if !more.is_empty() {
            parts.push((&self.attack.base, more));
        }
        for (table, (base, moves)) in parts.into_iter().enumerate() {
            for (i, cell) in self.table.published.cells.iter().enumerate() {
                if !matches!((cell.denominator, cell.numerator), (Known::Exactly(_), Known::Exactly(_))) {
                    let (d, n) = (base.denominator[i], base.numerator[i]);
                    let line =
                        serde_json::json!({"table": table, "cell": i, "key": self.table.label(i as u32), "denominator": d, "numerator": n});
                    writeln!(out, "{line}").map_err(wrong)?;
                }
            }
            for second in moves {
                let change = |(count, by): &(Count, i64)| serde_json::json!([count.cell, field(count), by]);
                let line = serde_json::json!({"table": table, "differs": second.change.iter().map(change).collect::<Vec<_>>()});
                writeln!(out, "{line}").map_err(wrong)?;
            }
        }
        out.finish().map_err(wrong)
    }

    /// Reads the first tables of a certificate: the true table, as far as it is hidden, over what is shown, and the differences.
    pub fn read_certificate(&self, packed: &[u8]) -> Result<(Table, Vec<Move>)> {
        let wrong = |e: &dyn std::fmt::Display| Error::Data(format!("the certificate of the release can't be read: {e}"));
        let text = zstd::decode_all(packed).map_err(|e| wrong(&e))?;
        let mut table = self.attack.base.clone();
        let mut moves = Vec::new();
        for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let line: serde_json::Value = serde_json::from_slice(line).map_err(|e| wrong(&e))?;
            let number = |v: &serde_json::Value| v.as_i64().ok_or_else(|| wrong(&"a number is missing"));
            if number(&line["table"])? != 0 {
                break;
            }
            if let Some(changes) = line["differs"].as_array() {
                let change = |c: &serde_json::Value| -> Result<(Count, i64)> {
                    let field = if c[1] == "denominator" { Field::Denominator } else { Field::Numerator };
                    Ok((Count { cell: number(&c[0])? as u32, field }, number(&c[2])?))
                };
                moves.push(Move { change: changes.iter().map(change).collect::<Result<_>>()? });
                continue;
            }
            let cell = number(&line["cell"])? as usize;
            let places = table.denominator.get_mut(cell).zip(table.numerator.get_mut(cell));
            let (d, n) = places.ok_or_else(|| wrong(&"it has a cell that is not there"))?;
            (*d, *n) = (number(&line["denominator"])?, number(&line["numerator"])?);
        }
        Ok((table, moves))
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
