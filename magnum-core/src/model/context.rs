//! Who calls.

use jiff::Timestamp;

use crate::Secret;

/// The caller's Keystone token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToken {
    /// The token itself.
    pub token: Secret,
    /// The project that it is scoped to.
    pub project_id: String,
    /// The user that it stands for.
    pub user_id: String,
    /// When Keystone will refuse it.
    pub expires_at: Timestamp,
}

/// Who calls, on behalf of which project, with which roles.
///
/// A host makes one from what its authentication middleware found; [`crate::Magnum`] believes it.
///
/// ```
/// use magnum_core::RequestContext;
/// let cx = RequestContext::new("alice-id", "project-id").with_roles(["member"]);
/// assert!(!cx.is_admin());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestContext {
    /// The user's id.
    pub user_id: String,
    /// The project's id.
    pub project_id: String,
    /// The roles in force.
    pub roles: Vec<String>,
    /// The user's domain.
    pub user_domain_id: Option<String>,
    /// The trust that the caller's token is scoped to, if it is: the caller then acts for somebody else.
    pub trust_id: Option<String>,
    /// The caller's token; without one only hosts whose own credentials own the stacks can create.
    pub token: Option<UserToken>,
    /// The request's id, for logs.
    pub request_id: Option<String>,
}

impl RequestContext {
    /// A caller without roles and token.
    pub fn new(user_id: impl Into<String>, project_id: impl Into<String>) -> Self {
        Self {
            user_id: user_id.into(),
            project_id: project_id.into(),
            roles: Vec::new(),
            user_domain_id: None,
            trust_id: None,
            token: None,
            request_id: None,
        }
    }

    /// The caller that a token stands for.
    #[must_use]
    pub fn from_token(token: UserToken) -> Self {
        let mut cx = Self::new(token.user_id.clone(), token.project_id.clone());
        cx.token = Some(token);
        cx
    }

    /// Sets the roles.
    #[must_use]
    pub fn with_roles<S: Into<String>>(mut self, roles: impl IntoIterator<Item = S>) -> Self {
        self.roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the user's domain, by its id.
    #[must_use]
    pub fn with_user_domain(mut self, id: impl Into<String>) -> Self {
        self.user_domain_id = Some(id.into());
        self
    }

    /// Says that the caller acts under a trust.
    #[must_use]
    pub fn with_trust(mut self, id: impl Into<String>) -> Self {
        self.trust_id = Some(id.into());
        self
    }

    /// Sets the request id.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Whether the caller has the role `admin`.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == "admin")
    }
}
