//! The grant: subawards, Financial Status Reports, and the allocation. Dollars are counted in cents.

use super::random::{Rng, Stream};
use super::row::{Collection, Out};
use super::words::{Words, hundredths};
use super::{World, subaward};
use crate::error::{Error, Result};
use include_dir::{Dir, include_dir};
use serde::Deserialize;

static RULES: Dir = include_dir!("$CARGO_MANIFEST_DIR/data/rule");

/// fiscal.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FiscalRates {
    award_number: String,
    accounting_basis: Words,
    least: i64,
    per_student: f64,
    growth: f64,
    local_rest: i64,
    secondary: i64,
    reserve_secondary: i64,
    pub minimum: [i64; 2],
    pub reasons: [Vec<i32>; 2],
    pub college_consortium: usize,
    pub yearly: f64,
    pub poverty: f64,
    spending: Spending,
    year: Vec<Pattern>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spending {
    interim: [f64; 2],
    obligated: f64,
    obligated_part: [f64; 2],
    all: f64,
    #[serde(rename = "final")]
    at_last: [f64; 2],
    income: f64,
    income_part: f64,
    non_federal: f64,
    later: f64,
}

/// How near the limits a year's lines are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    #[serde(rename = "name")]
    _name: String,
    reserve: i64,
    leadership: i64,
    administration: i64,
    #[serde(default)]
    administration_amount: i64,
    institutions: i64,
    nontraditional: Cents,
    #[serde(default)]
    nontraditional_cents: i64,
    recruitment: i64,
    #[serde(default)]
    cents: i64,
    #[serde(default)]
    effort: f64,
    #[serde(default)]
    matched: f64,
}

/// `150000.00` in cents.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Cents(i64);

impl TryFrom<String> for Cents {
    type Error = String;
    fn try_from(text: String) -> std::result::Result<Cents, String> {
        hundredths(&text).map(Cents).ok_or_else(|| format!("`{text}` is no amount such as 60000.00"))
    }
}

/// A share in hundredths of a percent.
fn share(of: i64, hundredths_of_percent: i64) -> i64 {
    of * hundredths_of_percent / 10_000
}

/// A part, for what need not be exact.
fn part(of: i64, part: f64) -> i64 {
    (of as f64 * part) as i64
}

/// The name of the jurisdiction, as its rules say it.
fn state_name(jurisdiction: &str) -> Result<String> {
    let path = format!("{jurisdiction}.toml");
    let text = RULES.get_file(&path).and_then(|f| f.contents_utf8());
    let table: Option<toml::Table> = text.and_then(|t| t.parse().ok());
    let name = table.as_ref().and_then(|t| t.get("name")).and_then(|n| n.as_str());
    name.map(String::from).ok_or_else(|| Error::Config(format!("data/rule/{path} is missing, or gives no name")))
}

/// What is authorized for the entered lines.
type Lines = [(&'static str, i64); 9];

/// Lines that are more than an amount: what is awarded, what must be matched, and what takes up what the others leave.
const SCHOOLS: &str = "D";
const COLLEGES: &str = "E";
const OTHER: &str = "K";
const ADMINISTRATION: &str = "M";

impl FiscalRates {
    /// The award of a program year: whole thousands of dollars, so that every share of it is whole cents.
    fn award(&self, students: u64, years: i32) -> i64 {
        let first = (self.per_student * students as f64).max(self.least as f64);
        let grown = (0..years).fold(first, |amount, _| amount * (1.0 + self.growth));
        (grown / 1000.0) as i64 * 100_000
    }

    fn pattern(&self, year: i32) -> Result<&Pattern> {
        let at = year.rem_euclid(self.year.len().max(1) as i32) as usize;
        self.year.get(at).ok_or_else(|| Error::Config("data/synth/fiscal.toml: there is no [[year]]".into()))
    }

    /// The lines of a year, so many cents beyond the limits.
    fn authorized(&self, pattern: &Pattern, award: i64, interim: bool) -> Lines {
        // What is beyond is so in the interim report only.
        let beyond = if interim || pattern.cents < 0 { pattern.cents } else { 0 };
        let at_most = share(award, pattern.administration).max(pattern.administration_amount * 100);
        let leadership_at_most = share(award, pattern.leadership).min(share(award, self.local_rest) - at_most);
        let (administration, leadership) = (at_most + beyond, leadership_at_most + beyond);
        let local = award - leadership - administration;
        let reserve = share(award - leadership_at_most - at_most, pattern.reserve) + beyond;
        let formula = local - reserve;
        let institutions = share(award, pattern.institutions) + beyond;
        let nontraditional = pattern.nontraditional.0 + if interim { pattern.nontraditional_cents } else { 0 };
        let recruitment = share(leadership_at_most, pattern.recruitment) - beyond;
        let secondary = share(formula, self.secondary);
        let reserve_secondary = share(reserve, self.reserve_secondary);
        [
            ("A", reserve_secondary),
            ("B", reserve - reserve_secondary),
            (SCHOOLS, secondary),
            (COLLEGES, formula - secondary),
            ("H", institutions),
            ("I", nontraditional),
            ("J", recruitment),
            (OTHER, leadership - institutions - nontraditional - recruitment),
            (ADMINISTRATION, administration),
        ]
    }
}

/// Writes the grant of each program year: its allocation, subawards and reports. The final report of the last year is not due yet.
pub(super) fn grant(world: &World, out: &mut Out) -> Result<()> {
    let rates = &world.sources.rates.fiscal;
    let (first, last) = (world.options.first_year, world.options.last_year);
    let name = state_name(&world.options.jurisdiction)?;
    let stream = |parts: &[u64]| Rng::of(world.options.seed, Stream::Fiscal, parts);
    let basis = rates.accounting_basis.draw(&mut stream(&[])).to_string();
    let mut effort = part(rates.award(world.options.students, 0), rates.spending.non_federal);
    for year in first..=last {
        let pattern = rates.pattern(year)?;
        let award = rates.award(world.options.students, year - first);
        let number = rates.award_number.replace("{year}", &format!("{:02}", (year - 1).rem_euclid(100)));
        if let Some(row) = out.row(Collection::Allocation, year) {
            row.int(year).text(&name).code(&number).hundredths(award).code(&basis).end();
        }
        if year > first {
            effort += part(effort, pattern.effort) - pattern.cents;
        }
        let [at_first, at_last] = [true, false].map(|interim| rates.authorized(pattern, award, interim));
        let awarded = |line: &str| at_last.iter().find(|(l, _)| *l == line).map_or(0, |(_, amount)| *amount);
        subaward::subawards(world, out, year, [awarded(SCHOOLS), awarded(COLLEGES)]);
        let mut rng = stream(&[year as u64]);
        let lines = rates.spending.spend(pattern, at_first, at_last, effort, &mut rng);
        lines.iter().for_each(|line| report(out, year, "interim", line.name, &Spent::default(), &line.interim));
        if year < last {
            lines.iter().for_each(|line| report(out, year, "final", line.name, &line.interim, &line.at_last));
        }
    }
    Ok(())
}

/// What a report says of a line, from the beginning of the grant.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    authorized: i64,
    federal: i64,
    non_federal: i64,
    obligated: i64,
    /// In the report's period.
    income: i64,
}

struct Line {
    name: &'static str,
    interim: Spent,
    at_last: Spent,
}

impl Spending {
    /// The lines of both reports; the interim ones have so much non-federal share together.
    fn spend(&self, pattern: &Pattern, at_first: Lines, at_last: Lines, effort: i64, rng: &mut Rng) -> Vec<Line> {
        let mut lines: Vec<Line> = at_first.into_iter().zip(at_last).map(|(first, last)| self.line(pattern, first, last, rng)).collect();
        let matching: i64 = lines.iter().map(|l| l.interim.non_federal).sum();
        for line in lines.iter_mut().filter(|l| l.name == SCHOOLS) {
            line.interim.non_federal = effort - matching;
            line.at_last.non_federal = line.interim.non_federal + part(line.interim.non_federal, self.later);
        }
        lines
    }

    fn line(&self, pattern: &Pattern, first: (&'static str, i64), last: (&'static str, i64), rng: &mut Rng) -> Line {
        let within = |[least, most]: [f64; 2], rng: &mut Rng| least + (most - least) * rng.unit();
        let (name, authorized) = first;
        let federal = part(authorized, within(self.interim, rng));
        let left = authorized - federal;
        let obligated = if rng.chance(self.obligated) { left } else { part(left, within(self.obligated_part, rng)) };
        // What is beyond in a year is the balance of a line, too.
        let obligated = if name == OTHER && pattern.cents > 0 { left + pattern.cents } else { obligated };
        let all = if rng.chance(self.all) { last.1 } else { part(last.1, within(self.at_last, rng)) };
        let mut income = || if rng.chance(self.income) { part(federal, self.income_part) } else { 0 };
        let (income, later_income) = (income(), income());
        let matching = |federal: i64, cents: i64| if name == ADMINISTRATION { federal + part(federal, pattern.matched) - cents } else { 0 };
        let interim = Spent { authorized, federal, non_federal: matching(federal, pattern.cents), obligated, income };
        let non_federal = matching(all, pattern.cents.min(0));
        Line { name, interim, at_last: Spent { authorized: last.1, federal: all, non_federal, obligated: 0, income: later_income } }
    }
}

/// Writes a line of a report: the form asks for what came since the report before, but for the non-federal share as a whole.
fn report(out: &mut Out, year: i32, name: &str, line: &str, before: &Spent, now: &Spent) {
    let net = |spent: &Spent| spent.federal + spent.non_federal;
    let Some(row) = out.row(Collection::Outlay, year) else { return };
    let row = row.int(year).code(name).code(line).hundredths(net(before)).hundredths(net(now) - net(before) + now.income);
    row.hundredths(now.income).hundredths(now.non_federal).hundredths(now.obligated).hundredths(now.authorized).end();
}
