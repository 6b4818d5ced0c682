//! Listeners, pools, members and health monitors: parts of a load balancer.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::{ApiResult, World};
use super::rules;
use crate::sim::api_fault::ApiFault;

/// What kind of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// Takes connections on a port. Its parent is the load balancer.
    Listener,
    /// Servers to hand connections to. Its parent is the load balancer; one that is made for a listener is
    /// that listener's `default_pool_id`.
    Pool,
    /// One of those servers. Its parent is a pool.
    Member,
    /// Looks after their health. Its parent is a pool.
    HealthMonitor,
}

/// A part of a load balancer.
#[derive(Clone, Debug, PartialEq)]
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
    /// The pool or load balancer it hangs on.
    pub parent_id: String,
    /// The rest, such as `protocol`, `protocol_port`, `address`.
    pub settings: Map<String, Value>,
    /// Until when it changes.
    pub busy_until: Timestamp,
    /// What it is busy with: `PENDING_CREATE`, `PENDING_UPDATE` or `PENDING_DELETE`.
    pub busy_with: &'static str,
    /// Why it ended in ERROR.
    pub fails_with: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// A part to create.
#[derive(Clone, Debug, PartialEq)]
pub struct PartSpec {
    /// What kind.
    pub kind: PartKind,
    /// Name.
    pub name: String,
    /// The part or load balancer to hang it on.
    pub parent_id: String,
    /// The rest.
    pub settings: Map<String, Value>,
    /// The reason for which it ends in ERROR, from [`World::resource_failure`]; its load balancer does not.
    pub fails_with: Option<String>,
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

    /// What Octavia's API calls one.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Pool => "pool",
            Self::Member => "member",
            Self::HealthMonitor => "healthmonitor",
        }
    }
}

impl World {
    /// Hangs a part on a load balancer, which is busy until the part is there.
    ///
    /// # Errors
    /// 404 for a parent that is not there; `ImmutableObject` (409) unless the load balancer is ACTIVE; 409 for
    /// a second listener on a port, default pool of a listener, member at an address or monitor of a pool;
    /// 400 for settings that do not go together.
    pub fn create_load_balancer_part(&mut self, project: &str, spec: PartSpec) -> ApiResult<Part> {
        let (load_balancer_id, listener) = self.place(&spec)?;
        self.check_mutable(&load_balancer_id)?;
        rules::check(self, &load_balancer_id, listener.as_deref(), &spec)?;
        let id = self.insert_part(project, load_balancer_id, spec);
        if let Some(listener) = listener.and_then(|id| self.load_balancing.parts.get_mut(&id)) {
            listener
                .settings
                .insert("default_pool_id".to_owned(), Value::from(id.clone()));
        }
        self.find_load_balancer_part(&id).cloned()
    }

    fn insert_part(&mut self, project: &str, load_balancer_id: String, spec: PartSpec) -> String {
        let part = Part {
            id: self.new_uuid(),
            kind: spec.kind,
            parent_id: if spec.kind == PartKind::Pool {
                load_balancer_id.clone()
            } else {
                spec.parent_id
            },
            name: spec.name,
            project_id: project.to_owned(),
            load_balancer_id,
            settings: spec.settings,
            busy_until: self.now(),
            busy_with: "PENDING_CREATE",
            fails_with: spec.fails_with,
            created_at: self.now(),
        };
        let id = part.id.clone();
        self.load_balancing.parts.insert(id.clone(), part);
        self.keep_busy(&id, "PENDING_CREATE");
        id
    }

    /// Makes the members of a pool those of `specs`: at other addresses they go, at the same they change.
    ///
    /// # Errors
    /// As [`World::create_load_balancer_part`].
    pub fn set_pool_members(&mut self, project: &str, pool: &str, specs: Vec<PartSpec>) -> ApiResult<()> {
        let pool = self.find_load_balancer_part(pool)?.clone();
        self.check_mutable(&pool.load_balancer_id)?;
        let place = |settings: &Map<String, Value>| {
            (
                settings.get("address").cloned(),
                settings.get("protocol_port").cloned(),
            )
        };
        let members = self
            .load_balancing
            .parts()
            .filter(|part| part.parent_id == pool.id);
        let mut former: Vec<(String, _)> = members
            .filter(|part| part.kind == PartKind::Member)
            .map(|part| (part.id.clone(), place(&part.settings)))
            .collect();
        for spec in specs {
            match former.iter().position(|(_, at)| *at == place(&spec.settings)) {
                Some(index) => {
                    let (id, _) = former.swap_remove(index);
                    if let Some(part) = self.load_balancing.parts.get_mut(&id) {
                        part.settings.extend(spec.settings);
                    }
                }
                None => {
                    rules::check(self, &pool.load_balancer_id, None, &spec)?;
                    self.insert_part(project, pool.load_balancer_id.clone(), spec);
                }
            }
        }
        for (id, _) in former {
            self.drop_part(&id);
        }
        self.keep_busy(&pool.id, "PENDING_UPDATE");
        Ok(())
    }

    /// The load balancer that a part is to be on, and the listener whose default pool it is to be.
    fn place(&self, spec: &PartSpec) -> ApiResult<(String, Option<String>)> {
        let parent = self.load_balancing.parts.get(&spec.parent_id);
        match (spec.kind, parent) {
            (PartKind::Pool, Some(listener)) if listener.kind == PartKind::Listener => {
                Ok((listener.load_balancer_id.clone(), Some(listener.id.clone())))
            }
            (PartKind::Member | PartKind::HealthMonitor, Some(pool)) if pool.kind == PartKind::Pool => {
                Ok((pool.load_balancer_id.clone(), None))
            }
            (PartKind::Member | PartKind::HealthMonitor, _) => Err(ApiFault::not_found(
                "Client",
                format!("pool {} not found.", spec.parent_id),
            )),
            _ => Ok((self.find_load_balancer(&spec.parent_id)?.id.clone(), None)),
        }
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

    /// The identifier of a project's part given by name or identifier.
    ///
    /// # Errors
    /// 404.
    pub fn resolve_load_balancer_part(
        &self,
        project: &str,
        kind: PartKind,
        name_or_id: &str,
    ) -> ApiResult<String> {
        self.load_balancing
            .parts()
            .filter(|part| part.kind == kind && part.project_id == project)
            .find(|part| part.id == name_or_id || part.name == name_or_id)
            .map(|part| part.id.clone())
            .ok_or_else(|| ApiFault::not_found("Client", format!("{name_or_id} not found")))
    }

    /// Changes settings of a part, and its name if `name` is given; its load balancer is busy for a while.
    ///
    /// # Errors
    /// 404; `ImmutableObject` (409) unless the load balancer is ACTIVE.
    pub fn update_load_balancer_part(
        &mut self,
        id: &str,
        name: Option<String>,
        settings: Map<String, Value>,
        fails_with: Option<String>,
    ) -> ApiResult<Part> {
        let load_balancer_id = self.find_load_balancer_part(id)?.load_balancer_id.clone();
        self.check_mutable(&load_balancer_id)?;
        if let Some(part) = self.load_balancing.parts.get_mut(id) {
            part.settings.extend(settings);
            part.settings.retain(|_, value| !value.is_null());
            part.name = name.unwrap_or_else(|| part.name.clone());
            part.fails_with = fails_with;
        }
        self.keep_busy(id, "PENDING_UPDATE");
        self.find_load_balancer_part(id).cloned()
    }

    /// Starts to take a part, and what hangs on it, off its load balancer, which is busy meanwhile.
    ///
    /// # Errors
    /// 404; `ImmutableObject` (409) unless the load balancer is ACTIVE.
    pub fn delete_load_balancer_part(&mut self, id: &str) -> ApiResult<()> {
        let load_balancer_id = self.find_load_balancer_part(id)?.load_balancer_id.clone();
        self.check_mutable(&load_balancer_id)?;
        self.keep_busy(id, "PENDING_DELETE");
        self.reap_load_balancer_parts();
        Ok(())
    }

    /// Removes parts whose deletion is done.
    pub(super) fn reap_load_balancer_parts(&mut self) {
        let now = self.now();
        let gone: Vec<String> = self
            .load_balancing
            .parts()
            .filter(|part| part.busy_with == "PENDING_DELETE" && part.busy_until <= now)
            .map(|part| part.id.clone())
            .collect();
        for id in gone {
            self.drop_part(&id);
        }
    }

    fn drop_part(&mut self, id: &str) {
        let parts = &mut self.load_balancing.parts;
        // A pool outlives its listener; members and monitors do not outlive their pool.
        parts.retain(|_, part| part.id != id && part.parent_id != id);
        for listener in parts.values_mut() {
            if listener.settings.get("default_pool_id").and_then(Value::as_str) == Some(id) {
                listener.settings.remove("default_pool_id");
            }
        }
    }

    fn keep_busy(&mut self, id: &str, with: &'static str) {
        let Some(part) = self.load_balancing.parts.get(id) else {
            return;
        };
        let (kind, name, load_balancer_id) = (part.kind, part.name.clone(), part.load_balancer_id.clone());
        let until = self.ready_at(kind.resource_type(), &name);
        if let Some(part) = self.load_balancing.parts.get_mut(id) {
            part.busy_until = until;
            part.busy_with = with;
        }
        if let Some(balancer) = self.load_balancing.balancers.get_mut(&load_balancer_id) {
            balancer.busy_until = until;
            balancer.busy_with = "PENDING_UPDATE";
        }
    }
}

impl Part {
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

    /// A setting that is text.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).and_then(Value::as_str)
    }
}
