//! A jurisdiction: dated, cited rule values over the federal base, its code and name, and its default collections.

mod rule;

pub use rule::{Definition, Kind, Value};

use crate::error::{Error, Result};
use crate::project::{File, Files, Project, Versions};
use arrow::array::{ArrayRef, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The jurisdiction that every other overlays.
pub const BASE: &str = "federal";

/// The file of definitions.
const DEFINITION: &str = "rule.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionFile {
    rule: Vec<Definition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueFile {
    code: Option<String>,
    name: Option<String>,
    #[serde(default)]
    rule: Vec<Value>,
}

/// The values of one file.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// How the file is called in messages.
    pub label: String,
    /// Whether it is of the jurisdiction itself, not only of the base.
    pub is_own: bool,
    /// Whether it lies in an overlay folder.
    pub in_overlay: bool,
    values: Vec<Value>,
}

/// A value of a rule with the files that it comes from: several if a list was extended.
#[derive(Debug, Clone)]
pub struct InForce<'a> {
    /// The value, whole.
    pub value: Value,
    /// The files; the one that sets the value last.
    pub from: Vec<&'a Sheet>,
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
    /// Its values: its own before the base's, and an overlay's before those below.
    sheets: Vec<Sheet>,
}

impl Jurisdiction {
    /// Names of the jurisdictions that the project has.
    pub fn list(project: &Project) -> Result<Vec<String>> {
        let stems = project.rules()?.into_keys().filter_map(|p| p.strip_suffix(".toml").map(str::to_string));
        Ok(stems.filter(|s| *s != DEFINITION.trim_end_matches(".toml")).collect())
    }

    /// Reads a jurisdiction and checks every value against its definition.
    pub fn load(project: &Project, id: &str) -> Result<Jurisdiction> {
        let files = project.rules()?;
        let definitions = definitions(&files)?;
        for (path, versions) in files.iter().filter(|(p, v)| *p != DEFINITION && v.iter().all(|f| f.in_overlay)) {
            // A file that only overlays have makes a new jurisdiction; a wrong name must not go unnoticed.
            heading(path, versions, &parse_all(versions)?)?;
        }
        let path = format!("{id}.toml");
        let Some(own) = files.get(&path).filter(|_| path != DEFINITION) else {
            return Err(Error::Config(format!("there is no jurisdiction {id:?}; there are: {}", Self::list(project)?.join(", "))));
        };
        let parsed = parse_all(own)?;
        let (code, name) = heading(&path, own, &parsed)?;
        let mut sheets = sheets(&definitions, own, parsed, true)?;
        if let Some(base) = files.get(&format!("{BASE}.toml")).filter(|_| id != BASE) {
            sheets.extend(self::sheets(&definitions, base, parse_all(base)?, false)?);
        }
        let jurisdiction = Jurisdiction { id: id.to_string(), code, name, definitions, sheets };
        for definition in &jurisdiction.definitions {
            jurisdiction.over_time(&definition.id)?;
        }
        Ok(jurisdiction)
    }

    /// The value of a rule for a report year: the jurisdiction's own, else the base's.
    pub fn value(&self, rule: &str, year: i32) -> Result<Value> {
        Ok(self.in_year(rule, year)?.value)
    }

    /// The value of a rule for a report year, with where it comes from.
    pub fn in_year(&self, rule: &str, year: i32) -> Result<InForce<'_>> {
        self.find(rule, year, &self.sheets)?.ok_or_else(|| {
            Error::Config(format!("rule {rule} has no value for report year {year}; add one to data/rule/{}.toml or {BASE}.toml", self.id))
        })
    }

    /// The value that the first of these files sets; if it only adds to a list, the one of the files after it, extended.
    fn find<'a>(&self, rule: &str, year: i32, sheets: &'a [Sheet]) -> Result<Option<InForce<'a>>> {
        let holding = |s: &'a Sheet| s.values.iter().find(|v| v.id == rule && v.holds(year));
        let Some((at, value)) = sheets.iter().enumerate().find_map(|(i, s)| Some((i, holding(s)?))) else { return Ok(None) };
        if value.further().is_none() {
            return Ok(Some(InForce { value: value.clone(), from: vec![&sheets[at]] }));
        }
        let below = self.find(rule, year, &sheets[at + 1..])?.ok_or_else(|| {
            let file = &sheets[at].label;
            Error::Config(format!("{file}: rule {rule}: {:?} adds to a list, but there is none for report year {year}", value.value))
        })?;
        let from = std::iter::once(&sheets[at]).chain(below.from).collect();
        Ok(Some(InForce { value: below.value.extend(value), from }))
    }

    /// Every value that a rule ever has, with the report years that it is in force, in their order.
    pub fn over_time(&self, rule: &str) -> Result<Vec<InForce<'_>>> {
        let values = self.sheets.iter().flat_map(|s| &s.values).filter(|v| v.id == rule);
        let years: BTreeSet<i32> =
            values.flat_map(|v| std::iter::once(v.first_report_year).chain(v.last_report_year.map(|y| y + 1))).collect();
        let mut spans: Vec<InForce> = Vec::new();
        for year in years {
            let found = self.find(rule, year, &self.sheets)?;
            let ends = |last: &InForce| last.value.last_report_year.is_none_or(|y| y >= year);
            if let Some(last) = spans.last_mut().filter(|s| ends(s)) {
                let same = |f: &&InForce| f.value.value == last.value.value && f.value.authority == last.value.authority;
                if let Some(again) = found.as_ref().filter(same) {
                    last.value.last_report_year = again.value.last_report_year;
                    continue;
                }
                last.value.last_report_year = Some(year - 1);
            }
            spans.extend(found.map(|mut f| {
                f.value.first_report_year = year;
                f
            }));
        }
        Ok(spans)
    }

    /// The values that the jurisdiction sets itself.
    pub fn own_values(&self) -> impl Iterator<Item = &Value> {
        self.sheets.iter().filter(|s| s.is_own).flat_map(|s| &s.values)
    }

    /// The codes of a list rule for a report year.
    pub fn codes(&self, rule: &str, year: i32) -> Result<Vec<String>> {
        Ok(rule::split(&self.value(rule, year)?.value).map(str::to_string).collect())
    }

    /// The relation `rule`: a row for each report year, a column for each rule.
    pub fn rule_table(&self, years: &[i32]) -> Result<RecordBatch> {
        let mut fields = vec![Field::new("report_year", DataType::Int32, false)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(years.to_vec()))];
        for definition in &self.definitions {
            let values = years.iter().map(|&y| Ok(self.value(&definition.id, y)?.value)).collect::<Result<Vec<_>>>()?;
            let column = rule::column(definition.kind, &values.iter().map(String::as_str).collect::<Vec<_>>())?;
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
                    list.push(value);
                }
            }
        }
        Ok(all)
    }

    /// The default of a collection: the jurisdiction's own file, else the base's.
    pub fn default_collection<'a>(&self, defaults: &'a Files, collection: &str) -> Option<&'a File> {
        [self.id.as_str(), BASE].into_iter().find_map(|id| defaults.get(&format!("{id}/{collection}.csv")))
    }
}

/// The definitions of all layers, from the bottom up.
fn definitions(files: &Versions) -> Result<Vec<Definition>> {
    let versions = files.get(DEFINITION).ok_or_else(|| Error::Config(format!("data/rule/{DEFINITION} is missing")))?;
    let mut all: Vec<Definition> = Vec::new();
    for file in versions.iter().rev() {
        for definition in parse::<DefinitionFile>(file)?.rule {
            if all.iter().any(|d| d.id == definition.id) {
                return Err(Error::Config(format!("{}: rule {} is defined already", file.label, definition.id)));
            }
            all.push(definition);
        }
    }
    Ok(all)
}

/// The values of some files, each checked.
fn sheets(definitions: &[Definition], files: &[File], parsed: Vec<ValueFile>, is_own: bool) -> Result<Vec<Sheet>> {
    let sheet = |(file, parsed): (&File, ValueFile)| {
        for value in &parsed.rule {
            let wrong = |e| Error::Config(format!("{}: rule {}: {e}", file.label, value.id));
            rule::check(definitions, &parsed.rule, value).map_err(wrong)?;
        }
        Ok(Sheet { label: file.label.clone(), is_own, in_overlay: file.in_overlay, values: parsed.rule })
    };
    files.iter().zip(parsed).map(sheet).collect()
}

/// Code and name, each from the topmost file that gives it.
fn heading(path: &str, versions: &[File], parsed: &[ValueFile]) -> Result<(String, String)> {
    let missing = |what: &str| {
        let label = versions.last().map_or(path, |f| f.label.as_str());
        Error::Config(format!("{label}: {what} is missing; a jurisdiction that no other file describes needs code and name"))
    };
    let code = parsed.iter().find_map(|f| f.code.clone()).ok_or_else(|| missing("code"))?;
    let name = parsed.iter().find_map(|f| f.name.clone()).ok_or_else(|| missing("name"))?;
    Ok((code, name))
}

fn parse_all(versions: &[File]) -> Result<Vec<ValueFile>> {
    versions.iter().map(parse).collect()
}

fn parse<T: for<'a> Deserialize<'a>>(file: &File) -> Result<T> {
    toml::from_str(&file.text).map_err(|e| Error::Config(format!("{}: {e}", file.label)))
}
