//! One changed byte anywhere is found: `perkins verify` over every kind of file below both roots.

use crate::support::{Answer, Place, entries, files, home, name};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Two runs of the sample, published, with reports.
fn whole() -> Place {
    let place = Place::new();
    let sample = home().join("data/sample");
    place.works(&["all", sample.to_str().unwrap(), "--jurisdiction", "oregon", "--report-year", "2023"]);
    place.works(&["all", sample.to_str().unwrap(), "--jurisdiction", "oregon", "--report-year", "2024", "--no-report"]);
    let said = place.works(&["verify", "--read-data"]);
    assert!(said.contains("all is whole") && !said.contains("warning"), "{said}");
    place
}

/// One file of each kind: where it lies, without ids and years, and what it is called, without numbers. Tables of a run are one kind.
fn kinds(root: &Path) -> BTreeMap<String, PathBuf> {
    let mut kinds = BTreeMap::new();
    for path in files(root).into_keys().filter(|p| !p.ends_with("_lock")) {
        let parts: Vec<&str> = path.iter().map(|p| p.to_str().unwrap()).collect();
        let own: String = match name(&path) {
            "reject.parquet" => "reject".into(),
            table if table.ends_with(".parquet") => if parts[1] == "_key" { "key" } else { "table" }.into(),
            other => other.chars().filter(|c| !c.is_ascii_digit()).collect(),
        };
        // The last of a kind is of the later run; commits before the current one are a kind of their own.
        let age = if parts[0] == "_commits" && !path.ends_with("00000001.json") { "later" } else { "" };
        kinds.insert(format!("{} {age} {own}", parts[0]), path);
    }
    kinds
}

fn finds(place: &Place, flags: &[&str], path: &Path, what: &str) {
    let Answer { code, out, err } = place.perkins(&[&["verify"], flags].concat());
    let named = out.lines().any(|l| l.starts_with(path.to_str().unwrap()));
    assert!(code == 1 && named, "{what}: {}: exit code {code}\n{out}{err}", path.display());
    assert!(!err.contains("panicked"), "{err}");
}

#[test]
fn one_changed_byte_anywhere_is_found() {
    let place = whole();
    let mut tried = 0;
    for root in [place.restricted(), place.path().join("public")] {
        for (kind, path) in kinds(&root) {
            let full = root.join(&path);
            let bytes = fs::read(&full).unwrap();
            // Somewhere, and the same every time; a different place for each kind.
            let random = kind.bytes().fold(7_usize, |a, b| a.wrapping_mul(31).wrapping_add(b as usize));
            for at in [bytes.len() - 1, random % bytes.len()] {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (random % 7);
                fs::write(&full, &changed).unwrap();
                finds(&place, &["--read-data"], &path, &format!("{kind}: byte {at} of {} changed", bytes.len()));
                tried += 1;
            }
            fs::write(&full, &bytes[..bytes.len() - 1]).unwrap();
            finds(&place, &[], &path, &format!("{kind}: cut short"));
            fs::remove_file(&full).unwrap();
            // A commit that is gone was never there, as far as anybody can tell; of the first and the last, nothing else speaks.
            // Reports without their manifest are those of a drawing that was stopped.
            let may_go = kind.starts_with("_commits") || kind.starts_with("reports") && path.ends_with("manifest.json");
            if !may_go {
                finds(&place, &[], &path, &format!("{kind}: gone"));
            }
            fs::write(&full, &bytes).unwrap();
        }
    }
    // At least 16 kinds below the restricted root (commits, of the lake, of loads, runs, releases, reports), 7 below the public one.
    assert!(tried >= 2 * 23, "{tried}");
    assert!(place.works(&["verify", "--read-data"]).contains("all is whole"));
}

/// Who is killed leaves files that nothing names. They are named by `verify` and stop nobody.
#[test]
fn what_no_commit_names_is_a_warning() {
    let place = whole();
    for root in ["restricted", "public"] {
        let left = [
            "runs/20200101T000000Z-oregon-00000000/performance/report_year=2024/performance-00000.parquet",
            "runs/20200101T000000Z-oregon-00000000/manifest.json",
            ".draft-1-2",
        ];
        left.iter().for_each(|l| drop(place.file(&format!("{root}/{l}"), "left")));
    }
    place.file("restricted/lake/student/school_year=2024/student-0000000000000000.parquet", "left");
    place.file("restricted/loads/0000000000000000/reject/reject.parquet", "left");
    for flags in [&["verify"][..], &["verify", "--read-data"]] {
        let said = place.works(flags);
        let warned: Vec<&str> = said.lines().filter_map(|l| l.strip_prefix("warning: ")).collect();
        // Three things below the restricted root, one more of the lake and one of the loads; two below the public one.
        let of = |start: &str| warned.iter().filter(|w| w.starts_with(start)).count();
        assert_eq!(of("runs/20200101T000000Z-oregon-00000000: 2 files"), 2, "{said}");
        assert_eq!((of(".draft-1-2"), of("loads/0000000000000000: one file"), of("lake/student/")), (2, 1, 1), "{said}");
        assert_eq!(warned.len(), 6, "{said}");
        assert!(said.contains("all is whole"), "{said}");
    }
}

/// A manifest that is whole, but does not say what its files are.
#[test]
fn columns_and_rows_are_those_of_the_manifest() {
    let place = crate::support::ran();
    let run = place.manifest("run");
    let path = format!("runs/{}/manifest.json", run["run_id"].as_str().unwrap());
    let text = fs::read_to_string(place.restricted().join(&path)).unwrap();
    let commits = entries(&place.restricted().join("_commits"));
    for (before, after, says) in
        [("\"numerator\"", "\"counter\"", "numerator Boolean and not counter Boolean"), ("\"rows\": ", "\"rows\": 1", "rows, not 1")]
    {
        let changed = text.replacen(before, after, 1);
        assert_ne!(changed, text);
        // The commit names the changed manifest, as if it had been made so.
        let mut commit = perkins::commit::current(&perkins::root::Root::from(place.restricted())).unwrap().unwrap();
        commit.runs.values_mut().for_each(|p| p.blake3 = blake3::hash(changed.as_bytes()).to_hex().to_string());
        fs::write(place.restricted().join(&path), &changed).unwrap();
        fs::write(commits.last().unwrap(), perkins::seal::seal(&commit).unwrap()).unwrap();
        let said = place.perkins(&["verify", "--read-data"]);
        assert!(said.code == 1 && said.out.contains(says), "{says}: {} {}{}", said.code, said.out, said.err);
        // Nothing else reads the old commit back: the next turn starts from the manifest as it was.
        commit.runs.values_mut().for_each(|p| p.blake3 = blake3::hash(text.as_bytes()).to_hex().to_string());
        fs::write(place.restricted().join(&path), &text).unwrap();
        fs::write(commits.last().unwrap(), perkins::seal::seal(&commit).unwrap()).unwrap();
    }
    assert!(place.works(&["verify", "--read-data"]).contains("all is whole"));
}

/// A later run mends what was damaged by making it anew; what remains of the one before holds up nobody, but is named.
#[test]
fn damage_in_a_run_that_is_no_longer_current_is_a_warning() {
    let place = whole();
    let runs = entries(&place.restricted().join("runs"));
    assert_eq!(runs.len(), 2);
    let path = format!("runs/{}/performance/report_year=2023/performance-00000.parquet", name(&runs[0]));
    let mut bytes = fs::read(place.restricted().join(&path)).unwrap();
    bytes[10] ^= 1;
    fs::write(place.restricted().join(&path), bytes).unwrap();
    let said = place.works(&["verify", "--read-data"]);
    assert!(said.lines().any(|l| l.starts_with(&format!("warning: {path}: "))) && said.contains("all is whole"), "{said}");
}
