//! The requests by which identities get tokens.

use http::{HeaderValue, StatusCode};
use magnum_core::{Secret, TrustCredentials};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::token_cache::Key;
use crate::{AuthMethod, Call, Credentials, DomainRef, Named, Scope, Service, ServiceIdentity};

/// Somebody who can have a token.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// Somebody with credentials.
    Credentials(Credentials),
    /// A trustee under its trust.
    Trust(TrustCredentials),
    /// Somebody with a token, which is used as it is. Keystone is asked once what it stands for: only its
    /// own catalog has endpoints that are surely its project's, and its roles are needed for trusts.
    User(Secret),
}

impl Identity {
    /// The name under which the identity's token is kept. Nobody's secret is part of it.
    pub(crate) fn key(&self, own: &ServiceIdentity) -> Key {
        match self {
            Self::Credentials(credentials) if *credentials == own.service => Key::Service,
            Self::Credentials(credentials) if Some(credentials) == own.trustee_domain_admin.as_ref() => {
                Key::TrusteeDomainAdmin
            }
            Self::Credentials(credentials) => Key::Other(digest(&[&login_body(credentials).to_string()])),
            Self::Trust(trust) => Key::Trust(digest(&[
                &trust.trust_id,
                &trust.trustee_user_id,
                trust.password.expose(),
            ])),
            Self::User(token) => Key::user(token),
        }
    }

    /// The token that the request itself needs.
    pub(crate) fn own_token(&self) -> Option<&Secret> {
        match self {
            Self::User(token) => Some(token),
            Self::Credentials(_) | Self::Trust(_) => None,
        }
    }

    /// Whether Keystone says by this status that it does not know the identity. Asked about a token by that
    /// token itself, it says either.
    pub(crate) fn refused_by(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED
            || (status == StatusCode::NOT_FOUND && matches!(self, Self::User(_)))
            // So it says that the trust's owner is disabled or has lost a role.
            || (status == StatusCode::FORBIDDEN && matches!(self, Self::Trust(_)))
    }

    /// What that means, for people.
    pub(crate) fn refusal(&self) -> &'static str {
        match self {
            Self::Credentials(_) => "Keystone refused the login: user, password or project are not right",
            Self::Trust(_) => {
                "Keystone refused the cluster's trust: it, its owner or its user is gone, disabled or without a role"
            }
            Self::User(_) => "Keystone refused the token: it has expired or was revoked",
        }
    }

    /// The request.
    pub(crate) fn call(&self) -> Call {
        match self {
            Self::Credentials(credentials) => login(&login_body(credentials), secret_of(credentials)),
            Self::Trust(trust) => login(&trust_body(trust), &trust.password),
            Self::User(token) => {
                let call = Call::get(Service::IDENTITY, "token.show", "/auth/tokens");
                match HeaderValue::from_str(token.expose()) {
                    Ok(mut value) => {
                        value.set_sensitive(true);
                        call.header(http::HeaderName::from_static("x-subject-token"), value)
                    }
                    // Refused when the same token is put into X-Auth-Token.
                    Err(_) => call,
                }
            }
        }
    }
}

impl Key {
    pub(crate) fn user(token: &Secret) -> Self {
        Self::User(digest(&[token.expose()]))
    }
}

fn login(body: &Value, secret: &Secret) -> Call {
    Call::post(Service::IDENTITY, "login", "/auth/tokens")
        .json(body)
        .secret(secret.expose())
        .repeatable()
}

fn secret_of(credentials: &Credentials) -> &Secret {
    match &credentials.method {
        AuthMethod::Password { password, .. } => password,
        AuthMethod::Token(token) => token,
        AuthMethod::ApplicationCredential { secret, .. } => secret,
    }
}

/// The body of a login by credentials.
fn login_body(credentials: &Credentials) -> Value {
    let identity = match &credentials.method {
        AuthMethod::Password { user, password } => {
            let mut user = named(user);
            user["password"] = json!(password.expose());
            json!({"methods": ["password"], "password": {"user": user}})
        }
        AuthMethod::Token(token) => {
            json!({"methods": ["token"], "token": {"id": token.expose()}})
        }
        AuthMethod::ApplicationCredential { id, user, secret } => {
            let credential = match user {
                None => json!({"id": id, "secret": secret.expose()}),
                Some(user) => json!({"name": id, "user": named(user), "secret": secret.expose()}),
            };
            json!({"methods": ["application_credential"], "application_credential": credential})
        }
    };
    let scope = match &credentials.scope {
        Scope::Unscoped => None,
        Scope::Project(project) => Some(json!({"project": named(project)})),
        Scope::Domain(domain) => Some(json!({"domain": domain_ref(domain)})),
        Scope::System => Some(json!({"system": {"all": true}})),
    };
    match scope {
        None => json!({"auth": {"identity": identity}}),
        Some(scope) => json!({"auth": {"identity": identity, "scope": scope}}),
    }
}

/// The body of a login under a trust.
fn trust_body(trust: &TrustCredentials) -> Value {
    let user = json!({"id": trust.trustee_user_id, "password": trust.password.expose()});
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"OS-TRUST:trust": {"id": trust.trust_id}},
    }})
}

fn named(named: &Named) -> Value {
    match named {
        Named::Id(id) => json!({"id": id}),
        Named::Name { name, domain } => json!({"name": name, "domain": domain_ref(domain)}),
    }
}

fn domain_ref(domain: &DomainRef) -> Value {
    match domain {
        DomainRef::Id(id) => json!({"id": id}),
        DomainRef::Name(name) => json!({"name": name}),
    }
}

/// A digest of several strings, each with its length.
fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default() -> DomainRef {
        DomainRef::name("Default")
    }

    #[test]
    fn bodies_are_as_keystone_wants_them() {
        // keystone/auth/schema.py, release 22 (Zed)
        let user = Named::new("demo", default());
        let table = [
            (
                Credentials::password(user.clone(), "pw").in_project(Named::id("p1")),
                json!({"auth": {
                    "identity": {"methods": ["password"], "password": {"user":
                        {"name": "demo", "domain": {"name": "Default"}, "password": "pw"}}},
                    "scope": {"project": {"id": "p1"}}}}),
            ),
            (
                Credentials::password(Named::id("u1"), "pw").in_domain(DomainRef::id("d1")),
                json!({"auth": {
                    "identity": {"methods": ["password"], "password": {"user": {"id": "u1", "password": "pw"}}},
                    "scope": {"domain": {"id": "d1"}}}}),
            ),
            (
                Credentials::token("t").in_project(Named::new("demo", default())),
                json!({"auth": {
                    "identity": {"methods": ["token"], "token": {"id": "t"}},
                    "scope": {"project": {"name": "demo", "domain": {"name": "Default"}}}}}),
            ),
            (
                Credentials::application_credential("a1", "s"),
                json!({"auth": {"identity": {"methods": ["application_credential"],
                    "application_credential": {"id": "a1", "secret": "s"}}}}),
            ),
            (
                Credentials::application_credential_of(user, "mine", "s"),
                json!({"auth": {"identity": {"methods": ["application_credential"],
                    "application_credential": {"name": "mine", "secret": "s",
                        "user": {"name": "demo", "domain": {"name": "Default"}}}}}}),
            ),
        ];
        for (credentials, body) in table {
            assert_eq!(login_body(&credentials), body);
        }
        let trust = TrustCredentials {
            trustee_user_id: "u9".into(),
            password: Secret::new("pw"),
            trust_id: "t9".into(),
        };
        assert_eq!(
            trust_body(&trust),
            json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": {"id": "u9", "password": "pw"}}},
                "scope": {"OS-TRUST:trust": {"id": "t9"}}}})
        );
    }

    #[test]
    fn parts_of_a_digest_do_not_run_together() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }
}
