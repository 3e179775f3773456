//! Files that nothing names: left by what was killed, or put there by hand.

use super::Report;
use crate::error::Result;
use crate::root::Root;
use crate::store;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What to do about a stray, where readers may meet it and elsewhere.
const READ_ADVICE: &str = "move it elsewhere: what reads the folder and not the manifest would count it";
const ADVICE: &str = "a command that failed or was killed left it; `perkins gc` removes it";

/// Says what lies below a root that is not among `named`, but for what lies below `other`. Within `committed` folders it is a finding,
/// since who reads such a folder by itself would count it; elsewhere readers never look, and it is a warning.
pub fn check(root: &Root, named: &BTreeSet<String>, committed: &BTreeSet<String>, other: &Path, report: &mut Report) -> Result<()> {
    let mut warnings: BTreeMap<String, u64> = BTreeMap::new();
    for path in below(root, other)?.into_iter().filter(|p| !named.contains(p)) {
        let folder = folder(&path);
        match folder {
            Some(folder) if committed.contains(folder) && !store::is_draft(&path) => {
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

/// The folder that one load, run, release or report fills: `runs/<id>` of `runs/<id>/…`.
fn folder(path: &str) -> Option<&str> {
    let mut slashes = path.match_indices('/').map(|(at, _)| at);
    let (_, second) = (slashes.next()?, slashes.next()?);
    (!path.starts_with(LAKE)).then(|| &path[..second])
}

/// The lake's folders are those of collections, which many loads fill.
const LAKE: &str = "lake/";

/// Every file below a root; on a store, every object, whatever its mirror has.
fn below(root: &Root, other: &Path) -> Result<BTreeSet<String>> {
    let found = root.files("")?.into_iter().map(|f| f.path);
    Ok(found.filter(|path| !root.join(path).starts_with(other)).collect())
}
