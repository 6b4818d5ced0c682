//! Tokens: what they are good for is decided each time they are shown, as with Keystone's fernet tokens.

use jiff::Timestamp;

use super::super::{ApiResult, World};
use super::caller::Caller;
use super::role::{Role, Target};
use crate::sim::api_fault::ApiFault;

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing but getting other tokens.
    Unscoped,
    /// A project, by identifier.
    Project(String),
    /// A domain, by identifier.
    Domain(String),
    /// A trust, by identifier: the project and the roles that it delegates.
    Trust(String),
}

/// A token that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub id: String,
    /// Who logged in; with a trust, the trustee.
    pub user_id: String,
    /// What it is good for.
    pub scope: Scope,
    /// How it was got.
    pub methods: Vec<String>,
    /// The application credential it came from.
    pub application_credential_id: Option<String>,
    /// When it was handed out.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Short name for audits.
    pub audit_id: String,
}

const GENERIC: &str = "The request you have made requires authentication.";

/// 401 with the wording that Keystone uses for every reason.
pub(crate) fn unauthorized() -> ApiFault {
    ApiFault::unauthorized(GENERIC)
}

/// 403 with Keystone's wording for an action.
pub(crate) fn forbidden_action(action: &str) -> ApiFault {
    ApiFault::forbidden(format!(
        "You are not authorized to perform the requested action: {action}."
    ))
}

/// 403 with Keystone's wording without an action.
pub(crate) fn forbidden() -> ApiFault {
    ApiFault::forbidden("You are not authorized to perform the requested action.")
}

impl World {
    /// Hands out a token to a user who has proved to be one.
    ///
    /// # Errors
    /// 401 when the user or the scope is not there or gives no role; 403 for a trust whose trustor is
    /// disabled or lost a delegated role, or who asks is not its trustee.
    pub fn issue_token(
        &mut self,
        user_id: &str,
        scope: Scope,
        methods: &[&str],
        application_credential_id: Option<String>,
        not_after: Option<Timestamp>,
    ) -> ApiResult<Token> {
        let now = self.now();
        let lifetime = self.identity.token_lifetime;
        let expires_at = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
        let mut token = Token {
            id: format!("gAAAAA{}{}", self.new_hex_id(), self.new_hex_id()),
            user_id: user_id.to_owned(),
            scope,
            methods: methods.iter().map(|m| (*m).to_owned()).collect(),
            application_credential_id,
            issued_at: now,
            expires_at: not_after.map_or(expires_at, |limit| limit.min(expires_at)),
            audit_id: self.new_hex_id().split_off(10),
        };
        if let Scope::Trust(trust_id) = &token.scope
            && let Some(limit) = self.identity.trusts.get(trust_id).and_then(|t| t.expires_at)
        {
            token.expires_at = token.expires_at.min(limit);
        }
        self.caller_of(&token)?;
        self.identity.tokens.insert(token.id.clone(), token.clone());
        Ok(token)
    }

    /// Who shows this token. What it may do is worked out now: a trust that is gone, a role that was taken
    /// away, a user that was disabled count at once.
    ///
    /// # Errors
    /// 401, whatever the reason.
    pub fn authenticate(&self, token: &str) -> ApiResult<Caller> {
        let token = self.identity.tokens.get(token).ok_or_else(unauthorized)?;
        if token.expires_at <= self.now() {
            return Err(unauthorized());
        }
        self.caller_of(token).map_err(|_| unauthorized())
    }

    /// Ends a token.
    ///
    /// # Errors
    /// `TokenNotFound` (404).
    pub fn revoke_token(&mut self, token: &str) -> ApiResult<()> {
        self.identity
            .tokens
            .remove(token)
            .map(|_| ())
            .ok_or_else(|| ApiFault::not_found("TokenNotFound", "Failed to validate token".to_owned()))
    }

    /// Makes every token expire that this user logged in for; with a trust the trustee is that user.
    pub fn expire_tokens_of(&mut self, user_id: &str) {
        let now = self.now();
        for token in self.identity.tokens.values_mut().filter(|t| t.user_id == user_id) {
            token.expires_at = token.expires_at.min(now);
        }
    }

    fn caller_of(&self, token: &Token) -> ApiResult<Caller> {
        let user = self.identity.users.get(&token.user_id).ok_or_else(unauthorized)?;
        let domain_enabled = self
            .identity
            .domains
            .get(&user.domain_id)
            .is_some_and(|d| d.enabled);
        if !user.enabled || !domain_enabled {
            return Err(unauthorized());
        }
        let mut caller = Caller {
            token: token.id.clone(),
            user_id: user.id.clone(),
            user_domain_id: user.domain_id.clone(),
            project_id: None,
            domain_id: None,
            roles: Vec::new(),
            trust_id: None,
            application_credential_id: token.application_credential_id.clone(),
            methods: token.methods.clone(),
            expires_at: token.expires_at,
        };
        match &token.scope {
            Scope::Unscoped => {}
            Scope::Project(id) => {
                self.identity
                    .projects
                    .get(id)
                    .filter(|p| p.enabled)
                    .ok_or_else(unauthorized)?;
                caller.roles = self.roles_for(token, &Target::Project(id.clone()))?;
                caller.project_id = Some(id.clone());
            }
            Scope::Domain(id) => {
                self.identity
                    .domains
                    .get(id)
                    .filter(|d| d.enabled)
                    .ok_or_else(unauthorized)?;
                caller.roles = self.roles_for(token, &Target::Domain(id.clone()))?;
                caller.domain_id = Some(id.clone());
            }
            Scope::Trust(id) => self.add_trust(&mut caller, id)?,
        }
        Ok(caller)
    }

    fn roles_for(&self, token: &Token, target: &Target) -> ApiResult<Vec<Role>> {
        let mut ids = self.effective_roles(&token.user_id, target);
        if let Some(credential) = &token.application_credential_id {
            let credential = self
                .identity
                .application_credentials
                .get(credential)
                .ok_or_else(unauthorized)?;
            ids.retain(|id| credential.role_ids.contains(id));
        }
        if ids.is_empty() {
            return Err(unauthorized());
        }
        Ok(self.roles_by_id(&ids))
    }

    fn add_trust(&self, caller: &mut Caller, trust_id: &str) -> ApiResult<()> {
        let trust = self.live_trust(trust_id).map_err(|_| unauthorized())?;
        if trust.trustee_user_id != caller.user_id {
            return Err(forbidden());
        }
        let trustor = self
            .identity
            .users
            .get(&trust.trustor_user_id)
            .ok_or_else(unauthorized)?;
        if !trustor.enabled {
            return Err(forbidden());
        }
        let project_id = trust.project_id.clone().ok_or_else(unauthorized)?;
        self.identity
            .projects
            .get(&project_id)
            .filter(|p| p.enabled)
            .ok_or_else(unauthorized)?;
        let delegated = self.with_implied(trust.role_ids.iter().cloned());
        // The roles must still be the first trustor's: a chain of trusts starts with somebody's own roles.
        let origin = self.first_trustor(trust);
        let held = self.effective_roles(&origin, &Target::Project(project_id.clone()));
        if !delegated.is_subset(&held) {
            return Err(forbidden());
        }
        if trust.impersonation {
            caller.user_id.clone_from(&trustor.id);
            caller.user_domain_id.clone_from(&trustor.domain_id);
        }
        caller.roles = self.roles_by_id(&delegated);
        caller.project_id = Some(project_id);
        caller.trust_id = Some(trust_id.to_owned());
        Ok(())
    }
}
