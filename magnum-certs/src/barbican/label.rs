//! The one place where a certificate's name becomes a name at Barbican.

use crate::fingerprint::fingerprint;

/// Begins the names that are digests.
const DIGEST: &str = "sha256-";

/// The longest name that Barbican takes, in characters.
const LIMIT: usize = 255;

/// What a name is written as. Barbican's search decodes `+` and `%` once too often and takes names for SQL patterns, and
/// white space around names is stripped; so only a plain name is itself, and any other is its digest. `_` is plain:
/// the pattern finds it, and more.
pub(super) fn label(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let itself =
        !name.is_empty() && name.len() <= LIMIT && name.bytes().all(plain) && !name.starts_with(DIGEST);
    if itself {
        name.to_owned()
    } else {
        format!("{DIGEST}{}", fingerprint(name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_themselves_and_no_two_names_are_the_same() {
        let plain = "magnum-a6a0f8a5-9f13-4b0e-8a46-6c1a4e2f7a01-front_proxy.ca";
        assert_eq!(label(plain), plain);
        let digest = label("a b");
        let names = [
            "",
            " ",
            "a",
            "a ",
            "a%",
            "a+b",
            "a b",
            "a\\b",
            "a\u{0}",
            "é",
            &digest,
            &"a".repeat(256),
        ];
        for (at, one) in names.iter().enumerate() {
            assert!(label(one).len() <= LIMIT, "{one:?}");
            assert!(
                label(one).bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{one:?}"
            );
            for other in &names[at + 1..] {
                assert_ne!(label(one), label(other), "{one:?} {other:?}");
            }
        }
    }
}
