//! What stands for a Docker or a Swarm: it answers what `docker` asks first.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::handshake::Party;
use super::tls_service::{Answer, TlsService};

/// Serves as long as the process lives.
pub fn serve(listener: TcpListener, server: &Party, address: &str, version: &str) -> TlsService {
    let version = version.to_owned();
    TlsService::serve(listener, server, address, move |asked| {
        // `/v1.41/version`, once the client knows which versions there are.
        let path = match asked.path.strip_prefix("/v1.") {
            Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
            None => asked.path.trim_start_matches('/'),
        };
        let mut answer = answer(path, &version);
        answer.headers.push(("Api-Version", "1.44".to_owned()));
        answer
    })
}

fn answer(path: &str, version: &str) -> Answer {
    let json = |status, value: Value| Answer::new(status, "application/json", value.to_string());
    match path {
        "_ping" => Answer::new(200, "text/plain", "OK".to_owned()),
        "version" => json(
            200,
            json!({"Version": version, "ApiVersion": "1.44", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"}),
        ),
        "containers/json" => json(200, json!([])),
        _ => json(404, json!({"message": "the test's server does not know that"})),
    }
}
