//! What a release tells the public: the input of the attacker and of the certificate.

use super::cells::{Cells, split};
use super::rate::{numerators_of, numerators_of_hidden};
use super::release::{Policy, Release, ReleaseError};
use super::treatment::{Band, Treatment};
use crate::published::{Cell, Known, Line, Published};

/// Everything published of a protected release; cell `i` is figure `i`. Treatments are those of [`super::Protection`], one for each figure.
pub fn published(release: &Release, policy: &Policy, treatments: &[Treatment]) -> Result<Published, ReleaseError> {
    let mut whole = Published { hidden_minimum: policy.hidden_minimum, ..Published::default() };
    whole.cells = vec![Cell { denominator: Known::Hidden, numerator: Known::Hidden }; release.figures.len()];
    for set in split(release)? {
        let own: Vec<Treatment> = set.origin.iter().map(|o| treatments[*o as usize]).collect();
        let part = of_cells(&set, policy, &own);
        let origin = |i: u32| set.origin[i as usize];
        part.cells.iter().zip(&set.origin).for_each(|(cell, o)| whole.cells[*o as usize] = *cell);
        let lines = part.lines.into_iter();
        whole.lines.extend(lines.map(|l| Line { total: origin(l.total), parts: l.parts.into_iter().map(origin).collect() }));
        let covers = part.covers.into_iter();
        whole.covers.extend(covers.map(|l| Line { total: origin(l.total), parts: l.parts.into_iter().map(origin).collect() }));
        whole.within.extend(part.within.into_iter().map(|(a, b)| (origin(a), origin(b))));
        whole.among.extend(part.among.into_iter().map(|(a, b)| (origin(a), origin(b))));
        whole.same.extend(part.same.into_iter().map(|(a, b)| (origin(a), origin(b))));
    }
    Ok(whole)
}

/// The same for linked cohorts; cell `i` is their figure `i`.
pub fn of_cells(cells: &Cells, policy: &Policy, treatments: &[Treatment]) -> Published {
    let known = |(f, t): (&super::release::Figure, &Treatment)| {
        let denominator = if t.shows_denominator() { Known::Exactly(f.denominator) } else { Known::Hidden };
        let numerator = match (f.numerator, *t) {
            // A plain count has no numerator; 0 says nothing.
            (None, _) => Known::Exactly(0),
            (Some(n), Treatment::Shown) => Known::Exactly(n),
            (Some(_), Treatment::Band(band)) => between(numerators_of(band, f.denominator)),
            (Some(_), Treatment::NumeratorHidden) => between(numerators_of_hidden(policy, f.denominator)),
            (Some(_), Treatment::Hidden) => Known::Hidden,
        };
        Cell { denominator, numerator }
    };
    let line = |l: &[u32]| Line { total: l[0], parts: l[1..].to_vec() };
    let told = cells.by_chance as usize;
    let is_plain = |i: u32| cells.figures[i as usize].numerator.is_none();
    Published {
        cells: cells.figures.iter().zip(treatments).map(known).collect(),
        lines: cells.lines.iter().take(told).map(line).collect(),
        covers: cells.lines.iter().skip(told).chain(cells.covers.iter()).map(line).collect(),
        within: cells.within.iter().copied().filter(|(p, w)| is_plain(*p) == is_plain(*w)).collect(),
        among: cells.among.clone(),
        same: cells.same.clone(),
        hidden_minimum: policy.hidden_minimum,
    }
}

fn between((first, last): (i64, i64)) -> Known {
    Known::Between(first, last)
}

/// The numerators (first, last) that a treatment itself leaves possible.
pub fn possible(policy: &Policy, denominator: i64, treatment: Treatment, numerator: i64) -> (i64, i64) {
    match treatment {
        Treatment::Shown => (numerator, numerator),
        Treatment::Band(band @ Band { .. }) => numerators_of(band, denominator),
        Treatment::NumeratorHidden => numerators_of_hidden(policy, denominator),
        Treatment::Hidden => (0, i64::MAX),
    }
}
