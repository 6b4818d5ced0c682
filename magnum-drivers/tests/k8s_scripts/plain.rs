//! Addresses, ports, TLS or none, one or several masters: each option where it shows.

use serde_json::json;

use crate::support::kubernetes::*;
use crate::support::yaml;
use crate::{BOTH, ENDPOINT};

fn kubeconfig(server: &KubeServer, name: &str) -> serde_json::Value {
    let file = format!("/etc/kubernetes/{name}.kubeconfig");
    assert_eq!(server.mode(&file), 0o600);
    yaml(&server.plain(&file))
}

/// A kubeconfig with this server and the certificate of this name.
fn expected(server: &str, certificate: Option<&str>) -> serde_json::Value {
    let certs = "/etc/kubernetes/certs";
    let mut cluster = json!({"server": server});
    let mut user = json!({});
    if let Some(name) = certificate {
        cluster["certificate-authority"] = json!(format!("{certs}/ca.crt"));
        user = json!({"client-certificate": format!("{certs}/{name}.crt"), "client-key": format!("{certs}/{name}.key")});
    }
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "default",
        "contexts": [{"name": "default", "context": {"cluster": "kubernetes", "user": "default"}}],
        "clusters": [{"name": "kubernetes", "cluster": cluster}],
        "users": [{"name": "default", "user": user}],
    })
}

#[test]
fn a_cluster_with_tls() {
    let (master, minion) = (
        KubeServer::new(&kubernetes_cluster(), Role::Master(0), &ENDPOINT),
        KubeServer::new(&kubernetes_cluster(), Role::Minion(3), &ENDPOINT),
    );
    master.comes_up();
    minion.comes_up();
    let own = "https://127.0.0.1:6443";
    assert_eq!(kubeconfig(&master, "admin"), expected(own, Some("admin")));
    assert_eq!(kubeconfig(&master, "proxy"), expected(own, Some("admin")));
    assert_eq!(kubeconfig(&master, "kubelet"), expected(own, Some("kubelet")));
    let api = format!("https://{LOAD_BALANCER}:6443");
    assert_eq!(kubeconfig(&minion, "kubelet"), expected(&api, Some("kubelet")));
    assert_eq!(kubeconfig(&minion, "proxy"), expected(&api, Some("proxy")));
    let api = master.arguments("/etc/kubernetes/apiserver");
    for argument in [
        "--anonymous-auth=false",
        "--insecure-port=0",
        "--secure-port=6443",
        "--authorization-mode=Node,RBAC",
        "--client-ca-file=/etc/kubernetes/certs/ca.crt",
        "--etcd-servers=https://127.0.0.1:2379",
        "--apiserver-count=1",
        "--advertise-address=10.0.0.10",
    ] {
        assert!(api.contains(&argument.to_owned()), "{argument}: {api:?}");
    }
    assert_eq!(minion.name, "k8s-04952c60-minion-3");
    assert_eq!(
        minion.signal()["reason"],
        "the node k8s-04952c60-minion-3 is known to Kubernetes v1.15.7"
    );
    assert_eq!(master.signal()["data"], "1.13.1");
}

#[test]
fn a_cluster_without_tls() {
    let mut cluster = kubernetes_cluster();
    cluster.template.tls_disabled = true;
    let endpoint = crate::new_endpoint();
    for role in BOTH {
        let server = KubeServer::new(&cluster, role, &endpoint);
        server.comes_up();
        assert!(
            !server.read(PROGRAM).contains("credential_0123456789"),
            "no credential is given away"
        );
        let api = match role {
            Role::Master(_) => "http://127.0.0.1:8080".to_owned(),
            Role::Minion(_) => format!("http://{LOAD_BALANCER}:8080"),
        };
        assert_eq!(kubeconfig(&server, "kubelet"), expected(&api, None));
        assert_eq!(kubeconfig(&server, "proxy"), expected(&api, None));
        let kubelet = server.arguments("/etc/kubernetes/kubelet");
        assert!(
            !kubelet.iter().any(|a| a.contains("tls") || a.contains("certs")),
            "{kubelet:?}"
        );
        assert_eq!(
            std::fs::read_dir(server.path("/etc/kubernetes/certs"))
                .unwrap()
                .count(),
            0
        );
        assert_eq!(server.signal()["status"], "SUCCESS");
        if role == Role::Master(0) {
            let api = server.arguments("/etc/kubernetes/apiserver");
            for argument in [
                "--insecure-port=8080",
                "--secure-port=6443",
                "--authorization-mode=AlwaysAllow",
            ] {
                assert!(api.contains(&argument.to_owned()), "{argument}: {api:?}");
            }
            assert!(
                !api.iter().any(|a| a.contains("cert") || a.contains("https")),
                "{api:?}"
            );
            assert!(!server.path("/etc/etcd/certs").exists());
            let etcd = server.variables("/etc/etcd/etcd.conf");
            assert_eq!(etcd["ETCD_LISTEN_PEER_URLS"], "http://10.0.0.10:2380");
            assert!(
                !etcd
                    .keys()
                    .any(|key| key.contains("CERT") || key.contains("FILE")),
                "{etcd:?}"
            );
            let controller = server.pod_arguments("kube-controller-manager");
            assert!(!controller.iter().any(|a| a.contains("certs")), "{controller:?}");
            assert!(
                server
                    .plain("/etc/kubernetes/addons/dns.yaml")
                    .contains("endpoint http://10.0.0.10:8080\n")
            );
        }
    }
    assert!(endpoint.server.asked("/").is_empty());
}

#[test]
fn without_floating_ips_and_load_balancer() {
    let mut cluster = kubernetes_cluster();
    cluster.template.floating_ip_enabled = Some(false);
    cluster.template.master_lb_enabled = Some(false);
    masters(&mut cluster, 3);
    let minion = KubeServer::new(&cluster, Role::Minion(0), &ENDPOINT);
    minion.comes_up();
    // The first master is the API's address.
    assert_eq!(
        kubeconfig(&minion, "kubelet"),
        expected("https://10.0.0.10:6443", Some("kubelet"))
    );
    let master = KubeServer::new(&cluster, Role::Master(2), &ENDPOINT);
    master.comes_up();
    let script = master.read(PROGRAM);
    for line in [
        "api_private_address=''",
        "api_public_address=''",
        "address='10.0.0.12'",
        "private_address='10.0.0.12'",
    ] {
        assert!(script.contains(&format!("\n{line}\n")), "{line}");
    }
    assert!(
        master
            .arguments("/etc/kubernetes/apiserver")
            .contains(&"--apiserver-count=3".to_owned())
    );
}

#[test]
fn the_port_of_the_api_can_be_chosen() {
    let mut cluster = kubernetes_cluster();
    for (tls, port, other) in [
        (true, 8443, None),
        (false, 6443, Some(6444)),
        (false, 12345, Some(6443)),
    ] {
        cluster.template.tls_disabled = !tls;
        cluster.template.apiserver_port = Some(port);
        let master = KubeServer::new(&cluster, Role::Master(0), &ENDPOINT);
        master.comes_up();
        let scheme = if tls { "https" } else { "http" };
        let server = &kubeconfig(&master, "admin")["clusters"][0]["cluster"]["server"];
        assert_eq!(server, &json!(format!("{scheme}://127.0.0.1:{port}")));
        let api = master.arguments("/etc/kubernetes/apiserver");
        let secure = if tls { port } else { other.unwrap() };
        assert!(api.contains(&format!("--secure-port={secure}")), "{api:?}");
        assert!(
            api.contains(&format!("--insecure-port={}", if tls { 0 } else { port })),
            "{api:?}"
        );
        assert!(
            master.signal()["reason"]
                .as_str()
                .unwrap()
                .ends_with(&format!("on port {port}"))
        );
    }
}

#[test]
fn the_network_of_the_pods() {
    for (backend, cidr, length) in [
        ("udp", "10.100.0.0/16", "24"),
        ("vxlan", "192.168.0.0/20", "26"),
        ("host-gw", "172.16.0.0/12", "20"),
    ] {
        let mut cluster = kubernetes_cluster();
        cluster.template.tls_disabled = true;
        label(&mut cluster, "flannel_backend", backend);
        label(&mut cluster, "flannel_network_cidr", cidr);
        label(&mut cluster, "flannel_network_subnetlen", length);
        for role in BOTH {
            let server = KubeServer::new(&cluster, role, &ENDPOINT);
            server.configures();
            let network: serde_json::Value =
                serde_json::from_str(&server.read("/etc/kube-flannel/net-conf.json")).unwrap();
            assert_eq!(network, json!({"Network": cidr, "Backend": {"Type": backend}}));
            let plan: serde_json::Value =
                serde_json::from_str(&server.read("/etc/cni/net.d/10-flannel.conflist")).unwrap();
            assert_eq!(plan["plugins"][0]["type"], "flannel");
            assert!(
                server
                    .pod_arguments("kube-proxy")
                    .contains(&format!("--cluster-cidr={cidr}"))
            );
            if role == Role::Master(0) {
                let controller = server.pod_arguments("kube-controller-manager");
                assert!(
                    controller.contains(&format!("--cluster-cidr={cidr}")),
                    "{controller:?}"
                );
                assert!(
                    controller.contains(&format!("--node-cidr-mask-size={length}")),
                    "{controller:?}"
                );
            }
        }
    }
}

#[test]
fn what_runs_in_the_cluster_is_yaml_that_says_what_is_meant() {
    let master = KubeServer::new(&kubernetes_cluster(), Role::Master(0), &ENDPOINT);
    master.comes_up();
    let addons = master.plain("/etc/kubernetes/addons/dns.yaml");
    let documents: Vec<serde_json::Value> = addons.split("\n---\n").map(yaml).collect();
    let kinds: Vec<&str> = documents.iter().map(|d| d["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "ServiceAccount",
            "ClusterRole",
            "ClusterRoleBinding",
            "ConfigMap",
            "Deployment",
            "Service"
        ]
    );
    assert_eq!(documents[5]["spec"]["clusterIP"], "10.254.0.10");
    assert!(
        documents[3]["data"]["Corefile"]
            .as_str()
            .unwrap()
            .starts_with(".:53 {\n    errors\n")
    );
    assert!(
        !addons.contains("endpoint http"),
        "with TLS it uses its service account"
    );
    for name in ["kube-controller-manager", "kube-scheduler", "kube-proxy"] {
        let file = format!("/etc/kubernetes/manifests/{name}.yaml");
        assert_eq!(master.mode(&file), 0o600);
        let pod = yaml(&master.plain(&file));
        let container = &pod["spec"]["containers"][0];
        assert_eq!(pod["metadata"]["name"], name);
        assert_eq!(container["command"][0], "/hyperkube");
        assert_eq!(container["command"][1], name);
        assert_eq!(container["image"], "registry.k8s.io/hyperkube:v1.15.7");
        assert_eq!(container["securityContext"]["privileged"], name == "kube-proxy");
        assert_eq!(pod["spec"]["hostNetwork"], true);
    }
}
