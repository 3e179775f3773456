//! Roots on object stores, through the real program: S3 (moto) and Azure Blob Storage (azurite), which the tests start; Google by its settings.

use crate::support::{Answer, Place, answer, azurite, copy, entries, files, home, loaded, place, python, small, text};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A store of objects that a test started; it ends with the test.
struct Service {
    child: Child,
    /// How the program gets there.
    environment: Vec<(String, String)>,
    /// Of a bucket or container that is there.
    url: &'static str,
    _folder: TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a program that listens on a free port.
fn listening(mut command: Command, port: u16) -> Child {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(60), "{command:?} does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn set(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

/// S3 by moto, with a bucket.
fn s3() -> Option<Service> {
    let (python, port, folder) = (python("moto.server")?, free_port(), tempfile::tempdir().unwrap());
    let mut command = Command::new(python);
    command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]).current_dir(folder.path());
    let child = listening(command, port);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "PUT /bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    let endpoint = format!("http://127.0.0.1:{port}");
    let environment = set(&[
        ("AWS_ENDPOINT", &endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "an-id"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-that-nobody-may-see"),
    ]);
    Some(Service { child, environment, url: "s3://bucket", _folder: folder })
}

/// Azure by azurite, with a container; the account and its key are those of the emulator, which its documentation gives.
fn azure() -> Option<Service> {
    let (azurite, python, port, folder) = (azurite()?, python("json")?, free_port(), tempfile::tempdir().unwrap());
    let mut command = Command::new(azurite);
    command
        .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string(), "--silent", "--skipApiVersionCheck", "--location"])
        .arg(folder.path());
    let child = listening(command, port);
    let made = Command::new(python).arg(home().join("tests/make_container.py")).args([&port.to_string(), "bucket"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let environment = set(&[("AZURE_STORAGE_USE_EMULATOR", "true"), ("AZURITE_BLOB_STORAGE_URL", &format!("http://127.0.0.1:{port}"))]);
    Some(Service { child, environment, url: "az://bucket", _folder: folder })
}

/// A machine: a folder with raw files, and a cache of its own.
struct Machine<'a> {
    place: Place,
    service: &'a Service,
}

impl Machine<'_> {
    fn new(service: &Service) -> Machine<'_> {
        let place = Place::new();
        copy(&small(), &place.raw());
        Machine { place, service }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command();
        let root = |name: &str| format!("{}/perkins/{name}", self.service.url);
        command.args(arguments).envs(self.service.environment.iter().cloned());
        command.env("PERKINS_RESTRICTED", root("restricted")).env("PERKINS_PUBLIC", root("public")).env("PERKINS_CACHE", self.cache());
        command
    }

    fn cache(&self) -> PathBuf {
        self.place.path().join("cache")
    }

    #[track_caller]
    fn works(&self, arguments: &[&str]) -> String {
        let Answer { code, out, err } = answer(&mut self.command(arguments));
        assert_eq!(code, 0, "perkins {}:\n{out}{err}", arguments.join(" "));
        assert!(!format!("{out}{err}").contains("a-secret"), "{out}{err}");
        out
    }

    /// Files of the mirrors, largest first, that lie below a folder of a root.
    fn mirrored(&self, folder: &str) -> Vec<PathBuf> {
        let mirrors = entries(&self.cache()).into_iter().map(|m| m.join(folder)).filter(|f| f.is_dir());
        mirrors.flat_map(|f| files(&f).into_keys().map(move |p| f.join(p)).collect::<Vec<_>>()).collect()
    }
}

const NIGHT: [&str; 6] = ["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024"];
const FIGURES: [&str; 4] = ["query", "select * from performance", "--format", "csv"];

fn nights_on(service: &Service) {
    let first = Machine::new(service);
    let said = first.works(&NIGHT);
    assert!(said.contains(&format!("public: {}/perkins/public/runs/", service.url)), "{said}");
    let again = first.works(&NIGHT);
    assert!(again.contains("load") && again.matches("unchanged").count() == 4 && !again.contains("workbook"), "{again}");
    // As in folders, to the byte of what is asked.
    let folders = place();
    folders.works(&NIGHT);
    assert_eq!(first.works(&FIGURES), folders.works(&FIGURES));
    // Another machine has nothing but the URLs.
    let second = Machine::new(service);
    let status = second.works(&["status"]);
    assert!(status.starts_with(&format!("{}/perkins/restricted, commit 2", service.url)), "{status}");
    assert_eq!(second.works(&FIGURES), first.works(&FIGURES));
    let verified = second.works(&["verify", "--read-data"]);
    assert!(verified.contains("objects read"), "{verified}");
    second.works(&["audit"]);
    assert!(second.works(&NIGHT).matches("unchanged").count() == 4);
    assert!(second.works(&["verify"]).contains("objects by size"));
    // Everything in the mirror is for its owner only, and mended where it is damaged.
    use std::os::unix::fs::PermissionsExt;
    let lake = second.mirrored("lake");
    assert!(lake.len() > 5, "{lake:?}");
    for path in &lake {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    second.works(&["verify", "--read-data"]);
    // A change on one machine is what the other sees next.
    let raw = second.place.raw().join("work_based_learning.csv");
    let changed = std::fs::read_to_string(&raw).unwrap() + "2024,F,P1,internship,50\n";
    std::fs::write(&raw, changed).unwrap();
    let said = second.works(&NIGHT);
    assert!(said.contains("tables reused"), "{said}");
    assert_eq!(first.works(&FIGURES), second.works(&FIGURES));
    assert!(first.works(&["status"]).contains("commit 4"));
    first.works(&["verify", "--read-data"]);
    // An earlier run can be asked too, by a machine that never had it.
    let earlier = said_run(&again);
    let third = Machine::new(service);
    let of_earlier = [&FIGURES[..], &["--run", &earlier]].concat();
    assert_eq!(third.works(&of_earlier), folders.works(&FIGURES));
    // Old states go from the store and the mirror; what is current stays whole.
    let gc = ["gc", "--keep", "1", "--grace", "0"];
    let would = second.works(&[&gc[..], &["--dry-run"]].concat());
    assert!(would.contains(&format!("would remove {}/perkins/restricted/runs/{earlier}: ", service.url)), "{would}");
    let said = second.works(&gc);
    assert_eq!(said, would.replace("would remove", "removed"));
    assert!(second.works(&gc).starts_with("removed 0 bytes"), "nothing is left to remove");
    for machine in [&second, &first, &Machine::new(service)] {
        machine.works(&["verify", "--read-data"]);
        assert_eq!(machine.works(&FIGURES), first.works(&FIGURES));
    }
    answer(&mut Machine::new(service).command(&of_earlier)).refuses(3, &[&earlier]);
    assert!(!second.mirrored("runs").iter().any(|f| text(f).contains(&earlier)));
}

fn said_run(said: &str) -> String {
    let line = said.lines().find(|l| l.starts_with("run ")).unwrap();
    line.split([' ', ':']).nth(1).unwrap().to_string()
}

/// Two at once: one waits for the other, or is told who it is; both ways, nothing is lost.
fn two_at_once_on(service: &Service) {
    let machines = [Machine::new(service), Machine::new(service)];
    machines[0].works(&["ingest", "raw"]);
    let run = ["run", "--again", "--no-publish", "--jurisdiction", "oregon", "--report-year", "2024"];
    let race = |flags: &[&str]| -> Vec<Answer> {
        let start = |m: &Machine| m.command(&[&run[..], flags].concat()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let children: Vec<Child> = machines.iter().map(start).collect();
        let ended = children.into_iter().map(|c| c.wait_with_output().unwrap());
        let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
        ended.map(|o| Answer { code: o.status.code().unwrap(), out: text(o.stdout), err: text(o.stderr) }).collect()
    };
    for answer in race(&["--wait", "120"]) {
        assert_eq!(answer.code, 0, "{}", answer.err);
    }
    assert!(machines[0].works(&["status"]).contains("commit 3"));
    let answers = race(&[]);
    assert!(answers.iter().any(|a| a.code == 0), "{answers:?}");
    answers.iter().filter(|a| a.code != 0).for_each(|a| a.refuses(11, &["another run", "perkins run, process"]));
    let won = answers.iter().filter(|a| a.code == 0).count();
    assert!(machines[1].works(&["status"]).contains(&format!("commit {}", 3 + won)));
    machines[1].works(&["verify", "--read-data"]);
}

/// Killed in the middle: the store has the former state or the next, and the same machine goes on at once.
fn killed_on(service: &Service) {
    let machine = Machine::new(service);
    machine.works(&NIGHT);
    let again = [&NIGHT[..], &["--again"]].concat();
    let start = Instant::now();
    machine.works(&again);
    let takes = start.elapsed();
    for part in 1..=5 {
        let mut child = machine.command(&again).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(takes * part / 6);
        child.kill().unwrap();
        child.wait().unwrap();
        Machine::new(service).works(&["verify", "--read-data"]);
    }
    machine.works(&again);
    Machine::new(service).works(&["verify", "--read-data"]);
}

#[test]
fn nights_on_s3() {
    let Some(service) = s3() else { return };
    nights_on(&service);
    // Whoever reads the public root needs nothing of ours.
    let Some(python) = python("pyarrow") else { return };
    let mut reader = Command::new(python);
    reader.arg(home().join("tests/read_commits.py")).envs(service.environment.iter().cloned());
    let mut child = reader.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"s3://bucket/perkins/public\ns3://bucket/perkins/restricted\n").unwrap();
    let said = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "whole\nwhole\n");
}

#[test]
fn nights_on_azure() {
    let Some(service) = azure() else { return };
    nights_on(&service);
}

#[test]
fn two_at_once_on_s3() {
    let Some(service) = s3() else { return };
    two_at_once_on(&service);
}

#[test]
fn two_at_once_on_azure() {
    let Some(service) = azure() else { return };
    two_at_once_on(&service);
}

#[test]
fn killed_on_s3() {
    let Some(service) = s3() else { return };
    killed_on(&service);
}

#[test]
fn a_store_that_is_not_there_or_refuses_says_what_to_do() {
    let Some(service) = s3() else { return };
    let machine = Machine::new(&service);
    let with = |pairs: &[(&str, &str)]| answer(machine.command(&["status"]).envs(pairs.iter().copied()));
    with(&[("PERKINS_RESTRICTED", "s3://nobodys/restricted")]).refuses(3, &["s3://nobodys/restricted", "bucket", "make it"]);
    with(&[]).refuses(10, &["s3://bucket/perkins/restricted", "perkins ingest"]);
    // Nobody listens there.
    let closed = format!("http://127.0.0.1:{}", free_port());
    let refused = with(&[("AWS_ENDPOINT", &closed)]);
    refused.refuses(2, &["s3://bucket/perkins/restricted", "start again"]);
    assert!(!refused.err.contains("a-secret"), "{}", refused.err);
    assert_eq!(entries(&machine.cache()).len(), 3, "the same URL at another endpoint is another store, with its own mirror");
    // A lake that was there and is gone is said, by verify and by whoever needs it.
    machine.works(&["ingest", "raw"]);
    let lake = machine.mirrored("lake").into_iter().find(|p| p.ends_with("student") || text(p).contains("/student-")).unwrap();
    let below = text(&lake).split_once("/lake/").unwrap().1.to_string();
    let delete = "import boto3, os, sys; \
        boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT']).delete_object(Bucket='bucket', Key='perkins/restricted/lake/' + sys.argv[1])";
    let python = python("boto3").unwrap();
    let deleted = Command::new(python).args(["-c", delete, &below]).envs(service.environment.iter().cloned()).output().unwrap();
    assert!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
    let verified = answer(&mut machine.command(&["verify"]));
    verified.refuses(1, &[]);
    assert!(verified.out.contains("is missing on the store"), "{}{}", verified.out, verified.err);
    let other = Machine::new(&service);
    answer(&mut other.command(&["verify"])).refuses(1, &[]);
    answer(&mut other.command(&["run", "--jurisdiction", "oregon"])).refuses(1, &["student-", "is missing"]);
}

#[test]
fn urls_that_are_none_or_have_credentials_are_refused() {
    let place = place();
    let refused = |url: &str, pieces: &[&str]| {
        place.perkins(&["ingest", "raw", "--restricted", url]).refuses(3, pieces);
        assert!(!place.path().join(url.split(':').next().unwrap()).exists());
    };
    refused("ftp://host/restricted", &["ftp://", "s3://", "az://", "gs://", "PERKINS_RESTRICTED"]);
    refused("s3://", &["bucket"]);
    refused("s3://bucket//x/../y", &["prefix"]);
    for url in ["s3://me:hidden@bucket/x", "az://container@hidden/x", "az://container/x?sig=hidden"] {
        let said = place.perkins(&["ingest", "raw", "--restricted", url]);
        said.refuses(3, &["credentials in variables"]);
        assert!(!said.err.contains("hidden"), "{}", said.err);
    }
    let config = place.file("perkins.toml", "restricted = \"s3://bucket/x\"\naws_secret_access_key = \"hidden\"\n");
    let said = place.command().env_remove("PERKINS_RESTRICTED").args(["status", "--config", text(&config)]).output().unwrap();
    assert_eq!(said.status.code(), Some(3), "credentials come from the environment only");
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("line 2 (aws_secret_access_key)") && !said.contains("hidden"), "{said}");
}

/// Google Cloud Storage cannot be had here: its settings are read, and the request goes where they say.
#[test]
fn google_is_set_up_by_its_variables() {
    let place = place();
    let account = place.file(
        "account.json",
        "{\"gcs_base_url\": \"http://127.0.0.1:1\", \"disable_oauth\": true, \"client_email\": \"\", \"private_key\": \"\", \"private_key_id\": \"\"}",
    );
    let mut command = place.command();
    command.args(["status", "--restricted", "gs://bucket/restricted"]).env("PERKINS_CACHE", place.path().join("cache"));
    command.env("GOOGLE_ALLOW_HTTP", "true").env("GOOGLE_SERVICE_ACCOUNT", account);
    answer(&mut command).refuses(2, &["gs://bucket/restricted", "127.0.0.1:1"]);
    let mut command = place.command();
    command.args(["status", "--restricted", "gs://bucket/restricted"]).env("GOOGLE_SERVICE_ACCOUNT", place.path().join("none.json"));
    answer(&mut command).refuses(3, &["gs://bucket/restricted", "GOOGLE_APPLICATION_CREDENTIALS"]);
}

/// Eight processes load eight different folders at once: with patience each has its turn; without, whoever finds another at work is told.
#[test]
fn eight_processes_on_one_root_make_one_commit_each() {
    let place = loaded();
    let raws: Vec<PathBuf> = (0..8).map(|i| raw_with(&place, i)).collect();
    let race = |wait: &str| -> Vec<i32> {
        let start = |raw: &PathBuf| {
            let mut command = place.command();
            command.args(["ingest", text(raw), "--wait", wait]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let children: Vec<Child> = raws.iter().map(start).collect();
        children.into_iter().map(|mut c| c.wait().unwrap().code().unwrap()).collect()
    };
    let before = place.commit()["number"].as_u64().unwrap();
    assert_eq!(race("120"), [0; 8]);
    assert_eq!(place.commit()["number"].as_u64().unwrap(), before + 8);
    let codes = race("0");
    assert!(codes.iter().all(|c| [0, 11].contains(c)) && codes.contains(&0), "{codes:?}");
    place.works(&["verify", "--read-data"]);
}

fn raw_with(place: &Place, i: usize) -> PathBuf {
    let raw = place.path().join(format!("raw-{i}"));
    copy(&small(), &raw);
    let path = raw.join("work_based_learning.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}2024,F,P1,internship,{}\n", 50 + i)).unwrap();
    raw
}

/// Who waits long enough gets the lock; who does not is told.
#[test]
fn waiting_for_the_lock() {
    let place = loaded();
    let root = perkins::root::Root::from(place.restricted());
    let lock = perkins::commit::lock(&root, "test").unwrap();
    place.perkins(&["ingest", "raw", "--wait", "1"]).refuses(11, &["waiting for another run", "perkins test", "--wait"]);
    let mut waiting = place.command();
    let mut child = waiting.args(["ingest", "raw", "--wait", "60"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // It says that it waits.
    let mut said = [0; 16];
    child.stderr.as_mut().unwrap().read_exact(&mut said).unwrap();
    assert!(child.try_wait().unwrap().is_none());
    drop(lock);
    assert!(child.wait().unwrap().success());
    assert!(Path::new(&place.restricted()).join("_lock").is_file());
}
