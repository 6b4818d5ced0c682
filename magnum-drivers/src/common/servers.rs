//! What the servers of a cluster have in common, whatever runs on them: their network, their names, their storage.

use magnum_core::{Cluster, ParameterMapping, Problem, Source, TemplateSpec};
use serde_json::{Value, json};

use super::grammar;

/// What each driver maps whose servers are on the network of `network.yaml`.
pub(crate) const PARAMETERS: &[ParameterMapping] = &[
    ParameterMapping::required("ssh_key_name", Source::Keypair),
    ParameterMapping::required("server_image", Source::Image),
    ParameterMapping::required("external_network", Source::ExternalNetwork),
    ParameterMapping::optional("fixed_network", Source::FixedNetwork),
    ParameterMapping::optional("fixed_subnet", Source::FixedSubnet),
    ParameterMapping::optional("dns_nameserver", Source::DnsNameserver),
    ParameterMapping::optional("master_lb_enabled", Source::MasterLbEnabled),
    ParameterMapping::optional("floating_ip_enabled", Source::FloatingIpEnabled),
    ParameterMapping::optional("http_proxy", Source::HttpProxy),
    ParameterMapping::optional("https_proxy", Source::HttpsProxy),
    ParameterMapping::optional("no_proxy", Source::NoProxy),
];

/// The network that is made for the servers.
pub(crate) const NETWORK_CIDR: &str = "10.0.0.0/24";

/// The most servers that have room in it, beside the router, the DHCP servers and the load balancer.
const MOST: u32 = 240;

/// What the names of a cluster's servers begin with: something to recognise, and something unique. They are host names,
/// short enough for a certificate's subject.
pub(crate) fn name_prefix(cluster: &Cluster) -> String {
    let mut readable = cluster.readable_name();
    if !readable.starts_with(|c: char| c.is_ascii_lowercase()) {
        readable.insert(0, 'c');
        readable.truncate(30);
    }
    let unique: String = cluster.id.0.simple().to_string().chars().take(8).collect();
    format!("{}-{unique}", readable.trim_end_matches('-'))
}

/// The problem of a number of nodes that is out of range, or that the cluster's own network has no room for.
pub(crate) fn count_problem(cluster: &Cluster, most_nodes: u32) -> Option<Problem> {
    let nodes = cluster.node_count();
    let servers = nodes.saturating_add(cluster.master_count());
    let message = if !(1..=most_nodes).contains(&nodes) {
        format!("1 to {most_nodes} is allowed")
    } else if cluster.template.fixed_network.is_none() && servers > MOST {
        format!("the cluster's own network has room for {MOST} servers, masters included")
    } else {
        return None;
    };
    Some(Problem::new("node_count", nodes, message))
}

/// The problem of a subnet's name that could not be written into scripts.
pub(crate) fn subnet_name_problem(spec: &TemplateSpec) -> Option<Problem> {
    let subnet = spec.fixed_subnet.as_deref()?;
    (!grammar::is_name(subnet)).then(|| {
        let message = "must be an id, or a name of letters, digits and . _ -";
        Problem::new("fixed_subnet", subnet, message)
    })
}

/// The problem of a volume that is too small for its storage driver.
pub(crate) fn storage_problem(spec: &TemplateSpec) -> Option<Problem> {
    let size = spec.docker_volume_size?;
    let driver = spec.docker_storage_driver.as_deref().unwrap_or("devicemapper");
    let least = if driver == "devicemapper" { 3 } else { 1 };
    (size < least).then(|| {
        let message = format!("the storage driver {driver} needs {least} GB or more");
        Problem::new("docker_volume_size", size, message)
    })
}

/// A security group's rule for what servers of one group say to those of another, as `cluster_rules.yaml` takes it. All
/// ports without one.
pub(crate) fn rule(to: &str, from: &str, protocol: &str, port: Option<u16>) -> Value {
    let what = port.map_or_else(|| protocol.to_owned(), |port| format!("{protocol}_{port}"));
    let mut rule = json!({
        "name": format!("secgroup_{to}_from_{from}_{what}"),
        "group": format!("secgroup_{to}"),
        "remote": format!("secgroup_{from}"),
        "protocol": protocol,
    });
    if let Some(port) = port {
        rule["least"] = json!(port);
        rule["most"] = json!(port);
    }
    rule
}

/// Such rules for all ports but one.
pub(crate) fn rules_without(to: &str, from: &str, protocol: &str, port: u16) -> [Value; 2] {
    [("below", 1, port - 1), ("above", port + 1, u16::MAX)].map(|(side, least, most)| {
        let mut rule = rule(to, from, protocol, None);
        rule["name"] = json!(format!("secgroup_{to}_from_{from}_{protocol}_{side}_{port}"));
        rule["least"] = json!(least);
        rule["most"] = json!(most);
        rule
    })
}
