//! Certificates of openstack-magnum: an authority over OpenSSL, sources of private keys, sealing of
//! secrets at rest, and certificate stores: `x509keypair`, `local` on Unix, and with feature `barbican` the one of that
//! name.
//!
//! | What | Port of `magnum-core` | Here |
//! | --- | --- | --- |
//! | Makes authorities, issues and signs | `Authority` | [`OpenSslAuthority`] |
//! | Makes private keys | `KeySource` | [`RsaKeys`], [`EcKeys`], with feature `fixtures` [`FixtureKeys`] |
//! | Seals and opens secrets | `Sealer` | [`AesSealer`] with [`SealingKey`] |
//! | Keeps certificates with their keys | `CertManager` | [`X509KeyPairStore`], on Unix [`LocalCertManager`], with feature `barbican` [`BarbicanCertManager`] |
//!
//! [`ClientRequest`] is the other side: a key and a signing request for who wants a client certificate.
//!
//! Nothing here asks for a passphrase, whatever it is given: private keys are read only as PKCS#8 that is
//! not encrypted, everything else is decoded before OpenSSL sees it, and an encrypted key that the original kept is
//! opened with the passphrase that is kept beside it or not at all.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use magnum_certs::{ClientRequest, EcKeys, OpenSslAuthority};
//! use magnum_core::{Authority, Profile};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> magnum_core::Result<()> {
//! let authority = OpenSslAuthority::system(Arc::new(EcKeys));
//! let day = Duration::from_secs(24 * 3600);
//! let ca = authority.create_ca("my-cluster", 365 * day).await?;
//!
//! let request = ClientRequest::generate("alice", &[], &EcKeys).await?;
//! let profile = Profile::Client { organizations: vec![] };
//! let certificate = authority.sign(&ca, &request.csr, &profile, 30 * day).await?;
//! assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
//! # Ok(())
//! # }
//! ```

mod authority;
#[cfg(feature = "barbican")]
mod barbican;
mod blocking;
mod certificate;
mod client_request;
#[cfg(any(unix, feature = "barbican"))]
mod encrypted_key;
mod facts;
mod fingerprint;
#[cfg(feature = "fixtures")]
mod fixture_keys;
mod issuer;
mod key_sources;
mod key_strength;
mod keypair_store;
mod known_keys;
#[cfg(any(unix, feature = "barbican"))]
mod label;
#[cfg(unix)]
mod local;
mod pem;
mod private_key;
mod profile;
mod request;
mod request_extensions;
mod request_subject;
mod sealer;
mod sealing_key;
mod subject;
mod uuid_reference;

pub use authority::OpenSslAuthority;
#[cfg(feature = "barbican")]
pub use barbican::BarbicanCertManager;
pub use client_request::ClientRequest;
#[cfg(feature = "fixtures")]
pub use fixture_keys::FixtureKeys;
pub use key_sources::{EcKeys, RsaBits, RsaKeys};
pub use keypair_store::X509KeyPairStore;
#[cfg(unix)]
pub use local::LocalCertManager;
pub use sealer::AesSealer;
pub use sealing_key::SealingKey;
