//! Which node is asking: by the credential of its role, while it is being made, or by a token of its own.

use bytes::Bytes;
use http::{Request, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::model::{Action, Cluster, ClusterId, PoolRole};
use crate::ports::Sealed;
use crate::secret::Secret;
use crate::service::{Inner, Magnum};
use crate::{Error, ErrorKind, Result};

/// The longest name of a member.
const LONGEST_MEMBER: usize = 64;

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) role: PoolRole,
    /// The member of its pool that it is surely, by its own token, or that it says to be, by the credential of its role.
    pub(super) member: Option<String>,
    /// Whether it shows its own token.
    pub(super) own: bool,
}

/// What a node's own token says. Nobody can read it but us, and it is kept nowhere.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    role: PoolRole,
    member: String,
    until: Timestamp,
}

impl Magnum {
    /// The cluster and the node of it that a request comes from, and says to come from.
    pub(super) async fn caller(
        &self,
        request: &Request<Bytes>,
        id: ClusterId,
        said: Option<&str>,
    ) -> Result<(Cluster, Caller), Refusal> {
        let (cluster, role, own) = self.authenticated(request, id).await.map_err(Refusal::stranger)?;
        if cluster.status.action == Action::Delete {
            return Err(Error::new(ErrorKind::Forbidden, "the cluster is being deleted").into());
        }
        if own.is_none() && cluster.status.is_settled() {
            let message = "this credential is good only while servers of the cluster are being made or changed; \
                           a node that is there asks with its own token";
            return Err(Error::new(ErrorKind::Forbidden, message).into());
        }
        let by_token = own.is_some();
        let member = match (own, said) {
            (Some(own), Some(said)) if own != said => {
                let message = format!("the token is that of member {own}");
                return Err(Error::new(ErrorKind::Forbidden, message).into());
            }
            (Some(own), _) => Some(own),
            (None, said) => said.map(ToOwned::to_owned),
        };
        if let Some(member) = &member {
            check_member(member)?;
        }
        let per_node = self.inner.settings.requests_per_minute;
        // By its own token a node is counted alone; else all of its role are.
        let (nodes, alone) = match (&member, by_token) {
            (Some(member), true) => (1, format!("/{member}")),
            _ => (
                cluster.pool(role).map_or(1, |pool| pool.count.saturating_add(1)),
                String::new(),
            ),
        };
        let who = format!("nodes/{}/{}{alone}", cluster.id, role.as_str());
        let now = self.inner.clock.now();
        self.inner
            .rates
            .count(now, &who, per_node.saturating_mul(nodes))?;
        let own = by_token;
        Ok((cluster, Caller { role, member, own }))
    }

    async fn authenticated(
        &self,
        request: &Request<Bytes>,
        id: ClusterId,
    ) -> Result<(Cluster, PoolRole, Option<String>)> {
        let unknown = || Error::not_found("cluster", id);
        let given = bearer(request).ok_or_else(unknown)?;
        let cluster = self.inner.store.cluster(id).await?.ok_or_else(unknown)?;
        if let Some(role) = self.role_of(&cluster, &given)? {
            return Ok((cluster, role, None));
        }
        let token = self.inner.read_token(&cluster, &given).ok_or_else(unknown)?;
        Ok((cluster, token.role, Some(token.member)))
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

    /// A token for one node, good for some time.
    pub(super) fn token(&self, cluster: &Cluster, caller: &Caller) -> Result<Secret> {
        let member = caller.member.clone().ok_or_else(member_missing)?;
        let validity = self.inner.settings.node_token_validity;
        let token = Token {
            role: caller.role,
            member,
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
    /// A token of this cluster that has not expired.
    fn read_token(&self, cluster: &Cluster, given: &Secret) -> Option<Token> {
        let sealed = Sealed(given.expose().to_owned());
        let text = self.sealer.open(&sealed, &context(cluster)).ok()?;
        let token: Token = serde_json::from_str(text.expose()).ok()?;
        (token.until > self.clock.now()).then_some(token)
    }
}

/// Binds a token to its cluster, and to being a token.
fn context(cluster: &Cluster) -> String {
    format!("node token of {}", cluster.id)
}

pub(super) fn member_missing() -> Error {
    let message = "the node must say which member of its pool it is";
    Error::field("member", "", message)
}

fn check_member(member: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if member.len() <= LONGEST_MEMBER && member.bytes().all(plain) {
        return Ok(());
    }
    let message = "up to 64 letters, digits and . _ - are allowed";
    Err(Error::field("member", member, message))
}

fn bearer(request: &Request<Bytes>) -> Option<Secret> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::new(credential.trim()))
}
