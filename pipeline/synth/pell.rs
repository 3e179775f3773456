//! Pell grants.

use super::World;
use super::person::Person;
use super::rates::Pair;
use super::row::{Collection, Out};
use super::words::ByYear;
use serde::Deserialize;

/// pell.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PellRates {
    pub needs: String,
    rate: Pair,
    elsewhere: f64,
    program_absent: f64,
    full: f64,
    edge: f64,
    least: f64,
    greatest: ByYear,
}

/// Writes a college student's grant of a school year, if there is one. Grants are whole dollars.
pub(super) fn grant(world: &World, out: &mut Out, person: &mut Person, school_year: i32, college: &str, program: Option<usize>) {
    if !out.makes(Collection::Pell) {
        return;
    }
    let rates = &world.sources.rates.pell;
    let poor = world.poor.is_some_and(|flag| person.has(flag));
    if !person.rng.chance(rates.rate[usize::from(!poor)]) {
        return;
    }
    let greatest = rates.greatest.of(school_year) as i32;
    let least = (rates.least * f64::from(greatest)) as i32;
    let amount = match person.rng.unit() {
        u if u < rates.full => greatest,
        u if u < rates.full + rates.edge => least,
        _ => person.rng.between(least, greatest),
    };
    let elsewhere = person.rng.chance(rates.elsewhere).then(|| person.rng.pick(&world.state.colleges));
    let college = elsewhere.and_then(|at| world.state.institutions.get(at)).map_or(college, |i| i.id.as_str());
    let named = !person.rng.chance(rates.program_absent);
    let program = program.filter(|_| named).and_then(|p| world.state.programs.get(p)).map(|p| p.id.as_str());
    let Some(row) = out.row(Collection::Pell, school_year) else { return };
    row.int(school_year).code(person.id()).code(college).maybe(program).hundredths(i64::from(amount) * 100).end();
}
