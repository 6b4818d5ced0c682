//! A guest of the simulated cloud that behaves as the nodes of this library's drivers do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use magnum_core::{Clock, HttpTransport, KeySource, Result, Secret, TlsProfile};
use magnum_openstack::sim::{BootedServer, Guest};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::stack::Stack;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509NameBuilder, X509ReqBuilder};

/// Plays a node: reads its user data, asks the node endpoint for the cluster's authority and for a certificate,
/// and signals its wait condition, as the drivers' scripts do. No script is run; tests of the scripts
/// themselves need a real bash.
///
/// Reach the endpoint by mounting it on the cloud: [`magnum_openstack::sim::SimCloud::mount`].
#[derive(Clone, Debug)]
pub struct NodeGuest {
    keys: Arc<dyn KeySource>,
    clock: Arc<dyn Clock>,
}

impl NodeGuest {
    /// A guest whose keys come from `keys`; fixture keys will do.
    #[must_use]
    pub fn new(keys: Arc<dyn KeySource>, clock: Arc<dyn Clock>) -> Self {
        Self { keys, clock }
    }

    /// Asks until there is an answer: the cloud may not show yet what the node is called.
    async fn ask(
        &self,
        server: &BootedServer,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, String> {
        let mut tries = 24;
        loop {
            let answer = server
                .transport
                .send(request.clone(), &TlsProfile::default())
                .await
                .map_err(|error| error.to_string())?;
            tries -= 1;
            if answer.status() != http::StatusCode::SERVICE_UNAVAILABLE || tries == 0 {
                return Ok(answer);
            }
            self.clock.sleep(Duration::from_secs(5)).await;
        }
    }

    async fn certificates(
        &self,
        server: &BootedServer,
        settings: &BTreeMap<&str, &str>,
    ) -> Result<(), String> {
        let value = |name: &str| settings.get(name).copied().unwrap_or_default();
        let (url, credential) = (value("node_endpoint_url"), value("node_credential"));
        if value("tls") == "off" || url.is_empty() {
            return Ok(());
        }
        let addresses: Vec<&str> = [value("private_address"), value("floating_address")]
            .into_iter()
            .filter(|a| !a.is_empty())
            .collect();
        let key = self.keys.generate().await.map_err(|error| error.to_string())?;
        let named = format!("member={}&name={}", value("node_member"), value("node_name"));
        for wanted in wishes(&server.user_data) {
            let (method, path, body) = match wanted {
                // What a node is called by the cloud; it may have further names, which the endpoint knows.
                Wish::Certificate("server") if !server.user_data.contains("node_member='") => {
                    let csr = request(&key, &addresses).map_err(|error| error.to_string())?;
                    ("POST", "certificates/server".to_owned(), csr)
                }
                Wish::Certificate(purpose) => {
                    let csr = request(&key, &[]).map_err(|error| error.to_string())?;
                    ("POST", format!("certificates/{purpose}?{named}"), csr)
                }
                Wish::Authority(path) => ("GET", path.trim_start_matches('/').to_owned(), Vec::new()),
                Wish::Key(name) => ("GET", format!("keys/{name}"), Vec::new()),
            };
            let request = http::Request::builder()
                .method(method)
                .uri(format!("{url}/{path}"))
                .header("authorization", format!("Bearer {credential}"))
                .body(bytes::Bytes::from(body))
                .map_err(|error| error.to_string())?;
            let answer = self.ask(server, request).await?;
            if !answer.status().is_success() {
                let text = String::from_utf8_lossy(answer.body()).into_owned();
                return Err(format!(
                    "get certificates: the node endpoint answered {}: {text}",
                    answer.status()
                ));
            }
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl Guest for NodeGuest {
    async fn boot(&self, server: BootedServer) {
        self.clock.sleep(server.boot_time).await;
        let settings = assignments(&server.user_data);
        let (status, reason) = match self.certificates(&server, &settings).await {
            Ok(()) => ("SUCCESS", String::new()),
            Err(reason) => ("FAILURE", reason),
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

fn request(key: &Secret, addresses: &[&str]) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let key = PKey::private_key_from_pkcs8(&openssl::base64::decode_block(
        &key.expose()
            .lines()
            .filter(|l| !l.starts_with('-'))
            .collect::<String>(),
    )?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", addresses.first().copied().unwrap_or("node"))?;
    let name = name.build();
    let mut builder = X509ReqBuilder::new()?;
    builder.set_version(0)?;
    builder.set_subject_name(&name)?;
    builder.set_pubkey(&key)?;
    if !addresses.is_empty() {
        let mut san = SubjectAlternativeName::new();
        for address in addresses {
            san.ip(address);
        }
        let mut extensions = Stack::new()?;
        extensions.push(san.build(&builder.x509v3_context(None))?)?;
        builder.add_extensions(&extensions)?;
    }
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
