//! What the tests of drivers share: clusters, parsed templates.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

pub mod authority;
pub mod cluster_server;
pub mod heat;
pub mod kubernetes;
pub mod node;
pub mod policy;
pub mod scratch;
pub mod server;
pub mod stacks;
pub mod tree;

use magnum_core::{
    Action, Cluster, ClusterId, ClusterStatus, DriverRef, NodeAccess, Phase, Pool, PoolRole, Revision,
    Secret, StackTemplate, TemplateDefinition as _, TemplateId, TemplateSpec,
};
use serde_json::Value;

/// A docker cluster with one node, of a template with nothing but what is mandatory and what the service fills in.
pub fn cluster() -> Cluster {
    let mut template = TemplateSpec::new("docker", "ubuntu", "public").with_keypair("testkey");
    template.flavor_id = Some("m1.small".into());
    template.dns_nameserver = Some("8.8.8.8".into());
    let pool = |role: PoolRole, count| Pool {
        name: role.as_str().into(),
        role,
        count,
        flavor_id: "m1.small".into(),
        addresses: Vec::new(),
    };
    serde_json::from_value(serde_json::json!({
        "id": "04952c60-a338-437f-a7e7-d016d1d00e65",
        "name": "hosts",
        "cloud": "default",
        "project_id": "p",
        "user_id": "u",
        "cluster_template_id": TemplateId("da2825a0-6d09-4208-b39e-b2db666f1118".parse().unwrap()),
        "template": template,
        "cluster_distro": "ubuntu",
        "driver": DriverRef { name: "docker_ubuntu".into(), version: "1.0.0".into() },
        "keypair": "testkey",
        "create_timeout": 60,
        "pools": [pool(PoolRole::Master, 1), pool(PoolRole::Worker, 1)],
        "status": ClusterStatus { action: Action::Create, phase: Phase::InProgress },
        "progress": { "done": 0, "total": 0 },
        "node_credentials": [],
        "generation": 1,
        "created_at": "2016-07-25T23:14:06Z",
        "revision": Revision::default(),
    }))
    .unwrap()
}

/// Another cluster with every attribute set that the driver knows, and other values in all of them.
pub fn full_cluster() -> Cluster {
    let mut cluster = cluster();
    cluster.id = ClusterId("3968ffd5-678d-4555-9737-35f191340fda".parse().unwrap());
    cluster.create_timeout = 20;
    cluster.keypair = Some("otherkey".into());
    for pool in &mut cluster.pools {
        pool.count = if pool.role == PoolRole::Worker { 7 } else { 1 };
    }
    let spec = &mut cluster.template;
    spec.image_id = "noble".into();
    spec.flavor_id = Some("m1.medium".into());
    spec.external_network_id = "ext".into();
    spec.dns_nameserver = Some("9.9.9.9,2620:fe::fe".into());
    spec.http_proxy = Some("http://user:p%40ss@proxy.example:3128/".into());
    spec.https_proxy = Some("http://[2001:db8::1]:3129".into());
    spec.no_proxy = Some("localhost,*.example.org,10.0.0.0/8".into());
    spec.insecure_registry = Some("registry.example:5000".into());
    spec.floating_ip_enabled = Some(false);
    cluster
}

/// Node access with a credential for workers.
pub fn node_access() -> NodeAccess {
    NodeAccess {
        url: "https://magnum.example:9511/v1/clusters/04952c60-a338-437f-a7e7-d016d1d00e65".into(),
        ca: Some("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".into()),
        credentials: vec![(PoolRole::Worker, Secret::new("worker-credential_0123456789"))],
    }
}

/// The docker driver's template.
pub fn docker_template() -> StackTemplate {
    magnum_drivers::docker_ubuntu().definition().template().clone()
}

/// A YAML document as a value.
pub fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Every function argument of this name, anywhere in a value.
pub fn arguments<'a>(function: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                if key == function {
                    found.push(inner);
                }
                arguments(function, inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| arguments(function, item, found)),
        _ => {}
    }
}
