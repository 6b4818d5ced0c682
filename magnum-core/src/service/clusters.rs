//! Clusters: make, show, list. All that changes infrastructure is recorded here and done by a conductor.

use std::time::Duration;

use super::idempotency::Key;
use super::look_ups::as_input;
use super::template_rules::trust_problem;
use super::templates::{GENERATED_NAME_TRIES, only};
use super::{CreateOptions, Magnum, names, validation};
use crate::model::{
    Cluster, ClusterId, ClusterSpec, ClusterTemplate, Ident, OperationKind, Outcome, RequestContext,
};
use crate::ports::{ClusterDriver, Commit, Condition, Permission, Query, Target, Write};
use crate::{Error, ErrorKind, Problem, Result};

impl Magnum {
    /// Accepts a cluster to be made. It is there at once, `CREATE_IN_PROGRESS`; a conductor makes it.
    ///
    /// # Errors
    /// `InvalidInput` names every attribute that is not acceptable; `Quota` when the project has as many
    /// clusters as it may, or less left of another quota than the cluster takes; `Conflict` when the idempotency key came
    /// with another request; `Stale` when the template was changed meanwhile; `Forbidden`;
    /// `Unauthorized` and `Unavailable` from look-ups. Nothing was recorded, unless [`Error::retry`] is
    /// [`crate::Retry::Unknown`]: the store may have the cluster; an idempotency key tells.
    pub async fn create_cluster(
        &self,
        cx: &RequestContext,
        spec: ClusterSpec,
        options: CreateOptions,
    ) -> Result<Cluster> {
        let own = Target::own(cx);
        self.inner.policy.enforce(cx, Permission::ClusterCreate, &own)?;
        let key = self.key("create", options.idempotency_key.as_deref(), &spec)?;
        self.once(cx, key.clone(), self.make(cx, spec, key, false)).await
    }

    /// Accepts a new cluster; when it is to be the `only_one`, its name must be free in the project.
    pub(super) async fn make(
        &self,
        cx: &RequestContext,
        spec: ClusterSpec,
        key: Option<Key>,
        only_one: bool,
    ) -> Result<Cluster> {
        let inner = &self.inner;
        let (template, mut cluster) = self.checked_draft(cx, &spec).await?;
        let driver = inner.driver_of(&cluster)?;
        self.preflight(cx, &mut cluster, &**driver).await?;
        if cluster.master_count().is_multiple_of(2) {
            tracing::warn!(
                cluster = %cluster.id,
                masters = cluster.master_count(),
                "an even number of masters outlives no more failures than one less"
            );
        }

        let now = inner.clock.now();
        let timeout = Duration::from_secs(u64::from(spec.create_timeout) * 60);
        let operation = self.operation(cx, &cluster, OperationKind::Create, now, timeout)?;
        let mut commit = Commit::new()
            // The template must still be what was read, or its deletion could slip in between.
            .require(Condition::Template(template.id, template.revision))
            .require(Condition::ClustersBelow {
                project: cx.project_id.clone(),
                default_limit: inner.settings.clusters_per_project,
            });
        if let Some(key) = key.clone() {
            commit = commit.write(key.answered(&cluster));
        }
        for _ in 0..GENERATED_NAME_TRIES {
            let mut commit = commit.clone();
            if spec.name.is_none() {
                cluster.name = names::generate(&*inner.entropy, "cluster")?;
            }
            if spec.name.is_none() || only_one {
                let (project, name) = (cx.project_id.clone(), cluster.name.clone());
                commit = commit.require(Condition::ClusterNameFree { project, name });
            }
            commit = commit
                .write(Write::InsertCluster(Box::new(cluster.clone())))
                .write(Write::PutOperation(Box::new(operation.clone())))
                .write(Write::PutEvent(Box::new(self.event(
                    &cluster,
                    &operation,
                    Outcome::Pending,
                    None,
                ))));
            match inner.store.commit(commit).await {
                Ok(()) => {
                    tracing::info!(cluster = %cluster.id, "cluster create accepted");
                    inner.wake();
                    return Ok(cluster);
                }
                Err(error) => {
                    // Another name helps only where the name was taken, not the key.
                    let named = spec.name.is_some() || error.kind() != ErrorKind::Conflict;
                    if named || self.answered_before(cx, key.as_ref()).await?.is_some() {
                        return Err(error);
                    }
                }
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "no generated name is free in this project; give one",
        ))
    }

    /// The cluster that a request asks for, and its template, as far as they can be checked without the cloud.
    pub(super) async fn checked_draft(
        &self,
        cx: &RequestContext,
        spec: &ClusterSpec,
    ) -> Result<(ClusterTemplate, Cluster)> {
        let problems = validation::cluster_form(spec);
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let ident = Ident::from(spec.cluster_template.as_str());
        let found = self.template(cx, ident.clone()).await;
        let template = as_input("cluster_template", ident.as_str(), found)?;
        let driver = self.driver_for(&template.spec, &template.cluster_distro)?;
        let cluster = self.draft(cx, spec, &template, driver.descriptor());
        let problems = self.misfits(&cluster, &**driver)?;
        if problems.is_empty() {
            Ok((template, cluster))
        } else {
            Err(Error::invalid(problems))
        }
    }

    /// What of a cluster does not go together, with its driver or with this host.
    pub(super) fn misfits(&self, cluster: &Cluster, driver: &dyn ClusterDriver) -> Result<Vec<Problem>> {
        let descriptor = driver.descriptor();
        let (least, most) = descriptor.masters;
        let mut problems = validation::template_fits(&cluster.template, descriptor);
        problems.extend(validation::count(
            "node_count",
            cluster.node_count(),
            1,
            MOST_SERVERS,
        ));
        problems.extend(validation::count(
            "master_count",
            cluster.master_count(),
            least,
            most,
        ));
        if let Some(url) = &cluster.discovery_url {
            let asked = self.inner.discovery.is_some();
            let egress = &*self.inner.egress;
            problems.extend(validation::discovery_url(url, descriptor, asked, egress));
        }
        if cluster.keypair.is_none() {
            let message = "the template has no key pair, so the cluster must name one";
            problems.push(Problem::new("keypair", "", message));
        }
        if cluster.tls() && self.inner.endpoint.is_none() {
            let message = "this host has no node endpoint, where nodes would get certificates";
            problems.push(Problem::new("tls_disabled", false, message));
        }
        // The driver need not check again what does not fit its descriptor.
        if problems.is_empty() {
            problems = driver.validate(&cluster.template, Some(cluster));
            problems.extend(trust_problem(
                self.inner.cloud(&cluster.cloud)?,
                driver,
                &cluster.template,
            ));
        }
        Ok(problems)
    }

    /// A cluster by its name in the caller's project, or by UUID.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when several have the name; `Forbidden`.
    pub async fn cluster(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<Cluster> {
        self.find_cluster(cx, &ident.into(), Permission::ClusterRead)
            .await
    }

    /// A cluster that the caller may know of, after the policy was asked. Other projects' clusters go by UUID only, for
    /// those who see them at all.
    pub(super) async fn find_cluster(
        &self,
        cx: &RequestContext,
        ident: &Ident,
        permission: Permission,
    ) -> Result<Cluster> {
        let sees_all = self.inner.policy.sees_all_projects(cx);
        let by_id = match ident.as_uuid() {
            Some(uuid) => self.inner.store.cluster(ClusterId(uuid)).await?,
            None => None,
        };
        let cluster = match by_id.filter(|cluster| sees_all || cluster.project_id == cx.project_id) {
            Some(cluster) => cluster,
            None => {
                // Names are the caller's own: others' would make them ambiguous, or lead elsewhere.
                let query = Query::project(&cx.project_id).named(ident.as_str());
                only(&mut self.inner.store.clusters(query).await?, "cluster", ident)?
            }
        };
        let owner = Target::of(&cluster.project_id, &cluster.user_id);
        self.inner.policy.enforce(cx, permission, &owner)?;
        Ok(cluster)
    }
}

/// The most servers of one kind; far beyond what one stack can hold.
pub(super) const MOST_SERVERS: u32 = 1000;
