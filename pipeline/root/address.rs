//! URLs of roots: which store, and which folder mirrors it.

use crate::error::{Error, Result};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What offers objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    S3,
    Azure,
    Google,
}

/// Schemes of URLs, and the variables that set their stores up.
const SERVICES: [(&str, Service); 6] = [
    ("s3", Service::S3),
    ("az", Service::Azure),
    ("azure", Service::Azure),
    ("abfs", Service::Azure),
    ("abfss", Service::Azure),
    ("gs", Service::Google),
];

/// The URL of a root.
#[derive(Debug)]
pub struct Address {
    service: Service,
    /// Without a slash at the end.
    pub url: String,
}

impl Address {
    /// Reads the URL that a setting has. It has no credentials: it is printed in messages.
    pub fn parse(name: &str, url: &str) -> Result<Address> {
        let setting = format!("(--{name}, PERKINS_{}, or {name} in perkins.toml)", name.to_uppercase());
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let Some((_, service)) = SERVICES.iter().find(|(s, _)| *s == scheme) else {
            return Err(Error::Config(format!("{name} is a URL that begins with {scheme}://; there are s3://, az:// and gs:// {setting}")));
        };
        if rest.contains(['@', '?', '#']) {
            return Err(Error::Config(format!(
                "{name} is a URL with an account, a password or a question mark in it: write {scheme}://<bucket or container>/<prefix>, and \
                 give credentials in variables such as {} {setting}",
                service.variables()
            )));
        }
        let url = url.trim_end_matches('/').to_string();
        let named = |part: &str| !["", ".", ".."].contains(&part);
        if url.split_once("://").is_some_and(|(_, rest)| rest.split('/').all(named)) {
            return Ok(Address { service: *service, url });
        }
        Err(Error::Config(format!("{name} = {url:?} must be {scheme}://<bucket or container>/<prefix> {setting}")))
    }

    /// What comes before the names of objects.
    pub fn prefix(&self) -> &str {
        self.url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, prefix)| prefix)
    }

    /// The store, set up by the environment.
    pub fn store(&self) -> Result<Arc<dyn ObjectStore>> {
        let url = self.url.as_str();
        // The builders have the same methods, but no trait. A variable that they do not know is none of theirs.
        macro_rules! built {
            ($builder:expr) => {{
                let builder = $builder.with_url(url).with_retry(retry());
                let set = self.service.settings().into_iter().fold(builder, |builder, (key, value)| match key.parse() {
                    Ok(key) => builder.with_config(key, value),
                    Err(_) => builder,
                });
                set.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
            }};
        }
        let built = match self.service {
            Service::S3 => built!(AmazonS3Builder::new()),
            Service::Azure => built!(MicrosoftAzureBuilder::new()),
            Service::Google => built!(GoogleCloudStorageBuilder::new()),
        };
        // The cause may quote a variable.
        built.map_err(|_| Error::Config(format!("{url} cannot be set up: look at the variables {}", self.service.variables())))
    }

    /// The folder that mirrors it: below `cache`, else below the user's cache folder. The same URL at another endpoint is another store.
    pub fn mirror(&self, cache: Option<&Path>) -> Result<PathBuf> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.url.as_bytes());
        for (key, value) in self.service.settings() {
            if key.contains("endpoint") || key.contains("account_name") || key.contains("emulator") {
                hasher.update(format!("\n{key}={value}").as_bytes());
            }
        }
        let name = hasher.finalize().to_hex()[..32].to_string();
        let users = || match std::env::var_os("XDG_CACHE_HOME").filter(|d| Path::new(d).is_absolute()) {
            Some(folder) => Some(PathBuf::from(folder)),
            None => std::env::home_dir().map(|home| home.join(".cache")),
        };
        let cache = cache.map(Path::to_path_buf).or_else(|| Some(users()?.join("perkins").join("mirror")));
        let none = || Error::Config(format!("{} needs a local folder for its mirror: give --cache or PERKINS_CACHE", self.url));
        Ok(cache.ok_or_else(none)?.join(name))
    }
}

impl Service {
    /// Its variables in the environment; names in lower case. Never those of another service, nor any that only look like a setting.
    fn settings(self) -> Vec<(String, String)> {
        let prefix = match self {
            Service::S3 => "aws_",
            Service::Azure => "azure_",
            Service::Google => "google_",
        };
        let all = std::env::vars_os().filter_map(|(k, v)| Some((k.to_str()?.to_ascii_lowercase(), v.into_string().ok()?)));
        let mut own: Vec<_> = all.filter(|(key, _)| key.starts_with(prefix)).collect();
        own.sort();
        own
    }

    /// The variables to look at.
    fn variables(self) -> &'static str {
        match self {
            Service::S3 => "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT",
            Service::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
            Service::Google => "GOOGLE_APPLICATION_CREDENTIALS",
        }
    }
}

/// The variables of the service of a URL.
pub fn variables(url: &str) -> &'static str {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    SERVICES.iter().find(|(s, _)| *s == scheme).map_or("of its credentials", |(_, service)| service.variables())
}

/// How often and how long a request is tried again after a 5xx answer or a time-out.
fn retry() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2. };
    RetryConfig { backoff, max_retries: 6, retry_timeout: Duration::from_secs(60) }
}
