//! What is refused of hosts: arguments, authorities, keys.

use std::sync::Arc;
use std::time::Duration;

use magnum_certs::{EcKeys, FixtureKeys, OpenSslAuthority};
use magnum_core::{
    Authority, CertificateBundle, Entropy, ErrorKind, Profile, Result, Secret, SubjectName, SystemClock,
};
use openssl::ec::EcKey;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::symm::Cipher;

use crate::requests::{Requested, ec_key, fixture_key, rsa_key};
use crate::setting::{DAY, Given, NOW, YEAR, authority, authority_at, ca, client, node, secret};

#[tokio::test]
async fn arguments_are_checked() {
    let (authority, ca) = (authority(), ca().await);
    let issue = async |name: &str, profile: &Profile, validity| {
        let refused = authority.issue(&ca, name, profile, validity).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused}");
        refused.problems()[0].field.clone()
    };
    let dns = |name: &str| Profile::Node {
        common_name: "n".into(),
        organizations: Vec::new(),
        names: vec![SubjectName::Dns(name.into())],
        server: true,
        client: true,
    };
    assert_eq!(issue("", &client(&[]), DAY).await, "common_name");
    assert_eq!(issue(&"x".repeat(65), &client(&[]), DAY).await, "common_name");
    assert_eq!(issue("a\tb", &client(&[]), DAY).await, "common_name");
    assert_eq!(issue("other", &node(), DAY).await, "common_name");
    assert_eq!(issue("x", &client(&["a", ""]), DAY).await, "organizations");
    assert_eq!(issue("x", &client(&[]), Duration::ZERO).await, "validity");
    for name in ["", "a b", "ü", "a\0b", &"x".repeat(254)] {
        assert_eq!(issue("n", &dns(name), DAY).await, "names");
    }
    for name in ["", "\n", &"\n".repeat(100)] {
        let refused = authority.create_ca(name, DAY).await.unwrap_err();
        assert_eq!(refused.problems()[0].field, "common_name");
    }
    let refused = authority
        .create_ca("c1", Duration::from_millis(999))
        .await
        .unwrap_err();
    assert_eq!(refused.problems()[0].field, "validity");
}

#[tokio::test]
async fn an_unusable_authority_is_named_as_such_and_nothing_prompts() {
    let good = ca().await;
    let others = authority_at(NOW, Arc::new(FixtureKeys::danger_seeded(4)));
    let other = others.create_ca("c2", YEAR).await.unwrap();
    let leaf = authority().issue(&good, "a", &client(&[]), DAY).await.unwrap();
    let encrypted = |pem: Vec<u8>| Secret::new(String::from_utf8(pem).unwrap());
    let key = fixture_key();
    let pkcs8 = encrypted(
        key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"x")
            .unwrap(),
    );
    let traditional = encrypted(
        key.rsa()
            .unwrap()
            .private_key_to_pem_passphrase(Cipher::aes_256_cbc(), b"x")
            .unwrap(),
    );
    assert!(traditional.expose().contains("Proc-Type"));
    let disguised = Secret::new(traditional.expose().replace("RSA PRIVATE KEY", "PRIVATE KEY"));

    let with_key = |private_key| CertificateBundle {
        private_key,
        ..good.clone()
    };
    let with_certificate = |certificate: &str| CertificateBundle {
        certificate: certificate.into(),
        ..good.clone()
    };
    for (ca, says) in [
        (with_key(pkcs8), "another type"),
        (with_key(traditional), "another type"),
        (with_key(disguised), "encrypted"),
        (with_key(Secret::new("")), "no PEM block"),
        (
            with_key(Secret::new(
                "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----",
            )),
            "cannot be read",
        ),
        (with_certificate(""), "no PEM block"),
        (
            with_certificate("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----"),
            "cannot be read",
        ),
        (
            with_certificate(&good.certificate.replace('\n', "\nX: y\n")),
            "encrypted",
        ),
        (with_certificate(&other.certificate), "does not belong"),
        (leaf, "not that of an authority"),
    ] {
        let request = Requested::new().pem();
        for refused in [
            authority()
                .sign(&ca, &request, &client(&[]), DAY)
                .await
                .unwrap_err(),
            authority().issue(&ca, "a", &client(&[]), DAY).await.unwrap_err(),
        ] {
            assert_eq!(refused.kind(), ErrorKind::Configuration, "{says}: {refused}");
            assert!(refused.to_string().contains(says), "{says}: {refused}");
        }
    }
}

/// A private key of two halves that do not belong together, of which the public one is the authority's.
#[tokio::test]
async fn an_authority_whose_signatures_would_not_verify_signs_nothing() {
    let own = ec_key(Nid::X9_62_PRIME256V1);
    let authority = authority_at(NOW, Given::key(&own));
    let ca = authority.create_ca("c1", YEAR).await.unwrap();
    let (own, other) = (
        own.ec_key().unwrap(),
        ec_key(Nid::X9_62_PRIME256V1).ec_key().unwrap(),
    );
    let mixed = EcKey::from_private_components(own.group(), other.private_key(), own.public_key()).unwrap();
    let ca = CertificateBundle {
        private_key: secret(&PKey::from_ec_key(mixed).unwrap()),
        ..ca
    };
    for refused in [
        authority
            .sign(&ca, &Requested::new().pem(), &client(&[]), DAY)
            .await
            .unwrap_err(),
        authority.issue(&ca, "a", &client(&[]), DAY).await.unwrap_err(),
    ] {
        assert_eq!(refused.kind(), ErrorKind::Configuration, "{refused}");
        assert!(
            refused.to_string().contains("does not make signatures"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn an_expired_authority_signs_nothing() {
    let ca = ca().await;
    let end = NOW + 5 * i64::try_from(YEAR.as_secs()).unwrap();
    let at = |now| authority_at(now, Arc::new(EcKeys));
    at(end - 1).issue(&ca, "a", &client(&[]), DAY).await.unwrap();
    let refused = at(end).issue(&ca, "a", &client(&[]), DAY).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Configuration);
    assert!(refused.to_string().contains("expired on Dec 31"), "{refused}");
}

#[tokio::test]
async fn weak_and_known_keys_of_our_own_are_refused() {
    for (keys, says) in [
        (Given::key(&rsa_key(1024)), "RSA 1024"),
        (Given::key(&ec_key(Nid::SECP521R1)), "secp521r1"),
        (Arc::new(FixtureKeys::danger_seeded(0)) as _, "whole world knows"),
    ] {
        let refused = OpenSslAuthority::system(keys)
            .create_ca("c1", YEAR)
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Configuration);
        assert!(refused.to_string().contains(says), "{refused}");
    }
    // An authority of the simulation is worth nothing outside it.
    let refused = OpenSslAuthority::system(Arc::new(EcKeys))
        .issue(&ca().await, "a", &client(&[]), DAY)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("whole world knows"), "{refused}");
}

#[tokio::test]
async fn every_fixture_key_is_known() {
    for seed in 0..8 {
        let real = OpenSslAuthority::system(Arc::new(FixtureKeys::danger_seeded(seed)));
        assert!(real.create_ca("c1", YEAR).await.is_err(), "{seed}");
    }
}

#[tokio::test]
async fn no_randomness_no_certificate() {
    #[derive(Debug)]
    struct Zeros;
    impl Entropy for Zeros {
        fn fill(&self, _: &mut [u8]) -> Result<()> {
            Ok(())
        }
    }
    let authority = OpenSslAuthority::new(Arc::new(EcKeys), Arc::new(SystemClock), Arc::new(Zeros));
    let refused = authority.create_ca("c1", YEAR).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Internal);
}
