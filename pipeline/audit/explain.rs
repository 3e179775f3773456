//! Why a count is given away: few relations, in an order in which a person can follow them.

use super::domain::{Domain, End, columns};
use super::pieces::Piece;
use super::rank;
use super::search::{Outcome, Search};
use super::system::{Relation, System, cut};
use crate::published::{Count, Known, Published};

/// Rows beyond which a list of reasons is not made shorter.
const SHORT: usize = 24;
/// Rows beyond which reasons are not looked for in a wider neighbourhood.
const WIDE: usize = 150;
/// Entries that a search for reasons may look at.
const BUDGET: u64 = 10_000;

/// Finds reasons in a system.
pub(super) struct Explainer<'a> {
    system: &'a System,
    start: Vec<u32>,
    column: Vec<(u32, i8)>,
}

/// Why a count without any unknown has one value: its cell, and cells of the same students.
pub(super) fn shown(published: &Published, piece: &Piece, count: Count, own: Relation) -> Vec<Relation> {
    let hidden = published.cells[count.cell as usize].denominator == Known::Hidden;
    let mut because = if hidden { same_students(published, piece, count.cell) } else { Vec::new() };
    because.push(own);
    because
}

/// The chain of cells with the same students that leads to one whose denominator is shown; all of them, if none is.
fn same_students(published: &Published, piece: &Piece, cell: u32) -> Vec<Relation> {
    let mut reached: Vec<(u32, Option<(usize, u32)>)> = vec![(cell, None)];
    let mut at = 0;
    while at < reached.len() {
        let (here, mut step) = reached[at];
        if matches!(published.cells[here as usize].denominator, Known::Exactly(_)) {
            let mut because = Vec::new();
            while let Some((before, pair)) = step {
                because.push(Relation::Same(pair));
                step = reached[before].1;
            }
            return because;
        }
        for &pair in &piece.same {
            let (a, b) = published.same[pair as usize];
            let other = if a == here { b } else { a };
            if (a == here || b == here) && reached.iter().all(|r| r.0 != other) {
                reached.push((other, Some((at, pair))));
            }
        }
        at += 1;
    }
    reached.into_iter().filter_map(|r| r.1.map(|(_, pair)| Relation::Same(pair))).collect()
}

/// What contradicts itself in a system that cannot be settled.
pub(super) fn contradictions(system: &System, domain: &Domain) -> Vec<Vec<Relation>> {
    let mut all: Vec<Vec<Relation>> = system.broken.iter().map(|&r| vec![r]).collect();
    if all.is_empty() {
        let crossed = (0..system.owner.len()).find(|&v| domain.low[v] > domain.high[v]);
        let rows = crossed.map(|v| domain.reasons(v as u32, &[End::Low, End::High])).unwrap_or_default();
        let mut because: Vec<Relation> = rows.iter().map(|&r| system.relation[r as usize]).collect();
        because.extend(crossed.filter(|_| rows.is_empty()).map(|v| Relation::Cell(system.owner[v].0)));
        all.push(because);
    }
    all
}

impl<'a> Explainer<'a> {
    pub fn new(system: &'a System) -> Explainer<'a> {
        let (start, column) = columns(&system.rows, system.owner.len());
        Explainer { system, start, column }
    }

    fn told(&self, rows: &[usize], variable: u32) -> Vec<Relation> {
        let mut because: Vec<Relation> = rows.iter().map(|&r| self.system.relation[r]).collect();
        if because.is_empty() {
            because.push(Relation::Cell(self.system.owner[variable as usize].0));
        }
        because
    }

    /// All relations of some variables.
    pub fn relations(&self, variables: &[u32]) -> Vec<Relation> {
        let mut rows: Vec<usize> = variables.iter().flat_map(|&v| self.rows_of(v)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.into_iter().map(|r| self.system.relation[r]).collect()
    }

    fn rows_of(&self, variable: u32) -> impl Iterator<Item = usize> + '_ {
        let range = self.start[variable as usize] as usize..self.start[variable as usize + 1] as usize;
        self.column[range].iter().map(|&(r, _)| r as usize)
    }

    /// Why the bounds alone fix a variable.
    pub fn settled(&self, domain: &Domain, variable: u32) -> Vec<Relation> {
        let rows: Vec<usize> = domain.reasons(variable, &[End::Low, End::High]).into_iter().map(|r| r as usize).collect();
        let alone = |row: usize| self.fixes(&[row], variable);
        if rows.len() > 1
            && let Some(row) = self.rows_of(variable).find(|&r| alone(r))
        {
            return self.told(&[row], variable);
        }
        let rows = if rows.len() > 2 && rows.len() <= SHORT { shortened(rows, |rows| self.fixes(rows, variable)) } else { rows };
        self.told(&rows, variable)
    }

    /// Whether the bounds of these rows fix the variable.
    fn fixes(&self, rows: &[usize], variable: u32) -> bool {
        let (rows, variables, low, high) = cut(&self.system.rows, &self.system.low, &self.system.high, rows, variable);
        let mut domain = Domain::new(&rows, low, high);
        domain.settle().is_ok() && variables.iter().position(|&v| v == variable).is_some_and(|v| domain.fixed(v))
    }

    /// Why a variable that a search found to have one value has it: the smallest neighbourhood that gives it away, made shorter.
    pub fn searched(&self, variable: u32, value: i64) -> Vec<Relation> {
        let mut rows: Vec<usize> = self.rows_of(variable).collect();
        loop {
            if self.gives_away(&rows, variable, value) {
                let rows = if rows.len() <= WIDE { shortened(rows, |rows| self.gives_away(rows, variable, value)) } else { rows };
                return self.told(&rows, variable);
            }
            let mut wider: Vec<usize> =
                rows.iter().flat_map(|&r| self.system.rows.of(r).iter().flat_map(|e| self.rows_of(e.0).collect::<Vec<_>>())).collect();
            wider.sort_unstable();
            wider.dedup();
            if wider.len() == rows.len() || rows.len() > WIDE {
                return self.told(&wider, variable);
            }
            rows = wider;
        }
    }

    /// Whether these rows leave one value.
    fn gives_away(&self, rows: &[usize], variable: u32, value: i64) -> bool {
        let (cut, variables, low, high) = cut(&self.system.rows, &self.system.low, &self.system.high, rows, variable);
        let Some(at) = variables.iter().position(|&v| v == variable) else { return false };
        let all: Vec<usize> = (0..cut.count()).collect();
        if rank::determined(&cut, &all, BUDGET).is_some_and(|d| d.contains(&(at as u32))) {
            return true;
        }
        let wish = low.clone();
        let mut search = Search::new(Domain::new(&cut, low, high), wish);
        search.find(&[(at as u32, End::Low, value + 1)], BUDGET) == Outcome::None
            && search.find(&[(at as u32, End::High, value - 1)], BUDGET) == Outcome::None
    }
}

/// Leaves out what can be left out: halves first, then quarters, at last one row after the other.
fn shortened(mut rows: Vec<usize>, enough: impl Fn(&[usize]) -> bool) -> Vec<usize> {
    let mut size = rows.len().div_ceil(2);
    while size > 0 {
        let mut end = rows.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let fewer: Vec<usize> = rows[..start].iter().chain(&rows[end..]).copied().collect();
            if enough(&fewer) {
                rows = fewer;
            }
            end = start;
        }
        size /= 2;
    }
    rows
}
