//! What is wrong with one field of a request, and how other people's texts are made safe for messages.

use std::fmt;

/// One field of a request that is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// The field as the user knows it, for example `node_count` or `labels.flannel_backend`.
    pub field: String,
    /// The value as given, shortened.
    pub value: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl Problem {
    /// A problem with a field; long values are cut and control characters shown as escapes.
    pub fn new(field: impl Into<String>, value: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: shown(&value.to_string()),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} '{}': {}", self.field, self.value, self.message)
    }
}

/// A tenant's string made safe for one line of a message: escaped, at most 80 characters.
#[must_use]
pub fn shown(value: &str) -> String {
    const LIMIT: usize = 80;
    let mut out: String = value.chars().take(LIMIT).flat_map(char::escape_debug).collect();
    if value.chars().count() > LIMIT {
        out.push('…');
    }
    out
}

/// Somebody else's text made safe for a status reason, an event or a log: one line, no control characters, at most
/// 1000 characters.
#[must_use]
pub fn one_line(text: &str) -> String {
    const LIMIT: usize = 1000;
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out: String = folded.chars().take(LIMIT).filter(|c| !c.is_control()).collect();
    if folded.chars().count() > LIMIT {
        out.push('…');
    }
    out
}
