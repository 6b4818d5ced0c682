//! Changes of clusters that are there: scale and delete.

use std::time::Duration;

use jiff::Timestamp;

use super::clusters::MOST_SERVERS;
use super::templates::GENERATED_NAME_TRIES;
use super::{DeleteOptions, Magnum, ScaleOptions, validation};
use crate::model::{
    Action, Cluster, ClusterId, ClusterStatus, Ident, Operation, OperationKind, OperationState, Outcome,
    Phase, PoolRole, Progress, RequestContext,
};
use crate::ports::{Commit, Condition, Permission, Write};
use crate::{Error, ErrorKind, Result};

impl Magnum {
    /// Accepts another number of nodes.
    ///
    /// The number that the cluster has already is accepted and changes nothing.
    ///
    /// # Errors
    /// `InvalidInput`; `Busy` while another operation is in progress; `Conflict` when the cluster's last
    /// operation left it unfit for a change; `Unsupported` when its driver cannot scale; `Stale` when it
    /// is at another generation than demanded; `NotFound`; `Forbidden`.
    pub async fn scale_cluster(
        &self,
        cx: &RequestContext,
        ident: impl Into<Ident>,
        node_count: u32,
        options: ScaleOptions,
    ) -> Result<Cluster> {
        let inner = &self.inner;
        let mut cluster = self
            .find_cluster(cx, &ident.into(), Permission::ClusterUpdate)
            .await?;
        if options
            .expected_generation
            .is_some_and(|expected| expected != cluster.generation)
        {
            let message = format!("the cluster is at generation {}", cluster.generation);
            return Err(Error::new(ErrorKind::Stale, message));
        }
        let driver = inner.driver_of(&cluster)?;
        if !driver.descriptor().scalable {
            let message = format!("clusters of the driver {} cannot be scaled", cluster.driver.name);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        if !cluster.status.is_settled() {
            return Err(busy(&cluster));
        }
        let changeable = cluster.status.phase == Phase::Complete
            || (cluster.status.action == Action::Update && cluster.status.phase == Phase::Failed);
        if !changeable || cluster.status.action == Action::Delete {
            let message = format!(
                "a cluster that is {} cannot be changed; it can be deleted",
                cluster.status
            );
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let from = cluster.node_count();
        let mut problems: Vec<_> = validation::count("node_count", node_count, 1, MOST_SERVERS)
            .into_iter()
            .collect();
        problems.extend(options.remove.iter().filter_map(|node| removal(node)));
        if !options.remove.is_empty()
            && options.remove.len() as u64 > u64::from(from.saturating_sub(node_count))
        {
            let message = format!(
                "{} nodes leave, so no more can be named",
                from.saturating_sub(node_count)
            );
            problems.push(crate::Problem::new(
                "nodes_to_remove",
                options.remove.join(","),
                message,
            ));
        }
        if let Some(pool) = cluster.pool_mut(PoolRole::Worker) {
            pool.count = node_count;
        }
        problems.extend(driver.validate(&cluster.template, Some(&cluster)));
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        if from == node_count && cluster.status.phase == Phase::Complete {
            return Ok(cluster);
        }
        cluster.generation += 1;
        let kind = OperationKind::Scale {
            pool: PoolRole::Worker.as_str().to_owned(),
            from,
            to: node_count,
            remove: options.remove,
        };
        self.accept(cx, cluster, kind, inner.settings.update_timeout, Condition::Idle)
            .await
    }

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
        let commit = commit
            .write(Write::PutCluster(Box::new(cluster.clone())))
            .write(Write::PutOperation(Box::new(operation.clone())))
            .write(Write::Due(cluster.id, now))
            .write(Write::PutEvent(Box::new(self.event(
                &cluster,
                &operation,
                Outcome::Pending,
                None,
            ))));
        match self.inner.store.commit(commit).await {
            // An operation began since the row was read: the row has changed too.
            Err(error) if error.kind() == ErrorKind::Busy => {
                Err(Error::new(ErrorKind::Stale, error.to_string()))
            }
            Err(error) => Err(error),
            Ok(()) => {
                tracing::info!(cluster = %cluster.id, "cluster delete accepted");
                self.inner.wake();
                Ok(cluster)
            }
        }
    }

    async fn accept(
        &self,
        cx: &RequestContext,
        mut cluster: Cluster,
        kind: OperationKind,
        timeout: Duration,
        condition: fn(ClusterId) -> Condition,
    ) -> Result<Cluster> {
        let now = self.inner.clock.now();
        let operation = self.operation(cx, &cluster, kind, now, timeout)?;
        begin(&mut cluster, &operation, now);
        let commit = Commit::new()
            .require(condition(cluster.id))
            .write(Write::PutCluster(Box::new(cluster.clone())))
            .write(Write::PutOperation(Box::new(operation.clone())))
            .write(Write::Due(cluster.id, now))
            .write(Write::PutEvent(Box::new(self.event(
                &cluster,
                &operation,
                Outcome::Pending,
                None,
            ))));
        match self.inner.store.commit(commit).await {
            // Somebody else's change was accepted first.
            Err(error) if error.kind() == ErrorKind::Stale => Err(busy(&cluster)),
            Err(error) => Err(error),
            Ok(()) => {
                tracing::info!(cluster = %cluster.id, operation = operation.kind.as_str(), "change accepted");
                self.inner.wake();
                Ok(cluster)
            }
        }
    }
}

fn removal(node: &str) -> Option<crate::Problem> {
    let fits = (1..=64).contains(&node.len()) && node.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (!fits).then(|| crate::Problem::new("nodes_to_remove", node, "server ids and indices are allowed"))
}

fn begin(cluster: &mut Cluster, operation: &Operation, now: Timestamp) {
    cluster.status = ClusterStatus::of(operation.kind.action(), Phase::InProgress);
    cluster.status_reason = None;
    cluster.fault = None;
    cluster.progress = Progress::default();
    cluster.updated_at = Some(now);
    cluster.revision = cluster.revision.next();
}

fn busy(cluster: &Cluster) -> Error {
    let message = format!(
        "the cluster is busy: {}; it cannot be changed until that has ended",
        cluster.status
    );
    Error::new(ErrorKind::Busy, message)
}
