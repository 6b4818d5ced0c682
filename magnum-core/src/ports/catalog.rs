//! The look-up port: what the cloud has.

use std::fmt;

use async_trait::async_trait;

use super::Auth;
use crate::Result;

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its property `os_distro`, if it has a value.
    pub os_distro: Option<String>,
    /// GB of disk that it needs.
    pub min_disk: u64,
    /// MB of memory that it needs.
    pub min_ram: u64,
}

/// A flavor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flavor {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Virtual processors.
    pub vcpus: u64,
    /// Memory in MB.
    pub ram: u64,
    /// Root disk in GB.
    pub disk: u64,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it leads outside.
    pub external: bool,
    /// The UUIDs of its subnets.
    pub subnets: Vec<String>,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The network that it is on.
    pub network_id: String,
    /// Its addresses.
    pub cidr: String,
}

/// A key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keypair {
    /// Its name.
    pub name: String,
    /// Its public half.
    pub public_key: String,
}

/// How much of something a project may have and has. A negative limit is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How much it may have.
    pub limit: i64,
    /// How much it has.
    pub used: i64,
}

/// A project's limits at Nova.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeLimits {
    /// Servers.
    pub instances: Limit,
    /// Virtual processors.
    pub cores: Limit,
    /// Memory in MB.
    pub ram: Limit,
    /// Server groups.
    pub server_groups: Limit,
}

/// A project's limits at Neutron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkLimits {
    /// Networks.
    pub networks: Limit,
    /// Subnets.
    pub subnets: Limit,
    /// Routers.
    pub routers: Limit,
    /// Ports.
    pub ports: Limit,
    /// Floating IPs.
    pub floating_ips: Limit,
    /// Security groups.
    pub security_groups: Limit,
    /// Rules of security groups.
    pub security_group_rules: Limit,
}

/// A project's limits at Cinder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeLimits {
    /// Volumes.
    pub volumes: Limit,
    /// Their size in GB.
    pub gigabytes: Limit,
}

/// Looks things up by name or UUID.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | What does not exist, or is not visible under `auth`, MUST be `NotFound` | yes |
/// | A name that several things have MUST be `Conflict` | yes |
/// | A UUID MUST win over an equal name | yes |
/// | Limits of a service that the cloud does not have MUST be `Configuration`, of one that does not tell them to this caller `Forbidden` | yes |
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CloudCatalog: fmt::Debug + Send + Sync + 'static {
    /// An image.
    async fn image(&self, auth: &Auth, name_or_id: &str) -> Result<Image>;
    /// A flavor.
    async fn flavor(&self, auth: &Auth, name_or_id: &str) -> Result<Flavor>;
    /// A key pair of the user, by name.
    async fn keypair(&self, auth: &Auth, name: &str) -> Result<Keypair>;
    /// A network.
    async fn network(&self, auth: &Auth, name_or_id: &str) -> Result<Network>;
    /// A subnet.
    async fn subnet(&self, auth: &Auth, name_or_id: &str) -> Result<Subnet>;
    /// The project's limits at Nova.
    async fn compute_limits(&self, auth: &Auth) -> Result<ComputeLimits>;
    /// The project's limits at Neutron.
    async fn network_limits(&self, auth: &Auth) -> Result<NetworkLimits>;
    /// The project's limits at Cinder.
    async fn volume_limits(&self, auth: &Auth) -> Result<VolumeLimits>;
}
