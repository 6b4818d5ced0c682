//! What requests ask for in vain: they are signed all the same.

use magnum_core::Authority;
use openssl::nid::Nid;
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::der::Tag;
use x509_cert::der::asn1::{Any, ObjectIdentifier, SetOfVec};

use crate::hostile_requests::{alice, named, signed_request};
use crate::requests::Requested;
use crate::setting::{YEAR, authority, ca, client, node};
use crate::verify::{names, organizations, parsed};

/// Signed for a client that may claim `a` and `b`, and for a node.
async fn signed(request: &str) -> [Certificate; 2] {
    let (authority, ca) = (authority(), ca().await);
    let sign = async |profile| parsed(&authority.sign(&ca, request, &profile, YEAR).await.unwrap());
    [sign(client(&["a", "b"])).await, sign(node()).await]
}

fn extensions(certificate: &Certificate) -> usize {
    certificate.tbs_certificate().extensions().unwrap().len()
}

#[tokio::test]
async fn text_around_the_block_is_ignored() {
    let request = Requested::new().pem();
    let old = request.replace(" CERTIFICATE REQUEST", " NEW CERTIFICATE REQUEST");
    for request in [
        format!("Certificate Request:\n  Version: 7\n{request}the end"),
        old,
    ] {
        signed(&request).await;
    }
}

#[tokio::test]
async fn attributes_beside_the_extensions_are_dropped() {
    let attribute = |oid, tag, value: &[u8]| Attribute {
        oid: ObjectIdentifier::new(oid).unwrap(),
        values: SetOfVec::try_from(vec![Any::new(tag, value).unwrap()]).unwrap(),
    };
    let attributes = vec![
        // A challenge password, and Microsoft's list of extensions, here with a CA.
        attribute("1.2.840.113549.1.9.7", Tag::Utf8String, b"s3cret"),
        attribute(
            "1.3.6.1.4.1.311.2.1.14",
            Tag::Sequence,
            b"\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\xff",
        ),
    ];
    let request = signed_request(named(vec![alice()]).unwrap(), attributes).unwrap();
    for certificate in signed(&request).await {
        assert!(!crate::verify::is_authority(&certificate));
        assert_eq!(
            extensions(&certificate),
            5 + usize::from(!names(&certificate).is_empty())
        );
    }
}

#[tokio::test]
async fn known_extensions_without_a_right_are_dropped() {
    let request = Requested::new()
        .extension(Nid::BASIC_CONSTRAINTS, "critical,CA:FALSE,pathlen:3")
        .extension(Nid::KEY_USAGE, "critical,nonRepudiation,keyAgreement")
        .raw_extension("2.5.29.14", "critical,DER:04020102")
        .raw_extension("2.5.29.35", "critical,DER:300480020102")
        .raw_extension("2.5.29.37", "critical,DER:300A06082B06010505070302")
        .raw_extension("2.5.29.32", "DER:300430020601")
        .pem();
    for certificate in signed(&request).await {
        let encoded = certificate.tbs_certificate().extensions().unwrap();
        assert_eq!(encoded.len(), 5 + usize::from(!names(&certificate).is_empty()));
        let critical: Vec<_> = encoded
            .iter()
            .filter(|extension| extension.critical)
            .map(|extension| extension.extn_id.to_string())
            .collect();
        assert_eq!(critical, ["2.5.29.19", "2.5.29.15"]);
        let value = |oid: &str| {
            let found = encoded
                .iter()
                .find(|extension| extension.extn_id.to_string() == oid);
            found.unwrap().extn_value.as_bytes().to_vec()
        };
        assert_eq!(value("2.5.29.19"), [0x30, 0]);
        assert_eq!(value("2.5.29.15"), [3, 2, 7, 0x80]);
        assert_eq!(value("2.5.29.14").len(), 22);
    }
}

#[tokio::test]
async fn a_client_without_organizations_gets_all_that_are_listed() {
    let [client, _] = signed(&Requested::new().pem()).await;
    assert_eq!(organizations(&client), ["a", "b"]);
}

#[tokio::test]
async fn a_nodes_subject_is_its_profiles() {
    let subjects: [&[(Nid, &str)]; 4] = [
        &[],
        &[(Nid::COMMONNAME, "x"), (Nid::COMMONNAME, "y")],
        &[(Nid::COMMONNAME, "\n"), (Nid::COUNTRYNAME, "DE")],
        &[(Nid::ORGANIZATIONNAME, "system:masters")],
    ];
    let (authority, ca) = (authority(), ca().await);
    for subject in subjects {
        let request = Requested::new().subject(subject).pem();
        let signed = authority.sign(&ca, &request, &node(), YEAR).await.unwrap();
        let subject = parsed(&signed).tbs_certificate().subject().to_string();
        assert_eq!(subject, "CN=kubernetes");
    }
}

#[tokio::test]
async fn a_nodes_empty_list_of_names_is_none() {
    let (authority, ca) = (authority(), ca().await);
    let request = Requested::new().raw_extension("2.5.29.17", "DER:3000").pem();
    let signed = authority.sign(&ca, &request, &node(), YEAR).await.unwrap();
    assert_eq!(names(&parsed(&signed)).len(), 4);
}
