//! Who may talk to whom in a Swarm cluster with TLS, by the certificates that its users and its servers get.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::path::Path;

use magnum::certs::EcKeys;
use magnum::*;
use openssl::pkey::PKey;
use support::certificate::{Wanted, read};
use support::handshake::Party;
use support::hosts::Authorities;
use support::kubernetes::without_quotas;
use support::node::{Node, nodes};
use support::scene::Scene;
use support::swarm::guides_template;

async fn made(scene: &Scene, name: &str) -> Cluster {
    let spec = ClusterSpec::new("swarm-cluster-template")
        .with_name(name)
        .with_master_count(3)
        .with_node_count(2);
    let accepted = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    scene.cluster(accepted.id).await.unwrap()
}

/// What a user gets: the files that Docker's client reads.
async fn user(scene: &Scene, cluster: &Cluster, directory: &Path) -> (WrittenConfig, Party) {
    let written = write_client_config(&scene.magnum, &scene.cx, cluster.id, directory, &EcKeys, false)
        .await
        .unwrap();
    let file = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    let party = Party {
        certificate: read(&file("cert.pem")),
        key: PKey::private_key_from_pem(file("key.pem").as_bytes()).unwrap(),
        authorities: vec![read(&file("ca.pem"))],
    };
    (written, party)
}

/// What a server gets for a purpose, with all its own addresses.
async fn server(scene: &Scene, node: &Node, purpose: &str, authority: &str) -> Party {
    let own = match purpose {
        "etcd-client" => Wanted::default(),
        _ => Wanted::names(node.own.union(&node.of_load_balancer).cloned()),
    };
    let (certificate, request) = node.certificate(scene, purpose, &own).await;
    Party {
        certificate,
        key: request.key,
        authorities: vec![node.authority(scene, authority).await],
    }
}

/// The address by which a server is reached in the cluster's network.
fn private(node: &Node) -> String {
    let addresses = node.own.iter().filter_map(|name| match name {
        SubjectName::Ip(address) => Some(address.to_string()),
        SubjectName::Dns(_) => None,
    });
    addresses
        .into_iter()
        .find(|address| address.starts_with("10.0.0."))
        .unwrap()
}

#[track_caller]
fn refused(talk: Result<(), String>, who: &str) {
    let error = talk.unwrap_err();
    assert!(
        error.starts_with(who) && error.contains("verify failed"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn users_reach_managers_managers_reach_nodes_and_nobody_else_reaches_anything() {
    let scene = Scene::since_yesterday(1, Authorities::Rsa).await;
    without_quotas(&scene);
    scene
        .magnum
        .create_template(&scene.cx, guides_template())
        .await
        .unwrap();
    let (one, other) = (made(&scene, "one").await, made(&scene, "other").await);
    let (here, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (written, owner) = user(&scene, &one, here.path()).await;
    let (_, stranger) = user(&scene, &other, elsewhere.path()).await;

    // What Docker's client reads, and nothing else.
    let address = one.api_address.clone().unwrap();
    let directory = here.path().to_str().unwrap();
    let environment: Vec<(&str, &str)> = written
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        environment,
        [
            ("DOCKER_CERT_PATH", directory),
            ("DOCKER_HOST", address.as_str()),
            ("DOCKER_TLS_VERIFY", "True")
        ]
    );
    let host = address
        .strip_prefix("tcp://")
        .unwrap()
        .strip_suffix(":2376")
        .unwrap();

    let servers = nodes(&scene, one.id);
    let [first, second, _, node, neighbour] = &servers[..] else {
        panic!("{servers:?}")
    };
    let manager = server(&scene, first, "manager", "ca").await;
    let another = server(&scene, second, "manager", "ca").await;
    let daemon = server(&scene, node, "daemon", "ca").await;
    let daemon_beside = server(&scene, neighbour, "daemon", "ca").await;
    let etcd = server(&scene, first, "etcd", "authorities/etcd").await;
    let of_etcd = server(&scene, node, "etcd-client", "authorities/etcd").await;

    // A user by the load balancer, a manager by the primary's own address, a manager by its nodes'.
    owner.talks_to(&manager, host).unwrap();
    owner.talks_to(&another, host).unwrap();
    another.talks_to(&manager, &private(first)).unwrap();
    manager.talks_to(&daemon, &private(node)).unwrap();
    manager.talks_to(&daemon_beside, &private(neighbour)).unwrap();
    of_etcd.talks_to(&etcd, &private(first)).unwrap();

    // Another cluster's user believes this manager as little as it believes them.
    refused(stranger.talks_to(&manager, host), "the client");
    let deceived = Party {
        authorities: owner.authorities.clone(),
        ..stranger
    };
    refused(deceived.talks_to(&manager, host), "the server");

    // A node's certificate opens neither a manager nor another node's Docker, and nobody's but etcd's own opens etcd.
    refused(daemon.talks_to(&manager, &private(first)), "the server");
    refused(daemon.talks_to(&daemon_beside, &private(neighbour)), "the server");
    let as_client = Party {
        authorities: owner.authorities.clone(),
        ..of_etcd.clone()
    };
    refused(as_client.talks_to(&manager, &private(first)), "the server");
    refused(
        as_client.talks_to(&daemon_beside, &private(neighbour)),
        "the server",
    );
    let to_etcd = Party {
        authorities: of_etcd.authorities.clone(),
        ..owner
    };
    refused(to_etcd.talks_to(&etcd, &private(first)), "the server");

    // Nor can a node pass for etcd or for another server.
    let posing = Party {
        authorities: etcd.authorities.clone(),
        ..of_etcd.clone()
    };
    refused(of_etcd.talks_to(&posing, &private(first)), "the client");
    refused(manager.talks_to(&daemon, &private(neighbour)), "the client");
}
