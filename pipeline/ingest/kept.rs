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
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
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
            self.each_batch(plan, file, &[name], |batch| {
                let keys = batch.column(0).as_primitive::<Int32Type>();
                keys.values().iter().for_each(|key| reference.seen(*key as usize, file.partition.unwrap_or(i32::MIN)));
            })?;
        }
        Ok(reference)
    }

    /// Does something with some columns of a file, row group by row group.
    fn each_batch(&self, plan: &Plan, file: &LakeFile, columns: &[&str], mut each: impl FnMut(&RecordBatch)) -> Result<()> {
        let reader = LakeReader::open(self.root, &file.stored.path, self.contracts.lake_schema(plan.contract))?;
        (0..reader.groups()).try_for_each(|group| {
            reader.read(&[group], columns)?.iter().for_each(&mut each);
            Ok(())
        })
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
                self.each_batch(plan, file, &[name], |batch| {
                    let texts = batch.column(0).as_dictionary::<Int32Type>().downcast_dict::<StringArray>();
                    let used = texts.iter().flat_map(|t| t.into_iter().flatten());
                    used.for_each(|text| reference.add(text.as_bytes(), file.partition.unwrap_or(i32::MIN)));
                })?;
            }
            references.push((name.clone(), reference));
        }
        Ok(references)
    }

    /// Rows that stay though the student or program that they refer to is there no more. A row in the folder would be rejected for that; one
    /// that is not in the folder may only be told, since nobody handed it over again.
    pub(super) fn orphans(&self, plan: &Plan, kept: &[LakeFile]) -> Result<Option<Warning>> {
        let read = |link: &&Link| self.load.collections.iter().any(|c| c.collection == link.resource);
        let links = plan.links.iter().filter(read);
        let links = links.filter_map(|link| Some((link, self.references.get(&link.resource, &link.target)?)));
        let links: Vec<(&Link, &Reference)> = links.collect();
        let (mut count, mut examples) = (0, Vec::new());
        for file in kept.iter().filter(|_| !links.is_empty()) {
            let (rows, of_what) = self.orphans_in(plan, &links, file)?;
            count += rows;
            let of = file.partition.map(|p| format!(" of {p}")).unwrap_or_default();
            let example = format!("{rows} rows{of} without their {}, from {}", of_what.join(" or "), file.inputs.join(", "));
            examples.extend((rows > 0 && examples.len() < EXAMPLES).then_some(example));
        }
        Ok((count > 0).then(|| Warning::new("orphaned_rows", Some(&plan.contract.name), count, examples)))
    }

    /// Rows of a file that refer to what is not there, and the collections that it is not in.
    fn orphans_in(&self, plan: &Plan, links: &[(&Link, &Reference)], file: &LakeFile) -> Result<(u64, Vec<String>)> {
        let key = |link: &Link| plan.surrogates.iter().find(|(field, _)| *field == link.field);
        let column = |link: &Link| key(link).map_or(plan.contract.fields[link.field].name.as_str(), |(_, name)| name);
        let columns: Vec<&str> = links.iter().map(|(link, _)| column(link)).collect();
        let (mut count, mut of_what) = (0, Vec::new());
        self.each_batch(plan, file, &columns, |batch| {
            let mut orphans = vec![false; batch.num_rows()];
            for (link, reference) in links {
                let latest = if link.as_of.is_some() && link.as_of == plan.partition { file.partition } else { None };
                // From the year on in which the row referred to is there, if it is; a year is always before `NEVER`.
                let is_there = |first: i32| first <= latest.unwrap_or(NEVER - 1);
                let Some(values) = batch.column_by_name(column(link)) else { continue };
                let missing = missing(values, key(link).is_some(), reference, is_there);
                if missing.contains(&true) && !of_what.contains(&link.resource) {
                    of_what.push(link.resource.clone());
                }
                orphans.iter_mut().zip(missing).for_each(|(orphan, missing)| *orphan |= missing);
            }
            count += orphans.iter().filter(|orphan| **orphan).count() as u64;
        })?;
        Ok((count, of_what))
    }

    /// School years of which neither the year before nor the one after has rows, if they have few, or are far from all others: a mistyped year looks
    /// like that, and what is on the other side of the gap. They are told until they are gone.
    pub(super) fn lone_years(&self) -> Vec<Warning> {
        let Some(limit) = &self.options.lone_year else { return Vec::new() };
        let mut lone: BTreeMap<&str, Warning> = BTreeMap::new();
        for file in &self.load.files {
            let Some(year) = file.partition else { continue };
            let others: Vec<&LakeFile> = self.load.files_of(&file.collection).filter(|f| f.partition != Some(year)).collect();
            let is_near = |other: &&&LakeFile| other.partition.is_some_and(|y| y.abs_diff(year) == 1);
            let largest = others.iter().map(|f| f.rows).max().unwrap_or(0);
            let apart = others.iter().filter_map(|f| f.partition).map(|y| y.abs_diff(year)).min().unwrap_or(0);
            if !others.iter().any(|o| is_near(&o)) && limit.is_told(file.rows, largest, apart) {
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
            // Rows of a year that was taken out may be others now; if it was mistyped, it is told as it was before.
            if removed.year.is_none() && fields.iter().any(is_there) {
                let new = || Warning::new("removed_is_back", Some(&removed.collection), 0, vec![]);
                let warning = back.entry(&removed.collection).or_insert_with(new);
                warning.count += 1;
                warning.examples.extend((warning.examples.len() < EXAMPLES).then(|| format!("removed because: {}", removed.reason)));
            }
        }
        back.into_values().collect()
    }

    /// Files that rows of a collection and year came from, which are not among the files that replace these rows, if there are fewer rows now: a part
    /// that was forgotten looks like that.
    pub(super) fn files_gone(&self) -> Vec<Warning> {
        if self.options.fewer_rows.is_none() {
            return Vec::new();
        }
        let mut gone: BTreeMap<&str, Warning> = BTreeMap::new();
        for was in self.previous.iter().flat_map(|p| &p.files) {
            let now = self.load.files_of(&was.collection).find(|f| f.partition == was.partition);
            let Some(now) = now.filter(|now| now.loaded_at.is_empty() && now.rows < was.rows) else { continue };
            let is_here = |path: &String| self.load.inputs.iter().any(|i| i.collection == was.collection && i.path == *path);
            let missing: Vec<&str> = was.inputs.iter().filter(|path| !is_here(path)).map(String::as_str).collect();
            if !missing.is_empty() {
                let warning = gone.entry(&was.collection).or_insert_with(|| Warning::new("file_gone", Some(&was.collection), 0, vec![]));
                warning.count += missing.len() as u64;
                let of = was.partition.map(|p| format!(" of {p}")).unwrap_or_default();
                let example = format!("{} rows{of} after {}, and no {}", now.rows, was.rows, missing.join(", "));
                warning.examples.extend((warning.examples.len() < EXAMPLES).then_some(example));
            }
        }
        gone.into_values().collect()
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

/// For each row, whether its value is one that nothing has, or nothing that far: by its number (`numbered`), or its text.
fn missing(values: &ArrayRef, numbered: bool, reference: &Reference, is_there: impl Fn(i32) -> bool) -> Vec<bool> {
    if numbered {
        let first = |key: i32| reference.first_year.get(key as usize).copied().unwrap_or(NEVER);
        return values.as_primitive::<Int32Type>().iter().map(|key| key.is_some_and(|key| !is_there(first(key)))).collect();
    }
    let texts = values.as_dictionary::<Int32Type>();
    let missing = |text: Option<&str>| text.is_some_and(|t| !is_there(reference.first_year_of(t.as_bytes())));
    let missing: Vec<bool> = texts.values().as_string::<i32>().iter().map(missing).collect();
    texts.keys().iter().map(|code| code.is_some_and(|code| missing[code as usize])).collect()
}
