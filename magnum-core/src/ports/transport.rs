//! The transport port: one HTTP request under a TLS profile, one response.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::secret::Secret;

/// Sends one HTTP request and returns its response.
///
/// The library's whole traffic with a cloud goes through this trait, so a host can bring its own
/// client and a test can answer in process.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | A response of any status is `Ok`; only a missing response is an error | yes |
/// | Redirects MUST NOT be followed | yes |
/// | Requests MUST NOT be repeated | yes |
/// | `TransportError::sent` MUST be `false` only if the peer surely saw nothing of the request | yes |
/// | Dropping the future ends the request; its effect at the peer is then unknown | yes |
#[async_trait]
pub trait HttpTransport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` with an absolute URI under `profile`.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError>;
}

#[async_trait]
impl<T: HttpTransport + ?Sized> HttpTransport for Arc<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        (**self).send(request, profile).await
    }
}

/// Whom to trust and as whom to appear on a TLS connection.
///
/// The default trusts the system's roots and shows no client certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TlsProfile {
    /// PEM bundle of the only roots to trust; `None` means the system's roots.
    pub roots: Option<String>,
    /// Client certificate to present.
    pub identity: Option<TlsIdentity>,
}

impl TlsProfile {
    /// A profile that trusts only the given PEM bundle.
    #[must_use]
    pub fn with_roots(mut self, pem: impl Into<String>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// A profile that presents a client certificate.
    #[must_use]
    pub fn with_identity(mut self, certificate_pem: impl Into<String>, key_pem: Secret) -> Self {
        self.identity = Some(TlsIdentity {
            certificate_pem: certificate_pem.into(),
            key_pem,
        });
        self
    }
}

/// A client certificate and its private key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsIdentity {
    /// PEM certificate, followed by intermediates if there are any.
    pub certificate_pem: String,
    /// PEM private key, not encrypted.
    pub key_pem: Secret,
}

/// No response came back.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// Whether the peer may have seen the request. `false` only when it surely did not.
    pub sent: bool,
    /// What happened, without secrets and without the URL's query.
    pub message: String,
}

impl TransportError {
    /// The request never left: the peer saw nothing of it.
    pub fn not_sent(message: impl Into<String>) -> Self {
        Self {
            sent: false,
            message: message.into(),
        }
    }

    /// The request may have had its effect.
    pub fn maybe_sent(message: impl Into<String>) -> Self {
        Self {
            sent: true,
            message: message.into(),
        }
    }
}
