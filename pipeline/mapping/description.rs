//! What a mapping file says, word by word (TOML). What the words mean: docs/mapping.md.

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A mapping file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// What files it is for, in words.
    pub title: String,
    /// Where the layout and the code lists are from.
    #[serde(default, deserialize_with = "texts")]
    pub source: Vec<String>,
    /// Names of the files in the raw folder, with `*` and `?`.
    #[serde(deserialize_with = "texts")]
    pub files: Vec<String>,
    /// What stands between the fields of a text file, if its ending does not say it.
    pub delimiter: Option<String>,
    /// The names of the columns, if the file has no header.
    pub columns: Option<Vec<String>>,
    /// The columns of a file whose fields have fixed places.
    #[serde(default)]
    pub fixed: Vec<Fixed>,
    /// Columns that a file may lack.
    #[serde(default)]
    pub optional: Vec<String>,
    /// Other names that a column has in some files.
    #[serde(default)]
    pub also_called: BTreeMap<String, Vec<String>>,
    /// What is made of each row.
    pub collection: Vec<Table>,
}

/// A column with a fixed place in each line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// Its name for this mapping.
    pub name: String,
    /// The first character; the line's first is 1.
    pub start: usize,
    /// Number of characters.
    pub length: usize,
}

/// Rows of one collection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Name of the collection.
    pub name: String,
    /// Only rows for which all of these hold.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// Only rows for which at least one of these holds.
    #[serde(default)]
    pub when_any: Vec<Condition>,
    /// A row for each calendar quarter that a span of days touches.
    pub each_quarter: Option<Span>,
    /// Where each field comes from.
    pub fields: BTreeMap<String, Rule>,
}

/// What a column must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// Only the text after the last of these, such as `#`.
    pub after: Option<String>,
    /// One of these, in any letter case.
    #[serde(rename = "in", default)]
    pub within: Vec<String>,
    /// None of these.
    #[serde(default)]
    pub not_in: Vec<String>,
    /// Nothing (true), or something (false).
    pub empty: Option<bool>,
    /// A number above this.
    pub above: Option<i64>,
}

/// A span of days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The column of its first day.
    pub from: String,
    /// The column of its last day; empty is a span of one day.
    pub to: String,
    /// How the days are written.
    #[serde(default, deserialize_with = "texts")]
    pub date: Vec<String>,
    /// No more quarters than this are made of one row.
    #[serde(default = "four")]
    pub at_most: u32,
}

fn four() -> u32 {
    4
}

/// Where a field comes from, and what becomes of the text.
#[derive(Debug, Clone, Default)]
pub struct Rule(pub Words);

/// The words of a rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Columns: the first that is not empty, or all of them with `join`.
    #[serde(default, deserialize_with = "texts")]
    pub from: Vec<String>,
    /// What stands between the columns when all are taken.
    pub join: Option<String>,
    /// The same text for every row.
    #[serde(default, deserialize_with = "scalar")]
    pub constant: Option<String>,
    /// The year in the name of the file.
    #[serde(default)]
    pub file_year: bool,
    /// Of the quarter that the row is made for.
    pub each: Option<Part>,
    /// Only the text after the last of these, such as `#`.
    pub after: Option<String>,
    /// Characters taken off at both ends.
    pub strip: Option<String>,
    /// Zeros before the text until it has so many characters.
    pub pad: Option<usize>,
    /// Text before what is found.
    pub prefix: Option<String>,
    /// Text after what is found.
    pub suffix: Option<String>,
    /// A code for each text, whatever its letter case.
    pub codes: Option<BTreeMap<String, String>>,
    /// What becomes of a text that `codes` does not have.
    pub otherwise: Option<Otherwise>,
    /// How dates are written; the first that fits.
    #[serde(default, deserialize_with = "texts")]
    pub date: Vec<String>,
    /// What is taken of the date.
    pub take: Option<Take>,
    /// The quarter so many later than that of the date.
    pub quarters_later: Option<u32>,
    /// What is given when there is nothing.
    #[serde(default, deserialize_with = "scalar")]
    pub empty: Option<String>,
}

/// What becomes of a text without a code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Otherwise {
    /// It is given as it is, so that the contract rejects the row.
    #[default]
    Reject,
    /// The field stays empty.
    Null,
    /// The row is left out.
    Skip,
}

/// What is taken of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// Its calendar year.
    Year,
    /// Its calendar quarter, 1 to 4.
    Quarter,
    /// The year of its calendar quarter; differs from `year` with `quarters_later`.
    QuarterYear,
    /// Its school year, named by the year in which it ends.
    SchoolYear,
}

/// What is given of a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Its calendar year.
    Year,
    /// Its number, 1 to 4.
    Quarter,
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rule, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = Rule;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a column, or a table such as { from = \"column\", codes = { .. } }")
    }

    fn visit_str<E: de::Error>(self, column: &str) -> Result<Rule, E> {
        Ok(Rule(Words { from: vec![column.to_string()], ..Words::default() }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rule, A::Error> {
        Words::deserialize(MapAccessDeserializer::new(map)).map(Rule)
    }
}

/// One text, or a list of them.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a text or a list of texts")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_string()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut all = Vec::new();
            while let Some(text) = list.next_element()? {
                all.push(text);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(Texts)
}

/// A text, a number, or yes or no, as text.
fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => Ok(Some(text)),
        toml::Value::Integer(n) => Ok(Some(n.to_string())),
        toml::Value::Boolean(yes) => Ok(Some(yes.to_string())),
        other => Err(de::Error::custom(format!(
            "expected a text, a whole number, true or false, found {}; put it in quotation marks",
            other.type_str()
        ))),
    }
}
