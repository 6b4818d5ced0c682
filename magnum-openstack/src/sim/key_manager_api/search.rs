//! How Barbican searches by name.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

/// A name in a search for secrets, which Barbican decodes once more than it should.
pub(super) fn decoded(name: &str) -> String {
    let spaced = name.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// SQL's `LIKE` as MySQL has it, but for escapes: without regard to case, `%` stands for any text, `_` for one character.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    // The lengths of text that the pattern so far may have taken.
    let mut taken = BTreeSet::from([0]);
    for sign in pattern.to_lowercase().chars() {
        taken = match (sign, taken.first()) {
            ('%', Some(&least)) => (least..=text.len()).collect(),
            _ => taken
                .into_iter()
                .filter(|at| text.get(*at).is_some_and(|c| sign == '_' || *c == sign))
                .map(|at| at + 1)
                .collect(),
        };
    }
    taken.contains(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_patterns() {
        for (text, pattern) in [
            ("", ""),
            ("a", "A"),
            ("abc", "a%"),
            ("abc", "%"),
            ("abc", "a_c"),
            ("a_c", "a_c"),
            ("abcbc", "a%c"),
        ] {
            assert!(like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [
            ("", "_"),
            ("ab", "a"),
            ("a", "ab"),
            ("abc", "%b"),
            ("ac", "a_c"),
            ("abc", ""),
        ] {
            assert!(!like(text, pattern), "{text} {pattern}");
        }
        assert_eq!(decoded("a+b%2Bc%25"), "a b+c%");
    }
}
