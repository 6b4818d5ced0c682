//! A node endpoint that gives certificates as the library does: by purpose, under the policy that a driver declares.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use magnum_core::{
    CLUSTER_AUTHORITY, NodeCertificate, NodeName, NodePolicy, PoolRole, Secret, node_credential,
};

use super::authority::Authority;
use super::server::{Asked, Server};

pub const MASTER_CREDENTIAL: &str = "master-credential_0123456789";
pub const WORKER_CREDENTIAL: &str = "worker-credential_0123456789";

/// What a member shows, made of its role's.
pub fn credential_of(member: u32, of_role: &str) -> String {
    let secret = node_credential(&member.to_string(), &Secret::new(of_role));
    secret.expose().to_owned()
}

/// Tokens of servers' own.
pub const MASTER_TOKEN: &str = "master-token_0123456789";
pub const WORKER_TOKEN: &str = "worker-token_0123456789";

/// A cluster's authorities and its policy.
pub struct Endpoint {
    pub server: Server,
    authorities: Arc<BTreeMap<&'static str, Authority>>,
    policy: Arc<NodePolicy>,
    version: Arc<Mutex<String>>,
    waits: Arc<AtomicU32>,
}

impl Endpoint {
    pub fn new(policy: NodePolicy) -> Self {
        let names = policy.authorities.iter().copied().chain([CLUSTER_AUTHORITY]);
        let authorities: Arc<BTreeMap<_, _>> = Arc::new(names.map(|name| (name, Authority::new())).collect());
        let policy = Arc::new(policy);
        let (kept, under) = (Arc::clone(&authorities), Arc::clone(&policy));
        let version = Arc::new(Mutex::new("0".to_owned()));
        let now = Arc::clone(&version);
        let waits = Arc::new(AtomicU32::new(0));
        let left = Arc::clone(&waits);
        let server = Server::start(move |asked| {
            let mut version = now.lock().unwrap().clone();
            let asks = asked.method == "GET" && asked.path.ends_with("/certificates");
            let less = |left: u32| left.checked_sub(1);
            if asks
                && left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
                    .is_ok()
            {
                version.push_str(" wait");
            }
            respond(&under, &kept, &version, asked)
        });
        Self {
            server,
            authorities,
            policy,
            version,
            waits,
        }
    }

    /// The next version, for a server whose turn it is when it has asked so many times.
    pub fn set_turn(&self, waits: u32, version: &str) {
        self.set_version(version);
        self.waits.store(waits, Ordering::SeqCst);
    }

    /// What the version of the certificates is from here on.
    pub fn set_version(&self, version: &str) {
        version.clone_into(&mut self.version.lock().unwrap());
    }

    /// What it answers.
    pub fn answer(&self, asked: &Asked) -> (u16, String) {
        respond(&self.policy, &self.authorities, "0", asked)
    }

    pub fn authority(&self, name: &str) -> &Authority {
        &self.authorities[name]
    }

    pub fn cluster_authority(&self) -> &Authority {
        self.authority(CLUSTER_AUTHORITY)
    }

    /// The purposes for which a certificate was asked.
    pub fn asked_for(&self) -> Vec<String> {
        let asked = self.server.asked("/v1/clusters/c/certificates/");
        let purpose = |asked: &Asked| {
            let rest = asked.path.trim_start_matches("/v1/clusters/c/certificates/");
            rest.split('?').next().unwrap().to_owned()
        };
        asked.iter().map(purpose).collect()
    }
}

type Refusal = (u16, String);

fn respond(
    policy: &NodePolicy,
    authorities: &BTreeMap<&'static str, Authority>,
    version: &str,
    asked: &Asked,
) -> (u16, String) {
    answer(policy, authorities, version, asked)
        .unwrap_or_else(|(status, why)| (status, serde_json::json!({"error": why}).to_string()))
}

fn answer(
    policy: &NodePolicy,
    authorities: &BTreeMap<&'static str, Authority>,
    version: &str,
    asked: &Asked,
) -> Result<(u16, String), Refusal> {
    let shown = |secret: &str| asked.has_header(&format!("Authorization: Bearer {secret}"));
    let known = |of_role: &str, token: &str| {
        shown(token) || (0..20).any(|member| shown(&credential_of(member, of_role)))
    };
    let role = if known(MASTER_CREDENTIAL, MASTER_TOKEN) {
        Some(PoolRole::Master)
    } else {
        known(WORKER_CREDENTIAL, WORKER_TOKEN).then_some(PoolRole::Worker)
    };
    let role = role.ok_or_else(|| (401, "the credential is not known".into()))?;
    let nothing = || (404, format!("there is no {}", asked.path));
    let path = asked.path.strip_prefix("/v1/clusters/c/").ok_or_else(nothing)?;
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let words: Vec<&str> = path.split('/').collect();
    match (asked.method.as_str(), words.as_slice()) {
        ("GET", ["certificates"]) => Ok((200, format!("{version}\n"))),
        ("PUT", ["certificates"]) if Some(asked.body.as_str()) == version.split(' ').next() => {
            Ok((200, String::new()))
        }
        ("POST", ["token"]) => match role {
            PoolRole::Master => Ok((200, MASTER_TOKEN.into())),
            PoolRole::Worker => Ok((200, WORKER_TOKEN.into())),
        },
        ("GET", ["ca"]) => Ok((200, authorities[CLUSTER_AUTHORITY].certificate())),
        ("GET", ["authorities", name]) => {
            let authority = authorities.get(name).ok_or_else(nothing)?;
            Ok((200, authority.certificate()))
        }
        ("GET", ["keys", name]) => {
            let shared = policy
                .shared_keys
                .iter()
                .any(|(whose, key)| *whose == role && key == name);
            if !shared {
                return Err((403, format!("the key {name} is not for the role {role:?}")));
            }
            Ok((200, fs::read_to_string(authorities[name].file("ca.key")).unwrap()))
        }
        ("POST", ["certificates", purpose]) => {
            let found = policy
                .certificates
                .iter()
                .find(|c| c.role == role && c.purpose == *purpose);
            let found = found.ok_or_else(|| (403, format!("{purpose} is not for the role {role:?}")))?;
            if !asked.has_header("Content-Type: application/x-pem-file") {
                return Err((400, "not a PEM file".into()));
            }
            let subject = subject(found, query).ok_or((400, format!("{query} tells no name")))?;
            let usages = [(found.server, "serverAuth"), (found.client, "clientAuth")];
            let usages: Vec<&str> = usages.into_iter().filter(|u| u.0).map(|u| u.1).collect();
            let signed = authorities[found.authority].sign_as(&asked.body, &subject, &usages.join(","));
            Ok((200, signed))
        }
        _ => Err(nothing()),
    }
}

/// The subject as openssl takes it.
fn subject(certificate: &NodeCertificate, query: &str) -> Option<String> {
    let name = query.strip_prefix("name=")?;
    if name.is_empty() {
        return None;
    }
    let common = match certificate.name {
        NodeName::Role => format!("{}.cluster", certificate.role.as_str()),
        NodeName::Fixed(fixed) => fixed.to_owned(),
        NodeName::Server(prefix) => format!("{prefix}{name}"),
    };
    let organization = certificate
        .organization
        .map(|o| format!("/O={o}"))
        .unwrap_or_default();
    Some(format!("{organization}/CN={common}"))
}
