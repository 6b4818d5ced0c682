//! Values in YAML documents.

use std::fmt::Write as _;

/// A double-quoted YAML scalar. Unquoted, `010`, `1.10`, `yes` and `null` would not be text.
pub(super) fn double_quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Control characters, line and paragraph separators, the byte order mark and what is no character.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::double_quoted;

    #[test]
    fn every_value_is_read_back_as_the_same_text() {
        let values = [
            "010",
            "1.10",
            "yes",
            "null",
            "",
            "~",
            "a: b",
            "# no",
            "tab\there",
            "line\nbreak\r",
            "\"quoted\"",
            "back\\slash",
            "\u{7}\u{85}\u{2028}\u{feff}",
            "{{x}}",
            "äöü 漢字",
        ];
        for value in values {
            let document = format!("key: {}\n", double_quoted(value));
            let read: std::collections::BTreeMap<String, serde_json::Value> =
                serde_saphyr::from_str(&document).unwrap();
            assert_eq!(read["key"], serde_json::json!(value), "{document}");
        }
    }
}
