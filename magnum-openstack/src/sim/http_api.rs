//! What the services' HTTP handlers have in common.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::api_fault::ApiFault;
use super::cloud::SimCloud;
use super::world::identity::Caller;

/// Query parameters; of one that is given twice the last counts.
pub(crate) type Params = axum::extract::Query<BTreeMap<String, String>>;

/// The request shows a valid token, whose bearer this is.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated(pub(crate) Caller);

impl FromRequestParts<SimCloud> for Authenticated {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, cloud: &SimCloud) -> Result<Self, Self::Rejection> {
        let token = parts
            .headers
            .get("x-auth-token")
            .and_then(|value| value.to_str().ok());
        let shown = token.map(|token| cloud.world().authenticate(token));
        match shown {
            Some(Ok(caller)) => Ok(Self(caller)),
            // Keystone forbids its validation, which other services do not understand.
            Some(Err(fault)) if fault.status == 403 && !of_keystone(parts) => Err(not_validated()),
            _ => Err(authentication_required(cloud)),
        }
    }
}

fn of_keystone(parts: &Parts) -> bool {
    let whole = parts.extensions.get::<axum::extract::OriginalUri>();
    whole.is_some_and(|uri| uri.path().starts_with("/identity"))
}

/// What every service answers when Keystone neither confirms nor denies a token, in the words of keystonemiddleware 10.1.
fn not_validated() -> Response {
    let message = "The server is currently unavailable. Please try again at a later time.<br /><br />\n\
                   The Keystone service is temporarily unavailable.\n\n";
    answer(
        503,
        json!({"message": message, "code": "503 Service Unavailable", "title": "Service Unavailable"}),
    )
}

/// What every service answers to a token that is none.
pub(crate) fn authentication_required(cloud: &SimCloud) -> Response {
    let body = json!({"error": {
        "message": "The request you have made requires authentication.",
        "code": 401,
        "title": "Unauthorized",
    }});
    let mut response = answer(401, body);
    if let Ok(value) = HeaderValue::from_str(&format!("Keystone uri=\"{}\"", cloud.auth_url())) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

/// A JSON body, whatever its content type says; an empty one is `null`.
#[derive(Clone, Debug)]
pub(crate) struct JsonBody(pub(crate) Value);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        if bytes.is_empty() {
            return Ok(Self(Value::Null));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|_| {
            answer(
                400,
                json!({"error": {"code": 400, "title": "Bad Request", "message": "Malformed JSON in request body"}}),
            )
        })
    }
}

/// A JSON answer.
pub(crate) fn answer(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}

/// An answer without a body.
pub(crate) fn empty(status: u16) -> Response {
    StatusCode::from_u16(status)
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        .into_response()
}

/// A string in a body, by path of keys.
pub(crate) fn text(body: &Value, path: &[&str]) -> Option<String> {
    at(body, path).and_then(Value::as_str).map(str::to_owned)
}

/// A truth in a body, by path of keys.
pub(crate) fn flag(body: &Value, path: &[&str]) -> Option<bool> {
    at(body, path).and_then(Value::as_bool)
}

/// A value in a body, by path of keys; `null` is nothing.
pub(crate) fn at<'a>(body: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter()
        .try_fold(body, |value, key| value.get(key))
        .filter(|value| !value.is_null())
}

/// The strings of a list in a body, by path of keys; `None` if there is no list.
pub(crate) fn texts(body: &Value, path: &[&str]) -> Option<Vec<String>> {
    let items = at(body, path)?.as_array()?;
    Some(
        items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    )
}

/// A string that must be there.
pub(crate) fn required(body: &Value, path: &[&str]) -> Result<String, ApiFault> {
    text(body, path).ok_or_else(|| {
        ApiFault::bad_request(
            "BadRequest",
            format!("'{}' is a required property", path.join(".")),
        )
    })
}
