//! Whole lives of stacks, over the API as clients see it.

mod balanced;
mod docker;
mod lives;
mod pieces;
mod previews;
mod refusals;
mod requests;
mod volumes;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use magnum_core::{AnchoredClock, HttpTransport, TlsProfile};
use serde_json::{Value, json};

use crate::sim::{At, Effect, Fault, Pace, SimCloud};

/// A cloud with a clock that stands still unless a test waits, and a user of it.
pub(super) struct Client {
    pub(super) cloud: SimCloud,
    token: String,
    pub(super) project: String,
}

impl Client {
    pub(super) async fn new(pace: Pace) -> Self {
        let clock = Arc::new(AnchoredClock::starting_at(
            Timestamp::from_second(1_800_000_000).unwrap(),
        ));
        let cloud = SimCloud::builder().devstack().clock(clock).pace(pace).build();
        let mut client = Self {
            cloud,
            token: String::new(),
            project: String::new(),
        };
        let user = json!({"name": "demo", "password": "secret", "domain": {"id": "default"}});
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "demo", "domain": {"id": "default"}}},
        }});
        let request = http::Request::post("http://sim.cloud/identity/v3/auth/tokens")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = client
            .cloud
            .transport()
            .send(request, &TlsProfile::default())
            .await
            .unwrap();
        client.token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        client.project = body["token"]["project"]["id"].as_str().unwrap().to_owned();
        client
    }

    /// Sends a request to a path below the project; gives status and body.
    pub(super) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("http://sim.cloud/orchestration/v1/{}{path}", self.project);
        self.call_url(method, &url, &self.token, body).await
    }

    pub(super) async fn call_url(&self, method: &str, url: &str, token: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = http::Request::builder()
            .method(method)
            .uri(url)
            .header("x-auth-token", token)
            .body(body)
            .unwrap();
        let answer = self
            .cloud
            .transport()
            .send(request, &TlsProfile::default())
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            serde_json::from_slice(answer.body()).unwrap_or_default(),
        )
    }

    /// Posts to another service.
    pub(super) async fn post(&self, url: &str, body: Value) -> (u16, Value) {
        self.call_url("POST", url, &self.token, body).await
    }

    /// Sends a request without a body to another service.
    pub(super) async fn send(&self, method: &str, url: &str) -> (u16, Value) {
        self.call_url(method, url, &self.token, Value::Null).await
    }

    /// Creates a stack; gives its path.
    pub(super) async fn create(&self, name: &str, template: &str, more: Value) -> String {
        let (status, answer) = self.try_create(name, template, more).await;
        assert_eq!(status, 201, "{answer}");
        format!("/stacks/{name}/{}", answer["stack"]["id"].as_str().unwrap())
    }

    pub(super) async fn try_create(&self, name: &str, template: &str, more: Value) -> (u16, Value) {
        let mut body = json!({"stack_name": name, "template": template});
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.call("POST", "/stacks", body).await
    }

    pub(super) async fn show(&self, path: &str) -> Value {
        let (status, answer) = self.call("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        answer["stack"].clone()
    }

    /// Waits until the stack is not in progress; gives it.
    pub(super) async fn settle(&self, path: &str) -> Value {
        for _ in 0..2000 {
            let stack = self.show(path).await;
            if !stack["stack_status"].as_str().unwrap().ends_with("IN_PROGRESS") {
                return stack;
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        panic!("{path} is in progress for ever: {}", self.show(path).await);
    }

    /// Deletes a stack and waits for its end.
    pub(super) async fn delete(&self, path: &str) -> Value {
        assert_eq!(self.call("DELETE", path, Value::Null).await.0, 204);
        self.settle(path).await
    }

    /// Changes parameters of a stack and waits for the end of that.
    pub(super) async fn change(&self, path: &str, parameters: Value) -> Value {
        let body = json!({"parameters": parameters});
        assert_eq!(self.call("PATCH", path, body).await.0, 202);
        self.settle(path).await
    }

    /// Makes the next attempt at a resource of this name fail.
    pub(super) fn fail(&self, resource_type: &str, name: &str) {
        let at = At::Resource {
            resource_type: resource_type.into(),
            name: name.into(),
        };
        let what = Effect::ResourceFailure("bad weather".into());
        self.cloud.inject(Fault::once(at, what));
    }

    pub(super) async fn resource(&self, path: &str, name: &str) -> Value {
        let (status, answer) = self
            .call("GET", &format!("{path}/resources/{name}"), Value::Null)
            .await;
        assert_eq!(status, 200, "{answer}");
        answer["resource"].clone()
    }

    pub(super) async fn resources(&self, path: &str, depth: u32) -> Vec<Value> {
        let (status, answer) = self
            .call(
                "GET",
                &format!("{path}/resources?nested_depth={depth}"),
                Value::Null,
            )
            .await;
        assert_eq!(status, 200, "{answer}");
        answer["resources"].as_array().unwrap().clone()
    }
}

/// The value of an output.
pub(super) fn output(stack: &Value, key: &str) -> Value {
    stack["outputs"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|o| o["output_key"] == key)
        .map(|o| o["output_value"].clone())
        .unwrap_or_default()
}
