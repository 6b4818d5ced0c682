//! What certificates a cluster has, who holds them, and until when they are good.

use jiff::Timestamp;

use super::Magnum;
use super::certificates::refuse_without_tls;
use crate::model::{Holder, Ident, Noted, RequestContext};
use crate::ports::{CLUSTER_AUTHORITY, CertRef, CertificateFacts, Permission};
use crate::{ErrorKind, Result};

/// Who holds a certificate of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CertificateHolder {
    /// It is an authority, and the library holds it.
    Authority {
        /// Whether it certifies nodes; false for the other one, while authorities are being changed.
        issues: bool,
    },
    /// The library, to talk to the cluster.
    Library,
    /// Somebody to whom it was issued.
    Issued(Holder),
}

/// A certificate of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateEntry {
    /// Who holds it.
    pub holder: CertificateHolder,
    /// The authority that it is, or that signed it: `ca` for the cluster's own.
    pub authority: String,
    /// What is written in it.
    pub facts: CertificateFacts,
}

impl Magnum {
    /// The certificates of a cluster that have not expired, the next to expire first.
    ///
    /// Authorities and the library's own certificate are read where they are kept; what was issued to users and nodes is
    /// as it was written down then. Of each node only the newest certificate for a purpose is there. What a former
    /// authority signed stays in the list until it expires, although nobody trusts it any more.
    ///
    /// ```
    /// # async fn f(magnum: magnum_core::Magnum, cx: magnum_core::RequestContext) -> magnum_core::Result<()> {
    /// for entry in magnum.certificates(&cx, "mycluster").await? {
    ///     println!("{} {}: {:?}", entry.facts.not_after, entry.facts.subject, entry.holder);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Magnum::ca_show`], and what the certificate store answers.
    pub async fn certificates(
        &self,
        cx: &RequestContext,
        ident: impl Into<Ident>,
    ) -> Result<Vec<CertificateEntry>> {
        let cluster = self
            .find_cluster(cx, &ident.into(), Permission::CertificateRead)
            .await?;
        refuse_without_tls(&cluster)?;
        let now = self.inner.clock.now();
        let shared = match self.inner.driver_of(&cluster) {
            Ok(driver) => driver.node_policy().shared_keys,
            Err(_) => Vec::new(),
        };
        let is_key = |name: &str| shared.iter().any(|(_, shared)| *shared == name);
        let issuing = cluster.ca_cert.iter().map(|ca| (CLUSTER_AUTHORITY, ca));
        let further = cluster
            .authorities
            .iter()
            .map(|(name, kept)| (name.as_str(), kept));
        let mut found = Vec::new();
        for (name, kept) in issuing.chain(further).filter(|(name, _)| !is_key(name)) {
            let holder = CertificateHolder::Authority { issues: true };
            found.push(self.kept_entry(kept, holder, name).await?);
        }
        for (name, kept) in cluster.rotation.iter().flat_map(|rotation| &rotation.others) {
            let holder = CertificateHolder::Authority { issues: false };
            match self.kept_entry(kept, holder, name).await {
                // It is being removed at this moment.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                entry => found.push(entry?),
            }
        }
        if let Some(kept) = &cluster.magnum_cert {
            let holder = CertificateHolder::Library;
            found.push(self.kept_entry(kept, holder, CLUSTER_AUTHORITY).await?);
        }
        for note in self.inner.store.certificate_notes(cluster.id, "").await? {
            if let Noted::Issued {
                holder,
                authority,
                facts,
                ..
            } = note.noted
            {
                found.push(CertificateEntry {
                    holder: CertificateHolder::Issued(holder),
                    authority,
                    facts,
                });
            }
        }
        found.retain(|entry| entry.facts.not_after > now);
        found.sort_by(|a, b| order(a).cmp(&order(b)));
        Ok(found)
    }

    async fn kept_entry(
        &self,
        kept: &CertRef,
        holder: CertificateHolder,
        authority: &str,
    ) -> Result<CertificateEntry> {
        let bundle = self.inner.certificates.manager_for(kept)?.fetch(kept).await?;
        Ok(CertificateEntry {
            holder,
            authority: authority.to_owned(),
            facts: self.inner.certificates.authority.facts(&bundle.certificate)?,
        })
    }
}

fn order(entry: &CertificateEntry) -> (Timestamp, &CertificateHolder, &str) {
    (entry.facts.not_after, &entry.holder, &entry.facts.serial)
}
