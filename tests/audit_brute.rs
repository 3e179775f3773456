//! The audit against enumeration: on random small tables it finds exactly the counts with one value in all whole-number tables that
//! agree with what is published.

use crate::audit_world::{World, agrees, hidden, value, world};
use perkins::audit::{Attack, attack, attack_again};
use perkins::published::{Count, Field, Known, Published, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Enumerates tables: unknown counts one after the other, each over all values that its own bounds and the lines with no other unknown
/// allow.
struct Enumeration<'a> {
    published: &'a Published,
    /// Denominators, then numerators; none while unknown.
    counts: Vec<Option<i64>>,
    cap: i64,
    /// The first value seen of each count, and whether another was seen.
    seen: Vec<(Option<i64>, bool)>,
    open: usize,
    steps: u64,
}

impl Enumeration<'_> {
    fn range(&self, at: usize) -> (i64, i64) {
        let cells = self.published.cells.len();
        let cell = &self.published.cells[at % cells];
        let (known, least) = if at < cells { (cell.denominator, self.published.hidden_minimum) } else { (cell.numerator, 0) };
        let (mut low, mut high) = match known {
            Known::Exactly(v) => (v, v),
            Known::Between(low, high) => (low, high),
            Known::Hidden => (least, self.cap),
        };
        match self.counts[if at < cells { at + cells } else { at - cells }] {
            Some(other) if at < cells => low = low.max(other),
            Some(other) => high = high.min(other),
            None => {}
        }
        let offset = if at < cells { 0 } else { cells };
        for line in &self.published.lines {
            let (total, parts) = (line.total as usize + offset, line.parts.iter().map(|&p| p as usize + offset));
            let known: i64 = parts.clone().filter_map(|p| self.counts[p]).sum();
            let unknown = parts.clone().filter(|&p| self.counts[p].is_none()).count();
            let own = parts.clone().filter(|&p| p == at).count();
            match self.counts[total] {
                Some(sum) if own == 1 => (low, high) = (if unknown == 1 { low.max(sum - known) } else { low }, high.min(sum - known)),
                None if total == at => (low, high) = (low.max(known), if unknown == 0 { high.min(known) } else { high }),
                _ => {}
            }
        }
        (low, high)
    }

    fn run(&mut self, order: &[usize]) -> bool {
        self.steps += 1;
        if self.steps > 20_000 {
            return false;
        }
        let Some((&at, rest)) = order.split_first() else {
            self.take();
            return true;
        };
        let (low, high) = self.range(at);
        for v in low..=high {
            self.counts[at] = Some(v);
            if self.open > 0 && !self.run(rest) {
                return false;
            }
        }
        self.counts[at] = None;
        true
    }

    fn take(&mut self) {
        let values: Vec<i64> = self.counts.iter().map(|c| c.unwrap()).collect();
        let (d, n) = values.split_at(values.len() / 2);
        if !agrees(self.published, &Table { denominator: d.to_vec(), numerator: n.to_vec() }) {
            return;
        }
        for (seen, v) in self.seen.iter_mut().zip(values) {
            match seen.0 {
                None => seen.0 = Some(v),
                Some(first) if first != v && !seen.1 => {
                    seen.1 = true;
                    self.open -= 1;
                }
                _ => {}
            }
        }
    }
}

/// The hidden counts with one value; none when there are too many tables.
pub fn pinned(world: &World) -> Option<BTreeMap<Count, i64>> {
    let published = &world.published;
    let cells = published.cells.len();
    let largest = world.truth.denominator.iter().max().copied().unwrap_or(0);
    let hidden = hidden(published);
    let at = |c: &Count| c.cell as usize + if c.field == Field::Denominator { 0 } else { cells };
    let known = |k: Known| if let Known::Exactly(v) = k { Some(v) } else { None };
    let counts = published.cells.iter().map(|c| known(c.denominator)).chain(published.cells.iter().map(|c| known(c.numerator))).collect();
    // Children and groups come after their totals in the list of cells: from the end, sums are forced early.
    let mut order: Vec<usize> = hidden.iter().rev().map(at).collect();
    order.sort_by_key(|&c| c >= cells);
    let mut all = Enumeration { published, counts, cap: largest + 3, seen: vec![(None, false); 2 * cells], open: hidden.len(), steps: 0 };
    let done = all.run(&order);
    let one = |c: &Count| Some((*c, all.seen[at(c)].0?)).filter(|_| !all.seen[at(c)].1);
    done.then(|| hidden.iter().filter_map(one).collect())
}

/// Checks a certificate without the audit: base, every second table, and that every count that must have two values has them.
pub fn certificate(published: &Published, attack: &Attack) -> Result<(), String> {
    if !attack.contradictions.is_empty() || !attack.undecided.is_empty() {
        return Err(format!("{:?} {:?}", attack.contradictions, attack.undecided));
    }
    if !agrees(published, &attack.base) {
        return Err(format!("the base does not agree: {:?}", attack.base));
    }
    let mut moved = BTreeSet::new();
    for step in &attack.moves {
        let mut other = attack.base.clone();
        for &(count, change) in &step.change {
            let column = if count.field == Field::Denominator { &mut other.denominator } else { &mut other.numerator };
            column[count.cell as usize] += change;
            if change == 0 || !step.change.is_sorted_by(|a, b| a.0 < b.0) {
                return Err(format!("not a proper move: {step:?}"));
            }
            moved.insert(count);
        }
        if !agrees(published, &other) {
            return Err(format!("a second table does not agree: {step:?}"));
        }
    }
    let found: BTreeSet<Count> = attack.findings.iter().map(|f| f.count).collect();
    let hidden: BTreeSet<Count> = hidden(published).into_iter().collect();
    let both: BTreeSet<Count> = moved.union(&found).copied().collect();
    if both != hidden || moved.intersection(&found).next().is_some() {
        return Err("not every count is either found or moved".into());
    }
    Ok(())
}

#[test]
fn findings_equal_enumeration() {
    let (mut compared, mut skipped, mut found, mut free) = (0, 0, 0, 0);
    for seed in 0..14_000 {
        let world = world(seed);
        assert!(agrees(&world.published, &world.truth), "seed {seed}: a wrong world");
        let Some(expected) = pinned(&world) else {
            skipped += 1;
            continue;
        };
        let attack = attack(&world.published, 1);
        let got: BTreeMap<Count, i64> = attack.findings.iter().map(|f| (f.count, f.value)).collect();
        assert_eq!(got, expected, "seed {seed}: {:#?}\n{:?}", world.published, world.truth);
        assert_eq!(certificate(&world.published, &attack), Ok(()), "seed {seed}: {:#?}", world.published);
        // From the true table it must come to the same.
        let again = attack_again(&world.published, 1, None, Some(&world.truth));
        assert!(again.findings == attack.findings && certificate(&world.published, &again) == Ok(()), "seed {seed}");
        assert!(expected.iter().all(|(&c, &v)| value(&world.truth, c) == v), "seed {seed}");
        compared += 1;
        found += expected.len();
        free += hidden(&world.published).len() - expected.len();
    }
    eprintln!("{compared} tables compared, {skipped} too large to enumerate; {found} counts found, {free} free");
    assert!(compared >= 10_000 && found > 10_000 && free > 10_000);
}
