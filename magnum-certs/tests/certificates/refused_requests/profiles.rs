//! What a profile does not allow.

use magnum_core::Profile;
use openssl::nid::Nid;

use super::Case;
use crate::requests::Requested;
use crate::setting::{client, node};

const CN: Nid = Nid::COMMONNAME;
const O: Nid = Nid::ORGANIZATIONNAME;

fn subject(subject: &[(Nid, &str)]) -> String {
    Requested::new().subject(subject).pem()
}

fn with_names(names: &str) -> String {
    Requested::new().extension(Nid::SUBJECT_ALT_NAME, names).pem()
}

fn purposes(purposes: &str) -> String {
    Requested::new().extension(Nid::EXT_KEY_USAGE, purposes).pem()
}

pub(super) fn client_cases() -> Vec<Case> {
    let case = |name, request: String, aspect, sentence| {
        Case::under(client(&["a"]), name, request, aspect, sentence)
    };
    const LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    assert_eq!(LONG.len(), 65);
    let one_name = "exactly one common name is needed";
    let name_length = "common name: 1 to 64 characters are allowed";
    let name_control = "common name: control characters are not allowed";
    let foreign = "the organization is not one that the requester may claim";
    let purpose = "a client certificate is good for clientAuth alone";
    // OpenSSL makes no text that is longer than a certificate may have.
    let long = |kind, other| {
        use crate::hostile_requests::{alice, attribute, named, signed_request};
        use x509_cert::der::Tag;
        let mut parts = vec![attribute(kind, Tag::Utf8String, LONG.into())];
        if other {
            parts.push(alice());
        }
        signed_request(named(parts).unwrap(), vec![]).unwrap()
    };
    vec![
        case("no subject", subject(&[]), "subject", one_name),
        case("no common name", subject(&[(O, "a")]), "subject", one_name),
        case(
            "two common names",
            subject(&[(CN, "x"), (CN, "y")]),
            "subject",
            one_name,
        ),
        case("blank common name", subject(&[(CN, " ")]), " ", name_length),
        case("long common name", long("2.5.4.3", false), LONG, name_length),
        case(
            "line break in the common name",
            subject(&[(CN, "x\ny")]),
            "x\\ny",
            name_control,
        ),
        case(
            "NUL in the common name",
            subject(&[(CN, "admin\0x")]),
            "admin\\0x",
            name_control,
        ),
        case(
            "foreign organization",
            subject(&[(CN, "x"), (O, "a"), (O, "system:masters")]),
            "system:masters",
            foreign,
        ),
        case(
            "organization in other letters",
            subject(&[(CN, "x"), (O, "A")]),
            "A",
            foreign,
        ),
        Case::under(
            client(&[]),
            "no organization listed",
            subject(&[(CN, "x"), (O, "a")]),
            "a",
            foreign,
        ),
        Case::under(
            client(&[LONG]),
            "long organization",
            long("2.5.4.10", true),
            LONG,
            "organization: 1 to 64 characters are allowed",
        ),
        Case::under(
            client(&["a\tb"]),
            "tabulator in an organization",
            subject(&[(CN, "x"), (O, "a\tb")]),
            "a\\tb",
            "organization: control characters are not allowed",
        ),
        case(
            "names of a client",
            with_names("DNS:a"),
            "subjectAltName",
            "a client certificate carries no names beside its subject",
        ),
        case("client as server", purposes("serverAuth"), "serverAuth", purpose),
        case(
            "client as both",
            purposes("clientAuth,serverAuth"),
            "serverAuth",
            purpose,
        ),
        case(
            "client that signs code",
            purposes("codeSigning"),
            "1.3.6.1.5.5.7.3.3",
            purpose,
        ),
        case(
            "client for every purpose",
            purposes("anyExtendedKeyUsage"),
            "2.5.29.37.0",
            purpose,
        ),
    ]
}

pub(super) fn node_cases() -> Vec<Case> {
    let case = |name, request: String, aspect, sentence| Case::under(node(), name, request, aspect, sentence);
    let only = |serves: bool| Profile::Node {
        common_name: "kubernetes".into(),
        organizations: Vec::new(),
        names: Vec::new(),
        server: serves,
        client: !serves,
    };
    let both = "this node's certificate is good for serverAuth and clientAuth alone";
    let foreign = "the name is not one of the node's";
    vec![
        case(
            "node that signs code",
            purposes("codeSigning"),
            "1.3.6.1.5.5.7.3.3",
            both,
        ),
        case(
            "node for every purpose",
            purposes("anyExtendedKeyUsage"),
            "2.5.29.37.0",
            both,
        ),
        Case::under(
            only(false),
            "node that serves nothing",
            purposes("serverAuth"),
            "1.3.6.1.5.5.7.3.1",
            "this node's certificate is good for clientAuth alone",
        ),
        Case::under(
            only(true),
            "node that is no client",
            purposes("clientAuth"),
            "1.3.6.1.5.5.7.3.2",
            "this node's certificate is good for serverAuth alone",
        ),
        case(
            "foreign address",
            with_names("IP:10.0.0.5,IP:10.0.0.6"),
            "10.0.0.6",
            foreign,
        ),
        case(
            "foreign address of IPv6",
            with_names("IP:fd00::6"),
            "fd00::6",
            foreign,
        ),
        case(
            "foreign name",
            with_names("DNS:master-0,DNS:master-1"),
            "master-1",
            foreign,
        ),
        case("wildcard", with_names("DNS:*"), "*", foreign),
        case(
            "address as a name",
            with_names("DNS:10.0.0.5"),
            "10.0.0.5",
            foreign,
        ),
    ]
}
