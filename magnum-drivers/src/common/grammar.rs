//! Grammars of values that go into node scripts.
//!
//! Heat writes such a value into the script as it is, so each consists of characters that mean nothing there.
//! The templates' `allowed_pattern` say the same to Heat; here a value is refused before anything is made.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use magnum_core::{Error, ErrorKind, NodeAccess, PoolRole, Problem, Result, TemplateSpec, TrustAccess};

fn only(value: &str, punctuation: &str) -> bool {
    value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || punctuation.contains(c))
}

fn url_rest(value: &str) -> Option<&str> {
    let rest = value
        .strip_prefix("http://")
        .or_else(|| value.strip_prefix("https://"))?;
    (!rest.is_empty()).then_some(rest)
}

/// Whether a text can be the id, or a plain name, of something in the cloud.
pub(crate) fn is_name(value: &str) -> bool {
    !value.is_empty() && only(value, "._-")
}

fn is_proxy(value: &str) -> bool {
    url_rest(value)
        .map(|rest| rest.strip_suffix('/').unwrap_or(rest))
        .is_some_and(|rest| !rest.is_empty() && only(rest, "._~:@%[]-"))
}

/// Problems of the attributes that nodes of any driver get: proxies and registries.
pub(crate) fn problems(spec: &TemplateSpec) -> Vec<Problem> {
    const PROXY: &str =
        "must be http:// or https:// and a host, of letters, digits and . _ ~ : @ % [ ] - only";
    const NO_PROXY: &str = "must be names, addresses and networks, separated by commas";
    const REGISTRY: &str =
        "must be host:port, of letters, digits and . _ : [ ] - only, and begin with none of . _ : ] -";
    const DNS: &str = "must be addresses, separated by commas and nothing else";
    let addresses = |value: &str| value.split(',').all(|part| part.parse::<IpAddr>().is_ok());
    let no_proxy = |value: &str| only(value, ".*:/_,-");
    // With a dash at its beginning the name of an image would be an option of docker.
    let registry = |value: &str| only(value, "._:[]-") && !value.starts_with(['.', '_', ':', ']', '-']);
    let mut problems = Vec::new();
    let mut check = |field: &str, value: &Option<String>, fits: &dyn Fn(&str) -> bool, message: &str| {
        if let Some(value) = value.as_deref().filter(|v| !v.is_empty() && !fits(v)) {
            problems.push(Problem::new(field, value, message));
        }
    };
    check("dns_nameserver", &spec.dns_nameserver, &addresses, DNS);
    check("http_proxy", &spec.http_proxy, &is_proxy, PROXY);
    check("https_proxy", &spec.https_proxy, &is_proxy, PROXY);
    check("no_proxy", &spec.no_proxy, &no_proxy, NO_PROXY);
    check("insecure_registry", &spec.insecure_registry, &registry, REGISTRY);
    problems
}

/// Parameters of nodes that act under their cluster's trust. All are fit for a script, or it is refused.
///
/// # Errors
/// `Configuration` when there is no trust, or something of it cannot be written into a script. No secret is shown.
pub(crate) fn trust_access(trust: Option<&TrustAccess>) -> Result<Vec<(&'static str, String)>> {
    let refuse =
        |message: &str| Err(Error::new(ErrorKind::Configuration, message).at("driver", "trust access"));
    let Some(trust) = trust else {
        return refuse("nodes are to act under the cluster's trust, and it has none");
    };
    let identity = &trust.identity;
    if !url_rest(&identity.auth_url).is_some_and(|rest| only(rest, "._~:/[]-")) {
        return refuse("Keystone's URL must be http:// or https:// and letters, digits and . _ ~ : / [ ] -");
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (region, domain_id, domain_name) = (
        text(&identity.region),
        text(&identity.trustee_domain_id),
        text(&identity.trustee_domain_name),
    );
    if ![&region, &domain_name]
        .into_iter()
        .all(|value| only(value, "._-"))
    {
        return refuse("the names of region and trustee domain must consist of letters, digits and . _ -");
    }
    let ids = [&trust.user_id, &trust.trust_id, &domain_id];
    if !ids.into_iter().all(|value| only(value, "_-")) || !only(&trust.user_name, "._-") {
        return refuse("ids and names of trustee and trust must consist of letters, digits and . _ -");
    }
    if !only(trust.password.expose(), "._~+/=-") {
        return refuse("the trustee's password must consist of letters, digits and . _ ~ + / = -");
    }
    Ok(vec![
        ("auth_url", identity.auth_url.clone()),
        (
            "openstack_ca",
            STANDARD.encode(identity.ca.as_deref().unwrap_or_default()),
        ),
        ("region_name", region),
        ("trustee_user_id", trust.user_id.clone()),
        ("trustee_username", trust.user_name.clone()),
        ("trustee_domain_id", domain_id),
        ("trustee_domain_name", domain_name),
        ("trustee_password", trust.password.expose().to_owned()),
        ("trust_id", trust.trust_id.clone()),
    ])
}

/// The parameters by which nodes of a role reach the library: URL, certificate authorities in base64, and what their
/// credentials are made of.
///
/// # Errors
/// `Configuration` when one is missing or cannot be written into a script. No value is shown.
pub(crate) fn node_access(nodes: Option<&NodeAccess>, role: PoolRole) -> Result<[(&'static str, String); 3]> {
    let refuse =
        |message: &str| Err(Error::new(ErrorKind::Configuration, message).at("driver", "node access"));
    let Some(nodes) = nodes else {
        return refuse(
            "nodes need the node endpoint for their certificates, and none is configured; or disable TLS",
        );
    };
    if !url_rest(&nodes.url).is_some_and(|rest| only(rest, "._~:/[]-")) {
        return refuse(
            "the node endpoint's URL must be http:// or https:// and letters, digits and . _ ~ : / [ ] -",
        );
    }
    let Some(credential) = nodes
        .credential(role)
        .map(|c| c.expose())
        .filter(|c| !c.is_empty())
    else {
        return refuse("there is no secret that the credentials of nodes are made of");
    };
    if !only(credential, "._~+/=-") {
        return refuse(
            "the secret of the nodes' credentials must consist of letters, digits and . _ ~ + / = -",
        );
    }
    Ok([
        ("node_endpoint_url", nodes.url.trim_end_matches('/').to_owned()),
        (
            "node_endpoint_ca",
            STANDARD.encode(nodes.ca.as_deref().unwrap_or_default()),
        ),
        ("node_credential", credential.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use magnum_core::Secret;

    use super::*;

    #[test]
    fn proxies_are_urls_without_anything_a_shell_reads() {
        for good in [
            "http://proxy:3128",
            "https://user:p%40ss@[2001:db8::1]:3128/",
            "http://10.0.0.1:3128",
        ] {
            assert!(is_proxy(good), "{good}");
        }
        for bad in [
            "",
            "proxy:3128",
            "http://",
            "http:///",
            "http://a'b",
            "http://a$b",
            "http://a b",
            "http://a/b",
            "http://a\nb",
            "ftp://a",
            "http://a\\b",
            "http://a\"b",
            "http://a`b",
        ] {
            assert!(!is_proxy(bad), "{bad}");
        }
    }

    #[test]
    fn every_bad_attribute_is_named() {
        let spec = TemplateSpec {
            http_proxy: Some("x".into()),
            https_proxy: Some("http://$(id)".into()),
            no_proxy: Some("a b".into()),
            insecure_registry: Some("a/b".into()),
            ..TemplateSpec::default()
        };
        let fields: Vec<String> = problems(&spec).into_iter().map(|p| p.field).collect();
        assert_eq!(
            fields,
            ["http_proxy", "https_proxy", "no_proxy", "insecure_registry"]
        );
        assert_eq!(problems(&TemplateSpec::default()), []);
    }

    #[test]
    fn an_unfit_credential_is_refused_and_not_shown() {
        let nodes = |secret: &str| NodeAccess {
            url: "https://magnum.example/v1/clusters/x".into(),
            ca: None,
            credentials: vec![(PoolRole::Worker, Secret::new(secret))],
        };
        let error = node_access(Some(&nodes("it's")), PoolRole::Worker).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(!format!("{error} {error:?}").contains("it's"));
        assert!(node_access(Some(&nodes("")), PoolRole::Worker).is_err());
        assert!(node_access(Some(&nodes("good")), PoolRole::Master).is_err());
        assert!(node_access(Some(&nodes("good")), PoolRole::Worker).is_ok());
        assert!(node_access(None, PoolRole::Worker).is_err());
    }
}
