//! Composition: the service, its limits, and the builder that makes it of its parts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::rates::Rates;
use super::{Certificates, Cloud, NodeEndpoint};
use crate::conductor::Conductor;
use crate::model::{Cluster, RequestContext};
use crate::ports::{
    Auth, Clock, ClusterDriver, DefaultEgress, DefaultPolicy, Discovery, DriverRegistry, EgressPolicy,
    Entropy, IdSource, LogNotifier, NodeAccess, Notifier, Policy, Sealer, Store, SystemClock, SystemRandom,
    TrustMode,
};
use crate::{Error, ErrorKind, Result};

/// Limits and times. The defaults suit a cloud; tests and simulations shorten them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How many clusters a project may have. Default 20.
    pub clusters_per_project: u32,
    /// How many stacks Heat lets a project have: its `max_stacks_per_tenant`. Default 512, as Heat's.
    pub stacks_per_project: u32,
    /// How many resources Heat lets a stack have, nested ones included: its `max_resources_per_stack`. Default 1000, as Heat's.
    pub resources_per_stack: u32,
    /// How long one call to the outside may take. Default 60 s.
    pub call_timeout: Duration,
    /// How long a worker owns a cluster without renewing; longer than `call_timeout`. Default 180 s.
    /// After a crash this is the longest that a cluster waits.
    pub lease: Duration,
    /// How often a cluster in progress is looked at. Default 10 s.
    pub poll_interval: Duration,
    /// How often a step is tried again before its operation fails. Default 12, which is about 5 minutes.
    pub attempts: u32,
    /// The longest wait between two tries. Default 30 s; the first is 1 s, and each doubles.
    pub longest_wait: Duration,
    /// After which time a change is given up. Default 60 min.
    pub update_timeout: Duration,
    /// After which time a removal is given up. Default 60 min.
    pub delete_timeout: Duration,
    /// How many clusters one conductor works on at once. Default 16.
    pub concurrency: u32,
    /// For how long certificate authorities are good. Default 10 years.
    pub authority_validity: Duration,
    /// For how long certificates are good, at most until their authority's end. Default 5 years.
    pub certificate_validity: Duration,
    /// For how long a node's token is good; nodes renew it long before. Default 30 days.
    pub node_token_validity: Duration,
    /// How many requests a minute the node endpoint takes for each node, and how many
    /// signing requests of a cluster's users. Default 30. Counted in each process.
    pub requests_per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clusters_per_project: 20,
            stacks_per_project: 512,
            resources_per_stack: 1000,
            call_timeout: Duration::from_secs(60),
            lease: Duration::from_secs(180),
            poll_interval: Duration::from_secs(10),
            attempts: 12,
            longest_wait: Duration::from_secs(30),
            update_timeout: Duration::from_secs(3600),
            delete_timeout: Duration::from_secs(3600),
            concurrency: 16,
            authority_validity: Duration::from_secs(10 * 365 * 86_400),
            certificate_validity: Duration::from_secs(5 * 365 * 86_400),
            node_token_validity: Duration::from_secs(30 * 86_400),
            requests_per_minute: 30,
        }
    }
}

/// The service. Cheap to clone; all clones are one.
///
/// It validates requests, records intent in the store and answers reads; a [`Conductor`], in this process
/// or another on the same store, does the work.
#[derive(Clone)]
pub struct Magnum {
    pub(crate) inner: Arc<Inner>,
}

impl fmt::Debug for Magnum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Magnum")
            .field("clouds", &self.inner.clouds.keys().collect::<Vec<_>>())
            .field(
                "drivers",
                &self
                    .inner
                    .drivers
                    .iter()
                    .map(|d| &d.descriptor().name)
                    .collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}

/// What service and conductor share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clouds: BTreeMap<String, Cloud>,
    pub(crate) default_cloud: String,
    pub(crate) certificates: Certificates,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) drivers: DriverRegistry,
    pub(crate) endpoint: Option<NodeEndpoint>,
    pub(crate) discovery: Option<Arc<dyn Discovery>>,
    pub(crate) egress: Arc<dyn EgressPolicy>,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
    pub(crate) rates: Rates,
    /// Wakes conductors of this process when there is new work, and watches when something changed.
    pub(crate) work: Notify,
    pub(crate) changed: Notify,
}

impl Inner {
    pub(crate) fn cloud(&self, name: &str) -> Result<&Cloud> {
        self.clouds.get(name).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                format!("this host has no cloud named '{name}'"),
            )
        })
    }

    pub(crate) fn driver_of(&self, cluster: &Cluster) -> Result<&Arc<dyn ClusterDriver>> {
        self.drivers.get(&cluster.driver.name).ok_or_else(|| {
            let message = format!("this host has no driver named '{}'", cluster.driver.name);
            Error::new(ErrorKind::Configuration, message)
        })
    }

    /// Whether a cluster has a discovery URL that is to be checked, or is to get one.
    pub(crate) fn begins_with_discovery(&self, cluster: &Cluster) -> Result<bool> {
        let wanted = self.driver_of(cluster)?.descriptor().discovery && cluster.master_count() > 1;
        Ok(cluster.discovery_url.is_some() || (wanted && self.discovery.is_some()))
    }

    /// The identity for look-ups on a caller's behalf.
    pub(crate) fn caller(&self, cloud: &Cloud, cx: &RequestContext) -> Result<Auth> {
        match (&cloud.trust, &cx.token) {
            (TrustMode::None, _) => Ok(Auth::Service),
            (TrustMode::Trust(_), Some(token))
                if token.project_id != cx.project_id || token.user_id != cx.user_id =>
            {
                let message = "the caller's token is another user's, or for another project";
                Err(Error::new(ErrorKind::Unauthorized, message))
            }
            (TrustMode::Trust(_), Some(token)) => Ok(Auth::Token(token.clone())),
            (TrustMode::Trust(_), None) => Err(Error::new(
                ErrorKind::Unauthorized,
                "a Keystone token of the caller is needed, scoped to the project",
            )),
        }
    }

    /// How the nodes of a cluster reach the library.
    pub(crate) fn node_access(&self, cluster: &Cluster) -> Result<Option<NodeAccess>> {
        let Some(endpoint) = self.endpoint.as_ref().filter(|_| cluster.tls()) else {
            return Ok(None);
        };
        let mut credentials = Vec::new();
        for credential in &cluster.node_credentials {
            let secret = self.sealer.open(&credential.sealed, &cluster.id.to_string())?;
            credentials.push((credential.role, secret));
        }
        Ok(Some(NodeAccess {
            url: format!("{}/v1/clusters/{}", endpoint.url, cluster.id),
            ca: endpoint.ca.clone(),
            credentials,
        }))
    }

    /// Tells this process that the store has changed.
    pub(crate) fn wake(&self) {
        self.work.notify_one();
        self.changed.notify_waiters();
    }
}

impl Magnum {
    /// Starts composing.
    #[must_use]
    pub fn builder() -> MagnumBuilder {
        MagnumBuilder::default()
    }

    /// A conductor on this service's store, clouds and drivers.
    #[must_use]
    pub fn conductor(&self) -> Conductor {
        Conductor::new(Arc::clone(&self.inner))
    }

    /// The drivers that this host has; [`DriverRegistry::list`] makes a table of them.
    #[must_use]
    pub fn drivers(&self) -> &DriverRegistry {
        &self.inner.drivers
    }
}

/// Composes a [`Magnum`].
#[derive(Debug, Default)]
pub struct MagnumBuilder {
    store: Option<Arc<dyn Store>>,
    clouds: Vec<Cloud>,
    certificates: Option<Certificates>,
    sealer: Option<Arc<dyn Sealer>>,
    drivers: Vec<Arc<dyn ClusterDriver>>,
    endpoint: Option<NodeEndpoint>,
    discovery: Option<Arc<dyn Discovery>>,
    egress: Option<Arc<dyn EgressPolicy>>,
    policy: Option<Arc<dyn Policy>>,
    notifier: Option<Arc<dyn Notifier>>,
    clock: Option<Arc<dyn Clock>>,
    ids: Option<Arc<dyn IdSource>>,
    entropy: Option<Arc<dyn Entropy>>,
    settings: Settings,
}

impl MagnumBuilder {
    /// Where everything is kept. Mandatory.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Adds a cloud; at least one is mandatory, and the first is where clusters are made.
    #[must_use]
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.clouds.push(cloud);
        self
    }

    /// Who signs, and where certificates are kept. Mandatory.
    #[must_use]
    pub fn certificates(mut self, certificates: Certificates) -> Self {
        self.certificates = Some(certificates);
        self
    }

    /// What seals secrets at rest. Mandatory.
    #[must_use]
    pub fn sealer(mut self, sealer: Arc<dyn Sealer>) -> Self {
        self.sealer = Some(sealer);
        self
    }

    /// Adds a driver.
    #[must_use]
    pub fn driver(mut self, driver: Arc<dyn ClusterDriver>) -> Self {
        self.drivers.push(driver);
        self
    }

    /// Where nodes reach the library; without it only templates with TLS disabled can be made.
    #[must_use]
    pub fn node_endpoint(mut self, endpoint: NodeEndpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Who makes discovery URLs for clusters of several masters, and checks those that users give. Without it clusters
    /// are made without one, users may give none, and no discovery service is asked for anything.
    #[must_use]
    pub fn discovery(mut self, discovery: Arc<dyn Discovery>) -> Self {
        self.discovery = Some(discovery);
        self
    }

    /// Which addresses users may name in URLs that the library asks; the same as that of the transport which asks.
    /// Default [`DefaultEgress`].
    #[must_use]
    pub fn egress(mut self, egress: Arc<dyn EgressPolicy>) -> Self {
        self.egress = Some(egress);
        self
    }

    /// Who may do what. Default [`DefaultPolicy`].
    #[must_use]
    pub fn policy(mut self, policy: Arc<dyn Policy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Who is told of changes. Default [`LogNotifier`].
    #[must_use]
    pub fn notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// The clock. Default the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Where identifiers come from. Default random.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = Some(ids);
        self
    }

    /// Where passwords and node credentials come from. Default the operating system.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// Limits and times.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Puts it together, after checking that it fits.
    ///
    /// # Errors
    /// `Configuration` names the part that is missing or does not fit; `Conflict` when two drivers make
    /// the same kind of cluster.
    pub fn build(self) -> Result<Magnum> {
        let missing = |part: &str| {
            Error::new(
                ErrorKind::Configuration,
                format!("a Magnum needs {part}; none was given"),
            )
        };
        let default_cloud = self
            .clouds
            .first()
            .ok_or_else(|| missing("a cloud"))?
            .name
            .clone();
        let mut clouds = BTreeMap::new();
        for cloud in self.clouds {
            let name = cloud.name.clone();
            if clouds.insert(name.clone(), cloud).is_some() {
                let message = format!("two clouds are named '{name}'");
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        }
        if self.drivers.is_empty() {
            return Err(missing("a driver"));
        }
        let mut drivers = DriverRegistry::default();
        for driver in self.drivers {
            drivers.add(driver)?;
        }
        // A write must end, or be given up, while its lease still holds.
        if self.settings.lease <= self.settings.call_timeout {
            let message = "the lease must be longer than the call time-out";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let trustee_domains = clouds
            .values()
            .filter_map(|cloud| cloud.identity.as_ref()?.trustee_domain_id.clone());
        let policy = self.policy.unwrap_or_else(|| {
            let policy = trustee_domains.fold(DefaultPolicy::default(), DefaultPolicy::with_trustee_domain);
            Arc::new(policy)
        });
        let inner = Inner {
            store: self.store.ok_or_else(|| missing("a store"))?,
            clouds,
            default_cloud,
            certificates: self.certificates.ok_or_else(|| missing("certificates"))?,
            sealer: self.sealer.ok_or_else(|| missing("a sealer"))?,
            drivers,
            endpoint: self.endpoint,
            discovery: self.discovery,
            egress: self.egress.unwrap_or_else(|| Arc::new(DefaultEgress::default())),
            policy,
            notifier: self.notifier.unwrap_or_else(|| Arc::new(LogNotifier)),
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            ids: self.ids.unwrap_or_else(|| Arc::new(SystemRandom)),
            entropy: self.entropy.unwrap_or_else(|| Arc::new(SystemRandom)),
            settings: self.settings,
            rates: Rates::default(),
            work: Notify::new(),
            changed: Notify::new(),
        };
        Ok(Magnum {
            inner: Arc::new(inner),
        })
    }
}
