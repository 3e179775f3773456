//! The worked cases beside the repository (../shared/cases): their README says how to compare, by the same rules as tests/golden.

use crate::support::{Case, entries, home, in_parallel, name, none_wrong, skipped};

#[test]
fn the_worked_cases_give_what_they_say() {
    let folder = home().join("../shared/cases");
    if !folder.is_dir() {
        skipped("../shared/cases is not there");
        return;
    }
    let folders = entries(&folder).into_iter().filter(|p| p.join("raw").is_dir());
    let cases: Vec<Case> = folders.map(|p| Case::new(format!("shared/cases/{}", name(&p)), &p, "raw", "expected-")).collect();
    assert!(!cases.is_empty(), "{} has no case", folder.display());
    assert!(cases.iter().all(|c| !c.expected.is_empty()), "a case expects nothing");
    let problems = in_parallel(&cases, |case| case.check(false));
    none_wrong(&problems, cases.len());
}
