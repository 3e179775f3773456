//! What those see who watch `perkins` from outside: logs, metrics, lineage events, and a line for a mail.

use crate::support::{Place, answer, files, home, place, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;

const ALL: [&str; 6] = ["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024"];

fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Every node, table and collection tells its run, its rows, its bytes, and the nodes how long they took; all lines of a call have its id.
#[test]
fn a_log_as_json_tells_of_every_node() {
    let place = place();
    place.works(&[&ALL[..], &["--log-format", "json", "--log-file", "night.log"]].concat());
    let log = lines(&place.path().join("night.log"));
    let run = place.manifest("run");
    let of = |message: &str| log.iter().filter(|e| e["message"] == message).collect::<Vec<_>>();
    let nodes = of("node done");
    let names: BTreeSet<&str> = nodes.iter().map(|e| e["node"].as_str().unwrap()).collect();
    let timed: BTreeSet<&str> = run["timings"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, timed, "the nodes that the manifest has times of");
    for node in &nodes {
        assert_eq!(node["run"], run["run_id"], "{node}");
        assert!(node["rows"].is_u64() && node["bytes"].is_u64() && node["seconds"].is_f64(), "{node}");
    }
    // The rows of a table's node are those of its files.
    let written = of("table written");
    let files = run["files"].as_array().unwrap();
    assert_eq!(written.len(), files.len());
    for file in files {
        let line = written.iter().find(|e| e["table"] == file["table"]).unwrap();
        let node = nodes.iter().find(|e| e["node"] == file["table"]).unwrap();
        assert_eq!((&line["rows"], &line["bytes"], &node["rows"]), (&file["rows"], &file["bytes"], &file["rows"]), "{line} {node}");
    }
    let read = of("collection read");
    for counts in place.manifest("load")["collections"].as_array().unwrap() {
        let line = read.iter().find(|e| e["node"] == counts["collection"]).unwrap();
        assert_eq!((&line["rows"], &line["rejected"]), (&counts["read"], &counts["rejected"]));
        assert!(line["bytes"].as_u64().unwrap() > 0 && line["seconds"].is_f64(), "{line}");
    }
    let calls: BTreeSet<&str> = nodes.iter().chain(&read).map(|e| e["span"]["id"].as_str().unwrap()).collect();
    assert_eq!(calls.len(), 1, "one call, one id");
    assert_eq!(of("table made public").len(), files_of_release(&place));
    // Another night is appended, and says that nothing was done.
    let before = log.len();
    place.works(&[&ALL[..], &["--log-format", "json", "--log-file", "night.log"]].concat());
    let log = lines(&place.path().join("night.log"));
    assert!(log[before..].iter().any(|e| e["message"] == "unchanged" && e["run"] == run["run_id"]), "{:?}", &log[before..]);
    assert!(log[before..].iter().all(|e| e["message"] != "node done"));
}

fn files_of_release(place: &Place) -> usize {
    let public = place.path().join("public/runs").join(place.manifest("run")["run_id"].as_str().unwrap());
    files(&public).keys().filter(|p| p.extension().is_some_and(|e| e == "parquet")).count()
}

#[test]
fn logs_go_where_they_are_asked_for() {
    let place = place();
    let quiet = place.perkins(&["ingest", "raw"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""), "no news without being asked");
    let told = place.perkins(&["ingest", "raw", "--restricted", "other", "--log-level", "info"]);
    assert!(told.err.contains("collection read") && told.err.contains("load committed"), "{}", told.err);
    place.perkins(&["ingest", "raw", "--log-level", "bogus"]).refuses(3, &["bogus", "--log-level", "info"]);
    place.perkins(&["ingest", "raw", "--log-level", "perkins=loud"]).refuses(3, &["perkins=loud", "--log-level", "info"]);
    place.perkins(&["ingest", "raw", "--log-file", "no/such/folder/log"]).refuses(3, &["no/such/folder/log"]);
    // With the log in a file, people still see on standard error what went wrong.
    let failed = place.perkins(&["ingest", "nowhere", "--log-file", "log", "--log-format", "json"]);
    failed.refuses(3, &["error: ", "nowhere", "perkins ingest: failed with exit code 3"]);
    assert!(lines(&place.path().join("log")).iter().any(|e| e["level"] == "ERROR" && e["exit_code"] == 3));
}

/// The last line: what was done, in a form that is the same every night but for its figures.
#[test]
fn one_line_says_what_a_command_did() {
    let place = place();
    let last = |arguments: &[&str]| place.works(arguments).lines().last().unwrap().to_string();
    let without_time = |line: String| line.rsplit_once(", ").map(|(l, t)| (l.to_string(), t.ends_with(" s"))).unwrap();
    let load = |place: &Place| place.manifest("load")["collections"].as_array().unwrap().clone();
    let (ingested, timed) = without_time(last(&["ingest", "raw"]));
    let read: u64 = load(&place).iter().map(|c| c["read"].as_u64().unwrap()).sum();
    assert_eq!((ingested, timed), (format!("perkins ingest: done, {read} rows in, 0 rejected"), true));
    let (ran, _) = without_time(last(&["run", "--jurisdiction", "oregon", "--report-years", "2023..2024"]));
    let tables = place.manifest("run")["tables"].as_array().unwrap().len();
    assert!(
        ran.starts_with(&format!("perkins run oregon 2023 to 2024: done, {tables} tables, ")) && ran.ends_with(" figures public"),
        "{ran}"
    );
    let (again, _) = without_time(last(&["all", "raw", "--jurisdiction", "oregon", "--report-years", "2023..2024"]));
    assert_eq!(again, "perkins all oregon 2023 to 2024: unchanged");
    // What fails says so on standard error.
    std::fs::write(place.raw().join("student.csv"), "school_year\n").unwrap();
    let failed = place.perkins(&["all", "raw", "--jurisdiction", "oregon"]);
    assert!(
        failed.code != 0
            && failed.err.lines().last().unwrap().starts_with(&format!("perkins all: failed with exit code {}, ", failed.code))
    );
    assert!(!failed.out.contains("failed with"), "{}", failed.out);
}

/// The samples of a Prometheus text file, by name and labels; fails unless every family is said with HELP and TYPE, once, before its samples,
/// which follow each other, and every name, label, escape and value is as the format wants it (prometheus.io, exposition formats).
fn samples(exposition: &str) -> BTreeMap<(String, BTreeMap<String, String>), f64> {
    assert!(exposition.ends_with('\n'), "the last line ends");
    let is_name =
        |n: &str| n.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let (mut samples, mut families, mut family) = (BTreeMap::new(), BTreeSet::new(), String::new());
    let mut lines = exposition.lines();
    while let Some(line) = lines.next() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").map(|l| l.split_once(' ').unwrap()) {
            assert!(is_name(name) && !help.is_empty() && families.insert(name.to_string()), "{line}");
            assert_eq!(lines.next().unwrap(), format!("# TYPE {name} gauge"));
            family = name.into();
            continue;
        }
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
        assert_eq!(name, family, "{line}");
        let mut labels = BTreeMap::new();
        let mut rest = rest;
        while rest.starts_with(['{', ',']) {
            let (label, value) = rest[1..].split_once("=\"").unwrap();
            assert!(is_name(label), "{line}");
            let mut unescaped = String::new();
            let mut at = value.char_indices();
            let end = loop {
                match at.next().unwrap() {
                    (_, '\\') => unescaped.push(match at.next().unwrap().1 {
                        'n' => '\n',
                        c @ ('"' | '\\') => c,
                        c => panic!("\\{c} in {line}"),
                    }),
                    (end, '"') => break end,
                    (_, c) => unescaped.push(c),
                }
            };
            assert!(labels.insert(label.to_string(), unescaped).is_none(), "{line}");
            rest = &value[end + 1..];
        }
        let value = rest.strip_prefix('}').unwrap_or(rest).strip_prefix(' ').unwrap();
        assert!(samples.insert((name.to_string(), labels), value.parse().unwrap()).is_none(), "twice: {line}");
    }
    samples
}

#[test]
fn metrics_are_what_prometheus_reads() {
    let place = place();
    let file = place.path().join("perkins.prom");
    let read = || samples(&std::fs::read_to_string(&file).unwrap());
    let of = |name: &str, labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(l, v)| (l.to_string(), v.to_string())).collect();
        read().get(&(name.to_string(), labels)).copied()
    };
    let all = [("command", "all")];
    place.works(&[&ALL[..], &["--metrics", "perkins.prom"]].concat());
    for outcome in ["done", "unchanged", "failed"] {
        let expected = f64::from(u8::from(outcome == "done"));
        assert_eq!(of("perkins_last_outcome", &[("command", "all"), ("outcome", outcome)]), Some(expected), "{outcome}");
    }
    assert_eq!(of("perkins_last_exit_code", &all), Some(0.0));
    let success = of("perkins_last_success_timestamp_seconds", &all).unwrap();
    assert_eq!(of("perkins_last_end_timestamp_seconds", &all), Some(success));
    assert!(of("perkins_last_duration_seconds", &all).unwrap() > 0.0);
    for counts in place.manifest("load")["collections"].as_array().unwrap() {
        let accepted = of("perkins_load_rows", &[("collection", counts["collection"].as_str().unwrap()), ("result", "accepted")]);
        assert_eq!(accepted, counts["accepted"].as_f64());
    }
    for f in place.manifest("run")["files"].as_array().unwrap() {
        let labels = [("jurisdiction", "oregon"), ("table", f["table"].as_str().unwrap()), ("report_year", "2024")];
        assert_eq!(
            (of("perkins_table_rows", &labels), of("perkins_table_bytes", &labels)),
            (f["rows"].as_f64(), f["bytes"].as_f64()),
            "{f}"
        );
    }
    assert_eq!(of("perkins_audit_findings", &[("jurisdiction", "oregon")]), Some(0.0));
    let figures: f64 = read()
        .iter()
        .filter(|((name, labels), _)| name == "perkins_public_figures" && labels["table"] == "public_performance")
        .map(|(_, v)| v)
        .sum();
    let released = place.path().join("public/runs").join(place.manifest("run")["run_id"].as_str().unwrap()).join("manifest.json");
    let released: Value = serde_json::from_slice(&std::fs::read(released).unwrap()).unwrap();
    let rows = released["files"].as_array().unwrap().iter().find(|f| f["table"] == "public_performance").unwrap()["rows"].as_f64();
    assert_eq!(Some(figures), rows);
    // A failed night keeps the time of the last success.
    std::fs::write(place.raw().join("student.csv"), "school_year\n").unwrap();
    let mut command = place.command();
    let failed = answer(command.args(ALL).env("PERKINS_METRICS", &file));
    assert_eq!(of("perkins_last_exit_code", &all), Some(f64::from(failed.code)));
    assert_eq!(of("perkins_last_outcome", &[("command", "all"), ("outcome", "failed")]), Some(1.0));
    assert_eq!(of("perkins_last_success_timestamp_seconds", &all), Some(success));
    // Another command too; and nothing but the file is left behind.
    place.file("perkins.toml", "metrics = \"perkins.prom\"\n");
    place.works(&["run", "--jurisdiction", "oregon", "--report-year", "2024", "--no-publish"]);
    assert_eq!(of("perkins_last_success_timestamp_seconds", &all), Some(success));
    assert!(of("perkins_last_success_timestamp_seconds", &[("command", "run")]).unwrap() >= success);
    assert_eq!(files(place.path()).keys().filter(|p| p.to_string_lossy().contains(".prom")).count(), 1);
    // Where it can't be written, that is said, and nothing else is lost.
    let said =
        place.perkins(&["run", "--jurisdiction", "oregon", "--report-year", "2024", "--no-publish", "--metrics", "no/folder/x.prom"]);
    assert!(said.code == 0 && said.err.contains("no metrics") && said.err.contains("no/folder"), "{}", said.err);
}

/// An event is what the schema of OpenLineage (spec/OpenLineage.json, 2-0-2) wants: its required entries, of the right form, and facets that
/// say who made them and by which schema.
fn check_event(event: &Value) {
    let object = |v: &Value, what: &str| v.as_object().unwrap_or_else(|| panic!("{what}: {event}")).clone();
    for required in ["eventTime", "producer", "schemaURL", "run", "job"] {
        assert!(event.get(required).is_some(), "{required}: {event}");
    }
    assert!(["START", "COMPLETE", "FAIL"].contains(&event["eventType"].as_str().unwrap()));
    assert_eq!(event["schemaURL"], "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    let time = event["eventTime"].as_str().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z') && &time[10..11] == "T", "{time}");
    let id = event["run"]["runId"].as_str().unwrap();
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    assert!(groups == [8, 4, 4, 4, 12] && id.chars().all(|c| c == '-' || c.is_ascii_hexdigit()), "{id}");
    let mut facets: Vec<Value> = vec![event["run"]["facets"].clone(), event["job"]["facets"].clone()];
    assert!(event["job"]["namespace"].is_string() && event["job"]["name"].is_string());
    for set in event["inputs"].as_array().unwrap().iter().chain(event["outputs"].as_array().unwrap()) {
        assert!(set["namespace"] == "file" && Path::new(set["name"].as_str().unwrap()).is_absolute(), "{set}");
        facets.push(set["facets"].clone());
        facets.extend(set.get("outputFacets").cloned());
    }
    for (name, facet) in facets.iter().flat_map(|f| object(f, "facets")) {
        let schema = facet["_schemaURL"].as_str().unwrap();
        assert!(schema.starts_with("https://openlineage.io/spec/facets/") && facet["_producer"].is_string(), "{name}: {schema}");
    }
}

fn of_job<'a>(events: &'a [Value], job: &str) -> Vec<&'a Value> {
    events.iter().filter(|e| e["job"]["name"] == job).collect()
}

#[test]
fn lineage_tells_what_was_made_of_what() {
    let place = place();
    place.works(&[&ALL[..], &["--lineage-to", "events.ndjson"]].concat());
    let events = lines(&place.path().join("events.ndjson"));
    events.iter().for_each(check_event);
    let command = events[0]["run"]["runId"].as_str().unwrap();
    for job in ["command.all", "load", "run.oregon", "release.oregon"] {
        let of = of_job(&events, job);
        assert_eq!(of.iter().map(|e| e["eventType"].as_str().unwrap()).collect::<Vec<_>>(), ["START", "COMPLETE"], "{job}");
        assert_eq!(of[0]["run"]["runId"], of[1]["run"]["runId"]);
        let parent = &of[1]["run"]["facets"]["parent"];
        assert!(job == "command.all" || (parent["run"]["runId"] == command && parent["job"]["name"] == "command.all"), "{parent}");
    }
    // Ids follow from those of the manifests.
    let run = place.manifest("run");
    let run_id = run["run_id"].as_str().unwrap();
    let complete = |job: &str| of_job(&events, job)[1];
    assert_eq!(complete("run.oregon")["run"]["runId"], perkins::observe::uuid(run_id).as_str());
    assert_eq!(complete("load")["run"]["runId"], perkins::observe::uuid(place.manifest("load")["load_id"].as_str().unwrap()).as_str());
    assert_eq!(complete("release.oregon")["run"]["runId"], perkins::observe::uuid(&format!("release {run_id}")).as_str());
    // What the load made, the run reads; what the run made, the release reads.
    let names = |job: &str, of: &str| -> BTreeSet<String> {
        complete(job)[of].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(names("load", "outputs"), names("run.oregon", "inputs"));
    assert!(!names("release.oregon", "inputs").is_empty() && names("release.oregon", "inputs").is_subset(&names("run.oregon", "outputs")));
    assert!(names("load", "inputs").contains(text(&place.raw().join("student.csv"))));
    // Columns, rows and bytes as the manifest has them.
    for table in run["tables"].as_array().unwrap() {
        let outputs = complete("run.oregon")["outputs"].as_array().unwrap();
        let ending = format!("/oregon/{}", table["name"].as_str().unwrap());
        let set = outputs.iter().find(|o| o["name"].as_str().unwrap().ends_with(&ending)).unwrap();
        let column = |c: &Value| (c["name"].clone(), c["type"].clone());
        let fields: Vec<_> = set["facets"]["schema"]["fields"].as_array().unwrap().iter().map(column).collect();
        assert_eq!(fields, table["columns"].as_array().unwrap().iter().map(column).collect::<Vec<_>>());
        let of = run["files"].as_array().unwrap().iter().filter(|f| f["table"] == table["name"]);
        let (rows, bytes) = of.fold((0, 0), |(r, b), f| (r + f["rows"].as_u64().unwrap(), b + f["bytes"].as_u64().unwrap()));
        let statistics = &set["outputFacets"]["outputStatistics"];
        assert_eq!((statistics["rowCount"].as_u64(), statistics["size"].as_u64()), (Some(rows), Some(bytes)), "{statistics}");
        // Every column is said, `place` is not written and not said.
        let lineage = set["facets"]["columnLineage"]["fields"].as_object().unwrap();
        assert_eq!(
            lineage.keys().collect::<BTreeSet<_>>(),
            table["columns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| match &c["name"] {
                    Value::String(s) => s,
                    _ => panic!(),
                })
                .collect()
        );
    }
    // Whether a student has a nontraditional program follows from the crosswalk and the gender; the credits do not.
    let status = complete("run.oregon")["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|o| o["name"].as_str().unwrap().ends_with("/student_program"))
        .unwrap();
    let from = |column: &str| -> BTreeSet<String> {
        let inputs = status["facets"]["columnLineage"]["fields"][column]["inputFields"].as_array().unwrap();
        inputs
            .iter()
            .map(|i| format!("{}.{}", i["name"].as_str().unwrap().rsplit('/').next().unwrap(), i["field"].as_str().unwrap()))
            .collect()
    };
    assert!(
        from("is_nontraditional").contains("student.gender") && !from("credits").contains("student.gender"),
        "{:?}",
        from("is_nontraditional")
    );
    // An unchanged night made nothing: only the command is told of. One that fails says what failed, and in which job.
    place.works(&[&ALL[..], &["--lineage-to", "second.ndjson"]].concat());
    assert_eq!(
        lines(&place.path().join("second.ndjson")).iter().map(|e| e["job"]["name"].clone()).collect::<Vec<_>>(),
        ["command.all", "command.all"]
    );
    std::fs::write(place.raw().join("student.csv"), "school_year\n").unwrap();
    assert_ne!(place.perkins(&[&ALL[..], &["--lineage-to", "third.ndjson"]].concat()).code, 0);
    let events = lines(&place.path().join("third.ndjson"));
    events.iter().for_each(check_event);
    let kinds: Vec<(&str, &str)> = events.iter().map(|e| (e["job"]["name"].as_str().unwrap(), e["eventType"].as_str().unwrap())).collect();
    assert_eq!(kinds, [("command.all", "START"), ("load", "START"), ("load", "FAIL"), ("command.all", "FAIL")]);
    assert!(events[2]["run"]["facets"]["errorMessage"]["message"].as_str().unwrap().contains("student.csv"), "{}", events[2]);
}

/// Answers so many requests, each with a status; gives back their heads and bodies.
fn server(status: &'static str, requests: usize) -> (String, std::thread::JoinHandle<Vec<(String, Value)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let work = move || {
        let mut got = Vec::new();
        while got.len() < requests {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            loop {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap_or(0) > 0 {}
                let Some(length) = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok())
                else {
                    break;
                };
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                got.push((head, serde_json::from_slice(&body).unwrap()));
                stream.get_mut().write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap();
            }
        }
        got
    };
    (address, std::thread::spawn(work))
}

#[test]
fn lineage_goes_to_a_server() {
    let place = place();
    // Two events each of the command and its load.
    let (address, got) = server("201 Created", 4);
    let mut command = place.command();
    command.args(["ingest", "raw"]).envs([
        ("OPENLINEAGE_URL", address.as_str()),
        ("OPENLINEAGE_API_KEY", "k3y"),
        ("OPENLINEAGE_NAMESPACE", "nightly"),
    ]);
    let said = answer(&mut command);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let got = got.join().unwrap();
    for (head, event) in &got {
        check_event(event);
        let head = head.to_lowercase();
        assert!(head.starts_with("post /api/v1/lineage http/1.1") && head.contains("content-type: application/json"), "{head}");
        assert!(head.contains("authorization: bearer k3y") && event["job"]["namespace"] == "nightly", "{head} {event}");
    }
    let kinds: Vec<(&str, &str)> =
        got.iter().map(|(_, e)| (e["job"]["name"].as_str().unwrap(), e["eventType"].as_str().unwrap())).collect();
    assert_eq!(kinds, [("command.ingest", "START"), ("load", "START"), ("load", "COMPLETE"), ("command.ingest", "COMPLETE")]);
    // A flag goes before the variable; an address with a path is taken as it is; a server that refuses is asked once, and the load is made.
    let (address, got) = server("500 Internal Server Error", 1);
    let said = place.perkins(&["ingest", "raw", "--restricted", "second", "--lineage-to", &format!("{address}/own/path")]);
    assert!(said.code == 0 && said.err.matches("lineage events are lost").count() == 1 && said.err.contains("500"), "{}", said.err);
    assert!(got.join().unwrap()[0].0.starts_with("POST /own/path "));
    // So does one that is not there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = place.perkins(&["ingest", "raw", "--restricted", "third", "--lineage-to", &format!("http://{closed}")]);
    assert!(said.code == 0 && said.err.contains("lineage events are lost"), "{}", said.err);
    assert!(place.path().join("third/lake").is_dir());
}

/// Ids and names of the students of the sample are in no log, metric or event.
#[test]
fn nobody_who_watches_sees_a_student() {
    let place = Place::new();
    crate::support::copy(&home().join("data/sample"), &place.raw());
    let flags = [
        "--log-format",
        "json",
        "--log-file",
        "log",
        "--log-level",
        "perkins=debug",
        "--metrics",
        "perkins.prom",
        "--lineage-to",
        "events",
    ];
    place.works(&[&ALL[..], &flags].concat());
    let mut values = crate::cli::values_of_students(&place.raw());
    // A name may be a word that we use ourselves, in a description of a column.
    let ours: String =
        ["data/contract", "sql"].iter().flat_map(|f| files(&home().join(f)).into_values()).map(|b| String::from_utf8(b).unwrap()).collect();
    let ours: BTreeSet<&str> = ours.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    values.retain(|v| !ours.contains(v.as_str()));
    assert!(values.len() > 3000, "{}", values.len());
    for file in ["log", "perkins.prom", "events"] {
        let told = std::fs::read_to_string(place.path().join(file)).unwrap();
        let leaked: Vec<&str> = told.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|w| values.contains(*w)).collect();
        assert!(!told.is_empty() && leaked.is_empty(), "{file}: {leaked:?}");
    }
}
