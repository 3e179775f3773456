//! Rules: what there are, their dated values, and the values as columns.

use crate::error::{Error, Result};
use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Int32Array, ListBuilder, StringArray, StringBuilder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Digits after the dot of a decimal rule.
const RULE_SCALE: i8 = 2;

/// What a rule is: `data/rule/rule.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Stable id; the column's name in the relation `rule`.
    pub id: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// One line that says what it decides.
    pub title: String,
    /// The words that text and lists may use.
    #[serde(default)]
    pub values: Vec<String>,
}

/// Type of a rule's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Exact decimal with up to two digits after the dot.
    Decimal,
    /// Whole number.
    Integer,
    /// true or false.
    Boolean,
    /// One of `values`.
    Text,
    /// Codes joined by commas.
    List,
}

impl Kind {
    /// Whether two values say the same: `2` and `2.0`, or codes in another order.
    pub fn same(self, a: &str, b: &str) -> bool {
        match self {
            Kind::Decimal => decimal(a) == decimal(b),
            Kind::List => split(a).collect::<BTreeSet<_>>() == split(b).collect::<BTreeSet<_>>(),
            _ => a == b,
        }
    }
}

/// A value of a rule for some report years, by some authority.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The rule.
    pub id: String,
    /// First report year that it holds for.
    pub first_report_year: i32,
    /// Last report year that it holds for; none: still in force.
    pub last_report_year: Option<i32>,
    /// The value as text. A list that begins with `+` adds to what holds otherwise.
    pub value: String,
    /// Who says so, and where.
    pub authority: String,
}

impl Value {
    /// Whether it is a value of a report year.
    pub fn holds(&self, year: i32) -> bool {
        self.first_report_year <= year && self.last_report_year.is_none_or(|last| year <= last)
    }

    /// The codes of a value such as `+5S4`, which are further ones to those that hold otherwise.
    pub fn further(&self) -> Option<&str> {
        self.value.strip_prefix('+')
    }

    /// A list with further codes. It holds for the years of both, by the authority of both.
    pub fn extend(&self, with: &Value) -> Value {
        let mut codes: Vec<&str> = split(&self.value).collect();
        codes.extend(split(with.further().unwrap_or(&with.value)).filter(|c| !split(&self.value).any(|known| known == *c)));
        Value {
            id: self.id.clone(),
            first_report_year: self.first_report_year.max(with.first_report_year),
            last_report_year: self.last_report_year.into_iter().chain(with.last_report_year).min(),
            value: codes.join(","),
            authority: format!("{}; with {}: {}", self.authority, with.value, with.authority),
        }
    }
}

/// Checks a value against its definition and the others of its file.
pub fn check(definitions: &[Definition], all: &[Value], value: &Value) -> std::result::Result<(), String> {
    let definition = definitions.iter().find(|d| d.id == value.id).ok_or("is not defined in rule.toml")?;
    if value.authority.trim().is_empty() {
        return Err("has no authority; every value says who set it, and where".into());
    }
    if value.last_report_year.is_some_and(|last| last < value.first_report_year) {
        return Err("ends before it begins".into());
    }
    let overlaps =
        |other: &&Value| other.id == value.id && other.first_report_year > value.first_report_year && value.holds(other.first_report_year);
    let same = all.iter().filter(|o| o.id == value.id && o.first_report_year == value.first_report_year).count() > 1;
    if let Some(other) = all.iter().find(overlaps) {
        return Err(format!("has two values for {}: give the earlier one a last_report_year", other.first_report_year));
    }
    if same {
        return Err(format!("has two values from {}", value.first_report_year));
    }
    let further = value.further();
    if further.is_some_and(|codes| definition.kind != Kind::List || split(codes).next().is_none()) {
        return Err(format!("{:?} is not allowed; + before codes adds them to a list", value.value));
    }
    let words: Vec<&str> = match definition.kind {
        Kind::Text => vec![&value.value],
        Kind::List => split(further.unwrap_or(&value.value)).collect(),
        _ => vec![],
    };
    if let Some(word) = words.iter().find(|w| !definition.values.is_empty() && !definition.values.iter().any(|v| v == *w)) {
        return Err(format!("{word:?} is not allowed; allowed are {}", definition.values.join(", ")));
    }
    column(definition.kind, &[&value.value]).map(|_| ()).map_err(|e| e.to_string())
}

/// The codes of a list.
pub fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|s| !s.is_empty())
}

/// Values of a kind as a column.
pub fn column(kind: Kind, values: &[&str]) -> Result<ArrayRef> {
    let wrong = |v: &str, what: &str| Error::Config(format!("{v:?} is not {what}"));
    Ok(match kind {
        Kind::Decimal => {
            let numbers = values
                .iter()
                .map(|v| decimal(v).ok_or_else(|| wrong(v, "a decimal with at most two digits after the dot")))
                .collect::<Result<Vec<_>>>()?;
            let array = Decimal128Array::from(numbers).with_precision_and_scale(9, RULE_SCALE);
            Arc::new(array.map_err(|e| Error::internal("a decimal rule", e))?)
        }
        Kind::Integer => {
            let numbers = values.iter().map(|v| v.parse::<i32>().map_err(|_| wrong(v, "a whole number"))).collect::<Result<Vec<_>>>()?;
            Arc::new(Int32Array::from(numbers))
        }
        Kind::Boolean => {
            let flags = values.iter().map(|v| v.parse::<bool>().map_err(|_| wrong(v, "true or false"))).collect::<Result<Vec<_>>>()?;
            Arc::new(BooleanArray::from(flags))
        }
        Kind::Text => Arc::new(StringArray::from(values.to_vec())),
        Kind::List => {
            let mut list = ListBuilder::new(StringBuilder::new());
            for value in values {
                split(value).for_each(|code| list.values().append_value(code));
                list.append(true);
            }
            Arc::new(list.finish())
        }
    })
}

/// A decimal as a whole number of hundredths.
fn decimal(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 7 || fraction.len() > RULE_SCALE as usize || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<2}").parse().ok()
}
