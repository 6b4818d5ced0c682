//! A guest of the simulated cloud that behaves as the nodes of this library's drivers do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use magnum_core::{Clock, HttpTransport, KeySource, Secret, TlsProfile};
use magnum_openstack::sim::{BootedServer, Guest};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::x509::{X509NameBuilder, X509ReqBuilder};

/// Plays a node: reads its user data, asks the node endpoint for the cluster's authority and for certificates,
/// and signals its wait condition, as the drivers' scripts do. No script is run; tests of the scripts
/// themselves need a real bash.
///
/// Reach the endpoint by mounting it on the cloud: [`magnum_openstack::sim::SimCloud::mount`].
#[derive(Clone, Debug)]
pub struct NodeGuest {
    keys: Arc<dyn KeySource>,
    clock: Arc<dyn Clock>,
    renewal: Option<Duration>,
    nodes: Arc<Mutex<BTreeMap<String, NodeHolding>>>,
}

/// What a played node trusts and holds.
#[derive(Clone, Debug, Default)]
pub struct NodeHolding {
    /// The private key of all its certificates, PEM.
    pub private_key: Option<Secret>,
    /// The certificates that it trusts, PEM, by where they are asked for: `/ca`, `/authorities/etcd`.
    pub trusted: BTreeMap<String, String>,
    /// Its certificates, PEM, by purpose.
    pub certificates: BTreeMap<String, String>,
    /// What it shows the endpoint from then on.
    pub token: Option<Secret>,
    /// The version of them that it has told the endpoint.
    pub version: String,
}

/// How long what reads certificates takes to start anew.
const RESTART: Duration = Duration::from_secs(10);

/// How a node reaches the endpoint.
struct Access<'a> {
    server: &'a BootedServer,
    url: &'a str,
    secret: Secret,
    /// `name=…`, its server's.
    named: String,
}

impl NodeGuest {
    /// A guest whose keys come from `keys`; fixture keys will do.
    #[must_use]
    pub fn new(keys: Arc<dyn KeySource>, clock: Arc<dyn Clock>) -> Self {
        Self {
            keys,
            clock,
            renewal: None,
            nodes: Arc::default(),
        }
    }

    /// Has nodes look for new certificates as often as this, as long as the endpoint knows them. Without it they never do.
    #[must_use]
    pub fn renewing(mut self, every: Duration) -> Self {
        self.renewal = Some(every);
        self
    }

    /// What the nodes that were booted trust and hold now, by the names of their servers.
    #[must_use]
    pub fn nodes(&self) -> BTreeMap<String, NodeHolding> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks until there is an answer: the cloud may not show yet what the node is called.
    async fn ask(
        &self,
        access: &Access<'_>,
        method: &str,
        path: &str,
        body: Vec<u8>,
    ) -> Result<String, Asking> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}/{path}", access.url))
            .header("authorization", format!("Bearer {}", access.secret.expose()))
            .body(bytes::Bytes::from(body))
            .map_err(|error| Asking::Failed(error.to_string()))?;
        let mut tries = 24;
        let answer = loop {
            let answer = access
                .server
                .transport
                .send(request.clone(), &TlsProfile::default())
                .await
                .map_err(|error| Asking::Failed(error.to_string()))?;
            tries -= 1;
            if answer.status() != http::StatusCode::SERVICE_UNAVAILABLE || tries == 0 {
                break answer;
            }
            self.clock.sleep(Duration::from_secs(5)).await;
        };
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        match answer.status() {
            status if status.is_success() => Ok(text),
            http::StatusCode::UNAUTHORIZED => Err(Asking::Unknown),
            status => Err(Asking::Failed(format!(
                "the node endpoint answered {status}: {text}"
            ))),
        }
    }

    /// Gets all that a script asks for, with a new key.
    async fn holding(&self, access: &Access<'_>) -> Result<NodeHolding, Asking> {
        let mut held = NodeHolding {
            version: self.ask(access, "GET", "certificates", Vec::new()).await?,
            ..NodeHolding::default()
        };
        let key = self.keys.generate().await;
        let key = key.map_err(|error| Asking::Failed(error.to_string()))?;
        // What a node is called by the cloud, and has for further names, the endpoint knows.
        let csr = request(&key).map_err(|error| Asking::Failed(error.to_string()))?;
        for wanted in wishes(&access.server.user_data) {
            match wanted {
                Wish::Certificate(purpose) => {
                    let path = format!("certificates/{purpose}?{}", access.named);
                    let certificate = self.ask(access, "POST", &path, csr.clone()).await?;
                    held.certificates.insert(purpose.to_owned(), certificate);
                }
                Wish::Authority(path) => {
                    let pem = self
                        .ask(access, "GET", path.trim_start_matches('/'), Vec::new())
                        .await?;
                    held.trusted.insert(path.to_owned(), pem);
                }
                Wish::Key(name) => {
                    self.ask(access, "GET", &format!("keys/{name}"), Vec::new())
                        .await?;
                }
            }
        }
        held.private_key = Some(key);
        Ok(held)
    }

    async fn tell_taken(&self, access: &Access<'_>, held: NodeHolding) -> Result<(), Asking> {
        let version = held.version.clone().into_bytes();
        self.nodes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(access.server.name.clone(), held);
        self.ask(access, "PUT", "certificates", version).await?;
        Ok(())
    }

    /// What a node does first. Afterwards it has a token of its own.
    async fn introduce(&self, access: &mut Access<'_>) -> Result<(), Asking> {
        let mut held = self.holding(access).await?;
        if access.server.user_data.contains("introduce_node") {
            access.secret = Secret::new(self.ask(access, "POST", "token", Vec::new()).await?);
            held.token = Some(access.secret.clone());
            self.tell_taken(access, held).await?;
        }
        Ok(())
    }

    /// What a node does from time to time.
    async fn renew(&self, access: &Access<'_>) -> Result<(), Asking> {
        let mut turns = 9;
        let version = loop {
            let version = self.ask(access, "GET", "certificates", Vec::new()).await?;
            if !version.contains("wait") {
                break version;
            }
            turns -= 1;
            if turns == 0 {
                return Ok(());
            }
            self.clock.sleep(Duration::from_secs(30)).await;
        };
        let name = &access.server.name;
        if self.nodes().get(name).is_some_and(|held| held.version == version) {
            return Ok(());
        }
        let mut held = self.holding(access).await?;
        held.token = Some(access.secret.clone());
        // What reads them is started anew.
        self.clock.sleep(RESTART).await;
        self.tell_taken(access, held).await
    }
}

/// Why a node did not get what it asked for.
enum Asking {
    /// The endpoint does not know it, or its cluster.
    Unknown,
    Failed(String),
}

#[async_trait::async_trait]
impl Guest for NodeGuest {
    async fn boot(&self, server: BootedServer) {
        self.clock.sleep(server.boot_time).await;
        let settings = assignments(&server.user_data);
        let value = |name: &str| settings.get(name).copied().unwrap_or_default();
        let mut access = Access {
            server: &server,
            url: value("node_endpoint_url"),
            secret: Secret::new(value("node_credential")),
            named: format!("name={}", value("node_name")),
        };
        let secured = value("tls") != "off" && !access.url.is_empty();
        let introduced = match secured {
            true => self.introduce(&mut access).await,
            false => Ok(()),
        };
        let (status, reason) = match introduced {
            Ok(()) => ("SUCCESS", String::new()),
            Err(Asking::Failed(reason)) => ("FAILURE", format!("get certificates: {reason}")),
            Err(Asking::Unknown) => (
                "FAILURE",
                "get certificates: the node endpoint answered 401".to_owned(),
            ),
        };
        let body = format!(
            "{{\"status\": \"{status}\", \"reason\": {:?}, \"data\": \"simulated\", \"id\": \"1\"}}",
            reason
        );
        for (url, token) in signals(&server.user_data) {
            let request = http::Request::builder()
                .method("POST")
                .uri(url)
                .header("x-auth-token", token)
                .header("content-type", "application/json")
                .body(body.clone().into());
            if let Ok(request) = request {
                // A node cannot do more than try; Heat's own time-out ends the waiting.
                let _ = server.transport.send(request, &TlsProfile::default()).await;
            }
        }
        let Some(every) = self.renewal.filter(|_| secured && status == "SUCCESS") else {
            return;
        };
        loop {
            self.clock.sleep(every).await;
            // What fails now may work the next time, unless the cluster is gone.
            if let Err(Asking::Unknown) = self.renew(&access).await {
                return;
            }
        }
    }
}

/// What a script asks the node endpoint for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish<'a> {
    Authority(&'a str),
    Certificate(&'a str),
    Key(&'a str),
}

/// The calls in a script by which it asks the node endpoint, in their order.
fn wishes(script: &str) -> Vec<Wish<'_>> {
    script
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (function, argument) = (words.next()?, words.next()?);
            match function {
                "fetch_authority" => Some(Wish::Authority(argument)),
                "fetch_certificate" => Some(Wish::Certificate(argument)),
                "fetch_shared_key" => Some(Wish::Key(argument)),
                _ => None,
            }
        })
        .collect()
}

/// The script's single-quoted shell assignments.
fn assignments(script: &str) -> BTreeMap<&str, &str> {
    script
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once("='")?;
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            plain.then_some((name, value.strip_suffix('\'')?))
        })
        .collect()
}

/// URLs and tokens of the wait handles' `curl_cli` in a script.
fn signals(script: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for line in script.lines().filter(|line| line.contains("X-Auth-Token:")) {
        let token = line.split_once("X-Auth-Token:").map(|(_, rest)| {
            rest.trim_start()
                .split(['\'', '"', ' '])
                .next()
                .unwrap_or_default()
        });
        let url = line
            .split(['\'', '"', ' '])
            .find(|word| word.starts_with("http") && word.contains("/signal"));
        if let (Some(token), Some(url)) = (token, url) {
            found.push((url, token));
        }
    }
    found
}

fn request(key: &Secret) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let key = PKey::private_key_from_pkcs8(&openssl::base64::decode_block(
        &key.expose()
            .lines()
            .filter(|l| !l.starts_with('-'))
            .collect::<String>(),
    )?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", "node")?;
    let name = name.build();
    let mut builder = X509ReqBuilder::new()?;
    builder.set_version(0)?;
    builder.set_subject_name(&name)?;
    builder.set_pubkey(&key)?;
    builder.sign(&key, MessageDigest::sha256())?;
    builder.build().to_pem()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_tells_its_settings_and_its_signal() {
        let script = "#!/bin/bash\ntls='on'\nnode_endpoint_url='https://n/v1/clusters/x'\n\
            notify() { curl -i -X POST -H 'X-Auth-Token: abc' -H 'Accept: application/json' http://h/v1/p/stacks/s/i/resources/r/signal \"$@\"; }\n";
        let settings = assignments(script);
        assert_eq!(settings["tls"], "on");
        assert_eq!(settings["node_endpoint_url"], "https://n/v1/clusters/x");
        assert_eq!(
            signals(script),
            [("http://h/v1/p/stacks/s/i/resources/r/signal", "abc")]
        );
    }
}
