//! What foreign keys refer to: the values of a field in accepted rows, of this load and of the years that stay from the load before.

use super::intern::Interner;
use std::collections::BTreeMap;

/// The values of one field and since when rows have them.
#[derive(Debug, Default)]
pub struct Reference {
    /// The values; the code of a value with a surrogate key is that key.
    pub table: Interner,
    /// For each value the first year of an accepted row; [`NEVER`] if there is none.
    pub first_year: Vec<i32>,
}

/// The first year of a value that no accepted row has.
pub const NEVER: i32 = i32::MAX;

impl Reference {
    /// Adds a value that a row of `year` has.
    pub fn add(&mut self, text: &[u8], year: i32) {
        let code = self.table.add(text);
        self.seen(code as usize, year);
    }

    /// Notes that a row of `year` has the value.
    pub fn seen(&mut self, code: usize, year: i32) {
        if self.first_year.len() <= code {
            self.first_year.resize(code + 1, NEVER);
        }
        self.first_year[code] = self.first_year[code].min(year);
    }

    /// The first year of a text.
    pub fn first_year_of(&self, text: &[u8]) -> i32 {
        self.table.code(text).and_then(|code| self.first_year.get(code as usize).copied()).unwrap_or(NEVER)
    }
}

/// All references made so far, by collection and field.
#[derive(Debug, Default)]
pub struct References(BTreeMap<(String, String), Reference>);

impl References {
    /// The reference for a field of a collection.
    pub fn get(&self, collection: &str, field: &str) -> Option<&Reference> {
        self.0.get(&(collection.to_string(), field.to_string()))
    }

    /// Adds one.
    pub fn insert(&mut self, collection: &str, field: &str, reference: Reference) {
        self.0.insert((collection.to_string(), field.to_string()), reference);
    }
}
