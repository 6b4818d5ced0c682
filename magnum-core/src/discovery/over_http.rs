//! Discovery services that are asked over HTTP.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::model::{ClusterId, discovery_url};
use crate::ports::{Clock, Discovery, HttpTransport, SystemClock, TlsProfile, within};
use crate::{Error, ErrorKind, Result, Retry, one_line, shown};

/// The public service.
const PUBLIC: &str = "https://discovery.etcd.io/new?size=%(size)d";
/// What stands for the number of members in a service's URL.
const SIZE: &str = "%(size)d";
/// How long a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A discovery service elsewhere, spoken to as etcd's: asked once for each cluster, for at most 10 s.
///
/// Users give URLs of their own, so the transport must keep to the host's
/// [`EgressPolicy`](crate::EgressPolicy): it resolves names once and connects to permitted addresses only.
///
/// ```
/// # fn f(transport: std::sync::Arc<dyn magnum_core::HttpTransport>) -> magnum_core::Result<()> {
/// use magnum_core::HttpDiscovery;
/// let public = HttpDiscovery::new(transport.clone());
/// let own = HttpDiscovery::new(transport.clone()).with_service("https://discovery.example.com/new?size=%(size)d")?;
/// // No URL is made, but those that users give are checked.
/// let checking = HttpDiscovery::checking_only(transport);
/// # Ok(()) }
/// ```
pub struct HttpDiscovery {
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
    service: Option<String>,
}

impl HttpDiscovery {
    /// New URLs come from the public service at `https://discovery.etcd.io`.
    #[must_use]
    pub fn new(transport: Arc<dyn HttpTransport>) -> Self {
        Self {
            service: Some(PUBLIC.to_owned()),
            ..Self::checking_only(transport)
        }
    }

    /// No URLs are made; those that users give are checked.
    #[must_use]
    pub fn checking_only(transport: Arc<dyn HttpTransport>) -> Self {
        Self {
            transport,
            clock: Arc::new(SystemClock),
            service: None,
        }
    }

    /// New URLs come from another service: its URL, with `%(size)d` where the number of members stands.
    ///
    /// # Errors
    /// `InvalidInput` unless it is an `http` or `https` URL with `%(size)d` in it.
    pub fn with_service(mut self, url_format: &str) -> Result<Self> {
        let example = url_format.replace(SIZE, "3");
        let fits = Url::parse(&example)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
        if !fits || !url_format.contains(SIZE) {
            let message = "an http or https URL with %(size)d where the number of members stands is needed";
            return Err(Error::field("discovery_service", url_format, message));
        }
        self.service = Some(url_format.to_owned());
        Ok(self)
    }

    /// Sets the clock by which answers are waited for. Default the machine's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What is answered with status 200; every error ends the matter.
    async fn get(&self, url: &Url) -> Result<Response<Bytes>> {
        let host = shown(url.host_str().unwrap_or_default());
        let failed = |kind, what: String| {
            let message = format!("the discovery service at {host} {what}");
            Err(refused(kind, message))
        };
        let Ok(request) = Request::get(url.as_str()).body(Bytes::new()) else {
            return failed(
                ErrorKind::Configuration,
                "cannot be asked: its URL has no HTTP form".into(),
            );
        };
        let profile = TlsProfile::default();
        match within(&self.clock, PATIENCE, self.transport.send(request, &profile)).await {
            Err(elapsed) => failed(ErrorKind::Timeout, format!("gave {elapsed}")),
            Ok(Err(error)) => failed(
                ErrorKind::Unavailable,
                format!("cannot be asked: {}", one_line(&error.message)),
            ),
            Ok(Ok(answer)) => match answer.status() {
                StatusCode::OK => Ok(answer),
                StatusCode::NOT_FOUND => {
                    failed(ErrorKind::Configuration, "does not know this URL (404)".into())
                }
                status => failed(ErrorKind::Unavailable, format!("answered {}", status.as_u16())),
            },
        }
    }
}

impl fmt::Debug for HttpDiscovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpDiscovery")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Discovery for HttpDiscovery {
    async fn create(&self, _cluster: ClusterId, size: u32) -> Result<Option<String>> {
        let Some(service) = &self.service else {
            return Ok(None);
        };
        let url = parse(&service.replace(SIZE, &size.to_string()))?;
        let answer = self.get(&url).await?;
        let text = std::str::from_utf8(answer.body()).unwrap_or_default().trim();
        if discovery_url(text).is_err() {
            let host = shown(url.host_str().unwrap_or_default());
            let message = format!("the discovery service at {host} answered with something else than a URL");
            return Err(refused(ErrorKind::Unavailable, message));
        }
        Ok(Some(text.to_owned()))
    }

    async fn check(&self, url: &str, size: u32) -> Result<()> {
        let mut url = parse(url)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["_config", "size"]);
        }
        let answer = self.get(&url).await?;
        let host = shown(url.host_str().unwrap_or_default());
        let Ok(Answer { node }) = serde_json::from_slice(answer.body()) else {
            let message = format!("what {host} answers is not etcd's discovery: it tells no size");
            return Err(refused(ErrorKind::Configuration, message));
        };
        if node.value.parse() != Ok(size) {
            let message = format!(
                "the discovery URL is for {} members of etcd, and the cluster has {size} masters",
                shown(&node.value)
            );
            return Err(refused(ErrorKind::Configuration, message));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Answer {
    node: Node,
}

#[derive(Deserialize)]
struct Node {
    value: String,
}

fn parse(url: &str) -> Result<Url> {
    Url::parse(url).map_err(|_| refused(ErrorKind::Configuration, "the discovery URL is not a URL".into()))
}

/// An error that a repeat does not mend.
fn refused(kind: ErrorKind, message: String) -> Error {
    Error::new(kind, message)
        .with_retry(Retry::Never)
        .at("discovery", "http")
}

#[cfg(test)]
mod tests {
    use crate::ports::TransportError;

    use super::*;

    #[derive(Debug)]
    struct Nobody;

    #[async_trait]
    impl HttpTransport for Nobody {
        async fn send(
            &self,
            _request: Request<Bytes>,
            _profile: &TlsProfile,
        ) -> Result<Response<Bytes>, TransportError> {
            Err(TransportError::not_sent("nobody is there"))
        }
    }

    #[test]
    fn a_service_is_a_url_with_a_place_for_the_size() {
        let new = || HttpDiscovery::new(Arc::new(Nobody));
        for bad in [
            "",
            "%(size)d",
            "https://discovery.example/new",
            "https://discovery.example/new?size={size}",
            "ftp://discovery.example/%(size)d",
            "https://[/%(size)d",
        ] {
            let error = new().with_service(bad).map(|_| ()).unwrap_err();
            assert_eq!(error.problems()[0].field, "discovery_service", "{bad}");
        }
        let own = new().with_service("http://10.0.0.5:8087/%(size)d").unwrap();
        assert_eq!(own.service.as_deref(), Some("http://10.0.0.5:8087/%(size)d"));
    }
}
