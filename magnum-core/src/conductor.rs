//! The conductor: does the outside work that the service has accepted.
//!
//! It keeps nothing in memory between two steps, so it can be killed at any point; whoever claims the
//! cluster next goes on from what store and ledger say.

mod adopted;
mod certificates;
mod context;
mod discovery;
mod drain;
mod ending;
mod fence;
mod identity;
mod keeper;
mod observe;
mod outbox;
mod owner;
mod rotate;
mod work;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::Result;
use crate::ports::Claim;
use crate::service::Inner;

use fence::{Fence, limited};

pub(crate) use keeper::Keeper;

/// Drives the operations of the clusters that it can claim. Any number of conductors may run on one store.
///
/// ```
/// # async fn f(magnum: magnum_core::Magnum) -> magnum_core::Result<()> {
/// let conductor = magnum.conductor();
/// conductor.run(async { /* until this future is ready, for example on SIGTERM */ }).await;
/// # Ok(()) }
/// ```
pub struct Conductor {
    inner: Arc<Inner>,
    owner: String,
}

impl fmt::Debug for Conductor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conductor")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    /// How many clusters were worked on.
    pub clusters: usize,
    /// How many events were delivered.
    pub events: usize,
}

impl Conductor {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        // Random, so that no two conductors ever take each other's leases for their own.
        let owner = format!("conductor-{}", inner.ids.uuid());
        Self { inner, owner }
    }

    /// Works until `shutdown` is ready, then finishes what it has claimed up to the next safe point.
    ///
    /// Store failures are logged and tried again; nothing ends this but `shutdown`.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let work = self.work_until(stopped.clone());
        let events = self.deliver_until(stopped);
        let stopping = async {
            (&mut shutdown).await;
            // Both loops hold a receiver, so somebody listens.
            let _ = stop.send(true);
        };
        futures::future::join3(work, events, stopping).await;
    }

    async fn work_until(&self, mut stopped: tokio::sync::watch::Receiver<bool>) {
        let slots = self.inner.settings.concurrency.max(1) as usize;
        let mut at_work = FuturesUnordered::new();
        while !*stopped.borrow() {
            let woken = self.inner.work.notified();
            let free = slots.saturating_sub(at_work.len());
            if free == 0 {
                tokio::select! {
                    _ = stopped.changed() => {}
                    Some(()) = at_work.next() => {}
                }
                continue;
            }
            // What is at work goes on while the store is asked.
            match beside(&mut at_work, self.claim(free)).await {
                Ok(fences) => at_work.extend(fences.into_iter().map(|fence| work::on(&self.inner, fence))),
                Err(error) => tracing::error!(error = ?error, "no clusters could be claimed"),
            }
            let pause = beside(&mut at_work, self.pause()).await;
            tokio::select! {
                biased;
                _ = stopped.changed() => {}
                Some(()) = at_work.next() => {}
                () = woken => {}
                () = self.inner.clock.sleep(pause) => {}
            }
        }
        while at_work.next().await.is_some() {}
    }

    async fn deliver_until(&self, mut stopped: tokio::sync::watch::Receiver<bool>) {
        while !*stopped.borrow() {
            let changed = self.inner.changed.notified();
            if let Err(error) = outbox::deliver(&self.inner).await {
                tracing::warn!(error = ?error, "events wait for delivery");
            }
            tokio::select! {
                biased;
                _ = stopped.changed() => {}
                () = changed => {}
                () = self.inner.clock.sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Claims one batch of due clusters, works on each as far as it goes without waiting, delivers events.
    ///
    /// # Errors
    /// What the store answers; errors of single clusters are recorded with them.
    pub async fn step(&self) -> Result<Stepped> {
        let fences = self
            .claim(self.inner.settings.concurrency.max(1) as usize)
            .await?;
        let clusters = fences.len();
        let mut at_work: FuturesUnordered<_> = fences
            .into_iter()
            .map(|fence| work::on(&self.inner, fence))
            .collect();
        while at_work.next().await.is_some() {}
        let events = outbox::deliver(&self.inner).await?;
        Ok(Stepped { clusters, events })
    }

    /// Steps, and waits by the clock for what is due later, until no cluster waits for anything.
    ///
    /// Under a paused clock a whole life passes in no time.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn run_until_idle(&self) -> Result<()> {
        loop {
            let stepped = self.step().await?;
            if stepped != Stepped::default() {
                continue;
            }
            let Some(due) = self.inner.store.next_due(&self.wanted(1)).await? else {
                return Ok(());
            };
            let wait = due.duration_since(self.inner.clock.now());
            // Never shorter than a tick, or a store whose clock lags would make this spin.
            let wait = Duration::try_from(wait)
                .unwrap_or_default()
                .max(Duration::from_millis(1));
            self.inner.clock.sleep(wait).await;
        }
    }

    async fn claim(&self, free: usize) -> Result<Vec<Fence>> {
        let asked = Instant::now();
        let claim = self.inner.store.claim(self.wanted(free));
        let leases = limited(&self.inner, "store.claim", claim).await?;
        let fence = |lease| Fence::new(Arc::clone(&self.inner), lease, asked);
        Ok(leases.into_iter().map(fence).collect())
    }

    /// The clusters that this conductor can work on, at most so many.
    fn wanted(&self, limit: usize) -> Claim {
        Claim {
            owner: self.owner.clone(),
            clouds: self.inner.clouds.keys().cloned().collect(),
            drivers: self
                .inner
                .drivers
                .iter()
                .map(|d| d.descriptor().name.clone())
                .collect(),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            duration: self.inner.settings.lease,
        }
    }

    /// Until when nothing is due, but at most as long as another process may take to add something unseen.
    async fn pause(&self) -> Duration {
        let longest = self.inner.settings.poll_interval.min(Duration::from_secs(1));
        match limited(
            &self.inner,
            "store.next_due",
            self.inner.store.next_due(&self.wanted(1)),
        )
        .await
        {
            Ok(Some(due)) => {
                let wait = due.duration_since(self.inner.clock.now());
                Duration::try_from(wait)
                    .unwrap_or_default()
                    .clamp(Duration::from_millis(10), longest)
            }
            _ => longest,
        }
    }
}

/// Waits for `call` while what is at work goes on.
async fn beside<T>(
    at_work: &mut FuturesUnordered<impl Future<Output = ()>>,
    call: impl Future<Output = T>,
) -> T {
    let mut call = pin!(call);
    loop {
        tokio::select! {
            biased;
            answer = &mut call => return answer,
            Some(()) = at_work.next() => {}
        }
    }
}
