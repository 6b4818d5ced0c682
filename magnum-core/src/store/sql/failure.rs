//! What goes wrong in a database, as the library's errors.

use sqlx::error::ErrorKind as SqlErrorKind;

use super::dialect::Dialect;
use crate::{Error, ErrorKind, Retry};

/// Why a transaction did not happen.
#[derive(Debug)]
pub(super) enum Failure {
    /// The store's rules forbid it.
    Refused(Error),
    /// The database did not do it.
    Database(sqlx::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Failure {
    pub(super) fn into_error(self, dialect: Dialect) -> Error {
        match self {
            Self::Refused(error) => error,
            Self::Database(error) => unavailable(dialect, error),
        }
    }
}

/// Whether the same may succeed when tried again at once.
pub(super) fn is_contention(dialect: Dialect, error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| dialect.is_contention(error))
}

/// `refusal` where a key was taken, and what it was otherwise.
pub(super) fn taken(error: sqlx::Error, refusal: impl FnOnce() -> Error) -> Failure {
    let is_taken = error
        .as_database_error()
        .is_some_and(|error| error.kind() == SqlErrorKind::UniqueViolation);
    if is_taken {
        Failure::Refused(refusal())
    } else {
        Failure::Database(error)
    }
}

/// The error of a database that failed before anything was committed. What it said is the source: it is
/// for the operator, not for tenants.
pub(super) fn unavailable(dialect: Dialect, error: sqlx::Error) -> Error {
    use sqlx::Error as Sql;
    let (kind, message) = match &error {
        Sql::Database(database) if dialect.is_missing_table(database.as_ref()) => (
            ErrorKind::Configuration,
            "the database has no tables yet: call SqlStore::migrate",
        ),
        Sql::Database(database) if dialect.is_contention(database.as_ref()) => (
            ErrorKind::Unavailable,
            "others kept the database busy for too long",
        ),
        Sql::Database(database) if database.kind() != SqlErrorKind::Other => {
            (ErrorKind::Internal, "the database refused a row")
        }
        Sql::Database(_) => (ErrorKind::Unavailable, "the database failed"),
        Sql::PoolTimedOut => (
            ErrorKind::Unavailable,
            "no connection to the database became free",
        ),
        Sql::Configuration(_) => (ErrorKind::Configuration, "the database is not set up"),
        Sql::ColumnDecode { .. } | Sql::Decode(_) | Sql::ColumnNotFound(_) | Sql::TypeNotFound { .. } => {
            (ErrorKind::Internal, "a row of the database cannot be read")
        }
        _ => (ErrorKind::Unavailable, "the database did not answer"),
    };
    let error = Error::new(kind, message).with_source(error).at("store", "sql");
    if kind == ErrorKind::Unavailable {
        error.with_retry(Retry::Later)
    } else {
        error
    }
}

/// The error of a commit whose answer was lost: it may have happened.
pub(super) fn unknown(error: sqlx::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the database did not say whether it committed the change",
    )
    .with_retry(Retry::Unknown)
    .with_source(error)
    .at("store", "commit")
}

/// A row holds what this version cannot read.
pub(super) fn unreadable(what: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal(format!("a {what} of the database cannot be read"))
        .with_source(error)
        .at("store", "read")
}
