//! Texts and formulas of a description, filled in.
//!
//! `{field}` is a value: of the row in a formula, of the sheet's first row elsewhere. In a formula, `[field]` is the cell of that column in this
//! row, `[line!field]` that of the row whose key is `line`, `[#field]` the whole column of the sheet's own table, and `[sheet#field]` that of
//! another sheet.

use crate::error::{Error, Result};

/// Fills in the values in braces. Inside a text of a formula (in double quotes), a quote in a value is doubled.
pub fn fill(template: &str, value: &dyn Fn(&str) -> Option<String>, is_formula: bool) -> Result<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out += &rest[..open];
        let (name, after) =
            rest[open + 1..].split_once('}').ok_or_else(|| Error::Config(format!("in {template:?} a brace is not closed")))?;
        let found = value(name).ok_or_else(|| Error::Config(format!("{template:?} names {{{name}}}, which the query does not give")))?;
        let in_text = is_formula && out.matches('"').count() % 2 == 1;
        out += &if in_text { found.replace('"', "\"\"") } else { found };
        rest = after;
    }
    Ok(out + rest)
}

/// Puts addresses in place of the references in brackets, except inside texts.
pub fn resolve(formula: &str, address: &dyn Fn(&str) -> Result<String>) -> Result<String> {
    let mut out = String::new();
    let mut in_text = false;
    let mut rest = formula;
    while let Some(at) = rest.find(['"', '[']) {
        out += &rest[..at];
        if in_text || rest[at..].starts_with('"') {
            in_text ^= rest[at..].starts_with('"');
            out += &rest[at..=at];
            rest = &rest[at + 1..];
            continue;
        }
        let (reference, after) =
            rest[at + 1..].split_once(']').ok_or_else(|| Error::Config(format!("in formula {formula:?} a bracket is not closed")))?;
        out += &address(reference)?;
        rest = after;
    }
    Ok(out + rest)
}

/// A sheet's name in a reference.
pub fn quoted(sheet: &str) -> String {
    format!("'{}'", sheet.replace('\'', "''"))
}
