//! What goes together and what does not, beyond what the descriptor says.

use ipnet::Ipv4Net;
use magnum_core::{Cluster, Problem, TemplateSpec, discovery_url_problem, version_numbers};

use super::descriptor::{
    CLOUD_PROVIDER, CLOUD_PROVIDER_SINCE, KUBE_TAG, KUBERNETES, MAX_MINIONS, SERVICE_CIDR,
};
use super::{Distribution, Storage};
use crate::common::{flannel, grammar, servers};

/// Whether Kubernetes may use the cloud: asked for, or implied by the volume driver.
pub(super) fn cloud_provider(spec: &TemplateSpec) -> bool {
    match spec.labels.get(CLOUD_PROVIDER).map(String::as_str) {
        Some(said) => said == "true",
        None => spec.volume_driver.as_deref() == Some("cinder"),
    }
}

pub(super) fn problems(
    distribution: &Distribution,
    spec: &TemplateSpec,
    cluster: Option<&Cluster>,
) -> Vec<Problem> {
    let mut problems = grammar::problems(spec);
    if distribution.storage == Storage::Volume {
        problems.extend(servers::storage_problem(spec));
    }
    problems.extend(version(spec));
    problems.extend(servers::subnet_name_problem(spec));
    problems.extend(cloud(spec));
    let taken: &[&str] = if spec.fixed_network.is_none() {
        &[SERVICE_CIDR, servers::NETWORK_CIDR]
    } else {
        &[SERVICE_CIDR]
    };
    problems.extend(flannel::problems(spec, taken));
    problems.extend(port(spec));
    if let Some(cluster) = cluster {
        let nodes = cluster.node_count();
        problems.extend(servers::count_problem(cluster, MAX_MINIONS));
        let all = nodes.saturating_add(cluster.master_count());
        problems.extend(flannel::room(spec, all, nodes));
        problems.extend(cluster.discovery_url.as_deref().and_then(discovery_url_problem));
    }
    problems
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
    let mut problems: Vec<Problem> = flannel::subnet_problem(spec, subnet).into_iter().collect();
    if SERVICE_CIDR
        .parse::<Ipv4Net>()
        .is_ok_and(|services| flannel::overlap(services, subnet))
    {
        let message = format!("its addresses {subnet} overlap with the services' network {SERVICE_CIDR}");
        problems.push(Problem::new("fixed_subnet", subnet, message));
    }
    problems
}
