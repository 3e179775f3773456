//! What the engine would accept but must not be written: see notes on each rule.

use super::View;
use crate::error::{Error, Result};
use datafusion::sql::sqlparser::ast::{Expr, JoinConstraint, JoinOperator, Query, SetExpr, TableFactor, TableWithJoins, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use std::ops::ControlFlow;

/// Functions that ask the clock or chance: the same input must give the same bytes.
const CLOCK: [&str; 7] = ["now", "current_date", "current_time", "current_timestamp", "today", "random", "uuid"];

/// Refuses what gives wrong or varying results in the engine.
pub fn check(view: &View) -> Result<()> {
    let parsed = Parser::parse_sql(&GenericDialect {}, &view.sql).map_err(|e| Error::Config(format!("{}: {e}", view.path)))?;
    match parsed.visit(&mut Finder) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break((word, advice)) => Err(Error::Config(format!("{}: {advice}", locate(view, word)))),
    }
}

struct Finder;

type Finding = (&'static str, &'static str);

impl Visitor for Finder {
    type Break = Finding;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Finding> {
        set(&query.body)
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Finding> {
        match expr {
            Expr::SimilarTo { .. } => {
                ControlFlow::Break(("SIMILAR", "SIMILAR TO gives wrong results in the engine; use LIKE or regexp_like"))
            }
            Expr::Function(f) if CLOCK.contains(&f.name.to_string().to_lowercase().as_str()) => {
                ControlFlow::Break(("", "asks the clock or chance; a view is a function of its inputs and the report year"))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

fn set(body: &SetExpr) -> ControlFlow<Finding> {
    match body {
        SetExpr::Select(select) => select.from.iter().try_for_each(joins),
        SetExpr::SetOperation { left, right, .. } => {
            set(left)?;
            set(right)
        }
        _ => ControlFlow::Continue(()),
    }
}

fn joins(table: &TableWithJoins) -> ControlFlow<Finding> {
    if let TableFactor::NestedJoin { table_with_joins, .. } = &table.relation {
        joins(table_with_joins)?;
    }
    table.joins.iter().try_for_each(|join| match &join.join_operator {
        JoinOperator::Right(JoinConstraint::Using(_))
        | JoinOperator::RightOuter(JoinConstraint::Using(_))
        | JoinOperator::FullOuter(JoinConstraint::Using(_)) => {
            ControlFlow::Break(("USING", "RIGHT or FULL JOIN … USING gives null keys in the engine; write ON"))
        }
        JoinOperator::Join(JoinConstraint::Natural)
        | JoinOperator::Inner(JoinConstraint::Natural)
        | JoinOperator::Left(JoinConstraint::Natural)
        | JoinOperator::LeftOuter(JoinConstraint::Natural)
        | JoinOperator::Right(JoinConstraint::Natural)
        | JoinOperator::RightOuter(JoinConstraint::Natural)
        | JoinOperator::FullOuter(JoinConstraint::Natural) => {
            ControlFlow::Break(("NATURAL", "a NATURAL join changes when a column is added; write ON"))
        }
        _ => ControlFlow::Continue(()),
    })
}

/// `path:line:column` of the first time that a word occurs in the SQL, else the path.
pub fn locate(view: &View, word: &str) -> String {
    let start = view.sql.find("*/").unwrap_or(0);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |at: usize| {
        let before = view.sql[..at].chars().next_back();
        let after = view.sql[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    };
    let found = view.sql.match_indices(word).map(|(at, _)| at).find(|&at| at >= start && whole(at));
    match found.filter(|_| !word.is_empty()) {
        Some(at) => {
            let before = &view.sql[..at];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
            format!("{}:{line}:{column}", view.path)
        }
        None => view.path.clone(),
    }
}

/// "; did you mean x?" for the most similar name.
pub fn similar<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let best = known.map(|k| (datafusion::common::utils::datafusion_strsim::levenshtein(name, k), k)).min();
    match best {
        Some((distance, k)) if distance <= 3 => format!("; did you mean {k}?"),
        _ => String::new(),
    }
}
