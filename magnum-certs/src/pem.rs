//! Reading PEM without OpenSSL, which would ask for a passphrase when a block says that it is encrypted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The DER of the only PEM block in `text`, whose label must be one of `labels`.
///
/// Text around the block is ignored, as RFC 7468 asks; headers within it are refused.
///
/// # Errors
/// What is wrong, as the rest of a sentence about the text. It never holds the text.
pub(crate) fn single_block(text: &str, labels: &[&str]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    if text.matches(BEGIN).count() > 1 {
        return Err("holds more than one PEM block, and exactly one is allowed");
    }
    let (_, rest) = text.split_once(BEGIN).ok_or("holds no PEM block")?;
    let (label, rest) = rest.split_once(DASHES).ok_or("has a broken PEM header")?;
    if !labels.contains(&label) {
        return Err("is a PEM block of another type");
    }
    let (body, rest) = rest.split_once(END).ok_or("has no PEM footer")?;
    if !rest
        .strip_prefix(label)
        .is_some_and(|rest| rest.starts_with(DASHES))
    {
        return Err("has a PEM footer that does not match its header");
    }
    let base64: Zeroizing<Vec<u8>> =
        Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    STANDARD
        .decode(base64.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| "is not base64 within its PEM block, or is encrypted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_is_read() {
        let text = "Certificate Request:\n  Data: x\n-----BEGIN X-----\r\nAQID\r\n-----END X-----\r\n\r\n";
        assert_eq!(single_block(text, &["Y", "X"]).unwrap().as_slice(), [1, 2, 3]);
        assert!(
            single_block("-----BEGIN X----------END X-----", &["X"])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, why) in [
            ("", "no PEM block"),
            ("-----BEGIN X", "broken PEM header"),
            ("-----BEGIN Y-----\nAQID\n-----END Y-----", "another type"),
            ("-----BEGIN X-----\nAQID\n", "no PEM footer"),
            ("-----BEGIN X-----\nAQID\n-----END Y-----", "does not match"),
            ("-----BEGIN X-----\nAQI\n-----END X-----", "not base64"),
            (
                "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END X-----",
                "not base64",
            ),
            (
                "-----BEGIN X-----\nAQID\n-----END X-----\n-----BEGIN X-----\nAQID\n-----END X-----",
                "more than one",
            ),
        ] {
            let refusal = single_block(text, &["X"]).unwrap_err();
            assert!(refusal.contains(why), "{text:?}: {refusal}");
        }
    }
}
