//! Entities as Arrow arrays, and back.

use super::entity::{Counter, Entity, Figure, Row};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, ListArray, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type, Int64Type};
use datafusion::common::{Result, exec_err};
use std::sync::Arc;

fn fields(of: &[(&str, DataType)]) -> Fields {
    of.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), false)).collect()
}

fn figure_fields() -> Fields {
    let (int, long) = (DataType::Int32, DataType::Int64);
    fields(&[("measure", int.clone()), ("group_bit", int), ("numerator", long.clone()), ("denominator", long)])
}

fn row_fields() -> Fields {
    let long = DataType::Int64;
    fields(&[("student", DataType::Int32), ("denominators", long.clone()), ("numerators", long.clone()), ("groups", long)])
}

fn item(fields: Fields) -> FieldRef {
    Arc::new(Field::new("item", DataType::Struct(fields), false))
}

/// A list of figures.
pub fn figures_type() -> DataType {
    DataType::List(item(figure_fields()))
}

fn roster_fields() -> Fields {
    fields(&[("figures", figures_type()), ("several", DataType::List(item(row_fields())))])
}

/// A roster: `{figures, several}`.
pub fn roster_type() -> DataType {
    DataType::Struct(roster_fields())
}

/// A list of structures by its columns.
fn list(of: Fields, columns: Vec<ArrayRef>, ends: Vec<i32>) -> ListArray {
    ListArray::new(item(of.clone()), OffsetBuffer::new(ScalarBuffer::from(ends)), Arc::new(StructArray::new(of, columns, None)), None)
}

/// Columns of figures that grow.
#[derive(Default)]
struct FigureColumns(Vec<i32>, Vec<i32>, Vec<i64>, Vec<i64>);

impl FigureColumns {
    fn push(&mut self, f: Figure) {
        self.0.push(f.measure.into());
        self.1.push(f.group.into());
        self.2.push(f.numerator.into());
        self.3.push(f.denominator.into());
    }

    fn list(self, ends: Vec<i32>) -> ListArray {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(self.0)),
            Arc::new(Int32Array::from(self.1)),
            Arc::new(Int64Array::from(self.2)),
            Arc::new(Int64Array::from(self.3)),
        ];
        list(figure_fields(), columns, ends)
    }
}

/// The figures of each entity.
pub fn figures(entities: Vec<Entity>, counter: &mut Counter) -> ArrayRef {
    let (mut columns, mut ends) = (FigureColumns::default(), vec![0]);
    for entity in entities {
        entity.count(counter, |f| columns.push(f));
        ends.push(columns.0.len() as i32);
    }
    Arc::new(columns.list(ends))
}

/// The roster of each entity.
pub fn rosters(entities: Vec<Entity>, counter: &mut Counter) -> ArrayRef {
    let (mut columns, mut ends) = (FigureColumns::default(), vec![0]);
    let (mut rows, mut row_ends): (Vec<Row>, _) = (vec![], vec![0]);
    for entity in entities {
        rows.extend(entity.split(counter, |f| columns.push(f)));
        ends.push(columns.0.len() as i32);
        row_ends.push(rows.len() as i32);
    }
    let masks = |of: fn(&Row) -> i64| Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) as ArrayRef;
    let student = Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.student))) as ArrayRef;
    let several = list(row_fields(), vec![student, masks(|r| r.denominators), masks(|r| r.numerators), masks(|r| r.groups)], row_ends);
    Arc::new(StructArray::new(roster_fields(), vec![Arc::new(columns.list(ends)), Arc::new(several)], None))
}

/// Rows as columns.
struct Rows<'a> {
    student: &'a Int32Array,
    masks: [&'a Int64Array; 3],
}

impl<'a> Rows<'a> {
    fn new(columns: &'a [ArrayRef]) -> Result<Self> {
        let [student, d, n, g] = columns else { return exec_err!("a row has student, denominators, numerators and groups") };
        if columns.iter().any(|c| c.null_count() > 0) {
            return exec_err!("tally got a null; student, denominators, numerators and groups must be given in every row");
        }
        Ok(Rows { student: student.as_primitive::<Int32Type>(), masks: [d, n, g].map(|a| a.as_primitive::<Int64Type>()) })
    }

    fn row(&self, i: usize) -> Row {
        // The sign bit is never used.
        let [denominators, numerators, groups] = self.masks.map(|a| a.value(i) & i64::MAX);
        Row { student: self.student.value(i), denominators, numerators, groups }
    }
}

/// Figures as columns.
struct Figures<'a> {
    measure: &'a Int32Array,
    group: &'a Int32Array,
    numerator: &'a Int64Array,
    denominator: &'a Int64Array,
}

impl Figures<'_> {
    fn figure(&self, i: usize) -> Figure {
        Figure {
            measure: self.measure.value(i) as u8,
            group: self.group.value(i) as u8,
            numerator: self.numerator.value(i) as u32,
            denominator: self.denominator.value(i) as u32,
        }
    }
}

/// What an aggregate takes in: rows, or rosters.
pub enum Input<'a> {
    Rows(RowInput<'a>),
    Rosters(RosterInput<'a>),
}

/// Rows, with a flag where there is one.
pub struct RowInput<'a> {
    rows: Rows<'a>,
    is_only: Option<&'a BooleanArray>,
}

/// Rosters: their lists' columns and where each begins and ends.
pub struct RosterInput<'a> {
    figures: Figures<'a>,
    figure_ends: &'a [i32],
    rows: Rows<'a>,
    row_ends: &'a [i32],
}

impl<'a> Input<'a> {
    /// The arguments of a call, or a column of states.
    pub fn new(values: &'a [ArrayRef]) -> Result<Input<'a>> {
        match values {
            [roster] => Self::rosters(roster.as_struct()),
            [rows @ .., is_only] if rows.len() == 4 => {
                Ok(Input::Rows(RowInput { rows: Rows::new(rows)?, is_only: Some(is_only.as_boolean()) }))
            }
            rows => Ok(Input::Rows(RowInput { rows: Rows::new(rows)?, is_only: None })),
        }
    }

    fn rosters(rosters: &'a StructArray) -> Result<Input<'a>> {
        let (figures, several) = (rosters.column(0).as_list::<i32>(), rosters.column(1).as_list::<i32>());
        let [measure, group, numerator, denominator] = figures.values().as_struct().columns() else {
            return exec_err!("a roster's figures have four columns");
        };
        Ok(Input::Rosters(RosterInput {
            figures: Figures {
                measure: measure.as_primitive(),
                group: group.as_primitive(),
                numerator: numerator.as_primitive(),
                denominator: denominator.as_primitive(),
            },
            figure_ends: figures.value_offsets(),
            rows: Rows::new(several.values().as_struct().columns())?,
            row_ends: several.value_offsets(),
        }))
    }

    /// Number of rows or rosters.
    pub fn len(&self) -> usize {
        match self {
            Input::Rows(input) => input.rows.student.len(),
            Input::Rosters(input) => input.figure_ends.len() - 1,
        }
    }

    /// Bytes that an entity needs to keep it, at most.
    pub fn bytes(&self) -> usize {
        match self {
            Input::Rows(input) => input.rows.student.len() * size_of::<Row>(),
            Input::Rosters(input) => input.figures.measure.len() * size_of::<Figure>() + input.rows.student.len() * size_of::<Row>(),
        }
    }

    /// Adds one of them to an entity.
    pub fn add(&self, i: usize, to: &mut Entity) {
        match self {
            Input::Rows(input) => to.push(input.rows.row(i), input.is_only.is_some_and(|o| o.is_valid(i) && o.value(i))),
            Input::Rosters(input) => {
                let range = |ends: &[i32]| ends[i] as usize..ends[i + 1] as usize;
                to.extend(range(input.figure_ends).map(|f| input.figures.figure(f)));
                range(input.row_ends).for_each(|r| to.push(input.rows.row(r), false));
            }
        }
    }
}
