//! The node endpoint: a cluster's own servers ask for certificates.
//!
//! | Request | Answer |
//! | --- | --- |
//! | `GET …/v1/clusters/<uuid>/ca` | 200, PEM of the cluster's authority |
//! | `POST …/v1/clusters/<uuid>/certificates`, body a PEM signing request | 200, PEM server certificate for names that the cluster's nodes have |
//!
//! The credential is one per cluster and role, so the names are those that the cloud gave to the nodes of that role.
//! Both need `Authorization: Bearer <the credential of the cluster and role>`. Refusals are JSON:
//! `{"error": "…"}`; 503 means that a later try may work.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};

use super::Magnum;
use crate::conductor::Keeper;
use crate::model::{Action, Cluster, ClusterId, PoolRole};
use crate::ports::{DriverContext, Profile};
use crate::secret::Secret;
use crate::{Error, ErrorKind, Result};

/// A signing request is a few kilobytes at most.
const LARGEST_BODY: usize = 64 * 1024;

enum Wanted {
    Ca,
    Certificate,
}

impl Magnum {
    /// Answers a request of a cluster's server. Mount it in any web server, under the path of the
    /// [`super::NodeEndpoint`]'s URL; the body must be limited to 64 KiB there.
    pub async fn node_request(&self, request: Request<Bytes>) -> Response<Bytes> {
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
        let (id, wanted) = route(request)?;
        let (cluster, role) = self.authenticated(request, id).await.map_err(Refusal::stranger)?;
        if cluster.status.action == Action::Delete {
            return Err(Error::new(ErrorKind::Forbidden, "the cluster is being deleted").into());
        }
        let ca = self.inner.ca(&cluster).await?;
        match wanted {
            Wanted::Ca => Ok(ca.certificate),
            Wanted::Certificate => {
                let csr = std::str::from_utf8(request.body())
                    .map_err(|_| Error::field("csr", "", "the body must be a PEM signing request"))?;
                let profile = self.node_profile(cluster, role).await?;
                let validity = self.inner.settings.certificate_validity;
                Ok(self
                    .inner
                    .certificates
                    .authority
                    .sign(&ca, csr, &profile, validity)
                    .await?)
            }
        }
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

    /// What a node may be called: only addresses that the cloud has given to this cluster's nodes.
    async fn node_profile(&self, cluster: Cluster, role: PoolRole) -> Result<Profile> {
        let driver = Arc::clone(self.inner.driver_of(&cluster)?);
        let common_name = format!("{}.{}", role.as_str(), cluster.id);
        let cluster = Arc::new(cluster);
        let keeper = Keeper::reading(Arc::clone(&self.inner), Arc::clone(&cluster)).await?;
        let cx = DriverContext::new(cluster, Arc::new(keeper), None);
        let names = driver.node_names(&cx, role).await?;
        if names.is_empty() {
            let message = "the cloud does not show this node's addresses yet; try again";
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        // A node serves; were it a client, too, whoever takes one node would command all of them.
        Ok(Profile::Node {
            common_name,
            names,
            client: false,
        })
    }
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
fn route(request: &Request<Bytes>) -> Result<(ClusterId, Wanted)> {
    let segments: Vec<&str> = request.uri().path().split('/').collect();
    let [.., "v1", "clusters", id, last] = segments.as_slice() else {
        return Err(Error::new(ErrorKind::InvalidInput, "no such path"));
    };
    let wanted = match (request.method(), *last) {
        (&Method::GET, "ca") => Wanted::Ca,
        (&Method::POST, "certificates") => Wanted::Certificate,
        _ => return Err(Error::new(ErrorKind::InvalidInput, "no such path and method")),
    };
    if request.body().len() > LARGEST_BODY {
        return Err(Error::field("csr", "", "the body is larger than 64 KiB"));
    }
    let id = id
        .parse()
        .map_err(|_| Error::new(ErrorKind::InvalidInput, "the cluster is named by its UUID"))?;
    Ok((id, wanted))
}

fn bearer(request: &Request<Bytes>) -> Option<Secret> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::new(credential.trim()))
}

fn response(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
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
