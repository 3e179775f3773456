//! The number of a mapping that ships, then bytes as the file of its case.
#![no_main]

#[path = "../../tests/fuzz/read.rs"]
mod read;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(read::folder);
static MAPPINGS: LazyLock<Vec<read::Case>> = LazyLock::new(read::mappings);

fuzz_target!(|bytes: &[u8]| {
    let Some((number, content)) = bytes.split_first() else { return };
    let (mapping, files) = &MAPPINGS[usize::from(*number) % MAPPINGS.len()];
    files.iter().take(1).for_each(|(name, _)| read::read_mapped(FOLDER.path(), mapping, name, content));
});
