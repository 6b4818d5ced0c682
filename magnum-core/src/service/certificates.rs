//! What users need to talk to a cluster: its authority, signed certificates, client configuration; and new authorities.

use super::Magnum;
use super::update::takes;
use crate::model::{
    CertificateNote, Cluster, Holder, Ident, Noted, OperationKind, Phase, Request, RequestContext,
    RotationStage,
};
use crate::ports::{
    CLUSTER_AUTHORITY, CertRef, CertificateBundle, ClientConfig, ClientIdentity, Commit, Permission, Profile,
    Write,
};
use crate::{Error, ErrorKind, Result};

impl Magnum {
    /// The PEM certificate of a cluster's authority (`ca-show`): what its clients are to trust.
    ///
    /// While the authority is being changed it is two certificates, and clients that trust both talk to the cluster before
    /// and after.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`; `Unsupported` when the cluster has TLS disabled; `Conflict` before the
    /// authority was made.
    pub async fn ca_show(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<String> {
        let cluster = self
            .find_cluster(cx, &ident.into(), Permission::CertificateRead)
            .await?;
        self.inner.trusted(&cluster, CLUSTER_AUTHORITY).await
    }

    /// Signs a PEM certificate signing request of a client (`ca-sign`); returns the PEM certificate.
    ///
    /// What is signed is written down before it is given out: [`Magnum::certificates`] lists it.
    ///
    /// # Errors
    /// As [`Magnum::ca_show`]; `InvalidInput` says why a request is refused; `RateLimited` after too many of them for
    /// one cluster.
    pub async fn ca_sign(&self, cx: &RequestContext, ident: impl Into<Ident>, csr: &str) -> Result<String> {
        let cluster = self
            .find_cluster(cx, &ident.into(), Permission::CertificateSign)
            .await?;
        let now = self.inner.clock.now();
        let who = format!("users/{}", cluster.id);
        self.inner
            .rates
            .count(now, &who, self.inner.settings.requests_per_minute)?;
        let ca = self.inner.client_authority(&cluster).await?;
        let profile = client_profile();
        let validity = self.inner.settings.certificate_validity;
        let authority = &self.inner.certificates.authority;
        let signed = authority.sign(&ca, csr, &profile, validity).await?;
        let note = CertificateNote {
            cluster_id: cluster.id,
            noted: Noted::Issued {
                holder: Holder::User {
                    user_id: cx.user_id.clone(),
                },
                authority: CLUSTER_AUTHORITY.to_owned(),
                facts: authority.facts(&signed)?,
                at: now,
            },
        };
        let mut commit = Commit::new().write(Write::PutCertificateNote(Box::new(note)));
        // Those that have expired are of no use to anybody.
        for old in self.inner.store.certificate_notes(cluster.id, "").await? {
            if matches!(&old.noted, Noted::Issued { facts, .. } if facts.not_after < now) {
                commit = commit.write(Write::DeleteCertificateNote(cluster.id, old.about()));
            }
        }
        self.inner.store.commit(commit).await?;
        Ok(signed)
    }

    /// Begins to change a cluster's authorities for new ones (`ca-rotate`).
    ///
    /// The cluster is `UPDATE_IN_PROGRESS` while its nodes learn to trust the new authorities beside the former ones. After
    /// that, `UPDATE_COMPLETE`, the overlap begins, and lasts as long as clients need: whoever has a certificate of the
    /// former authority, and trusts only that, works as before; [`Magnum::ca_sign`] signs by the new one, and
    /// [`Magnum::ca_show`] gives both. [`Magnum::ca_rotate_finish`] ends it. Keys that nodes share, as that for
    /// Kubernetes' tokens, stay. [`crate::RotationStage`] tells the stages.
    ///
    /// When nodes do not answer in time it fails and names how many; called again it goes on.
    ///
    /// ```
    /// # async fn f(magnum: magnum_core::Magnum, cx: magnum_core::RequestContext) -> magnum_core::Result<()> {
    /// magnum.ca_rotate(&cx, "mycluster").await?;
    /// // When that is complete and all clients have new configurations:
    /// magnum.ca_rotate_finish(&cx, "mycluster").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Magnum::ca_show`]; `Busy` while another operation is in progress; `Conflict` when the cluster is not whole, or
    /// the old authorities are being retired already; `Unsupported` when its nodes do not renew their
    /// certificates: its driver's do not, or they were made by a version whose nodes did not.
    pub async fn ca_rotate(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<Cluster> {
        let cluster = self.rotatable(cx, &ident.into()).await?;
        if let Some(rotation) = &cluster.rotation
            && rotation.stage > RotationStage::Overlap
        {
            let message = "a change of authorities is being finished; end that before another one";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let timeout = self.inner.settings.update_timeout;
        let kind = OperationKind::RotateAuthorities { finish: false };
        self.accept(cx, cluster, kind, timeout, None).await
    }

    /// Ends a change of authorities: nodes get certificates of the new ones, then trust the former ones no more, and then
    /// those are deleted.
    ///
    /// Whoever trusts the former authority only, or shows a certificate of it, is shut out from then on; first those who
    /// have not fetched [`Magnum::ca_show`] again, and at the end all.
    ///
    /// # Errors
    /// As [`Magnum::ca_rotate`]; `Conflict` when no change was begun, or its first part has not ended.
    pub async fn ca_rotate_finish(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<Cluster> {
        let cluster = self.rotatable(cx, &ident.into()).await?;
        let message = match cluster.rotation.as_ref().map(|rotation| rotation.stage) {
            None => Some("the cluster's authorities are not being changed"),
            Some(RotationStage::Announced) => {
                Some("not every node trusts the new authorities yet; let that end first")
            }
            Some(_) => None,
        };
        if let Some(message) = message {
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let timeout = self.inner.settings.update_timeout;
        let kind = OperationKind::RotateAuthorities { finish: true };
        self.accept(cx, cluster, kind, timeout, None).await
    }

    async fn rotatable(&self, cx: &RequestContext, ident: &Ident) -> Result<Cluster> {
        let cluster = self
            .find_cluster(cx, ident, Permission::CertificateRotate)
            .await?;
        refuse_without_tls(&cluster)?;
        takes(&cluster, Request::Change)?;
        made(cluster.ca_cert.as_ref())?;
        let goes_on = cluster
            .rotation
            .as_ref()
            .is_some_and(|rotation| rotation.failed.is_some());
        if cluster.status.phase == Phase::Failed && !goes_on {
            let message = "the last change of the cluster failed: retry that first";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        if !self.inner.driver_of(&cluster)?.node_policy().renewal {
            let message = format!(
                "the nodes of driver {} do not renew their certificates, so a new authority would not reach them",
                cluster.driver.name
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        if self
            .inner
            .store
            .certificate_notes(cluster.id, "taken/")
            .await?
            .is_empty()
        {
            let message = "no node of the cluster has ever told what certificates it has: \
                           the version that made them had no renewal, so a new authority would not reach them";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok(cluster)
    }

    /// What a user needs to talk to the cluster's COE: files and environment variables.
    ///
    /// # Errors
    /// As [`Magnum::ca_show`]; `Conflict` while the cluster has no address.
    pub async fn client_config(
        &self,
        cx: &RequestContext,
        ident: impl Into<Ident>,
        identity: Option<&ClientIdentity>,
    ) -> Result<ClientConfig> {
        let cluster = self
            .find_cluster(cx, &ident.into(), Permission::CertificateRead)
            .await?;
        self.inner.driver_of(&cluster)?.client_config(&cluster, identity)
    }
}

impl super::Inner {
    /// One of a cluster's authorities that issue, with its key.
    pub(crate) async fn authority(&self, cluster: &Cluster, name: &str) -> Result<CertificateBundle> {
        if name == CLUSTER_AUTHORITY {
            return self.ca(cluster).await;
        }
        let Some(reference) = cluster.authorities.get(name) else {
            let message = format!("the cluster's authority '{name}' has not been made yet");
            return Err(Error::new(ErrorKind::Conflict, message));
        };
        self.certificates.manager_for(reference)?.fetch(reference).await
    }

    /// A cluster's authority with its key.
    pub(crate) async fn ca(&self, cluster: &Cluster) -> Result<CertificateBundle> {
        refuse_without_tls(cluster)?;
        let reference = made(cluster.ca_cert.as_ref())?;
        self.certificates.manager_for(reference)?.fetch(reference).await
    }

    /// The authority that certifies clients, with its key.
    async fn client_authority(&self, cluster: &Cluster) -> Result<CertificateBundle> {
        let rotation = cluster.rotation.as_ref();
        let new = rotation
            .filter(|rotation| rotation.stage == RotationStage::Overlap)
            .and_then(|rotation| rotation.others.get(CLUSTER_AUTHORITY));
        match new {
            Some(new) => self.certificates.manager_for(new)?.fetch(new).await,
            None => self.ca(cluster).await,
        }
    }

    /// The PEM certificates to trust for one of a cluster's authorities: that which certifies nodes, then the other one
    /// while it is being changed.
    pub(crate) async fn trusted(&self, cluster: &Cluster, name: &str) -> Result<String> {
        let mut pem = self.authority(cluster, name).await?.certificate;
        let rotation = cluster.rotation.as_ref();
        let other = rotation
            .filter(|rotation| rotation.stage != RotationStage::Retiring)
            .and_then(|rotation| rotation.others.get(name));
        if let Some(other) = other {
            let bundle = self.certificates.manager_for(other)?.fetch(other).await?;
            if !pem.ends_with('\n') {
                pem.push('\n');
            }
            pem.push_str(&bundle.certificate);
        }
        Ok(pem)
    }
}

/// What users, and the library itself, get.
pub(crate) fn client_profile() -> Profile {
    Profile::Client {
        organizations: vec!["system:masters".to_owned()],
    }
}

pub(super) fn refuse_without_tls(cluster: &Cluster) -> Result<()> {
    if cluster.tls() {
        return Ok(());
    }
    let message = "the cluster has tls_disabled, so it has no certificates";
    Err(Error::new(ErrorKind::Unsupported, message))
}

fn made(reference: Option<&CertRef>) -> Result<&CertRef> {
    reference.ok_or_else(|| {
        Error::new(
            ErrorKind::Conflict,
            "the cluster's authority has not been made yet",
        )
    })
}
