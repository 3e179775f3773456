//! Rejected rows: what is wrong with them, in words, and the table that keeps them (outputs.md, `reject`).

use super::format::notes::{Fault, Faulty};
use super::limit::TEXT_CHARACTERS;
use super::{EXAMPLES, RejectExample};
use crate::contract::{Contract, Field, Format, Kind};
use crate::error::{Error, Result};
use crate::lake::At;
use crate::store::{Draft, Stored};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Why a row is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A value does not parse, or a record has another number of fields than the header.
    Type,
    /// A value is out of range.
    Range,
    /// A value is not one of the codes.
    Code,
    /// A required value is missing.
    Required,
    /// Rows share a key but differ in values.
    ConflictingKey,
    /// A value refers to a row that is not there.
    ForeignKey,
}

impl Rule {
    /// All rules.
    pub const ALL: [Rule; 6] = [Rule::Type, Rule::Range, Rule::Code, Rule::Required, Rule::ConflictingKey, Rule::ForeignKey];

    /// Name of the rule in tables and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Type => "type",
            Rule::Range => "range",
            Rule::Code => "code",
            Rule::Required => "required",
            Rule::ConflictingKey => "conflicting_key",
            Rule::ForeignKey => "foreign_key",
        }
    }
}

impl Rule {
    /// What it looks for, for people.
    pub fn title(self) -> &'static str {
        match self {
            Rule::Type => "A value that does not parse, or a record with too few or too many fields",
            Rule::Range => "A value out of range",
            Rule::Code => "A value that is no code",
            Rule::Required => "A required value that is missing",
            Rule::ConflictingKey => "One key with different values: none of the rows is kept",
            Rule::ForeignKey => "A value that refers to no row",
        }
    }
}

/// A rejected row. Kept small: a broken file can have very many; the message is made when the table is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Number of the file.
    pub file: u32,
    /// Line on which the record begins.
    pub line: u64,
    /// Number of the field, if one is to blame.
    pub field: Option<u16>,
    /// The rule.
    pub rule: Rule,
    /// The offending text.
    pub text: Option<Box<str>>,
    /// Fields expected and found, or the number of a fault (no field), or the fields in which rows with one key differ, as a bit mask.
    pub detail: u64,
    /// File and line of another row that it conflicts with.
    pub other: Option<Box<(u32, u64)>>,
}

impl Reject {
    /// A row that could not be made from its file.
    pub fn of_fault(file: u32, faulty: &Faulty) -> Reject {
        let Faulty { line, fault, text } = faulty.clone();
        Reject { file, line, field: None, rule: Rule::Type, text, detail: fault as u64, other: None }
    }
}

/// The text of a field as a reject keeps it: never longer than a cell of a spreadsheet shows well.
pub fn excerpt(text: &[u8]) -> Option<Box<str>> {
    let text = String::from_utf8_lossy(text);
    let end = text.char_indices().nth(200).map_or(text.len(), |(at, _)| at);
    (!text.is_empty()).then(|| text[..end].into())
}

/// What a reject says to the person who corrects the file. `files` gives the path of each file by its number.
pub fn message(reject: &Reject, contract: &Contract, files: &[String]) -> String {
    let field = reject.field.and_then(|f| contract.fields.get(usize::from(f)));
    match (reject.rule, field) {
        (Rule::ConflictingKey, _) => {
            let names = contract.fields.iter().enumerate().filter(|(i, _)| reject.detail >> i & 1 == 1).map(|(_, f)| f.name.as_str());
            let names = names.collect::<Vec<_>>().join(", ");
            let other = reject.other.as_ref().and_then(|other| Some((files.get(other.0 as usize)?, other.1)));
            let other = other.map(|(file, line)| format!("; another is {}", At { file: file.clone(), line })).unwrap_or_default();
            format!("several rows have this {} but differ in {names}{other}; leave the right one", contract.primary_key.join(", "))
        }
        (Rule::Type, None) => Fault::message(reject.detail)
            .map_or_else(|| format!("expected {} fields, found {}", reject.detail >> 32, reject.detail & 0xFFFF_FFFF), str::to_string),
        (_, None) => reject.rule.name().to_string(),
        (Rule::Required, Some(f)) => match &f.constraints.required_unless {
            Some(unless) => format!("a value is required unless {} is {}", unless.field, unless.value),
            None => "a value is required".to_string(),
        },
        (Rule::ForeignKey, Some(f)) => contract.foreign_key(&f.name).map_or_else(String::new, |key| {
            let year = key.as_of.as_ref().map(|y| format!(" of the same or an earlier {y}")).unwrap_or_default();
            format!("no accepted row of {}{year} has this {}", key.reference.resource, key.reference.fields)
        }),
        (Rule::Type | Rule::Range | Rule::Code, Some(f)) => format!("expected {}", expected(f)),
    }
}

/// What a field's text must be.
fn expected(field: &Field) -> String {
    let constraints = &field.constraints;
    let what = match (field.kind, field.format, field.decimal) {
        (Kind::String, ..) if constraints.codes.is_some() => {
            return format!("one of {}", constraints.codes.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", "));
        }
        (Kind::String, Some(Format::Cip), _) => return "a CIP code NN.NNNN, or its 5 to 6 digits".into(),
        (Kind::String, Some(Format::CipSeries), _) => return "a CIP code NN.NNNN, or its 5 to 6 digits, or a series NN or NN.NN".into(),
        (Kind::String, Some(Format::Id), _) => {
            return format!(
                "an identifier of 1 to {} characters, not what a spreadsheet or a program makes of one (1.2E+08, =\"0012\", '0012, #N/A, NULL): make its \
                 column text there, or leave it empty where there is none",
                super::plan::ID_CHARACTERS
            );
        }
        (Kind::String, None, _) => return format!("text of at most {TEXT_CHARACTERS} characters"),
        (Kind::Boolean, ..) => return "Y or N, yes or no, true or false, T or F, 1 or 0".into(),
        (Kind::Date, ..) => return "a date YYYY-MM-DD".into(),
        (Kind::Number, _, Some(d)) => {
            format!("a number with at most {} digits before and {} after the dot", d.precision - d.scale, d.scale)
        }
        (Kind::Year, ..) => "a year as one number, such as 2024 for 2023-24,".into(),
        (Kind::Integer | Kind::Number, ..) => "a whole number".into(),
    };
    let bounds = [("from", constraints.minimum), ("above", constraints.exclusive_minimum), ("to", constraints.maximum)];
    bounds.iter().fold(what, |text, (word, bound)| bound.map_or(text.clone(), |b| format!("{text} {word} {b}")))
}

/// The rejects of a collection with what their messages need.
pub struct Rejects<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// The rejects, in order of file and line.
    pub rows: Vec<Reject>,
}

impl Rejects<'_> {
    /// The first rejects of each rule. `files` gives the path of each file by its number.
    pub fn examples(&self, files: &[String]) -> Vec<RejectExample> {
        let mut of_rule: BTreeMap<Rule, usize> = BTreeMap::new();
        let mut is_early = |rule| {
            let seen = of_rule.entry(rule).or_default();
            *seen += 1;
            *seen <= EXAMPLES
        };
        let example = |r: &Reject| RejectExample {
            collection: self.contract.name.clone(),
            rule: r.rule.name(),
            field: r.field.and_then(|f| self.contract.fields.get(usize::from(f))).map(|f| f.name.clone()),
            at: At { file: files.get(r.file as usize).cloned().unwrap_or_default(), line: r.line },
            text: r.text.as_deref().unwrap_or_default().to_string(),
            message: message(r, self.contract, files),
        };
        self.rows.iter().filter(|r| is_early(r.rule)).map(example).collect()
    }
}

/// The columns of the reject table: name, type, and what each means; for the data dictionary.
pub const COLUMNS: [(&str, &str, &str); 7] = [
    ("collection", "text", "The collection that the row was to be part of"),
    ("file", "text", "The file, relative to the raw folder"),
    ("line", "integer", "The line as in a text editor; the header is line 1"),
    ("field", "text", "The first field, in the contract's order, that fails; empty if the row as a whole does"),
    ("rule", "text", "What is broken: type, range, code, required, conflicting_key or foreign_key"),
    ("text", "text", "The text of the field as it was given"),
    ("message", "text", "What is wrong and what was expected, in words"),
];

/// Writes the reject table, sorted by collection, file and line. `files` gives the path of each file by its number.
pub fn write(root: &Path, folder: &Path, collections: &[Rejects], files: &[String]) -> Result<Stored> {
    let all = || collections.iter().flat_map(|c| c.rows.iter().map(move |r| (c.contract, r)));
    let text =
        |f: &dyn Fn(&Contract, &Reject) -> Option<String>| -> ArrayRef { Arc::new(all().map(|(c, r)| f(c, r)).collect::<StringArray>()) };
    let field = |c: &Contract, r: &Reject| r.field.and_then(|f| c.fields.get(usize::from(f))).map(|f| f.name.clone());
    let columns: [(&str, ArrayRef, bool); 7] = [
        ("collection", text(&|c, _| Some(c.name.clone())), false),
        ("file", text(&|_, r| files.get(r.file as usize).cloned()), false),
        ("line", Arc::new(all().map(|(_, r)| r.line as i64).collect::<Int64Array>()), false),
        ("field", text(&field), true),
        ("rule", text(&|_, r| Some(r.rule.name().to_string())), false),
        ("text", text(&|_, r| r.text.as_deref().map(str::to_string)), true),
        ("message", text(&|c, r| Some(message(r, c, files))), false),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| Error::internal("cannot make the reject table", e))?;
    let failed = |e| Error::internal("cannot write the reject table", e);
    let options =
        parquet::arrow::arrow_writer::ArrowWriterOptions::new().with_properties(crate::chunk::properties()?).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Draft::create(folder)?, batch.schema(), options).map_err(failed)?;
    writer.write(&batch).map_err(failed)?;
    writer.into_inner().map_err(failed)?.finish(root, |_| "reject.parquet".to_string())
}
