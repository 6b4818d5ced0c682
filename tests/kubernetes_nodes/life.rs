//! Keys and certificates from a cluster's birth to its end.

use http::StatusCode;
use magnum::*;
use openssl::pkey::PKey;
use openssl::x509::X509;

use crate::granted::promised;
use crate::support::certificate::Wanted;
use crate::support::node::{Node, nodes};
use crate::support::scene::Scene;
use crate::{GUIDES, PRIVATE, accept, complete, scene};

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

    // A token is good for its own cluster and role alone; credentials are each node's own.
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
    assert_ne!(one.credential, another.credential);

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

#[tokio::test(start_paused = true)]
async fn a_node_that_was_removed_is_none() {
    let scene = scene().await;
    let id = accept(&scene, GUIDES, "k8s-cluster", 1, 3).await;
    complete(&scene, &[id]).await;
    let before = nodes(&scene, id);
    let (kept, removed) = (&before[1], &before[2]);
    let options = UpdateOptions::default().with_remove([removed.member.clone()]);
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
