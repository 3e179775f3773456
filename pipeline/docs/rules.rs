//! The rules: every value of every jurisdiction, with its years and authority, and what it decides.

use super::{Site, cell, head};
use crate::catalog::Layer;
use crate::error::Result;
use crate::jurisdiction::{Definition, Kind, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The page.
pub async fn page(site: &mut Site) -> Result<String> {
    let decides = decides(site).await?;
    let mut out = head("Rules");
    let Some(base) = site.jurisdictions.first() else { return Ok(out) };
    out += &format!(
        "Every threshold is a dated value with its authority, in `data/rule/`. A jurisdiction that sets no value of its own has that of the base, {}.\n\n",
        base.jurisdiction.name
    );
    for definition in &base.jurisdiction.definitions {
        rule(&mut out, site, definition, decides.get(&definition.id));
    }
    Ok(out)
}

/// The indicators and outputs that each rule decides, in any jurisdiction.
async fn decides(site: &mut Site) -> Result<BTreeMap<String, (BTreeSet<String>, usize)>> {
    let mut found: BTreeMap<String, (BTreeSet<String>, usize)> = BTreeMap::new();
    for lineage in &mut site.jurisdictions {
        let indicators: Vec<(String, String)> = lineage
            .catalog
            .views()
            .filter_map(|v| {
                Some((v.name.clone(), v.indicator().filter(|_| v.layer == Layer::Indicator && !v.path.starts_with('('))?.to_string()))
            })
            .collect();
        for (view, id) in &indicators {
            for rule in lineage.rules(view).await? {
                let entry = found.entry(rule).or_default();
                entry.0.insert(id.clone());
                entry.1 = indicators.len();
            }
        }
    }
    Ok(found)
}

fn rule(out: &mut String, site: &Site, definition: &Definition, decides: Option<&(BTreeSet<String>, usize)>) {
    let kind = match definition.kind {
        Kind::Decimal => "decimal",
        Kind::Integer => "whole number",
        Kind::Boolean => "true or false",
        Kind::Text => "one of",
        Kind::List => "any of",
    };
    let values = definition.values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
    *out += &format!("## `{}`\n\n{}.\n\n- Value: {}\n", definition.id, definition.title, format!("{kind} {values}").trim());
    match decides {
        Some((ids, all)) if ids.len() == *all => *out += "- Decides every indicator\n",
        Some((ids, _)) => {
            *out += &format!("- Decides {}\n", ids.iter().map(|id| format!("[{id}](indicator/{id}.md)")).collect::<Vec<_>>().join(", "))
        }
        None => {}
    }
    *out += "\n| jurisdiction | report years | value | authority |\n|---|---|---|---|\n";
    for lineage in &site.jurisdictions {
        let mut own: Vec<&Value> = lineage.jurisdiction.own_values().filter(|v| v.id == definition.id).collect();
        own.sort_by_key(|v| v.first_report_year);
        for value in &own {
            *out +=
                &format!("| {} | {} | `{}` | {} |\n", lineage.jurisdiction.name, years(value), cell(&value.value), cell(&value.authority));
        }
        if own.is_empty() {
            *out += &format!("| {} | | = | as the base |\n", lineage.jurisdiction.name);
        }
    }
    out.push('\n');
}

/// The report years of a value, for people.
pub fn years(value: &Value) -> String {
    value
        .last_report_year
        .map_or_else(|| format!("from {}", value.first_report_year), |last| format!("{} to {last}", value.first_report_year))
}
