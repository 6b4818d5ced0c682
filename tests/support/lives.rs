//! The life of the guide's example of a COE on the simulated cloud.

use magnum::*;

use super::kubernetes::{existing, without_quotas};
use super::scene::Scene;

/// What a driver's clusters are like.
pub struct Expected {
    pub driver: &'static str,
    /// What `api_address` is around its host.
    pub scheme: &'static str,
    pub port: &'static str,
    pub coe_version: Option<&'static str>,
    pub container_version: Option<&'static str>,
}

/// Three masters and eight nodes are made, shrunk to two nodes, and deleted to nothing.
pub async fn lives(template: TemplateSpec, expected: &Expected) {
    let scene = Scene::new(1).await;
    without_quotas(&scene);
    existing(&scene, &["192.168.9.0/24"]);
    let before = scene.leftovers().total();
    let template = scene.magnum.create_template(&scene.cx, template).await.unwrap();
    let spec = ClusterSpec::new(template.id.to_string())
        .with_name("guide")
        .with_master_count(3)
        .with_node_count(8);
    let accepted = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let made = scene.cluster(accepted.id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?} {:?}",
        made.status_reason,
        made.fault
    );
    assert_eq!(made.driver.name, expected.driver);
    assert_eq!(made.master_addresses().len(), 3);
    assert_eq!(made.node_addresses().len(), 8);
    let address = made.api_address.clone().unwrap();
    let host = address
        .strip_prefix(expected.scheme)
        .and_then(|rest| rest.strip_suffix(expected.port));
    let host: std::net::IpAddr = host.unwrap_or_else(|| panic!("{address}")).parse().unwrap();
    assert!(host.to_string().starts_with("172.24.4."), "{address}");
    assert_eq!(made.coe_version.as_deref(), expected.coe_version);
    assert_eq!(made.container_version.as_deref(), expected.container_version);

    scene
        .magnum
        .scale_cluster(&scene.cx, made.id, 2, UpdateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let shrunk = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        shrunk.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        shrunk.status_reason
    );
    assert_eq!(shrunk.node_addresses(), made.node_addresses()[..2]);
    assert_eq!(shrunk.master_addresses(), made.master_addresses());

    scene.delete(made.id).await;
    assert_eq!(scene.cluster(made.id).await, None);
    assert_eq!(scene.leftovers().total(), before, "{}", scene.leftovers());
}
