//! The form of the entries within a template's sections.

use super::error::HeatError;
use super::node::Node;

/// Checks that a section is a map of maps with only these keys, the required one among them.
///
/// # Errors
/// `StackValidationFailed`.
pub(super) fn check_entries(
    section: &str,
    required: &str,
    node: Option<&Node>,
    keys: &[&str],
) -> Result<(), HeatError> {
    let object = section.trim_end_matches('s');
    let Some(node) = node else { return Ok(()) };
    let no_map = |node: &Node| {
        HeatError::validation(format!(
            "\"{section}\" must contain a map of {object} maps. Found a [<class '{}'>] instead",
            node.type_name()
        ))
    };
    let Some(entries) = node.as_map() else {
        return Err(no_map(node));
    };
    for (_, entry) in entries {
        let incomplete = || HeatError::validation(format!("Each {object} must contain a {required} key."));
        if entry.is_falsy() {
            return Err(incomplete());
        }
        let Some(attributes) = entry.as_map() else {
            return Err(no_map(entry));
        };
        for (key, _) in attributes {
            if !keys.contains(&key.as_str()) {
                let text = format!("\"{key}\" is not a valid keyword inside a {object} definition");
                return Err(HeatError::validation(text));
            }
        }
        if entry.get(required).is_none() {
            return Err(incomplete());
        }
    }
    Ok(())
}
