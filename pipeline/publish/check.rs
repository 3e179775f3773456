//! The audit of a release: what its files say, read back as anybody would, attacked; and the certificate.

use crate::audit::{self, Attack, Column, Description, Frame, PublicTable, attack_again};
use crate::certificate;
use crate::error::{Error, Result};
use crate::published::{Count, Field, Known, Move, Table};
use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use hashbrown::{HashMap, HashSet};
use std::io::Write;

/// A published table, and what an audit of it found.
pub struct Audited {
    /// What is published.
    pub table: PublicTable,
    /// What can be computed from it.
    pub attack: Attack,
    /// The certificate: a table that agrees with everything published, and second tables as differences to it.
    proof: (Table, Vec<Move>),
}

impl Audited {
    /// Reads a table as anybody could.
    pub fn read(description: &Description, table: &Frame, lines: Option<&Frame>) -> Result<Audited> {
        let table = PublicTable::read(description, table, lines).map_err(|e| Error::Data(e.to_string()))?;
        Ok(Audited { table, attack: Attack::default(), proof: Default::default() })
    }

    /// Attacks everything, knowing only what is published. Who has the certificate of the release leaves out cohorts that only seem to have the
    /// same students, and decides by its second tables what the attack could not; it is verified, not trusted.
    ///
    /// # Errors
    /// The certificate can't be read, or does not agree with what is published.
    pub fn attack(&mut self, certificate: Option<&[u8]>, threads: usize) -> Result<()> {
        let proof = certificate.map(|packed| self.read_certificate(packed)).transpose()?;
        if let Some((truth, _)) = &proof {
            audit::leave_out_seeming(&mut self.table, truth);
        }
        self.attack = attack_again(&self.table.published, threads, None, None);
        if let Some((truth, moves)) = &proof {
            let wrong = |e| Error::Data(format!("the certificate of the release does not hold: {e}"));
            let differs = certificate::proven(&self.table.published, truth, moves).map_err(wrong)?;
            self.attack.undecided.retain(|c| !differs.of(*c));
        }
        Ok(())
    }

    /// Decides on every hidden count with the help of who knows the truth: what a second table proves needs no attack; the rest is attacked.
    ///
    /// # Errors
    /// The tables do not agree with what is published: a mistake of the program.
    pub fn prove(&mut self, truth: &Table, moves: &[Move], threads: usize) -> Result<()> {
        let wrong = |e| Error::bug(format!("the certificate of the release does not hold: {e}"));
        audit::leave_out_seeming(&mut self.table, truth);
        let published = &self.table.published;
        let mut differs = certificate::proven(published, truth, moves).map_err(wrong)?;
        let mut moves = moves.to_vec();
        let left: Vec<u32> = certificate::hidden(published).filter(|c| !differs.of(*c)).map(|c| c.cell).collect();
        let mut attack = Attack::default();
        if !left.is_empty() {
            attack = attack_again(published, threads, Some(&left), Some(truth));
            attack.findings.retain(|f| !differs.of(f.count));
            // The attacker starts from the true table, so his second tables are differences to it.
            moves.append(&mut attack.moves);
            differs = certificate::proven(published, truth, &moves).map_err(wrong)?;
        }
        let found: HashSet<Count> = attack.findings.iter().map(|f| f.count).collect();
        attack.undecided = certificate::hidden(published).filter(|c| !differs.of(*c) && !found.contains(c)).collect();
        (self.attack, self.proof) = (attack, (truth.clone(), moves));
        Ok(())
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

    /// The certificate, compressed: a line for each cell with a hidden count (its key and its two true counts), then one for each second table
    /// (what differs from the true one).
    pub fn certificate(&self) -> Result<Vec<u8>> {
        let wrong = |e: std::io::Error| Error::internal("the certificate", e);
        let mut out = zstd::Encoder::new(Vec::new(), 3).map_err(wrong)?;
        let (truth, moves) = &self.proof;
        for (i, cell) in self.table.published.cells.iter().enumerate() {
            if !matches!((cell.denominator, cell.numerator), (Known::Exactly(_), Known::Exactly(_))) {
                let (d, n) = (truth.denominator[i], truth.numerator[i]);
                let line = serde_json::json!({"cell": i, "key": self.table.label(i as u32), "denominator": d, "numerator": n});
                writeln!(out, "{line}").map_err(wrong)?;
            }
        }
        for second in moves {
            let change = |(count, by): &(Count, i64)| serde_json::json!([count.cell, field(count), by]);
            writeln!(out, "{}", serde_json::json!({"differs": second.change.iter().map(change).collect::<Vec<_>>()})).map_err(wrong)?;
        }
        out.finish().map_err(wrong)
    }

    /// The true table of a certificate, as far as it is hidden, over what is shown, and the second tables.
    fn read_certificate(&self, packed: &[u8]) -> Result<(Table, Vec<Move>)> {
        let wrong = |e: &dyn std::fmt::Display| Error::Data(format!("the certificate of the release can't be read: {e}"));
        let text = zstd::decode_all(packed).map_err(|e| wrong(&e))?;
        let shown = |known: Known| if let Known::Exactly(value) = known { value } else { 0 };
        let cells = &self.table.published.cells;
        let mut table = Table {
            denominator: cells.iter().map(|c| shown(c.denominator)).collect(),
            numerator: cells.iter().map(|c| shown(c.numerator)).collect(),
        };
        let mut moves = Vec::new();
        for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let line: serde_json::Value = serde_json::from_slice(line).map_err(|e| wrong(&e))?;
            let number = |v: &serde_json::Value| v.as_i64().ok_or_else(|| wrong(&"a number is missing"));
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
