//! From the restricted figures of a run to a release: protected, written, attacked as anybody could, certified, and only then made public.
//!
//! What becomes public is said by `data/publish/<table>.toml` and the views of `sql/publish`; the Rust here knows no indicator and no group.
//! Source: specification, disclosure.md.

pub mod check;
pub mod closed;
pub mod description;
pub mod prior;
pub mod release;
pub mod source;
pub mod table;

use crate::audit;
use crate::catalog::{Catalog, Layer, Name};
use crate::commit::{self, Commit};
use crate::disclosure::{self, Policy, Protection, Tie};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::project::Project;
use crate::root::Root;
use crate::run::manifest::{Column, Manifest, Table};
use crate::run::output::{self, OutputFile, REPORT_YEAR};
use crate::run::parameter::register_batch;
use crate::run::result;
use crate::seal::seal;
use crate::store::{self, Stored};
use crate::table::{Encoder, GROUP_ROWS};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use description::Description;
use release::{EVIDENCE, Evidence, Further, PolicyKind, Release, Shown};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The table of entities and their parts.
const PARTS: &str = "entity_part";

/// The public figures as the views of `sql/publish` read them.
const FIGURES: &str = "public_figure";

/// Where a release is made.
pub struct Ground<'a> {
    /// The restricted root.
    pub restricted: &'a Root,
    /// The public root.
    pub public: &'a Root,
    /// Descriptions and SQL.
    pub project: &'a Project,
    /// Threads.
    pub threads: usize,
}

/// Registers the public figures without rows, for planning: from the columns of the tables that they are made of.
pub fn register_figures(engine: &Engine, project: &Project, tables: &BTreeMap<String, SchemaRef>) -> Result<()> {
    for description in Description::all(project)?.iter().filter(|d| d.rate.is_some()) {
        if let Some(table) = tables.get(&description.table) {
            let schema = table::schema(description, &output::written_schema(table))?;
            register_batch(engine, Name { schema: None, table: FIGURES.into() }, RecordBatch::new_empty(schema))?;
        }
    }
    Ok(())
}

/// What was made public.
pub struct Outcome {
    /// The manifest.
    pub release: Release,
    /// The evidence; none if the release was there already.
    pub evidence: Option<Evidence>,
    /// It was the current release already.
    pub unchanged: bool,
}

/// The tables that a run must have for a release; empty if it has them.
pub fn lacks(project: &Project, manifest: &Manifest) -> Result<Vec<String>> {
    Ok(needs(project)?.into_iter().filter(|t| manifest.files_of(t).is_empty()).collect())
}

/// The tables that a release is made from.
pub fn needs(project: &Project) -> Result<Vec<String>> {
    Ok(Description::all(project)?.into_iter().map(|d| d.table).chain([PARTS.to_string()]).collect())
}

/// Makes the figures of a run public. Nothing is public if the audit finds a hidden figure that can be computed, unless the policy is `rule`.
pub async fn publish(ground: &Ground<'_>, manifest: &Manifest, kind: PolicyKind, progress: &(dyn Fn(&str) + Sync)) -> Result<Outcome> {
    let release_id = kind.release_of(&manifest.run_id);
    // What is decided here rests on what is public now; the commit is refused if that changes meanwhile.
    let before = commit::current(ground.public)?.unwrap_or_default();
    let current = Release::current(ground.public, Some(&manifest.jurisdiction))?;
    if let Some(release) = current.filter(|r| r.release_id == release_id) {
        release.files.iter().map(|f| &f.stored).chain(&release.companions).try_for_each(|f| prior::whole(ground.public, f))?;
        return Ok(Outcome { release, evidence: None, unchanged: true });
    }
    refuse(ground, manifest, kind)?;
    let restricted = ground.restricted.join(EVIDENCE).join(&release_id);
    // Nothing that was not found safe is ever where the public may look, also if this process is killed.
    let stage = restricted.join("stage");
    let made = make(ground, manifest, kind, &release_id, before, (&stage, &restricted), progress).await;
    let _ = std::fs::remove_dir_all(&stage);
    made
}

/// Why the figures of a run are not made public: there are none, those of another jurisdiction are, or they were withdrawn.
pub fn why_not(project: &Project, public: &Root, manifest: &Manifest, kind: PolicyKind) -> Result<Option<String>> {
    // An empty release would take the place of the one before.
    let described = Description::all(project)?;
    let mut figures = manifest.files.iter().filter(|f| described.iter().any(|d| d.table == f.table)).peekable();
    if figures.peek().is_some() && figures.all(|file| file.rows == 0) {
        return Ok(Some(without_figures(manifest)));
    }
    if let Some(why) = other_jurisdiction(public, &manifest.jurisdiction)? {
        return Ok(Some(why));
    }
    let (commit, id) = (commit::current(public)?.unwrap_or_default(), kind.release_of(&manifest.run_id));
    let withdrawn = commit.withdrawn.into_iter().find(|w| w.release_id == id);
    Ok(withdrawn.map(|w| format!("this release was withdrawn {} ({}); a run of other data is published", w.at, w.reason)))
}

/// Why figures of a jurisdiction cannot be public, if those of another one are: they are of the same students by other rules, and one would tell
/// what the other hides.
pub fn other_jurisdiction(public: &Root, jurisdiction: &str) -> Result<Option<String>> {
    let commit = commit::current(public)?.unwrap_or_default();
    let told = |other: &String| {
        let public = public.display();
        format!(
            "figures of {other} are public under {public}: those of {jurisdiction}, of the same students by other rules, would tell what they hide"
        )
    };
    Ok(commit.runs.keys().find(|j| *j != jurisdiction).map(told))
}

/// A release is of the figures of one jurisdiction, and never less safe than the one before.
fn refuse(ground: &Ground, manifest: &Manifest, kind: PolicyKind) -> Result<()> {
    let public = ground.public.display();
    if let Some(why) = other_jurisdiction(ground.public, &manifest.jurisdiction)? {
        return Err(Error::Config(why));
    }
    let current = Release::current(ground.public, Some(&manifest.jurisdiction))?;
    match (kind, current.map(|r| r.policy)) {
        (PolicyKind::Rule, Some(PolicyKind::Protected)) => Err(Error::Config(format!(
            "a protected release is public under {public}: `--policy rule` would show what it hides. To compare, name another folder with --public"
        ))),
        _ => Ok(()),
    }
}

async fn make(
    ground: &Ground<'_>,
    manifest: &Manifest,
    kind: PolicyKind,
    release_id: &str,
    before: Commit,
    (stage, restricted): (&Path, &Path),
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Outcome> {
    let jurisdiction = Jurisdiction::load(ground.project, &manifest.jurisdiction)?;
    let earlier = Release::history(ground.public, &manifest.jurisdiction)?;
    let mut maker = Maker {
        ground,
        manifest,
        kind,
        jurisdiction,
        closed: closed::releases(ground.restricted, &earlier, &manifest.jurisdiction, kind)?,
        earlier,
        stage,
        public: stage.join("runs").join(release_id),
        restricted,
        evidence: Evidence { release_id: release_id.into(), ..Evidence::default() },
        tables: BTreeMap::new(),
        files: vec![],
        shown: BTreeMap::new(),
    };
    let mut left_open = 0;
    let mut figures = Vec::new();
    for description in Description::all(ground.project)? {
        for &year in &manifest.report_years {
            let closed = maker.closed.get(&year).cloned();
            let (rows, open) = match closed {
                Some(release) => maker.closed_figures(&description, year, &release)?,
                None => maker.figures(&description, year, progress)?,
            };
            left_open += open;
            figures.extend(description.rate.is_some().then_some(rows));
        }
    }
    progress("public tables that follow");
    maker.follow(figures).await?;
    for (year, release) in maker.closed.clone().into_iter().filter(|(y, _)| manifest.report_years.contains(y)) {
        maker.keep_closed(year, &release)?;
    }
    maker.files.sort_by(|a, b| (&a.table, a.report_year).cmp(&(&b.table, b.report_year)));
    let mut release = Release {
        release_id: release_id.into(),
        run_id: manifest.run_id.clone(),
        jurisdiction: manifest.jurisdiction.clone(),
        policy: kind,
        program_version: crate::VERSION.into(),
        report_years: manifest.report_years.clone(),
        tables: maker.tables.into_values().collect(),
        files: maker.files,
        companions: vec![],
        shown: maker.shown,
        left_open,
    };
    let evidence = maker.evidence;
    let text = seal(&evidence)?;
    let stored = store::write_whole(ground.restricted, &restricted.join("manifest.json"), &text)?;
    ground.restricted.send(&stored.path, &[])?;
    progress("making public");
    store::remove_drafts(&ground.public.join("runs").join(release_id))?;
    for file in &release.files {
        let staged = stage.join(&file.stored.path);
        let content = std::fs::read(&staged).map_err(|e| Error::io("read", &staged, e))?;
        store::write_whole(ground.public, &ground.public.join(&file.stored.path), &content)?;
    }
    release.commit(ground.public, before)?;
    Ok(Outcome { release, evidence: Some(evidence), unchanged: false })
}

fn without_figures(manifest: &Manifest) -> String {
    let years: Vec<String> = manifest.report_years.iter().map(i32::to_string).collect();
    format!(
        "there is no figure of report year {}; --report-year names another, and `perkins status` says which school years the lake has",
        years.join(", ")
    )
}

struct Maker<'a> {
    ground: &'a Ground<'a>,
    manifest: &'a Manifest,
    kind: PolicyKind,
    jurisdiction: Jurisdiction,
    /// Closed report years, with the releases whose files they keep.
    closed: BTreeMap<i32, Release>,
    earlier: Vec<Release>,
    /// Stands in for the public root until everything is found safe.
    stage: &'a Path,
    public: PathBuf,
    restricted: &'a Path,
    evidence: Evidence,
    tables: BTreeMap<String, Table>,
    files: Vec<OutputFile>,
    shown: BTreeMap<String, BTreeMap<String, Shown>>,
}

impl Maker<'_> {
    /// Protects a table of a year, writes what is public of it, and attacks that; more is hidden for what the attacker finds, until he finds nothing.
    fn figures(&mut self, description: &Description, year: i32, progress: &(dyn Fn(&str) + Sync)) -> Result<(RecordBatch, u64)> {
        let rows = result::table(self.ground.restricted, self.manifest, &description.table, year)?;
        let source = source::Source::new(description, source::only(description, rows)?)?;
        let mut release = source.release(description)?;
        let parts = source.parts(description, &result::table(self.ground.restricted, self.manifest, PARTS, year)?)?;
        release.lines = source::lines(&release, &parts);
        let before = prior::tables(self.ground.public, &self.earlier, &description.public_table(), year)?;
        let (policy, rounding) = self.policy(year)?;
        release.prior = if before.is_empty() { vec![] } else { prior::treatments(description, &source, &policy, &before)? };
        let written = self.files.len();
        loop {
            progress(&format!("protecting {} of {year}", description.table));
            let protection = disclosure::protect(&release, &policy, self.ground.threads)
                .map_err(|e| Error::bug(format!("{} of {year} can't be protected: {e}", description.table)))?;
            self.refuse_open(description, year, &protection)?;
            self.files.truncate(written);
            let public = table::public(description, &source, &protection, rounding)?;
            self.write_public(&description.public_table(), &description.title, &self.key_of(description), year, &public)?;
            let lines = table::lines(description, &source, &release.lines)?;
            let key: Vec<String> = lines.schema().fields().iter().map(|f| f.name().clone()).collect();
            self.write_public(&description.line_table(), "Entities whose figures sum to those of another", &key, year, &lines)?;
            progress(&format!("attacking {} of {year}", description.public_table()));
            let mut audited = audit_files(self.ground.project, self.stage, &self.files, &description.public_table(), year)?;
            if let Some(audited) = &mut audited {
                audited.prove(&source.truth(), &protection.moves, self.ground.threads)?;
                let found = audited.found();
                if self.kind == PolicyKind::Protected && !found.is_empty() && !release.found.ends_with(&found) {
                    release.found.extend(found);
                    continue;
                }
            }
            let open = audited.map_or(Ok(0), |audited| self.attest(description, year, &audited))?;
            self.count(description, &source, &protection);
            let reasons = table::reasons(description, &source, &protection)?;
            let stored = write(self.ground.restricted, self.restricted, &description.reasons, year, &reasons)?;
            self.evidence.files.push(stored.0);
            return Ok((public, open));
        }
    }

    fn policy(&self, year: i32) -> Result<(Policy, table::Rounding)> {
        let value = |rule: &str| -> Result<String> { Ok(self.jurisdiction.value(rule, year)?.value) };
        let whole = |rule: &str, text: &str| -> Result<i64> {
            text.parse().map_err(|_| Error::Config(format!("rule {rule} of {year} must be a whole number, not {text:?}")))
        };
        let number = |rule: &str| whole(rule, &value(rule)?);
        let policy = Policy {
            protected: self.kind == PolicyKind::Protected,
            smallest: number("small_group_threshold")?,
            high: number("rate_band_upper")?,
            low: number("rate_band_lower")?,
            wider: value("rate_band_wider")?.split(',').map(|w| whole("rate_band_wider", w)).collect::<Result<_>>()?,
            possible: number("rate_band_numerators")?,
            hidden_minimum: 1,
        };
        let tie = Tie::of(&value("rate_tie_rule")?);
        Ok((policy, table::Rounding { tie, target_share: number("target_share")? }))
    }

    /// What an earlier release keeps open is never published in silence.
    fn refuse_open(&self, description: &Description, year: i32, protection: &Protection) -> Result<()> {
        match protection.open.len() {
            open if open > 0 && self.kind == PolicyKind::Protected => Err(Error::Data(format!(
                "{} of {year}: {open} hidden figures can be computed from what earlier releases showed; nothing was published. Publish that \
                 year with its figures as they were; or, if one of the releases that show the year ({}) was of wrong data, take that back: \
                 `perkins withdraw RELEASE --reason …`",
                description.table,
                self.earlier
                    .iter()
                    .filter(|r| r.report_years.contains(&year))
                    .map(|r| r.release_id.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
            _ => Ok(()),
        }
    }

    fn count(&mut self, description: &Description, source: &source::Source, protection: &Protection) {
        use disclosure::Treatment;
        let shown = self.shown.entry(description.public_table()).or_default();
        let why = self.evidence.why.entry(description.public_table()).or_default();
        for (row, (treatment, reason)) in protection.treatments.iter().zip(&protection.reasons).enumerate() {
            let level = &source.entities.texts[source.entities.of_row[row] as usize][0];
            let of_level = shown.entry(level.clone()).or_default();
            of_level.figures += 1;
            match treatment {
                Treatment::Shown => of_level.shown += 1,
                Treatment::Band(_) => of_level.banded += 1,
                Treatment::NumeratorHidden => of_level.denominator_only += 1,
                Treatment::Hidden => of_level.hidden += 1,
            }
            if let Some(code) = reason.code() {
                *why.entry(level.clone()).or_default().entry(code.into()).or_default() += 1;
            }
        }
        let (utility, further) = (&protection.utility, self.evidence.further.entry(description.public_table()).or_default());
        *further = Further {
            denominators: further.denominators + utility.further,
            denominators_at_least: further.denominators_at_least + utility.further_at_least,
            numerators: further.numerators + utility.further_numerators,
            numerators_at_least: further.numerators_at_least + utility.further_numerators_at_least,
        };
    }

    /// Keeps the certificate of what was attacked. Under `protected` a finding is an error; under `rule` findings are kept and counted.
    fn attest(&mut self, description: &Description, year: i32, audited: &check::Audited) -> Result<u64> {
        let after_release = self.earlier.iter().any(|r| r.report_years.contains(&year));
        let table = description.public_table();
        let mut keep = |name: String, content: &[u8]| -> Result<PathBuf> {
            let stored = store::write_whole(self.ground.restricted, &self.restricted.join(name), content)?;
            let path = self.ground.restricted.join(&stored.path);
            self.evidence.files.push(stored);
            Ok(path)
        };
        if audited.attack.clean() {
            keep(format!("certificate-{table}-{year}.ndjson.zst"), &audited.certificate()?)?;
            return Ok(0);
        }
        let told = keep(format!("findings-{table}-{year}.txt"), audited.told(usize::MAX).as_bytes())?;
        let (found, undecided) = (audited.attack.findings.len(), audited.attack.undecided.len());
        match self.kind {
            PolicyKind::Rule => Ok(found as u64),
            PolicyKind::Protected => Err(Error::Data(format!(
                "{table} of {year}: the audit can compute {found} hidden figures, and could not tell of {undecided}; nothing was published. They are \
                 listed in {}{}; `--no-publish` runs without publishing",
                told.display(),
                if after_release { "; they may follow from what earlier releases showed, which stays as it is" } else { "" }
            ))),
        }
    }

    fn key_of(&self, description: &Description) -> Vec<String> {
        let table = self.manifest.tables.iter().find(|t| t.name == description.table);
        table.map(|t| t.key.clone()).unwrap_or_default()
    }

    fn write_public(&mut self, name: &str, title: &str, key: &[String], year: i32, rows: &RecordBatch) -> Result<()> {
        let (stored, count) = write(self.stage, &self.public, name, year, rows)?;
        self.files.push(OutputFile { table: name.into(), report_year: year, stored, rows: count });
        let column = |f: &std::sync::Arc<arrow::datatypes::Field>| Column {
            name: f.name().clone(),
            kind: crate::table::stored_type(f.data_type()).to_string(),
            description: table::words(f.name(), |c| {
                let all = self.manifest.tables.iter().flat_map(|t| &t.columns);
                all.filter(|a| a.name == c).map(|a| a.description.clone()).next()
            }),
        };
        let columns = rows.schema().fields().iter().map(column).collect();
        let table = Table { name: name.into(), title: title.into(), description: String::new(), key: key.to_vec(), columns };
        self.tables.entry(name.into()).or_insert(table);
        Ok(())
    }

    /// Runs the views of `sql/publish` over the run's tables and the public figures, those of earlier releases too.
    async fn follow(&mut self, mut figures: Vec<RecordBatch>) -> Result<()> {
        let catalog = Catalog::load(self.ground.project, &self.manifest.jurisdiction)?;
        let views: Vec<_> = catalog.views().filter(|v| v.layer == Layer::Publish).cloned().collect();
        let years = &self.manifest.report_years;
        let before: Vec<i32> = years.iter().map(|y| y - 1).filter(|y| !years.contains(y)).collect();
        for description in Description::all(self.ground.project)?.iter().filter(|d| d.rate.is_some()) {
            for &year in &before {
                let newest = self.earlier.iter().find(|r| r.report_years.contains(&year));
                figures.extend(prior::tables(
                    self.ground.public,
                    newest.map(std::slice::from_ref).unwrap_or_default(),
                    &description.public_table(),
                    year,
                )?);
            }
        }
        let Some(first) = figures.first() else { return Ok(()) };
        let wrong = |e| Error::internal("public figures", e);
        let all = arrow::compute::concat_batches(&first.schema(), &figures).map_err(wrong)?;
        for view in views {
            let engine = Engine::new(self.ground.threads, None)?;
            register_batch(&engine, Name { schema: None, table: FIGURES.into() }, all.clone())?;
            for reference in view.references.iter().filter(|r| r.schema.is_none() && r.table != FIGURES) {
                let rows = years
                    .iter()
                    .map(|&y| result::table(self.ground.restricted, self.manifest, &reference.table, y))
                    .collect::<Result<Vec<_>>>()?;
                let Some(first) = rows.first() else { continue };
                register_batch(&engine, reference.clone(), arrow::compute::concat_batches(&first.schema(), &rows).map_err(wrong)?)?;
            }
            let (schema, batches) = engine.run_whole(&view).await?;
            let rows = output::split_years(&schema, &batches)?;
            for &year in years.iter().filter(|y| !self.closed.contains_key(y)).collect::<Vec<_>>() {
                let of_year = rows.get(&year).cloned().unwrap_or_default();
                let file = output::file_schema(&schema);
                let batch = arrow::compute::concat_batches(&file, &of_year).map_err(wrong)?;
                self.write_public(&view.name, &view.header.title, &view.header.grain, year, &batch)?;
            }
            if let Some(table) = self.tables.get_mut(&view.name) {
                *table = output::describe(&view, &schema, &self.ground.project.contracts()?)?;
            }
        }
        Ok(())
    }
}

/// Reads a public table of a year as its files below a root have it, to be attacked; there is nothing to attack in an empty one.
pub fn audit_files(project: &Project, root: &Path, files: &[OutputFile], table: &str, year: i32) -> Result<Option<check::Audited>> {
    let descriptions = project.audit()?;
    let described = |table: &str| -> Result<audit::Description> {
        let file = descriptions.get(&format!("{table}.toml"));
        let file = file.ok_or_else(|| Error::Config(format!("data/audit/{table}.toml is missing: without it {table} can't be audited")))?;
        audit::Description::parse(&file.label, &file.text).map_err(|e| Error::Config(e.to_string()))
    };
    let read = |table: &str| -> Result<audit::Frame> {
        let found = files.iter().find(|f| f.table == table && f.report_year == year);
        let file = found.ok_or_else(|| Error::Config(format!("there is no table {table} of {year} to audit")))?;
        check::frame(&file.stored.path, &[result::read(root, &file.stored.path, year)?])
    };
    let (rows, lines) = (read(table)?, read(&format!("{table}_line"))?);
    if rows.rows() == 0 {
        return Ok(None);
    }
    check::Audited::read(&described(table)?, &rows, Some(&lines)).map(Some)
}

/// Writes the rows of a year below a folder of a root.
fn write(root: &Path, folder: &Path, table: &str, year: i32, rows: &RecordBatch) -> Result<(Stored, usize)> {
    let columns: Vec<usize> = (0..rows.num_columns()).filter(|&i| rows.schema().field(i).name() != REPORT_YEAR).collect();
    let rows = rows.project(&columns).map_err(|e| Error::internal("rows of a public table", e))?;
    let encoder = Encoder::new(rows.schema())?;
    let starts = (0..rows.num_rows()).step_by(GROUP_ROWS);
    let groups = starts.map(|s| encoder.encode(&[rows.slice(s, GROUP_ROWS.min(rows.num_rows() - s))])).collect::<Result<_>>()?;
    encoder.write(root, &folder.join(table).join(format!("{REPORT_YEAR}={year}")), &format!("{table}-00000.parquet"), groups)
}
