//! Deleting a cluster that has made load balancers and volumes by itself, among things that are not its own.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod driven;
mod refused;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use magnum::openstack::sim::world::compute::{NetworkRequest, ServerSpec};
use magnum::openstack::sim::world::network::{NetworkSpec, SubnetSpec};
use magnum::openstack::sim::world::volume::VolumeSpec;
use magnum::*;
use support::kubernetes::{driver, own_subnet, populate, service};
use support::scene::Scene;
use uuid::Uuid;

/// A cluster that is up and has made what Kubernetes makes.
async fn populated() -> (Scene, ClusterId) {
    let scene = Scene::of_kubernetes(5, Settings::default()).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    populate(&scene, id).await;
    (scene, id)
}

async fn delete(scene: &Scene, id: ClusterId, options: DeleteOptions) {
    scene.magnum.delete_cluster(&scene.cx, id, options).await.unwrap();
    scene.settle().await;
}

/// A server on the cluster's network, and on a network of its own a load balancer; beside them a volume. All of the
/// same project, and of another cluster by their names. Returns the server's id.
fn foreigners(scene: &Scene) -> String {
    let project = &scene.cx.project_id;
    let other = ClusterId(Uuid::from_u128(7));
    scene.cloud.with(|world| {
        let network_id = own_subnet(world, project).network_id;
        let spec = ServerSpec {
            name: "web".into(),
            user_id: scene.cx.user_id.clone(),
            image_id: world.images.images().next().unwrap().id.clone(),
            flavor_id: world.compute.flavors().next().unwrap().id.clone(),
            networks: vec![NetworkRequest::Network {
                network_id,
                fixed_ip: None,
            }],
            ..ServerSpec::default()
        };
        let server = world.create_server(project, spec).unwrap();
        let spec = NetworkSpec {
            name: "theirs".into(),
            ..NetworkSpec::default()
        };
        let network_id = world.create_network(project, spec).unwrap().id;
        let spec = SubnetSpec {
            name: "theirs".into(),
            network_id,
            cidr: "192.168.7.0/24".into(),
            ..SubnetSpec::default()
        };
        let subnet = world.create_subnet(project, spec).unwrap().id;
        service(world, project, other, "theirs", &subnet, None);
        let spec = VolumeSpec {
            name: format!("{other}-dynamic-pvc-1"),
            size_gib: 1,
            ..VolumeSpec::default()
        };
        world.create_volume(project, spec).unwrap();
        server.id
    })
}

async fn a_foreign_server_is_named_and_the_rest_goes(volumes: VolumePolicy) {
    let (scene, id) = populated().await;
    let server = foreigners(&scene);
    delete(&scene, id, DeleteOptions::default().with_volumes(volumes)).await;
    let stuck = scene.cluster(id).await.unwrap();
    assert_eq!(stuck.status, ClusterStatus::DELETE_FAILED);
    let fault = stuck.fault.unwrap();
    assert_eq!(fault.code, FailureCode::Dependency, "{fault}");
    assert!(
        fault.message.contains(&format!(
            "; in the way: server web ({server}) with address 10.0.0."
        )),
        "{fault}"
    );
    assert!(
        fault
            .message
            .ends_with(" on the cluster's network; remove it and delete again"),
        "{fault}"
    );
    let left = scene.leftovers();
    assert_eq!(
        (left.servers.as_slice(), left.floating_ips.len()),
        (&["web".to_owned()][..], 0),
        "{left}"
    );
    assert_eq!(left.load_balancers.len(), 1, "{left}");
    assert_eq!(left.volumes.len(), 2, "{left}");

    scene.cloud.with(|world| world.delete_server(&server).unwrap());
    delete(&scene, id, DeleteOptions::default().with_volumes(volumes)).await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    assert_eq!(scene.store.ledger(id).await.unwrap(), []);
    let mut left = scene.leftovers();
    let reason = scene.events.events().pop().unwrap().reason;
    if volumes == VolumePolicy::Keep {
        let kept = format!("{id}-dynamic-pvc-1");
        assert!(reason.unwrap().starts_with(&format!("kept volume {kept} (")));
        left.volumes.retain(|name| *name != kept);
    } else {
        assert_eq!(reason, None);
    }
    let other = Uuid::from_u128(7);
    assert_eq!(left.volumes, [format!("{other}-dynamic-pvc-1")]);
    assert_eq!(
        left.load_balancers,
        [format!("kube_service_{other}_default_theirs")]
    );
    assert_eq!(
        (left.networks.as_slice(), left.ports.len()),
        (&["theirs".to_owned()][..], 1),
        "{left}"
    );
    assert_eq!(left.total(), 5, "{left}");
}

#[tokio::test(start_paused = true)]
async fn a_foreign_server_is_named_and_volumes_are_kept() {
    a_foreign_server_is_named_and_the_rest_goes(VolumePolicy::Keep).await;
}

#[tokio::test(start_paused = true)]
async fn a_foreign_server_is_named_and_volumes_go() {
    a_foreign_server_is_named_and_the_rest_goes(VolumePolicy::Delete).await;
}

async fn until_observe(scene: &Scene, id: ClusterId) {
    let conductor = scene.conductor(3);
    loop {
        let operation = scene.store.active_operation(id).await.unwrap().unwrap();
        if operation.step == Step::Observe {
            break;
        }
        conductor.step().await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_comes_while_the_stack_goes_is_removed_as_well() {
    let (scene, id) = populated().await;
    scene
        .magnum
        .delete_cluster(&scene.cx, id, DeleteOptions::default())
        .await
        .unwrap();
    until_observe(&scene, id).await;
    let project = &scene.cx.project_id;
    scene.cloud.with(|world| {
        let subnet = own_subnet(world, project).id;
        service(world, project, id, "late", &subnet, None);
    });
    scene.settle().await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    let left = scene.leftovers();
    assert_eq!((left.volumes.len(), left.total()), (1, 1), "{left}");
}

#[tokio::test(start_paused = true)]
async fn another_policy_takes_over_and_force_stays() {
    let (scene, id) = populated().await;
    let ask = |options: DeleteOptions| scene.magnum.delete_cluster(&scene.cx, id, options);
    let first = ask(DeleteOptions::forced()).await.unwrap();
    assert_eq!(
        ask(DeleteOptions::default()).await.unwrap().generation,
        first.generation
    );
    let second = ask(DeleteOptions::default().with_volumes(VolumePolicy::Delete))
        .await
        .unwrap();
    assert_eq!(second.generation, first.generation + 1);
    let kind = scene.store.active_operation(id).await.unwrap().unwrap().kind;
    let volumes = VolumePolicy::Delete;
    assert_eq!(kind, OperationKind::Delete { force: true, volumes });
    scene.settle().await;
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn what_is_adopted_goes_also_when_the_driver_is_gone() {
    let (mut scene, id) = populated().await;
    scene
        .magnum
        .delete_cluster(&scene.cx, id, DeleteOptions::default())
        .await
        .unwrap();
    scene.conductor(3).step().await.unwrap();
    let adopted = scene.store.ledger(id).await.unwrap();
    assert!(
        adopted
            .iter()
            .any(|entry| matches!(entry.owned, Owned::LoadBalancer { .. }))
    );
    scene.drivers = vec![driver("another")];
    let delete_volumes = DeleteOptions::default().with_volumes(VolumePolicy::Delete);
    delete(&scene, id, delete_volumes).await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_cannot_be_removed_fails_the_delete_by_name_or_is_left_by_force() {
    let (scene, id) = populated().await;
    scene.refuse(Some(http::Method::DELETE), "/load-balancer", 503);
    delete(&scene, id, DeleteOptions::default()).await;
    let fault = scene.cluster(id).await.unwrap().fault.unwrap();
    assert_eq!(fault.code, FailureCode::Dependency, "{fault}");
    let named = format!("load balancer kube_service_{id}_default_");
    assert!(fault.resource.as_ref().unwrap().starts_with(&named), "{fault}");
    let left = scene.leftovers();
    assert_eq!(left.stacks.len(), 1, "the stack is not touched before: {left}");

    delete(&scene, id, DeleteOptions::forced()).await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    // The load balancers hold the stack's network, but what it runs has gone: it was not given up for their sake.
    assert_eq!(scene.leftovers().servers, [""; 0]);
    let left = scene.store.tombstone(id).await.unwrap().unwrap().leftovers;
    let names = |what: &str| left.iter().filter(|thing| thing.starts_with(what)).count();
    assert_eq!(
        (names(&named), names("kept volume "), names("stack ")),
        (2, 1, 1),
        "{left:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_never_had_a_stack_is_deleted_without_looking() {
    let scene = Scene::of_kubernetes(5, Settings::default()).await;
    scene.template().await;
    scene.refuse(Some(http::Method::POST), "/orchestration", 503);
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let failed = scene.cluster(id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::CREATE_FAILED);
    scene.cloud.clear_requests();
    delete(&scene, id, DeleteOptions::default()).await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    assert!(scene.cloud.requests().is_empty());
}
