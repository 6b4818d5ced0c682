//! The notification port: deliver one event.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::Result;
use crate::model::Event;

/// Delivers an event to whoever listens.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | `Ok` MUST mean that the event will not be lost | yes |
/// | The same event MAY come again; its id is the same | yes |
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Notifier: fmt::Debug + Send + Sync + 'static {
    /// Delivers one event.
    async fn notify(&self, event: &Event) -> Result<()>;
}

/// Writes events to the log, at level info.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn notify(&self, event: &Event) -> Result<()> {
        tracing::info!(cluster = %event.cluster_id, status = %event.status, reason = event.reason, "{event}");
        Ok(())
    }
}

/// Keeps events in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryNotifier {
    events: Arc<Mutex<Vec<Event>>>,
}

impl MemoryNotifier {
    /// What was delivered, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Notifier for MemoryNotifier {
    async fn notify(&self, event: &Event) -> Result<()> {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.clone());
        Ok(())
    }
}
