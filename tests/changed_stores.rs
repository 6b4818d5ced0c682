//! The host keeps new certificates elsewhere, while its clusters live.
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

use magnum::certs::{
    AesSealer, BarbicanCertManager, FixtureKeys, OpenSslAuthority, SealingKey, X509KeyPairStore,
};
use magnum::*;
use support::scene::{ENDPOINT, NodeRoute, Scene, node_endpoint, openstack};

/// A service on a scene's store that keeps certificates in Barbican, and perhaps knows where they were before.
fn in_barbican(scene: &Scene, knows_former: bool) -> Magnum {
    let key = SealingKey::from_bytes(b"a sealing key for tests 32 bytes").unwrap();
    let sealer = Arc::new(AesSealer::new(key));
    let keys = Arc::new(FixtureKeys::danger_seeded(5));
    let cloud = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let former = X509KeyPairStore::new(Arc::clone(&scene.store), sealer.clone(), Arc::new(SystemRandom));
    let authority = OpenSslAuthority::new(keys, Arc::clone(&scene.clock), Arc::new(SystemRandom));
    let mut certificates = Certificates::new(
        Arc::new(authority.danger_accept_fixture_keys()),
        Arc::new(BarbicanCertManager::new(&cloud)),
    );
    if knows_former {
        certificates.former.push(Arc::new(former));
    }
    let mut builder = Magnum::builder()
        .store(Arc::clone(&scene.store))
        .sealer(sealer)
        .cloud(magnum::cloud("sim", &cloud, true))
        .certificates(certificates)
        .node_endpoint(node_endpoint())
        .clock(Arc::clone(&scene.clock));
    for driver in magnum::drivers::all() {
        builder = builder.driver(driver);
    }
    builder.build().unwrap()
}

async fn backends(scene: &Scene, id: ClusterId) -> Vec<String> {
    let ledger = scene.store.ledger(id).await.unwrap();
    let kept = ledger.into_iter().filter_map(|entry| match entry.owned {
        Owned::Certificate { backend, .. } => Some(backend),
        _ => None,
    });
    let mut kept: Vec<String> = kept.collect();
    kept.sort();
    kept
}

#[tokio::test(start_paused = true)]
async fn certificates_stay_where_they_were_made_until_they_are_changed() {
    let scene = Scene::renewing(1, Settings::default(), Duration::from_secs(60)).await;
    scene.template().await;
    let old = scene.accept(1).await.id;
    scene.settle().await;
    let request = certs::ClientRequest::generate("alice", &[], &certs::EcKeys)
        .await
        .unwrap();

    // A host that forgets where they were says so, and strands nothing: nothing is changed.
    let forgetful = in_barbican(&scene, false);
    let error = forgetful.ca_sign(&scene.cx, old, &request.csr).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("x509keypair"), "{error}");

    let magnum = in_barbican(&scene, true);
    scene.cloud.mount(ENDPOINT, Arc::new(NodeRoute(magnum.clone())));
    let conductor = magnum.conductor();
    magnum.ca_sign(&scene.cx, old, &request.csr).await.unwrap();
    let spec = ClusterSpec::new("small").with_name("another");
    let new = magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap()
        .id;
    conductor.run_until_idle().await.unwrap();
    assert_eq!(backends(&scene, old).await, ["x509keypair"; 2]);
    assert_eq!(backends(&scene, new).await, ["barbican"; 2]);

    // A change of authorities takes them along, and leaves nothing behind.
    magnum.ca_rotate(&scene.cx, old).await.unwrap();
    conductor.run_until_idle().await.unwrap();
    assert_eq!(
        backends(&scene, old).await,
        ["barbican", "barbican", "x509keypair", "x509keypair"]
    );
    magnum.ca_rotate_finish(&scene.cx, old).await.unwrap();
    conductor.run_until_idle().await.unwrap();
    assert_eq!(backends(&scene, old).await, ["barbican"; 2]);
    for role in ["ca", "client"] {
        let left = scene
            .store
            .key_pairs(&format!("magnum-{old}-{role}"))
            .await
            .unwrap();
        assert_eq!(left, [], "{role}");
    }
    for id in [old, new] {
        magnum
            .delete_cluster(&scene.cx, id, DeleteOptions::default())
            .await
            .unwrap();
    }
    conductor.run_until_idle().await.unwrap();
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}
