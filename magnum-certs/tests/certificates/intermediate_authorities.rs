//! Authorities that were made elsewhere: under a root, with or without a key identifier.

use magnum_core::{Authority, CertificateBundle};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectKeyIdentifier};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

use crate::requests::{Requested, ec_key};
use crate::setting::{NOW, YEAR, authority, client, secret};
use crate::verify::openssl_verify_each;

struct Made {
    certificate: X509,
    key: PKey<Private>,
}

fn made(name: &str, above: Option<&Made>, identifier: bool) -> Made {
    let key = ec_key(Nid::X9_62_PRIME256V1);
    let mut subject = X509NameBuilder::new().unwrap();
    subject
        .append_entry_by_nid(Nid::ORGANIZATIONNAME, "Elsewhere")
        .unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let subject = subject.build();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&subject).unwrap();
    let issuer = above.map_or(&*subject, |above| above.certificate.subject_name());
    builder.set_issuer_name(issuer).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(NOW - 10_000).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(NOW + 1_000_000).unwrap())
        .unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .append_extension(BasicConstraints::new().critical().ca().build().unwrap())
        .unwrap();
    if identifier {
        let identifier = SubjectKeyIdentifier::new()
            .build(&builder.x509v3_context(None, None))
            .unwrap();
        builder.append_extension(identifier).unwrap();
    }
    builder
        .sign(above.map_or(&key, |above| &above.key), MessageDigest::sha256())
        .unwrap();
    Made {
        certificate: builder.build(),
        key,
    }
}

fn pem(certificate: &X509) -> String {
    String::from_utf8(certificate.to_pem().unwrap()).unwrap()
}

#[tokio::test]
async fn leaves_bring_the_chain_to_their_root() {
    for identifier in [true, false] {
        let root = made("root", None, true);
        let middle = made("middle", Some(&root), true);
        let below = made("below", Some(&middle), identifier);
        let ca = CertificateBundle {
            certificate: pem(&below.certificate),
            private_key: secret(&below.key),
            intermediates: Some(pem(&middle.certificate)),
        };
        let leaf = authority().issue(&ca, "a", &client(&[]), YEAR).await.unwrap();
        let chain = leaf.intermediates.unwrap();
        assert_eq!(chain, pem(&below.certificate) + &pem(&middle.certificate));

        let signed = authority()
            .sign(&ca, &Requested::new().pem(), &client(&[]), YEAR)
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let untrusted = folder.path().join("chain.pem");
        std::fs::write(&untrusted, chain).unwrap();
        let arguments = ["-purpose", "sslclient", "-untrusted", untrusted.to_str().unwrap()];
        for verdict in openssl_verify_each(&pem(&root.certificate), &[&leaf.certificate, &signed], &arguments)
        {
            verdict.unwrap();
        }
        let signed = X509::from_pem(signed.as_bytes()).unwrap();
        assert_eq!(signed.authority_key_id().is_some(), identifier);
        assert_eq!(signed.authority_issuer().is_some(), !identifier);
    }
}
