//! Files that nothing names: left by what was killed, or put there by hand.

use super::Report;
use crate::error::{Error, Result};
use crate::store::relative;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What to do about a stray, where readers may meet it and elsewhere.
const READ_ADVICE: &str = "move it elsewhere: what reads the folder and not the manifest would count it";
const ADVICE: &str = "a command that failed or was killed left it; delete it when none is at work";

/// Says what lies below a root that is not among `named`, but for what lies below `other`. Within `committed` folders it is a finding,
/// since who reads such a folder by itself would count it; elsewhere readers never look, and it is a warning.
pub fn check(root: &Path, named: &BTreeSet<String>, committed: &BTreeSet<String>, other: &Path, report: &mut Report) -> Result<()> {
    let mut warnings: BTreeMap<String, u64> = BTreeMap::new();
    for path in below(root, other)?.into_iter().filter(|p| !named.contains(p)) {
        let folder = folder(&path);
        match folder {
            Some(folder) if committed.contains(folder) && !is_draft(&path) => {
                report.finding(&path, "is there, but the manifest of its folder does not name it", READ_ADVICE)
            }
            _ => *warnings.entry(folder.unwrap_or(&path).to_string()).or_default() += 1,
        }
    }
    for (path, files) in warnings {
        let files = if files == 1 { "one file".into() } else { format!("{files} files") };
        report.warnings.push(format!("{path}: {files} that no commit names; {ADVICE}"));
    }
    Ok(())
}

/// What a killed command was writing: readers look at no name that begins with a dot.
fn is_draft(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(".draft-"))
}

/// The folder that one load, run, release or report fills: `runs/<id>` of `runs/<id>/…`.
fn folder(path: &str) -> Option<&str> {
    let mut slashes = path.match_indices('/').map(|(at, _)| at);
    let (_, second) = (slashes.next()?, slashes.next()?);
    (!path.starts_with(LAKE)).then(|| &path[..second])
}

/// The lake's folders are those of collections, which many loads fill.
const LAKE: &str = "lake/";

/// Every file below a folder, relative to it.
fn below(root: &Path, other: &Path) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|e| Error::io("read", &folder, e))?;
        for path in entries.flatten().map(|e| e.path()).filter(|p| p != other) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(relative(root, &path));
            }
        }
    }
    Ok(found)
}
