//! How the members of etcd find each other.

use std::collections::BTreeMap;

use crate::ENDPOINT;
use crate::support::authority::endpoint_url;
use crate::support::kubernetes::*;

fn etcd(cluster: &magnum_core::Cluster, index: u32) -> BTreeMap<String, String> {
    let master = KubeServer::new(cluster, Role::Master(index), &ENDPOINT);
    master.configures();
    assert_eq!(master.mode("/etc/etcd/etcd.conf"), 0o600);
    assert_eq!(master.mode("/var/lib/etcd"), 0o700);
    master.variables("/etc/etcd/etcd.conf")
}

#[test]
fn members_know_each_other_by_address() {
    for count in [1, 3] {
        let mut cluster = kubernetes_cluster();
        masters(&mut cluster, count);
        let all: Vec<String> = (0..count)
            .map(|i| format!("{0}=https://{0}:2380", private_address(i)))
            .collect();
        let last = count - 1;
        let own = private_address(last);
        let certs = |kind: &str| {
            [
                (
                    format!("{kind}_CERT_FILE"),
                    "/etc/etcd/certs/server.crt".to_owned(),
                ),
                (
                    format!("{kind}_KEY_FILE"),
                    "/etc/etcd/certs/server.key".to_owned(),
                ),
                (
                    format!("{kind}_TRUSTED_CA_FILE"),
                    "/etc/etcd/certs/ca.crt".to_owned(),
                ),
                (format!("{kind}_CLIENT_CERT_AUTH"), "true".to_owned()),
            ]
        };
        let mut expected: BTreeMap<String, String> = [
            ("ETCD_NAME", own.clone()),
            ("ETCD_DATA_DIR", "/var/lib/etcd/default.etcd".into()),
            ("ETCD_LISTEN_CLIENT_URLS", "https://127.0.0.1:2379".into()),
            ("ETCD_ADVERTISE_CLIENT_URLS", "https://127.0.0.1:2379".into()),
            ("ETCD_LISTEN_PEER_URLS", format!("https://{own}:2380")),
            ("ETCD_INITIAL_ADVERTISE_PEER_URLS", format!("https://{own}:2380")),
            ("ETCD_INITIAL_CLUSTER", all.join(",")),
            ("ETCD_INITIAL_CLUSTER_STATE", "new".into()),
            ("ETCD_INITIAL_CLUSTER_TOKEN", cluster.id.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        expected.extend(certs("ETCD"));
        expected.extend(certs("ETCD_PEER"));
        assert_eq!(etcd(&cluster, last), expected);
    }
}

#[test]
fn members_find_each_other_by_a_discovery_service() {
    let mut cluster = kubernetes_cluster();
    masters(&mut cluster, 3);
    let url = "https://discovery.example/v2/keys?x=[1]&y=%20~a-b";
    cluster.discovery_url = Some(url.into());
    cluster.template.http_proxy = Some("http://proxy.example:3128".into());
    // The endpoint of this test is on loopback, which goes without a proxy.
    let found = etcd(&cluster, 0);
    assert_eq!(found["ETCD_DISCOVERY"], url);
    assert_eq!(found["ETCD_DISCOVERY_PROXY"], "http://proxy.example:3128");
    assert!(
        !found.keys().any(|key| key.starts_with("ETCD_INITIAL_CLUSTER")),
        "{found:?}"
    );
}

#[test]
fn the_endpoints_own_discovery_is_verified_by_the_endpoints_authority() {
    let mut cluster = kubernetes_cluster();
    let base = endpoint_url(&ENDPOINT.server);
    let (base, _) = base.split_once("/v1/clusters/").unwrap();
    let own = format!("{base}/v1/discovery/{}/token_-", cluster.id);
    let authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (url, ca, verified) in [
        (own.as_str(), Some(authority), true),
        (&own, None, false),
        ("https://discovery.example/v1/discovery/x", Some(authority), false),
    ] {
        cluster.discovery_url = Some(url.into());
        let master = KubeServer::with(
            &cluster,
            Role::Master(0),
            &endpoint_url(&ENDPOINT.server),
            |cloud| {
                cloud.nodes.ca = ca.map(Into::into);
            },
        );
        master.configures();
        let found = master.variables("/etc/etcd/etcd.conf");
        assert_eq!(found["ETCD_DISCOVERY"], url);
        let file = "/etc/etcd/discovery-ca.crt";
        assert_eq!(
            found.get("SSL_CERT_FILE").map(String::as_str),
            verified.then_some(file)
        );
        assert_eq!(master.path(file).exists(), verified);
        if verified {
            assert_eq!(master.read(file), authority);
        }
    }
}
