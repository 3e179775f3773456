//! Hashes the program's own sources: the keys of views begin with it, so that another program never takes over an earlier one's tables. The
//! rules (sql/, data/) are embedded in the binary: a change there builds it anew.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let mut files = vec![PathBuf::from("Cargo.lock")];
    sources(Path::new("pipeline"), &mut files)?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        (file, std::fs::read(file)?).hash(&mut hasher);
    }
    for folder in [
        "pipeline",
        "sql",
        "data/contract",
        "data/rule",
        "data/default",
        "data/reference",
        "data/report",
        "data/synth",
        "data/publish",
        "data/audit",
        "data/mapping",
        "data/intake",
    ] {
        println!("cargo::rerun-if-changed={folder}");
    }
    println!("cargo::rustc-env=PERKINS_SOURCES={:016x}", hasher.finish());
    Ok(())
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
