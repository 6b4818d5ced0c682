//! What a cluster becomes by what is seen of its infrastructure, whatever that is, and when its time is up.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::time::Duration;

use magnum::*;
use support::observer::{Observer, but};
use support::scene::Scene;

async fn make(scene: &Scene, name: &str, minutes: u32) -> ClusterId {
    let spec = ClusterSpec::new("small")
        .with_name(name)
        .with_create_timeout(minutes);
    scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap()
        .id
}

/// A whole cluster, and the eye on it.
async fn whole() -> (Observer, Scene, ClusterId) {
    let observer = Observer::default();
    let scene = observer.scene().await;
    scene.template().await;
    let id = make(&scene, "mycluster", 60).await;
    scene.settle().await;
    let made = scene.cluster(id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?}",
        made.status_reason
    );
    (observer, scene, id)
}

async fn grow(scene: &Scene, id: ClusterId, options: UpdateOptions) -> Cluster {
    scene
        .magnum
        .scale_cluster(&scene.cx, id, 2, options)
        .await
        .unwrap();
    scene.settle().await;
    scene.cluster(id).await.unwrap()
}

async fn goes(observer: &Observer, scene: &Scene, id: ClusterId) {
    observer.sees_clearly();
    scene.delete(id).await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

/// Minutes that passed between accepting the last operation and its end.
fn minutes(scene: &Scene, id: ClusterId) -> i64 {
    let mut events = scene.events.events();
    events.retain(|event| event.cluster_id == id);
    let [.., pending, ended] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(pending.outcome, Outcome::Pending);
    ended.at.duration_since(pending.at).as_secs() / 60
}

fn code(cluster: &Cluster) -> FailureCode {
    cluster.fault.as_ref().unwrap().code
}

#[tokio::test(start_paused = true)]
async fn a_create_ends_when_its_time_is_up() {
    let observer = Observer::default();
    let scene = observer.scene().await;
    scene.template().await;
    observer.sees(|_, seen| but(seen, Action::Create, Phase::InProgress));
    let id = make(&scene, "mycluster", 15).await;
    scene.settle().await;
    let ended = scene.cluster(id).await.unwrap();
    assert_eq!(ended.status, ClusterStatus::CREATE_FAILED);
    assert_eq!(code(&ended), FailureCode::Timeout, "{:?}", ended.status_reason);
    assert_eq!(minutes(&scene, id), 15);
    assert!(scene.leftovers().total() > 0, "its resources are kept");
    goes(&observer, &scene, id).await;
}

#[tokio::test(start_paused = true)]
async fn every_other_operation_ends_when_its_time_is_up() {
    let (observer, scene, id) = whole().await;
    observer.sees(|_, seen| but(seen, Action::Update, Phase::InProgress));
    let ended = grow(&scene, id, UpdateOptions::default()).await;
    assert_eq!(
        (ended.status, code(&ended)),
        (ClusterStatus::UPDATE_FAILED, FailureCode::Timeout)
    );
    assert_eq!(minutes(&scene, id), 60);

    scene.magnum.retry_cluster(&scene.cx, id).await.unwrap();
    scene.settle().await;
    let ended = scene.cluster(id).await.unwrap();
    assert_eq!(
        (ended.status, code(&ended)),
        (ClusterStatus::UPDATE_FAILED, FailureCode::Timeout)
    );

    observer.sees(|_, seen| but(seen, Action::Delete, Phase::InProgress));
    scene.delete(id).await;
    let ended = scene.cluster(id).await.unwrap();
    assert_eq!(
        (ended.status, code(&ended)),
        (ClusterStatus::DELETE_FAILED, FailureCode::Timeout)
    );
    let error = scene.magnum.retry_cluster(&scene.cx, id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "a removal is asked for again");
    goes(&observer, &scene, id).await;
}

#[tokio::test(start_paused = true)]
async fn the_result_of_an_earlier_change_is_none_of_this_one() {
    let (observer, scene, id) = whole().await;
    let before = scene.cluster(id).await.unwrap();
    let mut looks = 0;
    let old = before.node_addresses();
    observer.sees(move |_, seen| {
        looks += 1;
        if looks > 3 {
            return seen;
        }
        Observation {
            generation: Some(1),
            node_addresses: Some(old.clone()),
            ..but(seen, Action::Create, Phase::Complete)
        }
    });
    let ended = grow(&scene, id, UpdateOptions::default()).await;
    assert_eq!(
        ended.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        ended.status_reason
    );
    assert_eq!(ended.node_addresses().len(), 2, "not those of before");
    let told: Vec<ClusterStatus> = scene.events.events().iter().map(|e| e.status).collect();
    assert_eq!(
        told[told.len() - 2..],
        [ClusterStatus::UPDATE_IN_PROGRESS, ClusterStatus::UPDATE_COMPLETE]
    );
    goes(&observer, &scene, id).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_owner_does_in_heat_is_waited_for_and_a_rollback_there_is_a_failure() {
    let (observer, scene, id) = whole().await;
    let mut looks = 0;
    observer.sees(move |_, seen| {
        looks += 1;
        match looks {
            1..=3 => but(seen, Action::Check, Phase::InProgress),
            _ => seen,
        }
    });
    let ended = grow(&scene, id, UpdateOptions::default()).await;
    assert_eq!(
        ended.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        ended.status_reason
    );

    observer.sees(|_, seen| but(seen, Action::Rollback, Phase::Complete));
    let scale = scene
        .magnum
        .scale_cluster(&scene.cx, id, 3, UpdateOptions::default());
    scale.await.unwrap();
    scene.settle().await;
    let ended = scene.cluster(id).await.unwrap();
    assert_eq!(ended.status, ClusterStatus::UPDATE_FAILED);
    goes(&observer, &scene, id).await;
}

/// Sees the change fail, and then makes this of the way back.
fn fails_and_then(observer: &Observer, mut back: impl FnMut(Observation) -> Observation + Send + 'static) {
    observer.sees(move |cluster, seen| match cluster.status.action {
        Action::Rollback => back(seen),
        _ => Observation {
            reason: Some("No valid host was found.".into()),
            ..but(seen, Action::Update, Phase::Failed)
        },
    });
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_fails_tells_both_faults_and_can_be_retried() {
    let (observer, scene, id) = whole().await;
    fails_and_then(&observer, |seen| Observation {
        reason: Some("Quota exceeded for ports".into()),
        ..but(seen, Action::Update, Phase::Failed)
    });
    let ended = grow(&scene, id, UpdateOptions::default().with_rollback()).await;
    assert_eq!(ended.status, ClusterStatus::ROLLBACK_FAILED);
    let reason = ended.status_reason.clone().unwrap();
    assert!(reason.starts_with("capacity: No valid host"), "{reason}");
    assert!(reason.contains("Quota exceeded for ports"), "{reason}");
    assert_eq!(ended.node_count(), 1);

    observer.sees_clearly();
    scene.magnum.retry_cluster(&scene.cx, id).await.unwrap();
    scene.settle().await;
    let mended = scene.cluster(id).await.unwrap();
    assert_eq!(
        mended.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        mended.status_reason
    );
    assert_eq!(
        (mended.node_count(), mended.node_addresses().len()),
        (1, 1),
        "what is shown is there"
    );
    goes(&observer, &scene, id).await;
}

#[tokio::test(start_paused = true)]
async fn a_stack_removed_during_a_rollback_ends_it() {
    let (observer, scene, id) = whole().await;
    fails_and_then(&observer, |_| Observation::of(InfrastructureState::Absent));
    let ended = grow(&scene, id, UpdateOptions::default().with_rollback()).await;
    assert_eq!(ended.status, ClusterStatus::ROLLBACK_FAILED);
    goes(&observer, &scene, id).await;
}

#[tokio::test(start_paused = true)]
async fn one_cluster_whose_driver_breaks_does_not_keep_others() {
    let observer = Observer::default();
    let scene = observer.scene().await;
    scene.template().await;
    observer.sees(|cluster, seen| {
        assert_ne!(cluster.name, "broken", "the driver breaks");
        seen
    });
    let broken = make(&scene, "broken", 15).await;
    let good = make(&scene, "good", 60).await;
    scene.settle().await;
    assert_eq!(
        scene.cluster(good).await.unwrap().status,
        ClusterStatus::CREATE_COMPLETE
    );
    let ended = scene.cluster(broken).await.unwrap();
    assert_eq!(
        ended.status,
        ClusterStatus::CREATE_FAILED,
        "{:?}",
        ended.status_reason
    );
    assert_eq!(minutes(&scene, broken), 15);
    observer.sees_clearly();
    scene.delete(broken).await;
    goes(&observer, &scene, good).await;
}

#[tokio::test(start_paused = true)]
async fn a_look_that_shows_nothing_new_writes_nothing() {
    let observer = Observer::default();
    let scene = observer.scene().await;
    scene.template().await;
    observer.sees(|_, seen| Observation {
        progress: Progress { done: 1, total: 9 },
        ..but(seen, Action::Create, Phase::InProgress)
    });
    let id = make(&scene, "mycluster", 60).await;
    let conductor = scene.conductor(5);
    let steps = async |count: usize| {
        for _ in 0..count {
            conductor.step().await.unwrap();
            tokio::time::sleep(Duration::from_secs(11)).await;
        }
        scene.cluster(id).await.unwrap().revision
    };
    let after_some = steps(5).await;
    assert_eq!(steps(20).await, after_some);
}
