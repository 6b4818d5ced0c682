//! Subjects that are not text that everybody reads alike.

use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::Tag;

use super::Case;
use crate::hostile_requests::{alice, attribute, named, signed_request};

pub(super) fn cases() -> Vec<Case> {
    let case = |name, part: AttributeTypeAndValue, sentence| {
        let request = signed_request(named(vec![part]).unwrap(), vec![]).unwrap();
        Case::always(name, request, "subject", sentence)
    };
    let types = "names in UTF8String, PrintableString and IA5String are allowed";
    let broken = "a name is not the text that it claims to be";
    let name = |tag, text: &[u8]| attribute("2.5.4.3", tag, text.to_vec());
    let organization = |tag, text: &[u8]| attribute("2.5.4.10", tag, text.to_vec());
    let unit = attribute("2.5.4.11", Tag::Utf8String, vec![0xff]);
    let unit = signed_request(named(vec![alice(), unit]).unwrap(), vec![]).unwrap();
    vec![
        case("BMPString", name(Tag::BmpString, b"\0a"), types),
        case("TeletexString", organization(Tag::TeletexString, b"a"), types),
        case("broken UTF-8", name(Tag::Utf8String, b"\xff"), broken),
        case(
            "unprintable PrintableString",
            name(Tag::PrintableString, b"a@b"),
            broken,
        ),
        case(
            "IA5String beyond ASCII",
            organization(Tag::Ia5String, b"\xfc"),
            broken,
        ),
        Case::always(
            "broken unit",
            unit,
            "DER",
            "the block does not hold a certificate signing request",
        ),
    ]
}
