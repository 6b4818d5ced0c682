//! Roles, who has them where, and which imply others.

use std::collections::BTreeSet;

use super::super::World;

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// Identifier.
    pub id: String,
    /// Name; unique.
    pub name: String,
}

/// Where a role is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// In a project.
    Project(String),
    /// In a domain.
    Domain(String),
}

/// Which role implies which, as Keystone's bootstrap sets it up.
const IMPLIED: &[(&str, &str)] = &[("admin", "member"), ("member", "reader")];

impl World {
    /// The role of this name, made if there is none.
    pub fn ensure_role(&mut self, name: &str) -> Role {
        if let Some(role) = self.role_by_name(name) {
            return role.clone();
        }
        let role = Role {
            id: self.new_hex_id(),
            name: name.to_owned(),
        };
        self.identity.roles.insert(role.id.clone(), role.clone());
        role
    }

    /// A role by name.
    #[must_use]
    pub fn role_by_name(&self, name: &str) -> Option<&Role> {
        self.identity.roles.values().find(|role| role.name == name)
    }

    /// Gives a user a role, which is made if there is none of this name.
    pub fn grant(&mut self, user_id: &str, target: Target, role: &str) {
        let role = self.ensure_role(role);
        self.identity
            .assignments
            .insert((user_id.to_owned(), target, role.id));
    }

    /// Takes a role from a user. Trusts that delegate it are worth nothing from now on.
    pub fn revoke(&mut self, user_id: &str, target: &Target, role: &str) {
        let Some(role_id) = self.role_by_name(role).map(|r| r.id.clone()) else {
            return;
        };
        self.identity
            .assignments
            .remove(&(user_id.to_owned(), target.clone(), role_id));
    }

    /// The identifiers of the roles that a user has, implied ones included.
    #[must_use]
    pub fn effective_roles(&self, user_id: &str, target: &Target) -> BTreeSet<String> {
        let granted = self
            .identity
            .assignments
            .iter()
            .filter(|(user, t, _)| user == user_id && t == target)
            .map(|(.., role)| role.clone());
        self.with_implied(granted)
    }

    /// These roles and those that they imply.
    pub(crate) fn with_implied(&self, roles: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut all: BTreeSet<String> = roles.into_iter().collect();
        // The table is ordered from the top, so one pass reaches everything.
        for (prior, implied) in IMPLIED {
            let (Some(prior), Some(implied)) = (self.role_by_name(prior), self.role_by_name(implied)) else {
                continue;
            };
            if all.contains(&prior.id) {
                all.insert(implied.id.clone());
            }
        }
        all
    }

    /// Roles by their identifiers, in the order of their names.
    #[must_use]
    pub fn roles_by_id<'a>(&'a self, ids: impl IntoIterator<Item = &'a String>) -> Vec<Role> {
        let mut roles: Vec<Role> = ids
            .into_iter()
            .filter_map(|id| self.identity.roles.get(id))
            .cloned()
            .collect();
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        roles
    }
}
