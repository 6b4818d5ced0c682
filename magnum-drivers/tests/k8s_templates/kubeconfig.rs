//! What `kubectl` gets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use magnum_core::{ClientIdentity, Cluster, ClusterDriver as _, ErrorKind, Secret};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::kubernetes::*;
use crate::support::yaml;

fn identity() -> ClientIdentity {
    ClientIdentity {
        ca: "CA ä\n".into(),
        certificate: "CERT\n".into(),
        private_key: Secret::new("KEY\n"),
    }
}

fn cluster(name: &str, address: &str, tls: bool) -> Cluster {
    let mut cluster = kubernetes_cluster();
    name.clone_into(&mut cluster.name);
    cluster.api_address = Some(address.into());
    cluster.template.tls_disabled = !tls;
    cluster
}

fn config(cluster: &Cluster, identity: Option<&ClientIdentity>) -> Value {
    let made = driver().client_config(cluster, identity).unwrap();
    yaml(made.files["config"].expose())
}

fn expected(name: &str, address: &str, tls: bool) -> Value {
    let mut cluster = json!({"server": address});
    let mut user = json!({});
    if tls {
        cluster["certificate-authority-data"] = json!(STANDARD.encode("CA ä\n"));
        user = json!({
            "client-certificate-data": STANDARD.encode("CERT\n"), "client-key-data": STANDARD.encode("KEY\n"),
        });
    }
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn whatever_a_cluster_is_called_it_is_read_back(name in any::<String>(), address in any::<String>(), tls: bool) {
        let cluster = cluster(&name, &address, tls);
        prop_assert_eq!(config(&cluster, Some(&identity())), expected(&name, &address, tls));
    }
}

#[test]
fn values_that_yaml_takes_for_something_else() {
    for name in [
        "yes",
        "010",
        "1.10",
        "null",
        "~",
        "",
        "- a",
        "a: b",
        "#",
        "{{name}}",
        "\u{fffe}\u{ffff}\u{85}\0",
    ] {
        assert_eq!(
            config(&cluster(name, name, true), Some(&identity())),
            expected(name, name, true)
        );
    }
    let odd = driver()
        .client_config(&cluster("\u{fffe}\0", "x", false), None)
        .unwrap();
    let plain = |c: char| c == '\n' || (' '..='~').contains(&c);
    assert!(
        odd.files["config"].expose().chars().all(plain),
        "what is no character is escaped"
    );
}

#[test]
fn files_and_environment() {
    let made = driver()
        .client_config(
            &cluster("k8s", "https://172.24.4.5:6443", true),
            Some(&identity()),
        )
        .unwrap();
    let names: Vec<&str> = made.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["ca.pem", "cert.pem", "config", "key.pem"]);
    assert_eq!(made.files["key.pem"].expose(), "KEY\n");
    assert_eq!(made.environment["KUBECONFIG"], "{dir}/config");
    let open = driver()
        .client_config(
            &cluster("k8s", "http://172.24.4.5:8080", false),
            Some(&identity()),
        )
        .unwrap();
    assert_eq!(open.files.len(), 1);
    assert!(!open.files["config"].expose().contains("client-"));
}

#[test]
fn without_address_or_certificate_it_is_refused() {
    let mut cluster = cluster("k8s", "x", true);
    let refused = |cluster: &Cluster, identity: Option<&ClientIdentity>| {
        driver().client_config(cluster, identity).unwrap_err().kind()
    };
    assert_eq!(refused(&cluster, None), ErrorKind::InvalidInput);
    cluster.api_address = None;
    assert_eq!(refused(&cluster, Some(&identity())), ErrorKind::Conflict);
}
