//! One line that says what a command did, fit for the subject of a mail.

use super::{End, Record};
use crate::command::{grouped, years};
use std::collections::BTreeSet;

/// Such as `perkins all oregon 2024: done, 84,776 rows in, 31 rejected, 18 tables, 612 of 1,204 figures public, 1.2 s`.
pub fn line(command: &str, record: &Record, end: &End) -> String {
    let mut subject = vec![format!("perkins {command}")];
    let jurisdictions: Vec<&str> = record.runs.iter().map(|r| r.manifest.jurisdiction.as_str()).collect();
    let of_years: BTreeSet<i32> = record.runs.iter().flat_map(|r| r.manifest.report_years.iter().copied()).collect();
    subject.extend((!jurisdictions.is_empty()).then(|| jurisdictions.join(",")));
    subject.extend((!of_years.is_empty()).then(|| years(&of_years.into_iter().collect::<Vec<_>>())));
    let mut parts = vec![match end.code {
        0 => end.outcome(record).to_string(),
        code => format!("failed with exit code {code}"),
    }];
    if let Some(load) = record.load.as_ref().filter(|l| !l.unchanged) {
        let sum = |of: fn(&crate::lake::Counts) -> u64| load.load.collections.iter().map(of).sum::<u64>();
        parts.push(format!("{} rows in", grouped(sum(|c| c.read))));
        parts.push(format!("{} rejected", grouped(sum(|c| c.rejected))));
    }
    let tables: usize = record.runs.iter().filter(|r| !r.unchanged).map(|r| r.manifest.tables.len()).sum();
    parts.extend((tables > 0).then(|| format!("{tables} {}", if tables == 1 { "table" } else { "tables" })));
    let shown: Vec<_> =
        record.releases.iter().filter(|r| !r.unchanged).flat_map(|r| r.release.shown.values()).flat_map(|l| l.values()).collect();
    if !shown.is_empty() {
        let public: u64 = shown.iter().map(|s| s.shown + s.banded).sum();
        parts.push(format!("{} of {} figures public", grouped(public), grouped(shown.iter().map(|s| s.figures).sum())));
    }
    parts.push(format!("{:.1} s", end.seconds));
    format!("{}: {}", subject.join(" "), parts.join(", "))
}
