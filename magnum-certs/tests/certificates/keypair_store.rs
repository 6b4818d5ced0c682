//! The x509keypair store over the memory store.

use std::sync::Arc;

use magnum_certs::{AesSealer, SealingKey, X509KeyPairStore};
use magnum_core::testing::cert_manager::conformance;
use magnum_core::{
    CertManager, CertRef, CertificateBundle, Commit, Error, ErrorKind, MemoryStore, Result, Sealed, Sealer,
    Secret, Store, SystemClock, SystemRandom, Write,
};

fn bundle(text: &str) -> CertificateBundle {
    CertificateBundle {
        certificate: format!("certificate {text}"),
        private_key: Secret::new(format!("private {text}")),
        intermediates: Some("above".into()),
    }
}

fn over(store: &Arc<dyn Store>) -> X509KeyPairStore {
    let key = SealingKey::generate(&SystemRandom).unwrap();
    X509KeyPairStore::new(
        store.clone(),
        Arc::new(AesSealer::new(key)),
        Arc::new(SystemRandom),
    )
}

/// A sealer that cannot.
#[derive(Debug)]
struct NoSealer;

impl Sealer for NoSealer {
    fn seal(&self, _: &Secret, _: &str) -> Result<Sealed> {
        Err(Error::internal("no sealer"))
    }

    fn open(&self, _: &Sealed, _: &str) -> Result<Secret> {
        Err(Error::internal("no sealer"))
    }
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(Arc::new(SystemClock)))
}

#[tokio::test]
async fn the_rules_of_certificate_stores_are_kept() {
    let store = memory();
    let certificates = over(&store);
    let make = async || Arc::new(certificates.clone()) as Arc<dyn CertManager>;
    // It makes one outside call, and none before the key is sealed.
    let failing = async |calls: usize| match calls {
        0 => Arc::new(X509KeyPairStore::new(
            store.clone(),
            Arc::new(NoSealer),
            Arc::new(SystemRandom),
        )),
        _ => make().await,
    };
    let held = async |name: &str| store.key_pairs(name).await.unwrap().len();
    conformance(make, failing, held).await;
}

#[tokio::test]
async fn the_private_key_is_sealed_under_its_row() {
    let store = memory();
    let certificates = over(&store);
    let one = certificates.store("a", bundle("1")).await.unwrap();
    let two = certificates.store("a", bundle("2")).await.unwrap();
    let row = async |reference: &CertRef| {
        let id = reference.reference.parse().unwrap();
        store.key_pair(id).await.unwrap().unwrap()
    };
    let (mut first, second) = (row(&one).await, row(&two).await);
    assert!(!first.private_key.0.contains("private"));
    assert_eq!(first.certificate, "certificate 1");

    // Another row's key in this row's place does not open, nor does any under another sealing key.
    assert_eq!(
        over(&store).fetch(&one).await.unwrap_err().kind(),
        ErrorKind::Configuration
    );
    first.private_key = second.private_key;
    let swap = Commit::new()
        .write(Write::DeleteKeyPair(first.id))
        .write(Write::PutKeyPair(Box::new(first)));
    store.commit(swap).await.unwrap();
    assert_eq!(
        certificates.fetch(&one).await.unwrap_err().kind(),
        ErrorKind::Configuration
    );
}

#[tokio::test]
async fn references_in_other_forms_are_refused() {
    let certificates = over(&memory());
    let own = certificates.store("a", bundle("1")).await.unwrap();
    let id = own.reference.clone();
    let reference = |backend: &str, reference: &str| CertRef {
        backend: backend.into(),
        reference: reference.into(),
    };
    for foreign in [
        reference("barbican", &id),
        reference("", &id),
        reference("x509keypair", ""),
        reference("x509keypair", "../../etc/passwd"),
        reference("x509keypair", &format!("https://barbican/v1/containers/{id}")),
        reference("x509keypair", &id.to_uppercase()),
        reference("x509keypair", &id.replace('-', "")),
        reference("x509keypair", &format!("{{{id}}}")),
        reference("x509keypair", &format!("urn:uuid:{id}")),
        reference("x509keypair", &format!("{id}\n")),
    ] {
        let fetched = certificates.fetch(&foreign).await.unwrap_err();
        assert_eq!(fetched.kind(), ErrorKind::InvalidInput, "{foreign:?}");
        let deleted = certificates.delete(&foreign).await.unwrap_err();
        assert_eq!(deleted.kind(), ErrorKind::InvalidInput, "{foreign:?}");
    }
    assert_eq!(certificates.fetch(&own).await.unwrap(), bundle("1"));
}
