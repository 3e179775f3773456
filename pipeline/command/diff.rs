//! `perkins diff`.

use super::status::Form;
use super::{answer, block_on, table};
use crate::cli::Settings;
use crate::diff::cause::Causes;
use crate::diff::{Differences, Pair, Side};
use crate::error::{Error, Result};
use crate::history;

/// Figures that are listed for people.
const LISTED: usize = 20;

/// Flags of `perkins diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The run before: an id, the beginning of one, or `previous`
    #[arg(value_name = "RUN_A")]
    a: String,
    /// The run after: an id, the beginning of one, or `current`
    #[arg(value_name = "RUN_B")]
    b: String,
    /// Also list the students who moved, with their programs; they are on standard output and nowhere else
    #[arg(long)]
    students: bool,
    /// Jurisdiction whose current and previous run are meant [default: PERKINS_JURISDICTION, perkins.toml, or that of the latest run]
    #[arg(long, value_name = "NAME")]
    jurisdiction: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// Compares two runs; that they differ is a finding.
pub fn main(args: &DiffArgs, settings: &Settings) -> Result<()> {
    let jurisdiction = args.jurisdiction.as_ref().or(settings.jurisdictions.first()).map(String::as_str);
    let root = &settings.restricted;
    let (a, b) = (history::find(root, &args.a, jurisdiction)?, history::find(root, &args.b, jurisdiction)?);
    let pair = Pair { root, project: &settings.project, a: &a.manifest, b: &b.manifest };
    let found = block_on(settings, pair.differences(args.students))?;
    answer(args.format, &found, text)?;
    match found.none() {
        true => Ok(()),
        false => Err(Error::Data(format!("runs {} and {} differ", a.id, b.id))),
    }
}

fn text(found: &Differences) -> String {
    let years = |years: &[i32]| years.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    let side = |s: &Side| format!("{} (load {}, report years {})", s.run_id, s.load_id, years(&s.report_years));
    let mut out = format!("{}\nbefore: {}\nafter:  {}\n", found.jurisdiction, side(&found.a), side(&found.b));
    out += &made_from(&found.made_from);
    if found.none() {
        return out + "\nevery table is the same\n";
    }
    if !found.only_in_one.is_empty() {
        out += &format!("\ntables of one run only: {}\n", found.only_in_one.join(", "));
    }
    out + &tables(found) + &figures(found) + &students(found)
}

fn tables(found: &Differences) -> String {
    let mut rows = vec![["table", "report year", "added", "removed", "changed", "because of"].map(str::to_string)];
    for t in &found.tables {
        let because = [t.because.clone(), t.columns.iter().map(|c| format!("column {c} of one run only")).collect()].concat();
        let [added, removed, changed] = [t.added, t.removed, t.changed].map(|n| n.to_string());
        rows.push([t.table.clone(), t.report_year.to_string(), added, removed, changed, because.join(", ")]);
    }
    format!("\n{}", table(&rows, ""))
}

fn figures(found: &Differences) -> String {
    if found.figures.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{} figures moved; those of most students:\n", found.figures.len());
    found.figures.iter().take(LISTED).for_each(|f| out += &format!("  {}\n", f.text()));
    let more = found.figures.len().saturating_sub(LISTED);
    out + &if more > 0 { format!("  and {more} more: --format json has all\n") } else { String::new() }
}

fn students(found: &Differences) -> String {
    if found.students.is_empty() {
        return String::new();
    }
    let mut rows = vec![
        ["report year", "indicator", "into numerator", "out of it", "into denominator", "out of it", "because of"].map(str::to_string),
    ];
    for s in &found.students {
        let [a, b, c, d] = [s.into_numerator, s.out_of_numerator, s.into_denominator, s.out_of_denominator].map(|n| n.to_string());
        rows.push([s.report_year.to_string(), s.indicator.clone(), a, b, c, d, s.because.join(", ")]);
    }
    let Some(moved) = &found.moved else { return format!("\nstudents who moved (--students lists them)\n{}", table(&rows, "")) };
    let mut listed = vec![["report year", "indicator", "student", "program", "before", "after"].map(str::to_string)];
    for m in moved {
        let [indicator, student, program, before, after] =
            [&m.indicator, &m.student_id, &m.program_id, &m.before, &m.after].map(Clone::clone);
        listed.push([m.report_year.to_string(), indicator, student, program, before, after]);
    }
    format!("\nstudents who moved\n{}\n{}", table(&rows, ""), table(&listed, ""))
}

/// What changed before the tables did.
fn made_from(causes: &Causes) -> String {
    let mut out = String::new();
    for (collection, partitions) in &causes.collections {
        out += format!("changed: collection {collection} {}", partitions.join(", ")).trim_end();
        out.push('\n');
    }
    let lists =
        [("rule", &causes.rules), ("view", &causes.sql), ("overlay", &causes.overlays), ("collection that stands in", &causes.defaults)];
    for (what, names) in lists {
        names.iter().for_each(|name| out += &format!("changed: {what} {name}\n"));
    }
    if let Some([a, b]) = &causes.program {
        out += &format!("changed: the program, from {a} to {b}\n");
    }
    out
}
