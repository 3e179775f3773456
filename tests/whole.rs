//! Nothing half done: one writer at a time, files that are whole, a broken commit gives way to the one before.

use crate::support::{entries, loaded, name, place, ran, skipped, text};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_second_run_at_once_is_told_who_holds_the_lock() {
    let place = loaded();
    let root = perkins::root::Root::from(place.restricted());
    let lock = perkins::commit::lock(&root, "test").unwrap();
    let holder = format!("process {}", std::process::id());
    for arguments in [&["ingest", "raw"][..], &["run", "--jurisdiction", "oregon"], &["all", "raw", "--jurisdiction", "oregon"]] {
        place.perkins(arguments).refuses(11, &["perkins test", &holder, "wait"]);
    }
    drop(lock);
    place.run("oregon", [2024], &[]);
    // Whoever only reads does not wait.
    let _lock = perkins::commit::lock(&root, "test").unwrap();
    place.works(&["query", "select 1"]);
}

#[test]
fn folders_that_cannot_be_written() {
    let place = place();
    let file = place.file("file", "");
    // Below a file there is no folder, for anyone.
    place.perkins(&["ingest", "raw", "--restricted", text(&file.join("below"))]).refuses(2, &["cannot", "file/below"]);
    if rustix::process::getuid().is_root() {
        skipped("cli: folders without permission: root may write everywhere");
        return;
    }
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    place.perkins(&["ingest", "raw", "--restricted", "closed/restricted"]).refuses(2, &["closed/restricted", "permission"]);
    fs::set_permissions(place.raw().join("student.csv"), fs::Permissions::from_mode(0o000)).unwrap();
    place.perkins(&["ingest", "raw"]).refuses(2, &["student.csv", "permission"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn files_that_are_broken_are_found_by_verify() {
    let place = ran();
    place.works(&["verify"]);
    place.works(&["verify", "--read-data"]);
    let run = place.manifest("run");
    let results = run["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap().to_string());
    let lake =
        place.manifest("load")["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap().to_string()).collect::<Vec<_>>();
    let result = results.into_iter().find(|p| p.contains("performance")).unwrap();
    for path in [&result, &lake[0]] {
        let full = place.restricted().join(path);
        let whole = fs::read(&full).unwrap();
        let mut turned = whole.clone();
        turned[whole.len() / 2] ^= 0x10;
        fs::write(&full, &turned).unwrap();
        let said = place.perkins(&["verify", "--read-data"]);
        assert_eq!(said.code, 1, "a byte turned in {path}: {}{}", said.out, said.err);
        assert!(format!("{}{}", said.out, said.err).contains(path.as_str()), "{path} is not named: {}{}", said.out, said.err);
        fs::write(&full, &whole[..whole.len() - 1]).unwrap();
        let said = place.perkins(&["verify"]);
        assert_eq!(said.code, 1, "cut short: {path}: {}{}", said.out, said.err);
        fs::remove_file(&full).unwrap();
        let said = place.perkins(&["verify"]);
        assert_eq!(said.code, 1, "gone: {path}: {}{}", said.out, said.err);
        fs::write(&full, &whole).unwrap();
    }
    place.works(&["verify"]);
}

/// What `verify` advises mends it, also where the length of a file is as it was.
#[test]
fn a_damaged_result_is_computed_again() {
    let place = ran();
    let run = place.manifest("run");
    let path = run["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).find(|p| p.contains("performance")).unwrap();
    let full = place.restricted().join(path);
    let mut turned = fs::read(&full).unwrap();
    let middle = turned.len() / 2;
    turned[middle] ^= 0x10;
    fs::write(&full, &turned).unwrap();
    let said = place.perkins(&["verify", "--read-data"]);
    said.refuses(1, &[]);
    assert!(format!("{}{}", said.out, said.err).contains("start `perkins run` again"), "{}{}", said.out, said.err);
    let jurisdiction = run["jurisdiction"].as_str().unwrap();
    place.works(&["run", "--no-publish", "--jurisdiction", jurisdiction, "--report-year", &run["report_years"][0].to_string()]);
    place.works(&["verify", "--read-data"]);
}

/// Who reads a run's folder and not its manifest would count them.
#[test]
fn files_that_no_manifest_names_are_found_by_verify() {
    let place = ran();
    let run = place.manifest("run")["run_id"].as_str().unwrap().to_string();
    for path in ["performance/report_year=2024/performance-00099.parquet", "notes.txt", "colours/report_year=2024/colours-00000.parquet"] {
        let path = format!("runs/{run}/{path}");
        let stray = place.file(&format!("restricted/{path}"), "stray");
        let said = place.perkins(&["verify"]);
        assert!(said.code == 1 && said.out.contains(&path), "{path}: exit code {}, {}{}", said.code, said.out, said.err);
        fs::remove_file(stray).unwrap();
    }
    place.works(&["verify"]);
}

/// A commit that was not written to its end does not count; the one before does.
#[test]
fn a_broken_commit_gives_way_to_the_one_before() {
    let place = ran();
    let before = place.works(&["query", "select * from performance", "--format", "csv"]);
    let commits = place.restricted().join("_commits");
    let next = commits.join("00000099.json");
    fs::write(&next, "{\"number\": 99, \"load\": nu").unwrap();
    assert_eq!(place.works(&["query", "select * from performance", "--format", "csv"]), before);
    place.run("oregon", [2024], &[]);
    let newest = entries(&commits).into_iter().rfind(|p| name(p).ends_with(".json")).unwrap();
    assert_eq!(name(&newest), "00000100.json", "numbers only grow");
}
