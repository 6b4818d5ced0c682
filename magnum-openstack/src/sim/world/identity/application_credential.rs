//! Application credentials.

use magnum_core::Secret;

use super::super::{ApiResult, World};
use super::caller::Caller;
use super::token::forbidden_action;
use crate::sim::api_fault::ApiFault;

/// An application credential: a login of its own for a user's project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCredential {
    /// Identifier.
    pub id: String,
    /// Name; unique for its user.
    pub name: String,
    /// Owner.
    pub user_id: String,
    /// The project it is for.
    pub project_id: String,
    /// Its secret.
    pub secret: Secret,
    /// Identifiers of its roles.
    pub role_ids: Vec<String>,
    /// Whether it may make others. It may not make trusts even so.
    pub unrestricted: bool,
}

impl World {
    /// An application credential with these roles, as its user may make one.
    pub(crate) fn give_application_credential(
        &mut self,
        user_id: &str,
        project_id: &str,
        roles: &[&str],
    ) -> ApplicationCredential {
        let role_ids = roles.iter().map(|role| self.ensure_role(role).id).collect();
        let credential = ApplicationCredential {
            id: self.new_hex_id(),
            name: self.new_hex_id(),
            user_id: user_id.to_owned(),
            project_id: project_id.to_owned(),
            secret: Secret::new(self.new_hex_id()),
            role_ids,
            unrestricted: true,
        };
        self.identity
            .application_credentials
            .insert(credential.id.clone(), credential.clone());
        credential
    }

    /// Makes an application credential with the caller's roles.
    ///
    /// # Errors
    /// 403 for a token that is delegated itself or for another user; `Conflict` (409).
    pub fn create_application_credential(
        &mut self,
        caller: &Caller,
        user_id: &str,
        name: &str,
        secret: Option<Secret>,
        unrestricted: bool,
    ) -> ApiResult<ApplicationCredential> {
        let delegated = caller.trust_id.is_some() || caller.application_credential_id.is_some();
        if caller.user_id != user_id || delegated {
            return Err(forbidden_action("identity:create_application_credential"));
        }
        let Some(project_id) = caller.project_id.clone() else {
            return Err(forbidden_action("identity:create_application_credential"));
        };
        let taken = self
            .identity
            .application_credentials
            .values()
            .any(|c| c.user_id == user_id && c.name == name);
        if taken {
            return Err(ApiFault::conflict(
                "Conflict",
                format!(
                    "Conflict occurred attempting to store application_credential - Duplicate entry found \
                     with name {name}."
                ),
            ));
        }
        let credential = ApplicationCredential {
            id: self.new_hex_id(),
            name: name.to_owned(),
            user_id: user_id.to_owned(),
            project_id,
            secret: secret.unwrap_or_else(|| Secret::new(self.new_hex_id())),
            role_ids: caller.roles.iter().map(|role| role.id.clone()).collect(),
            unrestricted,
        };
        self.identity
            .application_credentials
            .insert(credential.id.clone(), credential.clone());
        Ok(credential)
    }
}
