//! The first whole-number point of a part. A guess is mended by short moves; what is still wrong with a row becomes an extra variable, and
//! these are brought to 0 one after the other by exact search. So a search that goes astray spoils one row only, and is tried again in
//! another way.

use super::domain::{ASSUMED, Domain, End};
use super::guess::guess;
use super::moves::Mover;
use super::reduced::Reduced;
use super::search::{Outcome, Search, total};
use super::solve::Part;
use super::system::{ENDLESS, Rows};

/// Guesses that are tried.
const ATTEMPTS: usize = 2;
/// How often short moves are tried, without rests and without denominators by turns.
const TURNS: usize = 8;
/// Ways in which a row is tried, and entries that each may look at, times the number of the way.
const WAYS: u64 = 6;
const WAY: u64 = 20_000;
/// Entries that all of it may look at, for each attempt.
const BUDGET: u64 = 40_000_000;
/// Entries of an exact search of the whole part, which alone can tell that there is no point.
const WHOLE: u64 = 2_000_000;

/// Looks for a point; an error is [`Outcome::None`] if there is none, [`Outcome::Spent`] if none was found.
pub(super) fn first_point(part: &Part, reduced: &[Reduced; 2], example: Option<Vec<i64>>) -> Result<Vec<i64>, Outcome> {
    if let Some(example) = example.filter(|e| agrees(part, e)) {
        return Ok(example);
    }
    for attempt in 0..ATTEMPTS {
        let mut point = guess(part, &reduced[0], attempt);
        for turn in 0..TURNS {
            let reduced = &reduced[turn % 2];
            let before = wrong(part, &point);
            point = Mover::new(&reduced.rows, &part.low, &part.high, point).mended(0..3);
            reduced.complete(&mut point);
            for (v, x) in point.iter_mut().enumerate() {
                *x = (*x).clamp(part.low[v], part.high[v]);
            }
            let after = wrong(part, &point);
            if after == 0 {
                return Ok(point);
            }
            if turn > 2 && after >= before {
                break;
            }
        }
        if attempt == 0 {
            let mut search = Search::new(Domain::new(&part.rows, part.low.clone(), part.high.clone()), point.clone());
            match search.find(&[], WHOLE) {
                Outcome::Point(change) => {
                    change.iter().for_each(|&(v, d)| point[v as usize] += d);
                    return Ok(point);
                }
                Outcome::None => return Err(Outcome::None),
                Outcome::Spent => {}
            }
        }
        if let Some(point) = row_by_row(part, point) {
            return Ok(point);
        }
    }
    Err(Outcome::Spent)
}

/// Whether a point lies in the intervals and agrees with all rows.
fn agrees(part: &Part, point: &[i64]) -> bool {
    (0..point.len()).all(|v| part.low[v] <= point[v] && point[v] <= part.high[v]) && wrong(part, point) == 0
}

/// How much is wrong with a point.
fn wrong(part: &Part, point: &[i64]) -> i64 {
    (0..part.rows.count()).map(|r| lack(&part.rows, r, point).abs()).sum()
}

/// How much the sum of a row must change.
fn lack(rows: &Rows, row: usize, point: &[i64]) -> i64 {
    let sum = total(rows, row, point);
    if sum > rows.most[row] { rows.most[row] - sum } else { (rows.least[row] - sum).max(0) }
}

/// Mends the rows that the point does not agree with.
fn row_by_row(part: &Part, mut point: Vec<i64>) -> Option<Vec<i64>> {
    let variables = point.len();
    let (mut low, mut high) = (part.low.clone(), part.high.clone());
    let mut rows = Rows::default();
    for r in 0..part.rows.count() {
        let lack = lack(&part.rows, r, &point);
        let mut entries = part.rows.of(r).to_vec();
        if lack != 0 {
            entries.push((low.len() as u32, lack.signum() as i8));
            low.push(0);
            high.push(lack.abs());
            point.push(lack.abs());
        }
        rows.push(&entries, part.rows.least[r].max(-ENDLESS), part.rows.most[r]);
    }
    let mut search = Search::new(Domain::new(&rows, low, high), point.clone());
    // From the smallest lack to the largest: the first ones make room for the others.
    let mut extra: Vec<u32> = (variables as u32..point.len() as u32).collect();
    extra.sort_by_key(|&v| point[v as usize]);
    for way in 0..WAYS {
        for &v in &extra {
            while point[v as usize] > 0 && search.domain.work < BUDGET && nearer(&mut search, &mut point, v, way) {}
        }
        extra.retain(|&v| point[v as usize] > 0);
        if extra.is_empty() {
            point.truncate(variables);
            return Some(point);
        }
    }
    None
}

/// Makes an extra variable smaller: 0, or less by 1.
fn nearer(search: &mut Search, point: &mut [i64], variable: u32, way: u64) -> bool {
    search.variant = way;
    let now = point[variable as usize];
    for goal in [0, now - 1] {
        if let Outcome::Point(change) = search.find(&[(variable, End::High, goal)], WAY * (way + 1)) {
            change.iter().for_each(|&(v, d)| point[v as usize] += d);
            search.wish(point.to_vec());
            // It stays so; the new point agrees with that.
            let kept = search.domain.tighten(variable, End::High, point[variable as usize], ASSUMED);
            return kept.and_then(|()| search.domain.settle()).is_ok();
        }
        if now == 1 {
            break;
        }
    }
    false
}
