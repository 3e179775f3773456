//! What number formats say about the numbers that they show: a date, a percentage, or digits with zeros before them. ECMA-376, part 1, 18.8.30
//! (codes, and the ids that have none in the file) and 18.17.4 (serial dates).

use super::super::number::{float, moment, plain, time};

/// How a number is shown, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// As a number.
    Number,
    /// As a date or a time.
    Date,
    /// Times one hundred.
    Percent,
    /// Digits with zeros before them: what a format such as `00000` or `00.0000` or `000\-00` puts where.
    Digits(Vec<Slot>),
}

/// A place of a format of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// A digit.
    Digit,
    /// The dot before decimals.
    Dot,
    /// A character.
    Literal(char),
}

/// The shape of a format by its id, for those that stand for themselves.
pub fn built_in(id: u32) -> Shape {
    match id {
        9 | 10 => Shape::Percent,
        14..=22 | 27..=36 | 45..=47 | 50..=58 => Shape::Date,
        _ => Shape::Number,
    }
}

/// The shape of a format code, by its first section.
pub fn of_code(code: &str) -> Shape {
    let mut slots = Vec::new();
    let (mut date, mut percent, mut other) = (false, false, false);
    let mut characters = code.chars();
    if code.to_ascii_lowercase().starts_with("general") {
        return Shape::Number;
    }
    while let Some(c) = characters.next() {
        match c {
            ';' => break,
            '"' => slots.extend(characters.by_ref().take_while(|c| *c != '"').map(Slot::Literal)),
            '\\' => slots.extend(characters.next().map(Slot::Literal)),
            // A blank as wide as the next character, or the next character over and over.
            '_' | '*' => drop(characters.next()),
            // A colour, a condition, a language, or hours that may be more than a day has.
            '[' => {
                let inside: String = characters.by_ref().take_while(|c| *c != ']').collect();
                other |= inside.chars().all(|c| "hmsHMS".contains(c)) && !inside.is_empty();
            }
            '0' => slots.push(Slot::Digit),
            '.' => slots.push(Slot::Dot),
            '#' => {}
            '-' | ' ' | '/' | '(' | ')' | ':' => slots.push(Slot::Literal(c)),
            '%' => percent = true,
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => date = true,
            _ => other = true,
        }
    }
    let whole = slots.iter().take_while(|s| **s != Slot::Dot).filter(|s| **s == Slot::Digit).count();
    match () {
        () if percent => Shape::Percent,
        () if date && !(other && code.contains("[h")) => Shape::Date,
        () if !other && !date && whole >= 2 => Shape::Digits(slots),
        () => Shape::Number,
    }
}

/// A number of a cell, as it is written in the file, as text.
pub fn text(number: &str, shape: &Shape, since_1904: bool) -> String {
    let whole = !number.is_empty() && number.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
    let Ok(value) = number.parse::<f64>() else { return number.to_string() };
    let as_number = || if whole { plain(number) } else { float(value) };
    match shape {
        Shape::Number => as_number(),
        Shape::Percent => float((value * 1e14).round() / 1e12),
        Shape::Date => date(value, since_1904).unwrap_or_else(as_number),
        Shape::Digits(slots) => digits(&as_number(), slots).unwrap_or_else(as_number),
    }
}

const DAY: i64 = 86_400;
/// 1970-01-01 as a serial date, where 1900-01-01 is 1 and 1900 is taken for a leap year; and where 1904-01-01 is 0.
const SINCE_1900: i64 = 25_569;
const SINCE_1904: i64 = 24_107;

/// A serial date. The day that 1900 did not have stays what it is, so that nobody takes it for another.
fn date(serial: f64, since_1904: bool) -> Option<String> {
    if !(0.0..3_000_000.0).contains(&serial) {
        return None;
    }
    let seconds = (serial * DAY as f64).round() as i64;
    let day = seconds.div_euclid(DAY);
    let shift = match day {
        _ if since_1904 => SINCE_1904,
        0 => return (seconds > 0).then(|| time(seconds, DAY)),
        60 => return Some("1900-02-29".into()),
        1..60 => SINCE_1900 - 1,
        _ => SINCE_1900,
    };
    moment(seconds - shift * DAY, DAY)
}

/// A number as digits with zeros before them; none if the format has no place for it.
fn digits(number: &str, slots: &[Slot]) -> Option<String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let dot = slots.iter().position(|s| *s == Slot::Dot).unwrap_or(slots.len());
    let count = |slots: &[Slot]| slots.iter().filter(|s| **s == Slot::Digit).count();
    let (before, after) = (count(&slots[..dot]), count(&slots[dot..]));
    if number.starts_with('-') || fraction.len() > after || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Digits for which there is no place stand before the others.
    let more = whole.len().saturating_sub(before);
    let padded = format!("{whole:0>before$}{fraction:0<after$}");
    let (mut left, mut next, mut text) = (padded.chars(), more + 1, String::new());
    for slot in slots {
        match slot {
            Slot::Digit => text.extend(left.by_ref().take(std::mem::replace(&mut next, 1))),
            Slot::Dot => text.push('.'),
            Slot::Literal(c) => text.push(*c),
        }
    }
    Some(text)
}
