//! Rules of changing a cluster that is there: the guide's table, health, rollback, retries, failed creations.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use magnum::openstack::sim::{At, Effect as Harm, Fault as Injected};
use magnum::*;
use serde_json::json;
use support::scene::Scene;

/// A scene with a whole cluster of this many nodes.
async fn whole(nodes: u32) -> (Scene, Cluster) {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(nodes).await.id;
    scene.settle().await;
    let made = scene.cluster(id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?}",
        made.status_reason
    );
    (scene, made)
}

async fn patch(scene: &Scene, patch: &Patch) -> Result<Cluster> {
    let options = UpdateOptions::default();
    scene
        .magnum
        .update_cluster(&scene.cx, "mycluster", patch, options)
        .await
}

fn no_room(scene: &Scene) {
    let at = At::Resource {
        resource_type: "OS::Nova::Server".into(),
        name: "docker_host".into(),
    };
    let reason = "Went to status ERROR due to \"No valid host was found.\"";
    scene
        .cloud
        .inject(Injected::always(at, Harm::ResourceFailure(reason.into())));
}

#[tokio::test(start_paused = true)]
async fn node_count_is_replaced_and_removed_and_never_added() {
    let (scene, _) = whole(1).await;
    patch(&scene, &Patch::new().replace("/node_count", 3))
        .await
        .unwrap();
    scene.settle().await;
    let grown = scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap();
    assert_eq!(
        (grown.status, grown.node_count()),
        (ClusterStatus::UPDATE_COMPLETE, 3)
    );
    patch(&scene, &Patch::new().remove("/node_count")).await.unwrap();
    scene.settle().await;
    let shrunk = scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap();
    assert_eq!(shrunk.node_count(), 1, "removed is the default of 1");
    let gone: Vec<String> = grown
        .node_addresses()
        .into_iter()
        .filter(|address| !shrunk.node_addresses().contains(address))
        .collect();
    let reason = shrunk.status_reason.unwrap();
    for address in gone {
        assert!(reason.contains(&address), "{reason} tells which nodes left");
    }
    let error = patch(&scene, &Patch::new().add("/node_count", 2))
        .await
        .unwrap_err();
    assert_eq!(error.problems()[0].field, "node_count");
}

#[tokio::test(start_paused = true)]
async fn all_other_attributes_are_refused_by_name_and_nothing_changes() {
    let (scene, made) = whole(1).await;
    for attribute in [
        "name",
        "master_count",
        "discovery_url",
        "cluster_template_id",
        "keypair",
        "create_timeout",
        "labels",
        "flavor_id",
        "uuid",
        "stack_id",
        "status",
        "api_address",
        "trust_id",
        "nonsense",
    ] {
        for change in [
            Patch::new().add(attribute, "x"),
            Patch::new().replace(attribute, "x"),
            Patch::new().remove(attribute),
        ] {
            let error = patch(&scene, &change).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert_eq!(error.problems()[0].field, attribute);
        }
    }
    for value in [
        json!(0),
        json!(-5),
        json!("3"),
        json!(1.5),
        json!(null),
        json!(1001),
    ] {
        let error = patch(&scene, &Patch::new().replace("/node_count", value))
            .await
            .unwrap_err();
        assert_eq!(error.problems()[0].field, "node_count", "{error:?}");
    }
    assert_eq!(scene.cluster(made.id).await.unwrap(), made);
}

#[tokio::test(start_paused = true)]
async fn health_is_taken_at_any_time_and_changes_no_status() {
    let (scene, made) = whole(1).await;
    patch(&scene, &Patch::new().replace("/node_count", 2))
        .await
        .unwrap();
    let sick = Patch::new()
        .replace("/health_status", "UNHEALTHY")
        .add("/health_status_reason/api", "ok");
    let told = patch(&scene, &sick).await.unwrap();
    assert_eq!(told.status, ClusterStatus::UPDATE_IN_PROGRESS);
    assert_eq!(told.health.status, Some(HealthStatus::Unhealthy));
    assert_eq!(told.health.reason["api"], "ok");
    scene.settle().await;
    let grown = scene.cluster(made.id).await.unwrap();
    assert_eq!(grown.status, ClusterStatus::UPDATE_COMPLETE, "the change goes on");
    assert_eq!(grown.health, told.health);
    let error = patch(&scene, &Patch::new().replace("/health_status", "FINE"))
        .await
        .unwrap_err();
    assert_eq!(error.problems()[0].field, "health_status");
    let healed = patch(
        &scene,
        &Patch::new()
            .remove("/health_status")
            .remove("/health_status_reason"),
    )
    .await
    .unwrap();
    assert_eq!(healed.health, Health::default());
}

#[tokio::test(start_paused = true)]
async fn a_change_is_refused_at_once_while_another_is_in_progress() {
    let (scene, _) = whole(1).await;
    patch(&scene, &Patch::new().replace("/node_count", 2))
        .await
        .unwrap();
    let error = patch(&scene, &Patch::new().replace("/node_count", 3))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    let error = scene
        .magnum
        .retry_cluster(&scene.cx, "mycluster")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_racing_updates_one_is_accepted() {
    let (scene, made) = whole(1).await;
    let (two, three) = (
        Patch::new().replace("/node_count", 2),
        Patch::new().replace("/node_count", 3),
    );
    let (one, other) = futures::join!(patch(&scene, &two), patch(&scene, &three));
    let accepted = [one, other].map(|result| result.map(|cluster| cluster.node_count()));
    let winners: Vec<u32> = accepted.iter().filter_map(|r| r.as_ref().ok().copied()).collect();
    let [winner] = winners.as_slice() else {
        panic!("{accepted:?}")
    };
    let loser = accepted.iter().find_map(|r| r.as_ref().err()).unwrap();
    assert_eq!(loser.kind(), ErrorKind::Busy);
    scene.settle().await;
    assert_eq!(scene.cluster(made.id).await.unwrap().node_count(), *winner);
}

#[tokio::test(start_paused = true)]
async fn a_demanded_generation_guards_an_update() {
    let (scene, made) = whole(1).await;
    let options = UpdateOptions::default().with_expected_generation(made.generation + 1);
    let change = Patch::new().replace("/node_count", 2);
    let error = scene
        .magnum
        .update_cluster(&scene.cx, made.id, &change, options)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stale);
}

#[tokio::test(start_paused = true)]
async fn a_failed_change_is_rolled_back_when_asked() {
    let (scene, made) = whole(2).await;
    no_room(&scene);
    let options = UpdateOptions::default().with_rollback();
    let change = Patch::new().replace("/node_count", 4);
    scene
        .magnum
        .update_cluster(&scene.cx, made.id, &change, options)
        .await
        .unwrap();
    scene.settle().await;
    let back = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        back.status,
        ClusterStatus::ROLLBACK_COMPLETE,
        "{:?}",
        back.status_reason
    );
    assert_eq!(back.node_count(), 2);
    assert_eq!(
        back.node_addresses(),
        made.node_addresses(),
        "the nodes that were there stayed"
    );
    assert_eq!(back.fault.as_ref().unwrap().code, FailureCode::Capacity);
    let last = scene.events.events().pop().unwrap();
    assert_eq!(last.outcome, Outcome::Failure, "what was asked for was not done");

    scene.cloud.clear_faults();
    patch(&scene, &Patch::new().replace("/node_count", 3))
        .await
        .unwrap();
    scene.settle().await;
    assert_eq!(
        scene.cluster(made.id).await.unwrap().status,
        ClusterStatus::UPDATE_COMPLETE
    );
    scene.delete(made.id).await;
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn a_failed_change_stays_without_rollback_and_can_be_retried() {
    let (scene, made) = whole(1).await;
    no_room(&scene);
    patch(&scene, &Patch::new().replace("/node_count", 3))
        .await
        .unwrap();
    scene.settle().await;
    let failed = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        (failed.status, failed.node_count()),
        (ClusterStatus::UPDATE_FAILED, 3)
    );
    scene.cloud.clear_faults();
    let retried = scene.magnum.retry_cluster(&scene.cx, made.id).await.unwrap();
    assert_eq!(retried.status, ClusterStatus::UPDATE_IN_PROGRESS);
    scene.settle().await;
    let mended = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        mended.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        mended.status_reason
    );
    assert_eq!(mended.node_addresses().len(), 3);
    assert!(
        mended.node_addresses().starts_with(&made.node_addresses()),
        "what was there stayed"
    );
    let error = scene.magnum.retry_cluster(&scene.cx, made.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "nothing failed: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_creation_keeps_its_resources_and_is_retried_without_making_them_anew() {
    let scene = Scene::new(1).await;
    scene.template().await;
    no_room(&scene);
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let failed = scene.cluster(id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::CREATE_FAILED);
    assert!(scene.leftovers().total() > 0);
    let stack = failed.stack_id.clone().unwrap();
    scene.cloud.clear_faults();
    let retried = scene.magnum.retry_cluster(&scene.cx, id).await.unwrap();
    assert_eq!(retried.status, ClusterStatus::CREATE_IN_PROGRESS);
    scene.settle().await;
    let made = scene.cluster(id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?}",
        made.status_reason
    );
    assert_eq!(made.stack_id, Some(stack), "the same stack");
    assert_eq!(made.node_addresses().len(), 1);
    scene.delete(id).await;
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn a_failed_creation_is_removed_when_asked_and_can_be_begun_anew() {
    let scene = Scene::new(1).await;
    scene.template().await;
    no_room(&scene);
    let spec = ClusterSpec::new("small")
        .with_name("mycluster")
        .with_on_create_failure(OnCreateFailure::Delete);
    let id = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap()
        .id;
    scene.settle().await;
    let failed = scene.cluster(id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::CREATE_FAILED);
    assert_eq!(
        failed.fault.as_ref().unwrap().code,
        FailureCode::Capacity,
        "{failed:?}"
    );
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
    assert_eq!((failed.stack_id, failed.api_address), (None, None));

    scene.cloud.clear_faults();
    scene.magnum.retry_cluster(&scene.cx, id).await.unwrap();
    scene.settle().await;
    let made = scene.cluster(id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?}",
        made.status_reason
    );
    scene.delete(id).await;
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_stack_was_removed_by_hand_fails_its_change_and_can_be_deleted() {
    let (scene, made) = whole(1).await;
    let openstack = support::scene::openstack(
        &scene.cloud,
        &scene.clock,
        std::sync::Arc::new(scene.cloud.transport()),
    );
    let auth = Auth::Token(scene.cx.token.clone().unwrap());
    let heat = openstack.orchestrator();
    let stack = heat.list(&auth, None).await.unwrap().remove(0).stack;
    heat.delete(&auth, &stack).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    let options = UpdateOptions::default().with_rollback();
    let change = Patch::new().replace("/node_count", 2);
    scene
        .magnum
        .update_cluster(&scene.cx, made.id, &change, options)
        .await
        .unwrap();
    scene.settle().await;
    let failed = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        failed.status,
        ClusterStatus::UPDATE_FAILED,
        "there is nothing to roll back to"
    );
    assert_eq!(failed.fault.unwrap().code, FailureCode::Dependency);
    scene.delete(made.id).await;
    assert_eq!(scene.cluster(made.id).await, None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}
