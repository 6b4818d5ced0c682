//! Deletion of clusters.

use super::acceptance::begin;
use super::templates::GENERATED_NAME_TRIES;
use super::{DeleteOptions, Magnum};
use crate::model::{Cluster, Ident, Operation, OperationKind, OperationState, RequestContext};
use crate::ports::{Commit, Condition, Permission, Write};
use crate::{Error, ErrorKind, Result};

impl Magnum {
    /// Accepts the removal of a cluster, whatever its state; an operation in progress is taken over, and so is a
    /// removal when this one is forced or treats volumes otherwise.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when several have the name; `Forbidden`.
    pub async fn delete_cluster(
        &self,
        cx: &RequestContext,
        ident: impl Into<Ident>,
        options: DeleteOptions,
    ) -> Result<Cluster> {
        let ident = ident.into();
        // The conductor writes the row too; on a collision the newer row is as good to delete.
        for _ in 0..GENERATED_NAME_TRIES {
            let cluster = self.find_cluster(cx, &ident, Permission::ClusterDelete).await?;
            let active = self.inner.store.active_operation(cluster.id).await?;
            let mut force = options.force;
            if let Some(OperationKind::Delete { force: before, .. }) = active.as_ref().map(|a| &a.kind) {
                // Once forced stays forced.
                force |= before;
            }
            let volumes = options.volumes;
            let kind = OperationKind::Delete { force, volumes };
            if active.as_ref().is_some_and(|active| active.kind == kind) {
                return Ok(cluster);
            }
            match self.take_over(cx, cluster, active, kind).await {
                Err(error) if error.kind() == ErrorKind::Stale => {}
                other => return other,
            }
        }
        Err(Error::new(
            ErrorKind::Busy,
            "the cluster keeps changing; try again",
        ))
    }

    async fn take_over(
        &self,
        cx: &RequestContext,
        mut cluster: Cluster,
        active: Option<Operation>,
        kind: OperationKind,
    ) -> Result<Cluster> {
        let now = self.inner.clock.now();
        cluster.generation += 1;
        let operation = self.operation(cx, &cluster, kind, now, self.inner.settings.delete_timeout)?;
        begin(&mut cluster, &operation, now);
        let mut commit = Commit::new();
        if let Some(mut former) = active {
            former.state = OperationState::Superseded;
            former.token = None;
            former.ended_at = Some(now);
            commit = commit.write(Write::PutOperation(Box::new(former)));
        } else {
            commit = commit.require(Condition::Idle(cluster.id));
        }
        match self.begun(commit, &cluster, &operation).await {
            // An operation began since the row was read: the row has changed too.
            Err(error) if error.kind() == ErrorKind::Busy => {
                Err(Error::new(ErrorKind::Stale, error.to_string()))
            }
            other => other.map(|()| cluster),
        }
    }
}
