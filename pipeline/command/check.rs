//! `perkins check`.

use super::ingest::{Examined, IngestArgs, New, examine, previous, rows_text};
use super::{Scratch, grouped, print};
use crate::cli::Settings;
use crate::commit;
use crate::error::{Error, Result};
use crate::ingest::Options;
use crate::intake::Change;
use crate::lake::Load;
use crate::quality::{Check, Quality, Severity, Status};
use crate::run::check::RowCount;
use crate::store;

/// Jumps that are named.
const NAMED: usize = 5;

/// Looks at a raw folder as a load over the current lake would, and keeps nothing of it.
pub fn main(args: &IngestArgs, settings: &Settings) -> Result<()> {
    let scratch = Scratch::new(&settings.restricted);
    let commit = commit::current(&settings.restricted)?;
    let previous = previous(&settings.restricted, commit.as_ref())?;
    previous.iter().try_for_each(|load| lend(load, settings, &scratch))?;
    let New { load, quality, failure, row_count } = match examine(args, settings, &scratch.0, previous.as_ref(), Options::default())? {
        Examined::New(new) => *new,
        Examined::Same(load) => {
            return print(&format!("nothing differs from load {}, which was checked when it was made: `perkins status`\n", load.load_id));
        }
    };
    print(&text(&load, &quality, &row_count))?;
    match failure {
        None => print("`perkins ingest` would load it\n"),
        Some(_) => Err(Error::Data(
            "too many rows would be rejected, so `perkins ingest` would load nothing; correct the files, or set --max-reject-rate".into(),
        )),
    }
}

/// Gives the files of a load another name below the scratch folder.
fn lend(load: &Load, settings: &Settings, scratch: &Scratch) -> Result<()> {
    let stored = load.files.iter().map(|f| &f.stored).chain(load.surrogates.values().map(|s| &s.stored));
    stored.into_iter().try_for_each(|s| store::link(&settings.restricted, s, &scratch.0.join(&s.path)).map(drop))
}

/// What was found, for people: never a value of a student, but where it stands.
pub fn text(load: &Load, quality: &Quality, row_count: &Change) -> String {
    let mut text = rows_text(load);
    text += &format!(
        "\n{} checks passed, {} failed, {} not applicable\n",
        quality.with(Status::Passed),
        quality.with(Status::Failed),
        quality.with(Status::NotApplicable)
    );
    let mut failed: Vec<&Check> = quality.checks.iter().filter(|c| c.status == Status::Failed).collect();
    failed.sort_by_key(|c| c.severity);
    failed.iter().for_each(|c| text += &line(c));
    let jumps = quality.jumps(row_count);
    if !jumps.is_empty() {
        text += "\nrows that changed much from one year to the next, which may be right:\n";
        jumps.iter().take(NAMED).for_each(|c| text += &jump(c));
        if jumps.len() > NAMED {
            text += &format!("  and {} more\n", grouped((jumps.len() - NAMED) as u64));
        }
    }
    text
}

fn line(check: &Check) -> String {
    let collection = check.collection.as_deref().unwrap_or("the folder");
    let share = check.share().map(|s| format!(" of {} rows ({:.2} %)", grouped(check.of), 100.0 * s)).unwrap_or_default();
    let place = |e: &crate::quality::Example| match (&e.at, check.severity) {
        (Some(at), Severity::Error) => {
            let field = e.field.as_ref().map(|f| format!("{f}: ")).unwrap_or_default();
            Some(format!("{at} ({field}{})", e.words.as_deref().unwrap_or_default()))
        }
        (Some(at), _) => Some(at.to_string()),
        (None, _) => e.words.clone(),
    };
    let places: Vec<String> = check.examples.iter().filter_map(place).collect();
    let places: String = places.iter().map(|place| format!("\n      {place}")).collect();
    let (severity, title) = (check.severity.name(), &check.title);
    format!("{severity}: {collection}, {}: {}{share}: {title}{places}\n", check.check, grouped(check.count))
}

fn jump(count: &RowCount) -> String {
    let RowCount { collection, field, value, year, rows, rows_before } = count;
    format!("  {collection}, {field} {value}: {rows} in {year} after {} in {}\n", rows_before.unwrap_or(0), year - 1)
}
