//! Hides more until the attacker finds nothing (spec disclosure, "Protection", 5: whole numbers leak where linear algebra finds nothing).
//!
//! Each round protects at least one more count for every finding, and there are finitely many, so it ends; when everything is hidden, nothing
//! follows from anything. Only what an earlier release showed can keep a finding open.

use super::cells::{Cells, weight};
use super::cover::Cover;
use super::near::{Attacker, second_tables};
use super::pattern::{Extra, Pattern, decide};
use super::rate::by_rate;
use super::release::Policy;
use super::treatment::{Reason, Treatment};
use super::view;
use crate::published::{Count, Field, Move, Published, Table};

/// Times that more is hidden; what is left then is not decided, and nothing is published.
const ROUNDS: u32 = 12;

/// Treatments of linked cohorts.
pub struct Repaired {
    pub treatments: Vec<Treatment>,
    pub reasons: Vec<Reason>,
    pub open: Vec<Count>,
    pub undecided: Vec<Count>,
    pub moves: Vec<Move>,
    pub rounds: u32,
}

/// Decides and repairs.
pub fn protect(cells: &Cells, policy: &Policy, attacker: &Attacker) -> Repaired {
    let size = cells.figures.len();
    let mut extra = Extra { denominators: vec![false; size], numerators: vec![false; size] };
    let truth = Table {
        denominator: cells.figures.iter().map(|f| f.denominator).collect(),
        numerator: cells.figures.iter().map(|f| f.numerator.unwrap_or(0)).collect(),
    };
    let mut rounds = 0;
    let mut times = vec![0u8; size];
    loop {
        let pattern = decide(cells, policy, &extra);
        let (treatments, reasons) = treat(cells, policy, &pattern);
        if !policy.protected {
            return Repaired { treatments, reasons, open: Vec::new(), undecided: Vec::new(), moves: Vec::new(), rounds };
        }
        let mut cover = Cover::new(cells, policy, treatments, reasons);
        cover.run();
        let Cover { treatments, reasons, uncovered, mut moves, .. } = cover;
        // Of what has a second table, no attacker can find the value.
        let (more, left) = match uncovered.is_empty() {
            true => (Vec::new(), Vec::new()),
            false => second_tables(&view::of_cells(cells, policy, &treatments), &truth, &uncovered, attacker),
        };
        tracing::debug!(figures = size, round = rounds, without_simple_move = uncovered.len(), left = left.len(), "repair");
        moves.extend(more);
        let before: &[Count] = if rounds == 0 { &cells.found } else { &[] };
        let mut search = Search::new(cells, policy, &treatments, &mut extra);
        // What is found again needs more: twice as much each time.
        let mut hide_for = |list: &[Count]| {
            let hide = |c: &&Count| {
                let before = &mut times[c.cell as usize];
                *before = (*before + 1).min(6);
                (0..1 << (*before - 1)).filter(|_| search.hide_for(**c)).count() > 0
            };
            list.iter().filter(hide).count()
        };
        let hidden_more = rounds < ROUNDS && hide_for(before) + hide_for(&left) > 0;
        if !hidden_more {
            // What an earlier release showed keeps these open.
            let open = pattern.open.iter().map(|i| Count { cell: *i, field: open_field(&treatments[*i as usize]) }).collect();
            return Repaired { treatments, reasons, open, undecided: left, moves, rounds };
        }
        rounds += 1;
    }
}

fn open_field(treatment: &Treatment) -> Field {
    if treatment.shows_denominator() && *treatment != Treatment::Shown { Field::Numerator } else { Field::Denominator }
}

/// Treatments and reasons from what is hidden.
fn treat(cells: &Cells, policy: &Policy, pattern: &Pattern) -> (Vec<Treatment>, Vec<Reason>) {
    let treat = |(i, f): (usize, &super::release::Figure)| {
        let (denominator, numerator) = (pattern.denominators[i], pattern.numerators[i]);
        let n = match f.numerator {
            _ if denominator != Reason::None => return (Treatment::Hidden, denominator),
            Some(n) if numerator != Reason::None => n,
            _ => return (Treatment::Shown, Reason::None),
        };
        match (cells.prior[i], by_rate(policy, f.denominator, n)) {
            (Some(band @ Treatment::Band(_)), _) | (_, band @ Treatment::Band(_)) => (band, Reason::Band),
            _ => (Treatment::NumeratorHidden, numerator),
        }
    };
    let mut both: (Vec<Treatment>, Vec<Reason>) = cells.figures.iter().enumerate().map(treat).unzip();
    for i in pattern.open.iter().filter(|i| both.0[**i as usize] == Treatment::Shown).collect::<Vec<_>>() {
        both.1[*i as usize] = Reason::PriorRelease;
    }
    both
}

/// Finds what else to hide for a finding.
struct Search<'a> {
    cells: &'a Cells,
    policy: &'a Policy,
    treatments: &'a [Treatment],
    extra: &'a mut Extra,
    /// Lines of each figure.
    starts: Vec<u32>,
    lines: Vec<u32>,
    /// Figures that each is within, contains, or is the same as.
    beside: Vec<Vec<u32>>,
    /// Which figures the search has come to, by its number.
    seen: Vec<u32>,
    number: u32,
    /// As published, for the bounds of counts; filled when there is a finding.
    view: Option<Published>,
}

/// A count may grow or shrink by one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Direction {
    fn opposite(self) -> Self {
        if self == Direction::Up { Direction::Down } else { Direction::Up }
    }
}

impl<'a> Search<'a> {
    fn new(cells: &'a Cells, policy: &'a Policy, treatments: &'a [Treatment], extra: &'a mut Extra) -> Self {
        Search {
            cells,
            policy,
            treatments,
            extra,
            starts: Vec::new(),
            lines: Vec::new(),
            beside: Vec::new(),
            seen: Vec::new(),
            number: 0,
            view: None,
        }
    }

    fn index(&mut self) {
        let mut starts = vec![0u32; self.cells.figures.len() + 1];
        self.cells.lines.iter().flatten().for_each(|i| starts[*i as usize + 1] += 1);
        (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
        let mut at = starts.clone();
        self.lines = vec![0; starts.last().map_or(0, |n| *n as usize)];
        for line in 0..self.cells.lines.len() as u32 {
            for i in self.cells.lines.get(line) {
                self.lines[at[*i as usize] as usize] = line;
                at[*i as usize] += 1;
            }
        }
        self.starts = starts;
        self.seen = vec![0; self.cells.figures.len()];
        self.beside = vec![Vec::new(); self.cells.figures.len()];
        for &(a, b) in self.cells.within.iter().chain(&self.cells.among).chain(&self.cells.same) {
            self.beside[a as usize].push(b);
            self.beside[b as usize].push(a);
        }
        for figures in self.cells.covers.iter() {
            figures[1..].iter().for_each(|part| self.beside[*part as usize].push(figures[0]));
            self.beside[figures[0] as usize].extend(&figures[1..]);
        }
        self.view = Some(view::of_cells(self.cells, self.policy, self.treatments));
    }

    fn lines_of(&self, i: u32) -> &[u32] {
        &self.lines[self.starts[i as usize] as usize..self.starts[i as usize + 1] as usize]
    }

    /// Protects more because of a finding; no if there is nothing more to hide.
    fn hide_for(&mut self, finding: Count) -> bool {
        if self.view.is_none() {
            self.index();
        }
        let Count { cell, field } = finding;
        let directions = [Direction::Up, Direction::Down].into_iter().filter(|d| self.can_move(cell, field, *d, false));
        let plans: Vec<Vec<u32>> = directions.map(|d| self.plan(cell, field, d)).collect();
        let cost = |plan: &&Vec<u32>| plan.iter().map(|i| self.cost(*i)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let best = plans.iter().filter(|p| !p.is_empty()).min_by_key(cost).cloned();
        match best {
            Some(plan) => plan.into_iter().for_each(|i| self.protect(i, field)),
            None if field == Field::Numerator && plans.is_empty() && self.may_hide(cell, Field::Denominator) => {
                self.protect(cell, Field::Denominator);
            }
            None => match self.nearest(cell, field) {
                Some((i, field)) => self.protect(i, field),
                None => return false,
            },
        }
        true
    }

    fn protect(&mut self, i: u32, field: Field) {
        match field {
            Field::Denominator => self.extra.denominators[i as usize] = true,
            Field::Numerator => self.extra.numerators[i as usize] = true,
        }
    }

    /// In every line of a count that is to move, and in which no hidden count can move against it, the cheapest that could.
    fn plan(&self, cell: u32, field: Field, direction: Direction) -> Vec<u32> {
        let mut plan = Vec::new();
        for line in self.lines_of(cell) {
            let line = self.cells.lines.get(*line);
            let against = |i: u32| if (line[0] == cell) != (line[0] == i) { direction } else { direction.opposite() };
            let others = || line.iter().copied().filter(|i| *i != cell);
            if others().any(|i| self.is_hidden(i, field) && self.can_move(i, field, against(i), false)) {
                continue;
            }
            let could = |i: &u32| self.may_hide(*i, field) && self.can_move(*i, field, against(*i), true);
            plan.extend(others().filter(could).min_by_key(|i| self.cost(*i)));
        }
        plan
    }

    /// The cheapest count to hide, as near as possible.
    fn nearest(&mut self, cell: u32, field: Field) -> Option<(u32, Field)> {
        self.number += 1;
        let mut near = vec![cell];
        self.seen[cell as usize] = self.number;
        while !near.is_empty() {
            let mut next: Vec<u32> = Vec::new();
            for i in near {
                next.extend(self.lines_of(i).iter().flat_map(|l| self.cells.lines.get(*l)));
                next.extend(&self.beside[i as usize]);
            }
            let number = self.number;
            next.retain(|i| std::mem::replace(&mut self.seen[*i as usize], number) != number);
            let hide = |field: Field| next.iter().copied().filter(|i| self.may_hide(*i, field)).min_by_key(|i| self.cost(*i));
            if let Some(i) = hide(field) {
                return Some((i, field));
            }
            if let Some(i) = hide(Field::Denominator) {
                return Some((i, Field::Denominator));
            }
            near = next;
        }
        self.may_hide(cell, Field::Denominator).then_some((cell, Field::Denominator))
    }

    /// All and higher levels last, then few students.
    fn cost(&self, i: u32) -> (i64, i64) {
        let f = &self.cells.figures[i as usize];
        (1 << weight(self.cells.levels[i as usize], f.group == 0), f.denominator)
    }

    fn is_hidden(&self, i: u32, field: Field) -> bool {
        match field {
            Field::Denominator => self.treatments[i as usize] == Treatment::Hidden,
            Field::Numerator => self.treatments[i as usize] != Treatment::Shown,
        }
    }

    fn may_hide(&self, i: u32, field: Field) -> bool {
        let i = i as usize;
        let f = &self.cells.figures[i];
        match field {
            _ if f.denominator == 0 => false,
            Field::Denominator => {
                self.treatments[i] != Treatment::Hidden
                    && !self.extra.denominators[i]
                    && self.cells.prior[i].is_none_or(|t| t == Treatment::Hidden)
            }
            Field::Numerator => {
                let may = self.treatments[i] == Treatment::Shown && !self.extra.numerators[i] && f.numerator.is_some();
                may && self.cells.prior[i] != Some(Treatment::Shown)
            }
        }
    }

    /// Whether its own bounds let a count move; `hidden_now`: as if it were hidden.
    fn can_move(&self, i: u32, field: Field, direction: Direction, hidden_now: bool) -> bool {
        let f = &self.cells.figures[i as usize];
        let treatment = self.treatments[i as usize];
        let n = f.numerator.unwrap_or(0);
        if field == Field::Denominator {
            return (hidden_now || treatment == Treatment::Hidden)
                && (direction == Direction::Up || f.denominator > self.policy.hidden_minimum);
        }
        let as_if = if hidden_now && treatment == Treatment::Shown { Treatment::NumeratorHidden } else { treatment };
        let (first, last) = view::possible(self.policy, f.denominator, as_if, n);
        if direction == Direction::Up { n < last } else { n > first }
    }
}
