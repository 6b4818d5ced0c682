//! Extensions that nobody gets.

use openssl::nid::Nid;
use x509_cert::attr::Attribute;
use x509_cert::der::Tag;
use x509_cert::der::asn1::{Any, SetOfVec};

use super::Case;
use crate::hostile_requests::{alice, extension_request, named, signed_request};
use crate::requests::Requested;

pub(super) fn cases() -> Vec<Case> {
    [lists(), rights(), values(), names()]
        .into_iter()
        .flatten()
        .collect()
}

fn lists() -> Vec<Case> {
    let case = Case::always;
    let list = |value: Any| Attribute {
        values: SetOfVec::try_from(vec![value]).unwrap(),
        ..extension_request(vec![])
    };
    let empty = || list(Any::new(Tag::Sequence, []).unwrap());
    let another = || list(Any::new(Tag::Sequence, [0x30, 0x05, 0x06, 0x01, 0x2a, 0x04, 0x00]).unwrap());
    let mut two_values = empty();
    two_values
        .values
        .insert(another().values.as_slice()[0].clone())
        .unwrap();
    let with = |attributes| signed_request(named(vec![alice()]).unwrap(), attributes).unwrap();
    let one = "one list of extensions is allowed";
    let twice = Requested::new()
        .raw_extension("1.2.3.4", "ASN1:NULL")
        .raw_extension("1.2.3.4", "ASN1:NULL");
    vec![
        case("two lists", with(vec![empty(), another()]), "extensions", one),
        case(
            "two lists in one attribute",
            with(vec![two_values]),
            "extensions",
            one,
        ),
        case(
            "unreadable list",
            with(vec![list(Any::null())]),
            "extensions",
            "the list of extensions cannot be read",
        ),
        case(
            "extension twice",
            twice.pem(),
            "1.2.3.4",
            "the extension is there twice",
        ),
    ]
}

fn rights() -> Vec<Case> {
    let case = |name, extension, value, aspect, sentence| {
        Case::always(
            name,
            Requested::new().extension(extension, value).pem(),
            aspect,
            sentence,
        )
    };
    let no_authority = "a certificate authority is not given out";
    let no_signing = "the right to sign certificates is not given out";
    let unknown = "the extension is marked as critical and is not supported";
    vec![
        case(
            "CA",
            Nid::BASIC_CONSTRAINTS,
            "CA:TRUE",
            "basicConstraints",
            no_authority,
        ),
        case(
            "critical CA",
            Nid::BASIC_CONSTRAINTS,
            "critical,CA:TRUE,pathlen:0",
            "basicConstraints",
            no_authority,
        ),
        case(
            "keyCertSign",
            Nid::KEY_USAGE,
            "keyCertSign",
            "keyUsage",
            no_signing,
        ),
        case(
            "cRLSign",
            Nid::KEY_USAGE,
            "critical,digitalSignature,cRLSign",
            "keyUsage",
            no_signing,
        ),
        case(
            "critical name constraints",
            Nid::NAME_CONSTRAINTS,
            "critical,permitted;DNS:a",
            "2.5.29.30",
            unknown,
        ),
        Case::always(
            "critical unknown extension",
            Requested::new()
                .raw_extension("1.2.3.4", "critical,ASN1:NULL")
                .pem(),
            "1.2.3.4",
            unknown,
        ),
    ]
}

fn values() -> Vec<Case> {
    let case = |name, oid, value, aspect| {
        let request = Requested::new().raw_extension(oid, value).pem();
        Case::always(name, request, aspect, "the extension cannot be read")
    };
    vec![
        case(
            "broken basicConstraints",
            "2.5.29.19",
            "DER:0102",
            "basicConstraints",
        ),
        case("broken keyUsage", "2.5.29.15", "DER:0500", "keyUsage"),
        case(
            "broken extendedKeyUsage",
            "2.5.29.37",
            "DER:3000FF",
            "extendedKeyUsage",
        ),
        case(
            "broken subjectAltName",
            "2.5.29.17",
            "DER:30028201",
            "subjectAltName",
        ),
        case("X.400 address", "2.5.29.17", "DER:3002A300", "subjectAltName"),
    ]
}

fn names() -> Vec<Case> {
    let case = |name, value, kind| {
        Case::always(
            name,
            Requested::new().raw_extension("2.5.29.17", value).pem(),
            kind,
            "of the subject's other names DNS names and addresses are allowed",
        )
    };
    vec![
        case("other name", "DER:300AA00806022A03A0020C00", "otherName"),
        case("mail address", "DER:30058103614062", "rfc822Name"),
        case("directory name", "DER:3004A4023000", "directoryName"),
        case("EDI party", "DER:3007A505A1030C0161", "ediPartyName"),
        case("URI", "DER:30058603613A62", "uniformResourceIdentifier"),
        case("registered ID", "DER:300488022A03", "registeredID"),
        Case::always(
            "address of 5 bytes",
            Requested::new()
                .raw_extension("2.5.29.17", "DER:300787050A00000500")
                .pem(),
            "subjectAltName",
            "an address has 4 or 16 bytes",
        ),
    ]
}
