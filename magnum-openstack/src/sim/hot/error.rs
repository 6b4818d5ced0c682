//! Errors of the language and of the orchestration service, in the words clients know.

use std::fmt;

/// What kind of refusal it is; the name travels in the error body's `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    StackValidationFailed,
    UserParameterMissing,
    UnknownUserParameter,
    InvalidTemplateVersion,
    InvalidTemplateSection,
    InvalidTemplateReference,
    InvalidTemplateAttribute,
    InvalidSchemaError,
    ImmutableParameterModified,
    CircularDependencyException,
    RequestLimitExceeded,
    NotSupported,
    EntityNotFound,
    NotFound,
    ResourceNotFound,
    ResourceNotAvailable,
    ResourcePropertyConflict,
    PropertyUnspecifiedError,
    ResourceActionNotSupported,
    StackExists,
    HttpBadRequest,
    Forbidden,
    Internal,
}

impl ErrorKind {
    /// The `type` of the error body.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StackValidationFailed => "StackValidationFailed",
            Self::UserParameterMissing => "UserParameterMissing",
            Self::UnknownUserParameter => "UnknownUserParameter",
            Self::InvalidTemplateVersion => "InvalidTemplateVersion",
            Self::InvalidTemplateSection => "InvalidTemplateSection",
            Self::InvalidTemplateReference => "InvalidTemplateReference",
            Self::InvalidTemplateAttribute => "InvalidTemplateAttribute",
            Self::InvalidSchemaError => "InvalidSchemaError",
            Self::ImmutableParameterModified => "ImmutableParameterModified",
            Self::CircularDependencyException => "CircularDependencyException",
            Self::RequestLimitExceeded => "RequestLimitExceeded",
            Self::NotSupported => "NotSupported",
            Self::EntityNotFound => "EntityNotFound",
            Self::NotFound => "NotFound",
            Self::ResourceNotFound => "ResourceNotFound",
            Self::ResourceNotAvailable => "ResourceNotAvailable",
            Self::ResourcePropertyConflict => "ResourcePropertyConflict",
            Self::PropertyUnspecifiedError => "PropertyUnspecifiedError",
            Self::ResourceActionNotSupported => "ResourceActionNotSupported",
            Self::StackExists => "StackExists",
            Self::HttpBadRequest => "HTTPBadRequest",
            Self::Forbidden => "Forbidden",
            Self::Internal => "InternalError",
        }
    }

    /// The HTTP status that carries it.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::EntityNotFound | Self::NotFound | Self::ResourceNotFound | Self::ResourceNotAvailable => {
                404
            }
            Self::StackExists => 409,
            Self::Forbidden => 403,
            Self::Internal | Self::InvalidTemplateAttribute | Self::CircularDependencyException => 500,
            _ => 400,
        }
    }
}

/// One refusal: an optional origin, the path into the template and the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeatError {
    pub(crate) kind: ErrorKind,
    /// What was being checked ("Property error"), or empty.
    pub(crate) origin: String,
    /// Where in the template; items that are numbers print as indexes.
    pub(crate) path: Vec<String>,
    /// What is wrong.
    pub(crate) text: String,
}

impl HeatError {
    /// An error of `kind` that says `text`.
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            origin: String::new(),
            path: Vec::new(),
            text: text.into(),
        }
    }

    /// A template or its values are invalid.
    pub(crate) fn validation(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::StackValidationFailed, text)
    }

    /// A template or its values are invalid at `path`.
    pub(crate) fn validation_at<P: Into<String>>(
        path: impl IntoIterator<Item = P>,
        text: impl Into<String>,
    ) -> Self {
        Self::validation(text).at(path)
    }

    /// The schema of a parameter is invalid.
    pub(crate) fn schema(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidSchemaError, text)
    }

    /// The same error with the path replaced.
    pub(crate) fn at<P: Into<String>>(mut self, path: impl IntoIterator<Item = P>) -> Self {
        self.path = path.into_iter().map(Into::into).collect();
        self
    }

    /// The same error with `prefix` before its path.
    pub(crate) fn under<P: Into<String>>(mut self, prefix: impl IntoIterator<Item = P>) -> Self {
        let mut path: Vec<String> = prefix.into_iter().map(Into::into).collect();
        path.append(&mut self.path);
        self.path = path;
        self
    }

    /// The same error with its origin named.
    pub(crate) fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = origin.into();
        self
    }

    /// The same text as an error of validation, for callers that know only that class.
    pub(crate) fn into_validation(self) -> Self {
        Self {
            kind: ErrorKind::StackValidationFailed,
            ..self
        }
    }
}

impl fmt::Display for HeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.origin.is_empty() {
            write!(f, "{}: ", self.origin)?;
        }
        let mut path = String::new();
        for item in &self.path {
            if !item.is_empty() && item.bytes().all(|b| b.is_ascii_digit()) {
                path.push_str(&format!("[{item}]"));
            } else if path.is_empty() {
                path.push_str(item);
            } else {
                path.push('.');
                path.push_str(item);
            }
        }
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.text)
    }
}

impl std::error::Error for HeatError {}
