//! The rows of a public table: what of each figure is shown.

use super::description::Description;
use super::source::{Source, texts};
use crate::disclosure::{EntityLine, Protection, Reason, Tie, Treatment, may_show_status, rate, rate_shown};
use crate::error::{Error, Result};
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Decimal128Type, Schema, SchemaRef};
use std::sync::Arc;

/// What a hidden rate is shown as.
pub const HIDDEN: &str = "*";

/// The code of a treatment in the column `suppression`: whether a figure was small or complementary is not public.
pub fn suppression(treatment: Treatment) -> &'static str {
    match treatment {
        Treatment::Shown => "none",
        Treatment::Band(_) => "band",
        Treatment::NumeratorHidden | Treatment::Hidden => "hidden",
    }
}

/// How figures are rounded and compared with targets.
#[derive(Debug, Clone, Copy)]
pub struct Rounding {
    /// Which way a tie of the one decimal goes.
    pub tie: Tie,
    /// Share of the target, in percent, that must be reached.
    pub target_share: i64,
}

/// The words of the restricted table for a column, with what publishing adds.
pub fn words(column: &str, given: impl Fn(&str) -> Option<String>) -> String {
    match column {
        "suppression" => "none, band (the rate is shown as a bound) or hidden".into(),
        "rate_shown" => "The rate with one decimal, a bound such as > 95 or < 5, or * where it is hidden".into(),
        "rate" => "The rate with one decimal; null unless it is shown exactly".into(),
        _ => match column.strip_prefix("part_") {
            Some(part) => format!("Of the part: {}", given(part).unwrap_or_default()),
            None => given(column).unwrap_or_default(),
        },
    }
}

/// The columns of the public figures of a table with these columns.
pub fn schema(description: &Description, table: &Schema) -> Result<SchemaRef> {
    let source = Source::new(description, RecordBatch::new_empty(Arc::new(table.clone())))?;
    let rounding = Rounding { tie: Tie::HalfUp, target_share: 0 };
    Ok(public(description, &source, &Protection::default(), rounding)?.schema())
}

/// The public rows of a table, in the order of the restricted ones.
pub fn public(description: &Description, source: &Source, protection: &Protection, rounding: Rounding) -> Result<RecordBatch> {
    let treatments = &protection.treatments;
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for field in source.batch.schema().fields() {
        let name = field.name();
        let given = || -> Result<ArrayRef> { Ok(Arc::clone(source.batch.column_by_name(name).ok_or_else(|| Error::bug("a column"))?)) };
        let known = [&description.cohort[..], &description.entity[..], &description.group[..], &description.keep[..]].concat();
        if *name == description.denominator {
            let shown = |(d, t): (&i64, &Treatment)| t.shows_denominator().then_some(*d);
            columns.push((name.clone(), Arc::new(source.denominator.iter().zip(treatments).map(shown).collect::<Int64Array>())));
        } else if Some(name) == description.numerator.as_ref() {
            let numerator = source.numerator.iter().flatten().zip(treatments);
            let shown = numerator.map(|(n, t)| (*t == Treatment::Shown).then_some(*n));
            columns.push((name.clone(), Arc::new(shown.collect::<Int64Array>())));
        } else if Some(name) == description.rate.as_ref() {
            let (text, number) = rates(source, treatments, rounding.tie);
            columns.push((format!("{name}_shown"), text));
            columns.push((name.clone(), number));
        } else if description.status.as_ref().is_some_and(|s| s.column == *name) {
            columns.push((name.clone(), status(description, source, treatments, rounding)?));
        } else if known.contains(name) {
            columns.push((name.clone(), given()?));
        }
    }
    let codes: StringArray = treatments.iter().map(|t| Some(suppression(*t))).collect();
    columns.push(("suppression".into(), Arc::new(codes)));
    batch(columns)
}

fn batch(columns: Vec<(String, ArrayRef)>) -> Result<RecordBatch> {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| Error::internal("rows of a public table", e))
}

fn rates(source: &Source, treatments: &[Treatment], tie: Tie) -> (ArrayRef, ArrayRef) {
    let figures = source.denominator.iter().zip(source.numerator.iter().flatten()).zip(treatments);
    let text: StringArray = figures.clone().map(|((d, n), t)| rate_shown(*t, *d, *n, tie)).collect();
    let number: Float64Array = figures.map(|((d, n), t)| rate(*t, *d, *n, tie)).collect();
    (Arc::new(text), Arc::new(number))
}

/// The status where it tells no more than what is shown: of a band, where every numerator that it leaves has the same.
fn status(description: &Description, source: &Source, treatments: &[Treatment], rounding: Rounding) -> Result<ArrayRef> {
    let Some(column) = &description.status else { return Err(Error::bug("no status")) };
    let (given, target) = (texts(&source.batch, &column.column)?, source.batch.column_by_name(&column.target));
    let target = target.map(|t| cast(t, &DataType::Decimal128(9, 2))).transpose().map_err(|e| Error::internal("targets", e))?;
    let target = target.ok_or_else(|| Error::Config(format!("a table to be published has no column {}", column.target)))?;
    let hundredths = target.as_primitive::<Decimal128Type>();
    let numerators: Vec<i64> = source.numerator.clone().unwrap_or_default();
    let shown = |row: usize| {
        let (d, code) = (source.denominator[row], given.value(row));
        if code.is_empty() || hundredths.is_null(row) || numerators.is_empty() {
            return None;
        }
        let status = |n: i64| status_of(n, d, hundredths.value(row) as i64, rounding.target_share);
        let agrees = column.codes[status(numerators[row])] == code;
        (agrees && may_show_status(treatments[row], d, status)).then(|| code.to_string())
    };
    Ok(Arc::new((0..treatments.len()).map(shown).collect::<StringArray>()))
}

/// 0: the target is met, 1: its share is, 2: neither (as sql/tally/figure.sql has it).
fn status_of(numerator: i64, denominator: i64, target_hundredths: i64, share: i64) -> usize {
    match numerator * 10_000 {
        reached if reached >= target_hundredths * denominator => 0,
        reached if reached * 100 >= share * target_hundredths * denominator => 1,
        _ => 2,
    }
}

/// The restricted rows of a table that says why figures are not shown.
pub fn reasons(description: &Description, source: &Source, protection: &Protection) -> Result<RecordBatch> {
    let rows: arrow::array::UInt32Array =
        protection.reasons.iter().enumerate().filter(|(_, r)| **r != Reason::None).map(|(i, _)| i as u32).collect::<Vec<_>>().into();
    let of = take_record_batch(&source.batch, &rows).map_err(|e| Error::internal("figures that are not shown", e))?;
    let names = [&description.cohort[..], &description.entity[..], &description.group[..]].concat();
    let column = |name: &String| of.column_by_name(name).map(|c| (name.clone(), Arc::clone(c))).ok_or_else(|| Error::bug("a column"));
    let mut columns = names.iter().map(column).collect::<Result<Vec<_>>>()?;
    let codes: StringArray = rows.values().iter().map(|&r| protection.reasons[r as usize].code()).collect();
    columns.push(("reason".into(), Arc::new(codes)));
    batch(columns)
}

/// The public table of lines: which entities' figures sum to which.
pub fn lines(description: &Description, source: &Source, lines: &[EntityLine]) -> Result<RecordBatch> {
    let mut rows: Vec<(u16, u32, u32)> = lines.iter().flat_map(|l| l.parts.iter().map(|p| (l.cohort, l.total, *p))).collect();
    rows.sort_by_key(|(c, t, p)| (*c, &source.entities.texts[*t as usize], &source.entities.texts[*p as usize]));
    let text =
        |of: &dyn Fn(&(u16, u32, u32)) -> String| -> ArrayRef { Arc::new(rows.iter().map(|r| Some(of(r))).collect::<StringArray>()) };
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (i, name) in description.cohort.iter().enumerate() {
        let texts = text(&|r| source.cohorts.texts[r.0 as usize][i].clone());
        let kind = source.batch.column_by_name(name).map(|c| c.data_type().clone()).unwrap_or(DataType::Utf8);
        columns.push((name.clone(), cast(&texts, &kind).map_err(|e| Error::internal("lines", e))?));
    }
    for (i, name) in description.entity.iter().enumerate() {
        columns.push((name.clone(), text(&|r| source.entities.texts[r.1 as usize][i].clone())));
    }
    for (i, name) in description.entity.iter().enumerate() {
        columns.push((format!("part_{name}"), text(&|r| source.entities.texts[r.2 as usize][i].clone())));
    }
    batch(columns)
}
