//! The survey of graduates.

use super::World;
use super::after::Found;
use super::person::Person;
use super::row::{Collection, Out};
use super::words::Words;
use serde::Deserialize;
use std::collections::BTreeMap;

/// follow_up.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowUpRates {
    program_absent: f64,
    without_program: f64,
    unknown: f64,
    related: f64,
    idle: Words,
    outcome: BTreeMap<String, String>,
}

/// Writes what the survey of the year after found of a graduate of a school year. It finds what the placements say, so that 3S1 has the
/// same people placed by both, and some by one only.
pub(super) fn survey(world: &World, out: &mut Out, person: &mut Person, school_year: i32, program: Option<usize>, found: &Found) {
    let rates = &world.sources.rates.follow_up;
    if !out.makes(Collection::GraduateFollowUp) || (program.is_none() && !person.rng.chance(rates.without_program)) {
        return;
    }
    let program = program.and_then(|p| world.state.programs.get(p)).map(|p| p.id.as_str());
    let program = program.filter(|_| !person.rng.chance(rates.program_absent));
    let kind = found.study.or(found.other);
    let outcome = if person.rng.chance(rates.unknown) {
        "unknown"
    } else if let Some(outcome) = kind.and_then(|k| rates.outcome.get(k)) {
        outcome
    } else if found.works {
        if person.rng.chance(rates.related) { "employed_related" } else { "employed_unrelated" }
    } else {
        rates.idle.draw(&mut person.rng)
    };
    let Some(row) = out.row(Collection::GraduateFollowUp, school_year) else { return };
    row.int(school_year).code(person.id()).maybe(program).code(outcome).end();
}
