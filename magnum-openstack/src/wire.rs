//! Sends a call until it has an answer or its time is up. The only place that does so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{ACCEPT, RETRY_AFTER, USER_AGENT};
use jiff::Timestamp;
use magnum_core::{
    Clock, Error, ErrorKind, HttpTransport, Result, Retry, Secret, TlsProfile, TransportError, within,
};
use tokio::sync::Semaphore;
use tracing::Instrument;
use url::Url;

use crate::retry::{Failure, Verdict, retry_after, verdict};
use crate::{Answer, Call};

/// How long calls may take and how many may be under way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How long one request may take. Default: 60 s.
    pub request: Duration,
    /// How long a call may take with its login, its repetitions and the pauses between them. Default: 120 s.
    pub call: Duration,
    /// How many requests may be under way to the cloud. Default: 32.
    pub in_flight: usize,
    /// How many of them may be logins. Default: 16.
    pub logins: usize,
    /// How many tokens are kept. Default: 1024.
    pub tokens: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(60),
            call: Duration::from_secs(120),
            in_flight: 32,
            logins: 16,
            tokens: 1024,
        }
    }
}

/// When a call must have ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Timestamp);

/// The way to the cloud.
#[derive(Debug)]
pub(crate) struct Wire {
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
    tls: TlsProfile,
    limits: Limits,
    in_flight: Semaphore,
    spread: AtomicU32,
}

impl Wire {
    /// The PEM roots by which the cloud is verified, where they are not the system's.
    pub(crate) fn roots(&self) -> Option<&str> {
        self.tls.roots.as_deref()
    }

    pub(crate) fn new(
        transport: Arc<dyn HttpTransport>,
        clock: Arc<dyn Clock>,
        tls: TlsProfile,
        limits: Limits,
    ) -> Self {
        Self {
            transport,
            clock,
            tls,
            in_flight: Semaphore::new(limits.in_flight.max(1)),
            limits,
            spread: AtomicU32::new(0),
        }
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn deadline(&self) -> Deadline {
        let end = self.clock.now().checked_add(self.limits.call);
        Deadline(end.unwrap_or(Timestamp::MAX))
    }

    pub(crate) fn remaining(&self, deadline: Deadline) -> Duration {
        Duration::try_from(deadline.0.duration_since(self.clock.now())).unwrap_or(Duration::ZERO)
    }

    /// Sends the call under a token until there is an answer of any status that no repetition can better.
    ///
    /// # Errors
    /// `Unavailable` when no answer came, `Timeout` when the time was up.
    pub(crate) async fn exchange(
        &self,
        call: &Call,
        endpoint: &Url,
        token: Option<&Secret>,
        deadline: Deadline,
    ) -> Result<Answer> {
        let request = build(call, &call.url(endpoint)?, token).map_err(|source| unfit(call, source))?;
        let span = tracing::debug_span!(
            "openstack.call",
            service = call.service.name(),
            operation = call.operation,
            method = %call.method,
            path = call.template,
            status = tracing::field::Empty,
            attempt = tracing::field::Empty,
            request_id = tracing::field::Empty,
        );
        self.until_answered(call, &request, deadline)
            .instrument(span)
            .await
    }

    async fn until_answered(
        &self,
        call: &Call,
        request: &http::Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Answer> {
        let mut attempt = 1;
        loop {
            let span = tracing::Span::current();
            span.record("attempt", attempt);
            let outcome = self.once(call, request, deadline).await;
            let failure = match &outcome {
                Ok(answer) => {
                    span.record("status", answer.status.as_u16());
                    if let Some(id) = answer.request_id() {
                        span.record("request_id", id);
                    }
                    if answer.status.is_success() {
                        return outcome.map_err(|missing| missing.error(call));
                    }
                    Failure::Status {
                        code: answer.status.as_u16(),
                        after: answer
                            .header(RETRY_AFTER.as_str())
                            .and_then(|value| retry_after(value, self.clock.now())),
                    }
                }
                Err(missing) => missing.failure(),
            };
            match verdict(
                call.repeatable,
                failure,
                attempt,
                self.remaining(deadline),
                self.jitter(),
            ) {
                Verdict::GiveUp => return outcome.map_err(|missing| missing.error(call)),
                Verdict::Again(pause) => {
                    tracing::debug!(?failure, ?pause, "the request is sent again");
                    self.clock.sleep(pause).await;
                }
            }
            attempt += 1;
        }
    }

    /// One attempt.
    async fn once(
        &self,
        call: &Call,
        request: &http::Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Answer, Missing> {
        let remaining = self.remaining(deadline);
        let Ok(Ok(_permit)) = within(&self.clock, remaining, self.in_flight.acquire()).await else {
            return Err(Missing::Queued(self.limits.call));
        };
        let limit = self.limits.request.min(self.remaining(deadline));
        let sent = within(
            &self.clock,
            limit,
            self.transport.send(request.clone(), &self.tls),
        )
        .await;
        let response = sent.map_err(|_| Missing::Slow(limit))?.map_err(Missing::Broken)?;
        let (parts, body) = response.into_parts();
        Ok(Answer {
            service: call.service,
            operation: call.operation,
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    /// Numbers in 0..1 that follow each other far apart (the golden ratio's multiples): they keep callers
    /// that failed together from returning together, and are the same in every run.
    fn jitter(&self) -> f64 {
        const GOLDEN: u32 = 2_654_435_769;
        let step = self.spread.fetch_add(GOLDEN, Ordering::Relaxed);
        f64::from(step) / f64::from(u32::MAX)
    }
}

/// Builds the request.
fn build(call: &Call, url: &Url, token: Option<&Secret>) -> Result<http::Request<Bytes>, http::Error> {
    let mut request = http::Request::builder()
        .method(call.method.clone())
        .uri(url.as_str())
        .body(call.body.clone())?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("openstack-magnum/", env!("CARGO_PKG_VERSION"))),
    );
    headers.extend(call.headers.clone());
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(token.expose())?;
        value.set_sensitive(true);
        headers.insert("x-auth-token", value);
    }
    Ok(request)
}

/// The request cannot be put on a wire, for example for a token with control characters.
fn unfit(call: &Call, source: http::Error) -> Error {
    let title = call.service.title();
    let message = format!("the request to {title} has characters that HTTP does not carry");
    Error::new(ErrorKind::InvalidInput, message)
        .at(call.service.name(), call.operation)
        .with_source(source)
}

fn seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000) as u64
}

/// Why there is no answer.
#[derive(Debug)]
enum Missing {
    /// The call waited for its turn until its time was up.
    Queued(Duration),
    /// The request took too long.
    Slow(Duration),
    /// The transport failed.
    Broken(TransportError),
}

impl Missing {
    fn failure(&self) -> Failure {
        match self {
            Self::Slow(_) => Failure::TimedOut,
            Self::Broken(error) if error.sent => Failure::Lost,
            Self::Broken(_) | Self::Queued(_) => Failure::NotSent,
        }
    }

    fn error(self, call: &Call) -> Error {
        let title = call.service.title();
        let unsent = matches!(self.failure(), Failure::NotSent);
        let retry = if unsent || call.repeatable {
            Retry::Later
        } else {
            Retry::Unknown
        };
        let error = match self {
            Self::Queued(limit) => Error::new(
                ErrorKind::Timeout,
                format!(
                    "too many requests are under way: {title} was not asked within {} s",
                    seconds(limit)
                ),
            ),
            Self::Slow(limit) => Error::new(
                ErrorKind::Timeout,
                format!("{title} did not answer within {} s", seconds(limit)),
            ),
            Self::Broken(source) => {
                let what = if source.sent {
                    "broke off the connection"
                } else {
                    "cannot be reached"
                };
                Error::new(ErrorKind::Unavailable, format!("{title} {what}")).with_source(source)
            }
        };
        error.at(call.service.name(), call.operation).with_retry(retry)
    }
}
