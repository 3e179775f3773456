//! The cheapest way for one count to move by one: which others move against it, so that every line still adds up.
//!
//! A line that does not add up is passed on from count to count until it meets another one that cancels it, or a count that is on no other
//! line. Where a count is on more than two lines (all students of a school: its district, gender, race), the lines left over are closed in turn.

use super::layer::Layer;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// What it costs to let a count move up or down: nothing if it is hidden, more to hide it, none if it cannot move.
pub trait Cost {
    fn of(&self, count: u32, up: bool) -> Option<u64>;

    /// What it costs to leave more lines to close: low, and moves are short; high, and what they hide is cheap.
    fn branch(&self) -> u64 {
        BRANCH
    }
}

/// One more count in a move.
const STEP: u64 = 1;
/// Lines left over to close, where nothing is to be hidden.
pub const BRANCH: u64 = 40;
/// How many lines are closed in one move at most.
const ENDS: usize = 64;
/// How many counts on lines are looked at in one move at most.
const LOOKED_AT: usize = 100_000;

/// A move: counts and by how much, and what it costs.
#[derive(Debug, Clone, Default)]
pub struct Route {
    pub moves: Vec<(u32, i64)>,
    pub cost: u64,
}

/// Looks for moves; keeps its memory.
pub struct Router<'a> {
    layer: &'a Layer,
    /// For each line with a surplus or a lack: in which search it was reached, at what cost, by which count from where.
    reached: Vec<(u32, u64, u32, u32)>,
    search: u32,
    by: Vec<i8>,
    touched: Vec<u32>,
}

/// A line and whether its total is too large.
type Node = u32;

fn node(line: u32, surplus: i8) -> Node {
    2 * line + u32::from(surplus > 0)
}

fn surplus(node: Node) -> i8 {
    if node % 2 == 1 { 1 } else { -1 }
}

const START: u32 = u32::MAX;

impl<'a> Router<'a> {
    pub fn new(layer: &'a Layer) -> Self {
        let nodes = 2 * layer.lines.len();
        Router { layer, reached: vec![(0, 0, 0, 0); nodes], search: 0, by: vec![0; layer.figures.len()], touched: Vec::new() }
    }

    /// The cheapest move with these counts up or down by one, as far as it looks. `cost` is for the others.
    pub fn route(&mut self, counts: &[u32], up: bool, cost: &impl Cost, at_most: u64) -> Option<Route> {
        let mut ends: Vec<(u32, i8)> = Vec::new();
        counts.iter().for_each(|count| self.note(*count, if up { 1 } else { -1 }, &mut ends));
        let found = self.close(ends, cost, at_most);
        self.moved(found)
    }

    /// The same for counts that move in different ways, closed one after the other.
    pub fn route_each(&mut self, starts: &BTreeMap<u32, i8>, cost: &impl Cost) -> Option<Route> {
        let mut found = Some(0);
        for (&count, &by) in starts {
            if found.is_some() && self.by[count as usize] != by {
                let mut ends = Vec::new();
                let may = self.apply(count, by, &mut ends);
                found = may.and_then(|()| Some(found? + self.close(ends, cost, u64::MAX / 2)?));
            }
        }
        self.moved(found)
    }

    /// What moved; forgets it.
    fn moved(&mut self, found: Option<u64>) -> Option<Route> {
        let by = &mut self.by;
        let mut moves: Vec<(u32, i64)> = self.touched.drain(..).map(|v| (v, i64::from(std::mem::take(&mut by[v as usize])))).collect();
        moves.sort_unstable();
        found.map(|cost| Route { moves, cost })
    }

    /// Lets other counts move until no line is left over; what that costs.
    fn close(&mut self, mut ends: Vec<(u32, i8)>, cost: &impl Cost, at_most: u64) -> Option<u64> {
        if ends.iter().any(|e| e.1.abs() > 1) {
            return None;
        }
        let (mut total, mut closed, mut looked_at) = (0, 0, 0);
        while let Some((line, surplus)) = ends.pop() {
            closed += 1;
            if closed > ENDS {
                return None;
            }
            let (last, from, c) = self.pass_on(node(line, surplus), &ends, cost, at_most - total, &mut looked_at)?;
            total += c;
            ends.push((line, surplus));
            self.apply_path(last, from, &mut ends)?;
        }
        Some(total)
    }

    /// Moves a count, and notes on which lines something is left over.
    fn apply(&mut self, count: u32, by: i8, ends: &mut Vec<(u32, i8)>) -> Option<()> {
        if self.by[count as usize] != 0 {
            return None;
        }
        self.note(count, by, ends);
        ends.iter().all(|e| e.1.abs() == 1).then_some(())
    }

    fn note(&mut self, count: u32, by: i8, ends: &mut Vec<(u32, i8)>) {
        self.by[count as usize] = by;
        self.touched.push(count);
        for (line, sign) in self.layer.uses.get(count) {
            match ends.iter_mut().find(|e| e.0 == *line) {
                Some(end) => end.1 += sign * by,
                None => ends.push((*line, sign * by)),
            }
        }
        ends.retain(|e| e.1 != 0);
    }

    fn apply_path(&mut self, last: u32, mut from: Node, ends: &mut Vec<(u32, i8)>) -> Option<()> {
        // From the start on, so that lines passed do not look left over by two.
        let mut path = vec![(last, from)];
        while let (_, _, count, before) = self.reached[from as usize]
            && count != START
        {
            path.push((count, before));
            from = before;
        }
        path.into_iter().rev().try_for_each(|(count, from)| {
            let by = self.against(from, count)?;
            self.apply(count, by, ends)
        })
    }

    /// How a count must move to take what is left over on a line.
    fn against(&self, from: Node, count: u32) -> Option<i8> {
        let sign = self.layer.uses.get(count).iter().find(|u| u.0 == from / 2)?.1;
        (sign.abs() == 1).then_some(-surplus(from) * sign)
    }

    /// From a line to the cheapest count that leaves nothing over: the count, the line before it, and the cost.
    fn pass_on(
        &mut self,
        start: Node,
        ends: &[(u32, i8)],
        cost: &impl Cost,
        at_most: u64,
        looked_at: &mut usize,
    ) -> Option<(u32, Node, u64)> {
        self.search += 1;
        let lines = 2 * self.layer.lines.len() as u32;
        let mut heap = BinaryHeap::from([Reverse((0u64, start))]);
        let mut last: Vec<(u32, Node)> = Vec::new();
        self.reached[start as usize] = (self.search, 0, START, START);
        while let Some(Reverse((so_far, at))) = heap.pop() {
            if at >= lines {
                let (count, from) = last[(at - lines) as usize];
                return Some((count, from, so_far));
            }
            if self.reached[at as usize].1 < so_far {
                continue;
            }
            *looked_at += self.layer.lines.get(at / 2).len();
            if *looked_at > LOOKED_AT {
                return None;
            }
            for &(count, sign) in self.layer.lines.get(at / 2) {
                if sign.abs() != 1 || self.by[count as usize] != 0 || self.reached[at as usize].2 == count {
                    continue;
                }
                let by = -surplus(at) * sign;
                let Some(c) = cost.of(count, by > 0) else { continue };
                let total = so_far + c + STEP;
                if total > at_most {
                    continue;
                }
                let uses = self.layer.uses.get(count);
                match uses {
                    [_] => heap.push(Reverse((total, lines + last.len() as u32))),
                    [a, b] => {
                        let (line, sign) = if a.0 == at / 2 { *b } else { *a };
                        let (left, next) = (sign * by, node(line, sign * by));
                        if !ends.contains(&(line, -left)) {
                            let known = &mut self.reached[next as usize];
                            if sign.abs() == 1 && (known.0 != self.search || total < known.1) {
                                *known = (self.search, total, count, at);
                                heap.push(Reverse((total, next)));
                            }
                            continue;
                        }
                        heap.push(Reverse((total, lines + last.len() as u32)));
                    }
                    _ => heap.push(Reverse((total + cost.branch(), lines + last.len() as u32))),
                }
                last.push((count, at));
            }
        }
        None
    }
}
