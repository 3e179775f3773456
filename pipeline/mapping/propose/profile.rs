//! What the values of a column look like.

use super::super::date::Format;
use crate::error::Result;
use crate::ingest::rows::{Row, Rows};
use crate::ingest::value;
use std::collections::BTreeMap;

/// More different texts are no codes.
pub const MOST_CODES: usize = 20;
/// Longer texts are no codes.
const LONGEST_CODE: usize = 64;
/// A text with so many digits may be somebody's number.
const DIGITS: usize = 5;
/// Formats of dates, the commonest first.
const DATES: [&str; 8] = ["%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%b-%Y", "%Y-%m-%d*", "%m/%d/%Y*"];

/// A column is what so many of a hundred of its values are: files have faults.
const MOST_OF_100: u64 = 80;
/// Whole numbers of years.
const YEARS: std::ops::RangeInclusive<i64> = 1990..=2100;

/// A column.
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its name says that it holds what is somebody's own.
    own: bool,
    /// Values that are not empty.
    pub filled: u64,
    /// Different values and how often they come, as long as they may be codes.
    texts: BTreeMap<String, u64>,
    /// There are more.
    many: bool,
    /// How many values are dates of a format.
    dates: Vec<(&'static str, Format, u64)>,
    /// How many values are of a kind.
    of: Kinds,
}

/// How many values can be read as what.
#[derive(Default)]
struct Kinds {
    integers: u64,
    years: u64,
    numbers: u64,
    booleans: u64,
    cips: u64,
    /// Not too long for an identifier, and without blanks.
    ids: u64,
}

impl Profile {
    /// A column without values, by its name and whether that says that the column holds what is somebody's own.
    pub fn new(name: &str, own: bool) -> Profile {
        let dates = DATES.iter().filter_map(|text| Some((*text, Format::parse(text).ok()?, 0))).collect();
        Profile { name: name.to_string(), own, filled: 0, texts: BTreeMap::new(), many: false, dates, of: Kinds::default() }
    }

    fn add(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.filled += 1;
        self.dates.iter_mut().for_each(|(_, format, count)| *count += u64::from(format.read(text).is_some()));
        let (of, integer) = (&mut self.of, text.parse::<i64>().ok());
        of.integers += u64::from(integer.is_some());
        of.years += u64::from(integer.is_some_and(|n| YEARS.contains(&n)));
        of.numbers += u64::from(text.parse::<f64>().is_ok_and(f64::is_finite));
        of.booleans += u64::from(value::boolean(text.as_bytes()).is_ok());
        of.cips += u64::from(value::cip(text.as_bytes()).is_ok());
        of.ids += u64::from(text.len() <= crate::ingest::plan::ID_CHARACTERS && !text.contains(char::is_whitespace));
        if self.many {
        } else if let Some(count) = self.texts.get_mut(text) {
            *count += 1;
        } else if self.texts.len() < MOST_CODES && text.chars().count() <= LONGEST_CODE {
            self.texts.insert(text.to_string(), 1);
        } else {
            self.many = true;
            self.texts.clear();
        }
    }

    fn most(&self, count: u64) -> bool {
        self.filled > 0 && count * 100 >= self.filled * MOST_OF_100
    }

    /// The different values in lower case and how often they come, if they may be codes.
    pub fn few(&self) -> Option<Vec<(String, u64)>> {
        (!self.many && self.filled > 0).then(|| self.texts.iter().map(|(t, count)| (t.to_lowercase(), *count)).collect())
    }

    /// How many values are none of these codes (in lower case), if that is known.
    pub fn others(&self, codes: &[String]) -> Option<u64> {
        let texts = self.few()?;
        Some(texts.iter().filter(|(t, _)| !codes.contains(t)).map(|(_, count)| count).sum())
    }

    /// Whether most values are these codes.
    pub fn has_codes(&self, codes: &[String]) -> bool {
        self.others(codes).is_some_and(|others| self.most(self.filled - others))
    }

    /// The different values, if they may be shown: few, each short and again and again, in a column that holds nothing of somebody's own.
    pub fn shown(&self) -> Option<Vec<&String>> {
        let again = self.filled >= 2 * self.texts.len() as u64;
        let digits = self.texts.keys().any(|t| t.chars().filter(char::is_ascii_digit).count() >= DIGITS);
        let dated = self.texts.keys().any(|t| self.dates.iter().any(|(_, format, _)| format.read(t).is_some()));
        (!self.many && again && !self.own && !digits && !dated).then(|| self.texts.keys().collect())
    }

    /// The formats of date in which most values can be read, that of the most values first.
    pub fn dates(&self) -> Vec<&'static str> {
        let mut most: Vec<_> = self.dates.iter().filter(|(_, _, count)| self.most(*count)).collect();
        most.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
        most.into_iter().map(|(text, ..)| *text).collect()
    }

    /// Whether most values are whole numbers; between bounds, as far as that is known.
    pub fn is_integer(&self, least: i64, most: i64) -> bool {
        if (least, most) == (*YEARS.start(), *YEARS.end()) {
            return self.most(self.of.years);
        }
        let inside = |text: &str| text.parse::<i64>().is_ok_and(|n| (least..=most).contains(&n));
        match self.few() {
            Some(texts) => self.most(texts.iter().filter(|(t, _)| inside(t)).map(|(_, count)| count).sum()),
            None => self.most(self.of.integers),
        }
    }

    /// Whether most values are numbers.
    pub fn is_number(&self) -> bool {
        self.most(self.of.numbers)
    }

    /// Whether most values say yes or no.
    pub fn is_boolean(&self) -> bool {
        self.most(self.of.booleans)
    }

    /// Whether most values are CIP codes.
    pub fn is_cip(&self) -> bool {
        self.most(self.of.cips)
    }

    /// Whether most values can be identifiers.
    pub fn is_id(&self) -> bool {
        self.most(self.of.ids)
    }
}

/// Looks at the columns of the first rows; also how many rows those are, and whether there are more. A row with too few fields or too many is
/// not looked at.
pub fn profile(mut rows: Box<dyn Rows>, mut columns: Vec<Profile>, most: u64) -> Result<(Vec<Profile>, u64, bool)> {
    let (mut row, mut read) = (Row::default(), 0);
    while rows.next(&mut row)? {
        if read == most {
            return Ok((columns, read, true));
        }
        read += 1;
        if row.fields.len() == columns.len() {
            columns.iter_mut().zip(&row.fields).for_each(|(column, text)| column.add(text.trim()));
        }
    }
    Ok((columns, read, false))
}
