//! How each field of a collection is read, made once from its contract.

use super::column::Column;
use super::reference::References;
use super::value::{Bounds, Codes};
use crate::contract::{Contract, Contracts, Field, Format, Kind, OnViolation};
use crate::error::{Error, Result};

/// Identifiers have at most so many characters.
pub const ID_CHARACTERS: usize = 64;

/// How a field's text becomes a number.
#[derive(Debug)]
pub enum Reader {
    /// One of the contract's codes.
    Code(Codes),
    /// Yes or no.
    Boolean,
    /// Year or whole number.
    Integer(Bounds),
    /// Decimal of at most nine digits, or of more (`long`).
    Decimal {
        /// Digits after the dot.
        scale: u8,
        /// What is allowed, in the last digit's unit.
        bounds: Bounds,
        /// Whether it needs 64 bits.
        long: bool,
    },
    /// Calendar day.
    Date,
    /// Any text.
    Text,
    /// Identifier.
    Id,
    /// CIP code.
    Cip,
    /// A CIP code or its series.
    CipSeries,
}

/// A foreign key of a collection, by number.
#[derive(Debug)]
pub struct Link {
    /// The field.
    pub field: usize,
    /// Name of the collection referred to.
    pub resource: String,
    /// Name of its field.
    pub target: String,
    /// The field with the year up to which the row referred to may be.
    pub as_of: Option<usize>,
    /// Whether violations only warn.
    pub warns: bool,
}

/// How a collection is read, checked and written.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// How each field is read, in the contract's order.
    pub readers: Vec<Reader>,
    /// The field that names the partition.
    pub partition: Option<usize>,
    /// The primary key without the partition.
    pub key: Vec<usize>,
    /// Foreign keys, in the order of their fields.
    pub links: Vec<Link>,
    /// Fields with a surrogate key: (field, name of the key).
    pub surrogates: Vec<(usize, String)>,
    /// For fields required unless another has a code: (field, other field, code).
    pub required_unless: Vec<(usize, usize, u8)>,
}

impl<'a> Plan<'a> {
    /// Makes the plan of a collection.
    pub fn new(contract: &'a Contract, contracts: &Contracts) -> Result<Plan<'a>> {
        let find = |name: &str| contract.index(name).ok_or_else(|| Error::bug(format!("{} has no field {name}", contract.name)));
        let partition = contract.partition.as_deref().map(find).transpose()?;
        let key = contract.primary_key.iter().map(|n| find(n)).collect::<Result<Vec<_>>>()?;
        let mut links = Vec::new();
        for key in &contract.foreign_keys {
            let as_of = key.as_of.as_deref().map(find).transpose()?;
            let (resource, target) = (key.reference.resource.clone(), key.reference.fields.clone());
            links.push(Link { field: find(&key.fields)?, resource, target, as_of, warns: key.on_violation == OnViolation::Warning });
        }
        links.sort_by_key(|l| l.field);
        let readers: Vec<Reader> = contract.fields.iter().map(reader).collect();
        let required_unless = required_unless(contract, &readers)?;
        let surrogates = contracts.surrogates(contract);
        let key = key.into_iter().filter(|k| Some(*k) != partition).collect();
        Ok(Plan { contract, readers, partition, key, links, surrogates, required_unless })
    }

    /// For rows that were in the lake before: an id is what it was, whatever is said of new ones.
    pub fn of_former_rows(mut self) -> Self {
        self.readers.iter_mut().filter(|r| matches!(r, Reader::Id)).for_each(|r| *r = Reader::Text);
        self
    }

    /// The field by which the lake's row groups are cut: the first of the key, if it has a surrogate.
    pub fn leading(&self) -> Option<usize> {
        let first = *self.key.first()?;
        (self.contract.fields[first].constraints.required && self.surrogates.iter().any(|(f, _)| *f == first)).then_some(first)
    }

    /// The field whose values this collection itself gives a surrogate key.
    pub fn defines(&self) -> Option<(usize, &str)> {
        let named = self.contract.fields.iter().enumerate();
        named.filter_map(|(i, f)| Some((i, f.surrogate.as_deref()?))).next()
    }

    /// For each field, the bytes of a value as a block keeps it: none of the partition's.
    pub fn widths(&self) -> impl Iterator<Item = usize> {
        let width = |(field, reader)| if Some(field) == self.partition { 0 } else { Column::for_reader(reader, 0).width() };
        self.readers.iter().enumerate().map(width)
    }

    /// The column of a field whose values are these bytes.
    pub fn column(&self, field: usize, bytes: &[u8]) -> Column {
        Column::of_bytes(&self.readers[field], bytes)
    }

    /// For each field, the reference table whose codes it shares: those of a surrogate key of another collection.
    pub fn shared<'r>(&self, references: &'r References) -> Vec<Option<&'r super::reference::Reference>> {
        let surrogate = |field: usize| self.surrogates.iter().any(|(f, _)| *f == field);
        let of = |field: usize| self.links.iter().find(|l| l.field == field && surrogate(field));
        (0..self.readers.len()).map(|f| of(f).and_then(|l| references.get(&l.resource, &l.target))).collect()
    }
}

fn reader(field: &Field) -> Reader {
    let constraints = &field.constraints;
    match (field.kind, field.format) {
        (Kind::String, _) if constraints.codes.is_some() => Reader::Code(Codes::new(constraints.codes.as_deref().unwrap_or_default())),
        (Kind::String, Some(Format::Id)) => Reader::Id,
        (Kind::String, Some(Format::Cip)) => Reader::Cip,
        (Kind::String, Some(Format::CipSeries)) => Reader::CipSeries,
        (Kind::String, None) => Reader::Text,
        (Kind::Boolean, _) => Reader::Boolean,
        (Kind::Date, _) => Reader::Date,
        (Kind::Year | Kind::Integer, _) => Reader::Integer(bounds(field, 1, i64::from(i32::MAX))),
        (Kind::Number, _) => {
            let (precision, scale) = field.decimal.map_or((18, 0), |d| (d.precision, d.scale));
            let largest = 10i64.pow(u32::from(precision)) - 1;
            Reader::Decimal { scale, bounds: bounds(field, 10i64.pow(u32::from(scale)), largest), long: precision > 9 }
        }
    }
}

/// The bounds of a field in units of its last digit; never beyond what its type holds.
fn bounds(field: &Field, unit: i64, largest: i64) -> Bounds {
    let c = &field.constraints;
    let least = c.minimum.map_or(-largest, |m| m.saturating_mul(unit));
    let above = c.exclusive_minimum.map_or(-largest, |m| m.saturating_mul(unit).saturating_add(1));
    let most = c.maximum.map_or(largest, |m| m.saturating_mul(unit));
    Bounds { least: least.max(above).max(-largest), most: most.min(largest) }
}

fn required_unless(contract: &Contract, readers: &[Reader]) -> Result<Vec<(usize, usize, u8)>> {
    let mut all = Vec::new();
    for (i, field) in contract.fields.iter().enumerate() {
        let Some(unless) = &field.constraints.required_unless else { continue };
        let wrong = || {
            Error::Config(format!(
                "contract {}: requiredUnless of {}: {} has no code {}",
                contract.name, field.name, unless.field, unless.value
            ))
        };
        let other = contract.index(&unless.field).ok_or_else(wrong)?;
        let Some(Reader::Code(codes)) = readers.get(other) else { return Err(wrong()) };
        let code = codes.find(unless.value.as_bytes(), 0, unless.value.len()).map_err(|_| wrong())?;
        all.push((i, other, code));
    }
    Ok(all)
}
