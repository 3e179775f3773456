//! Where the rules come from: the SQL and data files embedded in the binary, or a folder given with `--project`.

use crate::contract::Contracts;
use crate::error::{Error, Result};
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

static SQL: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sql");
static RULE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/data/rule");
static DEFAULT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/data/default");
static REPORT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/data/report");
static REFERENCE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/data/reference");

/// The text files of one kind by path relative to their folder, with `/`.
pub type Files = BTreeMap<String, String>;

/// The project: contracts, rules, default collections, reference tables and SQL views.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// Folder that holds `sql/` and `data/`; `None` uses the embedded files.
    pub folder: Option<PathBuf>,
}

impl Project {
    /// The contracts of the collections.
    pub fn contracts(&self) -> Result<Contracts> {
        match &self.folder {
            Some(folder) => Contracts::from_folder(&folder.join("data/contract")),
            None => Contracts::embedded(),
        }
    }

    /// SQL views, such as `indicator/1S1.sql`.
    pub fn sql(&self) -> Result<Files> {
        self.files("sql", &SQL)
    }

    /// Rule definitions and values: `rule.toml` and `<jurisdiction>.toml`.
    pub fn rules(&self) -> Result<Files> {
        self.files("data/rule", &RULE)
    }

    /// Collections that stand in when none was handed over: `<jurisdiction>/<collection>.csv`.
    pub fn defaults(&self) -> Result<Files> {
        self.files("data/default", &DEFAULT)
    }

    /// Reference tables: `<table>.csv`.
    pub fn reference(&self) -> Result<Files> {
        self.files("data/reference", &REFERENCE)
    }

    /// Descriptions of reports: `<report>.toml`.
    pub fn reports(&self) -> Result<Files> {
        self.files("data/report", &REPORT)
    }

    /// How a file of the project is called in messages.
    pub fn label(&self, kind: &str, path: &str) -> String {
        match &self.folder {
            Some(folder) => folder.join(kind).join(path).display().to_string(),
            None => format!("{kind}/{path}"),
        }
    }

    fn files(&self, kind: &str, embedded: &Dir<'static>) -> Result<Files> {
        let mut files = Files::new();
        match &self.folder {
            Some(folder) => collect_folder(&folder.join(kind), "", &mut files)?,
            None => collect_embedded(embedded, &mut files),
        }
        Ok(files)
    }
}

fn collect_embedded(dir: &Dir<'static>, files: &mut Files) {
    for file in dir.files() {
        if let Some(text) = file.contents_utf8() {
            files.insert(file.path().to_string_lossy().replace('\\', "/"), text.to_string());
        }
    }
    dir.dirs().for_each(|d| collect_embedded(d, files));
}

fn collect_folder(folder: &Path, below: &str, files: &mut Files) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
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
            collect_folder(&path, &format!("{below}{name}/"), files)?;
        } else {
            let text = std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))?;
            files.insert(format!("{below}{name}"), text);
        }
    }
    Ok(())
}
