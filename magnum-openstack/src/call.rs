//! One call to a service, built without I/O, and its answer.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use magnum_core::{Error, ErrorKind, Result, Retry, Secret, shown};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::Service;

/// What needs no escape in a path segment or a query (RFC 3986, unreserved).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The header by which services name a request.
const REQUEST_IDS: [&str; 2] = ["x-openstack-request-id", "x-compute-request-id"];

/// One call to a service.
///
/// Building one does no I/O. Its path is a template, so that logs can name it without naming things.
///
/// ```
/// use magnum_openstack::{Call, Service};
/// let call = Call::get(Service::ORCHESTRATION, "stack.get", "/stacks/{name}/{id}")
///     .segment("my stack")
///     .segment("42");
/// assert_eq!(call.path(), "/stacks/my%20stack/42");
/// ```
#[derive(Clone)]
pub struct Call {
    pub(crate) service: Service,
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) repeatable: bool,
    pub(crate) secrets: Vec<Secret>,
}

impl Call {
    /// A call of a method. `operation` names it in errors, `template` is the path with `{}` or `{name}`
    /// for each segment to fill in.
    #[must_use]
    pub fn new(service: Service, operation: &'static str, method: Method, template: &'static str) -> Self {
        let repeatable = matches!(
            method,
            Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS
        );
        Self {
            service,
            operation,
            method,
            template,
            segments: Vec::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            repeatable,
            secrets: Vec::new(),
        }
    }

    /// Reads.
    #[must_use]
    pub fn get(service: Service, operation: &'static str, template: &'static str) -> Self {
        Self::new(service, operation, Method::GET, template)
    }

    /// Makes something.
    #[must_use]
    pub fn post(service: Service, operation: &'static str, template: &'static str) -> Self {
        Self::new(service, operation, Method::POST, template)
    }

    /// Replaces something.
    #[must_use]
    pub fn put(service: Service, operation: &'static str, template: &'static str) -> Self {
        Self::new(service, operation, Method::PUT, template)
    }

    /// Changes something in part.
    #[must_use]
    pub fn patch(service: Service, operation: &'static str, template: &'static str) -> Self {
        Self::new(service, operation, Method::PATCH, template)
    }

    /// Removes something.
    #[must_use]
    pub fn delete(service: Service, operation: &'static str, template: &'static str) -> Self {
        Self::new(service, operation, Method::DELETE, template)
    }

    /// Fills in the next segment of the path.
    #[must_use]
    pub fn segment(mut self, value: impl Into<String>) -> Self {
        self.segments.push(value.into());
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Sets a body of a type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers
            .insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body.into();
        self
    }

    /// Says that repeating the call does no harm whatever its method is.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Names a string of the body that no error message may repeat.
    #[must_use]
    pub fn secret(mut self, value: impl Into<String>) -> Self {
        self.secrets.push(Secret::new(value));
        self
    }

    /// The path with its segments filled in and escaped.
    #[must_use]
    pub fn path(&self) -> String {
        let mut values = self.segments.iter();
        self.template
            .split('/')
            .map(|part| {
                if !part.starts_with('{') {
                    return part.to_owned();
                }
                let value = values.next().map(String::as_str).unwrap_or_default();
                utf8_percent_encode(value, RESERVED).to_string()
            })
            .collect::<Vec<_>>()
            .join("/")
    }

    /// The URL at an endpoint.
    pub(crate) fn url(&self, endpoint: &Url) -> Result<Url> {
        // Dots, escaped or not, would be resolved away and nothing would be left out: another thing asked for.
        let unfit = |value: &&String| matches!(value.as_str(), "" | "." | "..");
        if let Some(value) = self.segments.iter().find(unfit) {
            let message = format!("'{}' cannot be the name of anything", shown(value));
            return Err(Error::new(ErrorKind::InvalidInput, message).at(self.service.name(), self.operation));
        }
        let mut url = endpoint.clone();
        let base = endpoint.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{}", self.path()));
        url.set_fragment(None);
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(key, value)| {
                format!(
                    "{}={}",
                    utf8_percent_encode(key, RESERVED),
                    utf8_percent_encode(value, RESERVED)
                )
            })
            .collect();
        url.set_query((!query.is_empty()).then(|| query.join("&")).as_deref());
        Ok(url)
    }
}

/// Names the call; its segments, query and body are left out.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Call({} {}: {} {})",
            self.service.name(),
            self.operation,
            self.method,
            self.template
        )
    }
}

/// What a service answered.
#[derive(Clone)]
pub struct Answer {
    pub(crate) service: Service,
    pub(crate) operation: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The service's id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<String> {
        REQUEST_IDS.iter().find_map(|name| self.header(name)).map(shown)
    }

    /// The body as JSON. Fields that `T` does not have are ignored.
    ///
    /// # Errors
    /// `Unavailable` when the body is not what the service is known to answer with.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &serde_json::Error) -> Error {
        // serde_json quotes values in its messages; only the place is repeated.
        let message = format!(
            "{} answered {} in a form that is not understood (line {}, column {})",
            self.service.title(),
            self.operation,
            error.line(),
            error.column()
        );
        Error::new(ErrorKind::Unavailable, message)
            .at(self.service.name(), self.operation)
            .with_request_id(self.request_id())
            .with_retry(Retry::Unknown)
    }
}

/// Shows the status and the request id; headers and body may hold secrets.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}
