//! The variables `OS_*`.

use std::collections::BTreeMap;

use magnum_core::Secret;

use super::reading::{Place, Settings};

/// Reads the variables; the names after `OS_`, in lower case, are those of `clouds.yaml`.
pub(super) fn settings<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Settings {
    let mut values: BTreeMap<String, Secret> = BTreeMap::new();
    for (key, value) in variables {
        if let Some(key) = key.strip_prefix("OS_")
            && !value.is_empty()
        {
            values.insert(key.to_lowercase(), value.to_owned().into());
        }
    }
    // `OS_INSECURE` is the clients' older word for not verifying.
    if let Some(insecure) = values.remove("insecure") {
        let truth = |value: &str| matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on");
        if truth(insecure.expose()) {
            values.insert("verify".to_owned(), "false".to_owned().into());
        }
    }
    Settings {
        cloud: "envvars".to_owned(),
        place: Place::Environment,
        values,
    }
}
