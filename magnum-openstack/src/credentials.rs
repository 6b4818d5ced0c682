//! Who logs in, how, and for what.

use magnum_core::Secret;

/// Who logs in, how, and for what.
///
/// ```
/// use magnum_openstack::{Credentials, DomainRef, Named};
/// let credentials = Credentials::password(Named::new("demo", DomainRef::name("Default")), "secret")
///     .in_project(Named::new("demo", DomainRef::name("Default")));
/// assert!(!format!("{credentials:?}").contains("secret\""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Credentials {
    pub(crate) method: AuthMethod,
    pub(crate) scope: Scope,
}

impl Credentials {
    /// A user by password; say with `in_project` or `in_domain` for what.
    pub fn password(user: Named, password: impl Into<String>) -> Self {
        Self::new(AuthMethod::Password {
            user,
            password: Secret::new(password),
        })
    }

    /// Whoever holds this token.
    pub fn token(token: impl Into<String>) -> Self {
        Self::new(AuthMethod::Token(Secret::new(token)))
    }

    /// An application credential by id. Its project is part of it.
    pub fn application_credential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(AuthMethod::ApplicationCredential {
            id: id.into(),
            user: None,
            secret: Secret::new(secret),
        })
    }

    /// An application credential by its name and the user that it belongs to.
    pub fn application_credential_of(
        user: Named,
        name: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        Self::new(AuthMethod::ApplicationCredential {
            id: name.into(),
            user: Some(user),
            secret: Secret::new(secret),
        })
    }

    /// Credentials by method, not scoped to anything.
    #[must_use]
    pub fn new(method: AuthMethod) -> Self {
        Self {
            method,
            scope: Scope::Unscoped,
        }
    }

    /// Scopes them to a project.
    #[must_use]
    pub fn in_project(mut self, project: Named) -> Self {
        self.scope = Scope::Project(project);
        self
    }

    /// Scopes them to a domain.
    #[must_use]
    pub fn in_domain(mut self, domain: DomainRef) -> Self {
        self.scope = Scope::Domain(domain);
        self
    }

    /// Sets the scope.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// How they prove who logs in.
    #[must_use]
    pub fn method(&self) -> &AuthMethod {
        &self.method
    }

    /// For what they log in.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// How somebody proves who they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMethod {
    /// By a password.
    Password {
        /// The user.
        user: Named,
        /// The password.
        password: Secret,
    },
    /// By a token, which is exchanged for one of the wanted scope.
    Token(Secret),
    /// By an application credential.
    ApplicationCredential {
        /// Its id; its name when `user` is given.
        id: String,
        /// The user that it belongs to.
        user: Option<Named>,
        /// Its secret.
        secret: Secret,
    },
}

/// For what somebody logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Nothing, or the user's default project where there is one.
    #[default]
    Unscoped,
    /// A project.
    Project(Named),
    /// A domain.
    Domain(DomainRef),
    /// The whole system.
    System,
}

/// A user or project.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    /// By id.
    Id(String),
    /// By name within a domain.
    Name {
        /// The name.
        name: String,
        /// The domain.
        domain: DomainRef,
    },
}

impl Named {
    /// By id.
    pub fn id(id: impl Into<String>) -> Self {
        Self::Id(id.into())
    }

    /// By name within a domain.
    pub fn new(name: impl Into<String>, domain: DomainRef) -> Self {
        Self::Name {
            name: name.into(),
            domain,
        }
    }
}

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DomainRef {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
}

impl DomainRef {
    /// By id.
    pub fn id(id: impl Into<String>) -> Self {
        Self::Id(id.into())
    }

    /// By name.
    pub fn name(name: impl Into<String>) -> Self {
        Self::Name(name.into())
    }
}

/// Who the host is at the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceIdentity {
    /// The service user, in its own project.
    pub service: Credentials,
    /// The administrator of the domain in which trustees are made, scoped to that domain.
    pub trustee_domain_admin: Option<Credentials>,
    /// The cloud's administrator, for clusters whose trust or owner is gone.
    pub admin: Option<Credentials>,
}

impl ServiceIdentity {
    /// A host that has a service user and nothing more.
    #[must_use]
    pub fn new(service: Credentials) -> Self {
        Self {
            service,
            trustee_domain_admin: None,
            admin: None,
        }
    }
}
