//! What users need to talk to a cluster: its authority, signed certificates, client configuration.

use super::Magnum;
use crate::model::{Cluster, Ident, RequestContext};
use crate::ports::{ClientConfig, ClientIdentity, Permission, Profile};
use crate::{Error, ErrorKind, Result};

impl Magnum {
    /// The PEM certificate of a cluster's authority (`ca-show`).
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`; `Unsupported` when the cluster has TLS disabled; `Conflict` before the
    /// authority was made.
    pub async fn ca_show(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<String> {
        let cluster = self
            .find_cluster(cx, &ident.into(), Permission::CertificateRead)
            .await?;
        self.inner.ca(&cluster).await.map(|ca| ca.certificate)
    }

    /// Signs a PEM certificate signing request of a client (`ca-sign`); returns the PEM certificate.
    ///
    /// # Errors
    /// As [`Magnum::ca_show`]; `InvalidInput` says why a request is refused.
    pub async fn ca_sign(&self, cx: &RequestContext, ident: impl Into<Ident>, csr: &str) -> Result<String> {
        let cluster = self
            .find_cluster(cx, &ident.into(), Permission::CertificateSign)
            .await?;
        let ca = self.inner.ca(&cluster).await?;
        let profile = Profile::Client {
            organizations: vec!["system:masters".to_owned()],
        };
        let validity = self.inner.settings.certificate_validity;
        self.inner
            .certificates
            .authority
            .sign(&ca, csr, &profile, validity)
            .await
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
    /// One of a cluster's authorities, with its key.
    pub(crate) async fn authority(
        &self,
        cluster: &Cluster,
        name: &str,
    ) -> Result<crate::ports::CertificateBundle> {
        if name == crate::ports::CLUSTER_AUTHORITY {
            return self.ca(cluster).await;
        }
        let Some(reference) = cluster.authorities.get(name) else {
            let message = format!("the cluster's authority '{name}' has not been made yet");
            return Err(Error::new(ErrorKind::Conflict, message));
        };
        self.certificates.manager_for(reference)?.fetch(reference).await
    }

    /// A cluster's authority with its key.
    pub(crate) async fn ca(&self, cluster: &Cluster) -> Result<crate::ports::CertificateBundle> {
        if !cluster.tls() {
            let message = "the cluster has tls_disabled, so it has no certificates";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let Some(reference) = &cluster.ca_cert else {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the cluster's authority has not been made yet",
            ));
        };
        self.certificates.manager_for(reference)?.fetch(reference).await
    }
}
