//! Denominators, or numerators, of linked cohorts as counts that can move by one against each other on their lines.

use super::cells::{Cells, Classes};
use super::rate::numerators_of_hidden;
use super::release::Policy;
use super::treatment::Treatment;
use super::view::possible;
use crate::published::Field;

/// Lists of lists, one after the other.
#[derive(Debug, Default)]
pub struct Lists<T> {
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy + Default> Lists<T> {
    /// From pairs (list, item), in their order.
    pub fn new(lists: usize, pairs: impl Iterator<Item = (u32, T)> + Clone) -> Self {
        let mut at = vec![0u32; lists + 1];
        pairs.clone().for_each(|p| at[p.0 as usize + 1] += 1);
        (0..lists).for_each(|l| at[l + 1] += at[l]);
        let mut items = vec![T::default(); at[lists] as usize];
        for (list, item) in pairs {
            items[at[list as usize] as usize] = item;
            at[list as usize] += 1;
        }
        at.pop();
        Lists { ends: at, items }
    }

    /// One list.
    pub fn get(&self, list: u32) -> &[T] {
        let from = if list == 0 { 0 } else { self.ends[list as usize - 1] };
        &self.items[from as usize..self.ends[list as usize] as usize]
    }

    /// How many lists.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
}

/// Which figures are within which, from both sides; `true`: who does not count in the part may count in the whole.
pub struct Within {
    pub wholes: Lists<(u32, bool)>,
    pub parts: Lists<(u32, bool)>,
    /// Covers of each figure.
    pub covers: Lists<u32>,
}

impl Within {
    pub fn new(cells: &Cells) -> Self {
        let pairs = cells.within.iter().map(|p| (*p, false)).chain(cells.among.iter().map(|p| (*p, true)));
        let size = cells.figures.len();
        let wholes = Lists::new(size, pairs.clone().map(|((part, whole), among)| (part, (whole, among))));
        let covers = cells.covers.iter().zip(0u32..).flat_map(|(figures, cover)| figures.iter().map(move |i| (*i, cover)));
        Within {
            wholes,
            parts: Lists::new(size, pairs.map(|((part, whole), among)| (whole, (part, among)))),
            covers: Lists::new(size, covers),
        }
    }
}

/// No class: the count is 0 or not there.
pub const NONE: u32 = u32::MAX;

/// The counts of one field.
pub struct Layer {
    pub field: Field,
    /// The count of each figure.
    pub of: Vec<u32>,
    /// The figures of each count.
    pub figures: Lists<u32>,
    /// The counts of each line, with their signs.
    pub lines: Lists<(u32, i8)>,
    /// The lines of each count, with its sign.
    pub uses: Lists<(u32, i8)>,
}

impl Layer {
    /// Counts that are always equal are one; lines that follow from others are left out.
    pub fn new(cells: &Cells, field: Field) -> Self {
        let size = cells.figures.len();
        let mut same = Classes::new(size);
        if field == Field::Denominator {
            cells.same.iter().for_each(|(a, b)| same.join(*a, *b));
        }
        cells.lines.iter().filter(|l| l.len() == 2).for_each(|l| same.join(l[0], l[1]));
        let is_there = |i: usize| cells.figures[i].denominator > 0 && (field == Field::Denominator || cells.figures[i].numerator.is_some());
        let mut of = vec![NONE; size];
        let mut counts = 0;
        for i in (0..size).filter(|i| is_there(*i)) {
            let first = same.find(i as u32) as usize;
            if first == i {
                of[i] = counts;
                counts += 1;
            } else {
                of[i] = of[first];
            }
        }
        let figures = Lists::new(counts as usize, of.iter().zip(0..).filter(|(v, _)| **v != NONE).map(|(v, i)| (*v, i)));
        let mut signed: Vec<Vec<(u32, i8)>> =
            not_implied(cells).filter(|l| of[l[0] as usize] != NONE).map(|l| with_signs(l, &of)).collect();
        signed.retain(|l| !l.is_empty());
        signed.sort_unstable();
        signed.dedup();
        let pairs = signed.iter().zip(0u32..).flat_map(|(l, at)| l.iter().map(move |t| (at, *t)));
        let lines = Lists::new(signed.len(), pairs.clone());
        let uses = Lists::new(counts as usize, pairs.map(|(at, (v, sign))| (v, (at, sign))));
        Layer { field, of, figures, lines, uses }
    }
}

/// The terms of a line; counts on both sides cancel out.
fn with_signs(line: &[u32], of: &[u32]) -> Vec<(u32, i8)> {
    let mut terms: Vec<(u32, i8)> = line.iter().enumerate().map(|(at, i)| (of[*i as usize], if at == 0 { 1 } else { -1 })).collect();
    terms.sort_unstable();
    let mut sums: Vec<(u32, i8)> = Vec::with_capacity(terms.len());
    for (v, sign) in terms {
        match sums.last_mut() {
            Some(last) if last.0 == v => last.1 += sign,
            _ => sums.push((v, sign)),
        }
    }
    sums.retain(|t| t.1 != 0);
    sums
}

/// Lines without the partitions of entities that are sums of others: they follow from the partitions of the parts.
fn not_implied(cells: &Cells) -> impl Iterator<Item = &[u32]> {
    let entity = |i: u32| cells.figures[i as usize].entity;
    let mut is_sum = vec![false; cells.figures.len()];
    let told = cells.by_chance as usize;
    for line in cells.lines.iter().take(told).filter(|l| entity(l[0]) != entity(l[1])) {
        is_sum[line[0] as usize] = true;
    }
    let is_needed = move |at: usize, l: &[u32]| at >= told || entity(l[0]) != entity(l[1]) || !is_sum[l[0] as usize];
    cells.lines.iter().enumerate().filter(move |(at, l)| is_needed(*at, l)).map(|(_, l)| l)
}

/// What moves by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mover {
    /// Denominators; those who do not count move with them.
    Denominator,
    /// Denominators, and numerators with them.
    Both,
    /// Numerators; those who do not count move against them.
    Numerator,
}

impl Mover {
    /// Denominator and numerator after a move. A plain count has no numerator to move.
    fn moved(self, (d, n): (i64, i64), by: i64, is_plain: bool) -> (i64, i64) {
        match self {
            Mover::Both if !is_plain => (d + by, n + by),
            Mover::Denominator | Mover::Both => (d + by, n),
            Mover::Numerator => (d, n + by),
        }
    }
}

/// What decides whether a count of a figure may move by one while everything else stays.
pub struct Bounds<'a> {
    pub cells: &'a Cells,
    pub policy: &'a Policy,
    pub within: &'a Within,
}

impl Bounds<'_> {
    fn counts(&self, i: u32) -> (i64, i64) {
        let f = &self.cells.figures[i as usize];
        (f.denominator, f.numerator.unwrap_or(0))
    }

    fn moved(&self, mover: Mover, i: u32, by: i64) -> (i64, i64) {
        mover.moved(self.counts(i), by, self.cells.figures[i as usize].numerator.is_none())
    }

    /// Whether what is published of the figure itself lets the count move when it is hidden; `treatment` is that of the figure now.
    pub fn may_move_itself(&self, mover: Mover, i: u32, treatment: Treatment, up: bool) -> bool {
        let (d, n) = self.counts(i);
        let moved = self.moved(mover, i, if up { 1 } else { -1 });
        let (first, last) = match (mover, treatment) {
            (Mover::Denominator | Mover::Both, _) | (_, Treatment::Hidden) => (0, moved.0),
            (Mover::Numerator, Treatment::Shown) => numerators_of_hidden(self.policy, d),
            (Mover::Numerator, t) => possible(self.policy, d, t, n),
        };
        (first..=last).contains(&moved.1) && (moved.0 >= self.policy.hidden_minimum || moved.0 >= d)
    }

    /// The same, with figures that it is within, or that are within it, as they are.
    pub fn may_move(&self, mover: Mover, i: u32, treatment: Treatment, up: bool) -> bool {
        let moved = self.moved(mover, i, if up { 1 } else { -1 });
        self.may_move_itself(mover, i, treatment, up)
            && self.wholes_of(i).all(|w| is_within(moved, self.counts(w.0), w.1))
            && self.parts_of(i).all(|p| is_within(self.counts(p.0), moved, p.1))
    }

    fn wholes_of(&self, i: u32) -> impl Iterator<Item = (u32, bool)> + '_ {
        self.within.wholes.get(i).iter().copied().filter(move |w| self.is_alike(i, w.0))
    }

    fn parts_of(&self, i: u32) -> impl Iterator<Item = (u32, bool)> + '_ {
        self.within.parts.get(i).iter().copied().filter(move |p| self.is_alike(i, p.0))
    }

    fn is_alike(&self, a: u32, b: u32) -> bool {
        let is_plain = |i: u32| self.cells.figures[i as usize].numerator.is_none();
        is_plain(a) == is_plain(b)
    }

    /// The figures next to one that has moved, that must move too for it to stay within its wholes and its parts within it.
    pub fn must_follow(&self, mover: Mover, i: u32, up: bool) -> Vec<u32> {
        let moved = self.moved(mover, i, if up { 1 } else { -1 });
        let wholes = self.wholes_of(i).filter(|w| !is_within(moved, self.counts(w.0), w.1));
        wholes.chain(self.parts_of(i).filter(|p| !is_within(self.counts(p.0), moved, p.1))).map(|f| f.0).collect()
    }

    /// Whether what is published of a figure lets its denominator and numerator move by this much, if they are hidden.
    pub fn allows(&self, i: u32, treatment: Treatment, (x, y): (i64, i64)) -> bool {
        let (d, n) = self.counts(i);
        let (first, last) = match treatment {
            Treatment::Hidden => (0, d + x),
            Treatment::Shown => (n, n),
            t => possible(self.policy, d, t, n),
        };
        let may_move = x == 0 || treatment == Treatment::Hidden && (d + x >= self.policy.hidden_minimum || x > 0);
        may_move && (first..=last).contains(&(n + y))
    }

    /// Whether a figure stays within its wholes, and its parts within it, when figures move.
    pub fn stays_within(&self, i: u32, moved_by: impl Fn(u32) -> (i64, i64)) -> bool {
        let moved = |i: u32| (self.counts(i).0 + moved_by(i).0, self.counts(i).1 + moved_by(i).1);
        self.wholes_of(i).all(|w| is_within(moved(i), moved(w.0), w.1))
            && self.parts_of(i).all(|p| is_within(moved(p.0), moved(i), p.1))
            && self.stays_covered(i, moved)
    }

    /// Whether the covers of a figure suffice, when figures have these counts.
    fn stays_covered(&self, i: u32, counts: impl Fn(u32) -> (i64, i64)) -> bool {
        self.within.covers.get(i).iter().all(|cover| {
            let figures = self.cells.covers.get(*cover);
            let (total, sum) = (counts(figures[0]), figures[1..].iter().map(|p| counts(*p)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)));
            total.0 <= sum.0 && total.1 <= sum.1
        })
    }

    /// Whether figures stay within their wholes when several counts move at once.
    pub fn stay_within(&self, mover: Mover, moves: &[(u32, i64)]) -> bool {
        let moved = |i: u32| {
            let by = moves.binary_search_by_key(&i, |m| m.0).map_or(0, |at| moves[at].1);
            self.moved(mover, i, by)
        };
        moves.iter().all(|(i, _)| {
            self.wholes_of(*i).all(|w| is_within(moved(*i), moved(w.0), w.1))
                && self.parts_of(*i).all(|p| is_within(moved(p.0), moved(*i), p.1))
                && self.stays_covered(*i, moved)
        })
    }
}

/// Students, those who count, and those who do not; or only the first two.
fn is_within(part: (i64, i64), whole: (i64, i64), among: bool) -> bool {
    part.0 <= whole.0 && part.1 <= whole.1 && (among || part.0 - part.1 <= whole.0 - whole.1)
}
