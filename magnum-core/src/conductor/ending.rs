//! How operations end: done, failed, rolled back, or with the cluster gone.

use super::work::{Next, Work, later};
use crate::Result;
use crate::model::{
    ClusterStatus, Fault, LedgerEntry, OnCreateFailure, OperationKind, OperationState, Outcome, Owned, Phase,
    Progress, Step, Tombstone,
};
use crate::ports::{Commit, Write};

impl Work {
    /// Whether a failed create is being cleaned up.
    pub(super) fn unwinding(&self) -> bool {
        self.operation.kind == OperationKind::Create && self.operation.fault.is_some()
    }

    /// Whether the cluster's infrastructure is to go: for good, or because its creation failed.
    pub(super) fn removing(&self) -> bool {
        matches!(self.operation.kind, OperationKind::Delete { .. }) || self.unwinding()
    }

    /// The operation cannot be done.
    pub(super) async fn fail(&mut self, fault: Fault) -> Result<Next> {
        match self.operation.kind.clone() {
            // Without anything made there is nothing to look into: leave nothing behind.
            OperationKind::Create if !self.unwinding() && self.infrastructure_id().is_none() => {
                let step = self.first_step_back();
                self.unwind(fault, step).await
            }
            OperationKind::Create
                if !self.unwinding() && self.cluster.on_create_failure == OnCreateFailure::Delete =>
            {
                self.unwind(fault, Step::PreDelete).await
            }
            OperationKind::Create => self.fail_twice(fault, "not all of it could be removed").await,
            OperationKind::Scale {
                pool,
                from,
                to,
                rollback,
                ..
            } => {
                // A change that was refused has left the cluster with what it had.
                let refused = self.refused;
                if refused && let Some(pool) = self.cluster.pools.iter_mut().find(|p| p.name == pool) {
                    pool.count = from;
                }
                if !refused && rollback {
                    return self.roll_back(fault, pool, to, from).await;
                }
                self.end(Phase::Failed, Some(fault), None).await
            }
            OperationKind::Reshape { before, .. } => {
                if self.refused {
                    before.restore(&mut self.cluster);
                }
                self.end(Phase::Failed, Some(fault), None).await
            }
            OperationKind::Rollback { .. } => self.fail_twice(fault, "it could not be rolled back").await,
            OperationKind::RotateAuthorities { .. }
            | OperationKind::Resume { .. }
            | OperationKind::Delete { force: false, .. } => self.end(Phase::Failed, Some(fault), None).await,
            OperationKind::Delete { force: true, .. }
                if self.operation.step == Step::PreDelete
                    && (self.operation.fault.is_none() || self.operation.rounds == 0) =>
            {
                self.leave_for_later(fault).await
            }
            OperationKind::Delete { force: true, .. } => self.forget(&fault).await,
        }
    }

    /// The id of what was made: the stack's, or what the driver sees instead of one.
    fn infrastructure_id(&self) -> Option<String> {
        self.stack_id().or_else(|| self.cluster.stack_id.clone())
    }

    /// Where the removal begins of a creation that has nothing to show. Stacks are in the ledger; what a driver without
    /// stacks has begun to make, it alone knows.
    fn first_step_back(&self) -> Step {
        let stack = |entry: &LedgerEntry| matches!(entry.owned, Owned::Stack { .. });
        let driven = matches!(self.operation.step, Step::Drive | Step::Observe);
        if driven && !self.ledger.iter().any(stack) {
            Step::Drive
        } else {
            Step::Drain
        }
    }

    /// Ends with the first fault, and with what came of making up for it.
    async fn fail_twice(&mut self, fault: Fault, second: &str) -> Result<Next> {
        let fault = match self.operation.fault.take() {
            Some(mut first) => {
                first.message = format!("{}; and {second}: {fault}", first.message);
                first
            }
            None => fault,
        };
        self.end(Phase::Failed, Some(fault), None).await
    }

    /// Begins to remove what a creation that failed has made.
    async fn unwind(&mut self, fault: Fault, step: Step) -> Result<Next> {
        self.operation.token = None;
        self.begin_again(step, self.inner.settings.delete_timeout);
        self.cluster.status_reason = Some(format!("{fault}; cleaning up"));
        self.operation.fault = Some(fault);
        self.save(Vec::new()).await?;
        Ok(Next::Again)
    }

    /// Begins to go back to the number of servers before a change that failed.
    async fn roll_back(&mut self, fault: Fault, pool: String, failed: u32, before: u32) -> Result<Next> {
        if let Some(pool) = self.cluster.pools.iter_mut().find(|p| p.name == pool) {
            pool.count = before;
        }
        self.cluster.generation += 1;
        self.operation.generation = self.cluster.generation;
        self.operation.kind = OperationKind::Rollback {
            pool,
            from: failed,
            to: before,
        };
        self.begin_again(Step::Drive, self.inner.settings.update_timeout);
        self.cluster.status = ClusterStatus::ROLLBACK_IN_PROGRESS;
        self.cluster.progress = Progress::default();
        self.cluster.status_reason = Some(format!("{fault}; rolling back"));
        self.operation.fault = Some(fault);
        self.save(Vec::new()).await?;
        Ok(Next::Again)
    }

    fn begin_again(&mut self, step: Step, timeout: std::time::Duration) {
        self.operation.step = step;
        self.operation.attempt = 0;
        self.operation.rounds = 0;
        self.operation.not_before = self.inner.clock.now();
        self.operation.deadline = later(&self.inner, timeout);
    }

    /// Ends the operation and shows how.
    pub(super) async fn end(
        &mut self,
        phase: Phase,
        fault: Option<Fault>,
        reason: Option<String>,
    ) -> Result<Next> {
        // Rolled back, the cluster is whole, but what was asked for is not done.
        let done = phase == Phase::Complete && fault.is_none();
        self.operation.state = if done {
            OperationState::Done
        } else {
            OperationState::Failed
        };
        if let Some(rotation) = &mut self.cluster.rotation {
            let own = matches!(self.operation.kind, OperationKind::RotateAuthorities { .. });
            rotation.failed = (own && !done).then(|| self.operation.kind.clone());
        }
        self.operation.fault.clone_from(&fault);
        self.operation.token = None;
        self.operation.ended_at = Some(self.inner.clock.now());
        self.cluster.status = ClusterStatus::of(self.operation.kind.action(), phase);
        self.cluster.status_reason = fault.as_ref().map(ToString::to_string).or(reason);
        self.cluster.fault = fault;
        let outcome = if done { Outcome::Success } else { Outcome::Failure };
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
        self.operation.token = None;
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
