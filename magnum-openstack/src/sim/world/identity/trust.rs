//! Trusts.

use jiff::Timestamp;

use super::super::{ApiResult, World};
use super::caller::Caller;
use super::role::Target;
use super::token::{forbidden, forbidden_action};
use crate::sim::api_fault::ApiFault;

/// Keystone's `max_redelegation_count`.
const MAX_REDELEGATION: u32 = 3;

/// A trust: a trustee may act in a project with some of the trustor's roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Identifier.
    pub id: String,
    /// Whose roles.
    pub trustor_user_id: String,
    /// Who may use them.
    pub trustee_user_id: String,
    /// Where.
    pub project_id: Option<String>,
    /// Identifiers of the delegated roles.
    pub role_ids: Vec<String>,
    /// Whether the trustee's token shows the trustor.
    pub impersonation: bool,
    /// How often it may be passed on; 0 for never.
    pub redelegation_count: u32,
    /// The trust it was made from.
    pub redelegated_trust_id: Option<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A trust to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustSpec {
    /// Whose roles.
    pub trustor_user_id: String,
    /// Who may use them.
    pub trustee_user_id: String,
    /// Where.
    pub project_id: Option<String>,
    /// Delegated roles, by identifier or by name.
    pub roles: Vec<String>,
    /// Whether the trustee's token shows the trustor.
    pub impersonation: bool,
    /// Whether it may be passed on.
    pub allow_redelegation: bool,
    /// How often; `None` means as often as allowed.
    pub redelegation_count: Option<u32>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl World {
    /// Creates a trust.
    ///
    /// # Errors
    /// 403 when the caller is not the trustor, came by an application credential, or names no role, and for
    /// a redelegation beyond what its own trust allows; `UserNotFound`, `RoleNotFound` (404), the latter for
    /// a role that the trustor does not have, too.
    pub fn create_trust(&mut self, caller: &Caller, spec: TrustSpec) -> ApiResult<Trust> {
        if caller.user_id != spec.trustor_user_id {
            return Err(forbidden_action("identity:create_trust"));
        }
        refuse_delegated(caller)?;
        if spec.project_id.is_some() && spec.roles.is_empty() {
            return Err(forbidden_action("At least one role should be specified"));
        }
        self.find_user(&spec.trustee_user_id)?;
        let role_ids = self.known_roles(&spec.roles)?;
        let parent = match &caller.trust_id {
            Some(id) => Some(self.live_trust(id)?.clone()),
            None => None,
        };
        if let Some(project) = &spec.project_id {
            if !self.identity.projects.contains_key(project) {
                return Err(ApiFault::not_found(
                    "ProjectNotFound",
                    format!("Could not find project: {project}."),
                ));
            }
            let origin = parent
                .as_ref()
                .map_or_else(|| caller.user_id.clone(), |p| self.first_trustor(p));
            let held = self.effective_roles(&origin, &Target::Project(project.clone()));
            if let Some(missing) = role_ids.iter().find(|id| !held.contains(*id)) {
                return Err(role_not_found(missing));
            }
        }
        let redelegatable = spec.allow_redelegation && spec.redelegation_count != Some(0);
        if redelegatable && spec.redelegation_count.is_some_and(|n| n > MAX_REDELEGATION) {
            return Err(forbidden());
        }
        let mut redelegation_count = if redelegatable {
            spec.redelegation_count.unwrap_or(MAX_REDELEGATION)
        } else {
            0
        };
        let mut expires_at = spec.expires_at;
        if let Some(parent) = &parent {
            // Each link of the chain must allow this: depth, roles, time.
            let within = parent.redelegation_count > 0
                && role_ids.iter().all(|id| parent.role_ids.contains(id))
                && (parent.impersonation || !spec.impersonation)
                && match (parent.expires_at, expires_at) {
                    (Some(limit), Some(wanted)) => wanted <= limit,
                    _ => true,
                };
            if !within {
                return Err(forbidden());
            }
            if redelegatable {
                redelegation_count = parent.redelegation_count - 1;
            }
            expires_at = expires_at.or(parent.expires_at);
        }
        let trust = Trust {
            id: self.new_hex_id(),
            trustor_user_id: spec.trustor_user_id,
            trustee_user_id: spec.trustee_user_id,
            project_id: spec.project_id,
            role_ids,
            impersonation: spec.impersonation,
            redelegation_count,
            redelegated_trust_id: parent.map(|p| p.id),
            expires_at,
        };
        self.identity.trusts.insert(trust.id.clone(), trust.clone());
        Ok(trust)
    }

    /// A trust that a caller may see: its trustor, its trustee, or who administers the cloud or the
    /// trustee's domain.
    ///
    /// # Errors
    /// `TrustNotFound` (404), 403.
    pub fn visible_trust(&self, caller: &Caller, id: &str) -> ApiResult<&Trust> {
        let trust = self.live_trust(id)?;
        let related = [&trust.trustor_user_id, &trust.trustee_user_id].contains(&&caller.user_id);
        if !related && !self.administers_user(caller, &trust.trustee_user_id) {
            return Err(forbidden_action("identity:get_trust"));
        }
        refuse_delegated(caller)?;
        Ok(trust)
    }

    /// Trusts by trustor or by trustee. Who asks must be that user, or administer the cloud or that user's
    /// domain; who asks for all must administer the cloud.
    ///
    /// # Errors
    /// 403.
    pub fn list_trusts(
        &self,
        caller: &Caller,
        trustor: Option<&str>,
        trustee: Option<&str>,
    ) -> ApiResult<Vec<Trust>> {
        let (action, user) = match (trustor, trustee) {
            (Some(user), _) => ("identity:list_trusts_for_trustor", Some(user)),
            (None, Some(user)) => ("identity:list_trusts_for_trustee", Some(user)),
            (None, None) => ("identity:list_trusts", None),
        };
        let administers = match user {
            Some(user) => self.administers_user(caller, user),
            None => caller.is_admin(),
        };
        if user != Some(&caller.user_id) && !administers {
            return Err(forbidden_action(action));
        }
        refuse_delegated(caller)?;
        // Keystone looks at one filter only, and at the trustor first.
        Ok(self
            .identity
            .trusts
            .values()
            .filter(|trust| match (trustor, trustee) {
                (Some(user), _) => trust.trustor_user_id == user,
                (None, Some(user)) => trust.trustee_user_id == user,
                (None, None) => true,
            })
            .cloned()
            .collect())
    }

    /// Deletes a trust and those made from it: by its trustor (a token of the trust itself shows the
    /// trustor, if it impersonates), or by who administers the cloud or the trustee's domain.
    ///
    /// # Errors
    /// `TrustNotFound` (404), 403.
    pub fn delete_trust(&mut self, caller: &Caller, id: &str) -> ApiResult<()> {
        let trust = self.live_trust(id)?;
        let administers = self.administers_user(caller, &trust.trustee_user_id);
        if trust.trustor_user_id != caller.user_id && !administers {
            return Err(forbidden_action("identity:delete_trust"));
        }
        refuse_delegated(caller)?;
        self.drop_trust(id);
        Ok(())
    }

    /// Removes a trust and those made from it, whoever asks.
    pub fn drop_trust(&mut self, id: &str) {
        self.identity.trusts.remove(id);
        let children: Vec<String> = self
            .identity
            .trusts
            .values()
            .filter(|trust| trust.redelegated_trust_id.as_deref() == Some(id))
            .map(|trust| trust.id.clone())
            .collect();
        for child in children {
            self.drop_trust(&child);
        }
    }

    /// A trust that has not expired.
    pub(crate) fn live_trust(&self, id: &str) -> ApiResult<&Trust> {
        self.identity
            .trusts
            .get(id)
            .filter(|trust| trust.expires_at.is_none_or(|at| at > self.now()))
            .ok_or_else(|| ApiFault::not_found("TrustNotFound", format!("Could not find trust: {id}.")))
    }

    /// Who started the chain of trusts that leads to this one.
    pub(crate) fn first_trustor(&self, trust: &Trust) -> String {
        let mut current = trust;
        while let Some(parent) = current
            .redelegated_trust_id
            .as_ref()
            .and_then(|id| self.identity.trusts.get(id))
        {
            current = parent;
        }
        current.trustor_user_id.clone()
    }

    /// Whether the caller administers the cloud or the domain of a user.
    fn administers_user(&self, caller: &Caller, user_id: &str) -> bool {
        let domain = self
            .identity
            .users
            .get(user_id)
            .map(|user| user.domain_id.as_str());
        caller.administers(domain.unwrap_or_default())
    }

    fn known_roles(&self, roles: &[String]) -> ApiResult<Vec<String>> {
        roles
            .iter()
            .map(|role| {
                let by_id = self.identity.roles.get(role);
                by_id
                    .or_else(|| self.role_by_name(role))
                    .map(|known| known.id.clone())
                    .ok_or_else(|| ApiFault::not_found("RoleNotFound", format!("Role {role} is not defined")))
            })
            .collect()
    }
}

/// Application credentials must not manage trusts. Tokens of trusts may: that is redelegation.
fn refuse_delegated(caller: &Caller) -> ApiResult<()> {
    if caller.application_credential_id.is_some() {
        return Err(forbidden_action("Delegated tokens cannot manage trusts."));
    }
    Ok(())
}

fn role_not_found(role: &str) -> ApiFault {
    ApiFault::not_found("RoleNotFound", format!("Could not find role: {role}."))
}
