//! A key and a signing request for a client.

use magnum_core::{Error, KeySource, Result, Secret};
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::extension::ExtendedKeyUsage;
use openssl::x509::{X509Req, X509ReqBuilder};

use crate::blocking::{blocking, openssl_fault};
use crate::certificate::digest_for;
use crate::subject::{self, Subject};
use crate::{key_strength, private_key};

/// A private key and a request for a client certificate: what a host makes before it asks for a client
/// configuration. The key never leaves it.
///
/// ```
/// use magnum_certs::{ClientRequest, EcKeys};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> magnum_core::Result<()> {
/// let request = ClientRequest::generate("admin", &["system:masters".to_owned()], &EcKeys).await?;
/// assert!(request.csr.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
/// assert_eq!(format!("{:?}", request.private_key), "[secret]");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRequest {
    /// PEM private key, PKCS#8, not encrypted.
    pub private_key: Secret,
    /// PEM certificate signing request: the subject, and `clientAuth` as its only extension.
    pub csr: String,
}

impl ClientRequest {
    /// Makes a key and a request for it, with subject `CN` and one `O` for each organization.
    ///
    /// # Errors
    /// `InvalidInput` names `common_name` or `organizations` when one is empty, longer than 64 characters or
    /// has control characters; `Configuration` when the key source gives a weak key; what the key source fails with.
    pub async fn generate(common_name: &str, organizations: &[String], keys: &dyn KeySource) -> Result<Self> {
        const OPERATION: &str = "client_request.generate";
        let check = |field: &'static str, value: &str| {
            subject::check(value).map_err(|why| Error::field(field, value, why).at("certs", OPERATION))
        };
        check("common_name", common_name)?;
        organizations
            .iter()
            .try_for_each(|organization| check("organizations", organization))?;
        let subject = Subject {
            common_name: common_name.to_owned(),
            organizations: organizations.to_vec(),
        };
        let private_key = keys.generate().await?;
        blocking(OPERATION, move || {
            let csr = signed_request(&subject, &private_key)?;
            Ok(Self { private_key, csr })
        })
        .await
    }
}

fn signed_request(subject: &Subject, private_key: &Secret) -> Result<String> {
    let key = private_key::read(private_key)?;
    key_strength::check_own(&key)?;
    let name = subject.distinguished_name()?;
    let build = || -> Result<X509Req, ErrorStack> {
        let mut builder = X509ReqBuilder::new()?;
        builder.set_version(0)?;
        builder.set_subject_name(&name)?;
        builder.set_pubkey(&key)?;
        let mut extensions = Stack::new()?;
        extensions.push(ExtendedKeyUsage::new().client_auth().build()?)?;
        builder.add_extensions(&extensions)?;
        builder.sign(&key, digest_for(&key))?;
        Ok(builder.build())
    };
    let pem = build()
        .and_then(|request| request.to_pem())
        .map_err(openssl_fault("make a certificate signing request"))?;
    String::from_utf8(pem).map_err(|_| Error::internal("OpenSSL wrote a request that is not text"))
}
