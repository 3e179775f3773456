//! One independent part of a piece: a first whole-number point, then for every count a second one that differs in it, or the certainty that there is none.

use super::domain::{Domain, End};
use super::moves::Mover;
use super::rank;
use super::reduced::Reduced;
use super::search::{Outcome, Search};
use super::system::{Relation, Rows, cut};

/// Entries that a search for the first point may look at, for each entry of the part, and at least.
const FIRST_POINT: (u64, u64) = (400, 200_000);
/// Entries that a first and a last search for a second point may look at.
const FAST: u64 = 20_000;
const SECOND_POINT: u64 = 2_000_000;
/// How often a search with the small budget is tried, each time with other choices among equals.
const QUICK_VARIANTS: u64 = 1;
/// Rows that are near.
const NEARBY: usize = 2_000;
/// Entries that all searches for second points of a part may look at.
const ALL_SECOND_POINTS: u64 = 60_000_000;
/// Entries that an elimination may write.
const ELIMINATION: u64 = 50_000_000;

/// Variables (numbered from 0), rows and intervals of a part; which variables are counts that must have two values.
#[derive(Default)]
pub(super) struct Part {
    pub rows: Rows,
    pub low: Vec<i64>,
    pub high: Vec<i64>,
    pub counted: Vec<bool>,
    /// Variables that are those who do not meet the indicator.
    pub rest: Vec<bool>,
    /// What gives each row.
    pub relation: Vec<Relation>,
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

macro_rules! dbg_ { ($($a:tt)*) => { if std::env::var_os("AUDIT_DEBUG").is_some() { eprintln!($($a)*) } } }
/// Attacks a part.
pub(super) fn solve(part: &Part) -> Solved {
    let t0 = std::time::Instant::now();
    let mut search = Search::new(Domain::new(&part.rows, part.low.clone(), part.high.clone()), part.low.clone());
    let reduced = Reduced::of(part);
    let base = match first_point(part, &reduced, &mut search) {
        Ok(base) => base,
        Err(outcome) => return Solved { contradicts: outcome == Outcome::None, ..Solved::default() },
    };
    if part.low.len() > 3000 {
        dbg_!("part {} vars: {:?}", part.low.len(), t0.elapsed())
    }
    let mut state = State { part, base: &base, known: part.counted.iter().map(|c| !c).collect(), solved: Solved::default() };
    state.moved(&mut Mover::new(&reduced.rows, &part.low, &part.high, base.clone()), 0..2);
    if part.low.len() > 3000 {
        dbg_!("   moved {:?}: {} left", t0.elapsed(), state.left().count())
    }
    search.wish(base.clone());
    for variant in 0..QUICK_VARIANTS {
        if state.left().next().is_some() {
            search.variant = variant;
            state.searched(&mut search, false);
            dbg_!("   quick {variant} {:?}: {} left", t0.elapsed(), state.left().count());
        }
    }
    if state.left().next().is_some() {
        search.variant = 0;
        state.eliminate(&mut search);
        dbg_!("   eliminate {:?}: {} left", t0.elapsed(), state.left().count());
        state.searched(&mut search, true);
        dbg_!("   thorough {:?}: {} left", t0.elapsed(), state.left().count());
    }
    let mut solved = state.solved;
    solved.pinned.sort_unstable();
    solved.base = Some(base);
    solved
}

/// Tries points in the middle first: from there short moves lead everywhere.
fn first_point(part: &Part, reduced: &Reduced, search: &mut Search) -> Result<Vec<i64>, Outcome> {
    let entries: u64 = (0..part.rows.count()).map(|r| part.rows.of(r).len() as u64).sum();
    let budget = (entries * FIRST_POINT.0).max(FIRST_POINT.1);
    for attempt in 0..4 {
        let t0 = std::time::Instant::now();
        let w = super::guess::guess(part, reduced, attempt);
        let viol = |w: &[i64]| {
            (0..part.rows.count())
                .map(|r| {
                    let s = super::search::total(&part.rows, r, w);
                    (s - part.rows.most[r]).max(0) + (part.rows.least[r] - s).max(0)
                })
                .sum::<i64>()
        };
        let v0 = viol(&w);
        let (mut mended, agrees) = Mover::new(&reduced.rows, &part.low, &part.high, w).mended(0..if attempt == 0 { 2 } else { 4 });
        reduced.complete(&mut mended);
        if part.low.len() > 300 {
            dbg_!("attempt {attempt}: wrong {v0} then {} {:?}", viol(&mended), t0.elapsed());
        }
        if agrees {
            return Ok(mended);
        }
        search.wish(mended.clone());
        match search.find(&[], budget) {
            Outcome::Point(change) => {
                change.iter().for_each(|&(v, d)| mended[v as usize] += d);
                return Ok(mended);
            }
            Outcome::None => return Err(Outcome::None),
            Outcome::Spent => {}
        }
    }
    Err(Outcome::Spent)
}

struct State<'a> {
    part: &'a Part,
    base: &'a [i64],
    /// Counts that are decided, and variables that are no counts.
    known: Vec<bool>,
    solved: Solved,
}

impl State<'_> {
    fn left(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.known.len() as u32).filter(|&v| !self.known[v as usize])
    }

    fn keep(&mut self, change: Vec<(u32, i64)>) {
        change.iter().for_each(|&(v, _)| self.known[v as usize] = true);
        self.solved.moves.push(change);
    }

    fn moved(&mut self, mover: &mut Mover, rounds: std::ops::Range<usize>) {
        for v in 0..self.known.len() as u32 {
            if !self.known[v as usize]
                && let Some(change) = mover.find(v, rounds.clone())
            {
                self.keep(change);
            }
        }
    }

    /// Finds what the equations alone determine.
    fn eliminate(&mut self, search: &mut Search) {
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
                found = if self.nearby(search, v) {
                    (Outcome::None, Outcome::None)
                } else {
                    second_point(search, v, value, SECOND_POINT.min(left))
                };
            }
            match found {
                (Outcome::Point(change), _) | (_, Outcome::Point(change)) => self.keep(change),
                (Outcome::None, Outcome::None) => self.pin(search, v),
                _ if thorough => self.solved.undecided.push(v),
                _ => {}
            }
        }
        // A later move can have settled one that was given up.
        let known = &self.known;
        self.solved.undecided.retain(|&u| !known[u as usize]);
    }
}

/// A point with a greater value of the variable, or else one with a smaller one: if the first is a point, the second was not looked for.
fn second_point(search: &mut Search, variable: u32, value: i64, budget: u64) -> (Outcome, Outcome) {
    match search.find(&[(variable, End::Low, value + 1)], budget) {
        Outcome::Point(other) => (Outcome::Point(other), Outcome::None),
        up => (up, search.find(&[(variable, End::High, value - 1)], budget)),
    }
}
