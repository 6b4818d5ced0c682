//! What stands for a cluster's Kubernetes: it answers administrators what `kubectl` asks first.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::handshake::Party;
use super::tls_service::{Answer, TlsService};

/// The answers, and what they tell of the cluster.
#[derive(Clone, Debug)]
pub struct Answers {
    pub version: String,
    pub nodes: Vec<String>,
}

/// Serves as long as the process lives.
pub fn serve(listener: TcpListener, server: &Party, address: &str, answers: Answers) -> TlsService {
    TlsService::serve(listener, server, address, move |asked| {
        match asked.client.split(',').any(|part| part == "O=system:masters") {
            _ if asked.method != "GET" => failure(405, "MethodNotAllowed"),
            false => failure(403, "Forbidden"),
            true => answer(asked.path, &answers),
        }
    })
}

fn answer(path: &str, answers: &Answers) -> Answer {
    let json = |value: Value| Answer::new(200, "application/json", value.to_string());
    match path {
        "/healthz" => Answer::new(200, "text/plain", "ok".to_owned()),
        "/version" => {
            let mut numbers = answers.version.trim_start_matches('v').split('.');
            json(json!({
                "major": numbers.next(),
                "minor": numbers.next(),
                "gitVersion": answers.version,
                "platform": "linux/amd64",
            }))
        }
        "/api" => json(json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})),
        "/apis" => json(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})),
        "/api/v1" => json(json!({
            "kind": "APIResourceList",
            "groupVersion": "v1",
            "resources": [{
                "name": "nodes",
                "singularName": "node",
                "namespaced": false,
                "kind": "Node",
                "verbs": ["get", "list"],
            }],
        })),
        "/api/v1/nodes" => {
            let item = |name| json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
            let items: Vec<Value> = answers.nodes.iter().map(item).collect();
            json(json!({"apiVersion": "v1", "kind": "NodeList", "metadata": {}, "items": items}))
        }
        _ => failure(404, "NotFound"),
    }
}

fn failure(status: u16, reason: &str) -> Answer {
    let body = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": format!("the test's server says {reason}"),
        "reason": reason,
        "code": status,
    });
    Answer::new(status, "application/json", body.to_string())
}
