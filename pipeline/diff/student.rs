//! The students who make figures move: those who are in a numerator or denominator of one run only.

use crate::error::{Error, Result};
use crate::run::result::{Results, rows};
use serde::Serialize;

/// The table of candidates.
pub const TABLE: &str = "indicator_membership";

/// For each indicator and student of runs `a` and `b`: in the numerator and denominator of either, whatever the program. In the state's
/// figures a student counts once.
const BOTH: &str = "
SELECT
    report_year, indicator, student_id,
    bool_or(in_a AND numerator) AS a_numerator, bool_or(NOT in_a AND numerator) AS b_numerator,
    bool_or(in_a AND denominator) AS a_denominator, bool_or(NOT in_a AND denominator) AS b_denominator
FROM (
    SELECT report_year, indicator, student_id, numerator, denominator, TRUE AS in_a FROM a.indicator_membership
    UNION ALL
    SELECT report_year, indicator, student_id, numerator, denominator, FALSE AS in_a FROM b.indicator_membership
)
GROUP BY report_year, indicator, student_id";

/// What became of a candidate: what counts it, else why nothing does.
const LIST: &str = "
WITH sides AS (
    SELECT report_year, indicator, student_id, program_id, numerator, denominator, exclusion, TRUE AS in_a FROM a.indicator_membership
    UNION ALL
    SELECT report_year, indicator, student_id, program_id, numerator, denominator, exclusion, FALSE AS in_a FROM b.indicator_membership
),
states AS (
    SELECT *, CASE WHEN numerator THEN 'numerator' WHEN denominator THEN 'denominator' ELSE exclusion END AS state FROM sides
),
both AS (
    SELECT
        report_year, indicator, student_id, program_id,
        coalesce(max(CASE WHEN in_a THEN state END), 'no candidate') AS before,
        coalesce(max(CASE WHEN NOT in_a THEN state END), 'no candidate') AS after
    FROM states
    GROUP BY report_year, indicator, student_id, program_id
)
SELECT report_year, indicator, student_id, program_id, before, after
FROM both
WHERE before <> after
ORDER BY report_year, indicator, student_id, program_id";

/// Students of an indicator who are counted by one of two runs only.
#[derive(Debug, Serialize)]
pub struct IndicatorMoves {
    /// The report year.
    pub report_year: i32,
    /// The indicator.
    pub indicator: String,
    /// Came into the numerator.
    pub into_numerator: i64,
    /// Left it.
    pub out_of_numerator: i64,
    /// Came into the denominator.
    pub into_denominator: i64,
    /// Left it.
    pub out_of_denominator: i64,
    /// What changed that the indicator depends on: collections, rules, views.
    pub because: Vec<String>,
}

/// A candidate who moved. The state is `numerator`, `denominator` (and not numerator), the code of an exclusion, or `no candidate`.
#[derive(Debug, Serialize)]
pub struct StudentMove {
    /// The report year.
    pub report_year: i32,
    /// The indicator.
    pub indicator: String,
    /// The student.
    pub student_id: String,
    /// The program.
    pub program_id: String,
    /// What counted the candidate before.
    pub before: String,
    /// And after.
    pub after: String,
}

/// How many students moved.
pub async fn counts(results: &Results) -> Result<Vec<IndicatorMoves>> {
    let sql = format!(
        "SELECT report_year, indicator,
            sum(CASE WHEN b_numerator AND NOT a_numerator THEN 1 ELSE 0 END),
            sum(CASE WHEN a_numerator AND NOT b_numerator THEN 1 ELSE 0 END),
            sum(CASE WHEN b_denominator AND NOT a_denominator THEN 1 ELSE 0 END),
            sum(CASE WHEN a_denominator AND NOT b_denominator THEN 1 ELSE 0 END)
        FROM ({BOTH})
        WHERE a_numerator <> b_numerator OR a_denominator <> b_denominator
        GROUP BY report_year, indicator ORDER BY report_year, indicator"
    );
    let moves = |(texts, n): (Vec<String>, Vec<i64>)| match (&texts[..], &n[..]) {
        ([year, indicator], &[into_numerator, out_of_numerator, into_denominator, out_of_denominator]) => Ok(IndicatorMoves {
            report_year: self::year(year)?,
            indicator: indicator.clone(),
            into_numerator,
            out_of_numerator,
            into_denominator,
            out_of_denominator,
            because: vec![],
        }),
        _ => Err(Error::bug("columns of a comparison")),
    };
    rows(&results.query(&sql).await?, 2)?.into_iter().map(moves).collect()
}

/// The students who moved.
pub async fn list(results: &Results) -> Result<Vec<StudentMove>> {
    let moved = |(texts, _): (Vec<String>, Vec<i64>)| match <[String; 6]>::try_from(texts) {
        Ok([report_year, indicator, student_id, program_id, before, after]) => {
            Ok(StudentMove { report_year: year(&report_year)?, indicator, student_id, program_id, before, after })
        }
        Err(_) => Err(Error::bug("columns of a comparison")),
    };
    rows(&results.query(LIST).await?, 6)?.into_iter().map(moved).collect()
}

fn year(text: &str) -> Result<i32> {
    text.parse().map_err(|e| Error::internal("the report year of a comparison", e))
}
