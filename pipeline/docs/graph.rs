//! The graph of views: as a tree by layer, Mermaid or Graphviz.

use super::{Site, file, head};
use crate::catalog::{Catalog, Layer, View};
use crate::error::Result;
use crate::lineage::Lineage;
use crate::project::Project;
use std::collections::{BTreeMap, BTreeSet};

/// Form of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Every view by layer, with what it reads.
    Text,
    /// Mermaid, as pages on the web draw it.
    Mermaid,
    /// Graphviz.
    Dot,
}

/// The graph of a jurisdiction's views.
pub fn lineage(project: &Project, jurisdiction: &str, form: Form) -> Result<String> {
    let catalog = Catalog::load(project, jurisdiction)?;
    let views: Vec<&View> = catalog.views().collect();
    Ok(match form {
        Form::Text => tree(&views),
        Form::Mermaid => mermaid(&views),
        Form::Dot => dot(&views),
    })
}

/// The page.
pub fn page(site: &Site) -> Result<String> {
    let mut out = head("Lineage");
    let Some(base) = site.jurisdictions.first() else { return Ok(out) };
    out += "Which view reads which, by layer: raw collections on the left, the tables of a run on the right. The views that explain (`sql/explain`) are left out of the picture.\n\n";
    let written: Vec<&View> = base.catalog.views().filter(|v| !matches!(v.layer, Layer::Check | Layer::Explain) && !generated(v)).collect();
    out += &format!("```mermaid\n{}```\n\n", mermaid(&written));
    for lineage in &site.jurisdictions {
        let overlays: Vec<&View> = lineage.catalog.views().filter(|v| v.of_jurisdiction).collect();
        if !overlays.is_empty() {
            out += &format!("## {} replaces or adds\n\n", lineage.jurisdiction.name);
            overlays.iter().for_each(|v| {
                out += &format!("- `{}`: {} ({})\n", file(v), v.header.reason.as_deref().unwrap_or(&v.header.title), v.header.authority)
            });
            out.push('\n');
        }
    }
    out += "## Every view\n\n| layer | view | one row for each | what it is |\n|---|---|---|---|\n";
    for layer in Layer::ALL {
        for view in base.catalog.views().filter(|v| v.layer == layer && !generated(v)) {
            let grain = view.header.grain.iter().map(|g| format!("`{g}`")).collect::<Vec<_>>().join(", ");
            out += &format!("| {} | {} | {grain} | {} |\n", layer.folder(), super::link(view, 1), super::cell(&view.header.title));
        }
    }
    Ok(out)
}

/// The views below one, as a picture.
pub fn below(lineage: &Lineage, view: &str) -> Result<String> {
    let views: Vec<&View> = lineage.catalog.in_order(&[view])?.into_iter().filter(|v| !generated(v)).collect();
    let mut sorted = views;
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(format!("```mermaid\n{}```\n", mermaid(&sorted)))
}

fn generated(view: &View) -> bool {
    view.path.starts_with('(')
}

/// References from a view to others that are shown, and to the lake.
fn edges(views: &[&View]) -> BTreeSet<(String, String)> {
    let names: BTreeSet<&str> = views.iter().map(|v| v.name.as_str()).collect();
    let mut edges = BTreeSet::new();
    for view in views {
        for reference in view.references.iter().filter(|r| r.schema.is_none()) {
            match reference.table.as_str() {
                table if names.contains(table) => _ = edges.insert((table.to_string(), view.name.clone())),
                // The program writes this view itself: the union of all indicators.
                "indicator_row" => {
                    edges.extend(views.iter().filter(|v| v.indicator().is_some()).map(|v| (v.name.clone(), view.name.clone())))
                }
                _ => {}
            }
        }
    }
    edges
}

fn by_layer<'a>(views: &[&'a View]) -> BTreeMap<Layer, Vec<&'a View>> {
    let mut layers: BTreeMap<Layer, Vec<&View>> = BTreeMap::new();
    views.iter().for_each(|v| layers.entry(v.layer).or_default().push(v));
    layers
}

fn tree(views: &[&View]) -> String {
    let edges = edges(views);
    let mut out = String::new();
    for (layer, views) in by_layer(views) {
        out += &format!("{}\n", layer.folder());
        for view in views {
            out += &format!(
                "  {}{}: {}\n",
                view.name,
                if view.of_jurisdiction || view.in_overlay { " (overlay)" } else { "" },
                view.header.title
            );
            let other = view
                .references
                .iter()
                .filter(|r| !edges.contains(&(r.table.clone(), view.name.clone())) || r.schema.is_some())
                .map(ToString::to_string);
            let mut reads: Vec<String> = edges.iter().filter(|(_, to)| *to == view.name).map(|(from, _)| from.clone()).collect();
            reads.extend(other);
            out += &format!("    reads {}\n", reads.join(", "));
        }
    }
    out
}

fn mermaid(views: &[&View]) -> String {
    let mut out = "flowchart LR\n".to_string();
    for (layer, views) in by_layer(views) {
        out += &format!("  subgraph layer_{0}[{0}]\n", layer.folder());
        // The name is not the bare id of the node: `end` and the like mean something there.
        views.iter().for_each(|v| out += &format!("    v_{}[\"{}\"]\n", v.name, v.indicator().unwrap_or(&v.name)));
        out += "  end\n";
    }
    edges(views).iter().for_each(|(from, to)| out += &format!("  v_{from} --> v_{to}\n"));
    out
}

fn dot(views: &[&View]) -> String {
    let mut out = "digraph perkins {\n  rankdir=LR;\n  node [shape=box];\n".to_string();
    for (layer, views) in by_layer(views) {
        out += &format!("  subgraph cluster_{0} {{\n    label=\"{0}\";\n", layer.folder());
        views.iter().for_each(|v| out += &format!("    \"{}\";\n", v.name));
        out += "  }\n";
    }
    edges(views).iter().for_each(|(from, to)| out += &format!("  \"{from}\" -> \"{to}\";\n"));
    out + "}\n"
}
