//! The servers of simulated clusters, as their user data makes them, and what the node endpoint answers them.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, StatusCode};
use magnum::{ClusterId, PoolRole, SubjectName};
use openssl::x509::X509;

use super::certificate::{self, SigningRequest, Wanted, dns, ip};
use super::scene::Scene;

#[derive(Clone, Debug)]
pub struct Node {
    pub cluster: ClusterId,
    pub role: PoolRole,
    pub name: String,
    pub member: String,
    pub credential: String,
    /// Its own, since it was made.
    pub token: String,
    /// The addresses that the cloud gave to it, and its server's name.
    pub own: BTreeSet<SubjectName>,
    /// The addresses of the load balancer in front of the masters.
    pub of_load_balancer: BTreeSet<SubjectName>,
}

/// The servers of a cluster with masters and nodes: masters first, each kind by its number.
pub fn nodes(scene: &Scene, cluster: ClusterId) -> Vec<Node> {
    let id = cluster.to_string();
    let mut nodes: Vec<Node> = scene.cloud.with(|world| {
        let mut nodes = Vec::new();
        for server in world.compute.servers() {
            if server.metadata.get("cluster_uuid") == Some(&id) {
                nodes.push(node(cluster, &server.name, server.user_data.as_ref().unwrap()));
            }
        }
        nodes
    });
    let held = scene.guest.nodes();
    for node in &mut nodes {
        let token = held.get(&node.name).and_then(|held| held.token.as_ref());
        node.token = token.map(|token| token.expose().to_owned()).unwrap_or_default();
    }
    nodes.sort_by_key(|node| (node.role == PoolRole::Worker, node.member.parse::<u32>().unwrap()));
    nodes
}

fn node(cluster: ClusterId, server: &str, script: &str) -> Node {
    let setting = |name: &str| {
        let mut values = script
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\''));
        values.next().unwrap_or_default().to_owned()
    };
    let addresses = |settings: &[&str]| -> BTreeSet<SubjectName> {
        let values = settings.iter().map(|name| setting(name));
        values.filter(|v| !v.is_empty()).map(|v| ip(&v)).collect()
    };
    let mut own = addresses(&["private_address", "address"]);
    own.insert(dns(server));
    let role = if server.contains("-master-") {
        PoolRole::Master
    } else {
        PoolRole::Worker
    };
    let of_load_balancer = match role {
        PoolRole::Master => addresses(&["api_private_address", "api_public_address"]),
        PoolRole::Worker => BTreeSet::new(),
    };
    assert_eq!(setting("node_name"), server);
    Node {
        cluster,
        role,
        name: setting("node_name"),
        member: setting("node_credential").split('.').next().unwrap().to_owned(),
        credential: setting("node_credential"),
        token: String::new(),
        own,
        of_load_balancer,
    }
}

impl Node {
    /// What it is answered to a request below its cluster's path.
    pub async fn ask(&self, scene: &Scene, method: &str, path: &str, body: &str) -> (StatusCode, String) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/anywhere/v1/clusters/{}/{path}", self.cluster))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Bytes::from(body.to_owned()))
            .unwrap();
        let answer = scene.magnum.node_request(request).await;
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        (answer.status(), body)
    }

    /// The path at which it asks for a certificate.
    pub fn path(&self, purpose: &str) -> String {
        format!("certificates/{purpose}?name={}", self.name)
    }

    /// What it is told when it asks for a certificate.
    pub async fn sign(&self, scene: &Scene, purpose: &str, wanted: &Wanted) -> (StatusCode, String) {
        self.ask(scene, "POST", &self.path(purpose), &wanted.request().pem)
            .await
    }

    /// A certificate that it must get, and the request for it.
    pub async fn certificate(&self, scene: &Scene, purpose: &str, wanted: &Wanted) -> (X509, SigningRequest) {
        let request = wanted.request();
        let (status, answer) = self.ask(scene, "POST", &self.path(purpose), &request.pem).await;
        assert_eq!(status, StatusCode::OK, "{purpose}: {answer}");
        (certificate::read(&answer), request)
    }

    /// One of the cluster's authorities.
    pub async fn authority(&self, scene: &Scene, path: &str) -> X509 {
        let (status, answer) = self.ask(scene, "GET", path, "").await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        certificate::read(&answer)
    }
}
