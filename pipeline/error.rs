//! One error type, sorted by who must act; each kind has its exit code (spec: outputs, "Command line").

use std::path::Path;

/// What went wrong, by who must act on it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data or a check failed: the agency must correct its files. Exit code 1.
    #[error("{0}")]
    Data(String),
    /// The program or the machine failed: disk, permission, engine, or our own mistake. Exit code 2.
    #[error("{message}")]
    Internal {
        /// What was being done, to what.
        message: String,
        /// The cause underneath, if there is one.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A flag, setting, contract, rule or SQL file is wrong: whoever wrote it must correct it. Exit code 3.
    #[error("{0}")]
    Config(String),
    /// There is no lake (nothing was ingested) or no run yet. Exit code 10.
    #[error("{0}")]
    NoLake(String),
    /// Another process holds the lock of the restricted root. Exit code 11.
    #[error("{0}")]
    Locked(String),
}

/// The result of everything in this library.
pub type Result<T> = std::result::Result<T, Error>;

/// What to do when a disk is full.
const FULL: &str = "; free some space, or choose another folder";

impl Error {
    /// The exit code of outputs.md for this kind of error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Data(_) => 1,
            Error::Internal { .. } => 2,
            Error::Config(_) => 3,
            Error::NoLake(_) => 10,
            Error::Locked(_) => 11,
        }
    }

    /// An internal error with a cause.
    pub fn internal(message: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let (mut message, source) = (message.into(), source.into());
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(source.as_ref());
        while let Some(e) = cause {
            if e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::StorageFull) {
                message += FULL;
            }
            cause = e.source();
        }
        Error::Internal { message, source: Some(source) }
    }

    /// An internal error without a cause: something that cannot be, unless we made a mistake.
    pub fn bug(message: impl Into<String>) -> Self {
        Error::Internal { message: message.into(), source: None }
    }

    /// A file operation that failed; says what to do where the operating system's answer tells it.
    pub fn io(doing: &str, path: &Path, source: std::io::Error) -> Self {
        let advice = match source.kind() {
            std::io::ErrorKind::PermissionDenied => "; give this user the permission, or choose another folder",
            std::io::ErrorKind::StorageFull => FULL,
            std::io::ErrorKind::NotFound => "; check the path",
            _ => "",
        };
        Error::Internal { message: format!("cannot {doing} {}{advice}", path.display()), source: Some(Box::new(source)) }
    }
}

impl From<datafusion::error::DataFusionError> for Error {
    fn from(e: datafusion::error::DataFusionError) -> Self {
        Error::internal("the query engine failed", e)
    }
}
