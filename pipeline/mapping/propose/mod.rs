//! `perkins map`: proposes a mapping from a file's header and values. What it writes is a mapping file with comments, complete but for what
//! only a person can know. It shows no value of a student: texts of a column only where they are few, come again and belong to a field with codes.

mod profile;
mod score;
mod write;

use super::Mapping;
use super::name;
use super::rows::same;
use super::text::Delimited;
use crate::contract::{Contract, Contracts};
use crate::error::{Error, Result};
use crate::ingest::format::{self, Want, notes::Notes};
use crate::ingest::job::columns_found;
use crate::ingest::limit::HEADER_ROWS;
use crate::ingest::rows::{Row, Rows};
use crate::ingest::source::{Format, Input, Kind, Source};
use crate::intake::Words;
use profile::Profile;
use std::collections::BTreeSet;
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
    /// What words in names are taken for.
    words: Words,
    /// What stands between its fields, if its ending does not say so.
    delimiter: Option<char>,
    /// Whether its first line is a record, not a header.
    headless: bool,
    /// Whether names with dots are of objects within objects.
    nested: bool,
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
    words: Words,
    collections: &[String],
    delimiter: Option<&str>,
) -> Result<String> {
    let looked = look(path, delimiter, words)?;
    let there: Vec<&str> = mappings.iter().filter(|m| m.could_read(&looked.names())).map(|m| m.name.as_str()).collect();
    let mut wanted: Vec<&Contract> = Vec::new();
    for collection in collections {
        wanted.push(contracts.get(collection).ok_or_else(|| {
            let names = contracts.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
            Error::Config(format!("--collection {collection}: there is no collection of that name; there are {names}"))
        })?);
    }
    let ranked = score::rank(contracts.iter().filter(|c| wanted.is_empty() || wanted.iter().any(|w| w.name == c.name)), &looked);
    let chosen = if wanted.is_empty() { 1 } else { wanted.len() };
    let others: Vec<&str> = ranked.iter().skip(chosen).take(OTHERS_NAMED).map(|f| f.contract.name.as_str()).collect();
    Ok(write::toml(&looked, &ranked[..chosen.min(ranked.len())], &others, &there))
}

impl Looked {
    fn names(&self) -> Vec<&str> {
        if self.headless { Vec::new() } else { self.columns.iter().map(|c| c.name.as_str()).collect() }
    }
}

fn look(path: &Path, delimiter: Option<&str>, words: Words) -> Result<Looked> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if !path.is_file() {
        return Err(Error::Config(format!("{} is no file; give the file that a mapping is wanted for", path.display())));
    }
    let bytes = path.metadata().map_err(|e| Error::io("read", path, e))?.len();
    let source = Source { path: path.to_path_buf(), name: name.clone(), format: Format::mapped(&name), bytes, mapping: None };
    let Opened { rows, names, delimiter, headless } = match (source.format.kind, delimiter) {
        (Kind::Text(_), _) => text(&source, delimiter)?,
        (_, None) => fields(&source)?,
        (_, Some(_)) => return Err(Error::Config(format!("{name} is no text, so --delimiter means nothing; leave it out"))),
    };
    if names.len() > MOST_COLUMNS {
        return Err(Error::Data(format!("{name}: has {} columns; a mapping is proposed for at most {MOST_COLUMNS}", names.len())));
    }
    let columns = names.iter().map(|name| Profile::new(name, words.is_own(name))).collect();
    let (columns, rows, more) = profile::profile(rows, columns, ROWS)?;
    let nested = source.format.kind == Kind::Ndjson;
    Ok(Looked { name, words, delimiter, headless, nested, columns, rows, more })
}

/// A file that was opened.
struct Opened {
    rows: Box<dyn Rows>,
    /// Its columns.
    names: Vec<String>,
    /// What stands between its fields, if its ending does not say so.
    delimiter: Option<char>,
    /// Whether its first line is a record, not a header.
    headless: bool,
}

/// A text with a delimiter.
fn text(source: &Source, delimiter: Option<&str>) -> Result<Opened> {
    let (between, told) = between(source, delimiter)?;
    let mut names = Delimited::open(Input::of_file(source)?, &source.name, between, None)?.header().to_vec();
    let headless = name::is_record(&names);
    if headless {
        names = (1..=names.len()).map(|i| format!("column {i}")).collect();
    }
    let mut rows = Delimited::open(Input::of_file(source)?, &source.name, between, headless.then_some(names.as_slice()))?;
    if let Some(line) = wider(&mut rows)? {
        let what = "its first line has fewer than half as many fields; if it is a title, remove the lines above the names of the columns";
        return Err(Error::Data(format!("{}: line {line} has many fields, and {what}", source.name)));
    }
    let rows = Delimited::open(Input::of_file(source)?, &source.name, between, headless.then_some(names.as_slice()))?;
    Ok(Opened { rows: Box::new(rows), names, delimiter: told.then_some(between as char), headless })
}

/// The line of the first of the next rows that has more than twice as many fields as the header.
fn wider(rows: &mut Delimited) -> Result<Option<u64>> {
    let (mut row, most) = (Row::default(), 2 * rows.header().len());
    for _ in 0..HEADER_ROWS {
        if !rows.next(&mut row)? {
            break;
        }
        if row.fields.len() > most {
            return Ok(Some(row.line));
        }
    }
    Ok(None)
}

/// A file whose format says where its fields are. Nobody asked for any column, so each that its reader finds is one that nobody asked for; then
/// it is read once more with all of them.
fn fields(source: &Source) -> Result<Opened> {
    let open = |want: &Want, notes: &Notes| {
        let rows = format::rows(source, want, notes)?;
        rows.ok_or_else(|| Error::bug(format!("{}: no format knows it", source.name)))
    };
    let (notes, mut row) = (Notes::default(), Row::default());
    let mut rows = open(&Want::default(), &notes)?;
    let mut names = rows.header().to_vec();
    if names.is_empty() {
        // The columns of NDJSON are those that its lines have.
        let mut left = ROWS;
        while left > 0 && rows.next(&mut row)? {
            left -= 1;
        }
        let mut seen = BTreeSet::new();
        let found = notes.unknown_names().into_iter().filter(|n| !name::may_be_a_number(n) && seen.insert(n.to_lowercase()));
        names = found.collect();
        rows = open(&Want { columns: names.iter().map(|n| (n.to_lowercase(), false)).collect() }, &Notes::default())?;
        // Parquet has an order of its own.
        names.sort_by_key(|n| rows.header().iter().position(|h| same(h, n)));
    }
    // Only a sheet has a first row that may be none of names.
    if source.format.kind == Kind::Xlsx && name::is_record(&names) {
        return Err(Error::Data(format!("{}: {}", source.name, columns_found(&names, |_| true))));
    }
    Ok(Opened { rows, names, delimiter: None, headless: false })
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
