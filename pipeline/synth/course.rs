//! A student's years in a program: `program_enrollment` and `cte_course` rows.

use super::World;
use super::calendar::{COLLEGE, Day, GRADES, NINE};
use super::person::Person;
use super::random::{Rng, Stream, moved};
use super::row::{Collection, Out};

/// A student in a program.
#[derive(Debug, Clone)]
pub(super) struct Track {
    /// Its place in the list of programs.
    pub program: usize,
    /// Chance of the courses; a second program with the same key, begun in the same year, has the same courses.
    key: u64,
    /// School years with a course.
    years: usize,
    /// A course to repeat.
    failed: Option<i32>,
}

/// How a program enrollment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Enrolled,
    Completed(Option<Day>),
    Left(Option<Day>),
}

/// A year of courses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub school_year: i32,
    pub grade: u8,
    /// How many courses.
    pub courses: i32,
}

/// A course taken once.
struct Course {
    number: i32,
    level: usize,
    credits: i64,
    passed: bool,
    specific: Option<bool>,
}

const LEVELS: [&str; 3] = ["introductory", "intermediate", "advanced"];
const TERMS: [&[&str]; 3] = [&["S1", "S2"], &["T1", "T2", "T3"], &[""]];
const COLLEGE_TERMS: [&str; 4] = ["FA", "WI", "SP", "SU"];

impl Track {
    /// Begins a program.
    pub fn new(program: usize, rng: &mut Rng) -> Track {
        Track { program, key: rng.bits(), years: 0, failed: None }
    }

    /// Begins another program with the same courses as this one.
    pub fn mirror(&self, program: usize) -> Track {
        Track { program, ..self.clone() }
    }

    /// Writes the program enrollment of a school year.
    pub fn enrollment(&self, world: &World, out: &mut Out, person: &Person, school_year: i32, primary: Option<bool>, standing: Standing) {
        let (status, date) = match standing {
            Standing::Enrolled => ("enrolled", None),
            Standing::Completed(date) => ("completed", date),
            Standing::Left(date) => ("left", date),
        };
        let Some(program) = world.state.programs.get(self.program) else { return };
        let Some(row) = out.row(Collection::ProgramEnrollment, school_year) else { return };
        row.int(school_year).code(person.id()).code(&program.id).flag(primary).code(status).date(date).end();
    }

    /// Writes a year's courses.
    pub fn courses(&mut self, world: &World, out: &mut Out, person: &Person, term: Term) {
        let rates = &world.sources.rates.course;
        let mut rng = Rng::of(world.options.seed, Stream::Course, &[self.key, term.school_year as u64]);
        let passed = moved(rates.passed, rates.passed_slope, person.advantage);
        let college = term.grade == COLLEGE;
        for at in 0..term.courses {
            let repeated = self.failed.take().filter(|_| at == 0 && rng.chance(0.7));
            let level = match repeated {
                Some(number) => ((number / 100 - 1).clamp(0, 2)) as usize,
                None if term.grade < NINE => 0,
                None => world.levels.get(self.years.min(2)).map_or(0, |w| w.draw(&mut rng)),
            };
            // Numbers of one year never meet: those of middle school, and of each year in the program, have their own tens.
            let tens = if term.grade < NINE { 9 } else { self.years.min(8) as i32 };
            let number = repeated.unwrap_or(100 * (level as i32 + 1) + 10 * tens + at);
            let passed = rng.chance(passed);
            let credits = self.credits(world, &mut rng, term.grade);
            if !passed {
                self.failed = Some(number);
            }
            let specific = match college {
                true if rng.chance(rates.not_specific) => Some(false),
                true => (!rng.chance(rates.specific_absent)).then_some(true),
                false => None,
            };
            self.course(world, out, person, &mut rng, term, &Course { number, level, credits, passed, specific });
        }
        self.years += usize::from(term.courses > 0 && term.grade >= NINE);
    }

    fn credits(&self, world: &World, rng: &mut Rng, grade: u8) -> i64 {
        let rates = &world.sources.rates;
        match grade {
            _ if rng.chance(rates.oddity.many_credits) => 1300,
            COLLEGE => rates.course.college_credits.draw(rng),
            g if g < NINE => (rng.pick(&rates.course.middle_credits) * 100.0) as i64,
            _ => rates.course.credits.draw(rng),
        }
    }

    /// Writes a course: a row, or two where it went on through two terms.
    fn course(&self, world: &World, out: &mut Out, person: &Person, rng: &mut Rng, term: Term, course: &Course) {
        let rates = &world.sources.rates.course;
        let terms = if term.grade == COLLEGE {
            let summer = rng.chance(0.1);
            let first = rng.below(if summer { 4 } else { 3 });
            [COLLEGE_TERMS.get(first).copied(), None]
        } else {
            let institution = world.state.programs.get(self.program).and_then(|p| world.state.institutions.get(p.institution));
            let words = TERMS.get(institution.map_or(0, |i| i.calendar)).copied().unwrap_or(&[""]);
            let first = rng.below(words.len());
            let two = words.len() > 1 && rng.chance(rates.two_terms);
            [words.get(first).copied(), words.get((first + 1) % words.len()).copied().filter(|_| two)]
        };
        let earned = course.passed || rng.chance(rates.failed_with_credits);
        let halves = if terms[1].is_some() { [course.credits - course.credits / 2, course.credits / 2] } else { [course.credits, 0] };
        for (name, credits) in terms.iter().zip(halves).filter_map(|(t, c)| t.map(|t| (t, c))) {
            let Some(program) = world.state.programs.get(self.program) else { return };
            let Some(row) = out.row(Collection::CteCourse, term.school_year) else { return };
            let grade = GRADES.get(usize::from(term.grade)).copied().unwrap_or_default();
            let level = LEVELS.get(course.level).copied().unwrap_or_default();
            let row = row.int(term.school_year).code(person.id()).code(&program.id).numbered(world.code_of(program), course.number);
            let row = row.code(name).code(grade).code(level).hundredths(if earned { credits } else { 0 });
            row.flag(Some(course.passed)).flag(course.specific).end();
        }
    }
}
