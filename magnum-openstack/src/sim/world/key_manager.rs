//! Barbican: secrets and containers.
//! barbican/common/validators.py, release 15 (Zed)

use std::collections::BTreeMap;

use jiff::Timestamp;
use magnum_core::Secret;

use super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// The longest name, in characters.
const NAME: usize = 255;
/// The largest payload, in bytes.
const PAYLOAD: usize = 20_000;

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
    /// Who may read it, where that is not everybody in the project.
    pub readers: Option<Vec<String>>,
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
    /// Who uses it: names and URLs.
    pub consumers: Vec<(String, String)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who may read it, where that is not everybody in the project.
    pub readers: Option<Vec<String>>,
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
    /// 400 for a payload that is empty or without a media type, and for a long name; 413 for a large payload.
    pub fn create_secret(&mut self, project: &str, spec: SecretSpec) -> ApiResult<StoredSecret> {
        fits(spec.name.as_deref(), "Secret")?;
        if spec.payload.is_some() && spec.content_type.is_none() {
            return Err(ApiFault::bad_request(
                "InvalidObject",
                "Provided object does not match schema 'Secret': If 'payload' is supplied, \
                 'payload_content_type' must also be supplied.",
            ));
        }
        let payload = match &spec.payload {
            Some(payload) if payload.expose().len() > PAYLOAD => {
                return Err(ApiFault::new(
                    413,
                    "LimitExceeded",
                    "Provided information too large to process",
                ));
            }
            Some(payload) if payload.expose().trim().is_empty() => {
                return Err(ApiFault::bad_request(
                    "InvalidObject",
                    "Provided object does not match schema 'Secret': If 'payload' specified, must be non empty. \
                     Invalid property: 'payload'",
                ));
            }
            payload => payload
                .as_ref()
                .map(|payload| Secret::new(payload.expose().trim())),
        };
        let secret = StoredSecret {
            id: self.new_uuid(),
            name: spec.name.map(|name| name.trim().to_owned()),
            project_id: project.to_owned(),
            user_id: spec.user_id,
            secret_type: spec.secret_type.unwrap_or_else(|| "opaque".to_owned()),
            content_type: spec.content_type,
            payload,
            created_at: self.now(),
            expiration: spec.expiration,
            readers: None,
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
    /// 404 for a secret that is not there; 400 for a long name, and for a type or a set of names that Barbican does not
    /// know.
    pub fn create_container(&mut self, project: &str, spec: ContainerSpec) -> ApiResult<Container> {
        fits(spec.name.as_deref(), "Container")?;
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
        let without = |required: &&str| !spec.secrets.iter().any(|(name, _)| name == *required);
        let required: &[&str] = match spec.container_type.as_str() {
            "certificate" => &["certificate"],
            "rsa" => &["public_key", "private_key"],
            _ => &[],
        };
        if !spec.secrets.is_empty() && required.iter().any(without) {
            return Err(ApiFault::bad_request(
                "InvalidObject",
                format!(
                    "Provided object does not match schema 'Container': The minimum required reference names are {required:?}."
                ),
            ));
        }
        let twice = |at: usize| {
            let (name, id) = &spec.secrets[at];
            spec.secrets[..at].iter().any(|(n, i)| n == name || i == id)
        };
        if (0..spec.secrets.len()).any(twice) {
            return Err(ApiFault::bad_request(
                "InvalidObject",
                "Provided object does not match schema 'Container': Duplicate reference names are not allowed. \
                 Invalid property: 'secret_refs'",
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
            name: spec.name.map(|name| name.trim().to_owned()),
            project_id: project.to_owned(),
            user_id: spec.user_id,
            container_type: spec.container_type,
            secrets: spec.secrets,
            consumers: Vec::new(),
            created_at: self.now(),
            readers: None,
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

    /// Deletes a container and forgets who used it; its secrets stay.
    ///
    /// # Errors
    /// 404, 403.
    pub fn delete_container(&mut self, project: &str, id: &str) -> ApiResult<()> {
        self.find_container(project, id)?;
        self.key_manager.containers.remove(id);
        Ok(())
    }

    /// Registers who uses a container; once is enough.
    ///
    /// # Errors
    /// 404, 403.
    pub fn add_consumer(&mut self, project: &str, id: &str, name: &str, url: &str) -> ApiResult<Container> {
        let mut container = self.find_container(project, id)?.clone();
        let consumer = (name.to_owned(), url.to_owned());
        if !container.consumers.contains(&consumer) {
            container.consumers.push(consumer);
            self.key_manager
                .containers
                .insert(container.id.clone(), container.clone());
        }
        Ok(container)
    }
}

fn fits(name: Option<&str>, schema: &str) -> ApiResult<()> {
    if name.is_none_or(|name| name.chars().count() <= NAME) {
        return Ok(());
    }
    Err(ApiFault::bad_request(
        "InvalidObject",
        format!(
            "Provided object does not match schema '{schema}': the name is too long. Invalid property: 'name'"
        ),
    ))
}
