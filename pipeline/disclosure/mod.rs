//! Disclosure control: what of each figure the public may see, so that nothing hidden can be computed from it.
//!
//! Primaries by the jurisdiction's rules; complements and small sums; complementary hiding over everything at once; then repair until the
//! attacker finds no count with one possible value. Source: spec disclosure, "Protection"; docs of each module.

mod apart;
mod cells;
mod cover;
mod elimination;
mod layer;
mod near;
mod pattern;
mod rate;
mod release;
mod repair;
mod report;
mod route;
mod treatment;
mod view;

pub use near::Attacker;
pub use rate::{Tie, by_rate, may_show_status, numerators_of, numerators_of_hidden, rate, rate_shown, thresholds};
pub use release::{EntityLine, Figure, Group, Membership, Policy, Release, ReleaseError};
pub use report::{LevelReport, Utility};
pub use treatment::{Band, Reason, Treatment};
pub use view::published;

use crate::published::{Count, Move};
use cells::Cells;
use repair::Repaired;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Protects a release against the attacker of [`crate::audit`]. The result does not depend on the order of figures or the number of threads.
///
/// # Errors
/// If the figures contradict each other.
pub fn protect(release: &Release, policy: &Policy, threads: usize) -> Result<Protection, ReleaseError> {
    protect_against(release, policy, threads, &near::attack)
}

/// How every figure is published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection {
    /// For each figure of the release.
    pub treatments: Vec<Treatment>,
    /// For each figure, why (restricted).
    pub reasons: Vec<Reason>,
    /// Counts that stay open: an earlier release showed what a rule hides now, or what gives it away. Policy `rule` leaves others open,
    /// which are not listed.
    pub open: Vec<Count>,
    /// Counts that have no second table near, though what can be hidden near them is. A release must not be published before an attacker with
    /// more patience has found that each has one.
    pub undecided: Vec<Count>,
    /// Second tables of hidden counts, as differences to the true one (cell: figure). Those of `open` and `undecided` have none; a few others may have
    /// one that only the attacker found.
    pub moves: Vec<Move>,
    /// Figures shown, banded and hidden, by level, and the least that must be hidden.
    pub utility: Utility,
    /// The most rounds that repair took.
    pub rounds: u32,
}

/// Protects a release against any attacker. The result does not depend on the order of figures or the number of threads.
///
/// # Errors
/// If the figures contradict each other.
pub fn protect_against(release: &Release, policy: &Policy, threads: usize, attacker: &Attacker) -> Result<Protection, ReleaseError> {
    let sets = cells::split(release)?;
    let mut biggest_first: Vec<usize> = (0..sets.len()).collect();
    biggest_first.sort_by_key(|s| std::cmp::Reverse(sets[*s].figures.len()));
    let results: Vec<Mutex<Option<Repaired>>> = sets.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(set) = biggest_first.get(next.fetch_add(1, Ordering::Relaxed)) {
            let repaired = repair::protect(&sets[*set], policy, attacker);
            *results[*set].lock().unwrap_or_else(|e| e.into_inner()) = Some(repaired);
        }
    };
    std::thread::scope(|scope| {
        (1..threads.clamp(1, sets.len().max(1))).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let mut protection = Protection {
        treatments: vec![Treatment::Shown; release.figures.len()],
        reasons: vec![Reason::None; release.figures.len()],
        open: Vec::new(),
        undecided: Vec::new(),
        moves: Vec::new(),
        utility: Utility::default(),
        rounds: 0,
    };
    for (set, result) in sets.iter().zip(results) {
        if let Some(repaired) = result.into_inner().unwrap_or_else(|e| e.into_inner()) {
            protection.take(set, repaired);
        }
    }
    protection.open.sort_unstable();
    protection.undecided.sort_unstable();
    Ok(protection)
}

impl Protection {
    fn take(&mut self, set: &Cells, repaired: Repaired) {
        for (i, origin) in set.origin.iter().enumerate() {
            self.treatments[*origin as usize] = repaired.treatments[i];
            self.reasons[*origin as usize] = repaired.reasons[i];
        }
        let original = |c: &Count| Count { cell: set.origin[c.cell as usize], field: c.field };
        self.open.extend(repaired.open.iter().map(original));
        self.undecided.extend(repaired.undecided.iter().map(original));
        let original_move = |m: Move| {
            let mut change: Vec<(Count, i64)> = m.change.iter().map(|(c, by)| (original(c), *by)).collect();
            change.sort_unstable();
            Move { change }
        };
        self.moves.extend(repaired.moves.into_iter().map(original_move));
        self.utility.add(set, &repaired.treatments, &repaired.reasons);
        self.rounds = self.rounds.max(repaired.rounds);
    }
}
