//! A first guess at a point: in the middle of what the rows allow, in fractions, then rounded. Nothing depends on it but speed.

use super::reduced::Reduced;
use super::solve::Part;
use super::system::{ENDLESS, Rows};

/// How often what the rows lack is spread.
const SWEEPS: usize = 60;

/// A point near all rows. Later attempts start elsewhere.
pub(super) fn guess(part: &Part, reduced: &Reduced, attempt: usize) -> Vec<i64> {
    let rows = &reduced.rows;
    let start = [1.0, 0.5, 2.0, 4.0][attempt % 4];
    let mut point: Vec<f64> =
        (0..part.low.len()).map(|v| part.low[v] as f64 + (start * ((part.high[v] - part.low[v]) as f64 / 2.0)).min(start)).collect();
    for sweep in 0..SWEEPS {
        let mut worst = 0.0f64;
        for r in 0..rows.count() {
            let row = if sweep % 2 == 0 { r } else { rows.count() - 1 - r };
            worst = worst.max(spread(part, rows, row, &mut point));
        }
        if worst < 0.05 {
            break;
        }
    }
    rounded(part, rows, &point)
}

/// Spreads what a row lacks over its variables, more to those that are far from their bounds; returns how much it was.
fn spread(part: &Part, rows: &Rows, row: usize, point: &mut [f64]) -> f64 {
    let entries = rows.of(row);
    let sum: f64 = entries.iter().map(|&(v, a)| f64::from(a) * point[v as usize]).sum();
    let (least, most) = (rows.least[row], rows.most[row]);
    let lack = if sum > most as f64 {
        most as f64 - sum
    } else if least > -ENDLESS && sum < least as f64 {
        least as f64 - sum
    } else {
        return 0.0;
    };
    let room = |v: usize, a: i8, point: &[f64]| {
        let (down, up) = (point[v] - part.low[v] as f64, part.high[v] as f64 - point[v]);
        if (lack > 0.0) == (a > 0) { up.min(down + 0.5) } else { down.min(up + 0.5) }
    };
    let all: f64 = entries.iter().map(|&(v, a)| room(v as usize, a, point)).sum();
    if all <= 0.0 {
        return lack.abs();
    }
    for &(v, a) in entries {
        let v = v as usize;
        let step = lack * room(v, a, point) / all / f64::from(a);
        point[v] = (point[v] + step).clamp(part.low[v] as f64, part.high[v] as f64);
    }
    lack.abs()
}

/// Rounds so that the rows, one after the other, keep their sums as far as their variables are not rounded yet.
fn rounded(part: &Part, rows: &Rows, point: &[f64]) -> Vec<i64> {
    let mut whole: Vec<Option<i64>> = vec![None; point.len()];
    for r in 0..rows.count() {
        let mut carry: f64 =
            rows.of(r).iter().filter_map(|&(v, a)| whole[v as usize].map(|w| f64::from(a) * (point[v as usize] - w as f64))).sum();
        for &(v, a) in rows.of(r) {
            if whole[v as usize].is_none() {
                let wish = point[v as usize] + carry / f64::from(a);
                let near = point[v as usize].floor() as i64;
                let w = (wish.round() as i64).clamp(near, near + 1).clamp(part.low[v as usize], part.high[v as usize]);
                carry += f64::from(a) * (point[v as usize] - w as f64);
                whole[v as usize] = Some(w);
            }
        }
    }
    let free = |(v, w): (usize, Option<i64>)| w.unwrap_or(part.low[v]);
    whole.into_iter().enumerate().map(free).collect()
}
