//! Keystone's API, version 3.

mod auth;
mod directory;
#[cfg(test)]
mod tests;
mod trusts;
mod users;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::api_fault::ApiFault;
use super::cloud::SimCloud;
use super::http_api::answer;

/// A refusal in Keystone's shape.
pub(super) struct Refused(ApiFault);

impl From<ApiFault> for Refused {
    fn from(fault: ApiFault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let ApiFault { status, message, .. } = self.0;
        let title = http::StatusCode::from_u16(status)
            .ok()
            .and_then(|s| s.canonical_reason())
            .unwrap_or("Error");
        answer(
            status,
            json!({"error": {"code": status, "message": message, "title": title}}),
        )
    }
}

pub(super) type Answer = Result<Response, Refused>;

pub(super) fn routes() -> Router<SimCloud> {
    Router::new()
        .route("/", get(versions))
        .route("/v3", get(version))
        .route("/v3/", get(version))
        .route(
            "/v3/auth/tokens",
            get(auth::show).post(auth::log_in).delete(auth::revoke),
        )
        .route("/v3/auth/catalog", get(auth::catalog))
        .route("/v3/auth/projects", get(directory::own_projects))
        .route("/v3/users", get(users::list).post(users::create))
        .route(
            "/v3/users/{user}",
            get(users::show).patch(users::update).delete(users::remove),
        )
        .route(
            "/v3/users/{user}/application_credentials",
            get(users::list_credentials).post(users::create_credential),
        )
        .route(
            "/v3/users/{user}/application_credentials/{credential}",
            delete(users::remove_credential),
        )
        .route("/v3/domains", get(directory::domains))
        .route("/v3/domains/{domain}", get(directory::domain))
        .route("/v3/projects", get(directory::projects))
        .route("/v3/projects/{project}", get(directory::project))
        .route("/v3/roles", get(directory::roles))
        .route("/v3/OS-TRUST/trusts", get(trusts::list).post(trusts::create))
        .route(
            "/v3/OS-TRUST/trusts/{trust}",
            get(trusts::show).delete(trusts::remove),
        )
}

async fn versions(State(cloud): State<SimCloud>) -> Response {
    answer(300, json!({"versions": {"values": [describe(&cloud)]}}))
}

async fn version(State(cloud): State<SimCloud>) -> Response {
    answer(200, json!({"version": describe(&cloud)}))
}

fn describe(cloud: &SimCloud) -> Value {
    json!({
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{}/", cloud.auth_url())}],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v3+json",
        }],
    })
}

/// A time as Keystone writes it, to the microsecond.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}
