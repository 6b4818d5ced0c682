//! Plans: what a plan says is what applying it does.
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
use std::sync::Arc;

use magnum::openstack::{Call, Service};
use magnum::*;
use proptest::prelude::*;
use support::reshaping;
use support::scene::{Scene, demo, openstack};

/// Nodes, flavor, masters and key pair.
type Wanted = (u32, Option<&'static str>, Option<u32>, Option<&'static str>);

fn desired(nodes: u32) -> ClusterSpec {
    ClusterSpec::new("small")
        .with_name("mycluster")
        .with_node_count(nodes)
}

/// The project's servers: name, id and flavor.
async fn servers(scene: &Scene) -> BTreeMap<String, (String, String)> {
    let cloud = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let auth = Auth::Token(cloud.login(demo()).await.unwrap());
    let call = Call::get(Service::COMPUTE, "server.list", "/servers/detail");
    let answer: serde_json::Value = cloud.call(&auth, &call).await.unwrap().json().unwrap();
    let servers = answer["servers"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    servers
        .iter()
        .map(|s| (text(&s["name"]), (text(&s["id"]), text(&s["flavor"]["id"]))))
        .collect()
}

async fn flavor_id(scene: &Scene, name: &str) -> String {
    let cloud = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let auth = Auth::Token(scene.cx.token.clone().unwrap());
    cloud.catalog().flavor(&auth, name).await.unwrap().id
}

async fn settled(scene: &Scene) -> Cluster {
    scene.settle().await;
    scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_desired_state_without_a_cluster_makes_it_and_then_is_nothing() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let plan = scene.magnum.plan(&scene.cx, &desired(2)).await.unwrap();
    assert!(plan.creates());
    let options = ApplyOptions::default().with_idempotency_key("one");
    let made = scene
        .magnum
        .apply(&scene.cx, desired(2), options.clone())
        .await
        .unwrap();
    assert_eq!(made.status, ClusterStatus::CREATE_IN_PROGRESS);
    let again = scene
        .magnum
        .apply(&scene.cx, desired(2), options.clone())
        .await
        .unwrap();
    assert_eq!((again.id, again.generation), (made.id, made.generation));
    let cluster = settled(&scene).await;
    let plan = scene.magnum.plan(&scene.cx, &desired(2)).await.unwrap();
    assert_eq!((plan.cluster, plan.effect()), (Some(made.id), Effect::Nothing));
    let same = scene
        .magnum
        .apply(&scene.cx, desired(2), ApplyOptions::default())
        .await
        .unwrap();
    assert_eq!(same, cluster, "nothing was changed, not even the row");
    let error = scene
        .magnum
        .apply(&scene.cx, desired(3), options)
        .await
        .unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Conflict,
        "the key came with another desired state"
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_under_a_key_is_done_once() {
    let scene = Scene::new(1).await;
    scene.template().await;
    scene.accept(1).await;
    settled(&scene).await;
    let options = ApplyOptions::default().with_idempotency_key("grow");
    scene
        .magnum
        .apply(&scene.cx, desired(2), options.clone())
        .await
        .unwrap();
    let grown = settled(&scene).await;
    scene
        .magnum
        .scale_cluster(&scene.cx, grown.id, 1, UpdateOptions::default())
        .await
        .unwrap();
    let shrunk = settled(&scene).await;
    let repeated = scene.magnum.apply(&scene.cx, desired(2), options).await.unwrap();
    assert_eq!(
        repeated, shrunk,
        "a repeated request does not undo what came after it"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_impossible_is_named_all_of_it_and_nothing_is_done() {
    let scene = Scene::new(1).await;
    scene.template().await;
    scene.accept(1).await;
    let cluster = settled(&scene).await;
    let wanted = ClusterSpec {
        keypair: Some("another".into()),
        flavor_id: Some("m1.medium".into()),
        ..desired(3)
    };
    let plan = scene.magnum.plan(&scene.cx, &wanted).await.unwrap();
    assert_eq!(plan.effect(), Effect::Impossible);
    let effects: BTreeMap<&str, Effect> = plan.fields.iter().map(|f| (f.field.as_str(), f.effect)).collect();
    assert_eq!(effects["node_count"], Effect::InPlace);
    assert_eq!(effects["master_count"], Effect::Nothing);
    assert_eq!(
        (effects["keypair"], effects["flavor_id"]),
        (Effect::Impossible, Effect::Impossible)
    );
    let error = scene
        .magnum
        .apply(&scene.cx, wanted, ApplyOptions::default())
        .await
        .unwrap_err();
    let named: Vec<&str> = error.problems().iter().map(|p| p.field.as_str()).collect();
    assert_eq!(named, ["keypair", "flavor_id"]);
    assert_eq!(
        scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap(),
        cluster
    );
}

#[tokio::test(start_paused = true)]
async fn a_flavor_by_its_id_is_the_same_flavor() {
    let scene = Scene::new(1).await;
    scene.template().await;
    scene.accept(1).await;
    let cluster = settled(&scene).await;
    let cloud = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let flavor = cloud
        .catalog()
        .flavor(&Auth::Token(scene.cx.token.clone().unwrap()), "m1.small")
        .await
        .unwrap();
    let wanted = ClusterSpec {
        flavor_id: Some(flavor.id),
        ..desired(1)
    };
    let plan = scene.magnum.plan(&scene.cx, &wanted).await.unwrap();
    assert_eq!(plan.effect(), Effect::Nothing, "{plan:?}");
    assert_eq!(plan.generation, Some(cluster.generation));
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_held_to_its_generation() {
    let scene = Scene::new(1).await;
    scene.template().await;
    scene.accept(1).await;
    settled(&scene).await;
    let plan = scene.magnum.plan(&scene.cx, &desired(2)).await.unwrap();
    scene
        .magnum
        .apply(&scene.cx, desired(3), ApplyOptions::default())
        .await
        .unwrap();
    settled(&scene).await;
    let options = ApplyOptions::default().with_expected_generation(plan.generation.unwrap());
    let error = scene
        .magnum
        .apply(&scene.cx, desired(2), options)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stale);
}

/// What a desired state may ask for of a driver that can reshape.
fn wanted() -> impl Strategy<Value = Wanted> {
    (
        1u32..4,
        proptest::option::of(proptest::sample::select(vec!["m1.small", "m1.medium", "m1.tiny"])),
        proptest::option::of(1u32..3),
        proptest::option::of(proptest::sample::select(vec!["testkey", "another"])),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_plan_says_is_what_happens(
        replaces: bool,
        nodes in 1u32..4,
        changes in proptest::collection::vec(wanted(), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(planned_and_done(replaces, nodes, changes));
    }
}

async fn planned_and_done(replaces: bool, nodes: u32, changes: Vec<Wanted>) {
    let scene = reshaping::scene(replaces).await;
    scene.template().await;
    scene.accept(nodes).await;
    settled(&scene).await;
    for (nodes, flavor, masters, keypair) in changes {
        let before = scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap();
        let there = servers(&scene).await;
        let wanted = ClusterSpec {
            flavor_id: flavor.map(str::to_owned),
            master_count: masters.unwrap_or(1),
            keypair: keypair.map(str::to_owned),
            ..desired(nodes)
        };
        let plan = scene.magnum.plan(&scene.cx, &wanted).await.unwrap();
        assert_eq!(
            scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap(),
            before,
            "a plan changes nothing"
        );
        let applied = scene
            .magnum
            .apply(&scene.cx, wanted.clone(), ApplyOptions::default())
            .await;
        if plan.effect() == Effect::Impossible {
            assert_eq!(applied.unwrap_err().kind(), ErrorKind::InvalidInput);
            assert_eq!(
                scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap(),
                before
            );
            assert_eq!(servers(&scene).await, there);
            continue;
        }
        applied.unwrap();
        let after = settled(&scene).await;
        let now = servers(&scene).await;
        assert_eq!(now.len() as u32, nodes, "{plan:?}");
        assert_eq!(after.node_count(), nodes);
        if let Some(flavor) = flavor {
            let id = flavor_id(&scene, flavor).await;
            assert!(now.values().all(|(_, flavor)| *flavor == id), "{flavor}: {now:?}");
        }
        let flavors: Vec<&String> = now.values().map(|(_, flavor)| flavor).collect();
        assert!(flavors.windows(2).all(|two| two[0] == two[1]), "{flavors:?}");
        let kept = there
            .iter()
            .filter(|(name, (id, _))| now.get(*name).is_some_and(|(i, _)| i == id));
        let (kept, stay) = (kept.count(), there.len().min(now.len()));
        match plan.effect() {
            Effect::Nothing => {
                assert_eq!(after, before);
                assert_eq!(now, there);
            }
            Effect::InPlace => {
                assert_eq!(
                    after.status,
                    ClusterStatus::UPDATE_COMPLETE,
                    "{:?}",
                    after.status_reason
                );
                assert_eq!(kept, stay, "servers that stay are the same: {there:?} {now:?}");
            }
            Effect::ReplacesNodes => {
                assert_eq!(
                    after.status,
                    ClusterStatus::UPDATE_COMPLETE,
                    "{:?}",
                    after.status_reason
                );
                assert_eq!(kept, 0, "all servers are others: {there:?} {now:?}");
            }
            other => panic!("{other}"),
        }
        let plan = scene.magnum.plan(&scene.cx, &wanted).await.unwrap();
        assert_eq!(plan.effect(), Effect::Nothing, "it is as desired now: {plan:?}");
    }
    let id = scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap().id;
    scene.delete(id).await;
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}
