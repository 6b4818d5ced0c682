//! Requests that their own key has signed, whatever they say.

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;

use crate::der::{sequence, tlv};

/// ECDSA with SHA-256.
const ALGORITHM: [u8; 12] = [
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
];
/// `extensionRequest`.
const EXTENSION_REQUEST: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];

static KEY: LazyLock<PKey<Private>> = LazyLock::new(|| crate::key("request"));
static PUBLIC_KEY: LazyLock<Vec<u8>> = LazyLock::new(|| KEY.public_key_to_der().unwrap());

/// A request around a whole `CertificationRequestInfo`.
pub fn signed(info: &[u8]) -> Vec<u8> {
    let mut signer = Signer::new(MessageDigest::sha256(), &KEY).unwrap();
    let signature = signer.sign_oneshot_to_vec(info).unwrap();
    sequence(&[info, &ALGORITHM, &tlv(0x03, &[&[0][..], &signature].concat())])
}

/// A `CertificationRequestInfo` with the content of a subject and of a list of extensions.
pub fn info(subject: &[u8], extensions: &[u8]) -> Vec<u8> {
    let list = tlv(0x31, &tlv(0x30, extensions));
    let attribute = sequence(&[&EXTENSION_REQUEST, &list]);
    sequence(&[
        &[0x02, 0x01, 0x00],
        &tlv(0x30, subject),
        &PUBLIC_KEY,
        &tlv(0xa0, &attribute),
    ])
}

/// A request whose structure is right, so that its values are looked at.
#[derive(Arbitrary, Debug)]
pub struct Wanted<'a> {
    subject: Vec<Attribute<'a>>,
    extensions: Vec<Extension<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Attribute<'a> {
    kind: AttributeKind,
    tag: Text,
    value: &'a [u8],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum AttributeKind {
    CommonName = 3,
    Organization = 10,
    Unit = 11,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Text {
    Utf8 = 0x0c,
    Printable = 0x13,
    Teletex = 0x14,
    Ia5 = 0x16,
    Bmp = 0x1e,
    Sequence = 0x30,
}

#[derive(Arbitrary, Debug)]
struct Extension<'a> {
    kind: ExtensionKind,
    critical: bool,
    value: Value<'a>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum ExtensionKind {
    SubjectKeyIdentifier = 14,
    KeyUsage = 15,
    SubjectAltName = 17,
    IssuerAltName = 18,
    BasicConstraints = 19,
    NameConstraints = 30,
    AuthorityKeyIdentifier = 35,
    ExtendedKeyUsage = 37,
}

#[derive(Arbitrary, Debug)]
enum Value<'a> {
    Raw(&'a [u8]),
    /// `keyUsage`.
    Bits(u8, u8),
    /// `basicConstraints`.
    Flag(bool, Option<u8>),
    /// `subjectAltName`: the number of the choice and its content.
    Names(Vec<(u8, &'a [u8])>),
    /// `extendedKeyUsage`: the last number of a purpose, as in `serverAuth` and `clientAuth`.
    Purposes(Vec<u8>),
}

impl Wanted<'_> {
    /// The request as DER.
    pub fn request(&self) -> Vec<u8> {
        let subject: Vec<u8> = self.subject.iter().flat_map(Attribute::der).collect();
        let extensions: Vec<u8> = self.extensions.iter().flat_map(Extension::der).collect();
        signed(&info(&subject, &extensions))
    }
}

impl Attribute<'_> {
    fn der(&self) -> Vec<u8> {
        let kind = [0x06, 0x03, 0x55, 0x04, self.kind as u8];
        tlv(0x31, &sequence(&[&kind, &tlv(self.tag as u8, self.value)]))
    }
}

impl Extension<'_> {
    fn der(&self) -> Vec<u8> {
        let kind = [0x06, 0x03, 0x55, 0x1d, self.kind as u8];
        let critical: &[u8] = if self.critical { &[0x01, 0x01, 0xff] } else { &[] };
        sequence(&[&kind, critical, &tlv(0x04, &self.value.der())])
    }
}

impl Value<'_> {
    fn der(&self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes.to_vec(),
            Self::Bits(unused, bits) => vec![0x03, 0x02, unused % 8, *bits],
            Self::Flag(flag, length) => {
                let flag: &[u8] = if *flag { &[0x01, 0x01, 0xff] } else { &[] };
                let length = length.map(|length| tlv(0x02, &[length])).unwrap_or_default();
                sequence(&[flag, &length])
            }
            Self::Names(names) => {
                let name = |(choice, content): &(u8, &[u8])| tlv(0x80 | (choice % 9), content);
                tlv(0x30, &names.iter().flat_map(name).collect::<Vec<_>>())
            }
            Self::Purposes(purposes) => {
                let purpose =
                    |number: &u8| [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, number % 128];
                tlv(0x30, &purposes.iter().flat_map(purpose).collect::<Vec<_>>())
            }
        }
    }
}
