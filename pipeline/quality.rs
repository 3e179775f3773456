//! Data quality of a load: what each check found and where, and how rows changed from year to year
//! (specification: collections, Checks on the way in). Its tables lie with the load, restricted.

pub mod table;

use crate::contract::{Contract, Contracts, Kind, OnViolation};
use crate::ingest::RejectExample;
use crate::ingest::reject::Rule;
use crate::intake::Change;
use crate::lake::{At, Counts, Load, Warning};
use crate::run::check::{Checked, Look, RowCount};
use std::collections::BTreeMap;

/// How bad it is if a check fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The rows are rejected.
    Error,
    /// Somebody should look at it.
    Warning,
    /// Good to know.
    Information,
}

impl Severity {
    /// As in tables.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        }
    }
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It found nothing.
    Passed,
    /// It found something.
    Failed,
    /// Its collection was not handed over, or has nothing that it looks at.
    NotApplicable,
}

impl Status {
    /// As in tables.
    pub fn name(self) -> &'static str {
        match self {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::NotApplicable => "not_applicable",
        }
    }
}

/// Something that a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Example {
    /// The field that is to blame.
    pub field: Option<String>,
    /// What stands there, or which row it is; restricted.
    pub text: String,
    /// Where it stands.
    pub at: Option<At>,
    /// What was expected, or what it is in words that anybody may read.
    pub words: Option<String>,
}

/// A check of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Name of the check.
    pub check: String,
    /// What it looks for.
    pub title: String,
    /// The collection.
    pub collection: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What became of it.
    pub status: Status,
    /// How often it found what it looks for.
    pub count: u64,
    /// Rows that it looked at; 0 if it does not look at rows.
    pub of: u64,
    /// The first findings.
    pub examples: Vec<Example>,
}

impl Check {
    /// A share from 0 to 1 of the rows that it looked at.
    pub fn share(&self) -> Option<f64> {
        (self.of > 0).then(|| self.count as f64 / self.of as f64)
    }
}

/// What ingest and the look at the lake found.
pub struct Found<'a> {
    /// The first rejects.
    pub rejected: &'a [RejectExample],
    /// What the checks of `sql/check` found.
    pub look: Look,
    /// Where the examples of each of those checks lie.
    pub places: &'a BTreeMap<String, Vec<Option<At>>>,
    /// What the warnings of the load are about.
    pub titles: &'a BTreeMap<String, String>,
}

/// Data quality of a load.
#[derive(Debug, Default)]
pub struct Quality {
    /// Every check of every collection.
    pub checks: Vec<Check>,
    /// Rows from year to year.
    pub counts: Vec<RowCount>,
}

impl Quality {
    /// Puts together what was found.
    pub fn new(contracts: &Contracts, load: &Load, found: Found) -> Quality {
        let Found { rejected, look, places, titles } = found;
        let mut checks: Vec<Check> = contracts.iter().flat_map(|contract| of_rules(contract, load, rejected)).collect();
        checks.extend(contracts.iter().flat_map(|contract| of_links(contract, load)));
        checks.extend(of_columns(load));
        let none = Vec::new();
        checks.extend(look.checks.iter().map(|c| of_view(c, load, places.get(&c.check).unwrap_or(&none))));
        let known = |w: &&Warning| !checks.iter().any(|c| c.check == w.check && c.collection == w.collection);
        let others: Vec<Check> = load.warnings.iter().filter(known).map(|w| of_warning(w, titles)).collect();
        checks.extend(others);
        checks.sort_by(|a, b| (&a.collection, a.severity).cmp(&(&b.collection, b.severity)));
        Quality { checks, counts: look.counts }
    }

    /// How many checks have a status.
    pub fn with(&self, status: Status) -> usize {
        self.checks.iter().filter(|c| c.status == status).count()
    }

    /// Rows that changed so much from one year to the next that it is told, those that changed most first: what a file that was cut off looks
    /// like.
    pub fn jumps(&self, limit: &Change) -> Vec<&RowCount> {
        let change = |c: &RowCount| c.rows_before.map_or(0, |before| (c.rows - before).abs());
        let is_jump = |c: &&RowCount| c.rows_before.is_some_and(|before| limit.is_told(before.unsigned_abs(), c.rows.unsigned_abs()));
        let mut jumps: Vec<&RowCount> = self.counts.iter().filter(is_jump).collect();
        jumps.sort_by_key(|c| std::cmp::Reverse(change(c)));
        jumps
    }
}

fn counts_of<'a>(load: &'a Load, collection: &str) -> Option<&'a Counts> {
    load.collections.iter().find(|c| c.collection == collection)
}

fn status(applies: bool, count: u64) -> Status {
    match (applies, count) {
        (false, _) => Status::NotApplicable,
        (true, 0) => Status::Passed,
        (true, _) => Status::Failed,
    }
}

/// Whether a contract has anything that a rule is about.
fn applies(contract: &Contract, rule: Rule) -> bool {
    let any = |has: fn(&crate::contract::Field) -> bool| contract.fields.iter().any(has);
    match rule {
        Rule::Type => true,
        Rule::Range => any(|f| {
            let c = &f.constraints;
            f.kind == Kind::Year || f.format.is_some() || c.minimum.or(c.maximum).or(c.exclusive_minimum).is_some()
        }),
        Rule::Code => any(|f| f.constraints.codes.is_some()),
        Rule::Required => any(|f| f.constraints.required || f.constraints.required_unless.is_some()),
        Rule::ConflictingKey => !contract.primary_key.is_empty(),
        Rule::ForeignKey => contract.foreign_keys.iter().any(|k| k.on_violation == OnViolation::Reject),
    }
}

/// The rules by which rows of a collection are rejected, and duplicates.
fn of_rules(contract: &Contract, load: &Load, rejected: &[RejectExample]) -> Vec<Check> {
    let counts = counts_of(load, &contract.name);
    let read = counts.map_or(0, |c| c.read);
    let rule = |rule: Rule| {
        let count = counts.and_then(|c| c.by_rule.get(rule.name()).copied()).unwrap_or(0);
        let examples = rejected.iter().filter(|r| r.collection == contract.name && r.rule == rule.name());
        Check {
            check: rule.name().into(),
            title: rule.title().into(),
            collection: Some(contract.name.clone()),
            severity: Severity::Error,
            status: status(counts.is_some() && applies(contract, rule), count),
            count,
            of: read,
            examples: examples.map(of_reject).collect(),
        }
    };
    let duplicates = counts.map_or(0, |c| c.duplicates);
    let duplicate = Check {
        check: "duplicate".into(),
        title: "The same row twice: one is kept".into(),
        collection: Some(contract.name.clone()),
        severity: Severity::Information,
        status: status(counts.is_some(), duplicates),
        count: duplicates,
        of: read,
        examples: vec![],
    };
    Rule::ALL.into_iter().map(rule).chain([duplicate]).collect()
}

fn of_reject(reject: &RejectExample) -> Example {
    let RejectExample { field, text, at, message, .. } = reject.clone();
    Example { field, text, at: Some(at), words: Some(message) }
}

/// References of a collection that only warn.
fn of_links(contract: &Contract, load: &Load) -> Vec<Check> {
    let counts = counts_of(load, &contract.name);
    let links = contract.foreign_keys.iter().filter(|k| k.on_violation == OnViolation::Warning);
    let check = |key: &crate::contract::ForeignKey| {
        let check = format!("unknown_{}", key.reference.resource);
        let warning = load.warnings.iter().find(|w| w.check == check && w.collection.as_deref() == Some(&contract.name));
        let count = warning.map_or(0, |w| w.count);
        Check {
            title: format!("A {} that is in no row of {}", key.fields, key.reference.resource),
            check,
            collection: Some(contract.name.clone()),
            severity: Severity::Warning,
            status: status(counts.is_some(), count),
            count,
            of: counts.map_or(0, |c| c.accepted),
            examples: warning.map(|w| examples(w, Some(&key.fields))).unwrap_or_default(),
        }
    };
    links.map(check).collect()
}

fn examples(warning: &Warning, field: Option<&str>) -> Vec<Example> {
    let at = |i: usize| warning.at.get(i).cloned().flatten();
    let words = |text: &String| (!warning.restricted).then(|| text.clone());
    let example =
        |(i, text): (usize, &String)| Example { field: field.map(str::to_string), text: text.clone(), at: at(i), words: words(text) };
    warning.examples.iter().enumerate().map(example).collect()
}

/// Columns of files that no contract knows.
fn of_columns(load: &Load) -> Vec<Check> {
    let of = |counts: &Counts| {
        let columns =
            load.inputs.iter().filter(|i| i.collection == counts.collection).flat_map(|i| i.unknown_columns.iter().map(move |c| (i, c)));
        let examples: Vec<Example> = columns
            .map(|(input, column)| Example {
                field: Some(column.clone()),
                text: column.clone(),
                at: Some(At { file: input.path.clone(), line: 1 }),
                words: None,
            })
            .collect();
        Check {
            check: "unknown_column".into(),
            title: "A column that the contract does not know: it is kept out".into(),
            collection: Some(counts.collection.clone()),
            severity: Severity::Information,
            status: status(true, examples.len() as u64),
            count: examples.len() as u64,
            of: 0,
            examples: examples.into_iter().take(crate::ingest::EXAMPLES).collect(),
        }
    };
    load.collections.iter().map(of).collect()
}

/// A check of `sql/check`.
fn of_view(checked: &Checked, load: &Load, places: &[Option<At>]) -> Check {
    let rows = checked.collection.iter().flat_map(|name| load.files_of(name)).map(|f| f.rows).sum();
    let example = |(i, row): (usize, &Vec<(String, String)>)| Example {
        field: row.first().map(|(field, _)| field.clone()),
        text: text(row),
        at: places.get(i).cloned().flatten(),
        words: None,
    };
    Check {
        check: checked.check.clone(),
        title: checked.title.clone(),
        collection: checked.collection.clone(),
        severity: Severity::Warning,
        status: status(checked.count.is_some(), checked.count.unwrap_or(0)),
        count: checked.count.unwrap_or(0),
        of: if checked.count.is_some() { rows } else { 0 },
        examples: checked.examples.iter().enumerate().map(example).collect(),
    }
}

/// What is in the load's warnings and belongs to no check of a contract.
fn of_warning(warning: &Warning, titles: &BTreeMap<String, String>) -> Check {
    Check {
        check: warning.check.clone(),
        title: titles.get(&warning.check).cloned().unwrap_or_else(|| warning.check.replace('_', " ")),
        collection: warning.collection.clone(),
        severity: Severity::Warning,
        status: Status::Failed,
        count: warning.count,
        of: 0,
        examples: examples(warning, None),
    }
}

/// A row that a check found, in words: a student in a year.
pub fn text(row: &[(String, String)]) -> String {
    row.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" in ")
}

/// What checks of the lake found, as the warnings of its load.
pub fn warnings(look: &Look, places: &BTreeMap<String, Vec<Option<At>>>) -> Vec<Warning> {
    let found = look.checks.iter().filter_map(|c| Some((c, c.count.filter(|n| *n > 0)?)));
    let warning = |(c, count): (&Checked, u64)| Warning {
        check: c.check.clone(),
        collection: c.collection.clone(),
        count,
        examples: c.examples.iter().map(|row| text(row)).collect(),
        at: places.get(&c.check).cloned().unwrap_or_default(),
        restricted: c.restricted,
    };
    found.map(warning).collect()
}
