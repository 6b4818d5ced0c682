//! Load balancers.

use jiff::Timestamp;
use std::net::Ipv4Addr;

use super::super::network::{FixedIpRequest, PortSpec};
use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: String,
    /// What it is for; cloud providers of Kubernetes write their cluster's name here.
    pub description: String,
    /// Owner.
    pub project_id: String,
    /// The subnet of its address.
    pub vip_subnet_id: String,
    /// The port that holds its address.
    pub vip_port_id: String,
    /// Its address.
    pub vip_address: Ipv4Addr,
    /// Who makes it: `amphora`, `ovn`, …
    pub provider: String,
    /// Its flavor.
    pub flavor_id: Option<String>,
    /// Where it is.
    pub availability_zone: Option<String>,
    /// Whether it takes connections.
    pub admin_state_up: bool,
    /// Words by which to find it.
    pub tags: Vec<String>,
    /// Until when it cannot be changed.
    pub busy_until: Timestamp,
    /// What it is busy with: `PENDING_CREATE`, `PENDING_UPDATE` or `PENDING_DELETE`.
    pub busy_with: &'static str,
    /// Why it ended in ERROR.
    pub fails_with: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// A load balancer to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadBalancerSpec {
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The subnet of its address; empty takes the first of the network.
    pub vip_subnet_id: String,
    /// The network of its address, for those who name no subnet.
    pub vip_network_id: Option<String>,
    /// Its address; `None` means any.
    pub vip_address: Option<String>,
    /// Who makes it; `None` means `amphora`.
    pub provider: Option<String>,
    /// Its flavor.
    pub flavor_id: Option<String>,
    /// Where.
    pub availability_zone: Option<String>,
    /// Whether it takes connections; `None` means yes.
    pub admin_state_up: Option<bool>,
    /// Words by which to find it.
    pub tags: Vec<String>,
    /// The reason for which it ends in ERROR, from [`World::resource_failure`].
    pub fails_with: Option<String>,
}

/// What of a load balancer to change; `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadBalancerChange {
    /// Name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it takes connections.
    pub admin_state_up: Option<bool>,
    /// Words by which to find it.
    pub tags: Option<Vec<String>>,
    /// The reason for which it ends in ERROR, from [`World::resource_failure`].
    pub fails_with: Option<String>,
}

impl World {
    /// Creates a load balancer and the port of its address.
    ///
    /// # Errors
    /// 400 for a subnet or network that is not there, or neither; as [`World::create_port`] for its port.
    pub fn create_load_balancer(&mut self, project: &str, spec: LoadBalancerSpec) -> ApiResult<LoadBalancer> {
        let subnet_id = self.vip_subnet(&spec)?;
        let network_id = self
            .find_subnet(&subnet_id)
            .map_err(|_| ApiFault::bad_request("Client", format!("Subnet {subnet_id} not found.")))?
            .network_id
            .clone();
        let id = self.new_uuid();
        let port = self.create_port(
            project,
            PortSpec {
                name: format!("octavia-lb-{id}"),
                network_id,
                fixed_ips: vec![FixedIpRequest {
                    subnet_id: Some(subnet_id.clone()),
                    ip_address: spec.vip_address,
                }],
                device_id: format!("lb-{id}"),
                device_owner: "Octavia".to_owned(),
                ..PortSpec::default()
            },
        )?;
        let vip_address = port
            .fixed_ips
            .first()
            .map_or(Ipv4Addr::UNSPECIFIED, |ip| ip.ip_address);
        let balancer = LoadBalancer {
            busy_until: self.ready_at("OS::Octavia::LoadBalancer", &spec.name),
            busy_with: "PENDING_CREATE",
            created_at: self.now(),
            id,
            name: spec.name,
            description: spec.description,
            project_id: project.to_owned(),
            vip_subnet_id: subnet_id,
            vip_port_id: port.id,
            vip_address,
            provider: spec.provider.unwrap_or_else(|| "amphora".to_owned()),
            flavor_id: spec.flavor_id,
            availability_zone: spec.availability_zone,
            admin_state_up: spec.admin_state_up.unwrap_or(true),
            tags: spec.tags,
            fails_with: spec.fails_with,
        };
        self.load_balancing
            .balancers
            .insert(balancer.id.clone(), balancer.clone());
        Ok(balancer)
    }

    /// The subnet that a load balancer's address comes from.
    fn vip_subnet(&self, spec: &LoadBalancerSpec) -> ApiResult<String> {
        if !spec.vip_subnet_id.is_empty() {
            return Ok(spec.vip_subnet_id.clone());
        }
        let Some(network) = &spec.vip_network_id else {
            return Err(ApiFault::bad_request(
                "Client",
                "Validation failure: VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.",
            ));
        };
        self.network
            .subnets()
            .find(|subnet| subnet.network_id == *network)
            .map(|subnet| subnet.id.clone())
            .ok_or_else(|| ApiFault::bad_request("Client", format!("Network {network} not found.")))
    }

    /// Changes a load balancer, which is busy for a while.
    ///
    /// # Errors
    /// 404; `ImmutableObject` (409) while it changes or is in ERROR.
    pub fn update_load_balancer(&mut self, id: &str, change: LoadBalancerChange) -> ApiResult<LoadBalancer> {
        self.check_mutable(id)?;
        let until = self.ready_at("OS::Octavia::Listener", id);
        let Some(balancer) = self.load_balancing.balancers.get_mut(id) else {
            return Err(not_found(id));
        };
        balancer.name = change.name.unwrap_or_else(|| balancer.name.clone());
        balancer.description = change.description.unwrap_or_else(|| balancer.description.clone());
        balancer.admin_state_up = change.admin_state_up.unwrap_or(balancer.admin_state_up);
        balancer.tags = change.tags.unwrap_or_else(|| balancer.tags.clone());
        balancer.fails_with = change.fails_with;
        balancer.busy_until = until;
        balancer.busy_with = "PENDING_UPDATE";
        Ok(balancer.clone())
    }

    /// The identifier of a project's load balancer given by name or identifier.
    ///
    /// # Errors
    /// 404.
    pub fn resolve_load_balancer(&self, project: &str, name_or_id: &str) -> ApiResult<String> {
        self.load_balancing
            .balancers()
            .filter(|balancer| balancer.project_id == project)
            .find(|balancer| balancer.id == name_or_id || balancer.name == name_or_id)
            .map(|balancer| balancer.id.clone())
            .ok_or_else(|| ApiFault::not_found("Client", format!("{name_or_id} not found")))
    }

    /// A load balancer.
    ///
    /// # Errors
    /// 404.
    pub fn find_load_balancer(&self, id: &str) -> ApiResult<&LoadBalancer> {
        self.load_balancing.balancers.get(id).ok_or_else(|| not_found(id))
    }

    /// Starts to delete a load balancer; it is gone at [`LoadBalancer::busy_until`] of the answer, and its
    /// port with it. `cascade` takes its parts along.
    ///
    /// # Errors
    /// 404; `ImmutableObject` (409) while it changes; 400 while it has parts and `cascade` is not set.
    pub fn delete_load_balancer(&mut self, id: &str, cascade: bool) -> ApiResult<LoadBalancer> {
        self.check_deletable(id)?;
        let has_parts = self
            .load_balancing
            .parts
            .values()
            .any(|part| part.load_balancer_id == id);
        if has_parts && !cascade {
            return Err(ApiFault::bad_request(
                "Client",
                format!("Validation failure: Cannot delete Load Balancer {id} - it has children"),
            ));
        }
        let gone_at = self.ready_at("OS::Octavia::Listener", id);
        let Some(balancer) = self.load_balancing.balancers.get_mut(id) else {
            return Err(not_found(id));
        };
        balancer.busy_until = gone_at;
        balancer.busy_with = "PENDING_DELETE";
        let balancer = balancer.clone();
        self.reap_load_balancers();
        Ok(balancer)
    }

    /// Refuses changes of a load balancer that changes already, or is in ERROR: then it can only go.
    pub(crate) fn check_mutable(&self, id: &str) -> ApiResult<()> {
        match self.find_load_balancer(id)?.provisioning_status(self.now()) {
            "ACTIVE" => Ok(()),
            _ => Err(immutable("Load Balancer", id)),
        }
    }

    fn check_deletable(&self, id: &str) -> ApiResult<()> {
        match self.find_load_balancer(id)?.provisioning_status(self.now()) {
            "ACTIVE" | "ERROR" => Ok(()),
            _ => Err(immutable("Load Balancer", id)),
        }
    }

    /// Removes load balancers and parts whose deletion is done.
    pub(crate) fn reap_load_balancers(&mut self) {
        let now = self.now();
        let gone: Vec<LoadBalancer> = self
            .load_balancing
            .balancers()
            .filter(|balancer| balancer.busy_with == "PENDING_DELETE" && balancer.busy_until <= now)
            .cloned()
            .collect();
        for balancer in gone {
            self.load_balancing.balancers.remove(&balancer.id);
            self.load_balancing
                .parts
                .retain(|_, part| part.load_balancer_id != balancer.id);
            self.drop_port(&balancer.vip_port_id);
        }
        self.reap_load_balancer_parts();
    }
}

impl LoadBalancer {
    /// `PENDING_CREATE`, `PENDING_UPDATE`, `PENDING_DELETE`, `ACTIVE` or `ERROR`.
    #[must_use]
    pub fn provisioning_status(&self, now: Timestamp) -> &'static str {
        if self.busy_until > now {
            self.busy_with
        } else if self.fails_with.is_some() {
            "ERROR"
        } else {
            "ACTIVE"
        }
    }
}

fn not_found(id: &str) -> ApiFault {
    ApiFault::not_found("Client", format!("load balancer {id} not found."))
}

pub(super) fn immutable(kind: &str, id: &str) -> ApiFault {
    ApiFault::conflict(
        "Client",
        format!("{kind} {id} is immutable and cannot be updated."),
    )
}
