//! The host changes the key that seals its secrets, while its clusters live.
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

use magnum::certs::{
    AesSealer, FixtureKeys, LocalCertManager, OpenSslAuthority, SealingKey, X509KeyPairStore,
};
use magnum::*;
use support::scene::{Scene, node_endpoint, openstack};

/// The key of the scene's own service.
const FORMER: &[u8] = b"a sealing key for tests 32 bytes";

/// A service on a scene's store that seals with these keys.
fn sealing(scene: &Scene, sealer: AesSealer) -> Magnum {
    let sealer = Arc::new(sealer);
    let keys = Arc::new(FixtureKeys::danger_seeded(5));
    let cloud = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let kept = X509KeyPairStore::new(Arc::clone(&scene.store), sealer.clone(), Arc::new(SystemRandom));
    let authority = OpenSslAuthority::new(keys, Arc::clone(&scene.clock), Arc::new(SystemRandom));
    let mut builder = Magnum::builder()
        .store(Arc::clone(&scene.store))
        .sealer(sealer)
        .cloud(magnum::cloud("sim", &cloud, true))
        .certificates(Certificates::new(
            Arc::new(authority.danger_accept_fixture_keys()),
            Arc::new(kept),
        ))
        .node_endpoint(node_endpoint())
        .clock(Arc::clone(&scene.clock));
    for driver in magnum::drivers::all() {
        builder = builder.driver(driver);
    }
    builder.build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn clusters_outlive_the_key_that_sealed_their_secrets() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let (one, busy) = (scene.accept(1).await.id, scene.accept(1).await.id);
    scene.settle().await;
    scene
        .magnum
        .scale_cluster(&scene.cx, busy, 2, UpdateOptions::default())
        .await
        .unwrap();

    let new = SealingKey::generate(&SystemRandom).unwrap();
    let former = SealingKey::from_bytes(FORMER).unwrap();
    let both = sealing(&scene, AesSealer::new(new.clone()).also_opens(former));
    let only = sealing(&scene, AesSealer::new(new));
    let error = only.ca_show(&scene.cx, one).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "it lacks the former key");
    let error = only.reseal().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    let ca = both.ca_show(&scene.cx, one).await.unwrap();

    let done = both.reseal().await.unwrap();
    assert_eq!((done.clusters, done.busy), (1, vec![busy]));
    scene.settle().await;
    let done = both.reseal().await.unwrap();
    assert_eq!((done.clusters, done.busy), (2, vec![]));
    let revision = scene.cluster(one).await.unwrap().revision;
    both.reseal().await.unwrap();
    assert_eq!(
        scene.cluster(one).await.unwrap().revision,
        revision,
        "once is enough"
    );

    // From here on the former key is not needed: certificates, nodes, trusts.
    assert_eq!(only.ca_show(&scene.cx, one).await.unwrap(), ca);
    let request = certs::ClientRequest::generate("alice", &[], &certs::EcKeys)
        .await
        .unwrap();
    only.ca_sign(&scene.cx, one, &request.csr).await.unwrap();
    for id in [one, busy] {
        only.delete_cluster(&scene.cx, id, DeleteOptions::default())
            .await
            .unwrap();
    }
    only.conductor().run_until_idle().await.unwrap();
    for id in [one, busy] {
        assert_eq!(scene.cluster(id).await, None);
    }
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test]
async fn keys_in_files_are_sealed_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("certificates");
    let [former, new] = [(), ()].map(|()| SealingKey::generate(&SystemRandom).unwrap());
    let open = async |sealer: AesSealer| {
        LocalCertManager::open(&path, Arc::new(sealer), Arc::new(SystemRandom))
            .await
            .unwrap()
    };
    let bundle = CertificateBundle {
        certificate: "a certificate".into(),
        private_key: Secret::new("a private key"),
        intermediates: None,
    };
    let old = open(AesSealer::new(former.clone())).await;
    let kept = old.store("name", bundle.clone()).await.unwrap();
    let both = open(AesSealer::new(new.clone()).also_opens(former)).await;
    let only = open(AesSealer::new(new)).await;
    assert_eq!(
        only.fetch(&kept).await.unwrap_err().kind(),
        ErrorKind::Configuration
    );
    both.reseal(&kept).await.unwrap();
    assert_eq!(only.fetch(&kept).await.unwrap(), bundle);
    assert_eq!(
        old.fetch(&kept).await.unwrap_err().kind(),
        ErrorKind::Configuration
    );
    only.delete(&kept).await.unwrap();
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
}
