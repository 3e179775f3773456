//! State assessments.

use super::World;
use super::calendar::GRADES;
use super::person::Person;
use super::random::moved;
use super::rates::{AssessmentKind, Subject};
use super::row::{Collection, Out};

/// When a pupil sits which assessment.
struct Sitting<'a> {
    school_year: i32,
    grade: &'a str,
    subject: &'a Subject,
    kind: &'a AssessmentKind,
}

/// Writes a pupil's scores of a school year.
pub(super) fn take(world: &World, out: &mut Out, person: &mut Person, school_year: i32, grade: u8) {
    let rates = &world.sources.rates.assessment;
    let grade = GRADES.get(usize::from(grade)).copied().unwrap_or_default();
    let otherwise = world.assessed_otherwise.is_some_and(|flag| person.has(flag)) && person.rng.chance(rates.other_kind);
    let usual = usize::from(otherwise && rates.kind.len() > 1);
    let taken = moved(rates.taken, rates.taken_slope, person.advantage);
    for subject in &rates.subject {
        if !person.rng.chance(taken) {
            continue;
        }
        let both = person.rng.chance(rates.again);
        for (at, kind) in rates.kind.iter().enumerate() {
            if at == usual || both {
                score(world, out, person, &Sitting { school_year, grade, subject, kind });
            }
        }
    }
}

fn score(world: &World, out: &mut Out, person: &mut Person, sitting: &Sitting) {
    let rates = &world.sources.rates.assessment;
    let Sitting { school_year, grade, subject, kind } = *sitting;
    let rng = &mut person.rng;
    let proficient = rng.chance(moved(subject.proficient, subject.slope, person.advantage));
    let level = if proficient { rng.between(kind.cut, kind.levels) } else { rng.between(1, kind.cut - 1) };
    let valid = rng.chance(rates.valid);
    let unsaid = !valid && rng.chance(rates.level_absent);
    let Some(row) = out.row(Collection::Assessment, school_year) else { return };
    let row = row.int(school_year).code(person.id()).code(&subject.name).code(&kind.name).code(grade);
    let row = if unsaid { row.null() } else { row.int(level) };
    row.flag(Some(valid)).end();
}
