//! Refusals in Heat's shape.

use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::sim::hot::{ErrorKind, HeatError};
use crate::sim::http_api::answer;

/// A refusal on its way to the client.
#[derive(Debug)]
pub(super) struct Refusal(HeatError);

impl From<HeatError> for Refusal {
    fn from(error: HeatError) -> Self {
        Self(error)
    }
}

/// What a handler returns.
pub(super) type Answer = Result<Response, Refusal>;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = self.0;
        let status = error.kind.status();
        let (title, explanation) = match status {
            400 => (
                "Bad Request",
                "The server could not comply with the request since it is either malformed or otherwise incorrect.",
            ),
            401 => (
                "Unauthorized",
                "This server could not verify that you are authorized to access the document you requested.",
            ),
            403 => ("Forbidden", "Access was denied to this resource."),
            404 => ("Not Found", "The resource could not be found."),
            409 => (
                "Conflict",
                "There was a conflict when trying to complete your request.",
            ),
            _ => (
                "Internal Server Error",
                "The server has either erred or is incapable of performing the requested operation.",
            ),
        };
        let name = if error.kind == ErrorKind::Internal {
            "RemoteError"
        } else {
            error.kind.name()
        };
        let body = json!({
            "code": status,
            "title": title,
            "explanation": explanation,
            "error": {"type": name, "traceback": null, "message": message(&error)},
        });
        answer(status, body)
    }
}

/// The message as it arrives after its way between the service's processes: what stands before the text is
/// followed by another colon.
fn message(error: &HeatError) -> String {
    if error.kind != ErrorKind::StackValidationFailed {
        return error.to_string();
    }
    let mut out = String::new();
    if !error.origin.is_empty() {
        out.push_str(&format!("{}: : ", error.origin));
    }
    if !error.path.is_empty() {
        let bare = HeatError {
            origin: String::new(),
            text: String::new(),
            ..error.clone()
        }
        .to_string();
        out.push_str(&format!("{bare}: "));
    }
    out.push_str(&error.text);
    out
}

/// 400 of the API itself.
pub(super) fn bad_request(text: impl Into<String>) -> Refusal {
    Refusal(HeatError::new(ErrorKind::HttpBadRequest, text))
}
