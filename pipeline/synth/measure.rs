//! Measures of program quality that schools hand over.

use super::World;
use super::calendar::grade_code;
use super::random::{Rng, Stream};
use super::row::{Collection, Out};
use super::state::Institution;
use super::tally::{Counted, Tally};
use serde::Deserialize;

/// measure.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasureRates {
    yearly: f64,
    most: f64,
    measure: Vec<Measure>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measure {
    name: String,
    of: Of,
    rate: f64,
    spread: f64,
    /// Students to a teacher, where the measure is that.
    by: Option<f64>,
    /// Students to a teacher, where teachers are counted.
    teachers: Option<f64>,
    /// Share of the schools that hand it over.
    #[serde(default = "all")]
    given: f64,
}

fn all() -> f64 {
    1.0
}

/// The students whom a measure is about.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Of(Vec<Counted>);

impl TryFrom<String> for Of {
    type Error = String;
    fn try_from(text: String) -> Result<Of, String> {
        if text == "program" {
            return Ok(Of(vec![Counted::InProgram]));
        }
        let grade =
            |g: &str| grade_code(g).map(Counted::Enrolled).ok_or_else(|| format!("`{g}` is no grade such as 09, and not `program`"));
        text.split(',').map(grade).collect::<Result<_, _>>().map(Of)
    }
}

/// Writes the measures of the schools with programs.
pub(super) fn measures(world: &World, out: &mut Out, tally: &Tally) {
    if !out.makes(Collection::SchoolMeasure) {
        return;
    }
    for year in world.options.first_year..=world.options.last_year {
        let schools = world.state.institutions.iter().enumerate().filter(|(_, i)| !i.college && !i.programs.is_empty());
        for (at, school) in schools {
            for (number, measure) in world.sources.rates.measure.measure.iter().enumerate() {
                let students = measure.of.0.iter().map(|what| tally.of(*what, at, year)).sum();
                of_school(world, out, (at, school), (number, measure), students, year);
            }
        }
    }
}

/// A school's row. A school without such students hands over 0 of 0, which is no value.
fn of_school(world: &World, out: &mut Out, school: (usize, &Institution), measure: (usize, &Measure), students: i32, year: i32) {
    let ((at, school), (number, measure)) = (school, measure);
    let rates = &world.sources.rates.measure;
    let stream = |parts: &[u64]| Rng::of(world.options.seed, Stream::Measure, parts);
    let (mut always, mut now) = (stream(&[at as u64, number as u64]), stream(&[at as u64, number as u64, year as u64]));
    if !always.chance(measure.given) {
        return;
    }
    // Most schools are near the mean, a few far from it.
    let around = |rng: &mut Rng| (rng.unit() + rng.unit() + rng.unit()) * 2.0 - 3.0;
    let rate = measure.rate + measure.spread * (around(&mut always) + rates.yearly * around(&mut now)) * 0.5;
    let hundredths = |value: f64| (value * 100.0 + 0.5) as i64;
    let whole = i64::from(students) * 100;
    let (numerator, denominator) = match (measure.by, measure.teachers) {
        (Some(by), _) => (whole, teachers(students, by * rate.max(0.3))),
        (None, Some(by)) => {
            let all = teachers(students, by);
            (part(all, rate, rates.most), all)
        }
        (None, None) => (hundredths((f64::from(students) * capped(rate, rates.most)).round()), whole),
    };
    let Some(row) = out.row(Collection::SchoolMeasure, year) else { return };
    row.int(year).code(&school.id).code(&measure.name).hundredths(numerator).hundredths(denominator).end();
}

fn capped(rate: f64, most: f64) -> f64 {
    if rate > most { 1.0 } else { rate.max(0.0) }
}

/// A part of full-time equivalents, in tenths.
fn part(hundredths: i64, rate: f64, most: f64) -> i64 {
    let rate = capped(rate, most);
    if rate >= 1.0 { hundredths } else { (hundredths as f64 * rate / 10.0) as i64 * 10 }
}

/// Full-time equivalents in hundredths, by tenths; a teacher at least where there is a student.
fn teachers(students: i32, by: f64) -> i64 {
    if students == 0 { 0 } else { ((f64::from(students) / by * 10.0 + 0.5) as i64).max(10) * 10 }
}
