//! The guide's Kubernetes example on the simulated cloud, on each distribution: three masters, eight nodes, scale to two,
//! delete.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use magnum::*;
use support::kubernetes::{existing, guides_template, on_coreos, on_machines, without_quotas};
use support::scene::Scene;

#[tokio::test(start_paused = true)]
async fn the_guides_example() {
    lives(guides_template(), "k8s_fedora_atomic").await;
}

#[tokio::test(start_paused = true)]
async fn the_same_on_coreos() {
    lives(on_coreos(), "k8s_coreos").await;
}

#[tokio::test(start_paused = true)]
async fn the_same_on_machines_of_ironic() {
    lives(on_machines(), "k8s_fedora_ironic").await;
}

async fn lives(template: TemplateSpec, driver: &str) {
    let scene = Scene::new(1).await;
    without_quotas(&scene);
    existing(&scene, &["192.168.9.0/24"]);
    let before = scene.leftovers().total();
    let template = scene.magnum.create_template(&scene.cx, template).await.unwrap();
    let spec = ClusterSpec::new(template.id.to_string())
        .with_name("k8s-cluster")
        .with_master_count(3)
        .with_node_count(8);
    let accepted = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let made = scene.cluster(accepted.id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?} {:?}",
        made.status_reason,
        made.fault
    );
    assert_eq!(made.driver.name, driver);
    assert_eq!(made.master_addresses().len(), 3);
    assert_eq!(made.node_addresses().len(), 8);
    let address = made.api_address.clone().unwrap();
    assert!(
        address.starts_with("https://172.") && address.ends_with(":6443"),
        "{address}"
    );
    assert_eq!(made.coe_version.as_deref(), Some("v1.15.7"));
    assert_eq!(made.container_version.as_deref(), Some("simulated"));

    scene
        .magnum
        .scale_cluster(&scene.cx, made.id, 2, UpdateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let shrunk = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        shrunk.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        shrunk.status_reason
    );
    assert_eq!(shrunk.node_addresses(), made.node_addresses()[..2]);
    assert_eq!(shrunk.master_addresses(), made.master_addresses());

    scene.delete(made.id).await;
    assert_eq!(scene.cluster(made.id).await, None);
    assert_eq!(scene.leftovers().total(), before, "{}", scene.leftovers());
}

/// What a driver cannot do is refused by name, before anything is made.
#[tokio::test(start_paused = true)]
async fn what_a_distribution_cannot_do_is_refused() {
    let scene = Scene::new(1).await;
    existing(&scene, &["192.168.9.0/24"]);
    let without_network = TemplateSpec {
        fixed_network: None,
        ..on_machines()
    };
    let with_volume = |template: TemplateSpec| TemplateSpec {
        docker_volume_size: Some(5),
        ..template
    };
    let with_storage = TemplateSpec {
        docker_storage_driver: Some("overlay".into()),
        ..on_coreos()
    };
    for (template, field) in [
        (without_network, "fixed_network"),
        (with_volume(on_machines()), "docker_volume_size"),
        (with_volume(on_coreos()), "docker_volume_size"),
        (with_storage, "docker_storage_driver"),
    ] {
        let error = scene
            .magnum
            .create_template(&scene.cx, template)
            .await
            .unwrap_err();
        let fields: Vec<&str> = error.problems().iter().map(|p| p.field.as_str()).collect();
        assert_eq!(fields, [field], "{error}");
    }
}
