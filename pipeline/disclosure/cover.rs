//! A second table for every hidden count: the true one with a few counts moved by one. What has none without hiding more, gets one by hiding
//! the cheapest figures (spec disclosure, "Protection", 5). So the second tables prove that nothing hidden has one possible value.

use super::cells::Cells;
use super::layer::{Bounds, Layer, NONE, Within};
use super::release::Policy;
use super::route::{Cost, Route, Router};
use super::treatment::{Reason, Treatment};
use crate::published::{Count, Field};

/// What it costs to hide a figure beyond all that moves cost.
const HIDE: u64 = 1 << 20;

/// Treatments and reasons of linked cohorts, with what is hidden in addition.
pub struct Cover<'a> {
    cells: &'a Cells,
    policy: &'a Policy,
    within: Within,
    pub treatments: Vec<Treatment>,
    pub reasons: Vec<Reason>,
    /// Counts without a second table, by its simple moves.
    pub uncovered: Vec<Count>,
}

/// Counts of a layer: which are hidden, may move, and have a second table.
struct State {
    /// What it costs to move down and up; none: it cannot.
    cost: Vec<[Option<u64>; 2]>,
    hidden: Vec<bool>,
    covered: Vec<bool>,
}

struct Hidden<'a>(&'a State);
struct Any<'a>(&'a State);

impl Cost for Hidden<'_> {
    fn of(&self, count: u32, up: bool) -> Option<u64> {
        self.0.cost[count as usize][usize::from(up)].filter(|c| *c == 0)
    }
}

impl Cost for Any<'_> {
    fn of(&self, count: u32, up: bool) -> Option<u64> {
        self.0.cost[count as usize][usize::from(up)]
    }
}

impl<'a> Cover<'a> {
    pub fn new(cells: &'a Cells, policy: &'a Policy, treatments: Vec<Treatment>, reasons: Vec<Reason>) -> Self {
        Cover { cells, policy, within: Within::new(cells), treatments, reasons, uncovered: Vec::new() }
    }

    /// Covers every hidden count, as far as that is possible.
    pub fn run(&mut self) {
        let layers = [Layer::new(self.cells, Field::Denominator), Layer::new(self.cells, Field::Numerator)];
        let mut covered = layers.each_ref().map(|l| vec![false; l.figures.len()]);
        loop {
            self.uncovered.clear();
            for (layer, covered) in layers.iter().zip(&mut covered) {
                self.cover(layer, covered);
            }
            if !self.hide_rows(&layers[0]) {
                return;
            }
        }
    }

    fn cover(&mut self, layer: &Layer, covered: &mut Vec<bool>) {
        let count = layer.figures.len();
        let mut state = State { cost: vec![[None; 2]; count], hidden: vec![false; count], covered: std::mem::take(covered) };
        (0..count as u32).for_each(|v| self.describe(layer, v, &mut state));
        let mut router = Router::new(layer);
        let missing: Vec<u32> = (0..count as u32).filter(|v| state.hidden[*v as usize]).collect();
        let mut left = Vec::new();
        for v in missing {
            if !state.covered[v as usize] && !self.try_with(layer, v, &mut router, &mut state, false) {
                left.push(v);
            }
        }
        for v in left {
            if !state.covered[v as usize] && !self.try_with(layer, v, &mut router, &mut state, true) {
                self.uncovered.extend(layer.figures.get(v).iter().map(|i| Count { cell: *i, field: layer.field }));
            }
        }
        *covered = state.covered;
    }

    /// Notes what a count costs.
    fn describe(&self, layer: &Layer, v: u32, state: &mut State) {
        let figures = layer.figures.get(v);
        let bounds = Bounds { cells: self.cells, policy: self.policy, within: &self.within };
        let is_hidden = |i: &u32| match layer.field {
            Field::Denominator => self.treatments[*i as usize] == Treatment::Hidden,
            Field::Numerator => self.treatments[*i as usize] != Treatment::Shown,
        };
        state.hidden[v as usize] = figures.iter().any(is_hidden);
        let price: Option<u64> = figures.iter().map(|i| if is_hidden(i) { Some(0) } else { self.price(layer.field, *i) }).sum();
        for up in [false, true] {
            let may = figures.iter().all(|i| bounds.may_move(layer.field, *i, self.treatments[*i as usize], up));
            state.cost[v as usize][usize::from(up)] = price.filter(|_| may);
        }
    }

    /// What it costs to hide a count of a figure: all and higher levels cost most, then many students.
    fn price(&self, field: Field, i: u32) -> Option<u64> {
        let i = i as usize;
        let f = &self.cells.figures[i];
        let shown_before = match field {
            Field::Denominator => self.cells.prior[i].is_some_and(|t| t.shows_denominator()),
            Field::Numerator => self.cells.prior[i] == Some(Treatment::Shown),
        };
        let level = 1 << (2 * (4 - u64::from(self.cells.levels[i].min(4))));
        let all = if f.group == 0 { 16 } else { 1 };
        (!shown_before).then(|| HIDE * level * all + (f.denominator as u64).min(HIDE / 2))
    }

    fn try_with(&mut self, layer: &Layer, v: u32, router: &mut Router, state: &mut State, hide_more: bool) -> bool {
        let bounds = Bounds { cells: self.cells, policy: self.policy, within: &self.within };
        let mut best: Option<Route> = None;
        for up in [true, false] {
            let at_most = best.as_ref().map_or(u64::MAX / 2, |b| b.cost.saturating_sub(1));
            let route =
                if hide_more { router.route(v, up, &Any(state), at_most) } else { router.route(v, up, &Hidden(state), at_most) };
            let Some(route) = route else { continue };
            let of_count = |(v, by): &(u32, i64)| layer.figures.get(*v).iter().map(|i| (*i, *by)).collect::<Vec<_>>();
            let mut figures: Vec<(u32, i64)> = route.moves.iter().flat_map(of_count).collect();
            figures.sort_unstable();
            if bounds.stay_within(layer.field, &figures) {
                best = Some(route);
                if !hide_more {
                    break;
                }
            }
        }
        let Some(route) = best else { return false };
        for &(v, _) in &route.moves {
            state.covered[v as usize] = true;
            if !state.hidden[v as usize] {
                layer.figures.get(v).iter().for_each(|i| self.hide(layer.field, *i));
                self.describe(layer, v, state);
            }
        }
        true
    }

    fn hide(&mut self, field: Field, i: u32) {
        let i = i as usize;
        let now = match (field, self.treatments[i]) {
            (Field::Denominator, t) if t != Treatment::Hidden => Treatment::Hidden,
            (Field::Numerator, Treatment::Shown) => Treatment::NumeratorHidden,
            _ => return,
        };
        (self.treatments[i], self.reasons[i]) = (now, Reason::Secondary);
    }

    /// Hides the row of a numerator that the rule itself leaves one value; no if there is none.
    fn hide_rows(&mut self, denominators: &Layer) -> bool {
        let bounds = Bounds { cells: self.cells, policy: self.policy, within: &self.within };
        let is_stuck = |c: &Count| {
            let treatment = self.treatments[c.cell as usize];
            let moves = |up: bool| bounds.may_move(Field::Numerator, c.cell, treatment, up);
            c.field == Field::Numerator && treatment.shows_denominator() && !moves(true) && !moves(false)
        };
        let rows: Vec<u32> = self.uncovered.iter().filter(|c| is_stuck(c)).map(|c| denominators.of[c.cell as usize]).collect();
        let mut hidden = false;
        for v in rows.into_iter().filter(|v| *v != NONE) {
            let figures = denominators.figures.get(v);
            if figures.iter().all(|i| self.price(Field::Denominator, *i).is_some()) {
                hidden |= figures.iter().any(|i| self.treatments[*i as usize] != Treatment::Hidden);
                figures.iter().for_each(|i| self.hide(Field::Denominator, *i));
            }
        }
        hidden
    }
}
