//! What goes together and what does not, beyond what the descriptor says.

use magnum_core::{Cluster, Problem, TemplateSpec, discovery_url_problem};

use super::descriptor::{MAX_NODES, PREEMPT};
use crate::common::{flannel, grammar, servers};

/// The attribute that has something on the nodes act in the cloud, which needs the cluster's trust there.
pub(super) fn trust_on_nodes(spec: &TemplateSpec) -> Option<&'static str> {
    if spec.volume_driver.as_deref() == Some("rexray") {
        Some("volume_driver")
    } else if spec.registry_enabled {
        Some("registry_enabled")
    } else {
        None
    }
}

fn with_flannel(spec: &TemplateSpec) -> bool {
    spec.network_driver.as_deref() == Some("flannel")
}

pub(super) fn problems(spec: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
    let mut problems = grammar::problems(spec);
    problems.extend(servers::storage_problem(spec));
    problems.extend(servers::subnet_name_problem(spec));
    if with_flannel(spec) {
        let taken: &[&str] = if spec.fixed_network.is_none() {
            &[servers::NETWORK_CIDR]
        } else {
            &[]
        };
        problems.extend(flannel::problems(spec, taken));
    } else {
        problems.extend(flannel::useless_labels(spec));
    }
    if spec.volume_driver.is_none()
        && let Some(value) = spec.labels.get(PREEMPT)
    {
        let message = "it is for the volume driver rexray, which the template does not ask for";
        problems.push(Problem::new(format!("labels.{PREEMPT}"), value, message));
    }
    if let Some(cluster) = cluster {
        let nodes = cluster.node_count();
        problems.extend(servers::count_problem(cluster, MAX_NODES));
        if with_flannel(spec) {
            problems.extend(flannel::room(spec, nodes, nodes));
        }
        problems.extend(cluster.discovery_url.as_deref().and_then(discovery_url_problem));
    }
    problems
}

/// Problems of an existing subnet: what the cluster uses beside it must be elsewhere.
pub(super) fn subnet_problems(spec: &TemplateSpec, subnet: ipnet::Ipv4Net) -> Vec<Problem> {
    let problem = with_flannel(spec)
        .then(|| flannel::subnet_problem(spec, subnet))
        .flatten();
    problem.into_iter().collect()
}
