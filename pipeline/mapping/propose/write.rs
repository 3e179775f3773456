//! A proposal as a mapping file, with comments for the person who completes it.

use super::super::name;
use super::Looked;
use super::profile::Profile;
use super::score::{Fit, Match, lower};
use crate::contract::{Field, Kind};
use crate::intake::Words;
use std::fmt::Write;

/// A code is proposed for a text that looks so much like it.
const ALIKE: f64 = 0.6;

/// Columns of days named where one could be meant.
const DAYS_NAMED: usize = 4;

/// The mapping file.
pub fn toml(looked: &Looked, fits: &[Fit], others: &[&str], there: &[&str]) -> String {
    let mut text = String::new();
    let rows = if looked.more { format!("its first {} rows", looked.rows) } else { format!("its {} rows", looked.rows) };
    let _ = writeln!(
        text,
        "# Proposed by `perkins map` from the header of {} and {rows}. Look at each line: UNSURE is a guess, MISSING must be",
        looked.name
    );
    let _ = writeln!(text, "# filled in before `perkins ingest RAW_DIR --mapping THIS_FILE` takes it. The words: docs/mapping.md.");
    for name in there {
        let _ = writeln!(
            text,
            "#\n# The mapping {name} is there already, and this file has every column that it reads: perkins ingest RAW_DIR --mapping {name}"
        );
    }
    let _ = writeln!(text, "title = {}", quoted(&looked.name));
    let _ = writeln!(text, "files = [{}]", quoted(&looked.name));
    if let Some(delimiter) = looked.delimiter {
        let _ = writeln!(text, "delimiter = {}", quoted(&delimiter.to_string()));
    }
    if looked.headless {
        let names = looked.columns.iter().map(|c| quoted(&c.name)).collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            text,
            "# UNSURE: the first line looks like a record, so the columns have no names; give them better ones, here and below."
        );
        let _ = writeln!(text, "columns = [{names}]");
    }
    if !others.is_empty() {
        let _ = writeln!(text, "\n# Next best: {}; --collection NAME proposes another collection.", others.join(", "));
    }
    for fit in fits {
        write_fit(&mut text, looked, fit);
    }
    let used = |i: usize| fits.iter().any(|f| f.matches.iter().flatten().any(|m| m.column == i));
    // Of objects within objects only the first name is told: the others may be somebody's.
    let told = |name: &str| name.split_once('.').filter(|_| looked.nested).map_or(name.to_string(), |(first, _)| format!("{first}.*"));
    let mut unused: Vec<String> = looked.columns.iter().enumerate().filter(|(i, _)| !used(*i)).map(|(_, c)| told(&c.name)).collect();
    unused.dedup();
    let unused: Vec<String> = unused.iter().map(|name| format!("#   {}\n", quoted(name))).collect();
    if !unused.is_empty() {
        let _ = write!(text, "\n# Columns that no field is proposed for (they are not read):\n{}", unused.concat());
    }
    text
}

fn write_fit(text: &mut String, looked: &Looked, fit: &Fit) {
    let contract = fit.contract;
    let _ = writeln!(text, "\n# {}\n[[collection]]\nname = {}", contract.description.replace('\n', " "), quoted(&contract.name));
    let _ = writeln!(text, "# Only some rows? when = [{{ column = \"…\", in = [\"…\"] }}]\n\n[collection.fields]");
    // Tables of codes must come after the single lines.
    let mut tables = String::new();
    for (field, found) in contract.fields.iter().zip(&fit.matches) {
        match found {
            Some(found) => write_match(text, &mut tables, field, looked, *found),
            None => write_missing(text, looked, field),
        }
    }
    text.push_str(&tables);
}

/// What a field must be, in a few words.
fn about(field: &Field) -> String {
    let required = if field.constraints.required { "required" } else { "may be empty" };
    let what = match field.kind {
        Kind::String => "text",
        Kind::Year => "a year",
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Boolean => "yes or no",
        Kind::Date => "a date",
    };
    let what = match &field.constraints.codes {
        Some(codes) => format!("one of {}", codes.join(", ")),
        None => what.to_string(),
    };
    format!("{} ({what}; {required})", field.description.trim_end_matches('.').replace('\n', " "))
}

fn write_match(text: &mut String, tables: &mut String, field: &Field, looked: &Looked, found: Match) {
    let column = &looked.columns[found.column];
    let unsure = if found.unsure { "UNSURE: " } else { "" };
    let from = quoted(&column.name);
    let codes = field.constraints.codes.as_ref().filter(|_| column.filled > 0);
    if let Some(codes) = codes.filter(|codes| !column.has_codes(&lower(codes))) {
        return write_codes(tables, field, (column, &looked.words), codes, unsure);
    }
    if field.kind == Kind::Boolean && column.filled > 0 && !column.is_boolean() {
        return write_codes(tables, field, (column, &looked.words), &["Y".to_string(), "N".to_string()], unsure);
    }
    let _ = writeln!(text, "# {unsure}{}", about(field));
    if let Some(others) = codes.and_then(|codes| column.others(&lower(codes))).filter(|others| *others > 0) {
        let _ = writeln!(text, "# {others} of {} values are no codes", column.filled);
    }
    let dates = column.dates();
    match field.kind {
        Kind::Date if column.filled > 0 && dates.is_empty() => {
            let _ = writeln!(text, "# UNSURE: the values are no dates of a common form; say of which, such as date = \"%d.%m.%Y\"");
            let _ = writeln!(text, "{} = {from}", field.name);
        }
        Kind::Date if dates.first().is_some_and(|d| *d != "%Y-%m-%d") => {
            if dates.contains(&"%m/%d/%Y") && dates.contains(&"%d/%m/%Y") {
                let _ = writeln!(text, "# UNSURE: month and day may be the other way round");
            }
            let _ = writeln!(text, "{} = {{ from = {from}, date = {} }}", field.name, quoted(dates[0]));
        }
        Kind::Year | Kind::Integer if !column.is_integer(0, 9_999) && !dates.is_empty() => {
            let _ = writeln!(
                text,
                "{} = {{ from = {from}, date = {}, take = {} }}",
                field.name,
                quoted(dates[0]),
                quoted(take(field, &looked.words))
            );
        }
        _ => {
            let _ = writeln!(text, "{} = {from}", field.name);
        }
    }
}

/// What is taken of a date for a field that is a number.
fn take(field: &Field, words: &Words) -> &'static str {
    let words = words.of_name(&field.name);
    let has = |word: &str| words.iter().any(|w| w == word);
    match () {
        // `school` and `institution` are one word here.
        () if has("institution") => "school_year",
        () if has("quarter") => "quarter",
        () => "year",
    }
}

fn write_codes(tables: &mut String, field: &Field, (column, words): (&Profile, &Words), codes: &[String], unsure: &str) {
    let _ = writeln!(tables, "\n# {unsure}{}", about(field));
    let _ = writeln!(tables, "[collection.fields.{}]\nfrom = {}", field.name, quoted(&column.name));
    let Some(texts) = column.shown() else {
        let _ = writeln!(
            tables,
            "# MISSING: a code for each text of the column. They are not shown: they are too many, too long, or may be somebody's own."
        );
        let _ = writeln!(tables, "# [collection.fields.{}.codes]\n# \"…\" = {}", field.name, quoted(&codes[0]));
        return;
    };
    let _ = writeln!(tables, "[collection.fields.{}.codes]", field.name);
    for text in texts {
        let best = codes.iter().map(|c| (words.alike(text, c), c)).max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score >= ALIKE);
        let _ = match best {
            Some((1.0, code)) => writeln!(tables, "{} = {}", quoted(text), quoted(code)),
            Some((_, code)) => writeln!(tables, "{} = {} # UNSURE", quoted(text), quoted(code)),
            None => writeln!(tables, "# {} = \"…\" # MISSING: its code (or \"\" for none)", quoted(text)),
        };
    }
}

fn write_missing(text: &mut String, looked: &Looked, field: &Field) {
    let required = field.constraints.required;
    if required && field.kind == Kind::Year && take(field, &looked.words) == "school_year" && name::year(&looked.name).is_some() {
        let _ = writeln!(text, "# UNSURE: {}: the year in the file's name", about(field));
        let _ = writeln!(text, "{} = {{ file_year = true }}", field.name);
        return;
    }
    let word = if required { "MISSING: " } else { "" };
    let _ = writeln!(text, "# {word}{}", about(field));
    // A day of birth is in no school year that anybody asks for.
    let is_birth = |c: &Profile| looked.words.of_name(&c.name).iter().any(|w| w == "birth");
    let days: Vec<&Profile> = looked.columns.iter().filter(|c| !c.dates().is_empty() && !is_birth(c)).collect();
    let dated = days.first();
    let year = looked.words.of_name(&field.name).iter().any(|w| w == "year" || w == "quarter");
    let _ = match (field.kind, dated) {
        (Kind::Year | Kind::Integer, Some(column)) if required && year => {
            let (from, date, take) = (quoted(&column.name), quoted(column.dates()[0]), quoted(take(field, &looked.words)));
            let others: Vec<String> = days.iter().skip(1).take(DAYS_NAMED).map(|c| quoted(&c.name)).collect();
            let others = if others.is_empty() { String::new() } else { format!("; others: {}", others.join(", ")) };
            writeln!(text, "# {} = {{ from = {from}, date = {date}, take = {take} }} # if that is the day{others}", field.name)
        }
        _ if required && field.constraints.codes.is_some() => {
            writeln!(text, "# {} = {{ constant = \"…\" }} # if it is the same for all rows", field.name)
        }
        _ => writeln!(text, "# {} = \"…\"", field.name),
    };
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
