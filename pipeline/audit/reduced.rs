//! A part without one of the three layers. Denominator = numerator + rest, so one of them, and its lines, follow from the other two. Moves
//! are shorter there, while bounds are tightened better with all three.
//!
//! Without rests a move changes who meets the indicator, or where a student is who does not. Without denominators it changes where a
//! student is, whether he meets it or not: needed where nearly all do.

use super::solve::Part;
use super::system::{Layer, Relation, Rows};
use std::collections::BTreeSet;

/// The rows without a layer, and what each of its counts is.
pub(super) struct Reduced {
    pub rows: Rows,
    /// Equations that are left out because they are likely to follow from the others.
    pub implied: Rows,
    /// For each variable that is left out: constant and terms.
    definition: Vec<Option<Definition>>,
    /// For each variable the ones left out that it is a term of.
    defines: Vec<Vec<(u32, i8)>>,
}

/// A count as constant plus terms.
struct Definition {
    constant: i64,
    terms: Vec<(u32, i8)>,
}

impl Reduced {
    /// Leaves out rests or denominators.
    pub fn without(layer: Layer, part: &Part) -> Reduced {
        let mut reduced = Reduced {
            rows: Rows::default(),
            implied: Rows::default(),
            definition: (0..part.low.len()).map(|_| None).collect(),
            defines: vec![Vec::new(); part.low.len()],
        };
        let rests: BTreeSet<u32> =
            part.relation.iter().filter_map(|r| if let Relation::Line(l, Layer::Rest) = r { Some(*l) } else { None }).collect();
        let mut used = vec![false; part.rows.count()];
        for (r, used) in used.iter_mut().enumerate() {
            if let Relation::Cell(_) = part.relation[r]
                && let Some(&(out, own)) = part.rows.of(r).iter().find(|e| part.layer[e.0 as usize] == layer)
                && reduced.definition[out as usize].is_none()
            {
                *used = true;
                // own × out + others = sum, with own 1 or −1.
                let terms: Vec<(u32, i8)> = part.rows.of(r).iter().filter(|e| e.0 != out).map(|&(v, a)| (v, -a * own)).collect();
                let constant = part.rows.most[r] * i64::from(own);
                let (low, high) = (part.low[out as usize], part.high[out as usize]);
                reduced.rows.push(&terms, low - constant, high - constant);
                terms.iter().for_each(|&(v, a)| reduced.defines[v as usize].push((out, a)));
                reduced.definition[out as usize] = Some(Definition { constant, terms });
            }
        }
        for r in (0..part.rows.count()).filter(|&r| !used[r]) {
            match part.relation[r] {
                Relation::Line(_, Layer::Rest) if layer == Layer::Rest => {}
                Relation::Line(l, Layer::Denominator) if layer == Layer::Denominator && rests.contains(&l) => {}
                _ if part.implied[r] => reduced.add(part, r, true),
                _ => reduced.add(part, r, false),
            }
        }
        reduced
    }

    /// Adds a row with what is left out replaced.
    fn add(&mut self, part: &Part, row: usize, implied: bool) {
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
        let rows = if implied { &mut self.implied } else { &mut self.rows };
        rows.push(&entries, least, part.rows.most[row] - constant);
    }

    /// Puts what is left out into a point.
    pub fn complete(&self, point: &mut [i64]) {
        for (v, definition) in self.definition.iter().enumerate() {
            if let Some(d) = definition {
                point[v] = d.constant + d.terms.iter().map(|&(u, a)| i64::from(a) * point[u as usize]).sum::<i64>();
            }
        }
    }
}

impl super::moves::Mover<'_> {
    /// A move that changes the variable, with what is left out. A variable that is left out itself is not looked for.
    pub fn find_defined(&mut self, reduced: &Reduced, variable: u32, rounds: std::ops::Range<usize>) -> Option<Vec<(u32, i64)>> {
        if reduced.definition[variable as usize].is_some() {
            return None;
        }
        let mut change = self.find(variable, rounds)?;
        let mut out: Vec<(u32, i64)> = Vec::new();
        for &(v, d) in &change {
            out.extend(reduced.defines[v as usize].iter().map(|&(u, a)| (u, d * i64::from(a))));
        }
        out.sort_unstable();
        let sums = out.chunk_by(|a, b| a.0 == b.0).map(|same| (same[0].0, same.iter().map(|s| s.1).sum::<i64>()));
        change.extend(sums.filter(|s| s.1 != 0));
        Some(change)
    }
}
