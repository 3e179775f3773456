//! What ingest, `perkins check` and `perkins map` go by beside contracts and mappings (`data/intake`).

use crate::error::{Error, Result};
use crate::mapping::name::{distance, folded};
use crate::project::Project;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// When a change of numbers of rows is told (`change.toml`).
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// From one load to the next, of a collection and school year.
    pub fewer_rows: Change,
    /// From one school year to the next, of a collection and institution.
    pub row_count: Change,
    /// A school year without the one before and after it.
    pub lone_year: LoneYear,
    /// Which school year is taken for the latest.
    pub latest_year: LatestYear,
}

/// How few rows a school year has that may be mistyped.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoneYear {
    share: Share,
    years: u32,
}

impl LoneYear {
    /// Whether a year with so many rows is told, of a collection whose largest other year has `largest`, so many years from the nearest other one.
    pub fn is_told(&self, rows: u64, largest: u64, apart: u32) -> bool {
        rows as f64 <= self.share.0 * largest as f64 || apart > self.years
    }
}

/// The latest school year is one that enough collections have enough rows of.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatestYear {
    collections: Share,
    share: Share,
}

impl LatestYear {
    /// The latest of the years that enough collections have; the latest of all if there is none. `rows` has the rows of each collection by year.
    pub fn of(&self, rows: &BTreeMap<&str, BTreeMap<i32, u64>>) -> Option<i32> {
        let years: BTreeSet<i32> = rows.values().flat_map(BTreeMap::keys).copied().collect();
        let enough = |year: &&i32| self.collections_with(rows, **year) as f64 >= self.collections.0 * rows.len() as f64;
        years.iter().rev().find(enough).or(years.last()).copied()
    }

    /// How many collections have enough rows of a year: more than a share of the rows of their largest one.
    pub fn collections_with(&self, rows: &BTreeMap<&str, BTreeMap<i32, u64>>, year: i32) -> usize {
        let has = |years: &&BTreeMap<i32, u64>| {
            let largest = years.values().max().copied().unwrap_or(0);
            years.get(&year).is_some_and(|rows| *rows as f64 > self.share.0 * largest as f64)
        };
        rows.values().filter(has).count()
    }
}

/// A change is told if it reaches both limits.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Share of the rows before, from 0 to 1.
    share: Share,
    /// Rows.
    rows: u64,
}

/// A share from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(try_from = "f64")]
struct Share(f64);

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(share: f64) -> std::result::Result<Share, String> {
        if (0.0..=1.0).contains(&share) { Ok(Share(share)) } else { Err(format!("{share} must be a share from 0 to 1")) }
    }
}

/// What words in names of columns are taken for (`words.toml`).
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    filling: Vec<String>,
    own: Vec<String>,
    opposite: Vec<[String; 2]>,
    meant: BTreeMap<String, String>,
    other: Vec<String>,
    same: BTreeMap<String, Vec<String>>,
}

/// The files of `data/intake`.
const FILES: [&str; 3] = ["change.toml", "warning.toml", "words.toml"];

/// Reads a file of `data/intake`.
fn file<T: DeserializeOwned>(project: &Project, name: &str) -> Result<T> {
    let files = project.intake()?;
    if let Some((_, other)) = files.iter().find(|(name, _)| !FILES.contains(&name.as_str())) {
        return Err(Error::Config(format!("{}: nothing reads it; data/intake has {}", other.label, FILES.join(", "))));
    }
    let file = files.get(name).ok_or_else(|| Error::Config(format!("data/intake/{name} is not there; a project needs it")))?;
    toml::from_str(&file.text).map_err(|e| Error::Config(format!("{}: {e}", file.label)))
}

/// What the warnings of loads are about, by name (`warning.toml`).
pub fn titles(project: &Project) -> Result<BTreeMap<String, String>> {
    file(project, "warning.toml")
}

impl Changes {
    /// The limits of a project.
    pub fn of(project: &Project) -> Result<Changes> {
        file(project, "change.toml")
    }
}

impl Change {
    /// Whether a change from one number of rows to another is told.
    pub fn is_told(&self, before: u64, now: u64) -> bool {
        let change = before.abs_diff(now);
        change > 0 && change >= self.rows && change as f64 >= self.share.0 * before as f64
    }
}

impl Words {
    /// The words of a project.
    pub fn of(project: &Project) -> Result<Words> {
        let words: Words = file(project, "words.toml")?;
        let main = |word: &String| words.main(&word.to_lowercase());
        let own = words.own.iter().map(main).collect();
        let opposite = words.opposite.iter().map(|pair| pair.each_ref().map(main)).collect();
        Ok(Words { own, opposite, ..words })
    }

    /// The word that stands for all that mean the same.
    fn main(&self, word: &str) -> String {
        let same = self.same.iter().find(|(_, others)| others.iter().any(|o| o == word));
        same.map_or(word, |(main, _)| main).to_string()
    }

    /// A name with abbreviations written out, unless what they mean stands there too. Of two that overlap the longer one counts.
    fn meant(&self, spaced: &str) -> String {
        let padded = |words: &str| format!(" {} ", words.split_whitespace().collect::<Vec<_>>().join(" "));
        let mut name = padded(spaced);
        let mut all: Vec<(String, String)> = self.meant.iter().map(|(short, long)| (padded(short), padded(long))).collect();
        all.sort_by_key(|(short, _)| std::cmp::Reverse(short.len()));
        for (short, long) in all {
            if !name.contains(&long) {
                name = name.replace(&short, &long);
            }
        }
        name
    }

    /// The words of a name in lower case, one word for all that mean the same.
    pub fn of_name(&self, name: &str) -> Vec<String> {
        let spaced = self.meant(&spaced(name));
        let told = spaced.split_whitespace().filter(|w| !self.filling.iter().any(|f| f == w));
        let mut words: Vec<String> = told.map(|word| self.main(word)).collect();
        words.dedup();
        words
    }

    /// Whether a column of this name holds what is somebody's own.
    pub fn is_own(&self, name: &str) -> bool {
        self.of_name(name).iter().any(|w| self.own.contains(w))
    }

    /// How much two names are alike, from 0 to 1: what is meant, and what a file has.
    pub fn alike(&self, a: &str, b: &str) -> f64 {
        let (fa, fb) = (folded(a), folded(b));
        if fa.is_empty() || fb.is_empty() || fa.len() > 100 || fb.len() > 100 {
            return 0.0;
        }
        if fa == fb {
            return 1.0;
        }
        let (wa, wb) = (self.of_name(a), self.of_name(b));
        let has = |[one, other]: &[String; 2]| (wa.contains(one) && wb.contains(other)) || (wa.contains(other) && wb.contains(one));
        if self.opposite.iter().any(has) {
            return 0.0;
        }
        // What is not, was, or is somebody else's, is another thing.
        let is_other = |w: &&String| self.other.contains(w);
        if wb.iter().filter(is_other).any(|word| !wa.contains(word)) {
            return 0.0;
        }
        let common = wa.iter().filter(|w| wb.contains(w)).count() as f64;
        let by_words = 0.95 * 2.0 * common / (wa.len() + wb.len()).max(1) as f64;
        let longest = fa.chars().count().max(fb.chars().count());
        let by_letters = 1.0 - distance(&fa, &fb) as f64 / longest as f64;
        by_words.max(if by_letters >= 0.85 { 0.9 * by_letters } else { 0.0 })
    }
}

/// A name in lower case with a blank before each word, as `SchoolYear` and `school_year` begin them.
fn spaced(name: &str) -> String {
    let (mut spaced, mut lower) = (String::new(), false);
    for c in name.chars() {
        if (c.is_uppercase() && lower) || !c.is_alphanumeric() {
            spaced.push(' ');
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
        if c.is_alphanumeric() {
            spaced.extend(c.to_lowercase());
        }
    }
    spaced
}
