//! The description of a published table (TOML): what its columns are, which texts mean hidden, and which of its figures sum to which.
//!
//! ```toml
//! title = "Graduates attending college"
//! source = "where the table is from"
//!
//! [columns]
//! cohort = ["year", "capture_period"]  # rows of different cohorts have nothing to do with each other
//! level = "level"                      # optional
//! entity = "entity_code"
//! group = ["breakdown"]                # one column, or kind and code
//! denominator = "Graduates"
//! numerator = "Attending (#)"          # optional, as is the rate
//! rate = "Attending (%)"
//!
//! [shown]
//! hidden = ["", "*"]                   # texts that mean "not shown"
//! decimals = 1                         # of the rate
//! ties = "half_up"                     # half_up, half_even or unknown
//! hidden_minimum = 1                   # the least that a hidden denominator can be
//!
//! [groups]
//! absent = "zero"                      # a group without a row has nobody ("zero"), or may have ("unknown")
//! all = ["all", "all"]                 # optional
//! within_all = true                    # each group is a part of All
//! same_as_all = ["placement"]          # kinds with the same students as All
//! [[groups.partition]]
//! kind = "gender"                      # all codes of a kind; or: codes = [["F"], ["M"]]
//! [[groups.within]]
//! part = ["Economically Disadvantaged"]
//! whole = ["High Needs"]
//!
//! [[sum]]                              # parts of a level sum to the entity that they belong to
//! total = "district"
//! part = "school"
//! prefix = 4                           # same first characters; or: column = "district_code"
//!
//! [sums]                               # or: a table of lines, given beside the table
//! total = ["level", "entity_id"]
//! part = ["part_level", "part_entity_id"]
//!
//! [[same]]                             # the same students under several values of a column of the cohort
//! column = "indicator"
//! values = ["5S1", "5S2", "5S3"]
//! ```

use serde::Deserialize;
use std::path::Path;

/// What is wrong with a description or with a table that it describes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: expected {expected}, got {got}", place(.file, .line, .column))]
pub struct DescribeError {
    /// The file.
    pub file: String,
    /// Line in it, from 1.
    pub line: Option<u64>,
    /// Column of a table, or key of a description.
    pub column: Option<String>,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub got: String,
}

fn place(file: &str, line: &Option<u64>, column: &Option<String>) -> String {
    let line = line.map(|l| format!(":{l}")).unwrap_or_default();
    let column = column.as_ref().map(|c| format!(", {c:?}")).unwrap_or_default();
    format!("{file}{line}{column}")
}

impl DescribeError {
    pub(super) fn at(file: &str, line: Option<u64>, column: Option<&str>, expected: &str, got: &str) -> DescribeError {
        DescribeError { file: file.into(), line, column: column.map(Into::into), expected: expected.into(), got: got.into() }
    }
}

/// The description of a table; the words are those of its TOML file (see the module).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// What the table is.
    pub title: String,
    /// Where it is from.
    pub source: String,
    /// Its columns.
    pub columns: Columns,
    /// How figures are shown.
    pub shown: Shown,
    /// Its groups.
    #[serde(default)]
    pub groups: Groups,
    /// Levels that sum.
    #[serde(default, rename = "sum")]
    pub level_sums: Vec<LevelSum>,
    /// The columns of a table of lines.
    #[serde(default, rename = "sums")]
    pub line_table: Option<LineTable>,
    /// Cohorts of the same students.
    #[serde(default)]
    pub same: Vec<Same>,
    /// Cohorts that are parts of others.
    #[serde(default)]
    pub cohort_within: Vec<CohortWithin>,
}

/// Names of columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Those that tell tables apart, such as the year and the indicator.
    #[serde(default)]
    pub cohort: Vec<String>,
    /// The level of the entity.
    pub level: Option<String>,
    /// The code of the entity.
    pub entity: String,
    /// The group: one column, or kind and code.
    pub group: Vec<String>,
    /// Students.
    pub denominator: String,
    /// Students who meet the indicator.
    pub numerator: Option<String>,
    /// 100 × numerator / denominator, or a band.
    pub rate: Option<String>,
}

/// How figures are shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Texts that mean "not shown".
    pub hidden: Vec<String>,
    /// Decimals of the rate.
    #[serde(default)]
    pub decimals: u32,
    /// How a rate in the middle between two shown ones is rounded.
    #[serde(default)]
    pub ties: Ties,
    /// The least that a hidden denominator can be: 0 or 1.
    #[serde(default)]
    pub hidden_minimum: i64,
}

/// How a rate in the middle between two shown ones is rounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Up.
    HalfUp,
    /// To the even digit.
    HalfEven,
    /// Nobody knows: both are possible.
    #[default]
    Unknown,
}

/// The groups of a table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// What it means that a group has no row.
    #[serde(default)]
    pub absent: Absent,
    /// The group of all students.
    pub all: Option<Vec<String>>,
    /// Whether each group is a part of All.
    #[serde(default)]
    pub within_all: bool,
    /// Kinds whose groups have the same students as All.
    #[serde(default)]
    pub same_as_all: Vec<String>,
    /// Kinds whose groups are parts of All, and who counts in a group counts in All; who does not may count in All by another group.
    #[serde(default)]
    pub among_all: Vec<String>,
    /// Groups that sum to All.
    #[serde(default)]
    pub partition: Vec<Partition>,
    /// Groups that are parts of others.
    #[serde(default)]
    pub within: Vec<GroupWithin>,
}

/// What a missing row means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// There is nobody.
    Zero,
    /// It says nothing.
    #[default]
    Unknown,
}

/// Groups that sum to All: a kind, or a list of codes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// All groups whose first column has this text.
    pub kind: Option<String>,
    /// The groups.
    pub codes: Option<Vec<Vec<String>>>,
}

/// A group whose students are among those of another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupWithin {
    /// The part.
    pub part: Vec<String>,
    /// The other.
    pub whole: Vec<String>,
}

/// A level whose entities sum to those of another, without students in two of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelSum {
    /// Level of the sums.
    pub total: String,
    /// Level of the parts.
    pub part: String,
    /// Codes of parts begin like that of their total: with so many characters.
    pub prefix: Option<usize>,
    /// Column of the part's rows with the code of its total.
    pub column: Option<String>,
}

/// Columns of a table of lines: level (if the table has levels) and entity; it has the columns of the cohort too, those that it has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineTable {
    /// Of the sums.
    pub total: Vec<String>,
    /// Of the parts.
    pub part: Vec<String>,
}

/// Cohorts that are parts of others, by a column: the same entity and group has no more students in them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortWithin {
    /// The column.
    pub column: String,
    /// Its value for the whole.
    pub whole: String,
    /// Its value for the part; every other value without one.
    pub part: Option<String>,
    /// Whether each student of the whole is in one of the parts: where there is only one, it is the whole.
    #[serde(default)]
    pub covers: bool,
}

/// The same students under several values of a column of the cohort.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Same {
    /// The column.
    pub column: String,
    /// The values.
    pub values: Vec<String>,
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// A file that cannot be read, is not TOML, has unknown or missing keys, or contradicts itself.
    pub fn file(path: &Path) -> Result<Description, DescribeError> {
        let file = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|e| DescribeError::at(&file, None, None, "a file that can be read", &e.to_string()))?;
        Description::parse(&file, &text)
    }

    /// The same from a text; `file` is its name in messages.
    ///
    /// # Errors
    /// As [`Description::file`].
    pub fn parse(file: &str, text: &str) -> Result<Description, DescribeError> {
        let description: Description = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|s| 1 + text[..s.start.min(text.len())].matches('\n').count() as u64);
            DescribeError::at(file, line, None, "a description of a published table", e.message())
        })?;
        description.check(file)?;
        Ok(description)
    }

    fn check(&self, file: &str) -> Result<(), DescribeError> {
        let wrong = |key: &str, expected: &str, got: &str| Err(DescribeError::at(file, None, Some(key), expected, got));
        let groups = self.columns.group.len();
        if groups == 0 || groups > 2 {
            return wrong("columns.group", "one column, or kind and code", &format!("{groups} columns"));
        }
        let of_length = |codes: &[String]| codes.len() == groups;
        let within = self.groups.within.iter().flat_map(|w| [&w.part, &w.whole]);
        let listed = self.groups.partition.iter().flat_map(|p| p.codes.iter().flatten());
        if let Some(code) = self.groups.all.iter().chain(within).chain(listed).find(|c| !of_length(c)) {
            return wrong("groups", &format!("{groups} text for each group, as columns.group has"), &format!("{code:?}"));
        }
        let kinds = [&self.groups.same_as_all, &self.groups.among_all];
        let of_kinds = kinds.iter().any(|k| !k.is_empty());
        if self.groups.all.is_none() && (!self.groups.partition.is_empty() || self.groups.within_all || of_kinds) {
            let expected = "the code of All, which partition, within_all, same_as_all and among_all need";
            return wrong("groups.all", expected, "none");
        }
        if self.groups.partition.iter().any(|p| p.kind.is_some() == p.codes.is_some()) {
            return wrong("groups.partition", "either kind or codes", "both or none");
        }
        if groups == 1 && (self.groups.partition.iter().any(|p| p.kind.is_some()) || of_kinds) {
            return wrong("groups", "two columns in columns.group, for kinds", "one");
        }
        if self.level_sums.iter().any(|s| s.prefix.is_some() == s.column.is_some()) {
            return wrong("sum", "either prefix or column", "both or none");
        }
        if !self.level_sums.is_empty() && self.columns.level.is_none() {
            return wrong("columns.level", "the column of the level, which [[sum]] needs", "none");
        }
        let ends = 1 + usize::from(self.columns.level.is_some());
        if let Some(table) = &self.line_table
            && (table.total.len() != ends || table.part.len() != ends)
        {
            return wrong("sums", &format!("{ends} columns for total and for part"), &format!("{:?} and {:?}", table.total, table.part));
        }
        if let Some(same) = self.same.iter().find(|s| !self.columns.cohort.contains(&s.column)) {
            return wrong("same.column", "a column of columns.cohort", &same.column);
        }
        if !(0..=1).contains(&self.shown.hidden_minimum) || self.shown.decimals > 6 {
            return wrong(
                "shown",
                "hidden_minimum 0 or 1, decimals 0 to 6",
                &format!("{} and {}", self.shown.hidden_minimum, self.shown.decimals),
            );
        }
        Ok(())
    }
}
