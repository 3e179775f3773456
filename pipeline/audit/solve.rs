//! One independent part of a piece: a first whole-number point, then for every count a second one that differs in it, or the certainty
//! that there is none.

use super::domain::{Domain, End, columns};
use super::moves::Mover;
use super::rank;
use super::reduced::Reduced;
use super::search::{Outcome, Search};
use super::system::{Layer, Relation, Rows, cut};

/// Entries that a first and a last search for a second point may look at.
const FAST: u64 = 20_000;
const SECOND_POINT: u64 = 2_000_000;
/// Counts that are left, beyond which elimination comes before searching for each.
const MANY: usize = 300;
/// Rows that are near.
const NEARBY: usize = 2_000;
/// Entries that all searches for second points of a part may look at.
const ALL_SECOND_POINTS: u64 = 60_000_000;
/// Entries that an elimination may write.
const ELIMINATION: u64 = 50_000_000;
/// The same near one count.
const NEARBY_ELIMINATION: u64 = 300_000;

/// Variables (numbered from 0), rows and intervals of a part; which variables are counts that must have two values.
#[derive(Default)]
pub(super) struct Part {
    pub rows: Rows,
    pub low: Vec<i64>,
    pub high: Vec<i64>,
    pub counted: Vec<bool>,
    /// What each variable counts.
    pub layer: Vec<Layer>,
    /// What gives each row.
    pub relation: Vec<Relation>,
    /// Rows that are likely to follow from others.
    pub implied: Vec<bool>,
}

/// What was found about a part.
#[derive(Debug, Default)]
pub(super) struct Solved {
    /// None: no point was found, and nothing else is known. `contradicts`: there is none.
    pub base: Option<Vec<i64>>,
    pub contradicts: bool,
    /// Differences to the base, each to another point.
    pub moves: Vec<Vec<(u32, i64)>>,
    /// Counts with one value, that of the base.
    pub pinned: Vec<u32>,
    pub undecided: Vec<u32>,
}

/// Attacks a part; an example is a point that may agree with it.
pub(super) fn solve(part: &Part, example: Option<Vec<i64>>) -> Solved {
    let reduced = [Layer::Rest, Layer::Denominator].map(|layer| Reduced::without(layer, part));
    let base = match super::first::first_point(part, &reduced, example) {
        Ok(base) => base,
        Err(outcome) => return Solved { contradicts: outcome == Outcome::None, ..Solved::default() },
    };
    let (start, column) = columns(&part.rows, part.low.len());
    let sums = (0..part.rows.count()).map(|r| super::search::total(&part.rows, r, &base)).collect();
    let known = part.counted.iter().map(|c| !c).collect();
    let mut state =
        State { part, base: &base, known, eliminated: false, columns: Columns { start, column }, sums, solved: Solved::default() };
    reduced.iter().for_each(|r| state.moved(r, 0..1));
    if state.left() > 0 {
        let mut search = Search::new(Domain::new(&part.rows, part.low.clone(), part.high.clone()), base.clone());
        state.searched(&mut search, false);
        for round in [1..3, 3..4] {
            reduced.iter().for_each(|r| state.moved(r, round.clone()));
        }
        if state.left() > MANY {
            state.eliminate(&mut search);
        }
        state.searched(&mut search, true);
        state.eliminate(&mut search);
    }
    state.solved.undecided = (0..part.low.len() as u32).filter(|&v| !state.known[v as usize]).collect();
    let mut solved = state.solved;
    solved.pinned.sort_unstable();
    solved.base = Some(base);
    solved
}

struct State<'a> {
    part: &'a Part,
    base: &'a [i64],
    /// Counts that are decided, and variables that are no counts.
    known: Vec<bool>,
    eliminated: bool,
    columns: Columns,
    /// What the rows sum to at the base.
    sums: Vec<i64>,
    solved: Solved,
}

/// Rows by variable.
struct Columns {
    start: Vec<u32>,
    column: Vec<(u32, i8)>,
}

impl Columns {
    fn of(&self, variable: u32) -> &[(u32, i8)] {
        &self.column[self.start[variable as usize] as usize..self.start[variable as usize + 1] as usize]
    }
}

impl State<'_> {
    fn left(&self) -> usize {
        self.known.iter().filter(|k| !**k).count()
    }

    /// Whether all rows and intervals allow the change: moves leave out what is likely to follow.
    fn holds(&self, change: &[(u32, i64)]) -> bool {
        let mut shift: Vec<(u32, i64)> = Vec::new();
        for &(v, d) in change {
            let value = self.base[v as usize] + d;
            if value < self.part.low[v as usize] || value > self.part.high[v as usize] {
                return false;
            }
            shift.extend(self.columns.of(v).iter().map(|&(row, a)| (row, d * i64::from(a))));
        }
        shift.sort_unstable();
        shift.chunk_by(|a, b| a.0 == b.0).all(|same| {
            let (row, by) = (same[0].0 as usize, same.iter().map(|s| s.1).sum::<i64>());
            let sum = self.sums[row] + by;
            by == 0 || sum <= self.part.rows.most[row] && sum >= self.part.rows.least[row]
        })
    }

    fn keep(&mut self, change: Vec<(u32, i64)>) {
        change.iter().for_each(|&(v, _)| self.known[v as usize] = true);
        self.solved.moves.push(change);
    }

    fn moved(&mut self, reduced: &Reduced, rounds: std::ops::Range<usize>) {
        if self.left() == 0 {
            return;
        }
        let mut mover = Mover::new(&reduced.rows, &self.part.low, &self.part.high, self.base.to_vec());
        for v in 0..self.known.len() as u32 {
            if !self.known[v as usize]
                && let Some(change) = mover.find_defined(reduced, v, rounds.clone())
                && self.holds(&change)
            {
                self.keep(change);
            }
        }
    }

    /// Finds what the equations alone determine.
    fn eliminate(&mut self, search: &mut Search) {
        if self.left() == 0 || std::mem::replace(&mut self.eliminated, true) {
            return;
        }
        let all: Vec<usize> = (0..self.part.rows.count()).collect();
        for v in rank::determined(&self.part.rows, &all, ELIMINATION).unwrap_or_default() {
            self.pin(search, v);
        }
    }

    /// The variable has the value of the base only; what follows from it is found out too.
    fn pin(&mut self, search: &mut Search, variable: u32) {
        let value = self.base[variable as usize];
        let mark = search.domain.mark();
        // The base agrees with all rows, so this cannot contradict them.
        let fixed = search.domain.tighten(variable, End::Low, value, super::domain::ASSUMED);
        let _ = fixed
            .and_then(|()| search.domain.tighten(variable, End::High, value, super::domain::ASSUMED))
            .and_then(|()| search.domain.settle());
        let changed: Vec<u32> = search.domain.steps(mark).iter().map(|s| s.variable).chain([variable]).collect();
        for v in changed {
            if search.domain.fixed(v as usize) && !std::mem::replace(&mut self.known[v as usize], true) {
                self.solved.pinned.push(v);
            }
        }
    }

    /// Whether the rows near a variable suffice to leave it one value: fewer rows are searched much faster.
    fn nearby(&self, search: &Search, variable: u32) -> bool {
        let (domain, rows) = (&search.domain, &self.part.rows);
        let near = |v: u32| domain.column(v as usize).iter().map(|e| e.0 as usize);
        let mut which: Vec<usize> = near(variable).collect();
        for _ in 0..6 {
            let (cut, variables, low, high) = cut(rows, &domain.low, &domain.high, &which, variable);
            let Ok(at) = variables.binary_search(&variable) else { return false };
            let all: Vec<usize> = (0..cut.count()).collect();
            if rank::determined(&cut, &all, NEARBY_ELIMINATION).is_some_and(|d| d.contains(&(at as u32))) {
                return true;
            }
            let wish = variables.iter().map(|&v| self.base[v as usize]).collect();
            let mut local = Search::new(Domain::new(&cut, low, high), wish);
            if second_point(&mut local, at as u32, self.base[variable as usize], FAST * 5) == (Outcome::None, Outcome::None) {
                return true;
            }
            let before = which.len();
            which = variables.iter().filter(|&&v| !domain.fixed(v as usize)).flat_map(|&v| near(v)).chain(which).collect();
            which.sort_unstable();
            which.dedup();
            if which.len() == before || which.len() > NEARBY {
                return false;
            }
        }
        false
    }

    /// Searches exactly for the counts that are left; with `thorough`, what cannot be decided is given up.
    fn searched(&mut self, search: &mut Search, thorough: bool) {
        let limit = search.domain.work + ALL_SECOND_POINTS;
        for v in 0..self.known.len() as u32 {
            if self.known[v as usize] {
                continue;
            }
            let value = self.base[v as usize];
            let left = limit.saturating_sub(search.domain.work);
            let mut found = second_point(search, v, value, FAST.min(left));
            let open = !matches!(found, (Outcome::Point(_), _) | (_, Outcome::Point(_)) | (Outcome::None, Outcome::None));
            if thorough && open {
                found = if self.nearby(search, v) { (Outcome::None, Outcome::None) } else { variants(search, v, value, left) };
            }
            match found {
                (Outcome::Point(change), _) | (_, Outcome::Point(change)) => self.keep(change),
                (Outcome::None, Outcome::None) => self.pin(search, v),
                _ => {}
            }
        }
    }
}

/// A point with a greater value of the variable, or else one with a smaller one: if the first is a point, the second was not looked for.
fn second_point(search: &mut Search, variable: u32, value: i64, budget: u64) -> (Outcome, Outcome) {
    match search.find(&[(variable, End::Low, value + 1)], budget) {
        Outcome::Point(other) => (Outcome::Point(other), Outcome::None),
        up => (up, search.find(&[(variable, End::High, value - 1)], budget)),
    }
}

/// The same with larger budgets, each time with other choices among equals: a search that went astray seldom does so twice.
fn variants(search: &mut Search, variable: u32, value: i64, left: u64) -> (Outcome, Outcome) {
    let limit = search.domain.work + SECOND_POINT.min(left);
    let (mut up, mut down) = (Outcome::Spent, Outcome::Spent);
    for variant in 1.. {
        search.variant = variant;
        let budget = (FAST * variant).min(limit.saturating_sub(search.domain.work));
        if up == Outcome::Spent {
            up = search.find(&[(variable, End::Low, value + 1)], budget);
        }
        if down == Outcome::Spent && !matches!(up, Outcome::Point(_)) {
            down = search.find(&[(variable, End::High, value - 1)], budget);
        }
        let found = matches!(up, Outcome::Point(_)) || matches!(down, Outcome::Point(_));
        if found || search.domain.work >= limit || up == Outcome::None && down == Outcome::None {
            break;
        }
    }
    search.variant = 0;
    (up, down)
}
