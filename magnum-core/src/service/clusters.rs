//! Clusters: make, show, list. All that changes infrastructure is recorded here and done by a conductor.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::templates::{GENERATED_NAME_TRIES, as_input, only, trust_problem};
use super::{CreateOptions, Magnum, names, validation};
use crate::model::{
    Cluster, ClusterId, ClusterSpec, ClusterStatus, ClusterTemplate, DriverRef, Event, EventId, Ident,
    Operation, OperationId, OperationKind, OperationState, Outcome, Pool, PoolRole, Progress, RequestContext,
    Revision, SealedToken, Step,
};
use crate::ports::{
    Commit, Condition, DriverDescriptor, Idempotent, Permission, Query, Target, TrustMode, Write,
};
use crate::{Error, ErrorKind, Result};

impl Magnum {
    /// Accepts a cluster to be made. It is there at once, `CREATE_IN_PROGRESS`; a conductor makes it.
    ///
    /// # Errors
    /// `InvalidInput` names every attribute that is not acceptable; `Quota` when the project has as many
    /// clusters as it may; `Conflict` when the idempotency key came with another request; `Forbidden`;
    /// `Unauthorized` and `Unavailable` from look-ups. Nothing was recorded, unless [`Error::retry`] is
    /// [`crate::Retry::Unknown`]: the store may have the cluster; an idempotency key tells.
    pub async fn create_cluster(
        &self,
        cx: &RequestContext,
        spec: ClusterSpec,
        options: CreateOptions,
    ) -> Result<Cluster> {
        let inner = &self.inner;
        let own = Target {
            project_id: &cx.project_id,
            user_id: &cx.user_id,
        };
        inner.policy.enforce(cx, Permission::ClusterCreate, &own)?;
        if let Some(made) = self.made_before(cx, &spec, &options).await? {
            return Ok(made);
        }
        let mut problems = Vec::new();
        problems.extend(spec.name.as_deref().and_then(validation::cluster_name));
        problems.extend(
            options
                .idempotency_key
                .as_deref()
                .and_then(|k| validation::plain("idempotency_key", k)),
        );
        problems.extend(
            spec.keypair
                .as_deref()
                .and_then(|k| validation::plain("keypair", k)),
        );
        problems.extend(validation::count(
            "create_timeout",
            spec.create_timeout,
            1,
            7 * 24 * 60,
        ));
        if spec.cluster_template.is_empty() {
            problems.push(crate::Problem::new(
                "cluster_template",
                "",
                "this attribute is mandatory",
            ));
        }
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let ident = Ident::from(spec.cluster_template.as_str());
        let template = as_input(
            "cluster_template",
            ident.as_str(),
            self.find_template(cx, &ident).await,
        )?;
        let driver = self.driver_for(&template.spec, &template.cluster_distro)?;
        let mut cluster = self.draft(cx, &spec, &template, driver.descriptor());
        let mut problems = counts(&spec, driver.descriptor());
        problems.extend(validation::labels(&cluster.template.labels, driver.descriptor()));
        if let Some(url) = &spec.discovery_url {
            let asked = inner.discovery.is_some();
            problems.extend(validation::discovery_url(
                url,
                driver.descriptor(),
                asked,
                &*inner.egress,
            ));
        }
        if cluster.keypair.is_none() {
            let message = "the template has no key pair, so the cluster must name one";
            problems.push(crate::Problem::new("keypair", "", message));
        }
        if cluster.tls() && inner.endpoint.is_none() {
            let message = "this host has no node endpoint, where nodes would get certificates";
            problems.push(crate::Problem::new("tls_disabled", false, message));
        }
        // The driver need not check again what does not fit its descriptor.
        if problems.is_empty() {
            problems = driver.validate(&cluster.template, Some(&cluster));
            problems.extend(trust_problem(
                inner.cloud(&cluster.cloud)?,
                &**driver,
                &cluster.template,
            ));
        }
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        self.look_up(cx, &mut cluster).await?;

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
        if let Some(key) = &options.idempotency_key {
            commit = commit.write(Write::PutIdempotent(Box::new(Idempotent {
                project: cx.project_id.clone(),
                key: key.clone(),
                request: fingerprint(&spec)?,
                cluster_id: cluster.id,
            })));
        }
        for _ in 0..GENERATED_NAME_TRIES {
            let mut commit = commit.clone();
            if spec.name.is_none() {
                cluster.name = names::generate(&*inner.entropy, "cluster")?;
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
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    // A request with the same key may have won the race.
                    if let Some(made) = self.made_before(cx, &spec, &options).await? {
                        return Ok(made);
                    }
                    if spec.name.is_some() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "no generated name is free in this project; give one",
        ))
    }

    /// A cluster by name or UUID.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when several have the name; `Forbidden`.
    pub async fn cluster(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<Cluster> {
        self.find_cluster(cx, &ident.into(), Permission::ClusterRead)
            .await
    }

    /// A cluster that the caller may know of, after the policy was asked.
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
                let query = self.cluster_query(cx).named(ident.as_str());
                only(&mut self.inner.store.clusters(query).await?, "cluster", ident)?
            }
        };
        let owner = Target {
            project_id: &cluster.project_id,
            user_id: &cluster.user_id,
        };
        self.inner.policy.enforce(cx, permission, &owner)?;
        Ok(cluster)
    }

    fn cluster_query(&self, cx: &RequestContext) -> Query {
        if self.inner.policy.sees_all_projects(cx) {
            Query::all()
        } else {
            Query::project(&cx.project_id)
        }
    }

    async fn made_before(
        &self,
        cx: &RequestContext,
        spec: &ClusterSpec,
        options: &CreateOptions,
    ) -> Result<Option<Cluster>> {
        let Some(key) = &options.idempotency_key else {
            return Ok(None);
        };
        let Some(known) = self.inner.store.idempotent(&cx.project_id, key).await? else {
            return Ok(None);
        };
        if known.request != fingerprint(spec)? {
            let message = "this idempotency key came before, with another request";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        match self.inner.store.cluster(known.cluster_id).await? {
            Some(cluster) => Ok(Some(cluster)),
            None => {
                let message = "the cluster made under this idempotency key has been deleted; use a new key";
                Err(Error::new(ErrorKind::Conflict, message))
            }
        }
    }

    fn draft(
        &self,
        cx: &RequestContext,
        spec: &ClusterSpec,
        template: &ClusterTemplate,
        driver: &DriverDescriptor,
    ) -> Cluster {
        let mut effective = template.spec.clone();
        if let Some(labels) = &spec.labels {
            effective.labels = labels.clone();
        }
        effective.flavor_id = spec.flavor_id.clone().or(effective.flavor_id);
        effective.master_flavor_id = spec.master_flavor_id.clone().or(effective.master_flavor_id);
        effective.docker_volume_size = spec.docker_volume_size.or(effective.docker_volume_size);
        let pool = |role: PoolRole, count: u32, flavor: &Option<String>| Pool {
            name: role.as_str().to_owned(),
            role,
            count,
            flavor_id: flavor.clone().unwrap_or_default(),
            addresses: Vec::new(),
        };
        Cluster {
            id: ClusterId(self.inner.ids.uuid()),
            name: spec.name.clone().unwrap_or_default(),
            cloud: self.inner.default_cloud.clone(),
            project_id: cx.project_id.clone(),
            user_id: cx.user_id.clone(),
            cluster_template_id: template.id,
            cluster_distro: template.cluster_distro.clone(),
            driver: DriverRef {
                name: driver.name.clone(),
                version: driver.version.clone(),
            },
            keypair: spec.keypair.clone().or_else(|| template.spec.keypair_id.clone()),
            create_timeout: spec.create_timeout,
            discovery_url: spec.discovery_url.clone(),
            pools: vec![
                pool(PoolRole::Master, spec.master_count, &effective.master_flavor_id),
                pool(PoolRole::Worker, spec.node_count, &effective.flavor_id),
            ],
            template: effective,
            status: ClusterStatus::CREATE_IN_PROGRESS,
            status_reason: None,
            fault: None,
            progress: Progress::default(),
            stack_id: None,
            api_address: None,
            coe_version: None,
            container_version: None,
            ca_cert: None,
            authorities: std::collections::BTreeMap::new(),
            magnum_cert: None,
            node_credentials: Vec::new(),
            generation: 1,
            created_at: self.inner.clock.now(),
            updated_at: None,
            revision: Revision(1),
        }
    }

    /// Look-ups of what only the cluster names, and of what may have gone since the template was made.
    async fn look_up(&self, cx: &RequestContext, cluster: &mut Cluster) -> Result<()> {
        let cloud = self.inner.cloud(&cluster.cloud)?;
        let auth = self.inner.caller(cloud, cx)?;
        let catalog = &cloud.catalog;
        let image = as_input(
            "image_id",
            &cluster.template.image_id,
            catalog.image(&auth, &cluster.template.image_id).await,
        )?;
        if image.os_distro.as_ref() != Some(&cluster.cluster_distro) {
            let message = format!(
                "its os_distro is now '{}', the template was made for '{}'",
                crate::shown(image.os_distro.as_deref().unwrap_or("")),
                cluster.cluster_distro
            );
            return Err(Error::field("image_id", &cluster.template.image_id, message));
        }
        for (field, flavor) in [
            ("flavor_id", &cluster.template.flavor_id),
            ("master_flavor_id", &cluster.template.master_flavor_id),
        ] {
            if let Some(flavor) = flavor {
                as_input(field, flavor, catalog.flavor(&auth, flavor).await)?;
            }
        }
        let network = &cluster.template.external_network_id;
        let found = as_input(
            "external_network_id",
            network,
            catalog.network(&auth, network).await,
        )?;
        // By its id from here on: Kubernetes knows networks by nothing else, and a name may go to another.
        cluster.template.external_network_id = found.id;
        if let Some(keypair) = &cluster.keypair {
            as_input("keypair", keypair, catalog.keypair(&auth, keypair).await)?;
        }
        Ok(())
    }

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
        // Only the making of trust and stack needs the caller; everything later goes under the trust.
        let token = match (&kind, &cloud.trust, &cx.token) {
            (OperationKind::Create, TrustMode::Trust(_), Some(token)) => Some(SealedToken {
                sealed: self.inner.sealer.seal(&token.token, &id.to_string())?,
                expires_at: token.expires_at,
            }),
            _ => None,
        };
        let step = match kind {
            OperationKind::Create if self.inner.begins_with_discovery(cluster)? => Step::Discovery,
            OperationKind::Create => Step::Trust,
            OperationKind::Scale { .. } => Step::Drive,
            OperationKind::Delete { .. } => Step::PreDelete,
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

/// The most servers of one kind; far beyond what one stack can hold.
pub(super) const MOST_SERVERS: u32 = 1000;

fn counts(spec: &ClusterSpec, driver: &DriverDescriptor) -> Vec<crate::Problem> {
    let (least, most) = driver.masters;
    let mut problems = Vec::new();
    problems.extend(validation::count("node_count", spec.node_count, 1, MOST_SERVERS));
    problems.extend(validation::count("master_count", spec.master_count, least, most));
    problems.extend(
        spec.docker_volume_size
            .and_then(|size| validation::count("docker_volume_size", size, 1, 1 << 20)),
    );
    problems
}

/// Stands for a request's body, so that the same key with another body is noticed.
fn fingerprint(spec: &ClusterSpec) -> Result<String> {
    let body = serde_json::to_vec(spec).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Uuid::new_v5(&Uuid::NAMESPACE_OID, &body).to_string())
}
