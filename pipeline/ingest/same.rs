//! Whether a raw folder is the one that was loaded: told by the hashes of its files, without reading a row.

use super::account::too_many;
use super::format::unpack::Hashing;
use super::source::{Source, find};
use super::{Options, in_parallel};
use crate::contract::Contracts;
use crate::error::Result;
use crate::lake::{Input, Load};
use std::path::Path;

/// Whether to load a raw folder would change nothing, because the load before was made of the same files, with the same program and contracts.
pub fn is_same(raw: &Path, contracts: &Contracts, previous: &Load, options: &Options) -> Result<bool> {
    if previous.made_with != options.made_with || previous.collections.iter().any(|c| too_many(c, options)) {
        return Ok(false);
    }
    let found = find(raw, contracts, &options.mappings)?;
    let unknown = previous.warnings.iter().find(|w| w.check == "unknown_file");
    let as_many = unknown.map_or(0, |w| w.count) == found.unknown.len() as u64;
    let named = unknown.iter().flat_map(|w| &w.examples).zip(&found.unknown).all(|(before, now)| before == now);
    let files: Vec<(&String, &Source)> = found.collections.iter().flat_map(|(c, sources)| sources.iter().map(move |s| (c, s))).collect();
    let pairs: Option<Vec<(&Source, &Input)>> = files.iter().map(|(c, s)| Some((*s, input(previous, c, s)?))).collect();
    let Some(pairs) = pairs.filter(|p| as_many && named && p.len() == previous.inputs.len()) else { return Ok(false) };
    let same = in_parallel(options.partitions.max(1), pairs, |(source, input)| {
        Ok(Hashing::open(&source.path, &source.name)?.finish()?.1 == input.blake3)
    });
    same.into_iter().try_fold(true, |all, same: Result<bool>| Ok(all && same?))
}

/// What the load before knows of a file of this name and size.
fn input<'a>(previous: &'a Load, collection: &str, source: &Source) -> Option<&'a Input> {
    previous.inputs.iter().find(|i| i.collection == collection && i.path == source.name && i.bytes == source.bytes)
}
