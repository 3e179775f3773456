//! Every whole-number table that agrees with a small release, one after the other: the judge of the other tests of disclosure.

use perkins::published::{Count, Field, Known, Published};

/// Counts of all cells: denominators, then numerators.
struct Search<'a> {
    published: &'a Published,
    cells: usize,
    /// First and last value to try.
    bounds: Vec<(i64, i64)>,
    /// Relations as (variable, factor), equal to 0 or, for the second list, at least 0.
    equal: Vec<Vec<(usize, i64)>>,
    at_least: Vec<Vec<(usize, i64)>>,
    /// For each variable its relations, of both lists.
    rows_of: Vec<Vec<usize>>,
    value: Vec<i64>,
    /// Values seen: the first, and whether there was another.
    seen: Vec<(Option<i64>, bool)>,
    tables: u64,
    budget: u64,
}

/// The hidden counts with one possible value. `most` is an upper bound of any hidden count that an attacker could not know less than.
/// Nothing if there are too many tables to try.
pub fn pinned(published: &Published, most: i64, budget: u64) -> Option<Vec<Count>> {
    let cells = published.cells.len();
    let bound = |known: Known, least: i64| match known {
        Known::Exactly(v) => (v, v),
        Known::Between(a, b) => (a, b),
        Known::Hidden => (least, most),
    };
    let denominators = published.cells.iter().map(|c| bound(c.denominator, published.hidden_minimum));
    let bounds: Vec<(i64, i64)> = denominators.chain(published.cells.iter().map(|c| bound(c.numerator, 0))).collect();
    let mut search = Search {
        published,
        cells,
        value: vec![0; bounds.len()],
        rows_of: vec![Vec::new(); bounds.len()],
        seen: vec![(None, false); bounds.len()],
        bounds,
        equal: Vec::new(),
        at_least: Vec::new(),
        tables: 0,
        budget,
    };
    search.relate();
    search.tighten();
    for (r, row) in search.equal.iter().chain(&search.at_least).enumerate() {
        row.iter().for_each(|t| search.rows_of[t.0].push(r));
    }
    let order: Vec<usize> = (0..cells).flat_map(|c| [c, cells + c]).filter(|v| search.bounds[*v].0 < search.bounds[*v].1).collect();
    (0..2 * cells).filter(|v| search.bounds[*v].0 == search.bounds[*v].1).for_each(|v| search.value[v] = search.bounds[v].0);
    if !search.next(&order) {
        return None;
    }
    assert!(search.tables > 0, "no table agrees with what is published");
    let count = |v: usize| Count { cell: (v % cells) as u32, field: if v < cells { Field::Denominator } else { Field::Numerator } };
    let hidden = |v: usize| {
        let c = &search.published.cells[v % cells];
        !matches!(if v < cells { c.denominator } else { c.numerator }, Known::Exactly(_))
    };
    Some((0..2 * cells).filter(|v| hidden(*v) && !search.seen[*v].1).map(count).collect())
}

impl Search<'_> {
    fn relate(&mut self) {
        let cells = self.cells;
        for line in &self.published.lines {
            for shift in [0, cells] {
                let parts = line.parts.iter().map(|p| (*p as usize + shift, -1));
                self.equal.push(std::iter::once((line.total as usize + shift, 1)).chain(parts).collect());
            }
        }
        for cover in &self.published.covers {
            for shift in [0, cells] {
                let parts = cover.parts.iter().map(|p| (*p as usize + shift, 1));
                self.at_least.push(std::iter::once((cover.total as usize + shift, -1)).chain(parts).collect());
            }
        }
        for (a, b) in &self.published.same {
            self.equal.push(vec![(*a as usize, 1), (*b as usize, -1)]);
        }
        for (part, whole) in &self.published.among {
            for shift in [0, cells] {
                self.at_least.push(vec![(*whole as usize + shift, 1), (*part as usize + shift, -1)]);
            }
        }
        for c in 0..cells {
            self.at_least.push(vec![(c, 1), (cells + c, -1)]);
        }
        for (part, whole) in &self.published.within {
            let (p, w) = (*part as usize, *whole as usize);
            self.at_least.push(vec![(w, 1), (p, -1)]);
            self.at_least.push(vec![(w + cells, 1), (p + cells, -1)]);
            self.at_least.push(vec![(w, 1), (w + cells, -1), (p, -1), (p + cells, 1)]);
        }
    }

    /// Bounds from each relation by itself, until nothing changes: fewer tables to try, and never one too few.
    fn tighten(&mut self) {
        loop {
            let before = self.bounds.clone();
            let both = |r: &Vec<(usize, i64)>| [r.clone(), r.iter().map(|t| (t.0, -t.1)).collect::<Vec<_>>()];
            let rows: Vec<Vec<(usize, i64)>> = self.equal.iter().flat_map(both).chain(self.at_least.iter().cloned()).collect();
            for row in &rows {
                let most = |t: &(usize, i64)| if t.1 > 0 { self.bounds[t.0].1 } else { -self.bounds[t.0].0 };
                let sum: i64 = row.iter().map(most).sum();
                let change: Vec<(usize, i64, i64)> = row.iter().map(|t| (t.0, t.1, sum - most(t))).collect();
                for (v, factor, rest) in change {
                    let bound = &mut self.bounds[v];
                    if factor > 0 { bound.0 = bound.0.max(-rest) } else { bound.1 = bound.1.min(rest) }
                }
            }
            if self.bounds == before {
                return;
            }
        }
    }

    /// Tries all values of the variables in order; no when the budget is used up.
    fn next(&mut self, order: &[usize]) -> bool {
        if self.budget == 0 {
            return false;
        }
        self.budget -= 1;
        let Some((v, rest)) = order.split_first() else {
            self.tables += 1;
            for (seen, value) in self.seen.iter_mut().zip(&self.value) {
                let first = *seen.0.get_or_insert(*value);
                seen.1 |= first != *value;
            }
            return true;
        };
        let (first, last) = self.bounds[*v];
        for value in first..=last {
            (self.value[*v], self.bounds[*v]) = (value, (value, value));
            let goes_on = !self.holds(*v) || self.next(rest);
            self.bounds[*v] = (first, last);
            if !goes_on {
                return false;
            }
        }
        true
    }

    /// Whether every relation with this variable can still hold.
    fn holds(&self, v: usize) -> bool {
        let range = |row: &[(usize, i64)]| {
            row.iter().fold((0, 0), |sum, (u, factor)| {
                let (a, b) = self.bounds[*u];
                let (a, b) = if *factor > 0 { (a, b) } else { (-b, -a) };
                (sum.0 + a, sum.1 + b)
            })
        };
        let is_zero_possible = |(low, high): (i64, i64)| low <= 0 && high >= 0;
        self.rows_of[v].iter().all(|r| match r.checked_sub(self.equal.len()) {
            None => is_zero_possible(range(&self.equal[*r])),
            Some(r) => range(&self.at_least[r]).1 >= 0,
        })
    }
}
