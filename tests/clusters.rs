//! Rules of clusters' attributes: defaults, limits, what comes from the template, and what is frozen.
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
use std::sync::Arc;

use magnum::openstack::{Call, Service};
use magnum::*;
use serde_json::json;
use support::scene::{Scene, demo, openstack};

/// What makes it wrong.
type Change = fn(&mut ClusterSpec);

fn kubernetes() -> TemplateSpec {
    TemplateSpec::new("kubernetes", "fedora-atomic", "public")
        .with_keypair("testkey")
        .with_name("small")
        .with_label("flannel_backend", "vxlan")
        .with_label("kube_tag", "v1.15.7")
}

async fn scene() -> Scene {
    let scene = Scene::new(1).await;
    support::kubernetes::without_quotas(&scene);
    scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    scene
}

async fn make(scene: &Scene, spec: ClusterSpec) -> Result<Cluster> {
    scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
}

fn named() -> ClusterSpec {
    ClusterSpec::new("small").with_name("mycluster")
}

#[tokio::test(start_paused = true)]
async fn absent_attributes_have_the_guides_defaults_or_the_templates_values() {
    let scene = scene().await;
    let made = make(&scene, ClusterSpec::new("small")).await.unwrap();
    assert!(made.name.ends_with("-cluster"), "{}", made.name);
    assert_eq!((made.node_count(), made.master_count()), (1, 1));
    assert_eq!(
        (made.create_timeout, made.on_create_failure),
        (60, OnCreateFailure::Keep)
    );
    assert_eq!(made.discovery_url, None);
    assert_eq!(made.keypair.as_deref(), Some("testkey"));
    assert_eq!(made.template.flavor_id.as_deref(), Some("m1.small"));
    assert_eq!(made.template.master_flavor_id.as_deref(), Some("m1.small"));
    assert_eq!(made.template.docker_volume_size, Some(25));
    assert_eq!(
        (made.template.floating_ip_enabled, made.template.master_lb_enabled),
        (Some(true), Some(true))
    );
    assert_eq!(
        (&made.template.fixed_network, &made.template.fixed_subnet),
        (&None, &None)
    );
    assert_eq!(made.labels(), &made.template_labels);
    assert_eq!(made.label_differences(), LabelDifferences::default());
    assert_eq!(made.health, Health::default());
}

#[tokio::test(start_paused = true)]
async fn values_beyond_their_limits_are_refused_by_name() {
    let scene = scene().await;
    let cases: Vec<(&str, Change)> = vec![
        ("cluster_template", |s| s.cluster_template = String::new()),
        ("cluster_template", |s| s.cluster_template = "nothing".into()),
        ("name", |s| s.name = Some("1st".into())),
        ("name", |s| s.name = Some(String::new())),
        ("name", |s| s.name = Some("a".repeat(243))),
        ("node_count", |s| s.node_count = 0),
        ("node_count", |s| s.node_count = 1001),
        ("master_count", |s| s.master_count = 0),
        ("master_count", |s| s.master_count = 11),
        ("create_timeout", |s| s.create_timeout = 0),
        ("create_timeout", |s| s.create_timeout = 7 * 24 * 60 + 1),
        ("keypair", |s| s.keypair = Some("nowhere".into())),
        ("flavor_id", |s| s.flavor_id = Some("m1.nowhere".into())),
        ("master_flavor_id", |s| {
            s.master_flavor_id = Some("m1.nowhere".into())
        }),
        ("docker_volume_size", |s| s.docker_volume_size = Some(0)),
        ("docker_volume_size", |s| s.docker_volume_size = Some(2)),
        ("fixed_network", |s| s.fixed_network = Some("nowhere".into())),
        ("fixed_subnet", |s| s.fixed_subnet = Some("nowhere".into())),
        ("discovery_url", |s| {
            s.discovery_url = Some("ftp://discovery".into())
        }),
        ("labels.flannel_backend", |s| {
            s.labels = Some(Labels::from([("flannel_backend".into(), "tcp".into())]));
        }),
        ("labels.kube_tga", |s| {
            s.labels = Some(Labels::from([("kube_tga".into(), "v1.15.7".into())]));
        }),
    ];
    for (attribute, change) in cases {
        let mut spec = named();
        change(&mut spec);
        let error = make(&scene, spec).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{attribute}: {error:?}");
        let fields: BTreeSet<&str> = error.problems().iter().map(|p| p.field.as_str()).collect();
        assert_eq!(fields, [attribute].into(), "{error:?}");
    }
    for (attribute, body) in [
        ("on_create_failure", json!({"on_create_failure": "retry"})),
        ("merge_labels", json!({"merge_labels": "perhaps"})),
        ("floating_ip_enabled", json!({"floating_ip_enabled": "perhaps"})),
        ("master_lb_enabled", json!({"master_lb_enabled": 1})),
        ("status", json!({"status": "CREATE_COMPLETE"})),
        ("health_status", json!({"health_status": "HEALTHY"})),
        ("uuid", json!({"uuid": "x"})),
    ] {
        let error = ClusterSpec::from_json(&body).unwrap_err();
        assert_eq!(
            error.problems()[0].field,
            attribute,
            "read-only or of another type"
        );
    }
    let listed = scene
        .magnum
        .list_clusters(&scene.cx, ListOptions::default())
        .await
        .unwrap();
    assert_eq!(listed.items, []);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_may_differ_from_its_template() {
    let scene = scene().await;
    let spec = ClusterSpec {
        keypair: Some("testkey".into()),
        flavor_id: Some("m1.medium".into()),
        master_flavor_id: Some("m1.tiny".into()),
        docker_volume_size: Some(7),
        floating_ip_enabled: Some(false),
        master_lb_enabled: Some(false),
        create_timeout: 15,
        ..named()
    };
    let made = make(&scene, spec).await.unwrap();
    let template = &made.template;
    assert_eq!(template.flavor_id.as_deref(), Some("m1.medium"));
    assert_eq!(template.master_flavor_id.as_deref(), Some("m1.tiny"));
    assert_eq!(made.pool(PoolRole::Worker).unwrap().flavor_id, "m1.medium");
    assert_eq!(made.pool(PoolRole::Master).unwrap().flavor_id, "m1.tiny");
    assert_eq!(template.docker_volume_size, Some(7));
    assert_eq!(
        (template.floating_ip_enabled, template.master_lb_enabled),
        (Some(false), Some(false))
    );
    assert_eq!(made.create_timeout, 15);
    scene.settle().await;
    let whole = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        whole.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?}",
        whole.status_reason
    );
    let address = whole.api_address.unwrap();
    assert!(
        address.starts_with("https://10."),
        "{address}: no floating IP, no load balancer"
    );
}

#[tokio::test(start_paused = true)]
async fn labels_replace_the_templates_or_are_merged_with_them() {
    let scene = scene().await;
    let own = Labels::from([("flannel_backend".to_owned(), "udp".to_owned())]);
    let replaced = make(
        &scene,
        ClusterSpec {
            labels: Some(own.clone()),
            ..ClusterSpec::new("small")
        },
    )
    .await
    .unwrap();
    assert_eq!(replaced.labels(), &own);
    let differences = replaced.label_differences();
    assert_eq!(
        differences.overridden["flannel_backend"], "vxlan",
        "the template's value"
    );
    assert_eq!(differences.skipped["kube_tag"], "v1.15.7");
    let spec = ClusterSpec {
        labels: Some(own),
        merge_labels: true,
        ..ClusterSpec::new("small")
    };
    let merged = make(&scene, spec).await.unwrap();
    assert_eq!(merged.labels()["flannel_backend"], "udp");
    assert_eq!(merged.labels()["kube_tag"], "v1.15.7");
    let none = ClusterSpec {
        labels: Some(Labels::new()),
        ..ClusterSpec::new("small")
    };
    assert_eq!(
        make(&scene, none).await.unwrap().labels(),
        &merged.template_labels
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_template_said_is_frozen_in_the_cluster() {
    let scene = scene().await;
    let made = make(&scene, named()).await.unwrap();
    scene.settle().await;
    let admin = scene.cx.clone().with_roles(["admin"]);
    let patch = Patch::new().replace("/name", "renamed").replace("/hidden", true);
    scene
        .magnum
        .update_template(&admin, "small", &patch)
        .await
        .unwrap();
    let now = scene.magnum.cluster(&scene.cx, made.id).await.unwrap();
    assert_eq!(now.template, made.template);
}

#[tokio::test(start_paused = true)]
async fn an_existing_network_of_the_clusters_own_choice_is_used() {
    let scene = scene().await;
    let cloud = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let auth = Auth::Token(cloud.login(demo()).await.unwrap());
    let post = async |path: &'static str, body: serde_json::Value| -> serde_json::Value {
        let call = Call::post(Service::NETWORK, "made.by.test", path).json(&body);
        cloud.call(&auth, &call).await.unwrap().json().unwrap()
    };
    let network = post("/networks", json!({"network": {"name": "mine"}})).await["network"]["id"].clone();
    let subnet = json!({"subnet": {"network_id": network, "cidr": "10.7.0.0/24", "ip_version": 4}});
    let subnet = post("/subnets", subnet).await["subnet"]["id"].clone();
    let spec = ClusterSpec {
        fixed_network: Some("mine".into()),
        ..named()
    };
    let made = make(&scene, spec).await.unwrap();
    assert_eq!(json!(made.template.fixed_network), network, "by its UUID");
    assert_eq!(
        json!(made.template.fixed_subnet),
        subnet,
        "the network's only one"
    );
    let wrong = ClusterSpec {
        fixed_network: Some("public".into()),
        fixed_subnet: subnet.as_str().map(str::to_owned),
        ..ClusterSpec::new("small")
    };
    let error = make(&scene, wrong).await.unwrap_err();
    assert_eq!(error.problems()[0].field, "fixed_subnet", "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_template_without_a_key_pair_leaves_it_to_the_cluster() {
    let scene = Scene::new(1).await;
    let spec = TemplateSpec {
        keypair_id: None,
        ..TemplateSpec::new("docker", "ubuntu", "public").with_name("small")
    };
    scene.magnum.create_template(&scene.cx, spec).await.unwrap();
    let error = make(&scene, named()).await.unwrap_err();
    assert_eq!(error.problems()[0].field, "keypair", "{error:?}");
    let user = scene.cx.user_id.clone();
    scene.cloud.add_keypair(&user, "another");
    let spec = ClusterSpec {
        keypair: Some("another".into()),
        ..named()
    };
    let made = make(&scene, spec).await.unwrap();
    assert_eq!(made.keypair.as_deref(), Some("another"));
    scene.settle().await;
    let keys: Vec<Option<String>> = scene
        .cloud
        .with(|world| world.compute.servers().map(|s| s.key_name.clone()).collect());
    assert_eq!(keys, [Some("another".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_changed_its_distribution_is_refused() {
    let scene = Scene::new(1).await;
    let image = scene.cloud.add_image("mine", Some("ubuntu"));
    let spec = TemplateSpec::new("docker", "mine", "public")
        .with_keypair("testkey")
        .with_name("small");
    scene.magnum.create_template(&scene.cx, spec).await.unwrap();
    scene.cloud.set_image_distro(&image, Some("fedora-atomic"));
    let error = make(&scene, named()).await.unwrap_err();
    assert_eq!(error.problems()[0].field, "image_id", "{error:?}");
    assert!(error.to_string().contains("its os_distro is now"), "{error}");
}
