//! A refusal of a service, before it is put into that service's own shape.

use std::fmt;

/// What a service refused, and why.
///
/// Each service writes its errors in a shape of its own; this is what they have in common. Heat keeps the
/// message in the reason of a failed resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiFault {
    /// HTTP status.
    pub status: u16,
    /// The service's name for this kind of error, such as `OverQuota` or `NetworkInUse`.
    pub kind: String,
    /// The service's own wording.
    pub message: String,
}

impl ApiFault {
    /// A fault with a status of its own.
    pub fn new(status: u16, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind.into(),
            message: message.into(),
        }
    }

    /// 400: the request cannot be right.
    pub fn bad_request(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, kind, message)
    }

    /// 401: who are you.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "Unauthorized", message)
    }

    /// 403: not you.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "Forbidden", message)
    }

    /// 404: no such thing.
    pub fn not_found(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(404, kind, message)
    }

    /// 409: not as things are.
    pub fn conflict(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(409, kind, message)
    }

    /// Whether the thing does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }
}

impl fmt::Display for ApiFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiFault {}
