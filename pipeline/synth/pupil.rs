//! The life of a pupil: middle school, high school by one of the ways of rates.toml, CTE, assessments, exits, and what follows.

use super::admission::{self, Home};
use super::adult::{self, Visit};
use super::after;
use super::calendar::{Day, EIGHT, NINE, day, quarter};
use super::course::{Standing, Term, Track};
use super::person::{Level, Person};
use super::random::{Rng, Stream, moved};
use super::rates::{LifePath, PathExit, When};
use super::row::{Collection, Out};
use super::tally::Counted;
use super::{World, assessment, follow_up};

/// What a pupil does at school.
struct Pupil<'w> {
    person: Person<'w>,
    /// The school year of the entry into grade 9.
    entry: i32,
    cohort: i32,
    /// Place in the list of institutions.
    school: usize,
    /// Where the state collects it.
    home: Option<Home<'w>>,
    interest: Interest,
    /// How much the way through school lets the pupil engage in CTE.
    engaged: f64,
    main: Option<Track>,
    second: Option<Track>,
    flags_primary: bool,
    tested: Option<i32>,
    /// The school year of the last exit row: there is one a year at most.
    exit_row: i32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Interest {
    None,
    Sampler,
    Steady,
}

/// A pupil's year at school.
#[derive(Clone, Copy)]
struct Year {
    school_year: i32,
    grade: u8,
    /// The exit at its end.
    ends: Ends,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Goes,
    Completes(Option<Day>),
    Leaves(Option<Day>),
}

/// Writes the life of one pupil of the cohort that enters grade 9 in a school year.
pub(super) fn live(world: &World, out: &mut Out, entry: i32, index: u32) {
    let mut rng = Rng::of(world.options.seed, Stream::Pupil, &[entry as u64, u64::from(index)]);
    let number = (entry - 1900) as u32 * world.pupils_per_cohort + index;
    let school = world.state.schools.get(world.state.school_weights.draw(&mut rng)).copied().unwrap_or(0);
    let poverty = world.state.institutions.get(school).map_or(1.0, |i| i.poverty);
    let birth = day(entry - 16, 9, 1) + rng.below(365) as i32;
    let mut person = Person::new(world, rng, number, Level::Secondary, birth, poverty);
    let Some(path) = world.path(&mut person) else { return };
    let rates = &world.sources.rates;
    let grows = 1.0 + rates.engagement.growth * f64::from(entry - rates.engagement.reference);
    let advantage = rates.engagement.advantage * person.advantage;
    let (steady, sampler) = ((rates.engagement.steady + advantage) * grows, rates.engagement.sampler * grows);
    let interest = match person.rng.unit() {
        u if u < steady => Interest::Steady,
        u if u < steady + sampler => Interest::Sampler,
        _ => Interest::None,
    };
    let flags_primary = person.rng.chance(rates.engagement.flagged_primary);
    let (engaged, cohort) = (path.cte, entry + 3);
    let (home, school) = admission::settle(world, &person, school, entry, index);
    let (main, second, tested, exit_row) = (None, None, None, i32::MIN);
    let mut pupil = Pupil { person, entry, cohort, school, home, interest, engaged, main, second, flags_primary, tested, exit_row };
    pupil.middle(world, out, path);
    pupil.high_school(world, out, path);
}

impl<'w> Pupil<'w> {
    /// Those who came from elsewhere were at no middle school of the state.
    fn middle(&mut self, world: &World, out: &mut Out, path: &LifePath) {
        let rates = &world.sources.rates;
        if path.grades.first().is_none_or(|g| g.0.is_none()) || !self.person.rng.chance(rates.population.middle) {
            return;
        }
        let mut first = EIGHT;
        while first > 0 && self.person.rng.chance(rates.population.middle_earlier) {
            first -= 1;
        }
        for grade in first..=EIGHT {
            let school_year = self.entry - i32::from(NINE - grade);
            // A CTE district begins with grade 9: its pupils come from the schools of the towns they live in.
            let lives = self.home.as_ref().map(|h| h.district).or(self.district(world));
            let Some(district) = lives.and_then(|d| world.state.districts.get(d)) else { return };
            let Some(school) = world.state.institutions.get(district.middle_school) else { return };
            self.person.student_row(world, out, school_year, Level::Middle, None);
            self.person.enrollment_row(out, school_year, &school.id, grade, None);
            admission::resident(world, out, &self.person, self.home.as_ref(), (school_year, grade), None);
            self.choose(world, school_year);
            if let Some(track) = &mut self.main {
                track.courses(world, out, &self.person, Term { school_year, grade, courses: 1 });
            }
            if self.person.rng.chance(rates.oddity.middle_exit) && self.exit_row < school_year {
                self.exit_row = school_year;
                let date = Some(day(school_year, 6, 10));
                exit_row(out, &self.person, school_year, Some(&school.id), date, "transferred_out");
            }
        }
        if self.interest == Interest::None && self.person.rng.chance(0.5) {
            self.main = None;
        }
    }

    fn high_school(&mut self, world: &'w World, out: &mut Out, path: &LifePath) {
        let before = self.person.rng.chance(world.sources.rates.oddity.exit_before_cohort) && self.exit_row < self.entry - 2;
        for (grade, school_year) in path.grades.iter().zip(self.entry..) {
            let exit = path.exits.iter().find(|e| self.entry + e.after - 1 == school_year);
            let exit = exit.map(|e| (e, self.exit_date(e)));
            if let Some(grade) = grade.0 {
                let completes = exit.is_some_and(|(e, _)| world.sources.rates.exit.completes.contains(&e.kind));
                let ends = match exit {
                    Some((_, date)) if completes => Ends::Completes(date),
                    Some((_, date)) => Ends::Leaves(date),
                    None => Ends::Goes,
                };
                self.year(world, out, Year { school_year, grade, ends });
            }
            if let Some((exit, date)) = exit {
                self.leave(world, out, exit, school_year, date);
            }
        }
        for exit in path.exits.iter().filter(|e| e.after > path.grades.len() as i32) {
            let date = self.exit_date(exit);
            self.leave(world, out, exit, self.entry + exit.after - 1, date);
        }
        if before {
            let date = Some(day(self.entry - 1, 5, 20));
            exit_row(out, &self.person, self.entry - 1, None, date, "transferred_out");
        }
        let last = self.entry + path.grades.len() as i32 - 1;
        let completes = path.exits.last().is_some_and(|e| world.sources.rates.exit.completes.contains(&e.kind));
        let population = &world.sources.rates.population;
        if completes && self.person.rng.chance(population.continues) {
            adult::study(world, out, &mut self.person, last + 1, Visit::Student);
        }
    }

    fn exit_date(&mut self, exit: &PathExit) -> Option<Day> {
        let year = self.entry + exit.after - 1;
        let rng = &mut self.person.rng;
        let day_in = |rng: &mut Rng, first: Day, days: usize| first + rng.below(days) as i32;
        match exit.when {
            When::June => Some(day_in(rng, day(year, 6, 1), 20)),
            When::Summer if rng.chance(0.15) => Some(day(year, 8, 31)),
            When::Summer => Some(day_in(rng, day(year, 7, 1), 62)),
            When::Autumn if rng.chance(0.3) => Some(day(year, 9, 1)),
            When::Autumn => Some(day_in(rng, day(year, 9, 1), 45)),
            When::During if rng.chance(0.03) => Some(day(year - 1, 9, 1)),
            When::During => Some(day_in(rng, day(year - 1, 9, 1), 272)),
            When::Undated => None,
        }
    }

    fn year(&mut self, world: &'w World, out: &mut Out, year: Year) {
        let rates = &world.sources.rates;
        if year.school_year > self.entry {
            self.person.grow(world, Level::Secondary);
        }
        if self.person.rng.chance(rates.mobility.new_cohort) {
            self.cohort += 1;
        }
        self.person.student_row(world, out, year.school_year, Level::Secondary, Some(self.cohort));
        if let Some(home) = &mut self.home {
            home.apply(world, out, &self.person, self.school, (year.school_year, year.grade));
        }
        self.enroll(world, out, year);
        self.program_year(world, out, year);
        self.assess(world, out, year);
        if year.grade == 6 && self.person.rng.chance(rates.population.both) {
            adult::study(world, out, &mut self.person, year.school_year, Visit::OneYear);
        }
    }

    /// Enrollment rows: one, or two where the pupil moved or went to two schools.
    fn enroll(&mut self, world: &'w World, out: &mut Out, year: Year) {
        let rates = &world.sources.rates;
        let rng = &mut self.person.rng;
        let placed = if rng.chance(rates.mobility.out_of_district) {
            Some(true)
        } else {
            (!rng.chance(rates.mobility.out_of_district_absent)).then_some(false)
        };
        let nowhere = rng.chance(rates.oddity.unknown_institution);
        let id = |at: usize| world.state.institutions.get(at).map_or("", |i| i.id.as_str());
        let home = if nowhere { "999999" } else { id(self.school) };
        self.person.enrollment_row(out, year.school_year, home, year.grade, placed);
        admission::resident(world, out, &self.person, self.home.as_ref(), (year.school_year, year.grade), placed);
        self.count(out, Counted::Enrolled(year.grade), self.school, year.school_year);
        let (moves, visits) = (self.person.rng.chance(rates.mobility.moves), self.person.rng.chance(rates.mobility.visits));
        if !moves && !visits {
            return;
        }
        let Some(other) = self.other_school(world) else { return };
        self.person.enrollment_row(out, year.school_year, id(other), year.grade, placed);
        if moves {
            self.school = other;
            if let Some(home) = &mut self.home {
                home.moves(world, out, &self.person, other, (year.school_year, year.grade));
            }
            self.change_program(world, year.school_year);
        }
    }

    /// Measures of schools are made of counts; without them nothing is counted.
    fn count(&self, out: &mut Out, what: Counted, institution: usize, school_year: i32) {
        if out.makes(Collection::SchoolMeasure) {
            out.count(what, institution, school_year);
        }
    }

    fn district(&self, world: &World) -> Option<usize> {
        world.state.institutions.get(self.school).and_then(|i| i.district)
    }

    fn other_school(&mut self, world: &World) -> Option<usize> {
        let district = self.district(world).and_then(|d| world.state.districts.get(d));
        let near = district.filter(|d| d.schools.len() > 1 && self.person.rng.chance(world.sources.rates.mobility.same_district));
        let schools = near.map_or(&world.state.schools, |d| &d.schools);
        Some(self.person.rng.pick(schools)).filter(|s| *s != self.school)
    }

    /// A pupil who moved goes on in the same field where the new school has it, begins another, or keeps the old one.
    fn change_program(&mut self, world: &World, school_year: i32) {
        let Some(offer) = self.main.as_ref().and_then(|t| world.state.programs.get(t.program)).map(|p| p.offer) else { return };
        let Some(school) = world.state.institutions.get(self.school) else { return };
        let same = |at: &usize| {
            world.state.programs.get(*at).is_some_and(|p| p.offer == offer && p.opens <= school_year && school_year <= p.last_year)
        };
        if let Some(program) = school.programs.clone().find(same) {
            self.main = Some(Track::new(program, &mut self.person.rng));
        } else if self.person.rng.chance(0.6) {
            self.main = None;
        }
    }

    /// Picks a program where the pupil has none that is still open.
    fn choose(&mut self, world: &World, school_year: i32) {
        let open = |t: &Track| world.state.programs.get(t.program).is_some_and(|p| school_year <= p.last_year);
        self.main = self.main.take().filter(open);
        self.second = self.second.take().filter(open);
        if self.main.is_none()
            && let Some(school) = world.state.institutions.get(self.school)
        {
            let women = self.person.women(world);
            let program = world.state.choose(school.programs.clone(), school_year, women, None, &mut self.person.rng);
            self.main = program.map(|p| Track::new(p, &mut self.person.rng));
        }
        let main = self.main.as_ref().map(|t| t.program);
        self.second = self.second.take().filter(|t| Some(t.program) != main);
    }

    fn choose_second(&mut self, world: &World, school_year: i32) {
        let rates = &world.sources.rates.engagement;
        // Chosen once in a school life, over some three years.
        if self.second.is_some() || !self.person.rng.chance(rates.second_program / 3.0) {
            return;
        }
        let Some(main) = &self.main else { return };
        let rng = &mut self.person.rng;
        let place = match rng.chance(rates.elsewhere) {
            true if rng.chance(0.6) => rng.pick(&world.state.centers),
            true => rng.pick(&world.state.schools),
            false => self.school,
        };
        let Some(institution) = world.state.institutions.get(place) else { return };
        let women = self.person.women(world);
        let program = world.state.choose(institution.programs.clone(), school_year, women, Some(main.program), &mut self.person.rng);
        let mirrored = self.person.rng.chance(rates.mirrored);
        self.second = program.map(|p| if mirrored { main.mirror(p) } else { Track::new(p, &mut self.person.rng) });
    }

    fn program_year(&mut self, world: &World, out: &mut Out, year: Year) {
        let rates = &world.sources.rates;
        let at = usize::from(year.grade.saturating_sub(NINE)).min(4);
        let (active, more) = match self.interest {
            Interest::Steady => (rates.engagement.steady_year[at], rates.course.more[0]),
            Interest::Sampler => (rates.engagement.sampler_year[at], rates.course.more[1]),
            Interest::None => return,
        };
        if !self.person.rng.chance(active * self.engaged) {
            return;
        }
        self.choose(world, year.school_year);
        self.choose_second(world, year.school_year);
        let courses = 1 + i32::from(self.person.rng.chance(more)) + i32::from(self.person.rng.chance(rates.course.third));
        let flagged = self.flags_primary && self.person.rng.chance(0.8);
        let flag_second = flagged && self.person.rng.chance(0.2);
        if let Some(mut track) = self.main.take() {
            self.in_program(world, out, year, &mut track, courses, flagged.then_some(true));
            self.main = Some(track);
        }
        if let Some(mut track) = self.second.take() {
            self.in_program(world, out, year, &mut track, courses, flagged.then_some(flag_second));
            self.second = Some(track);
        }
    }

    fn in_program(&mut self, world: &World, out: &mut Out, year: Year, track: &mut Track, courses: i32, primary: Option<bool>) {
        let rates = &world.sources.rates.engagement;
        let rng = &mut self.person.rng;
        let (no_course, no_enrollment, reported) = (rng.chance(rates.no_course), rng.chance(rates.no_enrollment), rng.chance(0.6));
        let standing = match year.ends {
            Ends::Completes(date) if reported => Standing::Completed(date.or(Some(day(year.school_year, 6, 30)))),
            Ends::Leaves(date) if reported => Standing::Left(date.or(Some(day(year.school_year, 6, 30)))),
            _ => Standing::Enrolled,
        };
        if !no_enrollment || no_course {
            track.enrollment(world, out, &self.person, year.school_year, primary, standing);
        }
        if !no_course {
            let courses = if year.grade > 6 { 1 } else { courses };
            track.courses(world, out, &self.person, Term { school_year: year.school_year, grade: year.grade, courses });
        }
        if let Some(program) = world.state.programs.get(track.program) {
            self.count(out, Counted::InProgram, program.institution, year.school_year);
        }
        let at = usize::from(year.grade.saturating_sub(NINE)).min(4);
        after::work_based_learning(world, out, &mut self.person, track.program, year.school_year, at);
        after::postsecondary_credit(world, out, &mut self.person, track.program, year.school_year, at);
    }

    fn assess(&mut self, world: &World, out: &mut Out, year: Year) {
        let rates = &world.sources.rates.assessment;
        let again = self.tested.is_some_and(|first| first < year.school_year) && self.person.rng.chance(rates.retaken);
        if Some(year.grade) == rates.grade.0 || again {
            self.tested = Some(year.school_year);
            assessment::take(world, out, &mut self.person, year.school_year, year.grade);
        }
    }

    /// An exit: its row, and what follows from it.
    fn leave(&mut self, world: &World, out: &mut Out, exit: &PathExit, school_year: i32, date: Option<Day>) {
        let rates = &world.sources.rates.exit;
        // A summer diploma stands with the year that ended, or with the one that began; its date decides the year.
        let later = match exit.when {
            When::Summer => self.person.rng.chance(rates.next_row_year),
            When::Autumn => true,
            _ => false,
        };
        let row_year = (school_year + i32::from(later)).max(self.exit_row + 1);
        self.exit_row = row_year;
        let absent = self.person.rng.chance(rates.institution_absent);
        let school = world.state.institutions.get(self.school).filter(|_| !absent).map(|i| i.id.as_str());
        exit_row(out, &self.person, row_year, school, date, &exit.kind);
        let date = date.unwrap_or(day(school_year, 6, 30));
        if rates.place.contains(&exit.kind) {
            let found = after::placements(world, out, &mut self.person, Level::Secondary, quarter(date));
            if rates.completes.contains(&exit.kind) {
                follow_up::survey(world, out, &mut self.person, school_year, self.main.as_ref().map(|t| t.program), &found);
            }
        }
        let steady = self.interest == Interest::Steady && rates.completes.contains(&exit.kind);
        let chance = moved(world.sources.rates.credential.steady, world.sources.rates.credential.slope, self.person.advantage);
        if let Some(track) = self.main.as_ref().filter(|_| steady)
            && self.person.rng.chance(chance)
        {
            let program = track.program;
            let edges = [day(school_year, 6, 30), day(school_year, 7, 1), day(school_year, 8, 31), day(school_year, 9, 1)];
            after::credential(world, out, &mut self.person, program, (day(school_year, 1, 10), 200), &edges);
        }
    }
}

fn exit_row(out: &mut Out, person: &Person, school_year: i32, institution: Option<&str>, date: Option<Day>, kind: &str) {
    let Some(row) = out.row(Collection::Exit, school_year) else { return };
    row.int(school_year).code(person.id()).maybe(institution).date(date).code(kind).end();
}
