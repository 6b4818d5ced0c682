//! The template's patterns accept exactly what the driver accepts.

use magnum_core::{Cluster, ClusterDriver as _, Secret};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::heat::check;
use crate::support::kubernetes::*;
use crate::support::yaml;

fn accepts(parameter: &str, value: &str) -> bool {
    use std::sync::LazyLock;
    static TOP: LazyLock<Value> = LazyLock::new(|| yaml(&kubernetes_template().template));
    check(parameter, &TOP["parameters"][parameter], &json!(value)).is_ok()
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn tenants_values(value in text()) {
        // Nothing at all is none in the template, and not given at the driver.
        if value.is_empty() {
            return Ok(());
        }
        let driver = driver();
        for (field, parameter, set) in TENANTS {
            let mut cluster = kubernetes_cluster();
            set(&mut cluster, value.clone());
            let problems = driver.validate(&cluster.template, Some(&cluster));
            let refused = problems.iter().any(|problem| problem.field == field);
            prop_assert_eq!(!refused, accepts(parameter, &value), "{}: {:?}", field, value);
        }
    }

    #[test]
    fn what_the_host_sets(value in text()) {
        let driver = driver();
        let mut cluster = kubernetes_cluster();
        label(&mut cluster, "cloud_provider_enabled", "true");
        let taken = |url: &str, credential: &str, change: &dyn Fn(&mut magnum_core::TrustAccess)| {
            let mut nodes = access(url, None);
            for (_, secret) in &mut nodes.credentials {
                *secret = Secret::new(credential);
            }
            let mut trust = trust();
            change(&mut trust);
            driver.stack_parameters(&cluster, Some(&nodes), Some(&trust)).is_ok()
        };
        let good = "https://magnum.example";
        let non_empty = !value.is_empty();
        let with = |change: &dyn Fn(&mut magnum_core::TrustAccess)| taken(good, "credential", change);
        let v = || value.clone();
        // A slash at the end is cut off.
        prop_assert_eq!(taken(&value, "credential", &|_| {}), non_empty && accepts("node_endpoint_url", &value), "{:?}", value);
        prop_assert_eq!(taken(good, &value, &|_| {}), non_empty && accepts("node_credential", &value), "{:?}", value);
        prop_assert_eq!(with(&|t| t.identity.auth_url = v()), non_empty && accepts("auth_url", &value), "{:?}", value);
        prop_assert_eq!(with(&|t| t.identity.region = Some(v())), accepts("region_name", &value), "{:?}", value);
        prop_assert_eq!(with(&|t| t.user_id = v()), accepts("trustee_user_id", &value), "{:?}", value);
        prop_assert_eq!(with(&|t| t.user_name = v()), accepts("trustee_username", &value), "{:?}", value);
        prop_assert_eq!(with(&|t| t.trust_id = v()), accepts("trust_id", &value), "{:?}", value);
        prop_assert_eq!(with(&|t| t.password = Secret::new(v())), accepts("trustee_password", &value), "{:?}", value);
        prop_assert_eq!(with(&|t| t.identity.trustee_domain_name = Some(v())), accepts("trustee_domain_name", &value), "{:?}", value);
        prop_assert_eq!(with(&|t| t.identity.trustee_domain_id = Some(v())), accepts("trustee_domain_id", &value), "{:?}", value);
    }
}
