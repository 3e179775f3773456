//! One collection of a mapping, checked against its contract, and what it makes of a row.

use super::date::{Date, Format, Quarter};
use super::description::{self, Condition, Otherwise, Part, Take, Words};
use super::tally::Tally;
use crate::contract::{Contract, Contracts, Field, Kind};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// How dates are written where nothing is said.
const ISO: &str = "%Y-%m-%d";
/// No row makes more than so many.
const MOST_QUARTERS: u32 = 40;

/// A table of a mapping, ready to be used.
#[derive(Debug, Clone)]
pub struct Table {
    /// Name of the collection.
    pub collection: String,
    /// Whether the mapping has no table of this collection before it.
    pub first: bool,
    /// The fields that it gives, in the contract's order.
    pub fields: Vec<String>,
    /// The columns that it reads.
    pub columns: Vec<String>,
    /// The fields that each column is read for, for messages; a condition has none.
    pub read_for: Vec<Vec<String>>,
    /// Whether the year in the file's name is wanted, for which field.
    pub file_year: Option<String>,
    /// In how many passes the file is read: one, or the most quarters of a row.
    pub passes: u32,
    rules: Vec<Rule>,
    all: Vec<Test>,
    any: Vec<Test>,
    span: Option<Span>,
}

/// A field's rule.
#[derive(Debug, Clone)]
struct Rule {
    words: Words,
    from: Vec<usize>,
    /// Codes by lower-case text.
    codes: Option<BTreeMap<String, String>>,
    /// What the contract takes, in lower case: such a text needs no code.
    known: BTreeSet<String>,
    /// Whether texts without a code may be shown: only those of fields with codes.
    shown: bool,
    dates: Vec<Format>,
}

/// A condition.
#[derive(Debug, Clone)]
struct Test {
    column: usize,
    condition: Condition,
}

#[derive(Debug, Clone)]
struct Span {
    from: usize,
    to: usize,
    dates: Vec<Format>,
    at_most: u32,
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A row.
    Row,
    /// None: a condition does not hold, or a text without a code says so.
    LeftOut,
    /// None in this pass: the row has no such quarter.
    Over,
}

/// A row of the source, by column of the table.
pub struct Source<'a> {
    /// The fields.
    pub fields: &'a [String],
    /// Where each column of the table is among them; none if the file lacks it.
    pub positions: &'a [Option<usize>],
    /// The year in the file's name.
    pub year: Option<i32>,
    /// The pass, from 0.
    pub pass: u32,
}

impl Source<'_> {
    fn column(&self, column: usize) -> &str {
        self.positions[column].and_then(|p| self.fields.get(p)).map_or("", |t| t.trim())
    }
}

impl Table {
    /// Checks a table against the contract of its collection; messages say which field.
    pub fn new(table: &description::Table, contracts: &Contracts, first: bool) -> Result<Table, String> {
        let contract = contracts.get(&table.name).ok_or_else(|| {
            let names = contracts.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
            format!("there is no collection of that name; there are {names}")
        })?;
        let unknown = table.fields.keys().find(|f| contract.index(f).is_none());
        if let Some(field) = unknown {
            let names: Vec<String> = contract.fields.iter().map(|f| f.name.clone()).collect();
            let meant = super::name::nearest(field, &names).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
            return Err(format!("{field} is no field of it{meant} It has {}", names.join(", ")));
        }
        let required = contract.fields.iter().filter(|f| f.constraints.required && !table.fields.contains_key(&f.name));
        let missing: Vec<&str> = required.map(|f| f.name.as_str()).collect();
        if !missing.is_empty() {
            return Err(format!("fields that must have a value have no line: {}", missing.join(", ")));
        }
        let mut made = Table {
            collection: table.name.clone(),
            first,
            fields: Vec::new(),
            columns: Vec::new(),
            read_for: Vec::new(),
            file_year: None,
            passes: 1,
            rules: Vec::new(),
            all: Vec::new(),
            any: Vec::new(),
            span: None,
        };
        made.add_conditions(table)?;
        made.add_span(table)?;
        for field in &contract.fields {
            if let Some(rule) = table.fields.get(&field.name) {
                made.add_rule(field, contract, &rule.0).map_err(|e| format!("field {}: {e}", field.name))?;
            }
        }
        Ok(made)
    }

    fn column(&mut self, name: &str, field: Option<&str>) -> Result<usize, String> {
        if name.trim().is_empty() {
            return Err("a column must have a name".into());
        }
        let at = self.columns.iter().position(|c| c == name).unwrap_or_else(|| {
            self.columns.push(name.to_string());
            self.read_for.push(Vec::new());
            self.columns.len() - 1
        });
        self.read_for[at].extend(field.map(str::to_string));
        Ok(at)
    }

    fn add_conditions(&mut self, table: &description::Table) -> Result<(), String> {
        for (conditions, any) in [(&table.when, false), (&table.when_any, true)] {
            for condition in conditions {
                let says =
                    [!condition.within.is_empty(), !condition.not_in.is_empty(), condition.empty.is_some(), condition.above.is_some()];
                if says.iter().filter(|s| **s).count() != 1 {
                    return Err(format!("the condition on {} must say one of in, not_in, empty or above", condition.column));
                }
                let column = self.column(&condition.column, None)?;
                let lower = |texts: &Vec<String>| texts.iter().map(|t| t.trim().to_lowercase()).collect();
                let condition = Condition { within: lower(&condition.within), not_in: lower(&condition.not_in), ..condition.clone() };
                let tests = if any { &mut self.any } else { &mut self.all };
                tests.push(Test { column, condition });
            }
        }
        Ok(())
    }

    fn add_span(&mut self, table: &description::Table) -> Result<(), String> {
        let Some(span) = &table.each_quarter else { return Ok(()) };
        if !(1..=MOST_QUARTERS).contains(&span.at_most) {
            return Err(format!("each_quarter: at_most must be 1 to {MOST_QUARTERS}"));
        }
        self.passes = span.at_most;
        let dates = formats(&span.date).map_err(|e| format!("each_quarter: {e}"))?;
        let (from, to) = (self.column(&span.from, None)?, self.column(&span.to, None)?);
        self.span = Some(Span { from, to, dates, at_most: span.at_most });
        Ok(())
    }

    fn add_rule(&mut self, field: &Field, contract: &Contract, words: &Words) -> Result<(), String> {
        check(words, self.span.is_some())?;
        let known: BTreeSet<String> = field.constraints.codes.iter().flatten().map(|c| c.to_lowercase()).collect();
        let given = words.codes.iter().flat_map(|c| c.values()).chain(&words.constant).chain(&words.empty);
        if let Some(wrong) = given.into_iter().find(|v| !known.is_empty() && !v.is_empty() && !known.contains(&v.to_lowercase())) {
            let codes = field.constraints.codes.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(format!("{wrong:?} is no code of {}; it has {codes}", contract.name));
        }
        let mut codes = BTreeMap::new();
        for (text, code) in words.codes.iter().flatten() {
            if codes.insert(text.trim().to_lowercase(), code.clone()).is_some() || text.trim().is_empty() {
                return Err(format!("codes has {text:?} twice (letter case does not count), or empty: for no text say empty = \"…\""));
            }
        }
        let from = words.from.iter().map(|c| self.column(c, Some(&field.name))).collect::<Result<_, _>>()?;
        if words.file_year {
            self.file_year.get_or_insert_with(|| field.name.clone());
        }
        let dates = if words.date.is_empty() && words.take.is_none() { Vec::new() } else { formats(&words.date)? };
        let shown = !known.is_empty() || field.kind == Kind::Boolean;
        let codes = words.codes.is_some().then_some(codes);
        self.rules.push(Rule { words: words.clone(), from, codes, known, shown, dates });
        self.fields.push(field.name.clone());
        Ok(())
    }

    /// Makes a row of a row.
    pub fn give(&self, source: &Source, given: &mut Vec<String>, tally: &mut Tally) -> Given {
        let fails = self.all.iter().find(|t| !t.holds(source));
        let fails = fails.or(if self.any.iter().any(|t| t.holds(source)) { None } else { self.any.first() });
        if let Some(test) = fails {
            if test.condition.above.is_some() && source.column(test.column).parse::<f64>().is_err() {
                *tally.no_number.entry(self.columns[test.column].clone()).or_default() += 1;
            }
            return Given::LeftOut;
        }
        let quarter = match &self.span {
            None => None,
            Some(span) => match span.quarter(source, tally) {
                Some(quarter) => quarter,
                None => return Given::Over,
            },
        };
        given.resize_with(self.rules.len(), String::new);
        for (i, rule) in self.rules.iter().enumerate() {
            given[i].clear();
            if !rule.give(source, self.span.as_ref().map(|s| (s, quarter)), &mut given[i], &mut |text| {
                tally.unknown(&self.fields[i], text, rule.shown)
            }) {
                return Given::LeftOut;
            }
        }
        Given::Row
    }
}

/// What words go together.
fn check(words: &Words, spans: bool) -> Result<(), String> {
    let from = !words.from.is_empty();
    let origins = [from, words.constant.is_some(), words.file_year, words.each.is_some()];
    if origins.iter().filter(|o| **o).count() != 1 {
        return Err("say one of from, constant, file_year = true or each".into());
    }
    if words.each.is_some() && !spans {
        return Err("each needs each_quarter in the collection".into());
    }
    let shapes = words.join.is_some() || words.after.is_some() || words.strip.is_some() || words.pad.is_some();
    let reads = words.codes.is_some() || !words.date.is_empty() || words.take.is_some() || words.empty.is_some();
    if !from && (shapes || reads || words.prefix.is_some() || words.suffix.is_some()) {
        return Err("only with from: join, after, strip, pad, prefix, suffix, codes, date, take, empty".into());
    }
    if words.codes.is_some() && (!words.date.is_empty() || words.take.is_some()) {
        return Err("codes and date do not go together".into());
    }
    let dated = !words.date.is_empty() || words.take.is_some();
    if (words.codes.is_some() || dated) && (words.prefix.is_some() || words.suffix.is_some()) || dated && words.pad.is_some() {
        return Err("prefix and suffix do not go with codes, date or take; nor does pad with date or take".into());
    }
    if words.otherwise.is_some() && words.codes.is_none() {
        return Err("otherwise needs codes".into());
    }
    if words.join.is_some() && words.from.len() < 2 {
        return Err("join needs several columns in from".into());
    }
    let quarter = matches!(words.take, Some(Take::Quarter | Take::QuarterYear));
    if words.quarters_later.is_some() && !quarter {
        return Err("quarters_later needs take = \"quarter\" or \"quarter_year\"".into());
    }
    if words.pad.is_some_and(|p| p > crate::ingest::plan::ID_CHARACTERS) || words.quarters_later.is_some_and(|q| q > MOST_QUARTERS) {
        return Err(format!("pad may be at most {}, quarters_later at most {MOST_QUARTERS}", crate::ingest::plan::ID_CHARACTERS));
    }
    Ok(())
}

fn formats(texts: &[String]) -> Result<Vec<Format>, String> {
    if texts.is_empty() {
        return Ok(vec![Format::parse(ISO)?]);
    }
    texts.iter().map(|t| Format::parse(t)).collect()
}

fn read_date(dates: &[Format], text: &str) -> Option<Date> {
    dates.iter().find_map(|f| f.read(text))
}

/// The text behind the last mark, if there is one.
fn behind<'a>(text: &'a str, mark: Option<&str>) -> &'a str {
    mark.filter(|m| !m.is_empty()).and_then(|m| text.rsplit_once(m)).map_or(text, |(_, rest)| rest.trim())
}

impl Test {
    fn holds(&self, source: &Source) -> bool {
        let text = behind(source.column(self.column), self.condition.after.as_deref());
        let is_in = |texts: &[String]| {
            let lower = text.to_lowercase();
            texts.contains(&lower)
        };
        match &self.condition {
            Condition { empty: Some(empty), .. } => text.is_empty() == *empty,
            Condition { above: Some(least), .. } => text.parse::<f64>().is_ok_and(|n| n > *least as f64),
            Condition { within, .. } if !within.is_empty() => is_in(within),
            Condition { not_in, .. } => !is_in(not_in),
        }
    }
}

impl Span {
    /// The quarter of this pass: none if the span ends before it, `Some(None)` in the first pass if its first day can't be read.
    fn quarter(&self, source: &Source, tally: &mut Tally) -> Option<Option<Quarter>> {
        let Some(first) = read_date(&self.dates, source.column(self.from)) else { return (source.pass == 0).then_some(None) };
        let last = read_date(&self.dates, source.column(self.to)).unwrap_or(first).max(first).quarter();
        let quarter = first.quarter().later(source.pass);
        if source.pass == 0 && last >= quarter.later(self.at_most) {
            tally.longer += 1;
        }
        (quarter <= last).then_some(Some(quarter))
    }
}

impl Rule {
    /// Writes the field; false if the row is to be left out.
    fn give(&self, source: &Source, span: Option<(&Span, Option<Quarter>)>, to: &mut String, unknown: &mut dyn FnMut(&str)) -> bool {
        let words = &self.words;
        if let Some(constant) = &words.constant {
            to.push_str(constant);
        } else if words.file_year {
            to.extend(source.year.map(|y| y.to_string()));
        } else if let (Some(part), Some((span, quarter))) = (words.each, span) {
            match (part, quarter) {
                // What can't be read goes on as it is, for the contract to reject.
                (_, None) => to.push_str(source.column(span.from)),
                (Part::Year, Some(q)) => to.push_str(&q.year().to_string()),
                (Part::Quarter, Some(q)) => to.push_str(&q.number().to_string()),
            }
        } else {
            return self.read(source, to, unknown);
        }
        true
    }

    fn read(&self, source: &Source, to: &mut String, unknown: &mut dyn FnMut(&str)) -> bool {
        let words = &self.words;
        let joined;
        let text = match &words.join {
            // A part alone would be the name of something else.
            Some(_) if self.from.iter().any(|c| source.column(*c).is_empty()) => "",
            Some(mark) => {
                joined = self.from.iter().map(|c| source.column(*c)).collect::<Vec<_>>().join(mark);
                &joined
            }
            None => self.from.iter().map(|c| source.column(*c)).find(|t| !t.is_empty()).unwrap_or_default(),
        };
        let text = behind(text, words.after.as_deref());
        let text = words.strip.as_ref().map_or(text, |marks| text.trim_matches(|c| marks.contains(c)).trim());
        if text.is_empty() {
            to.push_str(words.empty.as_deref().unwrap_or_default());
            return true;
        }
        let missing = words.pad.unwrap_or(0).saturating_sub(text.chars().count());
        let padded = if missing > 0 { Cow::Owned("0".repeat(missing) + text) } else { Cow::Borrowed(text) };
        match &self.codes {
            Some(codes) => return self.code(codes, &padded, to, unknown),
            None if !self.dates.is_empty() => self.date(&padded, to),
            None => {
                to.push_str(words.prefix.as_deref().unwrap_or_default());
                to.push_str(&padded);
                to.push_str(words.suffix.as_deref().unwrap_or_default());
            }
        }
        true
    }

    /// Writes the code of a text; false if the row is to be left out.
    fn code(&self, codes: &BTreeMap<String, String>, text: &str, to: &mut String, unknown: &mut dyn FnMut(&str)) -> bool {
        let lower = text.to_lowercase();
        if let Some(code) = codes.get(&lower) {
            to.push_str(code);
            return true;
        }
        let otherwise = self.words.otherwise.unwrap_or_default();
        if !self.known.contains(&lower) {
            unknown(text);
            if otherwise != Otherwise::Reject {
                return otherwise == Otherwise::Null;
            }
        }
        to.push_str(text);
        true
    }

    /// Writes a date, or what is taken of it. What can't be read goes on as it is, for the contract to reject.
    fn date(&self, text: &str, to: &mut String) {
        let Some(date) = read_date(&self.dates, text) else { return to.push_str(text) };
        let quarter = date.quarter().later(self.words.quarters_later.unwrap_or(0));
        to.push_str(&match self.words.take {
            None => date.to_string(),
            Some(Take::Year) => date.year.to_string(),
            Some(Take::Quarter) => quarter.number().to_string(),
            Some(Take::QuarterYear) => quarter.year().to_string(),
            Some(Take::SchoolYear) => date.school_year().to_string(),
        });
    }
}
