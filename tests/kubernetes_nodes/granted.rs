//! What each role gets, to the last name.

use std::collections::BTreeSet;

use magnum::*;

use crate::support::certificate::{Said, Wanted, dns, ip, said, signed_by};
use crate::support::node::Node;
use crate::{GUIDES, PRIVATE, scene, two_and_two};

fn names(sets: &[&BTreeSet<SubjectName>]) -> BTreeSet<SubjectName> {
    sets.iter().copied().flatten().cloned().collect()
}

fn loopback() -> BTreeSet<SubjectName> {
    BTreeSet::from([ip("127.0.0.1")])
}

/// The policy as its documentation has it: purpose, path of the authority, and what the certificate says.
pub fn promised(node: &Node) -> Vec<(&'static str, &'static str, Said)> {
    let says = |subject: String, names, server, client| Said {
        subject,
        names,
        server,
        client,
    };
    let none = BTreeSet::new;
    let of_node = format!("CN=system:node:{},O=system:nodes", node.name);
    if node.role == PoolRole::Worker {
        return vec![
            ("kubelet", "ca", says(of_node, node.own.clone(), true, true)),
            (
                "proxy",
                "ca",
                says("CN=system:kube-proxy".into(), none(), false, true),
            ),
        ];
    }
    let own = names(&[&node.own, &node.of_load_balancer]);
    let mut api: BTreeSet<SubjectName> = names(&[&own, &loopback()]);
    api.insert(ip("10.254.0.1"));
    api.extend(
        [
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ]
        .map(dns),
    );
    let of_role = format!("CN=master.{}", node.cluster);
    let etcd = names(&[&own, &loopback()]);
    let administrator = "CN=kubernetes-master,O=system:masters".to_owned();
    vec![
        ("server", "ca", says(of_role.clone(), api, true, false)),
        ("admin", "ca", says(administrator, none(), false, true)),
        ("etcd", "authorities/etcd", says(of_role, etcd, true, true)),
        ("kubelet", "ca", says(of_node, own, true, true)),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_purpose_gives_what_the_policy_promises() {
    // The address in the private network, the server's name, and the floating IP; the load balancer has one, too.
    each_purpose_of(GUIDES, 3, 2).await;
}

#[tokio::test(start_paused = true)]
async fn each_purpose_without_load_balancer_and_floating_ips() {
    each_purpose_of(PRIVATE, 2, 0).await;
}

async fn each_purpose_of(template: &str, own: usize, of_load_balancer: usize) {
    let scene = scene().await;
    let nodes = two_and_two(&scene, template).await;
    assert_eq!(nodes.len(), 4);
    let mut given = 0;
    for node in &nodes {
        assert_eq!(node.own.len(), own, "{node:?}");
        if node.role == PoolRole::Master {
            assert_eq!(node.of_load_balancer.len(), of_load_balancer, "{node:?}");
        }
        for (purpose, authority, promise) in promised(node) {
            let authority = node.authority(&scene, authority).await;
            // What the request says of its holder is of no account: it gets what it is.
            let pretender = Wanted {
                subject: vec![("CN", "kubernetes-admin"), ("O", "system:masters")],
                ..Wanted::default()
            };
            for wanted in [Wanted::default(), pretender] {
                let (certificate, request) = node.certificate(&scene, purpose, &wanted).await;
                assert_eq!(said(&certificate), promise, "{purpose}");
                assert!(signed_by(&certificate, &authority), "{purpose}");
                assert!(
                    certificate.public_key().unwrap().public_eq(&request.key),
                    "{purpose}"
                );
                given += 1;
            }
            // Names that it may have can be asked for one by one.
            if let Some(name) = promise.names.first() {
                let one = BTreeSet::from([name.clone()]);
                let (certificate, _) = node
                    .certificate(&scene, purpose, &Wanted::names(one.clone()))
                    .await;
                assert_eq!(said(&certificate).names, one, "{purpose}");
                given += 1;
            }
        }
    }
    assert_eq!(given, 2 * (4 * 2 + 3) + 2 * (2 * 2 + 1));
}
