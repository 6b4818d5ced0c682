//! The fence: outside writes happen only while this worker surely owns the cluster.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::ports::{Lease, within};
use crate::service::Inner;
use crate::{Error, ErrorKind, Result};

/// A lease and what is known of its age.
#[derive(Debug)]
pub(crate) struct Fence {
    inner: Arc<Inner>,
    held: Mutex<(Lease, Instant)>,
}

impl Fence {
    /// `asked` is when the claim was begun: the lease is at least that old. By a clock that never goes back.
    pub(super) fn new(inner: Arc<Inner>, lease: Lease, asked: Instant) -> Self {
        Self {
            inner,
            held: Mutex::new((lease, asked)),
        }
    }

    /// The lease as last renewed.
    pub(super) fn lease(&self) -> Lease {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Whether the lease surely outlasts a call's time-out.
    fn outlasts_a_call(&self) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.0.left.saturating_sub(held.1.elapsed()) > self.inner.settings.call_timeout
    }

    /// Runs an outside write. It starts only if the lease outlasts its own time-out, so that it has
    /// ended, or was given up, before anybody else can own the cluster.
    pub(super) async fn write<T>(
        &self,
        what: &'static str,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.hold().await?;
        limited(&self.inner, what, call).await
    }

    /// Renews the lease unless it surely outlasts a call; also for many reads in a row, each as long as a call may take.
    pub(super) async fn hold(&self) -> Result<()> {
        if !self.outlasts_a_call() {
            let asked = Instant::now();
            let renewed = self
                .inner
                .store
                .renew(&self.lease(), self.inner.settings.lease)
                .await?;
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = (renewed, asked);
            if !self.outlasts_a_call() {
                return Err(Error::new(
                    ErrorKind::Stale,
                    "the lease could not be renewed in time",
                ));
            }
        }
        Ok(())
    }
}

/// Runs an outside call within the call time-out.
pub(super) async fn limited<T>(
    inner: &Inner,
    what: &'static str,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    tracing::debug!(call = what, "outside call");
    match within(&inner.clock, inner.settings.call_timeout, call).await {
        Ok(answer) => answer,
        Err(elapsed) => {
            let message = format!("{what} gave {elapsed}");
            Err(Error::new(ErrorKind::Timeout, message).at("conductor", what))
        }
    }
}
