//! What nobody gets: other roles' certificates, other nodes' names, private keys.

use http::StatusCode;
use magnum::*;

use crate::support::certificate::{Wanted, dns, ip};
use crate::support::node::Node;
use crate::{GUIDES, scene, two_and_two};

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
        ("name=k8s-cluster-minion-99".to_owned(), "no server's name"),
        (format!("name={}", other.name), "another node's name"),
        (format!("name={}", master.name), "a master's name"),
        (format!("name={}x", worker.name), "a longer name"),
    ];
    for (query, what) in unavailable {
        let path = format!("certificates/kubelet?{query}");
        let (status, answer) = worker.ask(&scene, "POST", &path, &nothing.request().pem).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{what}: {answer}");
        assert!(!answer.contains("BEGIN CERTIFICATE"), "{what}");
    }
    for query in ["", "?member=1", "?name=&member=1"] {
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

/// What was copied from a server that is gone buys nothing, not even where nobody is named.
#[tokio::test(start_paused = true)]
async fn a_removed_node_gets_nothing_by_its_credential() {
    let scene = scene().await;
    let nodes = two_and_two(&scene, GUIDES).await;
    let by_credential = |node: &Node| Node {
        token: node.credential.clone(),
        ..node.clone()
    };
    let (stays, goes) = (by_credential(&nodes[2]), by_credential(&nodes[3]));
    let id = stays.cluster;
    let options = UpdateOptions::default();
    scene
        .magnum
        .scale_cluster(&scene.cx, id, 1, options)
        .await
        .unwrap();
    scene.settle().await;
    scene.magnum.ca_rotate(&scene.cx, id).await.unwrap();
    let nothing = Wanted::default();
    for purpose in ["proxy", "kubelet"] {
        let (status, why) = stays.sign(&scene, purpose, &nothing).await;
        assert_eq!(status, StatusCode::OK, "{purpose}: {why}");
        let (status, why) = goes.sign(&scene, purpose, &nothing).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{purpose}: {why}");
    }
    let (status, why) = goes.ask(&scene, "POST", "token", "").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{why}");
}
