//! Work on one cluster under its lease: one step after the other, until it must wait or has ended.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;

use super::fence::Fence;
use crate::model::{
    Cluster, ClusterStatus, FailureCode, Fault, LedgerEntry, LedgerId, Operation, OperationKind,
    OperationState, Outcome, Owned, Phase, PoolRole, Step, Tombstone,
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
            Err(_) if matches!(self.operation.kind, OperationKind::Delete { .. }) => {
                return self.without_driver().await;
            }
            other => other?,
        };
        let cx = self.context()?;
        match &self.operation.kind {
            OperationKind::Create => driver.cluster_create(&cx).await?,
            OperationKind::Scale { pool, to, remove, .. } => {
                let change = ClusterChange::Scale {
                    pool: pool.clone(),
                    count: *to,
                    remove: remove.clone(),
                };
                driver.cluster_update(&cx, &change).await?;
            }
            OperationKind::Delete { .. } => driver.cluster_delete(&cx).await?,
        }
        self.ledger = self.inner.store.ledger(self.cluster.id).await?;
        if let Some(id) = self.stack_id() {
            self.cluster.stack_id = Some(id);
        }
        // From here on nothing needs the caller any more.
        self.operation.token = None;
        self.go_to(Step::Observe).await?;
        // The cloud takes a moment to show a change; a stack that is being made is there at once.
        Ok(match self.operation.kind {
            OperationKind::Create => Next::Again,
            _ => Next::Wait(self.inner.settings.poll_interval.min(Duration::from_secs(2))),
        })
    }

    fn stack_id(&self) -> Option<String> {
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
    async fn setback(&mut self, error: Error) -> Result<Next> {
        let attempt = self.operation.attempt.saturating_add(1);
        tracing::warn!(step = %self.operation.step, attempt, error = ?error, "step failed");
        if error.retry() == Retry::Never || attempt >= self.inner.settings.attempts {
            let mut fault = Fault::from(&error);
            if error.retry() != Retry::Never {
                fault.message = format!("{} (given up after {attempt} tries)", fault.message);
            }
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

    /// Whether a failed create is being cleaned up.
    pub(super) fn unwinding(&self) -> bool {
        self.operation.kind == OperationKind::Create && self.operation.fault.is_some()
    }

    /// The operation cannot be done.
    pub(super) async fn fail(&mut self, fault: Fault) -> Result<Next> {
        match self.operation.kind.clone() {
            // Without a stack there is nothing to look into: leave nothing behind.
            OperationKind::Create if !self.unwinding() && self.stack_id().is_none() => {
                self.operation.token = None;
                self.operation.not_before = self.inner.clock.now();
                self.operation.step = Step::Drain;
                self.operation.attempt = 0;
                self.operation.deadline = later(&self.inner, self.inner.settings.delete_timeout);
                self.cluster.status_reason = Some(format!("{fault}; cleaning up"));
                self.operation.fault = Some(fault);
                self.save(Vec::new()).await?;
                Ok(Next::Again)
            }
            OperationKind::Create => {
                let first = self.operation.fault.take().unwrap_or(fault);
                self.end(Phase::Failed, Some(first), None).await
            }
            OperationKind::Scale { from, .. } => {
                if self.operation.step == Step::Drive
                    && let Some(pool) = self.cluster.pool_mut(PoolRole::Worker)
                {
                    // The change was refused, so the cluster has what it had.
                    pool.count = from;
                }
                self.end(Phase::Failed, Some(fault), None).await
            }
            OperationKind::Delete { force: false, .. } => self.end(Phase::Failed, Some(fault), None).await,
            OperationKind::Delete { force: true, .. }
                if self.operation.step == Step::PreDelete
                    && (self.operation.fault.is_none() || self.operation.rounds == 0) =>
            {
                self.leave_for_later(fault).await
            }
            OperationKind::Delete { force: true, .. } => self.forget(&fault).await,
        }
    }

    /// Ends the operation and shows how.
    pub(super) async fn end(
        &mut self,
        phase: Phase,
        fault: Option<Fault>,
        reason: Option<String>,
    ) -> Result<Next> {
        self.operation.state = if phase == Phase::Complete {
            OperationState::Done
        } else {
            OperationState::Failed
        };
        self.operation.fault.clone_from(&fault);
        self.operation.token = None;
        self.operation.ended_at = Some(self.inner.clock.now());
        self.cluster.status = ClusterStatus::of(self.operation.kind.action(), phase);
        self.cluster.status_reason = fault.as_ref().map(ToString::to_string).or(reason);
        self.cluster.fault = fault;
        let outcome = if phase == Phase::Complete {
            Outcome::Success
        } else {
            Outcome::Failure
        };
        let event = self.inner.event(
            &self.cluster,
            &self.operation,
            outcome,
            self.cluster.status_reason.clone(),
        );
        self.save(vec![Write::PutEvent(Box::new(event))]).await?;
        tracing::info!(status = %self.cluster.status, reason = self.cluster.status_reason, "operation ended");
        Ok(Next::Ended)
    }

    /// Removes the cluster's row; its ledger is empty but for kept volumes, or what is left in it is written down.
    pub(super) async fn vanish(&mut self, left: Option<Tombstone>) -> Result<Next> {
        self.operation.state = OperationState::Done;
        self.operation.ended_at = Some(self.inner.clock.now());
        self.cluster.status = ClusterStatus::DELETE_COMPLETE;
        let reason = match &left {
            Some(left) => Some(format!("left behind: {}", left.leftovers.join(", "))),
            None => self.kept(),
        };
        let event = self
            .inner
            .event(&self.cluster, &self.operation, Outcome::Success, reason);
        let mut cluster = self.cluster.clone();
        cluster.revision = cluster.revision.next();
        let mut commit = Commit::under(&self.fence.lease())
            // Writing it once more shows whether anybody else has.
            .write(Write::PutCluster(Box::new(cluster)))
            .write(Write::PutOperation(Box::new(self.operation.clone())));
        for entry in &self.ledger {
            commit = commit.write(Write::DeleteLedger(entry.id));
        }
        if let Some(left) = left {
            commit = commit.write(Write::PutTombstone(Box::new(left)));
        }
        commit = commit
            .write(Write::DeleteCluster(self.cluster.id))
            .write(Write::PutEvent(Box::new(event)));
        self.inner.store.commit(commit).await?;
        self.inner.wake();
        tracing::info!("cluster gone");
        Ok(Next::Ended)
    }

    /// Gives up on what cannot be removed, but keeps its names.
    async fn forget(&mut self, fault: &Fault) -> Result<Next> {
        for entry in self.ledger.clone() {
            // Beside what cannot be removed there may be keys and a user that can.
            if let Err(error) = self.remove_quietly(&entry).await {
                tracing::warn!(error = ?error, "left behind: {}", entry.owned.describe());
            }
        }
        let left = self.tombstone(Some(fault));
        self.vanish(Some(left)).await
    }

    /// What the ledger still holds, and why.
    pub(super) fn tombstone(&self, fault: Option<&Fault>) -> Tombstone {
        let mut leftovers: Vec<String> = self.ledger.iter().map(|entry| entry.owned.describe()).collect();
        let first = self.operation.fault.as_ref();
        let last = fault.filter(|last| Some(*last) != first);
        leftovers.extend(first.into_iter().chain(last).map(ToString::to_string));
        leftovers.extend(self.operation.unseen.clone());
        Tombstone {
            cluster_id: self.cluster.id,
            name: self.cluster.name.clone(),
            project_id: self.cluster.project_id.clone(),
            leftovers,
            at: self.inner.clock.now(),
        }
    }
}
