//! What differs between databases.

#[cfg(feature = "sqlite")]
pub(super) mod sqlite;

use sqlx::AnyPool;
use sqlx::error::DatabaseError;

use crate::{Error, ErrorKind, Result};

/// Connections to one database.
#[derive(Clone)]
pub(super) struct Pools {
    /// For single statements that change nothing.
    pub(super) readers: AnyPool,
    /// For transactions. Where the database allows one writer, this is one connection, whose queue is
    /// fair, unlike waiting in the database.
    pub(super) writers: AnyPool,
}

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
}

impl Dialect {
    /// The database that a URL names.
    pub(super) fn of(url: &str) -> Result<Self> {
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        match scheme {
            "sqlite" if cfg!(feature = "sqlite") => Ok(Self::Sqlite),
            // The rest of a URL may hold a password.
            _ => Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "this build has no driver for databases of scheme '{}'",
                    crate::shown(scheme)
                ),
            )
            .at("store", "connect")),
        }
    }

    /// Opens connections, each set up.
    pub(super) async fn connect(self, url: &str) -> Result<Pools> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => sqlite::connect(url).await,
            #[cfg(not(feature = "sqlite"))]
            Self::Sqlite => Err(Error::internal(format!("no driver for {}", crate::shown(url)))),
        }
    }

    /// Begins a transaction in which nobody else writes what it reads.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// The time now in milliseconds, as an integer.
    pub(super) fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(ROUND(unixepoch('now', 'subsec') * 1000) AS INTEGER)",
        }
    }

    /// Appends the placeholder of the value at this place, counted from 1.
    pub(super) fn placeholder(self, sql: &mut String, _place: usize) {
        match self {
            Self::Sqlite => sql.push('?'),
        }
    }

    /// The sum of an integer column, as an integer; 0 of none.
    pub(super) fn sum(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("COALESCE(SUM({column}), 0)"),
        }
    }

    /// Type of a text column that is looked up, compared and ordered byte for byte.
    pub(super) fn key_type(self) -> &'static str {
        match self {
            Self::Sqlite => "TEXT",
        }
    }

    /// What a claim adds to its selection, so that claimers need not wait for each other.
    pub(super) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
        }
    }

    /// Whether the whole transaction was undone because of others and may succeed when tried again.
    pub(super) fn is_contention(self, error: &dyn DatabaseError) -> bool {
        let code = error.code();
        match self {
            // SQLITE_BUSY and SQLITE_LOCKED, in their plain and extended forms.
            Self::Sqlite => matches!(code.as_deref(), Some("5" | "6" | "261" | "262" | "517" | "773")),
        }
    }

    /// Whether the tables are not there.
    pub(super) fn is_missing_table(self, error: &dyn DatabaseError) -> bool {
        match self {
            Self::Sqlite => error.message().starts_with("no such table"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_without_a_driver_is_refused_without_showing_the_url() {
        for url in [
            "oracle://scott:tiger@db/x",
            "postgres://u:tiger@db/x",
            "tiger",
            "",
        ] {
            let error = Dialect::of(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!format!("{error:?}").contains("tiger"), "{error:?}");
        }
    }
}
