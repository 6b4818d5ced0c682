//! A token and what Keystone says about it.

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use magnum_core::{Error, ErrorKind, Result, Secret, UserToken};
use serde::Deserialize;

use super::service_catalog::ServiceCatalog;
use crate::{Answer, Service};

/// A token and what it stands for.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) value: Secret,
    pub(crate) user_id: String,
    pub(crate) user_domain_id: Option<String>,
    pub(crate) project_id: Option<String>,
    /// The domain that it is scoped to.
    pub(crate) domain_id: Option<String>,
    /// The effective roles, implied ones included.
    pub(crate) roles: Vec<Role>,
    pub(crate) methods: Vec<String>,
    pub(crate) application_credential: bool,
    pub(crate) trust_id: Option<String>,
    pub(crate) expires_at: Timestamp,
    /// From when on a new one is wanted.
    pub(crate) renew_at: Timestamp,
    pub(crate) catalog: ServiceCatalog,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Token {
    /// Reads the answer to a login, or, with `known`, to a question about a token.
    pub(crate) fn read(answer: &Answer, known: Option<&Secret>, now: Timestamp) -> Result<Self> {
        let body: Body = answer.json()?;
        let value = match known {
            Some(value) => value.clone(),
            None => subject(&answer.headers).ok_or_else(|| {
                Error::new(
                    ErrorKind::Unavailable,
                    "Keystone answered a login without a token",
                )
                .at(Service::IDENTITY.name(), answer.operation)
                .with_request_id(answer.request_id())
            })?,
        };
        let body = body.token;
        let renew_at = match known {
            Some(_) => body.expires_at,
            // By the length of its life and our clock, so that a clock that differs does not matter.
            None => renewal(now, body.issued_at.unwrap_or(now), body.expires_at),
        };
        Ok(Self {
            value,
            user_id: body.user.id,
            user_domain_id: body.user.domain.map(|domain| domain.id),
            project_id: body.project.map(|project| project.id),
            domain_id: body.domain.map(|domain| domain.id),
            roles: body.roles,
            application_credential: body.application_credential.is_some()
                || body
                    .methods
                    .iter()
                    .any(|method| method == "application_credential"),
            methods: body.methods,
            trust_id: body.trust.map(|trust| trust.id),
            expires_at: body.expires_at,
            renew_at,
            catalog: body.catalog,
        })
    }

    /// The token as the engine passes it on.
    pub(crate) fn user_token(&self) -> Result<UserToken> {
        let Some(project_id) = self.project_id.clone() else {
            let message = "the login is not for a project: name one";
            return Err(Error::new(ErrorKind::Configuration, message).at(Service::IDENTITY.name(), "login"));
        };
        Ok(UserToken {
            token: self.value.clone(),
            project_id,
            user_id: self.user_id.clone(),
            expires_at: self.expires_at,
        })
    }

    /// Why Keystone will not let this token give a trust, if that is known.
    pub(crate) fn why_no_trust(&self) -> Option<&'static str> {
        if self.application_credential {
            return Some(
                "this login is by an application credential, and Keystone does not let those give trusts: \
                 log in with a password or through the identity provider",
            );
        }
        if self.trust_id.is_some() || self.methods.iter().any(|method| method == "oauth1") {
            return Some(
                "this login is itself delegated, and Keystone does not let those give trusts: \
                 log in with a password or through the identity provider",
            );
        }
        if self.project_id.is_none() {
            return Some("this login is not for a project, and trusts are given in one");
        }
        if self.roles.is_empty() {
            return Some("this login has no role in the project, so there is nothing to delegate");
        }
        None
    }
}

/// The token is a header of the answer to a login.
fn subject(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get("x-subject-token")?.to_str().ok()?;
    Some(Secret::new(value))
}

/// When a tenth of the life is left.
fn renewal(now: Timestamp, issued: Timestamp, expires: Timestamp) -> Timestamp {
    let life = expires.duration_since(issued).max(SignedDuration::ZERO);
    now.checked_add(life / 10 * 9).unwrap_or(expires)
}

#[derive(Deserialize)]
struct Body {
    token: TokenBody,
}

// keystone/common/render_token.py, release 22 (Zed)
#[derive(Deserialize)]
struct TokenBody {
    user: User,
    expires_at: Timestamp,
    issued_at: Option<Timestamp>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    roles: Vec<Role>,
    project: Option<Id>,
    domain: Option<Id>,
    #[serde(rename = "OS-TRUST:trust")]
    trust: Option<Id>,
    application_credential: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    catalog: ServiceCatalog,
}

#[derive(Deserialize)]
struct User {
    id: String,
    domain: Option<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_life_is_kept() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        // Keystone's clock is an hour ahead of ours.
        let renew = renewal(
            at("2026-01-01T00:00:00Z"),
            at("2026-01-01T01:00:00Z"),
            at("2026-01-01T02:00:00Z"),
        );
        assert_eq!(renew, at("2026-01-01T00:54:00Z"));
        let expired = renewal(
            at("2026-01-01T00:00:00Z"),
            at("2026-01-01T02:00:00Z"),
            at("2026-01-01T01:00:00Z"),
        );
        assert_eq!(expired, at("2026-01-01T00:00:00Z"));
    }
}
