//! A second table for every hidden count: the true one with a few counts moved by one. What has none without hiding more, gets one by hiding
//! the cheapest figures (spec disclosure, "Protection", 5). So the second tables prove that nothing hidden has one possible value.

use super::cells::{Cells, weight};
use super::layer::{Bounds, Layer, Mover, NONE, Within};
use super::release::Policy;
use super::route::{BRANCH, Cost, Route, Router};
use super::treatment::{Reason, Treatment};
use crate::published::{Count, Field, Move};

/// What it costs to hide a figure beyond all that moves cost.
const HIDE: u64 = 1 << 20;

/// So many counts move together at most.
const TOGETHER: usize = 80;

/// Treatments and reasons of linked cohorts, with what is hidden in addition.
pub struct Cover<'a> {
    pub(super) cells: &'a Cells,
    policy: &'a Policy,
    within: Within,
    /// Figures whose numerators have a second table in which they move with their denominators.
    moved_with: Vec<bool>,
    pub treatments: Vec<Treatment>,
    pub reasons: Vec<Reason>,
    /// Counts without a second table, by its simple moves.
    pub uncovered: Vec<Count>,
    /// The second tables, as differences to the true one.
    pub moves: Vec<Move>,
}

/// Counts of a layer: which are hidden, may move, and have a second table.
pub(super) struct State {
    /// For each mover, what it costs to move down and up; none: it cannot.
    cost: [Vec<[Option<u64>; 2]>; 2],
    hidden: Vec<bool>,
    pub(super) covered: Vec<bool>,
}

/// A layer and what is known of its counts.
pub(super) struct Side<'a> {
    pub(super) layer: &'a Layer,
    pub(super) router: Router<'a>,
    pub(super) state: State,
}

/// Counts moved by one mover in one of the ways that are tried.
struct Moving<'a> {
    state: &'a State,
    way: Way,
}

/// A way to look for a move.
#[derive(Clone, Copy)]
struct Way {
    /// Number of the mover.
    mover: usize,
    up: bool,
    /// Nothing that costs more is hidden.
    dearest: u64,
    /// What it costs to leave more lines to close.
    branch: u64,
    /// Another number, other counts among those that cost about the same.
    turn: u64,
}

/// How often it is tried with other counts of about the same cost.
const TURNS: u64 = 5;

impl Way {
    /// Ways in their order; with hiding, in groups of which the first that has any move is taken: high levels are hidden only when lower ones do not do.
    fn all(movers: &[usize], hide: bool) -> Vec<Way> {
        let each = |dearest: u64, branch: u64, turn: u64| {
            let both = |mover: &usize| [true, false].map(|up| Way { mover: *mover, up, dearest, branch, turn });
            movers.iter().flat_map(both).collect::<Vec<Way>>()
        };
        match hide {
            true => [3, 5, 7, 9, 11, 20]
                .iter()
                .flat_map(|bits| [13, 9, 5, 0].map(|b| each(HIDE << bits, if b == 0 { BRANCH } else { HIDE << b }, 0)))
                .flatten()
                .collect(),
            false => [HIDE, BRANCH]
                .map(|branch| each(0, branch, 0))
                .into_iter()
                .chain((1..=TURNS).map(|turn| each(0, [BRANCH / 4, BRANCH, BRANCH * 10][turn as usize % 3], turn)))
                .flatten()
                .collect(),
        }
    }
}

impl Cost for Moving<'_> {
    fn of(&self, count: u32, up: bool) -> Option<u64> {
        let cost = self.state.cost[self.way.mover][count as usize][usize::from(up)].filter(|c| *c <= self.way.dearest)?;
        let mixed = (u64::from(count) + self.way.turn).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        Some(cost + mixed.checked_rem(4 * self.way.turn).unwrap_or(0))
    }

    fn branch(&self) -> u64 {
        self.way.branch
    }
}

/// What can move the counts of a field.
fn movers_of(field: Field) -> &'static [Mover] {
    match field {
        Field::Denominator => &[Mover::Denominator, Mover::Both],
        Field::Numerator => &[Mover::Numerator],
    }
}

/// A way to move a count, what moves it, and the figures that move.
type Found = (Route, Mover, Vec<(u32, i64)>);

/// All movers of a layer, by number.
fn all(layer: &Layer) -> &'static [usize] {
    if layer.field == Field::Denominator { &[0, 1] } else { &[0] }
}

impl<'a> Cover<'a> {
    pub fn new(cells: &'a Cells, policy: &'a Policy, treatments: Vec<Treatment>, reasons: Vec<Reason>) -> Self {
        Cover {
            cells,
            policy,
            within: Within::new(cells),
            moved_with: vec![false; cells.figures.len()],
            treatments,
            reasons,
            uncovered: Vec::new(),
            moves: Vec::new(),
        }
    }

    /// Covers every hidden count, as far as that is possible.
    pub fn run(&mut self) {
        let layers = [Layer::new(self.cells, Field::Denominator), Layer::new(self.cells, Field::Numerator)];
        let [mut denominators, mut numerators] = layers.each_ref().map(|layer| {
            let state = self.state(layer, vec![false; layer.figures.len()]);
            Side { layer, router: Router::new(layer), state }
        });
        loop {
            self.uncovered.clear();
            let mut left = self.without_hiding(&mut denominators);
            left.retain(|v| !denominators.state.covered[*v as usize] && !self.apart(&mut denominators, &mut numerators, *v));
            self.by_hiding(&mut denominators, left);
            self.renew(&mut numerators);
            self.take_moved_with(&mut numerators);
            let mut left = self.without_hiding(&mut numerators);
            // A numerator that cannot move by itself may move with its denominator.
            for i in left.iter().flat_map(|v| numerators.layer.figures.get(*v)) {
                if self.treatments[*i as usize] == Treatment::Hidden && !self.moved_with[*i as usize] {
                    self.try_with(&mut denominators, layers[0].of[*i as usize], &[1], false);
                }
            }
            self.take_moved_with(&mut numerators);
            left.retain(|v| !numerators.state.covered[*v as usize] && !self.apart(&mut numerators, &mut denominators, *v));
            self.by_hiding(&mut numerators, left);
            if !self.hide_rows(denominators.layer) {
                return;
            }
            self.renew(&mut denominators);
            self.renew(&mut numerators);
        }
    }

    /// The state of counts after more was hidden.
    fn renew(&self, side: &mut Side) {
        side.state = self.state(side.layer, std::mem::take(&mut side.state.covered));
    }

    fn state(&self, layer: &Layer, covered: Vec<bool>) -> State {
        let count = layer.figures.len();
        let mut state = State { cost: [vec![[None; 2]; count], vec![[None; 2]; count]], hidden: vec![false; count], covered };
        (0..count as u32).for_each(|v| self.describe(layer, v, &mut state));
        state
    }

    /// Numerators that moved with their denominators have a second table.
    fn take_moved_with(&self, numerators: &mut Side) {
        let figures = &numerators.layer.figures;
        for v in 0..figures.len() as u32 {
            numerators.state.covered[v as usize] |= figures.get(v).iter().all(|i| self.moved_with[*i as usize]);
        }
    }

    /// Looks for second tables of all hidden counts; gives those that have none.
    fn without_hiding(&mut self, side: &mut Side) -> Vec<u32> {
        let hidden: Vec<u32> = (0..side.state.hidden.len() as u32).filter(|v| side.state.hidden[*v as usize]).collect();
        hidden.into_iter().filter(|v| !side.state.covered[*v as usize] && !self.try_with(side, *v, all(side.layer), false)).collect()
    }

    /// Hides what gives the others a second table.
    fn by_hiding(&mut self, side: &mut Side, left: Vec<u32>) {
        let layer = side.layer;
        for v in left {
            if !side.state.covered[v as usize] && !self.try_with(side, v, all(layer), true) {
                self.uncovered.extend(layer.figures.get(v).iter().map(|i| Count { cell: *i, field: layer.field }));
            }
        }
    }

    /// Notes what a count costs.
    fn describe(&self, layer: &Layer, v: u32, state: &mut State) {
        let figures = layer.figures.get(v);
        let bounds = self.bounds();
        let is_hidden = |i: &u32| self.is_hidden(layer.field, *i);
        state.hidden[v as usize] = figures.iter().any(is_hidden);
        let price: Option<u64> = figures.iter().map(|i| if is_hidden(i) { Some(0) } else { self.price(layer.field, *i) }).sum();
        for (mover, cost) in movers_of(layer.field).iter().zip(&mut state.cost) {
            cost[v as usize] = [false, true].map(|up| {
                let may = figures.iter().all(|i| bounds.may_move(*mover, *i, self.treatments[*i as usize], up));
                price.filter(|_| may)
            });
        }
    }

    pub(super) fn is_hidden(&self, field: Field, i: u32) -> bool {
        match field {
            Field::Denominator => self.treatments[i as usize] == Treatment::Hidden,
            Field::Numerator => self.treatments[i as usize] != Treatment::Shown,
        }
    }

    pub(super) fn bounds(&self) -> Bounds<'_> {
        Bounds { cells: self.cells, policy: self.policy, within: &self.within }
    }

    /// What it costs to hide a count of a figure: all and higher levels cost most, then many students.
    fn price(&self, field: Field, i: u32) -> Option<u64> {
        let i = i as usize;
        let f = &self.cells.figures[i];
        let shown_before = match field {
            Field::Denominator => self.cells.prior[i].is_some_and(|t| t.shows_denominator()),
            Field::Numerator => self.cells.prior[i] == Some(Treatment::Shown),
        };
        (!shown_before).then(|| (HIDE << weight(self.cells.levels[i], f.group == 0)) + (f.denominator as u64).min(HIDE / 2))
    }

    fn try_with(&mut self, side: &mut Side, v: u32, movers: &[usize], hide: bool) -> bool {
        let Side { layer, router, state } = side;
        let mut best: Option<(Found, u64)> = None;
        for way in Way::all(movers, hide) {
            if best.as_ref().is_some_and(|b| !hide || b.1 < way.dearest) {
                break;
            }
            let mover = movers_of(layer.field)[way.mover];
            let Some(together) = self.together(layer, v, mover, way.up) else { continue };
            let moving = Moving { state, way };
            let Some(mut route) = router.route(&together, way.up, &moving, u64::MAX / 2) else { continue };
            route.cost = route.moves.iter().filter(|m| !together.contains(&m.0)).filter_map(|m| moving.of(m.0, m.1 > 0)).sum();
            if best.as_ref().is_some_and(|b| b.0.0.cost <= route.cost) {
                continue;
            }
            let of_count = |(v, by): &(u32, i64)| layer.figures.get(*v).iter().map(|i| (*i, *by)).collect::<Vec<_>>();
            let mut figures: Vec<(u32, i64)> = route.moves.iter().flat_map(of_count).collect();
            figures.sort_unstable();
            if self.bounds().stay_within(mover, &figures) {
                best = Some(((route, mover, figures), way.dearest));
            }
        }
        let Some(((route, mover, figures), _)) = best else { return false };
        self.moves.push(self.second_table(mover, &figures));
        if mover == Mover::Both {
            route.moves.iter().flat_map(|m| layer.figures.get(m.0)).for_each(|i| self.moved_with[*i as usize] = true);
        }
        for &(v, _) in &route.moves {
            state.covered[v as usize] = true;
            if !state.hidden[v as usize] {
                layer.figures.get(v).iter().for_each(|i| self.hide(layer.field, *i));
                self.describe(layer, v, state);
            }
        }
        true
    }

    /// Figures that move, as a difference of tables.
    fn second_table(&self, mover: Mover, figures: &[(u32, i64)]) -> Move {
        let fields: &[Field] = match mover {
            Mover::Denominator => &[Field::Denominator],
            Mover::Numerator => &[Field::Numerator],
            Mover::Both => &[Field::Denominator, Field::Numerator],
        };
        let has = |cell: u32, field: Field| field == Field::Denominator || self.cells.figures[cell as usize].numerator.is_some();
        let of_figure = |&(cell, by): &(u32, i64)| {
            fields.iter().filter(move |f| has(cell, **f)).map(move |&field| (Count { cell, field }, by)).collect::<Vec<_>>()
        };
        let mut change: Vec<(Count, i64)> = figures.iter().flat_map(of_figure).collect();
        change.sort_unstable();
        Move { change }
    }

    /// A hidden count with those that must move with it, if all of them are hidden and may move.
    fn together(&self, layer: &Layer, v: u32, mover: Mover, up: bool) -> Option<Vec<u32>> {
        let bounds = self.bounds();
        let mut counts = vec![v];
        let mut at = 0;
        while let Some(count) = counts.get(at).copied() {
            for &i in layer.figures.get(count) {
                let treatment = self.treatments[i as usize];
                if !self.is_hidden(layer.field, i) || !bounds.may_move_itself(mover, i, treatment, up) || counts.len() > TOGETHER {
                    return None;
                }
                let follow = bounds.must_follow(mover, i, up).into_iter().map(|f| layer.of[f as usize]);
                let new: Vec<u32> = follow.filter(|f| !counts.contains(f)).collect();
                counts.extend(new);
            }
            at += 1;
        }
        counts.sort_unstable();
        counts.dedup();
        (!counts.contains(&NONE)).then_some(counts)
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
        let bounds = self.bounds();
        let is_stuck = |c: &Count| {
            let treatment = self.treatments[c.cell as usize];
            let moves = |up: bool| bounds.may_move_itself(Mover::Numerator, c.cell, treatment, up);
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
