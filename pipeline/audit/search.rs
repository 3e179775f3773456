//! Exact search for a whole-number point: starts from a wished point, and repairs the rows that it breaks by splitting intervals. It ends
//! with a point, with the certainty that there is none, or without an answer when its budget is spent.

use super::domain::{ASSUMED, Contradiction, Domain, End};
use super::system::{ENDLESS, Rows};

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The variables that differ from the wish, and by how much.
    Point(Vec<(u32, i64)>),
    None,
    Spent,
}

/// A split that can still be turned round: a mark, and the other half.
struct Split {
    mark: usize,
    variable: u32,
    end: End,
    value: i64,
}

/// Intervals with a wished point drawn into them.
pub(super) struct Search<'a> {
    pub domain: Domain<'a>,
    wish: Vec<i64>,
    /// Each wish drawn into its interval, and what the rows then sum to.
    point: Vec<i64>,
    sum: Vec<i64>,
    /// Rows that may be broken; every broken row is here.
    suspects: Vec<u32>,
    suspected: Vec<bool>,
    synced: usize,
    /// Which of equally good splits is tried first.
    pub variant: u64,
}

impl<'a> Search<'a> {
    /// The intervals must be fresh; `wish` has a value for each variable, in its interval.
    pub fn new(domain: Domain<'a>, wish: Vec<i64>) -> Search<'a> {
        let rows = domain.rows;
        let point: Vec<i64> = wish.iter().enumerate().map(|(v, &w)| w.clamp(domain.low[v], domain.high[v])).collect();
        let sum: Vec<i64> = (0..rows.count()).map(|r| total(rows, r, &point)).collect();
        let suspects = (0..rows.count() as u32).rev().collect();
        let suspected = vec![true; rows.count()];
        let synced = domain.mark();
        Search { domain, wish, point, sum, suspects, suspected, synced, variant: 0 }
    }

    /// Takes another wish.
    pub fn wish(&mut self, wish: Vec<i64>) {
        self.wish = wish;
        for v in 0..self.wish.len() {
            self.redraw(v);
        }
    }

    fn redraw(&mut self, v: usize) {
        let now = self.wish[v].clamp(self.domain.low[v], self.domain.high[v]);
        let change = now - self.point[v];
        if change == 0 {
            return;
        }
        self.point[v] = now;
        for i in 0..self.domain.column(v).len() {
            let (row, a) = self.domain.column(v)[i];
            self.sum[row as usize] += change * i64::from(a);
            if !self.suspected[row as usize] {
                self.suspected[row as usize] = true;
                self.suspects.push(row);
            }
        }
    }

    fn sync(&mut self) {
        for i in self.synced..self.domain.mark() {
            let v = self.domain.steps(i)[0].variable as usize;
            self.redraw(v);
        }
        self.synced = self.domain.mark();
    }

    fn back(&mut self, mark: usize) {
        let touched: Vec<u32> = self.domain.steps(mark).iter().map(|s| s.variable).collect();
        self.domain.back(mark);
        touched.into_iter().for_each(|v| self.redraw(v as usize));
        self.synced = mark;
    }

    /// How much the sum of a row must change.
    fn lack(&self, row: u32) -> i64 {
        let (r, rows) = (row as usize, self.domain.rows);
        if rows.least[r] != -ENDLESS && self.sum[r] < rows.least[r] {
            rows.least[r] - self.sum[r]
        } else {
            (rows.most[r] - self.sum[r]).min(0)
        }
    }

    /// Where the point is not as wished: only what was tightened can be.
    fn differences(&self) -> Vec<(u32, i64)> {
        let mut touched: Vec<u32> = self.domain.steps(0).iter().map(|s| s.variable).collect();
        touched.sort_unstable();
        touched.dedup();
        let difference = |v: u32| (v, self.point[v as usize] - self.wish[v as usize]);
        touched.into_iter().map(difference).filter(|d| d.1 != 0).collect()
    }

    /// The broken row that leaves the fewest ways, among the latest ones.
    fn broken(&mut self) -> Option<u32> {
        const LOOKED_AT: usize = 4;
        let mut found = Vec::new();
        let mut i = self.suspects.len();
        while i > 0 && found.len() < LOOKED_AT {
            i -= 1;
            let row = self.suspects[i];
            if self.lack(row) == 0 {
                self.suspects.remove(i);
                self.suspected[row as usize] = false;
            } else {
                found.push(row);
            }
        }
        found
            .into_iter()
            .min_by_key(|&r| self.domain.rows.of(r as usize).iter().filter(|&&(v, a)| self.room(v, a, self.lack(r)) != 0).count())
    }

    /// How far the variable can go towards what the row lacks.
    fn room(&self, variable: u32, a: i8, lack: i64) -> i64 {
        let v = variable as usize;
        if (lack > 0) == (a > 0) { self.domain.high[v] - self.point[v] } else { self.point[v] - self.domain.low[v] }
    }

    /// The variable that mends the row and breaks the fewest others: the split that is tried first, and its other half.
    fn choose(&self, row: u32) -> Option<(u32, End, i64)> {
        let lack = self.lack(row);
        let mut best: Option<((i64, u64), u32, End, i64)> = None;
        for &(v, a) in self.domain.rows.of(row as usize) {
            let room = self.room(v, a, lack);
            if room == 0 {
                continue;
            }
            let up = (lack > 0) == (a > 0);
            let step = room.min(lack.abs() / i64::from(a.abs())).max(1) * if up { 1 } else { -1 };
            let cost: i64 = self.domain.column(v as usize).iter().map(|&(r, b)| self.harm(r, step * i64::from(b))).sum();
            let cost = (cost, (u64::from(v) * self.variant).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40);
            if best.is_none_or(|b| cost < b.0) {
                best = Some((cost, v, if up { End::Low } else { End::High }, self.point[v as usize] + step));
            }
        }
        best.map(|(_, v, end, value)| (v, end, value))
    }

    /// How much worse a row gets.
    fn harm(&self, row: u32, change: i64) -> i64 {
        let (r, rows) = (row as usize, self.domain.rows);
        let off = |sum: i64| (sum - rows.most[r]).max(0) + if rows.least[r] == -ENDLESS { 0 } else { (rows.least[r] - sum).max(0) };
        off(self.sum[r] + change) - off(self.sum[r])
    }

    /// A point under the assumptions `(variable, end, value)`; the search is as before afterwards.
    pub fn find(&mut self, assumed: &[(u32, End, i64)], budget: u64) -> Outcome {
        let start = self.domain.mark();
        let limit = self.domain.work.saturating_add(budget);
        let mut held = self.domain.settle();
        self.sync();
        let from = self.domain.mark();
        for &(v, end, value) in assumed {
            held = held.and_then(|()| self.domain.tighten(v, end, value, ASSUMED));
        }
        let outcome = self.run(held, limit);
        // What holds without assumptions may stay.
        self.back(if outcome == Outcome::None && assumed.is_empty() { start } else { from });
        outcome
    }

    fn run(&mut self, mut held: Result<(), Contradiction>, limit: u64) -> Outcome {
        let mut splits: Vec<Split> = Vec::new();
        loop {
            held = held.and_then(|()| self.domain.settle());
            if self.domain.work > limit {
                return Outcome::Spent;
            }
            // Every turn costs something, so that the budget ends every search.
            self.domain.work += 1;
            if held.is_err() {
                let Some(split) = splits.pop() else { return Outcome::None };
                self.back(split.mark);
                held = self.domain.tighten(split.variable, split.end, split.value, ASSUMED);
                continue;
            }
            self.sync();
            let Some(row) = self.broken() else { return Outcome::Point(self.differences()) };
            let Some((variable, end, value)) = self.choose(row) else {
                held = Err(Contradiction);
                continue;
            };
            let (other, edge) = if end == End::Low { (End::High, value - 1) } else { (End::Low, value + 1) };
            splits.push(Split { mark: self.domain.mark(), variable, end: other, value: edge });
            held = self.domain.tighten(variable, end, value, ASSUMED);
        }
    }
}

/// What a row sums to at a point.
pub(super) fn total(rows: &Rows, row: usize, point: &[i64]) -> i64 {
    rows.of(row).iter().map(|&(v, a)| i64::from(a) * point[v as usize]).sum()
}
