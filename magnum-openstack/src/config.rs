//! Where a cloud is and who we are there, from `clouds.yaml` or the environment.

mod clouds_yaml;
mod environment;
mod files;
mod reading;

#[cfg(test)]
mod tests;

use magnum_core::{Error, ErrorKind, Result, TlsProfile};

pub use self::files::ConfigFile;
use self::reading::Settings;
use crate::{Credentials, Interface};

/// Where a cloud is and who we are there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloudConfig {
    /// Its name in `clouds.yaml`; `envvars` when it comes from the environment.
    pub name: String,
    /// Where Keystone is.
    pub auth_url: String,
    /// The region to use.
    pub region: Option<String>,
    /// Which endpoints to use.
    pub interface: Interface,
    /// Whom to trust on TLS connections.
    pub tls: TlsProfile,
    /// Who we are.
    pub credentials: Credentials,
}

impl CloudConfig {
    /// The cloud of this name in `clouds.yaml`, with `secure.yaml` laid over it. Without a name: the one
    /// that `OS_CLOUD` names, or else the one that `OS_AUTH_URL` and the other variables describe, or else
    /// the only one in the file. A named cloud takes nothing from the other variables.
    ///
    /// Files are looked for where OpenStack's clients look: `OS_CLIENT_CONFIG_FILE`
    /// (`OS_CLIENT_SECURE_FILE`), the working directory, `~/.config/openstack`, `/etc/openstack`.
    ///
    /// # Errors
    /// `Configuration` names the file and the key that is missing or wrong, and never a value of a secret.
    pub fn load(name: Option<&str>) -> Result<Self> {
        let variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let find = |key: &str| {
            let found = variables.iter().find(|(name, _)| name == key);
            found
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_empty())
        };
        let from_environment = find("OS_CLOUD");
        let name = name.or(from_environment.as_deref());
        if name.is_none() && find("OS_AUTH_URL").is_some() {
            return Self::from_environment(variables.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        }
        let clouds = files::find("clouds", "OS_CLIENT_CONFIG_FILE", &find)?;
        let Some(clouds) = clouds else {
            return Err(Error::new(
                ErrorKind::Configuration,
                "no clouds.yaml in the working directory, ~/.config/openstack or /etc/openstack, \
                 and OS_AUTH_URL is not set",
            ));
        };
        let secure = files::find("secure", "OS_CLIENT_SECURE_FILE", &find)?;
        Self::from_files(&clouds, secure.as_ref(), name)
    }

    /// A cloud of files that the caller has read; see [`CloudConfig::load`].
    ///
    /// # Errors
    /// `Configuration`, as for `load`.
    pub fn from_files(clouds: &ConfigFile, secure: Option<&ConfigFile>, name: Option<&str>) -> Result<Self> {
        clouds_yaml::settings(clouds, secure, name)?.cloud()
    }

    /// A cloud by variables `OS_*`; others are ignored.
    ///
    /// # Errors
    /// `Configuration` names the variable that is missing or wrong.
    pub fn from_environment<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        environment::settings(variables).cloud()
    }
}

impl Settings {
    /// The configuration that the settings make.
    fn cloud(&self) -> Result<CloudConfig> {
        Ok(CloudConfig {
            name: self.cloud.clone(),
            auth_url: self.required("auth_url")?,
            region: self.optional("region_name"),
            interface: self.interface()?,
            tls: self.tls()?,
            credentials: self.credentials()?,
        })
    }
}
