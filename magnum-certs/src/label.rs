//! The one place where a certificate's name becomes a name at Barbican, or a part of a file's name.

use crate::fingerprint::fingerprint;

/// Begins the names that are digests.
const DIGEST: &str = "sha256-";

/// What a name is written as, in at most `limit` characters, which must leave room for a digest. Barbican's search decodes
/// `+` and `%` once too often and takes names for SQL patterns, white space around names is stripped, and files cannot be
/// called everything; so only a plain name is itself, and any other is its digest. `_` is plain: the pattern finds it,
/// and more.
pub(crate) fn label(name: &str, limit: usize) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let itself =
        !name.is_empty() && name.len() <= limit && name.bytes().all(plain) && !name.starts_with(DIGEST);
    if itself {
        name.to_owned()
    } else {
        format!("{DIGEST}{}", fingerprint(name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 255;

    #[test]
    fn plain_names_are_themselves_and_no_two_names_are_the_same() {
        let plain = "magnum-a6a0f8a5-9f13-4b0e-8a46-6c1a4e2f7a01-front_proxy.ca";
        assert_eq!(label(plain, LIMIT), plain);
        let digest = label("a b", LIMIT);
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
            assert!(label(one, LIMIT).len() <= LIMIT, "{one:?}");
            assert!(
                label(one, LIMIT)
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{one:?}"
            );
            for other in &names[at + 1..] {
                assert_ne!(label(one, LIMIT), label(other, LIMIT), "{one:?} {other:?}");
            }
        }
    }
}
