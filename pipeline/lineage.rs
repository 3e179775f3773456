//! What the views rest on, column by column, found by planning each view over the relations that it refers to; no data is read.

use crate::catalog::{Catalog, LAKE, Layer, Name, View};
use crate::contract::Contracts;
use crate::engine::{Engine, Memory, Needs};
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::lake::Load;
use crate::project::Project;
use crate::publish;
use crate::run::{parameter, register_groups, relation};
use arrow::datatypes::SchemaRef;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The relation of rule values; its columns are the rules.
pub const RULE: &str = "rule";

/// For each column of a view, the collections and their columns that it rests on.
pub type Origins = BTreeMap<String, BTreeSet<(String, String)>>;

/// The views of a jurisdiction, planned over a lake that holds nothing.
pub struct Lineage {
    /// The views, those that the program writes itself among them.
    pub catalog: Catalog,
    /// The jurisdiction.
    pub jurisdiction: Jurisdiction,
    engine: Engine,
    schemas: BTreeMap<String, SchemaRef>,
    known: BTreeMap<(String, BTreeSet<String>), Needs>,
}

impl Lineage {
    /// Plans every view of a jurisdiction, as of the year in which its newest rule value begins.
    pub async fn plan(project: &Project, contracts: &Contracts, jurisdiction: &str) -> Result<Lineage> {
        let jurisdiction = Jurisdiction::load(project, jurisdiction)?;
        let base = Jurisdiction::load(project, crate::jurisdiction::BASE)?;
        let year = jurisdiction.own_values().chain(base.own_values()).map(|v| v.first_report_year).max().unwrap_or_default();
        let mut catalog = Catalog::load(project, &jurisdiction.id)?;
        let engine = Engine::new(1, None)?;
        let registered = relation::register(&engine, project, contracts, &jurisdiction, Path::new(""), &Load::default())?;
        let years = BTreeSet::from([year]);
        let years = parameter::Years { requested: years.clone(), computed: years.clone(), grouped: years };
        parameter::register_years(&engine, &jurisdiction, &years)?;
        register_groups(&engine, &mut catalog, contracts).await?;
        parameter::register_indicators(&engine, &mut catalog, &jurisdiction, &years.all(), &registered.group_codes)?;
        let mut schemas = BTreeMap::new();
        let all: Vec<&str> = catalog.views().map(|v| v.name.as_str()).collect();
        let (figures, rest): (Vec<&View>, Vec<&View>) = catalog.in_order(&all)?.into_iter().partition(|v| v.layer != Layer::Publish);
        for (i, view) in figures.iter().chain(&rest).enumerate() {
            if i == figures.len() {
                publish::register_figures(&engine, project, &schemas)?;
            }
            let schema = engine.schema(view).await?;
            engine.register(&Name { schema: None, table: view.name.clone() }, Arc::new(Memory::whole(Arc::clone(&schema), vec![])))?;
            schemas.insert(view.name.clone(), schema);
        }
        Ok(Lineage { catalog, jurisdiction, engine, schemas, known: BTreeMap::new() })
    }

    /// Columns of a view.
    pub fn schema(&self, view: &str) -> Result<SchemaRef> {
        self.schemas.get(view).map(Arc::clone).ok_or_else(|| Error::bug(format!("view {view} was not planned")))
    }

    /// The columns that a view needs of every relation below it, however far.
    pub async fn needs(&mut self, view: &str) -> Result<Needs> {
        let order: Vec<String> = self.catalog.in_order(&[view])?.into_iter().map(|v| v.name.clone()).collect();
        let mut needs = Needs::from([(Name { schema: None, table: view.into() }, BTreeSet::new())]);
        // Each view comes after those it refers to: backwards, all that is asked of a view is known when it is its turn.
        for name in order.iter().rev() {
            let Some(columns) = needs.get(&Name { schema: None, table: name.clone() }).cloned() else { continue };
            for (relation, columns) in self.direct(name, columns).await? {
                needs.entry(relation).or_default().extend(columns);
            }
        }
        Ok(needs)
    }

    /// For each of some views, and each of its columns: the columns of collections that it rests on, however far below.
    pub async fn origins(&mut self, views: &[&str]) -> Result<BTreeMap<String, Origins>> {
        let order: Vec<String> = self.catalog.in_order(views)?.into_iter().map(|v| v.name.clone()).collect();
        let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for view in views {
            asked.insert((*view).into(), self.schema(view)?.fields().iter().map(|f| f.name().clone()).collect());
        }
        // Backwards, what is asked of a view is known when it is its turn; then forwards, what each column rests on.
        for name in order.iter().rev() {
            for column in asked.get(name).cloned().unwrap_or_default() {
                for (relation, columns) in self.direct(name, BTreeSet::from([column])).await? {
                    if relation.schema.is_none() && order.contains(&relation.table) {
                        asked.entry(relation.table).or_default().extend(columns);
                    }
                }
            }
        }
        let mut origins: BTreeMap<String, Origins> = BTreeMap::new();
        for name in &order {
            let mut of_view = Origins::new();
            for column in asked.get(name).cloned().unwrap_or_default() {
                let mut from = BTreeSet::new();
                for (relation, columns) in self.direct(name, BTreeSet::from([column.clone()])).await? {
                    match (relation.schema.as_deref(), origins.get(&relation.table)) {
                        (Some(LAKE), _) => from.extend(columns.into_iter().map(|c| (relation.table.clone(), c))),
                        (None, Some(below)) => from.extend(columns.iter().filter_map(|c| below.get(c)).flatten().cloned()),
                        _ => {}
                    }
                }
                of_view.insert(column, from);
            }
            origins.insert(name.clone(), of_view);
        }
        origins.retain(|name, _| views.contains(&name.as_str()));
        Ok(origins)
    }

    /// The rules that decide a view, however far below.
    pub async fn rules(&mut self, view: &str) -> Result<BTreeSet<String>> {
        let needs = self.needs(view).await?;
        Ok(self.only_rules(&needs))
    }

    /// The rules that a view itself reads.
    pub async fn own_rules(&mut self, view: &str) -> Result<BTreeSet<String>> {
        let needs = self.direct(view, BTreeSet::new()).await?;
        Ok(self.only_rules(&needs))
    }

    /// The rules that decide an indicator beyond those that decide every indicator of its level: who is a candidate at all.
    pub async fn indicator_rules(&mut self, view: &str) -> Result<BTreeSet<String>> {
        let level = self.catalog.get(view).and_then(|v| v.header.education_level.clone());
        let peers: Vec<String> = self
            .catalog
            .indicators()
            .into_iter()
            .filter(|v| v.header.education_level == level && v.indicator().is_some())
            .map(|v| v.name.clone())
            .collect();
        let mut rules = self.rules(view).await?;
        let mut common = rules.clone();
        for peer in peers.iter().filter(|p| *p != view) {
            let of_peer = self.rules(peer).await?;
            common.retain(|r| of_peer.contains(r));
        }
        if peers.len() > 1 {
            rules.retain(|r| !common.contains(r));
        }
        rules.retain(|r| !self.is_of_other_level(r, level.as_deref()));
        Ok(rules)
    }

    /// Whether a rule says in its title that it decides indicators of the other level only: one view holds the status of both.
    fn is_of_other_level(&self, rule: &str, level: Option<&str>) -> bool {
        let title = self.jurisdiction.definitions.iter().find(|d| d.id == rule).map_or("", |d| d.title.as_str());
        let words: BTreeSet<&str> = title.split(|c: char| !c.is_alphanumeric()).collect();
        let indicators = self.catalog.indicators();
        let mut named = indicators.iter().filter(|v| v.indicator().is_some_and(|id| words.contains(id))).peekable();
        named.peek().is_some() && named.all(|v| v.header.education_level.as_deref() != level)
    }

    fn only_rules(&self, needs: &Needs) -> BTreeSet<String> {
        let columns = needs.get(&Name { schema: None, table: RULE.into() }).into_iter().flatten();
        columns.filter(|c| self.jurisdiction.definitions.iter().any(|d| d.id == **c)).cloned().collect()
    }

    /// The columns that a view needs of the relations that it refers to.
    pub async fn direct(&mut self, view: &str, columns: BTreeSet<String>) -> Result<Needs> {
        let key = (view.to_string(), columns);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let found = self.catalog.get(view).ok_or_else(|| Error::bug(format!("there is no view {view}")))?;
        let needs = self.engine.needs(found, &key.1).await?;
        self.known.insert(key, needs.clone());
        Ok(needs)
    }
}
