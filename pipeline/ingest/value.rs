//! The types of the specification: from the text of a field to a number of fixed width.
//!
//! Where the specification leaves room: a sign is allowed before whole numbers and decimals; `.5` and `1.` are decimals; digits after the dot are
//! counted as written, so that `2.500` has three decimals; exponents and separators of thousands are no part of a number.

use super::intern::{eight_digits, load8, low_bytes};
use super::reject::Rule;

pub use crate::chunk::ByteTexts;
pub use crate::chunk::{NULL_BYTE, NULL_INT, NULL_LONG};

/// Smallest and largest value allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Smallest.
    pub least: i64,
    /// Largest.
    pub most: i64,
}

impl Bounds {
    #[inline(always)]
    fn check(self, n: i64) -> Result<i64, Rule> {
        if n < self.least || n > self.most { Err(Rule::Range) } else { Ok(n) }
    }
}

/// A whole number.
#[inline(always)]
pub fn integer(text: &[u8], bounds: Bounds) -> Result<i64, Rule> {
    decimal(text, 0, bounds).and_then(|n| if text.contains(&b'.') { Err(Rule::Type) } else { Ok(n) })
}

/// A year, or another whole number; four digits go fast.
#[inline(always)]
pub fn year(text: &[u8], start: usize, len: usize, bounds: Bounds) -> Result<i32, Rule> {
    let n = match low_bytes(load8(text, start), len) {
        word if len == 4 => eight_digits(word << 32 | 0x3030_3030).ok_or(Rule::Type).and_then(|n| bounds.check(n as i64)),
        _ => integer(&text[start..start + len], bounds),
    };
    n.map(|n| n as i32)
}

/// A decimal as its value times ten to the power of `scale`.
#[inline(always)]
pub fn decimal(text: &[u8], scale: u8, bounds: Bounds) -> Result<i64, Rule> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mut n, mut seen, mut after, mut dot) = (0i64, 0u32, 0u8, false);
    for &b in digits {
        let digit = b.wrapping_sub(b'0');
        if digit < 10 {
            // Beyond what fits the value stays large enough to be out of range.
            n = n.saturating_mul(10).saturating_add(i64::from(digit));
            seen += 1;
            after = after.saturating_add(u8::from(dot));
        } else if b == b'.' && !dot {
            dot = true;
        } else {
            return Err(Rule::Type);
        }
    }
    if seen == 0 || after > scale {
        return Err(Rule::Type);
    }
    for _ in after..scale {
        n = n.saturating_mul(10);
    }
    bounds.check(if negative { -n } else { n })
}

/// Yes or no as 1 or 0.
#[inline(always)]
pub fn boolean(text: &[u8]) -> Result<u8, Rule> {
    match text {
        [b'Y' | b'y' | b'T' | b't' | b'1'] => Ok(1),
        [b'N' | b'n' | b'F' | b'f' | b'0'] => Ok(0),
        _ => long_boolean(text),
    }
}

#[cold]
fn long_boolean(text: &[u8]) -> Result<u8, Rule> {
    let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    match () {
        () if is("yes") || is("true") => Ok(1),
        () if is("no") || is("false") => Ok(0),
        () => Err(Rule::Type),
    }
}

/// Days before each month in a common year.
const BEFORE_MONTH: [i32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01 to the first of January.
fn days_before(year: i32) -> i32 {
    let before = year - 1;
    before * 365 + before / 4 - before / 100 + before / 400 - 719_162
}

/// A date `YYYY-MM-DD` as days since 1970-01-01.
#[inline(always)]
pub fn date(text: &[u8], start: usize, len: usize) -> Result<i32, Rule> {
    if len != 10 || text[start + 4] != b'-' || text[start + 7] != b'-' {
        return Err(Rule::Type);
    }
    // YYYY, MM and DD side by side, to be read as one number of eight digits.
    let (front, back) = (load8(text, start), load8(text, start + 8));
    let digits = low_bytes(front, 4) | (front >> 40 & 0xFFFF) << 32 | (back & 0xFFFF) << 48;
    let number = eight_digits(digits).ok_or(Rule::Type)? as i32;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let Some(&before) = BEFORE_MONTH.get(month.wrapping_sub(1) as usize) else { return Err(Rule::Type) };
    let next = BEFORE_MONTH.get(month as usize).copied().unwrap_or(365);
    let leap = is_leap(year);
    if year == 0 || day == 0 || day > next - before + i32::from(leap && month == 2) {
        return Err(Rule::Type);
    }
    Ok(days_before(year) + before + i32::from(leap && month > 2) + day - 1)
}

/// A date as text.
pub fn date_text(days: i32) -> String {
    let mut year = 1970 + if days < 0 { days / 365 - 2 } else { days / 366 - 1 };
    while days_before(year + 1) <= days {
        year += 1;
    }
    let mut day = days - days_before(year);
    let length = |month: usize| {
        let next = BEFORE_MONTH.get(month + 1).copied().unwrap_or(365);
        next - BEFORE_MONTH[month] + i32::from(month == 1 && is_leap(year))
    };
    let mut month = 0;
    while month < 11 && day >= length(month) {
        day -= length(month);
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}", month + 1, day + 1)
}

/// A decimal as text.
pub fn decimal_text(value: i64, scale: u8) -> String {
    let unit = 10u64.pow(u32::from(scale));
    let (sign, size) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    match scale {
        0 => format!("{sign}{size}"),
        _ => format!("{sign}{}.{:0width$}", size / unit, size % unit, width = usize::from(scale)),
    }
}

/// A CIP code as `NN.NNNN`; five digits have lost their leading zero to a spreadsheet.
#[inline(always)]
pub fn cip(text: &[u8]) -> Result<[u8; 7], Rule> {
    let mut code = *b"00.0000";
    match text {
        [a, b, b'.', rest @ ..] if rest.len() == 4 => fill(&mut code, &[&[*a, *b], rest]),
        [a, b, rest @ ..] if rest.len() == 4 => fill(&mut code, &[&[*a, *b], rest]),
        [b, rest @ ..] if rest.len() == 4 => fill(&mut code, &[b"0", &[*b], rest]),
        _ => return Err(Rule::Type),
    }
    let digits = code.iter().enumerate().all(|(i, b)| i == 2 || b.is_ascii_digit());
    if digits { Ok(code) } else { Err(Rule::Type) }
}

/// A CIP code, or a series of two or four digits as `NN` or `NN.NN`; and its length.
pub fn cip_series(text: &[u8]) -> Result<([u8; 7], usize), Rule> {
    let mut padded = *b"00.0000";
    let length = match text.len() {
        2 => 2,
        5 if text.contains(&b'.') => 5,
        _ => return Ok((cip(text)?, 7)),
    };
    padded[..length].copy_from_slice(text);
    Ok((cip(&padded)?, length))
}

fn fill(code: &mut [u8; 7], parts: &[&[u8]]) {
    let places = [0, 1, 3, 4, 5, 6];
    for (place, &byte) in places.into_iter().zip(parts.iter().flat_map(|p| p.iter())) {
        code[place] = byte;
    }
}

/// The codes of a field: a text to its place in the contract's sorted list.
#[derive(Debug, Clone)]
pub struct Codes {
    words: Vec<Box<[u8]>>,
    slots: Vec<Word>,
    factor: u64,
}

/// A code with what is compared of it at a glance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Word {
    first: u64,
    middle: u64,
    last: u64,
    len: usize,
    code: u8,
}

impl Word {
    #[inline(always)]
    fn of(text: &[u8], start: usize, len: usize, code: u8) -> Word {
        let last = if len > 8 { load8(text, start + len - 8) } else { 0 };
        let middle = if len > 16 { load8(text, start + 8) } else { 0 };
        Word { first: low_bytes(load8(text, start), len), middle, last, len, code }
    }
}

impl crate::chunk::ByteTexts for Codes {
    fn text(&self, code: u8) -> &[u8] {
        self.words.get(code as usize).map(|w| &**w).unwrap_or_default()
    }
}

impl Codes {
    /// A table for a sorted list of codes.
    pub fn new(words: &[String]) -> Codes {
        let words: Vec<Box<[u8]>> = words.iter().map(|w| w.as_bytes().into()).collect();
        let size = (words.len() * 16).next_power_of_two();
        let mut codes = Codes { words, slots: Vec::new(), factor: 0x9E37_79B9_7F4A_7C15 };
        // Try factors until no two codes fall on one slot: then one comparison decides.
        for _ in 0..10_000 {
            codes.slots = vec![Word::default(); size];
            codes.factor = codes.factor.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(2) | 1;
            let mut clash = false;
            for (place, word) in codes.words.iter().enumerate() {
                let entry = Word::of(word, 0, word.len(), place as u8);
                let at = codes.slot(entry);
                clash |= codes.slots[at].len != 0;
                codes.slots[at] = entry;
            }
            // With clashes left the slow way still finds every code.
            if !clash {
                break;
            }
        }
        codes
    }

    #[inline(always)]
    fn slot(&self, word: Word) -> usize {
        let mixed = word.first ^ word.last.rotate_left(29) ^ (word.len as u64) << 57;
        (mixed.wrapping_mul(self.factor) >> 40) as usize & (self.slots.len() - 1)
    }

    /// The code of a text in any letter case.
    #[inline(always)]
    pub fn find(&self, text: &[u8], start: usize, len: usize) -> Result<u8, Rule> {
        let word = Word::of(text, start, len, 0);
        let entry = self.slots[self.slot(word)];
        if entry == (Word { code: entry.code, ..word }) && (len <= 24 || self.text(entry.code) == &text[start..start + len]) {
            return Ok(entry.code);
        }
        self.search(&text[start..start + len])
    }

    #[inline(never)]
    fn search(&self, text: &[u8]) -> Result<u8, Rule> {
        self.words.iter().position(|w| w.eq_ignore_ascii_case(text)).map(|place| place as u8).ok_or(Rule::Code)
    }

    /// The codes in order.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.words.iter().map(|w| &**w)
    }
}
