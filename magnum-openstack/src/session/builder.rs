//! Describes a cloud.

use std::fmt;
use std::sync::Arc;

use magnum_core::{Clock, Error, ErrorKind, HttpTransport, Result, SystemClock, TlsProfile, shown};
use tokio::sync::Semaphore;
use url::Url;

use super::{Inner, OpenStack, TokenCache};
use crate::wire::Wire;
use crate::{CloudConfig, Credentials, Interface, Limits, ServiceIdentity};

/// Describes a cloud, for [`OpenStack`].
#[derive(Clone, Default)]
#[must_use]
pub struct OpenStackBuilder {
    transport: Option<Arc<dyn HttpTransport>>,
    clock: Option<Arc<dyn Clock>>,
    auth_url: Option<String>,
    region: Option<String>,
    interface: Interface,
    tls: TlsProfile,
    service: Option<Credentials>,
    trustee_domain_admin: Option<Credentials>,
    admin: Option<Credentials>,
    trust_roles: Vec<String>,
    limits: Limits,
}

impl OpenStackBuilder {
    /// Takes place, region, TLS and the service user from a configuration.
    pub fn cloud(mut self, config: CloudConfig) -> Self {
        self.auth_url = Some(config.auth_url);
        self.region = config.region;
        self.interface = config.interface;
        self.tls = config.tls;
        self.service = Some(config.credentials);
        self
    }

    /// How requests travel. Required.
    pub fn transport(mut self, transport: Arc<dyn HttpTransport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Who tells the time. Default: the machine.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Where Keystone is, with or without `/v3`. Required.
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.auth_url = Some(url.into());
        self
    }

    /// Whose endpoints to use in a cloud of several regions. Default: any.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Which endpoints to use. Default: public.
    pub fn interface(mut self, interface: Interface) -> Self {
        self.interface = interface;
        self
    }

    /// Whom to trust on TLS connections. Default: the system's roots.
    pub fn tls(mut self, profile: TlsProfile) -> Self {
        self.tls = profile;
        self
    }

    /// The service user, in its own project. Required.
    pub fn service(mut self, credentials: Credentials) -> Self {
        self.service = Some(credentials);
        self
    }

    /// The administrator of the domain in which trustees are made, scoped to that domain.
    pub fn trustee_domain_admin(mut self, credentials: Credentials) -> Self {
        self.trustee_domain_admin = Some(credentials);
        self
    }

    /// The cloud's administrator, for clusters whose trust or owner is gone.
    pub fn admin(mut self, credentials: Credentials) -> Self {
        self.admin = Some(credentials);
        self
    }

    /// All identities of the host at once.
    pub fn identity(mut self, identity: ServiceIdentity) -> Self {
        self.service = Some(identity.service);
        self.trustee_domain_admin = identity.trustee_domain_admin;
        self.admin = identity.admin;
        self
    }

    /// The roles that trusts carry, by name. Default: all that the owner's token has.
    pub fn trust_roles<S: Into<String>>(mut self, roles: impl IntoIterator<Item = S>) -> Self {
        self.trust_roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// How long calls may take and how many may be under way.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The cloud. Nothing is sent yet.
    ///
    /// # Errors
    /// `Configuration` names what is missing or wrong.
    pub fn build(self) -> Result<OpenStack> {
        let missing = |what: &str| Error::new(ErrorKind::Configuration, format!("the cloud has no {what}"));
        let transport = self.transport.ok_or_else(|| missing("transport"))?;
        let auth_url = self
            .auth_url
            .ok_or_else(|| missing("authentication URL (auth_url)"))?;
        let service = self.service.ok_or_else(|| missing("service user"))?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let inner = Inner {
            auth_url: keystone(&auth_url)?,
            region: self.region,
            interface: self.interface,
            identity: ServiceIdentity {
                service,
                trustee_domain_admin: self.trustee_domain_admin,
                admin: self.admin,
            },
            trust_roles: self.trust_roles,
            tokens: TokenCache::new(self.limits.tokens),
            logins: Semaphore::new(self.limits.logins.max(1)),
            wire: Wire::new(transport, clock, self.tls, self.limits),
        };
        Ok(OpenStack {
            inner: Arc::new(inner),
        })
    }
}

impl fmt::Debug for OpenStackBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenStackBuilder")
            .field("auth_url", &self.auth_url)
            .field("region", &self.region)
            .field("interface", &self.interface)
            .field("service", &self.service)
            .field("trustee_domain_admin", &self.trustee_domain_admin)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

/// The URL of Keystone's version 3.
fn keystone(text: &str) -> Result<Url> {
    let wrong = |why: &str| {
        let message = format!("auth_url '{}' {why}", shown(text));
        Error::new(ErrorKind::Configuration, message)
    };
    let mut url = Url::parse(text).map_err(|error| wrong(&format!("is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("is not an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(
            ErrorKind::Configuration,
            "auth_url holds a user or password; they belong elsewhere",
        ));
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    let base = path.strip_suffix("/v2.0").unwrap_or(&path);
    let versioned = if base.ends_with("/v3") {
        base.to_owned()
    } else {
        format!("{base}/v3")
    };
    url.set_path(&versioned);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_added_once() {
        for (given, wanted) in [
            ("http://h:5000", "http://h:5000/v3"),
            ("http://h:5000/", "http://h:5000/v3"),
            ("http://h:5000/v3/", "http://h:5000/v3"),
            ("https://h/identity", "https://h/identity/v3"),
            ("https://h/identity/v2.0/", "https://h/identity/v3"),
        ] {
            assert_eq!(keystone(given).unwrap().as_str(), wanted);
        }
    }

    #[test]
    fn wrong_urls_are_named_unless_they_hold_a_password() {
        assert!(keystone("ftp://h").unwrap_err().to_string().contains("ftp://h"));
        assert!(keystone("nothing").unwrap_err().to_string().contains("not a URL"));
        let error = keystone("http://u:hunter2@h").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = OpenStack::builder().build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(error.to_string(), "the cloud has no transport");
    }
}
