//! Long moves: a shortest path of counts through rows that share them, from a row that the point does not agree with to one that takes
//! the difference.
//!
//! Most counts are in two equations, so a path goes through them. One in three (All, where two partitions share it) forks: then each branch
//! is a path of its own, and the fork is kept if all branches end.

use super::moves::Mover;
use std::collections::VecDeque;

/// What led to a state: the count that was changed, by how much, and the state before.
type Step = Option<(u32, i64, u32)>;

/// A row, which way it must change, and how the search came there.
type State = (u32, i64, Step);

/// Forks that are tried for a row.
const FORKS: usize = 24;

/// Entries that all paths from one point may look at.
const BUDGET: u64 = 40_000_000;

/// States that were seen in the current search.
pub(super) struct Seen {
    round: Vec<u32>,
    now: u32,
    /// Entries that may still be looked at.
    left: u64,
}

/// What follows a change.
enum Next {
    Blocked,
    End,
    Row(u32, i64),
    Fork,
}

impl Mover<'_> {
    /// Brings rows nearer by paths, as far as there are any and the budget goes.
    pub fn along_paths(&mut self, wrong: &mut Vec<u32>) {
        let mut seen = Seen { round: vec![0; 2 * self.rows.count()], now: 0, left: BUDGET };
        for &row in wrong.iter() {
            while seen.left > 0 && self.wrong(row) != 0 && (self.straight(row, &mut seen, None) || self.forked(row, &mut seen)) {}
        }
        wrong.retain(|&r| self.wrong(r) != 0);
    }

    /// One path without forks; what was changed is added to `done`.
    fn straight(&mut self, row: u32, seen: &mut Seen, done: Option<&mut Vec<(u32, i64)>>) -> bool {
        let (_, path) = self.search_path(row, seen, &mut Vec::new());
        let Some(path) = path else { return false };
        self.step(&path);
        if let Some(done) = done {
            done.extend(path);
        }
        true
    }

    /// A path to a fork and one from each of its branches.
    fn forked(&mut self, row: u32, seen: &mut Seen) -> bool {
        let mut forks = Vec::new();
        let (states, _) = self.search_path(row, seen, &mut forks);
        let stride = forks.len().div_ceil(FORKS).max(1);
        for &(at, v, step) in forks.iter().step_by(stride) {
            if seen.left == 0 {
                return false;
            }
            let mut done = traced(&states, at, (v, step));
            if !done.iter().all(|&(v, d)| self.free(v, d)) {
                continue;
            }
            let rows: Vec<u32> = done.iter().flat_map(|&(v, _)| self.column_of(v).iter().map(|e| e.0)).collect();
            let before: Vec<i64> = rows.iter().map(|&r| self.wrong(r).abs()).collect();
            self.step(&done.clone());
            let ended = rows.iter().zip(before).all(|(&r, before)| {
                while self.wrong(r).abs() > before {
                    if !self.straight(r, seen, Some(&mut done)) {
                        return false;
                    }
                }
                true
            });
            if ended {
                return true;
            }
            self.step(&done.iter().rev().map(|&(v, d)| (v, -d)).collect::<Vec<_>>());
        }
        false
    }

    /// Searches for counts that change by 1 so that the row comes nearer by 1 and no other gets worse; tells the states that it came to.
    fn search_path(&self, row: u32, seen: &mut Seen, forks: &mut Vec<(u32, u32, i64)>) -> (Vec<State>, Option<Vec<(u32, i64)>>) {
        seen.now += 1;
        let place = |row: u32, sign: i64| 2 * row as usize + usize::from(sign > 0);
        let mut states: Vec<State> = vec![(row, self.wrong(row).signum(), None)];
        seen.round[place(row, states[0].1)] = seen.now;
        let mut queue = VecDeque::from([0u32]);
        while let Some(at) = queue.pop_front() {
            let (here, sign, _) = states[at as usize];
            seen.left = seen.left.saturating_sub(self.rows.of(here as usize).len() as u64);
            for &(v, a) in self.rows.of(here as usize) {
                let step = sign * i64::from(a.signum());
                if a.abs() != 1 || !self.free(v, step) {
                    continue;
                }
                match self.next(v, step, here) {
                    Next::Blocked => {}
                    Next::Fork => forks.push((at, v, step)),
                    Next::End => {
                        let path = traced(&states, at, (v, step));
                        if self.fits(&path, row) {
                            return (states, Some(path));
                        }
                    }
                    Next::Row(other, sign) => {
                        if std::mem::replace(&mut seen.round[place(other, sign)], seen.now) != seen.now {
                            states.push((other, sign, Some((v, step, at))));
                            queue.push_back(states.len() as u32 - 1);
                        }
                    }
                }
            }
        }
        (states, None)
    }

    /// What a change of a count leaves to be mended, beside the row it is made for.
    fn next(&self, variable: u32, step: i64, row: u32) -> Next {
        let mut next = Next::End;
        for &(other, a) in self.column_of(variable).iter().filter(|e| e.0 != row) {
            let lack = self.lack_after(other, step * i64::from(a));
            if lack != 0 {
                if !self.rows.equation(other as usize) {
                    return Next::Blocked;
                }
                next = if matches!(next, Next::End) { Next::Row(other, lack.signum()) } else { Next::Fork };
            }
        }
        next
    }
}

/// The changes on the way to a state, and a last one.
fn traced(states: &[State], end: u32, last: (u32, i64)) -> Vec<(u32, i64)> {
    let mut change = vec![last];
    let mut at = end;
    while let Some((v, step, before)) = states[at as usize].2 {
        match change.iter_mut().find(|c| c.0 == v) {
            Some(c) => c.1 += step,
            None => change.push((v, step)),
        }
        at = before;
    }
    change.retain(|c| c.1 != 0);
    change
}
