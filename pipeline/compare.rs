//! What differs between two jurisdictions: rules, views, and the figures of one report year over the same lake.

use crate::catalog::Catalog;
use crate::commit::Commit;
use crate::describe::{DefaultFile, RuleValue, ViewChange, defaults};
use crate::diff::student::{self, IndicatorMoves};
use crate::engine::Limit;
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::lake::Load;
use crate::project::Project;
use crate::root::Root;
use crate::run::result::{Results, rows};
use crate::run::{self, Options};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The tables that figures are compared from.
const TABLES: [&str; 2] = ["performance", student::TABLE];

/// The state's figures of all students: numerator and denominator by indicator.
const STATE: &str = "
SELECT indicator, numerator, denominator
FROM {side}.performance
WHERE level = 'state' AND group_kind = 'all'";

/// Figures of each level that differ in numerator or denominator. The state's entity has the jurisdiction's code, which differs anyway.
const LEVELS: &str = "
WITH of_a AS (
    SELECT level, CASE WHEN level = 'state' THEN '' ELSE entity_id END AS entity_id, indicator, group_kind, group_code, numerator, denominator
    FROM a.performance
),
of_b AS (
    SELECT level, CASE WHEN level = 'state' THEN '' ELSE entity_id END AS entity_id, indicator, group_kind, group_code, numerator, denominator
    FROM b.performance
),
joined AS (
    SELECT
        coalesce(a.level, b.level) AS level,
        coalesce(a.entity_id, b.entity_id) AS entity_id,
        (a.numerator IS DISTINCT FROM b.numerator) OR (a.denominator IS DISTINCT FROM b.denominator) AS differs
    FROM of_a AS a
    FULL JOIN of_b AS b
        ON b.level = a.level AND b.entity_id = a.entity_id AND b.indicator = a.indicator
            AND b.group_kind = a.group_kind AND b.group_code = a.group_code
)
SELECT
    level,
    count(DISTINCT entity_id) AS entities,
    count(*) AS figures,
    sum(CASE WHEN differs THEN 1 ELSE 0 END) AS differ
FROM joined
GROUP BY level
ORDER BY entities, level";

/// What differs between jurisdiction `a` and jurisdiction `b`.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// One jurisdiction.
    pub a: Side,
    /// The other.
    pub b: Side,
    /// The report year.
    pub report_year: i32,
    /// Rules that there are.
    pub rules: usize,
    /// Rules whose values differ.
    pub rules_that_differ: Vec<RuleDifference>,
    /// The figures, if there are data to compare over.
    pub figures: Option<Figures>,
}

/// A jurisdiction of a comparison.
#[derive(Debug, Serialize)]
pub struct Side {
    /// Name in flags and folders.
    pub id: String,
    /// Printed name.
    pub name: String,
    /// Views that its own files replace or add.
    pub views: Vec<ViewChange>,
    /// What stands in for collections that were not handed over.
    pub defaults: Vec<DefaultFile>,
}

/// A rule with its two values.
#[derive(Debug, Serialize)]
pub struct RuleDifference {
    /// The value of one jurisdiction.
    pub a: RuleValue,
    /// The value of the other.
    pub b: RuleValue,
}

/// Figures over one load.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// The load.
    pub load_id: String,
    /// The state's figures of all students.
    pub state: Vec<StateFigure>,
    /// How many figures differ, by level.
    pub levels: Vec<LevelDifference>,
}

/// The state's figures of an indicator.
#[derive(Debug, Serialize)]
pub struct StateFigure {
    /// The indicator.
    pub indicator: String,
    /// Its title.
    pub title: String,
    /// The figure of one jurisdiction; none if it does not report the indicator.
    pub a: Option<Counts>,
    /// The figure of the other.
    pub b: Option<Counts>,
    /// Students whom only the first counts.
    pub only_a: Counts,
    /// Students whom only the second counts.
    pub only_b: Counts,
}

/// Students in a numerator and a denominator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// In the numerator.
    pub numerator: i64,
    /// In the denominator.
    pub denominator: i64,
}

/// Figures of a level in `performance`.
#[derive(Debug, Serialize)]
pub struct LevelDifference {
    /// The level.
    pub level: String,
    /// Entities with a figure.
    pub entities: i64,
    /// Figures of either side, by indicator, entity and group.
    pub figures: i64,
    /// Those whose numerator or denominator differs.
    pub differ: i64,
}

/// Compares rules and views in a report year.
pub fn compare(project: &Project, ids: [&str; 2], report_year: i32) -> Result<Comparison> {
    let [a, b] = [Jurisdiction::load(project, ids[0])?, Jurisdiction::load(project, ids[1])?];
    let mut rules_that_differ = Vec::new();
    for definition in &a.definitions {
        let found = [a.in_year(&definition.id, report_year)?, b.in_year(&definition.id, report_year)?];
        if !definition.kind.same(&found[0].value.value, &found[1].value.value) {
            let [a, b] = found.map(|f| RuleValue::of(&definition.title, &f));
            rules_that_differ.push(RuleDifference { a, b });
        }
    }
    let rules = a.definitions.len();
    let side = |j: Jurisdiction| -> Result<Side> {
        let views = ViewChange::list(&Catalog::load(project, &j.id)?, |v| v.of_jurisdiction);
        Ok(Side { defaults: defaults(project, &j)?, id: j.id, name: j.name, views })
    };
    Ok(Comparison { a: side(a)?, b: side(b)?, report_year, rules, rules_that_differ, figures: None })
}

/// The lake that figures are compared over, and a folder below its root for tables that are thrown away afterwards.
pub struct Ground<'a> {
    /// Root of the lake.
    pub root: &'a Root,
    /// The load.
    pub load: &'a Load,
    /// Folder for the tables.
    pub scratch: &'a Path,
    /// Threads.
    pub partitions: usize,
    /// Memory for the engine.
    pub memory_limit: Option<Limit>,
}

impl Ground<'_> {
    /// Computes and compares the figures of both jurisdictions.
    pub async fn figures(&self, project: &Project, of: &Comparison, progress: &(dyn Fn(&str) + Sync)) -> Result<Figures> {
        let options = Options {
            jurisdictions: vec![of.a.id.clone(), of.b.id.clone()],
            report_years: BTreeSet::from([of.report_year]),
            tables: TABLES.map(str::to_string).to_vec(),
            partitions: self.partitions,
            memory_limit: self.memory_limit.clone(),
            again: true,
            max_change: None,
            publish: None,
        };
        let nothing = Commit::default();
        let ground =
            run::Ground { root: self.root, load: self.load, commit: &nothing, below: self.scratch.to_path_buf(), before: BTreeMap::new() };
        let computed = run::compute(&ground, project, &options, progress).await?;
        let [a, b] = &computed[..] else { return Err(Error::bug("two jurisdictions make two runs")) };
        let (a, b) = (&a.manifest, &b.manifest);
        progress("comparing");
        let results = Results::side_by_side(self.root, &[("a", a), ("b", b)])?;
        let state = state(&results, project, of).await?;
        let level = |(level, n): (Vec<String>, Vec<i64>)| match n[..] {
            [entities, figures, differ] => Ok(LevelDifference { level: level.concat(), entities, figures, differ }),
            _ => Err(Error::bug("columns of a comparison")),
        };
        let levels = rows(&results.query(LEVELS).await?, 1)?.into_iter().map(level).collect::<Result<_>>()?;
        Ok(Figures { load_id: self.load.load_id.clone(), state, levels })
    }
}

async fn state(results: &Results, project: &Project, of: &Comparison) -> Result<Vec<StateFigure>> {
    let mut titles: BTreeMap<String, String> = BTreeMap::new();
    let mut sides = Vec::new();
    for (schema, side) in [("a", &of.a), ("b", &of.b)] {
        let reported = Jurisdiction::load(project, &side.id)?.codes("reported_indicators", of.report_year)?;
        let catalog = Catalog::load(project, &side.id)?;
        for view in catalog.indicators().into_iter().filter(|v| v.indicator().is_some_and(|i| reported.iter().any(|r| r == i))) {
            titles.entry(view.indicator().unwrap_or_default().to_string()).or_insert_with(|| view.header.title.clone());
        }
        let found = rows(&results.query(&STATE.replace("{side}", schema)).await?, 1)?;
        let figures: BTreeMap<String, Counts> = found.into_iter().map(|(id, n)| (id.concat(), counts(n[0], n[1]))).collect();
        sides.push((reported, figures));
    }
    let moves = student::counts(results).await?;
    let only: BTreeMap<&str, &IndicatorMoves> = moves.iter().map(|m| (m.indicator.as_str(), m)).collect();
    let figure = |(indicator, title): (String, String)| {
        // A figure of nobody has no row.
        let of_side = |i: usize| {
            let (reported, figures): &(Vec<String>, BTreeMap<String, Counts>) = &sides[i];
            reported.contains(&indicator).then(|| figures.get(&indicator).copied().unwrap_or_default())
        };
        let moved = only.get(indicator.as_str());
        let only_a = moved.map(|m| counts(m.out_of_numerator, m.out_of_denominator)).unwrap_or_default();
        let only_b = moved.map(|m| counts(m.into_numerator, m.into_denominator)).unwrap_or_default();
        StateFigure { a: of_side(0), b: of_side(1), only_a, only_b, indicator, title }
    };
    Ok(titles.into_iter().map(figure).collect())
}

fn counts(numerator: i64, denominator: i64) -> Counts {
    Counts { numerator, denominator }
}
