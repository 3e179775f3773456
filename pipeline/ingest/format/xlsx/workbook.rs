//! What a workbook says of itself: which sheet is the first, where its parts are, its texts and its formats.

use super::super::super::limit::{PART_BYTES, STRINGS_BYTES, TEXT_CHARACTERS};
use super::package::Package;
use super::style::{Shape, built_in, of_code};
use super::xml::{Item, Xml, attribute};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// What is needed to read the first sheet.
pub struct Workbook {
    /// The part with the first sheet that is shown.
    pub sheet: String,
    /// The other sheets that are shown.
    pub others: Vec<Other>,
    /// Whether dates count from 1904.
    pub since_1904: bool,
    /// The texts that cells refer to.
    pub strings: Strings,
    /// The shape of numbers of each cell format.
    pub shapes: Vec<Shape>,
}

/// A sheet that is not read.
#[derive(Debug, Clone)]
pub struct Other {
    /// Its place among those that are shown, from 1; charts count.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Its part.
    pub part: String,
}

/// Texts one after another.
#[derive(Debug, Default)]
pub struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    /// A text by its number.
    pub fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)? as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }
}

/// A relationship of a part: what it is, and the part that it leads to.
struct Relation {
    kind: String,
    target: String,
}

/// Reads all of a workbook but its sheets. `name` is its name in messages.
pub fn read(package: &mut Package, name: &str) -> Result<Workbook> {
    let main = relations(package, "", name)?.into_values().find(|r| r.kind == "officeDocument").map(|r| r.target);
    let main = main.unwrap_or_else(|| "xl/workbook.xml".into());
    let relations = relations(package, &main, name)?;
    let of_kind = |kind: &str| relations.values().find(|r| r.kind == kind).map(|r| r.target.clone());
    let (listed, since_1904) = sheets(package, &main, name)?;
    let mut shown = (1..).zip(listed).filter_map(|(number, (name, id))| {
        let relation = relations.get(&id).filter(|r| r.kind == "worksheet")?;
        Some(Other { number, name, part: relation.target.clone() })
    });
    let Other { part: sheet, .. } =
        shown.next().ok_or_else(|| Error::Data(format!("{name}: has no sheet that is shown; expected a table in the first sheet")))?;
    let others = shown.collect();
    let strings = of_kind("sharedStrings").map_or(Ok(Strings::default()), |part| strings(package, &part))?;
    let shapes = of_kind("styles").map_or(Ok(Vec::new()), |part| shapes(package, &part))?;
    Ok(Workbook { sheet, others, since_1904, strings, shapes })
}

/// The relationships of a part by their ids; of the workbook as a whole if the part is "".
fn relations(package: &mut Package, part: &str, name: &str) -> Result<BTreeMap<String, Relation>> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let path = if folder.is_empty() { format!("_rels/{file}.rels") } else { format!("{folder}/_rels/{file}.rels") };
    let mut all = BTreeMap::new();
    let Some(part) = package.part(&path, PART_BYTES)? else { return Ok(all) };
    let mut xml = Xml::new(part);
    loop {
        match xml.next()? {
            Item::Start(element) if element.local_name().as_ref() == b"Relationship" => {
                let of = |name: &[u8]| attribute(&element, name).unwrap_or_default();
                let kind = of(b"Type").rsplit('/').next().unwrap_or_default().to_string();
                // Links to elsewhere are of no interest.
                if of(b"TargetMode") != "External" && all.len() < 10_000 {
                    let target = resolve(folder, &of(b"Target")).ok_or_else(|| {
                        Error::Data(format!(
                            "{name}: a part of the workbook is named {}, which leads out of it; save it as xlsx again",
                            of(b"Target")
                        ))
                    })?;
                    all.insert(of(b"Id"), Relation { kind, target });
                }
            }
            Item::Eof => return Ok(all),
            _ => {}
        }
    }
}

/// A path as it is meant from a folder; none if it leads out of the workbook.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').filter(|p| !p.is_empty()).collect() };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The sheets that are shown, (name, id of its relationship), and whether dates count from 1904.
fn sheets(package: &mut Package, main: &str, name: &str) -> Result<(Vec<(String, String)>, bool)> {
    let none = || Error::Data(format!("{name}: is no xlsx workbook: it has no part {main}; save it as xlsx again"));
    let mut xml = Xml::new(package.part(main, PART_BYTES)?.ok_or_else(none)?);
    let (mut sheets, mut since_1904) = (Vec::new(), false);
    loop {
        match xml.next()? {
            Item::Start(element) => {
                let of = |name: &[u8]| attribute(&element, name).unwrap_or_default();
                match element.local_name().as_ref() {
                    b"sheet" if of(b"state").is_empty() || of(b"state") == "visible" => sheets.push((of(b"name"), of(b"id"))),
                    b"workbookPr" => since_1904 = matches!(of(b"date1904").as_str(), "1" | "true"),
                    _ => {}
                }
            }
            Item::Eof => return Ok((sheets, since_1904)),
            _ => {}
        }
    }
}

fn strings(package: &mut Package, part: &str) -> Result<Strings> {
    let mut all = Strings::default();
    let Some(part) = package.part(part, STRINGS_BYTES)? else { return Ok(all) };
    let mut xml = Xml::new(part);
    loop {
        match xml.next()? {
            Item::Start(element) if element.local_name().as_ref() == b"si" => {
                let text = rich_text(&mut xml, b"si")?;
                all.text.push_str(&text);
                all.ends.push(u32::try_from(all.text.len()).map_err(|_| xml.too_large("there is very much text"))?);
            }
            Item::Eof => return Ok(all),
            _ => {}
        }
    }
}

/// The text of an element that has begun, up to its end: of its `t` elements, but not of how it is pronounced.
pub fn rich_text(xml: &mut Xml, element: &[u8]) -> Result<String> {
    let (mut text, mut inside, mut spoken) = (String::new(), false, false);
    loop {
        match xml.next()? {
            Item::Start(e) if e.local_name().as_ref() == b"t" => inside = true,
            Item::Start(e) if e.local_name().as_ref() == b"rPh" => spoken = true,
            Item::End(name) if name == b"t" => inside = false,
            Item::End(name) if name == b"rPh" => spoken = false,
            Item::End(name) if name == element => return Ok(unescape(text)),
            Item::Text(piece) if inside && !spoken => text.push_str(&piece),
            Item::Eof => return Err(xml.damaged("it ends early")),
            _ => {}
        }
        if text.len() > 4 * TEXT_CHARACTERS {
            return Err(xml.too_large(&format!("a cell has more than {TEXT_CHARACTERS} characters")));
        }
    }
}

/// Characters that XML has no place for stand as `_x000D_` (ECMA-376, part 1, 22.9.2.19).
pub fn unescape(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let (mut done, mut rest) = (String::new(), text.as_str());
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 7).and_then(|c| c.strip_suffix('_')).filter(|c| c.bytes().all(|b| b.is_ascii_hexdigit()));
        let character = code.and_then(|c| char::from_u32(u32::from_str_radix(c, 16).ok()?));
        done.push_str(&rest[..at]);
        done.push_str(character.map_or("_x".to_string(), String::from).as_str());
        rest = &rest[at + if character.is_some() { 7 } else { 2 }..];
    }
    done + rest
}

/// The shapes of numbers by cell format.
fn shapes(package: &mut Package, part: &str) -> Result<Vec<Shape>> {
    let (mut own, mut ids, mut inside) = (BTreeMap::new(), Vec::new(), false);
    let Some(part) = package.part(part, PART_BYTES)? else { return Ok(Vec::new()) };
    let mut xml = Xml::new(part);
    loop {
        match xml.next()? {
            Item::Start(element) => {
                let of = |name: &[u8]| attribute(&element, name).unwrap_or_default();
                let id = || of(b"numFmtId").parse().unwrap_or(0u32);
                match element.local_name().as_ref() {
                    b"numFmt" => drop(own.insert(id(), of_code(&of(b"formatCode")))),
                    b"cellXfs" => inside = true,
                    b"xf" if inside => ids.push(id()),
                    _ => {}
                }
            }
            Item::End(name) if name == b"cellXfs" => inside = false,
            Item::Eof => return Ok(ids.into_iter().map(|id| own.get(&id).cloned().unwrap_or_else(|| built_in(id))).collect()),
            _ => {}
        }
    }
}
