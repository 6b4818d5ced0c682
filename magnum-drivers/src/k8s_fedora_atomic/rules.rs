//! What goes together and what does not, beyond what the descriptor says.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use magnum_core::{Cluster, Problem, TemplateSpec, discovery_url_problem, version_numbers};

use super::descriptor::{
    CLOUD_PROVIDER, CLOUD_PROVIDER_SINCE, FIXED_NETWORK_CIDR, FLANNEL_CIDR, FLANNEL_SUBNETLEN, KUBE_TAG,
    KUBERNETES, MAX_MINIONS, MAX_SERVERS, NETWORK_CIDR, SERVICE_CIDR, SUBNETLEN,
};
use crate::common::grammar;

/// Whether Kubernetes may use the cloud: asked for, or implied by the volume driver.
pub(super) fn cloud_provider(spec: &TemplateSpec) -> bool {
    match spec.labels.get(CLOUD_PROVIDER).map(String::as_str) {
        Some(said) => said == "true",
        None => spec.volume_driver.as_deref() == Some("cinder"),
    }
}

pub(super) fn problems(spec: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
    let mut problems = grammar::problems(spec);
    problems.extend(storage(spec));
    problems.extend(version(spec));
    problems.extend(subnet(spec));
    problems.extend(cloud(spec));
    problems.extend(networks(spec));
    problems.extend(port(spec));
    if let Some(cluster) = cluster {
        problems.extend(counts(spec, cluster));
        problems.extend(cluster.discovery_url.as_deref().and_then(discovery_url_problem));
    }
    problems
}

fn storage(spec: &TemplateSpec) -> Option<Problem> {
    let size = spec.docker_volume_size?;
    let driver = spec.docker_storage_driver.as_deref().unwrap_or("devicemapper");
    let least = if driver == "devicemapper" { 3 } else { 1 };
    (size < least).then(|| {
        let message = format!("the storage driver {driver} needs {least} GB or more");
        Problem::new("docker_volume_size", size, message)
    })
}

/// The label's number of the minor version is compared by scripts, and the whole is the name of an image.
fn version(spec: &TemplateSpec) -> Option<Problem> {
    let version = spec.labels.get(KUBE_TAG)?;
    let padded = version
        .split(['v', '.'])
        .any(|number| number.len() > 1 && number.starts_with('0'));
    padded.then(|| {
        let message = "numbers of a version do not begin with 0";
        Problem::new(format!("labels.{KUBE_TAG}"), version, message)
    })
}

/// It goes into the scripts.
fn subnet(spec: &TemplateSpec) -> Option<Problem> {
    let subnet = spec.fixed_subnet.as_deref()?;
    (!grammar::is_name(subnet)).then(|| {
        let message = "must be an id, or a name of letters, digits and . _ -";
        Problem::new("fixed_subnet", subnet, message)
    })
}

fn cloud(spec: &TemplateSpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    let label = format!("labels.{CLOUD_PROVIDER}");
    let wanted = cloud_provider(spec);
    if spec.volume_driver.as_deref() == Some("cinder") && !wanted {
        let message = "the volume driver cinder needs it: Kubernetes mounts the volumes";
        problems.push(Problem::new(&label, false, message));
    }
    let version = spec.labels.get(KUBE_TAG).map_or(KUBERNETES, String::as_str);
    if wanted && version_numbers(version) < version_numbers(CLOUD_PROVIDER_SINCE) {
        let field = if spec.labels.contains_key(CLOUD_PROVIDER) {
            label.as_str()
        } else {
            "volume_driver"
        };
        let message = format!(
            "the cloud provider of Kubernetes {} does not know trusts, Keystone v3 and Octavia: \
             {KUBE_TAG} must be {CLOUD_PROVIDER_SINCE} or newer",
            magnum_core::shown(version)
        );
        problems.push(Problem::new(field, wanted, message));
    }
    if spec.registry_enabled && !wanted {
        let message = format!(
            "the registry keeps its images in Swift under the cluster's trust, and only the label \
             {CLOUD_PROVIDER} puts a trust on the nodes: set it to true"
        );
        problems.push(Problem::new("registry_enabled", true, message));
    }
    problems
}

fn networks(spec: &TemplateSpec) -> Vec<Problem> {
    let label = |key: &str, default: &str| {
        spec.labels
            .get(key)
            .cloned()
            .unwrap_or_else(|| default.to_owned())
    };
    let (cidr, length) = (
        label(NETWORK_CIDR, FLANNEL_CIDR),
        label(SUBNETLEN, FLANNEL_SUBNETLEN),
    );
    // What is of wrong form is told by the descriptor's schema.
    let (Ok(network), Ok(length)) = (cidr.parse::<Ipv4Net>(), length.parse::<u8>()) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    let field = format!("labels.{NETWORK_CIDR}");
    if network.addr() != network.network() {
        let message = format!("bits beyond the prefix must be zero: {}", network.trunc());
        problems.push(Problem::new(&field, &cidr, message));
    }
    let taken: &[&str] = if spec.fixed_network.is_none() {
        &[SERVICE_CIDR, FIXED_NETWORK_CIDR]
    } else {
        &[SERVICE_CIDR]
    };
    for other in taken {
        if other
            .parse::<Ipv4Net>()
            .is_ok_and(|other| overlap(other, network))
        {
            problems.push(Problem::new(
                &field,
                &cidr,
                format!("it overlaps with {other}, which the cluster uses"),
            ));
        }
    }
    let unusable = |address: Ipv4Addr| {
        address.is_loopback() || address.is_multicast() || address.is_link_local() || address.is_unspecified()
    };
    if network.prefix_len() > 28 {
        problems.push(Problem::new(
            &field,
            &cidr,
            "flannel needs a prefix of 28 or less",
        ));
    }
    if unusable(network.network()) || network.prefix_len() < 8 {
        problems.push(Problem::new(
            &field,
            &cidr,
            "this network cannot be routed between servers",
        ));
    }
    let prefix = network.prefix_len();
    if length <= prefix || length - prefix > 16 {
        let message = format!(
            "{} to {} is allowed in the network {cidr}",
            prefix + 1,
            prefix.saturating_add(16).min(30)
        );
        problems.push(Problem::new(format!("labels.{SUBNETLEN}"), length, message));
    }
    problems
}

/// Ports of masters that something of Kubernetes has already.
const TAKEN: [(u16, u16); 5] = [
    (2379, 2380),
    (4194, 4194),
    (6444, 6444),
    (10248, 10256),
    (30000, 32767),
];

fn port(spec: &TemplateSpec) -> Option<Problem> {
    let port = spec.apiserver_port?;
    let taken = TAKEN.iter().any(|(least, most)| (*least..=*most).contains(&port));
    taken.then(|| {
        let message = "something else of Kubernetes listens there: 2379, 2380, 4194, 6444, 10248 to 10256 and \
                       30000 to 32767 are taken";
        Problem::new("apiserver_port", port, message)
    })
}

/// Problems of an existing subnet: what the cluster uses beside it must be elsewhere.
pub(super) fn subnet_problems(spec: &TemplateSpec, subnet: Ipv4Net) -> Vec<Problem> {
    let pods = spec.labels.get(NETWORK_CIDR).map_or(FLANNEL_CIDR, String::as_str);
    let mut problems = Vec::new();
    for (what, other) in [
        ("the pods' network", pods),
        ("the services' network", SERVICE_CIDR),
    ] {
        if other.parse::<Ipv4Net>().is_ok_and(|other| overlap(other, subnet)) {
            let message = format!("its addresses {subnet} overlap with {what} {other}");
            problems.push(Problem::new("fixed_subnet", subnet, message));
        }
    }
    problems
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

fn counts(spec: &TemplateSpec, cluster: &Cluster) -> Vec<Problem> {
    let nodes = cluster.node_count();
    let servers = nodes.saturating_add(cluster.master_count());
    let mut problems = Vec::new();
    if !(1..=MAX_MINIONS).contains(&nodes) {
        problems.push(Problem::new(
            "node_count",
            nodes,
            format!("1 to {MAX_MINIONS} is allowed"),
        ));
    } else if spec.fixed_network.is_none() && servers > MAX_SERVERS {
        let message =
            format!("the cluster's own network has room for {MAX_SERVERS} servers, masters included");
        problems.push(Problem::new("node_count", nodes, message));
    }
    let part = |key: &str, default: &str| {
        spec.labels
            .get(key)
            .cloned()
            .unwrap_or_else(|| default.to_owned())
    };
    if let (Ok(network), Ok(length)) = (
        part(NETWORK_CIDR, FLANNEL_CIDR).parse::<Ipv4Net>(),
        part(SUBNETLEN, FLANNEL_SUBNETLEN).parse::<u8>(),
    ) && length > network.prefix_len()
    {
        let room = 1_u64 << u32::from(length - network.prefix_len()).min(32);
        if u64::from(servers) > room {
            let message =
                format!("the pods' network {network} has parts of length {length} for {room} servers only");
            problems.push(Problem::new("node_count", nodes, message));
        }
    }
    problems
}
