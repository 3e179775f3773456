//! A part without those who do not meet the indicator: their number is denominator − numerator, their lines follow from the other lines. Moves are shorter
//! there, while bounds are tightened better with them.

use super::solve::Part;
use super::system::{Layer, Relation, Rows};

/// The rows without the rests, and what each rest is.
pub(super) struct Reduced {
    pub rows: Rows,
    /// For each variable that is a rest: constant and terms.
    definition: Vec<Option<Definition>>,
}

/// A rest as constant plus terms.
struct Definition {
    constant: i64,
    terms: Vec<(u32, i8)>,
}

impl Reduced {
    pub fn of(part: &Part) -> Reduced {
        let mut reduced = Reduced { rows: Rows::default(), definition: (0..part.low.len()).map(|_| None).collect() };
        for r in 0..part.rows.count() {
            if let Relation::Cell(_) = part.relation[r]
                && let Some(&(rest, own)) = part.rows.of(r).iter().find(|e| part.rest[e.0 as usize])
            {
                // own × rest + others = sum, with own 1 or −1.
                let terms: Vec<(u32, i8)> = part.rows.of(r).iter().filter(|e| e.0 != rest).map(|&(v, a)| (v, -a * own)).collect();
                let constant = part.rows.most[r] * i64::from(own);
                let (low, high) = (part.low[rest as usize], part.high[rest as usize]);
                reduced.rows.push(&terms, low - constant, high - constant);
                reduced.definition[rest as usize] = Some(Definition { constant, terms });
            }
        }
        for r in 0..part.rows.count() {
            match part.relation[r] {
                Relation::Line(_, Layer::Rest) => {}
                Relation::Cell(_) if part.rows.of(r).iter().any(|e| part.rest[e.0 as usize]) => {}
                _ => reduced.add(part, r),
            }
        }
        reduced
    }

    /// Adds a row with rests replaced.
    fn add(&mut self, part: &Part, row: usize) {
        let mut constant = 0;
        let mut entries: Vec<(u32, i8)> = Vec::new();
        for &(v, a) in part.rows.of(row) {
            match &self.definition[v as usize] {
                Some(definition) => {
                    constant += definition.constant * i64::from(a);
                    entries.extend(definition.terms.iter().map(|&(u, b)| (u, a * b)));
                }
                None => entries.push((v, a)),
            }
        }
        entries.sort_unstable();
        super::system::merge(&mut entries);
        let least = part.rows.least[row];
        let least = if least == -super::system::ENDLESS { least } else { least - constant };
        self.rows.push(&entries, least, part.rows.most[row] - constant);
    }

    /// Puts the rests that go with them into a point.
    pub fn complete(&self, point: &mut [i64]) {
        for (v, definition) in self.definition.iter().enumerate() {
            if let Some(d) = definition {
                point[v] = d.constant + d.terms.iter().map(|&(u, a)| i64::from(a) * point[u as usize]).sum::<i64>();
            }
        }
    }
}
