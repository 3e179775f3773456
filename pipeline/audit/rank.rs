//! Counts that equations alone give away, whatever the bounds: elimination modulo a prime.
//!
//! The protection eliminates modulo 2^61 − 1; this is another prime, so that neither inherits a coincidence of the other. The entries are 1
//! and −1; a wrong answer needs a minor that the prime divides. What it finds is therefore checked by whoever uses it.

use super::system::Rows;
use std::collections::BTreeMap;

/// 2^59 − 55.
const PRIME: u64 = (1 << 59) - 55;

/// A row as sorted pairs of variable and coefficient modulo the prime.
type Line = Vec<(u32, u64)>;

fn times(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

fn inverse(of: u64) -> u64 {
    let (mut power, mut left, mut result) = (of, PRIME - 2, 1);
    while left > 0 {
        if left & 1 == 1 {
            result = times(result, power);
        }
        power = times(power, power);
        left >>= 1;
    }
    result
}

/// `a + factor × b`.
fn plus(a: &Line, factor: u64, b: &Line) -> Line {
    let (mut i, mut j, mut sum) = (0, 0, Vec::with_capacity(a.len() + b.len()));
    while i < a.len() || j < b.len() {
        let (x, y) = (a.get(i).map_or(u32::MAX, |e| e.0), b.get(j).map_or(u32::MAX, |e| e.0));
        let mut value = 0;
        if x <= y {
            value = a[i].1;
            i += 1;
        }
        if y <= x {
            value = (value + times(factor, b[j].1)) % PRIME;
            j += 1;
        }
        if value != 0 {
            sum.push((x.min(y), value));
        }
    }
    sum
}

/// Takes the pivots out of a line from its entry `at` on; none when the work goes beyond the budget.
fn eliminate(line: &mut Line, mut at: usize, pivots: &BTreeMap<u32, Line>, work: &mut u64, budget: u64) -> Option<()> {
    while let Some(&(v, value)) = line.get(at) {
        match pivots.get(&v) {
            Some(pivot) => {
                *line = plus(line, PRIME - value, pivot);
                *work += line.len() as u64;
            }
            None => at += 1,
        }
        if *work > budget {
            return None;
        }
    }
    Some(())
}

/// Variables that have one value in all solutions of the equations among `rows`; none when the elimination would take more than
/// `budget` entries.
pub(super) fn determined(rows: &Rows, which: &[usize], budget: u64) -> Option<Vec<u32>> {
    let mut pivots: BTreeMap<u32, Line> = BTreeMap::new();
    let mut work = 0u64;
    for &r in which.iter().filter(|&&r| rows.equation(r)) {
        let mut line: Line =
            rows.of(r).iter().map(|&(v, a)| (v, if a > 0 { a as u64 } else { PRIME - u64::from(a.unsigned_abs()) })).collect();
        eliminate(&mut line, 0, &pivots, &mut work, budget)?;
        if let Some(&(v, value)) = line.first() {
            let scale = inverse(value);
            line.iter_mut().for_each(|e| e.1 = times(e.1, scale));
            pivots.insert(v, line);
        }
    }
    reduced(pivots, budget.saturating_sub(work))
}

/// The variables whose rows have nothing else, after the rows below were taken out of those above.
fn reduced(pivots: BTreeMap<u32, Line>, budget: u64) -> Option<Vec<u32>> {
    let mut done: BTreeMap<u32, Line> = BTreeMap::new();
    let mut work = 0u64;
    for (v, mut line) in pivots.into_iter().rev() {
        eliminate(&mut line, 1, &done, &mut work, budget)?;
        done.insert(v, line);
    }
    Some(done.into_iter().filter(|(_, line)| line.len() == 1).map(|(v, _)| v).collect())
}
