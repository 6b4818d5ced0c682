//! The guide's Mesos examples on the simulated cloud, and what the driver refuses.
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
use support::lives::{Expected, lives};
use support::mesos::guides_template;
use support::scene::Scene;

const MESOS: Expected = Expected {
    driver: "mesos_ubuntu",
    scheme: "",
    port: "",
    coe_version: Some("simulated"),
    container_version: Some("simulated"),
};

#[tokio::test(start_paused = true)]
async fn the_guides_example() {
    lives(guides_template(), &MESOS).await;
}

/// The guide's example with volumes of Cinder, but for the label's name, which it writes with a dash.
#[tokio::test(start_paused = true)]
async fn the_guides_example_with_cinder() {
    let template = TemplateSpec {
        docker_volume_size: Some(4),
        volume_driver: Some("rexray".into()),
        ..guides_template()
            .without_tls()
            .with_label("rexray_preempt", "true")
    };
    lives(template, &MESOS).await;
}

/// Nobody can ask for TLS of a COE that has none, and the answer says so.
#[tokio::test(start_paused = true)]
async fn tls_is_shown_as_disabled() {
    let scene = Scene::new(1).await;
    let template = scene
        .magnum
        .create_template(&scene.cx, guides_template())
        .await
        .unwrap();
    assert!(template.spec.tls_disabled);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_told_that_there_is_nothing_to_configure() {
    let scene = Scene::new(1).await;
    let template = scene
        .magnum
        .create_template(&scene.cx, guides_template())
        .await
        .unwrap();
    let spec = ClusterSpec::new(template.id.to_string());
    let cluster = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let made = scene.cluster(cluster.id).await.unwrap();
    let error = magnum::drivers::mesos_ubuntu()
        .client_config(&made, None)
        .unwrap_err();
    let address = made.api_address.unwrap();
    assert!(
        error
            .to_string()
            .contains(&format!("Marathon at http://{address}:8080")),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_does_not_go_together_is_refused_by_name() {
    let scene = Scene::new(1).await;
    for (template, field) in [
        (
            guides_template().with_label("rexray-preempt", "true"),
            "labels.rexray-preempt",
        ),
        (
            guides_template().with_label("rexray_preempt", "true"),
            "labels.rexray_preempt",
        ),
        (
            guides_template().with_label("mesos_slave_isolation", "filesystem/other"),
            "labels.mesos_slave_isolation",
        ),
        (
            guides_template().with_label("mesos_slave_image_providers", "appc"),
            "labels.mesos_slave_image_providers",
        ),
        (
            guides_template()
                .with_label("mesos_slave_image_providers", "appc,docker")
                .with_label("mesos_slave_isolation", "posix/cpu"),
            "labels.mesos_slave_image_providers",
        ),
        (
            guides_template().with_label("mesos_slave_work_dir", "tmp/mesos"),
            "labels.mesos_slave_work_dir",
        ),
        (
            guides_template().with_label("mesos_slave_executor_env_variables", "PATH=/bin"),
            "labels.mesos_slave_executor_env_variables",
        ),
        (
            guides_template().with_label("mesos_slave_executor_env_variables", r#"{"PATH": 1}"#),
            "labels.mesos_slave_executor_env_variables",
        ),
        (
            TemplateSpec {
                docker_storage_driver: Some("overlay".into()),
                ..guides_template()
            },
            "docker_storage_driver",
        ),
        (
            TemplateSpec {
                network_driver: Some("flannel".into()),
                ..guides_template()
            },
            "network_driver",
        ),
        (
            TemplateSpec {
                insecure_registry: Some("registry.example:5000".into()),
                ..guides_template()
            },
            "insecure_registry",
        ),
        (
            TemplateSpec {
                registry_enabled: true,
                ..guides_template()
            },
            "registry_enabled",
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
