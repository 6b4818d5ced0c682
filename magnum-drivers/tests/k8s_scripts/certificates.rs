//! Keys and certificates on servers.

use std::process::Command;

use crate::support::kubernetes::*;
use crate::{BOTH, new_endpoint};

/// openssl's words.
fn openssl(arguments: &[&str], path: &std::path::Path) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .arg("-in")
        .arg(path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A certificate with its key: subject, names and usages.
fn certificate(server: &KubeServer, stem: &str, ca: &str) -> (String, Vec<String>, String) {
    let (key, certificate) = (format!("{stem}.key"), format!("{stem}.crt"));
    assert_eq!(server.mode(&key), 0o600, "{key}");
    assert_eq!(server.mode(&certificate), 0o644, "{certificate}");
    let path = server.path(&certificate);
    assert_eq!(
        openssl(&["pkey", "-pubout"], &server.path(&key)),
        openssl(&["x509", "-noout", "-pubkey"], &path)
    );
    let verified = Command::new("openssl")
        .args(["verify", "-CAfile"])
        .arg(server.path(ca))
        .arg(&path)
        .output()
        .unwrap();
    assert!(verified.status.success(), "{stem} under {ca}");
    let subject = openssl(&["x509", "-noout", "-subject", "-nameopt", "RFC2253"], &path);
    let text = openssl(&["x509", "-noout", "-text"], &path);
    let after = |title: &str| {
        let mut lines = text.lines().skip_while(|l| !l.contains(title)).skip(1);
        lines.next().unwrap_or_default().trim().to_owned()
    };
    let names = after("Subject Alternative Name");
    let mut names: Vec<String> = names
        .split(", ")
        .filter(|n| !n.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    names.sort();
    (
        subject.trim().trim_start_matches("subject=").to_owned(),
        names,
        after("Extended Key Usage"),
    )
}

const BOTH_USAGES: &str = "TLS Web Server Authentication, TLS Web Client Authentication";
const CLUSTER_CA: &str = "/etc/kubernetes/certs/ca.crt";

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.sort();
    names
}

#[test]
fn a_master_has_five_certificates_and_a_shared_key() {
    let endpoint = new_endpoint();
    let mut cluster = kubernetes_cluster();
    masters(&mut cluster, 3);
    let server = KubeServer::new(&cluster, Role::Master(1), &endpoint);
    server.configures();
    assert_eq!(endpoint.asked_for(), ["server", "kubelet", "admin", "etcd"]);
    assert_eq!(server.mode("/etc/kubernetes/certs"), 0o700);
    assert_eq!(server.mode("/etc/etcd/certs"), 0o700);

    let (subject, names, usages) = certificate(&server, "/etc/kubernetes/certs/server", CLUSTER_CA);
    assert_eq!(subject, "CN=master.cluster");
    assert_eq!(usages, "TLS Web Server Authentication");
    let (own, floating) = (private_address(1), public_address(1));
    let ip = |address: &str| format!("IP Address:{address}");
    let addresses: Vec<String> = [
        &own,
        &floating,
        "127.0.0.1",
        "10.254.0.1",
        LOAD_BALANCER,
        LOAD_BALANCER_FLOATING,
    ]
    .map(ip)
    .into();
    let mut expected: Vec<&str> = addresses.iter().map(String::as_str).collect();
    expected.extend([
        "DNS:kubernetes",
        "DNS:kubernetes.default",
        "DNS:kubernetes.default.svc",
        "DNS:kubernetes.default.svc.cluster.local",
    ]);
    assert_eq!(names, sorted(&expected));

    let (subject, names, usages) = certificate(&server, "/etc/kubernetes/certs/kubelet", CLUSTER_CA);
    assert_eq!(subject, "CN=system:node:k8s-04952c60-master-1,O=system:nodes");
    assert_eq!(
        names,
        sorted(&[&ip(&own), &ip(&floating), "DNS:k8s-04952c60-master-1"])
    );
    assert_eq!(usages, BOTH_USAGES);

    let (subject, names, usages) = certificate(&server, "/etc/kubernetes/certs/admin", CLUSTER_CA);
    assert_eq!(subject, "CN=kubernetes-master,O=system:masters");
    assert!(names.is_empty(), "{names:?}");
    assert_eq!(usages, "TLS Web Client Authentication");

    let (subject, names, usages) = certificate(&server, "/etc/etcd/certs/server", "/etc/etcd/certs/ca.crt");
    assert_eq!(subject, "CN=master.cluster");
    assert_eq!(names, sorted(&[&ip(&own), &ip("127.0.0.1")]));
    assert_eq!(usages, BOTH_USAGES);
    assert_ne!(
        server.read("/etc/etcd/certs/ca.crt"),
        server.read(CLUSTER_CA),
        "etcd has its own authority"
    );

    assert_eq!(server.mode("/etc/kubernetes/certs/service_account.key"), 0o600);
    let shared = std::fs::read_to_string(endpoint.authority("service-account").file("ca.key")).unwrap();
    assert_eq!(server.read("/etc/kubernetes/certs/service_account.key"), shared);
}

#[test]
fn a_node_has_two_certificates_and_nothing_of_the_masters() {
    let endpoint = new_endpoint();
    let server = KubeServer::new(&kubernetes_cluster(), Role::Minion(12), &endpoint);
    server.configures();
    assert_eq!(endpoint.asked_for(), ["kubelet", "proxy"]);
    assert_eq!(
        server.read(CLUSTER_CA),
        endpoint.cluster_authority().certificate()
    );
    let (subject, names, usages) = certificate(&server, "/etc/kubernetes/certs/kubelet", CLUSTER_CA);
    assert_eq!(subject, "CN=system:node:k8s-04952c60-minion-12,O=system:nodes");
    let (own, floating) = (private_address(62), public_address(62));
    assert_eq!(
        names,
        sorted(&[
            &format!("IP Address:{own}"),
            &format!("IP Address:{floating}"),
            "DNS:k8s-04952c60-minion-12"
        ])
    );
    assert_eq!(usages, BOTH_USAGES);
    let (subject, names, usages) = certificate(&server, "/etc/kubernetes/certs/proxy", CLUSTER_CA);
    assert_eq!((subject.as_str(), names.len()), ("CN=system:kube-proxy", 0));
    assert_eq!(usages, "TLS Web Client Authentication");
    let found: Vec<_> = std::fs::read_dir(server.path("/etc/kubernetes/certs"))
        .unwrap()
        .collect();
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(!server.path("/etc/etcd").exists());
}

#[test]
fn without_floating_ips_no_other_address_is_asked_for() {
    let endpoint = new_endpoint();
    let mut cluster = kubernetes_cluster();
    cluster.template.floating_ip_enabled = Some(false);
    for role in BOTH {
        let server = KubeServer::new(&cluster, role, &endpoint);
        server.configures();
        let (_, names, _) = certificate(&server, "/etc/kubernetes/certs/kubelet", CLUSTER_CA);
        assert_eq!(names.len(), 2, "{names:?}");
        if role == Role::Master(0) {
            let (_, names, _) = certificate(&server, "/etc/kubernetes/certs/server", CLUSTER_CA);
            let addresses = names.iter().filter(|n| n.starts_with("IP")).count();
            assert_eq!(
                addresses, 4,
                "own, loopback, service and load balancer: {names:?}"
            );
        }
    }
}

/// A certificate that is damaged, or of another key, is asked for again; the others stay.
#[test]
fn only_what_does_not_fit_is_asked_for_again() {
    let endpoint = new_endpoint();
    let server = KubeServer::new(&kubernetes_cluster(), Role::Minion(0), &endpoint);
    server.configures();
    let certs = "/etc/kubernetes/certs";
    let kubelet = server.read(&format!("{certs}/kubelet.key"));
    for change in ["", &server.read(&format!("{certs}/proxy.key"))] {
        endpoint.server.forget();
        server.write(&format!("{certs}/kubelet.key"), change);
        server.configures();
        assert_eq!(endpoint.asked_for(), ["kubelet"]);
        assert_ne!(server.read(&format!("{certs}/kubelet.key")), kubelet);
        certificate(&server, &format!("{certs}/kubelet"), CLUSTER_CA);
    }
}
