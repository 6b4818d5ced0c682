//! Requests of enemies: whatever comes, a certificate within the profile or a typed refusal.

use std::sync::LazyLock;
use std::time::Instant;

use magnum_certs::OpenSslAuthority;
use magnum_core::{Authority, CertificateBundle, Error, ErrorKind, Profile};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use proptest::prelude::*;
use tokio::runtime::Runtime;
use x509_cert::attr::{Attribute, AttributeTypeAndValue};
use x509_cert::der::asn1::{Any, BitString, ObjectIdentifier, OctetString, SetOfVec};
use x509_cert::der::{Decode, Encode, Tag};
use x509_cert::ext::Extension;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::request::{CertReq, CertReqInfo};

use crate::requests::{self, Requested, block, ec_key, fixture_key};
use crate::setting::{YEAR, authority, ca, client, node};
use crate::verify::{is_authority, names, organizations, parsed, purposes};

struct World {
    runtime: Runtime,
    authority: OpenSslAuthority,
    ca: CertificateBundle,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ca = runtime.block_on(ca());
    World {
        runtime,
        authority: authority(),
        ca,
    }
});

/// The key of requests that are built here.
static KEY: LazyLock<PKey<Private>> = LazyLock::new(|| ec_key(Nid::X9_62_PRIME256V1));

/// Good requests, as DER.
static GOOD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let der = |request: Requested| requests::der(&request.pem());
    vec![
        der(Requested::new()),
        der(Requested::new().key(fixture_key())),
        der(Requested::new().key(PKey::generate_ed25519().unwrap())),
        der(Requested::new()
            .subject(&[(Nid::COMMONNAME, "alice"), (Nid::ORGANIZATIONNAME, "a")])
            .extension(Nid::EXT_KEY_USAGE, "clientAuth")
            .extension(Nid::KEY_USAGE, "critical,digitalSignature")
            .extension(Nid::BASIC_CONSTRAINTS, "critical,CA:FALSE")),
        der(Requested::new().extension(Nid::SUBJECT_ALT_NAME, "DNS:master-0,IP:10.0.0.5")),
    ]
});

fn sign(request: &str, profile: &Profile) -> Result<String, Error> {
    let world = &*WORLD;
    world
        .runtime
        .block_on(world.authority.sign(&world.ca, request, profile, YEAR))
}

/// Signs under both profiles; what is refused is refused properly, what is signed is within its profile.
fn judged(request: &str) {
    for profile in [client(&["a"]), node()] {
        match sign(request, &profile) {
            Ok(signed) => within(&signed, &profile),
            Err(refused) => {
                assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused:?}");
                assert_eq!(refused.problems()[0].field, "csr");
                assert!(refused.to_string().len() < 600, "{refused}");
            }
        }
    }
}

fn within(signed: &str, profile: &Profile) {
    let certificate = parsed(signed);
    assert!(!is_authority(&certificate));
    match profile {
        Profile::Client { .. } => {
            assert_eq!(purposes(&certificate).len(), 1);
            assert!(names(&certificate).is_empty());
            assert!(["", "a"].contains(&organizations(&certificate).join(",").as_str()));
        }
        _ => {
            assert_eq!(
                certificate.tbs_certificate().subject().to_string(),
                "CN=kubernetes"
            );
            assert!((1..=4).contains(&names(&certificate).len()));
        }
    }
}

/// A request with this subject and these attributes, properly signed.
pub(crate) fn signed_request(subject: Name, attributes: Vec<Attribute>) -> Option<String> {
    let key = &*KEY;
    let mut request = CertReq::from_der(&GOOD[0]).unwrap();
    let info = CertReqInfo {
        subject,
        attributes: SetOfVec::try_from(attributes).ok()?,
        public_key: x509_cert::spki::SubjectPublicKeyInfoOwned::from_der(&key.public_key_to_der().unwrap())
            .unwrap(),
        ..request.info
    };
    let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
    let signature = signer.sign_oneshot_to_vec(&info.to_der().ok()?).unwrap();
    request.info = info;
    request.signature = BitString::from_bytes(&signature).unwrap();
    Some(block(&request.to_der().ok()?))
}

pub(crate) fn attribute(oid: &str, tag: Tag, value: Vec<u8>) -> AttributeTypeAndValue {
    AttributeTypeAndValue {
        oid: ObjectIdentifier::new(oid).unwrap(),
        value: Any::new(tag, value).unwrap(),
    }
}

pub(crate) fn named(attributes: Vec<AttributeTypeAndValue>) -> Option<Name> {
    let rdns = attributes
        .into_iter()
        .map(|attribute| {
            let mut rdn = RelativeDistinguishedName::default();
            rdn.insert(attribute).unwrap();
            rdn
        })
        .collect::<Vec<_>>();
    Name::from_der(&RdnSequence::from(rdns).to_der().ok()?).ok()
}

pub(crate) fn extension_request(extensions: Vec<Extension>) -> Attribute {
    let list = Any::encode_from(&extensions).unwrap();
    Attribute {
        oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14"),
        values: SetOfVec::try_from(vec![list]).unwrap(),
    }
}

pub(crate) fn alice() -> AttributeTypeAndValue {
    attribute("2.5.4.3", Tag::Utf8String, b"alice".to_vec())
}

fn text_tag() -> impl Strategy<Value = Tag> {
    prop::sample::select(vec![
        Tag::Utf8String,
        Tag::PrintableString,
        Tag::Ia5String,
        Tag::TeletexString,
        Tag::BmpString,
        Tag::OctetString,
        Tag::Integer,
        Tag::Sequence,
        Tag::Null,
    ])
}

fn extension() -> impl Strategy<Value = Extension> {
    let oid = prop::sample::select(vec![
        "2.5.29.14",
        "2.5.29.15",
        "2.5.29.17",
        "2.5.29.19",
        "2.5.29.30",
        "2.5.29.35",
        "2.5.29.37",
        "1.2.3.4",
    ]);
    // Values that are nearly right reach further than bytes that are not.
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 0..20)
            .prop_map(|content| { [vec![0x30, u8::try_from(content.len()).unwrap()], content].concat() }),
        (0x80u8..0xb0, prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(tag, content)| {
            let length = u8::try_from(content.len()).unwrap();
            [vec![0x30, length + 2, tag, length], content].concat()
        }),
        Just(vec![0x30, 0x03, 0x01, 0x01, 0xff]),
        Just(vec![0x03, 0x02, 0x02, 0x04]),
        Just(vec![0x30, 0x00]),
    ];
    (oid, any::<bool>(), value).prop_map(|(oid, critical, value)| Extension {
        extn_id: ObjectIdentifier::new(oid).unwrap(),
        critical,
        extn_value: OctetString::new(value).unwrap(),
    })
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        judged(&text);
    }

    #[test]
    fn any_bytes_in_a_block(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        judged(&block(&bytes));
    }

    #[test]
    fn good_requests_changed(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut der = which.get(GOOD.as_slice()).clone();
        for (at, to) in changes {
            let at = at.index(der.len());
            der[at] = to;
        }
        judged(&block(&der));
    }

    #[test]
    fn good_requests_cut_and_spliced(
        which in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
    ) {
        let (der, other) = (which.get(GOOD.as_slice()), other.get(GOOD.as_slice()));
        let head = &der[..at.index(der.len())];
        judged(&block(head));
        judged(&block(&[head, &other[from.index(other.len())..]].concat()));
    }

    #[test]
    fn good_texts_changed(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), to in any::<char>()) {
        let mut text: Vec<char> = block(which.get::<Vec<u8>>(&GOOD)).chars().collect();
        let at = at.index(text.len());
        text[at] = to;
        judged(&text.into_iter().collect::<String>());
    }

    #[test]
    fn any_extensions_properly_signed(extensions in prop::collection::vec(extension(), 0..4)) {
        let request = signed_request(named(vec![alice()]).unwrap(), vec![extension_request(extensions)]);
        judged(&request.unwrap());
    }

    #[test]
    fn any_subject_properly_signed(
        parts in prop::collection::vec(
            (prop::sample::select(vec!["2.5.4.3", "2.5.4.10", "2.5.4.11"]), text_tag(), prop::collection::vec(any::<u8>(), 0..70)),
            0..4,
        ),
        text in "\\PC{0,70}",
    ) {
        let parts: Vec<_> = parts.into_iter().map(|(oid, tag, value)| attribute(oid, tag, value)).collect();
        let one = attribute("2.5.4.3", Tag::Utf8String, text.into_bytes());
        for subject in [named(parts), named(vec![one])].into_iter().flatten() {
            if let Some(request) = signed_request(subject, vec![extension_request(vec![])]) {
                judged(&request);
            }
        }
    }
}

#[test]
fn a_good_request_is_good() {
    assert!(sign(&block(&GOOD[3]), &client(&["a"])).is_ok());
    assert!(sign(&block(&GOOD[4]), &node()).is_ok());
    let subject = named(vec![alice()]).unwrap();
    let request = signed_request(subject, vec![extension_request(vec![])]).unwrap();
    assert!(sign(&request, &client(&[])).is_ok());
}

/// Sets are sorted while they are read; the largest ones in the worst order must not cost much.
#[test]
fn a_request_of_thousands_of_attributes_is_quickly_judged() {
    let item = |number: u16| {
        let [high, low] = number.to_be_bytes();
        vec![0x30, 0x09, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x04, 0x02, high, low]
    };
    let content: Vec<u8> = (0..4000u16).rev().flat_map(item).collect();
    let wrapped = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    };
    let subject = wrapped(0x30, &wrapped(0x31, &content));
    let info = wrapped(0x30, &[&[0x02, 0x01, 0x00][..], &subject].concat());
    let started = Instant::now();
    judged(&block(&wrapped(0x30, &info)));
    let taken = started.elapsed();
    assert!(taken.as_secs() < 5, "{taken:?}");
}
