//! The catalog: SQL files found, parsed and ordered by their references, with a jurisdiction's own applied and every layer rule checked.
//!
//! A view is one file, `sql/<layer>/<name>.sql`: a TOML header in a block comment, then one SELECT. A jurisdiction may replace a view by a
//! file at the same relative path below `sql/jurisdiction/<id>/`, and an overlay folder one of the layers below by a file of the same path,
//! with a reason and an authority; both may add views as well.

mod header;
mod lint;

pub use header::{Breakdown, Earlier, Explain, Header, INDICATOR_COLUMNS};

use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::project::{File, Project};
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::resolve::resolve_table_references;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The layers from the raw data up; a view refers to its own layer or those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// One view for each collection used: the only door to the lake.
    Staging,
    /// Who is who as of a report year.
    Status,
    /// One view for each indicator, named by its id.
    Indicator,
    /// From candidates to counted figures.
    Tally,
    /// What a form or a report asks for, line by line.
    Form,
    /// The tables that a run writes.
    Output,
    /// Public tables that follow from the outputs and from what of their figures is public.
    Publish,
    /// What to look at in the data that came in: each row of such a view is one finding.
    Check,
    /// Sentences that say what was decided for a student, and from what.
    Explain,
}

impl Layer {
    /// All layers, from the raw data up.
    pub const ALL: [Layer; 9] = [
        Layer::Staging,
        Layer::Status,
        Layer::Indicator,
        Layer::Tally,
        Layer::Form,
        Layer::Output,
        Layer::Publish,
        Layer::Check,
        Layer::Explain,
    ];

    /// Name of the layer's folder.
    pub fn folder(self) -> &'static str {
        match self {
            Layer::Staging => "staging",
            Layer::Status => "status",
            Layer::Indicator => "indicator",
            Layer::Tally => "tally",
            Layer::Form => "form",
            Layer::Output => "output",
            Layer::Publish => "publish",
            Layer::Check => "check",
            Layer::Explain => "explain",
        }
    }
}

/// A relation by schema and name; views have no schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// `lake`, `reference` or `key`; none for views and the run's parameters.
    pub schema: Option<String>,
    /// The table's name.
    pub table: String,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => write!(f, "{}", self.table),
        }
    }
}

/// Schema of the typed collections.
pub const LAKE: &str = "lake";

/// Where the files of jurisdictions lie.
const JURISDICTION: &str = "jurisdiction/";

/// A view of the catalog.
#[derive(Debug, Clone)]
pub struct View {
    /// Name under which others refer to it: the file's; with `indicator_` or `explain_` before it in these layers.
    pub name: String,
    /// The layer it belongs to.
    pub layer: Layer,
    /// Path of the file in messages.
    pub path: String,
    /// What the header says.
    pub header: Header,
    /// The whole file, so that lines in messages are lines of the file.
    pub sql: String,
    /// Relations it refers to.
    pub references: BTreeSet<Name>,
    /// Whether it is a jurisdiction's own: below `sql/jurisdiction/<id>/`.
    pub of_jurisdiction: bool,
    /// Whether its file lies in an overlay folder.
    pub in_overlay: bool,
    /// The file that it replaces.
    pub replaces: Option<String>,
}

impl View {
    /// The id of an indicator: the file's name.
    pub fn indicator(&self) -> Option<&str> {
        (self.layer == Layer::Indicator).then(|| self.path.rsplit('/').next().and_then(|f| f.strip_suffix(".sql"))).flatten()
    }
}

/// All views of a jurisdiction.
#[derive(Debug, Clone)]
pub struct Catalog {
    views: BTreeMap<String, View>,
}

/// Relations that the program itself provides; the views of [`Catalog`] may refer to them.
pub const PROVIDED: [&str; 13] = [
    "as_of",
    "breakdown_row",
    "collection",
    "indicator",
    "indicator_row",
    "jurisdiction",
    "measure",
    "public_figure",
    "report_year",
    "requested",
    "rule",
    "student_group",
    "student_group_mask",
];

impl Catalog {
    /// Reads the project's views for a jurisdiction and checks them.
    pub fn load(project: &Project, jurisdiction: &str) -> Result<Catalog> {
        let files = project.sql()?;
        let known = Jurisdiction::list(project)?;
        let mut views: BTreeMap<&str, Vec<(&File, bool)>> = BTreeMap::new();
        let (of_jurisdictions, base): (Vec<_>, Vec<_>) =
            files.iter().filter(|(p, _)| p.ends_with(".sql")).partition(|(p, _)| p.starts_with(JURISDICTION));
        for (path, versions) in of_jurisdictions {
            let (id, relative) = path[JURISDICTION.len()..].split_once('/').unwrap_or_default();
            if !known.iter().any(|k| k == id) {
                let label = versions.first().map_or(path, |f| &f.label);
                return Err(Error::Config(format!("{label}: there is no jurisdiction {id:?}; there are: {}", known.join(", "))));
            }
            if id == jurisdiction {
                views.entry(relative).or_default().extend(versions.iter().map(|f| (f, true)));
            }
        }
        for (path, versions) in base {
            views.entry(path).or_default().extend(versions.iter().map(|f| (f, false)));
        }
        let mut catalog = Catalog { views: BTreeMap::new() };
        for (path, versions) in views {
            catalog.insert(topmost(path, &versions)?)?;
        }
        catalog.check()?;
        Ok(catalog)
    }

    /// All views by name.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.views.values()
    }

    /// The view of a name.
    pub fn get(&self, name: &str) -> Option<&View> {
        self.views.get(name)
    }

    /// The indicators in the order of their ids.
    pub fn indicators(&self) -> Vec<&View> {
        self.views().filter(|v| v.layer == Layer::Indicator).collect()
    }

    /// The tables that a run writes.
    pub fn outputs(&self) -> Vec<&View> {
        self.views().filter(|v| v.layer == Layer::Output).collect()
    }

    /// The view of `sql/explain` that a header's `explain` names.
    pub fn topic(&self, name: &str) -> Option<&View> {
        self.get(&format!("explain_{}", Explain::split(name).0))
    }

    /// The views that explain, in the order in which people read them.
    pub fn topics(&self) -> Vec<&View> {
        let mut topics: Vec<&View> = self.views().filter(|v| v.layer == Layer::Explain).collect();
        topics.sort_by_key(|v| v.header.order);
        topics
    }

    /// Adds a view that the program writes itself, such as the union of all indicators.
    pub fn add_generated(&mut self, name: &str, layer: Layer, header: Header, sql: String) -> Result<()> {
        let path = format!("(generated) {name}");
        let references = references(&path, &sql)?;
        let view =
            View { name: name.into(), layer, path, header, sql, references, of_jurisdiction: false, in_overlay: false, replaces: None };
        self.views.insert(name.into(), view);
        Ok(())
    }

    /// The views that these need, themselves included, each after those it refers to.
    pub fn in_order(&self, wanted: &[&str]) -> Result<Vec<&View>> {
        let mut order = Vec::new();
        let mut done = BTreeSet::new();
        for name in wanted {
            self.visit(name, &mut Vec::new(), &mut done, &mut order)?;
        }
        Ok(order)
    }

    fn visit<'a>(&'a self, name: &str, path: &mut Vec<String>, done: &mut BTreeSet<String>, order: &mut Vec<&'a View>) -> Result<()> {
        let Some(view) = self.views.get(name) else { return Ok(()) };
        if path.iter().any(|p| p == name) {
            return Err(Error::Config(format!("{}: the views refer to each other in a circle: {} → {name}", view.path, path.join(" → "))));
        }
        if !done.contains(name) {
            path.push(name.to_string());
            for reference in view.references.iter().filter(|r| r.schema.is_none()) {
                self.visit(&reference.table, path, done, order)?;
            }
            path.pop();
            done.insert(name.to_string());
            order.push(view);
        }
        Ok(())
    }

    fn insert(&mut self, view: View) -> Result<()> {
        if PROVIDED.contains(&view.name.as_str()) {
            return Err(Error::Config(format!(
                "{}: {} is a relation that the program provides; choose another file name",
                view.path, view.name
            )));
        }
        match self.views.get(&view.name) {
            Some(other) => Err(Error::Config(format!("{} and {} define the same view, {}; rename one", other.path, view.path, view.name))),
            None => {
                self.views.insert(view.name.clone(), view);
                Ok(())
            }
        }
    }

    fn check(&self) -> Result<()> {
        for view in self.views() {
            for reference in &view.references {
                self.check_reference(view, reference)?;
            }
            for topic in view.header.explain.topics() {
                if self.topic(topic).is_none() {
                    return Err(Error::Config(format!(
                        "{}: header: explain names {topic:?}, but there is no sql/explain/{}.sql",
                        view.path,
                        Explain::split(topic).0
                    )));
                }
            }
        }
        let all: Vec<&str> = self.views.keys().map(String::as_str).collect();
        self.in_order(&all).map(|_| ())
    }

    fn check_reference(&self, view: &View, to: &Name) -> Result<()> {
        let wrong = |what: String| Err(Error::Config(format!("{}: {what}", lint::locate(view, &to.to_string()))));
        match to.schema.as_deref() {
            Some(LAKE) if view.layer == Layer::Staging => Ok(()),
            Some(LAKE) => wrong(format!("refers to {to}; only a view of sql/staging may read the lake: refer to {} instead", to.table)),
            Some("reference" | "key") => Ok(()),
            Some(_) => wrong(format!("refers to {to}; the schemas are lake, reference and key")),
            None if PROVIDED.contains(&to.table.as_str()) => Ok(()),
            None => match self.views.get(&to.table) {
                None => wrong(format!("refers to {to}, which no file defines{}", lint::similar(&to.table, self.views.keys()))),
                Some(target) if target.layer > view.layer => wrong(format!(
                    "a view of {} refers to {to} of {}; layers refer downwards only: {}",
                    view.layer.folder(),
                    target.layer.folder(),
                    Layer::ALL.map(Layer::folder).join(" → ")
                )),
                Some(target)
                    if target.layer == view.layer
                        && matches!(
                            view.layer,
                            Layer::Staging | Layer::Indicator | Layer::Output | Layer::Publish | Layer::Check | Layer::Explain
                        ) =>
                {
                    wrong(format!("refers to {to} of its own layer; views of {} stand by themselves", view.layer.folder()))
                }
                Some(_) => Ok(()),
            },
        }
    }
}

/// The view of the first of these files, checked against each that it replaces.
fn topmost(path: &str, versions: &[(&File, bool)]) -> Result<View> {
    let mut read_all = versions.iter().map(|(file, of_jurisdiction)| read(path, file, *of_jurisdiction));
    let mut view = read_all.next().ok_or_else(|| Error::bug(format!("no file of {path}")))??;
    let mut above = view.clone();
    for below in read_all {
        let below = below?;
        header::check_replacement(&above, &below)?;
        view.replaces.get_or_insert(below.path.clone());
        above = below;
    }
    Ok(view)
}

fn read(path: &str, file: &File, of_jurisdiction: bool) -> Result<View> {
    let File { label, text, in_overlay } = file;
    let shape = || {
        Error::Config(format!(
            "{label}: views lie in sql/<layer>/<name>.sql, where layer is one of {}",
            Layer::ALL.map(Layer::folder).join(", ")
        ))
    };
    let (folder, name) = path.split_once('/').ok_or_else(shape)?;
    let layer = Layer::ALL.into_iter().find(|l| l.folder() == folder).ok_or_else(shape)?;
    let stem = name.strip_suffix(".sql").filter(|s| !s.contains('/')).ok_or_else(shape)?;
    let name = match layer {
        Layer::Indicator => format!("indicator_{}", stem.to_lowercase()),
        Layer::Check => format!("check_{stem}"),
        Layer::Explain => format!("explain_{stem}"),
        _ => stem.to_string(),
    };
    if name != name.to_lowercase() {
        return Err(Error::Config(format!("{label}: a view's file name must be lower case")));
    }
    let view = View {
        name,
        layer,
        path: label.clone(),
        header: Header::parse(label, layer, text)?,
        sql: text.clone(),
        references: references(label, text)?,
        of_jurisdiction,
        in_overlay: *in_overlay,
        replaces: None,
    };
    lint::check(&view)?;
    Ok(view)
}

/// Parses one SELECT and lists the relations that it refers to.
pub fn references(path: &str, sql: &str) -> Result<BTreeSet<Name>> {
    let mut statements = DFParser::parse_sql(sql).map_err(|e| Error::Config(format!("{path}: {}", e.strip_backtrace())))?;
    let statement = match (statements.pop_front(), statements.pop_front()) {
        (Some(statement), None) => statement,
        (first, _) => {
            return Err(Error::Config(format!(
                "{path}: a view is exactly one SELECT; found {}",
                if first.is_none() { "none" } else { "several statements" }
            )));
        }
    };
    if !matches!(&statement, Statement::Statement(s) if matches!(**s, datafusion::sql::sqlparser::ast::Statement::Query(_))) {
        return Err(Error::Config(format!("{path}: a view is exactly one SELECT; found another kind of statement")));
    }
    let (relations, _) =
        resolve_table_references(&statement, true).map_err(|e| Error::Config(format!("{path}: {}", e.strip_backtrace())))?;
    Ok(relations.into_iter().map(|r| Name { schema: r.schema().map(str::to_string), table: r.table().to_string() }).collect())
}
