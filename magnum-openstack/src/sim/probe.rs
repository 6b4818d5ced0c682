//! A small client for the tests of the simulated cloud.

use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::Timestamp;
use magnum_core::{AnchoredClock, HttpTransport, TlsProfile, TransportError};
use serde_json::{Value, json};
use std::sync::Arc;

use super::builder::SimCloudBuilder;
use super::cloud::SimCloud;

/// A cloud as devstack has it, with a clock that starts at a fixed time.
pub(crate) fn builder() -> SimCloudBuilder {
    let epoch: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    SimCloud::builder()
        .clock(Arc::new(AnchoredClock::starting_at(epoch)))
        .seed(1)
        .devstack()
}

/// A token and what it is used on.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub(crate) cloud: SimCloud,
    pub(crate) token: String,
    pub(crate) user: String,
    pub(crate) project: String,
}

impl Probe {
    /// Logs in with the password of every user of devstack.
    pub(crate) async fn log_in(cloud: &SimCloud, user: &str) -> Self {
        let identity = password(json!({"name": user, "domain": {"name": "Default"}}), "secret");
        let scope = json!({"project": {"name": user, "domain": {"name": "Default"}}});
        Self::with(cloud, identity, scope).await.unwrap()
    }

    /// Logs in as the administrator of domain `magnum`.
    pub(crate) async fn domain_admin(cloud: &SimCloud) -> Self {
        let identity = password(
            json!({"name": "magnum_domain_admin", "domain": {"name": "magnum"}}),
            "secret",
        );
        Self::with(cloud, identity, json!({"domain": {"name": "magnum"}}))
            .await
            .unwrap()
    }

    /// Logs in with a body's `identity` and `scope`; the status if it was refused.
    pub(crate) async fn with(cloud: &SimCloud, identity: Value, scope: Value) -> Result<Self, StatusCode> {
        let mut probe = Self {
            cloud: cloud.clone(),
            token: String::new(),
            user: String::new(),
            project: String::new(),
        };
        let mut auth = json!({ "identity": identity });
        if !scope.is_null() {
            auth["scope"] = scope;
        }
        let body = json!({ "auth": auth });
        let answer = probe
            .send(Method::POST, "/identity/v3/auth/tokens", Some(body))
            .await
            .unwrap();
        if answer.status() != 201 {
            return Err(answer.status());
        }
        probe.token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        probe.user = body["token"]["user"]["id"].as_str().unwrap().to_owned();
        probe.project = body["token"]["project"]["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(probe)
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.cloud.base_url()))
            .header("x-auth-token", &self.token)
            .body(body)
            .unwrap();
        self.cloud.transport().send(request, &TlsProfile::default()).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let answer = self.send(method, path, body).await.unwrap();
        let status = answer.status().as_u16();
        (
            status,
            serde_json::from_slice(answer.body()).unwrap_or(Value::Null),
        )
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        self.call(Method::DELETE, path, None).await
    }
}

/// The `identity` of a login by password.
pub(crate) fn password(mut user: Value, password: &str) -> Value {
    user["password"] = json!(password);
    json!({"methods": ["password"], "password": {"user": user}})
}

/// A member of a body as text.
pub(crate) fn id(body: &Value, kind: &str) -> String {
    body[kind]["id"].as_str().unwrap_or_default().to_owned()
}
