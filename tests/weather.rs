//! Bad weather: each a clear, typed error in the status reason, with the failed resource named; and in the end nothing is
//! left.
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
use std::time::Duration;

use magnum::openstack::sim::{At, Effect, Fault as Harm};
use magnum::openstack::{Call, Service};
use magnum::*;
use serde_json::json;
use support::scene::{Scene, demo, openstack};

/// The create of a scene ends like this, and then the cluster deletes to nothing.
async fn create_fails(scene: &Scene, nodes: u32) -> Fault {
    scene.template().await;
    let id = scene.accept(nodes).await.id;
    fails(scene, id).await
}

async fn fails(scene: &Scene, id: ClusterId) -> Fault {
    scene.settle().await;
    let cluster = scene.cluster(id).await.unwrap();
    assert_eq!(
        cluster.status,
        ClusterStatus::CREATE_FAILED,
        "{:?}",
        cluster.status_reason
    );
    let fault = cluster.fault.unwrap();
    assert_eq!(cluster.status_reason, Some(fault.to_string()));
    fault
}

async fn deletes_to_nothing(scene: &Scene) {
    scene.cloud.clear_faults();
    let cluster = scene.store.clusters(Query::all()).await.unwrap().remove(0);
    scene.delete(cluster.id).await;
    assert_eq!(scene.cluster(cluster.id).await.map(|c| c.status_reason), None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_ends_in_mid_stack_is_told_with_its_resource() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(3).await.id;
    // Somebody else takes what was left when the cluster was accepted.
    scene
        .cloud
        .set_quota(&scene.cx.project_id, "instances", 1)
        .unwrap();
    let fault = fails(&scene, id).await;
    assert_eq!(fault.code, FailureCode::Quota, "{fault}");
    assert!(fault.message.contains("Quota exceeded for instances"), "{fault}");
    assert_eq!(fault.resource.as_deref(), Some("docker_host"));
    assert!(
        scene.leftovers().total() > 0,
        "the stack is kept for its owner to look into"
    );
    deletes_to_nothing(&scene).await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_node_is_told_with_its_reason() {
    let scene = Scene::new(1).await;
    let at = At::Resource {
        resource_type: "OS::Nova::Server".into(),
        name: "docker_host".into(),
    };
    let reason = "Went to status ERROR due to \"No valid host was found.\"";
    scene
        .cloud
        .inject(Harm::always(at, Effect::ResourceFailure(reason.into())));
    let fault = create_fails(&scene, 1).await;
    assert_eq!(fault.code, FailureCode::Capacity, "{fault}");
    assert_eq!(fault.resource.as_deref(), Some("docker_host"));
    deletes_to_nothing(&scene).await;
}

#[tokio::test(start_paused = true)]
async fn heat_down_ends_a_create_and_leaves_nothing() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.refuse(None, "/orchestration", 503);
    // It comes back while the create is being cleaned up: only then can Heat say that there is no stack.
    let (cloud, clock) = (scene.cloud.clone(), Arc::clone(&scene.clock));
    let back = tokio::spawn(async move {
        clock.sleep(Duration::from_secs(15 * 60)).await;
        cloud.clear_faults();
    });
    scene.settle().await;
    back.await.unwrap();
    let cluster = scene.cluster(id).await.unwrap();
    assert_eq!(cluster.status, ClusterStatus::CREATE_FAILED);
    assert_eq!(
        cluster.fault.unwrap().code,
        FailureCode::Dependency,
        "{:?}",
        cluster.status_reason
    );
    deletes_to_nothing(&scene).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expired_in_between_ends_the_create_and_leaves_nothing() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.cloud.expire_tokens_of(&scene.cx.user_id);
    scene.settle().await;
    let cluster = scene.cluster(id).await.unwrap();
    assert_eq!(cluster.status, ClusterStatus::CREATE_FAILED);
    assert_eq!(cluster.fault.unwrap().code, FailureCode::Authorization);
    assert_eq!(
        scene.leftovers().total(),
        0,
        "already before the delete: {}",
        scene.leftovers()
    );
    deletes_to_nothing(&scene).await;
}

#[tokio::test(start_paused = true)]
async fn a_stack_of_our_name_that_is_not_ours_stays() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let cluster = scene.accept(1).await;
    let clients = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let auth = Auth::Token(scene.cx.token.clone().unwrap());
    let name = format!("mycluster-{}", cluster.id.0.simple());
    let foreign = StackCreate {
        name: name.clone(),
        template: StackTemplate {
            template: "heat_template_version: 2018-08-31\nresources: {}\n".into(),
            files: Default::default(),
        },
        parameters: Parameters::new(),
        timeout: Duration::from_secs(60),
        tags: vec!["mine".into()],
    };
    let made = clients.orchestrator().create(&auth, foreign).await.unwrap();
    scene.settle().await;
    let failed = scene.cluster(cluster.id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::CREATE_FAILED);
    assert!(failed.status_reason.unwrap().contains("not this cluster's"));
    scene
        .magnum
        .delete_cluster(&scene.cx, cluster.id, DeleteOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    assert_eq!(
        scene.cluster(cluster.id).await.map(|c| c.status_reason),
        None,
        "the cluster goes"
    );
    assert!(
        clients.orchestrator().get(&auth, &made).await.unwrap().is_some(),
        "the foreign stack stays"
    );
}

#[tokio::test(start_paused = true)]
async fn a_foreign_port_in_the_network_is_named_and_stays_until_its_owner_removes_it() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let clients = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let auth = Auth::Token(clients.login(demo()).await.unwrap());
    let list = Call::get(Service::NETWORK, "network.list", "/networks");
    let networks: serde_json::Value = clients.call(&auth, &list).await.unwrap().json().unwrap();
    let private = networks["networks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|n| n["router:external"] == false)
        .unwrap();
    let port = Call::post(Service::NETWORK, "port.create", "/ports")
        .json(&json!({"port": {"network_id": private["id"], "name": "foreign"}}));
    let port: serde_json::Value = clients.call(&auth, &port).await.unwrap().json().unwrap();

    scene
        .magnum
        .delete_cluster(&scene.cx, id, DeleteOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let stuck = scene.cluster(id).await.unwrap();
    assert_eq!(stuck.status, ClusterStatus::DELETE_FAILED);
    let fault = stuck.fault.unwrap();
    assert!(fault.resource.is_some(), "{fault}");
    assert!(fault.message.contains("ports have an IP allocation"), "{fault}");
    let foreign = port["port"]["id"].as_str().unwrap();
    assert!(
        fault
            .message
            .contains(&format!("; in the way: port foreign ({foreign}) with address ")),
        "{fault}"
    );
    assert!(!fault.message.contains('\n'), "{fault}");

    let port_id = port["port"]["id"].as_str().unwrap();
    let remove = Call::delete(Service::NETWORK, "port.delete", "/ports/{id}").segment(port_id);
    clients.call(&auth, &remove).await.unwrap();
    deletes_to_nothing(&scene).await;
}

#[tokio::test(start_paused = true)]
async fn a_forced_delete_ends_and_says_what_it_left() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    scene.refuse(Some(http::Method::DELETE), "/orchestration", 503);
    scene
        .magnum
        .delete_cluster(&scene.cx, id, DeleteOptions::forced())
        .await
        .unwrap();
    scene.settle().await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    let left = scene.store.tombstone(id).await.unwrap().unwrap();
    assert!(
        left.leftovers
            .iter()
            .any(|thing| thing.starts_with("stack mycluster-")),
        "{left:?}"
    );
    let told = scene.events.events().pop().unwrap();
    assert!(told.reason.unwrap().contains("left behind: "));
}

#[tokio::test(start_paused = true)]
async fn a_change_while_busy_is_refused_and_a_delete_takes_over() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.conductor(1).step().await.unwrap();
    let busy = scene
        .magnum
        .scale_cluster(&scene.cx, id, 2, UpdateOptions::default())
        .await
        .unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    assert!(busy.to_string().contains("CREATE_IN_PROGRESS"), "{busy}");
    let accepted = scene
        .magnum
        .delete_cluster(&scene.cx, id, DeleteOptions::default())
        .await
        .unwrap();
    assert_eq!(accepted.status, ClusterStatus::DELETE_IN_PROGRESS);
    assert_eq!(
        scene.cluster(id).await.unwrap().status,
        ClusterStatus::DELETE_IN_PROGRESS
    );
    scene.settle().await;
    assert_eq!(scene.cluster(id).await, None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn the_same_key_makes_one_cluster_and_another_body_is_a_conflict() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let options = || CreateOptions::default().with_idempotency_key("k1");
    let make = |spec: ClusterSpec| scene.magnum.create_cluster(&scene.cx, spec, options());
    let first = make(ClusterSpec::new("small")).await.unwrap();
    let again = make(ClusterSpec::new("small")).await.unwrap();
    assert_eq!(first.id, again.id);
    let other = make(ClusterSpec::new("small").with_node_count(2))
        .await
        .unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Conflict);
    let listed = scene
        .magnum
        .list_clusters(&scene.cx, ListOptions::default())
        .await;
    assert_eq!(listed.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_conductors_make_one_stack() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    let (one, two) = (scene.conductor(1), scene.conductor(2));
    let (first, second) = tokio::join!(one.run_until_idle(), two.run_until_idle());
    first.unwrap();
    second.unwrap();
    assert_eq!(
        scene.cluster(id).await.unwrap().status,
        ClusterStatus::CREATE_COMPLETE
    );
    let creates = scene
        .cloud
        .requests()
        .into_iter()
        .filter(|r| r.method == http::Method::POST && r.path.ends_with("/stacks"));
    assert_eq!(creates.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_scale_that_the_cloud_refuses_shows_what_is_there() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    scene.refuse(Some(http::Method::PATCH), "/orchestration", 403);
    scene
        .magnum
        .scale_cluster(&scene.cx, id, 3, UpdateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let refused = scene.cluster(id).await.unwrap();
    assert_eq!(
        refused.status,
        ClusterStatus::UPDATE_FAILED,
        "{:?}",
        refused.status_reason
    );
    assert_eq!(refused.node_count(), 1);
    scene.cloud.clear_faults();
    scene
        .magnum
        .scale_cluster(&scene.cx, id, 2, UpdateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    assert_eq!(
        scene.cluster(id).await.unwrap().status,
        ClusterStatus::UPDATE_COMPLETE
    );
    deletes_to_nothing(&scene).await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_owner_or_a_lost_role_does_not_stop_a_delete_without_a_word() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    scene.cloud.set_user_enabled(&scene.cx.user_id, false);
    scene
        .magnum
        .delete_cluster(&scene.cx, id, DeleteOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let stuck = scene.cluster(id).await.unwrap();
    assert_eq!(stuck.status, ClusterStatus::DELETE_FAILED);
    assert_eq!(stuck.fault.unwrap().code, FailureCode::Authorization);
    assert!(stuck.status_reason.unwrap().contains("administrator"));
    scene.cloud.set_user_enabled(&scene.cx.user_id, true);
    deletes_to_nothing(&scene).await;
}
