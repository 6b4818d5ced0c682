//! A TLS server on loopback that stands for a cluster's Kubernetes: it lets in whom the cluster's authority has
//! certified, and answers what `kubectl` asks first.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use serde_json::{Value, json};

use super::certificate::subject;

/// What happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visit {
    /// No connection came about; why, in the words of OpenSSL.
    Refused(String),
    /// A client with this subject asked for this path and got this status.
    Answered(String, String, u16),
}

/// The answers, and what they tell of the cluster.
#[derive(Clone, Debug)]
pub struct Answers {
    pub version: String,
    pub nodes: Vec<String>,
}

/// What is known of the connections so far.
#[derive(Debug, Default)]
struct Visits {
    open: usize,
    ended: Vec<Visit>,
}

#[derive(Clone, Debug)]
pub struct KubernetesApi(Arc<(Mutex<Visits>, Condvar)>);

impl KubernetesApi {
    /// Serves as long as the process lives.
    pub fn serve(
        listener: TcpListener,
        key: &PKey<Private>,
        certificate: &X509,
        authority: &X509,
        answers: Answers,
    ) -> Self {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(key).unwrap();
        acceptor.set_certificate(certificate).unwrap();
        acceptor.check_private_key().unwrap();
        let mut trusted = X509StoreBuilder::new().unwrap();
        trusted.add_cert(authority.clone()).unwrap();
        acceptor.set_verify_cert_store(trusted.build()).unwrap();
        acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        let acceptor = acceptor.build();
        let api = Self(Arc::default());
        let served = api.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (api, acceptor, answers) = (served.clone(), acceptor.clone(), answers.clone());
                api.0.0.lock().unwrap().open += 1;
                thread::spawn(move || api.end(visit(&acceptor, stream.unwrap(), &answers)));
            }
        });
        api
    }

    fn end(&self, visit: Option<Visit>) {
        let mut visits = self.0.0.lock().unwrap();
        visits.open -= 1;
        visits.ended.extend(visit);
        self.0.1.notify_all();
    }

    /// The connections since the last call, once none is open.
    pub fn visits(&self) -> Vec<Visit> {
        let visits = self.0.0.lock().unwrap();
        let (mut visits, late) = self
            .0
            .1
            .wait_timeout_while(visits, Duration::from_secs(60), |visits| visits.open > 0)
            .unwrap();
        assert!(!late.timed_out(), "a connection does not end: {visits:?}");
        std::mem::take(&mut visits.ended)
    }
}

/// Serves a connection; one on which nothing was said is none.
fn visit(acceptor: &SslAcceptor, stream: TcpStream, answers: &Answers) -> Option<Visit> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    match stream.peek(&mut [0]) {
        Ok(1) => Some(conversation(acceptor, stream, answers).unwrap_or_else(Visit::Refused)),
        _ => None,
    }
}

fn conversation(acceptor: &SslAcceptor, stream: TcpStream, answers: &Answers) -> Result<Visit, String> {
    let mut stream = acceptor.accept(stream).map_err(|error| error.to_string())?;
    let peer = stream.ssl().peer_certificate().unwrap();
    let client = subject(peer.subject_name());
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => request.push(byte[0]),
            // The client has hung up, or does not like our certificate.
            Ok(_) => return Err("nothing was asked".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
    }
    let request = String::from_utf8(request).unwrap();
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let path = target.split('?').next().unwrap();
    let (status, kind, body) = match client.split(',').any(|part| part == "O=system:masters") {
        _ if method != "GET" => failure(405, "MethodNotAllowed"),
        false => failure(403, "Forbidden"),
        true => answer(path, answers),
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
    let _ = stream.shutdown();
    Ok(Visit::Answered(client, path.to_owned(), status))
}

fn answer(path: &str, answers: &Answers) -> (u16, &'static str, String) {
    let json = |value: Value| (200, "application/json", value.to_string());
    match path {
        "/healthz" => (200, "text/plain", "ok".to_owned()),
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

fn failure(status: u16, reason: &str) -> (u16, &'static str, String) {
    let body = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": format!("the test's server says {reason}"),
        "reason": reason,
        "code": status,
    });
    (status, "application/json", body.to_string())
}
