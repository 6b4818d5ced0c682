//! Signing requests as somebody makes them, and what certificates say.

use std::collections::BTreeSet;
use std::net::IpAddr;

use magnum::SubjectName;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::x509::extension::{ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder, X509NameRef, X509Req, X509ReqBuilder, X509VerifyResult};

pub fn dns(name: &str) -> SubjectName {
    SubjectName::Dns(name.to_owned())
}

pub fn ip(address: &str) -> SubjectName {
    SubjectName::Ip(address.parse().unwrap())
}

/// A key on P-256, and a request for it.
pub struct SigningRequest {
    pub key: PKey<Private>,
    pub pem: String,
}

/// What a request asks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub subject: Vec<(&'static str, &'static str)>,
    pub names: Vec<SubjectName>,
    pub server: bool,
    pub client: bool,
}

impl Wanted {
    pub fn names(names: impl IntoIterator<Item = SubjectName>) -> Self {
        Self {
            names: names.into_iter().collect(),
            ..Self::default()
        }
    }

    pub fn request(&self) -> SigningRequest {
        let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        for (kind, value) in &self.subject {
            name.append_entry_by_text(kind, value).unwrap();
        }
        let mut builder: X509ReqBuilder = X509Req::builder().unwrap();
        builder.set_version(0).unwrap();
        builder.set_subject_name(&name.build()).unwrap();
        builder.set_pubkey(&key).unwrap();
        let mut extensions = Stack::new().unwrap();
        if !self.names.is_empty() {
            let mut names = SubjectAlternativeName::new();
            for name in &self.names {
                match name {
                    SubjectName::Ip(address) => names.ip(&address.to_string()),
                    SubjectName::Dns(name) => names.dns(name),
                };
            }
            let names = names.build(&builder.x509v3_context(None)).unwrap();
            extensions.push(names).unwrap();
        }
        if self.server || self.client {
            let mut purposes = ExtendedKeyUsage::new();
            if self.server {
                purposes.server_auth();
            }
            if self.client {
                purposes.client_auth();
            }
            extensions.push(purposes.build().unwrap()).unwrap();
        }
        if !extensions.is_empty() {
            builder.add_extensions(&extensions).unwrap();
        }
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let pem = String::from_utf8(builder.build().to_pem().unwrap()).unwrap();
        SigningRequest { key, pem }
    }
}

/// What a leaf certificate says of its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// As `CN=x,O=y`.
    pub subject: String,
    pub names: BTreeSet<SubjectName>,
    pub server: bool,
    pub client: bool,
}

pub fn read(pem: &str) -> X509 {
    X509::from_pem(pem.as_bytes()).unwrap()
}

/// A subject as `CN=x,O=y`.
pub fn subject(name: &X509NameRef) -> String {
    name.entries()
        .map(|entry| {
            let kind = entry.object().nid().short_name().unwrap().to_owned();
            format!("{kind}={}", entry.data().to_string().unwrap())
        })
        .collect::<Vec<_>>()
        .join(",")
}

/// Reads a leaf certificate, and panics when it is an authority's or is good for more than it should.
pub fn said(certificate: &X509) -> Said {
    let names = certificate
        .subject_alt_names()
        .into_iter()
        .flatten()
        .map(|name| match (name.dnsname(), name.ipaddress()) {
            (Some(name), None) => dns(name),
            (None, Some(octets)) => SubjectName::Ip(match octets.len() {
                4 => IpAddr::from(<[u8; 4]>::try_from(octets).unwrap()),
                _ => IpAddr::from(<[u8; 16]>::try_from(octets).unwrap()),
            }),
            _ => panic!("a name is neither DNS name nor address"),
        })
        .collect();
    let text = String::from_utf8(certificate.to_text().unwrap()).unwrap();
    let after = |title: &str| {
        let mut lines = text.lines().skip_while(|line| !line.contains(title)).skip(1);
        lines
            .next()
            .map(|line| line.trim().to_owned())
            .unwrap_or_default()
    };
    assert_eq!(after("X509v3 Basic Constraints: critical"), "CA:FALSE", "{text}");
    assert_eq!(
        after("X509v3 Key Usage: critical"),
        "Digital Signature",
        "what a key on an elliptic curve is good for: {text}"
    );
    let (server, client) = match after("X509v3 Extended Key Usage").as_str() {
        "TLS Web Server Authentication" => (true, false),
        "TLS Web Client Authentication" => (false, true),
        "TLS Web Server Authentication, TLS Web Client Authentication" => (true, true),
        other => panic!("another purpose: {other}"),
    };
    Said {
        subject: subject(certificate.subject_name()),
        names,
        server,
        client,
    }
}

/// Whether an authority has signed a certificate.
pub fn signed_by(certificate: &X509, authority: &X509) -> bool {
    authority.issued(certificate) == X509VerifyResult::OK
        && certificate.verify(&authority.public_key().unwrap()).unwrap()
}
