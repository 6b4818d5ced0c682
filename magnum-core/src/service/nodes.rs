//! The node endpoint: a cluster's own servers ask for certificates, and the members of its etcd for each other
//! ([`super::discovery`]).
//!
//! | Request | Answer |
//! | --- | --- |
//! | `GET …/v1/clusters/<uuid>/ca` | 200, PEM of the cluster's authority |
//! | `GET …/v1/clusters/<uuid>/authorities/<name>` | 200, PEM of another authority of the cluster |
//! | `GET …/v1/clusters/<uuid>/keys/<name>` | 200, PEM private key that all nodes of the role share |
//! | `POST …/v1/clusters/<uuid>/certificates/<purpose>`, body a PEM signing request | 200, PEM certificate |
//! | `GET …/v1/clusters/<uuid>/certificates` | 200, the version of what nodes are to trust and to hold, a number; `renew` after it when a certificate of the node has grown old; `wait` after it while it is another master's turn: ask again soon |
//! | `PUT …/v1/clusters/<uuid>/certificates`, body that number | 200: the node has it |
//! | `POST …/v1/clusters/<uuid>/token` | 200, a token of the node's own |
//!
//! All need `Authorization: Bearer` and a secret of one member of a pool: its credential ([`crate::node_credential`]), which
//! works while an operation makes or changes servers of the cluster, or a token, which works for 30 days. Both end
//! with the cluster. An authority is one PEM certificate, or two while it is being changed: the first one issues.
//!
//! Which authorities, keys and purposes there are for a role is the driver's [`NodePolicy`]; subject and usages of a
//! certificate are the policy's, and its names those that the cloud gave to that member. Where a certificate is named after
//! the server, the node says how that is called, `?name=mycluster-minion-7`.
//! Requests of each node are counted; 429 means that there were too many. Refusals are JSON:
//! `{"error": "…"}`; 503 means that a later try may work.

mod caller;
mod refusal;
mod turns;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};

use self::caller::Caller;
use self::refusal::Refusal;
use super::Magnum;
use crate::conductor::Keeper;
use crate::model::{CertificateNote, Cluster, ClusterId, Holder, Noted, PoolRole};
use crate::ports::{
    CertificateBundle, ClusterDriver, Commit, DriverContext, NodeCertificate, NodeName, NodePolicy, Profile,
    SubjectName, Write,
};
use crate::{Error, ErrorKind, Result};

/// A signing request is a few kilobytes at most.
const LARGEST_BODY: usize = 64 * 1024;

/// A request's path and query.
struct Asked<'a> {
    cluster: ClusterId,
    wanted: Wanted<'a>,
    name: Option<String>,
}

enum Wanted<'a> {
    Authority(&'a str),
    Key(&'a str),
    Certificate(&'a str),
    Version,
    Taken(u64),
    Token,
}

impl Magnum {
    /// Answers a request of a cluster's server. Mount it in any web server, under the path of the
    /// [`super::NodeEndpoint`]'s URL; the body must be limited to 64 KiB there.
    pub async fn node_request(&self, request: Request<Bytes>) -> Response<Bytes> {
        if let Some(answer) = self.discovery_request(&request).await {
            return answer;
        }
        match self.answer(&request).await {
            Ok(pem) => response(StatusCode::OK, "application/x-pem-file", pem),
            Err(refusal) => {
                refusal.log();
                let body = serde_json::json!({ "error": refusal.text }).to_string();
                response(refusal.status, "application/json", body)
            }
        }
    }

    async fn answer(&self, request: &Request<Bytes>) -> Result<String, Refusal> {
        let asked = route(request)?;
        let (cluster, caller) = self.caller(request, asked.cluster).await?;
        let role = caller.role;
        let driver = Arc::clone(self.inner.driver_of(&cluster).map_err(Refusal::ours)?);
        let policy = driver.node_policy();
        match asked.wanted {
            Wanted::Authority(name) => {
                let public = name == crate::ports::CLUSTER_AUTHORITY || uses(&policy, role, name);
                if !public {
                    return Err(nothing_such("authority", name).into());
                }
                Ok(self.inner.trusted(&cluster, name).await.map_err(Refusal::ours)?)
            }
            Wanted::Key(name) => {
                if !policy.shares(role, name) {
                    return Err(nothing_such("key", name).into());
                }
                let bundle = self.kept(&cluster, name).await?;
                Ok(bundle.private_key.expose().to_owned())
            }
            Wanted::Version => self.version_for(&cluster, &caller).await,
            Wanted::Taken(_) if !caller.by_token => {
                let message = "a node tells what it has with its token";
                Err(Error::new(ErrorKind::Forbidden, message).into())
            }
            Wanted::Taken(version) => {
                let noted = Noted::Taken {
                    role,
                    member: caller.member,
                    version: version.min(cluster.certificates_version),
                    at: self.inner.clock.now(),
                };
                self.note(cluster.id, noted).await?;
                Ok(String::new())
            }
            Wanted::Token => {
                let token = self.token(&cluster, &caller)?;
                // A node that was removed gets no other.
                self.shown(&driver, cluster, role, &caller.member).await?;
                Ok(token.expose().to_owned())
            }
            Wanted::Certificate(purpose) => {
                let Some(certificate) = policy.certificate(role, purpose) else {
                    return Err(nothing_such("certificate", purpose).into());
                };
                let csr = std::str::from_utf8(request.body())
                    .map_err(|_| Error::field("csr", "", "the body must be a PEM signing request"))?;
                let authority = self.kept(&cluster, certificate.authority).await?;
                let id = cluster.id;
                let name = asked.name.as_deref();
                let profile = self
                    .node_profile(&driver, cluster, certificate, &caller, name)
                    .await?;
                let signer = &self.inner.certificates.authority;
                let validity = self.inner.settings.certificate_validity;
                let signed = signer.sign(&authority, csr, &profile, validity).await?;
                let noted = Noted::Issued {
                    holder: Holder::Node {
                        role,
                        member: caller.member,
                        purpose: purpose.to_owned(),
                    },
                    authority: certificate.authority.to_owned(),
                    facts: signer.facts(&signed)?,
                    at: self.inner.clock.now(),
                };
                // What is not written down is not given out.
                self.note(id, noted).await?;
                Ok(signed)
            }
        }
    }

    async fn note(&self, cluster_id: ClusterId, noted: Noted) -> Result<(), Refusal> {
        let note = CertificateNote { cluster_id, noted };
        let commit = Commit::new().write(Write::PutCertificateNote(Box::new(note)));
        self.inner.store.commit(commit).await.map_err(Refusal::ours)
    }

    async fn kept(&self, cluster: &Cluster, authority: &str) -> Result<CertificateBundle, Refusal> {
        let bundle = self.inner.authority(cluster, authority).await;
        bundle.map_err(Refusal::ours)
    }

    /// What the cloud shows of a node; nothing for roles whose nodes have no names.
    async fn shown(
        &self,
        driver: &Arc<dyn ClusterDriver>,
        cluster: Cluster,
        role: PoolRole,
        member: &str,
    ) -> Result<Vec<SubjectName>, Refusal> {
        let cluster = Arc::new(cluster);
        let keeper = Keeper::reading(Arc::clone(&self.inner), Arc::clone(&cluster))
            .await
            .map_err(Refusal::ours)?;
        let cx = DriverContext::new(cluster, Arc::new(keeper), None);
        let names = driver
            .node_names(&cx, role, member)
            .await
            .map_err(Refusal::ours)?;
        if names.is_empty() && driver.node_policy().named(role) {
            return Err(not_shown());
        }
        Ok(names)
    }

    /// What a node may be called: only what the cloud has given to this cluster's nodes, and what the driver says that
    /// each is called besides.
    async fn node_profile(
        &self,
        driver: &Arc<dyn ClusterDriver>,
        cluster: Cluster,
        certificate: &NodeCertificate,
        caller: &Caller,
        name: Option<&str>,
    ) -> Result<Profile, Refusal> {
        let of_role = format!("{}.{}", certificate.role.as_str(), cluster.id);
        let by_server = matches!(certificate.name, NodeName::Server(_));
        // One that was removed gets nothing, by whatever it shows.
        let mut names = self
            .shown(driver, cluster, certificate.role, &caller.member)
            .await?;
        if names.is_empty() && (certificate.server || by_server) {
            return Err(not_shown());
        }
        let common_name = match certificate.name {
            NodeName::Role => of_role,
            NodeName::Fixed(name) => name.to_owned(),
            NodeName::Server(prefix) => {
                let Some(name) = name else {
                    return Err(
                        Error::field("name", "", "the node must say what its server is called").into(),
                    );
                };
                if !names.contains(&SubjectName::Dns(name.to_owned())) {
                    return Err(
                        not_yet("the cloud does not show a server of this name yet; try again").into(),
                    );
                }
                format!("{prefix}{name}")
            }
        };
        if certificate.server {
            names.extend(certificate.names.iter().cloned());
        } else {
            names.clear();
        }
        Ok(Profile::Node {
            common_name,
            organizations: certificate.organization.iter().map(ToString::to_string).collect(),
            names,
            server: certificate.server,
            client: certificate.client,
        })
    }
}

/// Whether nodes of a role have to do with an authority, so that they need to know it.
fn uses(policy: &NodePolicy, role: PoolRole, authority: &str) -> bool {
    policy
        .certificates
        .iter()
        .any(|certificate| certificate.role == role && certificate.authority == authority)
}

fn nothing_such(what: &str, name: &str) -> Error {
    let message = format!("nodes of this role have no {what} '{}'", crate::shown(name));
    Error::new(ErrorKind::Forbidden, message)
}

fn not_shown() -> Refusal {
    not_yet("the cloud does not show this node's addresses yet; try again").into()
}

fn not_yet(message: &str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}

/// The cluster and what is wanted, from the end of the path: the host may mount us anywhere.
fn route(request: &Request<Bytes>) -> Result<Asked<'_>> {
    let no_path = || Error::new(ErrorKind::InvalidInput, "no such path and method");
    let (_, rest) = last_of(request.uri().path(), &["clusters"]).ok_or_else(no_path)?;
    let (id, wanted) = match (request.method(), &rest[..]) {
        (&Method::GET, [id, "ca"]) => (id, Wanted::Authority(crate::ports::CLUSTER_AUTHORITY)),
        (&Method::GET, [id, "authorities", name]) => (id, Wanted::Authority(name)),
        (&Method::GET, [id, "keys", name]) => (id, Wanted::Key(name)),
        (&Method::GET, [id, "certificates"]) => (id, Wanted::Version),
        (&Method::PUT, [id, "certificates"]) => (id, Wanted::Taken(version(request.body())?)),
        (&Method::POST, [id, "token"]) => (id, Wanted::Token),
        (&Method::POST, [id, "certificates", purpose]) => (id, Wanted::Certificate(purpose)),
        _ => return Err(no_path()),
    };
    if request.body().len() > LARGEST_BODY {
        return Err(Error::field("csr", "", "the body is larger than 64 KiB"));
    }
    let cluster = id
        .parse()
        .map_err(|_| Error::new(ErrorKind::InvalidInput, "the cluster is named by its UUID"))?;
    let query = request.uri().query().unwrap_or_default();
    let mut said = url::form_urlencoded::parse(query.as_bytes());
    let name = said
        .find(|(key, value)| key == "name" && !value.is_empty())
        .map(|(_, value)| value.into_owned());
    Ok(Asked {
        cluster,
        wanted,
        name,
    })
}

fn version(body: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(body).ok();
    text.and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| Error::field("version", "", "the body must be a number"))
}

/// Which of these comes last after `v1` in a path, and the segments after it.
pub(super) fn last_of<'a>(path: &'a str, which: &[&str]) -> Option<(&'a str, Vec<&'a str>)> {
    let mut segments: Vec<&str> = path.split('/').collect();
    let place = segments
        .windows(2)
        .rposition(|pair| pair[0] == "v1" && which.contains(&pair[1]))?;
    let rest = segments.split_off(place + 2);
    Some((segments.pop()?, rest))
}

pub(super) fn response(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}
