//! What the tests share: the real program in folders of its own, and tables compared by the reading rules of tests/golden/README.md.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use tempfile::TempDir;

/// A row by the names of its columns; null is the empty text.
pub type Row = BTreeMap<String, String>;

/// The repository: another checkout of it, `PERKINS_TEST_HOME`, or the one that cargo runs the tests in (checkouts share a target folder, so it
/// need not be the one that the tests were built from).
pub fn home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let named = std::env::var_os("PERKINS_TEST_HOME").or_else(|| std::env::var_os("CARGO_MANIFEST_DIR"));
        named.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
    })
}

/// The program under test: the one just built, or another, `PERKINS_TEST_PROGRAM`.
fn program() -> PathBuf {
    std::env::var_os("PERKINS_TEST_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_perkins").into(), PathBuf::from)
}

/// What the program said.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// Fails unless it ended with this exit code and its error message has all these pieces.
    #[track_caller]
    pub fn refuses(&self, code: i32, pieces: &[&str]) {
        assert_eq!(self.code, code, "exit code; standard error was:\n{}", self.err);
        let missing: Vec<_> = pieces.iter().filter(|p| !self.err.contains(**p)).collect();
        assert!(missing.is_empty(), "{missing:?} not in the message:\n{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

/// A folder with a restricted root (and a raw folder, if the test makes one) of its own.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    /// One that lives in a static, which is never dropped: what earlier test programs left is cleared away.
    pub fn shared(name: &str) -> Place {
        const LEFT: std::time::Duration = std::time::Duration::from_secs(3600);
        let within = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for old in entries(within).iter().filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(name))) {
            if old.metadata().and_then(|m| m.modified()).is_ok_and(|t| t.elapsed().is_ok_and(|age| age > LEFT)) {
                let _ = fs::remove_dir_all(old);
            }
        }
        Place { folder: tempfile::Builder::new().prefix(name).tempdir_in(within).unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn raw(&self) -> PathBuf {
        self.path().join("raw")
    }

    pub fn restricted(&self) -> PathBuf {
        self.path().join("restricted")
    }

    /// Writes a file below the folder.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The program in this folder, without settings of the machine. `PERKINS_TEST_PROJECT=.` tests the SQL on disk without building it in.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program());
        for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("PERKINS_")) {
            command.env_remove(name);
        }
        if let Ok(project) = std::env::var("PERKINS_TEST_PROJECT") {
            command.env("PERKINS_PROJECT", home().join(project));
        }
        command.current_dir(self.path()).env("PERKINS_RESTRICTED", self.restricted()).env("PERKINS_PUBLIC", self.path().join("public"));
        command
    }

    pub fn perkins(&self, arguments: &[&str]) -> Answer {
        answer(self.command().args(arguments))
    }

    /// Runs the program, which must succeed; gives its standard output.
    #[track_caller]
    pub fn works(&self, arguments: &[&str]) -> String {
        let answer = self.perkins(arguments);
        assert_eq!(answer.code, 0, "perkins {}:\n{}{}", arguments.join(" "), answer.out, answer.err);
        answer.out
    }

    #[track_caller]
    pub fn ingest(&self, raw: &Path) -> String {
        self.works(&["ingest", text(raw)])
    }

    /// Runs a jurisdiction for report years, with further flags.
    #[track_caller]
    pub fn run(&self, jurisdiction: &str, years: impl IntoIterator<Item = i32>, flags: &[&str]) -> String {
        let years: Vec<String> = years.into_iter().map(|y| format!("--report-year={y}")).collect();
        // Everything is computed, whatever an earlier run left: what is taken over is the matter of tests/reuse.rs, what is
        // made public that of tests/publish.rs.
        let mut arguments = vec!["run", "--again", "--no-publish", "--jurisdiction", jurisdiction];
        arguments.extend(years.iter().map(String::as_str));
        arguments.extend(flags);
        self.works(&arguments)
    }

    #[track_caller]
    pub fn query(&self, sql: &str) -> Vec<Row> {
        rows(self.works(&["query", sql, "--format", "csv"]).as_bytes())
    }

    pub fn table(&self, name: &str) -> Vec<Row> {
        self.query(&format!("SELECT * FROM {name}"))
    }

    /// The newest commit.
    pub fn commit(&self) -> Value {
        let commits = files(&self.restricted().join("_commits"));
        serde_json::from_slice(commits.values().next_back().expect("no commit")).unwrap()
    }

    /// The manifest of the current `load` or `run`.
    pub fn manifest(&self, of: &str) -> Value {
        let commit = self.commit();
        let pointer = match (of, commit["jurisdiction"].as_str()) {
            ("run", Some(jurisdiction)) => &commit["runs"][jurisdiction],
            _ => &commit[of],
        };
        let path = pointer["manifest"].as_str().unwrap_or_else(|| panic!("no {of}")).to_string();
        serde_json::from_slice(&fs::read(self.restricted().join(path)).unwrap()).unwrap()
    }

    /// Result files of the current run by `<table>/report_year=<year>/<file>`.
    pub fn results(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let run = self.manifest("run");
        let listed = run["files"].as_array().unwrap().iter().map(|f| PathBuf::from(f["path"].as_str().unwrap()));
        let below = Path::new("runs").join(run["run_id"].as_str().unwrap());
        listed.map(|p| (p.strip_prefix(&below).unwrap().to_path_buf(), fs::read(self.restricted().join(&p)).unwrap())).collect()
    }

    /// Files of the current load by path.
    pub fn lake(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let load = self.manifest("load");
        let keys = load["surrogates"].as_object().unwrap().values();
        let listed = load["files"].as_array().unwrap().iter().chain(keys).map(|f| PathBuf::from(f["path"].as_str().unwrap()));
        listed.map(|p| (p.clone(), fs::read(self.restricted().join(p)).unwrap())).collect()
    }
}

/// A small, clean raw folder.
pub fn small() -> PathBuf {
    home().join("tests/golden/5S3/work_based_learning/given")
}

/// A place with a raw folder that a test may break.
pub fn place() -> Place {
    let place = Place::new();
    copy(&small(), &place.raw());
    place
}

/// The same, loaded.
pub fn loaded() -> Place {
    let place = place();
    place.works(&["ingest", "raw"]);
    place
}

/// The same, and run for Oregon and 2024.
pub fn ran() -> Place {
    let place = loaded();
    place.run("oregon", [2024], &[]);
    place
}

/// Runs a command to its end.
pub fn answer(command: &mut Command) -> Answer {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The rows of a CSV text.
pub fn rows(csv: &[u8]) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(csv);
    let names = reader.headers().unwrap().clone();
    let row = |values: csv::StringRecord| names.iter().zip(values.iter()).map(|(n, v)| (n.to_string(), v.to_string())).collect();
    reader.records().map(|r| row(r.unwrap())).collect()
}

pub fn rows_of(path: &Path) -> Vec<Row> {
    rows(&fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// The files below a folder, by relative path.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        for path in entries(&at) {
            if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(path.strip_prefix(folder).unwrap().into(), fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// What lies in a folder, in order.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut all: Vec<PathBuf> = read.map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

pub fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    for (path, bytes) in files(from) {
        fs::create_dir_all(to.join(&path).parent().unwrap()).unwrap();
        fs::write(to.join(path), bytes).unwrap();
    }
}

/// A program that only tests use, installed by `make test-tools`; none, visibly, if it is not there.
fn test_tool(variable: &str, default: &str) -> Option<PathBuf> {
    let default = || std::env::home_dir().unwrap_or_default().join(default);
    let program = std::env::var_os(variable).map_or_else(default, PathBuf::from);
    program.exists().then_some(program)
}

/// Python with the packages of tests/requirements.txt, if it has the one named (and says so if not).
pub fn python(package: &str) -> Option<PathBuf> {
    let program = test_tool("PERKINS_TEST_PYTHON", ".cache/perkins/venv/bin/python");
    let has = |p: &PathBuf| Command::new(p).args(["-c", &format!("import {package}")]).output().is_ok_and(|o| o.status.success());
    let found = program.filter(has);
    if found.is_none() {
        skipped(&format!("no Python with {package}: `make test-tools` installs it"));
    }
    found
}

/// The emulator of Azure Blob Storage, if it is there (and says so if not).
pub fn azurite() -> Option<PathBuf> {
    let found = test_tool("PERKINS_TEST_AZURITE", ".cache/perkins/node/node_modules/.bin/azurite-blob");
    if found.is_none() {
        skipped("no azurite: `make test-tools` installs it");
    }
    found
}

/// Says that something was left out, and why: it must not look as if it had passed. Written past the test harness, which hides what passes.
pub fn skipped(why: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// Does the same with each item on all cores; what is wrong comes back in the order of the items.
pub fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    let worker = || {
        while let Some((i, item)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, items.get(i)?))) {
            let problems = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(item))).unwrap_or_else(|panic| {
                let said = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()));
                vec![said.unwrap_or_else(|| "panicked".into())]
            });
            found.lock().unwrap_or_else(PoisonError::into_inner).insert(i, problems);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().flatten().collect()
}

/// How a table is read: its key, and within what the rows given are all there are.
#[derive(Debug, Clone)]
pub struct Reading {
    key: Vec<String>,
    within: Vec<String>,
    /// Complete only in rows with denominator `true`; the others may be left out.
    only_denominator: bool,
}

/// The table "key | complete within" of tests/golden/README.md; the README is the rule, not this file.
pub fn readings() -> BTreeMap<String, Reading> {
    let readme = fs::read_to_string(home().join("tests/golden/README.md")).unwrap();
    let mut lines = readme.lines().skip_while(|l| !(l.starts_with("| table") && l.contains("key") && l.contains("complete within")));
    lines.next().expect("tests/golden/README.md has no table of keys");
    let cells = |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|c| c.trim().to_string()).collect() };
    let columns =
        |cell: &str| -> Vec<String> { cell.split(',').map(str::trim).take_while(|c| !c.contains(' ')).map(str::to_string).collect() };
    let mut all = BTreeMap::new();
    for line in lines.skip(1).take_while(|l| l.starts_with('|')) {
        let cells = cells(line);
        let [table, key, within] = &cells[..] else { panic!("tests/golden/README.md: {line}") };
        let reading = Reading { key: columns(key), within: columns(within), only_denominator: within.contains("denominator `true`") };
        all.insert(table.clone(), reading);
    }
    assert!(all.len() > 3, "{all:?}");
    all
}

/// Arrow types of the columns of a table, from the run's manifest.
pub fn types(manifest: &Value, table: &str) -> BTreeMap<String, String> {
    let tables = manifest["tables"].as_array().unwrap();
    let found = tables.iter().find(|t| t["name"] == table).unwrap_or_else(|| panic!("the run has no table {table}"));
    let columns = found["columns"].as_array().unwrap();
    columns.iter().map(|c| (c["name"].as_str().unwrap().into(), c["type"].as_str().unwrap().into())).collect()
}

/// Compares a table with what is expected; gives what is wrong, each with key, column, expected and got.
pub fn compare(table: &str, types: &BTreeMap<String, String>, expected: &[Row], actual: &[Row]) -> Vec<String> {
    let readings = readings();
    let Some(reading) = readings.get(table) else { return vec![format!("{table}: tests/golden/README.md does not say how to read it")] };
    let given: BTreeSet<&String> = expected.iter().flat_map(|r| r.keys()).collect();
    if let Some(column) = reading.key.iter().find(|c| !given.contains(c)).or(given.into_iter().find(|c| !types.contains_key(*c))) {
        return vec![format!("{table}: column {column} is not there")];
    }
    let pick = |row: &Row, columns: &[String]| -> Vec<String> { columns.iter().map(|c| row[c].clone()).collect() };
    let stated: BTreeSet<Vec<String>> = expected.iter().map(|r| pick(r, &reading.within)).collect();
    let mut problems = Vec::new();
    let mut found: BTreeMap<Vec<String>, &Row> = BTreeMap::new();
    for row in actual.iter().filter(|r| stated.contains(&pick(r, &reading.within))) {
        if found.insert(pick(row, &reading.key), row).is_some() {
            problems.push(format!("{table} [{}]: is there twice", shown(row, &reading.key)));
        }
    }
    for row in expected {
        let got = found.remove(&pick(row, &reading.key));
        problems.extend(compare_row(table, types, reading, row, got));
    }
    let extra = found.into_values().filter(|r| !reading.only_denominator || r["denominator"] == "true");
    problems
        .extend(extra.map(|r| format!("{table} [{}]: expected no such row, got {}", shown(r, &reading.key), shown_rest(r, &reading.key))));
    problems
}

fn compare_row(table: &str, types: &BTreeMap<String, String>, reading: &Reading, expected: &Row, got: Option<&Row>) -> Vec<String> {
    let at = format!("{table} [{}]", shown(expected, &reading.key));
    // A figure of nobody has no row.
    let nobody = ["denominator", "students", "total_students"].iter().any(|c| expected.get(*c).is_some_and(|v| v == "0"));
    let outside = reading.only_denominator && expected["denominator"] == "false";
    let Some(got) = got else {
        return if nobody || outside { vec![] } else { vec![format!("{at}: expected {}, got no row", shown_rest(expected, &reading.key))] };
    };
    if nobody {
        return vec![format!("{at}: expected no row (denominator 0), got {}", shown_rest(got, &reading.key))];
    }
    let mut problems = Vec::new();
    for (column, value) in expected.iter().filter(|(c, _)| !reading.key.contains(c)) {
        let open = outside && column == "exclusion" && value.is_empty();
        if !open && !same(&types[column], value, &got[column]) {
            problems.push(format!("{at} {column}: expected {value:?}, got {:?}", got[column]));
        }
    }
    if reading.only_denominator && outside == got["exclusion"].is_empty() {
        problems.push(format!("{at} exclusion: expected {}, got {:?}", if outside { "a reason" } else { "null" }, got["exclusion"]));
    }
    problems
}

/// Whether two values are equal as the column's type says: numbers as numbers, yes or no in any case, text exactly.
pub fn same(kind: &str, expected: &str, got: &str) -> bool {
    if expected.is_empty() || got.is_empty() {
        return expected == got;
    }
    let number = ["Int", "UInt", "Float", "Decimal"].iter().any(|k| kind.starts_with(k));
    match (expected.parse::<f64>(), got.parse::<f64>()) {
        (Ok(a), Ok(b)) if number => (a - b).abs() <= 1e-9,
        _ if kind == "Boolean" => expected.eq_ignore_ascii_case(got),
        _ => expected == got,
    }
}

fn shown(row: &Row, columns: &[String]) -> String {
    columns.iter().map(|c| format!("{c}={}", row[c])).collect::<Vec<_>>().join(" ")
}

fn shown_rest(row: &Row, key: &[String]) -> String {
    row.iter().filter(|(c, _)| !key.contains(c)).map(|(c, v)| format!("{c}={v}")).collect::<Vec<_>>().join(" ")
}

/// A small raw folder and what must come of it for some jurisdictions.
pub struct Case {
    pub name: String,
    pub given: PathBuf,
    /// Jurisdiction and folder with `<table>.csv`.
    pub expected: Vec<(String, PathBuf)>,
}

impl Case {
    /// The case of a folder, with the names of its subfolders.
    pub fn new(name: String, folder: &Path, given: &str, prefix: &str) -> Case {
        let folders = entries(folder).into_iter().filter(|p| p.is_dir());
        let expected = folders.filter_map(|p| Some((self::name(&p).strip_prefix(prefix)?.to_string(), p))).collect();
        Case { name, given: folder.join(given), expected }
    }

    /// Ingests, runs every jurisdiction for the years that occur in its files, and compares the tables; with `years_apart` (it takes time),
    /// again year by year: then a run must find the earlier years itself.
    pub fn check(&self, years_apart: bool) -> Vec<String> {
        let place = Place::new();
        let ingested = place.perkins(&["ingest", text(&self.given), "--partitions", "1"]);
        if ingested.code != 0 {
            return vec![format!("{}: ingest ended with {}: {}", self.name, ingested.code, ingested.err)];
        }
        let mut problems = Vec::new();
        for counts in place.manifest("load")["collections"].as_array().unwrap() {
            if counts["rejected"].as_u64() != Some(0) {
                problems.push(format!("{}: rows of given are rejected: {counts}", self.name));
            }
        }
        for (jurisdiction, folder) in &self.expected {
            let found = self.check_jurisdiction(&place, jurisdiction, folder, years_apart);
            problems.extend(found.into_iter().map(|p| format!("{} {jurisdiction} {p}", self.name)));
        }
        problems
    }

    fn check_jurisdiction(&self, place: &Place, jurisdiction: &str, folder: &Path, years_apart: bool) -> Vec<String> {
        let tables: BTreeMap<String, Vec<Row>> =
            entries(folder).into_iter().filter_map(|p| Some((name(&p).strip_suffix(".csv")?.to_string(), rows_of(&p)))).collect();
        let years: BTreeSet<i32> = tables.values().flatten().map(|r| r["report_year"].parse().unwrap()).collect();
        if years.is_empty() {
            return vec!["expects nothing".into()];
        }
        let mut problems = check_run(place, jurisdiction, &tables, years.iter().copied(), &[]);
        if years_apart && years.len() > 1 && problems.is_empty() {
            let flags: Vec<String> = tables.keys().map(|t| format!("--table={t}")).collect();
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            for year in years {
                let of_year = |rows: &Vec<Row>| rows.iter().filter(|r| r["report_year"] == year.to_string()).cloned().collect();
                let tables = tables.iter().map(|(t, rows)| (t.clone(), of_year(rows))).collect();
                let found = check_run(place, jurisdiction, &tables, [year], &flags);
                problems.extend(found.into_iter().map(|p| format!("(report year {year} by itself) {p}")));
            }
        }
        problems
    }
}

fn check_run(
    place: &Place,
    jurisdiction: &str,
    tables: &BTreeMap<String, Vec<Row>>,
    years: impl IntoIterator<Item = i32>,
    flags: &[&str],
) -> Vec<String> {
    let years: Vec<String> = years.into_iter().map(|y| format!("--report-year={y}")).collect();
    let mut arguments = vec!["run", "--again", "--no-publish", "--jurisdiction", jurisdiction, "--partitions", "1"];
    arguments.extend(years.iter().map(String::as_str).chain(flags.iter().copied()));
    let answer = place.perkins(&arguments);
    if answer.code != 0 {
        return vec![format!("run ended with {}: {}", answer.code, answer.err)];
    }
    let manifest = place.manifest("run");
    let stated = tables.iter().filter(|(_, rows)| !rows.is_empty());
    stated.flat_map(|(table, rows)| compare(table, &types(&manifest, table), rows, &place.table(table))).collect()
}

/// Fails with what is wrong, each case at most so many times.
#[track_caller]
pub fn none_wrong(problems: &[String], cases: usize) {
    const SHOWN: usize = 80;
    let shown = problems.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "{} differences in {cases} cases:\n{shown}", problems.len());
}
