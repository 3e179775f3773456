//! Where the rules come from: a stack of layers. At the bottom are the files that ship in the binary, or a folder given with `--project`; on
//! top of it the folders given with `--overlay`, each over those before it. An overlay holds only what it replaces or adds.

use crate::contract::Contracts;
use crate::error::{Error, Result};
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::io::ErrorKind::{NotADirectory, NotFound};
use std::path::{Path, PathBuf};

const SQL: &str = "sql";
const CONTRACT: &str = "data/contract";
const RULE: &str = "data/rule";
const DEFAULT: &str = "data/default";
const REFERENCE: &str = "data/reference";
const REPORT: &str = "data/report";
const PUBLISH: &str = "data/publish";
const AUDIT: &str = "data/audit";
const MAPPING: &str = "data/mapping";
const INTAKE: &str = "data/intake";

/// The folders of a layer, with the files that ship.
static SHIPPED: [(&str, Dir<'static>); 10] = [
    (SQL, include_dir!("$CARGO_MANIFEST_DIR/sql")),
    (CONTRACT, include_dir!("$CARGO_MANIFEST_DIR/data/contract")),
    (RULE, include_dir!("$CARGO_MANIFEST_DIR/data/rule")),
    (DEFAULT, include_dir!("$CARGO_MANIFEST_DIR/data/default")),
    (REFERENCE, include_dir!("$CARGO_MANIFEST_DIR/data/reference")),
    (REPORT, include_dir!("$CARGO_MANIFEST_DIR/data/report")),
    (PUBLISH, include_dir!("$CARGO_MANIFEST_DIR/data/publish")),
    (AUDIT, include_dir!("$CARGO_MANIFEST_DIR/data/audit")),
    (MAPPING, include_dir!("$CARGO_MANIFEST_DIR/data/mapping")),
    (INTAKE, include_dir!("$CARGO_MANIFEST_DIR/data/intake")),
];

/// A text file of the project.
#[derive(Debug, Clone)]
pub struct File {
    /// How it is called in messages.
    pub label: String,
    /// What it says.
    pub text: String,
    /// Whether it lies in an overlay.
    pub in_overlay: bool,
}

/// The files of one folder by path below it, with `/`.
pub type Files = BTreeMap<String, File>;

/// The versions of each file of one folder: the one of the topmost layer first. There is at least one.
pub type Versions = BTreeMap<String, Vec<File>>;

/// The project: contracts, rules, default collections, reference tables and SQL views.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// Folder at the bottom, with `sql/` and `data/`; `None` uses the files that ship.
    folder: Option<PathBuf>,
    /// Folders over it; the last one is on top.
    overlays: Vec<PathBuf>,
}

impl Project {
    /// The project of a folder (or the one that ships) with overlays; an overlay that could be without effect by mistake is refused.
    pub fn open(folder: Option<PathBuf>, overlays: Vec<PathBuf>) -> Result<Project> {
        overlays.iter().try_for_each(|overlay| check_overlay(overlay))?;
        Ok(Project { folder, overlays })
    }

    /// The contracts of the collections.
    pub fn contracts(&self) -> Result<Contracts> {
        Contracts::parse(self.files(CONTRACT)?.into_values())
    }

    /// SQL views, such as `indicator/1S1.sql`.
    pub fn sql(&self) -> Result<Versions> {
        self.versions(SQL)
    }

    /// Rule definitions and values: `rule.toml` and `<jurisdiction>.toml`.
    pub fn rules(&self) -> Result<Versions> {
        self.versions(RULE)
    }

    /// Collections that stand in when none was handed over: `<jurisdiction>/<collection>.csv`.
    pub fn defaults(&self) -> Result<Files> {
        self.files(DEFAULT)
    }

    /// Reference tables: `<table>.csv`.
    pub fn reference(&self) -> Result<Files> {
        self.files(REFERENCE)
    }

    /// Descriptions of reports: `<report>.toml`.
    pub fn reports(&self) -> Result<Files> {
        self.files(REPORT)
    }

    /// What makes tables public: `<table>.toml`.
    pub fn publish(&self) -> Result<Files> {
        self.files(PUBLISH)
    }

    /// Descriptions of published tables for the audit: `<table>.toml`.
    pub fn audit(&self) -> Result<Files> {
        self.files(AUDIT)
    }

    /// How foreign layouts become collections: `<mapping>.toml`.
    pub fn mappings(&self) -> Result<Files> {
        self.files(MAPPING)
    }

    /// What ingest and its kin go by: limits, words and titles.
    pub fn intake(&self) -> Result<Files> {
        self.files(INTAKE)
    }

    /// BLAKE3 of each file of the overlays, by path.
    pub fn overlay_hashes(&self) -> Result<BTreeMap<String, String>> {
        let mut hashes = BTreeMap::new();
        for (part, _) in &SHIPPED {
            let files = self.versions(part)?.into_values().flatten().filter(|f| f.in_overlay);
            hashes.extend(files.map(|f| (f.label, blake3::hash(f.text.as_bytes()).to_hex().to_string())));
        }
        Ok(hashes)
    }

    /// BLAKE3 of all that a load is made with: contracts, defaults, reference tables, limits, and the views that look at the lake.
    pub fn hash_of_load(&self) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        for part in [CONTRACT, DEFAULT, REFERENCE, INTAKE, SQL] {
            let is_of_load = |path: &str| part != SQL || path.starts_with("check/") || path.starts_with("staging/");
            for (path, file) in self.files(part)?.into_iter().filter(|(path, _)| is_of_load(path)) {
                hasher.update(format!("{part}/{path}\0{}\0", file.text).as_bytes());
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// The version of each file that counts.
    fn files(&self, part: &str) -> Result<Files> {
        let topmost = |(path, versions): (String, Vec<File>)| Some((path, versions.into_iter().next()?));
        Ok(self.versions(part)?.into_iter().filter_map(topmost).collect())
    }

    fn versions(&self, part: &str) -> Result<Versions> {
        let mut files = Versions::new();
        for overlay in self.overlays.iter().rev().filter(|o| o.join(part).is_dir()) {
            collect(&overlay.join(part), "", true, &mut files)?;
        }
        match &self.folder {
            Some(folder) => collect(&folder.join(part), "", false, &mut files)?,
            None => SHIPPED.iter().filter(|(p, _)| *p == part).for_each(|(_, dir)| collect_shipped(part, dir, &mut files)),
        }
        Ok(files)
    }
}

/// Refuses a folder that is not there, or has folders that nothing reads.
fn check_overlay(overlay: &Path) -> Result<()> {
    let holds = SHIPPED.iter().map(|(part, _)| *part).collect::<Vec<_>>().join(", ");
    let wrong = |what: &str| Err(Error::Config(format!("{}: {what}; an overlay holds any of {holds}", overlay.display())));
    if !overlay.is_dir() {
        return wrong("--overlay names a folder that is not there");
    }
    let data = overlay.join("data");
    if !overlay.join(SQL).is_dir() && !data.is_dir() {
        return wrong("the overlay has neither sql nor data");
    }
    let Ok(entries) = std::fs::read_dir(&data) else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("read", &data, e))?;
        let part = format!("data/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() && !part.starts_with("data/.") && !SHIPPED.iter().any(|(known, _)| *known == part) {
            return wrong(&format!("nothing reads {part}"));
        }
    }
    Ok(())
}

fn add(files: &mut Versions, path: String, file: File) {
    files.entry(path).or_default().push(file);
}

fn collect_shipped(part: &str, dir: &Dir<'static>, files: &mut Versions) {
    for file in dir.files() {
        if let Some(text) = file.contents_utf8() {
            let path = file.path().to_string_lossy().replace('\\', "/");
            let label = format!("{part}/{path}");
            add(files, path, File { label, text: text.to_string(), in_overlay: false });
        }
    }
    dir.dirs().for_each(|d| collect_shipped(part, d, files));
}

fn collect(folder: &Path, below: &str, in_overlay: bool, files: &mut Versions) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|e| match e.kind() {
        NotFound | NotADirectory => {
            Error::Config(format!("the project folder has no {}; --project must name a folder with sql/ and data/", folder.display()))
        }
        _ => Error::io("read", folder, e),
    })?;
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("read", folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, &format!("{below}{name}/"), in_overlay, files)?;
        } else {
            let bytes = std::fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
            let label = path.display().to_string();
            let text = String::from_utf8(bytes).map_err(|_| Error::Config(format!("{label}: not UTF-8 text")))?;
            add(files, format!("{below}{name}"), File { label, text, in_overlay });
        }
    }
    Ok(())
}
