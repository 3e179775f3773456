//! What this module needs of the contracts under data/contract: names and order of the fields for the header, and types, codes
//! and keys, so that a row can be spoilt in every way that the checks look for.

use crate::error::{Error, Result};
use include_dir::{Dir, include_dir};
use serde::Deserialize;

static CONTRACTS: Dir = include_dir!("$CARGO_MANIFEST_DIR/data/contract");

/// A collection's contract.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Contract {
    pub domain: String,
    #[serde(rename = "primaryKey")]
    pub primary_key: Vec<String>,
    #[serde(rename = "foreignKeys", default)]
    pub foreign_keys: Vec<ForeignKey>,
    pub fields: Vec<Field>,
}

/// A reference to another collection.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ForeignKey {
    pub fields: String,
    pub reference: Reference,
    #[serde(rename = "asOf")]
    pub as_of: Option<String>,
    #[serde(rename = "onViolation", default)]
    pub on_violation: Option<String>,
}

/// The collection that a reference is to.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Reference {
    pub resource: String,
}

/// A field.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub decimal: Option<Decimal>,
    #[serde(default)]
    pub constraints: Constraints,
}

/// How many decimals a number may have.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Decimal {
    pub scale: usize,
}

/// What a value must be.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Constraints {
    #[serde(default)]
    pub required: bool,
    pub minimum: Option<f64>,
    #[serde(rename = "exclusiveMinimum")]
    pub exclusive_minimum: Option<f64>,
    pub maximum: Option<f64>,
    #[serde(rename = "enum", default)]
    pub codes: Vec<String>,
    #[serde(rename = "requiredUnless")]
    pub required_unless: Option<RequiredUnless>,
}

/// A field that is required unless another has a value.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RequiredUnless {
    pub field: String,
    pub value: String,
}

impl Contract {
    /// The contract of a collection.
    pub fn of(collection: &str) -> Result<Contract> {
        let path = format!("{collection}.toml");
        let text = CONTRACTS.get_file(&path).and_then(|f| f.contents_utf8());
        let text = text.ok_or_else(|| Error::bug(format!("data/contract/{path} is not in the program")))?;
        toml::from_str(text).map_err(|e| Error::Config(format!("data/contract/{path}: {e}")))
    }

    /// The header row.
    pub fn header(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(|f| f.name.as_str()).collect();
        names.join(",") + "\n"
    }

    /// The place of a field.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }
}
