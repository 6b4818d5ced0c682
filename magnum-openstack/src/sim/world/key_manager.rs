//! Barbican: secrets and containers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use magnum_core::Secret;

use super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// What Barbican knows.
#[derive(Debug, Default)]
pub struct KeyManager {
    pub(crate) secrets: BTreeMap<String, StoredSecret>,
    pub(crate) containers: BTreeMap<String, Container>,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSecret {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: Option<String>,
    /// Owner.
    pub project_id: String,
    /// Who made it.
    pub user_id: String,
    /// What kind of secret: `opaque`, `certificate`, `private`, `passphrase`, …
    pub secret_type: String,
    /// Media type of the payload.
    pub content_type: Option<String>,
    /// The payload, as text or as base64 of bytes.
    pub payload: Option<Secret>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expiration: Option<Timestamp>,
}

/// A container: secrets under names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: Option<String>,
    /// Owner.
    pub project_id: String,
    /// Who made it.
    pub user_id: String,
    /// `generic`, `certificate` or `rsa`.
    pub container_type: String,
    /// Names and identifiers of secrets.
    pub secrets: Vec<(String, String)>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A secret to store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretSpec {
    /// Name.
    pub name: Option<String>,
    /// Who makes it.
    pub user_id: String,
    /// What kind; `None` means `opaque`.
    pub secret_type: Option<String>,
    /// Media type of the payload.
    pub content_type: Option<String>,
    /// The payload.
    pub payload: Option<Secret>,
    /// When it ends.
    pub expiration: Option<Timestamp>,
}

/// A container to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerSpec {
    /// Name.
    pub name: Option<String>,
    /// Who makes it.
    pub user_id: String,
    /// `generic`, `certificate` or `rsa`.
    pub container_type: String,
    /// Names and identifiers of secrets.
    pub secrets: Vec<(String, String)>,
}

impl KeyManager {
    /// All secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &StoredSecret> {
        self.secrets.values()
    }

    /// All containers.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.values()
    }
}

impl World {
    /// Stores a secret.
    ///
    /// # Errors
    /// 400 for a payload without a media type.
    pub fn create_secret(&mut self, project: &str, spec: SecretSpec) -> ApiResult<StoredSecret> {
        if spec.payload.is_some() && spec.content_type.is_none() {
            return Err(ApiFault::bad_request(
                "InvalidObject",
                "Provided object does not match schema 'Secret': If 'payload' is supplied, \
                 'payload_content_type' must also be supplied.",
            ));
        }
        let secret = StoredSecret {
            id: self.new_uuid(),
            name: spec.name,
            project_id: project.to_owned(),
            user_id: spec.user_id,
            secret_type: spec.secret_type.unwrap_or_else(|| "opaque".to_owned()),
            content_type: spec.content_type,
            payload: spec.payload,
            created_at: self.now(),
            expiration: spec.expiration,
        };
        self.key_manager.secrets.insert(secret.id.clone(), secret.clone());
        Ok(secret)
    }

    /// A secret of a project; another project's is forbidden, as Barbican has it.
    ///
    /// # Errors
    /// 404, 403.
    pub fn find_secret(&self, project: &str, id: &str) -> ApiResult<&StoredSecret> {
        let secret = self
            .key_manager
            .secrets
            .get(id)
            .filter(|secret| secret.expiration.is_none_or(|at| at > self.now()))
            .ok_or_else(|| ApiFault::not_found("NotFound", "Secret not found."))?;
        if secret.project_id != project {
            return Err(ApiFault::forbidden(
                "Secret retrieval attempt not allowed - please review your user/project privileges",
            ));
        }
        Ok(secret)
    }

    /// Deletes a secret. A container that holds it stays and shows it no more.
    ///
    /// # Errors
    /// 404, 403.
    pub fn delete_secret(&mut self, project: &str, id: &str) -> ApiResult<()> {
        self.find_secret(project, id)?;
        self.key_manager.secrets.remove(id);
        for container in self.key_manager.containers.values_mut() {
            container.secrets.retain(|(_, secret)| secret != id);
        }
        Ok(())
    }

    /// Makes a container.
    ///
    /// # Errors
    /// 404 for a secret that is not there; 400 for a type or a set of names that Barbican does not know.
    pub fn create_container(&mut self, project: &str, spec: ContainerSpec) -> ApiResult<Container> {
        let allowed: Option<&[&str]> = match spec.container_type.as_str() {
            "generic" => None,
            "certificate" => Some(&[
                "certificate",
                "private_key",
                "private_key_passphrase",
                "intermediates",
            ]),
            "rsa" => Some(&["public_key", "private_key", "private_key_passphrase"]),
            other => {
                return Err(ApiFault::bad_request(
                    "InvalidObject",
                    format!(
                        "Provided object does not match schema 'Container': '{other}' is not one of ['generic', 'rsa', 'certificate']. Invalid property: 'type'"
                    ),
                ));
            }
        };
        let wrong = spec
            .secrets
            .iter()
            .find(|(name, _)| allowed.is_some_and(|a| !a.contains(&name.as_str())));
        if let Some((name, _)) = wrong {
            return Err(ApiFault::bad_request(
                "InvalidObject",
                format!(
                    "Provided object does not match schema 'Container': only allowed reference names for this type are {allowed:?}, not '{name}'."
                ),
            ));
        }
        for (name, secret) in &spec.secrets {
            if !self.key_manager.secrets.contains_key(secret) {
                return Err(ApiFault::not_found(
                    "NotFound",
                    format!("Secret provided for '{name}' doesn't exist."),
                ));
            }
        }
        let container = Container {
            id: self.new_uuid(),
            name: spec.name,
            project_id: project.to_owned(),
            user_id: spec.user_id,
            container_type: spec.container_type,
            secrets: spec.secrets,
            created_at: self.now(),
        };
        self.key_manager
            .containers
            .insert(container.id.clone(), container.clone());
        Ok(container)
    }

    /// A container of a project.
    ///
    /// # Errors
    /// 404, 403.
    pub fn find_container(&self, project: &str, id: &str) -> ApiResult<&Container> {
        let container = self
            .key_manager
            .containers
            .get(id)
            .ok_or_else(|| ApiFault::not_found("NotFound", "Secrets container not found."))?;
        if container.project_id != project {
            return Err(ApiFault::forbidden(
                "Container retrieval attempt not allowed - please review your user/project privileges",
            ));
        }
        Ok(container)
    }

    /// Deletes a container; its secrets stay.
    ///
    /// # Errors
    /// 404, 403.
    pub fn delete_container(&mut self, project: &str, id: &str) -> ApiResult<()> {
        self.find_container(project, id)?;
        self.key_manager.containers.remove(id);
        Ok(())
    }
}
