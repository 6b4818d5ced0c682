//! Changes of clusters that are there: by patch, or by number of nodes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::acceptance::busy;
use super::clusters::MOST_SERVERS;
use super::idempotency::Key;
use super::templates::GENERATED_NAME_TRIES;
use super::{Magnum, UpdateOptions, validation};
use crate::model::{
    Cluster, Health, HealthStatus, Ident, OperationKind, Patch, Phase, PoolRole, Request, RequestContext,
    Rule,
};
use crate::ports::{Commit, Permission, Write};
use crate::{Error, ErrorKind, Problem, Result};

/// The attributes of a cluster that a patch can concern.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changeable {
    node_count: u32,
    health_status: Option<HealthStatus>,
    health_status_reason: BTreeMap<String, String>,
}

/// Another number of nodes, as a request asks for it.
#[derive(Debug, Default)]
pub(super) struct Resize {
    pub(super) node_count: u32,
    pub(super) remove: Vec<String>,
    pub(super) rollback: bool,
    /// Whether the row is to be written even when the number of nodes stays.
    pub(super) touched: bool,
    pub(super) key: Option<Key>,
}

impl Magnum {
    /// Changes attributes of a cluster.
    ///
    /// | Attribute | add | replace | remove |
    /// | --- | --- | --- | --- |
    /// | `node_count` | no | adds or removes nodes | resets to 1 |
    /// | `health_status`, `health_status_reason` | sets | sets | clears |
    /// | all others | no | no | no |
    ///
    /// What a monitor says of a cluster's health is taken at any time and changes no status. Another number of nodes
    /// is accepted as by [`Magnum::scale_cluster`]; the number that the cluster has already changes nothing.
    ///
    /// ```
    /// # async fn f(magnum: magnum_core::Magnum, cx: magnum_core::RequestContext) -> magnum_core::Result<()> {
    /// use magnum_core::{Patch, UpdateOptions};
    /// let patch = Patch::new().replace("/node_count", 8);
    /// let cluster = magnum.update_cluster(&cx, "mycluster", &patch, UpdateOptions::default().with_rollback()).await?;
    /// assert_eq!(cluster.status.to_string(), "UPDATE_IN_PROGRESS");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Magnum::scale_cluster`]; `InvalidInput` also names every attribute that cannot be changed so.
    pub async fn update_cluster(
        &self,
        cx: &RequestContext,
        ident: impl Into<Ident>,
        patch: &Patch,
        options: UpdateOptions,
    ) -> Result<Cluster> {
        let ident = ident.into();
        let health_only = patch.attributes().next().is_some()
            && patch.attributes().all(|name| name.starts_with("health_status"));
        let permission = if health_only {
            Permission::ClusterUpdateHealth
        } else {
            Permission::ClusterUpdate
        };
        // Whoever works on the cluster writes the row too; on a collision the newer row takes the health as well.
        for _ in 0..GENERATED_NAME_TRIES {
            let mut cluster = self.find_cluster(cx, &ident, permission).await?;
            if patch.attributes().next().is_none() {
                return Ok(cluster);
            }
            expect(&cluster, options.expected_generation)?;
            let document = json!({
                "node_count": cluster.node_count(),
                "health_status": cluster.health.status,
                "health_status_reason": cluster.health.reason,
            });
            let wanted: Changeable = patch.apply(&document, rule)?;
            let health = Health {
                status: wanted.health_status,
                reason: wanted.health_status_reason,
            };
            let problems: Vec<Problem> = health.reason.iter().filter_map(reason_problem).collect();
            if !problems.is_empty() {
                return Err(Error::invalid(problems));
            }
            let sick = health != cluster.health;
            cluster.health = health;
            if !health_only {
                let resize = Resize {
                    node_count: wanted.node_count,
                    remove: options.remove,
                    rollback: options.rollback,
                    touched: sick,
                    ..Resize::default()
                };
                return self.resize(cx, cluster, resize).await;
            }
            if !sick {
                return Ok(cluster);
            }
            match self.put(cluster, None).await {
                Err(error) if error.kind() == ErrorKind::Stale => {}
                other => return other,
            }
        }
        Err(Error::new(
            ErrorKind::Busy,
            "the cluster keeps changing; try again",
        ))
    }

    /// Accepts another number of nodes.
    ///
    /// The number that the cluster has already is accepted and changes nothing; after a failed change it is driven
    /// again.
    ///
    /// # Errors
    /// `InvalidInput`; `Busy` while another operation is in progress; `Conflict` when the cluster's last
    /// operation left it unfit for a change; `Unsupported` when its driver cannot scale; `Quota` when the project has
    /// no room for more; `Stale` when the cluster is at another generation than demanded; `NotFound`; `Forbidden`.
    pub async fn scale_cluster(
        &self,
        cx: &RequestContext,
        ident: impl Into<Ident>,
        node_count: u32,
        options: UpdateOptions,
    ) -> Result<Cluster> {
        let cluster = self
            .find_cluster(cx, &ident.into(), Permission::ClusterUpdate)
            .await?;
        expect(&cluster, options.expected_generation)?;
        let resize = Resize {
            node_count,
            remove: options.remove,
            rollback: options.rollback,
            ..Resize::default()
        };
        self.resize(cx, cluster, resize).await
    }

    pub(super) async fn resize(
        &self,
        cx: &RequestContext,
        mut cluster: Cluster,
        resize: Resize,
    ) -> Result<Cluster> {
        let Resize {
            node_count,
            remove,
            rollback,
            touched,
            key,
        } = resize;
        let inner = &self.inner;
        let driver = inner.driver_of(&cluster)?;
        takes(&cluster, Request::Change)?;
        let from = cluster.node_count();
        let same = from == node_count && cluster.status.phase == Phase::Complete;
        if !same && !driver.descriptor().scalable {
            let message = format!("clusters of the driver {} cannot be scaled", cluster.driver.name);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let there = driver.needs(&cluster);
        let mut problems: Vec<_> = validation::count("node_count", node_count, 1, MOST_SERVERS)
            .into_iter()
            .collect();
        problems.extend(remove.iter().filter_map(|node| removal(node)));
        let leaving = from.saturating_sub(node_count);
        if remove.len() as u64 > u64::from(leaving) {
            let message = format!("{leaving} nodes leave, so no more can be named");
            problems.push(Problem::new("nodes_to_remove", remove.join(","), message));
        }
        if let Some(pool) = cluster.pool_mut(PoolRole::Worker) {
            pool.count = node_count;
        }
        if !remove.is_empty() && !driver.descriptor().named_removal {
            let message = format!(
                "the driver {} cannot choose which nodes leave",
                cluster.driver.name
            );
            problems.push(Problem::new("nodes_to_remove", remove.join(","), message));
        }
        // Only what changes: a rule that came with a newer driver must not keep an older cluster from being scaled.
        let of_count = |problem: &Problem| problem.field == "node_count";
        problems.extend(
            driver
                .validate(&cluster.template, Some(&cluster))
                .into_iter()
                .filter(of_count),
        );
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        if same {
            return match key {
                None if !touched => Ok(cluster),
                key => self.put(cluster, key).await,
            };
        }
        self.has_room(cx, &cluster, &driver.needs(&cluster).beyond(&there))
            .await?;
        let kind = OperationKind::Scale {
            pool: PoolRole::Worker.as_str().to_owned(),
            from,
            to: node_count,
            remove,
            rollback,
        };
        self.accept(cx, cluster, kind, inner.settings.update_timeout, key)
            .await
    }

    /// Writes a cluster's row, without an operation.
    async fn put(&self, mut cluster: Cluster, key: Option<Key>) -> Result<Cluster> {
        cluster.revision = cluster.revision.next();
        cluster.updated_at = Some(self.inner.clock.now());
        let mut commit = Commit::new().write(Write::PutCluster(Box::new(cluster.clone())));
        if let Some(key) = key {
            commit = commit.write(key.answered(&cluster));
        }
        self.inner.store.commit(commit).await?;
        self.inner.wake();
        Ok(cluster)
    }
}

/// Refuses a cluster that is at another generation than demanded.
pub(super) fn expect(cluster: &Cluster, generation: Option<u64>) -> Result<()> {
    if generation.is_none_or(|expected| expected == cluster.generation) {
        return Ok(());
    }
    let message = format!("the cluster is at generation {}", cluster.generation);
    Err(Error::new(ErrorKind::Stale, message))
}

/// Refuses what a cluster in its status does not take.
pub(super) fn takes(cluster: &Cluster, request: Request) -> Result<()> {
    if cluster.status.takes(request) {
        return Ok(());
    }
    if !cluster.status.is_settled() {
        return Err(busy(cluster));
    }
    let others = [
        (Request::Change, "changed"),
        (Request::Retry, "retried"),
        (Request::Delete, "deleted"),
    ];
    let (can, cannot): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|(other, _)| *other != request && cluster.status.takes(*other));
    let words =
        |list: Vec<(Request, &'static str)>| list.into_iter().map(|(_, word)| word).collect::<Vec<_>>();
    let refused = words(
        cannot
            .into_iter()
            .filter(|(other, _)| *other == request)
            .collect(),
    );
    let message = format!(
        "a cluster that is {} cannot be {}; it can be {}",
        cluster.status,
        refused.join(", "),
        words(can).join(" or ")
    );
    Err(Error::new(ErrorKind::Conflict, message))
}

/// What a patch may do with an attribute.
fn rule(attribute: &str) -> Rule {
    match attribute {
        "node_count" => Rule::Counted { default: json!(1) },
        "health_status" => Rule::Free { default: Value::Null },
        "health_status_reason" => Rule::Free { default: json!({}) },
        "name"
        | "master_count"
        | "discovery_url"
        | "cluster_template_id"
        | "keypair"
        | "create_timeout"
        | "on_create_failure"
        | "labels"
        | "flavor_id"
        | "master_flavor_id"
        | "docker_volume_size"
        | "fixed_network"
        | "fixed_subnet"
        | "floating_ip_enabled"
        | "master_lb_enabled"
        | "uuid"
        | "id"
        | "links"
        | "stack_id"
        | "status"
        | "status_reason"
        | "api_address"
        | "coe_version"
        | "container_version"
        | "node_addresses"
        | "master_addresses"
        | "project_id"
        | "user_id"
        | "created_at"
        | "updated_at" => Rule::Fixed {
            why: "it cannot be changed; node_count can".to_owned(),
        },
        _ => Rule::Fixed {
            why: "a cluster has no such attribute; node_count can be changed".to_owned(),
        },
    }
}

/// What a monitor says is kept, shown and logged.
fn reason_problem((key, value): (&String, &String)) -> Option<Problem> {
    let fits = |text: &str| text.chars().count() <= 255 && !text.chars().any(char::is_control);
    (!(fits(key) && fits(value))).then(|| {
        let message = "at most 255 characters without control characters are allowed";
        Problem::new(
            format!("health_status_reason.{}", crate::shown(key)),
            value,
            message,
        )
    })
}

fn removal(node: &str) -> Option<Problem> {
    let fits = (1..=64).contains(&node.len()) && node.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (!fits).then(|| Problem::new("nodes_to_remove", node, "server ids and indices are allowed"))
}
