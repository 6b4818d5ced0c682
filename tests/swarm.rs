//! The guide's Swarm example on the simulated cloud, and what the driver refuses.
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
use support::kubernetes::existing;
use support::lives::{Expected, lives};
use support::scene::Scene;
use support::swarm::guides_template;

const SWARM: Expected = Expected {
    driver: "swarm_fedora_atomic",
    scheme: "tcp://",
    port: ":2376",
    coe_version: Some("1.2.9"),
    container_version: Some("simulated"),
};

#[tokio::test(start_paused = true)]
async fn the_guides_example() {
    lives(guides_template(), &SWARM).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_with_flannel_on_an_existing_network_without_tls() {
    let template = TemplateSpec {
        network_driver: Some("flannel".into()),
        fixed_network: Some("office".into()),
        ..guides_template().without_tls()
    };
    lives(template, &SWARM).await;
}

#[tokio::test(start_paused = true)]
async fn what_would_do_nothing_is_refused() {
    let scene = Scene::new(1).await;
    existing(&scene, &["10.100.7.0/24"]);
    for (template, field) in [
        (
            guides_template().with_label("flannel_backend", "vxlan"),
            "labels.flannel_backend",
        ),
        (
            guides_template().with_label("rexray_preempt", "true"),
            "labels.rexray_preempt",
        ),
        (
            guides_template().with_label("swarm_strategy", "first"),
            "labels.swarm_strategy",
        ),
        (
            guides_template().with_label("swarm_version", "1.2.4"),
            "labels.swarm_version",
        ),
        (
            guides_template().with_label("rexray-preempt", "true"),
            "labels.rexray-preempt",
        ),
        (
            TemplateSpec {
                apiserver_port: Some(2380),
                ..guides_template()
            },
            "apiserver_port",
        ),
        (
            TemplateSpec {
                network_driver: Some("flannel".into()),
                fixed_network: Some("office".into()),
                ..guides_template()
            },
            "fixed_subnet",
        ),
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
