//! The services of a cloud and how their endpoints are found.

use std::fmt;
use std::str::FromStr;

use magnum_core::{Error, ErrorKind, shown};

/// A kind of service.
///
/// A host's own driver may name one that is not listed here: see [`Service::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    name: &'static str,
    title: &'static str,
    types: &'static [&'static str],
    version: Option<&'static str>,
}

impl Service {
    /// Keystone. It is called at the authentication URL, not at the catalog's endpoint.
    pub const IDENTITY: Self = Self::new("keystone", "Keystone", &["identity"], Some("v3"));
    /// Heat.
    pub const ORCHESTRATION: Self = Self::new("heat", "Heat", &["orchestration"], None);
    /// Glance.
    pub const IMAGE: Self = Self::new("glance", "Glance", &["image"], Some("v2"));
    /// Nova.
    pub const COMPUTE: Self = Self::new("nova", "Nova", &["compute"], Some("v2.1"));
    /// Neutron.
    pub const NETWORK: Self = Self::new("neutron", "Neutron", &["network"], Some("v2.0"));
    /// Barbican.
    pub const KEY_MANAGER: Self = Self::new("barbican", "Barbican", &["key-manager"], Some("v1"));
    /// Cinder.
    pub const BLOCK_STORAGE: Self = Self::new(
        "cinder",
        "Cinder",
        &["block-storage", "volumev3", "block-store", "volume"],
        Some("v3"),
    );
    /// Octavia.
    pub const LOAD_BALANCER: Self = Self::new("octavia", "Octavia", &["load-balancer"], Some("v2.0"));

    /// A service by its name in logs, its name in messages, the types under which the catalog may list it
    /// (the first match wins), and the version that its paths begin with unless the endpoint names one.
    #[must_use]
    pub const fn new(
        name: &'static str,
        title: &'static str,
        types: &'static [&'static str],
        version: Option<&'static str>,
    ) -> Self {
        Self {
            name,
            title,
            types,
            version,
        }
    }

    /// The name in logs and errors, for example `heat`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name in messages for people, for example `Heat`.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        self.title
    }

    /// The types under which the catalog may list it.
    #[must_use]
    pub const fn types(&self) -> &'static [&'static str] {
        self.types
    }

    /// The version that paths begin with unless the endpoint names one.
    #[must_use]
    pub const fn version(&self) -> Option<&'static str> {
        self.version
    }
}

/// Which of a service's endpoints to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Interface {
    /// The one for everybody.
    #[default]
    Public,
    /// The one within the cloud.
    Internal,
    /// The one for administrators.
    Admin,
}

impl Interface {
    /// The word in the catalog.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Accepts `public` and the older `publicURL`, and so on.
impl FromStr for Interface {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.strip_suffix("URL").unwrap_or(text) {
            "public" => Ok(Self::Public),
            "internal" => Ok(Self::Internal),
            "admin" => Ok(Self::Admin),
            _ => Err(Error::new(
                ErrorKind::Configuration,
                format!("interface '{}' is none of public, internal, admin", shown(text)),
            )),
        }
    }
}
