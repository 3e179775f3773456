//! The aggregate `tally(student, denominators, numerators, groups)`: counts every measure × group of an entity in one pass, each student once.
//!
//! A row is one student × program. Bits of `denominators` and `numerators` are measures (indicators), bits of `groups` the student's groups.
//! Rows of one student in an entity are joined by OR, so a student is in a denominator if any row is, and in a numerator if any row is
//! (specification: indicators, "A student counts at most once in an entity's figure"). The result is a list of
//! `{measure, group_bit, numerator, denominator}`, without figures whose denominator is 0, in the order of measure and group.
//! Any order of rows and any split over partitions gives the same result.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, ListArray, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};
use std::sync::Arc;

/// The aggregate, ready to be registered.
pub fn tally() -> AggregateUDF {
    AggregateUDF::from(Tally { signature: Signature::exact(arguments(), Volatility::Immutable) })
}

fn arguments() -> Vec<DataType> {
    vec![DataType::Int32, DataType::Int64, DataType::Int64, DataType::Int64]
}

fn figure_fields() -> Fields {
    Fields::from(vec![
        Field::new("measure", DataType::Int32, false),
        Field::new("group_bit", DataType::Int32, false),
        Field::new("numerator", DataType::Int64, false),
        Field::new("denominator", DataType::Int64, false),
    ])
}

fn figure_item() -> FieldRef {
    Arc::new(Field::new("item", DataType::Struct(figure_fields()), false))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Tally {
    signature: Signature,
}

impl AggregateUDFImpl for Tally {
    fn name(&self) -> &str {
        "tally"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(figure_item()))
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(One::default()))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Many::default()))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = |name: &str, of| {
            Arc::new(Field::new_list(format!("{}[{name}]", args.name), Field::new_list_field(of, false), false)) as FieldRef
        };
        Ok(vec![
            list("student", DataType::Int32),
            list("denominators", DataType::Int64),
            list("numerators", DataType::Int64),
            list("groups", DataType::Int64),
        ])
    }
}

/// One row, or several rows of one student joined.
#[derive(Debug, Clone, Copy)]
struct Row {
    student: i32,
    denominators: i64,
    numerators: i64,
    groups: i64,
}

/// The rows of one entity, counted at the end. Rows of the same student that follow each other are joined at once.
#[derive(Debug, Default, Clone)]
struct Rows(Vec<Row>);

impl Rows {
    fn push(&mut self, row: Row) {
        match self.0.last_mut() {
            Some(last) if last.student == row.student => last.join(row),
            _ => self.0.push(row),
        }
    }

    /// Counts every measure × group; calls `figure(measure, group, numerator, denominator)` for those with students, in order.
    fn count(mut self, mut figure: impl FnMut(i32, i32, i64, i64)) {
        if !self.0.is_sorted_by_key(|r| r.student) {
            self.0.sort_unstable_by_key(|r| r.student);
        }
        self.0.dedup_by(|next, kept| {
            let same = next.student == kept.student;
            if same {
                kept.join(*next);
            }
            same
        });
        let (denominators, groups) = self.0.iter().fold((0, 0), |(d, g), r| (d | r.denominators, g | r.groups));
        let measures: Vec<u32> = bits(denominators).collect();
        let slots: Vec<u32> = bits(groups).collect();
        // A dense table of the measures and groups that occur: place = measure's position × groups + group's position.
        let mut counts = vec![(0u32, 0u32); measures.len() * slots.len()];
        let place_of = |mask: i64, bit: u32| (mask & ((1i64 << bit) - 1)).count_ones() as usize;
        for row in &self.0 {
            for measure in bits(row.denominators) {
                let line = place_of(denominators, measure) * slots.len();
                let met = (row.numerators >> measure & 1) as u32;
                for group in bits(row.groups) {
                    let cell = &mut counts[line + place_of(groups, group)];
                    cell.0 += met;
                    cell.1 += 1;
                }
            }
        }
        for (i, (numerator, denominator)) in counts.into_iter().enumerate().filter(|(_, c)| c.1 > 0) {
            figure(measures[i / slots.len()] as i32, slots[i % slots.len()] as i32, numerator.into(), denominator.into());
        }
    }
}

impl Row {
    fn join(&mut self, other: Row) {
        self.denominators |= other.denominators;
        self.numerators |= other.numerators;
        self.groups |= other.groups;
    }
}

/// Positions of the bits that are set, from the lowest; the sign bit is never used.
fn bits(mut mask: i64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        (mask > 0).then(|| {
            let bit = mask.trailing_zeros();
            mask &= mask - 1;
            bit
        })
    })
}

/// The arguments or state columns as typed arrays.
struct Columns<'a> {
    student: &'a Int32Array,
    masks: [&'a Int64Array; 3],
}

impl<'a> Columns<'a> {
    fn new(values: &'a [ArrayRef]) -> Result<Self> {
        let [student, d, n, g] = values else {
            return exec_err!("tally takes student, denominators, numerators, groups; got {} arguments", values.len());
        };
        let columns = Columns { student: student.as_primitive::<Int32Type>(), masks: [d, n, g].map(|a| a.as_primitive::<Int64Type>()) };
        if columns.student.null_count() + columns.masks.iter().map(|a| a.null_count()).sum::<usize>() > 0 {
            return exec_err!("tally got a null; student, denominators, numerators and groups must be given in every row");
        }
        Ok(columns)
    }

    fn row(&self, i: usize) -> Row {
        let [denominators, numerators, groups] = self.masks.map(|a| a.value(i));
        Row { student: self.student.value(i), denominators, numerators, groups }
    }
}

/// Result lists from the rows of several entities.
fn results(entities: impl IntoIterator<Item = Rows>) -> ArrayRef {
    let (mut measures, mut groups, mut numerators, mut denominators) = (vec![], vec![], vec![], vec![]);
    let mut ends = vec![0i32];
    for rows in entities {
        rows.count(|measure, group, numerator, denominator| {
            measures.push(measure);
            groups.push(group);
            numerators.push(numerator);
            denominators.push(denominator);
        });
        ends.push(measures.len() as i32);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(measures)),
        Arc::new(Int32Array::from(groups)),
        Arc::new(Int64Array::from(numerators)),
        Arc::new(Int64Array::from(denominators)),
    ];
    let figures = StructArray::new(figure_fields(), columns, None);
    Arc::new(ListArray::new(figure_item(), OffsetBuffer::new(ScalarBuffer::from(ends)), Arc::new(figures), None))
}

/// State lists (student, denominators, numerators, groups) from the rows of several entities.
fn states(entities: &[Rows]) -> Vec<ArrayRef> {
    let offsets = OffsetBuffer::from_lengths(entities.iter().map(|r| r.0.len()));
    let list = |of: DataType, values: ArrayRef| {
        Arc::new(ListArray::new(Arc::new(Field::new_list_field(of, false)), offsets.clone(), values, None)) as ArrayRef
    };
    let rows = || entities.iter().flat_map(|r| r.0.iter());
    let masks = |of: fn(&Row) -> i64| list(DataType::Int64, Arc::new(Int64Array::from_iter_values(rows().map(of))));
    vec![
        list(DataType::Int32, Arc::new(Int32Array::from_iter_values(rows().map(|r| r.student)))),
        masks(|r| r.denominators),
        masks(|r| r.numerators),
        masks(|r| r.groups),
    ]
}

/// Adds the state lists of row `i` to `rows`.
fn merge(states: &[ArrayRef], i: usize, rows: &mut Rows) -> Result<()> {
    let values: Vec<ArrayRef> = states.iter().map(|s| s.as_list::<i32>().value(i)).collect();
    let columns = Columns::new(&values)?;
    (0..columns.student.len()).for_each(|j| rows.push(columns.row(j)));
    Ok(())
}

/// For `tally` without GROUP BY.
#[derive(Debug, Default)]
struct One(Rows);

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = Columns::new(values)?;
        (0..columns.student.len()).for_each(|i| self.0.push(columns.row(i)));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&results([std::mem::take(&mut self.0)]), 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.0.capacity() * size_of::<Row>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        states(std::slice::from_ref(&self.0)).iter().map(|a| ScalarValue::try_from_array(a, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        (0..states[0].len()).try_for_each(|i| merge(states, i, &mut self.0))
    }
}

/// For `tally` with GROUP BY: the rows of each group.
#[derive(Debug, Default)]
struct Many {
    groups: Vec<Rows>,
    rows: usize,
}

impl Many {
    fn push(&mut self, group: usize, row: Row) {
        self.rows += 1;
        self.groups[group].push(row);
    }
}

impl GroupsAccumulator for Many {
    fn update_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], filter: Option<&BooleanArray>, total: usize) -> Result<()> {
        self.groups.resize(total, Rows::default());
        let columns = Columns::new(values)?;
        for (i, &group) in group_indices.iter().enumerate() {
            if filter.is_none_or(|f| f.is_valid(i) && f.value(i)) {
                self.push(group, columns.row(i));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(results(emit_to.take_needed(&mut self.groups)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(states(&emit_to.take_needed(&mut self.groups)))
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total: usize) -> Result<()> {
        self.groups.resize(total, Rows::default());
        for (i, &group) in group_indices.iter().enumerate() {
            merge(states, i, &mut self.groups[group])?;
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let columns = Columns::new(values)?;
        let keep = |i: usize| filter.is_none_or(|f| f.is_valid(i) && f.value(i));
        let rows: Vec<Rows> = (0..columns.student.len()).map(|i| Rows(if keep(i) { vec![columns.row(i)] } else { vec![] })).collect();
        Ok(states(&rows))
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Rows>() + self.rows * size_of::<Row>()
    }
}
