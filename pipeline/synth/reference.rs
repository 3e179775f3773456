//! The small files: institutions, programs, cuts, and targets where they are asked for.

use super::random::{Rng, Stream};
use super::rates::Offer;
use super::row::{Page, decimal, quoted};
use super::state::{Institution, Program, State};
use super::words::hundredths;
use super::{Options, contract::Contract, source::Sources};
use crate::error::{Error, Result};
use include_dir::{Dir, include_dir};
use std::collections::{BTreeMap, BTreeSet};

static DEFAULTS: Dir = include_dir!("$CARGO_MANIFEST_DIR/data/default");

/// Writes rows of text into a page.
struct Sheet {
    page: Page,
}

impl Sheet {
    fn new(collection: &str) -> Result<Sheet> {
        Ok(Sheet { page: Page { bytes: Contract::of(collection)?.header().into_bytes(), rows: 0 } })
    }

    fn row(&mut self, fields: &[&str]) {
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                self.page.bytes.push(b',');
            }
            quoted(&mut self.page.bytes, field);
        }
        self.page.bytes.push(b'\n');
        self.page.rows += 1;
    }
}

/// Every small file, by collection.
pub(super) fn files(options: &Options, sources: &Sources, state: &State) -> Result<Vec<(&'static str, Page)>> {
    let mut files = vec![
        ("institution", institutions(options, state)?),
        ("program", programs(options, sources, state)?),
        ("proficiency_cut", cuts(options, sources)?),
    ];
    if options.targets {
        files.push(("target", targets(options, state)?));
    }
    Ok(files)
}

fn institutions(options: &Options, state: &State) -> Result<Page> {
    let mut sheet = Sheet::new("institution")?;
    for year in options.first_year..=options.last_year {
        for institution in &state.institutions {
            let district = institution.district.and_then(|d| state.districts.get(d));
            let grantee = institution.grantee.or(district.map(|d| d.grantee_in(year))).and_then(|g| state.grantees.get(g));
            let Some(grantee) = grantee else { continue };
            let kind = if institution.college { "college" } else { "school" };
            let (district_id, district_name) = district.map_or(("", ""), |d| (d.id.as_str(), d.name.as_str()));
            let name = name_in(institution, year, options.first_year);
            let year = year.to_string();
            let federal_id = &institution.federal_id;
            sheet.row(&[&year, &institution.id, name, kind, district_id, district_name, &grantee.id, &grantee.name, federal_id]);
        }
    }
    Ok(sheet.page)
}

fn name_in(institution: &Institution, year: i32, first_year: i32) -> &str {
    match &institution.renamed {
        _ if institution.nameless_at_first && year == first_year => "",
        Some((from, name)) if *from <= year => name,
        _ => &institution.name,
    }
}

fn programs(options: &Options, sources: &Sources, state: &State) -> Result<Page> {
    let mut sheet = Sheet::new("program")?;
    for year in options.first_year..=options.last_year {
        for program in state.programs.iter().filter(|p| p.first_year <= year && year <= p.last_year) {
            let Some(institution) = state.institutions.get(program.institution) else { continue };
            let offers = if institution.college { &sources.offers.college } else { &sources.offers.school };
            program_row(&mut sheet, program, institution, offers, year);
        }
    }
    Ok(sheet.page)
}

fn program_row(sheet: &mut Sheet, program: &Program, institution: &Institution, offers: &[Offer], year: i32) {
    let recoded = program.recoded.filter(|(from, _)| *from <= year).and_then(|(_, other)| offers.get(other));
    let (Some(offer), Some(named)) = (recoded.or_else(|| offers.get(program.offer)), offers.get(program.offer)) else { return };
    let renamed = program.renamed.is_some_and(|from| from <= year);
    let name = if renamed { format!("{} Pathway", named.name) } else { named.name.clone() };
    let approval = if year <= program.startup_through { "startup" } else { "approved" };
    // Older systems say a CIP code without the dot and the leading zero; all years of a program do it alike.
    let cip = if offer.short_cip { offer.cip.replace('.', "").trim_start_matches('0').to_string() } else { offer.cip.clone() };
    let mut credits = Vec::new();
    if let Some(value) = program.credits {
        decimal(&mut credits, value);
    }
    let credits = String::from_utf8(credits).unwrap_or_default();
    let clusters = offer.career_cluster.as_deref().unwrap_or("");
    sheet.row(&[&year.to_string(), &program.id, &institution.id, &name, &cip, approval, &credits, clusters]);
}

fn cuts(options: &Options, sources: &Sources) -> Result<Page> {
    let mut sheet = Sheet::new("proficiency_cut")?;
    for year in options.first_year..=options.last_year {
        for subject in &sources.rates.assessment.subject {
            for kind in &sources.rates.assessment.kind {
                sheet.row(&[&year.to_string(), &subject.name, &kind.name, &kind.cut.to_string()]);
            }
        }
    }
    Ok(sheet.page)
}

/// The state's levels of the years, and own ones of a few grantees, a little beside the state's; the indicators are those of the
/// state's levels.
fn targets(options: &Options, state: &State) -> Result<Page> {
    let mut sheet = Sheet::new("target")?;
    let path = format!("{}/target.csv", options.jurisdiction);
    let levels = DEFAULTS.get_file(&path).and_then(|f| f.contents_utf8());
    let levels = levels.ok_or_else(|| {
        Error::Config(format!("there are no targets of the state in data/default/{path}; leave out the targets, or add them"))
    })?;
    let levels = state_levels(options, levels)?;
    for ((year, indicator), level) in &levels {
        sheet.row(&[&year.to_string(), indicator, "", &text(*level)]);
    }
    let schools: BTreeSet<usize> = state.institutions.iter().filter(|i| !i.college).filter_map(|i| district_grantee(state, i)).collect();
    let few = |many: &[usize]| many.iter().copied().enumerate().filter(|(at, _)| at % 8 == 1).map(|(_, g)| g).collect::<Vec<_>>();
    let schools: Vec<usize> = schools.into_iter().collect();
    let colleges: Vec<usize> = state.institutions.iter().filter(|i| i.college).filter_map(|i| i.grantee).collect();
    for grantee in few(&schools).into_iter().chain(few(&colleges)) {
        let Some(id) = state.grantees.get(grantee).map(|g| g.id.as_str()) else { continue };
        let mut rng = Rng::of(options.seed, Stream::Target, &[grantee as u64]);
        for ((year, indicator), level) in &levels {
            if rng.chance(0.5) {
                let own = (*level + i64::from(rng.between(-600, 400))).clamp(0, 10_000);
                sheet.row(&[&year.to_string(), indicator, id, &text(own)]);
            }
        }
    }
    Ok(sheet.page)
}

fn district_grantee(state: &State, institution: &Institution) -> Option<usize> {
    institution.grantee.or_else(|| institution.district.and_then(|d| state.districts.get(d)).map(|d| d.grantee))
}

fn text(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The state's levels of the years asked for, by year and indicator, from a target collection.
fn state_levels(options: &Options, text: &str) -> Result<BTreeMap<(i32, String), i64>> {
    let wrong = |what: String| Error::Config(format!("the state's targets: {what}"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| wrong(e.to_string()))?.clone();
    let place =
        |name: &str| header.iter().position(|h| h.trim().eq_ignore_ascii_case(name)).ok_or_else(|| wrong(format!("no column {name}")));
    let (year, indicator, grantee, level) = (place("report_year")?, place("indicator")?, place("grantee_id")?, place("target_percent")?);
    let mut levels = BTreeMap::new();
    for (line, record) in reader.records().enumerate() {
        let record = record.map_err(|e| wrong(e.to_string()))?;
        let value = |at: usize| record.get(at).unwrap_or("").trim();
        let (Ok(y), Some(percent)) = (value(year).parse::<i32>(), hundredths(value(level))) else {
            return Err(wrong(format!("line {}: report_year or target_percent is no number", line + 2)));
        };
        if value(grantee).is_empty() && (options.first_year..=options.last_year).contains(&y) {
            levels.insert((y, value(indicator).to_string()), percent);
        }
    }
    Ok(levels)
}
