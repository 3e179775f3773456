//! CTE districts: the towns that are their members, how they choose their pupils, and the seats they report.

use super::admission::AdmissionRates;
use super::random::{Rng, Stream};
use super::row::{Collection, Out};
use super::source::Sources;
use super::state::State;
use super::tally::{Counted, Tally};
use super::{Options, World};
use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How a CTE district chooses, as in admission.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Practice {
    #[serde(rename = "name")]
    _name: String,
    pub lottery: String,
    pub apportionment: bool,
    /// Whether more apply than there are seats.
    pub scarce: bool,
    /// Entry years in a row in which it keeps groups out, and in which it does not.
    #[serde(default)]
    years: [i32; 2],
    #[serde(default)]
    of_color: f64,
    #[serde(default)]
    flags: BTreeMap<String, f64>,
}

/// The lottery of districts that hold none, and of late applicants.
pub(super) const NO_LOTTERY: &str = "none";

/// A CTE district.
#[derive(Debug)]
pub(super) struct Region {
    pub district: usize,
    /// Its place in the list of practices.
    pub practice: usize,
    /// The districts that send pupils; itself if there is none.
    pub members: Vec<usize>,
}

/// All CTE districts.
#[derive(Debug)]
pub(super) struct Regions {
    pub regions: Vec<Region>,
    /// For each district, the region that its towns belong to.
    of_district: Vec<usize>,
    /// For each district, its towns.
    pub towns: Vec<Vec<String>>,
    /// For each practice, the flags that it looks at, and the share of those with it whom it turns away.
    flags: Vec<Vec<(usize, f64)>>,
    /// For each race, whether it is one of color.
    of_color: Vec<bool>,
}

/// Chooses the CTE districts and gives each of the others to one of them.
pub(super) fn build(options: &Options, sources: &Sources, state: &State) -> Result<Regions> {
    let rates = &sources.rates.admission;
    let mut regions: Vec<Region> = Vec::new();
    let districts = state.districts.len();
    for district in (rates.first.min(districts.saturating_sub(1))..districts).step_by(rates.every.max(1)) {
        let practice = regions.len() % rates.practice.len().max(1);
        regions.push(Region { district, practice, members: Vec::new() });
    }
    let mut of_district = vec![0; districts];
    for (number, region) in regions.iter().enumerate() {
        of_district.iter_mut().skip(region.district).take(1).for_each(|of| *of = number);
    }
    let sends: Vec<usize> = (0..districts).filter(|d| regions.iter().all(|r| r.district != *d)).collect();
    for (at, district) in sends.into_iter().enumerate() {
        let number = at % regions.len().max(1);
        of_district.iter_mut().skip(district).take(1).for_each(|of| *of = number);
        regions.iter_mut().skip(number).take(1).for_each(|region| region.members.push(district));
    }
    regions.iter_mut().filter(|r| r.members.is_empty()).for_each(|r| r.members.push(r.district));
    let flags = rates.practice.iter().map(|p| flags(p, sources)).collect::<Result<_>>()?;
    let of_color = sources.rates.race.keys().map(|race| !rates.not_of_color.contains(race)).collect();
    Ok(Regions { regions, of_district, towns: towns(options, sources, state), flags, of_color })
}

fn flags(practice: &Practice, sources: &Sources) -> Result<Vec<(usize, f64)>> {
    let flag = |(name, share): (&String, &f64)| {
        let at = sources.rates.flag.iter().position(|f| f.name == *name);
        at.map(|at| (at, *share)).ok_or_else(|| Error::Config(format!("data/synth/admission.toml: there is no [[flag]] named `{name}`")))
    };
    practice.flags.iter().map(flag).collect()
}

/// A district's towns: that of its name, and some around it.
fn towns(options: &Options, sources: &Sources, state: &State) -> Vec<Vec<String>> {
    let [least, most] = sources.rates.admission.towns;
    let mut rng = Rng::of(options.seed, Stream::Region, &[]);
    let town = |name: &str| name.strip_suffix(&sources.names.kind.district).unwrap_or(name).trim_end().to_string();
    let mut of_district = |name: String| {
        let n = rng.between(least, most).max(1) as usize - 1;
        let around = sources.names.place.direction.iter().take(n).map(|direction| format!("{direction} {name}"));
        std::iter::once(name.clone()).chain(around).collect()
    };
    state.districts.iter().map(|d| of_district(town(&d.name))).collect()
}

impl Regions {
    /// The number of the region that a district's towns belong to.
    pub fn number(&self, district: usize) -> usize {
        self.of_district.get(district).copied().unwrap_or(0)
    }

    /// The practice of a region.
    pub fn practice<'w>(&self, rates: &'w AdmissionRates, region: usize) -> Option<&'w Practice> {
        self.regions.get(region).and_then(|r| rates.practice.get(r.practice))
    }

    /// The share of the applicants of a race, with flags, whom a region turns away from an entry year.
    pub fn turns_away(&self, rates: &AdmissionRates, region: usize, entry: i32, race: usize, has: impl Fn(usize) -> bool) -> f64 {
        let Some(practice) = self.practice(rates, region) else { return 0.0 };
        let [on, off] = practice.years;
        if on == 0 || (entry + region as i32).rem_euclid(on + off) >= on {
            return 0.0;
        }
        let of_color = if self.of_color.get(race) == Some(&true) { practice.of_color } else { 0.0 };
        let flags = self.regions.get(region).and_then(|r| self.flags.get(r.practice)).map_or(&[][..], Vec::as_slice);
        flags.iter().filter(|(flag, _)| has(*flag)).fold(of_color, |most, (_, share)| most.max(*share))
    }
}

/// What the districts report of their seats.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeatRates {
    ample: Vec<i32>,
    unfilled: f64,
    unfilled_seats: [i32; 2],
    absent: f64,
    other_district: f64,
    other_seats: [i32; 2],
}

/// Writes the admission procedures of each entry year.
pub(super) fn procedures(world: &World, out: &mut Out, tally: &Tally) {
    let Some(regions) = &world.regions else { return };
    for year in world.options.first_year..=world.options.last_year {
        for (at, district) in world.state.districts.iter().enumerate() {
            let Some((seats, apportionment, lottery)) = procedure(world, regions, tally, at, year) else { continue };
            let Some(row) = out.row(Collection::AdmissionProcedure, year) else { continue };
            row.int(year).code(&district.id).int(seats).flag(Some(apportionment)).code(lottery).end();
        }
    }
}

/// What a district reports: seats, whether they are apportioned, and the lottery. Some of the districts that send fill their own programs.
fn procedure<'w>(world: &'w World, regions: &Regions, tally: &Tally, at: usize, year: i32) -> Option<(i32, bool, &'w str)> {
    let rates = &world.sources.rates.admission;
    let stream = |parts: &[u64]| Rng::of(world.options.seed, Stream::Region, parts);
    let number = regions.number(at);
    if regions.regions.get(number).is_none_or(|r| r.district != at) {
        let mut rng = stream(&[at as u64]);
        let [least, most] = rates.seats.other_seats;
        return rng.chance(rates.seats.other_district).then(|| (rng.between(least, most), false, NO_LOTTERY));
    }
    let practice = regions.practice(rates, number)?;
    let mut rng = stream(&[at as u64, year as u64]);
    if rng.chance(rates.seats.absent) {
        return None;
    }
    let (applicants, accepted) = (tally.of(Counted::Applicant, at, year), tally.of(Counted::Accepted, at, year));
    Some((seats(&rates.seats, practice, &mut rng, (applicants, accepted, year)), practice.apportionment, &practice.lottery))
}

/// Seats, so that all who were accepted have one: around the number of applicants where all find one, as many as were accepted, or a few
/// more, where they are scarce.
fn seats(rates: &SeatRates, practice: &Practice, rng: &mut Rng, (applicants, accepted, year): (i32, i32, i32)) -> i32 {
    let [unfilled, most_unfilled] = rates.unfilled_seats;
    let turn = year.rem_euclid(rates.ample.len().max(1) as i32) as usize;
    let seats = match practice.scarce {
        false => applicants + rates.ample.get(turn).unwrap_or(&0),
        true if rng.chance(rates.unfilled) => accepted + rng.between(unfilled, most_unfilled),
        true => accepted,
    };
    seats.max(accepted)
}
