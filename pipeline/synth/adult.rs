//! The life of a college student: years in a program, how it ends, and what follows.

use super::calendar::{COLLEGE, Day, day, quarter, school_year};
use super::course::{Standing, Term, Track};
use super::person::{Level, Person};
use super::random::{Rng, Stream, moved};
use super::row::Out;
use super::state::{Institution, Program};
use super::{World, after, pell};

/// Whether someone studies, or is there for a year beside high school.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    Student,
    OneYear,
}

/// Twelve credits, in hundredths: who completes a program that offers fewer is a concentrator.
const TWELVE: i64 = 1200;

/// Whether a program offers fewer than 12 credits.
pub(super) fn is_short(program: &Program) -> bool {
    program.credits.is_some_and(|c| c < TWELVE)
}

/// Writes the life of one of those who enter college in a school year.
pub(super) fn live(world: &World, out: &mut Out, entry: i32, index: u32) {
    let mut rng = Rng::of(world.options.seed, Stream::Adult, &[entry as u64, u64::from(index)]);
    // The upper half of the numbers: pupils have the lower.
    let number = (1 << 31) + (entry - 1900) as u32 * world.adults_per_entry + index;
    // Half come from school, the others later, up to the age of 60.
    let age = if rng.chance(0.5) { 18 + rng.below(3) } else { 18 + rng.below(43).min(rng.below(43)) };
    let birth = day(entry - 1 - age as i32, 9, 1) + rng.below(365) as i32;
    let mut person = Person::new(world, rng, number, Level::Postsecondary, birth, 1.0);
    study(world, out, &mut person, entry, Visit::Student);
}

/// How someone studies.
struct Study<'w> {
    college: &'w Institution,
    main: Option<Track>,
    second: Option<Track>,
    second_college: Option<&'w Institution>,
    /// School years, in order.
    years: Vec<i32>,
    ending: Ending,
    primary: [Option<bool>; 2],
    /// Courses in a usual year.
    courses: i32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Completes(Day),
    Leaves(Day),
    Stays,
}

/// Writes someone's studies from a school year on.
pub(super) fn study(world: &World, out: &mut Out, person: &mut Person, entry: i32, visit: Visit) {
    let Some(mut study) = plan(world, person, entry, visit) else { return };
    for (at, year) in study.years.clone().into_iter().enumerate() {
        if at > 0 {
            person.grow(world, Level::Postsecondary);
        }
        person.student_row(world, out, year, Level::Postsecondary, None);
        person.enrollment_row(out, year, &study.college.id, COLLEGE, None);
        if let Some(other) = study.second_college {
            person.enrollment_row(out, year, &other.id, COLLEGE, None);
        }
        study.year(world, out, person, year, at + 1 == study.years.len());
        if visit == Visit::Student {
            let program = study.main.as_ref().map(|t| t.program);
            pell::grant(world, out, person, year, &study.college.id, program);
        }
    }
    study.afterwards(world, out, person);
}

fn plan<'w>(world: &'w World, person: &mut Person, entry: i32, visit: Visit) -> Option<Study<'w>> {
    let rates = &world.sources.rates.college;
    let college = world.state.institutions.get(*world.state.colleges.get(world.state.college_weights.draw(&mut person.rng))?)?;
    let women = person.women(world);
    let enrolled = person.rng.chance(rates.cte);
    let program = world.state.choose(college.programs.clone(), entry, women, None, &mut person.rng).filter(|_| enrolled);
    let short = program.and_then(|p| world.state.programs.get(p)).is_some_and(is_short);
    let long = world.college_years.draw(&mut person.rng);
    let at = if short || visit == Visit::OneYear { 0 } else { long };
    let mut years = vec![entry];
    for _ in 0..at {
        let last = years.last().copied().unwrap_or(entry);
        years.push(last + 1 + i32::from(person.rng.chance(rates.pause)));
    }
    let main = program.map(|p| Track::new(p, &mut person.rng));
    let completes = if short { rates.completed_short } else { rates.completed.get(at).copied().unwrap_or(0.0) };
    let last = years.last().copied().unwrap_or(entry);
    let date = end_date(world, &mut person.rng, last);
    let ending = match visit {
        Visit::OneYear => Ending::Stays,
        Visit::Student if person.rng.chance(moved(completes, rates.completed_slope, person.advantage)) => Ending::Completes(date),
        Visit::Student if person.rng.chance(rates.left) => Ending::Leaves(date),
        Visit::Student => Ending::Stays,
    };
    let primary = match person.rng.unit() {
        u if u < rates.primary_absent => [None, None],
        u if u < rates.primary_absent + rates.primary_both => [Some(true), Some(true)],
        _ => [Some(true), Some(false)],
    };
    let courses = person.rng.between(rates.courses[0], rates.courses[1]);
    let (second, second_college) = (None, None);
    let mut study = Study { college, main, second, second_college, years, ending, primary, courses };
    study.second_program(world, person, entry);
    Some(study)
}

/// The last day of a program in a school year: by the end of a term, or on an edge of the year.
fn end_date(world: &World, rng: &mut Rng, year: i32) -> Day {
    let rates = &world.sources.rates.college;
    if rng.chance(rates.end_edge) {
        return if rng.chance(0.5) { day(year, 6, 30) } else { day(year, 7, 1) };
    }
    let summer = rng.chance(rates.summer);
    match rng.unit() {
        _ if summer => day(year, 8, 15) + rng.below(14) as i32,
        u if u < 0.22 => day(year - 1, 12, 8) + rng.below(14) as i32,
        u if u < 0.42 => day(year, 3, 14) + rng.below(14) as i32,
        _ => day(year, 6, 5) + rng.below(20) as i32,
    }
}

impl<'w> Study<'w> {
    fn second_program(&mut self, world: &'w World, person: &mut Person, entry: i32) {
        let rates = &world.sources.rates;
        let Some(main) = self.main.as_ref().filter(|_| person.rng.chance(rates.college.second_program)) else { return };
        let elsewhere = person.rng.chance(rates.college.elsewhere);
        let other = world.state.institutions.get(person.rng.pick(&world.state.colleges)).filter(|o| elsewhere && o.id != self.college.id);
        let at = other.unwrap_or(self.college);
        let women = person.women(world);
        let program = world.state.choose(at.programs.clone(), entry, women, Some(main.program), &mut person.rng);
        let mirrored = person.rng.chance(rates.engagement.mirrored);
        self.second = program.map(|p| if mirrored { main.mirror(p) } else { Track::new(p, &mut person.rng) });
        self.second_college = other.filter(|_| self.second.is_some());
    }

    fn year(&mut self, world: &World, out: &mut Out, person: &mut Person, year: i32, last: bool) {
        let standing = match self.ending {
            Ending::Completes(date) if last => Standing::Completed(Some(date)),
            Ending::Leaves(date) if last => Standing::Left(Some(date)),
            _ => Standing::Enrolled,
        };
        let least = world.sources.rates.college.courses[0];
        let courses = (self.courses + person.rng.between(-1, 1)).max(least);
        let second_ends = person.rng.chance(0.3);
        let [primary, primary_second] = self.primary;
        for (track, primary, ends) in [(&mut self.main, primary, true), (&mut self.second, primary_second, second_ends)] {
            let Some(track) = track else { continue };
            let short = world.state.programs.get(track.program).is_some_and(is_short);
            track.enrollment(world, out, person, year, primary, if ends { standing } else { Standing::Enrolled });
            let courses = if short { courses.min(2) } else { courses };
            track.courses(world, out, person, Term { school_year: year, grade: COLLEGE, courses });
        }
    }

    /// Placements, credentials, and now and then a second completion of the same program.
    fn afterwards(&self, world: &World, out: &mut Out, person: &mut Person) {
        let Some(main) = &self.main else { return };
        let rates = &world.sources.rates;
        let (date, earns) = match self.ending {
            Ending::Completes(date) => (date, rates.credential.completed),
            Ending::Leaves(date) => (date, rates.credential.left),
            Ending::Stays => return,
        };
        after::placements(world, out, person, Level::Postsecondary, quarter(date));
        if person.rng.chance(moved(earns, rates.credential.slope, person.advantage)) {
            let year = school_year(date);
            let edges = [day(year - 1, 7, 1), day(year, 6, 30), day(year + 1, 6, 30), day(year + 1, 7, 1)];
            after::credential(world, out, person, main.program, (date - 60, 300), &edges);
        }
        if matches!(self.ending, Ending::Completes(_)) && person.rng.chance(rates.college.completed_again) {
            let last = self.years.last().copied().unwrap_or_default();
            let again = Standing::Completed(Some(end_date(world, &mut person.rng, last + 1)));
            main.enrollment(world, out, person, last + 1, None, again);
        }
    }
}
