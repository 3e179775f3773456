//! Where lineage events go: a file, a line for each, or a server.

use crate::error::{Error, Result};
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where servers take events unless their address says otherwise.
const ENDPOINT: &str = "api/v1/lineage";

/// A server that does not answer holds up a command for so long, once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where events go.
#[derive(Debug)]
pub enum Target {
    /// Appended to a file, one JSON object a line.
    File(PathBuf),
    /// Posted to a server, until it fails.
    Server {
        /// Its address.
        url: String,
        /// It did not take an event: it is asked no more.
        gone: AtomicBool,
    },
}

impl Target {
    /// What is asked for: a file or an address, else the server of `OPENLINEAGE_URL`, as other programs have it.
    pub fn new(asked: Option<&str>) -> Option<Target> {
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let server = |url: String| Target::Server { url, gone: AtomicBool::new(false) };
        match asked {
            Some(url) if ["http://", "https://"].iter().any(|s| url.starts_with(s)) => Some(server(with_endpoint(url))),
            Some(file) => Some(Target::File(file.into())),
            None if variable("OPENLINEAGE_DISABLED").is_some_and(|v| v == "true") => None,
            None => {
                let endpoint = variable("OPENLINEAGE_ENDPOINT").unwrap_or_else(|| ENDPOINT.into());
                variable("OPENLINEAGE_URL").map(|url| server(format!("{}/{endpoint}", url.trim_end_matches('/'))))
            }
        }
    }

    /// Sends events, all or, if something fails, those before it; says what failed.
    pub fn send(&self, events: &[Value]) -> std::result::Result<(), String> {
        match self {
            Target::File(path) => {
                let lines: String = events.iter().map(|e| format!("{e}\n")).collect();
                let append = |mut file: File| file.write_all(lines.as_bytes());
                let written = File::options().append(true).create(true).open(path).and_then(append);
                written.map_err(|e| format!("cannot write {}: {e}", path.display()))
            }
            Target::Server { gone, .. } if gone.load(Ordering::Relaxed) => Ok(()),
            Target::Server { url, gone } => post(url, events).map_err(|e| {
                gone.store(true, Ordering::Relaxed);
                format!("{url} is asked no more: {e}")
            }),
        }
    }
}

/// An address without a path is that of a server as a whole.
fn with_endpoint(url: &str) -> String {
    let has_path = url.split_once("://").is_some_and(|(_, rest)| rest.trim_end_matches('/').contains('/'));
    if has_path { url.into() } else { format!("{}/{ENDPOINT}", url.trim_end_matches('/')) }
}

/// Posts events one by one, from a thread of its own: the command's may be at work in a runtime.
fn post(url: &str, events: &[Value]) -> std::result::Result<(), String> {
    let work = || -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|e| Error::internal("no thread", e))?.block_on(async {
            let wrong = |e: reqwest::Error| Error::bug(causes(&e.without_url()));
            let client = reqwest::Client::builder().timeout(PATIENCE).build().map_err(wrong)?;
            for event in events {
                let mut request = client.post(url).header(CONTENT_TYPE, "application/json").body(event.to_string());
                if let Some(key) = std::env::var("OPENLINEAGE_API_KEY").ok().filter(|k| !k.is_empty()) {
                    request = request.bearer_auth(key);
                }
                request.send().await.and_then(|answer| answer.error_for_status()).map_err(wrong)?;
            }
            Ok(())
        })
    };
    let done = std::thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|_| Err(Error::bug("a thread ended early"))).map_err(|e| e.to_string())
}

/// What is the matter, down to the operating system's word.
fn causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", causes(cause)),
        None => error.to_string(),
    }
}
