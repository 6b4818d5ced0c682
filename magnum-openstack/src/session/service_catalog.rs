//! Where a cloud's services are, as Keystone says with a token.

use magnum_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use url::Url;

use super::Token;
use crate::{Interface, Service};

/// Where a cloud's services are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct ServiceCatalog(Vec<Entry>);

#[derive(Clone, Debug, Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

// keystone/catalog/core.py, release 22 (Zed); `region` is the older name of `region_id`.
#[derive(Clone, Debug, Deserialize)]
struct Endpoint {
    interface: String,
    region_id: Option<String>,
    region: Option<String>,
    url: Option<String>,
}

impl Endpoint {
    fn serves(&self, region: Option<&str>, interface: Interface) -> bool {
        self.interface == interface.as_str() && self.is_in(region)
    }

    fn is_in(&self, region: Option<&str>) -> bool {
        region.is_none() || region == self.region_id.as_deref().or(self.region.as_deref())
    }
}

impl ServiceCatalog {
    /// Whether the service is there. An endpoint of the wrong interface is a mistake of the set-up, not an absence.
    pub(crate) fn has(&self, service: Service, region: Option<&str>) -> bool {
        let mut entries = self
            .0
            .iter()
            .filter(|entry| service.types().contains(&entry.kind.as_str()));
        entries.any(|entry| entry.endpoints.iter().any(|endpoint| endpoint.is_in(region)))
    }

    /// The URL that the service's paths are appended to.
    pub(crate) fn endpoint(
        &self,
        service: Service,
        region: Option<&str>,
        interface: Interface,
        token: &Token,
    ) -> Result<Url> {
        let found = service.types().iter().find_map(|kind| {
            self.0
                .iter()
                .filter(|entry| entry.kind == *kind)
                .flat_map(|entry| &entry.endpoints)
                .filter(|endpoint| endpoint.serves(region, interface))
                .find_map(|endpoint| endpoint.url.as_deref())
        });
        let Some(found) = found else {
            let region = region
                .map(|region| format!(" in region {region}"))
                .unwrap_or_default();
            let message = format!(
                "the cloud has no {interface} endpoint of {}{region}",
                service.title()
            );
            return Err(Error::new(ErrorKind::Configuration, message));
        };
        let url = Url::parse(&filled_in(found, token)).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let mut url = url.ok_or_else(|| {
            let message = format!("the cloud's endpoint of {} is not a URL", service.title());
            Error::new(ErrorKind::Configuration, message)
        })?;
        if let Some(version) = service.version()
            && !url.path().split('/').any(is_version)
        {
            let path = format!("{}/{version}", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        Ok(url)
    }
}

/// Whether a path segment is a version: `v2`, `v2.1`.
fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Fills in what Keystone left in the URL for the caller.
fn filled_in(url: &str, token: &Token) -> String {
    let project = token.project_id.as_deref().unwrap_or_default();
    let mut out = url.to_owned();
    for (name, value) in [
        ("project_id", project),
        ("tenant_id", project),
        ("user_id", token.user_id.as_str()),
    ] {
        out = out
            .replace(&format!("%({name})s"), value)
            .replace(&format!("$({name})s"), value);
    }
    out
}

#[cfg(test)]
mod tests {
    use magnum_core::Secret;
    use serde_json::json;

    use super::*;

    fn token() -> Token {
        let catalog = json!([
            {"type": "orchestration", "name": "heat", "id": "x", "endpoints": [
                {"id": "1", "interface": "public", "region": "A", "region_id": "A", "url": "http://a:8004/v1/%(tenant_id)s"},
                {"interface": "public", "region_id": "B", "url": "http://b:8004/v1/$(project_id)s"},
                {"interface": "internal", "region": "A", "url": "http://i/heat/v1/p"}]},
            {"type": "image", "endpoints": [{"interface": "public", "region_id": "A", "url": "http://a:9292"}]},
            {"type": "network", "endpoints": [{"interface": "public", "region_id": "A", "url": "http://a:9696/"}]},
            {"type": "compute", "endpoints": [{"interface": "public", "region_id": "A", "url": "http://a/compute/v2.1"}]},
            {"type": "volumev3", "endpoints": [{"interface": "public", "region_id": "A", "url": "http://a:8776/v3/p"}]},
            {"type": "key-manager", "endpoints": [{"interface": "public", "region_id": "A", "url": "nonsense"}]},
        ]);
        Token {
            value: Secret::new("t"),
            user_id: "u".into(),
            user_domain_id: None,
            project_id: Some("p".into()),
            domain_id: None,
            roles: Vec::new(),
            methods: Vec::new(),
            application_credential: false,
            trust_id: None,
            expires_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            renew_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            catalog: serde_json::from_value(catalog).unwrap(),
        }
    }

    #[test]
    fn type_region_and_interface_choose() {
        use Interface::{Internal, Public};
        let token = token();
        let table = [
            (Service::ORCHESTRATION, None, Public, "http://a:8004/v1/p"),
            (Service::ORCHESTRATION, Some("B"), Public, "http://b:8004/v1/p"),
            (Service::ORCHESTRATION, Some("A"), Internal, "http://i/heat/v1/p"),
            (Service::IMAGE, Some("A"), Public, "http://a:9292/v2"),
            (Service::NETWORK, None, Public, "http://a:9696/v2.0"),
            (Service::COMPUTE, None, Public, "http://a/compute/v2.1"),
            (Service::BLOCK_STORAGE, None, Public, "http://a:8776/v3/p"),
        ];
        for (service, region, interface, url) in table {
            let found = token
                .catalog
                .endpoint(service, region, interface, &token)
                .unwrap();
            assert_eq!(found.as_str(), url);
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let token = token();
        let endpoint = |service, region| {
            let error = token
                .catalog
                .endpoint(service, region, Interface::Public, &token)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            error.to_string()
        };
        assert_eq!(
            endpoint(Service::IMAGE, Some("B")),
            "the cloud has no public endpoint of Glance in region B"
        );
        assert_eq!(
            endpoint(Service::KEY_MANAGER, None),
            "the cloud's endpoint of Barbican is not a URL"
        );
    }
}
