//! The account of a load: what became of the rows of each collection and file, what people should know, and why a load must fail.

use super::job::FileFacts;
use super::load::Ingest;
use super::part::Unknown;
use super::partition::Partition;
use super::plan::{Link, Plan};
use super::reference::Reference;
use super::reject::Reject;
use super::source::Source;
use super::{EXAMPLES, Options, RejectExample};
use crate::contract::OnViolation;
use crate::lake::{At, Counts, Input, LakeFile, Surrogate, Warning};
use crate::mapping::name::{may_be_a_number, nearest};
use crate::mapping::report;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A load fails only if it rejects more rows of a collection than this.
const REJECTS_ALWAYS_ALLOWED: u64 = 10;
/// So many of the commonest faults are named when a load fails.
const FAULTS_NAMED: usize = 3;

/// What became of one collection.
#[derive(Default)]
pub(super) struct Done {
    pub inputs: Vec<Input>,
    pub counts: Option<Counts>,
    pub files: Vec<LakeFile>,
    pub surrogate: Option<(String, Surrogate)>,
    pub warnings: Vec<Warning>,
    pub rejects: Vec<Reject>,
    pub references: Vec<(String, Reference)>,
}

impl Done {
    /// Logs a collection that was read.
    pub fn log(&self, took: Duration) {
        if let Some(Counts { collection, read, accepted, duplicates, rejected, .. }) = &self.counts {
            let (bytes, seconds) = (self.inputs.iter().map(|i| i.bytes).sum::<u64>(), took.as_secs_f64());
            tracing::info!(node = collection, rows = read, accepted, duplicates, rejected, bytes, seconds, "collection read");
        }
    }
}

/// What was found in the rows of a collection.
struct Found {
    /// By file and line.
    rejects: Vec<Reject>,
    /// By file.
    duplicates: BTreeMap<u32, u64>,
    /// For each link.
    unknown: Vec<Unknown>,
}

impl Found {
    /// Of files and partitions together.
    fn gather(plan: &Plan, mut rejects: Vec<Reject>, partitions: &mut [Partition]) -> Found {
        let mut duplicates: BTreeMap<u32, u64> = BTreeMap::new();
        let mut unknown = vec![Unknown::default(); plan.links.len()];
        for part in partitions.iter_mut().flat_map(|p| &mut p.parts) {
            rejects.append(&mut part.rejects);
            part.duplicates.iter().for_each(|(file, count)| *duplicates.entry(*file).or_default() += count);
            unknown.iter_mut().zip(std::mem::take(&mut part.unknown)).for_each(|(all, one)| all.merge(one));
        }
        rejects.sort_by_key(|r| (r.file, r.line));
        Found { rejects, duplicates, unknown }
    }

    /// Rejected rows by file.
    fn rejected(&self) -> BTreeMap<u32, u64> {
        let mut rejected = BTreeMap::new();
        self.rejects.iter().for_each(|r| *rejected.entry(r.file).or_default() += 1);
        rejected
    }

    /// Rejected rows by rule.
    fn by_rule(&self) -> BTreeMap<String, u64> {
        let mut by_rule = BTreeMap::new();
        self.rejects.iter().for_each(|r| *by_rule.entry(r.rule.name().to_string()).or_default() += 1);
        by_rule
    }
}

impl Ingest<'_> {
    /// Counts what became of the rows, file by file, and gathers rejects and warnings.
    pub(super) fn report(
        &self,
        plan: &Plan,
        sources: &[Source],
        facts: Vec<FileFacts>,
        rejects: Vec<Reject>,
        partitions: &mut [Partition],
    ) -> Done {
        let (name, first) = (&plan.contract.name, self.load.inputs.len() as u32);
        let found = Found::gather(plan, rejects, partitions);
        let rejected = found.rejected();
        let mut counts = Counts { collection: name.clone(), by_rule: found.by_rule(), ..Counts::default() };
        let (mut inputs, mut told) = (Vec::new(), Told::default());
        let has_rows = self.previous.is_some_and(|p| p.files_of(name).next().is_some());
        for (number, (source, facts)) in (first..).zip(sources.iter().zip(facts)) {
            let of = |counts: &BTreeMap<u32, u64>| counts.get(&number).copied().unwrap_or_default();
            let (duplicates, rejected) = (of(&found.duplicates), of(&rejected));
            let input = input(name, source, &facts, duplicates, rejected);
            counts.read += input.rows_read;
            counts.accepted += input.accepted;
            counts.duplicates += duplicates;
            counts.rejected += rejected;
            told.add(&input, has_rows, facts.told);
            inputs.push(input);
        }
        let place = |(file, line): (u32, u64)| At { file: sources[(file - first) as usize].name.clone(), line };
        let links = plan.links.iter().zip(found.unknown).filter(|(_, u)| u.rows > 0);
        let mut warnings: Vec<Warning> = links.map(|(link, unknown)| unknown_warning(name, link, unknown, place)).collect();
        warnings.extend(told.warnings(name));
        warnings.extend(self.missing_columns(name, &inputs));
        warnings.extend(report::warnings(name, sources.iter().filter_map(|s| s.mapping.as_ref())));
        Done { inputs, counts: Some(counts), warnings, rejects: found.rejects, ..Done::default() }
    }

    /// Fields without a column in a file, though another file of the collection has one, now or in the load before: all its rows have no value there.
    fn missing_columns(&self, collection: &str, inputs: &[Input]) -> Option<Warning> {
        let before = self.previous.iter().flat_map(|p| &p.inputs).filter(|i| i.collection == collection);
        let others: Vec<&Input> = inputs.iter().chain(before).filter(|i| i.mapping.is_none()).collect();
        let usual = |field: &&String| others.iter().any(|i| !i.missing_columns.contains(field));
        let of = |input: &Input| {
            let fields: Vec<&str> = input.missing_columns.iter().filter(usual).map(String::as_str).collect();
            (!fields.is_empty() && input.rows_read > 0).then(|| format!("{} has no {}", input.path, fields.join(", ")))
        };
        let found: Vec<String> = inputs.iter().filter_map(of).collect();
        let count = found.len() as u64;
        (count > 0).then(|| Warning::new("missing_column", Some(collection), count, found.into_iter().take(EXAMPLES).collect()))
    }

    /// Names the collections that others refer to and that neither the folder nor the lake has.
    pub(super) fn missing(&self) -> String {
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
    pub(super) fn failure(&self, counts: &Counts) -> Option<String> {
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
        let files: Vec<String> = self.load.inputs.iter().map(|i| i.path.clone()).collect();
        let example =
            |e: &RejectExample| format!("\n    {} ({}{})", e.at, e.field.as_ref().map(|f| format!("{f}: ")).unwrap_or_default(), e.message);
        let examples: String = rejects.examples(&files).iter().take(EXAMPLES).map(example).collect();
        let rate = 100.0 * counts.rejected as f64 / counts.read as f64;
        let limit = 100.0 * self.options.max_reject_rate;
        Some(format!(
            "  {}: {} of {} rows ({rate:.2} %; at most {limit} % may be): {named}{examples}",
            counts.collection, counts.rejected, counts.read
        ))
    }
}

/// What became of a file.
fn input(collection: &str, source: &Source, facts: &FileFacts, duplicates: u64, rejected: u64) -> Input {
    Input {
        collection: collection.to_string(),
        path: source.name.clone(),
        bytes: facts.bytes,
        blake3: facts.blake3.clone(),
        rows_read: facts.rows,
        accepted: facts.rows - duplicates - rejected,
        duplicates,
        rejected,
        unknown_columns: facts.unknown_columns.clone(),
        missing_columns: if source.mapping.is_some() { vec![] } else { facts.missing_columns.clone() },
        mapping: source.mapping.as_ref().map(report::applied),
    }
}

/// A value that refers to nothing, of a link that only warns.
fn unknown_warning(collection: &str, link: &Link, unknown: Unknown, place: impl Fn((u32, u64)) -> At) -> Warning {
    let at = unknown.examples.values().map(|&at| Some(place(at))).collect();
    let examples = unknown.examples.into_keys().collect();
    // A wrong column may stand there: people are told the place.
    Warning { at, restricted: true, ..Warning::new(format!("unknown_{}", link.resource), Some(collection), unknown.rows, examples) }
}

/// What people should know of files: by check, what it found.
#[derive(Default)]
struct Told(BTreeMap<&'static str, Vec<String>>);

impl Told {
    /// Adds what is to be said of a file, beside what its reader told; `has_rows`: the load before has rows of the collection.
    fn add(&mut self, input: &Input, has_rows: bool, told: Vec<(&'static str, String)>) {
        if !input.unknown_columns.is_empty() {
            tracing::warn!(
                file = input.path,
                columns = shown_names(&input.unknown_columns, &input.missing_columns),
                "unknown columns were kept out"
            );
        }
        // What the lake has of the file's years stays, which nobody would expect.
        let nothing = (input.rejected > 0 && input.accepted + input.duplicates == 0).then(|| ("no_row_accepted", input.path.clone()));
        let empty = (has_rows && input.rows_read == 0).then(|| ("file_without_rows", input.path.clone()));
        told.into_iter().chain(nothing).chain(empty).for_each(|(check, what)| self.0.entry(check).or_default().push(what));
    }

    fn warnings(self, collection: &str) -> impl Iterator<Item = Warning> {
        let warning = |(check, what): (&str, Vec<String>)| {
            Warning::new(check, Some(collection), what.len() as u64, what.into_iter().take(EXAMPLES).collect())
        };
        self.0.into_iter().map(warning)
    }
}

/// Names of columns for a log, without those that may be somebody's number; of objects within objects only the first name, since the others may be
/// somebody's. Each with the field that may have been meant.
fn shown_names(names: &[String], missing: &[String]) -> String {
    let first = |name: &String| name.split_once('.').map_or_else(|| name.clone(), |(first, _)| format!("{first}.*"));
    let all: BTreeSet<String> = names.iter().map(first).collect();
    let meant = |name: &String| nearest(name, missing).map_or_else(|| name.clone(), |field| format!("{name} (did you mean {field}?)"));
    let mut shown: Vec<String> = all.iter().filter(|n| !may_be_a_number(n)).take(20).map(meant).collect();
    let left = all.len() - shown.len();
    shown.extend((left > 0).then(|| format!("and {left} more")));
    shown.join(", ")
}

/// Whether so many rows of a collection were rejected that the load must fail.
pub fn too_many(counts: &Counts, options: &Options) -> bool {
    // A hair above the limit: 11 of 1,100 is no more than 1 %, whatever the last bit of the product.
    let limit = options.max_reject_rate * counts.read as f64 + 1e-9;
    counts.rejected > REJECTS_ALWAYS_ALLOWED && counts.rejected as f64 > limit
}
