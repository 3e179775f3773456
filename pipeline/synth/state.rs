//! Grantees, districts, schools, colleges and their programs.

use super::Options;
use super::random::{Rng, Stream, Weights};
use super::rates::Offer;
use super::source::Sources;
use super::words::hundredths;
use std::ops::Range;

/// A school or a college.
#[derive(Debug)]
pub(super) struct Institution {
    pub id: String,
    /// Name, and the name from a school year on.
    pub name: String,
    pub renamed: Option<(i32, String)>,
    /// The first year's row has no name.
    pub nameless_at_first: bool,
    pub college: bool,
    /// The number of its district; a college has none.
    pub district: Option<usize>,
    /// The number of its grantee where that is not its district's.
    pub grantee: Option<usize>,
    pub federal_id: String,
    /// Its place in the list of programs.
    pub programs: Range<usize>,
    /// How poor its neighbourhood is: 1 is the average.
    pub poverty: f64,
    /// Kind of terms: semesters, trimesters or whole years.
    pub calendar: usize,
}

/// A district.
#[derive(Debug)]
pub(super) struct District {
    pub id: String,
    pub name: String,
    pub grantee: usize,
    /// Another grantee from a school year on.
    pub regrouped: Option<(i32, usize)>,
    /// Its high schools and its middle school, by place in the list of institutions.
    pub schools: Vec<usize>,
    pub middle_school: usize,
}

impl District {
    /// The number of its grantee in a school year.
    pub fn grantee_in(&self, year: i32) -> usize {
        self.regrouped.filter(|(from, _)| *from <= year).map_or(self.grantee, |(_, grantee)| grantee)
    }
}

/// A grantee: a large district, a consortium, or a college.
#[derive(Debug)]
pub(super) struct Grantee {
    pub id: String,
    pub name: String,
}

/// A program of an institution.
#[derive(Debug)]
pub(super) struct Program {
    pub id: String,
    pub institution: usize,
    /// Its place in the list of offers of schools or colleges.
    pub offer: usize,
    pub female: f64,
    /// School years with a row.
    pub first_year: i32,
    pub last_year: i32,
    /// Students join from this year on; earlier than its first row only because rows begin with the first year asked for.
    pub opens: i32,
    /// The last startup year; before the first if it never was one.
    pub startup_through: i32,
    pub recoded: Option<(i32, usize)>,
    pub renamed: Option<i32>,
    /// Hundredths of credits it offers.
    pub credits: Option<i64>,
}

/// The state.
#[derive(Debug)]
pub(super) struct State {
    pub grantees: Vec<Grantee>,
    pub districts: Vec<District>,
    pub institutions: Vec<Institution>,
    pub programs: Vec<Program>,
    /// High schools by size, the skills centers, and colleges by size: places in the list of institutions.
    pub schools: Vec<usize>,
    pub centers: Vec<usize>,
    pub colleges: Vec<usize>,
    pub school_weights: Weights,
    pub college_weights: Weights,
    /// The first school year with a row and the id of programs that are new, sorted.
    pub later_programs: Vec<(i32, String)>,
}

/// Shares of the students by rank of size: a few large ones, many small ones.
fn sizes(n: usize) -> Vec<f64> {
    let rank = |i: usize| (i as f64 + 0.5) / n as f64;
    (0..n).map(|i| (1.0 - rank(i)) * (1.0 - rank(i)) / (0.3 + rank(i)) + 0.02).collect()
}

/// Names of places, each given once.
struct Places<'a> {
    sources: &'a Sources,
    order: Vec<usize>,
    next: usize,
}

impl Places<'_> {
    fn next(&mut self) -> String {
        let words = &self.sources.names.place;
        let (n, second) = (self.order.len().max(1), words.second.len().max(1));
        let combination = self.order.get(self.next % n).copied().unwrap_or(0);
        let round = self.next / n;
        self.next += 1;
        let word = |list: &[String], at: usize| list.get(at).cloned().unwrap_or_default();
        let name = word(&words.first, combination / second) + &word(&words.second, combination % second);
        let directions = words.direction.len().max(1);
        match round {
            0 => name,
            r if r <= directions => format!("{} {name}", word(&words.direction, r - 1)),
            r => format!("{} {name} {}", word(&words.direction, r % directions), r / directions + 1),
        }
    }
}

/// Draws offers so that each comes up before one comes twice as often as its weight says; the first ones cover every cluster.
struct Deck<'a> {
    offers: &'a [Offer],
    cards: Vec<usize>,
}

impl Deck<'_> {
    fn draw(&mut self, rng: &mut Rng, taken: &[usize]) -> Option<usize> {
        if !self.cards.iter().any(|c| !taken.contains(c)) {
            self.fill(rng);
        }
        let at = self.cards.iter().position(|c| !taken.contains(c))?;
        Some(self.cards.remove(at))
    }

    fn fill(&mut self, rng: &mut Rng) {
        let mut cards: Vec<usize> = self.offers.iter().enumerate().flat_map(|(i, o)| std::iter::repeat_n(i, o.weight.max(1))).collect();
        rng.shuffle(&mut cards);
        let mut seen: Vec<&str> = Vec::new();
        let first_of_cluster = |card: &usize| {
            let cluster = self.offers.get(*card).map_or("", |o| o.cluster.as_str());
            let is_new = !seen.contains(&cluster);
            seen.push(cluster);
            is_new
        };
        let (front, back): (Vec<usize>, Vec<usize>) = cards.into_iter().partition(first_of_cluster);
        self.cards.extend(front);
        self.cards.extend(back);
    }
}

struct Builder<'a> {
    options: &'a Options,
    sources: &'a Sources,
    rng: Rng,
    places: Places<'a>,
    school_deck: Deck<'a>,
    college_deck: Deck<'a>,
    state: State,
}

/// Builds the state for this many students a year.
pub(super) fn build(options: &Options, sources: &Sources) -> State {
    let mut rng = Rng::of(options.seed, Stream::State, &[]);
    let words = &sources.names.place;
    let mut order: Vec<usize> = (0..words.first.len() * words.second.len()).collect();
    rng.shuffle(&mut order);
    let state = State {
        grantees: Vec::new(),
        districts: Vec::new(),
        institutions: Vec::new(),
        programs: Vec::new(),
        schools: Vec::new(),
        centers: Vec::new(),
        colleges: Vec::new(),
        school_weights: Weights::default(),
        college_weights: Weights::default(),
        later_programs: Vec::new(),
    };
    let school_deck = Deck { offers: &sources.offers.school, cards: Vec::new() };
    let college_deck = Deck { offers: &sources.offers.college, cards: Vec::new() };
    let mut builder = Builder { options, sources, rng, places: Places { sources, order, next: 0 }, school_deck, college_deck, state };
    let pupils = options.students as f64 * (1.0 - sources.rates.population.postsecondary);
    let adults = options.students as f64 - pupils;
    builder.districts_and_schools(pupils);
    builder.two_grantees();
    builder.colleges(adults);
    builder.later_programs();
    builder.state
}

impl Builder<'_> {
    fn years(&self) -> (i32, i32) {
        (self.options.first_year, self.options.last_year)
    }

    /// A school year after the first, if there is one.
    fn some_year(&mut self) -> Option<i32> {
        let (first, last) = self.years();
        (last > first).then(|| self.rng.between(first + 1, last))
    }

    fn some_year_at(&mut self, rate: f64) -> Option<i32> {
        if self.rng.chance(rate) { self.some_year() } else { None }
    }

    fn districts_and_schools(&mut self, pupils: f64) {
        let size = &self.sources.rates.size;
        let schools = 5 + (pupils / size.students_per_school) as usize;
        let districts = ((schools as f64 / size.schools_per_district) as usize).max(3);
        let grantees = ((districts as f64 / size.districts_per_grantee) as usize).max(3);
        for at in 0..districts {
            let place = self.places.next();
            // The largest districts are grantees themselves; the others share the rest as consortia.
            let alone = grantees / 3;
            let grantee = if at < alone { at } else { alone + (at - alone) % (grantees - alone).max(1) };
            let name = format!("{place} {}", self.sources.names.kind.district);
            self.district(at, grantee, grantees, name);
        }
        for at in 0..grantees {
            let named = if at < grantees / 3 { self.state.districts.get(at).map(|d| d.name.clone()) } else { None };
            let name = named.unwrap_or_else(|| format!("{} {}", self.places.next(), self.sources.names.kind.consortium));
            self.state.grantees.push(Grantee { id: self.sources.rates.id.grantee.of(at, ""), name });
        }
        let shares = sizes(schools);
        let total: f64 = shares.iter().sum();
        for (at, share) in shares.iter().enumerate() {
            let district = if at < districts { at } else { self.rng.below(districts) };
            self.school(at, district, pupils * share / total);
        }
        self.state.school_weights = Weights::new(shares);
        self.middle_schools_and_centers(schools);
    }

    fn district(&mut self, at: usize, grantee: usize, grantees: usize, name: String) {
        let year = self.some_year_at(self.sources.rates.size.regrouped);
        let regrouped = year.filter(|_| grantees > 1).map(|y| (y, (grantee + 1) % grantees));
        let id = self.sources.rates.id.district.of(at, "");
        self.state.districts.push(District { id, name, grantee, regrouped, schools: Vec::new(), middle_school: 0 });
    }

    fn school(&mut self, rank: usize, district: usize, pupils: f64) {
        let rates = &self.sources.rates;
        let kinds = &self.sources.names.kind;
        let words = if pupils < 60.0 { &kinds.small_school } else { &kinds.high_school };
        let word = words.get(self.rng.below(words.len())).cloned().unwrap_or_default();
        let name = if rank < self.state.districts.len() { self.district_place(district) } else { self.places.next() };
        let [least, most] = rates.size.school_programs;
        let programs = ((pupils / rates.size.students_per_program) as usize).clamp(least, most.max(least));
        let at = self.institution(format!("{name} {word}"), Some(district), programs);
        self.state.schools.push(at);
        if let Some(d) = self.state.districts.get_mut(district) {
            d.schools.push(at);
        }
    }

    fn district_place(&self, district: usize) -> String {
        let name = self.state.districts.get(district).map_or("", |d| d.name.as_str());
        name.strip_suffix(&self.sources.names.kind.district).unwrap_or(name).trim_end().to_string()
    }

    fn middle_schools_and_centers(&mut self, schools: usize) {
        for district in 0..self.state.districts.len() {
            let name = format!("{} {}", self.district_place(district), self.sources.names.kind.middle_school);
            let at = self.institution(name, Some(district), 0);
            if let Some(d) = self.state.districts.get_mut(district) {
                d.middle_school = at;
            }
            if district == 0
                && let Some(first) = self.state.institutions.get_mut(at)
            {
                first.nameless_at_first = true;
            }
        }
        for center in 0..1 + schools / 16 {
            let district = (center * 7) % self.state.districts.len().max(1);
            let name = format!("{} {}", self.district_place(district), self.sources.names.kind.center);
            let at = self.institution(name, Some(district), 6);
            self.state.centers.push(at);
        }
    }

    /// A few districts have a school that another grantee pays for.
    fn two_grantees(&mut self) {
        let n = ((self.state.districts.len() as f64 * self.sources.rates.size.district_with_two_grantees) as usize).max(1);
        let grantees = self.state.grantees.len();
        let several = self.state.districts.iter().filter(|d| d.schools.len() > 1).take(n);
        let chosen: Vec<_> = several.filter_map(|d| d.schools.last().map(|s| (*s, (d.grantee + 1) % grantees))).collect();
        for (school, grantee) in chosen {
            if let Some(i) = self.state.institutions.get_mut(school) {
                i.grantee = Some(grantee);
            }
        }
    }

    fn colleges(&mut self, adults: f64) {
        let size = &self.sources.rates.size;
        let colleges = 2 + (adults / size.students_per_college) as usize;
        let shares = sizes(colleges);
        let total: f64 = shares.iter().sum();
        let [least, most] = size.college_programs;
        for (at, share) in shares.iter().enumerate() {
            let words = &self.sources.names.kind.college;
            let word = words.get(self.rng.below(words.len())).cloned().unwrap_or_default();
            let name = format!("{} {word}", self.places.next());
            let grantee = self.state.grantees.len();
            self.state.grantees.push(Grantee { id: self.sources.rates.id.grantee.of(grantee, ""), name: name.clone() });
            let programs = ((adults * share / total / size.students_per_program) as usize).clamp(least, most.max(least));
            let place = self.institution(name, None, programs);
            if let Some(i) = self.state.institutions.get_mut(place) {
                i.grantee = Some(grantee);
                i.federal_id = format!("{:06}", 900_001 + at);
            }
            self.state.colleges.push(place);
        }
        self.state.college_weights = Weights::new(shares);
    }

    fn institution(&mut self, name: String, district: Option<usize>, programs: usize) -> usize {
        let at = self.state.institutions.len();
        let rate = self.sources.rates.size.renamed;
        let renamed = self.some_year_at(rate).map(|year| (year, format!("{name} at {}", self.places.next())));
        let from = self.state.programs.len();
        self.programs(at, district.is_none(), programs);
        let ids = &self.sources.rates.id;
        let of = district.and_then(|d| self.state.districts.get(d));
        self.state.institutions.push(Institution {
            id: of.map_or_else(|| ids.college.of(at, ""), |d| ids.school.of(at, &d.id)),
            name,
            renamed,
            nameless_at_first: false,
            college: district.is_none(),
            district,
            grantee: None,
            federal_id: district.map_or(String::new(), |d| format!("{}{:05}", self.sources.rates.nces_prefix, 1 + d)),
            programs: from..self.state.programs.len(),
            poverty: 0.6 + 0.8 * self.rng.unit(),
            calendar: self.rng.below(3),
        });
        at
    }

    fn programs(&mut self, institution: usize, college: bool, n: usize) {
        let mut taken = Vec::new();
        for _ in 0..n {
            // The deck goes on where the institution before stopped, so that a state has every program before it has one often.
            let deck = if college { &mut self.college_deck } else { &mut self.school_deck };
            let offers = deck.offers;
            let Some(offer) = deck.draw(&mut self.rng, &taken) else { break };
            taken.push(offer);
            self.program(institution, offers, offer);
        }
    }

    fn program(&mut self, institution: usize, offers: &[Offer], at: usize) {
        let Some(offer) = offers.get(at) else { return };
        let rates = &self.sources.rates.program;
        let (first, last) = self.years();
        let new = self.some_year_at(rates.new);
        let startup_through =
            if self.rng.chance(rates.startup) { i32::MAX } else { new.map_or(i32::MIN, |year| year + self.rng.between(0, 2)) };
        let closed = self.some_year_at(rates.closed).filter(|y| new.is_none_or(|n| *y > n));
        let recoded = self.some_year_at(rates.recoded).map(|y| (y, self.rng.below(offers.len())));
        let credits: Vec<i64> = offer.credits.iter().filter_map(|c| hundredths(&format!("{c:.2}"))).collect();
        let renamed = self.some_year_at(rates.renamed);
        self.state.programs.push(Program {
            id: self.sources.rates.id.program.of(self.state.programs.len(), ""),
            institution,
            offer: at,
            female: offer.female,
            first_year: new.unwrap_or(first),
            last_year: closed.unwrap_or(last),
            opens: new.unwrap_or(i32::MIN),
            startup_through,
            recoded,
            renamed,
            credits: if credits.is_empty() || self.rng.chance(0.03) { None } else { Some(self.rng.pick(&credits)) },
        });
    }

    fn later_programs(&mut self) {
        let first = self.options.first_year;
        let later = self.state.programs.iter().filter(|p| p.first_year > first).map(|p| (p.first_year, p.id.clone()));
        let mut later: Vec<_> = later.collect();
        later.sort();
        self.state.later_programs = later;
    }
}

impl State {
    /// A program of these that a student of this gender may choose in a school year; one named is left out.
    pub fn choose(&self, of: Range<usize>, school_year: i32, women: Option<bool>, without: Option<usize>, rng: &mut Rng) -> Option<usize> {
        let weight = |at: usize| {
            let open = |p: &&Program| p.opens <= school_year && school_year <= p.last_year && Some(at) != without;
            let share = |p: &Program| match women {
                Some(true) => p.female,
                Some(false) => 1.0 - p.female,
                None => 0.5,
            };
            self.programs.get(at).filter(open).map_or(0.0, share)
        };
        let total: f64 = of.clone().map(weight).sum();
        let mut left = rng.unit() * total;
        if total <= 0.0 {
            return None;
        }
        for at in of.clone() {
            let w = weight(at);
            if w > 0.0 && left < w {
                return Some(at);
            }
            left -= w;
        }
        of.rev().find(|at| weight(*at) > 0.0)
    }
}
