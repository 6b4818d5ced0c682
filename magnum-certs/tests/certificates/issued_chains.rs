//! What is issued says what it must, and others agree.

use std::sync::Arc;
use std::time::Duration;

use magnum_certs::{EcKeys, FixtureKeys, OpenSslAuthority};
use magnum_core::{Authority, Entropy, KeySource, Profile};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::X509;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use crate::requests::{Requested, ec_key, fixture_key};
use crate::setting::{At, DAY, Given, HOUR, NOW, YEAR, authority, authority_at, ca, client, node};
use crate::verify::{is_authority, names, openssl_verify, openssl_verify_each, parsed, purposes, validity};

const SERVER: [&str; 2] = ["-purpose", "sslserver"];
const CLIENT: [&str; 2] = ["-purpose", "sslclient"];

fn fixtures() -> Arc<dyn KeySource> {
    Arc::new(FixtureKeys::danger_seeded(2))
}

#[tokio::test]
async fn chains_of_every_kind_of_key_verify() {
    let authorities: [(&str, Arc<dyn KeySource>); 4] = [
        ("RSA", fixtures()),
        ("P-256", Arc::new(EcKeys)),
        ("P-384", Given::key(&ec_key(Nid::SECP384R1))),
        ("Ed25519", Given::key(&PKey::generate_ed25519().unwrap())),
    ];
    for (kind, keys) in authorities {
        let authority = authority_at(NOW, keys);
        let ca = authority.create_ca("c1", 5 * YEAR).await.unwrap();
        let admin = authority
            .issue(&ca, "admin", &client(&["system:masters"]), YEAR)
            .await
            .unwrap();
        let own = authority.issue(&ca, "kubernetes", &node(), YEAR).await.unwrap();
        assert_eq!(own.intermediates, None);
        let (mut clients, mut nodes) = (vec![admin.certificate], vec![own.certificate]);
        for key in [
            fixture_key(),
            ec_key(Nid::X9_62_PRIME256V1),
            ec_key(Nid::SECP384R1),
            PKey::generate_ed25519().unwrap(),
        ] {
            let request = Requested::new().key(key).pem();
            clients.push(authority.sign(&ca, &request, &client(&[]), YEAR).await.unwrap());
            nodes.push(authority.sign(&ca, &request, &node(), YEAR).await.unwrap());
        }
        for (leaves, arguments, good) in [
            (&clients, CLIENT, true),
            (&clients, SERVER, false),
            (&nodes, CLIENT, true),
            (&nodes, SERVER, true),
            (&nodes, ["-verify_ip", "10.0.0.5"], true),
            (&nodes, ["-verify_ip", "fd00::5"], true),
            (&nodes, ["-verify_ip", "10.0.0.6"], false),
            (&nodes, ["-verify_hostname", "master-0"], true),
            (&nodes, ["-verify_hostname", "master-1"], false),
        ] {
            let leaves: Vec<&str> = leaves.iter().map(String::as_str).collect();
            let arguments = [&["-x509_strict"], &arguments[..]].concat();
            for verdict in openssl_verify_each(&ca.certificate, &leaves, &arguments) {
                assert_eq!(verdict.is_ok(), good, "{kind} {arguments:?}: {verdict:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_authority_may_sign_leaves_only() {
    let ca = ca().await;
    openssl_verify(&ca.certificate, &ca.certificate, &[]).unwrap();
    let certificate = parsed(&ca.certificate);
    let tbs = certificate.tbs_certificate();
    let (critical, constraints) = tbs.get_extension::<BasicConstraints>().unwrap().unwrap();
    assert!(critical && constraints.ca);
    assert_eq!(constraints.path_len_constraint, Some(0));
    let (critical, usage) = tbs.get_extension::<KeyUsage>().unwrap().unwrap();
    assert!(critical && usage.key_cert_sign() && usage.crl_sign() && !usage.digital_signature());
    assert_eq!(tbs.subject().to_string(), "CN=c1");
    assert_eq!(tbs.subject(), tbs.issuer());

    let x509 = X509::from_pem(ca.certificate.as_bytes()).unwrap();
    assert_eq!(x509.pathlen(), Some(0));
    assert!(x509.subject_key_id().is_some());
}

#[tokio::test]
async fn leaves_carry_their_profile_and_nothing_else() {
    let (authority, ca) = (authority(), ca().await);
    let issued = authority
        .issue(&ca, "admin", &client(&["system:masters", "ops"]), YEAR)
        .await
        .unwrap();
    let text = openssl_text(&issued.certificate);
    let certificate = parsed(&issued.certificate);
    assert_eq!(
        certificate.tbs_certificate().subject().to_string(),
        "O=ops,O=system:masters,CN=admin"
    );
    assert!(!is_authority(&certificate));
    assert_eq!(names(&certificate), Vec::<String>::new());
    for (part, there) in [
        (
            "X509v3 Basic Constraints: critical\n                CA:FALSE",
            true,
        ),
        (
            "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n",
            true,
        ),
        ("TLS Web Client Authentication\n", true),
        ("TLS Web Server Authentication", false),
        ("X509v3 Subject Key Identifier", true),
        ("X509v3 Authority Key Identifier", true),
        ("Signature Algorithm: sha256WithRSAEncryption", true),
    ] {
        assert_eq!(text.contains(part), there, "{part}\n{text}");
    }
    assert_eq!(certificate.tbs_certificate().extensions().unwrap().len(), 5);

    let request = Requested::new().pem();
    let elliptic = authority.sign(&ca, &request, &client(&[]), YEAR).await.unwrap();
    assert!(openssl_text(&elliptic).contains("Key Usage: critical\n                Digital Signature\n"));
}

#[tokio::test]
async fn a_client_request_keeps_its_name_and_listed_organizations() {
    let (authority, ca) = (authority(), ca().await);
    let request = Requested::new()
        .subject(&[
            (Nid::COUNTRYNAME, "DE"),
            (Nid::ORGANIZATIONNAME, "b"),
            (Nid::ORGANIZATIONALUNITNAME, "unit"),
            (Nid::COMMONNAME, "Jürgen"),
            (Nid::ORGANIZATIONNAME, "b"),
        ])
        .extension(Nid::EXT_KEY_USAGE, "clientAuth")
        .extension(
            Nid::KEY_USAGE,
            "critical,digitalSignature,nonRepudiation,dataEncipherment",
        )
        .extension(Nid::BASIC_CONSTRAINTS, "critical,CA:FALSE")
        .extension(Nid::SUBJECT_KEY_IDENTIFIER, "critical,01:02")
        .raw_extension("1.2.3.4", "ASN1:UTF8String:dropped")
        .pem();
    let signed = authority
        .sign(&ca, &request, &client(&["a", "b"]), YEAR)
        .await
        .unwrap();
    let certificate = parsed(&signed);
    let subject = certificate.tbs_certificate().subject();
    assert_eq!(subject.to_string(), "O=b,CN=Jürgen");
    assert_eq!(certificate.tbs_certificate().extensions().unwrap().len(), 5);
    assert!(!openssl_text(&signed).contains("Non Repudiation"));
    openssl_verify(&ca.certificate, &signed, &CLIENT).unwrap();
}

#[tokio::test]
async fn a_node_gets_the_names_it_asks_for_or_all() {
    let (authority, ca) = (authority(), ca().await);
    let sign = async |request: Requested| {
        let signed = authority.sign(&ca, &request.pem(), &node(), YEAR).await.unwrap();
        parsed(&signed)
    };
    let all = sign(Requested::new()).await;
    assert_eq!(all.tbs_certificate().subject().to_string(), "CN=kubernetes");
    assert_eq!(names(&all).len(), 4);

    let request = Requested::new()
        .extension(
            Nid::SUBJECT_ALT_NAME,
            "DNS:kubernetes.DEFAULT,IP:10.0.0.5,IP:10.0.0.5",
        )
        .extension(Nid::EXT_KEY_USAGE, "serverAuth");
    let some = sign(request).await;
    assert_eq!(names(&some), ["IP:[10, 0, 0, 5]", "DNS:Kubernetes.default"]);
    assert_eq!(purposes(&some).len(), 2);

    let nameless = Profile::Node {
        common_name: "n".into(),
        organizations: Vec::new(),
        names: vec![],
        server: true,
        client: true,
    };
    let signed = authority
        .sign(&ca, &Requested::new().pem(), &nameless, YEAR)
        .await
        .unwrap();
    assert!(names(&parsed(&signed)).is_empty());
}

#[tokio::test]
async fn validity_is_by_the_clock_and_within_the_authoritys() {
    let begins = NOW - 3600;
    let ends = |duration: Duration| NOW + i64::try_from(duration.as_secs()).unwrap();
    let ca = authority().create_ca("c1", 2 * YEAR).await.unwrap();
    assert_eq!(validity(&parsed(&ca.certificate)), (begins, ends(2 * YEAR)));
    for (asked, given) in [
        (HOUR, HOUR),
        (2 * YEAR, 2 * YEAR),
        (2 * YEAR + DAY, 2 * YEAR),
        (Duration::MAX, 2 * YEAR),
    ] {
        let leaf = authority().issue(&ca, "a", &client(&[]), asked).await.unwrap();
        assert_eq!(
            validity(&parsed(&leaf.certificate)),
            (begins, ends(given)),
            "{asked:?}"
        );
    }

    // Beyond 2050 times are written in another form; the end of all times is the year 9999.
    for validity in [40 * YEAR, Duration::MAX] {
        let ca = authority().create_ca("c1", validity).await.unwrap();
        let leaf = authority().issue(&ca, "a", &client(&[]), validity).await.unwrap();
        openssl_verify(&ca.certificate, &leaf.certificate, &CLIENT).unwrap();
        assert_eq!(
            crate::verify::validity(&parsed(&ca.certificate)).1,
            crate::verify::validity(&parsed(&leaf.certificate)).1
        );
    }
}

#[tokio::test]
async fn an_issuers_name_is_copied_whatever_it_is() {
    for name in [
        "x".repeat(242),
        "ü".repeat(100),
        "Ünïcode, O=fake/CN=fake +\"<>;".to_owned(),
    ] {
        let ca = authority().create_ca(&name, YEAR).await.unwrap();
        let leaf = authority().issue(&ca, "a", &client(&[]), DAY).await.unwrap();
        openssl_verify(&ca.certificate, &leaf.certificate, &CLIENT).unwrap();
        let (ca, leaf) = (parsed(&ca.certificate), parsed(&leaf.certificate));
        assert_eq!(ca.tbs_certificate().subject(), leaf.tbs_certificate().issuer());
        assert_eq!(ca.tbs_certificate().subject().len(), 1);
    }
}

#[tokio::test]
async fn the_same_seeds_give_the_same_certificates() {
    #[derive(Debug)]
    struct Counted(std::sync::atomic::AtomicU8);
    impl Entropy for Counted {
        fn fill(&self, buffer: &mut [u8]) -> magnum_core::Result<()> {
            let next = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            buffer.fill(next);
            Ok(())
        }
    }
    let run = async || {
        let keys = Arc::new(FixtureKeys::danger_seeded(3));
        let authority = OpenSslAuthority::new(keys, Arc::new(At(NOW)), Arc::new(Counted(250.into())))
            .danger_accept_fixture_keys();
        let ca = authority.create_ca("c1", YEAR).await.unwrap();
        let leaf = authority.issue(&ca, "a", &client(&[]), DAY).await.unwrap();
        (ca, leaf)
    };
    let (ca, leaf) = run().await;
    assert_eq!((ca.clone(), leaf.clone()), run().await);
    assert_ne!(ca.private_key, leaf.private_key);

    // A serial number of 128 set bits is positive all the same.
    let serial = |pem: &str| parsed(pem).tbs_certificate().serial_number().as_bytes().to_vec();
    assert_eq!(serial(&ca.certificate), [vec![0], vec![250; 16]].concat());
    assert_eq!(serial(&leaf.certificate), [vec![0], vec![251; 16]].concat());
}

fn openssl_text(pem: &str) -> String {
    let text = X509::from_pem(pem.as_bytes()).unwrap().to_text().unwrap();
    String::from_utf8_lossy(&text).into_owned()
}
