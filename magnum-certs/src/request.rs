//! Reading certificate signing requests of strangers.

use magnum_core::{Error, Result};
use openssl::pkey::{PKey, Public};
use openssl::x509::X509Req;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::request::CertReq;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::key_strength;
use crate::pem::single_block;
use crate::request_extensions::RequestedExtensions;
use crate::request_subject::RequestedSubject;

/// The longest request in bytes that is looked at.
const LIMIT: usize = 64 * 1024;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Accepted signature algorithms: RSA (PKCS#1 v1.5) and ECDSA with SHA-256, -384 and -512, and Ed25519.
const SIGNATURES: [ObjectIdentifier; 7] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"),
    ObjectIdentifier::new_unwrap("1.3.101.112"),
];

/// Signature algorithms whose refusal deserves a name.
const NAMED_SIGNATURES: [(ObjectIdentifier, &str); 5] = [
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4"),
        "MD5 with RSA",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"),
        "SHA-1 with RSA",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"),
        "SHA-1 with ECDSA",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.14"),
        "SHA-224 with RSA",
    ),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"), "RSA-PSS"),
];

/// A request whose sender has shown to hold a good key. What it asks for is not judged yet.
#[derive(Debug)]
pub(crate) struct Request {
    /// The sender's key.
    pub(crate) public_key: PKey<Public>,
    /// The subject that it asks for.
    pub(crate) subject: RequestedSubject,
    /// The extensions that it asks for.
    pub(crate) extensions: RequestedExtensions,
}

impl Request {
    /// Whether a request is small enough to be looked at.
    ///
    /// # Errors
    /// `InvalidInput` with field `csr` when it is not.
    pub(crate) fn check_size(pem: &str) -> Result<()> {
        if pem.len() > LIMIT {
            return Err(refused("size", "requests of at most 65536 bytes are allowed"));
        }
        Ok(())
    }

    /// Reads a PEM request and checks its key and its proof of possession.
    ///
    /// # Errors
    /// `InvalidInput` with field `csr` says why it is refused.
    pub(crate) fn read(pem: &str) -> Result<Self> {
        Self::check_size(pem)?;
        let der = single_block(pem, &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])
            .map_err(|why| refused("PEM", format!("the request {why}")))?;
        let parsed = CertReq::from_der(&der).map_err(|_| no_request())?;

        check_signature_algorithm(parsed.algorithm.oid)?;
        check_key_parameters(&parsed.info.public_key)?;
        // Before OpenSSL reads it all, and does not say which part it cannot read.
        let subject = RequestedSubject::read(&parsed.info.subject)?;
        let public_key = proven_key(&der)?;

        Ok(Self {
            public_key,
            subject,
            extensions: RequestedExtensions::read(&parsed.info.attributes)?,
        })
    }
}

/// A refused request: the aspect that is wrong, and why. The request itself is never repeated.
pub(crate) fn refused(aspect: impl std::fmt::Display, why: impl Into<String>) -> Error {
    Error::field("csr", aspect, why)
}

fn no_request() -> Error {
    refused("DER", "the block does not hold a certificate signing request")
}

fn check_signature_algorithm(algorithm: ObjectIdentifier) -> Result<()> {
    if SIGNATURES.contains(&algorithm) {
        return Ok(());
    }
    let name = NAMED_SIGNATURES
        .iter()
        .find(|(oid, _)| *oid == algorithm)
        .map_or_else(|| algorithm.to_string(), |(_, name)| (*name).to_owned());
    Err(refused(
        name,
        "the request must be signed with SHA-256, SHA-384, SHA-512 or Ed25519",
    ))
}

/// Curves must be named: explicit parameters may pose as a good curve, and are costly to check.
fn check_key_parameters(key: &SubjectPublicKeyInfoOwned) -> Result<()> {
    if key.algorithm.oid != EC_PUBLIC_KEY {
        return Ok(());
    }
    let curve = key
        .algorithm
        .parameters
        .as_ref()
        .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    match curve {
        Some(P256 | P384) => Ok(()),
        Some(other) => Err(refused(
            other,
            "of the elliptic curves P-256 and P-384 are allowed",
        )),
        None => Err(refused(
            "curve",
            "the key's elliptic curve must be given by its name",
        )),
    }
}

/// The request's key, if it is strong enough and has signed the request.
fn proven_key(der: &[u8]) -> Result<PKey<Public>> {
    let request = X509Req::from_der(der).map_err(|_| no_request())?;
    let key = request
        .public_key()
        .map_err(|_| refused("key", "the public key cannot be read"))?;
    key_strength::check(&key).map_err(|weak| refused(weak.key, weak.message))?;
    if !matches!(request.verify(&key), Ok(true)) {
        return Err(refused(
            "signature",
            "the request is not signed with the key that it asks a certificate for",
        ));
    }
    Ok(key)
}
