//! The figures of a table as the protection sees them: numbers for cohorts, entities and groups, and how they add up.

use super::description::Description;
use crate::disclosure::{EntityLine, Figure, Group, Membership, Release};
use crate::error::{Error, Result};
use crate::published::Table;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// Combinations of texts by number, in the order in which they first occur.
#[derive(Debug, Default)]
pub struct Codes {
    /// For each row, its number.
    pub of_row: Vec<u32>,
    /// For each number, its texts.
    pub texts: Vec<Vec<String>>,
    numbers: HashMap<Vec<String>, u32>,
}

impl Codes {
    fn of(batch: &RecordBatch, columns: &[&str], first: Option<Vec<String>>) -> Result<Codes> {
        let mut codes = Codes::default();
        if let Some(texts) = first {
            codes.number(texts);
        }
        let columns = columns.iter().map(|c| texts(batch, c)).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            let number = codes.number(columns.iter().map(|c| c.value(row).to_string()).collect());
            codes.of_row.push(number);
        }
        Ok(codes)
    }

    fn number(&mut self, texts: Vec<String>) -> u32 {
        let next = self.texts.len() as u32;
        *self.numbers.entry(texts).or_insert_with_key(|texts| {
            self.texts.push(texts.clone());
            next
        })
    }

    /// The number of a combination that occurs.
    pub fn find(&self, texts: &[String]) -> Option<u32> {
        self.numbers.get(texts).copied()
    }
}

/// A column as texts; null is empty.
pub fn texts(batch: &RecordBatch, column: &str) -> Result<StringArray> {
    let found = batch.column_by_name(column).ok_or_else(|| Error::Config(format!("a table to be published has no column {column}")))?;
    let text = cast(found, &DataType::Utf8).map_err(|e| Error::internal(format!("column {column} as text"), e))?;
    Ok(text.as_string::<i32>().iter().map(|t| Some(t.unwrap_or_default())).collect())
}

fn counts(batch: &RecordBatch, column: &str) -> Result<Vec<i64>> {
    let found: Option<&ArrayRef> = batch.column_by_name(column);
    let numbers = found.and_then(|c| c.as_primitive_opt::<Int64Type>()).filter(|c| c.null_count() == 0);
    numbers.map(|n| n.values().to_vec()).ok_or_else(|| Error::Config(format!("column {column} of a table to be published must be a count")))
}

/// The rows that become public.
pub fn only(description: &Description, batch: RecordBatch) -> Result<RecordBatch> {
    if description.only.is_empty() {
        return Ok(batch);
    }
    let mut kept = vec![false; batch.num_rows()];
    for choice in &description.only {
        let columns = choice.iter().map(|(column, text)| Ok((texts(&batch, column)?, text))).collect::<Result<Vec<_>>>()?;
        let is_it = |row: usize| columns.iter().all(|(column, text)| column.value(row) == *text);
        kept.iter_mut().enumerate().for_each(|(row, keep)| *keep |= is_it(row));
    }
    filter_record_batch(&batch, &BooleanArray::from(kept)).map_err(|e| Error::internal(format!("rows of {}", description.table), e))
}

/// A table to be published.
pub struct Source {
    /// Its rows.
    pub batch: RecordBatch,
    /// Cohorts.
    pub cohorts: Codes,
    /// Entities: level and id.
    pub entities: Codes,
    /// Groups: kind and code; the first is all.
    pub groups: Codes,
    /// Students of each row.
    pub denominator: Vec<i64>,
    /// Students who count.
    pub numerator: Option<Vec<i64>>,
}

/// The figures of entities: group, students, students who count.
type ByEntity = HashMap<u32, Vec<(u16, i64, i64)>>;

/// Cohorts by number: whole and part.
type Pairs = Vec<(u16, u16)>;

/// The parts of an entity, by number of the level from the top.
pub type Parts = BTreeMap<u32, BTreeMap<usize, Vec<u32>>>;

impl Source {
    /// Numbers the rows of a table.
    pub fn new(description: &Description, batch: RecordBatch) -> Result<Source> {
        let of = |columns: &[String], first| Codes::of(&batch, &columns.iter().map(String::as_str).collect::<Vec<_>>(), first);
        Ok(Source {
            cohorts: of(&description.cohort, None)?,
            entities: of(&description.entity, None)?,
            groups: of(&description.group, Some(description.all.to_vec()))?,
            denominator: counts(&batch, &description.denominator)?,
            numerator: description.numerator.as_ref().map(|n| counts(&batch, n)).transpose()?,
            batch,
        })
    }

    /// The true counts; a plain count has no numerator, so it is 0.
    pub fn truth(&self) -> Table {
        let numerator = self.numerator.clone().unwrap_or_else(|| vec![0; self.denominator.len()]);
        Table { denominator: self.denominator.clone(), numerator }
    }

    /// The release without lines and earlier treatments.
    pub fn release(&self, description: &Description) -> Result<Release> {
        let rank = |e: &Vec<String>| description.levels.iter().position(|l| *l == e[0]);
        let unknown = |e: &Vec<String>| Error::Config(format!("data/publish/{}.toml: levels lacks {:?}", description.table, e[0]));
        let entities = self.entities.texts.iter().map(|e| rank(e).map(|r| r as u8).ok_or_else(|| unknown(e))).collect::<Result<_>>()?;
        let figure = |row: usize| Figure {
            cohort: self.cohorts.of_row[row] as u16,
            entity: self.entities.of_row[row],
            group: self.groups.of_row[row] as u16,
            denominator: self.denominator[row],
            numerator: self.numerator.as_ref().map(|n| n[row]),
        };
        let figures: Vec<Figure> = (0..self.batch.num_rows()).map(figure).collect();
        let groups = self.memberships(&figures);
        let same = same_cohorts(&figures, self.cohorts.texts.len());
        let (contains, covered) = self.contains(description);
        Ok(Release { entities, groups, same, contains, covered, figures, ..Release::default() })
    }

    /// How each kind of group stands to all students: found in the figures, so that no list of kinds is needed. What sums in every cell, an
    /// attacker may take for a partition.
    fn memberships(&self, figures: &[Figure]) -> Vec<Group> {
        let mut kinds: Vec<&str> = Vec::new();
        let kind_of: Vec<usize> = self
            .groups
            .texts
            .iter()
            .map(|g| {
                kinds.iter().position(|k| *k == g[0]).unwrap_or_else(|| {
                    kinds.push(&g[0]);
                    kinds.len() - 1
                })
            })
            .collect();
        let mut sums: HashMap<(u16, u32), Vec<(i64, i64)>> = HashMap::new();
        let mut equal = vec![true; kinds.len()];
        let all: HashMap<(u16, u32), i64> =
            figures.iter().filter(|f| f.group == 0).map(|f| ((f.cohort, f.entity), f.denominator)).collect();
        for f in figures {
            let kind = kind_of[f.group as usize];
            let sums = &mut sums.entry((f.cohort, f.entity)).or_insert_with(|| vec![(0, 0); kinds.len()])[kind];
            *sums = (sums.0 + f.denominator, sums.1 + f.numerator.unwrap_or(0));
            equal[kind] &= all.get(&(f.cohort, f.entity)) == Some(&f.denominator);
        }
        let partition = |kind: usize| sums.values().all(|s| s[kind] == s[0]);
        let membership = |(g, &kind): (usize, &usize)| match kind {
            _ if g == 0 => Membership::All,
            k if partition(k) => Membership::Partition,
            k if equal[k] => Membership::Breakdown,
            _ => Membership::Overlap,
        };
        kind_of.iter().enumerate().map(membership).zip(&kind_of).map(|(membership, &kind)| Group { kind: kind as u8, membership }).collect()
    }

    /// Cohorts that contain others (whole, part), and those pairs of which the parts cover the whole.
    fn contains(&self, description: &Description) -> (Pairs, Pairs) {
        let (mut pairs, mut covered) = (Pairs::new(), Pairs::new());
        for rule in &description.contains {
            let Some(at) = description.cohort.iter().position(|c| *c == rule.column) else { continue };
            for (part, texts) in self.cohorts.texts.iter().enumerate() {
                if texts[at] == rule.whole || rule.part.as_ref().is_some_and(|p| *p != texts[at]) {
                    continue;
                }
                let mut whole = texts.clone();
                whole[at] = rule.whole.clone();
                let pair = self.cohorts.find(&whole).map(|whole| (whole as u16, part as u16));
                pairs.extend(pair);
                covered.extend(pair.filter(|_| rule.covers));
            }
        }
        (pairs, covered)
    }

    /// The parts of each entity, from rows of `entity_part`: level, id, level and id of a part.
    pub fn parts(&self, description: &Description, batch: &RecordBatch) -> Result<Parts> {
        let columns = ["level", "entity_id", "part_level", "part_entity_id"].map(|c| texts(batch, c));
        let [level, id, part_level, part_id] = columns;
        let (level, id, part_level, part_id) = (level?, id?, part_level?, part_id?);
        let mut parts = Parts::new();
        for row in 0..batch.num_rows() {
            let whole = self.entities.find(&[level.value(row).to_string(), id.value(row).to_string()]);
            let part = self.entities.find(&[part_level.value(row).to_string(), part_id.value(row).to_string()]);
            let rank = description.levels.iter().position(|l| l == part_level.value(row));
            if let (Some(whole), Some(part), Some(rank)) = (whole, part, rank) {
                parts.entry(whole).or_default().entry(rank).or_default().push(part);
            }
        }
        Ok(parts)
    }
}

/// Figures of cohorts that are the same students: every denominator is equal, so each is a copy of the first. Cohorts that differ anywhere are
/// not taken for the same.
fn same_cohorts(figures: &[Figure], cohorts: usize) -> Vec<(u32, u32)> {
    let mut by_cohort: Vec<Vec<(u32, u16, i64, u32)>> = vec![vec![]; cohorts];
    for (i, f) in figures.iter().enumerate() {
        by_cohort[f.cohort as usize].push((f.entity, f.group, f.denominator, i as u32));
    }
    by_cohort.iter_mut().for_each(|c| c.sort_unstable());
    let equal = |a: &[(u32, u16, i64, u32)], b: &[(u32, u16, i64, u32)]| {
        a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x.0, x.1, x.2) == (y.0, y.1, y.2))
    };
    let mut same = Vec::new();
    for (i, cohort) in by_cohort.iter().enumerate() {
        if let Some(first) = by_cohort[..i].iter().find(|f| equal(f, cohort)) {
            same.extend(first.iter().zip(cohort).map(|(x, y)| (x.3, y.3)));
        }
    }
    same
}

/// The lines of a release: an entity and parts of the nearest level whose figures sum to its own in every group. An entity below that level
/// with none of it between (a college has no district) is a part too.
pub fn lines(release: &Release, parts: &Parts) -> Vec<EntityLine> {
    let cohorts = release.figures.iter().map(|f| f.cohort as usize + 1).max().unwrap_or(0);
    let mut figures: Vec<ByEntity> = vec![ByEntity::new(); cohorts];
    for f in &release.figures {
        let of_entity = figures[f.cohort as usize].entry(f.entity).or_default();
        of_entity.push((f.group, f.denominator, f.numerator.unwrap_or(0)));
    }
    let mut lines = Vec::new();
    for (cohort, figures) in figures.iter().enumerate() {
        for (&total, of_total) in parts {
            let Some(whole) = figures.get(&total) else { continue };
            for &rank in of_total.keys() {
                let candidates = candidates(of_total, parts, rank);
                let present: Vec<u32> = candidates.into_iter().filter(|p| figures.contains_key(p)).collect();
                if sums(whole, &present, figures) {
                    lines.push(EntityLine { cohort: cohort as u16, total, parts: present });
                    break;
                }
            }
        }
    }
    lines
}

/// The parts of a level, and those of lower levels that lie in none of them.
fn candidates(of_total: &BTreeMap<usize, Vec<u32>>, parts: &Parts, rank: usize) -> Vec<u32> {
    let mut chosen: Vec<u32> = of_total[&rank].clone();
    let mut inside: std::collections::BTreeSet<u32> = inner(&chosen, parts);
    for lower in of_total.range(rank + 1..).map(|(_, lower)| lower) {
        let outside: Vec<u32> = lower.iter().copied().filter(|e| !inside.contains(e)).collect();
        inside.extend(inner(&outside, parts));
        chosen.extend(outside);
    }
    chosen
}

fn inner(entities: &[u32], parts: &Parts) -> std::collections::BTreeSet<u32> {
    entities.iter().filter_map(|e| parts.get(e)).flat_map(BTreeMap::values).flatten().copied().collect()
}

fn sums(whole: &[(u16, i64, i64)], parts: &[u32], figures: &ByEntity) -> bool {
    let mut sum: BTreeMap<u16, (i64, i64)> = BTreeMap::new();
    for &(group, d, n) in parts.iter().filter_map(|p| figures.get(p)).flatten() {
        let of_group = sum.entry(group).or_default();
        *of_group = (of_group.0 + d, of_group.1 + n);
    }
    let left = sum.values().filter(|s| **s != (0, 0)).count();
    !parts.is_empty()
        && left == whole.iter().filter(|w| w.1 != 0 || w.2 != 0).count()
        && whole.iter().all(|(group, d, n)| sum.get(group).copied().unwrap_or_default() == (*d, *n))
}
