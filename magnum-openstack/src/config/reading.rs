//! From keys and values to credentials, the same for files and environment.

use std::collections::BTreeMap;
use std::path::Path;

use magnum_core::{Error, ErrorKind, Result, Secret, TlsProfile, shown};

use crate::{Credentials, DomainRef, Interface, Named, Scope};

/// Where settings come from, for messages.
#[derive(Debug)]
pub(super) enum Place {
    File(String),
    Environment,
}

/// Keys and values of one cloud.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) cloud: String,
    pub(super) place: Place,
    pub(super) values: BTreeMap<String, Secret>,
}

impl Settings {
    pub(super) fn optional(&self, key: &str) -> Option<String> {
        self.values
            .get(key)
            .filter(|value| !value.is_empty())
            .map(|value| value.expose().to_owned())
    }

    /// The first of several keys that has a value.
    fn any(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.optional(key))
    }

    pub(super) fn required(&self, key: &str) -> Result<String> {
        self.optional(key).ok_or_else(|| match self.optional("profile") {
            Some(profile) => self.wrong(
                key,
                &format!(
                    "is missing, and what the profile '{}' says is not known here: write it out",
                    shown(&profile)
                ),
            ),
            None => self.wrong(key, "is missing"),
        })
    }

    /// An error about a key. It never repeats a value unless the caller knows it to be harmless.
    fn wrong(&self, key: &str, why: &str) -> Error {
        let message = match &self.place {
            Place::File(file) => format!("{file}: cloud '{}': {key} {why}", shown(&self.cloud)),
            Place::Environment => format!("environment: OS_{} {why}", key.to_uppercase()),
        };
        Error::new(ErrorKind::Configuration, message)
    }

    pub(super) fn interface(&self) -> Result<Interface> {
        match self.any(&["interface", "endpoint_type"]) {
            None => Ok(Interface::default()),
            Some(text) => text
                .parse()
                .map_err(|error: Error| self.wrong("interface", &format!("is wrong: {error}"))),
        }
    }

    pub(super) fn tls(&self) -> Result<TlsProfile> {
        let verify = self.optional("verify").map(|text| text.to_lowercase());
        let off = matches!(verify.as_deref(), Some("false" | "no" | "off" | "0"));
        let https = self
            .optional("auth_url")
            .is_some_and(|url| url.starts_with("https:"));
        if off && https {
            let why = "is off, but certificates are always verified here: name the CA with cacert";
            return Err(self.wrong("verify", why));
        }
        let mut profile = TlsProfile::default();
        if let Some(path) = self.optional("cacert") {
            profile = profile.with_roots(self.file("cacert", &path)?);
        }
        match (self.optional("cert"), self.optional("key")) {
            (None, None) => {}
            (Some(cert), Some(key)) => {
                let certificate = self.file("cert", &cert)?;
                profile = profile.with_identity(certificate, Secret::new(self.file("key", &key)?));
            }
            (Some(_), None) => return Err(self.wrong("key", "is missing, though there is a cert")),
            (None, Some(_)) => return Err(self.wrong("cert", "is missing, though there is a key")),
        }
        Ok(profile)
    }

    fn file(&self, key: &str, path: &str) -> Result<String> {
        let home = std::env::var_os("HOME");
        let path = match (path.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => Path::new(path).to_owned(),
        };
        std::fs::read_to_string(&path).map_err(|error| {
            self.wrong(
                key,
                &format!("names a file that cannot be read, {}: {error}", path.display()),
            )
        })
    }

    pub(super) fn credentials(&self) -> Result<Credentials> {
        if let Some(version) = self.optional("identity_api_version")
            && !version.trim_start_matches('v').starts_with('3')
        {
            return Err(self.wrong("identity_api_version", "must be 3"));
        }
        if self.optional("trust_id").is_some() {
            return Err(self.wrong(
                "trust_id",
                "cannot be used: the host must be itself, not a trustee",
            ));
        }
        let kind = self
            .optional("auth_type")
            .unwrap_or_else(|| self.guessed().to_owned());
        match kind.as_str() {
            "password" | "v3password" => {
                let user = self.user()?;
                let Some(user) = user else {
                    return Err(self.wrong("username", "is missing (or user_id)"));
                };
                let password = self.required("password")?;
                Ok(Credentials::password(user, password).with_scope(self.scope()?))
            }
            "token" | "v3token" => {
                let token = self.required("token")?;
                Ok(Credentials::token(token).with_scope(self.scope()?))
            }
            "v3applicationcredential" | "application_credential" => self.application_credential(),
            other => {
                let why = format!(
                    "'{}' is not one of password, token, v3applicationcredential",
                    shown(other)
                );
                Err(self.wrong("auth_type", &why))
            }
        }
    }

    /// The method that the keys speak of when none is named.
    fn guessed(&self) -> &'static str {
        if self
            .any(&["application_credential_id", "application_credential_name"])
            .is_some()
        {
            "v3applicationcredential"
        } else if self.optional("token").is_some() && self.optional("password").is_none() {
            "token"
        } else {
            "password"
        }
    }

    fn application_credential(&self) -> Result<Credentials> {
        let secret = self.required("application_credential_secret")?;
        if let Some(id) = self.optional("application_credential_id") {
            return Ok(Credentials::application_credential(id, secret));
        }
        let name = self
            .optional("application_credential_name")
            .ok_or_else(|| self.wrong("application_credential_id", "is missing"))?;
        let user = self.user()?.ok_or_else(|| {
            self.wrong(
                "username",
                "is missing (or user_id, or application_credential_id)",
            )
        })?;
        Ok(Credentials::application_credential_of(user, name, secret))
    }

    fn user(&self) -> Result<Option<Named>> {
        if let Some(id) = self.optional("user_id") {
            return Ok(Some(Named::Id(id)));
        }
        let Some(name) = self.optional("username") else {
            return Ok(None);
        };
        let domain = self
            .domain("user_domain")
            .ok_or_else(|| self.wrong("user_domain_name", "is missing (or user_domain_id)"))?;
        Ok(Some(Named::Name { name, domain }))
    }

    fn scope(&self) -> Result<Scope> {
        if let Some(id) = self.any(&["project_id", "tenant_id"]) {
            return Ok(Scope::Project(Named::Id(id)));
        }
        if let Some(name) = self.any(&["project_name", "tenant_name"]) {
            let domain = self
                .domain("project_domain")
                .ok_or_else(|| self.wrong("project_domain_name", "is missing (or project_domain_id)"))?;
            return Ok(Scope::Project(Named::Name { name, domain }));
        }
        if let Some(id) = self.optional("domain_id") {
            return Ok(Scope::Domain(DomainRef::Id(id)));
        }
        if let Some(name) = self.optional("domain_name") {
            return Ok(Scope::Domain(DomainRef::Name(name)));
        }
        if self.optional("system_scope").is_some() {
            return Ok(Scope::System);
        }
        Ok(Scope::Unscoped)
    }

    /// A domain by id, by name, or the default one that the settings name.
    fn domain(&self, prefix: &str) -> Option<DomainRef> {
        let id = self.optional(&format!("{prefix}_id")).map(DomainRef::Id);
        let name = || self.optional(&format!("{prefix}_name")).map(DomainRef::Name);
        let default_id = || {
            self.any(&["default_domain_id", "default_domain"])
                .map(DomainRef::Id)
        };
        let default_name = || self.optional("default_domain_name").map(DomainRef::Name);
        id.or_else(name).or_else(default_id).or_else(default_name)
    }
}
