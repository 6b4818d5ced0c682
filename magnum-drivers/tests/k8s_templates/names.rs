//! Names of servers.

use std::sync::LazyLock;

use magnum_core::Cluster;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::heat::check;
use crate::support::kubernetes::*;
use crate::support::yaml;

fn prefix(cluster: &Cluster) -> String {
    let sent = driver()
        .stack_parameters(cluster, Some(&access("https://magnum.example", None)), None)
        .unwrap();
    sent["node_prefix"].as_str().unwrap().to_owned()
}

fn named(name: &str) -> Cluster {
    let mut cluster = kubernetes_cluster();
    name.clone_into(&mut cluster.name);
    cluster
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn every_clusters_servers_have_short_host_names(
        name in prop_oneof!["[A-Za-z][A-Za-z0-9_.-]{0,60}", "[A-Za-z][A-Za-z0-9_.-]{200,241}", "\\PC{0,40}"]
    ) {
        let prefix = prefix(&named(&name));
        static TOP: LazyLock<Value> = LazyLock::new(|| yaml(&kubernetes_template().template));
        prop_assert!(check("node_prefix", &TOP["parameters"]["node_prefix"], &json!(prefix)).is_ok(), "{}", prefix);
        for server in [format!("{prefix}-master-8"), format!("{prefix}-minion-99999")] {
            prop_assert!(server.len() <= 52, "{}", server);
            prop_assert!(server.starts_with(|c: char| c.is_ascii_lowercase()), "{}", server);
            prop_assert!(!server.ends_with('-'), "{}", server);
            prop_assert!(server.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", server);
        }
        prop_assert!(prefix.ends_with("-04952c60"), "{}", prefix);
    }
}

#[test]
fn names_are_readable() {
    for (name, expected) in [
        ("k8s", "k8s-04952c60"),
        ("My_Cluster.1", "my-cluster-1-04952c60"),
        ("a---", "a-04952c60"),
        ("___", "c-04952c60"),
        ("", "c-04952c60"),
        ("1st", "c1st-04952c60"),
    ] {
        assert_eq!(prefix(&named(name)), expected);
    }
}
