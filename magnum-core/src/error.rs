//! The one error type: what a caller can do about it, and for whom it is written.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::model::FailureCode;
use crate::problem::{Problem, shown};

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong; its [`Error::problems`] name field, value and what is allowed.
    InvalidInput,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// It exists already, is ambiguous, is in use, or another body came under the same key.
    Conflict,
    /// Another operation is in progress on this cluster.
    Busy,
    /// The caller may not do this.
    Forbidden,
    /// The credentials were refused or have expired.
    Unauthorized,
    /// A quota is exhausted.
    Quota,
    /// The cloud has no room, though the quota has.
    Capacity,
    /// This driver, cloud or build cannot do it.
    Unsupported,
    /// Too many requests; try later.
    RateLimited,
    /// A service did not answer, or answered that it cannot now.
    Unavailable,
    /// The time was up.
    Timeout,
    /// The host or the cloud is set up wrongly.
    Configuration,
    /// Somebody else owns this cluster or changed it first; read again.
    Stale,
    /// A fault of this library.
    Internal,
}

impl ErrorKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        [
            Self::InvalidInput,
            Self::NotFound,
            Self::Conflict,
            Self::Busy,
            Self::Forbidden,
            Self::Unauthorized,
            Self::Quota,
            Self::Capacity,
            Self::Unsupported,
            Self::RateLimited,
            Self::Unavailable,
            Self::Timeout,
            Self::Configuration,
            Self::Stale,
            Self::Internal,
        ]
        .into_iter()
    }

    /// The HTTP status that an API in front of the library answers with.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidInput | Self::Unsupported => 400,
            Self::Unauthorized => 401,
            Self::Forbidden | Self::Quota => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::Busy | Self::Stale => 409,
            Self::RateLimited => 429,
            Self::Configuration | Self::Internal => 500,
            Self::Unavailable | Self::Capacity => 503,
            Self::Timeout => 504,
        }
    }

    /// The kind as a word, stable, for metrics and wire formats.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid-input",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Busy => "busy",
            Self::Forbidden => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::Quota => "quota",
            Self::Capacity => "capacity",
            Self::Unsupported => "unsupported",
            Self::RateLimited => "rate-limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Configuration => "configuration",
            Self::Stale => "stale",
            Self::Internal => "internal",
        }
    }

    /// How an operation that ended with this error is filed.
    #[must_use]
    pub fn failure_code(self) -> FailureCode {
        match self {
            Self::Quota => FailureCode::Quota,
            Self::Unauthorized | Self::Forbidden => FailureCode::Authorization,
            Self::Unavailable | Self::NotFound => FailureCode::Dependency,
            Self::RateLimited => FailureCode::Rate,
            Self::Capacity => FailureCode::Capacity,
            Self::InvalidInput | Self::Conflict | Self::Configuration | Self::Unsupported => {
                FailureCode::Configuration
            }
            Self::Timeout => FailureCode::Timeout,
            Self::Busy | Self::Stale | Self::Internal => FailureCode::Internal,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It will fail again.
    Never,
    /// It may work later, and nothing happened, or repeating it does no harm.
    Later,
    /// It may have had its effect: look before repeating.
    Unknown,
}

/// An error of the library or of one of its ports.
///
/// `Display` is one line without secrets, fit for a tenant. `Debug` adds where it comes from.
#[derive(Clone)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    retry: Retry,
    origin: Cow<'static, str>,
    operation: Cow<'static, str>,
    message: String,
    request_id: Option<String>,
    resource: Option<String>,
    problems: Vec<Problem>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` that says `message`. Its [`Retry`] follows from the kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            ErrorKind::RateLimited | ErrorKind::Busy | ErrorKind::Stale => Retry::Later,
            ErrorKind::Unavailable | ErrorKind::Timeout => Retry::Unknown,
            _ => Retry::Never,
        };
        Self {
            inner: Box::new(Inner {
                kind,
                retry,
                origin: Cow::Borrowed("magnum"),
                operation: Cow::Borrowed(""),
                message: message.into(),
                request_id: None,
                resource: None,
                problems: Vec::new(),
                source: None,
            }),
        }
    }

    /// A request with one or more unacceptable fields.
    #[must_use]
    pub fn invalid(problems: Vec<Problem>) -> Self {
        Self::with_problems(ErrorKind::InvalidInput, problems)
    }

    /// A request that takes more of one or more quotas than is left; each problem's field names the quota.
    #[must_use]
    pub fn quota(problems: Vec<Problem>) -> Self {
        Self::with_problems(ErrorKind::Quota, problems)
    }

    fn with_problems(kind: ErrorKind, problems: Vec<Problem>) -> Self {
        let message = problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ");
        let mut error = Self::new(kind, message);
        error.inner.problems = problems;
        error
    }

    /// A request with one unacceptable field.
    pub fn field(field: impl Into<String>, value: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::invalid(vec![Problem::new(field, value, message)])
    }

    /// There is no `what` with this name.
    pub fn not_found(what: &str, name: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!("{what} '{}' not found", shown(&name.to_string())),
        )
    }

    /// A fault of this library.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Says where it comes from: a service or part (`heat`), and what was tried (`stack.create`).
    #[must_use]
    pub fn at(
        mut self,
        origin: impl Into<Cow<'static, str>>,
        operation: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.inner.origin = origin.into();
        self.inner.operation = operation.into();
        self
    }

    /// Overrides whether to retry.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.inner.retry = retry;
        self
    }

    /// Adds the request id that the service answered with.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<String>) -> Self {
        self.inner.request_id = id;
        self
    }

    /// Names the outside resource that failed.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.inner.resource = Some(resource.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Arc::new(source));
        self
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.inner.retry
    }

    /// The part it comes from.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.inner.origin
    }

    /// What was tried.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.inner.operation
    }

    /// The service's request id.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }

    /// The outside resource that failed.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.inner.resource.as_deref()
    }

    /// The unacceptable fields of an [`ErrorKind::InvalidInput`], the quotas of an [`ErrorKind::Quota`].
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.inner.problems
    }

    /// The HTTP status that an API in front of the library answers with.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.inner.kind.http_status()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.inner.kind)
            .field("retry", &self.inner.retry)
            .field("origin", &self.inner.origin)
            .field("operation", &self.inner.operation)
            .field("message", &self.inner.message);
        if let Some(id) = &self.inner.request_id {
            out.field("request_id", id);
        }
        if let Some(resource) = &self.inner.resource {
            out.field("resource", resource);
        }
        if let Some(source) = &self.inner.source {
            out.field("source", &format_args!("{source}"));
        }
        out.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}
