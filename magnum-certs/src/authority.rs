//! The certificate authority over OpenSSL.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use magnum_core::{
    Authority, CertificateBundle, CertificateFacts, Clock, Entropy, Error, ErrorKind, KeySource, Profile,
    Result, Secret, SystemClock, SystemRandom,
};
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::x509::X509;

use crate::blocking::{blocking, openssl_fault};
use crate::certificate::{self, Issuance};
use crate::issuer::Issuer;
use crate::profile::Grant;
use crate::request::{Request, refused};
use crate::{facts, key_strength, known_keys, private_key, subject};

/// Makes certificate authorities, issues certificates and signs requests with OpenSSL.
///
/// | | Authority | Leaf |
/// | --- | --- | --- |
/// | Subject | `CN`, longer than 64 characters shortened with part of its SHA-256 | `CN` of 1 to 64 characters, then `O` |
/// | Valid from | 1 hour before now | 1 hour before now |
/// | Valid until | now + `validity` | now + `validity`, at most until its authority's end |
/// | Basic constraints | critical, CA, path length 0 | critical, no CA |
/// | Key usage, critical | `keyCertSign`, `cRLSign` | `digitalSignature`, for RSA also `keyEncipherment` |
/// | Extended key usage | | `clientAuth`; under [`Profile::Node`] `serverAuth` and `clientAuth` as the profile says |
/// | Key identifiers | subject | subject, authority |
/// | Names | | under [`Profile::Node`] those of the node |
///
/// Times are UTC of the [`Clock`], serial numbers 128 bits of the [`Entropy`]. Signatures are RSA or ECDSA
/// with SHA-256 (P-384: SHA-384), or Ed25519. Everything that takes processor time runs on tokio's blocking threads,
/// so calls need a tokio runtime.
///
/// # Issuing
/// [`issue`](Authority::issue) gives all that the profile allows: every organization, every name. Under
/// [`Profile::Node`] `common_name` must be the profile's.
///
/// # Signing requests
/// A request must be one PEM block of at most 64 KiB, signed by its own key with SHA-256 or better. The key
/// must be RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519. Requests for an authority and for critical extensions
/// other than those in the table are refused, other unknown extensions are dropped.
///
/// | Profile | Common name | Organizations | Names | Purposes |
/// | --- | --- | --- | --- | --- |
/// | [`Profile::Client`] | the request's | the request's, or all that are listed when it names none; one that is not listed is refused | none; refused | `clientAuth`; any other is refused |
/// | [`Profile::Node`] | the profile's | the profile's | those requested, or all; one that is not the node's is refused | `serverAuth` and `clientAuth` as the profile says; any other is refused |
///
/// # Errors
/// `InvalidInput` names the field: `csr` for a refused request, `common_name`, `organizations`, `names` and
/// `validity` for arguments. `Configuration` when the authority's certificate or key cannot be used or has expired,
/// or when a key source gives a key that is weak or known to the world.
///
/// # Example
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use magnum_certs::{EcKeys, OpenSslAuthority};
/// use magnum_core::{Authority, Profile, SubjectName};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> magnum_core::Result<()> {
/// let authority = OpenSslAuthority::system(Arc::new(EcKeys));
/// let year = Duration::from_secs(365 * 24 * 3600);
/// let ca = authority.create_ca("my-cluster", 5 * year).await?;
/// let profile = Profile::Node {
///     common_name: "kubernetes".into(),
///     organizations: Vec::new(),
///     names: vec![SubjectName::Dns("kubernetes.default".into())],
///     server: true,
///     client: true,
/// };
/// let server = authority.issue(&ca, "kubernetes", &profile, year).await?;
/// assert!(server.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenSslAuthority {
    keys: Arc<dyn KeySource>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    known_keys: KnownKeys,
}

/// What happens to keys that the whole world knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KnownKeys {
    Refused,
    #[cfg(feature = "fixtures")]
    Accepted,
}

impl OpenSslAuthority {
    /// An authority whose own keys come from `keys`.
    #[must_use]
    pub fn new(keys: Arc<dyn KeySource>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            keys,
            clock,
            entropy,
            known_keys: KnownKeys::Refused,
        }
    }

    /// An authority by the machine's clock and randomness.
    #[must_use]
    pub fn system(keys: Arc<dyn KeySource>) -> Self {
        Self::new(keys, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// Accepts the keys of [`FixtureKeys`](crate::FixtureKeys), which are refused otherwise.
    ///
    /// # Danger
    /// Whoever reads this project's repository can then act as this authority. For simulations only.
    #[cfg(feature = "fixtures")]
    #[must_use]
    pub fn danger_accept_fixture_keys(mut self) -> Self {
        self.known_keys = KnownKeys::Accepted;
        self
    }

    fn issuance(&self, validity: Duration) -> Result<Issuance> {
        if validity.as_secs() == 0 {
            return Err(Error::field(
                "validity",
                format_args!("{validity:?}"),
                "at least one second is needed",
            ));
        }
        let mut serial = [0; 16];
        self.entropy.fill(&mut serial)?;
        if serial == [0; 16] {
            return Err(Error::internal(
                "the source of randomness gives nothing but zeros",
            ));
        }
        Ok(Issuance {
            now: self.clock.now(),
            validity,
            serial,
        })
    }
}

impl KnownKeys {
    fn refuses<T: HasPublic>(self, key: &PKeyRef<T>) -> Result<bool> {
        Ok(self == Self::Refused && known_keys::is_known(key)?)
    }

    /// Reads a key of our own.
    fn own_key(self, pem: &Secret) -> Result<PKey<Private>> {
        let key = private_key::read(pem)?;
        key_strength::check_own(&key)?;
        if self.refuses(&key)? {
            return Err(Error::new(ErrorKind::Configuration, PUBLIC_KNOWLEDGE));
        }
        Ok(key)
    }

    fn issuer(self, bundle: &CertificateBundle) -> Result<Issuer> {
        let issuer = Issuer::read(bundle)?;
        if self.refuses(&issuer.key)? {
            return Err(Error::new(ErrorKind::Configuration, PUBLIC_KNOWLEDGE));
        }
        Ok(issuer)
    }
}

const PUBLIC_KNOWLEDGE: &str = "the private key is a test key that the whole world knows";

#[async_trait]
impl Authority for OpenSslAuthority {
    async fn create_ca(&self, common_name: &str, validity: Duration) -> Result<CertificateBundle> {
        const OPERATION: &str = "authority.create_ca";
        let located = |error: Error| error.at("certs", OPERATION);
        let name = subject::shortened(common_name)
            .map_err(|why| located(Error::field("common_name", common_name, why)))?;
        let issuance = self.issuance(validity).map_err(located)?;
        let private_key = self.keys.generate().await?;
        let known_keys = self.known_keys;
        blocking(OPERATION, move || {
            let key = known_keys.own_key(&private_key)?;
            let certificate = certificate::authority(&key, name, &issuance)?;
            Ok(CertificateBundle {
                certificate: pem(&certificate)?,
                private_key,
                intermediates: None,
            })
        })
        .await
    }

    async fn issue(
        &self,
        ca: &CertificateBundle,
        common_name: &str,
        profile: &Profile,
        validity: Duration,
    ) -> Result<CertificateBundle> {
        const OPERATION: &str = "authority.issue";
        let located = |error: Error| error.at("certs", OPERATION);
        let grant = Grant::whole(profile, common_name).map_err(located)?;
        let issuance = self.issuance(validity).map_err(located)?;
        let private_key = self.keys.generate().await?;
        let (ca, known_keys) = (ca.clone(), self.known_keys);
        blocking(OPERATION, move || {
            let issuer = known_keys.issuer(&ca)?;
            let key = known_keys.own_key(&private_key)?;
            let certificate = certificate::leaf(&issuer, &key, &grant, &issuance)?;
            log(&certificate, &grant);
            Ok(CertificateBundle {
                certificate: pem(&certificate)?,
                private_key,
                intermediates: issuer.chain_for_leaf(&ca),
            })
        })
        .await
    }

    async fn sign(
        &self,
        ca: &CertificateBundle,
        request_pem: &str,
        profile: &Profile,
        validity: Duration,
    ) -> Result<String> {
        const OPERATION: &str = "authority.sign";
        let located = |error: Error| error.at("certs", OPERATION);
        Request::check_size(request_pem).map_err(located)?;
        let issuance = self.issuance(validity).map_err(located)?;
        let (request_pem, ca) = (request_pem.to_owned(), ca.clone());
        let (profile, known_keys) = (profile.clone(), self.known_keys);
        blocking(OPERATION, move || {
            let request = Request::read(&request_pem)?;
            if known_keys.refuses(&request.public_key)? {
                return Err(refused("key", PUBLIC_KNOWLEDGE));
            }
            let grant = Grant::requested(&profile, &request)?;
            let issuer = known_keys.issuer(&ca)?;
            let certificate = certificate::leaf(&issuer, &request.public_key, &grant, &issuance)?;
            log(&certificate, &grant);
            pem(&certificate)
        })
        .await
    }

    fn facts(&self, certificate: &str) -> Result<CertificateFacts> {
        facts::of(certificate).map_err(|error| error.at("certs", "authority.facts"))
    }
}

fn pem(certificate: &X509) -> Result<String> {
    let pem = certificate
        .to_pem()
        .map_err(openssl_fault("write a certificate"))?;
    String::from_utf8(pem).map_err(|_| Error::internal("OpenSSL wrote a certificate that is not text"))
}

fn log(certificate: &X509, grant: &Grant) {
    let serial = certificate
        .serial_number()
        .to_bn()
        .and_then(|number| number.to_hex_str().map(|hex| hex.to_string()))
        .unwrap_or_default();
    tracing::info!(
        serial,
        common_name = grant.subject.common_name,
        server = grant.server,
        not_after = %certificate.not_after(),
        "certificate issued"
    );
}
