//! What a node is told when it does not get what it asks for.

use http::StatusCode;

use crate::{Error, ErrorKind};

/// What a node is told, and what the log is told.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) text: String,
    pub(super) error: Error,
    /// Whether no credential was shown.
    stranger: bool,
}

impl Refusal {
    /// Somebody who has not shown a credential learns nothing: neither whether the cluster exists, nor what ails us.
    pub(super) fn stranger(error: Error) -> Self {
        let (status, text) = match error.kind() {
            ErrorKind::NotFound => (StatusCode::UNAUTHORIZED, "no such cluster, or not its credential"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "try again later"),
        };
        Self {
            status,
            text: text.to_owned(),
            error,
            stranger: true,
        }
    }

    /// What ails us, not the node: whatever the cloud or a certificate store thinks of our requests, the node's may be
    /// good, and a later try may work.
    pub(super) fn ours(error: Error) -> Self {
        let status = StatusCode::from_u16(error.http_status())
            .ok()
            .filter(|status| status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS);
        Self {
            status: status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            text: error.to_string(),
            error,
            stranger: false,
        }
    }

    /// Strangers knock as often as they like, and shall not fill the log.
    pub(super) fn log(&self) {
        let (status, error) = (&self.status, &self.error);
        if self.stranger && *status == StatusCode::UNAUTHORIZED {
            tracing::debug!(%status, ?error, "a stranger's request was refused");
        } else {
            tracing::warn!(%status, ?error, "a node's request was refused");
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            // Something of the cluster is not there (yet, or for the moment).
            ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Internal => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        };
        Self {
            status,
            text: error.to_string(),
            error,
            stranger: false,
        }
    }
}
