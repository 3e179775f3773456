//! The examples of docs/operation, and every command line in the documentation, are taken as they stand.

use crate::support::{Place, answer, files, home, name, python, skipped, text};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn operation(file: &str) -> PathBuf {
    home().join("docs/operation").join(file)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Words as a shell has them, up to a comment or what follows the command.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '#' | '|' | ';' | '&' | '>') if word.is_none() => break,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The command lines of a text: lines of code that start with the program, and spans of code that do.
fn commands(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter_map(|l| l.find("perkins ").filter(|at| l[..*at].chars().all(|c| !c.is_whitespace())).map(|at| &l[at..]));
    let lines = lines.filter(|l| !l.contains('`')).flat_map(|l| l.split("   ").map(str::trim)).filter(|l| l.starts_with("perkins "));
    let spans = text.split('`').skip(1).step_by(2).filter(|s| s.starts_with("perkins ") && !s.contains('\n'));
    let whole = |c: &&str| c.split_whitespace().nth(1).is_some_and(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    lines.chain(spans).filter(whole).filter(|c| !["…", "[", ": "].iter().any(|open| c.contains(open))).map(str::to_string).collect()
}

/// Fails unless the program knows every flag and takes every value: it shows its help at the end of a line, once all before it is understood.
fn understood(place: &Place, arguments: &[String], at: &str) {
    let said = answer(place.command().args(arguments).arg("--help"));
    assert_eq!(said.code, 0, "{at}: perkins {}\n{}", arguments.join(" "), said.err);
    assert!(said.out.contains("Usage: perkins"), "{at}: {}", said.out);
}

#[test]
fn every_command_line_in_the_documentation_is_understood() {
    let place = Place::new();
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md"].map(|p| home().join(p)).to_vec();
    pages.extend(
        files(&home().join("docs")).into_keys().filter(|p| p.extension().is_some_and(|e| e == "md")).map(|p| home().join("docs").join(p)),
    );
    let mut seen = 0;
    for page in pages {
        for line in commands(&read(&page)) {
            understood(&place, &words(&line)[1..], &page.display().to_string());
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
    // What is wrong is not understood.
    let wrong = answer(place.command().args(["run", "--jurisdictoin", "oregon", "--help"]));
    assert_eq!(wrong.code, 3, "{}", wrong.out);
}

/// The words of a command in a unit or a crontab, after the program's path.
fn after_program(line: &str) -> Vec<String> {
    let words = words(line);
    let at = words.iter().position(|w| w == "/usr/local/bin/perkins").unwrap_or_else(|| panic!("{line}"));
    words[at + 1..].to_vec()
}

#[test]
fn the_units_for_systemd_are_right() {
    let place = Place::new();
    let service = read(&operation("perkins.service"));
    let starts: Vec<&str> = service.lines().filter(|l| l.starts_with("ExecStart")).collect();
    assert_eq!(starts.len(), 2);
    starts.iter().for_each(|l| understood(&place, &after_program(&l.replacen('=', " ", 1)), "perkins.service"));
    // systemd looks for the program: here is the one under test.
    let program = place.command().get_program().to_str().unwrap().to_string();
    let units =
        [("perkins.service", service.replace("/usr/local/bin/perkins", &program)), ("perkins.timer", read(&operation("perkins.timer")))];
    let paths = units.map(|(name, unit)| place.file(name, &unit));
    match Command::new("systemd-analyze").arg("verify").args(&paths).output() {
        Err(_) => skipped("no systemd-analyze: the units were not verified"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            // It also tells of the units of this machine that ours want.
            let of_ours: Vec<&str> = said.lines().filter(|l| l.contains("perkins.")).collect();
            assert!(of_ours.is_empty(), "{said}");
        }
    }
}

/// Whether a field of a crontab allows only numbers of its range.
fn is_field(field: &str, range: std::ops::RangeInclusive<u32>) -> bool {
    let number = |n: &str| n.parse().is_ok_and(|n: u32| range.contains(&n));
    field.split(',').all(|part| {
        let (part, step) = part.split_once('/').map_or((part, "1"), |(p, s)| (p, s));
        let ends = part.split_once('-').map_or(part == "*" || number(part), |(a, b)| number(a) && number(b));
        ends && step.parse::<u32>().is_ok_and(|s| s > 0)
    })
}

#[test]
fn the_crontab_is_right() {
    let place = Place::new();
    let crontab = read(&operation("crontab"));
    assert!(crontab.ends_with('\n'), "cron does not run a last line without an end");
    let mut jobs = 0;
    for line in crontab.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let Some((variable, _)) = line.split_once('=').filter(|_| fields.len() == 1) {
            assert!(variable.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{line}");
            continue;
        }
        let ranges = [0..=59, 0..=23, 1..=31, 1..=12, 0..=7];
        assert!(ranges.into_iter().zip(&fields).all(|(range, field)| is_field(field, range)), "{line}");
        // In a crontab, % ends the command.
        assert!(fields[5] == "perkins" && !line.contains('%'), "{line}");
        understood(&place, &after_program(line), "crontab");
        jobs += 1;
    }
    assert_eq!(jobs, 2);
}

/// The Python files compile, and the commands in them, lists that begin with the program, are understood.
#[test]
fn the_graphs_for_airflow_and_dagster_are_right() {
    let Some(program) = python("ast") else { return };
    let place = Place::new();
    for file in ["airflow_dag.py", "dagster_job.py"] {
        let script = "
import ast, json, sys
tree = ast.parse(open(sys.argv[1]).read(), sys.argv[1])
compile(tree, sys.argv[1], 'exec')
known = {n.targets[0].id: n.value.value for n in tree.body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)}
value = lambda e: e.value if isinstance(e, ast.Constant) else known[e.id]
lists = [[value(e) for e in n.elts] for n in ast.walk(tree) if isinstance(n, ast.List) and n.elts and isinstance(n.elts[0], ast.Constant)]
print(json.dumps([l for l in lists if l[0] == 'perkins']))";
        let output = Command::new(&program).args(["-c", script, text(&operation(file))]).output().unwrap();
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        let commands: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(commands.len() >= 2, "{file}: {commands:?}");
        commands.iter().for_each(|c| understood(&place, &c[1..], name(&operation(file))));
    }
}
