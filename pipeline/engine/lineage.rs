//! What a view rests on: the columns that it reads of each relation once everything that does not matter to the answer is left out.

use super::{Engine, in_view, logical};
use crate::catalog::{Name, View};
use crate::error::Result;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use std::collections::{BTreeMap, BTreeSet};

/// Columns by the relation that they are read from.
pub type Needs = BTreeMap<Name, BTreeSet<String>>;

impl Engine {
    /// The columns that some columns of a view need of the relations that it refers to. Every one of them must be registered as a table.
    pub async fn needs(&self, view: &View, columns: &BTreeSet<String>) -> Result<Needs> {
        let plan = logical(&self.whole, view).await?;
        let wanted: Vec<Expr> =
            plan.schema().columns().into_iter().filter(|c| columns.is_empty() || columns.contains(&c.name)).map(Expr::Column).collect();
        let find = || {
            let plan = LogicalPlanBuilder::from(plan).project(wanted)?.build()?;
            let plan = self.whole.state().optimize(&plan)?;
            let mut needs = Needs::new();
            plan.apply_with_subqueries(|node| {
                if let LogicalPlan::TableScan(scan) = node {
                    let name = Name { schema: schema(scan.table_name.schema()), table: scan.table_name.table().to_string() };
                    needs.entry(name).or_default().extend(scan.projected_schema.fields().iter().map(|f| f.name().clone()));
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
            Ok(needs)
        };
        find().map_err(|e: DataFusionError| in_view(view, &e))
    }
}

/// The schema as views write it: the session's own is left out.
fn schema(name: Option<&str>) -> Option<String> {
    name.filter(|s| *s != "public").map(str::to_string)
}
