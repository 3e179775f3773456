//! Which column may be which field, and which collection a file is most like.

use super::Looked;
use super::profile::Profile;
use crate::contract::{Contract, Field, Format, Kind};
use crate::intake::Words;

/// A column is proposed for a field from this score on.
const LIKELY: f64 = 0.45;
/// From this score on, nothing is said to be unsure.
const SURE: f64 = 0.8;
/// Names so much alike are the same.
const SAME: f64 = 0.9;
/// How much the name weighs, against the values.
const NAME: f64 = 0.75;
/// A required field counts as so many others.
const REQUIRED: f64 = 3.0;

/// A column proposed for a field.
#[derive(Debug, Clone, Copy)]
pub struct Match {
    /// Number of the column.
    pub column: usize,
    /// Whether a person should look.
    pub unsure: bool,
}

/// A collection with the columns of its fields.
pub struct Fit<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// For each field, its column.
    pub matches: Vec<Option<Match>>,
    score: f64,
}

/// The collections, that which a file is most like first.
pub fn rank<'a>(contracts: impl Iterator<Item = &'a Contract>, looked: &Looked) -> Vec<Fit<'a>> {
    let mut fits: Vec<Fit> = contracts.map(|contract| fit(contract, looked)).collect();
    fits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.contract.name.cmp(&b.contract.name)));
    fits
}

/// Gives each field the column that suits it best; no column twice.
fn fit<'a>(contract: &'a Contract, looked: &Looked) -> Fit<'a> {
    let columns = &looked.columns;
    let mut pairs = Vec::new();
    for (f, field) in contract.fields.iter().enumerate() {
        for (c, column) in columns.iter().enumerate() {
            let score = score(field, column, &looked.words);
            if score >= LIKELY {
                pairs.push((score, f, c));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut matches: Vec<Option<Match>> = vec![None; contract.fields.len()];
    let (mut gained, mut taken) = (0.0, vec![false; columns.len()]);
    for (score, f, c) in pairs {
        if matches[f].is_none() && !taken[c] {
            matches[f] = Some(Match { column: c, unsure: score < SURE });
            taken[c] = true;
            gained += score * weight(&contract.fields[f]);
        }
    }
    let possible: f64 = contract.fields.iter().map(weight).sum();
    let explained = taken.iter().filter(|t| **t).count() as f64 / columns.len().max(1) as f64;
    Fit { contract, matches, score: gained / possible + explained }
}

fn weight(field: &Field) -> f64 {
    if field.constraints.required { REQUIRED } else { 1.0 }
}

/// How likely a column is a field, from 0 to 1.
fn score(field: &Field, column: &Profile, words: &Words) -> f64 {
    let names = std::iter::once(field.name.as_str()).chain(aliases(&field.description));
    // Of what is in objects within objects, the last name may say it all.
    let last = column.name.rsplit('.').next().unwrap_or_default();
    let name = names.flat_map(|n| [words.alike(n, &column.name), words.alike(n, last)]).fold(0.0, f64::max);
    // Texts may stand for codes; else values that can't be the field's are only believed where the name is the same.
    let foreign = field.constraints.codes.is_some() && column.few().is_some();
    if name < SAME && column.filled > 0 && values(field, column) == 0.0 && !foreign {
        return 0.0;
    }
    // Columns without values tell nothing.
    let values = if column.filled == 0 { 0.5 } else { values(field, column) };
    // A list of codes is as good as a name; other values fit many fields.
    let known = if field.constraints.codes.is_some() && column.filled > 0 && values >= 0.5 { values * 0.9 } else { 0.0 };
    // A word in common is enough for a column of years.
    let least = if field.kind == Kind::Year && values == 1.0 { 0.4 } else { 0.5 };
    if name < least && known == 0.0 {
        return 0.0;
    }
    known.max(NAME * name + (1.0 - NAME) * values)
}

/// The names that a description gives of other standards: `(CEDS: Student Identifier, …)`.
fn aliases(description: &str) -> impl Iterator<Item = &str> {
    let inside = description.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
    let names = inside.split_once(':').map_or("", |(_, names)| names);
    names.split(',').map(str::trim).filter(|n| !n.is_empty())
}

/// Codes in lower case.
pub fn lower(codes: &[String]) -> Vec<String> {
    codes.iter().map(|c| c.to_lowercase()).collect()
}

/// How well the values suit a field: 0 if they can't be its, 1 if they are as it wants them.
fn values(field: &Field, column: &Profile) -> f64 {
    let yes = |yes: bool| if yes { 1.0 } else { 0.0 };
    let constraints = &field.constraints;
    match (field.kind, field.format) {
        (Kind::String, _) if constraints.codes.is_some() => {
            let others = column.others(&lower(constraints.codes.as_deref().unwrap_or_default()));
            others.map_or(0.0, |others| 1.0 - others as f64 / column.filled as f64)
        }
        (Kind::String, Some(Format::Cip | Format::CipSeries)) => yes(column.is_cip()),
        (Kind::String, Some(Format::Id)) => yes(column.is_id()) * 0.8,
        (Kind::String, None) => 0.5,
        (Kind::Boolean, _) => yes(column.is_boolean()),
        (Kind::Date, _) => yes(!column.dates().is_empty()),
        (Kind::Year | Kind::Integer, _) => {
            let (least, most) = (constraints.minimum.unwrap_or(i64::MIN), constraints.maximum.unwrap_or(i64::MAX));
            yes(column.is_integer(least, most))
        }
        (Kind::Number, _) => yes(column.is_number()),
    }
}
