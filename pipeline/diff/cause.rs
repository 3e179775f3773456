//! What two runs were made from, as far as it differs, and which of it a table depends on.

use crate::run::key::Key;
use crate::run::manifest::Manifest;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What changed between two runs.
#[derive(Debug, Default, Serialize)]
pub struct Causes {
    /// Collections whose files in the lake differ, with the partitions; an empty list for one that has none.
    pub collections: BTreeMap<String, Vec<String>>,
    /// Rules whose values differ.
    pub rules: Vec<String>,
    /// Views whose SQL differs, by path.
    pub sql: Vec<String>,
    /// Files of overlays that differ.
    pub overlays: Vec<String>,
    /// Collections that stand in for what was not handed over, and differ.
    pub defaults: Vec<String>,
    /// Versions of the program, if they differ.
    pub program: Option<[String; 2]>,
}

impl Causes {
    /// Compares the manifests.
    pub fn between(a: &Manifest, b: &Manifest) -> Causes {
        let mut collections: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (before, after) = (files(&a.inputs), files(&b.inputs));
        for place in differing(&before, &after) {
            let partitions = collections.entry(place.0.clone()).or_default();
            partitions.extend((!place.1.is_empty()).then(|| place.1.clone()));
        }
        let values = |m: &Manifest| -> BTreeMap<String, String> {
            let text = |v: &crate::jurisdiction::Value| format!("{} {:?} {}", v.first_report_year, v.last_report_year, v.value);
            m.rules.iter().map(|(rule, values)| (rule.clone(), values.iter().map(text).collect::<Vec<_>>().join("\n"))).collect()
        };
        Causes {
            collections,
            rules: differing(&values(a), &values(b)),
            sql: differing(&a.sql, &b.sql),
            overlays: differing(&a.overlays, &b.overlays),
            defaults: differing(&a.defaults, &b.defaults),
            program: (a.program_version != b.program_version).then(|| [a.program_version.clone(), b.program_version.clone()]),
        }
    }
}

/// Hashes of the lake's files by collection and partition: both stand in a file's path (specification: outputs, Layout of a run).
fn files(inputs: &BTreeMap<String, String>) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut files: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (path, hash) in inputs {
        let mut parts = path.split('/').skip(1);
        let (collection, partition) = (parts.next().unwrap_or_default(), parts.next().filter(|p| p.contains('=')).unwrap_or_default());
        files.entry((collection.into(), partition.into())).or_default().insert(hash.clone());
    }
    files
}

/// Names that only one side has, or that have another value there.
fn differing<K: Ord + Clone, V: PartialEq>(a: &BTreeMap<K, V>, b: &BTreeMap<K, V>) -> Vec<K> {
    let names: BTreeSet<&K> = a.keys().chain(b.keys()).collect();
    names.into_iter().filter(|n| a.get(*n) != b.get(*n)).cloned().collect()
}

/// What changed that a view depends on, through all views below it: what is no view, such as `lake.<collection>` and `rule.<rule>`, and
/// views whose SQL changed.
pub fn of_view(view: &str, a: &BTreeMap<String, Key>, b: &BTreeMap<String, Key>) -> Vec<String> {
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![view.to_string()];
    while let Some(name) = open.pop() {
        let (Some(before), Some(after)) = (a.get(&name), b.get(&name)) else {
            found.insert(format!("view {name}"));
            continue;
        };
        if before.key == after.key || !seen.insert(name.clone()) {
            continue;
        }
        if before.sql != after.sql {
            found.insert(format!("view {name}"));
        }
        for input in differing(&before.inputs, &after.inputs) {
            if a.contains_key(&input) || b.contains_key(&input) {
                open.push(input);
            } else {
                found.insert(input);
            }
        }
        if before.sql == after.sql && before.inputs == after.inputs {
            found.insert("the program".into());
        }
    }
    found.into_iter().collect()
}
