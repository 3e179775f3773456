//! Who a student is, and the `student` and `enrollment` rows that say so.

use super::World;
use super::calendar::{Day, GRADES};
use super::random::Rng;
use super::row::{Collection, Out, digits};

/// A student.
#[derive(Debug, Clone)]
pub(super) struct Person<'w> {
    pub rng: Rng,
    id: [u8; 10],
    first_name: &'w str,
    last_name: &'w str,
    birth: Day,
    gender: usize,
    race: usize,
    /// By place in the list of flags.
    flags: u32,
    /// See rates.toml.
    pub advantage: f64,
    /// The last quarter for which placements were written: none is said twice.
    pub placed_until: i32,
}

/// A level of education, as in `student`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Middle,
    Secondary,
    Postsecondary,
}

impl Level {
    fn code(self) -> &'static str {
        match self {
            Level::Middle => "middle",
            Level::Secondary => "secondary",
            Level::Postsecondary => "postsecondary",
        }
    }

    /// Which of a pair of rates counts.
    pub fn pair(self) -> usize {
        usize::from(self == Level::Postsecondary)
    }
}

impl<'w> Person<'w> {
    /// A person born on about this day. The number is the person's own; ids follow from it in no helpful order and all have ten digits.
    pub fn new(world: &'w World, mut rng: Rng, number: u32, level: Level, birth: Day, poverty: f64) -> Person<'w> {
        let mut text = Vec::with_capacity(10);
        // An odd factor permutes the 32-bit numbers, so that no two people share an id.
        digits(&mut text, number.wrapping_mul(2_654_435_761), 10);
        let id = text.try_into().unwrap_or([b'0'; 10]);
        let gender = world.genders[level.pair()].draw(&mut rng);
        let race = world.races[level.pair()].draw(&mut rng);
        let names = &world.sources.names.person;
        let first = match world.women(gender) {
            _ if rng.chance(0.12) => &names.any,
            Some(true) => &names.female,
            Some(false) => &names.male,
            None => &names.any,
        };
        let some = |list: &'w [String], rng: &mut Rng| list.get(rng.below(list.len())).map_or("", String::as_str);
        let (first_name, last_name) = (some(first, &mut rng), some(&names.last, &mut rng));
        let mut person = Person { rng, id, first_name, last_name, birth, gender, race, flags: 0, advantage: 0.0, placed_until: 0 };
        person.groups(world, level, poverty);
        person
    }

    fn groups(&mut self, world: &World, level: Level, poverty: f64) {
        let pair = level.pair();
        for (at, flag) in world.sources.rates.flag.iter().enumerate() {
            let by_race = world.race_codes.get(self.race).and_then(|r| flag.races.get(r)).copied().unwrap_or(1.0);
            let poverty = if flag.poverty { poverty } else { 1.0 };
            if self.rng.chance(flag.rate[pair] * by_race * poverty) {
                self.flags |= 1 << at;
            }
        }
        self.implied(world);
        let of_flags = world.sources.rates.flag.iter().enumerate().filter(|(at, _)| self.has(*at)).map(|(_, f)| f.effect).sum::<f64>();
        let of_groups = world.gender_effects.get(self.gender).unwrap_or(&0.0) + world.race_effects.get(self.race).unwrap_or(&0.0);
        let by_chance = (self.rng.unit() + self.rng.unit() + self.rng.unit() - 1.5) * 1.3;
        // 0.3 makes up for the effects, most of which are below 0.
        self.advantage = of_flags + of_groups + by_chance + 0.3 + (1.0 - poverty) * 0.5;
    }

    fn implied(&mut self, world: &World) {
        for (flag, implied) in &world.implied {
            // Some agencies fill in the narrower flag only; that asks for a look.
            if self.has(*flag) && !self.rng.chance(world.sources.rates.oddity.military_not_armed_forces) {
                self.flags |= 1 << implied;
            }
        }
    }

    /// Whether the student has the flag at this place.
    pub fn has(&self, flag: usize) -> bool {
        self.flags >> flag & 1 == 1
    }

    /// The place of the student's race in the list of races.
    pub fn race(&self) -> usize {
        self.race
    }

    /// Women choose programs by their share of women, men by its rest, others by chance.
    pub fn women(&self, world: &World) -> Option<bool> {
        world.women(self.gender)
    }

    /// The id.
    pub fn id(&self) -> &str {
        std::str::from_utf8(&self.id).unwrap_or_default()
    }

    /// A year passes: poverty comes and goes, English is learned, and now and then a record changes.
    pub fn grow(&mut self, world: &World, level: Level) {
        let mut left = self.rng.unit();
        for (at, flag) in world.sources.rates.flag.iter().enumerate().filter(|(_, f)| f.change > 0.0) {
            // Rare flags must turn off more often than on, or every second student would have had them in the end.
            let turns = if self.has(at) { flag.change * 4.0 } else { flag.change * flag.rate[level.pair()] };
            if left < turns {
                self.flags ^= 1 << at;
                self.implied(world);
                break;
            }
            left -= turns;
        }
        let oddity = &world.sources.rates.oddity;
        if self.rng.chance(oddity.gender_changes) {
            self.gender = world.genders[level.pair()].draw(&mut self.rng);
        }
        if self.rng.chance(oddity.race_changes) {
            self.race = world.races[level.pair()].draw(&mut self.rng);
        }
    }

    /// Writes the student's row of a school year.
    pub fn student_row(&mut self, world: &World, out: &mut Out, school_year: i32, level: Level, cohort: Option<i32>) {
        let rates = &world.sources.rates;
        let unknown = level != Level::Postsecondary && self.rng.chance(rates.oddity.race_unknown);
        let race = if unknown { world.unknown_race } else { self.race };
        let mut absent = 0u32;
        for (at, flag) in rates.flag.iter().enumerate().filter(|(_, f)| f.absent > 0.0) {
            absent |= u32::from(self.rng.chance(flag.absent)) << at;
        }
        let Some(row) = out.row(Collection::Student, school_year) else { return };
        let row = row.int(school_year).code(self.id()).code(level.code()).text(self.first_name).text(self.last_name).date(Some(self.birth));
        let row = if let Some(cohort) = cohort { row.int(cohort) } else { row.null() };
        let mut row = row.code(world.gender_codes.get(self.gender).map_or("", |g| g)).code(world.race_codes.get(race).map_or("", |r| r));
        for flag in &world.flag_fields {
            row = row.flag(flag.filter(|at| absent >> at & 1 == 0).map(|at| self.has(at)));
        }
        row.end();
    }

    /// Writes an enrollment row.
    pub fn enrollment_row(&mut self, out: &mut Out, school_year: i32, institution: &str, grade: u8, out_of_district: Option<bool>) {
        let Some(row) = out.row(Collection::Enrollment, school_year) else { return };
        let grade = GRADES.get(usize::from(grade)).copied().unwrap_or_default();
        row.int(school_year).code(self.id()).code(institution).code(grade).flag(out_of_district).end();
    }
}
