//! Mappings: how a foreign layout becomes collections (docs/mapping.md). A mapping is a TOML file; it stands between the rows of a file and the
//! contract, so that whatever comes after, the checks, the lines in messages and the lake, knows nothing of it.

pub mod date;
pub mod description;
pub mod name;
pub mod propose;
pub mod report;
pub mod rows;
pub mod table;
pub mod tally;
pub mod text;

use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::ingest::format::{self, Want, notes::Notes};
use crate::ingest::rows::Rows;
use crate::ingest::source::{Input, Kind, Source};
use crate::project::{File, Project};
use description::Description;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use table::Table;
use text::{Delimited, FixedWidth};

/// A mapping file, checked against the contracts.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Its name: the file's without the ending.
    pub name: String,
    /// The file in messages.
    pub label: String,
    /// BLAKE3 of the file, 64 hex digits.
    pub blake3: String,
    /// What it says.
    pub description: Description,
    /// Its tables, in order.
    pub tables: Vec<Table>,
}

impl Mapping {
    /// Reads mappings by name (`data/mapping/<name>.toml`) or path; each once.
    pub fn load_all(names: &[String], project: &Project, contracts: &Contracts) -> Result<Vec<Arc<Mapping>>> {
        let mut all: Vec<Arc<Mapping>> = Vec::new();
        for name in names {
            let mapping = Mapping::load(name, project, contracts)?;
            match all.iter().find(|m| m.name == mapping.name) {
                None => all.push(Arc::new(mapping)),
                Some(same) if same.blake3 == mapping.blake3 => {}
                Some(other) => {
                    return Err(Error::Config(format!(
                        "two mappings are named {}: {} and {}; rename one file",
                        mapping.name, other.label, mapping.label
                    )));
                }
            }
        }
        Ok(all)
    }

    fn load(name: &str, project: &Project, contracts: &Contracts) -> Result<Mapping> {
        let shipped = project.mappings()?;
        if let Some(file) = shipped.get(&format!("{name}.toml")) {
            return Mapping::parse(name, file, contracts);
        }
        let path = Path::new(name);
        let text = read_text(path).map_err(|e| {
            let names: Vec<String> = shipped.keys().filter_map(|k| k.strip_suffix(".toml").map(str::to_string)).collect();
            let meant = name::nearest(name, &names).map_or(".".to_string(), |n| format!("; did you mean {n}?"));
            Error::Config(format!(
                "mapping {name}: no file of that name can be read ({e}), and none of the mappings that ship has it{meant} They are {}",
                names.join(", ")
            ))
        })?;
        let stem = path.file_stem().map_or_else(|| name.to_string(), |s| s.to_string_lossy().into_owned());
        let file = File { label: path.display().to_string(), text, in_overlay: false };
        Mapping::parse(&stem, &file, contracts)
    }

    /// Reads a mapping file.
    pub fn parse(name: &str, file: &File, contracts: &Contracts) -> Result<Mapping> {
        let File { label, text, .. } = file;
        let wrong = |what: String| Error::Config(format!("{label}: {what}"));
        let description: Description = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        check(&description).map_err(wrong)?;
        let mut tables: Vec<Table> = Vec::new();
        for (i, table) in description.collection.iter().enumerate() {
            let first = tables.iter().all(|t| t.collection != table.name);
            let at = |e: String| wrong(format!("collection {} of the file ({}): {e}", i + 1, table.name));
            tables.push(Table::new(table, contracts, first).map_err(at)?);
        }
        let mapping = Mapping {
            name: name.to_string(),
            label: label.clone(),
            blake3: blake3::hash(text.as_bytes()).to_hex().to_string(),
            description,
            tables,
        };
        let used = mapping.columns();
        let named = mapping.description.optional.iter().map(|o| ("optional", o));
        let mut named = named.chain(mapping.description.also_called.keys().map(|c| ("also_called", c)));
        if let Some((word, unused)) = named.find(|(_, column)| !used.contains(column)) {
            return Err(wrong(format!("{word} names {unused:?}, which no collection reads; write it as it is written there")));
        }
        Ok(mapping)
    }

    /// The name of its file, without folders.
    pub fn file_name(&self) -> String {
        format!("{}.toml", self.name)
    }

    /// Every column that it reads, each once.
    pub fn columns(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for column in self.tables.iter().flat_map(|t| &t.columns) {
            if !all.contains(column) {
                all.push(column.clone());
            }
        }
        all
    }

    /// The names that a column may have: that by which the mapping knows it first.
    pub fn names_of<'a>(&'a self, column: &'a str) -> impl Iterator<Item = &'a str> {
        let others = self.description.also_called.get(column).into_iter().flatten().map(String::as_str);
        std::iter::once(column).chain(others)
    }

    /// Whether a file with these columns, with a header, has every column that it needs.
    pub fn could_read(&self, header: &[&str]) -> bool {
        let has = |column: &String| self.names_of(column).any(|name| header.iter().any(|h| rows::same(name, h)));
        let optional = |column: &String| self.description.optional.contains(column);
        self.description.fixed.is_empty() && self.columns().iter().all(|c| optional(c) || has(c))
    }

    /// Whether it is for a file, by the path in the raw folder.
    pub fn is_for(&self, path: &str) -> bool {
        self.description.files.iter().any(|pattern| name::matches(pattern, path))
    }

    /// What stands between the fields of a text file.
    fn delimiter(&self, file: &str) -> Result<u8> {
        let told = self.description.delimiter.as_ref().and_then(|text| text.bytes().next());
        told.or_else(|| delimiter_of(file)).ok_or_else(|| {
            Error::Config(format!(
                "{file}: mapping {} does not say what stands between its fields; add a line such as delimiter = \"|\", or fixed columns",
                self.label
            ))
        })
    }

    /// The rows of a file as it is, before anything is mapped.
    pub fn rows_of(&self, source: &Source, notes: &Notes) -> Result<Box<dyn Rows>> {
        let Description { fixed, columns, .. } = &self.description;
        if let Some(rows) = format::rows(source, &self.wanted(source), notes)? {
            return Ok(rows);
        }
        let input = Input::of_file(source)?;
        input.encoding().name().into_iter().for_each(|e| notes.tell("encoding", format!("{} ({e})", source.name)));
        if !fixed.is_empty() {
            return Ok(Box::new(FixedWidth::open(input, &source.name, fixed, &self.description.optional)));
        }
        let delimiter = self.delimiter(&source.name)?;
        Ok(Box::new(Delimited::open(input, &source.name, delimiter, columns.as_deref())?))
    }

    /// The columns to be read of a file that is no text of fields. NDJSON has no header, so its columns are those wanted: by their first names,
    /// and an object without any of them is no row of the layout. Other formats say what they have, and what is missing is found there.
    fn wanted(&self, source: &Source) -> Want {
        let nested = source.format.kind == Kind::Ndjson;
        let of = |column: &String| {
            let names: Vec<String> = self.names_of(column).map(str::to_lowercase).collect();
            let needed = nested && !self.description.optional.contains(column);
            names.into_iter().take(if nested { 1 } else { usize::MAX }).map(move |name| (name, needed)).collect::<Vec<_>>()
        };
        Want { columns: self.columns().iter().flat_map(of).collect() }
    }
}

/// The text of a mapping file; a device could go on for ever.
fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(LONGEST_FILE + 1).read_to_string(&mut text)?;
    let fits = text.len() as u64 <= LONGEST_FILE;
    if fits { Ok(text) } else { Err(std::io::Error::other("it is longer than 1 MiB")) }
}

/// A file's name in lower case, without the ending that says how it is packed.
fn unpacked(file: &str) -> String {
    let lower = file.to_lowercase();
    lower.trim_end_matches(".gz").trim_end_matches(".zst").to_string()
}

/// What stands between fields, as far as the ending of a file's name says so.
fn delimiter_of(file: &str) -> Option<u8> {
    let name = unpacked(file);
    [(".csv", b','), (".tsv", b'\t')].into_iter().find_map(|(ending, delimiter)| name.ends_with(ending).then_some(delimiter))
}

/// What the file says of the layout.
fn check(description: &Description) -> std::result::Result<(), String> {
    if description.files.is_empty() || description.files.iter().any(|f| f.trim().is_empty()) {
        return Err("files must name at least one file or pattern, such as files = \"wages*.txt\"".into());
    }
    if description.collection.is_empty() {
        return Err("there must be at least one [[collection]]".into());
    }
    if description.delimiter.as_ref().is_some_and(|d| d.len() != 1 || d.contains(['"', '\n', '\r'])) {
        return Err("delimiter must be one character, such as \",\", \"\\t\", \"|\" or \"^\"".into());
    }
    let fixed = !description.fixed.is_empty();
    if fixed && (description.delimiter.is_some() || description.columns.is_some()) {
        return Err("[[fixed]] columns go with neither delimiter nor columns".into());
    }
    if let Some(wrong) = description.fixed.iter().find(|f| f.start == 0 || f.length == 0 || f.start.saturating_add(f.length) > LONGEST_LINE)
    {
        return Err(format!("fixed column {}: start and length must be at least 1, and end before {LONGEST_LINE}", wrong.name));
    }
    let names: Vec<&String> = description.fixed.iter().map(|f| &f.name).chain(description.columns.iter().flatten()).collect();
    if let Some(twice) = names.iter().enumerate().find(|(i, n)| names[..*i].contains(n)) {
        return Err(format!("the column {} is there twice", twice.1));
    }
    Ok(())
}

/// Bytes of a mapping file.
const LONGEST_FILE: u64 = 1 << 20;
/// Fixed columns end before this character.
const LONGEST_LINE: usize = 1 << 20;
