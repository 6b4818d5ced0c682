//! The fence: outside writes happen only while this worker surely owns the cluster.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::ports::{Lease, within};
use crate::service::Inner;
use crate::{Error, ErrorKind, Result};

/// A lease and what is known of its age.
#[derive(Debug)]
pub(crate) struct Fence {
    inner: Arc<Inner>,
    held: Mutex<(Lease, Timestamp)>,
}

impl Fence {
    pub(super) fn new(inner: Arc<Inner>, lease: Lease) -> Self {
        let now = inner.clock.now();
        Self {
            inner,
            held: Mutex::new((lease, now)),
        }
    }

    /// The lease as last renewed.
    pub(super) fn lease(&self) -> Lease {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// How much of the lease is surely left.
    fn left(&self) -> Duration {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let age = Duration::try_from(self.inner.clock.now().duration_since(held.1)).unwrap_or_default();
        held.0.left.saturating_sub(age)
    }

    /// Runs an outside write. It starts only if the lease outlasts its own time-out, so that it has
    /// ended, or was given up, before anybody else can own the cluster.
    pub(super) async fn write<T>(
        &self,
        what: &'static str,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if self.left() <= self.inner.settings.call_timeout {
            let renewed = self
                .inner
                .store
                .renew(&self.lease(), self.inner.settings.lease)
                .await?;
            let now = self.inner.clock.now();
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = (renewed, now);
        }
        limited(&self.inner, what, call).await
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
