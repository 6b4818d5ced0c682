//! Who calls: what a service learns from a valid token.

use jiff::Timestamp;

use super::role::Role;

/// The identity behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token itself.
    pub token: String,
    /// The user: with a trust that impersonates, the trustor.
    pub user_id: String,
    /// That user's domain.
    pub user_domain_id: String,
    /// The project the token is scoped to.
    pub project_id: Option<String>,
    /// The domain the token is scoped to.
    pub domain_id: Option<String>,
    /// Effective roles, in the order of their names.
    pub roles: Vec<Role>,
    /// The trust the token is scoped to.
    pub trust_id: Option<String>,
    /// The application credential the token came from.
    pub application_credential_id: Option<String>,
    /// How the token was got: `password`, `token`, `application_credential`.
    pub methods: Vec<String>,
    /// When the token expires.
    pub expires_at: Timestamp,
}

impl Caller {
    /// Whether it has a role of this name.
    #[must_use]
    pub fn has_role(&self, name: &str) -> bool {
        self.roles.iter().any(|role| role.name == name)
    }

    /// Whether it is an administrator of the whole cloud.
    ///
    /// An administrator whose token is scoped to a domain is one of that domain only. Keystone's default
    /// policy of Zed lets it reach further; clouds that care do not, and an engine must not need it.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.has_role("admin") && self.domain_id.is_none()
    }

    /// Whether it may manage users of a domain.
    #[must_use]
    pub fn administers(&self, domain_id: &str) -> bool {
        self.is_admin() || self.has_role("admin") && self.domain_id.as_deref() == Some(domain_id)
    }

    /// The project, or an empty string for a token without one.
    #[must_use]
    pub fn project(&self) -> &str {
        self.project_id.as_deref().unwrap_or_default()
    }
}
