//! What the project has in the cloud, asked of the services themselves.

use std::collections::BTreeSet;

use magnum::openstack::{Call, OpenStack, Service};
use magnum::{Auth, ErrorKind, Result};
use serde_json::Value;

/// Things of a project, as `kind name (id)`.
#[derive(Debug, Default)]
pub struct Inventory(BTreeSet<String>);

const LISTS: [(Service, &str, &str); 9] = [
    (Service::ORCHESTRATION, "/stacks", "stacks"),
    (Service::COMPUTE, "/servers", "servers"),
    (Service::NETWORK, "/ports", "ports"),
    (Service::NETWORK, "/networks", "networks"),
    (Service::NETWORK, "/routers", "routers"),
    (Service::NETWORK, "/floatingips", "floatingips"),
    (Service::NETWORK, "/security-groups", "security_groups"),
    (Service::BLOCK_STORAGE, "/volumes", "volumes"),
    (Service::LOAD_BALANCER, "/lbaas/loadbalancers", "loadbalancers"),
];

/// Lists everything that a cluster may leave behind.
pub async fn take(openstack: &OpenStack, auth: &Auth) -> Result<Inventory> {
    let mut found = BTreeSet::new();
    for (service, path, kind) in LISTS {
        let answer: Value = match openstack.call(auth, &Call::get(service, "inventory", path)).await {
            Ok(answer) => answer.json()?,
            // A cloud without this service, or that keeps it from us, has nothing of ours there.
            Err(error) if matches!(error.kind(), ErrorKind::Configuration | ErrorKind::Forbidden) => continue,
            Err(error) => return Err(error),
        };
        for item in answer.get(kind).and_then(Value::as_array).into_iter().flatten() {
            let text = |field: &str| item.get(field).and_then(Value::as_str).unwrap_or_default();
            let name = if kind == "stacks" {
                text("stack_name")
            } else {
                text("name")
            };
            found.insert(format!("{kind} {name} ({})", text("id")));
        }
    }
    Ok(Inventory(found))
}

impl Inventory {
    /// What is here and was not there.
    pub fn beyond(self, before: &Self) -> Self {
        // Neutron makes a project's default security group when it is first asked for one.
        let new =
            |thing: &String| !before.0.contains(thing) && !thing.starts_with("security_groups default ");
        Self(self.0.into_iter().filter(new).collect())
    }

    /// How many things.
    pub fn total(&self) -> usize {
        self.0.len()
    }

    /// The things by name, if there are any.
    pub fn named(&self) -> String {
        self.0.iter().map(|thing| format!("\n  {thing}")).collect()
    }
}
