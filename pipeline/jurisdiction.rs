//! A jurisdiction: dated, cited rule values over the federal base, its code and name, and its default collections.

use crate::error::{Error, Result};
use crate::project::{Files, Project};
use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Int32Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The jurisdiction that every other overlays.
pub const BASE: &str = "federal";

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
    /// The value as text.
    pub value: String,
    /// Who says so, and where.
    pub authority: String,
}

impl Value {
    fn holds(&self, year: i32) -> bool {
        self.first_report_year <= year && self.last_report_year.is_none_or(|last| year <= last)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionFile {
    rule: Vec<Definition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueFile {
    code: String,
    name: String,
    #[serde(default)]
    rule: Vec<Value>,
}

/// A jurisdiction with its rules resolved over the base.
#[derive(Debug, Clone)]
pub struct Jurisdiction {
    /// Name in flags and folders, such as `oregon`.
    pub id: String,
    /// Entity id of the state level, such as `OR`.
    pub code: String,
    /// Printed name.
    pub name: String,
    /// What rules there are, in the order of `rule.toml`.
    pub definitions: Vec<Definition>,
    own: Vec<Value>,
    base: Vec<Value>,
}

impl Jurisdiction {
    /// Names of the jurisdictions that the project has.
    pub fn list(project: &Project) -> Result<Vec<String>> {
        let stems = project.rules()?.into_keys().filter_map(|p| p.strip_suffix(".toml").map(str::to_string));
        Ok(stems.filter(|s| s != "rule").collect())
    }

    /// Reads a jurisdiction and checks every value against its definition.
    pub fn load(project: &Project, id: &str) -> Result<Jurisdiction> {
        let files = project.rules()?;
        let definitions: DefinitionFile = parse(project, &files, "rule.toml")?;
        if !files.contains_key(&format!("{id}.toml")) || id == "rule" {
            return Err(Error::Config(format!("there is no jurisdiction {id:?}; there are: {}", Self::list(project)?.join(", "))));
        }
        let base: ValueFile = parse(project, &files, &format!("{BASE}.toml"))?;
        let own: ValueFile = parse(project, &files, &format!("{id}.toml"))?;
        for (file, values) in [(BASE, &base.rule), (id, &own.rule)] {
            for value in values {
                check(&definitions.rule, values, value).map_err(|e| {
                    Error::Config(format!("{}: rule {}: {e}", project.label("data/rule", &format!("{file}.toml")), value.id))
                })?;
            }
        }
        Ok(Jurisdiction {
            id: id.to_string(),
            code: own.code,
            name: own.name,
            definitions: definitions.rule,
            own: own.rule,
            base: base.rule,
        })
    }

    /// The value of a rule for a report year: the jurisdiction's own, else the base's.
    pub fn value(&self, rule: &str, year: i32) -> Result<&Value> {
        let find = |values: &'_ [Value]| values.iter().position(|v| v.id == rule && v.holds(year));
        let found = find(&self.own).map(|i| &self.own[i]).or_else(|| find(&self.base).map(|i| &self.base[i]));
        found.ok_or_else(|| {
            Error::Config(format!("rule {rule} has no value for report year {year}; add one to data/rule/{}.toml or {BASE}.toml", self.id))
        })
    }

    /// The values that the jurisdiction sets itself.
    pub fn own_values(&self) -> &[Value] {
        &self.own
    }

    /// The codes of a list rule for a report year.
    pub fn codes(&self, rule: &str, year: i32) -> Result<Vec<String>> {
        Ok(split(&self.value(rule, year)?.value).map(str::to_string).collect())
    }

    /// The relation `rule`: a row for each report year, a column for each rule.
    pub fn rule_table(&self, years: &[i32]) -> Result<RecordBatch> {
        let mut fields = vec![Field::new("report_year", DataType::Int32, false)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(years.to_vec()))];
        for definition in &self.definitions {
            let values = years.iter().map(|&y| Ok(self.value(&definition.id, y)?.value.as_str())).collect::<Result<Vec<_>>>()?;
            let column = column(definition.kind, &values)?;
            fields.push(Field::new(&definition.id, column.data_type().clone(), false));
            columns.push(column);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| Error::internal("rules as a table", e))
    }

    /// Every value in force in any of these years, for the manifest.
    pub fn in_force(&self, years: &[i32]) -> Result<BTreeMap<String, Vec<Value>>> {
        let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for definition in &self.definitions {
            for &year in years {
                let value = self.value(&definition.id, year)?;
                let list = all.entry(definition.id.clone()).or_default();
                if !list.iter().any(|v| v.first_report_year == value.first_report_year && v.value == value.value) {
                    list.push(value.clone());
                }
            }
        }
        Ok(all)
    }

    /// The default of a collection: the jurisdiction's own file, else the base's.
    pub fn default_collection(&self, defaults: &Files, collection: &str) -> Option<(String, String)> {
        let path = |id: &str| format!("{id}/{collection}.csv");
        [path(&self.id), path(BASE)].into_iter().find_map(|p| defaults.get(&p).map(|text| (p.clone(), text.clone())))
    }
}

fn parse<T: for<'a> Deserialize<'a>>(project: &Project, files: &Files, name: &str) -> Result<T> {
    let label = project.label("data/rule", name);
    let text = files.get(name).ok_or_else(|| Error::Config(format!("{label} is missing")))?;
    toml::from_str(text).map_err(|e| Error::Config(format!("{label}: {e}")))
}

fn check(definitions: &[Definition], all: &[Value], value: &Value) -> std::result::Result<(), String> {
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
    let words: Vec<&str> = match definition.kind {
        Kind::Text => vec![&value.value],
        Kind::List => split(&value.value).collect(),
        _ => vec![],
    };
    if let Some(word) = words.iter().find(|w| !definition.values.is_empty() && !definition.values.iter().any(|v| v == *w)) {
        return Err(format!("{word:?} is not allowed; allowed are {}", definition.values.join(", ")));
    }
    column(definition.kind, &[&value.value]).map(|_| ()).map_err(|e| e.to_string())
}

fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|s| !s.is_empty())
}

fn column(kind: Kind, values: &[&str]) -> Result<ArrayRef> {
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
