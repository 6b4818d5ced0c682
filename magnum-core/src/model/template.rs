//! Cluster templates: how clusters can be made.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute_values::{labels, null_is_default, strict};
use super::{Revision, TemplateId};

/// Supplemental settings as key and value; the driver says which exist and what they mean.
pub type Labels = BTreeMap<String, String>;

/// Whether the servers are virtual machines or bare metal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerType {
    /// Virtual machines of Nova.
    #[default]
    Vm,
    /// Bare metal of Ironic.
    Bm,
}

impl ServerType {
    /// `vm` or `bm`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Bm => "bm",
        }
    }
}

impl fmt::Display for ServerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The attributes of a cluster template, as a user gives them.
///
/// Attributes left at `None` get the driver's or the guide's default when the template is made, so
/// that `show` tells what will be used.
///
/// ```
/// use magnum_core::TemplateSpec;
/// let spec = TemplateSpec::new("docker", "ubuntu", "public").with_keypair("testkey").with_name("small");
/// assert_eq!(spec.flavor_id, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateSpec {
    /// The template's name; generated when absent.
    pub name: Option<String>,
    /// The container orchestration engine, for example `kubernetes`. Mandatory.
    pub coe: String,
    /// Name or UUID of the Glance image; it must have the property `os_distro`. Mandatory.
    pub image_id: String,
    /// Name of the SSH key pair for the servers. A cluster may name another.
    pub keypair_id: Option<String>,
    /// Name or UUID of an external network. Mandatory.
    pub external_network_id: String,
    /// Whether other projects may see and use it. Default false.
    #[serde(deserialize_with = "null_is_default")]
    pub public: bool,
    /// Whether it is left out of others' lists. Default false.
    #[serde(deserialize_with = "null_is_default")]
    pub hidden: bool,
    /// Words of the owner, comma separated.
    pub tags: Option<String>,
    /// Kind of the servers. Default `vm`.
    #[serde(deserialize_with = "null_is_default")]
    pub server_type: ServerType,
    /// The container network driver. Default: the cluster driver's.
    pub network_driver: Option<String>,
    /// The driver for persistent container volumes. Default none.
    pub volume_driver: Option<String>,
    /// DNS name server of the private network. Default `8.8.8.8`.
    pub dns_nameserver: Option<String>,
    /// Flavor of the nodes. Default `m1.small`.
    pub flavor_id: Option<String>,
    /// Flavor of the masters. Default `m1.small`.
    pub master_flavor_id: Option<String>,
    /// URL of a proxy for HTTP. Default none.
    pub http_proxy: Option<String>,
    /// URL of a proxy for HTTPS. Default none.
    pub https_proxy: Option<String>,
    /// Addresses that go without a proxy, comma separated. Default none.
    pub no_proxy: Option<String>,
    /// Size in GB of each server's volume for images and containers. Default 25 where used.
    pub docker_volume_size: Option<u32>,
    /// How images and container layers are stored. Default: the cluster driver's.
    pub docker_storage_driver: Option<String>,
    /// Supplemental settings of the driver.
    #[serde(deserialize_with = "labels")]
    pub labels: Labels,
    /// Whether the COE's endpoints work without certificates. Default false.
    #[serde(deserialize_with = "null_is_default")]
    pub tls_disabled: bool,
    /// Whether the cluster has a registry of its own, backed by Swift. Default false.
    #[serde(deserialize_with = "null_is_default")]
    pub registry_enabled: bool,
    /// `host:port` of a registry that is used without TLS. Default none.
    pub insecure_registry: Option<String>,
    /// Whether a load balancer is in front of the masters. Default: true where the driver has one.
    pub master_lb_enabled: Option<bool>,
    /// Whether servers get floating IPs. Default true.
    pub floating_ip_enabled: Option<bool>,
    /// An existing private network to use instead of a new one.
    pub fixed_network: Option<String>,
    /// An existing subnet of it.
    pub fixed_subnet: Option<String>,
    /// Port of the COE's API, 1024 to 65535. Default: the driver's.
    pub apiserver_port: Option<u16>,
}

impl Default for TemplateSpec {
    fn default() -> Self {
        Self {
            name: None,
            coe: String::new(),
            image_id: String::new(),
            keypair_id: None,
            external_network_id: String::new(),
            public: false,
            hidden: false,
            tags: None,
            server_type: ServerType::Vm,
            network_driver: None,
            volume_driver: None,
            dns_nameserver: None,
            flavor_id: None,
            master_flavor_id: None,
            http_proxy: None,
            https_proxy: None,
            no_proxy: None,
            docker_volume_size: None,
            docker_storage_driver: None,
            labels: Labels::new(),
            tls_disabled: false,
            registry_enabled: false,
            insecure_registry: None,
            master_lb_enabled: None,
            floating_ip_enabled: None,
            fixed_network: None,
            fixed_subnet: None,
            apiserver_port: None,
        }
    }
}

impl TemplateSpec {
    /// A template with the three attributes that have no default.
    pub fn new(
        coe: impl Into<String>,
        image_id: impl Into<String>,
        external_network_id: impl Into<String>,
    ) -> Self {
        Self {
            coe: coe.into(),
            image_id: image_id.into(),
            external_network_id: external_network_id.into(),
            ..Self::default()
        }
    }

    /// A template as it comes over the wire: an object with a key for each attribute that is given. `null` stands for an
    /// attribute's default, labels' values may be texts, numbers and booleans.
    ///
    /// # Errors
    /// `InvalidInput` names each attribute that does not exist, and each value of the wrong type.
    pub fn from_json(given: &serde_json::Value) -> crate::Result<Self> {
        strict("a cluster template", given)
    }

    /// Sets the name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the SSH key pair.
    #[must_use]
    pub fn with_keypair(mut self, keypair: impl Into<String>) -> Self {
        self.keypair_id = Some(keypair.into());
        self
    }

    /// Sets one label.
    #[must_use]
    pub fn with_label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Turns TLS off.
    #[must_use]
    pub fn without_tls(mut self) -> Self {
        self.tls_disabled = true;
        self
    }
}

/// A cluster template as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterTemplate {
    /// Its UUID.
    pub id: TemplateId,
    /// Its name; not unique.
    pub name: String,
    /// The owning project.
    pub project_id: String,
    /// The user who made it.
    pub user_id: String,
    /// The image's `os_distro`; with server type and COE it selects the driver.
    pub cluster_distro: String,
    /// The attributes, with defaults filled in.
    pub spec: TemplateSpec,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// How often it was written.
    pub revision: Revision,
}
