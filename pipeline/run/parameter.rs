//! The relations that a run provides beside the lake: report years, rules, indicators, measures and student groups, all discovered.

use crate::catalog::{Catalog, Header, Layer, Name, View};
use crate::contract::{Contract, Contracts};
use crate::engine::{Content, Engine, Memory};
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use arrow::array::{ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The first school year that a row may have (specification: collections, Types).
const FIRST_YEAR: i32 = 1990;

/// Measures and groups are bits of a signed 64-bit mask, without its sign.
const MAX_MEASURES: usize = 63;

/// Bits of a student's groups; versions of `student_as_of` leave room for so many.
const MAX_GROUPS: usize = 46;

/// The report years of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Years {
    /// The years asked for: outputs are written for these.
    pub requested: BTreeSet<i32>,
    /// Years that figures are computed for.
    pub computed: BTreeSet<i32>,
    /// Years whose figures are computed by group too.
    pub grouped: BTreeSet<i32>,
}

impl Years {
    /// All computed years in order.
    pub fn all(&self) -> Vec<i32> {
        self.computed.iter().copied().collect()
    }
}

/// What a figure counts: an indicator, or one code of its breakdown.
#[derive(Debug, Clone)]
pub struct Measure {
    /// The indicator's id.
    pub indicator: String,
    /// Group kind and code of a breakdown measure.
    pub breakdown: Option<(String, String)>,
}

/// A group of students and its bit.
#[derive(Debug, Clone)]
pub struct StudentGroup {
    /// `all`, the partition's name, or `special_population`.
    pub kind: String,
    /// Code of the group.
    pub code: String,
}

/// Registers a small relation under a name without a schema.
pub fn register(engine: &Engine, name: &str, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)));
    let batch = batch.map_err(|e| Error::internal(format!("relation {name}"), e))?;
    register_batch(engine, Name { schema: None, table: name.into() }, batch)
}

/// Registers a relation that is there whole.
pub fn register_batch(engine: &Engine, name: Name, batch: RecordBatch) -> Result<()> {
    let content = Content::of(&batch)?;
    engine.register(&name, Arc::new(Memory::whole(batch.schema(), vec![batch]).with_content(content)))
}

fn ints(values: impl IntoIterator<Item = i32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(values))
}

fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

/// Registers `as_of`, `report_year`, `requested`, `rule` and `jurisdiction`.
pub fn register_years(engine: &Engine, jurisdiction: &Jurisdiction, years: &Years) -> Result<()> {
    let all = years.all();
    let pairs: Vec<(i32, i32)> = all.iter().flat_map(|&y| (FIRST_YEAR..=y).map(move |s| (y, s))).collect();
    register(engine, "as_of", vec![("report_year", ints(pairs.iter().map(|p| p.0))), ("school_year", ints(pairs.iter().map(|p| p.1)))])?;
    let flags = |set: &BTreeSet<i32>| Arc::new(BooleanArray::from(all.iter().map(|y| set.contains(y)).collect::<Vec<_>>())) as ArrayRef;
    register(
        engine,
        "report_year",
        vec![("report_year", ints(all.clone())), ("is_requested", flags(&years.requested)), ("has_groups", flags(&years.grouped))],
    )?;
    register(engine, "requested", vec![("report_year", ints(years.requested.iter().copied()))])?;
    register(
        engine,
        "jurisdiction",
        vec![("code", texts([Some(jurisdiction.code.as_str())])), ("name", texts([Some(jurisdiction.name.as_str())]))],
    )?;
    register_batch(engine, Name { schema: None, table: "rule".into() }, jurisdiction.rule_table(&all)?)
}

/// The indicators that the jurisdiction reports in some of the years: view and years.
pub fn reported<'a>(catalog: &'a Catalog, jurisdiction: &Jurisdiction, years: &[i32]) -> Result<Vec<(&'a View, Vec<i32>)>> {
    let mut by_id: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for &year in years {
        for id in jurisdiction.codes("reported_indicators", year)? {
            by_id.entry(id).or_default().push(year);
        }
    }
    let mut reported = Vec::new();
    for (id, in_years) in by_id {
        let found = catalog.indicators().into_iter().find(|v| v.indicator() == Some(&id));
        let view =
            found.ok_or_else(|| Error::Config(format!("rule reported_indicators names {id}, but there is no sql/indicator/{id}.sql")))?;
        reported.push((view, in_years));
    }
    Ok(reported)
}

/// Registers `indicator` and `measure`, and adds the views `indicator_row` and `breakdown_row`: the union of all indicators that are reported.
pub fn register_indicators(
    engine: &Engine,
    catalog: &mut Catalog,
    jurisdiction: &Jurisdiction,
    years: &[i32],
    codes: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Measure>> {
    let reported: Vec<(View, Vec<i32>)> = reported(catalog, jurisdiction, years)?.into_iter().map(|(v, y)| (v.clone(), y)).collect();
    let mut measures = Vec::new();
    let (mut rows, mut breakdowns) = (Vec::new(), Vec::new());
    for (view, in_years) in &reported {
        let id = view.indicator().unwrap_or_default();
        let bit = measures.len();
        measures.push(Measure { indicator: id.into(), breakdown: None });
        let mut breakdown_mask = 0i64;
        if let Some(breakdown) = &view.header.breakdown {
            let list = codes.get(&breakdown.codes).ok_or_else(|| {
                Error::Config(format!(
                    "{}: header: breakdown.codes names reference table {}, which has no column group_code",
                    view.path, breakdown.codes
                ))
            })?;
            for code in list {
                breakdown_mask |= 1i64.checked_shl(measures.len() as u32).unwrap_or(0);
                measures.push(Measure { indicator: id.into(), breakdown: Some((breakdown.group_kind.clone(), code.clone())) });
            }
            breakdowns
                .push(format!("SELECT report_year, '{id}' AS indicator, student_key, program_key, group_code FROM {}", breakdown.view));
        }
        let only = if in_years.len() == years.len() {
            String::new()
        } else {
            format!(" WHERE report_year IN ({})", in_years.iter().map(i32::to_string).collect::<Vec<_>>().join(", "))
        };
        rows.push(format!(
            "SELECT report_year, '{id}' AS indicator, student_key, program_key, denominator, numerator, exclusion, \
             CAST({} AS BIGINT) AS measure_mask, CAST({breakdown_mask} AS BIGINT) AS breakdown_mask FROM {}{only}",
            1i64.checked_shl(bit as u32).unwrap_or(0),
            view.name
        ));
    }
    if measures.len() > MAX_MEASURES {
        return Err(Error::Config(format!("{} measures are reported; at most {MAX_MEASURES} fit a run", measures.len())));
    }
    if breakdowns.is_empty() {
        breakdowns
            .push("SELECT 0 AS report_year, '' AS indicator, 0 AS student_key, 0 AS program_key, '' AS group_code WHERE FALSE".into());
    }
    let grain = |columns: &[&str]| Header {
        title: "Union of the reported indicators".into(),
        grain: columns.iter().map(|c| c.to_string()).collect(),
        ..Header::default()
    };
    catalog.add_generated(
        "indicator_row",
        Layer::Indicator,
        grain(&["report_year", "indicator", "student_key", "program_key"]),
        rows.join("\nUNION ALL\n"),
    )?;
    catalog.add_generated(
        "breakdown_row",
        Layer::Indicator,
        grain(&["report_year", "indicator", "student_key", "program_key", "group_code"]),
        breakdowns.join("\nUNION ALL\n"),
    )?;
    register_measures(engine, &measures)?;
    register_indicator_table(engine, &reported)?;
    Ok(measures)
}

fn register_measures(engine: &Engine, measures: &[Measure]) -> Result<()> {
    let (kinds, codes) = (
        measures.iter().map(|m| m.breakdown.as_ref().map(|b| b.0.as_str())),
        measures.iter().map(|m| m.breakdown.as_ref().map(|b| b.1.as_str())),
    );
    register(
        engine,
        "measure",
        vec![
            ("measure", ints(0..measures.len() as i32)),
            ("mask", Arc::new(Int64Array::from_iter_values((0..measures.len()).map(|b| 1i64 << b)))),
            ("indicator", texts(measures.iter().map(|m| Some(m.indicator.as_str())))),
            ("group_kind", texts(kinds)),
            ("group_code", texts(codes)),
        ],
    )
}

fn register_indicator_table(engine: &Engine, reported: &[(View, Vec<i32>)]) -> Result<()> {
    let rows: Vec<(i32, &View)> = reported.iter().flat_map(|(v, years)| years.iter().map(move |&y| (y, v))).collect();
    register(
        engine,
        "indicator",
        vec![
            ("report_year", ints(rows.iter().map(|r| r.0))),
            ("indicator", texts(rows.iter().map(|r| r.1.indicator()))),
            ("education_level", texts(rows.iter().map(|r| r.1.header.education_level.as_deref()))),
            ("title", texts(rows.iter().map(|r| Some(r.1.header.title.as_str())))),
        ],
    )
}

/// The view that lists student groups: the one whose header says where its codes come from.
pub fn population_view(catalog: &Catalog) -> Result<&View> {
    let mut found = catalog.views().filter(|v| v.header.codes_from.is_some());
    match (found.next(), found.next()) {
        (Some(view), None) => Ok(view),
        (None, _) => Err(Error::Config(
            "no view has codes_from in its header; one must list the student groups (sql/status/student_population.sql)".into(),
        )),
        (Some(a), Some(b)) => Err(Error::Config(format!("{} and {} both list the student groups (codes_from); one must", a.path, b.path))),
    }
}

/// Finds the student groups in the columns of a view: a text column is a partition whose codes the contract lists, a yes or no column a
/// special population. Registers `student_group` and adds the view `student_group_mask`.
pub fn register_groups(engine: &Engine, catalog: &mut Catalog, contracts: &Contracts, schema: &SchemaRef) -> Result<Vec<StudentGroup>> {
    let view = population_view(catalog)?.clone();
    let source = view.header.codes_from.as_deref().unwrap_or_default();
    let contract = contracts
        .get(source)
        .ok_or_else(|| Error::Config(format!("{}: header: codes_from names {source}, which is no collection", view.path)))?;
    let kept: Vec<&str> = view.header.grain.iter().map(String::as_str).chain(["level_rank", "cohort_year"]).collect();
    let mut groups = vec![StudentGroup { kind: "all".into(), code: "all".into() }];
    // Every student has the bit of `all`.
    let mut terms = vec!["CAST(1 AS BIGINT)".to_string()];
    for field in schema.fields().iter().filter(|f| !kept.contains(&f.name().as_str())) {
        let name = field.name();
        if field.data_type() == &DataType::Boolean {
            terms.push(format!("CASE WHEN {name} THEN {} ELSE 0 END", 1i64 << groups.len().min(62)));
            groups.push(StudentGroup { kind: "special_population".into(), code: name.clone() });
        } else {
            let codes = codes(contract, name)
                .ok_or_else(|| Error::Config(format!("{}: column {name} is text, but {source}.{name} has no list of codes", view.path)))?;
            let mut whens = String::new();
            for code in codes {
                whens.push_str(&format!(" WHEN '{code}' THEN {}", 1i64 << groups.len().min(62)));
                groups.push(StudentGroup { kind: name.clone(), code: code.clone() });
            }
            terms.push(format!("CASE {name}{whens} ELSE 0 END"));
        }
    }
    if groups.len() > MAX_GROUPS {
        return Err(Error::Config(format!("{}: {} student groups; at most {MAX_GROUPS} are possible", view.path, groups.len())));
    }
    let sql = format!("SELECT {}, {} AS groups FROM {}", kept.join(", "), terms.join(" + "), view.name);
    let header = Header { title: "Groups of a student row as a bit mask".into(), grain: view.header.grain.clone(), ..Header::default() };
    catalog.add_generated("student_group_mask", Layer::Status, header, sql)?;
    register(
        engine,
        "student_group",
        vec![
            ("group_bit", ints(0..groups.len() as i32)),
            ("mask", Arc::new(Int64Array::from_iter_values((0..groups.len()).map(|b| 1i64 << b)))),
            ("group_kind", texts(groups.iter().map(|g| Some(g.kind.as_str())))),
            ("group_code", texts(groups.iter().map(|g| Some(g.code.as_str())))),
        ],
    )?;
    Ok(groups)
}

fn codes<'a>(contract: &'a Contract, field: &str) -> Option<&'a Vec<String>> {
    contract.fields.iter().find(|f| f.name == field)?.constraints.codes.as_ref()
}
