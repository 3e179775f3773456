//! Lineage events in the words of OpenLineage (openlineage.io, RunEvent 2-0-2): what was read, what was made of it, column by column.
//!
//! A command is a run, and each load, run of a jurisdiction and release that it makes is a run below it. Ids are UUIDs made from the ids
//! of manifests, so that whoever has one finds the other. The events of what was made are sent when it is there, since only then has it
//! its id; those of the command at once, so that one that is killed is seen as begun.

use crate::catalog::LAKE;
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::lake::Load;
use crate::lineage::{Lineage, Origins};
use crate::project::Project;
use crate::publish::release::Release;
use crate::run::manifest::{Manifest, Table};
use crate::run::output::OutputFile;
use crate::table::stored_type;
use crate::{commit, publish};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// A load, run or release that is being made.
#[derive(Debug, Clone)]
pub struct Job {
    name: String,
    since: String,
}

/// The command that makes it.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub command: &'a str,
}

/// Where data lies, and what describes it.
#[derive(Debug)]
pub struct Ground {
    /// Contracts and SQL.
    pub project: Project,
    /// The restricted root.
    pub restricted: PathBuf,
    /// The public root.
    pub public: PathBuf,
}

/// A UUID made from a text (RFC 9562, version 8): the same text has the same one.
pub fn uuid(text: &str) -> String {
    let hash = blake3::hash(text.as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// An event of the command itself.
pub fn of_command(kind: &str, time: &str, parent: &Parent, failure: Option<&str>) -> Value {
    let mut run = Map::new();
    run.extend(failure.map(|message| ("errorMessage".to_string(), error(message))));
    event(kind, time, (parent.id, run), &format!("command.{}", parent.command), vec![], vec![])
}

impl Job {
    /// A job begins now.
    pub fn begins(name: &str) -> Job {
        Job { name: name.into(), since: commit::now() }
    }

    /// The events of a job that failed before it had an id of its own.
    pub fn fails(&self, command: &str, parent: Parent, failure: &str) -> Vec<Value> {
        let id = uuid(&format!("{command} {}", self.name));
        let mut run = facets_below(parent);
        let start = event("START", &self.since, (&id, run.clone()), &self.name, vec![], vec![]);
        run.insert("errorMessage".into(), error(failure));
        vec![start, event("FAIL", &commit::now(), (&id, run), &self.name, vec![], vec![])]
    }

    fn completes(&self, id: &str, name: &str, parent: Parent, inputs: Vec<Value>, outputs: Vec<Value>) -> Vec<Value> {
        let (id, run) = (uuid(id), facets_below(parent));
        let start = event("START", &self.since, (&id, run.clone()), name, inputs.clone(), vec![]);
        vec![start, event("COMPLETE", &commit::now(), (&id, run), name, inputs, outputs)]
    }
}

impl Ground {
    /// A load: raw files in, collections of the lake out.
    pub fn load(&self, job: &Job, parent: Parent, raw: &Path, load: &Load, contracts: &Contracts) -> Vec<Value> {
        let inputs = load.raw_files().map(|i| dataset(raw, &i.path, [version(&i.blake3)])).collect();
        let read = load.collections.iter().map(|c| c.collection.as_str());
        let outputs = read.map(|name| self.collection(load, name, contracts, true)).collect();
        job.completes(&load.load_id, "load", parent, inputs, outputs)
    }

    /// A run: collections in, tables out.
    pub fn run(&self, job: &Job, parent: Parent, load: &Load, manifest: &Manifest, contracts: &Contracts) -> Result<Vec<Value>> {
        let collections: BTreeSet<&str> = load.files.iter().map(|f| f.collection.as_str()).collect();
        let inputs = collections.into_iter().map(|name| self.collection(load, name, contracts, false)).collect();
        let tables: Vec<&str> = manifest.tables.iter().map(|t| t.name.as_str()).collect();
        let origins = self.origins(&manifest.jurisdiction, &tables, contracts)?;
        let table = |t: &Table| {
            let from = origins.get(&t.name).map(|columns| self.column_lineage(columns, t));
            let facets = [schema(t.columns.iter().map(|c| (&c.name, &c.kind, &c.description)))].into_iter().chain(from);
            table(&self.restricted, (&manifest.jurisdiction, &manifest.run_id), t, &manifest.files, facets)
        };
        let outputs = manifest.tables.iter().map(table).collect();
        Ok(job.completes(&manifest.run_id, &format!("run.{}", manifest.jurisdiction), parent, inputs, outputs))
    }

    /// A release: tables of a run in, public tables out.
    pub fn release(&self, job: &Job, parent: Parent, manifest: &Manifest, release: &Release) -> Vec<Value> {
        let needed = publish::needs(&self.project).unwrap_or_default();
        let described = |t: &Table| [schema(t.columns.iter().map(|c| (&c.name, &c.kind, &c.description)))];
        let of = (manifest.jurisdiction.as_str(), manifest.run_id.as_str());
        let inputs = manifest.tables.iter().filter(|t| needed.contains(&t.name));
        let inputs = inputs.map(|t| input(table(&self.restricted, of, t, &manifest.files, described(t)))).collect();
        let of = (release.jurisdiction.as_str(), release.release_id.as_str());
        let outputs = release.tables.iter().map(|t| table(&self.public, of, t, &release.files, described(t))).collect();
        let id = format!("release {}", release.release_id);
        job.completes(&id, &format!("release.{}", release.jurisdiction), parent, inputs, outputs)
    }

    /// A collection of the lake; with what was written of it, if it is an output.
    fn collection(&self, load: &Load, name: &str, contracts: &Contracts, is_output: bool) -> Value {
        let files = || load.files_of(name);
        let hash = blake3::hash(files().map(|f| f.stored.blake3.as_str()).collect::<String>().as_bytes()).to_hex().to_string();
        let fields = contracts.get(name).into_iter().flat_map(|c| &c.fields);
        let described: Vec<(&String, String, &String)> =
            fields.map(|f| (&f.name, stored_type(&f.data_type()).to_string(), &f.description)).collect();
        let facets = [version(&hash), schema(described.iter().map(|(name, kind, what)| (*name, kind, *what)))];
        let mut set = dataset(&self.restricted, &format!("{LAKE}/{name}"), facets);
        if is_output {
            set["outputFacets"] = statistics(files().map(|f| f.rows).sum(), files().map(|f| f.stored.bytes).sum());
        }
        set
    }

    /// For each table and column, the columns of collections that it rests on.
    fn origins(&self, jurisdiction: &str, tables: &[&str], contracts: &Contracts) -> Result<BTreeMap<String, Origins>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|e| Error::internal("cannot start a thread", e))?;
        runtime.block_on(async { Lineage::plan(&self.project, contracts, jurisdiction).await?.origins(tables).await })
    }

    /// What the columns of a table rest on; what all rest on, since it decides which rows there are, is said once, of the whole table.
    fn column_lineage(&self, columns: &Origins, table: &Table) -> (String, Value) {
        let written: Vec<(&String, &BTreeSet<(String, String)>)> =
            table.columns.iter().filter_map(|c| columns.get_key_value(&c.name)).collect();
        let first = written.first().map(|(_, from)| (*from).clone()).unwrap_or_default();
        let whole = written.iter().fold(first, |all, (_, from)| all.intersection(from).cloned().collect());
        let input = |(collection, field): &(String, String)| {
            let (namespace, name) = place(&self.restricted, &format!("{LAKE}/{collection}"));
            json!({"namespace": namespace, "name": name, "field": field})
        };
        let own = |from: &BTreeSet<(String, String)>| from.difference(&whole).map(input).collect::<Vec<Value>>();
        let fields = Map::from_iter(written.iter().map(|(column, from)| ((*column).clone(), json!({ "inputFields": own(from) }))));
        let dataset: Vec<Value> = whole.iter().map(input).collect();
        ("columnLineage".into(), facet("1-2-0/ColumnLineageDatasetFacet", json!({"fields": fields, "dataset": dataset})))
    }
}

/// A table of a jurisdiction, of which a run or release is a version, with what was written of it.
fn table(root: &Path, of: (&str, &str), table: &Table, files: &[OutputFile], facets: impl IntoIterator<Item = (String, Value)>) -> Value {
    let (jurisdiction, id) = of;
    let files = || files.iter().filter(|f| f.table == table.name);
    let facets = facets.into_iter().chain([version(id)]);
    let mut set = dataset(root, &format!("{jurisdiction}/{}", table.name), facets);
    set["outputFacets"] = statistics(files().map(|f| f.rows as u64).sum(), files().map(|f| f.stored.bytes).sum());
    set
}

/// A dataset as an input: without what was written of it.
fn input(mut set: Value) -> Value {
    set.as_object_mut().map(|entries| entries.remove("outputFacets"));
    set
}

fn event(kind: &str, time: &str, run: (&str, Map<String, Value>), job: &str, inputs: Vec<Value>, outputs: Vec<Value>) -> Value {
    let namespace = std::env::var("OPENLINEAGE_NAMESPACE").unwrap_or_else(|_| "perkins".into());
    let job_type = json!({"processingType": "BATCH", "integration": "PERKINS", "jobType": "JOB"});
    json!({
        "eventType": kind,
        "eventTime": time,
        "run": {"runId": run.0, "facets": run.1},
        "job": {"namespace": namespace, "name": job, "facets": {"jobType": facet("2-0-3/JobTypeJobFacet", job_type)}},
        "inputs": inputs,
        "outputs": outputs,
        "producer": producer(),
        "schemaURL": SCHEMA,
    })
}

fn facets_below(parent: Parent) -> Map<String, Value> {
    let namespace = std::env::var("OPENLINEAGE_NAMESPACE").unwrap_or_else(|_| "perkins".into());
    let above = json!({"run": {"runId": parent.id}, "job": {"namespace": namespace, "name": format!("command.{}", parent.command)}});
    Map::from_iter([("parent".to_string(), facet("1-1-0/ParentRunFacet", above))])
}

fn error(message: &str) -> Value {
    facet("1-0-1/ErrorMessageRunFacet", json!({"message": message, "programmingLanguage": "RUST"}))
}

fn schema<'a>(columns: impl Iterator<Item = (&'a String, &'a String, &'a String)>) -> (String, Value) {
    let fields: Vec<Value> = columns.map(|(name, kind, what)| json!({"name": name, "type": kind, "description": what})).collect();
    ("schema".into(), facet("1-1-1/SchemaDatasetFacet", json!({ "fields": fields })))
}

fn version(id: &str) -> (String, Value) {
    ("version".into(), facet("1-0-1/DatasetVersionDatasetFacet", json!({ "datasetVersion": id })))
}

fn statistics(rows: u64, bytes: u64) -> Value {
    json!({"outputStatistics": facet("1-0-2/OutputStatisticsOutputDatasetFacet", json!({"rowCount": rows, "size": bytes}))})
}

fn dataset(root: &Path, below: &str, facets: impl IntoIterator<Item = (String, Value)>) -> Value {
    let (namespace, name) = place(root, below);
    json!({"namespace": namespace, "name": name, "facets": Map::from_iter(facets)})
}

/// Namespace and name of what lies below a root, after the naming conventions of OpenLineage: a store and a path in it.
fn place(root: &Path, below: &str) -> (String, String) {
    let text = root.to_string_lossy();
    match text.split_once("://").map(|(scheme, rest)| (scheme, rest.split_once('/').unwrap_or((rest, "")))) {
        Some((scheme, (host, path))) => (format!("{scheme}://{host}"), format!("{path}/{below}").trim_start_matches('/').into()),
        None => {
            let full = std::path::absolute(root).unwrap_or_else(|_| root.into());
            ("file".into(), full.join(below).to_string_lossy().into_owned())
        }
    }
}

/// A facet, with who says it and in which words.
fn facet(name: &str, mut value: Value) -> Value {
    let definition = name.split_once('/').map_or(name, |(_, n)| n);
    value["_producer"] = producer().into();
    value["_schemaURL"] = format!("https://openlineage.io/spec/facets/{name}.json#/$defs/{definition}").into();
    value
}

fn producer() -> String {
    format!("urn:perkins:{}", crate::VERSION)
}
