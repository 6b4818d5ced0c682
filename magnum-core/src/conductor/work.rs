//! Work on one cluster under its lease: one step after the other, until it must wait or has ended.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;

use super::fence::Fence;
use crate::model::{
    Cluster, FailureCode, Fault, LedgerEntry, LedgerId, Operation, OperationKind, Owned, Step,
};
use crate::ports::{ClusterChange, ClusterDriver, Commit, Lease, Write};
use crate::service::Inner;
use crate::{Error, ErrorKind, Result, Retry};

/// What comes after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next step, now.
    Again,
    /// The same step, later.
    Wait(Duration),
    /// Nothing: the operation has ended.
    Ended,
}

/// A cluster, its operation and its ledger as read at the beginning of a step.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) inner: Arc<Inner>,
    pub(super) fence: Arc<Fence>,
    pub(super) cluster: Cluster,
    pub(super) operation: Operation,
    pub(super) ledger: Vec<LedgerEntry>,
    /// Whether the cloud surely refused what the operation asked for, so that nothing has changed.
    pub(super) refused: bool,
}

/// Works on a claimed cluster as far as it goes without waiting, then gives the lease back.
#[tracing::instrument(name = "cluster", skip_all, fields(id = %fence.lease().cluster_id))]
pub(super) async fn on(inner: &Arc<Inner>, fence: Fence) {
    let lease = fence.lease();
    let fence = Arc::new(fence);
    // A driver of the host's own must not take the conductor with it.
    let driven = AssertUnwindSafe(drive(inner, &fence, &lease))
        .catch_unwind()
        .await;
    let driven = driven.unwrap_or_else(|_| Err(Error::internal("the driver panicked")));
    let due = match driven {
        Ok(due) => due,
        // The row or the lease is somebody else's now; if it is the row, its writer has made it due.
        Err(error) if error.kind() == ErrorKind::Stale => Some(later(inner, Duration::from_secs(1))),
        Err(error) => {
            tracing::error!(error = ?error, "the step could not be recorded");
            Some(later(inner, inner.settings.poll_interval))
        }
    };
    if let Err(error) = inner.store.release(&fence.lease(), due).await {
        // It will expire.
        tracing::warn!(error = ?error, "the lease could not be given back");
    }
}

async fn drive(inner: &Arc<Inner>, fence: &Arc<Fence>, lease: &Lease) -> Result<Option<Timestamp>> {
    loop {
        let id = lease.cluster_id;
        let Some(cluster) = inner.store.cluster(id).await? else {
            return Ok(None);
        };
        let Some(operation) = inner.store.active_operation(id).await? else {
            return Ok(None);
        };
        if operation.not_before > inner.clock.now() {
            return Ok(Some(operation.not_before));
        }
        let ledger = inner.store.ledger(id).await?;
        let mut work = Work {
            inner: Arc::clone(inner),
            fence: Arc::clone(fence),
            cluster,
            operation,
            ledger,
            refused: false,
        };
        let next = match work.advance().await {
            Err(error) if error.kind() != ErrorKind::Stale => {
                // The step may have changed what it holds before its commit failed, or the commit may have
                // happened: only what is stored counts.
                if !work.read_again().await? {
                    continue;
                }
                work.setback(error).await?
            }
            other => other?,
        };
        match next {
            Next::Again => {}
            Next::Wait(wait) => return Ok(Some(later(inner, wait))),
            Next::Ended => return Ok(None),
        }
    }
}

pub(super) fn later(inner: &Inner, wait: Duration) -> Timestamp {
    inner.clock.now().checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// The sequence number of the next ledger entry.
pub(super) fn next_sequence(ledger: &[LedgerEntry]) -> u32 {
    ledger
        .iter()
        .map(|entry| entry.sequence)
        .max()
        .map_or(1, |last| last.saturating_add(1))
}

impl Work {
    /// Reads everything anew; false when the operation is not active any more.
    async fn read_again(&mut self) -> Result<bool> {
        let id = self.cluster.id;
        let (Some(cluster), Some(operation)) = (
            self.inner.store.cluster(id).await?,
            self.inner.store.active_operation(id).await?,
        ) else {
            return Ok(false);
        };
        let same = operation.id == self.operation.id;
        self.cluster = cluster;
        self.operation = operation;
        self.ledger = self.inner.store.ledger(id).await?;
        Ok(same)
    }

    async fn advance(&mut self) -> Result<Next> {
        if self.inner.clock.now() >= self.operation.deadline {
            let last = self.cluster.status_reason.clone().unwrap_or_default();
            let message = format!(
                "not done in time, at step {}{}{last}",
                self.operation.step,
                if last.is_empty() { "" } else { "; " }
            );
            return self.fail(Fault::new(FailureCode::Timeout, message)).await;
        }
        tracing::debug!(operation = self.operation.kind.as_str(), step = %self.operation.step, "step");
        match self.operation.step {
            Step::Discovery => self.step_discovery().await.map(|()| Next::Again),
            Step::Trust => self.step_trust().await.map(|()| Next::Again),
            Step::Certificates => self.step_certificates().await.map(|()| Next::Again),
            Step::Rotate => self.step_rotate().await,
            Step::PreDelete => self.step_pre_delete().await,
            Step::Drive => self.step_drive().await,
            Step::Observe => self.step_observe().await,
            Step::Drain => self.step_drain().await,
        }
    }

    /// A deletion goes on without the driver: what it made is in the ledger.
    pub(super) async fn without_driver(&mut self) -> Result<Next> {
        tracing::warn!(
            driver = self.cluster.driver.name,
            "the driver is gone; its stacks go without it"
        );
        self.go_to(Step::Drain).await?;
        Ok(Next::Again)
    }

    async fn step_drive(&mut self) -> Result<Next> {
        let driver = match self.driver() {
            Err(_) if self.removing() => return self.without_driver().await,
            other => other?,
        };
        let cx = self.context()?;
        match self.change() {
            _ if self.removing() => driver.cluster_delete(&cx).await?,
            Some(change) => driver.cluster_update(&cx, &change).await?,
            None => driver.cluster_create(&cx).await?,
        }
        self.ledger = self.inner.store.ledger(self.cluster.id).await?;
        if let Some(id) = self.stack_id() {
            self.cluster.stack_id = Some(id);
        }
        // From here on nothing needs the caller any more, but that a removal may meet a trust that is refused.
        if !matches!(self.operation.kind, OperationKind::Delete { .. }) {
            self.operation.token = None;
        }
        self.go_to(Step::Observe).await?;
        // The cloud takes a moment to show a change; a stack that is being made is there at once.
        Ok(match self.operation.kind {
            OperationKind::Create if !self.unwinding() => Next::Again,
            _ => Next::Wait(self.inner.settings.poll_interval.min(Duration::from_secs(2))),
        })
    }

    /// What the driver is asked to change; `None` when it is to make or to remove the cluster.
    fn change(&self) -> Option<ClusterChange> {
        match &self.operation.kind {
            OperationKind::Create
            | OperationKind::Delete { .. }
            | OperationKind::RotateAuthorities { .. } => None,
            OperationKind::Scale { pool, to, remove, .. } => Some(ClusterChange::Scale {
                pool: pool.clone(),
                count: *to,
                remove: remove.clone(),
            }),
            OperationKind::Rollback { pool, to, .. } => Some(ClusterChange::Scale {
                pool: pool.clone(),
                count: *to,
                remove: Vec::new(),
            }),
            OperationKind::Reshape { names, .. } => Some(ClusterChange::Attributes { names: names.clone() }),
            OperationKind::Resume { .. } => Some(ClusterChange::Resume),
        }
    }

    pub(super) fn stack_id(&self) -> Option<String> {
        self.ledger.iter().find_map(|entry| match &entry.owned {
            Owned::Stack {
                stack: Some(stack), ..
            } => Some(stack.id.clone()),
            _ => None,
        })
    }

    pub(super) fn driver(&self) -> Result<Arc<dyn ClusterDriver>> {
        self.inner.driver_of(&self.cluster).map(Arc::clone)
    }

    /// Records that the next step begins.
    pub(super) async fn go_to(&mut self, step: Step) -> Result<()> {
        self.operation.step = step;
        self.operation.attempt = 0;
        self.cluster.status_reason = None;
        self.save(Vec::new()).await
    }

    /// Writes cluster and operation, and whatever belongs to them, in one commit under the lease. Operations
    /// are never written without their cluster: its revision shows whether a delete has taken over.
    pub(super) async fn save(&mut self, more: Vec<Write>) -> Result<()> {
        let mut cluster = self.cluster.clone();
        cluster.revision = cluster.revision.next();
        cluster.updated_at = Some(self.inner.clock.now());
        let mut commit = Commit::under(&self.fence.lease())
            .write(Write::PutCluster(Box::new(cluster.clone())))
            .write(Write::PutOperation(Box::new(self.operation.clone())));
        commit.writes.extend(more);
        self.inner.store.commit(commit).await?;
        self.cluster = cluster;
        self.inner.wake();
        Ok(())
    }

    /// Writes down what is about to be made.
    pub(super) async fn intend(&mut self, owned: Owned) -> Result<LedgerEntry> {
        let entry = LedgerEntry {
            id: LedgerId(self.inner.ids.uuid()),
            cluster_id: self.cluster.id,
            sequence: next_sequence(&self.ledger),
            owned,
        };
        self.record(entry.clone()).await?;
        Ok(entry)
    }

    /// Writes down what was made. Needs the lease only: what exists must be known also when a delete has taken over.
    pub(super) async fn record(&mut self, entry: LedgerEntry) -> Result<()> {
        let commit = Commit::under(&self.fence.lease()).write(Write::PutLedger(Box::new(entry.clone())));
        self.inner.store.commit(commit).await?;
        match self.ledger.iter_mut().find(|known| known.id == entry.id) {
            Some(known) => *known = entry,
            None => self.ledger.push(entry),
        }
        Ok(())
    }

    /// An error of a step: try again later, or give up.
    async fn setback(&mut self, mut error: Error) -> Result<Next> {
        if self.can_delegate_anew(&error) {
            match self.delegate_anew().await {
                Err(failed) if failed.kind() == ErrorKind::Stale => return Err(failed),
                Err(failed) => {
                    tracing::warn!(error = ?failed, "no other trust could be given");
                    // A refusal says less than what led to it; anything else is worth another try.
                    if failed.retry() != Retry::Never {
                        error = failed;
                    }
                }
                given => return given,
            }
        }
        let attempt = self.operation.attempt.saturating_add(1);
        tracing::warn!(step = %self.operation.step, attempt, error = ?error, "step failed");
        if error.retry() == Retry::Never || attempt >= self.inner.settings.attempts {
            let mut fault = Fault::from(&error);
            if error.retry() != Retry::Never {
                fault.message = format!("{} (given up after {attempt} tries)", fault.message);
            }
            // Driven before, or asked without an answer, it may have arrived.
            self.refused = self.operation.step == Step::Drive
                && self.operation.rounds == 0
                && error.retry() == Retry::Never;
            return self.fail(fault).await;
        }
        let wait = self.wait_after(attempt);
        self.operation.attempt = attempt;
        self.operation.not_before = later(&self.inner, wait);
        self.cluster.status_reason = Some(format!("{error}; trying again (try {attempt})"));
        self.save(Vec::new()).await?;
        Ok(Next::Wait(wait))
    }

    /// Doubles with each try.
    pub(super) fn wait_after(&self, attempt: u32) -> Duration {
        let seconds = 1u64 << attempt.saturating_sub(1).min(16);
        Duration::from_secs(seconds).min(self.inner.settings.longest_wait)
    }
}
