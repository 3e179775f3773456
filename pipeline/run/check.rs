//! The checks of `sql/check` over a lake: what should be looked at, but stops nothing (specification: collections, Checks on the way in).

use super::relation;
use crate::catalog::{Catalog, Layer, View};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::lake::{Load, Warning};
use crate::project::Project;
use arrow::util::display::array_value_to_string;
use std::path::Path;

/// Examples kept of each finding.
const EXAMPLES: usize = 5;

/// Runs every check about a collection of this load; the jurisdiction tells which crosswalk stands in when none was handed over.
pub async fn findings(root: &Path, project: &Project, load: &Load, jurisdiction: &str, partitions: usize) -> Result<Vec<Warning>> {
    let catalog = Catalog::load(project, jurisdiction)?;
    let engine = Engine::new(partitions, None)?;
    let jurisdiction = Jurisdiction::load(project, jurisdiction)?;
    relation::register(&engine, project, &project.contracts()?, &jurisdiction, root, load)?;
    let handed_over = |v: &&View| v.header.collection.as_ref().is_some_and(|name| load.collections.iter().any(|c| c.collection == *name));
    let checks: Vec<&View> = catalog.views().filter(|v| v.layer == Layer::Check).filter(handed_over).collect();
    let names: Vec<&str> = checks.iter().map(|v| v.name.as_str()).collect();
    for view in catalog.in_order(&names)?.into_iter().filter(|v| v.layer == Layer::Staging) {
        engine.register_inline(view).await?;
    }
    let mut warnings = Vec::new();
    for view in checks {
        warnings.extend(run(&engine, view).await?);
    }
    Ok(warnings)
}

async fn run(engine: &Engine, view: &View) -> Result<Option<Warning>> {
    let (_, batches) = engine.run_whole(view).await?;
    let count: usize = batches.iter().map(|b| b.num_rows()).sum();
    let rows = batches.iter().flat_map(|b| (0..b.num_rows()).map(move |i| array_value_to_string(b.column(0), i)));
    let examples =
        rows.take(EXAMPLES).collect::<std::result::Result<Vec<_>, _>>().map_err(|e| Error::internal("examples of a check", e))?;
    let check = view.name.strip_prefix("check_").unwrap_or(&view.name).to_string();
    let (collection, restricted) = (view.header.collection.clone(), view.header.restricted);
    Ok((count > 0).then_some(Warning { check, collection, count: count as u64, examples, restricted }))
}
