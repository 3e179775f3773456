//! A store in memory that fails as real ones do.

use futures::stream::{BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result as StoreResult, UploadPart,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The store answers 503 and does nothing.
    Unavailable,
    /// No answer comes, and nothing was done.
    TimedOut,
    /// It is done, but the answer is lost.
    AnswerLost,
    /// Half of a part of a large object is kept, and the answer is that all is well.
    PartTruncated,
}

/// A store whose n-th request fails, once; or whose clock is wrong.
#[derive(Debug, Clone)]
pub struct Troubled {
    store: Arc<InMemory>,
    failure: Failure,
    left: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
    /// Seconds that its clock is ahead, and that the lock seems older than it is, as if its holder had died.
    ahead: u64,
    lock_older: u64,
}

impl Troubled {
    /// Fails at the n-th request.
    pub fn failing(store: &Arc<InMemory>, failure: Failure, n: usize) -> Troubled {
        let (left, failed) = (Arc::new(AtomicUsize::new(n)), Arc::default());
        Troubled { store: Arc::clone(store), failure, left, failed, ahead: 0, lock_older: 0 }
    }

    /// Has another clock, and an older lock.
    pub fn skewed(store: &Arc<InMemory>, ahead: u64, lock_older: u64) -> Troubled {
        Troubled { ahead, lock_older, ..Troubled::failing(store, Failure::Unavailable, 0) }
    }

    /// Whether a request failed.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst) > 0
    }

    /// Whether this request is the one that fails.
    fn now(&self) -> bool {
        let last = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) == Ok(1);
        self.failed.fetch_add(usize::from(last), Ordering::SeqCst);
        last
    }

    fn error(&self) -> StoreError {
        let said = if self.failure == Failure::Unavailable { "503 Service Unavailable" } else { "operation timed out" };
        StoreError::Generic { store: "test", source: said.into() }
    }

    /// Does a request, or fails it as said.
    async fn pass<T>(&self, request: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        if !self.now() {
            return request.await;
        }
        match self.failure {
            Failure::AnswerLost => request.await.and(Err(self.error())),
            // Only parts can be cut.
            Failure::PartTruncated => request.await,
            Failure::Unavailable | Failure::TimedOut => Err(self.error()),
        }
    }
}

impl std::fmt::Display for Troubled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a troubled store")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Troubled {
    async fn put_opts(&self, location: &Key, payload: PutPayload, opts: PutOptions) -> StoreResult<PutResult> {
        self.pass(self.store.put_opts(location, payload, opts)).await
    }

    async fn put_multipart_opts(&self, location: &Key, opts: PutMultipartOptions) -> StoreResult<Box<dyn MultipartUpload>> {
        let upload = self.pass(self.store.put_multipart_opts(location, opts)).await?;
        Ok(Box::new(Parts { upload, of: self.clone() }))
    }

    async fn get_opts(&self, location: &Key, options: GetOptions) -> StoreResult<GetResult> {
        let mut got = self.pass(self.store.get_opts(location, options)).await?;
        let older = if location.filename() == Some("_lock") { self.lock_older } else { 0 };
        got.meta.last_modified = got.meta.last_modified + Duration::from_secs(self.ahead) - Duration::from_secs(older);
        Ok(got)
    }

    fn delete_stream(&self, locations: BoxStream<'static, StoreResult<Key>>) -> BoxStream<'static, StoreResult<Key>> {
        let failing = self.clone();
        let delete = move |location: StoreResult<Key>| {
            let failing = failing.clone();
            async move {
                let one = futures::stream::once(async { location }).boxed();
                let mut deleted = failing.store.delete_stream(one);
                failing.pass(async { deleted.next().await.unwrap() }).await
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        if self.now() && self.failure != Failure::PartTruncated {
            return futures::stream::iter([Err(self.error())]).boxed();
        }
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> StoreResult<ListResult> {
        self.pass(self.store.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> StoreResult<()> {
        self.pass(self.store.copy_opts(from, to, options)).await
    }
}

#[derive(Debug)]
struct Parts {
    upload: Box<dyn MultipartUpload>,
    of: Troubled,
}

#[async_trait::async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        if !self.of.now() {
            return self.upload.put_part(data);
        }
        let error = self.of.error();
        match self.of.failure {
            Failure::PartTruncated => {
                let all: Vec<u8> = data.iter().flat_map(|b| b.to_vec()).collect();
                self.upload.put_part(all[..all.len() / 2].to_vec().into())
            }
            Failure::AnswerLost => {
                let put = self.upload.put_part(data);
                Box::pin(async { put.await.and(Err(error)) })
            }
            Failure::Unavailable | Failure::TimedOut => Box::pin(async { Err(error) }),
        }
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        let of = self.of.clone();
        of.pass(self.upload.complete()).await
    }

    async fn abort(&mut self) -> StoreResult<()> {
        let of = self.of.clone();
        of.pass(self.upload.abort()).await
    }
}
