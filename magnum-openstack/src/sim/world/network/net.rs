//! Networks.

use jiff::Timestamp;

use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// A network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: String,
    /// Owner.
    pub project_id: String,
    /// Whether floating IPs come from it (`router:external`).
    pub external: bool,
    /// Whether every project may use it.
    pub shared: bool,
    /// Whether traffic passes.
    pub admin_state_up: bool,
    /// When it is ACTIVE.
    pub ready_at: Timestamp,
}

/// A network to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Name.
    pub name: String,
    /// Whether floating IPs come from it. Only an administrator may ask for this; the caller checks.
    pub external: bool,
    /// Whether every project may use it. Only an administrator may ask for this; the caller checks.
    pub shared: bool,
    /// Whether traffic passes; `None` means yes.
    pub admin_state_up: Option<bool>,
}

impl World {
    /// Creates a network.
    ///
    /// # Errors
    /// `OverQuota` (409).
    pub fn create_network(&mut self, project: &str, spec: NetworkSpec) -> ApiResult<Network> {
        self.check_network_quota(project, "network", 1)?;
        let network = Network {
            id: self.new_uuid(),
            ready_at: self.ready_at("OS::Neutron::Net", &spec.name),
            name: spec.name,
            project_id: project.to_owned(),
            external: spec.external,
            shared: spec.shared,
            admin_state_up: spec.admin_state_up.unwrap_or(true),
        };
        self.network.networks.insert(network.id.clone(), network.clone());
        Ok(network)
    }

    /// A network.
    ///
    /// # Errors
    /// `NetworkNotFound` (404).
    pub fn find_network(&self, id: &str) -> ApiResult<&Network> {
        self.network.networks.get(id).ok_or_else(|| {
            ApiFault::not_found("NetworkNotFound", format!("Network {id} could not be found."))
        })
    }

    /// A network that this project may use, by identifier or by name as Heat and the clients resolve it.
    ///
    /// # Errors
    /// `NotFound` (404), or `NoUniqueMatch` (409) for a name that several have.
    pub fn resolve_network(&self, project: &str, name_or_id: &str) -> ApiResult<&Network> {
        if let Some(network) = self
            .network
            .networks
            .get(name_or_id)
            .filter(|n| n.is_visible_to(project))
        {
            return Ok(network);
        }
        let mut named = self
            .network
            .networks
            .values()
            .filter(|n| n.name == name_or_id && n.is_visible_to(project));
        match (named.next(), named.next()) {
            (Some(network), None) => Ok(network),
            (Some(_), Some(_)) => Err(ApiFault::conflict(
                "NoUniqueMatch",
                format!("More than one Network exists with the name '{name_or_id}'."),
            )),
            _ => Err(ApiFault::not_found(
                "NetworkNotFound",
                format!("No Network found for {name_or_id}"),
            )),
        }
    }

    /// Deletes a network and its subnets.
    ///
    /// # Errors
    /// `NetworkNotFound` (404); `NetworkInUse` (409) while any port is on it.
    pub fn delete_network(&mut self, id: &str) -> ApiResult<()> {
        self.find_network(id)?;
        if self.network.ports.values().any(|port| port.network_id == id) {
            return Err(ApiFault::conflict(
                "NetworkInUse",
                format!(
                    "Unable to complete operation on network {id}. There are one or more ports still in use \
                     on the network."
                ),
            ));
        }
        self.network.subnets.retain(|_, subnet| subnet.network_id != id);
        self.network.networks.remove(id);
        Ok(())
    }
}

impl Network {
    /// `BUILD` or `ACTIVE`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> &'static str {
        if self.ready_at <= now { "ACTIVE" } else { "BUILD" }
    }

    /// Whether a project sees it.
    #[must_use]
    pub fn is_visible_to(&self, project: &str) -> bool {
        self.project_id == project || self.shared || self.external
    }
}
