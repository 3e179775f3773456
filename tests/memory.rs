//! A limit of memory changes how long a run takes, never what it gives, and leaves nothing behind. How much memory is taken: benches.

use crate::support::{Place, entries, files, home};
use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use perkins::catalog::Name;
use perkins::engine::{Engine, Limit, Memory};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

fn loaded() -> Place {
    let place = Place::new();
    place.ingest(&home().join("data/sample"));
    place
}

#[test]
fn a_limit_changes_no_byte() {
    let place = loaded();
    place.run("oregon", [2024], &[]);
    let free = place.results();
    place.run("oregon", [2024], &["--memory-limit", "64MiB"]);
    assert_eq!(place.results(), free);
    assert!(!place.restricted().join("_spill").exists(), "what was spilled is cleared away");
}

/// A sort of 16 MB, for which 12 MiB are there.
#[test]
fn what_does_not_fit_is_spilled() {
    let place = Place::new();
    std::fs::create_dir(place.restricted()).unwrap();
    let limit = Limit { bytes: 24 << 20, root: place.restricted() };
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
    // A permutation of 0 to 2,097,151: an odd factor modulo a power of two.
    let rows = 1_i64 << 21;
    let number = |start: i64| Int64Array::from_iter_values((start..start + 8192).map(|i| i * 1_315_423_911 % rows));
    let batch = |start| RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(number(start))]).unwrap();
    let batches = (0..rows).step_by(8192).map(batch).collect();
    let engine = Engine::new(1, Some(&limit)).unwrap();
    engine.register(&Name { schema: None, table: "number".into() }, Arc::new(Memory::whole(Arc::clone(&schema), batches))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sorted = "SELECT n FROM number ORDER BY n";
    let answer = runtime.block_on(engine.query(sorted)).unwrap().1;
    assert!(answer.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().values()).copied().eq(0..rows));
    let told = runtime.block_on(engine.query(&format!("EXPLAIN ANALYZE {sorted}"))).unwrap().1;
    let told = arrow::util::pretty::pretty_format_batches(&told).unwrap().to_string();
    let spilled = told.split("spill_count=").nth(1).and_then(|t| t.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok());
    assert!(spilled.is_some_and(|n| n > 0), "{told}");
    let spill = place.restricted().join("_spill");
    let modes = entries(&spill).iter().map(|p| std::fs::metadata(p).unwrap().permissions().mode() & 0o777).collect::<Vec<_>>();
    assert_eq!(modes, [0o700]);
    drop(engine);
    assert!(!spill.exists());
}

/// Who is killed leaves what he spilled: student rows, for their owner only, until the next one comes. Who is alive keeps his.
#[test]
fn what_a_killed_run_spilled_is_cleared_away() {
    let place = loaded();
    let spill = place.restricted().join("_spill");
    let [dead, alive] = ["1-dead", "2-alive"].map(|name| spill.join(name));
    std::fs::create_dir_all(&dead).unwrap();
    std::fs::write(dead.join("rows"), "left").unwrap();
    let lock = perkins::commit::lock(&perkins::root::Root::from(alive.clone()), "spilling").unwrap();
    assert_eq!(std::fs::metadata(&alive).unwrap().permissions().mode() & 0o777, 0o700);
    place.run("oregon", [2024], &["--memory-limit", "1GiB", "--table", "performance"]);
    assert_eq!(entries(&spill), [alive.as_path()]);
    drop(lock);
    place.run("oregon", [2024], &["--memory-limit", "1GiB", "--table", "performance"]);
    assert!(!spill.exists(), "{:?}", files(&spill).keys());
}
