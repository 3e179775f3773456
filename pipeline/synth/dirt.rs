//! Rows that an agency would have to correct: each in one of the ways that the checks on the way in look for, found from the contracts.

use super::contract::{Contract, Field};
use super::random::{Rng, Stream};
use super::row::{Collection, Page, contracts, quoted};
use crate::error::Result;
use std::ops::Range;

/// A way to spoil a row; the numbers are places of fields.
#[derive(Debug, Clone)]
enum Way {
    /// The field becomes this text.
    Put(usize, String),
    /// The field becomes empty, where another field does not have this value.
    EmptyUnless(usize, usize, String),
    /// The field names a program that only a later year knows.
    LaterProgram(usize),
    /// The row stands twice.
    Twice,
    /// The row stands twice, with another value in this field.
    TwiceOther(usize),
}

/// What can be done to the rows of each collection: groups of ways, a group for each check, so that all checks are met equally often.
#[derive(Debug)]
pub(super) struct Ways {
    contracts: Vec<Contract>,
    groups: Vec<Vec<Vec<Way>>>,
    rate: f64,
}

impl Ways {
    /// Reads the contracts.
    pub fn new(rate: f64) -> Result<Ways> {
        let contracts = contracts()?;
        let groups = contracts.iter().map(groups).collect();
        Ok(Ways { contracts, groups, rate })
    }
}

/// The id of a student or program that is in no collection: synthetic ids of students stay below it, and those of programs are shorter.
const NOBODY: &str = "9999000001";

fn groups(contract: &Contract) -> Vec<Vec<Way>> {
    let fields = || contract.fields.iter().enumerate();
    let put =
        |find: fn(&Field) -> Option<String>| fields().filter_map(|(at, f)| find(f).map(|text| Way::Put(at, text))).collect::<Vec<_>>();
    let mut required = put(|f| f.constraints.required.then(String::new));
    required.extend(fields().filter_map(|(at, f)| {
        let unless = f.constraints.required_unless.as_ref()?;
        Some(Way::EmptyUnless(at, contract.place(&unless.field)?, unless.value.clone()))
    }));
    let mut references = Vec::new();
    for key in contract.foreign_keys.iter().filter(|key| key.on_violation.as_deref() != Some("warning")) {
        let Some(at) = contract.place(&key.fields) else { continue };
        references.push(Way::Put(at, NOBODY.into()));
        if key.as_of.is_some() && key.reference.resource == "program" {
            references.push(Way::LaterProgram(at));
        }
    }
    let decides = |name: &str| fields().any(|(_, f)| f.constraints.required_unless.as_ref().is_some_and(|u| u.field == name));
    let changeable = |f: &Field| !contract.primary_key.contains(&f.name) && !decides(&f.name) && f.constraints.required_unless.is_none();
    let others = fields().filter(|(_, f)| changeable(f) && other_value(f, "", &mut Rng::of(0, Stream::Dirt, &[])).is_some());
    let conflicting = others.map(|(at, _)| Way::TwiceOther(at)).collect();
    let all = vec![put(unreadable), put(too_fine), put(out_of_range), put(no_code), required, references, vec![Way::Twice], conflicting];
    all.into_iter().filter(|group: &Vec<Way>| !group.is_empty()).collect()
}

fn unreadable(field: &Field) -> Option<String> {
    let text = match field.kind.as_str() {
        "year" => "20-24",
        "integer" => "two",
        "number" => "1,5 cr",
        "boolean" => "maybe",
        "date" => "31/02/2024",
        _ => return None,
    };
    Some(text.into())
}

fn too_fine(field: &Field) -> Option<String> {
    field.decimal.as_ref().map(|d| format!("0.{}1", "0".repeat(d.scale)))
}

fn out_of_range(field: &Field) -> Option<String> {
    let limits = &field.constraints;
    let above = limits.maximum.map(|m| format!("{}", m + 1.0));
    above.or_else(|| limits.exclusive_minimum.map(|m| format!("{m}"))).or_else(|| limits.minimum.map(|m| format!("{}", m - 1.0)))
}

fn no_code(field: &Field) -> Option<String> {
    (!field.constraints.codes.is_empty()).then(|| "?".into())
}

/// Another valid value for a field.
fn other_value(field: &Field, now: &str, rng: &mut Rng) -> Option<String> {
    let codes = &field.constraints.codes;
    if !codes.is_empty() {
        let at = rng.below(codes.len());
        let other = codes.get(at).filter(|c| *c != now).or_else(|| codes.get((at + 1) % codes.len()));
        return other.filter(|c| *c != now).cloned();
    }
    match field.kind.as_str() {
        "boolean" => Some(if now == "Y" { "N" } else { "Y" }.into()),
        "integer" => Some(if now == "2" { "1" } else { "2" }.into()),
        "number" => Some(if now == "1.25" { "1.75" } else { "1.25" }.into()),
        _ => None,
    }
}

/// Spoils the rows of some students.
pub(super) struct Dirt<'a> {
    ways: &'a Ways,
    /// Programs that are new, by the school year of their first row.
    later: &'a [(i32, String)],
    rng: Rng,
}

impl<'a> Dirt<'a> {
    /// For one student.
    pub fn new(ways: &'a Ways, later: &'a [(i32, String)]) -> Dirt<'a> {
        Dirt { ways, later, rng: Rng::of(0, Stream::Dirt, &[]) }
    }

    /// Starts the chance of another student.
    pub fn start(&mut self, seed: u64, parts: &[u64]) {
        self.rng = Rng::of(seed, Stream::Dirt, parts);
    }

    /// Leaves the row that was just written, or spoils it.
    pub fn pass(&mut self, collection: Collection, school_year: i32, page: &mut Page, start: usize, separators: &[usize]) {
        if !self.rng.chance(self.ways.rate) {
            return;
        }
        let Some(groups) = self.ways.groups.get(collection as usize) else { return };
        let Some(group) = groups.get(self.rng.below(groups.len())) else { return };
        let Some(way) = group.get(self.rng.below(group.len())) else { return };
        let Some(line) = page.bytes.get(start..).map(<[u8]>::to_vec) else { return };
        let span = |field: usize| {
            let from = if field == 0 { 0 } else { separators.get(field - 1)? - start };
            Some(from..separators.get(field)? - start - 1)
        };
        match way {
            Way::Put(field, text) => replace(page, start, &line, span(*field), text),
            Way::EmptyUnless(field, other, value) => {
                let decides = span(*other).and_then(|s| line.get(s));
                if decides != Some(value.as_bytes()) {
                    replace(page, start, &line, span(*field), "");
                }
            }
            Way::LaterProgram(field) => {
                let from = self.later.partition_point(|(year, _)| *year <= school_year);
                let known = self.later.get(from..).unwrap_or_default();
                let program = known.get(self.rng.below(known.len())).map_or(NOBODY, |(_, id)| id.as_str());
                replace(page, start, &line, span(*field), program);
            }
            Way::Twice => self.again(page, &line, None, ""),
            Way::TwiceOther(at) => {
                let field = self.ways.contracts.get(collection as usize).and_then(|c| c.fields.get(*at));
                let now = span(*at).and_then(|s| line.get(s)).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
                if let Some(other) = field.and_then(|f| other_value(f, &now, &mut self.rng)) {
                    self.again(page, &line, span(*at), &other);
                }
            }
        }
    }

    /// Writes the row once more, with another value, or at times with a space in front that reading takes away.
    fn again(&mut self, page: &mut Page, line: &[u8], span: Option<Range<usize>>, text: &str) {
        let start = page.bytes.len();
        if span.is_some() {
            replace(page, start, line, span, text);
        } else {
            if self.rng.chance(0.5) {
                page.bytes.push(b' ');
            }
            page.bytes.extend_from_slice(line);
        }
        page.rows += 1;
    }
}

fn replace(page: &mut Page, start: usize, line: &[u8], span: Option<Range<usize>>, text: &str) {
    let Some(span) = span else { return };
    page.bytes.truncate(start);
    page.bytes.extend_from_slice(line.get(..span.start).unwrap_or_default());
    quoted(&mut page.bytes, text);
    page.bytes.extend_from_slice(line.get(span.end..).unwrap_or_default());
}
