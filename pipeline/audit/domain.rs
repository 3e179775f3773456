//! Intervals of the unknown counts, tightened by the rows until nothing changes, with a trail to take steps back and to tell why.

use super::system::{ENDLESS, Rows};
use std::collections::VecDeque;

/// No row: an assumption of a search.
pub(super) const ASSUMED: u32 = u32::MAX;
/// No earlier step.
const NONE: u32 = u32::MAX;

/// Times that all entries may be looked at until intervals are taken as settled.
const SETTLE: u64 = 32;

/// The end of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Low,
    High,
}

/// One tightening: what changed, what it was, which row did it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub variable: u32,
    pub end: End,
    old: i64,
    pub row: u32,
    /// The step before at the same end of the same variable.
    before: u32,
}

/// What can be reached by the terms of a row.
#[derive(Debug, Clone, Copy, Default)]
struct Reach {
    least: i64,
    least_endless: u32,
    most: i64,
    most_endless: u32,
}

/// The rows that contradict each other met in this row, or in this variable's interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contradiction;

/// Rows, the columns that go with them, and the current intervals.
pub(super) struct Domain<'a> {
    pub rows: &'a Rows,
    column_start: Vec<u32>,
    column: Vec<(u32, i8)>,
    pub low: Vec<i64>,
    pub high: Vec<i64>,
    reach: Vec<Reach>,
    last: Vec<[u32; 2]>,
    trail: Vec<Step>,
    queue: VecDeque<u32>,
    queued: Vec<bool>,
    /// Entries looked at so far: the measure of work.
    pub work: u64,
}

impl<'a> Domain<'a> {
    pub fn new(rows: &'a Rows, low: Vec<i64>, high: Vec<i64>) -> Domain<'a> {
        let (column_start, column) = columns(rows, low.len());
        let mut reach = vec![Reach::default(); rows.count()];
        for (r, reach) in reach.iter_mut().enumerate() {
            for &(v, a) in rows.of(r) {
                let (down, up) = ends(a, low[v as usize], high[v as usize]);
                count(&mut reach.least, &mut reach.least_endless, down, 1);
                count(&mut reach.most, &mut reach.most_endless, up, 1);
            }
        }
        let last = vec![[NONE; 2]; low.len()];
        let queued = vec![true; rows.count()];
        let queue = (0..rows.count() as u32).collect();
        Domain { rows, column_start, column, low, high, reach, last, trail: Vec::new(), queue, queued, work: 0 }
    }

    /// Rows of a variable with its coefficients.
    pub fn column(&self, variable: usize) -> &[(u32, i8)] {
        &self.column[self.column_start[variable] as usize..self.column_start[variable + 1] as usize]
    }

    pub fn fixed(&self, variable: usize) -> bool {
        self.low[variable] == self.high[variable]
    }

    /// How many steps were made.
    pub fn mark(&self) -> usize {
        self.trail.len()
    }

    pub fn steps(&self, from: usize) -> &[Step] {
        &self.trail[from..]
    }

    /// Whether the row holds for every choice from the intervals.
    pub fn certain(&self, row: usize) -> bool {
        let reach = &self.reach[row];
        let above = reach.most_endless == 0 && reach.most <= self.rows.most[row];
        let least = self.rows.least[row];
        above && (least == -ENDLESS || reach.least_endless == 0 && reach.least >= least)
    }

    /// Tightens one end; wider than it is changes nothing.
    pub fn tighten(&mut self, variable: u32, end: End, value: i64, row: u32) -> Result<(), Contradiction> {
        let v = variable as usize;
        let old = match end {
            End::Low if value <= self.low[v] => return Ok(()),
            End::High if value >= self.high[v] => return Ok(()),
            End::Low => self.low[v],
            End::High => self.high[v],
        };
        let before = self.last[v][end as usize];
        self.last[v][end as usize] = self.trail.len() as u32;
        self.trail.push(Step { variable, end, old, row, before });
        self.set(v, end, old, value, true);
        if self.low[v] > self.high[v] { Err(Contradiction) } else { Ok(()) }
    }

    fn set(&mut self, v: usize, end: End, old: i64, value: i64, wake: bool) {
        match end {
            End::Low => self.low[v] = value,
            End::High => self.high[v] = value,
        }
        for i in self.column_start[v] as usize..self.column_start[v + 1] as usize {
            let (row, a) = self.column[i];
            let a64 = i64::from(a);
            let reach = &mut self.reach[row as usize];
            if (a > 0) == (end == End::Low) {
                count(&mut reach.least, &mut reach.least_endless, times(a64, old), -1);
                count(&mut reach.least, &mut reach.least_endless, times(a64, value), 1);
            } else {
                count(&mut reach.most, &mut reach.most_endless, times(a64, old), -1);
                count(&mut reach.most, &mut reach.most_endless, times(a64, value), 1);
            }
            if wake && !self.queued[row as usize] {
                self.queued[row as usize] = true;
                self.queue.push_back(row);
            }
        }
    }

    /// Takes back all steps after the mark.
    pub fn back(&mut self, mark: usize) {
        while let Some(row) = self.queue.pop_front() {
            self.queued[row as usize] = false;
        }
        while self.trail.len() > mark {
            let Some(step) = self.trail.pop() else { return };
            let v = step.variable as usize;
            let now = if step.end == End::Low { self.low[v] } else { self.high[v] };
            self.set(v, step.end, now, step.old, false);
            self.last[v][step.end as usize] = step.before;
        }
    }

    /// Lets the rows tighten until nothing changes, or until it has gone on for long: intervals that creep one by one, perhaps for ever,
    /// say little, and intervals that are too wide are never wrong.
    pub fn settle(&mut self) -> Result<(), Contradiction> {
        let enough = self.work + SETTLE * (self.column.len() as u64 + 64);
        while let Some(row) = self.queue.pop_front() {
            self.queued[row as usize] = false;
            self.narrow(row)?;
            if self.work > enough {
                while let Some(row) = self.queue.pop_front() {
                    self.queued[row as usize] = false;
                }
            }
        }
        Ok(())
    }

    /// Tightens the variables of a row by what the others leave.
    fn narrow(&mut self, row: u32) -> Result<(), Contradiction> {
        let rows = self.rows;
        let (least, most) = (rows.least[row as usize], rows.most[row as usize]);
        let reach = self.reach[row as usize];
        if reach.least_endless == 0 && reach.least > most || least != -ENDLESS && reach.most_endless == 0 && reach.most < least {
            return Err(Contradiction);
        }
        let upward = reach.least_endless <= 1;
        let downward = least != -ENDLESS && reach.most_endless <= 1;
        if !upward && !downward {
            return Ok(());
        }
        self.work += rows.of(row as usize).len() as u64;
        for &(v, a) in rows.of(row as usize) {
            let (low, high) = (self.low[v as usize], self.high[v as usize]);
            if low == high {
                continue;
            }
            let (down, up) = ends(a, low, high);
            let a64 = i64::from(a);
            // What this term is at most (or at least), as the others are at least (or at most).
            let endless = |x: i64| u32::from(x.abs() >= ENDLESS);
            if upward && reach.least_endless == endless(down) {
                let room = most - (reach.least - if endless(down) == 1 { 0 } else { down });
                let (end, value) = if a > 0 { (End::High, room.div_euclid(a64)) } else { (End::Low, -(room.div_euclid(-a64))) };
                self.tighten(v, end, value, row)?;
            }
            if downward && reach.most_endless == endless(up) {
                let need = least - (reach.most - if endless(up) == 1 { 0 } else { up });
                let (end, value) = if a > 0 { (End::Low, -((-need).div_euclid(a64))) } else { (End::High, (-need).div_euclid(-a64)) };
                self.tighten(v, end, value, row)?;
            }
        }
        Ok(())
    }

    /// The rows by which an end of a variable's interval came about, in the order in which they were used.
    pub fn reasons(&self, variable: u32, ends: &[End]) -> Vec<u32> {
        let mut steps = std::collections::BTreeSet::new();
        let mut open: Vec<u32> = ends.iter().map(|&e| self.last[variable as usize][e as usize]).filter(|&s| s != NONE).collect();
        while let Some(at) = open.pop() {
            if !steps.insert(at) {
                continue;
            }
            let step = &self.trail[at as usize];
            if step.row == ASSUMED {
                continue;
            }
            let row = self.rows.of(step.row as usize);
            let own = row.iter().find(|e| e.0 == step.variable).map_or(1, |e| e.1);
            for &(v, a) in row.iter().filter(|e| e.0 != step.variable) {
                // A high end (positive coefficient) comes from the least of the other terms, which has their low ends if positive.
                let least = (step.end == End::High) == (own > 0);
                let end = if (a > 0) == least { End::Low } else { End::High };
                let mut before = self.last[v as usize][end as usize];
                while before != NONE && before >= at {
                    before = self.trail[before as usize].before;
                }
                if before != NONE {
                    open.push(before);
                }
            }
        }
        let mut rows: Vec<u32> = Vec::new();
        for row in steps.into_iter().map(|s| self.trail[s as usize].row).filter(|&r| r != ASSUMED) {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows
    }
}

/// Least and greatest value of a term.
fn ends(a: i8, low: i64, high: i64) -> (i64, i64) {
    let (x, y) = (times(i64::from(a), low), times(i64::from(a), high));
    if a > 0 { (x, y) } else { (y, x) }
}

fn times(a: i64, value: i64) -> i64 {
    if value.abs() >= ENDLESS { ENDLESS * value.signum() * a.signum() } else { a * value }
}

fn count(sum: &mut i64, endless: &mut u32, value: i64, times: i64) {
    if value.abs() >= ENDLESS {
        *endless = endless.wrapping_add_signed(times as i32);
    } else {
        *sum += value * times;
    }
}

/// The rows of each variable, as one list and where each starts.
pub(super) fn columns(rows: &Rows, variables: usize) -> (Vec<u32>, Vec<(u32, i8)>) {
    let mut start = vec![0u32; variables + 1];
    for r in 0..rows.count() {
        rows.of(r).iter().for_each(|&(v, _)| start[v as usize + 1] += 1);
    }
    (0..variables).for_each(|v| start[v + 1] += start[v]);
    let mut next = start.clone();
    let mut column = vec![(0u32, 0i8); start[variables] as usize];
    for r in 0..rows.count() {
        for &(v, a) in rows.of(r) {
            column[next[v as usize] as usize] = (r as u32, a);
            next[v as usize] += 1;
        }
    }
    (start, column)
}
