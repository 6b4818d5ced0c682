//! Taking over clusters that Python Magnum made.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use super::Magnum;
use crate::conductor::Keeper;
use crate::model::{
    Cluster, ClusterId, ClusterStatus, DriverRef, Event, EventId, Health, LedgerEntry, LedgerId,
    OnCreateFailure, Outcome, Owned, Phase, Pool, PoolRole, Progress, RequestContext, Revision, TemplateId,
    TemplateSpec,
};
use crate::ports::{
    Auth, CertRef, ClusterDriver, Commit, DriverContext, InfrastructureState, Observation, Permission, Stack,
    StackRef, Target, TrustCredentials, TrustMode, Write, within,
};
use crate::{Error, ErrorKind, Problem, Result};

/// What is known of a cluster that Python Magnum made: from its database, where the trustee's password is as well.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// Its UUID, which it keeps: names and tags in the cloud carry it.
    pub id: ClusterId,
    /// Its name.
    pub name: String,
    /// The owning project.
    pub project_id: String,
    /// The user who made it.
    pub user_id: String,
    /// The UUID of its template.
    pub cluster_template_id: TemplateId,
    /// Its template's values, with the cluster's own laid over them.
    pub template: TemplateSpec,
    /// The image's `os_distro`.
    pub cluster_distro: String,
    /// The driver that is to look after it, by name.
    pub driver: String,
    /// The id of its Heat stack.
    pub stack_id: String,
    /// Its trust.
    pub trust: TrustCredentials,
    /// The name of the trust's trustee.
    pub trustee_user_name: String,
    /// How many masters it has.
    pub master_count: u32,
    /// How many nodes it has.
    pub node_count: u32,
    /// SSH key pair of its servers.
    pub keypair: Option<String>,
    /// Where its servers find each other.
    pub discovery_url: Option<String>,
    /// Minutes until its creation was given up.
    pub create_timeout: u32,
    /// Its certificates by role: `ca`, `client`, and further authorities like `etcd` and `front_proxy`.
    pub certificates: BTreeMap<String, CertRef>,
}

/// The roles that certificates of every cluster have.
const CA: &str = "ca";
const CLIENT: &str = "client";

impl Magnum {
    /// Takes over a cluster that Python Magnum made, so that it is shown, scaled and deleted from here. Nothing is
    /// changed in the cloud; afterwards Python Magnum must forget it.
    ///
    /// The stack is looked at under the cluster's own trust first, and its authority is fetched: what cannot be
    /// reached is not taken over. The cluster is there at once, `ADOPT_COMPLETE`, and counts in its project's quota.
    ///
    /// ```
    /// # async fn f(magnum: magnum_core::Magnum, admin: magnum_core::RequestContext, row: magnum_core::Adoption)
    /// # -> magnum_core::Result<()> {
    /// use magnum_core::UpdateOptions;
    /// let cluster = magnum.adopt_cluster(&admin, row).await?;
    /// magnum.scale_cluster(&admin, cluster.id, 3, UpdateOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` names what does not fit: a driver or a certificate store that this host does not have, counts that
    /// are not those of the stack; `NotFound` when the stack is not there; `Conflict` while the stack is not complete,
    /// or when the cluster is here already; `Forbidden`; `Unauthorized` when the trust is refused.
    pub async fn adopt_cluster(&self, cx: &RequestContext, adoption: Adoption) -> Result<Cluster> {
        let owner = Target::of(&adoption.project_id, &adoption.user_id);
        self.inner.policy.enforce(cx, Permission::ClusterAdopt, &owner)?;
        let driver = self.adopting(&adoption)?;
        let mut cluster = self.adopted(&adoption, &**driver);
        let stack = self.find_stack(&adoption).await?;
        let ledger = self.adopted_ledger(&adoption, stack)?;
        self.fetch_authority(&adoption).await?;
        let seen = self.look_at(&cluster, &ledger, &**driver).await?;
        fits(&adoption, &seen)?;
        show(&mut cluster, seen);

        let event = Event {
            id: EventId(self.inner.ids.uuid()),
            cluster_id: cluster.id,
            cluster_name: cluster.name.clone(),
            project_id: cluster.project_id.clone(),
            user_id: cx.user_id.clone(),
            operation: "adopt".to_owned(),
            outcome: Outcome::Success,
            status: cluster.status,
            reason: None,
            at: cluster.created_at,
        };
        let mut commit = Commit::new().write(Write::InsertCluster(Box::new(cluster.clone())));
        for entry in ledger {
            commit = commit.write(Write::PutLedger(Box::new(entry)));
        }
        commit = commit.write(Write::PutEvent(Box::new(event)));
        self.inner.store.commit(commit).await?;
        tracing::info!(cluster = %cluster.id, "cluster adopted");
        self.inner.wake();
        Ok(cluster)
    }

    /// The driver that is to look after it, after checks that need nothing but this host.
    fn adopting(&self, adoption: &Adoption) -> Result<&Arc<dyn ClusterDriver>> {
        let mut problems: Vec<Problem> = super::validation::cluster_name(&adoption.name)
            .into_iter()
            .collect();
        let driver = self.inner.drivers.get(&adoption.driver);
        if driver.is_none() {
            let known: Vec<&str> = self
                .inner
                .drivers
                .iter()
                .map(|driver| driver.descriptor().name.as_str())
                .collect();
            let message = format!("this host has {}", known.join(", "));
            problems.push(Problem::new("driver", &adoption.driver, message));
        }
        for (role, reference) in &adoption.certificates {
            if let Err(error) = self.inner.certificates.manager_for(reference) {
                let field = format!("certificates.{}", crate::shown(role));
                problems.push(Problem::new(field, &reference.backend, error.to_string()));
            }
        }
        if !adoption.template.tls_disabled && !adoption.certificates.contains_key(CA) {
            let message = "a cluster with TLS has an authority";
            problems.push(Problem::new("certificates.ca", "", message));
        }
        let cloud = self.inner.cloud(&self.inner.default_cloud)?;
        if matches!(cloud.trust, TrustMode::None) {
            let message = "this host is set up without trusts";
            problems.push(Problem::new("trust", &adoption.trust.trust_id, message));
        }
        match driver {
            Some(driver) if problems.is_empty() => Ok(driver),
            _ => Err(Error::invalid(problems)),
        }
    }

    fn adopted(&self, adoption: &Adoption, driver: &dyn ClusterDriver) -> Cluster {
        let pool = |role: PoolRole, count: u32, flavor: &Option<String>| Pool {
            name: role.as_str().to_owned(),
            role,
            count,
            flavor_id: flavor.clone().unwrap_or_default(),
            addresses: Vec::new(),
        };
        let template = &adoption.template;
        let certificate = |role: &str| adoption.certificates.get(role).cloned();
        let further = adoption
            .certificates
            .iter()
            .filter(|(role, _)| ![CA, CLIENT].contains(&role.as_str()));
        Cluster {
            id: adoption.id,
            name: adoption.name.clone(),
            cloud: self.inner.default_cloud.clone(),
            project_id: adoption.project_id.clone(),
            user_id: adoption.user_id.clone(),
            cluster_template_id: adoption.cluster_template_id,
            template: template.clone(),
            cluster_distro: adoption.cluster_distro.clone(),
            driver: DriverRef {
                name: driver.descriptor().name.clone(),
                version: driver.descriptor().version.clone(),
            },
            keypair: adoption.keypair.clone(),
            template_labels: template.labels.clone(),
            create_timeout: adoption.create_timeout,
            on_create_failure: OnCreateFailure::Keep,
            discovery_url: adoption.discovery_url.clone(),
            discovery_made: false,
            pools: vec![
                pool(
                    PoolRole::Master,
                    adoption.master_count,
                    &template.master_flavor_id,
                ),
                pool(PoolRole::Worker, adoption.node_count, &template.flavor_id),
            ],
            status: ClusterStatus::ADOPT_COMPLETE,
            status_reason: None,
            fault: None,
            health: Health::default(),
            progress: Progress::default(),
            stack_id: Some(adoption.stack_id.clone()),
            api_address: None,
            coe_version: None,
            container_version: None,
            ca_cert: certificate(CA),
            authorities: further.map(|(role, kept)| (role.clone(), kept.clone())).collect(),
            magnum_cert: certificate(CLIENT),
            certificates_version: 0,
            rotation: None,
            node_credentials: Vec::new(),
            generation: 1,
            created_at: self.inner.clock.now(),
            updated_at: None,
            revision: Revision(1),
        }
    }

    /// All that it has outside, as if it had been made here.
    fn adopted_ledger(&self, adoption: &Adoption, stack: StackRef) -> Result<Vec<LedgerEntry>> {
        let trust = &adoption.trust;
        let password = self
            .inner
            .sealer
            .seal(&trust.password, &adoption.id.to_string())?;
        let mut owned = vec![
            Owned::Trustee {
                name: adoption.trustee_user_name.clone(),
                password,
                id: Some(trust.trustee_user_id.clone()),
            },
            Owned::Trust {
                trustee_id: trust.trustee_user_id.clone(),
                id: Some(trust.trust_id.clone()),
                former: None,
            },
        ];
        owned.extend(
            adoption
                .certificates
                .iter()
                .map(|(role, kept)| Owned::Certificate {
                    role: role.clone(),
                    backend: kept.backend.clone(),
                    reference: Some(kept.clone()),
                }),
        );
        owned.push(Owned::Stack {
            role: "main".to_owned(),
            name: stack.name.clone(),
            template: String::new(),
            stack: Some(stack),
            asked_at: None,
        });
        let entries = (1u32..).zip(owned).map(|(sequence, owned)| LedgerEntry {
            id: LedgerId(self.inner.ids.uuid()),
            cluster_id: adoption.id,
            sequence,
            owned,
        });
        Ok(entries.collect())
    }

    /// The stack by name and id, as seen under the cluster's own trust.
    async fn find_stack(&self, adoption: &Adoption) -> Result<StackRef> {
        let cloud = self.inner.cloud(&self.inner.default_cloud)?;
        let auth = Auth::Trust(adoption.trust.clone());
        let stacks = cloud.orchestrator.list(&auth, None);
        let stacks = self.limited("stack.list", stacks).await?;
        let missing = || Error::not_found("stack", &adoption.stack_id);
        let named = stacks
            .into_iter()
            .map(|stack| stack.stack)
            .find(|stack| stack.id == adoption.stack_id)
            .ok_or_else(missing)?;
        let stack = cloud.orchestrator.get(&auth, &named);
        let stack = self.limited("stack.get", stack).await?.ok_or_else(missing)?;
        if !may_be_of(&stack, adoption.id) {
            let message = "the stack is another cluster's";
            return Err(Error::field("stack_id", &adoption.stack_id, message));
        }
        Ok(named)
    }

    /// A call to the outside within the call time-out.
    async fn limited<T>(&self, what: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
        match within(&self.inner.clock, self.inner.settings.call_timeout, call).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(Error::new(ErrorKind::Timeout, format!("{what} gave {elapsed}"))),
        }
    }

    async fn fetch_authority(&self, adoption: &Adoption) -> Result<()> {
        let Some(reference) = adoption.certificates.get(CA) else {
            return Ok(());
        };
        let manager = self.inner.certificates.manager_for(reference)?;
        let fetched = self.limited("certificate.fetch", manager.fetch(reference)).await;
        super::look_ups::as_input("certificates.ca", &reference.reference, fetched).map(|_| ())
    }

    async fn look_at(
        &self,
        cluster: &Cluster,
        ledger: &[LedgerEntry],
        driver: &dyn ClusterDriver,
    ) -> Result<Observation> {
        let cluster = Arc::new(cluster.clone());
        let keeper = Keeper::of(Arc::clone(&self.inner), Arc::clone(&cluster), ledger.to_vec());
        let cx = DriverContext::new(cluster, Arc::new(keeper), None);
        self.limited("stack.observe", driver.observe(&cx)).await
    }
}

/// Whether nothing speaks against it: no other cluster's tag of ours, and no other UUID in the parameter by which the
/// original's Kubernetes templates know it.
fn may_be_of(stack: &Stack, id: ClusterId) -> bool {
    let tagged = stack.tags.iter().filter(|tag| tag.starts_with("magnum-"));
    let own = format!("magnum-{id}-");
    let told = stack.parameters.get("cluster_uuid");
    tagged.into_iter().all(|tag| tag.starts_with(&own)) && told.is_none_or(|told| *told == id.to_string())
}

/// Whether the stack is whole, and of the size that was told.
fn fits(adoption: &Adoption, seen: &Observation) -> Result<()> {
    match seen.state {
        InfrastructureState::Absent => return Err(Error::not_found("stack", &adoption.stack_id)),
        InfrastructureState::Present(_, Phase::Complete) => {}
        InfrastructureState::Present(action, phase) => {
            let message = format!(
                "its stack is {}; only a cluster whose stack is complete can be taken over",
                ClusterStatus::of(action, phase)
            );
            return Err(Error::new(ErrorKind::Conflict, message));
        }
    }
    let mut problems = Vec::new();
    for (field, told, addresses) in [
        ("master_count", adoption.master_count, &seen.master_addresses),
        ("node_count", adoption.node_count, &seen.node_addresses),
    ] {
        let there = addresses.as_ref().map(Vec::len);
        if there.is_some_and(|there| u32::try_from(there) != Ok(told)) {
            let message = format!("the stack has {}", there.unwrap_or_default());
            problems.push(Problem::new(field, told, message));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid(problems))
    }
}

fn show(cluster: &mut Cluster, seen: Observation) {
    cluster.progress = seen.progress;
    cluster.api_address = seen.api_address;
    cluster.coe_version = seen.coe_version;
    cluster.container_version = seen.container_version;
    for (role, addresses) in [
        (PoolRole::Master, seen.master_addresses),
        (PoolRole::Worker, seen.node_addresses),
    ] {
        if let (Some(addresses), Some(pool)) = (addresses, cluster.pool_mut(role)) {
            pool.addresses = addresses;
        }
    }
}
