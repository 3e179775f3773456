//! Rates as they are published: bounds, one decimal, status. Whole numbers only.

use super::release::Policy;
use super::treatment::{Band, Treatment};

/// How a rate with a half at the second decimal is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// Away from zero: 56.25 is 56.3.
    HalfUp,
    /// To the even digit: 56.25 is 56.2.
    HalfEven,
}

impl Tie {
    /// By the words of the rule `rate_tie_rule`.
    pub fn of(rule: &str) -> Tie {
        if rule == "half_even" { Tie::HalfEven } else { Tie::HalfUp }
    }
}

/// The thresholds (above, below; percent) for a denominator. They depend on nothing else, so that a band tells nothing but itself; none if
/// no band leaves enough numerators (spec disclosure, "Bands that hide"), and the rate is hidden.
pub fn thresholds(policy: &Policy, denominator: i64) -> Option<(i64, i64)> {
    let own = (policy.high, policy.low);
    if !policy.protected {
        return Some(own);
    }
    let wide_enough = |(high, low): (i64, i64)| {
        denominator - last_not_above(high, denominator) >= policy.possible && first_not_below(low, denominator) >= policy.possible
    };
    std::iter::once(own).chain(policy.wider.iter().map(|w| (*w, 100 - w)).filter(|w| w.0 < own.0 && w.1 > own.1)).find(|t| wide_enough(*t))
}

/// The largest numerator whose rate is not above `percent`.
fn last_not_above(percent: i64, denominator: i64) -> i64 {
    percent * denominator / 100
}

/// The smallest numerator whose rate is not below `percent`.
fn first_not_below(percent: i64, denominator: i64) -> i64 {
    (percent * denominator + 99) / 100
}

/// How a figure with a known denominator shows its rate if nothing else hides it.
pub fn by_rate(policy: &Policy, denominator: i64, numerator: i64) -> Treatment {
    match thresholds(policy, denominator) {
        None => Treatment::NumeratorHidden,
        Some((high, _)) if 100 * numerator > high * denominator => Treatment::Band(Band { above: true, bound: high }),
        Some((_, low)) if 100 * numerator < low * denominator => Treatment::Band(Band { above: false, bound: low }),
        Some(_) => Treatment::Shown,
    }
}

/// The numerators (first, last) that a band leaves possible.
pub fn numerators_of(band: Band, denominator: i64) -> (i64, i64) {
    match band.above {
        true => (last_not_above(band.bound, denominator) + 1, denominator),
        false => (0, first_not_below(band.bound, denominator) - 1),
    }
}

/// The numerators (first, last) possible when the denominator is shown and there is neither rate nor band: who knows the rule knows that
/// the rate is not beyond the thresholds.
pub fn numerators_of_hidden(policy: &Policy, denominator: i64) -> (i64, i64) {
    match thresholds(policy, denominator) {
        Some((high, low)) if policy.protected => (first_not_below(low, denominator), last_not_above(high, denominator)),
        _ => (0, denominator),
    }
}

/// Tenths of a percent of the rate, rounded. Needs `denominator` > 0.
fn tenths(denominator: i64, numerator: i64, tie: Tie) -> i64 {
    let (whole, rest) = (1000 * numerator / denominator, 1000 * numerator % denominator);
    let up = match (2 * rest).cmp(&denominator) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => tie == Tie::HalfUp || whole % 2 == 1,
    };
    whole + i64::from(up)
}

/// Column `rate_shown`: `87.5`, `> 95`, `< 5`, `*`; nothing where the denominator is 0.
pub fn rate_shown(treatment: Treatment, denominator: i64, numerator: i64, tie: Tie) -> Option<String> {
    match treatment {
        Treatment::Hidden | Treatment::NumeratorHidden => Some("*".to_owned()),
        Treatment::Band(Band { above: true, bound }) => Some(format!("> {bound}")),
        Treatment::Band(Band { above: false, bound }) => Some(format!("< {bound}")),
        Treatment::Shown if denominator <= 0 => None,
        Treatment::Shown => {
            let tenths = tenths(denominator, numerator, tie);
            Some(format!("{}.{}", tenths / 10, tenths % 10))
        }
    }
}

/// Column `rate`: one decimal, only where the figure is shown.
pub fn rate(treatment: Treatment, denominator: i64, numerator: i64, tie: Tie) -> Option<f64> {
    (treatment == Treatment::Shown && denominator > 0).then(|| tenths(denominator, numerator, tie) as f64 / 10.0)
}

/// Whether the status against a target may be shown: the figure is shown, or every numerator that its band leaves possible has one status.
/// `status` gives the status of a numerator.
pub fn may_show_status<S: PartialEq>(treatment: Treatment, denominator: i64, status: impl Fn(i64) -> S) -> bool {
    match treatment {
        Treatment::Shown => true,
        Treatment::Hidden | Treatment::NumeratorHidden => false,
        // A status never falls as the numerator grows, so the ends decide.
        Treatment::Band(band) => {
            let (first, last) = numerators_of(band, denominator);
            status(first) == status(last)
        }
    }
}
