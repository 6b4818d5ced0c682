//! The `x509keypair` certificate store: certificates in the library's own store, keys sealed.

use std::sync::Arc;

use crate::uuid_reference;
use async_trait::async_trait;
use magnum_core::{
    CertManager, CertRef, CertificateBundle, Commit, Error, IdSource, KeyPair, Result, Sealer, Store, Write,
};

const BACKEND: &str = "x509keypair";

/// Keeps certificates as rows of the [`Store`], their private keys sealed by the [`Sealer`] under the
/// row's UUID. References are that UUID, lower-case with hyphens; any other text is refused.
///
/// Rows sealed with a key that the sealer no longer has are lost: `fetch` fails with `Configuration`. To change keys, see
/// [`Magnum::reseal`](magnum_core::Magnum::reseal).
///
/// # Example
/// ```
/// use std::sync::Arc;
/// use magnum_certs::{AesSealer, SealingKey, X509KeyPairStore};
/// use magnum_core::{CertManager, CertificateBundle, IdSource, Secret, Store, SystemRandom};
///
/// async fn keep(store: Arc<dyn Store>, bundle: CertificateBundle) -> magnum_core::Result<()> {
///     let sealer = AesSealer::new(SealingKey::generate(&SystemRandom)?);
///     let certificates = X509KeyPairStore::new(store, Arc::new(sealer), Arc::new(SystemRandom));
///     let reference = certificates.store("magnum-c1-ca", bundle.clone()).await?;
///     assert_eq!(certificates.fetch(&reference).await?, bundle);
///     certificates.delete(&reference).await
/// }
/// ```
#[derive(Clone, Debug)]
pub struct X509KeyPairStore {
    store: Arc<dyn Store>,
    sealer: Arc<dyn Sealer>,
    ids: Arc<dyn IdSource>,
}

impl X509KeyPairStore {
    /// A certificate store over `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, sealer: Arc<dyn Sealer>, ids: Arc<dyn IdSource>) -> Self {
        Self { store, sealer, ids }
    }
}

#[async_trait]
impl CertManager for X509KeyPairStore {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    async fn store(&self, name: &str, bundle: CertificateBundle) -> Result<CertRef> {
        let id = self.ids.uuid();
        let row = KeyPair {
            id,
            name: name.to_owned(),
            private_key: self.sealer.seal(&bundle.private_key, &id.to_string())?,
            certificate: bundle.certificate,
            intermediates: bundle.intermediates,
        };
        self.store
            .commit(Commit::new().write(Write::PutKeyPair(Box::new(row))))
            .await?;
        Ok(uuid_reference::of(BACKEND, id))
    }

    async fn fetch(&self, reference: &CertRef) -> Result<CertificateBundle> {
        let id = uuid_reference::own(BACKEND, reference)?;
        let row = self
            .store
            .key_pair(id)
            .await?
            .ok_or_else(|| Error::not_found("certificate", id).at("certs", "x509keypair.fetch"))?;
        Ok(CertificateBundle {
            private_key: self.sealer.open(&row.private_key, &id.to_string())?,
            certificate: row.certificate,
            intermediates: row.intermediates,
        })
    }

    async fn delete(&self, reference: &CertRef) -> Result<()> {
        let id = uuid_reference::own(BACKEND, reference)?;
        self.store
            .commit(Commit::new().write(Write::DeleteKeyPair(id)))
            .await
    }

    async fn reseal(&self, reference: &CertRef) -> Result<()> {
        let id = uuid_reference::own(BACKEND, reference)?;
        let Some(row) = self.store.key_pair(id).await? else {
            return Ok(());
        };
        if self.sealer.is_current(&row.private_key) {
            return Ok(());
        }
        let key = self.sealer.open(&row.private_key, &id.to_string())?;
        let anew = self.sealer.seal(&key, &id.to_string())?;
        self.store
            .commit(Commit::new().write(Write::ResealKeyPair(id, anew)))
            .await
    }

    async fn find(&self, name: &str) -> Result<Vec<CertRef>> {
        let rows = self.store.key_pairs(name).await?;
        Ok(rows
            .into_iter()
            .map(|row| uuid_reference::of(BACKEND, row.id))
            .collect())
    }
}
