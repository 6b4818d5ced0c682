//! Domains, projects and users.

use magnum_core::Secret;

use super::super::{ApiResult, World};
use super::role::Target;
use crate::sim::api_fault::ApiFault;

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Identifier.
    pub id: String,
    /// Name; unique.
    pub name: String,
    /// Whether its users may log in.
    pub enabled: bool,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Identifier.
    pub id: String,
    /// Name; unique in its domain.
    pub name: String,
    /// Its domain.
    pub domain_id: String,
    /// Whether tokens for it are valid.
    pub enabled: bool,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Identifier.
    pub id: String,
    /// Name; unique in its domain.
    pub name: String,
    /// Its domain.
    pub domain_id: String,
    /// Its password.
    pub password: Secret,
    /// Whether it may log in.
    pub enabled: bool,
    /// The project meant when a login names no scope.
    pub default_project_id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl World {
    /// Makes a domain.
    pub fn create_domain(&mut self, name: &str) -> Domain {
        let domain = Domain {
            id: self.new_hex_id(),
            name: name.to_owned(),
            enabled: true,
        };
        self.identity.domains.insert(domain.id.clone(), domain.clone());
        domain
    }

    /// A domain by name.
    #[must_use]
    pub fn domain_by_name(&self, name: &str) -> Option<&Domain> {
        self.identity.domains.values().find(|domain| domain.name == name)
    }

    /// Makes a project.
    pub fn create_project(&mut self, name: &str, domain_id: &str) -> Project {
        let project = Project {
            id: self.new_hex_id(),
            name: name.to_owned(),
            domain_id: domain_id.to_owned(),
            enabled: true,
        };
        self.identity.projects.insert(project.id.clone(), project.clone());
        project
    }

    /// A project by name and domain.
    #[must_use]
    pub fn project_by_name(&self, name: &str, domain_id: &str) -> Option<&Project> {
        self.identity
            .projects
            .values()
            .find(|p| p.name == name && p.domain_id == domain_id)
    }

    /// Deletes a project: its tokens are worth nothing, what it held stays.
    ///
    /// # Errors
    /// `ProjectNotFound` (404).
    pub fn delete_project(&mut self, id: &str) -> ApiResult<()> {
        self.identity.projects.remove(id).ok_or_else(|| {
            ApiFault::not_found("ProjectNotFound", format!("Could not find project: {id}."))
        })?;
        let target = Target::Project(id.to_owned());
        self.identity.assignments.retain(|(_, t, _)| *t != target);
        self.identity
            .trusts
            .retain(|_, trust| trust.project_id.as_deref() != Some(id));
        self.identity
            .application_credentials
            .retain(|_, credential| credential.project_id != id);
        Ok(())
    }

    /// Makes a user.
    ///
    /// # Errors
    /// `DomainNotFound` (404); `Conflict` (409) when the domain has a user of this name.
    pub fn create_user(&mut self, name: &str, domain_id: &str, password: Secret) -> ApiResult<User> {
        if !self.identity.domains.contains_key(domain_id) {
            return Err(ApiFault::not_found(
                "DomainNotFound",
                format!("Could not find domain: {domain_id}."),
            ));
        }
        if self.user_by_name(name, domain_id).is_some() {
            return Err(ApiFault::conflict(
                "Conflict",
                format!(
                    "Conflict occurred attempting to store user - Duplicate entry found with name {name} at \
                     domain ID {domain_id}."
                ),
            ));
        }
        let user = User {
            id: self.new_hex_id(),
            name: name.to_owned(),
            domain_id: domain_id.to_owned(),
            password,
            enabled: true,
            default_project_id: None,
            description: None,
        };
        self.identity.users.insert(user.id.clone(), user.clone());
        Ok(user)
    }

    /// A user.
    ///
    /// # Errors
    /// `UserNotFound` (404).
    pub fn find_user(&self, id: &str) -> ApiResult<&User> {
        self.identity
            .users
            .get(id)
            .ok_or_else(|| ApiFault::not_found("UserNotFound", format!("Could not find user: {id}.")))
    }

    /// A user by name and domain.
    #[must_use]
    pub fn user_by_name(&self, name: &str, domain_id: &str) -> Option<&User> {
        self.identity
            .users
            .values()
            .find(|user| user.name == name && user.domain_id == domain_id)
    }

    /// Deletes a user with its tokens, grants, application credentials, and the trusts in which it is
    /// trustor or trustee.
    ///
    /// # Errors
    /// `UserNotFound` (404).
    pub fn delete_user(&mut self, id: &str) -> ApiResult<()> {
        self.find_user(id)?;
        let identity = &mut self.identity;
        identity.users.remove(id);
        identity.assignments.retain(|(user, ..)| user != id);
        identity.tokens.retain(|_, token| token.user_id != id);
        identity
            .application_credentials
            .retain(|_, credential| credential.user_id != id);
        identity
            .trusts
            .retain(|_, t| t.trustor_user_id != id && t.trustee_user_id != id);
        Ok(())
    }
}
