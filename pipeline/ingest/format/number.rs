//! Numbers of formats that have numbers, as the text that a contract reads: digits and a dot, without an exponent or zeros that say nothing.

use super::super::value::date_text;

/// Beyond so many digits a number stays as it is written.
const MOST_DIGITS: usize = 40;

/// A number such as `-1.50e2` as `-150`, digit by digit. What is none, or is very long so, stays as it is.
pub fn plain(text: &str) -> String {
    expand(text).unwrap_or_else(|| text.to_string())
}

fn expand(text: &str) -> Option<String> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Where the dot is, counted from the first digit.
    let dot = whole.len() as i64 + exponent.parse::<i64>().ok().filter(|e| e.unsigned_abs() <= MOST_DIGITS as u64)?;
    let zeros = |count: i64| "0".repeat(count.max(0) as usize);
    let digits = format!("{}{digits}{}", zeros(-dot), zeros(dot - digits.len() as i64));
    let (whole, fraction) = digits.split_at(dot.max(0) as usize);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// The whole numbers that 64-bit floats have one by one.
const EXACT: f64 = (1u64 << 53) as f64;

/// A float with the 15 digits that it holds whatever the number: 0.1 + 0.2 is 0.3. Whole numbers are exact.
pub fn float(value: f64) -> String {
    match value {
        v if v.trunc() == v && v.abs() <= EXACT => (v as i64).to_string(),
        v if v.is_finite() => plain(&format!("{v:.14e}")),
        v => v.to_string(),
    }
}

/// A float of 32 bits, with the fewest digits that tell it from its neighbours.
pub fn float32(value: f32) -> String {
    if value.is_finite() { plain(&format!("{value:e}")) } else { value.to_string() }
}

/// Days since 1970-01-01 of the first of January of the year 1, and of the last of December 9999.
const DAYS: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// A moment as `YYYY-MM-DD` if it is midnight, else with the time after it; none if the year has not four digits. `per_day` units make a day.
pub fn moment(units: i64, per_day: i64) -> Option<String> {
    let (days, rest) = (units.div_euclid(per_day), units.rem_euclid(per_day));
    let date = DAYS.contains(&days).then(|| date_text(days as i32))?;
    Some(if rest == 0 { date } else { format!("{date}T{}", time(rest, per_day)) })
}

/// A time of day as `HH:MM:SS`, with a fraction if there is one.
pub fn time(units: i64, per_day: i64) -> String {
    let per_second = (per_day / 86_400).max(1);
    let (seconds, fraction) = (units / per_second, units % per_second);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 {
        return clock;
    }
    let digits = format!("{:0width$}", fraction, width = per_second.ilog10() as usize);
    format!("{clock}.{}", digits.trim_end_matches('0'))
}
