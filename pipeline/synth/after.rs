//! What comes of it: placements, credentials, work-based learning, college credits.

use super::World;
use super::calendar::{Day, day, school_year};
use super::person::{Level, Person};
use super::random::moved;
use super::row::{Collection, Out};
use super::words::Words;

/// What someone does in the year after: kinds of placement.
pub(super) struct Found<'w> {
    pub study: Option<&'w str>,
    pub other: Option<&'w str>,
    pub works: bool,
}

/// Writes what is known of someone in the year after leaving in a quarter.
pub(super) fn placements<'w>(world: &'w World, out: &mut Out, person: &mut Person, level: Level, left: i32) -> Found<'w> {
    let rates = &world.sources.rates.placement;
    let pair = level.pair();
    let studies = person.rng.chance(moved(rates.study[pair], rates.study_slope, person.advantage));
    let work = moved(rates.work[pair], rates.work_slope, person.advantage) * if studies { rates.both } else { 1.0 };
    let works = person.rng.chance(work);
    let other = person.rng.chance(rates.other[pair]);
    let study_kind = rates.study_kinds.draw(&mut person.rng);
    let other_kind = rates.other_kinds.draw(&mut person.rng);
    let other_source = rates.other_source.draw(&mut person.rng);
    let first = person.placed_until.max(left) + 1;
    person.placed_until = person.placed_until.max(left + 4);
    for quarter in first..=left + 4 {
        let summer = quarter % 4 == 2;
        let study = studies && person.rng.chance(if summer { rates.summer_study } else { rates.present });
        let work = works && person.rng.chance(rates.present);
        if study {
            let source = rates.study_source.draw(&mut person.rng);
            placement(world, out, person, quarter, study_kind, source);
        }
        if work {
            works_in(world, out, person, quarter, &rates.work_source);
        }
        if other {
            placement(world, out, person, quarter, other_kind, other_source);
        }
        if quarter == left + 2 && person.rng.chance(rates.survey) {
            if study || work || other || !person.rng.chance(rates.not_placed) {
                works_in(world, out, person, quarter, &rates.survey_source);
            } else {
                let (kind, source) = (rates.none_kinds.draw(&mut person.rng), rates.survey_source.draw(&mut person.rng));
                placement(world, out, person, quarter, kind, source);
            }
        }
    }
    Found { study: studies.then_some(study_kind), other: other.then_some(other_kind), works }
}

fn works_in(world: &World, out: &mut Out, person: &mut Person, quarter: i32, source: &Words) {
    let kind = world.sources.rates.placement.work_kinds.draw(&mut person.rng);
    let source = source.draw(&mut person.rng);
    placement_row(world, out, person, quarter, kind, source, true);
}

fn placement(world: &World, out: &mut Out, person: &mut Person, quarter: i32, kind: &str, source: &str) {
    placement_row(world, out, person, quarter, kind, source, false);
}

fn placement_row(world: &World, out: &mut Out, person: &mut Person, quarter: i32, kind: &str, source: &str, work: bool) {
    let [yes, no] = world.sources.rates.placement.high;
    let mut high = || match person.rng.unit() {
        _ if !work => None,
        u if u < yes => Some(true),
        u if u < no => Some(false),
        _ => None,
    };
    let (skill, wage) = (high(), high());
    let year = quarter.div_euclid(4);
    // Quarters 3 and 4 are in the school year that ends in the next calendar year.
    let Some(row) = out.row(Collection::Placement, year + i32::from(quarter.rem_euclid(4) >= 2)) else { return };
    row.code(person.id()).int(year).int(quarter.rem_euclid(4) + 1).code(kind).code(source).flag(skill).flag(wage).end();
}

/// Writes a credential, earned in these days or on an edge of a window.
pub(super) fn credential(world: &World, out: &mut Out, person: &mut Person, program: usize, days: (Day, usize), edges: &[Day]) {
    let rates = &world.sources.rates.credential;
    let rng = &mut person.rng;
    let earned = if rng.chance(rates.edge) { rng.pick(edges) } else { days.0 + rng.below(days.1) as i32 };
    let code = rates.codes.get(rng.below(rates.codes.len())).map_or("", String::as_str);
    let recognized = rng.chance(rates.recognized);
    let unsaid = rng.chance(rates.program_absent);
    let program = world.state.programs.get(program).filter(|_| !unsaid).map(|p| p.id.as_str());
    let Some(row) = out.row(Collection::Credential, school_year(earned)) else { return };
    row.code(person.id()).code(code).date(Some(earned)).flag(Some(recognized)).maybe(program).end();
}

/// Writes a year's work-based learning in a program; the year is counted from grade 9.
pub(super) fn work_based_learning(world: &World, out: &mut Out, person: &mut Person, program: usize, school_year: i32, at: usize) {
    let rates = &world.sources.rates.work_based_learning;
    let factor = rates.grade_factor.get(at).copied().unwrap_or(0.0);
    let chance = moved(rates.by_year.of(school_year) * factor, rates.slope * factor, person.advantage);
    if !person.rng.chance(chance) {
        return;
    }
    let kind = rates.kinds.draw(&mut person.rng);
    let other = if person.rng.chance(rates.second) { Some(rates.kinds.draw(&mut person.rng)) } else { None };
    for kind in [Some(kind), other.filter(|o| *o != kind)].into_iter().flatten() {
        let rng = &mut person.rng;
        let started = (!rng.chance(rates.date_absent)).then(|| day(school_year - 1, 9, 1) + rng.below(270) as i32);
        let hours = (!rng.chance(rates.hours_absent)).then(|| i64::from(rng.between(4, 480)) * 50);
        let Some(program) = world.state.programs.get(program) else { return };
        let Some(row) = out.row(Collection::WorkBasedLearning, school_year) else { return };
        let row = row.int(school_year).code(person.id()).code(&program.id).code(kind).date(started);
        let row = if let Some(hours) = hours { row.hundredths(hours) } else { row.null() };
        row.end();
    }
}

/// Writes a year's college credits in a program; the year is counted from grade 9.
pub(super) fn postsecondary_credit(world: &World, out: &mut Out, person: &mut Person, program: usize, school_year: i32, at: usize) {
    let rates = &world.sources.rates.postsecondary_credit;
    let factor = rates.grade_factor.get(at).copied().unwrap_or(0.0);
    if !person.rng.chance(moved(rates.rate * factor, rates.slope * factor, person.advantage)) {
        return;
    }
    let kind = rates.kinds.draw(&mut person.rng);
    let credits = rates.credits.draw(&mut person.rng);
    let Some(program) = world.state.programs.get(program) else { return };
    let Some(row) = out.row(Collection::PostsecondaryCredit, school_year) else { return };
    row.int(school_year).code(person.id()).code(&program.id).code(kind).hundredths(credits).end();
}
