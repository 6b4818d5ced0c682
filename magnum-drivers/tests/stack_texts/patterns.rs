//! The templates' patterns accept exactly what the drivers accept.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use magnum_core::{Cluster, Secret, TrustAccess};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::heat::check;
use crate::support::stacks::*;
use crate::support::yaml;

/// One of Kubernetes' drivers, which share their text, and the others.
const TEXTS: [&str; 3] = [ATOMIC, SWARM, MESOS];

static TOPS: LazyLock<BTreeMap<&str, Value>> = LazyLock::new(|| {
    let top = |driver| yaml(&driver_named(driver).definition().template().template);
    TEXTS.into_iter().map(|driver| (driver, top(driver))).collect()
});

/// Whether a driver's template takes a value.
fn accepts(driver: &str, parameter: &str, value: &str) -> bool {
    check(parameter, &TOPS[driver]["parameters"][parameter], &json!(value)).is_ok()
}

/// Whether its template has a parameter.
fn has(driver: &str, parameter: &str) -> bool {
    TOPS[driver]["parameters"].get(parameter).is_some()
}

/// Texts that are nearly right, or right, or neither.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("http://".to_owned()),
        Just("https://".to_owned()),
        "[a-z0-9.:/_~@%\\[\\]?=&*,+-]{0,6}",
        "[ -~]{0,2}",
        "\\PC{0,1}",
        Just("\n".to_owned()),
    ];
    prop_oneof![
        prop::collection::vec(piece.clone(), 0..6).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("http://{}", pieces.concat())),
        "(http://|https://)[a-zA-Z0-9._~:@%-]{1,12}/?",
        "[A-Za-z0-9.*:/_,-]{0,12}",
        "[A-Za-z0-9\\[][A-Za-z0-9._:\\[\\]-]{0,12}",
        "https://[A-Za-z0-9._~:/?=&%-]{230,260}",
    ]
}

type Set = fn(&mut Cluster, String);

const TENANTS: [(&str, &str, Set); 6] = [
    ("http_proxy", "http_proxy", |c, v| c.template.http_proxy = Some(v)),
    ("https_proxy", "https_proxy", |c, v| {
        c.template.https_proxy = Some(v)
    }),
    ("no_proxy", "no_proxy", |c, v| c.template.no_proxy = Some(v)),
    ("insecure_registry", "insecure_registry_url", |c, v| {
        c.template.insecure_registry = Some(v)
    }),
    ("discovery_url", "discovery_url", |c, v| c.discovery_url = Some(v)),
    ("fixed_subnet", "fixed_subnet", |c, v| {
        c.template.fixed_subnet = Some(v)
    }),
];

type SetTrust = fn(&mut TrustAccess, String);

const HOSTS: [(&str, SetTrust); 8] = [
    ("auth_url", |t, v| t.identity.auth_url = v),
    ("region_name", |t, v| t.identity.region = Some(v)),
    ("trustee_user_id", |t, v| t.user_id = v),
    ("trustee_username", |t, v| t.user_name = v),
    ("trust_id", |t, v| t.trust_id = v),
    ("trustee_password", |t, v| t.password = Secret::new(v)),
    ("trustee_domain_name", |t, v| {
        t.identity.trustee_domain_name = Some(v)
    }),
    ("trustee_domain_id", |t, v| t.identity.trustee_domain_id = Some(v)),
];

/// A cluster whose servers act under its trust.
fn trusting(driver: &str) -> Cluster {
    let mut cluster = cluster_of(driver);
    if driver == ATOMIC {
        label(&mut cluster, "cloud_provider_enabled", "true");
    } else {
        cluster.template.volume_driver = Some("rexray".into());
    }
    cluster
}

#[test]
fn every_text_has_the_parameters_that_are_compared() {
    let of_tenants = |driver| {
        TENANTS
            .iter()
            .filter(move |(_, name, _)| has(driver, name))
            .count()
    };
    let of_hosts = |driver| HOSTS.iter().filter(move |(name, _)| has(driver, name)).count();
    assert_eq!(TEXTS.map(of_tenants), [6, 6, 4]);
    assert_eq!(TEXTS.map(of_hosts), [8, 8, 5]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn tenants_values(value in text()) {
        // Nothing at all is none in the template, and not given at the driver.
        if value.is_empty() {
            return Ok(());
        }
        for name in TEXTS {
            let driver = driver_named(name);
            for (field, parameter, set) in TENANTS.into_iter().filter(|(_, parameter, _)| has(name, parameter)) {
                let mut cluster = cluster_of(name);
                set(&mut cluster, value.clone());
                let problems = driver.validate(&cluster.template, Some(&cluster));
                let refused = problems.iter().any(|problem| problem.field == field);
                prop_assert_eq!(!refused, accepts(name, parameter, &value), "{}: {}: {:?}", name, field, value);
            }
        }
    }

    #[test]
    fn what_the_host_sets(value in text()) {
        for name in TEXTS {
            let cluster = trusting(name);
            let driver = driver_named(name);
            let taken = |url: &str, credential: &str, trust: &TrustAccess| {
                let mut nodes = access(url, None);
                for (_, secret) in &mut nodes.credentials {
                    *secret = Secret::new(credential);
                }
                driver.stack_parameters(&cluster, Some(&nodes), Some(trust)).is_ok()
            };
            let good = "https://magnum.example";
            if has(name, "node_endpoint_url") {
                let non_empty = !value.is_empty();
                // A slash at the end is cut off.
                prop_assert_eq!(
                    taken(&value, "credential", &trust()),
                    non_empty && accepts(name, "node_endpoint_url", &value),
                    "{}: {:?}", name, value
                );
                prop_assert_eq!(
                    taken(good, &value, &trust()),
                    non_empty && accepts(name, "node_credential", &value),
                    "{}: {:?}", name, value
                );
            }
            for (parameter, set) in HOSTS.into_iter().filter(|(parameter, _)| has(name, parameter)) {
                let mut trust = trust();
                set(&mut trust, value.clone());
                // None is none in the template; who asks for the trust needs an address.
                let missing = parameter == "auth_url" && value.is_empty();
                prop_assert_eq!(
                    taken(good, "credential", &trust),
                    !missing && accepts(name, parameter, &value),
                    "{}: {}: {:?}", name, parameter, value
                );
            }
        }
    }
}
