//! Synthetic raw collections (`perkins synth`): any number of students and years, the same bytes for the same options on any
//! machine and any number of threads. Each student's life is made from the student's own number, and written at once to the pages
//! of all the school years it touches, so memory does not grow with the size. What is not of students is made last, from counts of their
//! rows. The rates, names and programs are data (data/synth), and so is which domains of contracts a jurisdiction collects; columns,
//! types, codes and keys come from the contracts (data/contract).

mod admission;
mod adult;
mod after;
mod assessment;
mod calendar;
mod contract;
mod course;
mod dirt;
mod fiscal;
mod follow_up;
mod measure;
mod pell;
mod person;
mod pupil;
mod random;
mod rates;
mod reference;
mod region;
mod row;
mod source;
mod state;
mod subaward;
mod tally;
mod words;
mod write;

use crate::error::{Error, Result};
use contract::Contract;
use random::Weights;
use rates::LifePath;
use region::Regions;
use row::{Collection, Places};
use source::Sources;
use state::State;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Students in each school year, of all levels of education.
    pub students: u64,
    /// First school year.
    pub first_year: i32,
    /// Last school year.
    pub last_year: i32,
    /// Another seed gives another state.
    pub seed: u64,
    /// Whose rates to use: a file in data/synth/jurisdiction.
    pub jurisdiction: String,
    /// The folder to write, which must be empty or not there.
    pub out: PathBuf,
    /// Files for each big collection and school year.
    pub files_per_collection: usize,
    /// Share of the rows of each big collection to spoil, each in a way that the checks on the way in look for; 0.005 stays below
    /// their 1 % limit.
    pub dirt: f64,
    /// Also write `target`: the state's shipped levels, and own ones of a few grantees.
    pub targets: bool,
    /// Threads to use; 0 for all cores. The result does not depend on it.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            students: 5000,
            first_year: 2019,
            last_year: 2024,
            seed: 1,
            jurisdiction: "federal".into(),
            out: PathBuf::from("data/raw"),
            files_per_collection: 1,
            dirt: 0.0,
            targets: false,
            threads: 0,
        }
    }
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its path below the folder, with `/`.
    pub path: String,
    /// The collection.
    pub collection: String,
    /// Rows, without the header.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
}

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The files, by collection, year and part.
    pub files: Vec<Written>,
}

impl Summary {
    /// Rows of all files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|f| f.rows).sum()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.bytes).sum()
    }

    /// Files, rows and bytes of each collection.
    pub fn by_collection(&self) -> BTreeMap<&str, (usize, u64, u64)> {
        let mut by = BTreeMap::new();
        for file in &self.files {
            let (files, rows, bytes) = by.entry(file.collection.as_str()).or_default();
            (*files, *rows, *bytes) = (*files + 1, *rows + file.rows, *bytes + file.bytes);
        }
        by
    }
}

/// Makes the collections.
pub fn synth(options: &Options) -> Result<Summary> {
    check(options)?;
    let world = World::new(options)?;
    empty_folder(&options.out)?;
    let mut files = Vec::new();
    for (collection, page) in reference::files(options, &world.sources, &world.state)? {
        let path = format!("{collection}.csv");
        let whole = options.out.join(&path);
        fs::write(&whole, &page.bytes).map_err(|e| Error::io("write", &whole, e))?;
        files.push(Written { path, collection: collection.into(), rows: page.rows, bytes: page.bytes.len() as u64 });
    }
    files.extend(write::years(&world)?);
    files.sort_by(|a, b| (&a.collection, &a.path).cmp(&(&b.collection, &b.path)));
    Ok(Summary { files })
}

fn check(options: &Options) -> Result<()> {
    let wrong = |what: String| Err(Error::Config(what));
    if options.students == 0 || options.students > 50_000_000 {
        return wrong(format!("--students {}: give a number from 1 to 50000000", options.students));
    }
    if options.first_year > options.last_year {
        return wrong(format!("--years {}..{}: the first year is after the last", options.first_year, options.last_year));
    }
    if options.first_year < 1990 || options.last_year > 2100 {
        return wrong(format!("--years {}..{}: school years are from 1990 to 2100", options.first_year, options.last_year));
    }
    if !(0.0..=0.5).contains(&options.dirt) {
        return wrong(format!("--dirt {}: give a share of the rows, from 0 to 0.5", options.dirt));
    }
    if !(1..=1000).contains(&options.files_per_collection) {
        return wrong(format!("--files-per-collection {}: give a number from 1 to 1000", options.files_per_collection));
    }
    Ok(())
}

/// Makes the folder, or refuses one with something in it: a mixture of two sets of collections would be of no use.
fn empty_folder(folder: &Path) -> Result<()> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            Some(_) => {
                Err(Error::Config(format!("{} is not empty; choose a new folder with --out, or empty this one first", folder.display())))
            }
            None => Ok(()),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
            Err(Error::Config(format!("{} is a file; choose a folder with --out", folder.display())))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, e)),
        Err(e) => Err(Error::io("read", folder, e)),
    }
}

/// Everything that all students share.
#[derive(Debug)]
struct World {
    options: Options,
    sources: Sources,
    state: State,
    /// CTE districts, where applications to them are collected.
    regions: Option<Regions>,
    ways: Option<dirt::Ways>,
    headers: Vec<String>,
    places: Places,
    /// The flag that makes a Pell grant likely.
    poor: Option<usize>,
    gender_codes: Vec<String>,
    gender_effects: Vec<f64>,
    genders: [Weights; 2],
    race_codes: Vec<String>,
    race_effects: Vec<f64>,
    races: [Weights; 2],
    unknown_race: usize,
    /// For each yes-or-no field of `student`, the flag of that name.
    flag_fields: Vec<Option<usize>>,
    implied: Vec<(usize, usize)>,
    /// The flags that some ways through school need.
    needed: Vec<usize>,
    /// The ways through school, by which of the needed flags a pupil has and by advantage.
    paths: Vec<Weights>,
    /// The flag that lets a pupil take another kind of assessment.
    assessed_otherwise: Option<usize>,
    levels: [Weights; 3],
    college_years: Weights,
    /// Pupils who enter grade 9, and students who enter college, in a year.
    pupils_per_cohort: u32,
    adults_per_entry: u32,
}

/// Steps of advantage for which the weights of ways through school are made: from -2 to 2 by halves.
const STEPS: i32 = 9;

impl World {
    fn new(options: &Options) -> Result<World> {
        let sources = source::load(&options.jurisdiction)?;
        let state = state::build(options, &sources);
        let contracts = row::contracts()?;
        let student = Contract::of("student")?;
        let rates = &sources.rates;
        let flag = |name: &str| rates.flag.iter().position(|f| f.name == name);
        let named =
            |name: &String| flag(name).ok_or_else(|| Error::Config(format!("data/synth/rates.toml: there is no [[flag]] named `{name}`")));
        let mut implied = Vec::new();
        for (at, f) in rates.flag.iter().enumerate() {
            if let Some(name) = &f.implies {
                implied.push((at, named(name)?));
            }
        }
        let mut needed: Vec<usize> = rates.path.iter().filter_map(|p| p.needs.as_ref()).map(named).collect::<Result<_>>()?;
        needed.sort_unstable();
        needed.dedup();
        let pair = |at: usize, map: &BTreeMap<String, rates::Pair>| Weights::new(map.values().map(|p| p[at]));
        let effects = |codes: &BTreeMap<String, rates::Pair>, effects: &BTreeMap<String, f64>| {
            codes.keys().map(|code| effects.get(code).copied().unwrap_or(0.0)).collect()
        };
        let booleans = student.fields.iter().filter(|f| f.kind == "boolean");
        let places = places(&contracts, rates);
        let admits = places.get(Collection::Application as usize).is_some_and(Option::is_some);
        let mut world = World {
            ways: if options.dirt > 0.0 { Some(dirt::Ways::new(options.dirt)?) } else { None },
            regions: if admits { Some(region::build(options, &sources, &state)?) } else { None },
            headers: contracts.iter().map(Contract::header).collect(),
            places,
            poor: flag(&rates.pell.needs),
            gender_codes: rates.gender.keys().cloned().collect(),
            gender_effects: effects(&rates.gender, &rates.gender_effect),
            genders: [pair(0, &rates.gender), pair(1, &rates.gender)],
            race_codes: rates.race.keys().cloned().collect(),
            race_effects: effects(&rates.race, &rates.race_effect),
            races: [pair(0, &rates.race), pair(1, &rates.race)],
            // The race that no pupil is given, where there is one.
            unknown_race: rates.race.values().position(|p| p[0] <= 0.0).unwrap_or(0),
            flag_fields: booleans.map(|f| flag(&f.name)).collect(),
            implied,
            paths: paths(rates, &needed, flag),
            needed,
            assessed_otherwise: flag(&rates.assessment.needs),
            levels: rates.course.levels.map(Weights::new),
            college_years: Weights::new(rates.college.years),
            pupils_per_cohort: 0,
            adults_per_entry: 0,
            options: options.clone(),
            state,
            sources,
        };
        world.entrants();
        Ok(world)
    }

    /// How many enter in a year, so that as many as asked for are there in a year.
    fn entrants(&mut self) {
        let rates = &self.sources.rates;
        let flag_rate = |name: &Option<String>| {
            let flag = name.as_ref().and_then(|n| rates.flag.iter().find(|f| f.name == *n));
            if name.is_some() { flag.map_or(0.0, |f| f.rate[0]) } else { 1.0 }
        };
        let share = |p: &LifePath| p.weight * flag_rate(&p.needs);
        let all: f64 = rates.path.iter().map(share).sum();
        let mean = |value: &dyn Fn(&LifePath) -> f64| rates.path.iter().map(|p| share(p) * value(p)).sum::<f64>() / all;
        let years = mean(&|p| p.grades.iter().filter(|g| g.0.is_some()).count() as f64);
        let earlier = rates.population.middle_earlier;
        let middle = rates.population.middle * (1.0 + earlier + earlier * earlier);
        let students = self.options.students as f64;
        let pupils = students * (1.0 - rates.population.postsecondary) / (years + middle);
        let graduates = mean(&|p| p.exits.iter().filter(|e| rates.exit.completes.contains(&e.kind)).count() as f64);
        let college_years = self.mean_college_years();
        let continuing = pupils * graduates * rates.population.continues * college_years;
        let adults = (students * rates.population.postsecondary - continuing) / college_years;
        self.pupils_per_cohort = (pupils + 0.5).max(1.0) as u32;
        self.adults_per_entry = (adults + 0.5).max(1.0) as u32;
    }

    /// Programs of fewer than 12 credits take a year.
    fn mean_college_years(&self) -> f64 {
        let long: f64 = self.sources.rates.college.years.iter().zip(1..).map(|(share, years)| share * f64::from(years)).sum();
        let college = |p: &&state::Program| self.state.institutions.get(p.institution).is_some_and(|i| i.college);
        let (mut short, mut all) = (0.0, 0.0);
        for program in self.state.programs.iter().filter(college) {
            all += 0.5;
            short += if adult::is_short(program) { 0.5 } else { 0.0 };
        }
        let short = if all > 0.0 { short / all } else { 0.0 };
        short + (1.0 - short) * long
    }

    /// Whether people of a gender choose by a program's share of women (yes), by the rest (no) or by neither.
    fn women(&self, gender: usize) -> Option<bool> {
        match self.gender_codes.get(gender).map(String::as_str) {
            Some("F") => Some(true),
            Some("M") => Some(false),
            _ => None,
        }
    }

    /// The first letters of a program's course codes.
    fn code_of(&self, program: &state::Program) -> &str {
        let college = self.state.institutions.get(program.institution).is_some_and(|i| i.college);
        let offers = if college { &self.sources.offers.college } else { &self.sources.offers.school };
        offers.get(program.offer).map_or("", |o| &o.code)
    }

    /// The way through school of a pupil.
    fn path(&self, person: &mut person::Person) -> Option<&LifePath> {
        let flags = self.needed.iter().enumerate().map(|(bit, flag)| usize::from(person.has(*flag)) << bit).sum::<usize>();
        let step = ((person.advantage * 2.0) as i32 + STEPS / 2).clamp(0, STEPS - 1) as usize;
        let weights = self.paths.get(flags * STEPS as usize + step)?;
        self.sources.rates.path.get(weights.draw(&mut person.rng))
    }
}

/// The collections of the jurisdiction's domains, numbered.
fn places(contracts: &[Contract], rates: &rates::Rates) -> Places {
    let mut places = [None; Collection::ALL.len()];
    let made = places.iter_mut().zip(contracts).filter(|(_, c)| rates.domains.contains(&c.domain));
    made.enumerate().for_each(|(number, (place, _))| *place = Some(number));
    places
}

fn paths(rates: &rates::Rates, needed: &[usize], flag: impl Fn(&str) -> Option<usize>) -> Vec<Weights> {
    let mut all = Vec::new();
    for flags in 0..1usize << needed.len() {
        for step in 0..STEPS {
            let advantage = f64::from(step - STEPS / 2) / 2.0;
            let weight = |p: &LifePath| {
                let need = p.needs.as_deref().and_then(&flag).and_then(|f| needed.iter().position(|n| *n == f));
                let able = need.is_none_or(|bit| flags >> bit & 1 == 1);
                if able { p.weight * (1.0 + p.slope * advantage).max(0.05) } else { 0.0 }
            };
            all.push(Weights::new(rates.path.iter().map(weight)));
        }
    }
    all
}
