//! A store in memory: for tests, simulations and hosts that need not survive a restart.

mod condition;
mod page;
mod state;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use self::page::{page, quotas};
use self::state::{Held, State};
use crate::model::{
    CertificateNote, Cluster, ClusterId, ClusterTemplate, DiscoveryRegistry, Event, EventId, LedgerEntry,
    Operation, OperationId, Quota, QuotaResource, Stats, TemplateId, Tombstone,
};
use crate::ports::{Claim, Clock, Commit, Idempotent, KeyPair, Lease, Query, QuotaQuery, Store};
use crate::{Error, ErrorKind, Result};

/// Keeps everything in memory, and forgets it with the last handle.
///
/// A clone is another handle on the same store. Leases run by the clock that it was made with, so
/// under a paused clock their expiry is as repeatable as everything else.
///
/// ```
/// use std::sync::Arc;
/// use magnum_core::{MemoryStore, Query, Store, SystemClock};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = MemoryStore::new(Arc::new(SystemClock));
/// assert!(store.clusters(Query::all()).await?.is_empty());
/// # Ok::<(), magnum_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store whose leases run by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Arc::default(),
        }
    }

    /// The lock is only ever held within one call, never while waiting for anything.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn after(&self, duration: Duration) -> Timestamp {
        self.clock.now().checked_add(duration).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("clusters", &self.state().clusters.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, commit: Commit) -> Result<()> {
        let now = self.clock.now();
        let mut state = self.state();
        for condition in &commit.conditions {
            state.check(condition, now)?;
        }
        state.write_all(commit.writes, now)
    }

    async fn template(&self, id: TemplateId) -> Result<Option<ClusterTemplate>> {
        Ok(self.state().templates.get(&id).cloned())
    }

    async fn templates(&self, query: Query) -> Result<Vec<ClusterTemplate>> {
        page(self.state().templates.values(), &query)
    }

    async fn cluster(&self, id: ClusterId) -> Result<Option<Cluster>> {
        Ok(self.state().clusters.get(&id).map(|row| row.cluster.clone()))
    }

    async fn clusters(&self, query: Query) -> Result<Vec<Cluster>> {
        page(self.state().clusters.values().map(|row| &row.cluster), &query)
    }

    async fn active_operation(&self, cluster: ClusterId) -> Result<Option<Operation>> {
        let state = self.state();
        let id = state.active.get(&cluster);
        Ok(id.and_then(|id| state.operations.get(id)).cloned())
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        Ok(self.state().operations.get(&id).cloned())
    }

    async fn ledger(&self, cluster: ClusterId) -> Result<Vec<LedgerEntry>> {
        let state = self.state();
        let ids = state.ledger_of.get(&cluster).into_iter().flatten();
        let mut entries: Vec<_> = ids.filter_map(|id| state.ledger.get(id)).cloned().collect();
        entries.sort_by_key(|entry| (entry.sequence, entry.id));
        Ok(entries)
    }

    async fn idempotent(&self, project: &str, key: &str) -> Result<Option<Idempotent>> {
        let key = (project.to_owned(), key.to_owned());
        Ok(self.state().idempotent.get(&key).cloned())
    }

    async fn key_pair(&self, id: Uuid) -> Result<Option<KeyPair>> {
        Ok(self.state().key_pairs.get(&id).cloned())
    }

    async fn key_pairs(&self, name: &str) -> Result<Vec<KeyPair>> {
        let state = self.state();
        let named = state.key_pairs.values().filter(|pair| pair.name == name);
        Ok(named.cloned().collect())
    }

    async fn blob(&self, hash: &str) -> Result<Option<String>> {
        Ok(self.state().blobs.get(hash).cloned())
    }

    async fn quota(&self, project: &str, resource: QuotaResource) -> Result<Option<Quota>> {
        let key = (project.to_owned(), resource);
        Ok(self.state().quotas.get(&key).cloned())
    }

    async fn quotas(&self, query: QuotaQuery) -> Result<Vec<Quota>> {
        Ok(quotas(self.state().quotas.values(), &query))
    }

    async fn stats(&self, project: Option<&str>) -> Result<Stats> {
        Ok(self.state().stats(project))
    }

    async fn discovery(&self, cluster: ClusterId) -> Result<Option<DiscoveryRegistry>> {
        Ok(self.state().discoveries.get(&cluster).cloned())
    }

    async fn certificate_notes(&self, cluster: ClusterId, about: &str) -> Result<Vec<CertificateNote>> {
        let state = self.state();
        let from = state.notes.range((cluster, about.to_owned())..);
        let wanted = from.take_while(|((id, noted), _)| *id == cluster && noted.starts_with(about));
        Ok(wanted.map(|(_, note)| note.clone()).collect())
    }

    async fn tombstone(&self, cluster: ClusterId) -> Result<Option<Tombstone>> {
        Ok(self.state().tombstones.get(&cluster).cloned())
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Lease>> {
        let (now, expires) = (self.clock.now(), self.after(claim.duration));
        let mut state = self.state();
        let due = state.clusters.values_mut().filter_map(|row| {
            let wakes = row.wakes()?;
            (wakes <= now && row.fits(&claim)).then_some((wakes, row))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|(wakes, row)| (*wakes, row.cluster.id));
        due.truncate(usize::try_from(claim.limit).unwrap_or(usize::MAX));
        let leases = due.into_iter().map(|(_, row)| {
            row.epoch += 1;
            row.due = None;
            row.lease = Some(Held {
                owner: claim.owner.clone(),
                expires,
            });
            Lease {
                cluster_id: row.cluster.id,
                owner: claim.owner.clone(),
                epoch: row.epoch,
                left: claim.duration,
            }
        });
        Ok(leases.collect())
    }

    async fn renew(&self, lease: &Lease, duration: Duration) -> Result<Lease> {
        let (now, expires) = (self.clock.now(), self.after(duration));
        let mut state = self.state();
        let held = state.held(lease, now).and_then(|row| row.lease.as_mut());
        let held = held.ok_or_else(|| Error::new(ErrorKind::Stale, "the lease is no longer held"))?;
        held.expires = expires;
        Ok(Lease {
            left: duration,
            ..lease.clone()
        })
    }

    async fn release(&self, lease: &Lease, due: Option<Timestamp>) -> Result<()> {
        let now = self.clock.now();
        if let Some(row) = self.state().held(lease, now) {
            row.lease = None;
            row.due = [row.due, due].into_iter().flatten().min();
        }
        Ok(())
    }

    async fn next_due(&self, claim: &Claim) -> Result<Option<Timestamp>> {
        let now = self.clock.now();
        let state = self.state();
        let fitting = state.clusters.values().filter(|row| row.fits(claim));
        Ok(fitting
            .filter_map(|row| row.wakes())
            .min()
            .map(|due| due.max(now)))
    }

    async fn pending_events(&self, limit: u32) -> Result<Vec<Event>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.state().events.iter().take(limit).cloned().collect())
    }

    async fn acknowledge(&self, events: Vec<EventId>) -> Result<()> {
        self.state().events.retain(|event| !events.contains(&event.id));
        Ok(())
    }
}
