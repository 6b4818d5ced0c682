//! The certificate ports: who makes keys, who signs, where certificates are kept, how bytes are sealed.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::secret::Secret;

/// A certificate with its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateBundle {
    /// PEM certificate.
    pub certificate: String,
    /// PEM private key, PKCS#8, not encrypted.
    pub private_key: Secret,
    /// PEM certificates between it and its root.
    pub intermediates: Option<String>,
}

/// What is written in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Whose it is, in the form of RFC 4514: `O=system:masters,CN=admin`.
    pub subject: String,
    /// Who signed it, in the same form.
    pub issuer: String,
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// From when on it is good.
    pub not_before: Timestamp,
    /// Until when it is good.
    pub not_after: Timestamp,
}

/// Where a certificate is kept. It carries its backend, so that changing the configured store strands nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CertRef {
    /// Name of the store that keeps it.
    pub backend: String,
    /// The store's reference.
    pub reference: String,
}

/// Keeps, fetches and deletes certificate bundles under a reference.
///
/// | Rule | Mandatory | Conformance test |
/// | --- | --- | --- |
/// | What `store` returned, `fetch` MUST return until `delete`; white space around a PEM text may come back as one line feed at its end | yes | `what_was_stored_is_fetched_until_it_is_deleted` |
/// | `find` MUST return every bundle stored under exactly this name, compared byte for byte, and nothing of another | yes | `find_returns_exactly_what_has_the_name` |
/// | `fetch` of what is gone MUST be `NotFound`; `delete` of it MUST be `Ok` | yes | `what_is_gone_is_not_found` |
/// | A failed `store` MUST leave nothing that `find` does not return; `delete` MUST remove what `find` returned, and `fetch` of what is no whole bundle MUST be `NotFound` | yes | `a_failed_store_leaves_nothing_hidden` |
/// | After a failed `delete` another one MUST remove the rest | yes | `a_failed_delete_can_be_repeated` |
/// | `reseal` MUST keep what is kept, and MUST be `Ok` for what is gone | yes | `sealing_anew_keeps_what_is_kept` |
/// | A reference of another backend or of a foreign shape MUST be refused with `InvalidInput` | yes | `foreign_references_are_refused` |
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CertManager: fmt::Debug + Send + Sync + 'static {
    /// The backend's name in [`CertRef::backend`].
    fn backend(&self) -> &'static str;
    /// Keeps a bundle under a name such as `magnum-<cluster uuid>-ca`.
    async fn store(&self, name: &str, bundle: CertificateBundle) -> Result<CertRef>;
    /// Fetches a bundle.
    async fn fetch(&self, reference: &CertRef) -> Result<CertificateBundle>;
    /// Deletes a bundle.
    async fn delete(&self, reference: &CertRef) -> Result<()>;
    /// The references of all bundles that were stored under a name.
    async fn find(&self, name: &str) -> Result<Vec<CertRef>>;
    /// Seals anew what was sealed with a former key of the host's. Default: nothing, for stores that the host's key does not
    /// seal.
    async fn reseal(&self, _reference: &CertRef) -> Result<()> {
        Ok(())
    }
}

/// Makes private keys.
#[async_trait]
pub trait KeySource: fmt::Debug + Send + Sync + 'static {
    /// A new private key: PEM, PKCS#8, not encrypted.
    async fn generate(&self) -> Result<Secret>;
}

/// A name that a certificate is good for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SubjectName {
    /// An address.
    Ip(IpAddr),
    /// A DNS name.
    Dns(String),
}

/// What a certificate may be used for. Requests are cut to their profile, never passed through.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// A person or program that talks to the COE: `clientAuth`, no names, the request's common name,
    /// and the organizations listed here.
    Client {
        /// Organizations that the request may name; one that names none gets all of them.
        organizations: Vec<String>,
    },
    /// A server of the cluster: this subject, only these names.
    Node {
        /// The subject's common name.
        common_name: String,
        /// The subject's organizations.
        organizations: Vec<String>,
        /// The names that the node has; a request for any other is refused. None for a mere client.
        names: Vec<SubjectName>,
        /// Whether it serves: `serverAuth`.
        server: bool,
        /// Whether it is a client of other servers of the cluster: `clientAuth`.
        client: bool,
    },
}

/// Makes certificate authorities, issues and signs.
#[async_trait]
pub trait Authority: fmt::Debug + Send + Sync + 'static {
    /// Makes a self-signed certificate authority.
    async fn create_ca(&self, common_name: &str, validity: Duration) -> Result<CertificateBundle>;

    /// Makes a key and a certificate for it.
    async fn issue(
        &self,
        ca: &CertificateBundle,
        common_name: &str,
        profile: &Profile,
        validity: Duration,
    ) -> Result<CertificateBundle>;

    /// Signs a PEM certificate signing request within `profile`; returns the PEM certificate.
    ///
    /// # Errors
    /// `InvalidInput` says why a request is refused: no proof of possession, a weak key, a name that
    /// is not the requester's, a forbidden extension, too large.
    async fn sign(
        &self,
        ca: &CertificateBundle,
        request_pem: &str,
        profile: &Profile,
        validity: Duration,
    ) -> Result<String>;

    /// Reads a PEM certificate. It is not verified.
    ///
    /// # Errors
    /// `Configuration` when it is none.
    fn facts(&self, certificate: &str) -> Result<CertificateFacts>;
}

/// Bytes that only the host's key opens, as text fit for any store.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

/// Seals and opens secrets at rest.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | `open` under another `context` than `seal`'s MUST fail | yes |
/// | Sealing twice MUST NOT give the same text | yes |
pub trait Sealer: fmt::Debug + Send + Sync + 'static {
    /// Seals a secret; `context` binds it to its place, for example the owning row's UUID.
    ///
    /// # Errors
    /// `Internal` when the cipher fails.
    fn seal(&self, secret: &Secret, context: &str) -> Result<Sealed>;

    /// Opens what was sealed under the same context.
    ///
    /// # Errors
    /// `Configuration` when the key or the context is another, or the text was changed.
    fn open(&self, sealed: &Sealed, context: &str) -> Result<Secret>;

    /// Whether a text was sealed with the key that seals now; if not, it is to be opened and sealed anew before the former
    /// key goes. Default: yes, for sealers that have one key for ever.
    fn is_current(&self, _sealed: &Sealed) -> bool {
        true
    }
}
