//! What a command did, for those who watch it from outside: a line for a mail, metrics for Prometheus, lineage events. Names, counts and
//! hashes only: never a value of a student. What cannot be written or sent is warned of and changes nothing else.

mod metrics;
mod openlineage;
mod post;
mod summary;

use crate::commit;
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::lake::Load;
use crate::project::Project;
use crate::publish;
use crate::publish::release::Release;
use crate::run::Outcome;
use crate::run::manifest::Manifest;
use openlineage::{Ground, Job};
use post::Target;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub use openlineage::uuid;

/// Where to tell of a command, if anywhere.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A text file for Prometheus.
    pub metrics: Option<PathBuf>,
    /// A file or an address for OpenLineage events.
    pub lineage: Option<String>,
}

/// What a command has done so far.
#[derive(Debug, Default)]
pub struct Record {
    load: Option<Loaded>,
    runs: Vec<Ran>,
    releases: Vec<Released>,
    /// What is being worked on.
    job: Option<Job>,
}

#[derive(Debug)]
struct Loaded {
    load: Load,
    unchanged: bool,
}

#[derive(Debug)]
struct Ran {
    manifest: Manifest,
    unchanged: bool,
    reused: usize,
}

#[derive(Debug)]
struct Released {
    release: Release,
    unchanged: bool,
}

impl Record {
    /// Nothing that the command looked at had changed.
    fn unchanged(&self) -> bool {
        let there = self.load.is_some() || !self.runs.is_empty();
        there && self.load.iter().all(|l| l.unchanged) && self.runs.iter().all(|r| r.unchanged) && self.releases.iter().all(|r| r.unchanged)
    }
}

/// How a command ended.
#[derive(Debug)]
struct End {
    code: u8,
    seconds: f64,
    /// Unix time in seconds.
    at: u64,
}

impl End {
    fn outcome(&self, record: &Record) -> &'static str {
        match self.code {
            0 if record.unchanged() => "unchanged",
            0 => "done",
            _ => "failed",
        }
    }
}

/// Watches one command that changes something, from its start to its end.
#[derive(Debug)]
pub struct Watch {
    command: &'static str,
    /// Id of this call, the same in its log and its lineage events.
    pub id: String,
    start: Instant,
    started_at: String,
    metrics: Option<PathBuf>,
    target: Option<Target>,
    ground: Ground,
    record: Mutex<Record>,
}

impl Watch {
    /// Begins to watch a command.
    pub fn start(command: &'static str, options: &Options, project: &Project, restricted: &Path, public: &Path) -> Watch {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        let watch = Watch {
            command,
            id: uuid(&format!("{command} {nanos} {}", std::process::id())),
            start: Instant::now(),
            started_at: commit::now(),
            metrics: options.metrics.clone(),
            target: Target::new(options.lineage.as_deref()),
            ground: Ground { project: project.clone(), restricted: restricted.into(), public: public.into() },
            record: Mutex::default(),
        };
        watch.emit(|| Ok(vec![watch.of_command("START", &watch.started_at, None)]));
        watch
    }

    /// Says what is worked on from now on, such as a load, or the run of a jurisdiction.
    pub fn begins(&self, job: &str) {
        self.record().job = Some(Job::begins(job));
    }

    /// Says what a load brought.
    pub fn loaded(&self, raw: &Path, load: &Load, unchanged: bool) {
        let job = self.ends();
        if !unchanged {
            self.emit(|| Ok(self.ground.load(&job, self.parent(), raw, load, &self.contracts()?)));
        }
        self.record().load = Some(Loaded { load: load.clone(), unchanged });
    }

    /// Says what runs made.
    pub fn ran(&self, load: &Load, outcomes: &[Outcome]) {
        let job = self.ends();
        for outcome in outcomes {
            if !outcome.unchanged {
                self.emit(|| self.ground.run(&job, self.parent(), load, &outcome.manifest, &self.contracts()?));
            }
            let (manifest, reused) = (outcome.manifest.clone(), outcome.reused.len());
            self.record().runs.push(Ran { manifest, unchanged: outcome.unchanged, reused });
        }
    }

    /// Says what was made public.
    pub fn published(&self, manifest: &Manifest, made: &publish::Outcome) {
        let job = self.ends();
        if !made.unchanged {
            self.emit(|| Ok(self.ground.release(&job, self.parent(), manifest, &made.release)));
        }
        self.record().releases.push(Released { release: made.release.clone(), unchanged: made.unchanged });
    }

    /// Ends; gives the summary line.
    pub fn end(&self, result: &Result<()>) -> String {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let seconds = (self.start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        let end = End { code: result.as_ref().err().map_or(0, Error::exit_code), seconds, at };
        let failure = result.as_ref().err().map(Error::to_string);
        let job = self.record().job.take();
        self.emit(|| {
            let unfinished = job.as_ref().zip(failure.as_deref()).map(|(job, failure)| job.fails(&self.id, self.parent(), failure));
            let kind = if failure.is_some() { "FAIL" } else { "COMPLETE" };
            Ok(unfinished.into_iter().flatten().chain([self.of_command(kind, &commit::now(), failure.as_deref())]).collect())
        });
        let record = self.record();
        if let Some(Err(e)) = self.metrics.as_ref().map(|path| metrics::write(path, self.command, &record, &end)) {
            tracing::warn!("no metrics: {e}");
        }
        summary::line(self.command, &record, &end)
    }

    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job that has just ended.
    fn ends(&self) -> Job {
        self.record().job.take().unwrap_or_else(|| Job::begins(self.command))
    }

    fn contracts(&self) -> Result<Contracts> {
        self.ground.project.contracts()
    }

    fn parent(&self) -> openlineage::Parent<'_> {
        openlineage::Parent { id: &self.id, command: self.command }
    }

    fn of_command(&self, kind: &str, time: &str, failure: Option<&str>) -> serde_json::Value {
        openlineage::of_command(kind, time, &self.parent(), failure)
    }

    /// Sends events, if anybody wants them.
    fn emit(&self, events: impl FnOnce() -> Result<Vec<serde_json::Value>>) {
        let Some(target) = &self.target else { return };
        let sent = events().map_err(|e| e.to_string()).and_then(|events| target.send(&events));
        if let Err(e) = sent {
            tracing::warn!("lineage events are lost: {e}");
        }
    }
}
