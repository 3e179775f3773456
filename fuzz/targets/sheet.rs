//! A part of a workbook, by its number in the first byte, within a workbook that is whole.
#![no_main]

#[path = "../../tests/fuzz/read.rs"]
mod read;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(read::folder);

fuzz_target!(|bytes: &[u8]| {
    if let Some((part, content)) = bytes.split_first() {
        let workbook = read::with_part(&read::workbook(), usize::from(*part), |_| content.to_vec());
        read::read(FOLDER.path(), "xlsx", &workbook);
    }
});
