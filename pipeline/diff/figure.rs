//! Figures that moved between two runs. `data/publish/<table>.toml` says which columns tell figures apart and which count students.

use super::quoted;
use crate::error::{Error, Result};
use crate::project::Project;
use crate::publish::description::Description;
use crate::run::manifest::Manifest;
use crate::run::result::{Results, rows};
use serde::{Deserialize, Serialize};

/// A figure with other students in its numerator or denominator than before. One of nobody has no row, so it counts 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FigureDifference {
    /// The table.
    pub table: String,
    /// The columns that tell it apart, with their values.
    pub figure: serde_json::Map<String, serde_json::Value>,
    /// Students in the numerator, before and after.
    pub numerator: [i64; 2],
    /// Students in the denominator, before and after.
    pub denominator: [i64; 2],
    /// By how many students it moved: the larger of both.
    pub students: i64,
    /// The same in percent of the students in the denominator of the entity's figure of all students before (after, if there was none).
    pub percent: f64,
    /// Of a level that `--max-change` watches.
    pub watched: bool,
}

impl FigureDifference {
    /// Puts those of most students first, and of equal ones those of watched levels.
    pub fn sort(figures: &mut [FigureDifference]) {
        figures.sort_by_key(|f| std::cmp::Reverse((f.students, f.watched)));
    }

    /// For people: what tells it apart, and from what to what it moved.
    pub fn text(&self) -> String {
        let value = |v: &serde_json::Value| v.as_str().map_or_else(|| v.to_string(), str::to_string);
        let name: Vec<String> = self.figure.values().map(value).collect();
        let ([n_a, n_b], [d_a, d_b]) = (self.numerator, self.denominator);
        format!("{}: {n_a} of {d_a} became {n_b} of {d_b} ({:.1} %)", name.join(" "), self.percent)
    }
}

/// The tables of figures with a rate, as far as both runs have them.
pub fn descriptions(project: &Project, a: &Manifest, b: &Manifest) -> Result<Vec<Description>> {
    let both = |d: &Description| [a, b].iter().all(|m| !m.files_of(&d.table).is_empty());
    Ok(Description::all(project)?.into_iter().filter(|d| d.rate.is_some() && d.numerator.is_some() && both(d)).collect())
}

/// The figures of some tables that moved, those of most students first.
pub async fn all(results: &Results, descriptions: &[Description]) -> Result<Vec<FigureDifference>> {
    let mut figures = Vec::new();
    for description in descriptions {
        figures.extend(moved(results, description).await?);
    }
    FigureDifference::sort(&mut figures);
    Ok(figures)
}

/// The figures of a table that moved, those of most students first.
async fn moved(results: &Results, of: &Description) -> Result<Vec<FigureDifference>> {
    let key: Vec<&String> = of.cohort.iter().chain(&of.entity).chain(&of.group).collect();
    let found = rows(&results.query(&sql(of, &key)?).await?, key.len())?;
    let difference = |(texts, n): (Vec<String>, Vec<i64>)| match n[..] {
        [n_a, n_b, d_a, d_b, students, base] => {
            let level = texts.get(of.cohort.len());
            Ok(FigureDifference {
                table: of.table.clone(),
                watched: level.is_some_and(|l| of.watched.contains(l)),
                figure: key.iter().map(|k| k.to_string()).zip(texts.into_iter().map(Into::into)).collect(),
                numerator: [n_a, n_b],
                denominator: [d_a, d_b],
                students,
                percent: 100.0 * students as f64 / base.max(1) as f64,
            })
        }
        _ => Err(Error::bug("columns of a comparison")),
    };
    found.into_iter().map(difference).collect()
}

/// Numerators and denominators of both runs in one row for each figure, and the students of the entity whose figure it is.
fn sql(of: &Description, key: &[&String]) -> Result<String> {
    let numerator = of.numerator.as_ref().ok_or_else(|| Error::bug("figures without a numerator"))?;
    let [kind, code] = [&of.group[0], &of.group[1]].map(|c| quoted(&[c]));
    let [all_kind, all_code] = [&of.all[0], &of.all[1]].map(|v| format!("'{}'", v.replace('\'', "''")));
    let whose: Vec<&String> = of.cohort.iter().chain(&of.entity).collect();
    let (key, whose, table) = (quoted(key), quoted(&whose), quoted(&[&of.table]));
    let (n, d) = (quoted(&[numerator]), quoted(&[&of.denominator]));
    Ok(format!(
        "WITH sums AS (
            SELECT {key}, sum(of_n_a) AS n_a, sum(of_n_b) AS n_b, sum(of_d_a) AS d_a, sum(of_d_b) AS d_b
            FROM (
                SELECT {key}, {n} AS of_n_a, CAST(0 AS BIGINT) AS of_n_b, {d} AS of_d_a, CAST(0 AS BIGINT) AS of_d_b FROM a.{table}
                UNION ALL
                SELECT {key}, CAST(0 AS BIGINT) AS of_n_a, {n} AS of_n_b, CAST(0 AS BIGINT) AS of_d_a, {d} AS of_d_b FROM b.{table}
            )
            GROUP BY {key}
        ),
        based AS (
            SELECT *,
                greatest(abs(n_a - n_b), abs(d_a - d_b)) AS students,
                max(CASE WHEN {kind} = {all_kind} AND {code} = {all_code} THEN CASE WHEN d_a > 0 THEN d_a ELSE d_b END END)
                    OVER (PARTITION BY {whose}) AS base
            FROM sums
        )
        SELECT {key}, n_a, n_b, d_a, d_b, students, coalesce(base, 0)
        FROM based
        WHERE students > 0
        ORDER BY students DESC, {key}"
    ))
}
