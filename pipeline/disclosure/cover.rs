//! A second table for every hidden count: the true one with a few counts moved by one. What has none without hiding more, gets one by hiding
//! the cheapest figures (spec disclosure, "Protection", 5). So the second tables prove that nothing hidden has one possible value.

use super::cells::Cells;
use super::layer::{Bounds, Layer, Mover, NONE, Within};
use super::release::Policy;
use super::route::{Cost, Route, Router};
use super::treatment::{Reason, Treatment};
use crate::published::{Count, Field, Move};

/// What it costs to hide a figure beyond all that moves cost.
const HIDE: u64 = 1 << 20;

/// So many counts move together at most.
const TOGETHER: usize = 80;

/// Treatments and reasons of linked cohorts, with what is hidden in addition.
pub struct Cover<'a> {
    cells: &'a Cells,
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
struct State {
    /// For each mover, what it costs to move down and up; none: it cannot.
    cost: [Vec<[Option<u64>; 2]>; 2],
    hidden: Vec<bool>,
    covered: Vec<bool>,
}

/// Counts moved by one mover, by its number; `hide`: also those that are to be hidden for it.
struct Moving<'a> {
    state: &'a State,
    mover: usize,
    hide: bool,
}

impl Cost for Moving<'_> {
    fn of(&self, count: u32, up: bool) -> Option<u64> {
        self.state.cost[self.mover][count as usize][usize::from(up)].filter(|c| self.hide || *c == 0)
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
        let [denominators, numerators] = [Layer::new(self.cells, Field::Denominator), Layer::new(self.cells, Field::Numerator)];
        let mut covered = [vec![false; denominators.figures.len()], vec![false; numerators.figures.len()]];
        loop {
            self.uncovered.clear();
            let mut state = self.state(&denominators, std::mem::take(&mut covered[0]));
            let mut router = Router::new(&denominators);
            let left = self.without_hiding(&denominators, &mut router, &mut state);
            self.by_hiding(&denominators, &mut router, &mut state, left);
            let mut own = self.state(&numerators, std::mem::take(&mut covered[1]));
            let mut own_router = Router::new(&numerators);
            self.take_moved_with(&numerators, &mut own);
            let left = self.without_hiding(&numerators, &mut own_router, &mut own);
            // A numerator that cannot move by itself may move with its denominator.
            for i in left.iter().flat_map(|v| numerators.figures.get(*v)) {
                if self.treatments[*i as usize] == Treatment::Hidden && !self.moved_with[*i as usize] {
                    self.try_with(&denominators, denominators.of[*i as usize], &mut router, &mut state, &[1], false);
                }
            }
            self.take_moved_with(&numerators, &mut own);
            self.by_hiding(&numerators, &mut own_router, &mut own, left);
            covered = [state.covered, own.covered];
            if !self.hide_rows(&denominators) {
                return;
            }
        }
    }

    fn state(&self, layer: &Layer, covered: Vec<bool>) -> State {
        let count = layer.figures.len();
        let mut state = State { cost: [vec![[None; 2]; count], vec![[None; 2]; count]], hidden: vec![false; count], covered };
        (0..count as u32).for_each(|v| self.describe(layer, v, &mut state));
        state
    }

    /// Numerators that moved with their denominators have a second table.
    fn take_moved_with(&self, numerators: &Layer, state: &mut State) {
        for v in 0..numerators.figures.len() as u32 {
            state.covered[v as usize] |= numerators.figures.get(v).iter().all(|i| self.moved_with[*i as usize]);
        }
    }

    /// Looks for second tables of all hidden counts; gives those that have none.
    fn without_hiding(&mut self, layer: &Layer, router: &mut Router, state: &mut State) -> Vec<u32> {
        let hidden: Vec<u32> = (0..state.hidden.len() as u32).filter(|v| state.hidden[*v as usize]).collect();
        hidden.into_iter().filter(|v| !state.covered[*v as usize] && !self.try_with(layer, *v, router, state, all(layer), false)).collect()
    }

    /// Hides what gives the others a second table.
    fn by_hiding(&mut self, layer: &Layer, router: &mut Router, state: &mut State, left: Vec<u32>) {
        for v in left {
            if !state.covered[v as usize] && !self.try_with(layer, v, router, state, all(layer), true) {
                self.uncovered.extend(layer.figures.get(v).iter().map(|i| Count { cell: *i, field: layer.field }));
            }
        }
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
        for (mover, cost) in movers_of(layer.field).iter().zip(&mut state.cost) {
            cost[v as usize] = [false, true].map(|up| {
                let may = figures.iter().all(|i| bounds.may_move(*mover, *i, self.treatments[*i as usize], up));
                price.filter(|_| may)
            });
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

    fn try_with(&mut self, layer: &Layer, v: u32, router: &mut Router, state: &mut State, movers: &[usize], hide: bool) -> bool {
        let mut best: Option<Found> = None;
        for (number, up) in movers.iter().flat_map(|m| [(*m, true), (*m, false)]) {
            if best.is_some() && !hide {
                break;
            }
            let mover = movers_of(layer.field)[number];
            let at_most = best.as_ref().map_or(u64::MAX / 2, |b| b.0.cost.saturating_sub(1));
            let Some(together) = self.together(layer, v, mover, up) else { continue };
            let Some(route) = router.route(&together, up, &Moving { state, mover: number, hide }, at_most) else { continue };
            let of_count = |(v, by): &(u32, i64)| layer.figures.get(*v).iter().map(|i| (*i, *by)).collect::<Vec<_>>();
            let mut figures: Vec<(u32, i64)> = route.moves.iter().flat_map(of_count).collect();
            figures.sort_unstable();
            let bounds = Bounds { cells: self.cells, policy: self.policy, within: &self.within };
            if bounds.stay_within(mover, &figures) {
                best = Some((route, mover, figures));
            }
        }
        let Some((route, mover, figures)) = best else { return false };
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
        let bounds = Bounds { cells: self.cells, policy: self.policy, within: &self.within };
        let mut counts = vec![v];
        let mut at = 0;
        while let Some(count) = counts.get(at).copied() {
            for &i in layer.figures.get(count) {
                let treatment = self.treatments[i as usize];
                let is_hidden =
                    if layer.field == Field::Denominator { treatment == Treatment::Hidden } else { treatment != Treatment::Shown };
                if !is_hidden || !bounds.may_move_itself(mover, i, treatment, up) || counts.len() > TOGETHER {
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
        let bounds = Bounds { cells: self.cells, policy: self.policy, within: &self.within };
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
