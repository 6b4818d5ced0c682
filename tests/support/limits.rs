//! What a project uses of its limits, as its cloud tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use magnum::*;

use super::scene::{Scene, openstack};

/// How much of each resource is used, by its name in problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage(pub BTreeMap<&'static str, i64>);

impl Usage {
    /// What the scene's project uses now.
    pub async fn of(scene: &Scene) -> Self {
        let catalog = clients(scene).catalog();
        let auth = auth(scene);
        let compute = catalog.compute_limits(&auth).await.unwrap();
        let network = catalog.network_limits(&auth).await.unwrap();
        let volume = catalog.volume_limits(&auth).await.unwrap();
        let limits = [
            ("instances", compute.instances),
            ("cores", compute.cores),
            ("ram", compute.ram),
            ("server_groups", compute.server_groups),
            ("networks", network.networks),
            ("subnets", network.subnets),
            ("routers", network.routers),
            ("ports", network.ports),
            ("floating_ips", network.floating_ips),
            ("security_groups", network.security_groups),
            ("security_group_rules", network.security_group_rules),
            ("volumes", volume.volumes),
            ("gigabytes", volume.gigabytes),
        ];
        Self(
            limits
                .into_iter()
                .map(|(name, limit)| (name, limit.used))
                .collect(),
        )
    }

    /// How much more than before.
    pub fn beyond(&self, before: &Self) -> Self {
        let more = self.0.iter().map(|(name, used)| (*name, used - before.0[name]));
        Self(more.collect())
    }
}

/// The name that a resource's service has for its quota.
pub fn at_its_service(resource: &str) -> &str {
    match resource {
        "networks" => "network",
        "subnets" => "subnet",
        "routers" => "router",
        "ports" => "port",
        "floating_ips" => "floatingip",
        "security_groups" => "security_group",
        "security_group_rules" => "security_group_rule",
        same => same,
    }
}

/// What is said to be needed, in the form of what is used.
pub async fn needed(scene: &Scene, needs: &Needs) -> Usage {
    let catalog = clients(scene).catalog();
    let (mut cores, mut ram) = (0, 0);
    for (name, count) in &needs.flavors {
        let flavor = catalog.flavor(&auth(scene), name).await.unwrap();
        cores += flavor.vcpus * count;
        ram += flavor.ram * count;
    }
    let all = [
        ("instances", needs.instances()),
        ("cores", cores),
        ("ram", ram),
        ("server_groups", needs.server_groups),
        ("networks", needs.networks),
        ("subnets", needs.subnets),
        ("routers", needs.routers),
        ("ports", needs.ports),
        ("floating_ips", needs.floating_ips),
        ("security_groups", needs.security_groups),
        ("security_group_rules", needs.security_group_rules),
        ("volumes", needs.volumes),
        ("gigabytes", needs.gigabytes),
    ];
    let all = all.into_iter();
    Usage(
        all.map(|(name, count)| (name, i64::try_from(count).unwrap()))
            .collect(),
    )
}

/// The project's stacks.
pub async fn stacks(scene: &Scene) -> Vec<StackRef> {
    let stacks = clients(scene)
        .orchestrator()
        .list(&auth(scene), None)
        .await
        .unwrap();
    stacks.into_iter().map(|stack| stack.stack).collect()
}

/// The resources of a stack and of those nested in it, as Heat lists them: `stack/name type`.
pub async fn resources(scene: &Scene, stack: &StackRef) -> Vec<String> {
    let heat = clients(scene).orchestrator();
    let resources = heat.resources(&auth(scene), stack, 5).await.unwrap();
    let shown = |r: &StackResource| format!("{}/{} {}", r.stack.name, r.name, r.kind);
    resources.iter().map(shown).collect()
}

fn clients(scene: &Scene) -> magnum::openstack::OpenStack {
    openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()))
}

fn auth(scene: &Scene) -> Auth {
    Auth::Token(scene.cx.token.clone().unwrap())
}
