//! Where pupils live, the CTE districts they apply to, and what comes of it: `resident` and `application` rows.

use super::World;
use super::calendar::{GRADES, NINE};
use super::person::Person;
use super::random::{Rng, Stream};
use super::region::{NO_LOTTERY, Practice, Regions, SeatRates};
use super::row::{Collection, Out};
use super::tally::Counted;
use super::words::Words;
use serde::Deserialize;
use std::collections::BTreeMap;

/// admission.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdmissionRates {
    pub first: usize,
    pub every: usize,
    pub towns: [i32; 2],
    outsider: f64,
    applies: f64,
    twice: f64,
    unknown: f64,
    late: f64,
    gone: f64,
    pub not_of_color: Vec<String>,
    student_absent: [f64; 2],
    school_absent: [f64; 2],
    program_absent: [f64; 2],
    kept_out: Words,
    scarce: Words,
    ample: Words,
    spring: BTreeMap<String, Words>,
    pub seats: SeatRates,
    pub practice: Vec<Practice>,
}

/// Outcomes that the rules look for.
const ACCEPTED: &str = "accepted";
const OFFERED: &str = "offered";
const WITHDRAWN: &str = "withdrawn";
const WAITLISTED: &str = "waitlisted";
const ROUNDS: [&str; 2] = ["spring", "fall"];

/// A school year, and the number of a grade.
type Time = (i32, u8);

/// A pupil's home, and the application that is still to be written.
#[derive(Debug, Clone)]
pub(super) struct Home<'w> {
    /// Its district that is no CTE district.
    pub district: usize,
    town: &'w str,
    /// The number of the region that the town belongs to.
    region: usize,
    first: Option<Applied<'w>>,
    /// The last year for which an application was written: no district has two of a pupil.
    asked: i32,
    rng: Rng,
}

/// An application to a region.
#[derive(Debug, Clone, Copy)]
struct Applied<'w> {
    region: usize,
    outcome: &'w str,
    /// By a student of the state.
    known: bool,
}

/// Where a pupil lives who would go to a school, and the school that it is in the end: a CTE district may keep the pupil out. The chance is
/// apart from the pupil's, whose life is as in a state that does not collect this.
pub(super) fn settle<'w>(world: &'w World, person: &Person, school: usize, entry: i32, index: u32) -> (Option<Home<'w>>, usize) {
    let district = world.state.institutions.get(school).and_then(|i| i.district);
    let (Some(regions), Some(district)) = (&world.regions, district) else { return (None, school) };
    let rates = &world.sources.rates.admission;
    let mut rng = Rng::of(world.options.seed, Stream::Admission, &[entry as u64, u64::from(index)]);
    let number = regions.number(district);
    if regions.regions.get(number).is_none_or(|r| r.district != district) {
        let outcome = rng.chance(rates.applies).then(|| rates.elsewhere(regions, number).draw(&mut rng));
        let first = outcome.map(|outcome| Applied { region: number, outcome, known: true });
        let town = town(regions, district, &mut rng);
        return (Some(Home { district, town, region: number, first, asked: 0, rng }), school);
    }
    let outsider = rng.chance(rates.outsider);
    let region = if outsider { (number + 1) % regions.regions.len() } else { number };
    let members = regions.regions.get(region).map_or(&[][..], |r| r.members.as_slice());
    let lives = rng.pick(members);
    let share = regions.turns_away(rates, number, entry, person.race(), |flag| person.has(flag));
    let schools = world.state.districts.get(lives).map_or(&[][..], |d| d.schools.as_slice());
    let local = rng.pick(schools);
    let kept_out = lives != district && !schools.is_empty() && rng.chance(share);
    let outcome = if kept_out { rates.kept_out.draw(&mut rng) } else { ACCEPTED };
    let first = Some(Applied { region: number, outcome, known: true });
    let town = town(regions, lives, &mut rng);
    (Some(Home { district: lives, town, region, first, asked: 0, rng }), if kept_out { local } else { school })
}

fn town<'w>(regions: &'w Regions, district: usize, rng: &mut Rng) -> &'w str {
    let towns = regions.towns.get(district).map_or(&[][..], Vec::as_slice);
    towns.get(rng.below(towns.len())).map_or("", String::as_str)
}

impl AdmissionRates {
    /// How the applications of those end who attend another school.
    fn elsewhere(&self, regions: &Regions, region: usize) -> &Words {
        if regions.practice(self, region).is_some_and(|p| p.scarce) { &self.scarce } else { &self.ample }
    }
}

impl<'w> Home<'w> {
    /// Writes the applications for the year in which the pupil enters, once.
    pub fn apply(&mut self, world: &'w World, out: &mut Out, person: &Person, school: usize, time: Time) {
        let Some(regions) = &world.regions else { return };
        let rates = &world.sources.rates.admission;
        if let Some(first) = self.first.take() {
            self.application(world, out, person.id(), first, school, time);
            let other = (first.region + 1) % regions.regions.len();
            if other != first.region && self.rng.chance(rates.twice) {
                let outcome = rates.elsewhere(regions, other).draw(&mut self.rng);
                self.application(world, out, person.id(), Applied { region: other, outcome, known: true }, school, time);
            }
            return;
        }
        // Pupils of other states and of private schools apply as well; they have no number but the district's.
        if time.1 == NINE && self.rng.chance(rates.unknown) {
            let outcome = rates.elsewhere(regions, self.region).draw(&mut self.rng);
            self.application(world, out, person.id(), Applied { region: self.region, outcome, known: false }, school, time);
        }
    }

    /// The pupil changes school: who enters a CTE district was accepted, and stays in a town of it; others move to the school's district.
    pub fn moves(&mut self, world: &'w World, out: &mut Out, person: &Person, school: usize, time: Time) {
        let Some(regions) = &world.regions else { return };
        let Some(district) = world.state.institutions.get(school).and_then(|i| i.district) else { return };
        let number = regions.number(district);
        let Some(region) = regions.regions.get(number) else { return };
        if region.district != district {
            self.settle_in(regions, number, district);
            return;
        }
        if self.region != number {
            let lives = self.rng.pick(&region.members);
            self.settle_in(regions, number, lives);
        }
        if self.asked < time.0 {
            self.application(world, out, person.id(), Applied { region: number, outcome: ACCEPTED, known: true }, school, time);
        }
    }

    fn settle_in(&mut self, regions: &'w Regions, region: usize, district: usize) {
        if self.district != district {
            (self.region, self.district, self.town) = (region, district, town(regions, district, &mut self.rng));
        }
    }

    /// Writes an application's rows: spring, fall, or both.
    fn application(&mut self, world: &World, out: &mut Out, student: &str, applied: Applied, school: usize, time: Time) {
        let Some(regions) = &world.regions else { return };
        let rates = &world.sources.rates.admission;
        let (Some(region), Some(practice)) = (regions.regions.get(applied.region), regions.practice(rates, applied.region)) else { return };
        self.asked = time.0;
        let rng = &mut self.rng;
        let late = rng.chance(rates.late);
        let gone = !late && applied.outcome == WITHDRAWN && rng.chance(rates.gone);
        let spring = if gone { WITHDRAWN } else { rates.spring.get(applied.outcome).map_or(OFFERED, |words| words.draw(rng)) };
        let spring = if spring == WAITLISTED && !practice.scarce { OFFERED } else { spring };
        let attends = world.state.institutions.get(school).is_some_and(|i| i.district == Some(region.district));
        let schools = world.state.districts.get(region.district).map_or(&[][..], |d| d.schools.as_slice());
        let school = if attends { school } else { rng.pick(schools) };
        let institution = world.state.institutions.get(school);
        let program = institution.and_then(|i| world.state.choose(i.programs.clone(), time.0, None, None, rng));
        let program = program.and_then(|p| world.state.programs.get(p)).map(|p| p.id.as_str());
        // The district's own number: the student's, read backwards, so that no two are the same.
        let applicant: String = [if applied.known { 'A' } else { 'X' }].into_iter().chain(student.chars().rev()).collect();
        let district = world.state.districts.get(region.district).map_or("", |d| d.id.as_str());
        let grade = GRADES.get(usize::from(time.1)).copied().unwrap_or_default();
        for (round, outcome, there) in [(0, spring, !late), (1, applied.outcome, !gone)] {
            let says = |absent: [f64; 2], rng: &mut Rng| absent.get(round).is_some_and(|share| !rng.chance(*share));
            let student = Some(student).filter(|_| says(rates.student_absent, rng) && applied.known);
            let institution = institution.filter(|_| says(rates.school_absent, rng)).map(|i| i.id.as_str());
            let program = program.filter(|_| says(rates.program_absent, rng));
            let lottery = if round == 1 && late { NO_LOTTERY } else { &practice.lottery };
            let Some(row) = out.row(Collection::Application, time.0).filter(|_| there) else { continue };
            let row = row.int(time.0).code(ROUNDS.get(round).copied().unwrap_or_default()).code(district).code(&applicant);
            row.maybe(student).maybe(institution).maybe(program).code(grade).code(lottery).code(outcome).end();
        }
        out.count(Counted::Applicant, region.district, time.0);
        if applied.outcome == ACCEPTED {
            out.count(Counted::Accepted, region.district, time.0);
        }
    }
}

/// Writes a pupil's row as a resident.
pub(super) fn resident(world: &World, out: &mut Out, person: &Person, home: Option<&Home>, time: Time, placed: Option<bool>) {
    let (Some(home), Some(regions)) = (home, &world.regions) else { return };
    let region = regions.regions.get(home.region).and_then(|r| world.state.districts.get(r.district));
    let (Some(district), Some(grade)) = (region, GRADES.get(usize::from(time.1))) else { return };
    let Some(row) = out.row(Collection::Resident, time.0) else { return };
    row.int(time.0).code(person.id()).text(home.town).code(&district.id).code(grade).flag(placed).end();
}
