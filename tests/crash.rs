//! SIGKILL at random moments: the former state or the next is there, whole, and going on gives the same bytes as if nothing had happened.
//!
//! `PERKINS_TEST_KILLS` says how many kills (`make crash`: 1,000), `PERKINS_TEST_SEED` where the random moments begin.

use crate::support::{Answer, Place, answer, copy, files, in_parallel, none_wrong, python, small};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What is killed, and how often at most before it may end.
const COMMANDS: [&[&str]; 3] = [
    &["ingest", "next"],
    &["run", "--again", "--jurisdiction", "oregon", "--report-year", "2024"],
    &["all", "next", "--jurisdiction", "oregon", "--report-year", "2024"],
];
const IN_A_ROW: u64 = 3;

/// Numbers that look random, the same for the same seed (Knuth's multiplier).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What a root shows: of load and runs, each file's content by its path, without the id that a run happens to have.
type State = BTreeMap<String, blake3::Hash>;

/// The state of a root, read from its files alone: the highest commit that can be read.
fn state(root: &Path) -> State {
    let commits = files(&root.join("_commits"));
    let read = |bytes: &Vec<u8>| serde_json::from_slice::<Value>(bytes).ok();
    let named = |path: &PathBuf| path.to_str().is_some_and(|p| p.ends_with(".json") && !p.starts_with('.'));
    let Some(commit) = commits.iter().rev().filter(|(p, _)| named(p)).find_map(|(_, bytes)| read(bytes)) else { return State::new() };
    let runs = commit["runs"].as_object().unwrap().values();
    let mut state = State::new();
    for pointer in runs.chain([&commit["load"]]).filter(|p| !p.is_null()) {
        let id = pointer["id"].as_str().unwrap();
        let manifest: Value = serde_json::from_slice(&fs::read(root.join(pointer["manifest"].as_str().unwrap())).unwrap()).unwrap();
        for file in manifest["files"].as_array().unwrap() {
            let path = file["path"].as_str().unwrap();
            let content = fs::read(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            state.insert(path.replace(id, "<id>"), blake3::hash(&content));
        }
    }
    state
}

/// The states of the restricted and the public root.
fn states(place: &Place) -> [State; 2] {
    let public = place.path().join("public");
    [state(&place.restricted()), if public.is_dir() { state(&public) } else { State::new() }]
}

/// A reader that shares nothing with the program: Python with pyarrow, which reads every file that the commits name.
struct Reader {
    _child: Child,
    asked: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Reader {
    fn start() -> Option<Mutex<Reader>> {
        let mut command = Command::new(python("pyarrow")?);
        command.arg(crate::support::home().join("tests/read_commits.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (asked, told) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Some(Mutex::new(Reader { _child: child, asked, told }))
    }

    /// What is wrong with a root; nothing if it is whole.
    fn wrong(&mut self, root: &Path) -> Option<String> {
        writeln!(self.asked, "{}", root.display()).unwrap();
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        Some(line.trim().to_string()).filter(|l| l != "whole")
    }
}

/// The places that every kill begins from: after a night, before the next.
struct Before {
    place: Place,
    /// For each command: how long it takes, and the states after it.
    after: Vec<(Duration, [State; 2])>,
}

fn next_night(place: &Place) {
    copy(&small(), &place.path().join("next"));
    let path = place.path().join("next/work_based_learning.csv");
    let raw = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{raw}2024,F,P1,internship,50\n")).unwrap();
}

fn command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = place.command();
    command.args(arguments).args(["--partitions", "2"]);
    command
}

fn works(place: &Place, arguments: &[&str]) -> Answer {
    answer(&mut command(place, arguments))
}

/// A copy of a place, as another folder.
fn copied(place: &Place) -> Place {
    let other = Place::new();
    copy(place.path(), other.path());
    other
}

fn before() -> Before {
    let place = Place::new();
    copy(&small(), &place.raw());
    next_night(&place);
    place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024"]);
    let after = COMMANDS.iter().map(|arguments| {
        let other = copied(&place);
        let start = Instant::now();
        let said = works(&other, arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
        (start.elapsed(), states(&other))
    });
    let after = after.collect();
    Before { place, after }
}

/// Starts a command and kills it after a while. Whether it was killed, and did not end before.
fn killed(place: &Place, arguments: &[&str], after: Duration) -> bool {
    let mut child = command(place, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    let running = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    let status = child.wait().unwrap();
    running && status.code().is_none()
}

/// What is wrong after a kill: `verify`, an independent reader, and states other than the former and the next.
fn wrong(place: &Place, reader: Option<&Mutex<Reader>>, former: &[State; 2], next: &[State; 2]) -> Vec<String> {
    let mut wrong = Vec::new();
    let verify = place.perkins(&["verify", "--read-data"]);
    if verify.code != 0 {
        wrong.push(format!("verify ended with {}: {}{}", verify.code, verify.out, verify.err));
    }
    let now = states(place);
    for (i, root) in ["restricted", "public"].into_iter().enumerate() {
        wrong.extend(reader.and_then(|r| r.lock().unwrap().wrong(&place.path().join(root))));
        let halves = now[i].iter().all(|(path, hash)| former[i].get(path) == Some(hash) || next[i].get(path) == Some(hash));
        if !halves || now[i].len() != former[i].len() && now[i].len() != next[i].len() {
            wrong.push(format!("{root} shows neither the former state nor the next"));
        }
    }
    wrong
}

/// Kills commands at random moments, up to a few times in a row, then lets them end.
fn kill(before: &Before, reader: Option<&Mutex<Reader>>, seed: u64, kills: u64) -> Vec<String> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (mut done, mut landed, mut problems) = (0, 0, Vec::new());
    let former = states(&before.place);
    while landed < kills && problems.is_empty() {
        let which = random.below(COMMANDS.len() as u64) as usize;
        let (arguments, (takes, next)) = (COMMANDS[which], &before.after[which]);
        let place = copied(&before.place);
        let mut told = |what: String| problems.push(format!("seed {seed}, round {done}, {arguments:?}: {what}"));
        for _ in 0..=random.below(IN_A_ROW) {
            let moment = Duration::from_micros(random.below(takes.as_micros() as u64 * 11 / 10));
            landed += u64::from(killed(&place, arguments, moment));
            wrong(&place, reader, &former, next).into_iter().for_each(|w| told(format!("killed after {moment:?}: {w}")));
        }
        let said = works(&place, arguments);
        if said.code != 0 {
            told(format!("started again, it ended with {}: {}", said.code, said.err));
        } else if states(&place) != *next {
            told("started again, it gave other bytes than undisturbed".into());
        } else {
            wrong(&place, reader, &former, next).into_iter().for_each(|w| told(format!("afterwards: {w}")));
        }
        done += 1;
    }
    println!("seed {seed}: {landed} kills in {done} rounds");
    problems
}

#[test]
fn a_kill_at_any_moment_leaves_the_former_state_or_the_next() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |v| v.parse().unwrap_or_else(|e| panic!("{name}: {e}")));
    let (kills, seed) = (number("PERKINS_TEST_KILLS", 20), number("PERKINS_TEST_SEED", 1));
    let (before, reader) = (before(), Reader::start());
    let seeds: Vec<u64> = (seed..seed + 4).collect();
    let problems = in_parallel(&seeds, |&seed| kill(&before, reader.as_ref(), seed, kills.div_ceil(4)));
    none_wrong(&problems, kills as usize);
}
