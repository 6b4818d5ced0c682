//! Identifiers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// A cluster.
    ClusterId
}
uuid_id! {
    /// A cluster template.
    TemplateId
}
uuid_id! {
    /// An operation on a cluster.
    OperationId
}
uuid_id! {
    /// A row of the ownership ledger.
    LedgerId
}
uuid_id! {
    /// An event of the outbox.
    EventId
}

/// A name or a UUID, as users address things. A UUID is looked up first as one, then as a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident(String);

impl Ident {
    /// The text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a UUID, if it is one (hyphens optional).
    #[must_use]
    pub fn as_uuid(&self) -> Option<Uuid> {
        Uuid::parse_str(&self.0).ok()
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Ident {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Ident {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<ClusterId> for Ident {
    fn from(id: ClusterId) -> Self {
        Self(id.to_string())
    }
}

impl From<TemplateId> for Ident {
    fn from(id: TemplateId) -> Self {
        Self(id.to_string())
    }
}

/// How often a row was written; a writer must name the revision it read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub i64);

impl Revision {
    /// The revision that the next write makes.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
