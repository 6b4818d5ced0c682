//! What the drivers say that a cluster takes of its project's limits is what it takes.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::sync::Arc;

use magnum::*;
use support::kubernetes::{existing, guides_template, on_coreos, on_machines};
use support::limits::{Usage, needed};
use support::scene::Scene;

fn docker() -> TemplateSpec {
    TemplateSpec::new("docker", "ubuntu", "public")
        .with_keypair("testkey")
        .with_name("small")
}

fn without_floating_ips(template: TemplateSpec) -> TemplateSpec {
    TemplateSpec {
        floating_ip_enabled: Some(false),
        ..template
    }
}

fn without_balancer(template: TemplateSpec) -> TemplateSpec {
    TemplateSpec {
        master_lb_enabled: Some(false),
        ..template
    }
}

/// A cluster of this template takes what its driver says, and gives all of it back.
async fn takes(scene: &Scene, template: TemplateSpec, masters: u32, nodes: u32) {
    let case = format!("{template:?}, {masters} masters, {nodes} nodes");
    let template = scene.magnum.create_template(&scene.cx, template).await.unwrap();
    let before = Usage::of(scene).await;
    let spec = ClusterSpec::new(template.id.to_string())
        .with_master_count(masters)
        .with_node_count(nodes);
    let id = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap()
        .id;
    scene.settle().await;
    let made = scene.cluster(id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{case}: {:?}",
        made.status_reason
    );
    let driver = driver_of(scene, &made);
    let needs = driver.needs(&made);
    let taken = Usage::of(scene).await.beyond(&before);
    assert_eq!(taken, needed(scene, &needs).await, "{case}");
    let stacks = support::limits::stacks(scene).await;
    assert_eq!((stacks.len() as u64, needs.stacks), (1, 1), "{case}");
    let resources = support::limits::resources(scene, &stacks[0]).await;
    assert_eq!(
        resources.len() as u64,
        needs.stack_resources,
        "{case}: {resources:#?}"
    );
    scene.delete(id).await;
    assert_eq!(Usage::of(scene).await, before, "{case}");
}

fn driver_of(scene: &Scene, cluster: &Cluster) -> Arc<dyn ClusterDriver> {
    let mut drivers = scene.drivers.iter();
    let own = drivers.find(|driver| driver.descriptor().name == cluster.driver.name);
    Arc::clone(own.unwrap())
}

/// A project that has had a network before: Neutron has made its group `default`.
async fn lived_in() -> Scene {
    let scene = Scene::new(1).await;
    support::kubernetes::without_quotas(&scene);
    scene
        .cloud
        .with(|world| world.default_security_group(&scene.cx.project_id));
    scene
}

#[tokio::test(start_paused = true)]
async fn docker_hosts() {
    let scene = lived_in().await;
    takes(&scene, docker(), 1, 1).await;
    takes(&scene, docker(), 1, 3).await;
    takes(&scene, without_floating_ips(docker()), 1, 1).await;
    takes(&scene, without_floating_ips(docker()), 1, 3).await;
    takes(&scene, docker().without_tls(), 1, 1).await;
}

#[tokio::test(start_paused = true)]
async fn kubernetes_with_a_load_balancer() {
    let scene = lived_in().await;
    takes(&scene, guides_template(), 1, 1).await;
    takes(&scene, guides_template(), 3, 2).await;
    takes(&scene, without_floating_ips(guides_template()), 3, 1).await;
    takes(&scene, guides_template().without_tls(), 1, 1).await;
}

#[tokio::test(start_paused = true)]
async fn kubernetes_without_a_load_balancer() {
    let scene = lived_in().await;
    let template = without_balancer(guides_template());
    takes(&scene, template.clone(), 1, 1).await;
    takes(&scene, template.clone(), 3, 2).await;
    takes(&scene, without_floating_ips(template.clone()), 1, 2).await;
    takes(&scene, without_floating_ips(template), 3, 1).await;
}

#[tokio::test(start_paused = true)]
async fn kubernetes_on_an_existing_network() {
    let scene = lived_in().await;
    existing(&scene, &["192.168.9.0/24"]);
    let template = TemplateSpec {
        fixed_network: Some("office".into()),
        ..guides_template()
    };
    takes(&scene, template.clone(), 1, 1).await;
    takes(&scene, without_balancer(template), 3, 2).await;
}

#[tokio::test(start_paused = true)]
async fn masters_and_nodes_of_different_flavors_and_volumes_of_another_size() {
    let scene = lived_in().await;
    let template = TemplateSpec {
        master_flavor_id: Some("m1.medium".into()),
        docker_volume_size: Some(7),
        ..guides_template()
    };
    takes(&scene, template, 1, 2).await;
}

#[tokio::test(start_paused = true)]
async fn kubernetes_on_coreos() {
    let scene = lived_in().await;
    takes(&scene, on_coreos(), 1, 1).await;
    takes(&scene, without_balancer(on_coreos()), 3, 2).await;
}

#[tokio::test(start_paused = true)]
async fn kubernetes_on_machines() {
    let scene = lived_in().await;
    existing(&scene, &["192.168.9.0/24"]);
    takes(&scene, on_machines(), 3, 2).await;
    takes(
        &scene,
        without_floating_ips(without_balancer(on_machines())),
        1,
        1,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn swarm() {
    let scene = lived_in().await;
    let template = support::swarm::guides_template();
    takes(&scene, template.clone(), 1, 1).await;
    takes(&scene, without_balancer(template.clone()), 3, 2).await;
    takes(&scene, without_floating_ips(template), 3, 1).await;
}

#[tokio::test(start_paused = true)]
async fn mesos() {
    let scene = lived_in().await;
    let template = support::mesos::guides_template();
    takes(&scene, template.clone(), 1, 1).await;
    let with_volumes = TemplateSpec {
        docker_volume_size: Some(4),
        ..template.clone()
    };
    takes(&scene, without_balancer(with_volumes), 3, 2).await;
    takes(&scene, without_floating_ips(template), 3, 1).await;
}
