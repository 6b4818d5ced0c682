//! New certificates on a server that runs.

use std::process::Command;

use crate::new_endpoint;
use crate::support::kubernetes::*;
use crate::support::policy::{MASTER_CREDENTIAL, MASTER_TOKEN, WORKER_TOKEN, credential_of};

const CA: &str = "/etc/kubernetes/certs/ca.crt";
const TAKEN: &str = "/var/lib/magnum/taken";

fn certificates_in(pem: &str) -> usize {
    pem.matches("BEGIN CERTIFICATE").count()
}

/// Whether the newest authority, which is the first, has signed it.
fn is_new(server: &KubeServer, certificate: &str, ca: &str) -> bool {
    let first = server.beside("first.pem");
    let cut = Command::new("openssl")
        .arg("x509")
        .arg("-in")
        .arg(server.path(ca))
        .arg("-out")
        .arg(&first)
        .status();
    assert!(cut.unwrap().success());
    let verified = Command::new("openssl")
        .args(["verify", "-CAfile"])
        .arg(first)
        .arg(server.path(certificate))
        .output()
        .unwrap();
    verified.status.success()
}

fn restarts(server: &KubeServer) -> Vec<String> {
    let all = server
        .commands()
        .into_iter()
        .filter(|call| call.contains(" restart "));
    all.map(|call| call.rsplit(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn nothing_new_changes_nothing() {
    let endpoint = new_endpoint();
    for role in crate::BOTH {
        let server = KubeServer::new(&kubernetes_cluster(), role, &endpoint);
        server.configures();
        endpoint.server.forget();
        server.succeeds(&server.renew());
        assert!(endpoint.server.asked("/").is_empty(), "it is not set up yet");
        server.starts();
        let before = server.snapshot();
        server.forget();
        server.succeeds(&server.renew());
        assert_eq!(server.snapshot(), before);
        let asked = endpoint.server.asked("/");
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(
            (asked[0].method.as_str(), asked[0].path.as_str()),
            ("GET", "/v1/clusters/c/certificates")
        );
        let token = [MASTER_TOKEN, WORKER_TOKEN][usize::from(matches!(role, Role::Minion(_)))];
        assert!(
            asked[0].has_header(&format!("Authorization: Bearer {token}")),
            "{asked:?}"
        );
        assert!(restarts(&server).is_empty() && server.signals().is_empty());
    }
}

#[test]
fn a_new_authority_is_taken_and_told() {
    for driver in KUBERNETES {
        let endpoint = new_endpoint();
        let servers = crate::BOTH.map(|role| KubeServer::new(&cluster_of(driver), role, &endpoint));
        servers.iter().for_each(|server| server.comes_up());
        for name in ["ca", "etcd"] {
            endpoint.authority(name).rotate();
        }
        endpoint.set_version("1");
        for server in &servers {
            let pods = server.read("/etc/kubernetes/manifests/kube-proxy.yaml");
            let addons = "/etc/kubernetes/addons/dns.yaml";
            let services = server.path(addons).exists().then(|| server.read(addons));
            server.forget();
            endpoint.server.forget();
            server.succeeds(&server.renew());
            assert_eq!(certificates_in(&server.read(CA)), 2);
            let mut certificates = vec![("/etc/kubernetes/certs/kubelet.crt", CA)];
            let mut units = vec!["kubelet.service", "flanneld.service"];
            if matches!(server.role, Role::Master(_)) {
                certificates.push(("/etc/kubernetes/certs/server.crt", CA));
                certificates.push(("/etc/etcd/certs/server.crt", "/etc/etcd/certs/ca.crt"));
                if driver != COREOS {
                    units.insert(0, "kube-apiserver.service");
                }
                units.insert(0, "etcd.service");
            }
            for (certificate, ca) in certificates {
                assert!(is_new(server, certificate, ca), "{driver} {certificate}");
            }
            assert_eq!(restarts(server), units, "{driver}");
            let anew = server.read("/etc/kubernetes/manifests/kube-proxy.yaml");
            assert_ne!(pods, anew, "the pod is made anew");
            assert_eq!(services.is_some(), matches!(server.role, Role::Master(_)));
            if let Some(services) = services {
                assert_ne!(
                    services,
                    server.read(addons),
                    "the cluster's own pods are made anew"
                );
                let mut calls = server.commands().into_iter();
                assert!(calls.any(|call| call.contains(" apply --filename=")));
            }
            let told = endpoint.server.asked("/").pop().unwrap();
            assert_eq!(
                (told.method.as_str(), told.body.as_str()),
                ("PUT", "1"),
                "told when all runs with it"
            );
            assert!(server.read(TAKEN).starts_with("1 "));
            assert!(server.signals().is_empty(), "the stack hears nothing of it");

            server.forget();
            let settled = server.snapshot();
            server.succeeds(&server.renew());
            assert_eq!(server.snapshot(), settled);
            assert!(restarts(server).is_empty());
        }
    }
}

/// Whatever fails, the next time all of it is done, and nothing is told before.
#[test]
fn a_renewal_that_failed_is_repeated() {
    let endpoint = new_endpoint();
    for role in crate::BOTH {
        let server = KubeServer::new(&kubernetes_cluster(), role, &endpoint);
        endpoint.set_version("0");
        server.comes_up();
        endpoint.set_version("7");
        server.forget();
        endpoint.server.forget();
        server.fail_call("systemctl restart kubelet.service");
        assert!(!server.renew().status.success());
        assert!(
            endpoint
                .server
                .asked("/")
                .iter()
                .all(|asked| asked.method != "PUT")
        );
        assert!(server.signals().is_empty(), "the stack hears nothing of it");
        server.fail_call("none");
        server.forget();
        server.succeeds(&server.renew());
        assert!(restarts(&server).contains(&"kubelet.service".to_owned()));
        assert!(server.read(TAKEN).starts_with("7 "));
    }
}

#[test]
fn certificates_that_have_grown_old_are_renewed() {
    let endpoint = new_endpoint();
    let server = KubeServer::new(&kubernetes_cluster(), crate::BOTH[1], &endpoint);
    server.comes_up();
    let before = server.read("/etc/kubernetes/certs/kubelet.crt");
    endpoint.set_version("0 renew");
    server.succeeds(&server.renew());
    let renewed = server.read("/etc/kubernetes/certs/kubelet.crt");
    assert_ne!(renewed, before);
    endpoint.set_version("0");
    server.succeeds(&server.renew());
    assert_eq!(server.read("/etc/kubernetes/certs/kubelet.crt"), renewed, "once");
}

/// The token is renewed each week; one that has expired is not the end while servers are being changed.
#[test]
fn the_token_is_renewed() {
    let endpoint = new_endpoint();
    let server = KubeServer::new(&kubernetes_cluster(), crate::BOTH[0], &endpoint);
    server.comes_up();
    let token = "/var/lib/magnum/token";
    assert_eq!(server.mode(token), 0o600);
    let aged = Command::new("touch")
        .args(["--date", "8 days ago"])
        .arg(server.path(token))
        .status();
    assert!(aged.unwrap().success());
    endpoint.server.forget();
    server.succeeds(&server.renew());
    assert_eq!(endpoint.server.asked("/v1/clusters/c/token").len(), 1);

    server.write(token, "expired");
    endpoint.server.forget();
    server.succeeds(&server.renew());
    let asked = endpoint.server.asked("/");
    assert!(asked[0].has_header("Authorization: Bearer expired"));
    assert!(asked[1].has_header(&format!(
        "Authorization: Bearer {}",
        credential_of(0, MASTER_CREDENTIAL)
    )));
}

/// The power went between the key and its certificate.
#[test]
fn a_pair_that_was_torn_is_made_whole() {
    let endpoint = new_endpoint();
    let server = KubeServer::new(&kubernetes_cluster(), crate::BOTH[1], &endpoint);
    server.comes_up();
    let key = "/etc/kubernetes/certs/kubelet.key";
    server.write(key, &server.read("/etc/kubernetes/certs/proxy.key"));
    let fits = || {
        let public = |arguments: &[&str], path: &str| {
            let output = Command::new("openssl")
                .args(arguments)
                .arg("-in")
                .arg(server.path(path))
                .output();
            output.unwrap().stdout
        };
        public(&["pkey", "-pubout"], key)
            == public(
                &["x509", "-noout", "-pubkey"],
                "/etc/kubernetes/certs/kubelet.crt",
            )
    };
    assert!(!fits());
    server.forget();
    server.succeeds(&server.renew());
    assert!(fits());
    assert!(restarts(&server).contains(&"kubelet.service".to_owned()));
}

/// A master that is told to wait asks again, and takes nothing before.
#[test]
fn a_master_waits_for_its_turn() {
    let endpoint = new_endpoint();
    let server = KubeServer::new(&kubernetes_cluster(), crate::BOTH[0], &endpoint);
    server.comes_up();
    endpoint.authority("ca").rotate();
    // Not for ever in one run: the next one renews the token first, where that is due.
    endpoint.set_turn(1_000, "1");
    let before = server.snapshot();
    server.succeeds(&server.renew());
    assert_eq!(server.snapshot(), before);
    endpoint.set_turn(2, "1");
    server.forget();
    endpoint.server.forget();
    server.succeeds(&server.renew());
    let asked = endpoint.server.asked("/v1/clusters/c/certificates");
    let turns = asked.iter().take_while(|asked| asked.method == "GET").count();
    assert_eq!(turns, 3, "{asked:?}");
    assert_eq!(certificates_in(&server.read(CA)), 2);
    assert_eq!(asked.last().unwrap().body, "1");
    assert_eq!(
        server
            .commands()
            .iter()
            .filter(|call| call.as_str() == "sleep 30")
            .count(),
        2
    );
}
