//! What is refused, is moved, or comes late.

use std::time::Duration;

use magnum::openstack::sim::world::network::{FloatingIpSpec, NetworkSpec, SubnetSpec};
use magnum::openstack::sim::world::volume::VolumeSpec;
use magnum::*;

use super::support::kubernetes::{own_subnet, service};
use super::support::scene::Scene;
use super::{delete, foreigners, populated, until_observe};

#[tokio::test(start_paused = true)]
async fn a_floating_ip_that_its_owner_gave_to_another_server_stays() {
    let (scene, id) = populated().await;
    scene.refuse(Some(http::Method::DELETE), "/", 503);
    delete(&scene, id, DeleteOptions::default()).await;
    assert_eq!(
        scene.cluster(id).await.unwrap().status,
        ClusterStatus::DELETE_FAILED
    );
    scene.cloud.clear_faults();
    let web = foreigners(&scene);
    tokio::time::sleep(Duration::from_secs(120)).await;
    let project = &scene.cx.project_id;
    let floating_ip = scene.cloud.with(|world| {
        let balancers = world.load_balancing.balancers();
        let ports: Vec<String> = balancers.map(|b| b.vip_port_id.clone()).collect();
        let leads_to_one = |port: &Option<String>| port.as_ref().is_some_and(|port| ports.contains(port));
        let floating_ip = world
            .network
            .floating_ips()
            .find(|found| found.project_id == *project && leads_to_one(&found.port_id))
            .unwrap()
            .id
            .clone();
        let port = world.network.ports().find(|p| p.device_id == web).unwrap();
        let port = port.id.clone();
        world
            .associate_floating_ip(&floating_ip, Some(&port), None)
            .unwrap();
        floating_ip
    });
    delete(&scene, id, DeleteOptions::default()).await;
    let fault = scene.cluster(id).await.unwrap().fault.unwrap();
    assert!(fault.message.contains(&format!("server web ({web})")), "{fault}");
    assert!(
        scene
            .cloud
            .with(|world| world.find_floating_ip(&floating_ip).is_ok())
    );
}

#[tokio::test(start_paused = true)]
async fn by_force_the_stack_goes_also_when_a_look_fails() {
    let (scene, id) = populated().await;
    scene.refuse(Some(http::Method::GET), "/volume/v3", 503);
    delete(&scene, id, DeleteOptions::forced()).await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    let left = scene.leftovers();
    assert_eq!((left.volumes.len(), left.total()), (1, 1), "{left}");
    let left = scene.store.tombstone(id).await.unwrap().unwrap().leftovers;
    assert!(left.iter().any(|why| why.contains("Cinder")), "{left:?}");
    assert!(!left.iter().any(|thing| thing.starts_with("stack ")), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn by_force_the_stack_does_not_wait_for_ever_for_load_balancers() {
    let (scene, id) = populated().await;
    scene.refuse(Some(http::Method::DELETE), "/load-balancer", 409);
    delete(&scene, id, DeleteOptions::forced()).await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    assert_eq!(scene.leftovers().servers, [""; 0]);
    let left = scene.store.tombstone(id).await.unwrap().unwrap().leftovers;
    let named = format!("load balancer kube_service_{id}_default_");
    assert_eq!(
        left.iter().filter(|thing| thing.starts_with(&named)).count(),
        2,
        "{left:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_volume_and_a_load_balancer_elsewhere_that_come_while_the_stack_goes_are_removed_as_well() {
    let scene = Scene::of_kubernetes(5, Settings::default()).await;
    let project = &scene.cx.project_id;
    let shared = scene.cloud.with(|world| {
        let spec = NetworkSpec {
            name: "shared".into(),
            ..NetworkSpec::default()
        };
        let network_id = world.create_network(project, spec).unwrap().id;
        let spec = SubnetSpec {
            name: "shared".into(),
            network_id,
            cidr: "192.168.7.0/24".into(),
            ..SubnetSpec::default()
        };
        world.create_subnet(project, spec).unwrap().id
    });
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let mut cluster = scene.cluster(id).await.unwrap();
    cluster.template.fixed_subnet = Some(shared.clone());
    cluster.revision = cluster.revision.next();
    let commit = Commit::new().write(Write::PutCluster(Box::new(cluster)));
    scene.store.commit(commit).await.unwrap();
    let all = DeleteOptions::default().with_volumes(VolumePolicy::Delete);
    scene.magnum.delete_cluster(&scene.cx, id, all).await.unwrap();
    until_observe(&scene, id).await;
    scene.cloud.with(|world| {
        let spec = VolumeSpec {
            name: format!("{id}-dynamic-pvc-late"),
            size_gib: 1,
            ..VolumeSpec::default()
        };
        world.create_volume(project, spec).unwrap();
        service(world, project, id, "late", &shared, None);
    });
    scene.settle().await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    let left = scene.leftovers();
    assert_eq!((left.networks.len(), left.total()), (1, 2), "{left}");
}

#[tokio::test(start_paused = true)]
async fn volumes_that_may_not_be_seen_stop_no_delete_and_are_said() {
    for volumes in [VolumePolicy::Keep, VolumePolicy::Delete] {
        let (scene, id) = populated().await;
        scene.refuse(Some(http::Method::GET), "/volume/v3", 403);
        delete(&scene, id, DeleteOptions::default().with_volumes(volumes)).await;
        assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
        let left = scene.leftovers();
        assert_eq!((left.volumes.len(), left.total()), (1, 1), "{left}");
        let event = scene.events.events().pop().unwrap();
        let reason = event.reason.unwrap();
        assert!(
            reason.starts_with("volumes could not be looked for: Cinder"),
            "{reason}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn load_balancers_that_may_not_be_seen_are_named_where_they_hold_the_network() {
    let (scene, id) = populated().await;
    scene.refuse(None, "/load-balancer", 403);
    delete(&scene, id, DeleteOptions::default()).await;
    let fault = scene.cluster(id).await.unwrap().fault.unwrap();
    assert_eq!(fault.code, FailureCode::Dependency, "{fault}");
    assert!(fault.message.contains("; in the way: load balancer "), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn an_owner_who_is_gone_is_told_as_such() {
    let (scene, id) = populated().await;
    scene.cloud.remove_user(&scene.cx.user_id).unwrap();
    delete(&scene, id, DeleteOptions::default()).await;
    let fault = scene.cluster(id).await.unwrap().fault.unwrap();
    assert_eq!(fault.code, FailureCode::Authorization, "{fault}");
    assert!(
        fault
            .message
            .contains("an administrator must give back what is gone"),
        "{fault}"
    );
}

#[tokio::test(start_paused = true)]
async fn while_things_are_waited_for_errors_count_only_in_a_row() {
    let (scene, id) = populated().await;
    let options = DeleteOptions::default();
    scene.magnum.delete_cluster(&scene.cx, id, options).await.unwrap();
    let conductor = scene.conductor(3);
    for _ in 0..Settings::default().attempts + 1 {
        for status in [503, 409] {
            scene.refuse(Some(http::Method::DELETE), "/load-balancer", status);
            conductor.step().await.unwrap();
            scene.cloud.clear_faults();
            tokio::time::sleep(Duration::from_secs(31)).await;
        }
    }
    assert_eq!(
        scene.cluster(id).await.unwrap().status,
        ClusterStatus::DELETE_IN_PROGRESS
    );
    scene.settle().await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
}

#[tokio::test(start_paused = true)]
async fn the_project_is_not_looked_through_again_only_to_wait_for_load_balancers() {
    let (scene, id) = populated().await;
    scene.refuse(Some(http::Method::DELETE), "/load-balancer", 409);
    let options = DeleteOptions::default();
    scene.magnum.delete_cluster(&scene.cx, id, options).await.unwrap();
    scene.cloud.clear_requests();
    let conductor = scene.conductor(3);
    for _ in 0..10 {
        conductor.step().await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let requests = scene.cloud.requests();
    let looks = requests
        .iter()
        .filter(|r| r.path.contains("/volumes/detail"))
        .count();
    assert_eq!(looks, 1);
    // What comes meanwhile is found all the same: a floating IP of what is known, and another load balancer.
    let project = &scene.cx.project_id;
    scene.cloud.with(|world| {
        let balancers = world.load_balancing.balancers();
        let port = balancers.map(|b| b.vip_port_id.clone()).next().unwrap();
        let public = world.resolve_network(project, "public").unwrap().id.clone();
        let spec = FloatingIpSpec {
            floating_network_id: public,
            port_id: Some(port),
            ..FloatingIpSpec::default()
        };
        // It may have one already.
        world.create_floating_ip(project, spec).ok();
        let subnet = own_subnet(world, project).id;
        service(world, project, id, "late", &subnet, None);
    });
    scene.cloud.clear_faults();
    scene.settle().await;
    assert_eq!(scene.cluster(id).await.map(|c| c.status_reason), None);
    let left = scene.leftovers();
    assert_eq!((left.volumes.len(), left.total()), (1, 1), "{left}");
}
