//! The documentation that is written from contracts, rules, SQL and the command line, so that it can't differ from what the program does.
//!
//! Every page is a function of the project and the program: no clock, no path of the machine, no lake.

mod commands;
mod dictionary;
mod graph;
mod indicator;
mod rules;

pub use graph::{Form, lineage};

use crate::catalog::View;
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::jurisdiction::{BASE, Jurisdiction};
use crate::lineage::Lineage;
use crate::project::Project;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The folder of pages of which every one is generated.
const INDICATOR: &str = "indicator";

/// What the pages are written from.
pub struct Site {
    contracts: Contracts,
    /// What makes tables public.
    public: Vec<crate::publish::description::Description>,
    /// The base, then the jurisdictions by name.
    jurisdictions: Vec<Lineage>,
}

impl Site {
    /// Plans the views of every jurisdiction.
    pub async fn plan(project: &Project) -> Result<Site> {
        let contracts = project.contracts()?;
        let mut ids = Jurisdiction::list(project)?;
        ids.sort_by_key(|id| (id != BASE, id.clone()));
        let mut jurisdictions = Vec::new();
        for id in ids {
            jurisdictions.push(Lineage::plan(project, &contracts, &id).await?);
        }
        Ok(Site { contracts, public: crate::publish::description::Description::all(project)?, jurisdictions })
    }

    /// A view of a layer by path of its file, as each jurisdiction has it; only those that differ from the base's, after the base's.
    fn versions(&self, name: &str) -> Vec<(usize, &View)> {
        let all = self.jurisdictions.iter().enumerate().filter_map(|(i, j)| Some((i, j.catalog.get(name)?)));
        all.filter(|(i, v)| *i == 0 || v.of_jurisdiction).collect()
    }

    /// Names of the views that are wanted, of all jurisdictions.
    fn names(&self, wanted: impl Fn(&View) -> bool) -> BTreeSet<String> {
        self.jurisdictions.iter().flat_map(|j| j.catalog.views()).filter(|v| wanted(v)).map(|v| v.name.clone()).collect()
    }
}

/// Every page by its path below the folder of the documentation.
pub async fn pages(project: &Project) -> Result<BTreeMap<String, String>> {
    let mut site = Site::plan(project).await?;
    let mut pages = BTreeMap::from([
        ("dictionary.md".to_string(), dictionary::page(&site)?),
        ("rules.md".to_string(), rules::page(&mut site).await?),
        ("cli.md".to_string(), commands::page()),
        ("lineage.md".to_string(), graph::page(&site)?),
    ]);
    for (id, page) in indicator::pages(&mut site, project).await? {
        pages.insert(format!("{INDICATOR}/{id}.md"), page);
    }
    Ok(pages)
}

/// Writes the pages and removes those of indicators that are no more; returns what changed.
pub fn write(folder: &Path, pages: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let changed = differences(folder, pages)?;
    for (path, _) in &changed {
        let file = folder.join(path);
        match pages.get(path) {
            Some(text) => {
                let parent = file.parent().unwrap_or(folder);
                std::fs::create_dir_all(parent).map_err(|e| Error::io("create folder", parent, e))?;
                std::fs::write(&file, text).map_err(|e| Error::io("write", &file, e))?;
            }
            None => std::fs::remove_file(&file).map_err(|e| Error::io("remove", &file, e))?,
        }
    }
    Ok(changed.into_iter().map(|(path, _)| path).collect())
}

/// Pages that are missing, differ, or should not be there, with how.
pub fn differences(folder: &Path, pages: &BTreeMap<String, String>) -> Result<Vec<(String, &'static str)>> {
    let mut found = Vec::new();
    for (path, text) in pages {
        let file = folder.join(path);
        match std::fs::read_to_string(&file) {
            Ok(there) if there == *text => {}
            Ok(_) => found.push((path.clone(), "differs")),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => found.push((path.clone(), "is missing")),
            Err(e) => return Err(Error::io("read", &file, e)),
        }
    }
    let below = folder.join(INDICATOR);
    let entries = match std::fs::read_dir(&below) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(e) => return Err(Error::io("read", &below, e)),
    };
    let mut extra = BTreeSet::new();
    for entry in entries {
        let name = entry.map_err(|e| Error::io("read", &below, e))?.file_name().to_string_lossy().into_owned();
        let path = format!("{INDICATOR}/{name}");
        if name.ends_with(".md") && !pages.contains_key(&path) {
            extra.insert(path);
        }
    }
    found.extend(extra.into_iter().map(|path| (path, "is of no indicator")));
    Ok(found)
}

/// The head of a page: its title, and that nobody should edit it.
fn head(title: &str) -> String {
    format!(
        "# {title}\n\n<!-- Written by `perkins docs` from contracts, rules, SQL and flags; a change there changes it. Do not edit it. -->\n\n"
    )
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The path of a view's file in the project: messages have the folder of the machine before it.
fn file(view: &View) -> String {
    let at = view.path.rfind("sql/jurisdiction/").or_else(|| view.path.rfind("sql/"));
    at.map_or_else(|| view.path.clone(), |at| view.path[at..].to_string())
}

/// Where a view's file is, as a link from a page in a subfolder of the documentation so deep.
fn link(view: &View, depth: usize) -> String {
    if view.path.starts_with("(generated)") {
        return format!("`{}` (written by the program)", view.name);
    }
    if view.in_overlay {
        return format!("`{}`", view.path);
    }
    let file = file(view);
    format!("[`{file}`]({}{file})", "../".repeat(depth))
}
