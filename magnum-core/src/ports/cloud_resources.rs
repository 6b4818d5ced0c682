//! The port to what a cluster, or anybody else, made in the cloud beside the cluster's stack.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use super::Auth;
use crate::Result;

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What its maker wrote about it.
    pub description: String,
    /// The subnet that its address is on.
    pub vip_subnet_id: String,
    /// The port that holds its address.
    pub vip_port_id: String,
    /// What the service is doing with it, for example `ACTIVE`, `PENDING_DELETE` or `ERROR`.
    pub provisioning_status: String,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What the service is doing with it, for example `available`, `in-use` or `error`.
    pub status: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// The servers that it is attached to.
    pub servers: Vec<String>,
}

/// A floating IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloatingIp {
    /// Its UUID.
    pub id: String,
    /// The port that it leads to now.
    pub port_id: Option<String>,
}

/// A port on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPort {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What kind of thing it belongs to, for example `compute:nova`; empty for none.
    pub device_owner: String,
    /// The thing that it belongs to, for example a server's UUID; empty for none.
    pub device_id: String,
    /// Its addresses.
    pub addresses: Vec<String>,
}

impl NetworkPort {
    /// The id of the load balancer whose address it holds, if it does.
    pub(super) fn load_balancer(&self) -> Option<&str> {
        if self.device_owner != "Octavia" {
            return None;
        }
        self.device_id.strip_prefix("lb-")
    }
}

/// Finds and removes what a cluster made in the cloud by itself, and names what else is in a network.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | A list of a cloud without the service that keeps a kind of thing MUST be empty | yes |
/// | Reading or removing a thing by its id there MUST fail with `Configuration` and name the service | yes |
/// | A list MUST be whole, however many answers the service gives it in | yes |
/// | What is gone MUST be `None`, and removing it MUST return `Ok` | yes |
/// | Removing a load balancer MUST take all that hangs on it along, floating IPs excepted | yes |
/// | Removing what the service is busy with MUST fail with `Conflict` and change nothing | yes |
/// | Reading MUST change nothing | yes |
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CloudResources: fmt::Debug + Send + Sync + 'static {
    /// The load balancers whose address is on one of these subnets.
    async fn load_balancers(&self, auth: &Auth, vip_subnets: &[String]) -> Result<Vec<LoadBalancer>>;

    /// A load balancer, unless it is gone.
    async fn load_balancer(&self, auth: &Auth, id: &str) -> Result<Option<LoadBalancer>>;

    /// The addresses to which a load balancer hands connections; none when it is gone.
    async fn members(&self, auth: &Auth, load_balancer: &str) -> Result<Vec<String>>;

    /// Starts removing a load balancer.
    async fn delete_load_balancer(&self, auth: &Auth, id: &str) -> Result<()>;

    /// The ids of the floating IPs that lead to a port.
    async fn floating_ips(&self, auth: &Auth, port: &str) -> Result<Vec<String>>;

    /// A floating IP, unless it is gone.
    async fn floating_ip(&self, auth: &Auth, id: &str) -> Result<Option<FloatingIp>>;

    /// Gives a floating IP back.
    async fn delete_floating_ip(&self, auth: &Auth, id: &str) -> Result<()>;

    /// The project's volumes.
    async fn volumes(&self, auth: &Auth) -> Result<Vec<Volume>>;

    /// A volume, unless it is gone.
    async fn volume(&self, auth: &Auth, id: &str) -> Result<Option<Volume>>;

    /// Starts removing a volume.
    async fn delete_volume(&self, auth: &Auth, id: &str) -> Result<()>;

    /// The ports that are on one of these networks or have an address of one of these subnets, each once.
    async fn ports(&self, auth: &Auth, networks: &[String], subnets: &[String]) -> Result<Vec<NetworkPort>>;

    /// The name of a server, unless it is gone or not to be seen.
    async fn server_name(&self, auth: &Auth, id: &str) -> Result<Option<String>>;
}
