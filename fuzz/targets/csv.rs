//! Bytes as a file that ends in .csv.
#![no_main]

#[path = "../../tests/fuzz/read.rs"]
mod read;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(read::folder);

fuzz_target!(|bytes: &[u8]| read::read(FOLDER.path(), "csv", bytes));
