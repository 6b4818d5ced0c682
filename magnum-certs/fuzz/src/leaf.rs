//! What a leaf may say, by two readers: OpenSSL and `x509-cert`.

use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKeyRef};
use openssl::x509::{X509, X509NameRef, X509Req};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

use crate::ORGANIZATIONS;
use crate::der::block;

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// What a leaf has in its extensions.
struct Leaf {
    openssl: X509,
    purposes: Vec<ObjectIdentifier>,
    names: Vec<String>,
}

impl Leaf {
    /// Reads a leaf and checks what is true of every one: signed by the authority, no authority itself,
    /// nothing beside the six extensions that are documented.
    fn read(pem: &str, issuer: &PKeyRef<impl HasPublic>) -> Self {
        let der = block(pem);
        let openssl = X509::from_der(&der).unwrap();
        assert!(openssl.verify(issuer).unwrap(), "the authority has not signed");
        assert_eq!(openssl.version(), 2);

        let parsed = Certificate::from_der(&der).unwrap();
        let tbs = parsed.tbs_certificate();
        let (critical, constraints) = tbs.get_extension::<BasicConstraints>().unwrap().unwrap();
        assert!(critical && !constraints.ca && constraints.path_len_constraint.is_none());
        let (critical, usage) = tbs.get_extension::<KeyUsage>().unwrap().unwrap();
        assert!(critical && usage.digital_signature() && !usage.key_cert_sign() && !usage.crl_sign());
        let (_, purposes) = tbs.get_extension::<ExtendedKeyUsage>().unwrap().unwrap();
        let names = match tbs.get_extension::<SubjectAltName>().unwrap() {
            Some((_, names)) => names.0.iter().map(text).collect(),
            None => Vec::new(),
        };
        let extensions = tbs.extensions().unwrap();
        assert_eq!(extensions.len(), 5 + usize::from(!names.is_empty()));
        Self {
            openssl,
            purposes: purposes.0,
            names,
        }
    }
}

/// A leaf under the profile of [`client`](crate::client) for this request.
pub fn check_client(pem: &str, request: &[u8], issuer: &PKeyRef<impl HasPublic>) {
    let leaf = Leaf::read(pem, issuer);
    let request = X509Req::from_der(request).unwrap();
    let key = request.public_key().unwrap();
    assert!(request.verify(&key).unwrap() && leaf.openssl.public_key().unwrap().public_eq(&key));
    assert_eq!(leaf.purposes, [CLIENT_AUTH]);
    assert_eq!(leaf.names, [""; 0]);

    let subject = leaf.openssl.subject_name();
    let common_names = entries(subject, Nid::COMMONNAME);
    assert_eq!(common_names, entries(request.subject_name(), Nid::COMMONNAME));
    assert_eq!(common_names.len(), 1);
    assert!((1..=64).contains(&common_names[0].chars().count()));
    assert!(!common_names[0].contains(char::is_control));

    let organizations = entries(subject, Nid::ORGANIZATIONNAME);
    assert!(
        organizations
            .iter()
            .all(|one| ORGANIZATIONS.contains(&one.as_str()))
    );
    let wanted = entries(request.subject_name(), Nid::ORGANIZATIONNAME);
    if wanted.is_empty() {
        assert_eq!(organizations, ORGANIZATIONS);
    } else {
        assert!(wanted.iter().all(|one| organizations.contains(one)));
        assert!(organizations.iter().all(|one| wanted.contains(one)));
    }
    assert_eq!(subject.entries().count(), 1 + organizations.len());
}

/// A leaf under the profile of [`node`](crate::node) for this request.
pub fn check_node(pem: &str, request: &[u8], issuer: &PKeyRef<impl HasPublic>) {
    let leaf = Leaf::read(pem, issuer);
    let request = X509Req::from_der(request).unwrap();
    let key = request.public_key().unwrap();
    assert!(request.verify(&key).unwrap() && leaf.openssl.public_key().unwrap().public_eq(&key));
    check_own_node(&leaf);
}

/// A leaf under the profile of [`node`](crate::node) for a key of the authority's own.
pub fn check_issued_node(pem: &str, issuer: &PKeyRef<impl HasPublic>) {
    check_own_node(&Leaf::read(pem, issuer));
}

fn check_own_node(leaf: &Leaf) {
    assert_eq!(leaf.purposes, [SERVER_AUTH, CLIENT_AUTH]);
    let own = ["10.0.0.5", "Kubernetes.default", "master-0"];
    assert!(!leaf.names.is_empty() && leaf.names.iter().all(|name| own.contains(&name.as_str())));
    let subject = leaf.openssl.subject_name();
    assert_eq!(entries(subject, Nid::COMMONNAME), ["kubernetes"]);
    assert_eq!(subject.entries().count(), 1);
}

fn entries(name: &X509NameRef, nid: Nid) -> Vec<String> {
    name.entries_by_nid(nid)
        .map(|entry| entry.data().to_string().unwrap())
        .collect()
}

fn text(name: &GeneralName) -> String {
    match name {
        GeneralName::DnsName(name) => name.as_str().to_owned(),
        GeneralName::IpAddress(octets) => octets
            .as_bytes()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("."),
        other => panic!("a name of another kind: {other:?}"),
    }
}
