//! Delivery of committed events.

use super::fence::limited;
use crate::Result;
use crate::service::Inner;

/// How many events are read, and acknowledged, at once.
const BATCH: u32 = 100;

/// Delivers what waits, in the order of the commits. The first failure ends it, since what follows
/// must not overtake; the rest waits for the next time.
pub(super) async fn deliver(inner: &Inner) -> Result<usize> {
    let mut delivered = 0;
    loop {
        let events = inner.store.pending_events(BATCH).await?;
        if events.is_empty() {
            return Ok(delivered);
        }
        let mut done = Vec::with_capacity(events.len());
        let mut failure = None;
        for event in &events {
            match limited(inner, "notify", inner.notifier.notify(event)).await {
                Ok(()) => done.push(event.id),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        delivered += done.len();
        if !done.is_empty() {
            inner.store.acknowledge(done).await?;
        }
        if let Some(error) = failure {
            return Err(error);
        }
    }
}
