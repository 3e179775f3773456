//! What differs between two runs of a jurisdiction: rows by key, figures by students, the students who moved, and what changed before that.
//!
//! Which tables hold figures is said by `data/publish`; the engine does the comparing, over the files that are not the same.

pub mod cause;
pub mod figure;
pub mod student;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::project::Project;
use crate::run::manifest::{Manifest, Table};
use crate::run::result::{Results, rows};
use cause::Causes;
use figure::FigureDifference;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use student::{IndicatorMoves, StudentMove};

/// Two runs below one root.
pub struct Pair<'a> {
    /// The restricted root.
    pub root: &'a Path,
    /// Descriptions of figures.
    pub project: &'a Project,
    /// The run before.
    pub a: &'a Manifest,
    /// The run after.
    pub b: &'a Manifest,
}

/// Whether two runs have the figures of some table.
pub fn have_figures(project: &Project, a: &Manifest, b: &Manifest) -> Result<bool> {
    figure::descriptions(project, a, b).map(|d| !d.is_empty())
}

/// What differs.
#[derive(Debug, Serialize)]
pub struct Differences {
    /// The jurisdiction.
    pub jurisdiction: String,
    /// The run before.
    pub a: Side,
    /// The run after.
    pub b: Side,
    /// Report years of both, which are compared.
    pub report_years: Vec<i32>,
    /// Tables that only one of them has.
    pub only_in_one: Vec<String>,
    /// What the runs were made from, as far as it differs.
    pub made_from: Causes,
    /// Tables with rows that differ, by report year.
    pub tables: Vec<TableDifference>,
    /// Figures that moved, those of most students first.
    pub figures: Vec<FigureDifference>,
    /// Students who moved, by report year and indicator.
    pub students: Vec<IndicatorMoves>,
    /// Which students, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Vec<StudentMove>>,
}

/// A run of a comparison.
#[derive(Debug, Serialize)]
pub struct Side {
    /// Its id.
    pub run_id: String,
    /// The load that it read.
    pub load_id: String,
    /// Its report years.
    pub report_years: Vec<i32>,
}

/// Rows of a table in a report year that differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDifference {
    /// The table.
    pub table: String,
    /// The report year.
    pub report_year: i32,
    /// Keys that only the run after has; rows, in a table without a key.
    pub added: i64,
    /// Keys that only the run before has.
    pub removed: i64,
    /// Keys of both whose other columns differ.
    pub changed: i64,
    /// Columns that only one of the runs has, or has in another type: they are not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// What changed that the table depends on: collections, rules, views.
    pub because: Vec<String>,
}

impl Differences {
    /// Whether the tables of both are the same.
    pub fn none(&self) -> bool {
        self.tables.is_empty() && self.only_in_one.is_empty() && self.a.report_years == self.b.report_years
    }
}

impl Pair<'_> {
    /// Compares the report years that both have; lists the students only if they are asked for.
    pub async fn differences(&self, list_students: bool) -> Result<Differences> {
        let years = self.years()?;
        let (a, b) = (self.differing(self.a, self.b, &years), self.differing(self.b, self.a, &years));
        let results = Results::side_by_side(self.root, &[("a", &a), ("b", &b)])?;
        let mut tables = Vec::new();
        for table in &b.tables {
            if let Some(before) = a.tables.iter().find(|t| t.name == table.name) {
                tables.extend(self.rows_of(&results, before, table).await?);
            }
        }
        let figures = figure::all(&results, &figure::descriptions(self.project, &a, &b)?).await?;
        let both_have_students = [&a, &b].iter().all(|m| !m.files_of(student::TABLE).is_empty());
        let mut students = if both_have_students { student::counts(&results).await? } else { vec![] };
        let catalog = Catalog::load(self.project, &self.b.jurisdiction)?;
        for moves in &mut students {
            let view = catalog.indicators().into_iter().find(|v| v.indicator() == Some(moves.indicator.as_str()));
            moves.because = view.map(|v| cause::of_view(&v.name, &self.a.views, &self.b.views)).unwrap_or_default();
        }
        let list = list_students && both_have_students;
        Ok(Differences {
            jurisdiction: self.b.jurisdiction.clone(),
            a: side(self.a),
            b: side(self.b),
            report_years: years.into_iter().collect(),
            only_in_one: self.only_in_one(),
            made_from: Causes::between(self.a, self.b),
            tables,
            figures,
            students,
            moved: if list { Some(student::list(&results).await?) } else { list_students.then(Vec::new) },
        })
    }

    /// Compares the figures alone.
    pub async fn figures(&self) -> Result<Vec<FigureDifference>> {
        let years = self.years()?;
        let (mut a, mut b) = (self.differing(self.a, self.b, &years), self.differing(self.b, self.a, &years));
        let descriptions = figure::descriptions(self.project, &a, &b)?;
        [&mut a, &mut b].into_iter().for_each(|m| m.tables.retain(|t| descriptions.iter().any(|d| d.table == t.name)));
        figure::all(&Results::side_by_side(self.root, &[("a", &a), ("b", &b)])?, &descriptions).await
    }

    /// The report years to compare.
    fn years(&self) -> Result<BTreeSet<i32>> {
        let (a, b) = (self.a, self.b);
        if a.jurisdiction != b.jurisdiction {
            return Err(Error::Config(format!(
                "run {} is of {}, run {} of {}: name two runs of one jurisdiction, or `perkins jurisdiction diff` to compare rules",
                a.run_id, a.jurisdiction, b.run_id, b.jurisdiction
            )));
        }
        let years: BTreeSet<i32> = a.report_years.iter().filter(|y| b.report_years.contains(y)).copied().collect();
        match years.is_empty() {
            true => Err(Error::Config(format!(
                "run {} is of report years {:?}, run {} of {:?}: they have none in common",
                a.run_id, a.report_years, b.run_id, b.report_years
            ))),
            false => Ok(years),
        }
    }

    /// A manifest with only the files of these years that the other run has not with the same bytes, and their tables.
    fn differing(&self, of: &Manifest, other: &Manifest, years: &BTreeSet<i32>) -> Manifest {
        let content = |m: &Manifest| -> BTreeMap<(String, i32), String> {
            m.files.iter().map(|f| ((f.table.clone(), f.report_year), f.stored.blake3.clone())).collect()
        };
        let other = content(other);
        let mut only = of.clone();
        only.files.retain(|f| {
            let there = other.get(&(f.table.clone(), f.report_year));
            years.contains(&f.report_year) && there.is_some_and(|hash| *hash != f.stored.blake3)
        });
        let named: BTreeSet<String> = only.files.iter().map(|f| f.table.clone()).collect();
        only.tables.retain(|t| named.contains(&t.name));
        only
    }

    fn only_in_one(&self) -> Vec<String> {
        let names = |m: &Manifest| -> BTreeSet<String> { m.tables.iter().map(|t| t.name.clone()).collect() };
        names(self.a).symmetric_difference(&names(self.b)).cloned().collect()
    }

    /// Counts the rows of a table that differ. Rows of either run are put one below the other and grouped, so that a null in a key is a
    /// value like any other, and a table without a key can be compared too.
    async fn rows_of(&self, results: &Results, before: &Table, after: &Table) -> Result<Vec<TableDifference>> {
        let same = |c: &&crate::run::manifest::Column| before.columns.iter().any(|b| b.name == c.name && b.kind == c.kind);
        let columns: Vec<&str> = after.columns.iter().filter(same).map(|c| c.name.as_str()).collect();
        let named = |t: &Table| -> BTreeSet<String> { t.columns.iter().map(|c| c.name.clone()).collect() };
        let all: BTreeSet<String> = named(before).union(&named(after)).cloned().collect();
        let apart: Vec<String> = all.into_iter().filter(|c| !columns.contains(&c.as_str())).collect();
        let keyed = !after.key.is_empty() && after.key.iter().all(|k| columns.contains(&k.as_str()));
        let because = cause::of_view(&after.name, &self.a.views, &self.b.views);
        let found = rows(&results.query(&sql(&after.name, &columns, keyed.then_some(&after.key))).await?, 1)?;
        let difference = |(texts, n): (Vec<String>, Vec<i64>)| match (texts[0].parse(), &n[..]) {
            (Ok(report_year), &[added, removed, changed]) => Ok(TableDifference {
                table: after.name.clone(),
                report_year,
                added,
                removed,
                changed,
                columns: apart.clone(),
                because: because.clone(),
            }),
            _ => Err(Error::bug("columns of a comparison")),
        };
        found.into_iter().map(difference).collect()
    }
}

fn side(of: &Manifest) -> Side {
    Side { run_id: of.run_id.clone(), load_id: of.load_id.clone(), report_years: of.report_years.clone() }
}

/// Names of columns as SQL has them.
fn quoted(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|n| format!("\"{}\"", n.as_ref().replace('"', "\"\""))).collect::<Vec<_>>().join(", ")
}

/// For each report year: rows added, removed and changed.
fn sql(table: &str, columns: &[&str], key: Option<&Vec<String>>) -> String {
    let (table, columns) = (quoted(&[table]), quoted(columns));
    let differing = format!(
        "WITH differing AS (
            SELECT {columns}, sum(of_a) AS in_a, sum(of_b) AS in_b
            FROM (
                SELECT {columns}, 1 AS of_a, 0 AS of_b FROM a.{table}
                UNION ALL
                SELECT {columns}, 0 AS of_a, 1 AS of_b FROM b.{table}
            )
            GROUP BY {columns}
            HAVING sum(of_a) <> sum(of_b)
        )"
    );
    match key {
        Some(key) => format!(
            "{differing}
            SELECT report_year,
                sum(CASE WHEN in_a = 0 THEN 1 ELSE 0 END), sum(CASE WHEN in_b = 0 THEN 1 ELSE 0 END),
                sum(CASE WHEN in_a > 0 AND in_b > 0 THEN 1 ELSE 0 END)
            FROM (SELECT {key}, sum(in_a) AS in_a, sum(in_b) AS in_b FROM differing GROUP BY {key}) AS by_key
            GROUP BY report_year ORDER BY report_year",
            key = quoted(key)
        ),
        None => format!(
            "{differing}
            SELECT report_year,
                sum(CASE WHEN in_b > in_a THEN in_b - in_a ELSE 0 END), sum(CASE WHEN in_a > in_b THEN in_a - in_b ELSE 0 END),
                CAST(0 AS BIGINT)
            FROM differing
            GROUP BY report_year ORDER BY report_year"
        ),
    }
}
