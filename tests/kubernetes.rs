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
use support::kubernetes::{existing, guides_template, on_coreos, on_machines};
use support::lives::{Expected, lives};
use support::scene::Scene;

fn on(driver: &'static str) -> Expected {
    Expected {
        driver,
        scheme: "https://",
        port: ":6443",
        coe_version: Some("v1.15.7"),
        container_version: Some("simulated"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_guides_example() {
    lives(guides_template(), &on("k8s_fedora_atomic")).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_on_coreos() {
    lives(on_coreos(), &on("k8s_coreos")).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_on_machines_of_ironic() {
    lives(on_machines(), &on("k8s_fedora_ironic")).await;
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
