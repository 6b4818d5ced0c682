//! Signatures and keys that are not good enough.

use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use x509_cert::der::asn1::{BitString, ObjectIdentifier};

use super::Case;
use crate::requests::{Requested, altered, block, der, ec_key, fixture_key, rsa_key};

pub(super) fn before_the_subject() -> Vec<Case> {
    [signatures(), curves()].into_iter().flatten().collect()
}

pub(super) fn after_the_subject() -> Vec<Case> {
    [elliptic(), rsa(), proofs()].into_iter().flatten().collect()
}

fn signatures() -> Vec<Case> {
    let case = |name, request: String, aspect| {
        Case::always(
            name,
            request,
            aspect,
            "the request must be signed with SHA-256, SHA-384, SHA-512 or Ed25519",
        )
    };
    let rsa = |digest| Requested::new().key(fixture_key()).digest(digest).pem();
    let elliptic = |digest| Requested::new().digest(digest).pem();
    let pss = altered(&Requested::new().key(fixture_key()).pem(), |request| {
        request.algorithm.oid = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
    });
    let ed448 = Requested::new()
        .key(PKey::generate_ed448().unwrap())
        .digest(MessageDigest::null());
    vec![
        case("MD5 with RSA", rsa(MessageDigest::md5()), "MD5 with RSA"),
        case("SHA-1 with RSA", rsa(MessageDigest::sha1()), "SHA-1 with RSA"),
        case(
            "SHA-1 with ECDSA",
            elliptic(MessageDigest::sha1()),
            "SHA-1 with ECDSA",
        ),
        case(
            "SHA-224 with RSA",
            rsa(MessageDigest::sha224()),
            "SHA-224 with RSA",
        ),
        case(
            "SHA-224 with ECDSA",
            elliptic(MessageDigest::sha224()),
            "1.2.840.10045.4.3.1",
        ),
        case("RSA-PSS", pss, "RSA-PSS"),
        case("Ed448 signature", ed448.pem(), "1.3.101.113"),
    ]
}

fn curves() -> Vec<Case> {
    let case = Case::always;
    let with = |key: PKey<Private>| Requested::new().key(key).pem();
    let curves = "of the elliptic curves P-256 and P-384 are allowed";
    vec![
        case("P-224", with(ec_key(Nid::SECP224R1)), "1.3.132.0.33", curves),
        case("P-521", with(ec_key(Nid::SECP521R1)), "1.3.132.0.35", curves),
        case(
            "explicit curve",
            with(explicit_curve()),
            "curve",
            "the key's elliptic curve must be given by its name",
        ),
    ]
}

fn elliptic() -> Vec<Case> {
    let case = Case::always;
    let point = |change: fn(&mut Vec<u8>)| {
        altered(&Requested::new().pem(), |request| {
            let key = &mut request.info.public_key.subject_public_key;
            let mut point = key.raw_bytes().to_vec();
            change(&mut point);
            *key = BitString::from_bytes(&point).unwrap();
        })
    };
    let ed448 = Requested::new().key(PKey::generate_ed448().unwrap());
    vec![
        case(
            "point off its curve",
            point(|point| point[64] ^= 1),
            "key",
            "the public key cannot be read",
        ),
        case(
            "point at infinity",
            point(|point| *point = vec![0]),
            "EC",
            "the key cannot be read",
        ),
        case(
            "Ed448 key",
            ed448.signed_by(ec_key(Nid::X9_62_PRIME256V1)).pem(),
            "key",
            "RSA, ECDSA (P-256, P-384) and Ed25519 keys are allowed",
        ),
    ]
}

fn rsa() -> Vec<Case> {
    let case = Case::always;
    let sizes = "RSA keys of 2048 to 8192 bits are allowed";
    let numbers = "an odd modulus and an odd public exponent above 1 of at most 64 bits are needed";
    let exponent = |number: u32| BigNum::from_u32(number).unwrap();
    let mut long = exponent(1);
    long.set_bit(64).unwrap();
    vec![
        case(
            "short RSA",
            Requested::new().key(rsa_key(1024)).pem(),
            "RSA 1024",
            sizes,
        ),
        case(
            "long RSA",
            public_rsa(8193, exponent(65537), true),
            "RSA 8193",
            sizes,
        ),
        case(
            "exponent 1",
            public_rsa(2048, exponent(1), true),
            "RSA 2048",
            numbers,
        ),
        case(
            "even exponent",
            public_rsa(2048, exponent(65536), true),
            "RSA 2048",
            numbers,
        ),
        case("long exponent", public_rsa(2048, long, true), "RSA 2048", numbers),
        case(
            "even modulus",
            public_rsa(2048, exponent(65537), false),
            "RSA 2048",
            numbers,
        ),
    ]
}

fn proofs() -> Vec<Case> {
    let case = |name, request| {
        Case::always(
            name,
            request,
            "signature",
            "the request is not signed with the key that it asks a certificate for",
        )
    };
    let mut changed = der(&Requested::new().pem());
    let at = changed.windows(5).position(|bytes| bytes == b"alice").unwrap();
    changed[at..at + 5].copy_from_slice(b"admin");
    vec![
        case(
            "another key's signature",
            Requested::new().signed_by(ec_key(Nid::X9_62_PRIME256V1)).pem(),
        ),
        case(
            "another kind's signature",
            Requested::new().signed_by(fixture_key()).pem(),
        ),
        case("changed after signing", block(&changed)),
        Case::always(
            "known key",
            Requested::new().key(fixture_key()).pem(),
            "key",
            "the private key is a test key that the whole world knows",
        ),
    ]
}

/// A request with the public half of a key that nobody has, signed by another.
fn public_rsa(bits: i32, exponent: BigNum, odd: bool) -> String {
    let mut modulus = BigNum::new().unwrap();
    modulus.set_bit(bits - 1).unwrap();
    if odd {
        modulus.set_bit(0).unwrap();
    }
    let one = || BigNum::from_u32(1).unwrap();
    let key =
        Rsa::from_private_components(modulus, exponent, one(), one(), one(), one(), one(), one()).unwrap();
    Requested::new()
        .key(PKey::from_rsa(key).unwrap())
        .signed_by(ec_key(Nid::X9_62_PRIME256V1))
        .pem()
}

fn explicit_curve() -> PKey<Private> {
    use openssl::ec::{Asn1Flag, EcGroup, EcKey};
    let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    group.set_asn1_flag(Asn1Flag::EXPLICIT_CURVE);
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    assert_eq!(key.id(), Id::EC);
    key
}
