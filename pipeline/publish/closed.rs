//! The public figures of closed report years: the files of the newest release that has the year, byte for byte.

use super::Maker;
use super::description::Description;
use super::release::{EVIDENCE, Evidence, PolicyKind, Release, Shown};
use super::source::texts;
use super::table::HIDDEN;
use crate::commit;
use crate::error::{Error, Result};
use crate::root::Root;
use crate::run::output::{OutputFile, REPORT_YEAR};
use crate::run::{read_json, result};
use crate::{store, window};
use arrow::array::{Array, RecordBatch};
use std::collections::BTreeMap;

/// For each closed year, the release whose files it keeps; a closed year that never was public by this policy becomes so from its closed
/// tables.
pub fn releases(restricted: &Root, earlier: &[Release], jurisdiction: &str, kind: PolicyKind) -> Result<BTreeMap<i32, Release>> {
    let commit = commit::current(restricted)?.unwrap_or_default();
    let of = |year: &i32| earlier.iter().find(|r| r.policy == kind && r.report_years.contains(year)).cloned();
    Ok(window::closed(&commit, jurisdiction).keys().filter_map(|year| Some((*year, of(year)?))).collect())
}

impl Maker<'_> {
    /// The public figures of a closed year, for the views that follow from figures, and how many hidden ones anybody can compute: under
    /// `protected` none, since its audit was clean.
    pub fn closed_figures(&mut self, description: &Description, year: i32, from: &Release) -> Result<(RecordBatch, u64)> {
        let table = description.public_table();
        let file = from.files.iter().find(|f| f.table == table && f.report_year == year);
        let file = file.ok_or_else(|| Error::Config(format!("release {} has no {table} of closed report year {year}", from.release_id)))?;
        let rows = result::read(self.ground.public, &file.stored.path, year)?;
        let open = match self.kind {
            PolicyKind::Protected => None,
            PolicyKind::Rule => super::audit_files(self.ground.project, self.ground.public, &from.files, &table, year)?,
        };
        count(description, &rows, self.shown.entry(table).or_default())?;
        Ok((rows, open.map_or(0, |audited| audited.attack.findings.len() as u64)))
    }

    /// Puts the files of a closed year beside those of the others. A table has the same columns in all years.
    pub fn keep_closed(&mut self, year: i32, from: &Release) -> Result<()> {
        for file in from.files.iter().filter(|f| f.report_year == year) {
            let described = from.tables.iter().find(|t| t.name == file.table);
            let described = described.ok_or_else(|| Error::bug(format!("release {} does not describe {}", from.release_id, file.table)))?;
            let now = self.tables.entry(file.table.clone()).or_insert_with(|| described.clone());
            if !now.same_columns(described) {
                return Err(Error::Config(format!(
                    "{}: its columns are not those that closed report year {year} has (release {}), which every release keeps; to \
                     change it, `perkins reopen --report-year {year}`",
                    file.table, from.release_id
                )));
            }
            let source = self.ground.public.join(&file.stored.path);
            let content = std::fs::read(&source).map_err(|e| Error::io("read", &source, e))?;
            let folder = self.public.join(&file.table).join(format!("{REPORT_YEAR}={year}"));
            let stored = store::write_whole(self.stage, &folder.join(format!("{}-00000.parquet", file.table)), &content)?;
            if stored.blake3 != file.stored.blake3 {
                return Err(Error::bug(format!(
                    "{} is not what release {} says; `perkins verify` tells more",
                    source.display(),
                    from.release_id
                )));
            }
            self.files.push(OutputFile { stored, ..file.clone() });
        }
        let evidence: Evidence = read_json(self.ground.restricted, &format!("{EVIDENCE}/{}/manifest.json", from.release_id))?;
        let whose = evidence.closed.get(&year).unwrap_or(&from.release_id);
        self.evidence.closed.insert(year, whose.clone());
        Ok(())
    }
}

/// Counts what public rows show, by level.
fn count(description: &Description, rows: &RecordBatch, shown: &mut BTreeMap<String, Shown>) -> Result<()> {
    let levels = texts(rows, &description.entity[0])?;
    let null = |name: &str, row: usize| rows.column_by_name(name).is_some_and(|c| c.is_null(row));
    let rates = description.rate.as_ref().map(|r| texts(rows, &format!("{r}_shown"))).transpose()?;
    for row in 0..rows.num_rows() {
        let of_level = shown.entry(levels.value(row).to_string()).or_default();
        of_level.figures += 1;
        let hidden_rate = rates.as_ref().is_some_and(|r| r.value(row) == HIDDEN);
        let numerator = description.numerator.as_ref().is_some_and(|n| null(n, row));
        match (null(&description.denominator, row), numerator) {
            (true, _) => of_level.hidden += 1,
            (false, true) if hidden_rate => of_level.denominator_only += 1,
            (false, true) => of_level.banded += 1,
            (false, false) => of_level.shown += 1,
        }
    }
    Ok(())
}
