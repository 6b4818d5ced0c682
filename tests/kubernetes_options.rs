//! Options of Kubernetes clusters on the simulated cloud: what they change, and what is refused with which words.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use magnum::openstack::sim::world::compute::Server;
use magnum::openstack::sim::world::load_balancing::{LoadBalancerSpec, PartKind, PartSpec};
use magnum::*;
use serde_json::json;
use support::kubernetes::{existing, guides_template as template, without_quotas};
use support::scene::Scene;

async fn roomy(seed: u64) -> Scene {
    let scene = Scene::new(seed).await;
    without_quotas(&scene);
    scene
}

/// A cluster of this template is made, looked at, and deleted; what is left then.
async fn lives(scene: &Scene, spec: TemplateSpec, masters: u32, look: impl Fn(&Scene, &Cluster)) {
    let made = made(scene, spec, masters).await;
    look(scene, &made);
    scene.delete(made.id).await;
    assert_eq!(scene.cluster(made.id).await, None);
}

/// A cluster of this template whose create has succeeded.
async fn made(scene: &Scene, spec: TemplateSpec, masters: u32) -> Cluster {
    let template = scene.magnum.create_template(&scene.cx, spec).await.unwrap();
    let spec = ClusterSpec::new(template.id.to_string()).with_master_count(masters);
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
        "{:?}",
        made.status_reason
    );
    made
}

#[tokio::test(start_paused = true)]
async fn without_load_balancer_and_floating_ips_the_first_master_is_the_address() {
    let scene = roomy(2).await;
    let spec = TemplateSpec {
        master_lb_enabled: Some(false),
        floating_ip_enabled: Some(false),
        ..template()
    };
    lives(&scene, spec, 3, |scene, made| {
        let first = &made.master_addresses()[0];
        assert!(first.starts_with("10.0.0."));
        assert_eq!(
            made.api_address.as_deref(),
            Some(format!("https://{first}:6443").as_str())
        );
        let left = scene.leftovers();
        assert_eq!(
            (left.load_balancers.len(), left.floating_ips.len()),
            (0, 0),
            "{left}"
        );
    })
    .await;
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn without_tls_the_port_is_another_and_nobody_needs_certificates() {
    let scene = roomy(3).await;
    lives(&scene, template().without_tls(), 1, |_, made| {
        let address = made.api_address.clone().unwrap();
        assert!(
            address.starts_with("http://172.24.4.") && address.ends_with(":8080"),
            "{address}"
        );
        assert_eq!((&made.ca_cert, made.authorities.len()), (&None, 0));
    })
    .await;
    let spec = TemplateSpec {
        apiserver_port: Some(7443),
        ..template()
    };
    lives(&scene, spec, 1, |_, made| {
        assert!(made.api_address.clone().unwrap().ends_with(":7443"));
    })
    .await;
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn an_existing_network_is_used_and_stays() {
    let scene = roomy(4).await;
    let ids = existing(&scene, &["192.168.9.0/24"]);
    let before = scene.leftovers();
    let spec = TemplateSpec {
        fixed_network: Some("office".into()),
        ..template()
    };
    lives(&scene, spec, 2, |scene, made| {
        let spec = &made.template;
        let kept = [spec.fixed_network.clone(), spec.fixed_subnet.clone()];
        assert_eq!(kept, [Some(ids[0].clone()), Some(ids[1].clone())]);
        let now = scene.leftovers();
        assert_eq!((&now.networks, &now.routers), (&before.networks, &before.routers));
        scene.cloud.with(|world| {
            let balancer = world.load_balancing.balancers().next().unwrap();
            assert_eq!(balancer.vip_subnet_id, ids[1]);
        });
    })
    .await;
    assert_eq!(scene.leftovers(), before);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_does_not_fit_is_refused_by_name() {
    let scene = roomy(5).await;
    let ids = existing(&scene, &["192.168.9.0/24", "192.168.10.0/24"]);
    for (network, subnet, field, says) in [
        (Some("office"), None, "fixed_network", "the network has 2 subnets"),
        (Some("nowhere"), None, "fixed_network", "nowhere"),
        (
            Some("public"),
            Some("desks-0"),
            "fixed_subnet",
            "not on the network public",
        ),
        (None, Some("desks-9"), "fixed_subnet", "desks-9"),
    ] {
        let spec = TemplateSpec {
            fixed_network: network.map(Into::into),
            fixed_subnet: subnet.map(Into::into),
            ..template()
        };
        let refused = scene.magnum.create_template(&scene.cx, spec).await.unwrap_err();
        let problem = &refused.problems()[0];
        assert_eq!(
            (refused.kind(), problem.field.as_str()),
            (ErrorKind::InvalidInput, field)
        );
        assert!(refused.to_string().contains(says), "{refused}");
    }
    let spec = TemplateSpec {
        fixed_subnet: Some("desks-1".into()),
        ..template()
    };
    let kept = scene.magnum.create_template(&scene.cx, spec).await.unwrap().spec;
    assert_eq!(
        (kept.fixed_network, kept.fixed_subnet),
        (Some(ids[0].clone()), Some(ids[2].clone()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_trust_is_on_servers_only_where_it_is_asked_for() {
    let scene = roomy(6).await;
    let told = |scene: &Scene| {
        scene.cloud.with(|world| {
            let told = |server: &Server| {
                let data = server.user_data.clone().unwrap_or_default();
                let line = data.lines().find(|line| line.starts_with("trust_id='"));
                line.unwrap_or_default().to_owned()
            };
            world.compute.servers().map(told).collect::<Vec<_>>()
        })
    };
    lives(&scene, template(), 1, |scene, _| {
        assert_eq!(told(scene), ["trust_id=''", "trust_id=''"]);
    })
    .await;
    let spec = TemplateSpec {
        volume_driver: Some("cinder".into()),
        registry_enabled: true,
        ..template()
    };
    lives(&scene, spec, 1, |scene, _| {
        // Heat has a trust of its own for the stack; the cluster's is to a trustee.
        let trust = scene.cloud.with(|world| {
            let identity = &world.identity;
            let domain = identity.domains().find(|domain| domain.name == "magnum").unwrap();
            let trustees: Vec<_> = identity
                .users()
                .filter(|user| user.domain_id == domain.id)
                .map(|user| user.id.clone())
                .collect();
            let to_trustee: Vec<_> = identity
                .trusts()
                .filter(|trust| trustees.contains(&trust.trustee_user_id))
                .map(|trust| trust.id.clone())
                .collect();
            assert_eq!(to_trustee.len(), 1, "{to_trustee:?}");
            to_trustee[0].clone()
        });
        assert_eq!(
            told(scene),
            [format!("trust_id='{trust}'"), format!("trust_id='{trust}'")]
        );
    })
    .await;
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_trust_says_so() {
    let scene = roomy(7).await;
    let refused = async |spec: TemplateSpec| {
        let refused = scene.magnum.create_template(&scene.cx, spec).await.unwrap_err();
        let problem = refused.problems()[0].clone();
        (problem.field, refused.to_string())
    };
    let (field, says) = refused(
        template()
            .with_label("cloud_provider_enabled", "true")
            .with_label("kube_tag", "v1.9.11"),
    )
    .await;
    assert_eq!(field, "labels.cloud_provider_enabled");
    assert!(
        says.contains("does not know trusts, Keystone v3 and Octavia: kube_tag must be v1.10.0 or newer"),
        "{says}"
    );
    let (field, says) = refused(TemplateSpec {
        registry_enabled: true,
        ..template()
    })
    .await;
    assert_eq!(field, "registry_enabled");
    assert!(
        says.contains("only the label cloud_provider_enabled puts a trust on the nodes"),
        "{says}"
    );
    let spec = TemplateSpec {
        volume_driver: Some("cinder".into()),
        ..template().with_label("cloud_provider_enabled", "false")
    };
    let (field, says) = refused(spec).await;
    assert_eq!(field, "labels.cloud_provider_enabled");
    assert!(says.contains("the volume driver cinder needs it"), "{says}");
}

/// A load balancer as Kubernetes in these versions makes one for a service: no word of the cluster, but members.
async fn unmarked_service(scene: &Scene, number: u32, subnet: &str, member: &str) -> String {
    let project = scene.cx.project_id.clone();
    let name = format!("a{number:031x}");
    let id = scene.cloud.with(|world| {
        let spec = LoadBalancerSpec {
            name: name.clone(),
            vip_subnet_id: subnet.into(),
            ..LoadBalancerSpec::default()
        };
        world.create_load_balancer(&project, spec).unwrap().id
    });
    let mut parent_id = id.clone();
    for kind in [PartKind::Listener, PartKind::Pool, PartKind::Member] {
        tokio::time::sleep(std::time::Duration::from_secs(120)).await;
        let settings = match kind {
            PartKind::Listener => json!({"protocol": "TCP", "protocol_port": 80}),
            PartKind::Pool => json!({"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN"}),
            _ => json!({"address": member, "protocol_port": 30_080}),
        };
        let part = PartSpec {
            kind,
            name: name.clone(),
            parent_id,
            settings: settings.as_object().unwrap().clone(),
            fails_with: None,
        };
        parent_id = scene
            .cloud
            .with(|world| world.create_load_balancer_part(&project, part).unwrap().id);
    }
    tokio::time::sleep(std::time::Duration::from_secs(120)).await;
    name
}

#[tokio::test(start_paused = true)]
async fn on_a_shared_subnet_services_go_that_lead_to_the_clusters_servers_alone() {
    let scene = roomy(8).await;
    let ids = existing(&scene, &["192.168.9.0/24"]);
    let spec = TemplateSpec {
        fixed_subnet: Some(ids[1].clone()),
        volume_driver: Some("cinder".into()),
        floating_ip_enabled: Some(false),
        ..template()
    };
    let made = made(&scene, spec, 1).await;
    unmarked_service(&scene, 1, &ids[1], &made.node_addresses()[0]).await;
    let theirs = unmarked_service(&scene, 2, &ids[1], "192.168.9.250").await;
    scene.delete(made.id).await;
    assert_eq!(scene.cluster(made.id).await, None);
    assert_eq!(scene.leftovers().load_balancers, [theirs]);
}
