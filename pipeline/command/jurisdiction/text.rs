//! What a jurisdiction sets, and what differs between two, for people.

use super::super::{grouped, table};
use crate::compare::{Comparison, Counts, Figures, Side, StateFigure};
use crate::describe::{Description, RuleValue, Source, ViewChange};
use crate::jurisdiction::BASE;
use std::collections::BTreeSet;

/// All jurisdictions.
pub fn list(all: &[Description]) -> String {
    let mut rows = vec![["jurisdiction", "entity", "name", "own rule values", "own views", "own default collections"].map(str::to_string)];
    for d in all {
        let rules = d.rules.iter().filter(|r| is_own(r)).count();
        let defaults: Vec<&str> = d.defaults.iter().filter(|f| f.source.own).map(|f| f.collection.as_str()).collect();
        rows.push([
            d.id.clone(),
            d.code.clone(),
            d.name.clone(),
            rules.to_string(),
            d.views.len().to_string(),
            if defaults.is_empty() { "-".into() } else { defaults.join(", ") },
        ]);
    }
    table(&rows, "")
}

/// One jurisdiction.
pub fn show(d: &Description, report_year: Option<i32>) -> String {
    let over = if d.id == BASE { "the base".to_string() } else { format!("over the base, {BASE}") };
    let mut out = format!("{} ({}, entity {}), {over}\n\n", d.name, d.id, d.code);
    let own = d.rules.iter().filter(|r| is_own(r)).count();
    out += &format!(
        "Rule values{}: {own} of its own, {} of the base\n",
        report_year.map_or(String::new(), |y| format!(" of report year {}", year(y))),
        d.rules.len() - own
    );
    let cells = |r: &RuleValue| [r.rule.clone(), r.value.clone(), years(r), sources(&r.from)];
    let mut rows = vec![["rule", "value", "report years", "from"].map(str::to_string)];
    rows.extend(d.rules.iter().map(cells));
    let lines = table(&rows, "  ");
    let mut lines = lines.lines();
    out += &format!("{}\n", lines.next().unwrap_or_default());
    for (line, rule) in lines.zip(&d.rules) {
        out += &format!("{line}\n      {}\n", rule.authority);
    }
    out += &format!("\nViews replaced or added: {}\n{}", d.views.len(), views(&d.views));
    out += &format!("\nDefault collections: {}\n", d.defaults.len());
    let rows: Vec<[String; 3]> =
        d.defaults.iter().map(|f| [f.collection.clone(), of(&f.source).to_string(), f.source.file.clone()]).collect();
    out + &table(&rows, "  ")
}

/// Two jurisdictions.
pub fn diff(c: &Comparison) -> String {
    let mut out = format!("{} ({}) and {} ({}), report year {}\n\n", c.a.name, c.a.id, c.b.name, c.b.id, year(c.report_year));
    out += &format!("Rules that differ: {} of {}\n", c.rules_that_differ.len(), c.rules);
    for rule in &c.rules_that_differ {
        out += &format!("  {}: {}\n", rule.a.rule, rule.a.title);
        let row = |id: &str, r: &RuleValue| [id.to_string(), r.value.clone(), r.authority.clone()];
        out += &table(&[row(&c.a.id, &rule.a), row(&c.b.id, &rule.b)], "      ");
    }
    out += &format!("\nViews replaced or added: {}\n", c.a.views.len() + c.b.views.len());
    for side in [&c.a, &c.b].into_iter().filter(|s| !s.views.is_empty()) {
        out += &format!("  {}\n{}", side.id, views(&side.views));
    }
    out += &defaults(c);
    match &c.figures {
        Some(figures) => out + &figures_text(c, figures),
        None => out + "\nFigures: not compared; there is no lake, and no RAW_DIR was named\n",
    }
}

/// The defaults that differ: the reason why figures may differ over data without these collections.
fn defaults(c: &Comparison) -> String {
    let file = |side: &Side, collection: &str| {
        side.defaults.iter().find(|d| d.collection == collection).map_or("-".to_string(), |d| d.source.file.clone())
    };
    let collections: BTreeSet<&str> = c.a.defaults.iter().chain(&c.b.defaults).map(|d| d.collection.as_str()).collect();
    let mut rows = vec![["collection", &c.a.id, &c.b.id].map(str::to_string)];
    rows.extend(collections.into_iter().map(|name| [name.to_string(), file(&c.a, name), file(&c.b, name)]));
    rows.retain(|r| r[1] != r[2]);
    if rows.len() == 1 {
        return String::new();
    }
    format!("\nDefault collections that differ, for what is not handed over\n{}", table(&rows, "  "))
}

fn figures_text(c: &Comparison, figures: &Figures) -> String {
    let differ = |f: &&StateFigure| f.a != f.b || f.only_a != Counts::default() || f.only_b != Counts::default();
    let count = figures.state.iter().filter(differ).count();
    let mut out = format!(
        "\nThe state's figures over load {}: {count} of {} indicators differ. Students in numerator / denominator, and those whom only one counts:\n",
        figures.load_id,
        figures.state.len()
    );
    let pair = |n: &Counts| format!("{} / {}", grouped(n.numerator.unsigned_abs()), grouped(n.denominator.unsigned_abs()));
    let whole = |n: &Option<Counts>| n.as_ref().map_or("not reported".to_string(), pair);
    let (a, b) = (&c.a.id, &c.b.id);
    let heads = ["indicator", "", a, b, &format!("only {a}"), &format!("only {b}"), ""];
    let mut rows = vec![heads.map(str::to_string)];
    for f in &figures.state {
        let same = if differ(&f) { "" } else { "same" };
        let (only_a, only_b) = (pair(&f.only_a), pair(&f.only_b));
        rows.push([f.indicator.clone(), f.title.clone(), whole(&f.a), whole(&f.b), only_a, only_b, same.to_string()]);
    }
    out += &table(&rows, "  ");
    out += "\nFigures of performance that differ, by level\n";
    let mut rows = vec![["level", "entities", "figures", "differ"].map(str::to_string)];
    let n = |n: i64| grouped(n.unsigned_abs());
    rows.extend(figures.levels.iter().map(|l| [l.level.clone(), n(l.entities), n(l.figures), n(l.differ)]));
    out + &table(&rows, "  ")
}

fn views(views: &[ViewChange]) -> String {
    let mut out = String::new();
    for view in views {
        out += &match &view.replaces {
            Some(replaced) => format!("  {}, in place of {replaced}\n", view.file),
            None => format!("  {}, added\n", view.file),
        };
        out += &format!("      {}\n      {}\n", view.reason.as_ref().unwrap_or(&view.title), view.authority);
    }
    out
}

fn is_own(rule: &RuleValue) -> bool {
    rule.from.first().is_some_and(|s| s.own)
}

fn of(source: &Source) -> &'static str {
    if source.own { "own" } else { "base" }
}

/// `own`, `base`, or both if one adds to the other; a file of an overlay folder by its name.
fn sources(from: &[Source]) -> String {
    let one = |s: &Source| if s.in_overlay { format!("{} ({})", of(s), s.file) } else { of(s).to_string() };
    from.iter().map(one).collect::<Vec<_>>().join(" + ")
}

fn years(rule: &RuleValue) -> String {
    match rule.last_report_year {
        Some(last) => format!("{} to {last}", rule.first_report_year),
        None => format!("from {}", rule.first_report_year),
    }
}

/// A report year with the school year that it is: `2024 (2023-24)`.
fn year(year: i32) -> String {
    format!("{year} ({}-{:02})", year - 1, year % 100)
}
