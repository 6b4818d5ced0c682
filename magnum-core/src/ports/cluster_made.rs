//! What a cluster made beside its stack, and what else is in the stack's networks.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Adoptable, DriverContext, LoadBalancer, NetworkPort, StackResource, Volume};
use crate::model::ClusterId;
use crate::{ErrorKind, Result, shown};

/// How many things in the way are named; the others are counted.
const NAMED: usize = 5;

/// Adopts the load balancers and volumes that the cluster itself made, and nothing else.
pub(super) async fn adopt(cx: &DriverContext, role: &'static str) -> Result<()> {
    let cluster = cx.cluster().id;
    let stack = StackThings::of(&cx.stack(role).resources().await?);
    let mut subnets = stack.subnets.clone();
    let shared = cx.cluster().template.fixed_subnet.iter();
    // By id only: a name is nothing that Octavia could be asked for.
    subnets.extend(shared.filter(|id| Uuid::parse_str(id).is_ok()).cloned());
    let mut servers = None;
    for balancer in visible_load_balancers(cx, &subnets).await? {
        let made = is_made_by(&balancer, cluster, &stack)
            || (is_unmarked_service(&balancer, &stack)
                && leads_to_us(cx, &balancer, &subnets, &stack, &mut servers).await?);
        if made {
            cx.adopt(Adoptable::LoadBalancer(balancer)).await?;
        }
    }
    for volume in visible_volumes(cx).await? {
        if is_claimed_by(&volume, cluster) && !stack.ids.contains(&volume.id) {
            cx.adopt(Adoptable::Volume(volume)).await?;
        }
    }
    Ok(())
}

async fn visible_load_balancers(cx: &DriverContext, subnets: &[String]) -> Result<Vec<LoadBalancer>> {
    if subnets.is_empty() {
        return Ok(Vec::new());
    }
    match cx.load_balancers(subnets).await {
        // Octavia wants a role of its own. Who lacks it can have made none; should there be one all the same, it is
        // in the way of the stack's removal and named there.
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            tracing::warn!(error = ?error, "load balancers are not to be seen");
            Ok(Vec::new())
        }
        other => other,
    }
}

async fn visible_volumes(cx: &DriverContext) -> Result<Vec<Volume>> {
    match cx.volumes().await {
        // They hold nothing of the stack's, and no try would change the answer: that they were not looked for is said
        // when the cluster is gone.
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            tracing::warn!(error = ?error, "volumes are not to be seen");
            Ok(Vec::new())
        }
        other => other,
    }
}

/// Ids of a stack's things.
#[derive(Debug, Default)]
struct StackThings {
    ids: BTreeSet<String>,
    networks: Vec<String>,
    subnets: Vec<String>,
}

impl StackThings {
    fn of(resources: &[StackResource]) -> Self {
        let mut things = Self::default();
        for resource in resources.iter().filter(|r| !r.physical_id.is_empty()) {
            // By the end of the name: an environment can give types other names, as Python Magnum's does.
            match resource.kind.rsplit_once("::Neutron::").map(|(_, kind)| kind) {
                // Its id begins with the router's, which need not be of the stack.
                Some("RouterInterface") => {
                    let router = resource.physical_id.split(':').next().unwrap_or_default();
                    things.ids.insert(router.to_owned());
                }
                Some("Net") => things.networks.push(resource.physical_id.clone()),
                Some("Subnet") => things.subnets.push(resource.physical_id.clone()),
                _ => {}
            }
            things.ids.insert(resource.physical_id.clone());
        }
        things
    }

    /// Whether a port, or the server or load balancer that it belongs to, is the stack's.
    fn has(&self, port: &NetworkPort) -> bool {
        let device = port.device_id.strip_prefix("lb-").unwrap_or(&port.device_id);
        self.ids.contains(&port.id) || self.ids.contains(device)
    }
}

/// Whether the cluster surely made a load balancer. On a subnet that only its stack has, nobody else's are; elsewhere
/// those that carry the cluster's UUID as Kubernetes' cloud provider for OpenStack writes it.
fn is_made_by(balancer: &LoadBalancer, cluster: ClusterId, stack: &StackThings) -> bool {
    if stack.ids.contains(&balancer.id) {
        return false;
    }
    stack.subnets.contains(&balancer.vip_subnet_id)
        || balancer.description.contains(&format!("from cluster {cluster}"))
        || balancer.name.starts_with(&format!("kube_service_{cluster}_"))
}

/// Whether a load balancer may be one for a service, as the cloud provider in Kubernetes' tree calls them: `a` and the
/// service's UUID, cut at 32 characters, and no word of the cluster.
fn is_unmarked_service(balancer: &LoadBalancer, stack: &StackThings) -> bool {
    let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    !stack.ids.contains(&balancer.id)
        && !balancer.description.contains("from cluster ")
        && balancer.name.len() == 32
        && balancer
            .name
            .strip_prefix('a')
            .is_some_and(|rest| rest.bytes().all(hex))
}

/// Whether a load balancer hands connections to servers of this cluster and to nobody else.
async fn leads_to_us(
    cx: &DriverContext,
    balancer: &LoadBalancer,
    subnets: &[String],
    stack: &StackThings,
    servers: &mut Option<BTreeSet<String>>,
) -> Result<bool> {
    if servers.is_none() {
        let ports = cx.ports(&[], subnets).await?;
        let own = ports.into_iter().filter(|port| stack.ids.contains(&port.id));
        *servers = Some(own.flat_map(|port| port.addresses).collect());
    }
    let members = cx.members(&balancer.id).await?;
    let ours = |address: &String| servers.as_ref().is_some_and(|servers| servers.contains(address));
    Ok(!members.is_empty() && members.iter().all(ours))
}

/// Whether Kubernetes made a volume for a claim in the cluster: the provisioner in Kubernetes' tree begins its name so,
/// the one beside it writes the metadata.
fn is_claimed_by(volume: &Volume, cluster: ClusterId) -> bool {
    let cluster = cluster.to_string();
    volume.name.starts_with(&format!("{cluster}-dynamic-"))
        || volume.metadata.get("cinder.csi.openstack.org/cluster") == Some(&cluster)
}

/// What is in the stack's own networks and is neither the stack's nor the network service's. Load balancers that
/// the cluster may have made since it was last looked for them are not: they are adopted when the removal is tried
/// again, if they are to be seen.
pub(super) async fn in_the_way(
    cx: &DriverContext,
    role: &'static str,
    cluster_made: bool,
) -> Result<Vec<String>> {
    let stack = StackThings::of(&cx.stack(role).resources().await?);
    if stack.networks.is_empty() && stack.subnets.is_empty() {
        return Ok(Vec::new());
    }
    let mut foreign = cx.ports(&stack.networks, &stack.subnets).await?;
    foreign.retain(|port| {
        let services = port.device_owner.starts_with("network:") && !is_on_a_router(port);
        !services && !stack.has(port)
    });
    if cluster_made && foreign.iter().any(|port| port.load_balancer().is_some()) {
        let adoptable = adoptable_load_balancers(cx, &stack.subnets).await;
        foreign.retain(|port| port.load_balancer().is_none_or(|id| !adoptable.contains(id)));
    }
    let mut named = Vec::new();
    for port in foreign.iter().take(NAMED) {
        named.push(describe(cx, port).await);
    }
    if foreign.len() > NAMED {
        named.push(format!("{} more", foreign.len() - NAMED));
    }
    Ok(named)
}

/// The ids of the load balancers on the stack's subnets that a look would find; none when it would fail.
async fn adoptable_load_balancers(cx: &DriverContext, subnets: &[String]) -> BTreeSet<String> {
    match cx.load_balancers(subnets).await {
        Ok(found) => found.into_iter().map(|balancer| balancer.id).collect(),
        Err(error) => {
            tracing::warn!(error = ?error, "load balancers are not to be seen");
            BTreeSet::new()
        }
    }
}

/// Whether a port joins a network to a router (neutron_lib/constants.py, release 21 (Zed)).
fn is_on_a_router(port: &NetworkPort) -> bool {
    port.device_owner.starts_with("network:router_interface")
        || port.device_owner == "network:ha_router_replicated_interface"
}

async fn describe(cx: &DriverContext, port: &NetworkPort) -> String {
    let at = match port.addresses.first() {
        Some(address) => format!("with address {} on the cluster's network", shown(address)),
        None => "on the cluster's network".to_owned(),
    };
    let named = |what: &str, name: &str, id: &str| {
        let name = if name.is_empty() {
            String::new()
        } else {
            format!("{} ", shown(name))
        };
        format!("{what} {name}({}) {at}", shown(id))
    };
    if port.device_owner.starts_with("compute:") && !port.device_id.is_empty() {
        // Its name is a help; without it the id must do.
        let name = cx.server_name(&port.device_id).await.ok().flatten();
        return named("server", &name.unwrap_or_default(), &port.device_id);
    }
    if let Some(id) = port.load_balancer() {
        return format!("load balancer {} {at}", shown(id));
    }
    if is_on_a_router(port) && !port.device_id.is_empty() {
        return format!("router {} {at}", shown(&port.device_id));
    }
    named("port", &port.name, &port.id)
}

#[cfg(test)]
mod tests;
