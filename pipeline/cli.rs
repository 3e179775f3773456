//! Flags, variables and settings; errors and exit codes.

use crate::command;
use crate::engine::Limit;
use crate::error::{Error, Result};
use crate::memory;
use crate::observe::{self, Watch};
use crate::project::Project;
use crate::root::Root;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Raw collections of career and technical education in, Perkins V indicators out.
#[derive(Debug, Parser)]
#[command(name = "perkins", version, about, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Settings that every command takes.
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// Settings: from flags, then `PERKINS_*` variables, then perkins.toml.
#[derive(Debug, Args)]
pub struct SettingFlags {
    /// Where the restricted files are (the lake, student rows, unsuppressed figures): a folder, or s3://bucket/prefix, az://container/prefix or
    /// gs://bucket/prefix, with credentials in the environment [default: perkins-data/restricted]
    #[arg(long, global = true, env = "PERKINS_RESTRICTED", value_name = "DIR|URL")]
    pub restricted: Option<PathBuf>,
    /// Where the public files are: a folder or a URL [default: perkins-data/public]
    #[arg(long, global = true, env = "PERKINS_PUBLIC", value_name = "DIR|URL")]
    pub public: Option<PathBuf>,
    /// Folder for local copies of what is behind URLs [default: perkins/mirror in the user's cache folder]
    #[arg(long, global = true, env = "PERKINS_CACHE", value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Wait so long for another run that holds the lock, instead of ending with exit code 11 at once
    #[arg(long, global = true, env = "PERKINS_WAIT", value_name = "SECONDS", default_value_t = 0)]
    pub wait: u32,
    /// Settings file [default: perkins.toml, if there is one]
    #[arg(long, global = true, env = "PERKINS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder with sql/ and data/ to use instead of those in the program
    #[arg(long, global = true, env = "PERKINS_PROJECT", value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Folder with further sql/ and data/ files, which replace those of the same path or add to them; may be given several times (in the
    /// variable with : between), each over those before it
    #[arg(long, global = true, env = "PERKINS_OVERLAY", value_name = "DIR", value_delimiter = ':')]
    pub overlay: Vec<PathBuf>,
    /// Threads to use [default: all cores]
    #[arg(long, global = true, env = "PERKINS_PARTITIONS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub partitions: Option<u16>,
    /// Memory for the program, such as 4GiB: beyond half of it, large steps spill to disk, and fewer run at once [default: no limit]
    #[arg(long, global = true, env = "PERKINS_MEMORY_LIMIT", value_name = "SIZE")]
    pub memory_limit: Option<String>,
    /// What runs the SQL: local, in this program, is the only engine so far [default: local]
    #[arg(long, global = true, env = "PERKINS_ENGINE", value_name = "ENGINE")]
    pub engine: Option<String>,
    /// Form of the log on standard error
    #[arg(long, global = true, env = "PERKINS_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// File that the log is appended to [default: standard error]
    #[arg(long, global = true, env = "PERKINS_LOG_FILE", value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// What is logged: error, warn, info, debug or trace, also of parts of the program, such as perkins::engine=debug [default: warn; info
    /// as JSON or in a file]
    #[arg(long, global = true, env = "PERKINS_LOG", value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Text file for Prometheus, which ingest, run, all, retry and backfill write when they end; such as /var/lib/node_exporter/perkins.prom
    #[arg(long, global = true, env = "PERKINS_METRICS", value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// File that OpenLineage events are appended to, or a server's http(s) address [default: the server of OPENLINEAGE_URL, if that is set]
    #[arg(long, global = true, env = "PERKINS_LINEAGE_TO", value_name = "FILE or URL")]
    pub lineage_to: Option<String>,
}

impl SettingFlags {
    /// Whether the log is kept, or read by programs: it then tells of every step.
    fn logs_for_programs(&self) -> bool {
        self.log_format == LogFormat::Json || self.log_file.is_some()
    }
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people; a progress line on a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make raw collections of students who do not exist
    Synth(command::synth::SynthArgs),
    /// Read a folder of raw collections into the lake: typed, checked, sorted
    Ingest(command::ingest::IngestArgs),
    /// Look at a folder of raw collections as `ingest` would, say what every check finds and where, and keep nothing
    Check(command::ingest::IngestArgs),
    /// Take rows out of the lake: those of an institution, a program or a student, and all that refer to them
    Remove(command::remove::RemoveArgs),
    /// Propose a mapping of a file in a foreign layout, from its header and values: a TOML file to complete
    Map(command::map::MapArgs),
    /// Compute the indicators of report years from the lake, and publish what is safe
    Run(command::run::RunArgs),
    /// Ingest, run, publish what an audit finds safe, and draw the reports
    All(command::all::AllArgs),
    /// Attack what is published: find every hidden figure that anybody could compute
    Audit(command::audit::AuditArgs),
    /// Ask the current run and the lake in SQL
    Query(command::query::QueryArgs),
    /// Draw the reports of the current run for people: workbooks of the forms, and of institutions with their students
    Report(command::report::ReportArgs),
    /// Show the current load and the runs
    Status(command::status::StatusArgs),
    /// Show what differs between two runs: keys, figures, the students who moved them, and the collections that changed
    Diff(command::diff::DiffArgs),
    /// Freeze a report year: later runs keep its tables and public figures to the byte, and say what would have changed
    Close(command::close::CloseArgs),
    /// Open a report year again that was closed
    Reopen(command::reopen::ReopenArgs),
    /// Take back a release of wrong data: what was public before it is so again, and later releases are not measured against it
    Withdraw(command::withdraw::WithdrawArgs),
    /// Go on with a run that failed or was stopped: what it had finished is taken over
    Retry(command::retry::RetryArgs),
    /// Compute many report years one by one, and make those that succeed one run; a year that fails is told and does not stop the others
    Backfill(command::backfill::BackfillArgs),
    /// Remove old runs and loads, and what stopped runs left
    Gc(command::gc::GcArgs),
    /// Check that every file of the current load and run is whole
    Verify(command::verify::VerifyArgs),
    /// Say why a student counts, or does not, indicator by indicator
    Explain(command::explain::ExplainArgs),
    /// Show what a jurisdiction sets, and what differs between two
    Jurisdiction(command::jurisdiction::JurisdictionArgs),
    /// Write the data dictionary, the indicator pages and the command line reference
    Docs(command::docs::DocsArgs),
}

impl Command {
    /// The name of a command that loads, runs or publishes, and is therefore watched.
    fn watched(&self) -> Option<&'static str> {
        match self {
            Command::Ingest(_) => Some("ingest"),
            Command::Run(args) if !args.explain_plan => Some("run"),
            Command::All(_) => Some("all"),
            Command::Retry(_) => Some("retry"),
            Command::Backfill(_) => Some("backfill"),
            _ => None,
        }
    }
}

/// What perkins.toml may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    restricted: Option<PathBuf>,
    public: Option<PathBuf>,
    cache: Option<PathBuf>,
    jurisdiction: Option<String>,
    overlay: Option<Vec<PathBuf>>,
    mapping: Option<Vec<String>>,
    engine: Option<String>,
    memory_limit: Option<String>,
    partitions: Option<u16>,
    max_change: Option<f64>,
    metrics: Option<PathBuf>,
    lineage_to: Option<String>,
}

/// The settings of this call.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the restricted files are.
    pub restricted: Root,
    /// Where the public files are.
    pub public: Root,
    /// Jurisdictions of the environment or perkins.toml; the first is the one where only one can be meant.
    pub jurisdictions: Vec<String>,
    /// Contracts, rules and SQL.
    pub project: Project,
    /// Mappings of perkins.toml, by name or path.
    pub mappings: Vec<String>,
    /// Threads; no more than a limit of memory allows.
    pub partitions: usize,
    /// The limit of memory.
    pub memory_limit: Option<Limit>,
    /// Percent by which a figure of the state or a grantee may move in a run.
    pub max_change: Option<f64>,
    /// Whether a progress line may be drawn.
    pub progress: bool,
    /// Where to tell of what a command did.
    pub observe: observe::Options,
    /// What watches the command, if it is one that changes something.
    pub watch: Option<Arc<Watch>>,
}

impl Settings {
    fn read(flags: &SettingFlags) -> Result<Settings> {
        let config = read_config(flags.config.as_deref())?;
        if let Some(engine) = flags.engine.clone().or(config.engine).filter(|e| e != "local") {
            return Err(Error::Config(format!(
                "engine {engine:?}: this version has only \"local\" (--engine, PERKINS_ENGINE, or engine in perkins.toml)"
            )));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let limit = flags.memory_limit.clone().or(config.memory_limit);
        let overlays = if flags.overlay.is_empty() { config.overlay.unwrap_or_default() } else { flags.overlay.clone() };
        let (cache, wait) = (flags.cache.clone().or(config.cache), Duration::from_secs(flags.wait.into()));
        let root = |flag: &Option<PathBuf>, config: Option<PathBuf>, name: &str| {
            let place = flag.clone().or(config).unwrap_or_else(|| Path::new("perkins-data").join(name));
            Root::open(name, &place, cache.as_deref(), wait)
        };
        let restricted = root(&flags.restricted, config.restricted, "restricted")?;
        let public = root(&flags.public, config.public, "public")?;
        // Who may read the public root must not find students below it.
        let (inner, outer) = (format!("{}/", restricted.display()), format!("{}/", public.display()));
        if inner.starts_with(&outer) {
            return Err(Error::Config(format!(
                "the restricted root {inner} lies in the public one, {outer}; name another with --restricted"
            )));
        }
        let threads = flags.partitions.or(config.partitions).map_or(cores, usize::from).max(1);
        let memory_limit = limit.as_deref().map(parse_size).transpose()?.map(|bytes| Limit { bytes, root: restricted.to_path_buf() });
        Ok(Settings {
            restricted,
            public,
            jurisdictions: split(&std::env::var("PERKINS_JURISDICTION").ok().filter(|j| !j.is_empty()).or(config.jurisdiction)),
            project: Project::open(flags.project.clone(), overlays)?,
            mappings: config.mapping.unwrap_or_default(),
            partitions: memory_limit.as_ref().map_or(threads, |l| l.threads(threads)),
            memory_limit,
            max_change: config
                .max_change
                .map(|p| parse_percent(&p.to_string()).map_err(|e| Error::Config(format!("max_change: {e}"))))
                .transpose()?,
            progress: flags.log_format == LogFormat::Text && std::io::IsTerminal::is_terminal(&std::io::stderr()),
            observe: observe::Options {
                metrics: flags.metrics.clone().or(config.metrics),
                lineage: flags.lineage_to.clone().or(config.lineage_to),
            },
            watch: None,
        })
    }

    /// The jurisdiction of a flag or the settings.
    pub fn jurisdiction(&self, flag: Option<&str>) -> Result<String> {
        let all = self.jurisdictions(&flag.map(str::to_string).into_iter().collect::<Vec<_>>())?;
        all.into_iter().next().ok_or_else(|| Error::bug("no jurisdiction"))
    }

    /// The jurisdictions of flags or the settings: at least one, each known and once.
    pub fn jurisdictions(&self, flags: &[String]) -> Result<Vec<String>> {
        let asked = if flags.is_empty() { &self.jurisdictions } else { flags };
        if asked.is_empty() {
            let known = crate::jurisdiction::Jurisdiction::list(&self.project)?.join(", ");
            return Err(Error::Config(format!(
                "which jurisdiction? Give --jurisdiction, PERKINS_JURISDICTION, or jurisdiction in perkins.toml; there are: {known}"
            )));
        }
        let mut once: Vec<String> = Vec::new();
        for id in asked.iter().filter(|id| !id.is_empty()) {
            crate::jurisdiction::Jurisdiction::load(&self.project, id)?;
            if !once.contains(id) {
                once.push(id.clone());
            }
        }
        Ok(once)
    }
}

/// Names with commas between.
fn split(text: &Option<String>) -> Vec<String> {
    text.iter().flat_map(|t| t.split(',')).map(|t| t.trim().to_string()).filter(|t| !t.is_empty()).collect()
}

fn read_config(path: Option<&Path>) -> Result<ConfigFile> {
    let default = Path::new("perkins.toml");
    let (path, asked) = path.map_or((default, false), |p| (p, true));
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|e| {
            // Which line, but not its value: somebody may have put a credential there.
            let before = e.span().map_or(0, |s| text.get(..s.start).map_or(0, |t| t.matches('\n').count()));
            let key = text.lines().nth(before).and_then(|l| l.split('=').next()).unwrap_or_default().trim();
            Error::Config(format!("{}, line {} ({key}): {}", path.display(), before + 1, e.message()))
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !asked => Ok(ConfigFile::default()),
        Err(e) => Err(Error::Config(format!("cannot read the settings file {}: {e}", path.display()))),
    }
}

/// Bytes of a size such as `512MiB`, `4GB` or `1000000`.
fn parse_size(text: &str) -> Result<usize> {
    let trimmed = text.trim();
    let split = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let unit = match trimmed[split..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1usize << 30),
        _ => None,
    };
    let bytes = trimmed[..split].parse::<usize>().ok().zip(unit).and_then(|(n, u)| n.checked_mul(u));
    bytes
        .filter(|&b| b >= 1 << 24)
        .ok_or_else(|| Error::Config(format!("memory limit {text:?} must be a size of at least 16MiB, such as 4GiB")))
}

/// Reads a percentage such as `5` or `2.5`.
pub fn parse_percent(text: &str) -> std::result::Result<f64, String> {
    let percent = text.trim().trim_end_matches('%').parse::<f64>().ok().filter(|p| p.is_finite() && *p >= 0.0);
    percent.ok_or_else(|| format!("{text:?} must be a number of percent from 0, such as 5"))
}

/// Report years from `--report-year 2023 --report-year 2024` and `--report-years 2021..2024`.
#[derive(Debug, Clone, Args)]
pub struct YearFlags {
    /// A report year, such as 2024 for 2023-24; may be given several times [default: the latest school year of the lake]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1990..=2100))]
    pub report_year: Vec<i32>,
    /// A range of report years, both ends included
    #[arg(long, value_name = "FIRST..LAST", value_parser = parse_years)]
    pub report_years: Option<(i32, i32)>,
}

impl YearFlags {
    /// All years asked for.
    pub fn years(&self) -> BTreeSet<i32> {
        self.report_year.iter().copied().chain(self.report_years.into_iter().flat_map(|(a, b)| a..=b)).collect()
    }
}

/// Reads `2021..2024`.
pub fn parse_years(text: &str) -> std::result::Result<(i32, i32), String> {
    let year = |t: &str| t.trim().parse::<i32>().ok().filter(|y| (1990..=2100).contains(y));
    let range = text.split_once("..").and_then(|(a, b)| Some((year(a)?, year(b.trim_start_matches('='))?)));
    range.filter(|(a, b)| a <= b).ok_or_else(|| "expected two years from 1990 to 2100, such as 2021..2024".into())
}

/// Runs the program; returns its exit code. `give_back` makes the allocator give back what is freed: at once under a limit of memory, else once
/// there is more than memory shall hold.
pub fn main(give_back: fn()) -> u8 {
    memory::set_hook(give_back);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version go to standard output; a wrong flag is a wrong configuration.
            let code = if e.use_stderr() { 3 } else { 0 };
            let _ = e.print();
            return code;
        }
    };
    let mut line = None;
    let settings = start_log(&cli.settings).and_then(|()| Settings::read(&cli.settings));
    if settings.as_ref().is_ok_and(|s| s.memory_limit.is_some()) {
        memory::give_back();
    }
    let result = settings.and_then(|settings| watched(cli.command, settings, &cli.settings, &mut line));
    match result {
        Ok(()) => 0,
        Err(error) => {
            report(&error, line.as_deref(), &cli.settings);
            error.exit_code()
        }
    }
}

/// Runs a command. One that changes something is watched, and ends with a line that says what it did.
fn watched(command: Command, mut settings: Settings, flags: &SettingFlags, line: &mut Option<String>) -> Result<()> {
    let Some(name) = command.watched() else { return command::run(command, &settings) };
    let watch = Arc::new(Watch::start(name, &settings.observe, &settings.project, &settings.restricted, &settings.public));
    // So that the lines of two calls in one log can be told apart.
    let span = if flags.logs_for_programs() { tracing::error_span!("call", command = name, id = watch.id) } else { Span::none() };
    let within = span.entered();
    settings.watch = Some(Arc::clone(&watch));
    let result = command::run(command, &settings);
    let said = watch.end(&result);
    tracing::info!("{said}");
    drop(within);
    match result {
        Ok(()) => command::print(&format!("{said}\n")),
        Err(error) => {
            *line = Some(said);
            Err(error)
        }
    }
}

fn start_log(flags: &SettingFlags) -> Result<()> {
    let wrong = |e: &dyn std::fmt::Display| {
        let (level, example) = (flags.log_level.as_deref().unwrap_or_default(), "info, or perkins=info,perkins::engine=debug");
        Error::Config(format!("log level {level:?} must be such as {example} (--log-level, PERKINS_LOG): {e}"))
    };
    let level = flags.log_level.as_deref().unwrap_or(if flags.logs_for_programs() { "perkins=info" } else { "perkins=warn" });
    // A word alone would be taken for the name of a part of the program, of which nothing is logged then.
    level.split(',').filter(|l| !l.contains('=')).try_for_each(|l| l.trim().parse::<LevelFilter>().map(drop)).map_err(|e| wrong(&e))?;
    let filter = EnvFilter::try_new(level).map_err(|e| wrong(&e))?;
    let writer = match &flags.log_file {
        None => BoxMakeWriter::new(std::io::stderr),
        Some(path) => {
            let file = std::fs::File::options().append(true).create(true).open(path);
            BoxMakeWriter::new(Arc::new(file.map_err(|e| Error::Config(format!("cannot write the log file {}: {e}", path.display())))?))
        }
    };
    let colours = flags.log_file.is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(writer);
    let started = match flags.log_format {
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text if flags.log_file.is_some() => builder.with_target(false).try_init(),
        LogFormat::Text => builder.without_time().with_target(false).try_init(),
    };
    // A second start in one process (tests) keeps the first log.
    let _ = started;
    Ok(())
}

/// Says what went wrong, and what came of the command: in the log, and for people unless the log on standard error is for programs.
fn report(error: &Error, line: Option<&str>, flags: &SettingFlags) {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(e) = cause {
        causes.push(e.to_string());
        cause = e.source();
    }
    if flags.logs_for_programs() {
        tracing::error!(exit_code = error.exit_code(), causes = causes.join("; "), "{error}");
    }
    if flags.log_format == LogFormat::Json && flags.log_file.is_none() {
        return;
    }
    // Whoever reads it may have gone: that changes nothing.
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "error: {error}");
    causes.iter().for_each(|c| drop(writeln!(out, "  because: {c}")));
    line.iter().for_each(|l| drop(writeln!(out, "{l}")));
}
