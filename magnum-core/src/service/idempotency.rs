//! Idempotency keys: the same request under the same key is done once.

use std::future::Future;

use serde::Serialize;
use uuid::Uuid;

use super::Magnum;
use crate::model::{Cluster, RequestContext};
use crate::ports::{Idempotent, Write};
use crate::{Error, ErrorKind, Result, Retry};

/// A caller's key, and what stands for the request that came with it.
#[derive(Clone, Debug)]
pub(super) struct Key {
    key: String,
    request: String,
}

impl Key {
    /// Remembers that the request was answered with this cluster.
    pub(super) fn answered(self, cluster: &Cluster) -> Write {
        Write::PutIdempotent(Box::new(Idempotent {
            project: cluster.project_id.clone(),
            key: self.key,
            request: self.request,
            cluster_id: cluster.id,
        }))
    }
}

impl Magnum {
    /// A request's key, if it has one.
    pub(super) fn key(&self, what: &str, key: Option<&str>, body: &impl Serialize) -> Result<Option<Key>> {
        let Some(key) = key else { return Ok(None) };
        if let Some(problem) = super::validation::plain("idempotency_key", key) {
            return Err(Error::invalid(vec![problem]));
        }
        let body = serde_json::to_vec(&(what, body)).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Some(Key {
            key: key.to_owned(),
            request: Uuid::new_v5(&Uuid::NAMESPACE_OID, &body).to_string(),
        }))
    }

    /// Does a request unless it was answered before. When it is refused, the same request under the same key may have won
    /// a race: then its answer is the answer. One that may have been lost stays an error.
    pub(super) async fn once(
        &self,
        cx: &RequestContext,
        key: Option<Key>,
        request: impl Future<Output = Result<Cluster>>,
    ) -> Result<Cluster> {
        if let Some(before) = self.answered_before(cx, key.as_ref()).await? {
            return Ok(before);
        }
        let refusal = match request.await {
            Err(error) if error.retry() != Retry::Unknown => error,
            other => return other,
        };
        self.answered_before(cx, key.as_ref()).await?.ok_or(refusal)
    }

    /// The cluster that a request under this key was answered with before.
    pub(super) async fn answered_before(
        &self,
        cx: &RequestContext,
        key: Option<&Key>,
    ) -> Result<Option<Cluster>> {
        let Some(Key { key, request }) = key else {
            return Ok(None);
        };
        let Some(known) = self.inner.store.idempotent(&cx.project_id, key).await? else {
            return Ok(None);
        };
        if known.request != *request {
            let message = "this idempotency key came before, with another request";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        match self.inner.store.cluster(known.cluster_id).await? {
            Some(cluster) => Ok(Some(cluster)),
            None => {
                let message = "the cluster of this idempotency key has been deleted; use a new key";
                Err(Error::new(ErrorKind::Conflict, message))
            }
        }
    }
}
