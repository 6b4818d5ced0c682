//! What is left when everything should be gone.

use std::fmt;

use super::world::World;
use super::world::identity::Target;

/// Everything of a project that a cluster may leave behind, by name or identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Stacks that are not deleted.
    pub stacks: Vec<String>,
    /// Servers, those being deleted included.
    pub servers: Vec<String>,
    /// Ports, those of routers included.
    pub ports: Vec<String>,
    /// Networks.
    pub networks: Vec<String>,
    /// Subnets.
    pub subnets: Vec<String>,
    /// Routers.
    pub routers: Vec<String>,
    /// Security groups other than `default`.
    pub security_groups: Vec<String>,
    /// Floating IPs.
    pub floating_ips: Vec<String>,
    /// Volumes.
    pub volumes: Vec<String>,
    /// Load balancers, those being deleted included.
    pub load_balancers: Vec<String>,
    /// Secrets.
    pub secrets: Vec<String>,
    /// Containers of secrets.
    pub containers: Vec<String>,
    /// Users of domain `magnum` other than its administrators: the trustees of all projects.
    pub trustees: Vec<String>,
    /// Trusts for the project.
    pub trusts: Vec<String>,
}

impl Leftovers {
    /// Counts what a project has.
    #[must_use]
    pub fn count(world: &World, project: &str) -> Self {
        let named = |name: &str, id: &str| {
            if name.is_empty() {
                id.to_owned()
            } else {
                name.to_owned()
            }
        };
        let network = &world.network;
        let magnum = world
            .domain_by_name("magnum")
            .map(|d| d.id.clone())
            .unwrap_or_default();
        let administers = |user: &str| {
            world
                .effective_roles(user, &Target::Domain(magnum.clone()))
                .iter()
                .next()
                .is_some()
        };
        Self {
            stacks: world.heat.stacks_of(project),
            servers: list(world.compute.servers().filter(|x| x.project_id == project), |x| {
                named(&x.name, &x.id)
            }),
            ports: list(network.ports().filter(|x| x.project_id == project), |x| {
                named(&x.name, &x.id)
            }),
            networks: list(network.networks().filter(|x| x.project_id == project), |x| {
                named(&x.name, &x.id)
            }),
            subnets: list(network.subnets().filter(|x| x.project_id == project), |x| {
                named(&x.name, &x.id)
            }),
            routers: list(network.routers().filter(|x| x.project_id == project), |x| {
                named(&x.name, &x.id)
            }),
            security_groups: list(
                network
                    .security_groups()
                    .filter(|x| x.project_id == project && x.name != "default"),
                |x| named(&x.name, &x.id),
            ),
            floating_ips: list(network.floating_ips().filter(|x| x.project_id == project), |x| {
                x.floating_ip_address.to_string()
            }),
            volumes: list(world.volumes.volumes().filter(|x| x.project_id == project), |x| {
                named(&x.name, &x.id)
            }),
            load_balancers: list(
                world
                    .load_balancing
                    .balancers()
                    .filter(|x| x.project_id == project),
                |x| named(&x.name, &x.id),
            ),
            secrets: list(
                world.key_manager.secrets().filter(|x| x.project_id == project),
                |x| named(x.name.as_deref().unwrap_or_default(), &x.id),
            ),
            containers: list(
                world.key_manager.containers().filter(|x| x.project_id == project),
                |x| named(x.name.as_deref().unwrap_or_default(), &x.id),
            ),
            trustees: list(
                world
                    .identity
                    .users()
                    .filter(|x| x.domain_id == magnum && !administers(&x.id)),
                |x| named(&x.name, &x.id),
            ),
            trusts: list(
                world
                    .identity
                    .trusts()
                    .filter(|x| x.project_id.as_deref() == Some(project)),
                |x| x.id.clone(),
            ),
        }
    }

    /// How many things are left.
    #[must_use]
    pub fn total(&self) -> usize {
        self.kinds().iter().map(|(_, names)| names.len()).sum()
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    fn kinds(&self) -> [(&'static str, &[String]); 14] {
        [
            ("stacks", &self.stacks),
            ("servers", &self.servers),
            ("ports", &self.ports),
            ("networks", &self.networks),
            ("subnets", &self.subnets),
            ("routers", &self.routers),
            ("security groups", &self.security_groups),
            ("floating IPs", &self.floating_ips),
            ("volumes", &self.volumes),
            ("load balancers", &self.load_balancers),
            ("secrets", &self.secrets),
            ("containers", &self.containers),
            ("trustees", &self.trustees),
            ("trusts", &self.trusts),
        ]
    }
}

impl fmt::Display for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        let parts: Vec<String> = self
            .kinds()
            .iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(kind, names)| format!("{} {kind} ({})", names.len(), names.join(", ")))
            .collect();
        f.write_str(&parts.join("; "))
    }
}

fn list<T>(items: impl Iterator<Item = T>, name: impl Fn(T) -> String) -> Vec<String> {
    items.map(name).collect()
}
