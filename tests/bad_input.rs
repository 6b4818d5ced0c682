//! Bad input: each a clear, typed error that names the field, and nothing is recorded.
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
use support::scene::{Scene, openstack};

fn spec() -> TemplateSpec {
    TemplateSpec::new("docker", "ubuntu", "public")
        .with_keypair("testkey")
        .with_name("small")
}

async fn refused(spec: TemplateSpec) -> Error {
    let scene = Scene::new(1).await;
    let error = scene.magnum.create_template(&scene.cx, spec).await.unwrap_err();
    assert_eq!(
        scene.store.templates(Query::all()).await.unwrap(),
        [],
        "nothing was recorded"
    );
    error
}

#[tokio::test(start_paused = true)]
async fn a_template_names_what_does_not_exist() {
    for (field, change) in [
        (
            "image_id",
            TemplateSpec {
                image_id: "nowhere".into(),
                ..spec()
            },
        ),
        (
            "external_network_id",
            TemplateSpec {
                external_network_id: "nowhere".into(),
                ..spec()
            },
        ),
        (
            "keypair_id",
            TemplateSpec {
                keypair_id: Some("nowhere".into()),
                ..spec()
            },
        ),
        (
            "flavor_id",
            TemplateSpec {
                flavor_id: Some("nowhere".into()),
                ..spec()
            },
        ),
        (
            "coe",
            TemplateSpec {
                coe: "nowhere".into(),
                ..spec()
            },
        ),
    ] {
        let error = refused(change).await;
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{field}: {error:?}");
        let [problem] = error.problems() else {
            panic!("{field}: {error:?}")
        };
        assert_eq!(
            (problem.field.as_str(), problem.value.as_str()),
            (field, "nowhere")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_must_say_its_os_distro() {
    let error = refused(TemplateSpec {
        image_id: "no-distro".into(),
        ..spec()
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("os_distro"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn everything_the_driver_cannot_do_is_named_at_once() {
    let error = refused(TemplateSpec {
        volume_driver: Some("cinder".into()),
        network_driver: Some("flannel".into()),
        registry_enabled: true,
        master_lb_enabled: Some(true),
        fixed_network: Some("mine".into()),
        ..spec().with_label("flannel_backend", "vxlan")
    })
    .await;
    let fields: Vec<&str> = error.problems().iter().map(|p| p.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "network_driver",
            "volume_driver",
            "registry_enabled",
            "master_lb_enabled",
            "fixed_network",
            "labels.flannel_backend"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_names_every_bad_field() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let bad = |spec: ClusterSpec| async {
        let error = scene
            .magnum
            .create_cluster(&scene.cx, spec, CreateOptions::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
        error
            .problems()
            .iter()
            .map(|p| p.field.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(bad(ClusterSpec::new("nowhere")).await, ["cluster_template"]);
    assert_eq!(
        bad(ClusterSpec::new("small")
            .with_name("1$(id)")
            .with_create_timeout(0))
        .await,
        ["name", "create_timeout"]
    );
    assert_eq!(
        bad(ClusterSpec::new("small").with_node_count(0).with_master_count(3)).await,
        ["node_count", "master_count"]
    );
    assert_eq!(
        scene.store.clusters(Query::all()).await.unwrap(),
        [],
        "nothing was recorded"
    );
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_refused_without_repeating_them() {
    let scene = Scene::new(1).await;
    let clients = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let wrong = magnum::openstack::Credentials::password(
        magnum::openstack::Named::new("demo", magnum::openstack::DomainRef::id("default")),
        "hunter2",
    )
    .in_project(magnum::openstack::Named::new(
        "demo",
        magnum::openstack::DomainRef::id("default"),
    ));
    let error = clients.login(wrong).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(!format!("{error:?} {error}").contains("hunter2"));
}
