//! What shown texts say about counts: numbers, rates, bands. Whole numbers only.

use super::describe::{Shown, Ties};
use crate::published::Known;

/// A rate as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rate {
    Hidden,
    /// In units of the last decimal.
    Exactly(i128),
    /// Above a bound (with the bound itself, if true), times 10^6.
    Above(i128, bool),
    Below(i128, bool),
}

/// A bound of a band in units of 10^-6 percent.
const BAND_UNIT: i128 = 1_000_000;

/// Reads a count; commas may part thousands.
pub(super) fn count(text: &str, shown: &Shown) -> Option<Known> {
    if shown.hidden.iter().any(|h| h == text) {
        return Some(Known::Hidden);
    }
    let digits: String = text.trim().chars().filter(|&c| c != ',').collect();
    let plain = !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok().map(Known::Exactly))?
}

/// Reads a rate: a number, a band such as `> 95` or `≤ 5 %`, or a text that means hidden.
pub(super) fn rate(text: &str, shown: &Shown) -> Option<Rate> {
    if shown.hidden.iter().any(|h| h == text) {
        return Some(Rate::Hidden);
    }
    let text = text.trim().trim_end_matches('%').trim();
    for (sign, above, closed) in
        [(">=", true, true), ("≥", true, true), (">", true, false), ("<=", false, true), ("≤", false, true), ("<", false, false)]
    {
        if let Some(bound) = text.strip_prefix(sign) {
            let bound = decimal(bound.trim(), 6)?;
            return Some(if above { Rate::Above(bound, closed) } else { Rate::Below(bound, closed) });
        }
    }
    decimal(text, shown.decimals).map(Rate::Exactly)
}

/// A number in units of its last possible decimal.
fn decimal(text: &str, decimals: u32) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || fraction.len() > decimals as usize || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<width$}", width = decimals as usize).parse().ok()
}

/// The numerators that a rate leaves possible for a known denominator: none if it says nothing, an empty interval if no numerator fits.
pub(super) fn numerators(rate: Rate, denominator: i64, shown: &Shown) -> Option<(i64, i64)> {
    let d = i128::from(denominator);
    let up = |a: i128, b: i128| -((-a).div_euclid(b));
    let (low, high) = match rate {
        Rate::Hidden => return None,
        Rate::Above(bound, closed) => {
            let least = up(bound * d, 100 * BAND_UNIT);
            let exact = least * 100 * BAND_UNIT == bound * d;
            (least + i128::from(exact && !closed), d)
        }
        Rate::Below(bound, closed) => {
            let most = (bound * d).div_euclid(100 * BAND_UNIT);
            let exact = most * 100 * BAND_UNIT == bound * d;
            (0, most - i128::from(exact && !closed))
        }
        Rate::Exactly(shown_rate) => {
            // 100 × scale × n / d lies from shown − 1/2 to shown + 1/2: twice that in whole numbers.
            let unit = 200 * 10i128.pow(shown.decimals);
            let (first, last) = ((2 * shown_rate - 1) * d, (2 * shown_rate + 1) * d);
            let even = shown_rate % 2 == 0;
            let (with_first, with_last) = match shown.ties {
                Ties::HalfUp => (true, false),
                Ties::HalfEven => (even, even),
                Ties::Unknown => (true, true),
            };
            let (low, high) = (up(first, unit), last.div_euclid(unit));
            (low + i128::from(low * unit == first && !with_first), high - i128::from(high * unit == last && !with_last))
        }
    };
    Some((low.max(0) as i64, high.min(d) as i64))
}
