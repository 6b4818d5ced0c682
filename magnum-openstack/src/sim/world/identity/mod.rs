//! Keystone: domains, projects, users, roles, tokens, trusts, application credentials.

pub mod application_credential;
pub mod caller;
pub mod catalog;
pub mod directory;
pub mod role;
pub mod token;
pub mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use application_credential::ApplicationCredential;
pub use caller::Caller;
pub use directory::{Domain, Project, User};
pub use role::{Role, Target};
pub use token::{Scope, Token};
pub use trust::{Trust, TrustSpec};

use crate::sim::seed::Seed;

/// The life of a token where the builder says nothing: an hour, Keystone's default.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

/// What Keystone knows. Keys are identifiers.
#[derive(Debug)]
pub struct Identity {
    pub(crate) domains: BTreeMap<String, Domain>,
    pub(crate) projects: BTreeMap<String, Project>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) roles: BTreeMap<String, Role>,
    /// User, target, role.
    pub(crate) assignments: BTreeSet<(String, Target, String)>,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) trusts: BTreeMap<String, Trust>,
    pub(crate) application_credentials: BTreeMap<String, ApplicationCredential>,
    pub(crate) token_lifetime: Duration,
}

impl Identity {
    /// Keystone as its bootstrap leaves it: domain `default`, roles admin, member and reader.
    pub(crate) fn new(seed: &mut Seed) -> Self {
        let mut identity = Self {
            domains: BTreeMap::new(),
            projects: BTreeMap::new(),
            users: BTreeMap::new(),
            roles: BTreeMap::new(),
            assignments: BTreeSet::new(),
            tokens: BTreeMap::new(),
            trusts: BTreeMap::new(),
            application_credentials: BTreeMap::new(),
            token_lifetime: TOKEN_LIFETIME,
        };
        let default = Domain {
            id: "default".to_owned(),
            name: "Default".to_owned(),
            enabled: true,
        };
        identity.domains.insert(default.id.clone(), default);
        for name in ["admin", "member", "reader"] {
            let role = Role {
                id: seed.hex_id(),
                name: name.to_owned(),
            };
            identity.roles.insert(role.id.clone(), role);
        }
        identity
    }

    /// All users.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// All trusts.
    pub fn trusts(&self) -> impl Iterator<Item = &Trust> {
        self.trusts.values()
    }

    /// All projects.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.projects.values()
    }

    /// All domains.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.domains.values()
    }
}
