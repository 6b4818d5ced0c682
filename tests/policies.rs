//! A host's own policy is asked before anything is looked up or recorded.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

use std::sync::{Arc, Mutex};

use magnum::certs::{AesSealer, FixtureKeys, OpenSslAuthority, SealingKey, X509KeyPairStore};
use magnum::testing::store::some_clusters;
use magnum::*;

/// Allows nothing, and remembers what it was asked.
#[derive(Debug, Default)]
struct Denying(Mutex<Vec<Permission>>);

impl Policy for Denying {
    fn allows(&self, _cx: &RequestContext, permission: Permission, _target: &Target<'_>) -> bool {
        self.0.lock().unwrap().push(permission);
        false
    }
    fn sees_all_projects(&self, _cx: &RequestContext) -> bool {
        true
    }
}

/// A service whose cloud answers nothing: each call of a mock that was not told what to answer is a panic.
async fn service(policy: Arc<dyn Policy>) -> (Magnum, ClusterId, Arc<dyn Store>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let sealer = Arc::new(AesSealer::new(SealingKey::generate(&SystemRandom).unwrap()));
    let kept = X509KeyPairStore::new(Arc::clone(&store), sealer.clone(), Arc::new(SystemRandom));
    let authority =
        OpenSslAuthority::system(Arc::new(FixtureKeys::danger_seeded(1))).danger_accept_fixture_keys();
    let cloud = Cloud {
        name: "mocked".into(),
        orchestrator: Arc::new(MockOrchestrator::new()),
        trust: TrustMode::Trust(Arc::new(MockTrustManager::new())),
        catalog: Arc::new(MockCloudCatalog::new()),
        resources: Arc::new(MockCloudResources::new()),
        identity: None,
    };
    let mut builder = Magnum::builder()
        .store(Arc::clone(&store))
        .sealer(sealer)
        .cloud(cloud)
        .certificates(Certificates::new(Arc::new(authority), Arc::new(kept)))
        .policy(policy);
    for driver in magnum::drivers::all() {
        builder = builder.driver(driver);
    }
    let id = some_clusters(&store, "mocked", 1).await[0];
    (builder.build().unwrap(), id, store)
}

#[tokio::test]
async fn what_the_policy_denies_asks_the_cloud_nothing_and_changes_nothing() {
    let policy = Arc::new(Denying::default());
    let (magnum, id, store) = service(policy.clone()).await;
    let cluster = store.cluster(id).await.unwrap().unwrap();
    let cx = RequestContext::new("alice", &cluster.project_id);
    let spec = || ClusterSpec::new("small").with_name(&cluster.name);
    let patch = Patch::new().replace("/node_count", 2);
    let health = Patch::new().replace("/health_status", "HEALTHY");
    let template = TemplateSpec::new("docker", "ubuntu", "public");
    let refusals = [
        (
            Permission::TemplateCreate,
            magnum.create_template(&cx, template).await.err(),
        ),
        (
            Permission::ClusterCreate,
            magnum
                .create_cluster(&cx, spec(), CreateOptions::default())
                .await
                .err(),
        ),
        (Permission::ClusterRead, magnum.cluster(&cx, id).await.err()),
        (
            Permission::ClusterUpdate,
            magnum
                .update_cluster(&cx, id, &patch, UpdateOptions::default())
                .await
                .err(),
        ),
        (
            Permission::ClusterUpdateHealth,
            magnum
                .update_cluster(&cx, id, &health, UpdateOptions::default())
                .await
                .err(),
        ),
        (
            Permission::ClusterUpdate,
            magnum
                .scale_cluster(&cx, id, 2, UpdateOptions::default())
                .await
                .err(),
        ),
        (
            Permission::ClusterUpdate,
            magnum.retry_cluster(&cx, id).await.err(),
        ),
        (Permission::ClusterUpdate, magnum.plan(&cx, &spec()).await.err()),
        (
            Permission::ClusterUpdate,
            magnum.apply(&cx, spec(), ApplyOptions::default()).await.err(),
        ),
        (
            Permission::ClusterDelete,
            magnum
                .delete_cluster(&cx, id, DeleteOptions::default())
                .await
                .err(),
        ),
        (Permission::CertificateRead, magnum.ca_show(&cx, id).await.err()),
        (
            Permission::CertificateSign,
            magnum.ca_sign(&cx, id, "").await.err(),
        ),
        (
            Permission::ClusterRead,
            magnum.list_clusters(&cx, ListOptions::default()).await.err(),
        ),
        (
            Permission::TemplateRead,
            magnum.list_templates(&cx, ListOptions::default()).await.err(),
        ),
    ];
    let asked = policy.0.lock().unwrap().clone();
    assert_eq!(asked.len(), refusals.len());
    for (asked, (permission, refusal)) in asked.into_iter().zip(refusals) {
        assert_eq!(asked, permission);
        let error = refusal.unwrap();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{permission:?}: {error:?}");
        assert!(error.to_string().contains(permission.rule()), "{error}");
    }
    assert_eq!(store.cluster(id).await.unwrap(), Some(cluster));
    assert_eq!(store.pending_events(10).await.unwrap(), []);
}
