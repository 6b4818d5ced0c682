//! Rules of taking over clusters that Python Magnum made.
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

use magnum::certs::{BarbicanCertManager, FixtureKeys, OpenSslAuthority};
use magnum::openstack::OpenStack;
use magnum::*;
use serde_json::{Value, json};
use support::scene::{Scene, demo, openstack};

/// What makes it wrong.
type Change = fn(&mut Adoption);

/// A stack like those of Python Magnum, as far as they are looked at: its parameters, outputs and groups.
const STACK: &str = "
heat_template_version: 2018-08-31
parameters:
  number_of_masters: {type: number, default: 1}
  number_of_minions: {type: number, default: 1}
  minions_to_remove: {type: comma_delimited_list, default: []}
resources:
  network: {type: 'OS::Neutron::Net'}
  subnet:
    type: OS::Neutron::Subnet
    properties: {network: {get_resource: network}, cidr: 10.0.0.0/24}
  kube_masters:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: number_of_masters}
      resource_def: {type: member.yaml, properties: {network: {get_resource: network}, subnet: {get_resource: subnet}}}
  kube_minions:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: number_of_minions}
      removal_policies: [{resource_list: {get_param: minions_to_remove}}]
      resource_def: {type: member.yaml, properties: {network: {get_resource: network}, subnet: {get_resource: subnet}}}
outputs:
  api_address: {value: {get_attr: [kube_masters, resource.0.address]}}
  kube_masters: {value: {get_attr: [kube_masters, address]}}
  kube_minions: {value: {get_attr: [kube_minions, address]}}
";
const MEMBER: &str = "
heat_template_version: 2018-08-31
parameters: {network: {type: string}, subnet: {type: string}}
resources:
  port:
    type: OS::Neutron::Port
    properties: {network: {get_param: network}, fixed_ips: [{subnet: {get_param: subnet}}]}
  server:
    type: OS::Nova::Server
    properties: {image: ubuntu, flavor: m1.tiny, networks: [{port: {get_resource: port}}]}
outputs:
  address: {value: {get_attr: [port, fixed_ips, 0, ip_address]}}
";
const ID: &str = "a5cad707-0764-4f1f-9e74-b20af32a905a";
const PASSWORD: &str = "MRaYPBAa5Srj7gnYg2";

/// A scene whose host keeps certificates in Barbican and knows Python Magnum's clusters.
async fn scene() -> (Scene, OpenStack) {
    let mut drivers = magnum::drivers::all();
    drivers.extend(magnum::drivers::python_magnum());
    let scene = Scene::in_barbican_of(1, drivers).await;
    let openstack = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    (scene, openstack)
}

/// A cluster as Python Magnum leaves it: trustee, trust, four certificates, stack; and its row.
async fn of_python_magnum(scene: &Scene, openstack: &OpenStack) -> Value {
    let user = openstack.login(demo()).await.unwrap();
    let trusts = openstack.trusts();
    let trustee_name = format!("{ID}_{}", user.project_id);
    let trustee = trusts
        .create_trustee(&trustee_name, &Secret::new(PASSWORD))
        .await
        .unwrap();
    let trust = trusts.create_trust(&user, &trustee).await.unwrap();
    let barbican = BarbicanCertManager::new(openstack);
    let keys = Arc::new(FixtureKeys::danger_seeded(1));
    let authority = OpenSslAuthority::new(keys, Arc::clone(&scene.clock), Arc::new(SystemRandom))
        .danger_accept_fixture_keys();
    let mut references = Vec::new();
    for name in ["ca", "magnum", "etcd", "front-proxy"] {
        let validity = Duration::from_secs(86_400);
        let bundle = authority.create_ca(name, validity).await.unwrap();
        let kept = barbican.store(&format!("{ID}-{name}"), bundle).await.unwrap();
        let id = kept.reference.rsplit('/').next().unwrap().to_owned();
        references.push(format!("http://127.0.0.1:9311/v1/containers/{id}"));
    }
    let heat = openstack.orchestrator();
    let auth = Auth::Token(user.clone());
    let create = StackCreate {
        name: "adopted-szyw5hfwn2vh".into(),
        template: StackTemplate {
            template: STACK.into(),
            files: [("member.yaml".to_owned(), MEMBER.to_owned())].into(),
        },
        parameters: Parameters::new(),
        timeout: Duration::from_secs(3600),
        tags: Vec::new(),
    };
    let stack = heat.create(&auth, create).await.unwrap();
    for _ in 0..100 {
        let seen = heat.get(&auth, &stack).await.unwrap().unwrap();
        if seen.phase == Phase::Complete {
            break;
        }
        assert_ne!(seen.phase, Phase::Failed, "{}", seen.reason);
        scene.clock.sleep(Duration::from_secs(10)).await;
    }
    let [ca, client, etcd, front_proxy] = references.try_into().unwrap();
    let template = json!({
        "id": 2, "uuid": "95eb4c0e-a154-4c18-8e82-d7a2e462a0dc", "name": "t", "coe": "kubernetes",
        "image_id": "fedora-coreos", "keypair_id": "testkey", "external_network_id": "public",
        "cluster_distro": "fedora-coreos", "network_driver": "flannel", "labels": {}, "tls_disabled": false,
        "public": false, "hidden": false, "server_type": "vm", "registry_enabled": false,
        "floating_ip_enabled": true, "master_lb_enabled": true, "flavor_id": "m1.small",
    });
    let mut row = json!({
        "uuid": ID, "name": "adopted", "project_id": user.project_id, "user_id": user.user_id,
        "cluster_template_id": template["uuid"], "stack_id": stack.id, "cluster_template": template,
        "master_count": 1, "node_count": 1, "keypair": "testkey", "create_timeout": 30,
        "discovery_url": "http://127.0.0.1/x", "labels": {"kube_tag": "v1"}, "flavor_id": "m1.small",
        "docker_volume_size": null, "floating_ip_enabled": true, "master_lb_enabled": false, "fixed_network": null,
    });
    let secret = json!({
        "trust_id": trust, "trustee_username": trustee_name, "trustee_user_id": trustee,
        "trustee_password": PASSWORD, "ca_cert_ref": ca, "magnum_cert_ref": client,
        "etcd_ca_cert_ref": etcd, "front_proxy_ca_cert_ref": front_proxy,
    });
    row.as_object_mut()
        .unwrap()
        .extend(secret.as_object().unwrap().clone());
    row
}

/// The row again, with values of the columns' types.
fn of_column_types(row: &Value) -> Value {
    let mut row = row.clone();
    row["uuid"] = json!(ID);
    row["trust_id"] = json!("t");
    row["trustee_password"] = json!(PASSWORD);
    row
}

fn adoption(row: &Value) -> Adoption {
    magnum::drivers::python_magnum::adoption(row, "barbican").unwrap()
}

fn admin(scene: &Scene) -> RequestContext {
    scene.cx.clone().with_roles(["admin"])
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_taken_over_scaled_and_deleted_to_nothing() {
    let (scene, openstack) = scene().await;
    let row = of_python_magnum(&scene, &openstack).await;
    let adopted = scene
        .magnum
        .adopt_cluster(&admin(&scene), adoption(&row))
        .await
        .unwrap();
    assert_eq!(adopted.status, ClusterStatus::ADOPT_COMPLETE);
    assert_eq!(adopted.id.to_string(), ID);
    assert_eq!(
        (adopted.master_addresses().len(), adopted.node_addresses().len()),
        (1, 1)
    );
    let address = format!("https://{}:6443", adopted.master_addresses()[0]);
    assert_eq!(adopted.api_address, Some(address));
    assert_eq!(adopted.labels()["kube_tag"], "v1", "the cluster's own");
    assert_eq!(
        adopted.template.master_lb_enabled,
        Some(false),
        "the cluster's own"
    );
    let ca = scene.magnum.ca_show(&scene.cx, adopted.id).await.unwrap();
    let barbican = BarbicanCertManager::new(&openstack);
    let kept = barbican.fetch(adopted.ca_cert.as_ref().unwrap()).await.unwrap();
    assert_eq!(ca, kept.certificate, "the one that Python Magnum made");

    for nodes in [3, 1] {
        scene
            .magnum
            .scale_cluster(&scene.cx, adopted.id, nodes, UpdateOptions::default())
            .await
            .unwrap();
        scene.settle().await;
        let scaled = scene.cluster(adopted.id).await.unwrap();
        assert_eq!(
            scaled.status,
            ClusterStatus::UPDATE_COMPLETE,
            "{:?}",
            scaled.status_reason
        );
        assert_eq!(scaled.node_addresses().len(), nodes as usize);
    }
    scene.delete(adopted.id).await;
    assert_eq!(scene.cluster(adopted.id).await.map(|c| c.status_reason), None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn only_administrators_take_over() {
    let (scene, openstack) = scene().await;
    let row = of_python_magnum(&scene, &openstack).await;
    let error = scene
        .magnum
        .adopt_cluster(&scene.cx, adoption(&row))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_reached_or_does_not_fit_is_not_taken_over() {
    let (scene, openstack) = scene().await;
    let row = of_python_magnum(&scene, &openstack).await;
    let cases: Vec<(ErrorKind, &str, Change)> = vec![
        (ErrorKind::InvalidInput, "node_count", |a| a.node_count = 2),
        (ErrorKind::InvalidInput, "master_count", |a| a.master_count = 3),
        (ErrorKind::InvalidInput, "driver", |a| a.driver = "nothing".into()),
        (ErrorKind::InvalidInput, "certificates.ca", |a| {
            a.certificates.remove("ca");
        }),
        (ErrorKind::InvalidInput, "certificates.ca", |a| {
            a.certificates.get_mut("ca").unwrap().backend = "local".into();
        }),
        (ErrorKind::InvalidInput, "certificates.ca", |a| {
            let gone = "containers/00000000-0000-4000-8000-000000000000";
            a.certificates.get_mut("ca").unwrap().reference = gone.into();
        }),
        (ErrorKind::NotFound, "stack", |a| {
            a.stack_id = "7b222f5b-0000-4000-8000-000000000000".into()
        }),
        (ErrorKind::Unauthorized, "", |a| {
            a.trust.password = Secret::new("another")
        }),
    ];
    for (kind, says, change) in cases {
        let mut wrong = adoption(&row);
        change(&mut wrong);
        let error = scene
            .magnum
            .adopt_cluster(&admin(&scene), wrong)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{says}: {error:?}");
        assert!(error.to_string().contains(says), "{says}: {error}");
        assert!(!error.to_string().contains(PASSWORD));
    }
    let all = scene.store.clusters(Query::all()).await.unwrap();
    assert_eq!(all, [], "nothing was recorded");
    let id: ClusterId = ID.parse().unwrap();
    assert_eq!(scene.store.ledger(id).await.unwrap(), []);

    scene
        .magnum
        .adopt_cluster(&admin(&scene), adoption(&row))
        .await
        .unwrap();
    let error = scene
        .magnum
        .adopt_cluster(&admin(&scene), adoption(&row))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "it is here already");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_lacks_something_is_told_column_by_column() {
    let (scene, openstack) = scene().await;
    let mut row = of_python_magnum(&scene, &openstack).await;
    row["uuid"] = json!("not-one");
    row["trust_id"] = Value::Null;
    row["trustee_password"] = json!(5);
    let error = magnum::drivers::python_magnum::adoption(&row, "barbican").unwrap_err();
    let columns: Vec<&str> = error.problems().iter().map(|p| p.field.as_str()).collect();
    assert_eq!(columns, ["uuid", "trustee_password", "trust_id"]);
    let mut raw = of_column_types(&row);
    raw["cluster_template"]["tls_disabled"] = json!(1);
    raw["labels"] = json!("{\"kube_tag\": \"v2\"}");
    let read = adoption(&raw);
    assert!(read.template.tls_disabled, "as MySQL keeps it");
    assert_eq!(read.template.labels["kube_tag"], "v2");
    let mut grouped = of_column_types(&row);
    grouped["nodegroups"] =
        json!([{"name": "default-worker", "is_default": true}, {"name": "gpu", "is_default": false}]);
    let error = magnum::drivers::python_magnum::adoption(&grouped, "barbican").unwrap_err();
    assert_eq!(
        (
            error.problems()[0].field.as_str(),
            error.problems()[0].value.as_str()
        ),
        ("nodegroups", "gpu")
    );
    row["cluster_template"]["coe"] = json!("nomad");
    let error = magnum::drivers::python_magnum::adoption(&row, "barbican").unwrap_err();
    assert_eq!(error.problems()[0].field, "cluster_template.coe");
}
