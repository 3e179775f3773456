//! `perkins map`: proposes a mapping from a file's header and values. What it writes is a mapping file with comments, complete but for what
//! only a person can know. It shows no value of a student: texts of a column only where they are few, come again and belong to a field with codes.

mod profile;
mod score;
mod write;

use super::Mapping;
use super::name;
use super::text::Delimited;
use crate::contract::{Contract, Contracts};
use crate::error::{Error, Result};
use crate::ingest::rows::Rows;
use crate::ingest::source::{Format, Input, Kind, Source};
use profile::Profile;
use std::path::Path;
use std::sync::Arc;

/// Rows that are looked at.
pub const ROWS: u64 = 10_000;
/// More columns are not compared with every field.
const MOST_COLUMNS: usize = 2_000;
/// What may stand between fields, by how much it is preferred.
const DELIMITERS: [u8; 5] = [b',', b'\t', b'|', b'^', b';'];
/// A collection is proposed besides the best if it does nearly as well.
const OTHERS_NAMED: usize = 2;

/// A file as it is looked at.
struct Looked {
    name: String,
    /// What stands between its fields, if its ending does not say so.
    delimiter: Option<char>,
    /// Whether its first line is a record, not a header.
    headless: bool,
    columns: Vec<Profile>,
    rows: u64,
    /// Whether there are more rows.
    more: bool,
}

/// Proposes a mapping of a file, as TOML; to the collections named, or to the one that suits best. `mappings` are those that there are.
pub fn propose(
    path: &Path,
    contracts: &Contracts,
    mappings: &[Arc<Mapping>],
    collections: &[String],
    delimiter: Option<&str>,
) -> Result<String> {
    let looked = look(path, delimiter)?;
    let there: Vec<&str> = mappings.iter().filter(|m| m.could_read(&looked.names())).map(|m| m.name.as_str()).collect();
    let mut wanted: Vec<&Contract> = Vec::new();
    for collection in collections {
        wanted.push(contracts.get(collection).ok_or_else(|| {
            let names = contracts.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
            Error::Config(format!("--collection {collection}: there is no collection of that name; there are {names}"))
        })?);
    }
    let ranked = score::rank(contracts.iter().filter(|c| wanted.is_empty() || wanted.iter().any(|w| w.name == c.name)), &looked.columns);
    let chosen = if wanted.is_empty() { 1 } else { wanted.len() };
    let others: Vec<&str> = ranked.iter().skip(chosen).take(OTHERS_NAMED).map(|f| f.contract.name.as_str()).collect();
    Ok(write::toml(&looked, &ranked[..chosen.min(ranked.len())], &others, &there))
}

impl Looked {
    fn names(&self) -> Vec<&str> {
        if self.headless { Vec::new() } else { self.columns.iter().map(|c| c.name.as_str()).collect() }
    }
}

fn look(path: &Path, delimiter: Option<&str>) -> Result<Looked> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if !path.is_file() {
        return Err(Error::Config(format!("{} is no file; give the file that a mapping is wanted for", path.display())));
    }
    let source = source(path, &name)?;
    let (between, told) = between(&source, delimiter)?;
    let first = Delimited::open(Input::of_file(&source)?, &name, between, None)?;
    let mut header = first.header().to_vec();
    let headless = name::is_record(&header);
    if headless {
        header = (1..=header.len()).map(|i| format!("column {i}")).collect();
    }
    if header.len() > MOST_COLUMNS {
        return Err(Error::Data(format!("{name}: has {} columns; a mapping is proposed for at most {MOST_COLUMNS}", header.len())));
    }
    let names = headless.then_some(header.as_slice());
    let rows: Box<dyn Rows> = Box::new(Delimited::open(Input::of_file(&source)?, &name, between, names)?);
    let (columns, rows, more) = profile::profile(rows, ROWS)?;
    Ok(Looked { name, delimiter: told.then_some(between as char), headless, columns, rows, more })
}

fn source(path: &Path, name: &str) -> Result<Source> {
    let bytes = path.metadata().map_err(|e| Error::io("read", path, e))?.len();
    if !matches!(Format::mapped(name).kind, Kind::Text(_)) {
        return Err(Error::Data(format!("{name}: a mapping is proposed for text with delimiters only; save it as CSV")));
    }
    Ok(Source { path: path.to_path_buf(), name: name.to_string(), format: Format::mapped(name), bytes, mapping: None })
}

/// What stands between the fields, and whether the mapping must say so.
fn between(source: &Source, asked: Option<&str>) -> Result<(u8, bool)> {
    let name = &source.name;
    let by_name = super::delimiter_of(name);
    if let Some(asked) = asked {
        let byte = match asked {
            "tab" | "\\t" => b'\t',
            one if one.len() == 1 && one != "\"" => one.as_bytes()[0],
            _ => return Err(Error::Config(format!("--delimiter {asked:?} must be one character, or tab"))),
        };
        return Ok((byte, by_name != Some(byte)));
    }
    // Delimited by what no text has, the header is one field.
    let header = Delimited::open(Input::of_file(source)?, name, 0, None)?.header().join("");
    let count = |delimiter: u8| header.bytes().filter(|b| *b == delimiter).count();
    let best = DELIMITERS.into_iter().rev().max_by_key(|d| count(*d)).filter(|d| count(*d) > 0);
    match (best, by_name) {
        (Some(best), by_name) => Ok((best, by_name != Some(best))),
        (None, Some(by_name)) => Ok((by_name, false)),
        (None, None) => Err(Error::Data(format!(
            "{name}: nothing that could stand between fields is in its first line. If its fields have fixed places, write where they begin: \
             fixed = [{{ name = \"…\", start = 1, length = 9 }}, …]; the mapping wage-lehd is an example"
        ))),
    }
}

/// The words of a name in lower case, one word for all that mean the same.
fn words(text: &str) -> Vec<String> {
    const SAME: [(&str, &[&str]); 17] = [
        ("id", &["identifier", "ident", "uid", "sasid", "ssid", "lasid", "number", "num", "no", "nbr"]),
        ("student", &["pupil", "stu", "learner", "person"]),
        ("institution", &["school", "sch", "campus", "building", "college", "site"]),
        ("district", &["lea", "dist"]),
        ("program", &["prog", "pathway", "programme"]),
        ("year", &["yr", "sy"]),
        ("quarter", &["qtr", "qrtr"]),
        ("date", &["day", "dt", "on"]),
        ("birth", &["dob", "born", "birthdate"]),
        ("gender", &["sex"]),
        ("race", &["ethnicity", "racial", "ethnic"]),
        ("kind", &["type", "category"]),
        ("code", &["cd"]),
        ("name", &["nm", "title"]),
        ("grade", &["gradelevel", "level"]),
        ("begin", &["start", "started", "entry", "began"]),
        ("exit", &["withdrawal", "leave", "leaving", "left", "end", "ended"]),
    ];
    const FILLING: [&str; 7] = ["the", "of", "a", "your", "at", "or", "unique"];
    let mut spaced = String::new();
    let mut lower = false;
    for c in text.chars() {
        if (c.is_uppercase() && lower) || !c.is_alphanumeric() {
            spaced.push(' ');
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
        if c.is_alphanumeric() {
            spaced.extend(c.to_lowercase());
        }
    }
    let one = |word: &str| SAME.iter().find(|(_, others)| others.contains(&word)).map_or(word, |(main, _)| main).to_string();
    let mut words: Vec<String> = spaced.split_whitespace().filter(|w| !FILLING.contains(w)).map(one).collect();
    words.dedup();
    words
}

/// How much two names are alike, from 0 to 1.
fn alike(a: &str, b: &str) -> f64 {
    let (fa, fb) = (name::folded(a), name::folded(b));
    if fa.is_empty() || fb.is_empty() || fa.len() > 100 || fb.len() > 100 {
        return 0.0;
    }
    if fa == fb {
        return 1.0;
    }
    let (wa, wb) = (words(a), words(b));
    let has = |words: &[String], word: &str| words.iter().any(|w| w == word);
    // One letter or word may be all that tells a begin from an end.
    if (has(&wa, "begin") && has(&wb, "exit")) || (has(&wa, "exit") && has(&wb, "begin")) {
        return 0.0;
    }
    let common = wa.iter().filter(|w| wb.contains(w)).count() as f64;
    let by_words = 0.95 * 2.0 * common / (wa.len() + wb.len()).max(1) as f64;
    let longest = fa.chars().count().max(fb.chars().count());
    let by_letters = 1.0 - name::distance(&fa, &fb) as f64 / longest as f64;
    by_words.max(if by_letters >= 0.85 { 0.9 * by_letters } else { 0.0 })
}
