//! Contracts: what a collection must look like, read from `data/contract/<collection>.toml` (words of Frictionless Table Schema).

use crate::error::{Error, Result};
use crate::project::{File, Project};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The contract of one collection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Contract {
    /// Name of the collection: file names, folders and tables use it.
    pub name: String,
    /// Heading in the data dictionary.
    pub title: String,
    /// What one row is.
    pub description: String,
    /// Heading under which the data dictionary lists it.
    pub domain: String,
    /// The field by which a load replaces rows and the lake has folders; without it the collection is replaced whole.
    pub partition: Option<String>,
    /// Fields that together occur once; null parts are equal.
    pub primary_key: Vec<String>,
    /// References to other collections.
    #[serde(default)]
    pub foreign_keys: Vec<ForeignKey>,
    /// Fields in the order of the specification.
    pub fields: Vec<Field>,
}

/// A reference from a field to a field of another collection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ForeignKey {
    /// The referring field.
    pub fields: String,
    /// What it refers to.
    pub reference: Reference,
    /// Field with a year: the row referred to must be of this year or an earlier one.
    pub as_of: Option<String>,
    /// What happens to a row that refers to nothing.
    #[serde(default)]
    pub on_violation: OnViolation,
}

/// The target of a foreign key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Name of the collection.
    pub resource: String,
    /// Name of its field.
    pub fields: String,
}

/// What happens to a row that refers to nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnViolation {
    /// The row is rejected (`foreign_key`).
    #[default]
    Reject,
    /// The row is kept and counted in a warning.
    Warning,
}

/// One field of a collection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name in the header, lower case.
    pub name: String,
    /// Logical type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// A closer form of text.
    pub format: Option<Format>,
    /// What the field means.
    pub description: String,
    /// Precision and scale; numbers only.
    pub decimal: Option<Decimal>,
    /// Name of the stable whole number that the lake gives each value of this field.
    pub surrogate: Option<String>,
    /// What values must satisfy.
    #[serde(default)]
    pub constraints: Constraints,
}

/// Logical type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text; with `constraints.enum` one of the codes.
    String,
    /// School or calendar year.
    Year,
    /// Whole number.
    Integer,
    /// Exact decimal.
    Number,
    /// Yes or no.
    Boolean,
    /// Calendar day.
    Date,
}

/// A closer form of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// An identifier: 1 to 64 characters.
    Id,
    /// A CIP code, stored as `NN.NNNN`.
    Cip,
    /// A CIP code, or the series of two or four digits that it is of, stored as `NN` or `NN.NN`.
    #[serde(rename = "cip_series")]
    CipSeries,
}

/// Size of an exact decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decimal {
    /// Digits in all, at most 18.
    pub precision: u8,
    /// Digits after the dot.
    pub scale: u8,
}

/// What values must satisfy.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Constraints {
    /// Null is rejected.
    #[serde(default)]
    pub required: bool,
    /// Smallest value allowed.
    pub minimum: Option<i64>,
    /// Largest value allowed.
    pub maximum: Option<i64>,
    /// Values must be above this.
    pub exclusive_minimum: Option<i64>,
    /// The codes allowed; sorted as text when the contract is read.
    #[serde(rename = "enum")]
    pub codes: Option<Vec<String>>,
    /// Null is rejected unless another field has this value.
    pub required_unless: Option<RequiredUnless>,
}

/// The exception of `requiredUnless`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredUnless {
    /// Name of a field before this one.
    pub field: String,
    /// The code that excuses a null.
    pub value: String,
}

impl Contract {
    /// Position of a field by name.
    pub fn index(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == field)
    }

    /// The foreign key of a field.
    pub fn foreign_key(&self, field: &str) -> Option<&ForeignKey> {
        self.foreign_keys.iter().find(|k| k.fields == field)
    }
}

impl Field {
    /// Arrow type of the field in the lake.
    pub fn data_type(&self) -> DataType {
        match self.kind {
            Kind::String => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Kind::Year | Kind::Integer => DataType::Int32,
            Kind::Number => self.decimal.map_or(DataType::Decimal128(18, 0), |d| DataType::Decimal128(d.precision, d.scale as i8)),
            Kind::Boolean => DataType::Boolean,
            Kind::Date => DataType::Date32,
        }
    }
}

/// All contracts, by name of the collection, checked against each other.
#[derive(Debug, Clone)]
pub struct Contracts(BTreeMap<String, Contract>);

impl Contracts {
    /// The contracts that ship with the program.
    pub fn embedded() -> Result<Contracts> {
        Project::default().contracts()
    }

    /// Reads the contracts of a project, one TOML file for each collection.
    pub fn parse(files: impl IntoIterator<Item = File>) -> Result<Contracts> {
        let mut all = BTreeMap::new();
        for File { label, text, .. } in files.into_iter().filter(|f| f.label.ends_with(".toml")) {
            let wrong = |what: String| Error::Config(format!("{label}: {what}"));
            let mut contract: Contract = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
            if Path::new(&label).file_stem().is_none_or(|stem| stem.to_string_lossy() != contract.name) {
                return Err(wrong(format!("name is \"{}\"; it must be the file's name", contract.name)));
            }
            check(&mut contract).map_err(wrong)?;
            all.insert(contract.name.clone(), contract);
        }
        let contracts = Contracts(all);
        contracts.check_references()?;
        Ok(contracts)
    }

    fn check_references(&self) -> Result<()> {
        for contract in self.iter() {
            let wrong = |what: String| Error::Config(format!("contract {}: {what}", contract.name));
            for key in &contract.foreign_keys {
                let target = &key.reference;
                self.get(&target.resource).and_then(|c| c.index(&target.fields)).ok_or_else(|| {
                    wrong(format!("foreign key {} refers to {}.{}, which no contract has", key.fields, target.resource, target.fields))
                })?;
            }
            let mut seen = BTreeSet::new();
            if let Some((_, name)) =
                self.surrogates(contract).into_iter().find(|(_, n)| contract.index(n).is_some() || !seen.insert(n.clone()))
            {
                return Err(wrong(format!("two columns of the lake would be named {name}")));
            }
        }
        self.in_order().map(|_| ())
    }

    /// The contract of a collection.
    pub fn get(&self, collection: &str) -> Option<&Contract> {
        self.0.get(collection)
    }

    /// What a field means, from the first contract that has one of this name; `report_year` and `school_year` are everywhere the same.
    pub fn describe(&self, field: &str) -> Option<String> {
        self.iter().flat_map(|c| &c.fields).find(|f| f.name == field).map(|f| f.description.clone())
    }

    /// The contracts by name.
    pub fn iter(&self) -> impl Iterator<Item = &Contract> {
        self.0.values()
    }

    /// The contracts so that each comes after those it refers to.
    pub fn in_order(&self) -> Result<Vec<&Contract>> {
        let mut order: Vec<&Contract> = Vec::new();
        while order.len() < self.0.len() {
            let done: BTreeSet<&str> = order.iter().map(|c| c.name.as_str()).collect();
            let ready = |c: &&Contract| {
                !done.contains(c.name.as_str()) && c.foreign_keys.iter().all(|k| done.contains(k.reference.resource.as_str()))
            };
            let before = order.len();
            order.extend(self.iter().filter(ready));
            if order.len() == before {
                let left = self.iter().map(|c| c.name.as_str()).filter(|n| !done.contains(n)).collect::<Vec<_>>().join(", ");
                return Err(Error::Config(format!("contracts refer to each other in a circle: {left}")));
            }
        }
        Ok(order)
    }

    /// Fields of a collection that have a surrogate key, their own or that of the field they refer to: (position, name of the key).
    pub fn surrogates(&self, contract: &Contract) -> Vec<(usize, String)> {
        let name = |f: &Field| {
            let referred = contract.foreign_key(&f.name).map(|k| &k.reference);
            let target = referred.and_then(|r| self.get(&r.resource)?.fields.iter().find(|t| t.name == r.fields));
            f.surrogate.clone().or_else(|| target?.surrogate.clone())
        };
        contract.fields.iter().enumerate().filter_map(|(i, f)| Some((i, name(f)?))).collect()
    }

    /// Arrow schema of a collection's files in the lake: the contract's fields but the partition's, then the surrogate keys.
    pub fn lake_schema(&self, contract: &Contract) -> SchemaRef {
        let inside = contract.fields.iter().filter(|f| contract.partition.as_ref() != Some(&f.name));
        let mut fields: Vec<ArrowField> = inside.map(|f| ArrowField::new(&f.name, f.data_type(), !f.constraints.required)).collect();
        for (i, name) in self.surrogates(contract) {
            fields.push(ArrowField::new(name, DataType::Int32, !contract.fields[i].constraints.required));
        }
        Arc::new(Schema::new(fields))
    }
}

/// Checks what one contract says by itself, and sorts its codes.
fn check(contract: &mut Contract) -> std::result::Result<(), String> {
    if contract.fields.len() > MAX_FIELDS {
        return Err(format!("{} fields; at most {MAX_FIELDS} are possible", contract.fields.len()));
    }
    let mut before = BTreeSet::new();
    for field in &mut contract.fields {
        check_field(field, &before).map_err(|e| format!("field {}: {e}", field.name))?;
        if !before.insert(field.name.clone()) {
            return Err(format!("field {} is there twice", field.name));
        }
    }
    let named = contract.primary_key.iter().chain(&contract.partition);
    let named = named.chain(contract.foreign_keys.iter().flat_map(|k| std::iter::once(&k.fields).chain(&k.as_of)));
    if let Some(missing) = named.into_iter().find(|n| !before.contains(*n)) {
        return Err(format!("{missing} is named in primaryKey, partition or foreignKeys, but is no field"));
    }
    if contract.primary_key.is_empty() {
        return Err("primaryKey names no field".into());
    }
    check_years(contract)?;
    for key in &contract.foreign_keys {
        if contract.fields.iter().any(|f| f.name == key.fields && (f.kind != Kind::String || f.constraints.codes.is_some())) {
            return Err(format!("foreign key {} must be a text field without codes", key.fields));
        }
    }
    Ok(())
}

/// More fields than this do not fit the bit mask that names fields in which rows differ.
const MAX_FIELDS: usize = 64;

/// The partition and the years of foreign keys must be years, the partition a required one.
fn check_years(contract: &Contract) -> std::result::Result<(), String> {
    let field = |name: &String| contract.fields.iter().find(|f| f.name == *name);
    if let Some(f) = contract.partition.as_ref().and_then(field)
        && (f.kind != Kind::Year || !f.constraints.required || !contract.primary_key.contains(&f.name))
    {
        return Err(format!("partition {} must be a required year of the primary key", f.name));
    }
    match contract.foreign_keys.iter().filter_map(|k| k.as_of.as_ref().and_then(field)).find(|f| f.kind != Kind::Year) {
        Some(f) => Err(format!("asOf {} must be a year", f.name)),
        None => Ok(()),
    }
}

fn check_field(field: &mut Field, before: &BTreeSet<String>) -> std::result::Result<(), String> {
    let text = field.kind == Kind::String;
    let constraints = &mut field.constraints;
    if field.name != field.name.trim().to_lowercase() || field.name.is_empty() {
        return Err("the name must be lower case, without blanks around it".into());
    }
    match field.decimal {
        None if field.kind == Kind::Number => return Err("a number needs decimal = { precision, scale }".into()),
        Some(_) if field.kind != Kind::Number => return Err("decimal is for numbers".into()),
        Some(d) if d.precision == 0 || d.precision > 18 || d.scale > d.precision => {
            return Err("precision must be 1 to 18, and scale at most the precision".into());
        }
        _ => {}
    }
    let bounded = constraints.minimum.or(constraints.maximum).or(constraints.exclusive_minimum).is_some();
    if bounded && !matches!(field.kind, Kind::Year | Kind::Integer | Kind::Number) {
        return Err("minimum and maximum are for years, integers and numbers".into());
    }
    if !text && (field.format.is_some() || constraints.codes.is_some() || field.surrogate.is_some()) {
        return Err("format, enum and surrogate are for text".into());
    }
    if field.surrogate.is_some() && (field.format != Some(Format::Id) || !constraints.required) {
        return Err("surrogate is for a required id".into());
    }
    if let Some(codes) = &mut constraints.codes {
        // Codes are numbered by their place here: sorted as text, numbers compare as the texts do.
        codes.sort();
        let folded: BTreeSet<String> = codes.iter().map(|c| c.to_lowercase()).collect();
        if folded.len() != codes.len() || codes.is_empty() || codes.len() > 250 || folded.contains("") {
            return Err("enum must list 1 to 250 codes that differ in more than letter case".into());
        }
    }
    match &constraints.required_unless {
        Some(unless) if !before.contains(&unless.field) => {
            Err(format!("requiredUnless.field {} must be a field before this one", unless.field))
        }
        Some(_) if constraints.required => Err("required and requiredUnless exclude each other".into()),
        _ => Ok(()),
    }
}
