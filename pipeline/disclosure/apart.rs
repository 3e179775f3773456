//! Second tables in which denominators and numerators go different ways. Where all or none of a figure's students count, its denominator cannot
//! move alone, and its numerator cannot always move with it all the way: the numerators then close their lines on other figures.

use super::cover::{Cover, Side};
use super::layer::{Layer, NONE};
use super::route::Cost;
use super::treatment::Treatment;
use crate::published::{Count, Field, Move};
use std::collections::BTreeMap;

/// What it costs to take a figure's other count along.
const ALONG: u64 = 6;

/// How far figures move: denominator and numerator.
type Moved = BTreeMap<u32, (i64, i64)>;

/// By one in a field.
fn by(field: Field, by: i64) -> (i64, i64) {
    if field == Field::Denominator { (by, 0) } else { (0, by) }
}

/// Counts of the first field, each alone or with the other count of its figure.
struct First<'a> {
    cover: &'a Cover<'a>,
    layer: &'a Layer,
}

impl Cost for First<'_> {
    fn of(&self, count: u32, up: bool) -> Option<u64> {
        let step = if up { 1 } else { -1 };
        let of_figure = |i: &u32| self.cover.alone_or_along(self.layer.field, *i, step).map(|along| if along { ALONG } else { 0 });
        self.layer.figures.get(count).iter().map(of_figure).sum()
    }
}

/// Counts of the other field, when those of the first have moved.
struct Second<'a> {
    cover: &'a Cover<'a>,
    layer: &'a Layer,
    moved: &'a Moved,
    starts: &'a BTreeMap<u32, i8>,
}

impl Cost for Second<'_> {
    fn of(&self, count: u32, up: bool) -> Option<u64> {
        let step = if up { 1 } else { -1 };
        if let Some(start) = self.starts.get(&count) {
            return (i64::from(*start) == step).then_some(0);
        }
        let field = self.layer.field;
        let may = |i: &u32| {
            let (x, y) = self.moved.get(i).copied().unwrap_or_default();
            let (a, b) = by(field, step);
            self.cover.is_hidden(field, *i) && self.cover.may(*i, (x + a, y + b), self.moved)
        };
        self.layer.figures.get(count).iter().all(may).then_some(0)
    }
}

impl Cover<'_> {
    /// Whether a figure may move so far while others have moved.
    fn may(&self, i: u32, by: (i64, i64), moved: &Moved) -> bool {
        let of = |f: u32| if f == i { by } else { moved.get(&f).copied().unwrap_or_default() };
        self.bounds().allows(i, self.treatments[i as usize], by) && self.bounds().stays_within(i, of)
    }

    /// Whether the count of a figure may move alone (no), or together with the other one (yes); none if neither.
    fn alone_or_along(&self, field: Field, i: u32, step: i64) -> Option<bool> {
        let nothing = Moved::new();
        let is_both = self.treatments[i as usize] == Treatment::Hidden && self.cells.figures[i as usize].numerator.is_some();
        match self.is_hidden(field, i) {
            false => None,
            true if self.may(i, by(field, step), &nothing) => Some(false),
            true => (is_both && self.may(i, (step, step), &nothing)).then_some(true),
        }
    }

    /// Looks for such a second table of a count of the first side.
    pub(super) fn apart(&mut self, first: &mut Side, other: &mut Side, v: u32) -> bool {
        let Some((moved, counts)) = [true, false].into_iter().find_map(|up| self.part(first, other, v, up)) else { return false };
        let has = |i: u32, f: Field| f == Field::Denominator || self.cells.figures[i as usize].numerator.is_some();
        let of_figure = |(i, (x, y)): (&u32, &(i64, i64))| [(*i, Field::Denominator, *x), (*i, Field::Numerator, *y)];
        let moving = moved.iter().flat_map(of_figure).filter(|(i, f, by)| *by != 0 && has(*i, *f));
        let mut change: Vec<(Count, i64)> = moving.map(|(cell, field, by)| (Count { cell, field }, by)).collect();
        change.sort_unstable();
        self.moves.push(Move { change });
        counts[0].iter().for_each(|c| first.state.covered[*c as usize] = true);
        counts[1].iter().for_each(|c| other.state.covered[*c as usize] = true);
        true
    }

    /// The figures that move, and the counts of both sides.
    fn part(&self, first: &mut Side, other: &mut Side, v: u32, up: bool) -> Option<(Moved, [Vec<u32>; 2])> {
        let (field, layer) = (first.layer.field, first.layer);
        let start = First { cover: self, layer };
        start.of(v, up)?;
        let route = first.router.route(&[v], up, &start, u64::MAX / 2)?;
        let mut moved = Moved::new();
        for (count, step) in &route.moves {
            layer.figures.get(*count).iter().for_each(|i| {
                moved.insert(*i, by(field, *step));
            });
        }
        let mut starts = BTreeMap::new();
        for (i, (x, y)) in moved.iter().filter(|(i, by)| !self.may(**i, **by, &moved)) {
            let count = other.layer.of[*i as usize];
            let along = (x + y).signum() as i8;
            if count == NONE || *starts.entry(count).or_insert(along) != along {
                return None;
            }
        }
        let cost = Second { cover: self, layer: other.layer, moved: &moved, starts: &starts };
        let second = other.router.route_each(&starts, &cost)?;
        for (count, step) in &second.moves {
            for i in other.layer.figures.get(*count) {
                let (x, y) = by(other.layer.field, *step);
                let so_far = moved.entry(*i).or_default();
                *so_far = (so_far.0 + x, so_far.1 + y);
            }
        }
        let holds = moved.iter().all(|(i, by)| self.may(*i, *by, &moved));
        let counts = |moves: &[(u32, i64)]| moves.iter().map(|m| m.0).collect::<Vec<u32>>();
        holds.then(|| (moved, [counts(&route.moves), counts(&second.moves)]))
    }
}
