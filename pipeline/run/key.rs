//! Keys of views: what a view's rows depend on, as one hash. Two views with one key have the same rows, in two jurisdictions or on two nights.
//!
//! A key covers the program's sources, the view's SQL, the keys of the views that it refers to, and the content of the relations that it reads:
//! of a small relation, such as the rules, only the columns that the SQL names.

use crate::catalog::{Name, View};
use crate::engine::Content;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Hash of the program's own sources, made when it is built: another program may count differently from the same SQL.
pub const PROGRAM: &str = env!("PERKINS_SOURCES");

/// A view's key, and what it was made from: enough to say why it must run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// BLAKE3 of all below.
    pub key: String,
    /// BLAKE3 of the view's SQL.
    pub sql: String,
    /// What it reads, with a hash: views by name, `lake.<collection>`, `rule.<rule>` and other columns of small relations.
    pub inputs: BTreeMap<String, String>,
}

impl Key {
    /// What changed between two keys of one view: names of inputs, `sql`, or the program.
    pub fn changes(&self, before: &Key) -> Vec<String> {
        let mut changes: Vec<String> = Vec::new();
        if self.sql != before.sql {
            changes.push("its SQL".into());
        }
        let names: BTreeSet<&String> = self.inputs.keys().chain(before.inputs.keys()).collect();
        changes.extend(names.into_iter().filter(|n| self.inputs.get(*n) != before.inputs.get(*n)).cloned());
        if changes.is_empty() && self.key != before.key {
            changes.push("the program".into());
        }
        changes
    }
}

/// The keys of views, each after those that it refers to, from the contents of all other relations.
pub fn keys(order: &[&View], contents: &BTreeMap<Name, Content>) -> BTreeMap<String, Key> {
    let mut keys: BTreeMap<String, Key> = BTreeMap::new();
    for view in order {
        let words = words(&view.sql);
        let mut inputs = BTreeMap::new();
        for reference in &view.references {
            let of_view = keys.get(&reference.table).filter(|_| reference.schema.is_none());
            match (of_view, contents.get(reference)) {
                (Some(key), _) => {
                    inputs.insert(reference.to_string(), key.key.clone());
                }
                (None, Some(Content::Whole(hash))) => {
                    inputs.insert(reference.to_string(), hash.clone());
                }
                (None, Some(Content::Columns(columns))) => {
                    let read = columns.iter().filter(|(c, _)| words.all || words.names.contains(c.as_str()));
                    inputs.extend(read.map(|(c, hash)| (format!("{reference}.{c}"), hash.clone())));
                }
                // Nothing is known of it: an empty relation of the program, the same every time.
                (None, None) => {}
            }
        }
        keys.insert(view.name.clone(), key(view, inputs));
    }
    keys
}

fn key(view: &View, inputs: BTreeMap<String, String>) -> Key {
    let sql = blake3::hash(view.sql.as_bytes()).to_hex().to_string();
    let mut hasher = blake3::Hasher::new();
    hasher.update(PROGRAM.as_bytes()).update(view.name.as_bytes()).update(sql.as_bytes());
    for (name, hash) in &inputs {
        hasher.update(name.as_bytes()).update(b"=").update(hash.as_bytes()).update(b"\n");
    }
    Key { key: hasher.finalize().to_hex().to_string(), sql, inputs }
}

/// The names that occur in some SQL.
struct Words<'a> {
    names: BTreeSet<&'a str>,
    /// Whether it asks for every column (`*`) somewhere.
    all: bool,
}

/// The words of a view's SQL; more than the columns that it reads, never fewer.
fn words(sql: &str) -> Words<'_> {
    let body = sql.split_once("*/").map_or(sql, |(_, body)| body);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = body.split(|c: char| !is_part(c)).filter(|w| !w.is_empty()).collect();
    let asks_for_all = |(at, _): (usize, &str)| {
        let before = body[..at].trim_end();
        let word = before.rsplit(|c: char| !is_part(c)).next().unwrap_or_default();
        before.ends_with(['.', ',']) || ["select", "distinct"].iter().any(|k| word.eq_ignore_ascii_case(k))
    };
    Words { names, all: body.match_indices('*').any(asks_for_all) }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn every_column_is_asked_for_by_a_star_that_is_no_product() {
        assert!(words("/* a * b */ SELECT * FROM rule").all);
        assert!(words("SELECT DISTINCT r.* FROM rule AS r").all);
        assert!(words("SELECT a, * FROM rule").all);
        assert!(!words("/* all * */ SELECT count(*), 100 * n FROM rule").all);
        assert!(words("SELECT r.credits FROM rule AS r").names.contains("credits"));
    }
}
