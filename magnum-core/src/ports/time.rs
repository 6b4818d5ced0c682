//! The clock port.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// Tells the time and waits.
///
/// Everything in the library that reads the time or sleeps does it here, so that a test under
/// tokio's paused clock is repeatable.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits for `duration`.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A clock that starts at a fixed time and advances with tokio's clock.
///
/// Under `#[tokio::test(start_paused = true)]` it jumps whenever everything sleeps, so hours of a
/// cluster's life pass in milliseconds, at the same timestamps in every run.
#[derive(Clone, Copy, Debug)]
pub struct AnchoredClock {
    epoch: Timestamp,
    anchor: tokio::time::Instant,
}

impl AnchoredClock {
    /// A clock that reads `epoch` now.
    #[must_use]
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self {
            epoch,
            anchor: tokio::time::Instant::now(),
        }
    }
}

#[async_trait]
impl Clock for AnchoredClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.anchor.elapsed();
        self.epoch.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The time was up before the future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {0:?}")]
pub struct Elapsed(pub Duration);

/// Runs `future` for at most `limit` by `clock`.
///
/// # Errors
/// [`Elapsed`] when the limit passed first; the future is dropped.
pub async fn within<F: Future>(
    clock: &Arc<dyn Clock>,
    limit: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    tokio::select! {
        biased;
        output = future => Ok(output),
        () = clock.sleep(limit) => Err(Elapsed(limit)),
    }
}
