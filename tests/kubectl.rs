//! The real `kubectl` with what users get of a simulated cluster, against a server on loopback that has a master's
//! certificate. Debian's package `kubernetes-client` brings it.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use magnum::certs::EcKeys;
use magnum::*;
use support::certificate::{Wanted, dns, ip, read, said, signed_by};
use support::handshake::Party;
use support::hosts::Authorities;
use support::kubernetes::{guides_template, without_quotas};
use support::kubernetes_api::{self, Answers};
use support::node::nodes;
use support::programs::{Said, run};
use support::scene::Scene;
use support::tls_service::TlsService;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A simulated life in a runtime of its own, whose clock stands still while sockets are waited for elsewhere.
struct Life {
    runtime: Runtime,
    scene: Scene,
}

impl Life {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let scene = runtime.block_on(async {
            let scene = Scene::since_yesterday(1, Authorities::Rsa).await;
            without_quotas(&scene);
            scene
                .magnum
                .create_template(&scene.cx, guides_template())
                .await
                .unwrap();
            scene
        });
        Self { runtime, scene }
    }

    /// Clusters of one master and one node, made, and said to be reached at an address.
    fn clusters(&self, names: &[&str], address: &str) -> Vec<Cluster> {
        let scene = &self.scene;
        self.runtime.block_on(async {
            let mut ids = Vec::new();
            for name in names {
                let spec = ClusterSpec::new("k8s-cluster-template").with_name(*name);
                let accepted = scene
                    .magnum
                    .create_cluster(&scene.cx, spec, CreateOptions::default())
                    .await;
                ids.push(accepted.unwrap().id);
            }
            scene.settle().await;
            let mut made = Vec::new();
            for id in ids {
                let mut cluster = scene.cluster(id).await.unwrap();
                let why = &cluster.status_reason;
                assert_eq!(cluster.status, ClusterStatus::CREATE_COMPLETE, "{why:?}");
                cluster.api_address = Some(address.to_owned());
                cluster.revision = cluster.revision.next();
                let moved = Commit::new().write(Write::PutCluster(Box::new(cluster)));
                scene.store.commit(moved).await.unwrap();
                made.push(scene.cluster(id).await.unwrap());
            }
            made
        })
    }

    /// A server on loopback with the certificate that the cluster's first master gets for its API.
    fn serve(&self, cluster: &Cluster, listener: TcpListener) -> TlsService {
        let servers = nodes(&self.scene, cluster.id);
        let master = &servers[0];
        let (certificate, request, authority) = self.runtime.block_on(async {
            let (certificate, request) = master
                .certificate(&self.scene, "server", &Wanted::default())
                .await;
            let authority = master.authority(&self.scene, "ca").await;
            (certificate, request, authority)
        });
        let names = said(&certificate).names;
        assert!(names.contains(&ip("127.0.0.1")) && names.contains(&dns("kubernetes")));
        let answers = Answers {
            version: cluster.coe_version.clone().unwrap(),
            nodes: servers.iter().map(|node| node.name.clone()).collect(),
        };
        let server = Party {
            certificate,
            key: request.key,
            authorities: vec![authority],
        };
        let address = listener.local_addr().unwrap().to_string();
        kubernetes_api::serve(listener, &server, &address, answers)
    }

    fn client_config(&self, cluster: &Cluster, directory: &Path) -> WrittenConfig {
        let Scene { magnum, cx, .. } = &self.scene;
        let written = write_client_config(magnum, cx, cluster.id, directory, &EcKeys, false);
        self.runtime.block_on(written).unwrap()
    }
}

fn kubectl(home: &Path, environment: &BTreeMap<String, String>, arguments: &[&str]) -> Said {
    run(
        "kubectl",
        home,
        environment,
        &[arguments, &["--request-timeout=20s"]].concat(),
    )
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    (listener, address)
}

fn path(directory: &TempDir, file: &str) -> String {
    directory.path().join(file).display().to_string()
}

#[test]
fn the_client_configuration_is_kubectls() {
    let (listener, address) = listener();
    let life = Life::new();
    let clusters = life.clusters(&["k8s-cluster", "k8s-other"], &address);
    let api = life.serve(&clusters[0], listener);
    let home = TempDir::new().unwrap();
    let (here, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let written = life.client_config(&clusters[0], here.path());
    let others = life.client_config(&clusters[1], elsewhere.path());
    let with =
        |config: &WrittenConfig, arguments: &[&str]| kubectl(home.path(), &config.environment, arguments);

    // As the guide has it: the configuration's environment, and nothing else.
    let said = with(&written, &["config", "current-context"]);
    assert_eq!(said.out, "k8s-cluster\n", "{said:?}");
    let said = with(&written, &["get", "--raw", "/healthz"]);
    assert!(said.ok && said.out == "ok", "{said:?}");
    let said = with(&written, &["version", "--output=json"]);
    let versions: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(versions["serverVersion"]["gitVersion"], "v1.15.7", "{said:?}");
    let said = with(&written, &["get", "nodes", "--output=name"]);
    let named: Vec<String> = nodes(&life.scene, clusters[0].id)
        .iter()
        .map(|node| format!("node/{}", node.name))
        .collect();
    assert_eq!(named.len(), 2);
    assert_eq!(said.out.lines().collect::<Vec<_>>(), named, "{said:?}");
    let seen = api.answered();
    assert!(
        seen.iter()
            .all(|(client, ..)| client == "CN=admin,O=system:masters"),
        "{seen:?}"
    );
    for asked in ["/healthz", "/version", "/api/v1/nodes"] {
        assert!(
            seen.iter()
                .any(|(_, path, status)| path == asked && *status == 200),
            "{seen:?}"
        );
    }

    // Nobody without a certificate, or with another cluster's.
    let nothing = BTreeMap::new();
    let ca = path(&here, "ca.pem");
    let plain = [
        "get",
        "--raw",
        "/healthz",
        "--server",
        &address,
        "--certificate-authority",
        &ca,
    ];
    // Without anything to log in with, kubectl would rather ask for a name and a password than the server.
    let said = kubectl(
        home.path(),
        &nothing,
        &[&plain[..], &["--token=nobodys"]].concat(),
    );
    assert!(!said.ok, "{said:?}");
    let why = api.refusals();
    assert!(
        why.iter().all(|why| why.contains("did not return a certificate")),
        "{why:?}"
    );
    let (key, certificate) = (path(&elsewhere, "key.pem"), path(&elsewhere, "cert.pem"));
    let as_other = ["--client-key", &key, "--client-certificate", &certificate];
    let said = kubectl(home.path(), &nothing, &[&plain[..], &as_other[..]].concat());
    assert!(!said.ok, "{said:?}");
    let why = api.refusals();
    assert!(
        why.iter().all(|why| why.contains("certificate verify failed")),
        "{why:?}"
    );

    // kubectl itself talks to nobody whom the cluster's authority has not certified.
    let said = with(&others, &["get", "--raw", "/healthz"]);
    assert!(
        !said.ok && said.err.contains("certificate signed by unknown authority"),
        "{said:?}"
    );
    let why = api.refusals();
    assert!(why.iter().all(|why| why.contains("alert")), "{why:?}");

    // A node's own certificate is good for a connection, and makes nobody an administrator.
    let worker = nodes(&life.scene, clusters[0].id).pop().unwrap();
    let wanted = Wanted::default();
    let kubelet = worker.certificate(&life.scene, "kubelet", &wanted);
    let (signed, request) = life.runtime.block_on(kubelet);
    fs::write(here.path().join("node.pem"), signed.to_pem().unwrap()).unwrap();
    fs::write(
        here.path().join("node.key"),
        request.key.private_key_to_pem_pkcs8().unwrap(),
    )
    .unwrap();
    let (key, certificate) = (path(&here, "node.key"), path(&here, "node.pem"));
    let as_node = ["--client-key", &key, "--client-certificate", &certificate];
    let said = kubectl(home.path(), &nothing, &[&plain[..], &as_node[..]].concat());
    assert!(!said.ok, "{said:?}");
    let node = format!("CN=system:node:{},O=system:nodes", worker.name);
    let seen = api.answered();
    assert!(
        !seen.is_empty()
            && seen
                .iter()
                .all(|(client, _, status)| *client == node && *status == 403),
        "{seen:?}"
    );
}

/// The guide's file for the signing request.
const CLIENT_CONF: &str = "\
[req]
distinguished_name = req_distinguished_name
req_extensions     = req_ext
prompt = no
[req_distinguished_name]
CN = Your Name
[req_ext]
extendedKeyUsage = clientAuth
";

#[test]
fn the_guides_manual_steps_lead_to_kubectl() {
    let (listener, address) = listener();
    let life = Life::new();
    let cluster = life.clusters(&["secure-k8s-cluster"], &address).remove(0);
    let api = life.serve(&cluster, listener);
    let home = TempDir::new().unwrap();
    let here = home.path();
    let nothing = BTreeMap::new();

    fs::write(here.join("client.conf"), CLIENT_CONF).unwrap();
    for step in [
        "genrsa -out client.key 4096",
        "req -new -days 365 -config client.conf -key client.key -out client.csr",
    ] {
        let arguments: Vec<&str> = step.split(' ').collect();
        let said = run("openssl", here, &nothing, &arguments);
        assert!(said.ok, "{said:?}");
    }
    let csr = fs::read_to_string(here.join("client.csr")).unwrap();
    let Scene { magnum, cx, .. } = &life.scene;
    let named = "secure-k8s-cluster";
    let signed = life.runtime.block_on(magnum.ca_sign(cx, named, &csr)).unwrap();
    let authority = life.runtime.block_on(magnum.ca_show(cx, named)).unwrap();
    fs::write(here.join("client.crt"), &signed).unwrap();
    fs::write(here.join("ca.crt"), &authority).unwrap();

    let (signed, authority) = (read(&signed), read(&authority));
    assert!(signed_by(&signed, &authority));
    let subject = "CN=Your Name,O=system:masters";
    assert_eq!(support::certificate::subject(signed.subject_name()), subject);

    let said = kubectl(
        here,
        &nothing,
        &[
            "version",
            "--output=json",
            "--certificate-authority=ca.crt",
            "--client-key=client.key",
            "--client-certificate=client.crt",
            "-s",
            &address,
        ],
    );
    let versions: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert!(said.ok, "{said:?}");
    assert_eq!(versions["serverVersion"]["gitVersion"], "v1.15.7", "{said:?}");
    let seen = api.answered();
    assert!(
        seen.contains(&(subject.to_owned(), "/version".to_owned(), 200)),
        "{seen:?}"
    );
    assert!(seen.iter().all(|(client, ..)| client == subject), "{seen:?}");
}
