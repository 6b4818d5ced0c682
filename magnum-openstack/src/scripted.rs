//! A transport for tests: answers from a closure, with a Keystone that always lets in.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use magnum_core::{
    AnchoredClock, Clock, HttpTransport, Secret, TlsProfile, TransportError, TrustCredentials, UserToken,
};
use serde_json::{Value, json};

use crate::{Credentials, DomainRef, Named, OpenStack, OpenStackBuilder};

/// Strings that must be seen by Keystone only.
pub(crate) const SECRETS: [&str; 5] = ["service-pw", "domain-pw", "admin-pw", "trustee-pw", "token-"];

/// A request as the cloud saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) token: String,
    pub(crate) body: Value,
}

impl Seen {
    /// `GET /path?query`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What the cloud does.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, String),
    NotSent,
    Lost,
    Never,
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self::Answer(status, Vec::new(), body.to_string())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::json(
            status,
            json!({"error": {"message": format!("status {status}"), "type": "Test"}}),
        )
    }

    pub(crate) fn header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.to_owned()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

type Script = dyn Fn(&Seen) -> Option<Reply> + Send + Sync;

/// The cloud of a test. What the script does not answer, Keystone does, or it is a 404.
pub(crate) struct Scripted {
    script: Box<Script>,
    seen: Mutex<Vec<Seen>>,
    tokens: AtomicUsize,
    logins: Gauge,
    requests: Gauge,
    pub(crate) clock: Arc<dyn Clock>,
}

/// How many are under way, and were at most.
#[derive(Debug, Default)]
struct Gauge(AtomicUsize, AtomicUsize);

impl Gauge {
    fn enter(&self) {
        let now = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.1.fetch_max(now, Ordering::SeqCst);
    }

    fn leave(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl Scripted {
    pub(crate) fn new(script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> Arc<Self> {
        let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        Arc::new(Self {
            script: Box::new(script),
            seen: Mutex::default(),
            tokens: AtomicUsize::new(0),
            logins: Gauge::default(),
            requests: Gauge::default(),
            clock: Arc::new(AnchoredClock::starting_at(epoch)),
        })
    }

    /// A cloud that answers every service with `{}`.
    pub(crate) fn quiet() -> Arc<Self> {
        Self::new(|seen| (!seen.path.starts_with("/v3/")).then(|| Reply::json(200, json!({}))))
    }

    pub(crate) fn builder(self: &Arc<Self>) -> OpenStackBuilder {
        OpenStack::builder()
            .auth_url("http://keystone")
            .transport(Arc::clone(self) as Arc<dyn HttpTransport>)
            .clock(Arc::clone(&self.clock))
            .service(
                Credentials::password(Named::id("service"), "service-pw").in_project(Named::id("services")),
            )
            .trustee_domain_admin(
                Credentials::password(Named::id("domain-admin"), "domain-pw")
                    .in_domain(DomainRef::id("trustees")),
            )
    }

    pub(crate) fn cloud(self: &Arc<Self>) -> OpenStack {
        self.builder().build().unwrap()
    }

    /// Every request but those to `/auth/tokens`.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        let mut seen = self.seen.lock().unwrap().clone();
        seen.retain(|seen| seen.path != "/v3/auth/tokens");
        seen
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.calls().iter().map(Seen::line).collect()
    }

    /// How often somebody logged in.
    pub(crate) fn logins(&self) -> usize {
        self.count("POST /v3/auth/tokens")
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.line() == line)
            .count()
    }

    pub(crate) fn most_logins_at_once(&self) -> usize {
        self.logins.1.load(Ordering::SeqCst)
    }

    pub(crate) fn most_requests_at_once(&self) -> usize {
        self.requests.1.load(Ordering::SeqCst)
    }

    fn keystone(&self, seen: &Seen) -> Reply {
        match seen.line().as_str() {
            "POST /v3/auth/tokens" => {
                let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
                let scope = &seen.body["auth"]["scope"];
                let user = &seen.body["auth"]["identity"]["password"]["user"]["id"];
                let mut token = self.token(user.as_str().unwrap_or("app-user"));
                if let Some(trust) = scope.get("OS-TRUST:trust") {
                    token["token"]["OS-TRUST:trust"] = trust.clone();
                }
                if let Some(domain) = scope.get("domain") {
                    token["token"]["domain"] = domain.clone();
                    token["token"].as_object_mut().unwrap().remove("project");
                }
                if let Some(project) = scope.get("project") {
                    token["token"]["project"] = project.clone();
                }
                let methods = seen.body["auth"]["identity"]["methods"].clone();
                token["token"]["methods"] = methods;
                Reply::json(201, token).header("x-subject-token", &format!("token-{number}"))
            }
            "GET /v3/auth/tokens" => Reply::json(200, self.token("alice")),
            _ => Reply::status(404),
        }
    }

    /// The body of a token of an hour. keystone/common/render_token.py, release 22 (Zed)
    pub(crate) fn token(&self, user: &str) -> Value {
        let now = self.clock.now();
        let public = |kind: &str, url: &str| {
            json!({"type": kind, "name": kind, "id": "c", "endpoints": [
                {"id": "e", "interface": "public", "region": "R", "region_id": "R", "url": url}]})
        };
        json!({"token": {
            "methods": ["password"],
            "audit_ids": ["x"],
            "user": {"id": user, "name": user, "domain": {"id": "default", "name": "Default"},
                     "password_expires_at": null},
            "project": {"id": "p1", "name": "demo", "domain": {"id": "default", "name": "Default"}},
            "is_domain": false,
            "issued_at": now.to_string(),
            "expires_at": now.checked_add(Duration::from_secs(3600)).unwrap().to_string(),
            "roles": [{"id": "r1", "name": "member"}, {"id": "r2", "name": "reader"}],
            "catalog": [
                public("orchestration", "http://heat/v1/p1"),
                public("image", "http://glance"),
                public("compute", "http://nova/v2.1"),
                public("network", "http://neutron"),
            ],
        }})
    }
}

#[async_trait]
impl HttpTransport for Scripted {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let token = request.headers().get("x-auth-token");
        assert!(token.is_none_or(http::HeaderValue::is_sensitive));
        let seen = Seen {
            method: request.method().to_string(),
            path: request.uri().path_and_query().unwrap().to_string(),
            token: token
                .map(|value| value.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
        };
        self.seen.lock().unwrap().push(seen.clone());
        let login = seen.line() == "POST /v3/auth/tokens";
        self.requests.enter();
        if login {
            self.logins.enter();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.requests.leave();
        if login {
            self.logins.leave();
        }
        match (self.script)(&seen).unwrap_or_else(|| self.keystone(&seen)) {
            Reply::NotSent => Err(TransportError::not_sent("connection refused")),
            Reply::Lost => Err(TransportError::maybe_sent("connection reset")),
            Reply::Never => std::future::pending().await,
            Reply::Answer(status, headers, body) => {
                let mut response = http::Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                Ok(response.body(Bytes::from(body)).unwrap())
            }
        }
    }
}

/// A trust, different for each number.
pub(crate) fn trust(number: usize) -> TrustCredentials {
    TrustCredentials {
        trustee_user_id: format!("trustee{number}"),
        password: Secret::new("trustee-pw"),
        trust_id: format!("trust{number}"),
    }
}

/// Alice's token.
pub(crate) fn alice() -> UserToken {
    UserToken {
        token: Secret::new("token-of-alice"),
        project_id: "p1".into(),
        user_id: "alice".into(),
        expires_at: "2026-01-01T01:00:00Z".parse().unwrap(),
    }
}
