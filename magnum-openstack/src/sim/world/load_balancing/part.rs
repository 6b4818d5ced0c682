//! Listeners, pools, members and health monitors: parts of a load balancer.

use std::collections::BTreeMap;

use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// What kind of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// Takes connections on a port. Its parent is the load balancer.
    Listener,
    /// Servers to hand connections to. Its parent is a listener or the load balancer.
    Pool,
    /// One of those servers. Its parent is a pool.
    Member,
    /// Looks after their health. Its parent is a pool.
    HealthMonitor,
}

/// A part of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Identifier.
    pub id: String,
    /// What kind.
    pub kind: PartKind,
    /// Name.
    pub name: String,
    /// Owner.
    pub project_id: String,
    /// The load balancer it is of.
    pub load_balancer_id: String,
    /// The part or load balancer it hangs on.
    pub parent_id: String,
    /// The rest, such as `protocol`, `protocol_port`, `address`.
    pub settings: BTreeMap<String, String>,
}

/// A part to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSpec {
    /// What kind.
    pub kind: PartKind,
    /// Name.
    pub name: String,
    /// The part or load balancer to hang it on.
    pub parent_id: String,
    /// The rest.
    pub settings: BTreeMap<String, String>,
}

impl PartKind {
    /// Heat's type of it, by which the time model knows it.
    #[must_use]
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::Listener => "OS::Octavia::Listener",
            Self::Pool => "OS::Octavia::Pool",
            Self::Member => "OS::Octavia::PoolMember",
            Self::HealthMonitor => "OS::Octavia::HealthMonitor",
        }
    }
}

impl World {
    /// Hangs a part on a load balancer, which is busy until the part is there.
    ///
    /// # Errors
    /// 404 for a parent that is not there; `ImmutableObject` (409) while the load balancer changes; 409 for
    /// a second listener on a port.
    pub fn create_load_balancer_part(&mut self, project: &str, spec: PartSpec) -> ApiResult<Part> {
        let load_balancer_id = match self.load_balancing.parts.get(&spec.parent_id) {
            Some(parent) => parent.load_balancer_id.clone(),
            None => self.find_load_balancer(&spec.parent_id)?.id.clone(),
        };
        self.check_mutable(&load_balancer_id)?;
        let port = spec.settings.get("protocol_port");
        let taken = spec.kind == PartKind::Listener
            && self.load_balancing.parts.values().any(|other| {
                other.kind == PartKind::Listener
                    && other.load_balancer_id == load_balancer_id
                    && other.settings.get("protocol_port") == port
            });
        if taken {
            return Err(ApiFault::conflict(
                "Client",
                format!(
                    "Another Listener on this Load Balancer is already using protocol_port {}",
                    port.map(String::as_str).unwrap_or_default()
                ),
            ));
        }
        let part = Part {
            id: self.new_uuid(),
            kind: spec.kind,
            name: spec.name,
            project_id: project.to_owned(),
            load_balancer_id,
            parent_id: spec.parent_id,
            settings: spec.settings,
        };
        self.keep_busy(&part);
        self.load_balancing.parts.insert(part.id.clone(), part.clone());
        Ok(part)
    }

    /// A part of a load balancer.
    ///
    /// # Errors
    /// 404.
    pub fn find_load_balancer_part(&self, id: &str) -> ApiResult<&Part> {
        self.load_balancing
            .parts
            .get(id)
            .ok_or_else(|| ApiFault::not_found("Client", format!("{id} not found.")))
    }

    /// Takes a part, and what hangs on it, off its load balancer, which is busy for a while.
    ///
    /// # Errors
    /// 404; `ImmutableObject` (409) while the load balancer changes.
    pub fn delete_load_balancer_part(&mut self, id: &str) -> ApiResult<()> {
        let part = self.find_load_balancer_part(id)?.clone();
        self.check_mutable(&part.load_balancer_id)?;
        self.drop_part(id);
        self.keep_busy(&part);
        Ok(())
    }

    fn drop_part(&mut self, id: &str) {
        let Some(part) = self.load_balancing.parts.remove(id) else {
            return;
        };
        // A pool outlives its listener; members and monitors do not outlive their pool.
        let children: Vec<String> = self
            .load_balancing
            .parts
            .values()
            .filter(|child| child.parent_id == id && child.kind != PartKind::Pool)
            .map(|child| child.id.clone())
            .collect();
        for child in children {
            self.drop_part(&child);
        }
        for child in self
            .load_balancing
            .parts
            .values_mut()
            .filter(|child| child.parent_id == id)
        {
            child.parent_id.clone_from(&part.load_balancer_id);
        }
    }

    fn keep_busy(&mut self, part: &Part) {
        let until = self.ready_at(part.kind.resource_type(), &part.name);
        if let Some(balancer) = self.load_balancing.balancers.get_mut(&part.load_balancer_id) {
            balancer.busy_until = until;
            balancer.busy_with = "PENDING_UPDATE";
        }
    }
}
