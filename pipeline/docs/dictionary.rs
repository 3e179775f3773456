//! The data dictionary: every field that comes in, every column that goes out.

use super::{Site, cell, head, link};
use crate::catalog::Layer;
use crate::contract::{Contract, Field, Format, Kind, OnViolation};
use crate::error::Result;
use crate::ingest::reject;
use crate::publish::{description::Description, table};
use crate::quality;
use crate::run::manifest::Table;
use crate::run::output::{REPORT_YEAR, describe, written_schema};
use std::collections::BTreeMap;
use std::fmt::Display;

/// The page.
pub fn page(site: &Site) -> Result<String> {
    let mut out = head("Data dictionary");
    out += "What comes in: the collections, by domain. What goes out: the tables of a run. A year names the school or report year that ends in it: 2024 is 1 July 2023 to 30 June 2024.\n\n";
    let mut domains: BTreeMap<&str, usize> = BTreeMap::new();
    site.contracts.iter().for_each(|c| *domains.entry(&c.domain).or_default() += 1);
    let mut domains: Vec<(&str, usize)> = domains.into_iter().collect();
    // The largest first: it is what most people look for.
    domains.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    for (domain, _) in domains {
        out += &format!("## Collections: {}\n\n", capital(domain));
        for contract in site.contracts.iter().filter(|c| c.domain == domain) {
            collection(&mut out, site, contract);
        }
    }
    out += "## Written by a load\n\n### `reject`\n\n**Rejected rows.** One row for each row of the raw files that was not accepted. Restricted.\n\n| column | type | description |\n|---|---|---|\n";
    reject::COLUMNS.iter().for_each(|(name, kind, description)| out += &format!("| `{name}` | {kind} | {description} |\n"));
    for (name, row, columns) in quality::table::TABLES.into_iter().chain([quality::table::FRESHNESS]) {
        out += &format!("\n### `{name}`\n\n**{row}.** Restricted; `perkins query` has it as `{}.{name}`.\n\n", quality::table::FOLDER);
        out += "| column | type | description |\n|---|---|---|\n";
        columns.iter().for_each(|(name, kind, description)| out += &format!("| `{name}` | {kind} | {description} |\n"));
    }
    out += "\n## Written by a run\n\n";
    out +=
        &format!("Every table has a folder for each `{REPORT_YEAR}`, whose name holds that column's value, and is sorted by its key.\n\n");
    for name in site.names(|v| v.layer == Layer::Output) {
        output(&mut out, site, &name)?;
    }
    out += "## Made public\n\nHow figures are protected: [disclosure.md](disclosure.md).\n\n";
    for description in &site.public {
        public(&mut out, site, description)?;
    }
    for name in site.names(|v| v.layer == Layer::Publish) {
        output(&mut out, site, &name)?;
    }
    Ok(out)
}

/// A public table of figures, in the words of the table that it is made from.
fn public(out: &mut String, site: &Site, description: &Description) -> Result<()> {
    let with_view = site.jurisdictions.iter().find_map(|l| Some((l, l.catalog.get(&description.table)?)));
    let Some((lineage, view)) = with_view else { return Ok(()) };
    let restricted = describe(view, &lineage.schema(&view.name)?, &site.contracts)?;
    *out += &format!("### `{}`\n\n**{}.** Made from [`{}`](#{}).\n\n", description.public_table(), description.title, view.name, view.name);
    *out += &format!("- Key: {}\n\n| column | type | description |\n|---|---|---|\n", code_list(&restricted.key));
    for field in table::schema(description, &written_schema(&lineage.schema(&view.name)?))?.fields() {
        let words = table::words(field.name(), |c| restricted.columns.iter().find(|r| r.name == c).map(|r| r.description.clone()));
        *out += &format!("| `{}` | {} | {} |\n", field.name(), plain(&field.data_type().to_string()), cell(&words));
    }
    out.push('\n');
    Ok(())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn collection(out: &mut String, site: &Site, contract: &Contract) {
    *out += &format!("### `{}`\n\n**{}.** {}\n\n", contract.name, contract.title, contract.description);
    *out += &format!("- Key: {}\n", code_list(&contract.primary_key));
    *out += &match &contract.partition {
        Some(partition) => format!("- A load replaces the rows of each `{partition}` that it brings.\n"),
        None => "- A load replaces it whole.\n".to_string(),
    };
    for key in &contract.foreign_keys {
        let as_of = key.as_of.as_ref().map(|f| format!(", of the same `{f}` or an earlier one")).unwrap_or_default();
        let otherwise = if key.on_violation == OnViolation::Reject { "else the row is rejected" } else { "else a warning" };
        *out += &format!("- `{}` must be a `{}.{}`{as_of}; {otherwise}.\n", key.fields, key.reference.resource, key.reference.fields);
    }
    for (at, key) in site.contracts.surrogates(contract) {
        *out += &format!("- In the lake, `{key}` stands for `{}`: a stable whole number.\n", contract.fields[at].name);
    }
    *out += "\n| field | type | required | allowed | description |\n|---|---|---|---|---|\n";
    for field in &contract.fields {
        *out += &format!(
            "| `{}` | {} | {} | {} | {} |\n",
            field.name,
            kind(field),
            required(field),
            cell(&allowed(field)),
            cell(&field.description)
        );
    }
    out.push('\n');
}

fn code_list<T: Display>(items: &[T]) -> String {
    items.iter().map(|i| format!("`{i}`")).collect::<Vec<_>>().join(", ")
}

fn kind(field: &Field) -> String {
    match (field.kind, field.format, field.decimal) {
        (Kind::String, Some(Format::Id), _) => "id, 1 to 64 characters".into(),
        (Kind::String, Some(Format::Cip), _) => "CIP code, stored as NN.NNNN".into(),
        (Kind::String, Some(Format::CipSeries), _) => "CIP code, stored as NN.NNNN, or a series of them, NN or NN.NN".into(),
        (Kind::String, None, _) => if field.constraints.codes.is_some() { "code" } else { "text" }.into(),
        (Kind::Number, _, Some(d)) => format!("decimal({}, {})", d.precision, d.scale),
        (Kind::Number, _, None) => "decimal".into(),
        (Kind::Year, _, _) => "year".into(),
        (Kind::Integer, _, _) => "whole number".into(),
        (Kind::Boolean, _, _) => "yes or no".into(),
        (Kind::Date, _, _) => "date".into(),
    }
}

fn required(field: &Field) -> String {
    match &field.constraints.required_unless {
        Some(unless) => format!("unless `{}` is `{}`", unless.field, unless.value),
        None => if field.constraints.required { "yes" } else { "no" }.into(),
    }
}

fn allowed(field: &Field) -> String {
    let constraints = &field.constraints;
    if let Some(codes) = &constraints.codes {
        return code_list(codes);
    }
    let bound = |word: &str, value: Option<i64>| value.map(|v| format!("{word} {v}"));
    let bounds = [bound("from", constraints.minimum), bound("above", constraints.exclusive_minimum), bound("to", constraints.maximum)];
    bounds.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn output(out: &mut String, site: &Site, name: &str) -> Result<()> {
    let mut shown: Vec<Table> = Vec::new();
    for (i, lineage) in site.jurisdictions.iter().enumerate() {
        let Some(view) = lineage.catalog.get(name) else { continue };
        let table = describe(view, &lineage.schema(name)?, &site.contracts)?;
        let same = |t: &Table| {
            t.columns
                .iter()
                .map(|c| (&c.name, &c.kind, &c.description))
                .eq(table.columns.iter().map(|c| (&c.name, &c.kind, &c.description)))
        };
        if shown.iter().any(same) {
            continue;
        }
        let only = if i == 0 { String::new() } else { format!(" in {}", lineage.jurisdiction.name) };
        *out += &format!(
            "### `{name}`{only}\n\n**{}.** {}{}\n\n",
            table.title,
            table.description,
            if view.header.restricted { " Restricted." } else { "" }
        );
        let key = if table.key.is_empty() { "none".into() } else { code_list(&table.key) };
        *out += &format!("- Key: {key}\n- Authority: {}\n- Made by {}\n\n", view.header.authority, link(view, 1));
        *out += "| column | type | description |\n|---|---|---|\n";
        table.columns.iter().for_each(|c| *out += &format!("| `{}` | {} | {} |\n", c.name, plain(&c.kind), cell(&c.description)));
        out.push('\n');
        shown.push(table);
    }
    Ok(())
}

/// An Arrow type in plain words.
fn plain(kind: &str) -> String {
    match kind {
        "Int32" | "Int64" | "UInt64" => "integer".into(),
        "Float64" => "floating point".into(),
        "Boolean" => "yes or no".into(),
        "Date32" => "date".into(),
        k if k.starts_with("Decimal128") => k.replace("Decimal128", "decimal"),
        k if k.contains("Utf8") => "text".into(),
        k => k.to_string(),
    }
}
