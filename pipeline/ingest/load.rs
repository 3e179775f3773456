//! One load from end to end: collection by collection, each after those it refers to.

use super::account::Done;
use super::aside::Room;
use super::dictionary::Dictionary;
use super::intern::{Interner, Texts};
use super::parse::{Means, Parsed, parse};
use super::part::Checks;
use super::partition::{Numbers, Partition, Partitions};
use super::plan::{Link, Plan};
use super::reference::{Reference, References};
use super::reject::Rejects;
use super::source::{Source, find};
use super::write::{Layout, write_keys};
use super::{EXAMPLES, Options, Outcome, in_parallel, reject};
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::lake::{LOADS, LakeFile, Load, Surrogate, Warning};
use crate::mapping::report;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

/// More threads than this do not read the collection that defines a surrogate key: each keeps its own table of all ids.
const MOST_THREADS_WITH_IDS: usize = 8;

/// A load being made.
pub struct Ingest<'a> {
    pub(super) contracts: &'a Contracts,
    pub(super) previous: Option<&'a Load>,
    pub(super) root: &'a Path,
    pub(super) options: &'a Options,
    pub(super) references: References,
    pub(super) load: Load,
    pub(super) rejects: Vec<Rejects<'a>>,
}

impl<'a> Ingest<'a> {
    /// Begins a load.
    pub fn new(contracts: &'a Contracts, previous: Option<&'a Load>, root: &'a Path, options: &'a Options) -> Self {
        Ingest { contracts, previous, root, options, references: References::default(), load: Load::default(), rejects: Vec::new() }
    }

    /// Reads everything, writes everything, and gives the load.
    pub fn run(mut self, raw: &Path) -> Result<Outcome> {
        let mut found = find(raw, self.contracts, &self.options.mappings)?;
        for contract in self.contracts.in_order()? {
            let plan = Plan::new(contract, self.contracts)?;
            let plan = if self.options.removed.is_some() { plan.of_former_rows() } else { plan };
            let start = Instant::now();
            let done = match found.collections.remove(&contract.name) {
                Some(sources) => self.collection(&plan, &sources)?,
                None => self.absent(&plan)?,
            };
            done.log(start.elapsed());
            self.load.inputs.extend(done.inputs);
            self.load.collections.extend(done.counts);
            self.load.files.extend(done.files);
            self.load.surrogates.extend(done.surrogate);
            self.load.warnings.extend(done.warnings);
            self.rejects.push(Rejects { contract, rows: done.rejects });
            for (field, reference) in done.references {
                self.references.insert(&contract.name, &field, reference);
            }
        }
        if !found.unknown.is_empty() {
            let (count, examples) = (found.unknown.len() as u64, found.unknown.iter().take(EXAMPLES).cloned().collect());
            tracing::warn!(files = found.unknown.join(", "), "files that belong to no collection were not read");
            self.load.warnings.push(Warning::new("unknown_file", None, count, examples));
        }
        for mapping in self.options.mappings.iter().filter(|m| found.idle.contains(&m.name)) {
            self.load.warnings.push(report::idle(mapping));
        }
        self.same_content()?;
        let more = [self.fewer_rows(), self.files_gone(), self.lone_years(), self.back_again()];
        self.load.warnings.extend(more.into_iter().flatten());
        self.finish()
    }

    /// Makes sure that a file which is read several times, for several uses of a mapping, was the same each time.
    fn same_content(&self) -> Result<()> {
        let mut hashes: BTreeMap<&str, &str> = BTreeMap::new();
        for input in &self.load.inputs {
            if hashes.insert(&input.path, &input.blake3).is_some_and(|before| before != input.blake3) {
                let what = "the file changed while it was read; load it again once it is whole";
                return Err(Error::Data(format!("{}: {what}", input.path)));
            }
        }
        Ok(())
    }

    /// A collection that is not in the raw folder stays as it was.
    fn absent(&self, plan: &Plan) -> Result<Done> {
        let kept = self.kept(plan.contract, None);
        let mut done = Done::default();
        if let (Some((field, name)), Some(previous)) = (plan.defines(), self.previous) {
            let reference = Reference { table: self.previous_keys(plan)?, first_year: Vec::new() };
            done.surrogate = previous.surrogates.get(name).map(|s| (name.to_string(), s.clone()));
            done.references.push((plan.contract.fields[field].name.clone(), self.with_kept_keys(reference, plan, name, &kept)?));
        }
        done.references.extend(self.references_of(plan, &self.referred(plan), &[], &[], &kept)?);
        done.warnings.extend(self.orphans(plan, &kept)?);
        done.files = kept;
        Ok(done)
    }

    /// Reads, checks and writes one collection.
    fn collection(&self, plan: &Plan, sources: &[Source]) -> Result<Done> {
        let threads = self.options.partitions.max(1);
        let reading = if plan.defines().is_some() { threads.min(MOST_THREADS_WITH_IDS) } else { threads };
        let shared = plan.shared(&self.references);
        let first_file = self.load.inputs.len() as u32;
        let room = Room::new(self.root, self.options.room_bytes);
        let means = Means { threads: reading, chunk_bytes: self.options.chunk_bytes, room: &room };
        let Parsed { parts, mut tables, rejects, files, aside } = parse(plan, shared.clone(), sources, first_file, &means)?;

        let keys = self.previous_keys(plan)?;
        let defined = plan.defines();
        let known = |field: usize| if defined.is_some_and(|d| d.0 == field) { Some(&keys) } else { shared[field].map(|r| &r.table) };
        let merge = |(field, tables): (usize, &Vec<Interner>)| Dictionary::new(tables, known(field));
        let dictionaries = in_parallel(threads, tables.iter().enumerate().collect(), merge);
        let first_table = defined.and_then(|(field, _)| tables[field].drain(..).next());
        drop(tables);

        let first_years = self.first_years(plan, &dictionaries);
        let referred = self.referred(plan);
        let partitions = Partitions {
            root: self.root,
            checks: Checks { plan, dictionaries: &dictionaries, first_years: &first_years },
            referred: &referred,
            defined: defined.map(|(field, _)| field),
            room: &room,
            // Each thread has a slice, as it was read and brought together.
            slice: aside.then(|| self.options.room_bytes / (2 * threads as u64)),
            rejected: AtomicU64::new(rejects.len() as u64),
        };
        let layout = Layout { plan, dictionaries: &dictionaries, numbered: None, schema: self.contracts.lake_schema(plan.contract) };
        let check = |(year, blocks)| partitions.check(&layout, year, blocks);
        let checked: Result<Vec<Partition>> = in_parallel(threads, parts.into_iter().collect(), check).into_iter().collect();
        let mut checked = checked?;

        let mut done = self.report(plan, sources, files, rejects, &mut checked);
        let origins: Vec<Vec<String>> = checked.iter().map(|p| names(p, first_file, sources)).collect();
        let years: BTreeSet<Option<i32>> = checked.iter().map(|p| p.year).collect();
        // Without any row nothing says what is to be replaced.
        let kept = self.kept(plan.contract, (!years.is_empty()).then_some(&years));
        done.warnings.extend(self.orphans(plan, &kept)?);
        done.references = self.references_of(plan, &referred, &dictionaries, &checked, &kept)?;
        let written: Vec<Option<LakeFile>> = match (defined, first_table) {
            (Some((field, name)), Some(table)) => {
                let (numbers, reference) = Numbers::new(field, &dictionaries[field], &keys, table, &checked);
                let texts = Dictionary::known_only(&reference.table);
                let layout = Layout { numbered: Some((field, &texts)), ..layout };
                let write = |partition| partitions.write(&layout, &numbers, partition);
                let written: Result<_> = in_parallel(threads, checked, write).into_iter().collect();
                done.surrogate = Some((name.to_string(), self.write_surrogate(plan, field, name, reference.table.texts())?));
                done.references.push((plan.contract.fields[field].name.clone(), self.with_kept_keys(reference, plan, name, &kept)?));
                written?
            }
            _ => checked.into_iter().map(|p| p.file).collect(),
        };
        let new = written.into_iter().zip(origins).filter_map(|(file, inputs)| Some(LakeFile { inputs, ..file? }));
        done.files = new.chain(kept).collect();
        done.files.sort_by_key(|f| f.partition);
        Ok(done)
    }

    /// For each foreign key, since when there are rows with each code of its field.
    fn first_years(&self, plan: &Plan, dictionaries: &[Dictionary]) -> Vec<Cow<'_, [i32]>> {
        let of = |link: &Link| {
            let Some(reference) = self.references.get(&link.resource, &link.target) else { return Cow::Borrowed(&[][..]) };
            if plan.surrogates.iter().any(|(field, _)| *field == link.field) {
                return Cow::Borrowed(reference.first_year.as_slice());
            }
            let dictionary = &dictionaries[link.field];
            Cow::Owned((0..dictionary.len() as u32).map(|code| reference.first_year_of(dictionary.get(code))).collect())
        };
        plan.links.iter().map(of).collect()
    }

    fn write_surrogate(&self, plan: &Plan, field: usize, name: &str, texts: &Texts) -> Result<Surrogate> {
        let field = plan.contract.fields[field].name.clone();
        let folder = self.root.join("lake").join("_key");
        let stored = write_keys(self.root, &folder, &field, &key_schema(name, &field), texts)?;
        Ok(Surrogate { field, stored, count: texts.len() as u32 })
    }

    /// Gives the load its id, writes the reject table, and fails if too much was rejected.
    fn finish(mut self) -> Result<Outcome> {
        self.load.made_with.clone_from(&self.options.made_with);
        self.load.removed.clone_from(&self.options.removed);
        self.load.removals = self.previous.iter().flat_map(|p| p.removals.iter().chain(&p.removed)).cloned().collect();
        let failures: Vec<String> = self.load.collections.iter().filter_map(|c| self.failure(c)).collect();
        // A load that fails is another one than the same with a higher limit.
        let content = serde_json::to_vec(&(&self.load, failures.is_empty()));
        let content = content.map_err(|e| Error::internal("cannot write the load manifest", e))?;
        self.load.load_id = blake3::hash(&content).to_hex()[..16].to_string();
        let folder = self.root.join(LOADS).join(&self.load.load_id).join("reject");
        let files: Vec<String> = self.load.inputs.iter().map(|i| i.path.clone()).collect();
        self.rejects.sort_by(|a, b| a.contract.name.cmp(&b.contract.name));
        self.load.reject = Some(reject::write(self.root, &folder, &self.rejects, &files)?);
        let table = folder.join("reject.parquet");
        let failure = (!failures.is_empty()).then(|| {
            format!(
                "{}too many rows are rejected:\n{}\n{}The rejected rows and what is wrong with each are in {}. Correct the files and load them again; \
                 the load before stays in place.",
                self.missing(),
                failures.join("\n"),
                report::to_do(&self.load.warnings),
                table.display()
            )
        });
        let unchanged = self.previous.is_some_and(|p| p.load_id == self.load.load_id);
        let rejected = self.rejects.iter().flat_map(|r| r.examples(&files)).collect();
        Ok(Outcome { load: self.load, unchanged, reject: table, rejected, failure })
    }
}

/// The files that a partition's rows came from; the first source has the number `first`.
fn names(partition: &Partition, first: u32, sources: &[Source]) -> Vec<String> {
    let files: BTreeSet<u32> = partition.parts.iter().flat_map(|p| &p.files).copied().collect();
    files.iter().filter_map(|n| sources.get((n - first) as usize)).map(|s| s.name.clone()).collect()
}

/// The columns of a file of surrogate keys.
pub(super) fn key_schema(name: &str, field: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(name, DataType::Int32, false), Field::new(field, DataType::Utf8, false)]))
}
