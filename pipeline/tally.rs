//! Two aggregates that count every measure × group of many entities, each student once.
//!
//! A row is one student × program. Bits of `denominators` and `numerators` are measures (indicators), bits of `groups` the student's groups.
//!
//! - `roster(student, denominators, numerators, groups, is_only)` is what a program hands to the entities that it belongs to: figures of its
//!   students who are in no other program (`is_only`), who need not be told apart again, and the rows of those who may be.
//! - `tally(roster)` joins the rosters of an entity's programs and counts; `tally(student, denominators, numerators, groups)` counts rows.
//!
//! Rows of one student in an entity are joined by OR, so a student is in a denominator if any row is, and in a numerator if any row is
//! (specification: indicators, "A student counts at most once in an entity's figure"). The result of `tally` is a list of
//! `{measure, group_bit, numerator, denominator}`, without figures whose denominator is 0, in the order of measure and group.
//! Any order of rows and any split over partitions gives the same result.

mod entity;
mod exchange;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};
use entity::{Counter, Entity};
use exchange::Input;
use std::sync::Arc;

/// The aggregates, ready to be registered.
pub fn aggregates() -> [AggregateUDF; 2] {
    [Gives::Figures, Gives::Roster]
        .map(|gives| AggregateUDF::from(Count { gives, signature: Signature::user_defined(Volatility::Immutable) }))
}

/// What an aggregate gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Gives {
    Figures,
    Roster,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Count {
    gives: Gives,
    signature: Signature,
}

impl AggregateUDFImpl for Count {
    fn name(&self) -> &str {
        match self.gives {
            Gives::Figures => "tally",
            Gives::Roster => "roster",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let row = [DataType::Int32, DataType::Int64, DataType::Int64, DataType::Int64, DataType::Boolean];
        match (self.gives, given) {
            (Gives::Figures, [DataType::Struct(_)]) => Ok(vec![exchange::roster_type()]),
            (Gives::Figures, [_, _, _, _]) => Ok(row[..4].to_vec()),
            (Gives::Roster, [_, _, _, _, _]) => Ok(row.to_vec()),
            (Gives::Figures, _) => plan_err!("tally takes a roster, or student, denominators, numerators, groups"),
            (Gives::Roster, _) => plan_err!("roster takes student, denominators, numerators, groups, is_only"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.gives {
            Gives::Figures => exchange::figures_type(),
            Gives::Roster => exchange::roster_type(),
        })
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(One { gives: self.gives, entity: Entity::default() }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Many { gives: self.gives, entities: vec![], bytes: 0 }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[roster]", args.name), exchange::roster_type(), false))])
    }
}

impl Gives {
    fn evaluate(self, entities: Vec<Entity>) -> ArrayRef {
        let mut counter = Counter::default();
        match self {
            Gives::Figures => exchange::figures(entities, &mut counter),
            Gives::Roster => exchange::rosters(entities, &mut counter),
        }
    }
}

/// Without GROUP BY.
#[derive(Debug)]
struct One {
    gives: Gives,
    entity: Entity,
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let input = Input::new(values)?;
        (0..input.len()).for_each(|i| input.add(i, &mut self.entity));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.gives.evaluate(vec![std::mem::take(&mut self.entity)]), 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.entity.bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let state = Gives::Roster.evaluate(vec![std::mem::take(&mut self.entity)]);
        Ok(vec![ScalarValue::try_from_array(&state, 0)?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}

/// With GROUP BY: an entity for each group.
#[derive(Debug)]
struct Many {
    gives: Gives,
    entities: Vec<Entity>,
    bytes: usize,
}

impl GroupsAccumulator for Many {
    fn update_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], filter: Option<&BooleanArray>, total: usize) -> Result<()> {
        self.entities.resize_with(total, Entity::default);
        let input = Input::new(values)?;
        self.bytes += input.bytes();
        for (i, &group) in group_indices.iter().enumerate() {
            if filter.is_none_or(|f| f.is_valid(i) && f.value(i)) {
                input.add(i, &mut self.entities[group]);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.gives.evaluate(emit_to.take_needed(&mut self.entities)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![Gives::Roster.evaluate(emit_to.take_needed(&mut self.entities))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total: usize) -> Result<()> {
        self.update_batch(states, group_indices, None, total)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let input = Input::new(values)?;
        let keep = |i: usize| filter.is_none_or(|f| f.is_valid(i) && f.value(i));
        let entity = |i: usize| {
            let mut entity = Entity::default();
            if keep(i) {
                input.add(i, &mut entity);
            }
            entity
        };
        Ok(vec![Gives::Roster.evaluate((0..input.len()).map(entity).collect())])
    }

    fn size(&self) -> usize {
        self.entities.capacity() * size_of::<Entity>() + self.bytes
    }
}
