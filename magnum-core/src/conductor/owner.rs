//! As whom the conductor acts on a cluster's stacks, told from its ledger.

use std::future::Future;

use super::fence::limited;
use crate::model::{Cluster, LedgerEntry, Operation, Owned, UserToken};
use crate::ports::{Auth, TrustCredentials, TrustMode};
use crate::service::Inner;
use crate::{Error, ErrorKind, Result};

/// The identity that changes, reads and removes the cluster's stacks; `None` while it has none.
pub(super) fn identity(inner: &Inner, cluster: &Cluster, ledger: &[LedgerEntry]) -> Result<Option<Auth>> {
    if matches!(inner.cloud(&cluster.cloud)?.trust, TrustMode::None) {
        return Ok(Some(Auth::Service));
    }
    Ok(trust(inner, cluster, ledger)?.map(Auth::Trust))
}

/// The cluster's trust, if both trustee and trust are known to exist.
pub(super) fn trust(
    inner: &Inner,
    cluster: &Cluster,
    ledger: &[LedgerEntry],
) -> Result<Option<TrustCredentials>> {
    let mut trustee = None;
    let mut trust = None;
    for entry in ledger {
        match &entry.owned {
            Owned::Trustee {
                id: Some(id),
                password,
                ..
            } => trustee = Some((id.clone(), password.clone())),
            Owned::Trust { id: Some(id), .. } => trust = Some(id.clone()),
            _ => {}
        }
    }
    let (Some((trustee_user_id, password)), Some(trust_id)) = (trustee, trust) else {
        return Ok(None);
    };
    let password = inner.sealer.open(&password, &cluster.id.to_string())?;
    Ok(Some(TrustCredentials {
        trustee_user_id,
        password,
        trust_id,
    }))
}

/// The caller's token, for the two things that only it can do.
pub(super) fn token(inner: &Inner, cluster: &Cluster, operation: &Operation) -> Result<UserToken> {
    let expired = |message: &str| Err(Error::new(ErrorKind::Unauthorized, message).at("keystone", "token"));
    let Some(sealed) = &operation.token else {
        return expired("the caller's token is no longer there; create the cluster again");
    };
    if sealed.expires_at <= inner.clock.now() {
        return expired("the caller's token expired before the cluster's trust and stack were made");
    }
    Ok(UserToken {
        token: inner.sealer.open(&sealed.sealed, &operation.id.to_string())?,
        project_id: cluster.project_id.clone(),
        user_id: operation.user_id.clone(),
        expires_at: sealed.expires_at,
    })
}

/// Makes a call under the cluster's identity, or as the cloud's administrator where that is refused
/// and the host has one: the owner, the role or the trust may be gone.
pub(super) async fn under<T, F: Future<Output = Result<T>>>(
    inner: &Inner,
    cluster: &Cluster,
    identity: &Auth,
    what: &'static str,
    call: impl Fn(Auth) -> F,
) -> Result<T> {
    let answer = limited(inner, what, call(identity.clone())).await;
    // Keystone answers 401 for a trust that is gone, 403 for one whose owner is disabled or lost a role.
    let refused = matches!(
        &answer,
        Err(error) if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden)
    );
    if !refused || !matches!(identity, Auth::Trust(_)) {
        return answer;
    }
    if inner.cloud(&cluster.cloud)?.admin {
        return limited(inner, what, call(Auth::Admin)).await;
    }
    answer.map_err(|error| {
        let message = format!(
            "the cluster's trust is refused ({error}); its owner, a role or the trust is gone: \
             an administrator must remove its stack, then the cluster can be deleted"
        );
        Error::new(ErrorKind::Unauthorized, message)
            .at("keystone", "trust")
            .with_source(error)
    })
}
