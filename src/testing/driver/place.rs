//! A simulated cloud with a host on it that has one driver.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use magnum_certs::{AesSealer, FixtureKeys, OpenSslAuthority, SealingKey, X509KeyPairStore};
use magnum_core::{
    AnchoredClock, Certificates, Clock, Cluster, ClusterDriver, ClusterId, ClusterSpec, CreateOptions,
    DeleteOptions, Error, HttpTransport, Magnum, MemoryStore, NodeEndpoint, RequestContext, Result,
    SystemRandom, TemplateSpec, TlsProfile, TransportError, UpdateOptions,
};
use magnum_openstack::sim::world::network::{NetworkSpec, RouterSpec, SubnetSpec};
use magnum_openstack::sim::{Leftovers, Pace, SimCloud};
use magnum_openstack::{Credentials, DomainRef, Named, OpenStack};

use crate::NodeGuest;

/// Where the cloud's servers reach the host.
const ENDPOINT: &str = "nodes.kit.test";

/// The existing network, its subnet, and the addresses of that.
pub(super) const NETWORK: &str = "kit-network";
const ADDRESSES: &str = "192.168.77.0/24";

/// Longer than any operation may take; in virtual time.
const PATIENCE: Duration = Duration::from_secs(14 * 86_400);

/// A cloud and a host on it.
pub(super) struct Place {
    pub(super) cloud: SimCloud,
    pub(super) magnum: Magnum,
    pub(super) cx: RequestContext,
    /// What the user has before there is any cluster.
    before: Leftovers,
}

#[derive(Debug)]
struct NodeRoute(Magnum);

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

fn named(name: &str, domain: DomainRef) -> Named {
    Named::new(name, domain)
}

impl Place {
    pub(super) async fn with(driver: &Arc<dyn ClusterDriver>) -> Result<Self> {
        let epoch =
            jiff::Timestamp::from_second(1_767_225_600).map_err(|e| Error::internal(e.to_string()))?;
        let clock: Arc<dyn Clock> = Arc::new(AnchoredClock::starting_at(epoch));
        let keys = Arc::new(FixtureKeys::danger_seeded(1));
        let cloud = SimCloud::builder()
            .clock(Arc::clone(&clock))
            .seed(1)
            .pace(Pace::Real)
            .devstack()
            .guest(Arc::new(NodeGuest::new(keys.clone(), Arc::clone(&clock))))
            .build();
        for kind in &driver.descriptor().provides {
            cloud.add_image(&image(&kind.os), Some(&kind.os));
        }
        let default = || DomainRef::id("default");
        let openstack = OpenStack::builder()
            .auth_url(cloud.auth_url())
            .transport(Arc::new(cloud.transport()))
            .clock(Arc::clone(&clock))
            .service(
                Credentials::password(named("magnum", default()), "secret")
                    .in_project(named("service", default())),
            )
            .trustee_domain_admin(
                Credentials::password(named("magnum_domain_admin", DomainRef::name("magnum")), "secret")
                    .in_domain(DomainRef::name("magnum")),
            )
            .build()?;
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
        let random = Arc::new(SystemRandom);
        let sealer = Arc::new(AesSealer::new(SealingKey::generate(&SystemRandom)?));
        let authority =
            OpenSslAuthority::new(keys, Arc::clone(&clock), random.clone()).danger_accept_fixture_keys();
        let kept = X509KeyPairStore::new(store.clone(), sealer.clone(), random);
        let magnum = Magnum::builder()
            .store(store)
            .sealer(sealer)
            .cloud(crate::cloud("kit", &openstack, true))
            .certificates(Certificates::new(Arc::new(authority), Arc::new(kept)))
            .node_endpoint(NodeEndpoint::new(&format!("https://{ENDPOINT}"))?)
            .clock(clock)
            .driver(Arc::clone(driver))
            .build()?;
        cloud.mount(ENDPOINT, Arc::new(NodeRoute(magnum.clone())));
        let user =
            Credentials::password(named("demo", default()), "secret").in_project(named("demo", default()));
        let cx = RequestContext::from_token(openstack.login(user).await?);
        let mut place = Self {
            cloud,
            magnum,
            cx,
            before: Leftovers::default(),
        };
        place.furnish()?;
        place.before = place.taken();
        Ok(place)
    }

    /// No limits, and a network with its way out.
    fn furnish(&self) -> Result<()> {
        let project = &self.cx.project_id;
        let refused = |error: magnum_openstack::sim::ApiFault| Error::internal(format!("{error:?}"));
        for resource in ["instances", "cores", "ram", "volumes", "gigabytes"] {
            self.cloud.set_quota(project, resource, -1).map_err(refused)?;
        }
        self.cloud.with(|world| {
            let network = NetworkSpec {
                name: NETWORK.into(),
                ..NetworkSpec::default()
            };
            let network_id = world.create_network(project, network).map_err(refused)?.id;
            let external_network_id = Some(
                world
                    .resolve_network(project, "public")
                    .map_err(refused)?
                    .id
                    .clone(),
            );
            let router = RouterSpec {
                external_network_id,
                ..RouterSpec::default()
            };
            let router = world.create_router(project, router).map_err(refused)?.id;
            let subnet = SubnetSpec {
                name: NETWORK.into(),
                network_id,
                cidr: ADDRESSES.into(),
                ..SubnetSpec::default()
            };
            let subnet = world.create_subnet(project, subnet).map_err(refused)?.id;
            world.add_router_interface(&router, &subnet).map_err(refused)?;
            world.default_security_group(project);
            Ok(())
        })
    }

    /// What the user's project has now.
    pub(super) fn taken(&self) -> Leftovers {
        self.cloud.leftovers(&self.cx.project_id)
    }

    /// How much there is of each kind beyond what there was before any cluster.
    pub(super) fn beyond(&self) -> Vec<(&'static str, usize)> {
        let (now, before) = (self.taken(), &self.before);
        counts(&now)
            .into_iter()
            .zip(counts(before))
            .map(|((kind, now), (_, before))| (kind, now.saturating_sub(before)))
            .collect()
    }

    /// What is left of clusters, in words; nothing when nothing is.
    pub(super) fn left(&self) -> Option<String> {
        let left: Vec<String> = self
            .beyond()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        (!left.is_empty()).then(|| left.join(", "))
    }

    /// Has a template and a cluster of it accepted.
    pub(super) async fn accept(
        &self,
        template: TemplateSpec,
        spec: impl FnOnce(ClusterSpec) -> ClusterSpec,
    ) -> Result<Cluster> {
        let template = self.magnum.create_template(&self.cx, template).await?;
        let spec = spec(ClusterSpec::new(template.id.to_string()));
        self.magnum
            .create_cluster(&self.cx, spec, CreateOptions::default())
            .await
    }

    /// Drives everything to its end, and shows the cluster as it then is.
    pub(super) async fn settled(&self, id: ClusterId) -> Result<Option<Cluster>> {
        let conductor = self.magnum.conductor();
        match tokio::time::timeout(PATIENCE, conductor.run_until_idle()).await {
            Ok(ended) => ended?,
            Err(_) => return Err(Error::internal("an operation never ends")),
        };
        match self.magnum.cluster(&self.cx, id).await {
            Ok(cluster) => Ok(Some(cluster)),
            Err(error) if error.kind() == magnum_core::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn scale(&self, id: ClusterId, nodes: u32, remove: &[&str]) -> Result<Option<Cluster>> {
        let options = UpdateOptions::default().with_remove(remove.iter().copied());
        self.magnum.scale_cluster(&self.cx, id, nodes, options).await?;
        self.settled(id).await
    }

    pub(super) async fn delete(&self, id: ClusterId) -> Result<Option<Cluster>> {
        self.magnum
            .delete_cluster(&self.cx, id, DeleteOptions::default())
            .await?;
        self.settled(id).await
    }
}

/// The image for servers of this `os_distro`.
pub(super) fn image(os: &str) -> String {
    format!("kit-{os}")
}

fn counts(of: &Leftovers) -> [(&'static str, usize); 13] {
    [
        ("stacks", of.stacks.len()),
        ("servers", of.servers.len()),
        ("ports", of.ports.len()),
        ("networks", of.networks.len()),
        ("subnets", of.subnets.len()),
        ("routers", of.routers.len()),
        ("security groups", of.security_groups.len()),
        ("floating IPs", of.floating_ips.len()),
        ("volumes", of.volumes.len()),
        ("load balancers", of.load_balancers.len()),
        ("secrets", of.secrets.len() + of.containers.len()),
        ("trustees", of.trustees.len()),
        ("trusts", of.trusts.len()),
    ]
}
