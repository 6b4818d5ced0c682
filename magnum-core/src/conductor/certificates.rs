//! The step that makes a cluster's certificates: its authority, and the library's own client certificate.

use std::sync::Arc;

use super::fence::limited;
use super::work::Work;
use crate::model::{LedgerEntry, NodeCredential, Owned, PoolRole, Step};
use crate::ports::{CLUSTER_AUTHORITY, CertRef, CertificateBundle};
use crate::service::client_profile;
use crate::{Error, Result};

/// The role of the library's own client certificate.
pub(super) const CLIENT: &str = "client";

impl Work {
    pub(super) async fn step_certificates(&mut self) -> Result<()> {
        if self.cluster.tls() {
            let ca = self.authority(CLUSTER_AUTHORITY, &self.authority_name()).await?;
            let client = self.client_certificate(CLIENT, &ca).await?;
            for name in self.driver()?.node_policy().authorities {
                let made = self
                    .authority(name, &format!("{} {name}", self.authority_name()))
                    .await?;
                self.cluster.authorities.insert(name.to_owned(), made);
            }
            self.cluster.ca_cert = Some(ca);
            self.cluster.magnum_cert = Some(client);
            if self.cluster.node_credentials.is_empty() {
                for role in [PoolRole::Master, PoolRole::Worker] {
                    let sealed = self.sealed_secret()?;
                    self.cluster
                        .node_credentials
                        .push(NodeCredential { role, sealed });
                }
            }
        }
        self.go_to(Step::Drive).await
    }

    /// Makes an authority, or takes the one that was made under this role.
    pub(super) async fn authority(&mut self, role: &str, common_name: &str) -> Result<CertRef> {
        let entry = self.certificate_entry(role).await?;
        if let Some(made) = reference(&entry) {
            return Ok(made);
        }
        let validity = self.inner.settings.authority_validity;
        let authority = Arc::clone(&self.inner.certificates.authority);
        let bundle = authority.create_ca(common_name, validity).await?;
        self.keep(entry, role, bundle).await
    }

    /// Makes the library's own client certificate, or takes the one that was made under this role.
    pub(super) async fn client_certificate(&mut self, role: &str, ca: &CertRef) -> Result<CertRef> {
        let entry = self.certificate_entry(role).await?;
        if let Some(made) = reference(&entry) {
            return Ok(made);
        }
        let bundle = self.fetch(ca).await?;
        let validity = self.inner.settings.certificate_validity;
        let authority = Arc::clone(&self.inner.certificates.authority);
        let issued = authority
            .issue(&bundle, "magnum", &client_profile(), validity)
            .await?;
        self.keep(entry, role, issued).await
    }

    /// What the cluster's authorities are called; the certificates' maker shortens what is too long.
    pub(super) fn authority_name(&self) -> String {
        common_name(&self.cluster.name, &self.cluster.id.to_string())
    }

    /// The ledger entry of a certificate; what an interrupted attempt may have stored is removed first,
    /// since its key may be incomplete.
    async fn certificate_entry(&mut self, wanted: &str) -> Result<LedgerEntry> {
        let of_role =
            |entry: &&LedgerEntry| matches!(&entry.owned, Owned::Certificate { role, .. } if role == wanted);
        if let Some(entry) = self.ledger.iter().find(of_role).cloned() {
            if reference(&entry).is_none() {
                self.discard_certificates(&entry).await?;
            }
            return Ok(entry);
        }
        let backend = self.inner.certificates.manager.backend().to_owned();
        self.intend(Owned::Certificate {
            role: wanted.to_owned(),
            backend,
            reference: None,
        })
        .await
    }

    async fn keep(
        &mut self,
        mut entry: LedgerEntry,
        role: &str,
        bundle: CertificateBundle,
    ) -> Result<CertRef> {
        let name = self.certificate_name(role);
        let Owned::Certificate {
            backend, reference, ..
        } = &mut entry.owned
        else {
            return Err(Error::internal("the ledger entry is no certificate"));
        };
        let manager = Arc::clone(self.inner.certificates.manager_of(backend)?);
        let stored = self
            .fence
            .write("certificate.store", manager.store(&name, bundle))
            .await?;
        *reference = Some(stored.clone());
        self.record(entry).await?;
        Ok(stored)
    }

    async fn fetch(&self, reference: &CertRef) -> Result<CertificateBundle> {
        let manager = Arc::clone(self.inner.certificates.manager_for(reference)?);
        limited(&self.inner, "certificate.fetch", manager.fetch(reference)).await
    }

    /// Removes everything that was stored under a certificate's name.
    pub(super) async fn discard_certificates(&mut self, entry: &LedgerEntry) -> Result<()> {
        let Owned::Certificate {
            role,
            backend,
            reference,
        } = &entry.owned
        else {
            return Ok(());
        };
        let manager = Arc::clone(self.inner.certificates.manager_of(backend)?);
        let name = self.certificate_name(role);
        let mut stored = limited(&self.inner, "certificate.find", manager.find(&name)).await?;
        stored.extend(
            reference
                .iter()
                .filter(|r| !stored.contains(r))
                .cloned()
                .collect::<Vec<_>>(),
        );
        for reference in stored {
            self.fence
                .write("certificate.delete", manager.delete(&reference))
                .await?;
        }
        Ok(())
    }

    fn certificate_name(&self, role: &str) -> String {
        format!("magnum-{}-{role}", self.cluster.id)
    }
}

fn reference(entry: &LedgerEntry) -> Option<CertRef> {
    match &entry.owned {
        Owned::Certificate { reference, .. } => reference.clone(),
        _ => None,
    }
}

/// A common name has 64 characters at most; a longer cluster name is replaced by the UUID.
fn common_name(name: &str, id: &str) -> String {
    if name.len() <= 64 {
        name.to_owned()
    } else {
        id.to_owned()
    }
}
