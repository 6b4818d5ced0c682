//! Which attribute of a cluster goes into which parameter of its stack, and which output comes back.

use serde_json::{Value, json};

use super::DriverDescriptor;
use crate::model::Cluster;

/// From where a stack parameter gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The cluster's SSH key pair.
    Keypair,
    /// The image.
    Image,
    /// The nodes' flavor.
    Flavor,
    /// The masters' flavor.
    MasterFlavor,
    /// The external network.
    ExternalNetwork,
    /// The DNS name server.
    DnsNameserver,
    /// The proxy for HTTP.
    HttpProxy,
    /// The proxy for HTTPS.
    HttpsProxy,
    /// What goes without a proxy.
    NoProxy,
    /// Size of the servers' volumes.
    DockerVolumeSize,
    /// How images are stored.
    DockerStorageDriver,
    /// Whether TLS is disabled.
    TlsDisabled,
    /// The discovery URL.
    DiscoveryUrl,
    /// The cluster's UUID.
    ClusterUuid,
    /// The number of nodes.
    NodeCount,
    /// The number of masters.
    MasterCount,
    /// An existing network.
    FixedNetwork,
    /// An existing subnet.
    FixedSubnet,
    /// The driver for persistent volumes.
    VolumeDriver,
    /// The container network driver.
    NetworkDriver,
    /// Whether there is a load balancer in front of the masters.
    MasterLbEnabled,
    /// Whether servers get floating IPs.
    FloatingIpEnabled,
    /// `host:port` of a registry without TLS.
    InsecureRegistry,
    /// Whether there is a registry in the cluster.
    RegistryEnabled,
    /// Nodes to remove when there are to be fewer; an empty list otherwise.
    NodesToRemove,
    /// A label; the driver's default when it is not given.
    Label(&'static str),
}

/// A stack parameter and where its value comes from. Absent values are not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterMapping {
    /// The parameter's name in the template.
    pub parameter: &'static str,
    /// Where the value comes from.
    pub source: Source,
    /// Whether the cluster cannot be made without it.
    pub required: bool,
}

impl ParameterMapping {
    /// A parameter that may be absent.
    #[must_use]
    pub const fn optional(parameter: &'static str, source: Source) -> Self {
        Self {
            parameter,
            source,
            required: false,
        }
    }

    /// A parameter that must have a value.
    #[must_use]
    pub const fn required(parameter: &'static str, source: Source) -> Self {
        Self {
            parameter,
            source,
            required: true,
        }
    }
}

/// An attribute of the cluster that an output fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputTarget {
    /// Where the COE is reached.
    ApiAddress,
    /// Addresses of the masters.
    MasterAddresses,
    /// Addresses of the nodes.
    NodeAddresses,
    /// Version of the COE.
    CoeVersion,
    /// Version of the container engine.
    ContainerVersion,
}

/// A stack output and the attribute that it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputMapping {
    /// The output's name in the template.
    pub output: &'static str,
    /// The attribute.
    pub target: OutputTarget,
}

impl OutputMapping {
    /// An output and the attribute that it fills.
    #[must_use]
    pub const fn new(output: &'static str, target: OutputTarget) -> Self {
        Self { output, target }
    }
}

impl Source {
    /// The attribute of the cluster, as users know it, whose value this is; `None` where no user sets it.
    pub(super) fn attribute(self) -> Option<&'static str> {
        Some(match self {
            Self::Keypair => "keypair",
            Self::Image => "image_id",
            Self::Flavor => "flavor_id",
            Self::MasterFlavor => "master_flavor_id",
            Self::ExternalNetwork => "external_network_id",
            Self::DnsNameserver => "dns_nameserver",
            Self::HttpProxy => "http_proxy",
            Self::HttpsProxy => "https_proxy",
            Self::NoProxy => "no_proxy",
            Self::DockerVolumeSize => "docker_volume_size",
            Self::DockerStorageDriver => "docker_storage_driver",
            Self::TlsDisabled => "tls_disabled",
            Self::DiscoveryUrl => "discovery_url",
            Self::NodeCount | Self::NodesToRemove => "node_count",
            Self::MasterCount => "master_count",
            Self::FixedNetwork => "fixed_network",
            Self::FixedSubnet => "fixed_subnet",
            Self::VolumeDriver => "volume_driver",
            Self::NetworkDriver => "network_driver",
            Self::MasterLbEnabled => "master_lb_enabled",
            Self::FloatingIpEnabled => "floating_ip_enabled",
            Self::InsecureRegistry => "insecure_registry",
            Self::RegistryEnabled => "registry_enabled",
            Self::Label(_) => "labels",
            Self::ClusterUuid => return None,
        })
    }

    /// The value of a cluster; `None` where it has none.
    pub(super) fn value(self, cluster: &Cluster, descriptor: &DriverDescriptor) -> Option<Value> {
        let spec = &cluster.template;
        let text = |value: &Option<String>| value.as_ref().map(|v| json!(v));
        match self {
            Self::Keypair => text(&cluster.keypair),
            Self::Image => Some(json!(spec.image_id)),
            Self::Flavor => text(&spec.flavor_id),
            Self::MasterFlavor => text(&spec.master_flavor_id),
            Self::ExternalNetwork => Some(json!(spec.external_network_id)),
            Self::DnsNameserver => text(&spec.dns_nameserver),
            Self::HttpProxy => text(&spec.http_proxy),
            Self::HttpsProxy => text(&spec.https_proxy),
            Self::NoProxy => text(&spec.no_proxy),
            Self::DockerVolumeSize => spec.docker_volume_size.map(|size| json!(size)),
            Self::DockerStorageDriver => text(&spec.docker_storage_driver),
            Self::TlsDisabled => Some(json!(spec.tls_disabled)),
            Self::DiscoveryUrl => text(&cluster.discovery_url),
            Self::ClusterUuid => Some(json!(cluster.id.to_string())),
            Self::NodeCount => Some(json!(cluster.node_count())),
            Self::MasterCount => Some(json!(cluster.master_count())),
            Self::NodesToRemove => Some(json!([])),
            Self::FixedNetwork => text(&spec.fixed_network),
            Self::FixedSubnet => text(&spec.fixed_subnet),
            Self::VolumeDriver => text(&spec.volume_driver),
            Self::NetworkDriver => text(&spec.network_driver),
            Self::MasterLbEnabled => spec.master_lb_enabled.map(|enabled| json!(enabled)),
            Self::FloatingIpEnabled => spec.floating_ip_enabled.map(|enabled| json!(enabled)),
            Self::InsecureRegistry => text(&spec.insecure_registry),
            Self::RegistryEnabled => Some(json!(spec.registry_enabled)),
            Self::Label(key) => {
                let schema = descriptor.labels.iter().find(|label| label.key == key);
                let given = spec.labels.get(key).cloned();
                given.or_else(|| schema?.default.clone()).map(|v| json!(v))
            }
        }
    }
}
