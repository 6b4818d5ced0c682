//! What a host puts together: clouds, certificates, and where nodes reach it.

use std::sync::Arc;

use crate::ports::{Authority, CertManager, CertRef, CloudCatalog, CloudResources, Orchestrator, TrustMode};
use crate::{Error, ErrorKind, Result};

/// One cloud: how its stacks, trusts and look-ups are reached.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The host's name for it; every cluster row carries it.
    pub name: String,
    /// Its stacks.
    pub orchestrator: Arc<dyn Orchestrator>,
    /// Who owns the stacks.
    pub trust: TrustMode,
    /// Its look-ups.
    pub catalog: Arc<dyn CloudCatalog>,
    /// What clusters made in it beside their stacks.
    pub resources: Arc<dyn CloudResources>,
    /// Where Keystone is as nodes see it, which may be another URL than the host's own; without it no cluster's nodes can act
    /// under its trust.
    pub identity: Option<IdentityEndpoint>,
}

/// Where Keystone is reached, for whoever acts under a cluster's trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityEndpoint {
    /// Its URL, with `/v3`.
    pub auth_url: String,
    /// PEM roots by which the cloud's endpoints are verified; `None` for the system's.
    pub ca: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Id of the trustees' domain, where it is known.
    pub trustee_domain_id: Option<String>,
    /// Name of the trustees' domain, where it is known.
    pub trustee_domain_name: Option<String>,
}

/// Who signs, and where certificates are kept.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// Makes authorities, issues and signs.
    pub authority: Arc<dyn Authority>,
    /// Keeps new certificates.
    pub manager: Arc<dyn CertManager>,
    /// Other stores that still keep older ones.
    pub former: Vec<Arc<dyn CertManager>>,
}

impl Certificates {
    /// Certificates signed by `authority` and kept by `manager`.
    #[must_use]
    pub fn new(authority: Arc<dyn Authority>, manager: Arc<dyn CertManager>) -> Self {
        Self {
            authority,
            manager,
            former: Vec::new(),
        }
    }

    pub(crate) fn manager_of(&self, backend: &str) -> Result<&Arc<dyn CertManager>> {
        let mut all = std::iter::once(&self.manager).chain(&self.former);
        all.find(|manager| manager.backend() == backend).ok_or_else(|| {
            let message = format!("certificates are kept in '{backend}', which this host has not set up");
            Error::new(ErrorKind::Configuration, message)
        })
    }

    pub(crate) fn manager_for(&self, reference: &CertRef) -> Result<&Arc<dyn CertManager>> {
        self.manager_of(&reference.backend)
    }
}

/// Where nodes reach the library: a web server of the host that mounts [`Magnum::node_request`](super::Magnum::node_request).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEndpoint {
    pub(super) url: String,
    pub(super) ca: Option<String>,
}

impl NodeEndpoint {
    /// An endpoint by its base URL as nodes see it.
    ///
    /// # Errors
    /// `InvalidInput` unless it is an `https` URL; `http` is taken for loopback addresses only.
    pub fn new(url: &str) -> Result<Self> {
        let refused = |why: &str| Err(Error::field("node_endpoint", url, why));
        let Ok(parsed) = url::Url::parse(url) else {
            return refused("not a URL");
        };
        let loopback = match parsed.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => return refused("a URL with a host is needed"),
        };
        if parsed.scheme() != "https" && !(parsed.scheme() == "http" && loopback) {
            return refused("nodes send secrets there, so it must be an https URL");
        }
        if parsed.query().is_some() || parsed.fragment().is_some() || !parsed.username().is_empty() {
            return refused("a URL without query, fragment and user is needed");
        }
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            ca: None,
        })
    }

    /// Its URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets the PEM roots by which nodes verify it, where the system's do not.
    #[must_use]
    pub fn with_ca(mut self, pem: impl Into<String>) -> Self {
        self.ca = Some(pem.into());
        self
    }
}
