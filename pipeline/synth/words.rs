//! Values of data/synth that are more than a number: words and credits with weights, rates by year.

use super::random::{Rng, Weights};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A table of words with weights. TOML tables are read in the order of their keys, so a draw does not depend on the order in the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "BTreeMap<String, f64>")]
pub(super) struct Words {
    pub words: Vec<String>,
    pub weights: Weights,
}

impl From<BTreeMap<String, f64>> for Words {
    fn from(map: BTreeMap<String, f64>) -> Words {
        Words { weights: Weights::new(map.values().copied()), words: map.into_keys().collect() }
    }
}

impl Words {
    /// A word by its weight.
    pub fn draw(&self, rng: &mut Rng) -> &str {
        self.words.get(self.weights.draw(rng)).map_or("", String::as_str)
    }
}

/// A table of credits with weights, in hundredths.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, f64>")]
pub(super) struct Credits {
    values: Vec<i64>,
    weights: Weights,
}

impl TryFrom<BTreeMap<String, f64>> for Credits {
    type Error = String;
    fn try_from(map: BTreeMap<String, f64>) -> std::result::Result<Credits, String> {
        let values = map.keys().map(|k| hundredths(k).ok_or_else(|| format!("`{k}` is no number of credits such as 1.50")));
        Ok(Credits { values: values.collect::<std::result::Result<_, _>>()?, weights: Weights::new(map.into_values()) })
    }
}

impl Credits {
    /// Credits by their weight, in hundredths.
    pub fn draw(&self, rng: &mut Rng) -> i64 {
        self.values.get(self.weights.draw(rng)).copied().unwrap_or(100)
    }
}

/// `1.5` as 150.
pub(super) fn hundredths(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = match part.len() {
        0 => 0,
        1 => part.parse::<i64>().ok()? * 10,
        2 => part.parse::<i64>().ok()?,
        _ => return None,
    };
    Some(whole.parse::<i64>().ok()? * 100 + part)
}

/// A rate by school year: that of the latest year given that is not later, else the first.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "BTreeMap<String, f64>")]
pub(super) struct ByYear(BTreeMap<i32, f64>);

impl TryFrom<BTreeMap<String, f64>> for ByYear {
    type Error = String;
    fn try_from(map: BTreeMap<String, f64>) -> std::result::Result<ByYear, String> {
        let year = |k: String| k.parse::<i32>().map_err(|_| format!("`{k}` is no year"));
        map.into_iter().map(|(k, v)| Ok((year(k)?, v))).collect::<std::result::Result<_, String>>().map(ByYear)
    }
}

impl ByYear {
    /// The rate of a school year.
    pub fn of(&self, year: i32) -> f64 {
        self.0.range(..=year).next_back().or_else(|| self.0.iter().next()).map_or(0.0, |(_, rate)| *rate)
    }
}
