//! What makes a table of figures public: `data/publish/<table>.toml`.

use crate::error::{Error, Result};
use crate::project::Project;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How a table of a run becomes public.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Heading of the public table.
    pub title: String,
    /// The table of the run; the public one has `public_` before it.
    pub table: String,
    /// The restricted table that says why figures are hidden.
    pub reasons: String,
    /// Only rows with the texts in the columns of one of these become public; all, if there is none.
    #[serde(default)]
    pub only: Vec<BTreeMap<String, String>>,
    /// Columns that tell apart tables without a common student, such as the indicator.
    pub cohort: Vec<String>,
    /// Level and id of the entity.
    pub entity: [String; 2],
    /// Levels from the top.
    pub levels: Vec<String>,
    /// Levels whose figures `--max-change` holds against those of the current run.
    #[serde(default)]
    pub watched: Vec<String>,
    /// Kind and code of the group.
    pub group: [String; 2],
    /// Kind and code of all students.
    pub all: [String; 2],
    /// Column of students.
    pub denominator: String,
    /// Column of students who count; none in a table of plain counts.
    pub numerator: Option<String>,
    /// Column of the rate; it is shown with one decimal, or as a bound.
    pub rate: Option<String>,
    /// Column that compares the rate with a target.
    pub status: Option<Status>,
    /// Columns that tell nothing about students.
    #[serde(default)]
    pub keep: Vec<String>,
    /// Cohorts whose students are among those of another.
    #[serde(default)]
    pub contains: Vec<Contains>,
}

/// A status against a target.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The column.
    pub column: String,
    /// The column of the target, in percent.
    pub target: String,
    /// Codes: target met, its share met, missed.
    pub codes: [String; 3],
}

/// Of two cohorts that differ in one column only, one contains the other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contains {
    /// The column.
    pub column: String,
    /// Its value in the cohort that contains.
    pub whole: String,
    /// Its value in the one that is contained; any other, if none is named.
    pub part: Option<String>,
    /// Each student of the whole is in one of the parts, or in several.
    #[serde(default)]
    pub covers: bool,
}

impl Description {
    /// All that the project has, by name of the file.
    pub fn all(project: &Project) -> Result<Vec<Description>> {
        let files = project.publish()?;
        let read = |(path, file): (&String, &crate::project::File)| {
            let description: Description = toml::from_str(&file.text).map_err(|e| Error::Config(format!("{}: {e}", file.label)))?;
            if *path != format!("{}.toml", description.table) {
                return Err(Error::Config(format!("{}: describes table {}; name the file after it", file.label, description.table)));
            }
            Ok(description)
        };
        files.iter().filter(|(p, _)| p.ends_with(".toml")).map(read).collect()
    }

    /// Name of the public table.
    pub fn public_table(&self) -> String {
        format!("public_{}", self.table)
    }

    /// Name of the public table of its lines.
    pub fn line_table(&self) -> String {
        format!("public_{}_line", self.table)
    }
}
