//! One independent part of a piece: a first whole-number point, then for every count a second one that differs in it, or the certainty that there is none.

use super::domain::{Domain, End};
use super::moves::Mover;
use super::rank;
use super::reduced::Reduced;
use super::search::{Outcome, Search};
use super::system::{ENDLESS, Relation, Rows};

/// Entries that a search for the first point may look at, for each entry of the part, and at least.
const FIRST_POINT: (u64, u64) = (400, 200_000);
/// Entries that a search for a second point may look at.
const SECOND_POINT: u64 = 2_000_000;
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
    let mut search = Search::new(Domain::new(&part.rows, part.low.clone(), part.high.clone()), part.low.clone());
    let t0 = std::time::Instant::now();
    let reduced = Reduced::of(part);
    let outcome = first_point(part, &reduced, &mut search);
    if part.low.len() > 300 {
        dbg_!(
            "part {} vars {} rows: {} {:?} work {}",
            part.low.len(),
            part.rows.count(),
            match outcome {
                Outcome::Point(_) => "point",
                Outcome::None => "none",
                _ => "SPENT",
            },
            t0.elapsed(),
            search.domain.work
        );
    }
    let base = match outcome {
        Outcome::Point(base) => base,
        outcome => return Solved { contradicts: outcome == Outcome::None, ..Solved::default() },
    };
    let mut state = State { part, base: &base, known: part.counted.iter().map(|c| !c).collect(), solved: Solved::default() };
    let mut mover = Mover::new(&reduced.rows, &part.low, &part.high, base.clone());
    state.moved(&mut mover, 0..2);
    if part.low.len() > 300 {
        dbg_!("   after moves {:?}: {} left, {} moves", t0.elapsed(), state.left().count(), state.solved.moves.len());
    }
    if state.left().next().is_some() {
        search.wish(base.clone());
        state.moved(&mut mover, 2..4);
        if part.low.len() > 300 {
            dbg_!("   after moves 2 {:?}: {} left, {} moves", t0.elapsed(), state.left().count(), state.solved.moves.len());
        }
        if state.left().next().is_some() {
            state.eliminate(&mut search);
        }
        if part.low.len() > 300 {
            dbg_!("   after eliminate {:?}: {} left, {} moves", t0.elapsed(), state.left().count(), state.solved.moves.len());
        }
        state.searched(&mut search);
    }
    if part.low.len() > 300 {
        dbg_!("   after all {:?}: pinned {} undecided {}", t0.elapsed(), state.solved.pinned.len(), state.solved.undecided.len());
    }
    let mut solved = state.solved;
    solved.pinned.sort_unstable();
    solved.base = Some(base);
    solved
}

/// Tries points in the middle first: from there short moves lead everywhere.
fn first_point(part: &Part, reduced: &Reduced, search: &mut Search) -> Outcome {
    let entries: u64 = (0..part.rows.count()).map(|r| part.rows.of(r).len() as u64).sum();
    let budget = (entries * FIRST_POINT.0).max(FIRST_POINT.1);
    for attempt in 0..4 {
        let t0 = std::time::Instant::now();
        let w = wish(part, reduced, attempt);
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
            return Outcome::Point(mended);
        }
        search.wish(mended);
        let outcome = search.find(&[], budget);
        if outcome != Outcome::Spent {
            return outcome;
        }
    }
    Outcome::Spent
}

/// A point that comes near to all rows: what a row lacks is spread over its variables, several times over.
fn wish(part: &Part, reduced: &Reduced, attempt: usize) -> Vec<i64> {
    let middle = |v: usize| match (part.low[v], part.high[v], attempt) {
        (low, high, 0) if high < ENDLESS => low + (high - low) / 4,
        (low, _, 0) => low + 1,
        (low, _, 1) => low,
        (low, high, 2) => high.min(low + 1 + (v as i64 * 7919) % 5),
        (low, high, _) => high.min(low + (v as i64 * 104_729) % 3),
    };
    let mut point: Vec<i64> = (0..part.low.len()).map(middle).collect();
    for sweep in 0..12 {
        let mut worst = 0;
        let count = reduced.rows.count();
        for r in 0..count {
            let row = if sweep % 2 == 0 { r } else { count - 1 - r };
            worst = worst.max(spread(part, &reduced.rows, row, &mut point));
        }
        if worst == 0 {
            break;
        }
    }
    point
}

/// Spreads what a row lacks; returns how much that was.
fn spread(part: &Part, rows: &Rows, row: usize, point: &mut [i64]) -> i64 {
    let sum = super::search::total(rows, row, point);
    let mut lack = if sum > rows.most[row] { rows.most[row] - sum } else { (rows.least[row] - sum).max(0) };
    let lacked = lack.abs();
    let entries = rows.of(row);
    for _ in 0..3 {
        let mut left = entries.len() as i64;
        for &(v, a) in entries {
            let up = (lack > 0) == (a > 0);
            let v = v as usize;
            let share = (lack.abs() + left - 1) / left.max(1);
            let step = share.min(if up { part.high[v] - point[v] } else { point[v] - part.low[v] }).max(0);
            point[v] += if up { step } else { -step };
            lack -= step * lack.signum();
            left -= 1;
        }
    }
    lacked
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

    fn searched(&mut self, search: &mut Search) {
        let limit = search.domain.work + ALL_SECOND_POINTS;
        for v in 0..self.known.len() as u32 {
            if self.known[v as usize] {
                continue;
            }
            let value = self.base[v as usize];
            let budget = SECOND_POINT.min(limit.saturating_sub(search.domain.work));
            let up = search.find(&[(v, End::Low, value + 1)], budget);
            let down = if matches!(up, Outcome::Point(_)) { Outcome::None } else { search.find(&[(v, End::High, value - 1)], budget) };
            dbg_!("searched {v}: {} {} work {}", matches!(up, Outcome::Point(_)), matches!(down, Outcome::Point(_)), search.domain.work);
            match (up, down) {
                (Outcome::Point(other), _) | (_, Outcome::Point(other)) => {
                    let change = other.iter().zip(self.base).enumerate().filter(|(_, (o, b))| o != b);
                    self.keep(change.map(|(u, (o, b))| (u as u32, o - b)).collect());
                }
                (Outcome::None, Outcome::None) => self.pin(search, v),
                _ => {
                    self.known[v as usize] = true;
                    self.solved.undecided.push(v);
                    dbg_!(
                        "undecided {v} {:?} in [{}, {}]",
                        self.part.rest[v as usize],
                        self.part.low[v as usize],
                        self.part.high[v as usize]
                    );
                }
            }
        }
        // A later move can have settled one that was given up.
        let moves = &self.solved.moves;
        self.solved.undecided.retain(|u| !moves.iter().any(|m| m.iter().any(|(v, _)| v == u)));
    }
}
