//! Pieces of descriptors.

use magnum_core::{Choice, LabelSchema, LabelType};

/// What may be chosen, and what is taken when nothing is.
pub(crate) fn choice(allowed: &[&str], default: Option<&str>) -> Choice {
    Choice {
        allowed: allowed.iter().map(ToString::to_string).collect(),
        default: default.map(ToOwned::to_owned),
    }
}

/// A label.
pub(crate) fn label(key: &str, value: LabelType, default: Option<&str>, meaning: &str) -> LabelSchema {
    LabelSchema {
        key: key.to_owned(),
        value,
        default: default.map(ToOwned::to_owned),
        meaning: meaning.to_owned(),
    }
}

/// One of these words.
pub(crate) fn one_of(words: &[&str]) -> LabelType {
    LabelType::OneOf(words.iter().map(ToString::to_string).collect())
}
