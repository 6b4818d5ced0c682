//! What is no request in PEM.

use super::Case;
use crate::requests::{Requested, block, der};

pub(super) fn cases() -> Vec<Case> {
    let case = |name, request: &str, aspect, sentence| Case::always(name, request, aspect, sentence);
    let good = Requested::new().pem();
    let key = include_str!("../../../fixtures/key-0.pem");
    let text = |body: &str| {
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
    };
    let encrypted = good.replacen(
        "REQUEST-----\n",
        "REQUEST-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n",
        1,
    );
    let version_2 = {
        let mut der = der(&good);
        let at = der.windows(3).position(|bytes| bytes == [2, 1, 0]).unwrap();
        der[at + 2] = 1;
        der
    };
    let too_many = "the request holds more than one PEM block, and exactly one is allowed";
    let not_base64 = "the request is not base64 within its PEM block, or is encrypted";
    let no_request = "the block does not hold a certificate signing request";
    vec![
        case(
            "too large",
            &format!("{good}{}", " ".repeat(64 * 1024)),
            "size",
            "requests of at most 65536 bytes are allowed",
        ),
        case("empty", "", "PEM", "the request holds no PEM block"),
        case(
            "broken header",
            "-----BEGIN CERTIFICATE REQUEST",
            "PEM",
            "the request has a broken PEM header",
        ),
        case(
            "another block",
            key,
            "PEM",
            "the request is a PEM block of another type",
        ),
        case(
            "no footer",
            good.split("-----END").next().unwrap(),
            "PEM",
            "the request has no PEM footer",
        ),
        case(
            "another footer",
            &good.replace("-----END CERTIFICATE REQUEST", "-----END CERTIFICATE"),
            "PEM",
            "the request has a PEM footer that does not match its header",
        ),
        case("two requests", &format!("{good}{good}"), "PEM", too_many),
        case("a key beside it", &format!("{good}{key}"), "PEM", too_many),
        case("not base64", &text("?"), "PEM", not_base64),
        case("encrypted", &encrypted, "PEM", not_base64),
        case("empty block", &text(""), "DER", no_request),
        case("another structure", &text("AQID"), "DER", no_request),
        case(
            "trailing bytes",
            &block(&[der(&good), vec![0]].concat()),
            "DER",
            no_request,
        ),
        case("another version", &block(&version_2), "DER", no_request),
    ]
}
