//! The node endpoint: a cluster's own servers ask for certificates, and the members of its etcd for each other
//! ([`super::discovery`]).
//!
//! | Request | Answer |
//! | --- | --- |
//! | `GET …/v1/clusters/<uuid>/ca` | 200, PEM of the cluster's authority |
//! | `GET …/v1/clusters/<uuid>/authorities/<name>` | 200, PEM of another authority of the cluster |
//! | `GET …/v1/clusters/<uuid>/keys/<name>` | 200, PEM private key that all nodes of the role share |
//! | `POST …/v1/clusters/<uuid>/certificates/<purpose>`, body a PEM signing request | 200, PEM certificate |
//!
//! All need `Authorization: Bearer <the credential of the cluster and role>`. Which authorities, keys and purposes there
//! are for a role is the driver's [`NodePolicy`]; subject and usages of a certificate are the policy's, and its names
//! those that the cloud gave to the nodes of that role. A node can say which member of its pool it is and what its server is
//! called, `?member=7&name=mycluster-minion-7`, and must where the certificate is named after its server. Refusals are JSON: `{"error": "…"}`; 503 means that a later try may work.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};

use super::Magnum;
use crate::conductor::Keeper;
use crate::model::{Action, Cluster, ClusterId, PoolRole};
use crate::ports::{
    CertificateBundle, ClusterDriver, DriverContext, NodeCertificate, NodeName, NodePolicy, Profile,
    SubjectName,
};
use crate::secret::Secret;
use crate::{Error, ErrorKind, Result};

/// A signing request is a few kilobytes at most.
const LARGEST_BODY: usize = 64 * 1024;

/// A request's path and query.
struct Asked<'a> {
    cluster: ClusterId,
    wanted: Wanted<'a>,
    member: Option<String>,
    name: Option<String>,
}

enum Wanted<'a> {
    Authority(&'a str),
    Key(&'a str),
    Certificate(&'a str),
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
                tracing::warn!(status = %refusal.status, error = ?refusal.error, "a node's request was refused");
                let body = serde_json::json!({ "error": refusal.text }).to_string();
                response(refusal.status, "application/json", body)
            }
        }
    }

    async fn answer(&self, request: &Request<Bytes>) -> Result<String, Refusal> {
        let asked = route(request)?;
        let (cluster, role) = self
            .authenticated(request, asked.cluster)
            .await
            .map_err(Refusal::stranger)?;
        if cluster.status.action == Action::Delete {
            return Err(Error::new(ErrorKind::Forbidden, "the cluster is being deleted").into());
        }
        let driver = Arc::clone(self.inner.driver_of(&cluster).map_err(Refusal::ours)?);
        let policy = driver.node_policy();
        match asked.wanted {
            Wanted::Authority(name) => {
                let public = name == crate::ports::CLUSTER_AUTHORITY || uses(&policy, role, name);
                if !public {
                    return Err(nothing_such("authority", name).into());
                }
                Ok(self.kept(&cluster, name).await?.certificate)
            }
            Wanted::Key(name) => {
                if !policy.shares(role, name) {
                    return Err(nothing_such("key", name).into());
                }
                let bundle = self.kept(&cluster, name).await?;
                Ok(bundle.private_key.expose().to_owned())
            }
            Wanted::Certificate(purpose) => {
                let Some(certificate) = policy.certificate(role, purpose) else {
                    return Err(nothing_such("certificate", purpose).into());
                };
                let csr = std::str::from_utf8(request.body())
                    .map_err(|_| Error::field("csr", "", "the body must be a PEM signing request"))?;
                let authority = self.kept(&cluster, certificate.authority).await?;
                let profile = self.node_profile(&driver, cluster, certificate, &asked).await?;
                let validity = self.inner.settings.certificate_validity;
                Ok(self
                    .inner
                    .certificates
                    .authority
                    .sign(&authority, csr, &profile, validity)
                    .await?)
            }
        }
    }

    async fn kept(&self, cluster: &Cluster, authority: &str) -> Result<CertificateBundle, Refusal> {
        let bundle = self.inner.authority(cluster, authority).await;
        bundle.map_err(Refusal::ours)
    }

    async fn authenticated(&self, request: &Request<Bytes>, id: ClusterId) -> Result<(Cluster, PoolRole)> {
        let unknown = || Error::not_found("cluster", id);
        let credential = bearer(request).ok_or_else(unknown)?;
        let cluster = self.inner.store.cluster(id).await?.ok_or_else(unknown)?;
        let role = self.role_of(&cluster, &credential)?.ok_or_else(unknown)?;
        Ok((cluster, role))
    }

    fn role_of(&self, cluster: &Cluster, given: &Secret) -> Result<Option<PoolRole>> {
        let mut role = None;
        for credential in &cluster.node_credentials {
            let secret = self
                .inner
                .sealer
                .open(&credential.sealed, &cluster.id.to_string())?;
            if secret == *given {
                role = Some(credential.role);
            }
        }
        Ok(role)
    }

    /// What a node may be called: only what the cloud has given to this cluster's nodes, and what the driver says that
    /// each is called besides.
    async fn node_profile(
        &self,
        driver: &Arc<dyn ClusterDriver>,
        cluster: Cluster,
        certificate: &NodeCertificate,
        asked: &Asked<'_>,
    ) -> Result<Profile, Refusal> {
        let of_role = format!("{}.{}", certificate.role.as_str(), cluster.id);
        let by_server = matches!(certificate.name, NodeName::Server(_));
        let mut names = Vec::new();
        // Else it would have the names of all nodes of its role, and cost a look at each of them.
        if by_server && asked.member.is_none() {
            let message = "the node must say which member of its pool it is";
            return Err(Error::field("member", "", message).into());
        }
        if certificate.server || by_server {
            let cluster = Arc::new(cluster);
            let keeper = Keeper::reading(Arc::clone(&self.inner), Arc::clone(&cluster))
                .await
                .map_err(Refusal::ours)?;
            let cx = DriverContext::new(cluster, Arc::new(keeper), None);
            names = driver
                .node_names(&cx, certificate.role, asked.member.as_deref())
                .await
                .map_err(Refusal::ours)?;
            if names.is_empty() {
                return Err(not_yet("the cloud does not show this node's addresses yet; try again").into());
            }
        }
        let common_name = match certificate.name {
            NodeName::Role => of_role,
            NodeName::Fixed(name) => name.to_owned(),
            NodeName::Server(prefix) => {
                let Some(name) = &asked.name else {
                    return Err(
                        Error::field("name", "", "the node must say what its server is called").into(),
                    );
                };
                if !names.contains(&SubjectName::Dns(name.clone())) {
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

fn not_yet(message: &str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}

/// What a node is told, and what the log is told.
struct Refusal {
    status: StatusCode,
    text: String,
    error: Error,
}

impl Refusal {
    /// Somebody who has not shown a credential learns nothing: neither whether the cluster exists, nor what ails us.
    fn stranger(error: Error) -> Self {
        let (status, text) = match error.kind() {
            ErrorKind::NotFound => (StatusCode::UNAUTHORIZED, "no such cluster, or not its credential"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "try again later"),
        };
        Self {
            status,
            text: text.to_owned(),
            error,
        }
    }

    /// What ails us, not the node: whatever the cloud or a certificate store thinks of our requests, the node's may be
    /// good, and a later try may work.
    fn ours(error: Error) -> Self {
        let status = StatusCode::from_u16(error.http_status())
            .ok()
            .filter(|status| status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS);
        Self {
            status: status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            text: error.to_string(),
            error,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            // Something of the cluster is not there (yet, or for the moment).
            ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Internal => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        };
        Self {
            status,
            text: error.to_string(),
            error,
        }
    }
}

/// The cluster and what is wanted, from the end of the path: the host may mount us anywhere.
fn route(request: &Request<Bytes>) -> Result<Asked<'_>> {
    let no_path = || Error::new(ErrorKind::InvalidInput, "no such path and method");
    let (_, rest) = last_of(request.uri().path(), &["clusters"]).ok_or_else(no_path)?;
    let (id, wanted) = match (request.method(), &rest[..]) {
        (&Method::GET, [id, "ca"]) => (id, Wanted::Authority(crate::ports::CLUSTER_AUTHORITY)),
        (&Method::GET, [id, "authorities", name]) => (id, Wanted::Authority(name)),
        (&Method::GET, [id, "keys", name]) => (id, Wanted::Key(name)),
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
    let said = |key: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(name, value)| name == key && !value.is_empty())
            .map(|(_, value)| value.into_owned())
    };
    Ok(Asked {
        cluster,
        wanted,
        member: said("member"),
        name: said("name"),
    })
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

fn bearer(request: &Request<Bytes>) -> Option<Secret> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::new(credential.trim()))
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
