//! A certificate authority of openssl's command line.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::node::{CREDENTIAL, NODE_TOKEN};
use super::server::{Asked, Server};

/// A certificate authority of openssl's command line.
pub struct Authority {
    directory: TempDir,
    lock: Mutex<()>,
    version: Mutex<String>,
}

impl Authority {
    pub fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let authority = Self {
            directory,
            lock: Mutex::new(()),
            version: Mutex::new("0".to_owned()),
        };
        authority.make("ca");
        authority
    }

    fn make(&self, name: &str) {
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -days 2 \
             -keyout ca.key -out ca.pem"
        ));
    }

    /// What the version of the certificates is from here on.
    pub fn set_version(&self, version: &str) {
        version.clone_into(&mut self.version.lock().unwrap());
    }

    /// From here on another one signs, and both are to be trusted.
    pub fn rotate(&self) {
        fs::rename(self.file("ca.pem"), self.file("former.pem")).unwrap();
        self.make("new");
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
        let former = fs::read_to_string(self.file("former.pem")).unwrap_or_default();
        fs::read_to_string(self.file("ca.pem")).unwrap() + &former
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

    /// Signs a request for another subject, and for these usages only; the names are the request's.
    pub fn sign_as(&self, request: &str, subject: &str, usages: &str) -> String {
        let _one = self.lock.lock().unwrap();
        fs::write(self.file("request.pem"), request).unwrap();
        fs::write(self.file("usages"), format!("extendedKeyUsage = {usages}\n")).unwrap();
        self.openssl(&format!(
            "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 1 -copy_extensions copyall -subj {subject} \
             -extfile usages -out signed.pem"
        ));
        fs::read_to_string(self.file("signed.pem")).unwrap()
    }

    /// A node endpoint that hands out this authority's certificates.
    pub fn answer(&self, asked: &Asked) -> (u16, String) {
        let known = [CREDENTIAL, NODE_TOKEN].map(|secret| format!("Authorization: Bearer {secret}"));
        if !known.iter().any(|header| asked.has_header(header)) {
            return (401, r#"{"error": "the credential is not known"}"#.into());
        }
        let version = self.version.lock().unwrap().clone();
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/v1/clusters/c/certificates") => (200, format!("{version}\n")),
            ("PUT", "/v1/clusters/c/certificates") if asked.body == version => (200, String::new()),
            ("POST", "/v1/clusters/c/token") => (200, NODE_TOKEN.into()),
            ("GET", "/v1/clusters/c/ca") => (200, self.certificate()),
            ("POST", "/v1/clusters/c/certificates/server?name=")
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
