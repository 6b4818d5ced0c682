//! The extensions that a request asks for.

use std::net::IpAddr;

use magnum_core::{Result, SubjectName};
use x509_cert::attr::Attributes;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

use crate::request::refused;

const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// `serverAuth`.
pub(crate) const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
/// `clientAuth`.
pub(crate) const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// What matters of a request's extensions.
#[derive(Debug, Default)]
pub(crate) struct RequestedExtensions {
    /// The purposes of an `extendedKeyUsage`.
    pub(crate) purposes: Vec<ObjectIdentifier>,
    /// The names of a `subjectAltName`; `None` without one.
    pub(crate) names: Option<Vec<SubjectName>>,
}

impl RequestedExtensions {
    /// Reads the extension request among a request's attributes; other attributes are ignored.
    ///
    /// Key identifiers are always computed and key usages follow from the profile, so both are dropped.
    ///
    /// # Errors
    /// `InvalidInput` when the request asks for an authority, for a critical extension that is not known
    /// here, for a name that is neither DNS name nor address, or cannot be read.
    pub(crate) fn read(attributes: &Attributes) -> Result<Self> {
        let mut requests = attributes
            .iter()
            .filter(|attribute| attribute.oid == EXTENSION_REQUEST)
            .flat_map(|attribute| attribute.values.iter());
        let Some(request) = requests.next() else {
            return Ok(Self::default());
        };
        if requests.next().is_some() {
            return Err(refused("extensions", "one list of extensions is allowed"));
        }
        let extensions: Vec<Extension> = request
            .decode_as()
            .map_err(|_| refused("extensions", "the list of extensions cannot be read"))?;

        let mut seen = Vec::new();
        let mut read = Self::default();
        for extension in &extensions {
            if seen.contains(&extension.extn_id) {
                return Err(refused(extension.extn_id, "the extension is there twice"));
            }
            seen.push(extension.extn_id);
            read.add(extension)?;
        }
        Ok(read)
    }

    fn add(&mut self, extension: &Extension) -> Result<()> {
        match extension.extn_id {
            BASIC_CONSTRAINTS => check_constraints(extension)?,
            KEY_USAGE => check_usage(extension)?,
            EXTENDED_KEY_USAGE => {
                self.purposes = value::<ExtendedKeyUsage>(extension, "extendedKeyUsage")?.0;
            }
            SUBJECT_ALT_NAME => {
                let names = value::<SubjectAltName>(extension, "subjectAltName")?.0;
                self.names = Some(names.iter().map(name).collect::<Result<_>>()?);
            }
            SUBJECT_KEY_IDENTIFIER | AUTHORITY_KEY_IDENTIFIER => {}
            unknown if extension.critical => {
                return Err(refused(
                    unknown,
                    "the extension is marked as critical and is not supported",
                ));
            }
            _ => {}
        }
        Ok(())
    }
}

fn check_constraints(extension: &Extension) -> Result<()> {
    if value::<BasicConstraints>(extension, "basicConstraints")?.ca {
        return Err(refused(
            "basicConstraints",
            "a certificate authority is not given out",
        ));
    }
    Ok(())
}

fn check_usage(extension: &Extension) -> Result<()> {
    let usage: KeyUsage = value(extension, "keyUsage")?;
    if usage.key_cert_sign() || usage.crl_sign() {
        return Err(refused(
            "keyUsage",
            "the right to sign certificates is not given out",
        ));
    }
    Ok(())
}

fn value<'a, T: Decode<'a>>(extension: &'a Extension, name: &'static str) -> Result<T> {
    T::from_der(extension.extn_value.as_bytes()).map_err(|_| refused(name, "the extension cannot be read"))
}

fn name(name: &GeneralName) -> Result<SubjectName> {
    let kind = match name {
        GeneralName::DnsName(dns) => return Ok(SubjectName::Dns(dns.as_str().to_owned())),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            return <[u8; 4]>::try_from(octets)
                .map(IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
                .map(SubjectName::Ip)
                .map_err(|_| refused("subjectAltName", "an address has 4 or 16 bytes"));
        }
        GeneralName::OtherName(_) => "otherName",
        GeneralName::Rfc822Name(_) => "rfc822Name",
        GeneralName::DirectoryName(_) => "directoryName",
        GeneralName::EdiPartyName(_) => "ediPartyName",
        GeneralName::UniformResourceIdentifier(_) => "uniformResourceIdentifier",
        GeneralName::RegisteredId(_) => "registeredID",
    };
    Err(refused(
        kind,
        "of the subject's other names DNS names and addresses are allowed",
    ))
}
