//! What the node endpoint gives to the servers of a Kubernetes cluster: exactly what the driver's policy promises.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::collections::BTreeSet;

use http::StatusCode;
use magnum::openstack::sim::{At, Effect, Fault as Harm, RequestRecord};
use magnum::*;
use openssl::pkey::PKey;
use openssl::x509::X509;
use support::certificate::{Said, Wanted, dns, ip, said, signed_by};
use support::kubernetes::{guides_template, without_quotas};
use support::node::{Node, nodes};
use support::scene::Scene;

const GUIDES: &str = "k8s-cluster-template";
const PRIVATE: &str = "private";

/// A cloud with the guide's template, and one without load balancer and floating IPs.
async fn scene() -> Scene {
    let scene = Scene::new(1).await;
    without_quotas(&scene);
    let private = TemplateSpec {
        master_lb_enabled: Some(false),
        floating_ip_enabled: Some(false),
        ..guides_template().with_name(PRIVATE)
    };
    for template in [guides_template(), private] {
        scene.magnum.create_template(&scene.cx, template).await.unwrap();
    }
    scene
}

async fn accept(scene: &Scene, template: &str, name: &str, masters: u32, minions: u32) -> ClusterId {
    let spec = ClusterSpec::new(template)
        .with_name(name)
        .with_master_count(masters)
        .with_node_count(minions);
    let made = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await;
    made.unwrap().id
}

async fn complete(scene: &Scene, ids: &[ClusterId]) {
    scene.settle().await;
    for id in ids {
        let cluster = scene.cluster(*id).await.unwrap();
        let why = &cluster.status_reason;
        assert_eq!(cluster.status, ClusterStatus::CREATE_COMPLETE, "{why:?}");
    }
}

/// The servers of a cluster of two masters and two nodes.
async fn two_and_two(scene: &Scene, template: &str) -> Vec<Node> {
    let id = accept(scene, template, "k8s-cluster", 2, 2).await;
    complete(scene, &[id]).await;
    nodes(scene, id)
}

fn names(sets: &[&BTreeSet<SubjectName>]) -> BTreeSet<SubjectName> {
    sets.iter().copied().flatten().cloned().collect()
}

fn loopback() -> BTreeSet<SubjectName> {
    BTreeSet::from([ip("127.0.0.1")])
}

/// The policy as its documentation has it: purpose, path of the authority, and what the certificate says.
fn promised(node: &Node) -> Vec<(&'static str, &'static str, Said)> {
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

#[tokio::test(start_paused = true)]
async fn nobody_gets_what_is_not_its() {
    let scene = scene().await;
    let nodes = two_and_two(&scene, GUIDES).await;
    let [master, second, worker, other] = nodes.as_slice() else {
        panic!("{nodes:?}");
    };
    let nothing = Wanted::default();

    // What the role has no part in.
    for purpose in ["server", "admin", "etcd", "client", "KUBELET", "kubelet%20", ""] {
        let (status, answer) = worker.sign(&scene, purpose, &nothing).await;
        assert!(status.is_client_error(), "{purpose}: {status} {answer}");
        assert_eq!(
            status == StatusCode::FORBIDDEN,
            !purpose.contains('?'),
            "{purpose}: {status}"
        );
    }
    for purpose in ["proxy", "client", "ca", "service-account"] {
        assert_eq!(
            master.sign(&scene, purpose, &nothing).await.0,
            StatusCode::FORBIDDEN,
            "{purpose}"
        );
    }
    for (node, path) in [
        (worker, "authorities/etcd"),
        (worker, "authorities/service-account"),
        (worker, "keys/service-account"),
        (worker, "keys/etcd"),
        (worker, "keys/ca"),
        (master, "authorities/service-account"),
        (master, "authorities/client"),
        (master, "keys/etcd"),
        (master, "keys/ca"),
        (master, "keys/client"),
    ] {
        let (status, answer) = node.ask(&scene, "GET", path, "").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert!(!answer.contains("PRIVATE KEY"), "{path}");
    }
    for (method, path) in [
        ("GET", ""),
        ("GET", "keys"),
        ("GET", "keys/service-account/x"),
        ("POST", "keys/service-account"),
        ("GET", "certificates/kubelet"),
        ("PUT", "certificates/kubelet"),
        ("POST", "certificates"),
        ("DELETE", "ca"),
        ("GET", "credentials"),
    ] {
        let (status, _) = master.ask(&scene, method, path, &nothing.request().pem).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{method} {path}");
    }

    // A name that the cloud does not show may come; another's name never does.
    let unavailable = [
        (
            "member=0".to_owned() + "&name=k8s-cluster-minion-99",
            "no server's name",
        ),
        (format!("member=99&name={}", worker.name), "no member"),
        (format!("member=0&name={}", other.name), "another node's name"),
        (format!("member=0&name={}", master.name), "a master's name"),
        (format!("member=0&name={}x", worker.name), "a longer name"),
        (
            format!("name={}", master.name),
            "a master's name without a member",
        ),
    ];
    for (query, what) in unavailable {
        let path = format!("certificates/kubelet?{query}");
        let (status, answer) = worker.ask(&scene, "POST", &path, &nothing.request().pem).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{what}: {answer}");
        assert!(!answer.contains("BEGIN CERTIFICATE"), "{what}");
    }
    for query in ["", "?member=0", "?name=&member=0"] {
        let path = format!("certificates/kubelet{query}");
        let (status, _) = worker.ask(&scene, "POST", &path, &nothing.request().pem).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "it must say its name: {query}");
    }

    // Names and purposes in a request that are not the node's.
    let address = |node: &Node| node.own.first().unwrap().clone();
    let named = |names: Vec<SubjectName>| Wanted::names(names);
    let server = Wanted {
        server: true,
        ..Wanted::default()
    };
    let client = Wanted {
        client: true,
        ..Wanted::default()
    };
    for (node, purpose, wanted) in [
        (worker, "kubelet", named(vec![dns(&other.name)])),
        (worker, "kubelet", named(vec![dns(&worker.name), address(other)])),
        (worker, "kubelet", named(vec![ip("127.0.0.1")])),
        (worker, "kubelet", named(vec![dns("kubernetes")])),
        (worker, "proxy", named(vec![dns(&worker.name)])),
        (worker, "proxy", server.clone()),
        (master, "server", named(vec![dns(&second.name)])),
        (master, "server", named(vec![address(second)])),
        (
            master,
            "server",
            named(vec![dns("kubernetes.default.svc.example.com")]),
        ),
        (master, "server", named(vec![dns("*.default.svc")])),
        (master, "server", client),
        (master, "etcd", named(vec![address(second)])),
        (master, "etcd", named(vec![dns("kubernetes")])),
        (master, "kubelet", named(vec![dns(&worker.name)])),
        (master, "admin", named(vec![ip("127.0.0.1")])),
        (master, "admin", server),
    ] {
        let (status, answer) = node.sign(&scene, purpose, &wanted).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{purpose} {wanted:?}: {answer}");
    }
}

/// The subjects and keys of everything that a cluster's master is given of the cluster's.
async fn belongings(scene: &Scene, master: &Node) -> (X509, X509, String) {
    let (status, key) = master.ask(scene, "GET", "keys/service-account", "").await;
    assert_eq!(status, StatusCode::OK, "{key}");
    PKey::private_key_from_pem(key.as_bytes()).unwrap();
    (
        master.authority(scene, "ca").await,
        master.authority(scene, "authorities/etcd").await,
        key,
    )
}

/// How many certificates the store keeps for a cluster.
async fn kept(scene: &Scene, id: ClusterId) -> usize {
    let mut kept = 0;
    for role in ["ca", "client", "etcd", "service-account"] {
        let rows = scene.store.key_pairs(&format!("magnum-{id}-{role}")).await;
        kept += rows.unwrap().len();
    }
    kept
}

#[tokio::test(start_paused = true)]
async fn a_clusters_keys_are_its_own_and_go_with_it() {
    let scene = scene().await;
    let first = accept(&scene, GUIDES, "first", 2, 1).await;
    let second = accept(&scene, PRIVATE, "second", 1, 1).await;
    complete(&scene, &[first, second]).await;
    let (ours, theirs) = (nodes(&scene, first), nodes(&scene, second));
    let (one, another, worker) = (&ours[0], &ours[1], &ours[2]);

    // All masters of a cluster have the same, and another cluster's have something else.
    let (ca, etcd, key) = belongings(&scene, one).await;
    assert_eq!(
        belongings(&scene, another).await,
        (ca.clone(), etcd.clone(), key.clone())
    );
    assert_eq!(worker.authority(&scene, "ca").await, ca);
    let (their_ca, their_etcd, their_key) = belongings(&scene, &theirs[0]).await;
    assert_ne!(their_key, key);
    let authorities = [&ca, &etcd, &their_ca, &their_etcd];
    for (index, authority) in authorities.iter().enumerate() {
        for other in &authorities[index + 1..] {
            let other = other.public_key().unwrap();
            assert!(!authority.public_key().unwrap().public_eq(&other));
        }
    }
    let private = PKey::private_key_from_pem(key.as_bytes()).unwrap();
    assert!(
        authorities
            .iter()
            .all(|a| !a.public_key().unwrap().public_eq(&private))
    );

    // A credential is good for its own cluster and role alone.
    for stolen in [&ours[0], &ours[2]] {
        let thief = Node {
            cluster: second,
            ..stolen.clone()
        };
        for path in ["ca", "keys/service-account"] {
            assert_eq!(
                thief.ask(&scene, "GET", path, "").await.0,
                StatusCode::UNAUTHORIZED
            );
        }
        let signed = thief.sign(&scene, "kubelet", &Wanted::default()).await;
        assert_eq!(signed.0, StatusCode::UNAUTHORIZED);
    }
    assert_ne!(one.credential, worker.credential);
    assert_eq!(one.credential, another.credential);

    // From the moment at which the deletion was accepted its servers get nothing any more.
    assert_eq!((kept(&scene, first).await, kept(&scene, second).await), (4, 4));
    let references = scene.cluster(first).await.unwrap();
    scene
        .magnum
        .delete_cluster(&scene.cx, first, DeleteOptions::default())
        .await
        .unwrap();
    for node in &ours {
        for path in ["ca", "authorities/etcd", "keys/service-account"] {
            assert_eq!(
                node.ask(&scene, "GET", path, "").await.0,
                StatusCode::FORBIDDEN,
                "{path}"
            );
        }
        for (purpose, ..) in promised(node) {
            let (status, _) = node.sign(&scene, purpose, &Wanted::default()).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{purpose}");
        }
    }
    scene.settle().await;
    assert_eq!(scene.cluster(first).await, None);
    assert_eq!((kept(&scene, first).await, kept(&scene, second).await), (0, 4));
    let recorded = references.authorities.values().chain(&references.ca_cert);
    let recorded: Vec<&CertRef> = recorded.chain(&references.magnum_cert).collect();
    assert_eq!(recorded.len(), 4);
    for reference in recorded {
        let id = reference.reference.parse().unwrap();
        assert_eq!(scene.store.key_pair(id).await.unwrap(), None, "{reference:?}");
    }
    assert!(scene.store.ledger(first).await.unwrap().is_empty());
    assert_eq!(
        one.ask(&scene, "GET", "ca", "").await.0,
        StatusCode::UNAUTHORIZED,
        "it is gone"
    );

    // The other cluster has lost nothing.
    assert_eq!(
        belongings(&scene, &theirs[0]).await,
        (their_ca, their_etcd, their_key)
    );
    scene.delete(second).await;
    assert_eq!(kept(&scene, second).await, 0);
    assert!(scene.store.ledger(second).await.unwrap().is_empty());
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

/// What the cloud is asked for one certificate: method and path without identifiers.
async fn asked(scene: &Scene, node: &Node, purpose: &str) -> Vec<String> {
    // The first one may have to log in.
    node.certificate(scene, purpose, &Wanted::default()).await;
    scene.cloud.clear_requests();
    node.certificate(scene, purpose, &Wanted::default()).await;
    let requests = scene.cloud.requests();
    let line = |request: &RequestRecord| format!("{} {}", request.method, request.template);
    requests.iter().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn a_certificate_costs_the_same_in_a_large_cluster() {
    let scene = scene().await;
    let small = accept(&scene, GUIDES, "small", 1, 2).await;
    let large = accept(&scene, GUIDES, "large", 1, 10).await;
    complete(&scene, &[small, large]).await;
    let (small, large) = (nodes(&scene, small), nodes(&scene, large));
    assert_eq!((small.len(), large.len()), (3, 11));
    // The listing, then port, floating IP and server; for a master the load balancer and its floating IP, too.
    for (purpose, in_small, in_large, cost) in [
        ("kubelet", small.last().unwrap(), large.last().unwrap(), 4),
        ("kubelet", &small[0], &large[0], 6),
        ("server", &small[0], &large[0], 6),
        ("etcd", &small[0], &large[0], 6),
    ] {
        let few = asked(&scene, in_small, purpose).await;
        assert_eq!(few, asked(&scene, in_large, purpose).await);
        assert_eq!(few.len(), cost, "{purpose}: {few:#?}");
        let listings = few.iter().filter(|request| request.ends_with("/resources"));
        assert_eq!(listings.count(), 1, "{few:#?}");
    }
    // A mere client has no names, so that nothing is looked up.
    let proxy = asked(&scene, large.last().unwrap(), "proxy").await;
    assert!(proxy.is_empty(), "{proxy:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_refuses_us_does_not_refuse_the_node() {
    let scene = scene().await;
    let id = accept(&scene, GUIDES, "k8s-cluster", 1, 1).await;
    complete(&scene, &[id]).await;
    let worker = nodes(&scene, id).pop().unwrap();
    let path = |resource: &str| format!("/orchestration/v1/*/stacks/*/*/resources{resource}");
    for place in [path(""), path("/kube_minion_eth0")] {
        for status in [400, 401, 403, 404, 409, 429, 500, 503] {
            if status == 404 && place.ends_with("eth0") {
                // It has gone since it was listed: a name less.
                continue;
            }
            let at = At::Route {
                method: None,
                path_prefix: place.clone(),
                nth: 0,
            };
            let effect = Effect::Status {
                status,
                retry_after: None,
            };
            scene.cloud.inject(Harm::always(at, effect));
            let (answer, text) = worker.sign(&scene, "kubelet", &Wanted::default()).await;
            // What the scripts take for a reason to try again.
            let later = answer.is_server_error() || answer == StatusCode::TOO_MANY_REQUESTS;
            assert!(later, "Heat says {status}, the node is told {answer}: {text}");
            scene.cloud.clear_faults();
        }
        let (status, text) = worker.sign(&scene, "kubelet", &Wanted::default()).await;
        assert_eq!(status, StatusCode::OK, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_removed_is_none() {
    let scene = scene().await;
    let id = accept(&scene, GUIDES, "k8s-cluster", 1, 3).await;
    complete(&scene, &[id]).await;
    let before = nodes(&scene, id);
    let (kept, removed) = (&before[1], &before[2]);
    let options = ScaleOptions::default().with_remove([removed.member.clone()]);
    scene
        .magnum
        .scale_cluster(&scene.cx, id, 2, options)
        .await
        .unwrap();
    scene.settle().await;
    let left: Vec<String> = nodes(&scene, id).into_iter().map(|node| node.name).collect();
    assert!(!left.contains(&removed.name) && left.len() == 3, "{left:?}");
    let (status, text) = removed.sign(&scene, "kubelet", &Wanted::default()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
    kept.certificate(&scene, "kubelet", &Wanted::default()).await;
    let stale = Wanted::names([removed.own.first().unwrap().clone()]);
    let (status, text) = kept.sign(&scene, "kubelet", &stale).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
}
