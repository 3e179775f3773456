//! What a release tells the public about its counts, as plain data: the cells, what is shown of each, and the relations between them.
//!
//! The protection (`disclosure`) writes it, the attacker (`audit`) and the certificate's verifier read it; they share nothing else. It has
//! no logic, so that none of them can inherit a mistake of another.

use serde::{Deserialize, Serialize};

/// What is known in public of a count of students.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Known {
    /// Shown, or computable from what is shown (a denominator and a rate with one decimal can give the numerator).
    Exactly(i64),
    /// From the first to the second, both possible: a band such as `> 95` with a known denominator.
    Between(i64, i64),
    /// Not shown. A denominator is at least [`Published::hidden_minimum`], a numerator at least 0.
    Hidden,
}

/// A figure: one row of the long table (cohort × entity × group).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// Students that the figure is about.
    pub denominator: Known,
    /// Those of them who meet the indicator: from 0 to the denominator.
    pub numerator: Known,
}

/// A sum that the public knows to hold, for denominators and for numerators (so also for those who do not meet the indicator).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    /// Index of the cell that is the sum.
    pub total: u32,
    /// Indices of the cells that are added; a part that has no row is 0 and is left out.
    pub parts: Vec<u32>,
}

/// Everything published: cells and relations. Cells are named by their index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// All figures.
    pub cells: Vec<Cell>,
    /// Sums of entities (for each group) and of partitions (for each entity).
    pub lines: Vec<Line>,
    /// Totals whose students are each in one of the parts, or in several, alike those who meet the indicator: the parts together are no fewer.
    #[serde(default)]
    pub covers: Vec<Line>,
    /// (part, whole): the students of the part are among those of the whole, and those who meet the indicator among those who do.
    pub within: Vec<(u32, u32)>,
    /// (part, whole): the students of the part are among those of the whole, and those who meet the indicator among those who do; who does not
    /// meet it in the part may meet it in the whole (kinds of placement, career clusters).
    #[serde(default)]
    pub among: Vec<(u32, u32)>,
    /// Cells of the same students: their denominators are equal (their numerators need not be).
    pub same: Vec<(u32, u32)>,
    /// The least that a hidden denominator can be: 0, or 1 where the public knows that a row exists only for somebody.
    pub hidden_minimum: i64,
}

/// Which count of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Field {
    /// The denominator.
    Denominator,
    /// The numerator.
    Numerator,
}

/// One count: a cell and which of its two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Count {
    /// Index of the cell.
    pub cell: u32,
    /// Denominator or numerator.
    pub field: Field,
}

/// A whole-number table that agrees with everything published: the two counts of every cell, by its index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Students.
    pub denominator: Vec<i64>,
    /// Students who meet the indicator.
    pub numerator: Vec<i64>,
}

/// The difference of a second such table to the base table: the counts that change, sorted, each once, never by 0. It is a witness that
/// none of these counts has only one possible value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Count and how much it differs from the base table.
    pub change: Vec<(Count, i64)>,
}
