//! Which node is asking: by its credential, while servers are being made, or by a token.

use bytes::Bytes;
use http::{Request, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::model::{Action, Cluster, ClusterId, PoolRole};
use crate::ports::{Sealed, node_credential};
use crate::secret::Secret;
use crate::service::{Inner, Magnum};
use crate::{Error, ErrorKind, Result};

/// The longest name of a member.
const LONGEST_MEMBER: usize = 64;

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) role: PoolRole,
    /// Which member of its pool it is.
    pub(super) member: String,
    /// Whether it shows a token.
    pub(super) by_token: bool,
}

/// What a node's token says. Nobody can read it but us, and it is kept nowhere.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    role: PoolRole,
    member: String,
    until: Timestamp,
}

impl Magnum {
    /// The cluster and the node of it that a request comes from.
    pub(super) async fn caller(
        &self,
        request: &Request<Bytes>,
        id: ClusterId,
    ) -> Result<(Cluster, Caller), Refusal> {
        let (cluster, caller) = self.authenticated(request, id).await.map_err(Refusal::stranger)?;
        if cluster.status.action == Action::Delete {
            return Err(Error::new(ErrorKind::Forbidden, "the cluster is being deleted").into());
        }
        if !caller.by_token && cluster.status.is_settled() {
            let message = "this credential is good only while servers of the cluster are being made or changed; \
                           a node that is there asks with its token";
            return Err(Error::new(ErrorKind::Forbidden, message).into());
        }
        let who = format!("nodes/{}/{}/{}", cluster.id, caller.role.as_str(), caller.member);
        let now = self.inner.clock.now();
        let per_minute = self.inner.settings.requests_per_minute;
        self.inner.rates.count(now, &who, per_minute)?;
        Ok((cluster, caller))
    }

    async fn authenticated(&self, request: &Request<Bytes>, id: ClusterId) -> Result<(Cluster, Caller)> {
        let unknown = || Error::not_found("cluster", id);
        let given = bearer(request).ok_or_else(unknown)?;
        let cluster = self.inner.store.cluster(id).await?.ok_or_else(unknown)?;
        let caller = match self.by_credential(&cluster, &given)? {
            Some(caller) => Some(caller),
            None => self.inner.by_token(&cluster, &given),
        };
        Ok((cluster, caller.ok_or_else(unknown)?))
    }

    fn by_credential(&self, cluster: &Cluster, given: &Secret) -> Result<Option<Caller>> {
        let said = given.expose().rsplit_once('.').map(|(member, _)| member);
        let Some(member) = said.filter(|member| names_a_member(member)) else {
            return Ok(None);
        };
        let mut caller = None;
        for credential in &cluster.node_credentials {
            let secret = self
                .inner
                .sealer
                .open(&credential.sealed, &cluster.id.to_string())?;
            if node_credential(member, &secret) == *given {
                caller = Some(Caller {
                    role: credential.role,
                    member: member.to_owned(),
                    by_token: false,
                });
            }
        }
        Ok(caller)
    }

    /// A token for one node, good for some time.
    pub(super) fn token(&self, cluster: &Cluster, caller: &Caller) -> Result<Secret> {
        let validity = self.inner.settings.node_token_validity;
        let token = Token {
            role: caller.role,
            member: caller.member.clone(),
            until: self
                .inner
                .clock
                .now()
                .checked_add(validity)
                .unwrap_or(Timestamp::MAX),
        };
        let text = serde_json::to_string(&token).map_err(|_| Error::internal("a token cannot be written"))?;
        let sealed = self.inner.sealer.seal(&Secret::new(text), &context(cluster))?;
        Ok(Secret::new(sealed.0))
    }
}

impl Inner {
    /// Whose token it is, if it is one of this cluster and has not expired.
    fn by_token(&self, cluster: &Cluster, given: &Secret) -> Option<Caller> {
        let sealed = Sealed(given.expose().to_owned());
        let text = self.sealer.open(&sealed, &context(cluster)).ok()?;
        let token: Token = serde_json::from_str(text.expose()).ok()?;
        (token.until > self.clock.now()).then_some(Caller {
            role: token.role,
            member: token.member,
            by_token: true,
        })
    }
}

/// Binds a token to its cluster, and to being a token.
fn context(cluster: &Cluster) -> String {
    format!("node token of {}", cluster.id)
}

/// Members become part of texts that others read.
fn names_a_member(said: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !said.is_empty() && said.len() <= LONGEST_MEMBER && said.bytes().all(plain)
}

fn bearer(request: &Request<Bytes>) -> Option<Secret> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::new(credential.trim()))
}
