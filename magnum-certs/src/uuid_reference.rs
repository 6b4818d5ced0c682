//! References that are a bare UUID.

use magnum_core::{CertRef, Error, Result};
use uuid::Uuid;

/// The reference to what a backend keeps under a UUID.
pub(crate) fn of(backend: &str, id: Uuid) -> CertRef {
    CertRef {
        backend: backend.to_owned(),
        reference: id.to_string(),
    }
}

/// The UUID of one of the backend's own references.
///
/// # Errors
/// `InvalidInput` when it is of another backend, or no UUID in lower case with hyphens.
pub(crate) fn own(backend: &'static str, reference: &CertRef) -> Result<Uuid> {
    let foreign = |value: &str, message: &str| {
        Err(Error::field("certificate reference", value, message).at("certs", backend))
    };
    if reference.backend != backend {
        return foreign(&reference.backend, &format!("a reference of {backend} is needed"));
    }
    match Uuid::try_parse(&reference.reference) {
        Ok(id) if id.to_string() == reference.reference => Ok(id),
        _ => foreign(&reference.reference, "a UUID, lower-case with hyphens, is needed"),
    }
}
