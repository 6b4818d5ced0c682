//! Flannel, the network of the containers: its labels, and which networks it can be.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use magnum_core::{LabelSchema, LabelType, ParameterMapping, Problem, Source, TemplateSpec};

use super::descriptor::{label, one_of};

/// Its labels as parameters of the same names.
pub(crate) const PARAMETERS: &[ParameterMapping] = &[
    ParameterMapping::required(NETWORK_CIDR, Source::Label(NETWORK_CIDR)),
    ParameterMapping::required(SUBNETLEN, Source::Label(SUBNETLEN)),
    ParameterMapping::required(BACKEND, Source::Label(BACKEND)),
];

const NETWORK_CIDR: &str = "flannel_network_cidr";
const SUBNETLEN: &str = "flannel_network_subnetlen";
const BACKEND: &str = "flannel_backend";

const DEFAULT_CIDR: &str = "10.100.0.0/16";
const DEFAULT_SUBNETLEN: &str = "24";

/// The ports of its backends udp and vxlan.
pub(crate) const PORTS: [u16; 2] = [8285, 8472];

pub(crate) fn labels() -> Vec<LabelSchema> {
    vec![
        label(
            NETWORK_CIDR,
            LabelType::Ipv4Cidr,
            Some(DEFAULT_CIDR),
            "Network of the containers.",
        ),
        label(
            SUBNETLEN,
            LabelType::Integer { min: 8, max: 30 },
            Some(DEFAULT_SUBNETLEN),
            "Length of the prefix of each server's part of it.",
        ),
        label(
            BACKEND,
            one_of(&["udp", "vxlan", "host-gw"]),
            Some("udp"),
            "How flannel carries packets between servers.",
        ),
    ]
}

/// The network as given, and how long the prefix of each server's part is; `None` where one is of wrong form, which
/// the schema of the labels tells.
fn given(spec: &TemplateSpec) -> Option<(Ipv4Net, u8)> {
    let label = |key: &str, default: &'static str| spec.labels.get(key).map_or(default, String::as_str);
    let network = label(NETWORK_CIDR, DEFAULT_CIDR).parse().ok()?;
    let length = label(SUBNETLEN, DEFAULT_SUBNETLEN).parse().ok()?;
    Some((network, length))
}

/// Whether two networks share an address.
pub(crate) fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// Problems of the network by itself, and with others that the cluster uses.
pub(crate) fn problems(spec: &TemplateSpec, taken: &[&str]) -> Vec<Problem> {
    let Some((network, length)) = given(spec) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    let field = format!("labels.{NETWORK_CIDR}");
    let mut problem = |message: String| problems.push(Problem::new(&field, network, message));
    if network.addr() != network.network() {
        problem(format!(
            "bits beyond the prefix must be zero: {}",
            network.trunc()
        ));
    }
    for other in taken {
        if other
            .parse::<Ipv4Net>()
            .is_ok_and(|other| overlap(other, network))
        {
            problem(format!("it overlaps with {other}, which the cluster uses"));
        }
    }
    let unusable = |address: Ipv4Addr| {
        address.is_loopback() || address.is_multicast() || address.is_link_local() || address.is_unspecified()
    };
    let prefix = network.prefix_len();
    if prefix > 28 {
        problem("flannel needs a prefix of 28 or less".to_owned());
    }
    if unusable(network.network()) || prefix < 8 {
        problem("this network cannot be routed between servers".to_owned());
    }
    if length <= prefix || length - prefix > 16 {
        let message = format!(
            "{} to {} is allowed in the network {network}",
            prefix + 1,
            prefix.saturating_add(16).min(30)
        );
        problems.push(Problem::new(format!("labels.{SUBNETLEN}"), length, message));
    }
    problems
}

/// Problems of flannel's labels where another network was asked for: they would do nothing.
pub(crate) fn useless_labels(spec: &TemplateSpec) -> Vec<Problem> {
    let given = [NETWORK_CIDR, SUBNETLEN, BACKEND].into_iter();
    given
        .filter_map(|key| Some((key, spec.labels.get(key)?)))
        .map(|(key, value)| {
            let message = "it is for the network driver flannel, which the template does not ask for";
            Problem::new(format!("labels.{key}"), value, message)
        })
        .collect()
}

/// The problem of more servers than the network has parts for.
pub(crate) fn room(spec: &TemplateSpec, servers: u32, nodes: u32) -> Option<Problem> {
    let (network, length) = given(spec)?;
    if length <= network.prefix_len() {
        return None;
    }
    let room = 1_u64 << u32::from(length - network.prefix_len()).min(32);
    (u64::from(servers) > room).then(|| {
        let message =
            format!("the containers' network {network} has parts of length {length} for {room} servers only");
        Problem::new("node_count", nodes, message)
    })
}

/// The problem of an existing subnet whose addresses are flannel's, too.
pub(crate) fn subnet_problem(spec: &TemplateSpec, subnet: Ipv4Net) -> Option<Problem> {
    let (network, _) = given(spec)?;
    overlap(network, subnet).then(|| {
        let message = format!("its addresses {subnet} overlap with the containers' network {network}");
        Problem::new("fixed_subnet", subnet, message)
    })
}
