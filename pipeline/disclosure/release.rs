//! What is to be released: figures, how they add up, and what was shown before.

use super::treatment::Treatment;
use crate::published::Count;

/// How the students of a group stand to all students of the same entity and cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// All students. Exactly one group, the first.
    All,
    /// The groups of this kind are a partition of all (gender; race and ethnicity): denominators and numerators sum to those of all.
    Partition,
    /// Some of the students, and the groups overlap (special populations, career clusters).
    Overlap,
    /// All students, counted by another numerator (kinds of placement): the denominator is that of all.
    Breakdown,
}

/// A student group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Groups of one kind make one partition.
    pub kind: u8,
    /// How it stands to all.
    pub membership: Membership,
}

/// One row of the long table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// A report year's indicator, or a plain count.
    pub cohort: u16,
    /// Index in [`Release::entities`].
    pub entity: u32,
    /// Index in [`Release::groups`].
    pub group: u16,
    /// Students.
    pub denominator: i64,
    /// Students of the denominator who count; none for a plain count, such as enrollment.
    pub numerator: Option<i64>,
}

/// An entity whose students are those of its parts, none in two of them: every figure of this cohort is the sum of the parts' figures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntityLine {
    /// The cohort whose figures add up.
    pub cohort: u16,
    /// The entity that is the sum.
    pub total: u32,
    /// The entities that are added.
    pub parts: Vec<u32>,
}

/// Everything that one publication shows or hides.
#[derive(Debug, Clone, Default)]
pub struct Release {
    /// Level of each entity: 0 = state, 1 = grantee, 2 = district, 3 = institution, 4 = program.
    pub entities: Vec<u8>,
    /// Group 0 is all.
    pub groups: Vec<Group>,
    /// In any order; a figure that is not there is known to be 0.
    pub figures: Vec<Figure>,
    /// Where the tree of entities adds up.
    pub lines: Vec<EntityLine>,
    /// Pairs of figures (index) with the same students, beyond [`Membership::Breakdown`] and totals of one part.
    pub same: Vec<(u32, u32)>,
    /// Pairs of cohorts (whole, part): at every entity and group, the part's students are among the whole's.
    pub contains: Vec<(u16, u16)>,
    /// Those of them of which each student of the whole is in one of the parts, or in several.
    pub covered: Vec<(u16, u16)>,
    /// For each figure, how an earlier release showed it; empty if there was none.
    pub prior: Vec<Option<Treatment>>,
    /// Counts (cell: figure) that an attacker found in an earlier try, with whatever else he knew; more is hidden for them. Again for one that is
    /// there again.
    pub found: Vec<Count>,
}

/// By what rules figures are hidden (dated rules of a jurisdiction; spec: disclosure, "Primary rules").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `protected` (true) closes what the jurisdiction's own rules leave open; `rule` (false) does not.
    pub protected: bool,
    /// A figure of fewer students is hidden (n).
    pub smallest: i64,
    /// A rate above this many percent is shown as a bound.
    pub high: i64,
    /// A rate below this many percent is shown as a bound.
    pub low: i64,
    /// Percentages that take the place of `high` where it leaves too few numerators, from tight to wide; that of `low` is 100 less.
    pub wider: Vec<i64>,
    /// So many numerators a bound must leave possible.
    pub possible: i64,
    /// The least that a hidden denominator can be, as an attacker knows: 1 if he knows that there is no row without a student.
    pub hidden_minimum: i64,
}

impl Policy {
    /// Whether this many students are few enough to tell something about each of them.
    pub fn is_small(&self, students: i64) -> bool {
        (1..self.smallest).contains(&students)
    }
}

/// A release that contradicts itself; nothing can be published before that is resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// An entity, group, cohort or figure that is not there.
    #[error("figure {0}: there is no such entity or group, or its counts are not 0 ≤ numerator ≤ denominator")]
    Figure(u32),
    /// Two rows for one cell.
    #[error("cohort {cohort}, entity {entity}, group {group} is there twice")]
    Twice {
        /// The cohort.
        cohort: u16,
        /// The entity.
        entity: u32,
        /// The group.
        group: u16,
    },
    /// The first group must be all, and no other.
    #[error("group 0 must be all, and no other group")]
    Groups,
    /// A line names an entity that is not there.
    #[error("a line of cohort {cohort} names entity {entity}, which is not there")]
    Line {
        /// The cohort.
        cohort: u16,
        /// The entity.
        entity: u32,
    },
    /// The parts of a line or partition do not sum to its total.
    #[error("cohort {cohort}, entity {entity}, group {group}: the parts do not sum to the total")]
    Sum {
        /// The cohort.
        cohort: u16,
        /// The entity.
        entity: u32,
        /// The group.
        group: u16,
    },
    /// Figures said to have the same students, but with other numbers of them.
    #[error("figures {0} and {1} cannot have the same students")]
    Same(u32, u32),
    /// A list with an entry for each figure has another length.
    #[error("there are {figures} figures, but {prior} earlier treatments")]
    Prior {
        /// Figures of the release.
        figures: usize,
        /// Length of the list.
        prior: usize,
    },
}
