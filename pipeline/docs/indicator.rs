//! A page for each indicator.

use super::{Site, cell, graph, head, link, rules};
use crate::catalog::{LAKE, Layer, View};
use crate::engine::Needs;
use crate::error::{Error, Result};
use crate::jurisdiction::{BASE, Value};
use crate::project::Project;
use std::collections::{BTreeMap, BTreeSet};

/// The relation that lists why a row is not in a denominator.
const EXCLUSION: &str = "exclusion.csv";

/// The pages by id.
pub async fn pages(site: &mut Site, project: &Project) -> Result<BTreeMap<String, String>> {
    let exclusions = exclusions(project)?;
    let mut pages = BTreeMap::new();
    for name in site.names(|v| v.layer == Layer::Indicator && v.indicator().is_some() && !v.path.starts_with('(')) {
        let versions: Vec<(usize, View)> = site.versions(&name).into_iter().map(|(i, v)| (i, v.clone())).collect();
        let Some((_, first)) = versions.first() else { continue };
        let id = first.indicator().unwrap_or_default().to_string();
        let mut page = head(&format!("{id}: {}", first.header.title));
        page += &reported(site, &id)?;
        for (i, view) in &versions {
            if *i > 0 {
                page += &format!(
                    "# In {}\n\n{}\n\n",
                    site.jurisdictions[*i].jurisdiction.name,
                    view.header.reason.as_deref().unwrap_or_default()
                );
            }
            page += &version(site, *i, view, &exclusions).await?;
        }
        pages.insert(id, page);
    }
    Ok(pages)
}

/// Which jurisdictions report an indicator, by the values that the rule ever has.
fn reported(site: &Site, id: &str) -> Result<String> {
    let mut names = Vec::new();
    for lineage in &site.jurisdictions {
        let jurisdiction = &lineage.jurisdiction;
        let mut of_rule: Vec<&Value> = jurisdiction.own_values().iter().filter(|v| v.id == "reported_indicators").collect();
        if of_rule.is_empty() {
            let base = site.jurisdictions.iter().find(|l| l.jurisdiction.id == BASE);
            of_rule =
                base.map(|l| l.jurisdiction.own_values().iter().filter(|v| v.id == "reported_indicators").collect()).unwrap_or_default();
        }
        let when: Vec<String> = of_rule.into_iter().filter(|v| v.value.split(',').any(|i| i.trim() == id)).map(rules::years).collect();
        if !when.is_empty() {
            names.push(format!("{} ({})", jurisdiction.name, when.join(", ")));
        }
    }
    Ok(if names.is_empty() { "No jurisdiction reports it.\n\n".into() } else { format!("Reported by {}.\n\n", names.join(", ")) })
}

async fn version(site: &mut Site, at: usize, view: &View, exclusions: &[(String, String, String)]) -> Result<String> {
    let header = &view.header;
    let mut out = String::new();
    if let Some(description) = &header.description {
        out += &format!("{description}\n\n");
    }
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    out += &format!(
        "| | |\n|---|---|\n| Denominator | {} |\n| Numerator | {} |\n| Programs | {} |\n| Authority | {} |\n\n",
        cell(&text(&header.denominator_text)),
        cell(&text(&header.numerator_text)),
        text(&header.education_level),
        cell(&header.authority)
    );
    out += "One row for each candidate: a student and a program of the level in which the student is a concentrator as of the report year. A student counts once in each figure.\n\n";
    // The indicator itself or a view below it says why not; and a view that takes the rows of all indicators may exclude some of each.
    let union = |v: &&View| v.references.iter().any(|r| r.schema.is_none() && r.table == "indicator_row");
    let catalog = &site.jurisdictions[at].catalog;
    let below = catalog.in_order(&[&view.name])?.into_iter().filter(|v| v.name == view.name || v.sql.contains("AS exclusion"));
    let deciding: Vec<&View> = below.chain(catalog.views().filter(union)).collect();
    let codes: Vec<_> = exclusions.iter().filter(|(code, _, _)| deciding.iter().any(|v| v.sql.contains(&format!("'{code}'")))).collect();
    out += "## Not in the denominator\n\n| exclusion | meaning |\n|---|---|\n";
    codes.iter().for_each(|(code, title, meaning)| out += &format!("| `{code}` | {title}: {} |\n", cell(meaning)));
    out.push('\n');
    if let Some(breakdown) = &header.breakdown {
        out += &format!(
            "## Broken down\n\nThe numerator is also counted by `{}`: the codes of `data/reference/{}.csv`, found by `{}`.\n\n",
            breakdown.group_kind, breakdown.codes, breakdown.view
        );
    }
    let decided: BTreeSet<String> = {
        let mut all = BTreeSet::new();
        for lineage in site.jurisdictions.iter_mut() {
            all.extend(lineage.indicator_rules(&view.name).await?);
        }
        all
    };
    rule_table(&mut out, site, &decided);
    let needs = site.jurisdictions[at].needs(&view.name).await?;
    out += &sources(site, &needs);
    out += &format!("## Lineage\n\n{}\n", graph::below(&site.jurisdictions[at], &view.name)?);
    out += &format!("## SQL\n\n{}\n\n```sql\n{}\n```\n\n", link(view, 2), body(view));
    Ok(out)
}

fn rule_table(out: &mut String, site: &Site, decided: &BTreeSet<String>) {
    *out += "## Rules\n\nBeside those of who is a concentrator ([rules](../rules.md)):\n\n";
    let Some(base) = site.jurisdictions.first() else { return };
    if decided.is_empty() {
        *out += "none.\n\n";
        return;
    }
    *out += "| rule | jurisdiction | report years | value | authority |\n|---|---|---|---|---|\n";
    for definition in base.jurisdiction.definitions.iter().filter(|d| decided.contains(&d.id)) {
        for lineage in &site.jurisdictions {
            for value in lineage.jurisdiction.own_values().iter().filter(|v| v.id == definition.id) {
                let value_text = cell(&value.value.replace(',', ", "));
                *out += &format!(
                    "| `{}` | {} | {} | `{value_text}` | {} |\n",
                    definition.id,
                    lineage.jurisdiction.name,
                    rules::years(value),
                    cell(&value.authority)
                );
            }
        }
    }
    out.push('\n');
}

/// The fields of the collections that the indicator rests on, found by planning it.
fn sources(site: &Site, needs: &Needs) -> String {
    let mut out = "## Fields that decide\n\nEvery field of the collections that can change who is in the denominator or numerator:\n\n| collection | fields |\n|---|---|\n".to_string();
    for (name, columns) in needs.iter().filter(|(n, _)| n.schema.as_deref() == Some(LAKE)) {
        let contract = site.contracts.get(&name.table);
        let keys = contract
            .map(|c| site.contracts.surrogates(c).into_iter().map(|(i, key)| (key, c.fields[i].name.clone())).collect::<BTreeMap<_, _>>())
            .unwrap_or_default();
        let fields: BTreeSet<&String> = columns.iter().map(|c| keys.get(c).unwrap_or(c)).collect();
        let columns: Vec<String> = fields.into_iter().map(|c| format!("`{c}`")).collect();
        out += &format!("| `{}` | {} |\n", name.table, columns.join(", "));
    }
    out + "\n"
}

/// The SQL below the header.
fn body(view: &View) -> &str {
    view.sql.split_once("*/").map_or(view.sql.as_str(), |(_, body)| body).trim()
}

/// Code, title and meaning of every exclusion.
fn exclusions(project: &Project) -> Result<Vec<(String, String, String)>> {
    let files = project.reference()?;
    let label = project.label("data/reference", EXCLUSION);
    let text = files.get(EXCLUSION).ok_or_else(|| Error::Config(format!("{label} is missing")))?;
    let wrong = |e: csv::Error| Error::Config(format!("{label}: {e}"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let at = |header: &csv::StringRecord, name: &str| {
        header.iter().position(|h| h == name).ok_or_else(|| Error::Config(format!("{label}: has no column {name}")))
    };
    let header = reader.headers().map_err(wrong)?.clone();
    let (code, title, meaning) = (at(&header, "code")?, at(&header, "title")?, at(&header, "meaning")?);
    let text = |record: &csv::StringRecord, i: usize| record.get(i).unwrap_or_default().to_string();
    reader.records().map(|r| r.map(|r| (text(&r, code), text(&r, title), text(&r, meaning))).map_err(wrong)).collect()
}
