//! Short moves from one whole-number point to another: change one count by 1, then mend the rows that this breaks, one after the other.

use super::domain::columns;
use super::search::total;
use super::system::{ENDLESS, Rows};

/// Depth and number of trials of each round.
const ROUNDS: [(usize, u32); 4] = [(4, 60), (8, 400), (14, 1500), (30, 4000)];

/// Looks for moves from a point.
pub(super) struct Mover<'a> {
    pub(super) rows: &'a Rows,
    low: &'a [i64],
    high: &'a [i64],
    base: Vec<i64>,
    start: Vec<u32>,
    column: Vec<(u32, i8)>,
    /// What the rows sum to at the base.
    sum: Vec<i64>,
    /// How much more the row can grow and how much it can shrink.
    growth: Vec<(i64, i64)>,
    /// The move so far.
    change: Vec<i64>,
    path: Vec<u32>,
    shift: Vec<i64>,
    broken: Vec<u32>,
    trials: u32,
}

impl<'a> Mover<'a> {
    /// The point `base` must lie in the intervals; where it does not agree with the rows, moves leave them as they are or bring them
    /// nearer.
    pub fn new(rows: &'a Rows, low: &'a [i64], high: &'a [i64], base: Vec<i64>) -> Mover<'a> {
        let (start, column) = columns(rows, low.len());
        let growth = (0..rows.count()).map(|r| growth(rows, r, total(rows, r, &base))).collect();
        let sum = (0..rows.count()).map(|r| total(rows, r, &base)).collect();
        let (change, shift) = (vec![0; low.len()], vec![0; rows.count()]);
        Mover { rows, low, high, base, start, column, sum, growth, change, path: Vec::new(), shift, broken: Vec::new(), trials: 0 }
    }

    /// A move that changes the variable: pairs of variable and difference, in no particular order. None: not found (there may be one).
    pub fn find(&mut self, variable: u32, rounds: std::ops::Range<usize>) -> Option<Vec<(u32, i64)>> {
        for (depth, trials) in &ROUNDS[rounds] {
            for step in [1, -1] {
                self.trials = *trials;
                if !self.free(variable, step) {
                    continue;
                }
                self.put(variable, step);
                let found = self.mend(*depth);
                let change = self.path.iter().map(|&v| (v, self.change[v as usize])).collect();
                while let Some(&v) = self.path.last() {
                    self.take(v);
                }
                if found {
                    return Some(change);
                }
            }
        }
        None
    }

    /// Brings the point nearer to the rows, as far as short moves do. Returns it.
    pub fn mended(mut self, rounds: std::ops::Range<usize>) -> Vec<i64> {
        let mut wrong: Vec<u32> = (0..self.rows.count() as u32).collect();
        for &(depth, trials) in &ROUNDS[rounds] {
            let mut progress = true;
            while progress {
                wrong.retain(|&r| self.wrong(r) != 0);
                progress = false;
                for &row in &wrong {
                    while self.wrong(row) != 0 && self.nearer(row, depth, trials) {
                        progress = true;
                    }
                }
            }
            wrong.retain(|&r| self.wrong(r) != 0);
            self.along_paths(&mut wrong);
            if wrong.is_empty() {
                break;
            }
        }
        self.base
    }

    /// How much the sum of the row must change for the point to agree.
    pub(super) fn wrong(&self, row: u32) -> i64 {
        let r = row as usize;
        let sum = self.sum[r];
        if sum > self.rows.most[r] { self.rows.most[r] - sum } else { (self.rows.least[r] - sum).max(0) }
    }

    /// Moves so that the row comes nearer, by all that is wrong or by 1.
    fn nearer(&mut self, row: u32, depth: usize, trials: u32) -> bool {
        let wrong = self.wrong(row);
        let sizes = [wrong, wrong.signum()];
        for size in &sizes[..if wrong.abs() > 1 { 2 } else { 1 }] {
            self.trials = trials;
            self.shift[row as usize] -= size;
            self.broken.push(row);
            let found = self.mend(depth);
            let change: Vec<(u32, i64)> = self.path.iter().map(|&v| (v, self.change[v as usize])).collect();
            while let Some(&v) = self.path.last() {
                self.take(v);
            }
            self.shift[row as usize] += size;
            self.broken.clear();
            if found {
                self.step(&change);
                return true;
            }
        }
        false
    }

    /// Goes to another point.
    pub(super) fn step(&mut self, change: &[(u32, i64)]) {
        for &(v, d) in change {
            self.base[v as usize] += d;
            for i in self.rows_of(v) {
                let (row, a) = self.column[i];
                let r = row as usize;
                self.sum[r] += d * i64::from(a);
                self.growth[r] = growth(self.rows, r, self.sum[r]);
            }
        }
    }

    pub(super) fn free(&self, variable: u32, step: i64) -> bool {
        let v = variable as usize;
        self.change[v] == 0 && self.base[v] + step >= self.low[v] && self.base[v] + step <= self.high[v]
    }

    /// The rows of a variable.
    pub(super) fn column_of(&self, variable: u32) -> &[(u32, i8)] {
        &self.column[self.rows_of(variable)]
    }

    /// How much the row must change after a shift, beyond what it may be wrong already.
    pub(super) fn lack_after(&self, row: u32, shift: i64) -> i64 {
        self.lack(row, shift)
    }

    /// Whether all changes together stay in the intervals, and leave every row but one as near as it was.
    pub(super) fn fits(&self, change: &[(u32, i64)], but: u32) -> bool {
        let mut shift: Vec<(u32, i64)> = Vec::new();
        for &(v, d) in change {
            if !self.free(v, d) {
                return false;
            }
            shift.extend(self.column_of(v).iter().map(|&(r, a)| (r, d * i64::from(a))));
        }
        shift.sort_unstable();
        let mut sums: Vec<(u32, i64)> = Vec::new();
        for (row, d) in shift {
            match sums.last_mut() {
                Some(last) if last.0 == row => last.1 += d,
                _ => sums.push((row, d)),
            }
        }
        let mended = sums.iter().any(|&(r, d)| r == but && d == self.wrong(but).signum());
        mended && sums.iter().all(|&(r, d)| self.lack(r, d) == 0)
    }

    fn rows_of(&self, variable: u32) -> std::ops::Range<usize> {
        self.start[variable as usize] as usize..self.start[variable as usize + 1] as usize
    }

    fn put(&mut self, variable: u32, step: i64) {
        self.change[variable as usize] = step;
        self.path.push(variable);
        self.shift_rows(variable, step);
    }

    fn take(&mut self, variable: u32) {
        let step = std::mem::take(&mut self.change[variable as usize]);
        self.path.pop();
        self.shift_rows(variable, -step);
    }

    fn shift_rows(&mut self, variable: u32, step: i64) {
        for i in self.rows_of(variable) {
            let (row, a) = self.column[i];
            let was = self.lack(row, 0) != 0;
            self.shift[row as usize] += step * i64::from(a);
            let is = self.lack(row, 0) != 0;
            if is && !was {
                self.broken.push(row);
            } else if was && !is {
                self.broken.retain(|&r| r != row);
            }
        }
    }

    /// How much the row must change after a further shift.
    fn lack(&self, row: u32, further: i64) -> i64 {
        let shift = self.shift[row as usize] + further;
        let (grow, shrink) = self.growth[row as usize];
        if shift > grow { grow - shift } else { (-shrink - shift).max(0) }
    }

    /// Mends all broken rows with at most so many further variables.
    fn mend(&mut self, depth: usize) -> bool {
        if self.broken.is_empty() {
            return true;
        }
        if depth == 0 || self.trials == 0 || self.broken.len() > 3 * depth {
            return false;
        }
        self.trials -= 1;
        let Some(ways) = self.ways() else { return false };
        for (_, variable, step) in ways {
            self.put(variable, step);
            if self.mend(depth - 1) {
                return true;
            }
            self.take(variable);
            if self.trials == 0 {
                return false;
            }
        }
        false
    }

    /// The ways to mend the broken row that has the fewest: first those that break the least.
    fn ways(&self) -> Option<Vec<(i64, u32, i64)>> {
        let count = |row: u32| {
            let lack = self.lack(row, 0);
            self.rows.of(row as usize).iter().filter(|&&(v, a)| self.free(v, lack / i64::from(a))).count()
        };
        let row = match self.broken[..] {
            [row] => row,
            _ => self.broken.iter().map(|&r| (count(r), r)).min_by_key(|x| x.0)?.1,
        };
        let lack = self.lack(row, 0);
        let mut ways = Vec::new();
        for &(v, a) in self.rows.of(row as usize) {
            let step = lack / i64::from(a);
            if step != 0 && self.free(v, step) {
                let harm = |&(r, b): &(u32, i8)| {
                    let after = self.lack(r, step * i64::from(b));
                    i64::from(after != 0) - i64::from(self.lack(r, 0) != 0)
                };
                ways.push((self.column[self.rows_of(v)].iter().map(harm).sum(), v, step));
            }
        }
        ways.sort_unstable();
        Some(ways)
    }
}

/// How much the sum of a row may grow and shrink: a row that the point does not agree with may only come nearer.
fn growth(rows: &Rows, r: usize, sum: i64) -> (i64, i64) {
    let (least, most) = (rows.least[r], rows.most[r]);
    match (sum > most, least == -ENDLESS) {
        (true, true) => (0, ENDLESS),
        (true, false) => (0, sum - most),
        (false, true) => (most - sum, ENDLESS),
        (false, false) if sum < least => (least - sum, 0),
        (false, false) => (most - sum, sum - least),
    }
}
