//! What a load says of its mappings: in its manifest, and as warnings.

use super::Mapping;
use super::rows::Use;
use super::tally::Tally;
use crate::lake::{Applied, Warning};
use std::collections::BTreeMap;

/// The check that finds texts without a code.
const UNKNOWN_VALUE: &str = "mapping_unknown_value";

/// The record of a mapping's use on a file that was read.
pub fn applied(used: &Use) -> Applied {
    let (mapping, tally) = (&used.mapping, used.tally());
    if used.table == 0 && used.pass == 0 && !tally.unused.is_empty() {
        tracing::info!(mapping = mapping.name, columns = tally.unused.len(), "columns that the mapping does not read were kept out");
    }
    Applied {
        name: mapping.name.clone(),
        blake3: mapping.blake3.clone(),
        collection: used.table + 1,
        quarter: if mapping.tables[used.table].passes > 1 { used.pass + 1 } else { 0 },
        rows: tally.rows,
        left_out: tally.left_out,
        unused_columns: tally.unused.len() as u64,
    }
}

/// Warnings of the mappings that made a collection, for each of them: fields with texts that have no code, and rows of too many quarters.
pub fn warnings<'a>(collection: &str, uses: impl Iterator<Item = &'a Use>) -> Vec<Warning> {
    let mut by_mapping: BTreeMap<&str, (&Mapping, Tally)> = BTreeMap::new();
    for used in uses {
        let (_, tally) = by_mapping.entry(&used.mapping.name).or_insert_with(|| (&used.mapping, Tally::default()));
        tally.add(&used.tally());
    }
    let mut all = Vec::new();
    for (mapping, tally) in by_mapping.into_values() {
        for (field, unknown) in &tally.unknown {
            let texts = unknown.examples();
            let texts = if texts.is_empty() { String::new() } else { format!(" for {}", texts.join(", ")) };
            let file = mapping.file_name();
            tracing::warn!(
                mapping = mapping.name,
                collection,
                field,
                rows = unknown.rows,
                "texts without a code; codes needs a line{texts}"
            );
            let example = format!("{file}: codes of {field} needs a line{texts}");
            all.push(Warning::new(UNKNOWN_VALUE, Some(collection), unknown.rows, vec![example]));
        }
        for (column, rows) in &tally.no_number {
            let example = format!("{}: rows are left out where {column} is no number", mapping.file_name());
            all.push(Warning::new("mapping_no_number", Some(collection), *rows, vec![example]));
        }
        if tally.longer > 0 {
            let example = format!("{}: each_quarter makes no more than at_most rows", mapping.file_name());
            all.push(Warning::new("mapping_more_quarters", Some(collection), tally.longer, vec![example]));
        }
    }
    all
}

/// What mappings need, of a load's warnings: a line for each.
pub fn to_do(warnings: &[Warning]) -> String {
    warnings.iter().filter(|w| w.check == UNKNOWN_VALUE).flat_map(|w| &w.examples).map(|example| format!("  {example}\n")).collect()
}

/// The warning of a mapping that no file is for.
pub fn idle(mapping: &Mapping) -> Warning {
    tracing::warn!(mapping = mapping.name, files = mapping.description.files.join(", "), "no file of the raw folder is for this mapping");
    let example = format!("{} is for files named {}", mapping.name, mapping.description.files.join(", "));
    Warning::new("mapping_without_file", None, 1, vec![example])
}
