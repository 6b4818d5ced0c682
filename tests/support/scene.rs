//! A scene: a simulated cloud, a service, and conductors that can be interrupted.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use magnum::certs::{
    AesSealer, BarbicanCertManager, FixtureKeys, OpenSslAuthority, SealingKey, X509KeyPairStore,
};
use magnum::openstack::sim::{At, Effect, Fault as Harm, Leftovers, Pace, SimCloud};
use magnum::openstack::{Credentials, DomainRef, Named, OpenStack};
use magnum::*;

use super::hosts::{Authorities, Discovering, Keeping};
use super::interrupt::{InterruptedNotifier, InterruptedStore, InterruptedTransport, Interrupter};
use super::random::Seeded;

/// What secrets at rest are sealed with.
pub const SEALING_KEY: &[u8] = b"a sealing key for tests 32 bytes";

pub const ENDPOINT: &str = "nodes.example.test";

pub struct Scene {
    pub cloud: SimCloud,
    /// Who plays its servers.
    pub guest: NodeGuest,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// The service, as in a process of its own: never interrupted.
    pub magnum: Magnum,
    pub cx: RequestContext,
    pub events: MemoryNotifier,
    pub interrupter: Arc<Interrupter>,
    random: Arc<Seeded>,
    settings: Settings,
    keeping: Keeping,
    /// The drivers that conductors have.
    pub drivers: Vec<Arc<dyn ClusterDriver>>,
    discovering: Discovering,
    authorities: Authorities,
}

pub fn node_endpoint() -> NodeEndpoint {
    NodeEndpoint::new(&format!("https://{ENDPOINT}")).unwrap()
}

/// The host's clients of a simulated devstack, over a transport.
pub fn openstack(cloud: &SimCloud, clock: &Arc<dyn Clock>, transport: Arc<dyn HttpTransport>) -> OpenStack {
    OpenStack::builder()
        .auth_url(cloud.auth_url())
        .transport(transport)
        .clock(Arc::clone(clock))
        .service(
            Credentials::password(Named::new("magnum", DomainRef::id("default")), "secret")
                .in_project(Named::new("service", DomainRef::id("default"))),
        )
        .trustee_domain_admin(
            Credentials::password(
                Named::new("magnum_domain_admin", DomainRef::name("magnum")),
                "secret",
            )
            .in_domain(DomainRef::name("magnum")),
        )
        .build()
        .unwrap()
}

/// The credentials of the simulated devstack's ordinary user.
pub fn demo() -> Credentials {
    Credentials::password(Named::new("demo", DomainRef::id("default")), "secret")
        .in_project(Named::new("demo", DomainRef::id("default")))
}

/// Hands requests of nodes to the service.
#[derive(Debug)]
pub struct NodeRoute(pub Magnum);

#[async_trait]
impl HttpTransport for NodeRoute {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        Ok(self.0.node_request(request).await)
    }
}

impl Scene {
    /// From now on every call of this method, or of any, whose path begins so is answered with this status.
    pub fn refuse(&self, method: Option<http::Method>, path_prefix: &str, status: u16) {
        let at = At::Route {
            method,
            path_prefix: path_prefix.into(),
            nth: 0,
        };
        let retry_after = None;
        self.cloud
            .inject(Harm::always(at, Effect::Status { status, retry_after }));
    }

    pub async fn new(seed: u64) -> Self {
        Self::with(seed, Settings::default()).await
    }

    pub async fn with(seed: u64, settings: Settings) -> Self {
        let (clock, store) = in_memory();
        Self::on_store(seed, settings, clock, store).await
    }

    /// A scene whose clusters make load balancers and volumes as Kubernetes does.
    pub async fn of_kubernetes(seed: u64, settings: Settings) -> Self {
        static DRIVERS: OnceLock<Vec<Arc<dyn ClusterDriver>>> = OnceLock::new();
        let drivers = DRIVERS
            .get_or_init(|| vec![super::kubernetes::driver("like_kubernetes")])
            .clone();
        let (clock, store) = in_memory();
        Self::with_drivers(seed, settings, clock, store, drivers, Keeping::Store).await
    }

    /// A scene whose certificates are kept by Barbican.
    pub async fn of_barbican(seed: u64, settings: Settings) -> Self {
        let (clock, store) = in_memory();
        Self::with_drivers(seed, settings, clock, store, all_drivers(), Keeping::Barbican).await
    }

    /// A scene with these drivers only, whose certificates are kept by Barbican.
    pub async fn in_barbican_of(seed: u64, drivers: Vec<Arc<dyn ClusterDriver>>) -> Self {
        let (clock, store) = in_memory();
        Self::with_drivers(
            seed,
            Settings::default(),
            clock,
            store,
            drivers,
            Keeping::Barbican,
        )
        .await
    }

    /// A scene with these drivers only.
    pub async fn of_drivers(seed: u64, drivers: Vec<Arc<dyn ClusterDriver>>) -> Self {
        let (clock, store) = in_memory();
        Self::with_drivers(seed, Settings::default(), clock, store, drivers, Keeping::Store).await
    }

    pub async fn on_store(
        seed: u64,
        settings: Settings,
        clock: Arc<dyn Clock>,
        store: Arc<dyn Store>,
    ) -> Self {
        Self::with_drivers(seed, settings, clock, store, all_drivers(), Keeping::Store).await
    }

    /// A scene whose host has clusters discover their members.
    pub async fn discovering(seed: u64, discovering: Discovering) -> Self {
        let (clock, store) = in_memory();
        let mut settings = Settings::default();
        // Fewer looks at a stack that is being made: each look is like the one before.
        settings.poll_interval = Duration::from_secs(60);
        Self::composed(
            seed,
            settings,
            clock,
            store,
            all_drivers(),
            Keeping::Store,
            discovering,
            Authorities::Rsa,
            None,
        )
        .await
    }

    /// A scene that began a day ago, whose authorities have such keys.
    pub async fn since_yesterday(seed: u64, authorities: Authorities) -> Self {
        let (clock, store) = yesterday();
        let (keeping, discovering) = (Keeping::Store, Discovering::No);
        Self::composed(
            seed,
            Settings::default(),
            clock,
            store,
            all_drivers(),
            keeping,
            discovering,
            authorities,
            None,
        )
        .await
    }

    /// A scene that began a day ago, whose nodes look for new certificates as often as this.
    pub async fn renewing(seed: u64, settings: Settings, every: Duration) -> Self {
        let (clock, store) = yesterday();
        let (keeping, discovering) = (Keeping::Store, Discovering::No);
        let drivers = all_drivers();
        Self::composed(
            seed,
            settings,
            clock,
            store,
            drivers,
            keeping,
            discovering,
            Authorities::Rsa,
            Some(every),
        )
        .await
    }

    async fn with_drivers(
        seed: u64,
        settings: Settings,
        clock: Arc<dyn Clock>,
        store: Arc<dyn Store>,
        drivers: Vec<Arc<dyn ClusterDriver>>,
        keeping: Keeping,
    ) -> Self {
        let (discovering, authorities) = (Discovering::No, Authorities::Rsa);
        Self::composed(
            seed,
            settings,
            clock,
            store,
            drivers,
            keeping,
            discovering,
            authorities,
            None,
        )
        .await
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a scene, given once")]
    async fn composed(
        seed: u64,
        settings: Settings,
        clock: Arc<dyn Clock>,
        store: Arc<dyn Store>,
        drivers: Vec<Arc<dyn ClusterDriver>>,
        keeping: Keeping,
        discovering: Discovering,
        authorities: Authorities,
        renewal: Option<Duration>,
    ) -> Self {
        let keys = Arc::new(FixtureKeys::danger_seeded(seed));
        let mut guest = NodeGuest::new(keys, Arc::clone(&clock));
        if let Some(every) = renewal {
            guest = guest.renewing(every);
        }
        let cloud = SimCloud::builder()
            .clock(Arc::clone(&clock))
            .seed(seed)
            .pace(Pace::Real)
            .devstack()
            .guest(Arc::new(guest.clone()))
            .build();
        let random = Arc::new(Seeded::new(seed));
        let interrupter = Arc::new(Interrupter::default());
        let events = MemoryNotifier::default();
        let transport: Arc<dyn HttpTransport> = Arc::new(cloud.transport());
        let magnum = compose(
            &cloud,
            &clock,
            Arc::clone(&store),
            transport,
            Arc::new(events.clone()),
            &random,
            seed,
            &settings,
            &drivers,
            keeping,
            discovering,
            authorities,
        );
        cloud.mount(ENDPOINT, Arc::new(NodeRoute(magnum.clone())));
        let login = openstack(&cloud, &clock, Arc::new(cloud.transport()));
        let token = login.login(demo()).await.unwrap();
        let cx = RequestContext::from_token(token);
        Self {
            cloud,
            guest,
            store,
            clock,
            magnum,
            cx,
            events,
            interrupter,
            random,
            settings,
            keeping,
            drivers,
            discovering,
            authorities,
        }
    }

    /// A conductor as in a process of its own, whose calls go through the interrupter.
    pub fn conductor(&self, seed: u64) -> Conductor {
        self.process(seed).conductor()
    }

    /// A service as in a process of its own, whose calls go through the interrupter; armed, it gives others a turn at
    /// each call.
    pub fn process(&self, seed: u64) -> Magnum {
        let transport = InterruptedTransport(self.cloud.transport(), Arc::clone(&self.interrupter));
        let store = InterruptedStore(Arc::clone(&self.store), Arc::clone(&self.interrupter));
        let notifier = InterruptedNotifier(Arc::new(self.events.clone()), Arc::clone(&self.interrupter));
        compose(
            &self.cloud,
            &self.clock,
            Arc::new(store),
            Arc::new(transport),
            Arc::new(notifier),
            &self.random,
            seed,
            &self.settings,
            &self.drivers,
            self.keeping,
            self.discovering,
            self.authorities,
        )
    }

    pub async fn template(&self) -> ClusterTemplate {
        let spec = TemplateSpec::new("docker", "ubuntu", "public")
            .with_keypair("testkey")
            .with_name("small");
        self.magnum.create_template(&self.cx, spec).await.unwrap()
    }

    pub async fn accept(&self, nodes: u32) -> Cluster {
        let spec = ClusterSpec::new("small")
            .with_name("mycluster")
            .with_node_count(nodes);
        self.magnum
            .create_cluster(&self.cx, spec, CreateOptions::default())
            .await
            .unwrap()
    }

    pub async fn cluster(&self, id: ClusterId) -> Option<Cluster> {
        self.store.cluster(id).await.unwrap()
    }

    /// What the caller's project has, and what the library keeps in its own user's.
    pub fn leftovers(&self) -> Leftovers {
        let mut left = self.cloud.leftovers(&self.cx.project_id);
        let kept = self.cloud.leftovers(&self.cloud.project_id("service").unwrap());
        left.secrets.extend(kept.secrets);
        left.containers.extend(kept.containers);
        left
    }

    /// Drives everything to its end, however often that takes.
    pub async fn settle(&self) {
        self.interrupter.disarm();
        let conductor = self.conductor(99);
        tokio::time::timeout(Duration::from_secs(14 * 86_400), conductor.run_until_idle())
            .await
            .expect("the operation never ends")
            .unwrap();
    }

    /// Deletes a cluster and drives that to its end.
    pub async fn delete(&self, id: ClusterId) {
        self.magnum
            .delete_cluster(&self.cx, id, DeleteOptions::default())
            .await
            .unwrap();
        self.settle().await;
    }
}

fn all_drivers() -> Vec<Arc<dyn ClusterDriver>> {
    // Assembled once: a sweep composes thousands of times.
    static DRIVERS: OnceLock<Vec<Arc<dyn ClusterDriver>>> = OnceLock::new();
    DRIVERS.get_or_init(magnum::drivers::all).clone()
}

/// TLS looks at the real clock, and a simulated life takes hours in no time.
fn yesterday() -> (Arc<dyn Clock>, Arc<dyn Store>) {
    let yesterday = jiff::Timestamp::now() - Duration::from_secs(86_400);
    let clock: Arc<dyn Clock> = Arc::new(AnchoredClock::starting_at(yesterday));
    (Arc::clone(&clock), Arc::new(MemoryStore::new(clock)))
}

fn in_memory() -> (Arc<dyn Clock>, Arc<dyn Store>) {
    let epoch: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(AnchoredClock::starting_at(epoch));
    (Arc::clone(&clock), Arc::new(MemoryStore::new(clock)))
}

#[expect(clippy::too_many_arguments, reason = "the parts of a process, given once")]
fn compose(
    cloud: &SimCloud,
    clock: &Arc<dyn Clock>,
    store: Arc<dyn Store>,
    transport: Arc<dyn HttpTransport>,
    notifier: Arc<dyn Notifier>,
    random: &Arc<Seeded>,
    seed: u64,
    settings: &Settings,
    drivers: &[Arc<dyn ClusterDriver>],
    keeping: Keeping,
    discovering: Discovering,
    authorities: Authorities,
) -> Magnum {
    let sealer = Arc::new(AesSealer::with_entropy(
        SealingKey::from_bytes(SEALING_KEY).unwrap(),
        random.clone(),
    ));
    let keys = authorities.keys(seed);
    let authority =
        OpenSslAuthority::new(keys, Arc::clone(clock), random.clone()).danger_accept_fixture_keys();
    let discovery = discovering.discovery(&store, clock, Arc::clone(&transport), random);
    let openstack = openstack(cloud, clock, transport);
    let kept: Arc<dyn CertManager> = match keeping {
        Keeping::Store => Arc::new(X509KeyPairStore::new(
            Arc::clone(&store),
            sealer.clone(),
            random.clone(),
        )),
        Keeping::Barbican => Arc::new(BarbicanCertManager::new(&openstack)),
    };
    let mut builder = Magnum::builder()
        .store(store)
        .sealer(sealer)
        .cloud(magnum::cloud("sim", &openstack, true))
        .certificates(Certificates::new(Arc::new(authority), kept))
        .node_endpoint(node_endpoint())
        .notifier(notifier)
        .clock(Arc::clone(clock))
        .ids(random.clone())
        .entropy(random.clone())
        .settings(settings.clone());
    for driver in drivers {
        builder = builder.driver(Arc::clone(driver));
    }
    if let Some(discovery) = discovery {
        builder = builder.discovery(discovery);
    }
    builder.build().unwrap()
}
