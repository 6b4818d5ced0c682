//! Every port that reaches outside has a mock that stands in wherever the port does.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use magnum_core::{
    Auth, CertManager, CertRef, CloudCatalog, CloudResources, Discovery, Error, ErrorKind, Keypair,
    MockCertManager, MockCloudCatalog, MockCloudResources, MockDiscovery, MockNotifier, MockOrchestrator,
    MockTrustManager, Notifier, Orchestrator, TrustManager,
};

#[tokio::test]
async fn mocks_answer_as_they_are_told() {
    let mut catalog = MockCloudCatalog::new();
    catalog
        .expect_keypair()
        .withf(|_, name| name == "testkey")
        .returning(|_, name| {
            Ok(Keypair {
                name: name.to_owned(),
                public_key: "ssh-ed25519 AAAA".to_owned(),
            })
        });
    let catalog: Arc<dyn CloudCatalog> = Arc::new(catalog);
    assert_eq!(
        catalog.keypair(&Auth::Service, "testkey").await.unwrap().name,
        "testkey"
    );

    let mut certificates = MockCertManager::new();
    certificates.expect_backend().return_const("mock");
    certificates
        .expect_fetch()
        .returning(|reference| Err(Error::not_found("certificate", &reference.reference)));
    let certificates: Arc<dyn CertManager> = Arc::new(certificates);
    let reference = CertRef {
        backend: certificates.backend().to_owned(),
        reference: "gone".to_owned(),
    };
    assert_eq!(
        certificates.fetch(&reference).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );

    let mut trusts = MockTrustManager::new();
    trusts.expect_find_trustee().returning(|_| Ok(None));
    let trusts: Arc<dyn TrustManager> = Arc::new(trusts);
    assert_eq!(trusts.find_trustee("name").await.unwrap(), None);

    let mut orchestrator = MockOrchestrator::new();
    orchestrator
        .expect_list()
        .times(1)
        .returning(|_, _| Ok(Vec::new()));
    let orchestrator: Arc<dyn Orchestrator> = Arc::new(orchestrator);
    assert!(orchestrator.list(&Auth::Service, None).await.unwrap().is_empty());

    let mut resources = MockCloudResources::new();
    resources
        .expect_load_balancers()
        .withf(|_, subnets| subnets == ["s"])
        .returning(|_, _| Ok(Vec::new()));
    let resources: Arc<dyn CloudResources> = Arc::new(resources);
    let found = resources.load_balancers(&Auth::Service, &["s".to_owned()]).await;
    assert_eq!(found.unwrap(), []);

    let mut discovery = MockDiscovery::new();
    discovery
        .expect_check()
        .withf(|url, size| url == "http://a/b" && *size == 3)
        .returning(|_, _| Ok(()));
    let discovery: Arc<dyn Discovery> = Arc::new(discovery);
    discovery.check("http://a/b", 3).await.unwrap();

    let _notifier: Arc<dyn Notifier> = Arc::new(MockNotifier::new());
}
