//! Building certificates. Extensions come from typed builders alone: OpenSSL's textual form can read files.

use std::time::Duration;

use jiff::Timestamp;
use magnum_core::{Error, ErrorKind, Result, SubjectName};
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder};

use crate::blocking::openssl_fault;
use crate::issuer::Issuer;
use crate::profile::Grant;
use crate::subject::Subject;

/// How long before now a certificate begins, for clocks that are behind.
const BACKDATE: Duration = Duration::from_secs(3600);

/// What differs between two certificates that say the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issuance {
    /// The time now.
    pub(crate) now: Timestamp,
    /// For how long from now it is good.
    pub(crate) validity: Duration,
    /// 128 random bits.
    pub(crate) serial: [u8; 16],
}

impl Issuance {
    fn not_before(&self) -> Result<Asn1Time> {
        asn1_time(self.now.checked_sub(BACKDATE).unwrap_or(Timestamp::MIN))
    }

    fn not_after(&self) -> Result<Asn1Time> {
        asn1_time(self.now.checked_add(self.validity).unwrap_or(Timestamp::MAX))
    }

    fn serial(&self) -> Result<Asn1Integer> {
        BigNum::from_slice(&self.serial)
            .and_then(|number| Asn1Integer::from_bn(&number))
            .map_err(openssl_fault("make a serial number"))
    }
}

/// A self-signed authority that may sign leaves and nothing else.
pub(crate) fn authority(key: &PKey<Private>, common_name: String, issuance: &Issuance) -> Result<X509> {
    let name = Subject {
        common_name,
        organizations: Vec::new(),
    }
    .distinguished_name()?;
    let (serial, not_before, not_after) = (issuance.serial()?, issuance.not_before()?, issuance.not_after()?);
    let build = || -> Result<X509, ErrorStack> {
        let mut builder = X509Builder::new()?;
        builder.set_version(2)?;
        builder.set_serial_number(&serial)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_not_before(&not_before)?;
        builder.set_not_after(&not_after)?;
        builder.set_pubkey(key)?;
        builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
        let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
        builder.append_extension(identifier)?;
        builder.sign(key, digest_for(key))?;
        Ok(builder.build())
    };
    build().map_err(openssl_fault("make a certificate authority"))
}

/// A leaf certificate for `public_key`, signed by `issuer`, that ends no later than the issuer.
///
/// # Errors
/// `Configuration` when the authority has expired, or its private key does not make its signatures.
pub(crate) fn leaf<T: HasPublic>(
    issuer: &Issuer,
    public_key: &PKeyRef<T>,
    grant: &Grant,
    issuance: &Issuance,
) -> Result<X509> {
    let subject = grant.subject.distinguished_name()?;
    let (serial, not_before, wanted) = (issuance.serial()?, issuance.not_before()?, issuance.not_after()?);
    let last = issuer.certificate.not_after();
    if asn1_time(issuance.now)? >= *last {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("the certificate authority expired on {last}"),
        ));
    }
    let build = || -> Result<X509, ErrorStack> {
        let mut builder = X509Builder::new()?;
        builder.set_version(2)?;
        builder.set_serial_number(&serial)?;
        builder.set_subject_name(&subject)?;
        builder.set_issuer_name(issuer.certificate.subject_name())?;
        builder.set_not_before(&not_before)?;
        builder.set_not_after(if wanted < *last { &wanted } else { last })?;
        builder.set_pubkey(public_key)?;
        append_leaf_extensions(&mut builder, issuer, grant, public_key.id())?;
        builder.sign(&issuer.key, digest_for(&issuer.key))?;
        Ok(builder.build())
    };
    let certificate = build().map_err(openssl_fault("issue a certificate"))?;
    // A private key says its public half itself, and it may be another's: the signature tells.
    if !matches!(certificate.verify(&issuer.key), Ok(true)) {
        return Err(Error::new(
            ErrorKind::Configuration,
            "the certificate authority's private key does not make signatures that its certificate verifies",
        ));
    }
    Ok(certificate)
}

fn append_leaf_extensions(
    builder: &mut X509Builder,
    issuer: &Issuer,
    grant: &Grant,
    key: Id,
) -> Result<(), ErrorStack> {
    builder.append_extension(BasicConstraints::new().critical().build()?)?;

    let mut usage = KeyUsage::new();
    usage.critical().digital_signature();
    if key == Id::RSA {
        usage.key_encipherment();
    }
    builder.append_extension(usage.build()?)?;

    let mut purposes = ExtendedKeyUsage::new();
    if grant.server {
        purposes.server_auth();
    }
    if grant.client {
        purposes.client_auth();
    }
    builder.append_extension(purposes.build()?)?;

    let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(identifier)?;

    // An authority made elsewhere may have no identifier; then its name and serial number stand in.
    let mut authority = AuthorityKeyIdentifier::new();
    if issuer.certificate.subject_key_id().is_some() {
        authority.keyid(true);
    } else {
        authority.issuer(true);
    }
    let identifier = authority.build(&builder.x509v3_context(Some(&issuer.certificate), None))?;
    builder.append_extension(identifier)?;

    if !grant.names.is_empty() {
        let mut names = SubjectAlternativeName::new();
        for name in &grant.names {
            match name {
                SubjectName::Ip(address) => names.ip(&address.to_string()),
                SubjectName::Dns(name) => names.dns(name),
            };
        }
        let extension = names.build(&builder.x509v3_context(Some(&issuer.certificate), None))?;
        builder.append_extension(extension)?;
    }
    Ok(())
}

/// The hash that fits a signing key; Ed25519 brings its own.
pub(crate) fn digest_for(key: &PKey<Private>) -> MessageDigest {
    let p384 = || {
        key.ec_key()
            .is_ok_and(|key| key.group().curve_name() == Some(Nid::SECP384R1))
    };
    match key.id() {
        Id::ED25519 => MessageDigest::null(),
        Id::EC if p384() => MessageDigest::sha384(),
        _ => MessageDigest::sha256(),
    }
}

fn asn1_time(time: Timestamp) -> Result<Asn1Time> {
    Asn1Time::from_unix(time.as_second()).map_err(openssl_fault("make a time"))
}
