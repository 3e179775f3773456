//! Subawards: the formula's dollars of each district and college, and what they or their consortium are awarded.

use super::World;
use super::random::{Rng, Stream};
use super::row::{Collection, Out};
use std::collections::BTreeMap;

/// Someone who is eligible.
struct Recipient<'w> {
    id: &'w str,
    name: &'w str,
    federal_id: &'w str,
    /// Those with the same one are a consortium.
    grantee: usize,
    share: f64,
    /// By the formula, in cents.
    formula: i64,
}

const COLLEGES: &str = "132";
const SECTIONS: [&str; 2] = ["131", COLLEGES];

/// Writes the subawards of a program year: so many cents to districts, and to colleges.
pub(super) fn subawards(world: &World, out: &mut Out, year: i32, amounts: [i64; 2]) {
    for (section, (recipients, amount)) in [districts(world, year), colleges(world, year)].into_iter().zip(amounts).enumerate() {
        let mut recipients = formula(recipients, amount);
        if SECTIONS.get(section) == Some(&COLLEGES) {
            join_small(world, section, &mut recipients);
        }
        write(world, out, year, section, &recipients);
    }
}

/// Eligible are the districts, by the pupils of their schools and how poor these are.
fn districts(world: &World, year: i32) -> Vec<Recipient<'_>> {
    let poverty = world.sources.rates.fiscal.poverty;
    let mut shares = vec![0.0; world.state.districts.len()];
    for (rank, school) in world.state.schools.iter().filter_map(|s| world.state.institutions.get(*s)).enumerate() {
        let part = world.state.school_weights.of(rank) * (1.0 - poverty + poverty * school.poverty);
        school.district.and_then(|d| shares.get_mut(d)).into_iter().for_each(|share| *share += part);
    }
    let mut recipients = Vec::new();
    for (at, (district, share)) in world.state.districts.iter().zip(shares).enumerate() {
        let federal_id = world.state.institutions.get(district.middle_school).map_or("", |i| i.federal_id.as_str());
        let share = share * yearly(world, year, [0, at as u64]);
        let (id, name, grantee) = (district.id.as_str(), district.name.as_str(), district.grantee_in(year));
        recipients.push(Recipient { id, name, federal_id, grantee, share, formula: 0 });
    }
    recipients
}

/// Eligible are the colleges, by their students; where there are several, the two smallest are a consortium.
fn colleges(world: &World, year: i32) -> Vec<Recipient<'_>> {
    let mut recipients = Vec::new();
    let several = world.state.colleges.len() >= world.sources.rates.fiscal.college_consortium;
    for (rank, college) in world.state.colleges.iter().filter_map(|c| world.state.institutions.get(*c)).enumerate() {
        let rank_of_grantee = if several && rank + 1 == world.state.colleges.len() { rank - 1 } else { rank };
        let share = world.state.college_weights.of(rank) * yearly(world, year, [1, rank as u64]);
        let Some(grantee) = college.grantee.and_then(|g| world.state.grantees.get(g)) else { continue };
        let (id, name, federal_id) = (grantee.id.as_str(), college.name.as_str(), college.federal_id.as_str());
        recipients.push(Recipient { id, name, federal_id, grantee: rank_of_grantee, share, formula: 0 });
    }
    recipients
}

fn yearly(world: &World, year: i32, [section, at]: [u64; 2]) -> f64 {
    let mut rng = Rng::of(world.options.seed, Stream::Fiscal, &[section, at, year as u64]);
    1.0 + world.sources.rates.fiscal.yearly * (rng.unit() - 0.5)
}

/// Shares the amount out, to the cent: the first has what rounding leaves.
fn formula(mut recipients: Vec<Recipient>, amount: i64) -> Vec<Recipient> {
    let all: f64 = recipients.iter().map(|r| r.share).sum();
    for recipient in &mut recipients {
        recipient.formula = (amount as f64 * recipient.share / all) as i64;
    }
    let left = amount - recipients.iter().map(|r| r.formula).sum::<i64>();
    recipients.iter_mut().take(1).for_each(|first| first.formula += left);
    recipients
}

/// Colleges that would get less than the least are in the consortium of the smallest.
fn join_small(world: &World, section: usize, recipients: &mut [Recipient]) {
    let minimum = minimum(world, section);
    let Some(smallest) = recipients.last().map(|r| r.grantee) else { return };
    recipients.iter_mut().filter(|r| r.formula < minimum).for_each(|r| r.grantee = smallest);
}

/// The least that a recipient may get, in cents.
fn minimum(world: &World, section: usize) -> i64 {
    world.sources.rates.fiscal.minimum.get(section).map_or(0, |dollars| dollars * 100)
}

/// Recipients with the same grantee.
#[derive(Default)]
struct Consortium {
    members: usize,
    /// The first one, which is the fiscal agent.
    agent: usize,
    formula: i64,
}

/// Writes a section's subawards: the fiscal agent of a consortium is awarded the dollars of all.
fn write(world: &World, out: &mut Out, year: i32, section: usize, recipients: &[Recipient]) {
    let rates = &world.sources.rates.fiscal;
    let minimum = minimum(world, section);
    let reasons = rates.reasons.get(section).map_or(&[][..], Vec::as_slice);
    let name = SECTIONS.get(section).copied().unwrap_or_default();
    let mut consortia: BTreeMap<usize, Consortium> = BTreeMap::new();
    for (at, recipient) in recipients.iter().enumerate() {
        let consortium = consortia.entry(recipient.grantee).or_insert(Consortium { agent: at, ..Consortium::default() });
        (consortium.members, consortium.formula) = (consortium.members + 1, consortium.formula + recipient.formula);
    }
    for (at, recipient) in recipients.iter().enumerate() {
        let Some(consortium) = consortia.get(&recipient.grantee) else { continue };
        let (member, agent) = (consortium.members > 1, consortium.agent == at);
        let reason = match reasons.len() {
            _ if !member => 0,
            _ if recipient.formula < minimum => 1,
            n => reasons.get(recipient.grantee % n.max(1)).copied().unwrap_or(1),
        };
        let number = member.then(|| format!("C{name}-{:03}", recipient.grantee + 1));
        let award = if agent { consortium.formula } else { 0 };
        let Some(row) = out.row(Collection::Subaward, year) else { return };
        let row = row.int(year).code(name).code(recipient.id).text(recipient.name).code(recipient.federal_id);
        row.hundredths(recipient.formula).hundredths(award).int(reason).maybe(number.as_deref()).flag(member.then_some(agent)).end();
    }
}
