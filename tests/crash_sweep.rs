//! For every call of the conductor through a port, and each way in which it can go wrong: the operation still
//! ends, and when the cluster is gone nothing of it is left.
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
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use magnum::openstack::sim::{At, Effect, Fault as Injected};
use magnum::openstack::{Credentials, DomainRef, Named};
use magnum::*;
use support::interrupt::{CREATE_CHANGES, DELETE_CHANGES, Outcome};
use support::kubernetes;
use support::scene::{Scene, openstack};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Create,
    /// Of a cluster with authorities and keys of its own, and a trust on its servers.
    CreateKubernetes,
    /// Of a cluster whose certificates are kept by Barbican.
    CreateInBarbican,
    Scale,
    /// A scale for which the cloud has no room, and back.
    RollBack,
    /// A create for which the cloud has no room, and the removal of what it made.
    Unwind,
    /// A create for which the cloud had no room, tried again.
    Resume,
    /// The first part of a change of authorities.
    Rotate,
    /// Its second part.
    RotateFinish,
    Delete,
    /// Of a cluster whose certificates are kept by Barbican.
    DeleteInBarbican,
    /// Of a cluster whose owner is gone, by somebody else.
    DeleteByColleague,
    /// Of a cluster that made load balancers and a volume by itself.
    DeleteMade,
}

/// How a run goes wrong.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Call(u64, Outcome),
    /// The conductor's future is dropped after this many polls.
    Poll(u64),
    None,
}

struct Ended {
    calls: Vec<String>,
    polls: u64,
    status: Option<ClusterStatus>,
}

/// One whole run in a runtime of its own: prepare, harm, recover, remove.
fn run(kind: Kind, harm: Harm) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut settings = Settings::default();
        // Fewer looks at a stack that is being made: each look is like the one before.
        settings.poll_interval = Duration::from_secs(60);
        let scene = match kind {
            Kind::DeleteMade => Scene::of_kubernetes(7, settings).await,
            Kind::CreateInBarbican | Kind::DeleteInBarbican => Scene::of_barbican(7, settings).await,
            Kind::Rotate | Kind::RotateFinish => Scene::renewing(7, settings, Duration::from_secs(60)).await,
            _ => Scene::with(7, settings).await,
        };
        if kind == Kind::CreateKubernetes {
            let spec = TemplateSpec {
                volume_driver: Some("cinder".into()),
                ..TemplateSpec::new("kubernetes", "fedora-atomic", "public")
                    .with_keypair("testkey")
                    .with_name("small")
            };
            scene.magnum.create_template(&scene.cx, spec).await.unwrap();
        } else {
            scene.template().await;
        }
        if matches!(kind, Kind::Unwind | Kind::Resume) {
            no_room(&scene);
        }
        let id = accept(&scene, kind).await;
        let creates = matches!(
            kind,
            Kind::Create | Kind::CreateKubernetes | Kind::CreateInBarbican | Kind::Unwind
        );
        if !creates {
            scene.settle().await;
        }
        let options = DeleteOptions::default().with_volumes(VolumePolicy::Delete);
        match kind {
            Kind::Create | Kind::CreateKubernetes | Kind::CreateInBarbican | Kind::Unwind => {}
            Kind::Scale | Kind::RollBack => {
                let mut options = UpdateOptions::default();
                if kind == Kind::RollBack {
                    no_room(&scene);
                    options = options.with_rollback();
                }
                scene
                    .magnum
                    .scale_cluster(&scene.cx, id, 2, options)
                    .await
                    .unwrap();
            }
            Kind::Rotate => {
                scene.magnum.ca_rotate(&scene.cx, id).await.unwrap();
            }
            Kind::RotateFinish => {
                scene.magnum.ca_rotate(&scene.cx, id).await.unwrap();
                scene.settle().await;
                scene.magnum.ca_rotate_finish(&scene.cx, id).await.unwrap();
            }
            Kind::Resume => {
                scene.cloud.clear_faults();
                scene.magnum.retry_cluster(&scene.cx, id).await.unwrap();
            }
            Kind::DeleteByColleague => {
                let other = colleague(&scene).await;
                scene.cloud.remove_user(&scene.cx.user_id).unwrap();
                scene.magnum.delete_cluster(&other, id, options).await.unwrap();
            }
            Kind::Delete | Kind::DeleteMade | Kind::DeleteInBarbican => {
                if kind == Kind::DeleteMade {
                    kubernetes::populate(&scene, id).await;
                }
                scene.magnum.delete_cluster(&scene.cx, id, options).await.unwrap();
            }
        }
        scene.interrupter.arm(match harm {
            Harm::Call(at, outcome) => Some((at, outcome)),
            _ => None,
        });
        let mut polls = 0;
        {
            let conductor = scene.conductor(3);
            let mut work = pin!(until_idle(&conductor));
            let limit = match harm {
                Harm::Poll(limit) => limit,
                _ => u64::MAX,
            };
            let counted = std::future::poll_fn(|cx: &mut Context<'_>| {
                if polls == limit {
                    return Poll::Ready(());
                }
                polls += 1;
                work.as_mut().poll(cx)
            });
            tokio::select! {
                biased;
                () = scene.interrupter.crashed.notified() => {}
                done = tokio::time::timeout(Duration::from_secs(30 * 86_400), counted) => {
                    done.unwrap_or_else(|_| panic!("{kind:?} {harm:?}: never ends"));
                }
            }
        }
        let calls = scene.interrupter.calls();
        scene.settle().await;
        let status = scene.cluster(id).await.map(|cluster| {
            assert!(
                cluster.status.is_settled(),
                "{kind:?} {harm:?}: {}",
                cluster.status
            );
            assert!(
                cluster.status.phase == Phase::Complete || cluster.status_reason.is_some(),
                "{kind:?} {harm:?}: failed without a reason"
            );
            assert_ne!(
                cluster.status,
                ClusterStatus::DELETE_COMPLETE,
                "{kind:?} {harm:?}: gone, yet there"
            );
            cluster.status
        });
        assert_eq!(
            scene.store.active_operation(id).await.unwrap(),
            None,
            "{kind:?} {harm:?}"
        );
        if kind == Kind::Unwind {
            let left = scene.leftovers();
            assert_eq!(
                left.total(),
                0,
                "{kind:?} {harm:?} left {left}; calls: {calls:#?}"
            );
        }
        if matches!(kind, Kind::Rotate | Kind::RotateFinish) {
            let rotation = scene.cluster(id).await.unwrap().rotation;
            let overlap = rotation.is_some_and(|rotation| rotation.stage == RotationStage::Overlap);
            assert_eq!(overlap, kind == Kind::Rotate, "{kind:?} {harm:?}");
            let ledger = scene.store.ledger(id).await.unwrap();
            let certificates = ledger
                .iter()
                .filter(|entry| matches!(entry.owned, Owned::Certificate { .. }));
            let expected = if kind == Kind::Rotate { 4 } else { 2 };
            assert_eq!(certificates.count(), expected, "{kind:?} {harm:?}");
        }
        if kind == Kind::RollBack {
            let nodes = scene.cluster(id).await.unwrap().node_count();
            assert_eq!(nodes, 1, "{kind:?} {harm:?}");
        }
        if status.is_some() {
            scene.delete(id).await;
        }
        assert_eq!(
            scene.cluster(id).await.map(|c| c.status_reason),
            None,
            "{kind:?} {harm:?}"
        );
        let left = scene.leftovers();
        assert_eq!(
            left.total(),
            0,
            "{kind:?} {harm:?} left {left}; calls: {calls:#?}"
        );
        assert_eq!(scene.store.ledger(id).await.unwrap(), [], "{kind:?} {harm:?}");
        for role in ["ca", "client", "etcd", "service-account", "ca.1", "client.1"] {
            let kept = scene
                .store
                .key_pairs(&format!("magnum-{id}-{role}"))
                .await
                .unwrap();
            assert_eq!(kept, [], "{kind:?} {harm:?} left a certificate");
        }
        let events = scene.events.events();
        let gone = events
            .iter()
            .filter(|e| e.status == ClusterStatus::DELETE_COMPLETE)
            .count();
        assert!(gone >= 1, "{kind:?} {harm:?}: nobody was told");
        Ended { calls, polls, status }
    })
}

async fn colleague(scene: &Scene) -> RequestContext {
    let (name, project) = ("colleague", &scene.cx.project_id);
    scene
        .cloud
        .add_user(name, "secret", project, &["member"])
        .unwrap();
    let login = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let credentials = Credentials::password(Named::new(name, DomainRef::id("default")), "secret");
    let token = login
        .login(credentials.in_project(Named::id(project)))
        .await
        .unwrap();
    RequestContext::from_token(token)
}

async fn accept(scene: &Scene, kind: Kind) -> ClusterId {
    let mut spec = ClusterSpec::new("small").with_name("mycluster");
    if kind == Kind::Unwind {
        spec = spec.with_on_create_failure(OnCreateFailure::Delete);
    }
    scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap()
        .id
}

/// From now on no server finds a host.
fn no_room(scene: &Scene) {
    let at = At::Resource {
        resource_type: "OS::Nova::Server".into(),
        name: "docker_host".into(),
    };
    let reason = "Went to status ERROR due to \"No valid host was found.\"";
    scene
        .cloud
        .inject(Injected::always(at, Effect::ResourceFailure(reason.into())));
}

/// A store that fails ends a step; a host goes on.
async fn until_idle(conductor: &Conductor) {
    while conductor.run_until_idle().await.is_err() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn sweep(kind: Kind, good: Option<ClusterStatus>) {
    sweep_those(kind, good, |_| true);
}

/// Only the calls that are wanted go wrong.
fn sweep_those(kind: Kind, good: Option<ClusterStatus>, wanted: impl Fn(&str) -> bool) {
    let plain = run(kind, Harm::None);
    assert_eq!(plain.status, good);
    let struck: Vec<u64> = (0..)
        .zip(&plain.calls)
        .filter_map(|(at, call)| wanted(call).then_some(at))
        .collect();
    assert!(!struck.is_empty(), "{kind:?}: no such call in {:#?}", plain.calls);
    let mut ended = std::collections::BTreeMap::new();
    let mut runs = 0;
    for &at in &struck {
        for outcome in Outcome::ALL {
            let status = run(kind, Harm::Call(at, outcome)).status;
            // A single mishap, wherever it strikes, is survived: the operation is done in the end.
            assert_eq!(
                status, good,
                "{kind:?} {at} {outcome:?}: {}",
                plain.calls[at as usize]
            );
            *ended
                .entry(status.map_or("gone".to_owned(), |s| s.to_string()))
                .or_insert(0) += 1;
            runs += 1;
        }
    }
    println!(
        "{kind:?}: {} port calls x {} outcomes = {runs} runs, ended {ended:?}, 0 left",
        struck.len(),
        4
    );
}

/// The other calls are those of clusters whose certificates are in the store.
fn to_barbican(call: &str) -> bool {
    call.contains(" /key-manager/")
}

fn drops(kind: Kind) {
    let polls = run(kind, Harm::None).polls;
    for at in 0..polls {
        run(kind, Harm::Poll(at));
    }
    println!("{kind:?}: dropped at each of {polls} polls, all ended, 0 left");
}

#[test]
fn every_call_of_a_create_can_go_wrong() {
    sweep(Kind::Create, Some(ClusterStatus::CREATE_COMPLETE));
}

#[test]
fn every_call_of_a_create_of_kubernetes_can_go_wrong() {
    sweep(Kind::CreateKubernetes, Some(ClusterStatus::CREATE_COMPLETE));
}

#[test]
fn every_call_to_barbican_of_a_create_can_go_wrong() {
    let good = Some(ClusterStatus::CREATE_COMPLETE);
    sweep_those(Kind::CreateInBarbican, good, to_barbican);
}

#[test]
fn every_call_of_a_change_of_authorities_can_go_wrong() {
    sweep(Kind::Rotate, Some(ClusterStatus::UPDATE_COMPLETE));
    drops(Kind::Rotate);
}

#[test]
fn every_call_of_the_end_of_a_change_of_authorities_can_go_wrong() {
    sweep(Kind::RotateFinish, Some(ClusterStatus::UPDATE_COMPLETE));
    drops(Kind::RotateFinish);
}

#[test]
fn every_call_of_a_delete_by_a_colleague_can_go_wrong() {
    sweep(Kind::DeleteByColleague, None);
}

#[test]
fn every_call_of_a_scale_can_go_wrong() {
    sweep(Kind::Scale, Some(ClusterStatus::UPDATE_COMPLETE));
}

#[test]
fn every_call_of_a_scale_that_is_rolled_back_can_go_wrong() {
    sweep(Kind::RollBack, Some(ClusterStatus::ROLLBACK_COMPLETE));
}

#[test]
fn every_call_of_a_create_that_fails_and_is_removed_can_go_wrong() {
    sweep(Kind::Unwind, Some(ClusterStatus::CREATE_FAILED));
}

#[test]
fn every_call_of_a_retried_create_can_go_wrong() {
    sweep(Kind::Resume, Some(ClusterStatus::CREATE_COMPLETE));
}

#[test]
fn every_call_of_a_delete_can_go_wrong() {
    sweep(Kind::Delete, None);
}

#[test]
fn every_call_to_barbican_of_a_delete_can_go_wrong() {
    sweep_those(Kind::DeleteInBarbican, None, to_barbican);
}

#[test]
fn every_call_of_a_delete_of_what_a_cluster_made_can_go_wrong() {
    sweep(Kind::DeleteMade, None);
}

#[test]
fn a_create_can_be_dropped_at_every_poll() {
    drops(Kind::Create);
}

#[test]
fn a_scale_can_be_dropped_at_every_poll() {
    drops(Kind::Scale);
}

#[test]
fn a_delete_can_be_dropped_at_every_poll() {
    drops(Kind::Delete);
}

#[test]
fn a_delete_of_what_a_cluster_made_can_be_dropped_at_every_poll() {
    drops(Kind::DeleteMade);
}

/// The tests on real services kill a conductor at each of these.
#[tokio::test(start_paused = true)]
async fn an_operation_has_as_many_changes_as_are_swept_elsewhere() {
    let scene = Scene::new(7).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    for expected in [CREATE_CHANGES, DELETE_CHANGES] {
        scene.interrupter.arm_changes(None);
        scene.conductor(3).run_until_idle().await.unwrap();
        let changes = scene.interrupter.calls();
        assert_eq!(changes.len() as u64, expected, "{changes:#?}");
        if scene.cluster(id).await.is_some() {
            scene
                .magnum
                .delete_cluster(&scene.cx, id, DeleteOptions::default())
                .await
                .unwrap();
        }
    }
}
