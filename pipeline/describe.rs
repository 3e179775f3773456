//! What a jurisdiction sets: its rules with their authorities, the views that it replaces or adds, its default collections.

use crate::catalog::{Catalog, View};
use crate::error::Result;
use crate::jurisdiction::{BASE, InForce, Jurisdiction};
use crate::project::Project;
use serde::Serialize;

/// What a jurisdiction sets, and what it has of the base.
#[derive(Debug, Serialize)]
pub struct Description {
    /// Name in flags and folders.
    pub id: String,
    /// Entity id of the state level.
    pub code: String,
    /// Printed name.
    pub name: String,
    /// Every value of every rule, in the order of their definitions and years.
    pub rules: Vec<RuleValue>,
    /// Views that its own files, or those of an overlay folder, replace or add.
    pub views: Vec<ViewChange>,
    /// What stands in for collections that were not handed over.
    pub defaults: Vec<DefaultFile>,
}

/// A value of a rule for some report years.
#[derive(Debug, Clone, Serialize)]
pub struct RuleValue {
    /// The rule.
    pub rule: String,
    /// What it decides.
    pub title: String,
    /// First report year that it is in force.
    pub first_report_year: i32,
    /// Last report year that it is in force; none: still.
    pub last_report_year: Option<i32>,
    /// The value.
    pub value: String,
    /// Who says so, and where.
    pub authority: String,
    /// Where it comes from: several sources if a list was extended.
    pub from: Vec<Source>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Whether the jurisdiction sets it itself; else it is the base's.
    pub own: bool,
    /// Whether an overlay folder sets it.
    pub in_overlay: bool,
    /// The file.
    pub file: String,
}

/// A view that differs from the base's, or is not there.
#[derive(Debug, Clone, Serialize)]
pub struct ViewChange {
    /// The file.
    pub file: String,
    /// The file that it replaces; none: the view is added.
    pub replaces: Option<String>,
    /// What it is.
    pub title: String,
    /// Why the one that it replaces does not do.
    pub reason: Option<String>,
    /// The documents that it comes from.
    pub authority: String,
}

/// A file that stands in for a collection.
#[derive(Debug, Clone, Serialize)]
pub struct DefaultFile {
    /// The collection.
    pub collection: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: Source,
}

impl RuleValue {
    /// A value that was found.
    pub fn of(title: &str, found: &InForce) -> RuleValue {
        let value = found.value.clone();
        RuleValue {
            rule: value.id,
            title: title.to_string(),
            first_report_year: value.first_report_year,
            last_report_year: value.last_report_year,
            value: value.value,
            authority: value.authority,
            from: found.from.iter().map(|s| Source { own: s.is_own, in_overlay: s.in_overlay, file: s.label.clone() }).collect(),
        }
    }
}

impl ViewChange {
    /// The views of a catalog that are wanted and have a file of their own.
    pub fn list(catalog: &Catalog, wanted: impl Fn(&View) -> bool) -> Vec<ViewChange> {
        let change = |v: &View| ViewChange {
            file: v.path.clone(),
            replaces: v.replaces.clone(),
            title: v.header.title.clone(),
            reason: v.header.reason.clone(),
            authority: v.header.authority.clone(),
        };
        catalog.views().filter(|v| wanted(v)).map(change).collect()
    }
}

/// Describes a jurisdiction: all its values, or those of one report year.
pub fn describe(project: &Project, id: &str, report_year: Option<i32>) -> Result<Description> {
    let jurisdiction = Jurisdiction::load(project, id)?;
    let catalog = Catalog::load(project, id)?;
    let mut rules = Vec::new();
    for definition in &jurisdiction.definitions {
        let found = match report_year {
            Some(year) => vec![jurisdiction.in_year(&definition.id, year)?],
            None => jurisdiction.over_time(&definition.id)?,
        };
        rules.extend(found.iter().map(|f| RuleValue::of(&definition.title, f)));
    }
    Ok(Description {
        id: jurisdiction.id.clone(),
        code: jurisdiction.code.clone(),
        name: jurisdiction.name.clone(),
        rules,
        views: ViewChange::list(&catalog, |v| v.of_jurisdiction || v.in_overlay),
        defaults: defaults(project, &jurisdiction)?,
    })
}

/// What stands in for collections that were not handed over.
pub fn defaults(project: &Project, jurisdiction: &Jurisdiction) -> Result<Vec<DefaultFile>> {
    let files = project.defaults()?;
    let own = |collection: &str| jurisdiction.id == BASE || files.contains_key(&format!("{}/{collection}.csv", jurisdiction.id));
    let default = |collection: &str| {
        let file = jurisdiction.default_collection(&files, collection)?;
        let source = Source { own: own(collection), in_overlay: file.in_overlay, file: file.label.clone() };
        Some(DefaultFile { collection: collection.to_string(), source })
    };
    Ok(project.contracts()?.iter().filter_map(|c| default(&c.name)).collect())
}
