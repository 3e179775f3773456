//! What stays of the load before: its files, the keys that it gave, and what the rows that stay refer to.

use super::EXAMPLES;
use super::dictionary::Dictionary;
use super::intern::{Interner, Texts};
use super::load::{Ingest, key_schema};
use super::partition::Partition;
use super::plan::{Link, Plan};
use super::reference::{NEVER, Reference};
use crate::contract::Contract;
use crate::error::Result;
use crate::lake::{LakeFile, LakeReader, Warning};
use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use std::collections::{BTreeMap, BTreeSet};

impl Ingest<'_> {
    /// The files of the previous load that stay: all if the collection was not read, else those of years that were not.
    pub(super) fn kept(&self, contract: &Contract, read: Option<&BTreeSet<Option<i32>>>) -> Vec<LakeFile> {
        let stays = |f: &&LakeFile| {
            let of_other_years = read.is_none_or(|years| contract.partition.is_some() && !years.contains(&f.partition));
            of_other_years && !self.options.emptied.contains(&(f.collection.clone(), f.partition))
        };
        let kept = |f: &LakeFile| {
            let at = if f.loaded_at.is_empty() { &self.options.previous_at } else { &f.loaded_at };
            LakeFile { loaded_at: at.clone(), ..f.clone() }
        };
        self.previous.map(|load| load.files_of(&contract.name).filter(stays).map(kept).collect()).unwrap_or_default()
    }

    /// The values that the previous load has numbered, by their number.
    pub(super) fn previous_keys(&self, plan: &Plan) -> Result<Interner> {
        let Some((field, name)) = plan.defines() else { return Ok(Interner::default()) };
        let Some(surrogate) = self.previous.and_then(|load| load.surrogates.get(name)) else { return Ok(Interner::default()) };
        let field = &plan.contract.fields[field].name;
        let mut texts = Texts::default();
        let reader = LakeReader::open(self.root, &surrogate.stored.path, key_schema(name, field))?;
        for batch in reader.read_all(&[field])? {
            batch.column(0).as_string::<i32>().iter().flatten().for_each(|text| texts.push(text.as_bytes()));
        }
        Ok(Interner::of(texts))
    }

    /// Adds the rows of files that stay to what is known of a numbered field.
    pub(super) fn with_kept_keys(&self, mut reference: Reference, plan: &Plan, name: &str, kept: &[LakeFile]) -> Result<Reference> {
        for file in kept {
            for batch in self.read(plan, file, name)? {
                let keys = batch.column(0).as_primitive::<Int32Type>();
                keys.values().iter().for_each(|key| reference.seen(*key as usize, file.partition.unwrap_or(i32::MIN)));
            }
        }
        Ok(reference)
    }

    fn read(&self, plan: &Plan, file: &LakeFile, column: &str) -> Result<Vec<RecordBatch>> {
        LakeReader::open(self.root, &file.stored.path, self.contracts.lake_schema(plan.contract))?.read_all(&[column])
    }

    /// The fields of a collection that others refer to, but for numbered ones.
    pub(super) fn referred(&self, plan: &Plan) -> Vec<usize> {
        let keys = self.contracts.iter().flat_map(|c| &c.foreign_keys).map(|k| &k.reference);
        let names: BTreeSet<&str> = keys.filter(|r| r.resource == plan.contract.name).map(|r| r.fields.as_str()).collect();
        let fields = plan.contract.fields.iter().enumerate();
        fields.filter(|(_, f)| f.surrogate.is_none() && names.contains(f.name.as_str())).map(|(field, _)| field).collect()
    }

    /// What others can refer to in those fields: in rows read now and in files that stay.
    pub(super) fn references_of(
        &self,
        plan: &Plan,
        referred: &[usize],
        dictionaries: &[Dictionary],
        partitions: &[Partition],
        kept: &[LakeFile],
    ) -> Result<Vec<(String, Reference)>> {
        let mut references = Vec::new();
        for (i, &field) in referred.iter().enumerate() {
            let name = &plan.contract.fields[field].name;
            let mut reference = Reference::default();
            for part in partitions.iter().flat_map(|p| &p.parts) {
                part.referred[i].iter().for_each(|code| reference.add(dictionaries[field].get(*code), part.year.unwrap_or(i32::MIN)));
            }
            for file in kept {
                for batch in self.read(plan, file, name)? {
                    let texts = batch.column(0).as_dictionary::<Int32Type>().downcast_dict::<StringArray>();
                    let used = texts.iter().flat_map(|t| t.into_iter().flatten());
                    used.for_each(|text| reference.add(text.as_bytes(), file.partition.unwrap_or(i32::MIN)));
                }
            }
            references.push((name.clone(), reference));
        }
        Ok(references)
    }

    /// Rows that stay though the student or program that they refer to is there no more. A row in the folder would be rejected for that; one
    /// that is not in the folder may only be told, since nobody handed it over again.
    pub(super) fn orphans(&self, plan: &Plan, kept: &[LakeFile]) -> Result<Option<Warning>> {
        let mut orphans: Vec<(u64, String)> = Vec::new();
        let read = |link: &&Link| !link.warns && self.load.collections.iter().any(|c| c.collection == link.resource);
        for link in plan.links.iter().filter(read) {
            let Some(reference) = self.references.get(&link.resource, &link.target) else { continue };
            for file in kept {
                let rows = self.orphans_in(plan, link, reference, file)?;
                let of = file.partition.map(|p| format!(" of {p}")).unwrap_or_default();
                let example = format!("{rows} rows{of} without a {}, from {}", link.resource, file.inputs.join(", "));
                orphans.extend((rows > 0).then_some((rows, example)));
            }
        }
        let count = orphans.iter().map(|(rows, _)| rows).sum();
        let examples: Vec<String> = orphans.into_iter().map(|(_, example)| example).take(EXAMPLES).collect();
        Ok((count > 0).then(|| Warning::new("orphaned_rows", Some(&plan.contract.name), count, examples)))
    }

    fn orphans_in(&self, plan: &Plan, link: &Link, reference: &Reference, file: &LakeFile) -> Result<u64> {
        let key = plan.surrogates.iter().find(|(field, _)| *field == link.field);
        let latest = if link.as_of.is_some() && link.as_of == plan.partition { file.partition } else { None };
        // From the year on in which the row referred to is there, if it is; a year is always before `NEVER`.
        let is_there = |first: i32| first <= latest.unwrap_or(NEVER - 1);
        let mut orphans = 0;
        for batch in self.read(plan, file, key.map_or(&plan.contract.fields[link.field].name, |(_, name)| name))? {
            let column = batch.column(0);
            orphans += if key.is_some() {
                let first = |key: i32| reference.first_year.get(key as usize).copied().unwrap_or(NEVER);
                column.as_primitive::<Int32Type>().iter().flatten().filter(|key| !is_there(first(*key))).count()
            } else {
                let texts = column.as_dictionary::<Int32Type>();
                let missing = |text: Option<&str>| text.is_some_and(|t| !is_there(reference.first_year_of(t.as_bytes())));
                let missing: Vec<bool> = texts.values().as_string::<i32>().iter().map(missing).collect();
                texts.keys().iter().flatten().filter(|code| missing[*code as usize]).count()
            } as u64;
        }
        Ok(orphans)
    }

    /// School years with few rows, of which neither the year before nor the one after has any: a mistyped year looks like that, and would be the
    /// latest.
    pub(super) fn lone_years(&self) -> Vec<Warning> {
        let Some(most) = self.options.lone_year else { return Vec::new() };
        let mut lone: BTreeMap<&str, Warning> = BTreeMap::new();
        for file in self.load.files.iter().filter(|f| f.loaded_at.is_empty()) {
            let Some(year) = file.partition else { continue };
            let others: Vec<&LakeFile> = self.load.files_of(&file.collection).filter(|f| f.partition != Some(year)).collect();
            let is_near = |other: &&&LakeFile| other.partition.is_some_and(|y| y.abs_diff(year) == 1);
            let largest = others.iter().map(|f| f.rows).max().unwrap_or(0);
            if !others.iter().any(|o| is_near(&o)) && file.rows as f64 <= most * largest as f64 {
                let warning = lone.entry(&file.collection).or_insert_with(|| Warning::new("lone_year", Some(&file.collection), 0, vec![]));
                warning.count += file.rows;
                let example = format!("{} rows of {year}, from {}", file.rows, file.inputs.join(", "));
                warning.examples.extend((warning.examples.len() < EXAMPLES).then_some(example));
            }
        }
        lone.into_values().collect()
    }

    /// What was taken out of former loads and is here again.
    pub(super) fn back_again(&self) -> Vec<Warning> {
        let removals = self.previous.iter().flat_map(|p| p.removals.iter().chain(&p.removed));
        let mut back: BTreeMap<&str, Warning> = BTreeMap::new();
        for removed in removals {
            let keys = self.contracts.iter().flat_map(|c| &c.foreign_keys).map(|k| &k.reference);
            let fields: BTreeSet<&str> = keys.filter(|r| r.resource == removed.collection).map(|r| r.fields.as_str()).collect();
            let is_there = |field: &&str| {
                let reference = self.references.get(&removed.collection, field);
                reference.is_some_and(|r| r.first_year_of(removed.id.as_bytes()) != NEVER)
            };
            if fields.iter().any(is_there) {
                let new = || Warning::new("removed_is_back", Some(&removed.collection), 0, vec![]);
                let warning = back.entry(&removed.collection).or_insert_with(new);
                warning.count += 1;
                warning.examples.extend((warning.examples.len() < EXAMPLES).then(|| format!("removed because: {}", removed.reason)));
            }
        }
        back.into_values().collect()
    }

    /// Collections and years with so much fewer rows than in the load before that it is told: a file that was cut off looks like that.
    pub(super) fn fewer_rows(&self) -> Vec<Warning> {
        let Some(limit) = &self.options.fewer_rows else { return Vec::new() };
        let read = |collection: &str| self.load.collections.iter().any(|c| c.collection == collection);
        let mut fewer: BTreeMap<&str, Warning> = BTreeMap::new();
        for was in self.previous.iter().flat_map(|p| &p.files).filter(|f| read(&f.collection)) {
            let now = self.load.files_of(&was.collection).find(|f| f.partition == was.partition).map_or(0, |f| f.rows);
            if now < was.rows && limit.is_told(was.rows, now) {
                let new = || Warning::new("fewer_rows", Some(&was.collection), 0, vec![]);
                let warning = fewer.entry(&was.collection).or_insert_with(new);
                warning.count += was.rows - now;
                let of = was.partition.map(|p| format!(" of {p}")).unwrap_or_default();
                warning.examples.extend((warning.examples.len() < EXAMPLES).then(|| format!("{now} rows{of} after {}", was.rows)));
            }
        }
        fewer.into_values().collect()
    }
}
