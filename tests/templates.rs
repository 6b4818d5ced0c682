//! Rules of cluster templates: each attribute's default and limits, and who sees them.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::collections::BTreeSet;

use magnum::*;
use serde_json::{Value, json};
use support::scene::Scene;

/// What makes it wrong.
type Change = fn(&mut TemplateSpec);

fn kubernetes() -> TemplateSpec {
    TemplateSpec::new("kubernetes", "fedora-atomic", "public")
        .with_keypair("testkey")
        .with_name("small")
}

fn fields(error: &Error) -> BTreeSet<String> {
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
    error.problems().iter().map(|p| p.field.clone()).collect()
}

async fn refused(scene: &Scene, spec: TemplateSpec) -> BTreeSet<String> {
    let error = scene.magnum.create_template(&scene.cx, spec).await.unwrap_err();
    fields(&error)
}

fn admin(scene: &Scene) -> RequestContext {
    scene.cx.clone().with_roles(["admin"])
}

fn stranger(scene: &Scene) -> RequestContext {
    let mut cx = RequestContext::new("eve", "another-project");
    cx.token.clone_from(&scene.cx.token);
    cx
}

#[tokio::test(start_paused = true)]
async fn absent_attributes_have_the_guides_defaults() {
    let scene = Scene::new(1).await;
    let made = scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    let shown = serde_json::to_value(&made.spec).unwrap();
    for (attribute, value) in [
        ("server_type", json!("vm")),
        ("public", json!(false)),
        ("hidden", json!(false)),
        ("network_driver", json!("flannel")),
        ("volume_driver", Value::Null),
        ("dns_nameserver", json!("8.8.8.8")),
        ("flavor_id", json!("m1.small")),
        ("master_flavor_id", json!("m1.small")),
        ("http_proxy", Value::Null),
        ("https_proxy", Value::Null),
        ("no_proxy", Value::Null),
        ("docker_volume_size", json!(25)),
        ("docker_storage_driver", json!("devicemapper")),
        ("labels", json!({})),
        ("tls_disabled", json!(false)),
        ("registry_enabled", json!(false)),
        ("insecure_registry", Value::Null),
        ("master_lb_enabled", json!(true)),
        ("floating_ip_enabled", json!(true)),
        ("fixed_network", Value::Null),
        ("fixed_subnet", Value::Null),
        ("apiserver_port", Value::Null),
        ("tags", Value::Null),
    ] {
        assert_eq!(shown[attribute], value, "{attribute}");
    }
    assert_eq!(made.cluster_distro, "fedora-atomic", "it follows from the image");
}

#[tokio::test(start_paused = true)]
async fn values_beyond_their_limits_are_refused_by_name() {
    let scene = Scene::new(1).await;
    let cases: Vec<(&str, Change)> = vec![
        ("coe", |s| s.coe = "nomad".into()),
        ("image_id", |s| s.image_id = "nowhere".into()),
        ("keypair_id", |s| s.keypair_id = Some("nowhere".into())),
        ("external_network_id", |s| {
            s.external_network_id = "nowhere".into()
        }),
        ("name", |s| s.name = Some(String::new())),
        ("tags", |s| s.tags = Some("a\u{7}b".into())),
        ("network_driver", |s| s.network_driver = Some("calico".into())),
        ("volume_driver", |s| s.volume_driver = Some("rexray".into())),
        ("dns_nameserver", |s| s.dns_nameserver = Some("8.8.8".into())),
        ("flavor_id", |s| s.flavor_id = Some("m1.nowhere".into())),
        ("master_flavor_id", |s| {
            s.master_flavor_id = Some("m1.nowhere".into())
        }),
        ("http_proxy", |s| s.http_proxy = Some("proxy:3128".into())),
        ("https_proxy", |s| s.https_proxy = Some("https://".into())),
        ("no_proxy", |s| s.no_proxy = Some("a b".into())),
        ("docker_volume_size", |s| s.docker_volume_size = Some(0)),
        ("docker_volume_size", |s| s.docker_volume_size = Some(2)),
        ("docker_storage_driver", |s| {
            s.docker_storage_driver = Some("btrfs".into())
        }),
        ("labels.flannel_backend", |s| {
            s.labels.insert("flannel_backend".into(), "tcp".into());
        }),
        ("labels.flanel_backend", |s| {
            s.labels.insert("flanel_backend".into(), "udp".into());
        }),
        ("registry_enabled", |s| s.registry_enabled = true),
        ("fixed_network", |s| s.fixed_network = Some("nowhere".into())),
        ("fixed_subnet", |s| s.fixed_subnet = Some("nowhere".into())),
        ("apiserver_port", |s| s.apiserver_port = Some(1023)),
        ("apiserver_port", |s| s.apiserver_port = Some(2379)),
        ("server_type", |_| {}),
    ];
    for (attribute, change) in cases {
        let mut spec = kubernetes();
        change(&mut spec);
        if attribute == "server_type" {
            let error = TemplateSpec::from_json(&json!({"server_type": "lxc"})).unwrap_err();
            assert_eq!(fields(&error), [attribute.to_owned()].into());
            continue;
        }
        assert_eq!(
            refused(&scene, spec).await,
            [attribute.to_owned()].into(),
            "{attribute}"
        );
    }
    assert_eq!(
        scene
            .magnum
            .list_templates(&scene.cx, ListOptions::default())
            .await
            .unwrap()
            .items,
        []
    );
}

#[tokio::test(start_paused = true)]
async fn the_docker_volume_must_suit_the_storage_driver_in_force() {
    let scene = Scene::new(1).await;
    for (driver, size, fits) in [(None, 2, false), (None, 3, true), (Some("overlay"), 1, true)] {
        let spec = TemplateSpec {
            docker_storage_driver: driver.map(str::to_owned),
            docker_volume_size: Some(size),
            ..kubernetes()
        };
        let made = scene.magnum.create_template(&scene.cx, spec).await;
        assert_eq!(made.is_ok(), fits, "{driver:?} {size}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_driver_has_no_use_for_is_refused_and_never_ignored() {
    let scene = Scene::new(1).await;
    let spec = TemplateSpec {
        apiserver_port: Some(8443),
        docker_volume_size: Some(5),
        ..TemplateSpec::new("docker", "ubuntu", "public").with_keypair("testkey")
    };
    assert_eq!(
        refused(&scene, spec).await,
        ["apiserver_port".to_owned(), "docker_volume_size".to_owned()].into()
    );
}

#[tokio::test(start_paused = true)]
async fn generated_names_do_not_collide_within_a_project() {
    let scene = Scene::new(1).await;
    let mut names = BTreeSet::new();
    for _ in 0..60 {
        let spec = TemplateSpec::new("docker", "ubuntu", "public").with_keypair("testkey");
        let made = scene.magnum.create_template(&scene.cx, spec).await.unwrap();
        assert!(made.name.ends_with("-template"), "{}", made.name);
        assert!(names.insert(made.name.clone()), "{} twice", made.name);
    }
}

#[tokio::test(start_paused = true)]
async fn only_administrators_publish_and_hide() {
    let scene = Scene::new(1).await;
    for spec in [
        TemplateSpec {
            public: true,
            ..kubernetes()
        },
        TemplateSpec {
            hidden: true,
            ..kubernetes()
        },
    ] {
        let error = scene.magnum.create_template(&scene.cx, spec).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden);
    }
    let made = scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    for attribute in ["/public", "/hidden"] {
        let patch = Patch::new().replace(attribute, true);
        let error = scene
            .magnum
            .update_template(&scene.cx, made.id, &patch)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{attribute}");
        scene
            .magnum
            .update_template(&admin(&scene), made.id, &patch)
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn others_see_public_templates_only_and_change_none() {
    let scene = Scene::new(1).await;
    let other = stranger(&scene);
    let made = scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    let error = scene.magnum.template(&other, made.id).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::NotFound,
        "what is another project's does not exist"
    );
    let patch = Patch::new().replace("/public", true);
    scene
        .magnum
        .update_template(&admin(&scene), made.id, &patch)
        .await
        .unwrap();
    assert_eq!(scene.magnum.template(&other, "small").await.unwrap().id, made.id);
    let patch = Patch::new().replace("/name", "mine");
    let error = scene
        .magnum
        .update_template(&other, made.id, &patch)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let error = scene.magnum.delete_template(&other, made.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn an_ambiguous_name_is_refused_and_the_uuid_works() {
    let scene = Scene::new(1).await;
    let first = scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    let error = scene.magnum.template(&scene.cx, "small").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(scene.magnum.template(&scene.cx, first.id).await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_leads_nowhere_is_no_external_network() {
    let scene = Scene::new(1).await;
    support::kubernetes::existing(&scene, &["10.7.0.0/24"]);
    let spec = TemplateSpec {
        external_network_id: "office".into(),
        ..kubernetes()
    };
    let error = scene.magnum.create_template(&scene.cx, spec).await.unwrap_err();
    assert_eq!(fields(&error), ["external_network_id".to_owned()].into());
    assert!(error.to_string().contains("not external"), "{error}");
}
