//! The lock of a root on a store: an object that its holder renews. A holder that died renews no more, and the next takes over.
//!
//! How old a lease is, the store's clock tells: that of this machine may be wrong.

use super::lock::LOCK;
use super::remote::Remote;
use crate::commit;
use crate::error::{Error, Result};
use object_store::{Error as StoreError, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// After so long without being renewed, a lease is nobody's.
const LASTS: Duration = Duration::from_secs(60);

/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(15);

/// How often it is tried when it changes hands meanwhile.
const TRIES: usize = 5;

/// The content of the object.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Held {
    /// For people.
    holder: String,
    /// The mirror that the holder works in.
    mirror: String,
    /// Different for every lease.
    token: String,
    /// Grows, so that the object is never the same.
    renewed: u64,
}

impl Held {
    fn payload(&self) -> Result<PutPayload> {
        Ok(serde_json::to_vec_pretty(self).map_err(|e| Error::internal("a lock as JSON", e))?.into())
    }
}

/// What is there: who holds it, and the version to replace.
struct There {
    held: Option<Held>,
    version: UpdateVersion,
    modified: i64,
}

/// A lease that is held; given back when dropped.
#[derive(Debug)]
pub struct Lease {
    remote: Arc<Remote>,
    token: String,
    renewal: JoinHandle<()>,
}

impl Lease {
    /// Takes the lease, or tells who has it.
    pub fn take(remote: &Arc<Remote>, holder: &str, mirror: &str) -> Result<std::result::Result<Lease, String>> {
        let held = Held { holder: holder.into(), mirror: mirror.into(), token: commit::token(), renewed: 0 };
        match remote.wait(acquire(remote, &held))?? {
            Ok(version) => {
                let token = held.token.clone();
                let renewal = remote.runtime()?.spawn(renew(Arc::clone(remote), held, version));
                Ok(Ok(Lease { remote: Arc::clone(remote), token, renewal }))
            }
            Err(other) => Ok(Err(other)),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
        let remote = Arc::clone(&self.remote);
        let given_back = remote.wait(async {
            // Unless another took it over meanwhile.
            match look(&self.remote).await {
                Ok(Some(there)) if there.held.as_ref().is_some_and(|h| h.token == self.token) => {
                    self.remote.store.delete(&self.remote.key(LOCK)).await.map_err(|e| self.remote.failed("remove", LOCK, e))
                }
                other => other.map(drop),
            }
        });
        if let Ok(Err(e)) | Err(e) = given_back {
            tracing::warn!("the lock could not be given back; it lapses {} seconds after it was last renewed: {e}", LASTS.as_secs());
        }
    }
}

/// Makes the object, or replaces that of a holder who is gone; else tells who holds it.
async fn acquire(remote: &Remote, held: &Held) -> Result<std::result::Result<UpdateVersion, String>> {
    let mut mode = PutMode::Create;
    for _ in 0..TRIES {
        let put = remote.store.put_opts(&remote.key(LOCK), held.payload()?, mode.into()).await;
        let e = match put {
            Ok(put) => return Ok(Ok(put.into())),
            Err(e @ (StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. })) => {
                return Err(remote.failed("lock", LOCK, e));
            }
            Err(e) => e,
        };
        let taken = matches!(e, StoreError::AlreadyExists { .. } | StoreError::Precondition { .. });
        let Some(there) = look(remote).await? else {
            // Given back in this moment, or never made.
            if taken {
                mode = PutMode::Create;
                continue;
            }
            return Err(remote.failed("lock", LOCK, e));
        };
        match &there.held {
            // The answer was lost on its way.
            Some(other) if other.token == held.token => return Ok(Ok(there.version)),
            Some(other) if other.mirror != held.mirror && age(remote, &there).await? <= LASTS.as_secs() as i64 => {
                return Ok(Err(format!("{}; its lock lapses {} seconds after it was last renewed", other.holder, LASTS.as_secs())));
            }
            _ => mode = PutMode::Update(there.version),
        }
    }
    Ok(Err("others, who take and give back the lock in this moment".into()))
}

async fn look(remote: &Remote) -> Result<Option<There>> {
    match remote.store.get(&remote.key(LOCK)).await {
        Ok(got) => {
            let (meta, bytes) = (got.meta.clone(), got.bytes().await.map_err(|e| remote.failed("read", LOCK, e))?);
            let version = UpdateVersion { e_tag: meta.e_tag, version: meta.version };
            Ok(Some(There { held: serde_json::from_slice(&bytes).ok(), version, modified: meta.last_modified.timestamp() }))
        }
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(e) => Err(remote.failed("read", LOCK, e)),
    }
}

/// Seconds since a lease was renewed, both times by the store's clock: that of an object made now.
async fn age(remote: &Remote, there: &There) -> Result<i64> {
    let path = format!("{LOCK}-clock-{}", commit::token());
    let key = remote.key(&path);
    let failed = |e| remote.failed("lock", &path, e);
    remote.store.put(&key, PutPayload::from_static(b"now")).await.map_err(failed)?;
    let now = remote.store.head(&key).await.map_err(failed)?.last_modified.timestamp();
    remote.store.delete(&key).await.map_err(failed)?;
    Ok(now - there.modified)
}

/// Renews the lease until another has it.
async fn renew(remote: Arc<Remote>, mut held: Held, mut version: UpdateVersion) {
    loop {
        tokio::time::sleep(RENEWED).await;
        held.renewed += 1;
        let Ok(payload) = held.payload() else { return };
        match remote.store.put_opts(&remote.key(LOCK), payload, PutMode::Update(version.clone()).into()).await {
            Ok(put) => version = put.into(),
            // Renewed, but the answer was lost; or another has it; or the store is not there for a while.
            Err(_) => match look(&remote).await {
                Ok(Some(there)) if there.held.as_ref().is_some_and(|h| h.token == held.token) => version = there.version,
                Ok(_) => {
                    tracing::warn!("another run took over the lock of {}; of both, one will commit", remote.url);
                    return;
                }
                Err(_) => {}
            },
        }
    }
}
