//! What servers know of the cloud: Kubernetes' provider, and the registry on Swift.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::json;

use crate::support::authority::endpoint_url;
use crate::support::kubernetes::*;
use crate::support::yaml;
use crate::{BOTH, ENDPOINT};

const CONFIG: &str = "/etc/kubernetes/kube_openstack_config";
const CA: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// Sections of `key="value"` or `key=value`, as Kubernetes reads them.
fn ini(text: &str) -> Sections {
    let mut sections = Sections::new();
    let mut section = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{line}"));
            let value = value
                .strip_prefix('"')
                .and_then(|v| v.strip_suffix('"'))
                .unwrap_or(value);
            assert!(!value.contains(['"', '\\']), "{line}");
            sections
                .entry(section.clone())
                .or_default()
                .insert(key.into(), value.into());
        }
    }
    sections
}

fn provided() -> magnum_core::Cluster {
    let mut cluster = kubernetes_cluster();
    cluster.template.tls_disabled = true;
    label(&mut cluster, "cloud_provider_enabled", "true");
    cluster
}

#[test]
fn without_the_cloud_provider_no_server_has_the_trust() {
    for role in BOTH {
        let server = KubeServer::new(&kubernetes_cluster(), role, &ENDPOINT);
        server.configures();
        let script = server.read(PROGRAM);
        assert!(!script.contains(TRUSTEE_PASSWORD) && !script.contains(TRUST));
        assert!(!server.path(CONFIG).exists());
        let kubelet = server.arguments("/etc/kubernetes/kubelet");
        assert!(!kubelet.iter().any(|a| a.contains("cloud")), "{kubelet:?}");
    }
}

#[test]
fn the_cloud_provider_acts_under_the_trust() {
    for (ca, region) in [(None, None), (Some(CA), Some("RegionOne"))] {
        for role in BOTH {
            let server = KubeServer::with(&provided(), role, &endpoint_url(&ENDPOINT.server), |cloud| {
                cloud.trust.identity.ca = ca.map(ToOwned::to_owned);
                cloud.trust.identity.region = region.map(ToOwned::to_owned);
            });
            server.comes_up();
            let mut global = json!({
                "auth-url": "https://keystone.example:5000/v3",
                "user-id": "trustee0123456789",
                "password": TRUSTEE_PASSWORD,
                "trust-id": TRUST,
            });
            if let Some(region) = region {
                global["region"] = json!(region);
            }
            if let Some(ca) = ca {
                global["ca-file"] = json!("/etc/kubernetes/openstack-ca.crt");
                assert_eq!(server.read("/etc/kubernetes/openstack-ca.crt"), ca);
                assert_eq!(server.mode("/etc/kubernetes/openstack-ca.crt"), 0o644);
            }
            assert_eq!(
                json!(ini(&server.plain(CONFIG))),
                json!({"Global": global, "LoadBalancer": {
                    "use-octavia": "true", "subnet-id": SUBNET, "floating-network-id": "public",
                    "create-monitor": "yes", "monitor-delay": "1m", "monitor-timeout": "30s",
                    "monitor-max-retries": "3",
                }})
            );
            assert_eq!(server.mode(CONFIG), 0o600);
            let wanted = [
                "--cloud-provider=openstack".to_owned(),
                format!("--cloud-config={CONFIG}"),
            ];
            let mut all = vec![server.arguments("/etc/kubernetes/kubelet")];
            if role == Role::Master(0) {
                all.push(server.arguments("/etc/kubernetes/apiserver"));
                all.push(server.pod_arguments("kube-controller-manager"));
            }
            for arguments in all {
                assert!(wanted.iter().all(|w| arguments.contains(w)), "{arguments:?}");
            }
        }
    }
}

#[test]
fn in_an_existing_network_the_subnet_is_the_given_one() {
    let mut cluster = provided();
    cluster.template.fixed_network = Some("fixed-network-id".into());
    cluster.template.fixed_subnet = Some("fixed-subnet-id".into());
    for role in BOTH {
        let server = KubeServer::new(&cluster, role, &ENDPOINT);
        server.configures();
        let sections = ini(&server.plain(CONFIG));
        assert_eq!(sections["LoadBalancer"]["subnet-id"], "fixed-subnet-id");
    }
}

#[test]
fn the_registry_keeps_its_images_in_swift() {
    for (ca, region, insecure) in [
        (None, None, None),
        (Some(CA), Some("RegionOne"), Some("registry.example:5000")),
    ] {
        let mut cluster = provided();
        cluster.template.registry_enabled = true;
        cluster.template.insecure_registry = insecure.map(ToOwned::to_owned);
        let server = KubeServer::with(
            &cluster,
            Role::Minion(0),
            &endpoint_url(&ENDPOINT.server),
            |cloud| {
                cloud.trust.identity.ca = ca.map(ToOwned::to_owned);
                cloud.trust.identity.region = region.map(ToOwned::to_owned);
            },
        );
        server.comes_up();
        let file = "/etc/sysconfig/registry-config.yml";
        assert_eq!(server.mode(file), 0o600);
        let mut swift = json!({
            "authurl": "https://keystone.example:5000/v3", "username": "04952c60_trustee",
            "password": TRUSTEE_PASSWORD, "trustid": TRUST, "container": "docker_registry",
            "domain": "magnum", "chunksize": 5_242_880,
        });
        if let Some(region) = region {
            swift["region"] = json!(region);
        }
        assert_eq!(
            yaml(&server.read(file)),
            json!({
                "version": 0.1,
                "storage": {"cache": {"blobdescriptor": "inmemory"}, "swift": swift},
                "http": {"addr": ":5000"},
            })
        );
        let unit = server.plain("/etc/systemd/system/registry.service");
        assert!(unit.contains("-p 127.0.0.1:5000:5000"), "{unit}");
        let image = insecure.map_or("docker.io/library/registry:2.7.1".to_owned(), |host| {
            format!("{host}/google_containers/registry:2.7.1")
        });
        assert!(unit.contains(&format!(" {image}\n")), "{unit}");
        assert_eq!(unit.contains("openstack-ca.crt"), ca.is_some(), "{unit}");
        assert!(
            server
                .commands_of("systemctl")
                .contains(&"systemctl --no-block restart registry.service".to_owned())
        );
    }
    let plain = KubeServer::new(&provided(), Role::Minion(0), &ENDPOINT);
    plain.comes_up();
    assert!(!plain.path("/etc/systemd/system/registry.service").exists());
    assert!(!plain.commands().iter().any(|c| c.contains("registry.service")));
}

#[test]
fn a_certificate_authority_that_is_no_base64_fails_the_server() {
    let whole = base64::engine::general_purpose::STANDARD.encode(CA);
    let server = KubeServer::with(
        &provided(),
        Role::Master(0),
        &endpoint_url(&ENDPOINT.server),
        |cloud| {
            cloud.trust.identity.ca = Some(CA.into());
        },
    );
    let path = server.beside("user-data");
    let script = std::fs::read_to_string(&path).unwrap();
    assert!(script.contains(&whole));
    std::fs::write(&path, script.replace(&whole, "AAAA=AAA=A")).unwrap();
    let reason = server.reason(&server.configure());
    assert_eq!(
        reason,
        "configure Kubernetes: the certificate authority of the cloud is not base64"
    );
}
