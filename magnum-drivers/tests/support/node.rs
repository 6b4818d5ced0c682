//! A node of the docker driver: its script with the values that Heat would put in.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::process::Output;

use super::scratch::{RunningAs, Scratch};
use super::server::Server;

pub const CREDENTIAL: &str = "node-credential_0123456789";
/// A token of the node's own.
pub const NODE_TOKEN: &str = "node-token_0123456789";
pub const TOKEN: &str = "signal-token-0123456789";
pub const PRIVATE: &str = "10.0.0.7";
pub const FLOATING: &str = "172.24.4.5";

/// The command by which nodes signal, as Heat writes it.
pub fn signal_command(heat: &Server) -> String {
    format!(
        "curl -i -X POST -H 'X-Auth-Token: {TOKEN}' -H 'Content-Type: application/json' \
         -H 'Accept: application/json' http://{}/v1/p/stacks/s/1/resources/node_wait_handle/signal",
        heat.address
    )
}

/// A node before its first boot.
pub struct Node {
    pub values: BTreeMap<&'static str, String>,
    scratch: Scratch,
}

impl Deref for Node {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.scratch
    }
}

impl Node {
    /// A node whose certificates come from `endpoint` and that signals to a Heat of its own.
    pub fn new(endpoint: &str) -> Self {
        Self::signalling(endpoint, Server::start(|_| (200, "{}".into())))
    }

    pub fn signalling(endpoint: &str, heat: Server) -> Self {
        let values = BTreeMap::from([
            ("__WAIT_CURL_CLI__", signal_command(&heat)),
            ("__INDEX__", "0".into()),
            ("__TLS__", "on".into()),
            ("__DOCKER_PORT__", "2376".into()),
            ("__PRIVATE_ADDRESS__", PRIVATE.into()),
            ("__FLOATING_ADDRESS__", FLOATING.into()),
            ("__INSECURE_REGISTRY__", String::new()),
            ("__HTTP_PROXY__", String::new()),
            ("__HTTPS_PROXY__", String::new()),
            ("__NO_PROXY__", String::new()),
            ("__NODE_ENDPOINT_URL__", endpoint.into()),
            ("__NODE_ENDPOINT_CA__", String::new()),
            ("__NODE_CREDENTIAL__", CREDENTIAL.into()),
        ]);
        let commands = ["apt-get", "dpkg-query", "systemctl", "docker", "sleep", "curl"];
        Self {
            values,
            scratch: Scratch::new(&commands, heat),
        }
    }

    /// The script with its values in, as Nova gives it to the server, but for the scratch root.
    pub fn boot(&self) -> Output {
        let mut script = super::docker_template().files["node.sh"].clone();
        for (key, value) in &self.values {
            script = script.replace(key, value);
        }
        self.install("script", &script, &["/etc/", "/var/lib/magnum", "/usr/local/"]);
        self.run(RunningAs::Script("script"))
    }

    /// Boots a node that must come up.
    pub fn boots(&self) {
        self.succeeds(&self.boot());
    }

    /// Has a node that runs look for new certificates.
    pub fn renews(&self) {
        self.succeeds(&self.run(RunningAs::Renew("/usr/local/sbin/magnum-node")));
    }

    /// Boots a node that must fail, and returns the reason that Heat got.
    pub fn fails(&self) -> String {
        self.reason(&self.boot())
    }
}
