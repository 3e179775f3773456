//! What a mapping met in a file: counts, and texts without a code.

use std::collections::BTreeMap;

/// Different texts kept for a field; beyond, only their rows are counted. So many are no codes.
const MOST_TEXTS: usize = 20;
/// Texts shown of a field.
const SHOWN: usize = 5;
/// Longer texts are no codes.
const LONGEST: usize = 40;
/// A number of so many digits may be somebody's.
const DIGITS: usize = 5;

/// Counts of one file and table of a mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Columns of the file.
    pub columns: usize,
    /// Columns of the file that no table of the mapping reads.
    pub unused: Vec<String>,
    /// Rows of the file.
    pub rows: u64,
    /// Rows that a condition, or `otherwise`, left out.
    pub left_out: u64,
    /// Rows of more quarters than `at_most`.
    pub longer: u64,
    /// Rows left out because a column with `above` holds no number, by column.
    pub no_number: BTreeMap<String, u64>,
    /// Texts without a code, by field.
    pub unknown: BTreeMap<String, Unknown>,
}

/// Texts without a code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unknown {
    /// Rows with such a text.
    pub rows: u64,
    /// Rows by text, if texts of the field may be shown.
    texts: BTreeMap<String, u64>,
    /// There were more texts than are kept.
    more: bool,
}

impl Tally {
    /// Counts a text that a field has no code for.
    pub fn unknown(&mut self, field: &str, text: &str, shown: bool) {
        if !self.unknown.contains_key(field) {
            self.unknown.insert(field.to_string(), Unknown::default());
        }
        let Some(unknown) = self.unknown.get_mut(field) else { return };
        unknown.rows += 1;
        if !shown || text.chars().count() > LONGEST || text.chars().filter(char::is_ascii_digit).count() >= DIGITS {
            unknown.more = true;
        } else if let Some(rows) = unknown.texts.get_mut(text) {
            *rows += 1;
        } else if unknown.texts.len() < MOST_TEXTS {
            unknown.texts.insert(text.to_string(), 1);
        } else {
            unknown.more = true;
        }
    }

    /// Adds what was met in another file or pass of the same table.
    pub fn add(&mut self, other: &Tally) {
        self.longer += other.longer;
        other.no_number.iter().for_each(|(column, rows)| *self.no_number.entry(column.clone()).or_default() += rows);
        for (field, from) in &other.unknown {
            let to = self.unknown.entry(field.clone()).or_default();
            to.rows += from.rows;
            from.texts.iter().for_each(|(text, rows)| *to.texts.entry(text.clone()).or_default() += rows);
            to.more |= from.more;
        }
    }
}

impl Unknown {
    /// The commonest texts, for people; none where they look as if they were no codes.
    pub fn examples(&self) -> Vec<String> {
        if self.texts.len() >= MOST_TEXTS {
            return Vec::new();
        }
        let mut texts: Vec<(&String, &u64)> = self.texts.iter().collect();
        texts.sort_by_key(|(text, rows)| (std::cmp::Reverse(**rows), *text));
        texts.into_iter().take(SHOWN).map(|(text, rows)| format!("{text:?} ({rows})")).collect()
    }
}
