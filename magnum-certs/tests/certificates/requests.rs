//! Signing requests, good and bad, made with OpenSSL.

use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::{X509Extension, X509NameBuilder, X509Req, X509ReqBuilder};
use x509_cert::der::{Decode, Encode};
use x509_cert::request::CertReq;

/// A request in the making: by default a P-256 key, `CN=alice`, no extensions.
pub(crate) struct Requested {
    key: PKey<Private>,
    signer: Option<PKey<Private>>,
    subject: Vec<(Nid, String)>,
    extensions: Vec<X509Extension>,
    digest: MessageDigest,
}

impl Requested {
    pub(crate) fn new() -> Self {
        Self {
            key: ec_key(Nid::X9_62_PRIME256V1),
            signer: None,
            subject: vec![(Nid::COMMONNAME, "alice".into())],
            extensions: Vec::new(),
            digest: MessageDigest::sha256(),
        }
    }

    pub(crate) fn key(mut self, key: PKey<Private>) -> Self {
        if key.id() == Id::ED25519 {
            self.digest = MessageDigest::null();
        }
        self.key = key;
        self
    }

    pub(crate) fn signed_by(mut self, key: PKey<Private>) -> Self {
        self.signer = Some(key);
        self
    }

    pub(crate) fn digest(mut self, digest: MessageDigest) -> Self {
        self.digest = digest;
        self
    }

    pub(crate) fn subject(mut self, subject: &[(Nid, &str)]) -> Self {
        self.subject = subject
            .iter()
            .map(|(nid, text)| (*nid, (*text).to_owned()))
            .collect();
        self
    }

    /// An extension as OpenSSL's configuration files write it. (For the test's own text only.)
    #[allow(deprecated)]
    pub(crate) fn extension(mut self, name: Nid, value: &str) -> Self {
        self.extensions
            .push(X509Extension::new_nid(None, None, name, value).unwrap());
        self
    }

    /// An extension by number, with any value.
    #[allow(deprecated)]
    pub(crate) fn raw_extension(mut self, oid: &str, value: &str) -> Self {
        self.extensions
            .push(X509Extension::new(None, None, oid, value).unwrap());
        self
    }

    pub(crate) fn pem(self) -> String {
        let mut name = X509NameBuilder::new().unwrap();
        for (nid, text) in &self.subject {
            name.append_entry_by_nid(*nid, text).unwrap();
        }
        let mut builder = X509ReqBuilder::new().unwrap();
        builder.set_version(0).unwrap();
        builder.set_subject_name(&name.build()).unwrap();
        builder.set_pubkey(&self.key).unwrap();
        if !self.extensions.is_empty() {
            let mut stack = Stack::new().unwrap();
            for extension in self.extensions {
                stack.push(extension).unwrap();
            }
            builder.add_extensions(&stack).unwrap();
        }
        builder
            .sign(self.signer.as_ref().unwrap_or(&self.key), self.digest)
            .unwrap();
        String::from_utf8(builder.build().to_pem().unwrap()).unwrap()
    }
}

/// The DER of a PEM request.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    X509Req::from_pem(pem.as_bytes()).unwrap().to_der().unwrap()
}

/// DER as a PEM request.
pub(crate) fn block(der: &[u8]) -> String {
    let body = openssl::base64::encode_block(der);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
}

/// A request changed after it was signed.
pub(crate) fn altered(pem: &str, change: impl FnOnce(&mut CertReq)) -> String {
    let mut request = CertReq::from_der(&der(pem)).unwrap();
    change(&mut request);
    block(&request.to_der().unwrap())
}

pub(crate) fn ec_key(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

pub(crate) fn rsa_key(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
}

/// A checked-in RSA-2048 key.
pub(crate) fn fixture_key() -> PKey<Private> {
    PKey::private_key_from_pem(include_bytes!("../../fixtures/key-5.pem")).unwrap()
}
