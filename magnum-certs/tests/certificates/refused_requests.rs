//! Every reason to refuse a request, one row each.

use magnum_certs::EcKeys;
use magnum_core::{Authority, ErrorKind, Profile};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;

use crate::requests::{Requested, ec_key, fixture_key, rsa_key};
use crate::setting::{YEAR, authority, ca, client, node};

/// The request, the profile, and what the refusal must say.
type Row = (&'static str, String, Profile, &'static [&'static str]);

/// What is checked before any profile.
fn forms() -> Vec<Row> {
    let good = Requested::new().pem();
    let any = || client(&["a"]);
    let encrypted = good.replacen(
        "REQUEST-----\n",
        "REQUEST-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n",
        1,
    );
    let body = |text: &str| {
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
    };
    vec![
        ("empty", String::new(), any(), &["PEM", "no PEM block"]),
        (
            "too large",
            format!("{good}{}", " ".repeat(64 * 1024)),
            any(),
            &["65536"],
        ),
        (
            "two blocks",
            format!("{good}{good}"),
            any(),
            &["more than one PEM block"],
        ),
        (
            "a key beside it",
            good.clone() + include_str!("../../fixtures/key-0.pem"),
            any(),
            &["more than one"],
        ),
        (
            "a key",
            include_str!("../../fixtures/key-0.pem").into(),
            any(),
            &["another type"],
        ),
        ("encrypted", encrypted, any(), &["encrypted"]),
        ("not base64", body("?"), any(), &["base64"]),
        ("empty block", body(""), any(), &["DER"]),
        ("no request", body("AQID"), any(), &["DER"]),
        (
            "trailing bytes",
            {
                let der = openssl::x509::X509Req::from_pem(good.as_bytes())
                    .unwrap()
                    .to_der()
                    .unwrap();
                body(&openssl::base64::encode_block(&[der, vec![0]].concat()))
            },
            any(),
            &["DER"],
        ),
    ]
}

fn keys() -> Vec<Row> {
    let any = || client(&["a"]);
    let with = |key: PKey<Private>| Requested::new().key(key).pem();
    let public = |bits: i32, exponent: u32, odd: bool| {
        let mut n = BigNum::new().unwrap();
        n.set_bit(bits - 1).unwrap();
        if odd {
            n.set_bit(0).unwrap();
        }
        let e = BigNum::from_u32(exponent).unwrap();
        // Only the public half is used: the request is signed by another key.
        let rsa = Rsa::from_private_components(n, e, one(), one(), one(), one(), one(), one()).unwrap();
        let request = Requested::new().key(PKey::from_rsa(rsa).unwrap());
        request.signed_by(ec_key(Nid::X9_62_PRIME256V1)).pem()
    };
    let rsa = || rsa_key(1024);
    vec![
        ("small RSA", with(rsa()), any(), &["RSA 1024", "2048"]),
        (
            "huge RSA",
            public(8193, 65537, true),
            any(),
            &["RSA 8193", "8192"],
        ),
        ("exponent 1", public(2048, 1, true), any(), &["exponent"]),
        ("even exponent", public(2048, 65536, true), any(), &["exponent"]),
        (
            "even modulus",
            public(2048, 65537, false),
            any(),
            &["odd modulus"],
        ),
        (
            "P-224",
            with(ec_key(Nid::SECP224R1)),
            any(),
            &["1.3.132.0.33", "P-256"],
        ),
        (
            "P-521",
            with(ec_key(Nid::SECP521R1)),
            any(),
            &["1.3.132.0.35", "P-256"],
        ),
        ("explicit curve", with(explicit_curve()), any(), &["by its name"]),
        (
            "Ed448",
            Requested::new()
                .key(PKey::generate_ed448().unwrap())
                .digest(MessageDigest::null())
                .pem(),
            any(),
            &["1.3.101.113"],
        ),
        (
            "MD5",
            Requested::new()
                .key(fixture_key())
                .digest(MessageDigest::md5())
                .pem(),
            any(),
            &["MD5"],
        ),
        (
            "SHA-1",
            Requested::new()
                .key(fixture_key())
                .digest(MessageDigest::sha1())
                .pem(),
            any(),
            &["SHA-1"],
        ),
        (
            "SHA-1 ECDSA",
            Requested::new().digest(MessageDigest::sha1()).pem(),
            any(),
            &["SHA-1"],
        ),
        (
            "not its own signature",
            Requested::new().signed_by(ec_key(Nid::X9_62_PRIME256V1)).pem(),
            any(),
            &["signature", "not signed with the key"],
        ),
        (
            "another kind's signature",
            Requested::new().signed_by(fixture_key()).pem(),
            any(),
            &["signature"],
        ),
    ]
}

fn one() -> BigNum {
    BigNum::from_u32(1).unwrap()
}

fn explicit_curve() -> PKey<Private> {
    use openssl::ec::{Asn1Flag, EcGroup, EcKey};
    let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    group.set_asn1_flag(Asn1Flag::EXPLICIT_CURVE);
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    assert_eq!(key.id(), Id::EC);
    key
}

fn extensions() -> Vec<Row> {
    let mut rows = Vec::new();
    for profile in [client(&["a"]), node()] {
        let row = |request: Requested, says: &'static [&'static str]| -> Row {
            ("extension", request.pem(), profile.clone(), says)
        };
        let new = Requested::new;
        let rows_of_profile: Vec<Row> = vec![
            row(
                new().extension(Nid::BASIC_CONSTRAINTS, "CA:TRUE"),
                &["basicConstraints", "authority"],
            ),
            row(
                new().extension(Nid::BASIC_CONSTRAINTS, "critical,CA:TRUE,pathlen:0"),
                &["authority"],
            ),
            row(
                new().extension(Nid::KEY_USAGE, "keyCertSign"),
                &["keyUsage", "sign certificates"],
            ),
            row(
                new().extension(Nid::KEY_USAGE, "critical,digitalSignature,cRLSign"),
                &["keyUsage"],
            ),
            row(
                new().extension(Nid::NAME_CONSTRAINTS, "critical,permitted;DNS:a"),
                &["2.5.29.30", "critical"],
            ),
            row(
                new().raw_extension("1.2.3.4", "critical,ASN1:NULL"),
                &["1.2.3.4", "critical"],
            ),
            row(
                new().raw_extension("2.5.29.19", "DER:0102"),
                &["basicConstraints", "cannot be read"],
            ),
            row(new().raw_extension("2.5.29.17", "DER:30028200"), &[]),
            row(
                new().raw_extension("2.5.29.37", "DER:3000FF"),
                &["extendedKeyUsage", "cannot be read"],
            ),
            row(
                new().extension(Nid::EXT_KEY_USAGE, "codeSigning"),
                &["1.3.6.1.5.5.7.3.3", "clientAuth"],
            ),
            row(
                new().extension(Nid::EXT_KEY_USAGE, "anyExtendedKeyUsage"),
                &["2.5.29.37.0"],
            ),
            row(
                new()
                    .raw_extension("1.2.3.4", "ASN1:NULL")
                    .raw_extension("1.2.3.4", "ASN1:NULL"),
                &["1.2.3.4", "twice"],
            ),
        ];
        rows.extend(rows_of_profile);
    }
    rows
}

fn profiles() -> Vec<Row> {
    let subject = |subject: &[(Nid, &str)]| Requested::new().subject(subject).pem();
    let with_names = |names: &str| Requested::new().extension(Nid::SUBJECT_ALT_NAME, names).pem();
    let purposes = |purposes: &str| Requested::new().extension(Nid::EXT_KEY_USAGE, purposes).pem();
    let any = || client(&["a"]);
    const CN: Nid = Nid::COMMONNAME;
    const O: Nid = Nid::ORGANIZATIONNAME;
    vec![
        ("no subject", subject(&[]), any(), &["one common name"]),
        (
            "no common name",
            subject(&[(O, "a")]),
            any(),
            &["one common name"],
        ),
        (
            "two common names",
            subject(&[(CN, "x"), (CN, "y")]),
            any(),
            &["one common name"],
        ),
        ("blank common name", subject(&[(CN, " ")]), any(), &["1 to 64"]),
        (
            "control character",
            subject(&[(CN, "x\ny")]),
            any(),
            &["x\\ny", "control"],
        ),
        ("NUL", subject(&[(CN, "admin\0x")]), any(), &["control"]),
        (
            "foreign organization",
            subject(&[(CN, "x"), (O, "a"), (O, "system:masters")]),
            any(),
            &["system:masters", "organization"],
        ),
        (
            "no organization listed",
            subject(&[(CN, "x"), (O, "a")]),
            client(&[]),
            &["'a'", "organization"],
        ),
        (
            "client with names",
            with_names("DNS:a"),
            any(),
            &["subjectAltName"],
        ),
        (
            "client as server",
            purposes("serverAuth"),
            any(),
            &["serverAuth", "clientAuth alone"],
        ),
        (
            "client as both",
            purposes("clientAuth,serverAuth"),
            any(),
            &["serverAuth"],
        ),
        (
            "foreign address",
            with_names("IP:10.0.0.5,IP:10.0.0.6"),
            node(),
            &["10.0.0.6", "not one of the node's"],
        ),
        (
            "foreign address 6",
            with_names("IP:fd00::6"),
            node(),
            &["fd00::6"],
        ),
        (
            "foreign name",
            with_names("DNS:master-0,DNS:master-1"),
            node(),
            &["master-1"],
        ),
        ("wildcard", with_names("DNS:*"), node(), &["'*'"]),
        (
            "address as name",
            with_names("DNS:10.0.0.5"),
            node(),
            &["10.0.0.5"],
        ),
        ("mail", with_names("email:a@b"), node(), &["rfc822Name"]),
        (
            "URI",
            with_names("URI:http://a"),
            node(),
            &["uniformResourceIdentifier"],
        ),
        ("registered", with_names("RID:1.2.3"), node(), &["registeredID"]),
        (
            "other name",
            with_names("otherName:1.2.3;UTF8:a"),
            node(),
            &["otherName"],
        ),
    ]
}

#[tokio::test]
async fn each_refusal_says_why_and_repeats_nothing() {
    let (authority, ca) = (authority(), ca().await);
    let rows = [forms(), keys(), extensions(), profiles()].concat();
    assert!(rows.len() > 60, "{}", rows.len());
    for (name, request, profile, says) in rows {
        let refused = match authority.sign(&ca, &request, &profile, YEAR).await {
            Ok(_) => panic!("{name} was signed: {profile:?}"),
            Err(error) => error,
        };
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{name}: {refused:?}");
        assert_eq!(refused.problems().len(), 1, "{name}");
        assert_eq!(refused.problems()[0].field, "csr", "{name}");
        assert_eq!(
            (refused.origin(), refused.operation()),
            ("certs", "authority.sign"),
            "{name}"
        );
        for part in says {
            assert!(
                refused.to_string().contains(part),
                "{name}: {refused} lacks {part}"
            );
        }
        let shown = format!("{refused} {refused:?}");
        assert!(shown.len() < 600 && !shown.contains("BEGIN"), "{name}: {shown}");
        for line in request.lines().filter(|line| line.len() == 64) {
            assert!(!shown.contains(line), "{name}: {shown}");
        }
    }
}

#[tokio::test]
async fn keys_that_the_world_knows_are_not_certified() {
    let authority = magnum_certs::OpenSslAuthority::system(std::sync::Arc::new(EcKeys));
    let ca = authority.create_ca("c1", YEAR).await.unwrap();
    let request = Requested::new().key(fixture_key()).pem();
    let refused = authority
        .sign(&ca, &request, &client(&[]), YEAR)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(refused.to_string().contains("whole world knows"), "{refused}");
}
