//! What is counted of the students' rows, for the rows that are not of students. Sums do not depend on the order of the lots.

use std::collections::BTreeMap;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counted {
    /// Applicants to a district, each once.
    Applicant,
    /// Of these, accepted in the end.
    Accepted,
    /// Pupils of a grade, by number, at a school.
    Enrolled(u8),
    /// Pupils in programs of a school.
    InProgram,
}

/// Counts by place in the list of districts or institutions, and school year.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<(Counted, usize, i32), u32>);

impl Tally {
    /// Counts one.
    pub fn add(&mut self, what: Counted, at: usize, school_year: i32) {
        *self.0.entry((what, at, school_year)).or_default() += 1;
    }

    /// Adds the counts of another.
    pub fn join(&mut self, other: Tally) {
        for (key, n) in other.0 {
            *self.0.entry(key).or_default() += n;
        }
    }

    /// How many.
    pub fn of(&self, what: Counted, at: usize, school_year: i32) -> i32 {
        self.0.get(&(what, at, school_year)).map_or(0, |n| *n as i32)
    }
}
