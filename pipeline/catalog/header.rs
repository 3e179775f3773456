//! The header of a view: TOML in the block comment at the head of its file.

use super::{Layer, View};
use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a view's header says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Heading of its page.
    pub title: String,
    /// More than the title says.
    pub description: Option<String>,
    /// Columns that together occur once.
    pub grain: Vec<String>,
    /// The documents that the rule comes from.
    pub authority: String,
    /// Outputs: holds student rows or unsuppressed figures.
    #[serde(default)]
    pub restricted: bool,
    /// Outputs: the columns of the grain may occur together more than once, since what tells such rows apart is no column; so the table has no key.
    #[serde(default)]
    pub without_key: bool,
    /// Run once and kept, although only one view reads it: that one does so several times.
    #[serde(default)]
    pub kept: bool,
    /// Views that replace another: why that one does not do.
    pub reason: Option<String>,
    /// Indicators: `secondary` or `postsecondary`.
    pub education_level: Option<String>,
    /// Indicators: who is in the denominator, in words.
    pub denominator_text: Option<String>,
    /// Indicators: who is in the numerator, in words.
    pub numerator_text: Option<String>,
    /// Indicators: a further table of the numerator by kind.
    pub breakdown: Option<Breakdown>,
    /// Outputs: the earlier report years whose figures it compares with.
    pub earlier_years: Option<Earlier>,
    /// The view that lists student groups: the collection whose contract has the codes of its text columns.
    pub codes_from: Option<String>,
    /// Indicators: the views of sql/explain whose sentences tell what decided.
    #[serde(default)]
    pub explain: Explain,
    /// Views of sql/explain: their place among the others.
    #[serde(default)]
    pub order: u32,
    /// Views of sql/check: the collection that the finding is about.
    pub collection: Option<String>,
    /// What each column means; a column of a contract of the same name needs no entry.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}

/// How an indicator's numerator is broken down, such as by kind of placement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breakdown {
    /// The `group_kind` of the rows.
    pub group_kind: String,
    /// Reference table whose `group_code` column lists the codes.
    pub codes: String,
    /// View that finds them, by report year, student and program.
    pub view: String,
}

/// What decided about a denominator and a numerator: names of views of `sql/explain`, such as `exit`, or `score:mathematics` for the rows whose
/// `part` is mathematics.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// What decided about the denominator.
    #[serde(default)]
    pub denominator: Vec<String>,
    /// What decided about the numerator.
    #[serde(default)]
    pub numerator: Vec<String>,
}

impl Explain {
    /// All that are named.
    pub fn topics(&self) -> impl Iterator<Item = &String> {
        self.denominator.iter().chain(&self.numerator)
    }

    /// The view's name and the part asked for.
    pub fn split(topic: &str) -> (&str, Option<&str>) {
        topic.split_once(':').map_or((topic, None), |(view, part)| (view, Some(part)))
    }
}

/// Which earlier report years an output compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Earlier {
    /// The year before, by group.
    YearBefore,
    /// All years in a row before that have targets; figures of all students.
    YearsWithTargets,
}

/// Columns that every indicator view gives, in this order.
pub const INDICATOR_COLUMNS: [&str; 6] = ["report_year", "student_key", "program_key", "denominator", "numerator", "exclusion"];

impl Header {
    /// Reads the header of a view's file.
    pub fn parse(path: &str, layer: Layer, text: &str) -> Result<Header> {
        let wrong = |what: &str| Error::Config(format!("{path}: {what}"));
        let inside = text.strip_prefix("/*").and_then(|rest| rest.split_once("*/"));
        let (toml, _) =
            inside.ok_or_else(|| wrong("must begin with a header: a block comment /* … */ of TOML with title, grain and authority"))?;
        // The comment's first line is the file's first line, so lines in messages agree.
        let header: Header = toml::from_str(toml).map_err(|e| wrong(&format!("header: {e}")))?;
        for (name, value) in [("title", &header.title), ("authority", &header.authority)] {
            if value.trim().is_empty() {
                return Err(wrong(&format!("header: {name} is empty")));
            }
        }
        if layer == Layer::Check && header.collection.is_none() {
            return Err(wrong("header: a check needs collection, the one that its findings are about"));
        }
        if layer == Layer::Indicator {
            let level = header.education_level.as_deref();
            if !matches!(level, Some("secondary" | "postsecondary")) {
                return Err(wrong("header: education_level must be secondary or postsecondary"));
            }
            if header.denominator_text.is_none() || header.numerator_text.is_none() {
                return Err(wrong("header: an indicator needs denominator_text and numerator_text"));
            }
        }
        Ok(header)
    }
}

/// A view that replaces another must say why, must differ from it, and must keep its grain.
pub fn check_replacement(view: &View, replaced: &View) -> Result<()> {
    let wrong = |what: &str| Err(Error::Config(format!("{}: {what}", view.path)));
    let body = |text: &str| text.split_once("*/").map_or(text, |(_, b)| b).split_whitespace().collect::<Vec<_>>().join(" ");
    if view.header.reason.as_deref().is_none_or(|r| r.trim().is_empty()) {
        return wrong("a view that replaces another needs a reason in its header");
    }
    if body(&view.sql) == body(&replaced.sql) {
        return wrong(&format!("is the same as {}, which it replaces; delete it", replaced.path));
    }
    if replaced.header.grain != view.header.grain {
        return wrong(&format!("must have the grain of the view that it replaces: {}", replaced.header.grain.join(", ")));
    }
    Ok(())
}
