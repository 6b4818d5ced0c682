//! What goes together in a cluster of Swarm and what does not.

use magnum_core::{Cluster, PoolRole};

use crate::support::stacks::*;

fn problems(change: impl FnOnce(&mut Cluster)) -> Vec<(String, String)> {
    let mut cluster = cluster_of(SWARM);
    change(&mut cluster);
    let found = driver_named(SWARM).validate(&cluster.template, Some(&cluster));
    found.into_iter().map(|p| (p.field, p.message)).collect()
}

#[track_caller]
fn refused(field: &str, message: &str, change: impl FnOnce(&mut Cluster)) {
    let found = problems(change);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, field);
    assert!(found[0].1.contains(message), "{found:?}");
}

#[track_caller]
fn taken(change: impl FnOnce(&mut Cluster)) {
    assert_eq!(problems(change), []);
}

fn flannel(cluster: &mut Cluster) {
    cluster.template.network_driver = Some("flannel".into());
}

fn nodes(cluster: &mut Cluster, count: u32) {
    cluster.pool_mut(PoolRole::Worker).unwrap().count = count;
}

#[test]
fn volumes_have_room_for_the_storage_driver() {
    let with = |driver: &'static str, size| {
        move |c: &mut Cluster| {
            c.template.docker_storage_driver = Some(driver.into());
            c.template.docker_volume_size = Some(size);
        }
    };
    refused(
        "docker_volume_size",
        "devicemapper needs 3 GB",
        with("devicemapper", 2),
    );
    taken(with("devicemapper", 3));
    taken(with("overlay", 1));
}

#[test]
fn there_is_room_for_all_nodes() {
    let office = |c: &mut Cluster| c.template.fixed_network = Some("office".into());
    refused("node_count", "1 to 1000", |c| nodes(c, 0));
    refused("node_count", "1 to 1000", |c| {
        office(c);
        nodes(c, 1001);
    });
    refused("node_count", "room for 240 servers", |c| nodes(c, 240));
    taken(|c| {
        office(c);
        nodes(c, 1000);
    });
    // Managers have no part of flannel's network.
    let small = |c: &mut Cluster| {
        flannel(c);
        masters(c, 3);
        label(c, "flannel_network_cidr", "10.100.0.0/22");
    };
    taken(|c| {
        small(c);
        nodes(c, 4);
    });
    refused("node_count", "for 4 servers only", |c| {
        small(c);
        nodes(c, 5);
    });
}

#[test]
fn flannels_network_is_beside_the_clusters() {
    refused("labels.flannel_network_cidr", "10.0.0.0/24", |c| {
        flannel(c);
        label(c, "flannel_network_cidr", "10.0.0.0/16");
    });
    let overlapping = |network: &str| {
        let mut cluster = cluster_of(SWARM);
        cluster.template.network_driver = Some(network.into());
        let definition = driver_named(SWARM).definition();
        let found = definition.subnet_problems(&cluster.template, "10.100.3.0/24".parse().unwrap());
        found.into_iter().map(|p| p.field).collect::<Vec<_>>()
    };
    assert_eq!(overlapping("flannel"), ["fixed_subnet"]);
    assert!(overlapping("docker").is_empty());
}

#[test]
fn a_trust_is_on_nodes_where_a_volume_driver_or_a_registry_needs_it() {
    let driver = driver_named(SWARM);
    let mut spec = cluster_of(SWARM).template;
    assert_eq!(driver.trust_on_nodes(&spec), None);
    spec.registry_enabled = true;
    assert_eq!(driver.trust_on_nodes(&spec), Some("registry_enabled"));
    spec.volume_driver = Some("rexray".into());
    assert_eq!(driver.trust_on_nodes(&spec), Some("volume_driver"));
    spec.registry_enabled = false;
    assert_eq!(driver.trust_on_nodes(&spec), Some("volume_driver"));
}
