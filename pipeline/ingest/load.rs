//! One load from end to end: collection by collection, each after those it refers to.

use super::column::Column;
use super::dictionary::Dictionary;
use super::intern::{Interner, NULL, Texts};
use super::job::FileFacts;
use super::parse::{Parsed, parse};
use super::part::{Checks, Part, Unknown};
use super::plan::{Link, Plan};
use super::reference::{NEVER, Reference, References};
use super::reject::{Reject, Rejects};
use super::source::{Source, find};
use super::write::{Layout, write_keys};
use super::{EXAMPLES, Options, Outcome, in_parallel, reject};
use crate::contract::{Contract, Contracts, OnViolation};
use crate::error::{Error, Result};
use crate::lake::{At, Counts, Input, LOADS, LakeFile, LakeReader, Load, Surrogate, Warning};
use crate::mapping::report;
use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A load fails only if it rejects more rows of a collection than this.
const REJECTS_ALWAYS_ALLOWED: u64 = 10;
/// More threads than this do not read the collection that defines a surrogate key: each keeps its own table of all ids.
const MOST_THREADS_WITH_IDS: usize = 8;
/// So many of the commonest faults are named when a load fails.
const FAULTS_NAMED: usize = 3;

/// A load being made.
pub struct Ingest<'a> {
    contracts: &'a Contracts,
    previous: Option<&'a Load>,
    root: &'a Path,
    options: &'a Options,
    references: References,
    load: Load,
    rejects: Vec<Rejects<'a>>,
}

/// What became of one collection.
#[derive(Default)]
struct Done {
    inputs: Vec<Input>,
    counts: Option<Counts>,
    files: Vec<LakeFile>,
    surrogate: Option<(String, Surrogate)>,
    warnings: Vec<Warning>,
    rejects: Vec<Reject>,
    references: Vec<(String, Reference)>,
}

impl Done {
    /// Logs a collection that was read.
    fn log(&self, took: Duration) {
        if let Some(Counts { collection, read, accepted, duplicates, rejected, .. }) = &self.counts {
            let (bytes, seconds) = (self.inputs.iter().map(|i| i.bytes).sum::<u64>(), took.as_secs_f64());
            tracing::info!(node = collection, rows = read, accepted, duplicates, rejected, bytes, seconds, "collection read");
        }
    }
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
            let (count, examples) = (found.unknown.len() as u64, found.unknown.iter().take(5).cloned().collect());
            tracing::warn!(files = found.unknown.join(", "), "files that belong to no collection were not read");
            let check = "unknown_file".into();
            self.load.warnings.push(Warning { check, collection: None, count, examples, at: vec![], restricted: false });
        }
        for mapping in self.options.mappings.iter().filter(|m| found.idle.contains(&m.name)) {
            self.load.warnings.push(report::idle(mapping));
        }
        self.same_content()?;
        let fewer = self.fewer_rows();
        self.load.warnings.extend(fewer);
        self.finish()
    }

    /// Collections and years of which half or more of the rows of the load before are gone: a file that was cut off looks like that.
    fn fewer_rows(&self) -> Vec<Warning> {
        const FEW: u64 = 10;
        let read = |collection: &str| self.load.collections.iter().any(|c| c.collection == collection);
        let mut fewer: BTreeMap<&str, Warning> = BTreeMap::new();
        for was in self.previous.iter().flat_map(|p| &p.files).filter(|f| read(&f.collection) && self.options.removed.is_none()) {
            let now = self.load.files_of(&was.collection).find(|f| f.partition == was.partition).map_or(0, |f| f.rows);
            if was.rows >= now + FEW && was.rows >= 2 * now {
                let warning = fewer.entry(&was.collection).or_insert_with(|| Warning {
                    check: "fewer_rows".into(),
                    collection: Some(was.collection.clone()),
                    count: 0,
                    examples: vec![],
                    at: vec![],
                    restricted: false,
                });
                warning.count += was.rows - now;
                let of = was.partition.map(|p| format!(" of {p}")).unwrap_or_default();
                warning.examples.extend((warning.examples.len() < EXAMPLES).then(|| format!("{now} rows{of} after {}", was.rows)));
            }
        }
        fewer.into_values().collect()
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
        done.files = kept;
        Ok(done)
    }

    /// Reads, checks and writes one collection.
    fn collection(&self, plan: &Plan, sources: &[Source]) -> Result<Done> {
        let threads = self.options.partitions.max(1);
        let reading = if plan.defines().is_some() { threads.min(MOST_THREADS_WITH_IDS) } else { threads };
        let shared = plan.shared(&self.references);
        let first_file = self.load.inputs.len() as u32;
        let parsed = parse(plan, shared.clone(), sources, first_file, reading, self.options.chunk_bytes)?;
        let Parsed { parts, mut tables, rejects, files } = parsed;

        let keys = self.previous_keys(plan)?;
        let defined = plan.defines();
        let known = |field: usize| if defined.is_some_and(|d| d.0 == field) { Some(&keys) } else { shared[field].map(|r| &r.table) };
        let merge = |(field, tables): (usize, &Vec<Interner>)| Dictionary::new(tables, known(field));
        let mut dictionaries = in_parallel(threads, tables.iter().enumerate().collect(), merge);
        let first_table = defined.and_then(|(field, _)| tables[field].drain(..).next());
        drop(tables);

        let first_years = self.first_years(plan, &dictionaries);
        let checks = Checks { plan, dictionaries: &dictionaries, first_years: &first_years };
        let referred = self.referred(plan);
        let layout = Layout { plan, dictionaries: &dictionaries, schema: self.contracts.lake_schema(plan.contract) };
        let check = |(year, blocks)| {
            let mut part = checks.run(year, blocks);
            part.referred = referred.iter().map(|field| part.codes(*field)).collect();
            // Where keys are still to be given, writing waits for them.
            let file = if defined.is_none() { self.write(&layout, &mut part)? } else { None };
            Ok((part, file))
        };
        let checked: Result<Vec<_>> = in_parallel(threads, parts.into_iter().collect(), check).into_iter().collect();
        let (mut parts, mut written): (Vec<Part>, Vec<_>) = checked?.into_iter().unzip();

        let mut done = self.report(plan, sources, files, rejects, &mut parts);
        let origins: Vec<Vec<String>> = parts.iter().map(|p| names(&p.files, first_file, sources)).collect();
        let years: BTreeSet<Option<i32>> = parts.iter().map(|p| p.year).collect();
        let kept = self.kept(plan.contract, Some(&years));
        done.references = self.references_of(plan, &referred, &dictionaries, &parts, &kept)?;
        if let (Some((field, name)), Some(table)) = (defined, first_table) {
            let reference = number(&dictionaries[field], &keys, table, field, &mut parts);
            dictionaries[field] = Dictionary::known_only(&reference.table);
            let layout = Layout { plan, dictionaries: &dictionaries, schema: self.contracts.lake_schema(plan.contract) };
            let files: Result<_> = in_parallel(threads, parts, |mut part| self.write(&layout, &mut part)).into_iter().collect();
            written = files?;
            done.surrogate = Some((name.to_string(), self.write_surrogate(plan, field, name, reference.table.texts())?));
            drop(dictionaries);
            done.references.push((plan.contract.fields[field].name.clone(), self.with_kept_keys(reference, plan, name, &kept)?));
        }
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

    /// The files of the previous load that stay: all if the collection was not read, else those of years that were not.
    fn kept(&self, contract: &Contract, read: Option<&BTreeSet<Option<i32>>>) -> Vec<LakeFile> {
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
    fn previous_keys(&self, plan: &Plan) -> Result<Interner> {
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
    fn with_kept_keys(&self, mut reference: Reference, plan: &Plan, name: &str, kept: &[LakeFile]) -> Result<Reference> {
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
    fn referred(&self, plan: &Plan) -> Vec<usize> {
        let keys = self.contracts.iter().flat_map(|c| &c.foreign_keys).map(|k| &k.reference);
        let names: BTreeSet<&str> = keys.filter(|r| r.resource == plan.contract.name).map(|r| r.fields.as_str()).collect();
        let fields = plan.contract.fields.iter().enumerate();
        fields.filter(|(_, f)| f.surrogate.is_none() && names.contains(f.name.as_str())).map(|(field, _)| field).collect()
    }

    /// What others can refer to in those fields: in rows read now and in files that stay.
    fn references_of(
        &self,
        plan: &Plan,
        referred: &[usize],
        dictionaries: &[Dictionary],
        parts: &[Part],
        kept: &[LakeFile],
    ) -> Result<Vec<(String, Reference)>> {
        let mut references = Vec::new();
        for (i, &field) in referred.iter().enumerate() {
            let name = &plan.contract.fields[field].name;
            let mut reference = Reference::default();
            for part in parts {
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

    /// Counts what became of the rows, file by file, and gathers rejects and warnings.
    fn report(&self, plan: &Plan, sources: &[Source], facts: Vec<FileFacts>, rejects: Vec<Reject>, parts: &mut [Part]) -> Done {
        let first = self.load.inputs.len() as u32;
        let name = &plan.contract.name;
        let mut rejects = rejects;
        let mut duplicates: BTreeMap<u32, u64> = BTreeMap::new();
        let mut unknown = vec![Unknown::default(); plan.links.len()];
        for part in parts.iter_mut() {
            rejects.append(&mut part.rejects);
            part.duplicates.iter().for_each(|(file, count)| *duplicates.entry(*file).or_default() += count);
            unknown.iter_mut().zip(std::mem::take(&mut part.unknown)).for_each(|(all, one)| all.merge(one));
        }
        rejects.sort_by_key(|r| (r.file, r.line));
        let mut counts = Counts { collection: name.clone(), ..Counts::default() };
        let mut rejected: BTreeMap<u32, u64> = BTreeMap::new();
        for reject in &rejects {
            *rejected.entry(reject.file).or_default() += 1;
            *counts.by_rule.entry(reject.rule.name().to_string()).or_default() += 1;
        }
        let mut inputs = Vec::new();
        let mut told: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (number, (source, facts)) in (first..).zip(sources.iter().zip(facts)) {
            let of = |counts: &BTreeMap<u32, u64>| counts.get(&number).copied().unwrap_or_default();
            let (duplicates, rejected) = (of(&duplicates), of(&rejected));
            let accepted = facts.rows - duplicates - rejected;
            counts.read += facts.rows;
            counts.accepted += accepted;
            counts.duplicates += duplicates;
            counts.rejected += rejected;
            if !facts.unknown_columns.is_empty() {
                tracing::warn!(file = source.name, columns = shown_names(&facts.unknown_columns), "unknown columns were kept out");
            }
            let FileFacts { bytes, blake3, rows, unknown_columns, .. } = facts;
            facts.told.into_iter().for_each(|(check, what)| told.entry(check).or_default().push(what));
            let (collection, path, mapping) = (name.clone(), source.name.clone(), source.mapping.as_ref().map(report::applied));
            inputs.push(Input {
                collection,
                path,
                bytes,
                blake3,
                rows_read: rows,
                accepted,
                duplicates,
                rejected,
                unknown_columns,
                mapping,
            });
        }
        let place = |(file, line): (u32, u64)| At { file: sources[(file - first) as usize].name.clone(), line };
        let warning = |(link, unknown): (&Link, Unknown)| Warning {
            check: format!("unknown_{}", link.resource),
            collection: Some(name.clone()),
            count: unknown.rows,
            at: unknown.examples.values().map(|&at| Some(place(at))).collect(),
            examples: unknown.examples.into_keys().collect(),
            // A wrong column may stand there: people are told the place.
            restricted: true,
        };
        let told = told.into_iter().map(|(check, what)| Warning {
            check: check.into(),
            collection: Some(name.clone()),
            count: what.len() as u64,
            examples: what.into_iter().take(EXAMPLES).collect(),
            at: vec![],
            restricted: false,
        });
        let mut warnings: Vec<Warning> = plan.links.iter().zip(unknown).filter(|(_, u)| u.rows > 0).map(warning).chain(told).collect();
        warnings.extend(report::warnings(name, sources.iter().filter_map(|s| s.mapping.as_ref())));
        Done { inputs, counts: Some(counts), warnings, rejects, ..Done::default() }
    }

    /// Writes a partition and forgets its rows; nothing is written of a partition without any.
    fn write(&self, layout: &Layout, part: &mut Part) -> Result<Option<LakeFile>> {
        let contract = layout.plan.contract;
        let lake = self.root.join("lake").join(&contract.name);
        let folder = match (part.year, &contract.partition) {
            (Some(year), Some(field)) => lake.join(format!("{field}={year}")),
            _ => lake,
        };
        let stored = if part.rows.is_empty() { None } else { Some(layout.write(self.root, &folder, part)?) };
        let rows = part.forget_rows() as u64;
        Ok(stored.map(|stored| LakeFile {
            collection: contract.name.clone(),
            partition: part.year,
            stored,
            rows,
            inputs: vec![],
            loaded_at: String::new(),
        }))
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

    /// Names the collections that others refer to and that neither the folder nor the lake has.
    fn missing(&self) -> String {
        let there = |name: &str| self.load.files_of(name).next().is_some() || self.load.collections.iter().any(|c| c.collection == name);
        let loaded = self.load.collections.iter().filter_map(|c| self.contracts.get(&c.collection));
        let needed = loaded
            .flat_map(|c| c.foreign_keys.iter().filter(|k| k.on_violation == OnViolation::Reject).map(|k| k.reference.resource.as_str()));
        let missing: BTreeSet<&str> = needed.filter(|name| !there(name)).collect();
        let say = |name: &&str| {
            format!("there is no {name} collection, in the folder or in the lake, and other collections refer to it; add {name}.csv\n")
        };
        missing.iter().map(say).collect()
    }

    /// What to say of a collection with too many rejected rows.
    fn failure(&self, counts: &Counts) -> Option<String> {
        if !too_many(counts, self.options) {
            return None;
        }
        let rejects = self.rejects.iter().find(|r| r.contract.name == counts.collection)?;
        let mut faults: BTreeMap<(&str, Option<u16>), u64> = BTreeMap::new();
        for reject in &rejects.rows {
            *faults.entry((reject.rule.name(), reject.field)).or_default() += 1;
        }
        let mut faults: Vec<_> = faults.into_iter().collect();
        faults.sort_by_key(|(fault, count)| (std::cmp::Reverse(*count), *fault));
        let name = |((rule, field), count): &((&str, Option<u16>), u64)| {
            let field = field.and_then(|f| rejects.contract.fields.get(usize::from(f))).map(|f| format!(" in {}", f.name));
            format!("{rule}{} {count}", field.unwrap_or_default())
        };
        let named = faults.iter().take(FAULTS_NAMED).map(name).collect::<Vec<_>>().join(", ");
        let rate = 100.0 * counts.rejected as f64 / counts.read as f64;
        let limit = 100.0 * self.options.max_reject_rate;
        Some(format!(
            "  {}: {} of {} rows ({rate:.2} %; at most {limit} % may be): {named}",
            counts.collection, counts.rejected, counts.read
        ))
    }
}

/// Names of columns for a log, without those with a number in them that may be somebody's, as objects have that are kept by id.
fn shown_names(names: &[String]) -> String {
    const DIGITS: usize = 4;
    let is_name = |name: &&String| name.chars().filter(char::is_ascii_digit).count() < DIGITS;
    let mut shown: Vec<&str> = names.iter().filter(is_name).take(20).map(String::as_str).collect();
    let others = format!("and {} more", names.len() - shown.len());
    shown.extend((shown.len() < names.len()).then_some(others.as_str()));
    shown.join(", ")
}

/// Names of files by number; the first source has the number `first`.
fn names(files: &BTreeSet<u32>, first: u32, sources: &[Source]) -> Vec<String> {
    files.iter().filter_map(|n| sources.get((n - first) as usize)).map(|s| s.name.clone()).collect()
}

/// Whether so many rows of a collection were rejected that the load must fail.
pub fn too_many(counts: &Counts, options: &Options) -> bool {
    // A hair above the limit: 11 of 1,100 is no more than 1 %, whatever the last bit of the product.
    let limit = options.max_reject_rate * counts.read as f64 + 1e-9;
    counts.rejected > REJECTS_ALWAYS_ALLOWED && counts.rejected as f64 > limit
}

/// Gives each value with an accepted row its number: those of the previous load keep theirs, new ones follow in text order.
fn number(dictionary: &Dictionary, previous: &Interner, table: Interner, field: usize, parts: &mut [Part]) -> Reference {
    let mut first_year = vec![NEVER; dictionary.len()];
    for part in parts.iter() {
        let Column::Texts(codes) = &part.columns[field] else { continue };
        let year = part.year.unwrap_or(i32::MIN);
        for &row in &part.rows {
            let first = &mut first_year[codes[row as usize] as usize];
            *first = year.min(*first);
        }
    }
    let before = previous.texts().len();
    let used = |code: usize| code < before || first_year[code] != NEVER;
    let numbers: Vec<u32> =
        (0..dictionary.len()).scan(0, |next, code| Some(std::mem::replace(next, *next + u32::from(used(code))))).collect();
    let texts = (0..dictionary.len()).filter(|c| used(*c)).map(|c| dictionary.get(c as u32)).collect();
    if !(0..dictionary.len()).all(used) {
        for part in parts.iter_mut() {
            let Column::Texts(codes) = &mut part.columns[field] else { continue };
            part.rows.iter().for_each(|row| codes[*row as usize] = numbers[codes[*row as usize] as usize]);
        }
    }
    let first_year = (0..dictionary.len()).filter(|c| used(*c)).map(|c| first_year[c]).collect();
    let place = |code: &u32| if used(*code as usize) { numbers[*code as usize] } else { NULL };
    let map: Vec<u32> = dictionary.map(0).iter().map(place).collect();
    Reference { table: table.recode(&map, texts), first_year }
}

/// The columns of a file of surrogate keys.
fn key_schema(name: &str, field: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(name, DataType::Int32, false), Field::new(field, DataType::Utf8, false)]))
}
