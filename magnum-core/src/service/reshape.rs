//! What a desired state makes of a cluster.

use crate::model::{Cluster, ClusterSpec, Labels, Pool, PoolRole, effective_labels};

/// Gives the cluster what the desired state says of the attributes of these names.
pub(super) fn reshape(cluster: &mut Cluster, desired: &ClusterSpec, names: &[String]) {
    for name in names {
        let spec = &mut cluster.template;
        match name.as_str() {
            "keypair" => cluster.keypair.clone_from(&desired.keypair),
            "labels" => cluster.template.labels = labels(cluster, desired),
            "flavor_id" => {
                spec.flavor_id.clone_from(&desired.flavor_id);
                set_pool(cluster, PoolRole::Worker, |pool| {
                    pool.flavor_id = desired.flavor_id.clone().unwrap_or_default();
                });
            }
            "master_flavor_id" => {
                spec.master_flavor_id.clone_from(&desired.master_flavor_id);
                set_pool(cluster, PoolRole::Master, |pool| {
                    pool.flavor_id = desired.master_flavor_id.clone().unwrap_or_default();
                });
            }
            "node_count" => set_pool(cluster, PoolRole::Worker, |pool| pool.count = desired.node_count),
            "master_count" => set_pool(cluster, PoolRole::Master, |pool| {
                pool.count = desired.master_count
            }),
            "fixed_network" => spec.fixed_network.clone_from(&desired.fixed_network),
            "fixed_subnet" => spec.fixed_subnet.clone_from(&desired.fixed_subnet),
            "docker_volume_size" => spec.docker_volume_size = desired.docker_volume_size,
            "floating_ip_enabled" => spec.floating_ip_enabled = desired.floating_ip_enabled,
            "master_lb_enabled" => spec.master_lb_enabled = desired.master_lb_enabled,
            "discovery_url" => cluster.discovery_url.clone_from(&desired.discovery_url),
            _ => {}
        }
    }
}

fn set_pool(cluster: &mut Cluster, role: PoolRole, change: impl FnOnce(&mut Pool)) {
    if let Some(pool) = cluster.pool_mut(role) {
        change(pool);
    }
}

/// The labels that a desired state says, over those of the template as it was when the cluster was made.
pub(super) fn labels(cluster: &Cluster, desired: &ClusterSpec) -> Labels {
    effective_labels(
        &cluster.template_labels,
        desired.labels.as_ref(),
        desired.merge_labels,
    )
}
