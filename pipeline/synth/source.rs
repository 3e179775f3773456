//! Reads data/synth: rates, names and programs, and what differs for a jurisdiction.

use super::rates::{Names, Offers, Rates};
use crate::error::{Error, Result};
use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;
use std::path::Path;

static SYNTH: Dir = include_dir!("$CARGO_MANIFEST_DIR/data/synth");

/// Everything under data/synth for a jurisdiction.
#[derive(Debug)]
pub(super) struct Sources {
    pub rates: Rates,
    pub offers: Offers,
    pub names: Names,
}

/// The files that are no table of rates.toml.
const APART: [&str; 3] = ["rates.toml", "program.toml", "name.toml"];

/// Reads data/synth, with the jurisdiction's values over the base.
pub(super) fn load(jurisdiction: &str) -> Result<Sources> {
    let overlay_path = format!("jurisdiction/{jurisdiction}.toml");
    if SYNTH.get_file(&overlay_path).is_none() {
        let known = SYNTH.get_dir("jurisdiction").into_iter().flat_map(|d| d.files());
        let known: Vec<_> = known.filter_map(|f| f.path().file_stem().and_then(|s| s.to_str())).collect();
        let message =
            format!("no rates for jurisdiction `{jurisdiction}`; use one of: {}, or add data/synth/{overlay_path}", known.join(", "));
        return Err(Error::Config(message));
    }
    let mut rates = table("rates.toml")?;
    for path in SYNTH.files().map(|f| f.path()).filter(|p| APART.iter().all(|apart| p != &Path::new(apart))) {
        let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        rates.insert(name.into(), toml::Value::Table(table(&path.to_string_lossy())?));
    }
    lay_over(&mut rates, table(&overlay_path)?);
    Ok(Sources {
        rates: typed("rates.toml", rates)?,
        offers: typed("program.toml", table("program.toml")?)?,
        names: typed("name.toml", table("name.toml")?)?,
    })
}

fn table(path: &str) -> Result<toml::Table> {
    let text = SYNTH.get_file(Path::new(path)).and_then(|f| f.contents_utf8());
    let text = text.ok_or_else(|| Error::bug(format!("data/synth/{path} is not in the program")))?;
    text.parse().map_err(|e| Error::Config(format!("data/synth/{path}: {e}")))
}

fn typed<T: DeserializeOwned>(path: &str, table: toml::Table) -> Result<T> {
    T::deserialize(table).map_err(|e| Error::Config(format!("data/synth/{path} (with the jurisdiction's values over it): {e}")))
}

fn lay_over(base: &mut toml::Table, overlay: toml::Table) {
    for (key, value) in overlay {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
