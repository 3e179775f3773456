//! What a command did as a text file for Prometheus: the textfile collector of its node exporter reads it.
//!
//! The file is written whole under another name and renamed, so that nobody reads half of it. It tells of the last command that was given
//! its name; only the time of the last success of each command is taken over from the file before.

use super::{End, Record};
use crate::error::{Error, Result};
use std::fmt::Display;
use std::path::Path;

/// Its samples are kept from file to file.
const LAST_SUCCESS: &str = "perkins_last_success_timestamp_seconds";

/// What the outcome may be.
const OUTCOMES: [&str; 3] = ["done", "unchanged", "failed"];

/// Writes the file in place of the one before.
pub fn write(path: &Path, command: &str, record: &Record, end: &End) -> Result<()> {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    let text = text(command, record, end, &before);
    // The collector reads what ends in .prom.
    let draft = path.with_extension(format!("prom-{}", std::process::id()));
    std::fs::write(&draft, text).map_err(|e| Error::io("write", &draft, e))?;
    std::fs::rename(&draft, path).map_err(|e| Error::io("write", path, e))
}

fn text(command: &str, record: &Record, end: &End, before: &str) -> String {
    let mut text = Exposition::default();
    of_command(&mut text, command, record, end, before);
    if let Some(load) = &record.load {
        of_load(&mut text, load);
    }
    if !record.runs.is_empty() {
        of_runs(&mut text, record);
    }
    if !record.releases.is_empty() {
        of_releases(&mut text, record);
    }
    text.0
}

fn of_command(text: &mut Exposition, command: &str, record: &Record, end: &End, before: &str) {
    let of = [("command", command)];
    text.family("perkins_info", "The program that wrote this file.");
    text.sample(&[("version", crate::VERSION)], 1);
    text.family("perkins_last_end_timestamp_seconds", "When the command ended, in Unix time.");
    text.sample(&of, end.at);
    text.family(LAST_SUCCESS, "When each command last ended with exit code 0, in Unix time.");
    let own = format!("{LAST_SUCCESS}{}", labels(&of));
    let kept = before.lines().filter(|l| l.starts_with(&format!("{LAST_SUCCESS}{{")) && !(end.code == 0 && l.starts_with(&own)));
    kept.for_each(|line| text.0 += &format!("{line}\n"));
    if end.code == 0 {
        text.sample(&of, end.at);
    }
    text.family("perkins_last_duration_seconds", "How long the command took.");
    text.sample(&of, end.seconds);
    text.family("perkins_last_exit_code", "Exit code of the command; 0 is done.");
    text.sample(&of, end.code);
    text.family("perkins_last_outcome", "1 for what became of the command, 0 for what did not.");
    for outcome in OUTCOMES {
        text.sample(&[("command", command), ("outcome", outcome)], u8::from(outcome == end.outcome(record)));
    }
}

fn of_load(text: &mut Exposition, load: &super::Loaded) {
    text.family("perkins_load_rows", "Rows of the raw files by what became of them.");
    for c in &load.load.collections {
        for (result, rows) in [("accepted", c.accepted), ("duplicate", c.duplicates), ("rejected", c.rejected)] {
            text.sample(&[("collection", &c.collection), ("result", result)], rows);
        }
    }
    text.family("perkins_load_input_bytes", "Size of the raw files.");
    text.sample(&[], load.load.raw_files().map(|i| i.bytes).sum::<u64>());
    text.family("perkins_load_findings", "Findings of the checks of the data that came in, by check.");
    for w in &load.load.warnings {
        text.sample(&[("check", &w.check), ("collection", w.collection.as_deref().unwrap_or_default())], w.count);
    }
    text.family("perkins_lake_bytes", "Size of the files that make up the lake.");
    text.sample(&[], load.load.files.iter().map(|f| f.stored.bytes).sum::<u64>());
}

fn of_runs(text: &mut Exposition, record: &Record) {
    text.family("perkins_run_duration_seconds", "How long the current run took, from start to commit.");
    for run in &record.runs {
        text.sample(&[("jurisdiction", &run.manifest.jurisdiction)], run.manifest.seconds);
    }
    text.family(
        "perkins_run_tables_reused",
        "Tables that the run took over from the one before, since nothing that they depend on changed.",
    );
    for run in &record.runs {
        text.sample(&[("jurisdiction", &run.manifest.jurisdiction)], run.reused);
    }
    let files = || record.runs.iter().flat_map(|r| r.manifest.files.iter().map(move |f| (r.manifest.jurisdiction.as_str(), f)));
    text.family("perkins_table_rows", "Rows of each table of the current run by report year.");
    for (jurisdiction, file) in files() {
        text.sample(&[("jurisdiction", jurisdiction), ("table", &file.table), ("report_year", &file.report_year.to_string())], file.rows);
    }
    text.family("perkins_table_bytes", "Size of each table of the current run by report year.");
    for (jurisdiction, file) in files() {
        let labels = [("jurisdiction", jurisdiction), ("table", &file.table), ("report_year", &file.report_year.to_string())];
        text.sample(&labels, file.stored.bytes);
    }
}

fn of_releases(text: &mut Exposition, record: &Record) {
    text.family("perkins_public_figures", "Figures of the current release by how they are shown.");
    for release in record.releases.iter().map(|r| &r.release) {
        for (table, levels) in &release.shown {
            for (level, s) in levels {
                for (how, figures) in
                    [("shown", s.shown), ("banded", s.banded), ("denominator_only", s.denominator_only), ("hidden", s.hidden)]
                {
                    let labels = [("jurisdiction", release.jurisdiction.as_str()), ("table", table), ("level", level), ("shown_as", how)];
                    text.sample(&labels, figures);
                }
            }
        }
    }
    text.family("perkins_audit_findings", "Hidden figures of the current release that anybody can compute.");
    for release in record.releases.iter().map(|r| &r.release) {
        text.sample(&[("jurisdiction", &release.jurisdiction)], release.left_open);
    }
}

/// The text format of Prometheus; every family is a gauge.
#[derive(Default)]
struct Exposition(String, String);

impl Exposition {
    fn family(&mut self, name: &str, help: &str) {
        self.0 += &format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
        self.1 = name.to_string();
    }

    fn sample(&mut self, of: &[(&str, &str)], value: impl Display) {
        self.0 += &format!("{}{} {value}\n", self.1, labels(of));
    }
}

fn labels(of: &[(&str, &str)]) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    match of.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect::<Vec<_>>().join(",") {
        none if none.is_empty() => none,
        some => format!("{{{some}}}"),
    }
}
