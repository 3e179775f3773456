//! One module for each command.

pub mod all;
pub mod audit;
pub mod backfill;
pub mod check;
pub mod close;
pub mod diff;
pub mod docs;
pub mod explain;
pub mod gc;
pub mod ingest;
pub mod jurisdiction;
pub mod map;
pub mod query;
pub mod remove;
pub mod reopen;
pub mod report;
pub mod retry;
pub mod run;
pub mod status;
pub mod synth;
pub mod verify;
pub mod withdraw;

use crate::cli::{Command, Settings};
use crate::error::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use status::Form;
use std::future::Future;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Does what the command says.
pub fn run(command: Command, settings: &Settings) -> Result<()> {
    match command {
        Command::Synth(args) => synth::main(&args, settings),
        Command::Ingest(args) => ingest::main(&args, settings),
        Command::Check(args) => check::main(&args, settings),
        Command::Remove(args) => remove::main(&args, settings),
        Command::Map(args) => map::main(&args, settings),
        Command::Run(args) => run::main(&args, settings),
        Command::All(args) => all::main(&args, settings),
        Command::Audit(args) => audit::main(&args, settings),
        Command::Query(args) => query::main(&args, settings),
        Command::Report(args) => report::main(&args, settings),
        Command::Status(args) => status::main(&args, settings),
        Command::Diff(args) => diff::main(&args, settings),
        Command::Close(args) => close::main(&args, settings),
        Command::Reopen(args) => reopen::main(&args, settings),
        Command::Withdraw(args) => withdraw::main(&args, settings),
        Command::Retry(args) => retry::main(&args, settings),
        Command::Backfill(args) => backfill::main(&args, settings),
        Command::Gc(args) => gc::main(&args, settings),
        Command::Verify(args) => verify::main(&args, settings),
        Command::Explain(args) => explain::main(&args, settings),
        Command::Jurisdiction(args) => jurisdiction::main(&args, settings),
        Command::Docs(args) => docs::main(&args, settings),
    }
}

/// Runs a future on as many threads as the settings say.
fn block_on<T>(settings: &Settings, work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(settings.partitions).enable_all().build();
    runtime.map_err(|e| Error::internal("cannot start threads", e))?.block_on(work)
}

/// A line on the terminal that says what is being worked on; nothing when there is no terminal.
struct Progress(ProgressBar);

impl Progress {
    fn start(settings: &Settings) -> Progress {
        if !settings.progress {
            return Progress(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(bar)
    }

    fn at(&self, what: &str) {
        self.0.set_message(what.to_string());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Writes to standard output; a closed pipe (`| head`) is no error.
pub fn print(text: &str) -> Result<()> {
    // Names of files and columns must not steer a terminal.
    let tame = |c: char| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c };
    let text = if std::io::stdout().is_terminal() { text.chars().map(tame).collect() } else { text.to_string() };
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::internal("cannot write to standard output", e)),
        _ => Ok(()),
    }
}

/// Prints an answer for people or for programs.
fn answer<T: Serialize>(form: Form, what: &T, text: impl Fn(&T) -> String) -> Result<()> {
    print(&match form {
        Form::Text => text(what),
        Form::Json => serde_json::to_string_pretty(what).map_err(|e| Error::internal("the answer as JSON", e))? + "\n",
    })
}

/// A whole number with commas, for people.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// Columns of a table for people are as wide as their texts, but no wider than this.
const WIDEST: usize = 64;

/// Rows of texts below each other.
fn table<const N: usize>(rows: &[[String; N]], indent: &str) -> String {
    let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).filter(|w| *w <= WIDEST).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, w)| format!("{cell:<w$}")).collect();
        format!("{indent}{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Years for people: `2021 to 2024`, or one by one.
pub fn years(years: &[i32]) -> String {
    match years {
        [first, .., last] if last - first + 1 == years.len() as i32 => format!("{first} to {last}"),
        _ => years.iter().map(i32::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// A folder for student rows that are thrown away afterwards; it lies below the restricted root, where student rows belong.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// A new folder, which is made with the first file in it.
    pub fn new(restricted: &Path) -> Scratch {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        Scratch(restricted.join("scratch").join(format!("{}-{nanos}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It may not be there, and the folders above it may be in use.
        let _ = std::fs::remove_dir_all(&self.0);
        for parent in self.0.ancestors().skip(1).take(2) {
            let _ = std::fs::remove_dir(parent);
        }
    }
}
