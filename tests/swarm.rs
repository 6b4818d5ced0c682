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

use std::collections::BTreeMap;

use magnum::*;
use support::kubernetes::{existing, without_quotas};
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

/// The names of a cluster's nodes with their servers' ids.
fn nodes(scene: &Scene, cluster: ClusterId) -> BTreeMap<String, String> {
    let id = cluster.to_string();
    scene.cloud.with(|world| {
        let own = world
            .compute
            .servers()
            .filter(|server| server.metadata.get("cluster_uuid") == Some(&id));
        own.filter(|server| server.name.contains("-node-"))
            .map(|server| (server.name.clone(), server.id.clone()))
            .collect()
    })
}

#[tokio::test(start_paused = true)]
async fn nodes_leave_by_name_and_the_version_is_the_labels() {
    let scene = Scene::new(1).await;
    without_quotas(&scene);
    let template = guides_template().with_label("swarm_version", "1.2.6");
    let template = scene.magnum.create_template(&scene.cx, template).await.unwrap();
    let spec = ClusterSpec::new(template.id.to_string()).with_node_count(4);
    let made = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    assert_eq!(
        scene.cluster(made.id).await.unwrap().coe_version.as_deref(),
        Some("1.2.6")
    );
    let before = nodes(&scene, made.id);
    let names: Vec<&String> = before.keys().collect();
    // The first by its server, then the third by its index.
    for (node, left) in [(before[names[0]].as_str(), &[1, 2, 3][..]), ("2", &[1, 3])] {
        let options = UpdateOptions::default().with_remove([node]);
        let count = u32::try_from(left.len()).unwrap();
        scene
            .magnum
            .scale_cluster(&scene.cx, made.id, count, options)
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
        let after = nodes(&scene, made.id);
        let expected = left.iter().map(|&index| names[index].clone());
        let expected: BTreeMap<_, _> = expected
            .map(|name| (name.clone(), before[&name].clone()))
            .collect();
        assert_eq!(after, expected, "without {node}");
    }
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
