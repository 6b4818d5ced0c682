//! Requests that meet: whatever their order, one is accepted, none is lost without a word, and the end is whole.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::future::Future;

use magnum::*;
use proptest::prelude::*;
use support::scene::Scene;

fn in_runtime<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test)
}

/// A whole cluster, and two services that give each other a turn at each call.
async fn two(nodes: u32) -> (Scene, ClusterId, [Magnum; 2]) {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(nodes).await.id;
    scene.settle().await;
    scene.interrupter.arm(None);
    let services = [scene.process(3), scene.process(4)];
    (scene, id, services)
}

/// Begins after so many turns of others.
async fn after<T>(turns: usize, request: impl Future<Output = T>) -> T {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
    request.await
}

fn count(nodes: u32) -> Patch {
    Patch::new().replace("/node_count", nodes)
}

async fn gone(scene: &Scene, id: ClusterId) {
    scene.settle().await;
    if scene.cluster(id).await.is_some() {
        scene.delete(id).await;
    }
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_two_updates_one_is_accepted(one in 1u32..4, other in 1u32..4, turns in 0usize..14) {
        in_runtime(async {
            let (scene, id, [a, b]) = two(1).await;
            let options = UpdateOptions::default;
            let (patch_one, patch_other) = (count(one), count(other));
            let (first, second) = futures::join!(
                a.update_cluster(&scene.cx, id, &patch_one, options()),
                after(turns, b.update_cluster(&scene.cx, id, &patch_other, options())),
            );
            // What changes nothing is accepted at any time; of two changes one is.
            let asked = [(one, first), (other, second)];
            let changes: Vec<_> = asked.iter().filter(|(nodes, _)| *nodes != 1).collect();
            let accepted: Vec<u32> = changes.iter().filter(|(_, r)| r.is_ok()).map(|(n, _)| *n).collect();
            assert_eq!(accepted.len(), changes.len().min(1), "{asked:?}");
            for (_, refused) in asked.iter().filter(|(_, result)| result.is_err()) {
                let kind = refused.as_ref().unwrap_err().kind();
                assert!(matches!(kind, ErrorKind::Busy | ErrorKind::Stale), "{asked:?}");
            }
            scene.settle().await;
            let ended = scene.cluster(id).await.unwrap();
            assert_eq!(ended.node_count(), accepted.first().copied().unwrap_or(1));
            assert_eq!(ended.node_addresses().len() as u32, ended.node_count());
            gone(&scene, id).await;
        });
    }

    #[test]
    fn a_delete_wins_over_an_update(nodes in 2u32..4, turns in 0usize..14, first: bool) {
        in_runtime(async {
            let (scene, id, [a, b]) = two(1).await;
            let (early, late) = if first { (0, turns) } else { (turns, 0) };
            let patch = count(nodes);
            let (update, delete) = futures::join!(
                after(early, a.update_cluster(&scene.cx, id, &patch, UpdateOptions::default())),
                after(late, b.delete_cluster(&scene.cx, id, DeleteOptions::default())),
            );
            if let Err(error) = update {
                assert!(matches!(error.kind(), ErrorKind::Busy | ErrorKind::Stale), "{error:?}");
            }
            delete.unwrap();
            scene.settle().await;
            assert_eq!(scene.cluster(id).await.map(|c| c.status), None);
            gone(&scene, id).await;
        });
    }

    #[test]
    fn health_and_an_update_are_both_taken_or_told(turns in 0usize..14) {
        in_runtime(async {
            let (scene, id, [a, b]) = two(1).await;
            let (patch, health) = (count(2), Patch::new().replace("/health_status", "HEALTHY"));
            let (update, told) = futures::join!(
                a.update_cluster(&scene.cx, id, &patch, UpdateOptions::default()),
                after(turns, b.update_cluster(&scene.cx, id, &health, UpdateOptions::default())),
            );
            scene.settle().await;
            let ended = scene.cluster(id).await.unwrap();
            assert_eq!(told.is_ok(), ended.health.status == Some(HealthStatus::Healthy));
            match update {
                Ok(_) => assert_eq!(ended.node_count(), 2),
                Err(error) => {
                    assert_eq!((error.kind(), ended.node_count()), (ErrorKind::Stale, 1));
                }
            }
            gone(&scene, id).await;
        });
    }

    #[test]
    fn the_same_desired_state_twice_under_one_key_is_done_once(nodes in 2u32..4, turns in 0usize..14) {
        in_runtime(async {
            let (scene, id, [a, b]) = two(1).await;
            let desired = || ClusterSpec::new("small").with_name("mycluster").with_node_count(nodes);
            let options = || ApplyOptions::default().with_idempotency_key("key");
            let (one, other) = futures::join!(
                a.apply(&scene.cx, desired(), options()),
                after(turns, b.apply(&scene.cx, desired(), options())),
            );
            assert_eq!((one.unwrap().generation, other.unwrap().generation), (2, 2));
            gone(&scene, id).await;
        });
    }

    #[test]
    fn the_same_create_twice_under_one_key_makes_one_cluster(turns in 0usize..30) {
        in_runtime(async {
            let scene = Scene::new(1).await;
            scene.template().await;
            // Room for one: the twin must not be told that there is no room for it.
            let admin = scene.cx.clone().with_roles(["admin"]);
            scene.magnum.create_quota(&admin, &scene.cx.project_id, 1).await.unwrap();
            scene.interrupter.arm(None);
            let [a, b] = [scene.process(3), scene.process(4)];
            let spec = || ClusterSpec::new("small").with_name("mycluster");
            let options = || CreateOptions::default().with_idempotency_key("key");
            let (one, other) = futures::join!(
                a.create_cluster(&scene.cx, spec(), options()),
                after(turns, b.create_cluster(&scene.cx, spec(), options())),
            );
            let (one, other) = (one.unwrap(), other.unwrap());
            assert_eq!(one.id, other.id);
            gone(&scene, one.id).await;
        });
    }
}
