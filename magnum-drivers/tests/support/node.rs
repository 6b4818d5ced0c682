//! Runs a node's script with the real bash, curl and openssl in a scratch root, with recorders in the place of
//! package tools and daemons.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use super::server::{Asked, Server};

pub const CREDENTIAL: &str = "node-credential_0123456789";
pub const TOKEN: &str = "signal-token-0123456789";
pub const PRIVATE: &str = "10.0.0.7";
pub const FLOATING: &str = "172.24.4.5";

/// Recorders: they write down how they were called, and fail or answer as files beside them say.
const RECORDER: &str = r#"#!/bin/bash
name=${0##*/}
home=${0%/bin/*}
printf '%s' "$name" >>"$home/commands"
printf ' %s' "$@" >>"$home/commands"
printf '\n' >>"$home/commands"
if [[ -e $home/fail/$name ]]; then
    cat "$home/fail/$name" >&2
    exit 100
fi
case $name in
    apt-get) printf '%s\n' "$@" >>"$home/installed" ;;
    dpkg-query) grep -qxF -- "${!#}" "$home/installed" && printf installed ;;
    systemctl)
        if [[ $1 == restart ]]; then
            [[ ! -e $home/fail/systemctl-restart ]] || exit 1
            touch "$home/active"
        elif [[ $2 == is-active ]]; then
            [[ -e $home/active ]] || exit 3
        fi
        ;;
    curl)
        # The configuration comes through the pipe; the arguments are what others would see.
        cat >"$home/curl-config"
        cat "$home/curl-config" >>"$home/curl-configs"
        exec /usr/bin/curl "$@" <"$home/curl-config"
        ;;
esac
"#;

/// A node before its first boot.
pub struct Node {
    pub directory: TempDir,
    pub values: BTreeMap<&'static str, String>,
    pub heat: Server,
}

impl Node {
    /// A node whose certificates come from `endpoint` and that signals to a Heat of its own.
    pub fn new(endpoint: &str) -> Self {
        Self::signalling(endpoint, Server::start(|_| (200, "{}".into())))
    }

    pub fn signalling(endpoint: &str, heat: Server) -> Self {
        let directory = TempDir::new().unwrap();
        let home = directory.path();
        for sub in [
            "bin",
            "fail",
            "tmp",
            "root/etc/ssl/certs",
            "root/etc/systemd/system",
        ] {
            fs::create_dir_all(home.join(sub)).unwrap();
        }
        fs::write(home.join("installed"), "curl\nopenssl\nca-certificates\n").unwrap();
        fs::write(home.join("commands"), "").unwrap();
        for name in ["apt-get", "dpkg-query", "systemctl", "docker", "sleep", "curl"] {
            let path = home.join("bin").join(name);
            fs::write(&path, RECORDER).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        // As Heat writes it.
        let cli = format!(
            "curl -i -X POST -H 'X-Auth-Token: {TOKEN}' -H 'Content-Type: application/json' \
             -H 'Accept: application/json' http://{}/v1/p/stacks/s/1/resources/node_wait_handle/signal",
            heat.address
        );
        let values = BTreeMap::from([
            ("__WAIT_CURL_CLI__", cli),
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
        Self {
            directory,
            values,
            heat,
        }
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.directory
            .path()
            .join("root")
            .join(inside.trim_start_matches('/'))
    }

    pub fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap_or_else(|e| panic!("{inside}: {e}"))
    }

    pub fn mode(&self, inside: &str) -> u32 {
        fs::metadata(self.path(inside)).unwrap().permissions().mode() & 0o7777
    }

    /// Makes a recorded command fail with these words.
    pub fn fail(&self, command: &str, words: &str) {
        fs::write(self.directory.path().join("fail").join(command), words).unwrap();
    }

    /// How the recorded commands were called.
    pub fn commands(&self) -> Vec<String> {
        let all = fs::read_to_string(self.directory.path().join("commands")).unwrap();
        all.lines().map(ToOwned::to_owned).collect()
    }

    pub fn commands_of(&self, name: &str) -> Vec<String> {
        self.commands()
            .into_iter()
            .filter(|c| c.split(' ').next() == Some(name))
            .collect()
    }

    pub fn forget(&self) {
        fs::write(self.directory.path().join("commands"), "").unwrap();
        self.heat.forget();
    }

    /// What was said to curl through its configuration.
    pub fn curl_configs(&self) -> String {
        fs::read_to_string(self.directory.path().join("curl-configs")).unwrap()
    }

    /// The bodies of the signals that Heat got.
    pub fn signals(&self) -> Vec<Value> {
        let asked = self.heat.asked("/v1/p/stacks/");
        asked
            .iter()
            .map(|a| serde_json::from_str(&a.body).unwrap_or_else(|e| panic!("{e}: {}", a.body)))
            .collect()
    }

    /// The one signal.
    pub fn signal(&self) -> Value {
        let mut signals = self.signals();
        assert_eq!(signals.len(), 1, "{signals:?}");
        signals.remove(0)
    }

    /// The script with its values in, as Nova gives it to the server, but for the scratch root.
    pub fn boot(&self) -> Output {
        let mut script = super::docker_template().files["node.sh"].clone();
        for (key, value) in &self.values {
            script = script.replace(key, value);
        }
        let root = self.path("");
        script = script.replace("/etc/", &format!("{}etc/", root.display()));
        let home = self.directory.path();
        let path = home.join("script");
        fs::write(&path, script).unwrap();
        Command::new("/bin/bash")
            .arg(&path)
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", home.join("bin").display()),
            )
            .env("TMPDIR", home.join("tmp"))
            .output()
            .unwrap()
    }

    /// Boots a node that must come up.
    pub fn boots(&self) {
        let output = self.boot();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Boots a node that must fail, and returns the reason that Heat got.
    pub fn fails(&self) -> String {
        let output = self.boot();
        assert!(
            !output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        let signal = self.signal();
        assert_eq!(signal["status"], "FAILURE");
        let left: Vec<_> = fs::read_dir(self.directory.path().join("tmp")).unwrap().collect();
        assert!(left.is_empty(), "left in the temporary directory: {left:?}");
        signal["reason"].as_str().unwrap().to_owned()
    }

    /// Every file below the root: path, mode, time of the last change, content.
    pub fn snapshot(&self) -> Vec<(PathBuf, u32, std::time::SystemTime, Vec<u8>)> {
        let mut found = Vec::new();
        walk(&self.path(""), &mut found);
        found.sort();
        found
    }
}

fn walk(directory: &Path, found: &mut Vec<(PathBuf, u32, std::time::SystemTime, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let about = fs::metadata(&path).unwrap();
        let content = if about.is_dir() {
            Vec::new()
        } else {
            fs::read(&path).unwrap()
        };
        found.push((
            path.clone(),
            about.permissions().mode(),
            about.modified().unwrap(),
            content,
        ));
        if about.is_dir() {
            walk(&path, found);
        }
    }
}

/// A certificate authority of openssl's command line.
pub struct Authority {
    directory: TempDir,
    lock: Mutex<()>,
}

impl Authority {
    pub fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let authority = Self {
            directory,
            lock: Mutex::new(()),
        };
        authority.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -days 2 \
             -keyout ca.key -out ca.pem",
        );
        authority
    }

    pub fn openssl(&self, arguments: &str) {
        let words = arguments.split_whitespace();
        let output = Command::new("openssl")
            .args(words)
            .current_dir(self.directory.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn certificate(&self) -> String {
        fs::read_to_string(self.file("ca.pem")).unwrap()
    }

    /// Signs a request with all that it asks for.
    pub fn sign(&self, request: &str) -> String {
        let _one = self.lock.lock().unwrap();
        fs::write(self.file("request.pem"), request).unwrap();
        self.openssl(
            "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 1 -copy_extensions copyall -out signed.pem",
        );
        fs::read_to_string(self.file("signed.pem")).unwrap()
    }

    /// A node endpoint that hands out this authority's certificates.
    pub fn answer(&self, asked: &Asked) -> (u16, String) {
        if !asked.has_header(&format!("Authorization: Bearer {CREDENTIAL}")) {
            return (401, r#"{"error": "the credential is not known"}"#.into());
        }
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/v1/clusters/c/ca") => (200, self.certificate()),
            ("POST", "/v1/clusters/c/certificates/server?member=&name=")
                if asked.has_header("Content-Type: application/x-pem-file") =>
            {
                (200, self.sign(&asked.body))
            }
            _ => (404, r#"{"error": "there is no such thing"}"#.into()),
        }
    }
}

/// The URL that the node endpoint's server is given to nodes by.
pub fn endpoint_url(server: &Server) -> String {
    format!("http://{}/v1/clusters/c", server.address)
}

/// An authority and the node endpoint that hands out its certificates.
pub fn signing() -> (Arc<Authority>, Server) {
    let authority = Arc::new(Authority::new());
    let signer = Arc::clone(&authority);
    (authority, Server::start(move |asked| signer.answer(asked)))
}
