//! Which figures of a table sum to which, are parts of others or have the same students, as its description says.

use super::describe::{Absent, DescribeError, Description, LevelSum};
use super::frame::{Frame, Keys};
use super::read::PublicTable;
use super::system::interval;
use crate::published::{Line, Published, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Entities that are parts of each (cohort, entity).
type Sums = BTreeMap<(u32, u32), Vec<u32>>;

/// Adds the relations to a table.
pub(super) fn relate(
    table: &mut PublicTable,
    description: &Description,
    frame: &Frame,
    lines: Option<&Frame>,
) -> Result<(), DescribeError> {
    let mut sums = Sums::new();
    for sum in &description.level_sums {
        by_level(table, sum, description, frame, &mut sums)?;
    }
    match (&description.line_table, lines) {
        (Some(_), Some(lines)) => by_table(table, description, lines, &mut sums)?,
        (Some(_), None) => return Err(DescribeError::at(&frame.file, None, Some("sums"), "a table of lines beside this table", "none")),
        (None, Some(lines)) => {
            return Err(DescribeError::at(&lines.file, None, Some("sums"), "[sums] in the description, for the table of lines", "none"));
        }
        (None, None) => {}
    }
    let mut dropped = Dropped::default();
    entities(table, description, &sums, &mut dropped);
    partitions(table, description, frame, &mut dropped)?;
    groups(table, description, frame)?;
    unknown_kinds(table, description);
    same(table, description)?;
    contained(table, description);
    dropped.tell(table);
    Ok(())
}

/// Lines that are left out.
#[derive(Default)]
struct Dropped {
    contradicted: Vec<u32>,
    incomplete: usize,
    without_parts: usize,
}

impl Dropped {
    fn tell(self, table: &mut PublicTable) {
        table.lines_dropped = self.contradicted.len();
        if let Some(&first) = self.contradicted.first() {
            let (count, first) = (self.contradicted.len(), table.label(first));
            table.notes.push(format!("{count} lines left out: the shown parts do not add up to the shown total (the first: {first})"));
        }
        if self.without_parts > 0 {
            table.notes.push(format!("{} lines left out: no part has a row", self.without_parts));
        }
        if self.incomplete > 0 {
            table
                .notes
                .push(format!("{} lines left out: a part has no row, and the description does not say that it is 0 then", self.incomplete));
        }
    }

    /// Takes the line if the shown figures leave it possible.
    fn line(&mut self, published: &mut Published, total: u32, parts: Vec<u32>) {
        if parts.is_empty() {
            self.without_parts += 1;
            return;
        }
        let possible = |of: fn(&Published, u32) -> (i64, i64)| {
            let (low, high) = parts.iter().map(|&p| of(published, p)).fold((0, 0), |sum, i| (sum.0 + i.0, sum.1 + i.1));
            let total = of(published, total);
            low <= total.1 && total.0 <= high
        };
        let denominators = possible(|p, c| interval(p.cells[c as usize].denominator, p.hidden_minimum));
        let numerators = possible(|p, c| interval(p.cells[c as usize].numerator, 0));
        if denominators && numerators {
            published.lines.push(Line { total, parts });
        } else {
            self.contradicted.push(total);
        }
    }
}

/// Parts of each (cohort, entity) by a pair of levels.
fn by_level(table: &PublicTable, sum: &LevelSum, description: &Description, frame: &Frame, sums: &mut Sums) -> Result<(), DescribeError> {
    let entities = &table.keys.entity;
    let of_level =
        |level: &String| (0..entities.texts.len() as u32).filter(|&e| entities.texts[e as usize][0] == *level).collect::<Vec<u32>>();
    let start = |text: &str, prefix: usize| text.chars().take(prefix).collect::<String>();
    let level = description.columns.level.as_deref().unwrap_or_default();
    for wanted in [&sum.total, &sum.part] {
        if of_level(wanted).is_empty() {
            return Err(DescribeError::at(&frame.file, None, Some(level), &format!("rows of the level {wanted:?}"), "none"));
        }
    }
    let column = sum.column.as_ref().map(|c| frame.column(c)).transpose()?;
    let mut total_of: BTreeMap<String, u32> = BTreeMap::new();
    for total in of_level(&sum.total) {
        let code = &entities.texts[total as usize][1];
        let code = sum.prefix.map_or_else(|| code.clone(), |p| start(code, p));
        if let Some(first) = total_of.insert(code, total) {
            let both = format!("{:?} and {:?}", entities.texts[first as usize][1], entities.texts[total as usize][1]);
            return Err(DescribeError::at(&frame.file, None, Some("sum.prefix"), "one total for each beginning of a code", &both));
        }
    }
    let part_level: BTreeSet<u32> = of_level(&sum.part).into_iter().collect();
    let mut seen = BTreeSet::new();
    for row in 0..frame.rows() {
        let (cohort, part) = (table.keys.cohort.of_row[row], entities.of_row[row]);
        if !part_level.contains(&part) || !seen.insert((cohort, part)) {
            continue;
        }
        let code = &entities.texts[part as usize][1];
        let code = column.map_or_else(|| start(code, sum.prefix.unwrap_or(0)), |c| c.text(row).to_string());
        if let Some(&total) = total_of.get(&code) {
            sums.entry((cohort, total)).or_default().push(part);
        }
    }
    Ok(())
}

/// The same by a table of lines.
fn by_table(table: &PublicTable, description: &Description, lines: &Frame, sums: &mut Sums) -> Result<(), DescribeError> {
    let Some(columns) = &description.line_table else { return Ok(()) };
    let names = |names: &[String]| Keys::of(lines, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let (totals, parts) = (names(&columns.total)?, names(&columns.part)?);
    let kept: Vec<usize> =
        (0..description.columns.cohort.len()).filter(|&i| lines.names.contains(&description.columns.cohort[i])).collect();
    let cohorts = names(&kept.iter().map(|&i| description.columns.cohort[i].clone()).collect::<Vec<_>>())?;
    // The cohorts of the table that a line's columns name.
    let mut of_line: BTreeMap<Vec<&String>, Vec<u32>> = BTreeMap::new();
    for (c, texts) in table.keys.cohort.texts.iter().enumerate() {
        of_line.entry(kept.iter().map(|&i| &texts[i]).collect()).or_default().push(c as u32);
    }
    let entity = |keys: &Keys| keys.texts.iter().map(|t| table.keys.entity.number(t)).collect::<Vec<_>>();
    let (total_entity, part_entity) = (entity(&totals), entity(&parts));
    let cohort_numbers: Vec<&[u32]> =
        cohorts.texts.iter().map(|t| of_line.get(&t.iter().collect::<Vec<_>>()).map_or(&[][..], |c| &c[..])).collect();
    for row in 0..lines.rows() {
        // Entities without any row have nobody.
        let (Some(total), Some(part)) = (total_entity[totals.of_row[row] as usize], part_entity[parts.of_row[row] as usize]) else {
            continue;
        };
        for &cohort in cohort_numbers[cohorts.of_row[row] as usize] {
            sums.entry((cohort, total)).or_default().push(part);
        }
    }
    for ((_, total), parts) in sums.iter_mut() {
        let count = parts.len();
        parts.sort_unstable();
        parts.dedup();
        if parts.len() < count {
            return Err(DescribeError::at(
                &lines.file,
                None,
                None,
                "each part once in a line",
                &format!("a part twice in the line of {}", table.keys.entity.texts[*total as usize].join(" ")),
            ));
        }
    }
    Ok(())
}

fn entities(table: &mut PublicTable, description: &Description, sums: &Sums, dropped: &mut Dropped) {
    let count = table.keys.group.texts.len() as u32;
    for (&(cohort, total), parts) in sums {
        for group in 0..count {
            let Some(total) = table.keys.cell(cohort, total, group) else { continue };
            let cells: Vec<u32> = parts.iter().filter_map(|&p| table.keys.cell(cohort, p, group)).collect();
            if description.groups.absent == Absent::Unknown && cells.len() < parts.len() {
                dropped.incomplete += 1;
            } else {
                dropped.line(&mut table.published, total, cells);
            }
        }
    }
}

/// The number of a group, which must have a row somewhere.
fn group(table: &PublicTable, frame: &Frame, codes: &[String], column: &[String]) -> Result<u32, DescribeError> {
    let known = || table.keys.group.texts.iter().map(|t| t.join(" ")).collect::<Vec<_>>().join(", ");
    let expected = format!("a row of the group {:?}, which the description names", codes.join(" "));
    table.keys.group.number(codes).ok_or_else(|| {
        DescribeError::at(&frame.file, None, column.last().map(String::as_str), &expected, &format!("the groups {}", known()))
    })
}

fn partitions(table: &mut PublicTable, description: &Description, frame: &Frame, dropped: &mut Dropped) -> Result<(), DescribeError> {
    let Some(all) = &description.groups.all else { return Ok(()) };
    let all = group(table, frame, all, &description.columns.group)?;
    let mut parts: Vec<Vec<u32>> = Vec::new();
    for partition in &description.groups.partition {
        parts.push(match (&partition.codes, &partition.kind) {
            (Some(codes), _) => codes.iter().map(|c| group(table, frame, c, &description.columns.group)).collect::<Result<_, _>>()?,
            (None, kind) => {
                let of_kind = |g: &u32| Some(&table.keys.group.texts[*g as usize][0]) == kind.as_ref();
                (0..table.keys.group.texts.len() as u32).filter(of_kind).collect()
            }
        });
    }
    for row in 0..frame.rows() {
        if table.keys.group.of_row[row] != all {
            continue;
        }
        let (cohort, entity) = (table.keys.cohort.of_row[row], table.keys.entity.of_row[row]);
        for codes in &parts {
            let cells: Vec<u32> = codes.iter().filter_map(|&g| table.keys.cell(cohort, entity, g)).collect();
            // A kind that an entity does not report at all is no partition there.
            if cells.is_empty() {
                continue;
            }
            if description.groups.absent == Absent::Unknown && cells.len() < codes.len() {
                dropped.incomplete += 1;
            } else {
                dropped.line(&mut table.published, row as u32, cells);
            }
        }
    }
    Ok(())
}

/// Kinds that the description names and no row has: a mistake in a name would leave relations out in silence.
fn unknown_kinds(table: &mut PublicTable, description: &Description) {
    let partitions = description.groups.partition.iter().filter_map(|p| p.kind.as_ref());
    let named = partitions.chain(&description.groups.same_as_all).chain(&description.groups.among_all);
    let is_there = |kind: &&String| table.keys.group.texts.iter().any(|t| t[0] == **kind);
    let unknown: BTreeSet<&String> = named.filter(|k| !is_there(k)).collect();
    let notes: Vec<String> =
        unknown.into_iter().map(|k| format!("no row has a group of the kind {k:?}, which the description names")).collect();
    table.notes.extend(notes);
}

/// Parts of All and of other groups, and groups with the students of All.
fn groups(table: &mut PublicTable, description: &Description, frame: &Frame) -> Result<(), DescribeError> {
    let columns = &description.columns.group;
    let all = description.groups.all.as_ref().map(|a| group(table, frame, a, columns)).transpose()?;
    let pair = |w: &super::describe::GroupWithin| Ok((group(table, frame, &w.part, columns)?, group(table, frame, &w.whole, columns)?));
    let within: Vec<(u32, u32)> = description.groups.within.iter().map(pair).collect::<Result<_, DescribeError>>()?;
    let (mut pairs, mut equal, mut among) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..frame.rows() {
        let (cohort, entity, own) = (table.keys.cohort.of_row[row], table.keys.entity.of_row[row], table.keys.group.of_row[row]);
        if let Some(all) = all.filter(|&a| a != own)
            && let Some(whole) = table.keys.cell(cohort, entity, all)
        {
            let kind = &table.keys.group.texts[own as usize][0];
            let same = description.groups.same_as_all.contains(kind);
            let is_among = description.groups.among_all.contains(kind);
            if is_among {
                among.push((row as u32, whole));
            }
            if same {
                equal.push((row as u32, whole));
            }
            if description.groups.within_all && !same && !is_among {
                pairs.push((row as u32, whole));
            }
        }
        let others = within.iter().filter(|w| w.0 == own).filter_map(|w| table.keys.cell(cohort, entity, w.1));
        pairs.extend(others.map(|whole| (row as u32, whole)));
    }
    table.published.within = pairs;
    table.published.among = among;
    table.published.same = equal;
    Ok(())
}

/// Cohorts within others, cell by cell; the only part of a whole that its parts cover is the whole.
fn contained(table: &mut PublicTable, description: &Description) {
    for rule in &description.cohort_within {
        let Some(at) = description.columns.cohort.iter().position(|c| *c == rule.column) else { continue };
        let whole_of = |texts: &Vec<String>| {
            let is_part = texts[at] != rule.whole && rule.part.as_ref().is_none_or(|p| *p == texts[at]);
            let mut whole = texts.clone();
            whole[at].clone_from(&rule.whole);
            is_part.then(|| table.keys.cohort.number(&whole)).flatten()
        };
        let wholes: Vec<Option<u32>> = table.keys.cohort.texts.iter().map(whole_of).collect();
        let mut parts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for row in 0..table.published.cells.len() {
            let (entity, group) = (table.keys.entity.of_row[row], table.keys.group.of_row[row]);
            let whole = wholes[table.keys.cohort.of_row[row] as usize].and_then(|c| table.keys.cell(c, entity, group));
            if let Some(whole) = whole {
                parts.entry(whole).or_default().push(row as u32);
            }
        }
        // A part without a row has nobody, if the description says so.
        let covers = rule.covers && description.groups.absent == Absent::Zero;
        for (whole, parts) in parts {
            match parts[..] {
                [only] if covers => table.published.same.push((whole, only)),
                _ => {
                    table.published.within.extend(parts.iter().map(|p| (*p, whole)));
                    table.published.covers.extend(covers.then_some(Line { total: whole, parts }));
                }
            }
        }
    }
}

/// Who knows the truth leaves out cohorts that only seem to have the same students because too little of them is shown.
pub(crate) fn leave_out_seeming(table: &mut PublicTable, truth: &Table) {
    let cohort = |cell: u32| table.keys.cohort.of_row[cell as usize];
    let differ = |(a, b): &(u32, u32)| truth.denominator[*a as usize] != truth.denominator[*b as usize];
    let seeming: BTreeSet<(u32, u32)> = table.published.same.iter().filter(|p| differ(p)).map(|(a, b)| (cohort(*a), cohort(*b))).collect();
    let mut same = std::mem::take(&mut table.published.same);
    same.retain(|(a, b)| cohort(*a) == cohort(*b) || !seeming.contains(&(cohort(*a), cohort(*b))));
    table.published.same = same;
}

/// Cohorts of the same students, as far as shown denominators do not say otherwise.
fn same(table: &mut PublicTable, description: &Description) -> Result<(), DescribeError> {
    for same in &description.same {
        let Some(at) = description.columns.cohort.iter().position(|c| *c == same.column) else { continue };
        let Some((first, others)) = same.values.split_first() else { continue };
        // By cohort: its pairs, and whether two shown denominators differ.
        let mut pairs: BTreeMap<u32, (Vec<(u32, u32)>, bool)> = BTreeMap::new();
        for row in 0..table.published.cells.len() {
            let cohort = table.keys.cohort.of_row[row];
            let texts = &table.keys.cohort.texts[cohort as usize];
            if !others.contains(&texts[at]) {
                continue;
            }
            let mut other = texts.clone();
            other[at].clone_from(first);
            let other = table.keys.cohort.number(&other);
            let cell = other.and_then(|c| table.keys.cell(c, table.keys.entity.of_row[row], table.keys.group.of_row[row]));
            if let Some(cell) = cell {
                let (a, b) = (table.published.cells[cell as usize].denominator, table.published.cells[row].denominator);
                let least = table.published.hidden_minimum;
                let (a, b) = (interval(a, least), interval(b, least));
                let found = pairs.entry(cohort).or_default();
                found.0.push((cell, row as u32));
                found.1 |= a.1 < b.0 || b.1 < a.0;
            }
        }
        for (cohort, (pairs, differ)) in pairs {
            if differ {
                let name = table.keys.cohort.texts[cohort as usize].join(" ");
                table.notes.push(format!("{name} does not have the same students as {first}: shown denominators differ"));
            } else {
                table.published.same.extend(pairs);
            }
        }
    }
    Ok(())
}
