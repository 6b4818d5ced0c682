//! How a request that was found good is recorded: cluster, operation and event in one commit.

use std::time::Duration;

use jiff::Timestamp;

use super::Magnum;
use super::idempotency::Key;
use crate::model::{
    Cluster, ClusterStatus, Event, EventId, Operation, OperationId, OperationKind, OperationState, Outcome,
    Phase, Progress, RequestContext, SealedToken, Step, UserToken,
};
use crate::ports::{Commit, Condition, TrustMode, Write};
use crate::{Error, ErrorKind, Result};

impl Magnum {
    /// An operation at its first step.
    pub(super) fn operation(
        &self,
        cx: &RequestContext,
        cluster: &Cluster,
        kind: OperationKind,
        now: Timestamp,
        timeout: Duration,
    ) -> Result<Operation> {
        let id = OperationId(self.inner.ids.uuid());
        let cloud = self.inner.cloud(&cluster.cloud)?;
        // Only the making of trust and stack needs the caller; everything later goes under the trust, and only when that is
        // refused can the caller of a removal give another. Nobody gives one in another project, or by one that was given.
        // Heat lets nobody but its owner change a stack whose owner has lost a role, so for changes there is no use in it.
        let gives = |token: &UserToken| {
            let own = token.project_id == cluster.project_id && token.user_id == cx.user_id;
            match kind {
                OperationKind::Create => true,
                OperationKind::Delete { .. } => own && cx.trust_id.is_none(),
                _ => false,
            }
        };
        let token = match (&cloud.trust, &cx.token) {
            (TrustMode::Trust(_), Some(token)) if gives(token) => Some(SealedToken {
                sealed: self.inner.sealer.seal(&token.token, &id.to_string())?,
                expires_at: token.expires_at,
            }),
            _ => None,
        };
        let step = match kind {
            OperationKind::Create if self.inner.begins_with_discovery(cluster)? => Step::Discovery,
            OperationKind::Create => Step::Trust,
            OperationKind::Delete { .. } => Step::PreDelete,
            OperationKind::RotateAuthorities { .. } => Step::Rotate,
            OperationKind::Scale { .. }
            | OperationKind::Rollback { .. }
            | OperationKind::Reshape { .. }
            | OperationKind::Resume { .. } => Step::Drive,
        };
        Ok(Operation {
            id,
            cluster_id: cluster.id,
            kind,
            state: OperationState::Active,
            step,
            deadline: now.checked_add(timeout).unwrap_or(Timestamp::MAX),
            attempt: 0,
            rounds: 0,
            not_before: now,
            generation: cluster.generation,
            user_id: cx.user_id.clone(),
            token,
            fault: None,
            unseen: None,
            created_at: now,
            ended_at: None,
        })
    }

    pub(super) fn event(
        &self,
        cluster: &Cluster,
        operation: &Operation,
        outcome: Outcome,
        reason: Option<String>,
    ) -> Event {
        self.inner.event(cluster, operation, outcome, reason)
    }

    /// Records a change of a cluster that has no other in progress.
    pub(super) async fn accept(
        &self,
        cx: &RequestContext,
        mut cluster: Cluster,
        kind: OperationKind,
        timeout: Duration,
        key: Option<Key>,
    ) -> Result<Cluster> {
        let now = self.inner.clock.now();
        cluster.generation += 1;
        let operation = self.operation(cx, &cluster, kind, now, timeout)?;
        begin(&mut cluster, &operation, now);
        let mut commit = Commit::new().require(Condition::Idle(cluster.id));
        if let Some(key) = key {
            commit = commit.write(key.answered(&cluster));
        }
        let Err(error) = self.begun(commit, &cluster, &operation).await else {
            return Ok(cluster);
        };
        // Somebody else's change was accepted first, or somebody wrote the row for another reason.
        match self.inner.store.cluster(cluster.id).await? {
            Some(stored) if error.kind() == ErrorKind::Stale && !stored.status.is_settled() => {
                Err(busy(&stored))
            }
            _ => Err(error),
        }
    }

    /// Commits a cluster with the operation that begins on it.
    pub(super) async fn begun(&self, commit: Commit, cluster: &Cluster, operation: &Operation) -> Result<()> {
        let event = self.event(cluster, operation, Outcome::Pending, None);
        let commit = commit
            .write(Write::PutCluster(Box::new(cluster.clone())))
            .write(Write::PutOperation(Box::new(operation.clone())))
            .write(Write::Due(cluster.id, operation.created_at))
            .write(Write::PutEvent(Box::new(event)));
        self.inner.store.commit(commit).await?;
        tracing::info!(cluster = %cluster.id, operation = operation.kind.as_str(), "accepted");
        self.inner.wake();
        Ok(())
    }
}

impl super::Inner {
    pub(crate) fn event(
        &self,
        cluster: &Cluster,
        operation: &Operation,
        outcome: Outcome,
        reason: Option<String>,
    ) -> Event {
        Event {
            id: EventId(self.ids.uuid()),
            cluster_id: cluster.id,
            cluster_name: cluster.name.clone(),
            project_id: cluster.project_id.clone(),
            user_id: operation.user_id.clone(),
            operation: operation.kind.as_str().to_owned(),
            outcome,
            status: cluster.status,
            reason,
            at: self.clock.now(),
        }
    }
}

/// Shows that an operation has begun on a cluster.
pub(super) fn begin(cluster: &mut Cluster, operation: &Operation, now: Timestamp) {
    cluster.status = ClusterStatus::of(operation.kind.action(), Phase::InProgress);
    cluster.status_reason = None;
    cluster.fault = None;
    cluster.progress = Progress::default();
    cluster.updated_at = Some(now);
    cluster.revision = cluster.revision.next();
}

/// The refusal of a change while another one is in progress.
pub(super) fn busy(cluster: &Cluster) -> Error {
    let message = format!(
        "the cluster is busy: {}; it cannot be changed until that has ended",
        cluster.status
    );
    Error::new(ErrorKind::Busy, message)
}
