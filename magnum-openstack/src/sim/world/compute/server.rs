//! Servers.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::super::{ApiResult, World};
use super::interface::{Interface, NetworkRequest};
use crate::sim::api_fault::ApiFault;

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: String,
    /// Owner.
    pub project_id: String,
    /// Who made it.
    pub user_id: String,
    /// The image it boots; empty if it boots from a volume.
    pub image_id: String,
    /// Its flavor.
    pub flavor_id: String,
    /// The key pair let in.
    pub key_name: Option<String>,
    /// Its network interfaces, in order.
    pub interfaces: Vec<Interface>,
    /// What the guest gets as user data, decoded.
    pub user_data: Option<String>,
    /// Key-value metadata.
    pub metadata: BTreeMap<String, String>,
    /// Whether user data is on a drive, too.
    pub config_drive: bool,
    /// The server group it is in.
    pub server_group: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it is ACTIVE, or ERROR.
    pub active_at: Timestamp,
    /// Why it ends in ERROR.
    pub fails_with: Option<String>,
    /// When it is gone, once somebody deleted it.
    pub gone_at: Option<Timestamp>,
}

/// A server to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerSpec {
    /// Name.
    pub name: String,
    /// Who makes it; key pairs belong to users.
    pub user_id: String,
    /// Identifier of the image; empty to boot from a volume.
    pub image_id: String,
    /// Identifier of the flavor.
    pub flavor_id: String,
    /// Name of a key pair of the user.
    pub key_name: Option<String>,
    /// Where to put it; empty means on the project's only network, if it has one.
    pub networks: Vec<NetworkRequest>,
    /// Identifiers of security groups for the ports that Nova makes; empty means `default`.
    pub security_groups: Vec<String>,
    /// User data, decoded.
    pub user_data: Option<String>,
    /// Key-value metadata.
    pub metadata: BTreeMap<String, String>,
    /// Whether user data is on a drive, too.
    pub config_drive: bool,
    /// The server group it is in.
    pub server_group: Option<String>,
    /// The name under which faults and the time model know it; empty means the server's name.
    pub resource_name: String,
    /// The reason for which it ends in ERROR, from [`World::resource_failure`].
    pub fails_with: Option<String>,
}

impl World {
    /// Creates a server, in BUILD until its time.
    ///
    /// # Errors
    /// With Nova's wording: `TooManyInstances` (403) beyond the quota; 400 for an image, flavor, key pair,
    /// port or network that is not there or too small a flavor; `PortInUse` (409).
    pub fn create_server(&mut self, project: &str, spec: ServerSpec) -> ApiResult<Server> {
        let flavor = self
            .compute
            .flavors
            .get(&spec.flavor_id)
            .cloned()
            .ok_or_else(|| refused(format!("Flavor {} could not be found.", spec.flavor_id)))?;
        if !spec.image_id.is_empty() {
            let image = self
                .images
                .images
                .get(&spec.image_id)
                .ok_or_else(|| refused("Can not find requested image".to_owned()))?;
            if flavor.ram_mib < image.min_ram_mib {
                return Err(refused(
                    "Flavor's memory is too small for requested image.".to_owned(),
                ));
            }
            if flavor.disk_gib < image.min_disk_gib && flavor.disk_gib != 0 {
                return Err(refused(format!(
                    "Flavor's disk is too small for requested image. Flavor disk is {} bytes, minimum size \
                     is {} bytes.",
                    flavor.disk_gib << 30,
                    image.min_disk_gib << 30
                )));
            }
        }
        if let Some(key) = &spec.key_name {
            self.find_keypair(&spec.user_id, key)
                .map_err(|_| refused("Invalid key_name provided.".to_owned()))?;
        }
        let requests = self.complete_requests(project, spec.networks)?;
        self.check_requests(&requests)?;
        self.check_compute_quota(project, &flavor)?;

        let id = self.new_uuid();
        let timed_as = if spec.resource_name.is_empty() {
            &spec.name
        } else {
            &spec.resource_name
        };
        let server = Server {
            active_at: self.ready_at("OS::Nova::Server", timed_as),
            created_at: self.now(),
            id: id.clone(),
            interfaces: Vec::new(),
            name: spec.name,
            project_id: project.to_owned(),
            user_id: spec.user_id,
            image_id: spec.image_id,
            flavor_id: spec.flavor_id,
            key_name: spec.key_name,
            user_data: spec.user_data,
            metadata: spec.metadata,
            config_drive: spec.config_drive,
            server_group: spec.server_group,
            fails_with: spec.fails_with,
            gone_at: None,
        };
        let boots = server.fails_with.is_none();
        let active_at = server.active_at;
        self.compute.servers.insert(id.clone(), server);
        for request in requests {
            self.plug(project, &id, request, &spec.security_groups)?;
        }
        if boots {
            self.schedule_boot(&id, active_at);
        }
        self.find_server(&id).cloned()
    }

    /// A server.
    ///
    /// # Errors
    /// `InstanceNotFound` (404).
    pub fn find_server(&self, id: &str) -> ApiResult<&Server> {
        self.compute
            .servers
            .get(id)
            .filter(|server| server.gone_at.is_none_or(|at| at > self.now()))
            .ok_or_else(|| not_found(id))
    }

    /// Starts to delete a server; [`Server::gone_at`] of the answer says when it is gone. Deleting it again
    /// changes nothing.
    ///
    /// # Errors
    /// `InstanceNotFound` (404).
    pub fn delete_server(&mut self, id: &str) -> ApiResult<Server> {
        let name = self.find_server(id)?.name.clone();
        let gone_at = self.ready_at("server-delete", &name);
        let Some(server) = self.compute.servers.get_mut(id) else {
            return Err(not_found(id));
        };
        server.gone_at.get_or_insert(gone_at);
        let server = server.clone();
        self.reap_servers();
        Ok(server)
    }

    /// The addresses of a server by network name, in the order of its interfaces.
    #[must_use]
    pub fn server_addresses(&self, server: &Server) -> Vec<(String, Ipv4Addr)> {
        server
            .interfaces
            .iter()
            .filter_map(|interface| self.network.ports.get(&interface.port_id))
            .flat_map(|port| {
                let network = self.network.networks.get(&port.network_id);
                let name = network.map(|n| n.name.clone()).unwrap_or_default();
                port.fixed_ips.iter().map(move |ip| (name.clone(), ip.ip_address))
            })
            .collect()
    }

    /// Removes servers whose deletion is done, with the ports that Nova made for them.
    pub(crate) fn reap_servers(&mut self) {
        let now = self.now();
        let gone: Vec<Server> = self
            .compute
            .servers
            .values()
            .filter(|server| server.gone_at.is_some_and(|at| at <= now))
            .cloned()
            .collect();
        for server in gone {
            self.compute.servers.remove(&server.id);
            self.boots.forget(&server.id);
            self.release_volumes(&server.id);
            for interface in server.interfaces {
                if interface.made_by_nova {
                    self.drop_port(&interface.port_id);
                } else if let Some(port) = self.network.ports.get_mut(&interface.port_id) {
                    port.device_id.clear();
                    port.device_owner.clear();
                }
            }
        }
    }
}

impl Server {
    /// `BUILD`, `ACTIVE` or `ERROR`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> &'static str {
        if self.active_at > now {
            "BUILD"
        } else if self.fails_with.is_some() {
            "ERROR"
        } else {
            "ACTIVE"
        }
    }

    /// What Nova is doing with it, if anything.
    #[must_use]
    pub fn task_state(&self, now: Timestamp) -> Option<&'static str> {
        if self.gone_at.is_some() {
            Some("deleting")
        } else if self.active_at > now {
            Some("spawning")
        } else {
            None
        }
    }
}

pub(super) fn refused(message: String) -> ApiFault {
    ApiFault::bad_request("BadRequest", message)
}

pub(super) fn not_found(id: &str) -> ApiFault {
    ApiFault::not_found("InstanceNotFound", format!("Instance {id} could not be found."))
}
