//! A limit of memory changes how long a run takes, never what it gives, and leaves nothing behind. How much memory is taken: benches.

use crate::support::{Place, entries, files, home, text};
use std::os::unix::fs::PermissionsExt;

fn loaded() -> Place {
    let place = Place::new();
    place.ingest(&home().join("data/sample"));
    place
}

#[test]
fn a_limit_changes_no_byte() {
    let place = loaded();
    place.run("oregon", [2024], &[]);
    let (free, log) = (place.results(), place.path().join("log"));
    // 32 MiB: 16 for operators, less than the rows of some sorts of the sample.
    place.run("oregon", [2024], &["--memory-limit", "32MiB", "--log-file", text(&log), "--log-level", "perkins::engine=trace"]);
    assert_eq!(place.results(), free);
    let told = std::fs::read_to_string(log).unwrap();
    let spilled = told.split("spill_count=").skip(1).filter(|rest| !rest.starts_with('0')).count();
    assert!(spilled > 0, "nothing was spilled, so nothing was tested");
    assert!(!place.restricted().join("_spill").exists(), "what was spilled is cleared away");
}

/// Who is killed leaves what he spilled: student rows, for their owner only, until the next one comes. Who is alive keeps his.
#[test]
fn what_a_killed_run_spilled_is_cleared_away() {
    let place = loaded();
    let spill = place.restricted().join("_spill");
    let [dead, alive] = ["1-dead", "2-alive"].map(|name| spill.join(name));
    std::fs::create_dir_all(&dead).unwrap();
    std::fs::write(dead.join("rows"), "left").unwrap();
    let lock = perkins::commit::lock(&alive, "spilling").unwrap();
    assert_eq!(std::fs::metadata(&alive).unwrap().permissions().mode() & 0o777, 0o700);
    place.run("oregon", [2024], &["--memory-limit", "1GiB", "--table", "performance"]);
    assert_eq!(entries(&spill), [alive.as_path()]);
    drop(lock);
    place.run("oregon", [2024], &["--memory-limit", "1GiB", "--table", "performance"]);
    assert!(!spill.exists(), "{:?}", files(&spill).keys());
}
