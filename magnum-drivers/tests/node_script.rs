//! The node script of the docker driver, run for real.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::process::Command;

use support::authority::{endpoint_url, signing};
use support::node::{CREDENTIAL, FLOATING, Node, PRIVATE, TOKEN};
use support::server::answering;

/// openssl's words about the node's certificate.
fn certificate_text(node: &Node) -> String {
    let arguments = ["x509", "-noout", "-text", "-in"];
    let path = node.path("/etc/docker/server.pem");
    let output = Command::new("openssl")
        .args(arguments)
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_node_with_tls_comes_up() {
    let (authority, endpoint) = signing();
    let node = Node::new(&endpoint_url(&endpoint));
    node.boots();

    assert_eq!(node.mode("/etc/docker"), 0o700);
    assert_eq!(node.mode("/etc/docker/server-key.pem"), 0o600);
    assert_eq!(node.read("/etc/docker/ca.pem"), authority.certificate());
    let text = certificate_text(&node);
    assert!(
        text.contains(&format!("IP Address:{PRIVATE}, IP Address:{FLOATING}\n")),
        "{text}"
    );
    let daemon: serde_json::Value = serde_json::from_str(&node.read("/etc/docker/daemon.json")).unwrap();
    let root = node.path("");
    let file = |name: &str| format!("{}etc/docker/{name}", root.display());
    assert_eq!(
        daemon,
        serde_json::json!({
            "hosts": ["fd://", "tcp://0.0.0.0:2376"],
            "storage-driver": "overlay2",
            "live-restore": true,
            "tlscacert": file("ca.pem"),
            "tlscert": file("server.pem"),
            "tlskey": file("server-key.pem"),
            "tlsverify": true,
        })
    );
    assert_eq!(
        node.read("/etc/systemd/system/docker.service.d/magnum-listen.conf"),
        "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --containerd=/run/containerd/containerd.sock\n"
    );
    assert!(!node.path("/etc/apt").exists(), "no proxy was asked for");
    let installs = node.commands_of("apt-get");
    assert_eq!(installs.len(), 2, "{installs:?}");
    assert!(
        installs[0].ends_with(" update") && installs[1].ends_with(" install docker.io"),
        "{installs:?}"
    );
    assert_eq!(
        node.commands_of("systemctl"),
        [
            "systemctl --quiet enable --now magnum-renewal.timer",
            "systemctl daemon-reload",
            "systemctl --quiet enable docker.service",
            "systemctl restart docker.service"
        ]
    );
    assert_eq!(
        node.commands_of("docker"),
        ["docker --host unix:///var/run/docker.sock version"]
    );
    let signal = node.signal();
    assert_eq!(
        signal,
        serde_json::json!({"status": "SUCCESS", "reason": "Docker listens on tcp port 2376", "data": "", "id": "node"})
    );
    let asked = &node.heat.asked("/v1/p/")[0];
    assert_eq!(asked.method, "POST");
    assert!(asked.has_header(&format!("X-Auth-Token: {TOKEN}")), "{asked:?}");
    assert!(asked.has_header("Content-Type: application/json"), "{asked:?}");
}

#[test]
fn no_secret_shows_in_a_list_of_processes() {
    let (_authority, endpoint) = signing();
    let node = Node::new(&endpoint_url(&endpoint));
    node.boots();
    assert_eq!(node.commands_of("curl").len(), 6);
    let commands = node.commands().join("\n");
    assert!(
        !commands.contains(TOKEN) && !commands.contains(CREDENTIAL),
        "{commands}"
    );
    let tmp = node.directory.path().join("tmp");
    assert_eq!(std::fs::read_dir(tmp).unwrap().count(), 0);
}

#[test]
fn a_second_run_changes_nothing() {
    let (_authority, endpoint) = signing();
    let node = Node::new(&endpoint_url(&endpoint));
    node.boots();
    let before = node.snapshot();
    node.forget();
    endpoint.forget();
    node.boots();
    assert_eq!(node.snapshot(), before);
    assert!(endpoint.asked("/").is_empty(), "no new certificate is needed");
    assert!(node.commands_of("apt-get").is_empty());
    assert!(
        !node.commands().iter().any(|c| c.contains("restart")),
        "{:?}",
        node.commands()
    );
    assert_eq!(node.signal()["status"], "SUCCESS");
}

#[test]
fn a_changed_file_is_put_right_and_docker_restarted() {
    let (_authority, endpoint) = signing();
    let node = Node::new(&endpoint_url(&endpoint));
    node.boots();
    let before = node.read("/etc/docker/daemon.json");
    std::fs::write(node.path("/etc/docker/daemon.json"), "{}").unwrap();
    std::fs::write(node.path("/etc/docker/server.pem"), "").unwrap();
    node.forget();
    node.boots();
    assert_eq!(node.read("/etc/docker/daemon.json"), before);
    assert!(certificate_text(&node).contains(PRIVATE));
    assert_eq!(
        node.commands_of("systemctl").last().unwrap(),
        "systemctl restart docker.service"
    );
}

#[test]
fn without_tls_the_endpoint_is_not_asked() {
    let (_authority, endpoint) = signing();
    let mut node = Node::new("");
    node.values.insert("__TLS__", "off".into());
    node.values.insert("__DOCKER_PORT__", "2375".into());
    node.values.insert("__NODE_CREDENTIAL__", String::new());
    node.values
        .insert("__INSECURE_REGISTRY__", "registry.example:5000".into());
    node.boots();
    assert!(endpoint.asked("/").is_empty());
    let daemon: serde_json::Value = serde_json::from_str(&node.read("/etc/docker/daemon.json")).unwrap();
    assert_eq!(
        daemon,
        serde_json::json!({
            "hosts": ["fd://", "tcp://0.0.0.0:2375"],
            "storage-driver": "overlay2",
            "insecure-registries": ["registry.example:5000"],
            "tls": false,
        })
    );
    assert!(!node.path("/etc/docker/server-key.pem").exists());
    assert_eq!(node.signal()["reason"], "Docker listens on tcp port 2375");
}

#[test]
fn a_node_without_a_floating_address_is_named_by_its_private_one() {
    let (_authority, endpoint) = signing();
    let mut node = Node::new(&endpoint_url(&endpoint));
    node.values.insert("__FLOATING_ADDRESS__", String::new());
    node.boots();
    let text = certificate_text(&node);
    assert!(text.contains(&format!("IP Address:{PRIVATE}\n")), "{text}");
}

#[test]
fn proxies_reach_apt_docker_and_curl() {
    let proxy = answering(200, "{}");
    let mut node = Node::new("");
    node.values.insert("__TLS__", "off".into());
    let heat = node.values["__WAIT_CURL_CLI__"].replace("http://127.0.0.1", "http://heat.example");
    node.values.insert("__WAIT_CURL_CLI__", heat);
    node.values
        .insert("__HTTP_PROXY__", format!("http://user:p%40ss@{}", proxy.address));
    node.values
        .insert("__HTTPS_PROXY__", "http://secure.example:3129".into());
    node.values.insert("__NO_PROXY__", "registry.example".into());
    node.boots();

    let own = format!("registry.example,localhost,127.0.0.1,169.254.169.254,{PRIVATE},{FLOATING}");
    let address = proxy.address;
    assert_eq!(
        node.read("/etc/apt/apt.conf.d/95-magnum-proxy"),
        format!(
            "Acquire::http::Proxy \"http://user:p%40ss@{address}\";\n\
             Acquire::https::Proxy \"http://secure.example:3129\";\n"
        )
    );
    assert_eq!(node.mode("/etc/apt/apt.conf.d/95-magnum-proxy"), 0o600);
    assert_eq!(
        node.read("/etc/systemd/system/docker.service.d/magnum-proxy.conf"),
        format!(
            "[Service]\nEnvironment=\"HTTP_PROXY=http://user:p%%40ss@{address}\"\n\
             Environment=\"HTTPS_PROXY=http://secure.example:3129\"\nEnvironment=\"NO_PROXY={own}\"\n"
        )
    );
    assert_eq!(
        node.mode("/etc/systemd/system/docker.service.d/magnum-proxy.conf"),
        0o600
    );
    let asked = proxy.asked("http://heat.example");
    assert_eq!(asked.len(), 1, "the signal goes through the proxy");
}

#[test]
fn an_image_with_docker_of_another_source_is_left_as_it_is() {
    let (_authority, endpoint) = signing();
    let node = Node::new(&endpoint_url(&endpoint));
    let installed = node.directory.path().join("installed");
    std::fs::write(installed, "curl\nopenssl\nca-certificates\ndocker-ce\n").unwrap();
    node.boots();
    assert!(node.commands_of("apt-get").is_empty());
}

#[test]
fn heats_insecure_command_is_understood() {
    let (_authority, endpoint) = signing();
    let mut node = Node::new(&endpoint_url(&endpoint));
    let cli = node.values["__WAIT_CURL_CLI__"].replace("curl -i", "curl --insecure -i");
    node.values.insert("__WAIT_CURL_CLI__", cli);
    node.boots();
    assert_eq!(node.signal()["status"], "SUCCESS");
}

#[test]
fn new_certificates_are_taken_and_told() {
    let (authority, endpoint) = signing();
    let node = Node::new(&endpoint_url(&endpoint));
    node.boots();
    let before = node.read("/etc/docker/server.pem");
    endpoint.forget();
    node.forget();
    node.renews();
    assert_eq!(endpoint.asked("/").len(), 1, "nothing is new");
    assert!(node.commands_of("systemctl").is_empty());

    authority.rotate();
    authority.set_version("3");
    endpoint.forget();
    node.forget();
    node.renews();
    let ca = node.read("/etc/docker/ca.pem");
    assert_eq!(ca, authority.certificate());
    assert_eq!(ca.matches("BEGIN CERTIFICATE").count(), 2);
    assert_ne!(node.read("/etc/docker/server.pem"), before);
    assert_eq!(
        node.commands_of("systemctl"),
        ["systemctl restart docker.service"]
    );
    let told = endpoint.asked("/").pop().unwrap();
    assert_eq!((told.method.as_str(), told.body.as_str()), ("PUT", "3"));
    assert_eq!(node.mode("/var/lib/magnum/token"), 0o600);
    assert_eq!(node.mode("/usr/local/sbin/magnum-node"), 0o700);
}
