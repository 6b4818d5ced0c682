//! [`HttpTransport`] over reqwest.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use magnum_core::{EgressPolicy, HttpTransport, TlsProfile, TransportError};

use super::guard::Guard;
use super::tls_clients::TlsClients;

/// The transport over reqwest, with the TLS library that the crate's feature names.
///
/// It follows no redirect, repeats nothing, keeps at most 64 clients (one per TLS profile), and reads at
/// most 32 MiB of a body. Proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY`) as for other
/// OpenStack clients.
#[derive(Clone)]
pub struct ReqwestTransport {
    clients: Arc<TlsClients>,
    body_limit: usize,
    guard: Option<Arc<dyn EgressPolicy>>,
}

/// Describes a [`ReqwestTransport`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ReqwestTransportBuilder {
    connect_timeout: Duration,
    timeout: Duration,
    body_limit: usize,
    clients: usize,
    proxy_from_environment: bool,
    guard: Option<Arc<dyn EgressPolicy>>,
}

impl Default for ReqwestTransportBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            body_limit: 32 << 20,
            clients: 64,
            proxy_from_environment: true,
            guard: None,
        }
    }
}

impl ReqwestTransportBuilder {
    /// How long a connection may take to be made. Default: 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long a request may take, its body included. Default: 60 s.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// How many bytes a response's body may have. Default: 32 MiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// How many TLS profiles have a client of their own at a time. Default: 64.
    pub fn clients(mut self, count: usize) -> Self {
        self.clients = count;
        self
    }

    /// Whether the proxies that the environment names are used. Default: yes.
    pub fn proxy_from_environment(mut self, yes: bool) -> Self {
        self.proxy_from_environment = yes;
        self
    }

    /// The transport. Nothing is connected yet.
    #[must_use]
    pub fn build(self) -> ReqwestTransport {
        let settings = self.clone();
        ReqwestTransport {
            body_limit: self.body_limit,
            guard: self.guard,
            clients: Arc::new(TlsClients::new(self.clients, move |profile| {
                client(&settings, profile)
            })),
        }
    }
}

impl ReqwestTransport {
    /// A transport with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A transport for URLs that tenants give: it connects only to addresses that `egress` permits, whether the URL names
    /// them or a name resolves to them, uses no proxy, and reads at most 64 KiB of a body.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use magnum_core::{DefaultEgress, HttpDiscovery};
    /// use magnum_openstack::ReqwestTransport;
    /// let transport = ReqwestTransport::guarded(Arc::new(DefaultEgress::default()));
    /// let discovery = HttpDiscovery::new(Arc::new(transport));
    /// ```
    #[must_use]
    pub fn guarded(egress: Arc<dyn EgressPolicy>) -> Self {
        let mut builder = Self::builder().body_limit(64 << 10).proxy_from_environment(false);
        builder.guard = Some(egress);
        builder.build()
    }

    /// Begins to describe one.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder::default()
    }
}

impl Default for ReqwestTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport")
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let client = self
            .clients
            .get(profile)
            .map_err(|error| TransportError::not_sent(format!("TLS set-up failed: {}", text(error))))?;
        let request = reqwest::Request::try_from(request)
            .map_err(|error| TransportError::not_sent(format!("not a request: {}", text(error))))?;
        if let Some(egress) = &self.guard {
            // As it will be connected to, not as it was given.
            let checked = Guard(Arc::clone(egress)).check(request.url());
            checked.map_err(|denied| TransportError::not_sent(denied.to_string()))?;
        }
        let response = client.execute(request).await.map_err(failure)?;
        let (status, version) = (response.status(), response.version());
        let headers = response.headers().clone();
        let body = self.body(response).await?;
        let mut out = http::Response::new(body);
        *out.status_mut() = status;
        *out.version_mut() = version;
        *out.headers_mut() = headers;
        Ok(out)
    }
}

impl ReqwestTransport {
    /// Reads the body up to the limit.
    async fn body(&self, mut response: reqwest::Response) -> Result<Bytes, TransportError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if body.len() + chunk.len() > self.body_limit {
                let message = format!("the response has more than {} bytes", self.body_limit);
                return Err(TransportError::maybe_sent(message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

/// Only an error while connecting means that nothing was sent.
fn failure(error: reqwest::Error) -> TransportError {
    let sent = !(error.is_connect() || error.is_builder());
    TransportError {
        sent,
        message: text(error),
    }
}

/// The error with its causes and without the URL, whose query may be a secret.
fn text(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut out = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        out.push_str(": ");
        out.push_str(&inner.to_string());
        cause = inner.source();
    }
    out
}

/// A client that speaks under the profile.
fn client(settings: &ReqwestTransportBuilder, profile: &TlsProfile) -> reqwest::Result<reqwest::Client> {
    let mut builder = backend(reqwest::Client::builder())
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.timeout);
    if !settings.proxy_from_environment {
        builder = builder.no_proxy();
    }
    if let Some(egress) = &settings.guard {
        builder = builder.dns_resolver(Arc::new(Guard(Arc::clone(egress))));
    }
    if let Some(roots) = &profile.roots {
        builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(roots.as_bytes())?);
    }
    if let Some(own) = &profile.identity {
        builder = builder.identity(identity(&own.certificate_pem, own.key_pem.expose())?);
    }
    builder.build()
}

#[cfg(feature = "rustls-tls")]
fn backend(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.tls_backend_rustls()
}

#[cfg(not(feature = "rustls-tls"))]
fn backend(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.tls_backend_native()
}

#[cfg(feature = "rustls-tls")]
fn identity(certificate: &str, key: &str) -> reqwest::Result<reqwest::Identity> {
    reqwest::Identity::from_pem(format!("{certificate}\n{key}\n").as_bytes())
}

/// The system's library wants the key in PKCS #8 form.
#[cfg(not(feature = "rustls-tls"))]
fn identity(certificate: &str, key: &str) -> reqwest::Result<reqwest::Identity> {
    reqwest::Identity::from_pkcs8_pem(certificate.as_bytes(), key.as_bytes())
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{body_string, header, method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    fn request(uri: &str) -> http::Request<Bytes> {
        http::Request::post(uri)
            .header("x-auth-token", "t")
            .body(Bytes::from_static(b"hello"))
            .unwrap()
    }

    fn transport() -> ReqwestTransport {
        ReqwestTransport::builder()
            .proxy_from_environment(false)
            .body_limit(1000)
            .build()
    }

    #[tokio::test]
    async fn a_request_arrives_whole_and_any_status_is_an_answer() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/v1/a%20b"))
            .and(query_param("q", "1"))
            .and(header("x-auth-token", "t"))
            .and(body_string("hello"))
            .respond_with(
                ResponseTemplate::new(418)
                    .insert_header("x-openstack-request-id", "req-1")
                    .set_body_string("teapot"),
            )
            .expect(1)
            .mount(&server)
            .await;
        let response = transport()
            .send(
                request(&format!("{}/v1/a%20b?q=1", server.uri())),
                &TlsProfile::default(),
            )
            .await
            .unwrap();
        assert_eq!(response.status(), 418);
        assert_eq!(response.headers()["x-openstack-request-id"], "req-1");
        assert_eq!(response.body(), "teapot");
    }

    #[tokio::test]
    async fn redirects_are_answers_and_errors_are_not_repeated() {
        let server = MockServer::start().await;
        Mock::given(path("/moved"))
            .respond_with(ResponseTemplate::new(302).insert_header("location", "/elsewhere"))
            .expect(1)
            .mount(&server)
            .await;
        Mock::given(path("/broken"))
            .respond_with(ResponseTemplate::new(503))
            .expect(1)
            .mount(&server)
            .await;
        for (place, status) in [("moved", 302), ("broken", 503)] {
            let response = transport()
                .send(
                    request(&format!("{}/{place}", server.uri())),
                    &TlsProfile::default(),
                )
                .await
                .unwrap();
            assert_eq!(response.status(), status);
        }
    }

    #[tokio::test]
    async fn a_body_has_a_limit() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(200).set_body_string("x".repeat(1001)))
            .mount(&server)
            .await;
        let error = transport()
            .send(request(&server.uri()), &TlsProfile::default())
            .await
            .unwrap_err();
        assert!(error.sent);
        assert_eq!(error.message, "the response has more than 1000 bytes");
    }

    #[tokio::test]
    async fn sent_is_false_only_when_nothing_was() {
        // A port that was just free: nobody listens there.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let error = transport()
            .send(
                request(&format!("http://{address}/p?Signature=abc")),
                &TlsProfile::default(),
            )
            .await
            .unwrap_err();
        assert!(!error.sent, "{error}");
        assert!(!error.message.contains("Signature"), "{error}");

        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(200).set_delay(Duration::from_secs(5)))
            .mount(&server)
            .await;
        let hasty = ReqwestTransport::builder()
            .proxy_from_environment(false)
            .timeout(Duration::from_millis(50))
            .build();
        let error = hasty
            .send(
                request(&format!("{}/p?Signature=abc", server.uri())),
                &TlsProfile::default(),
            )
            .await
            .unwrap_err();
        assert!(error.sent, "{error}");
        assert!(!error.message.contains("Signature"), "{error}");
    }

    #[tokio::test]
    async fn roots_that_are_not_certificates_are_refused_before_anything_is_sent() {
        let profile = TlsProfile::default()
            .with_roots("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        let error = transport()
            .send(request("https://127.0.0.1:1/"), &profile)
            .await
            .unwrap_err();
        assert!(!error.sent);
    }
}
