//! As whom the conductor acts on a cluster's stacks, told from its ledger.

use std::future::Future;

use super::fence::limited;
use crate::model::{Cluster, LedgerEntry, Operation, Owned, UserToken};
use crate::ports::{Auth, TrustCredentials, TrustMode};
use crate::service::Inner;
use crate::{Error, ErrorKind, Result};

/// What an error says that it was about when the cluster's own trust is refused, or not there.
pub(super) const TRUST: &str = "trust";

/// The identity that changes, reads and removes the cluster's stacks: what the cluster was made with, however the host
/// is set up now; `None` while it has none.
pub(super) fn identity(inner: &Inner, cluster: &Cluster, ledger: &[LedgerEntry]) -> Result<Option<Auth>> {
    if let Some(trust) = trust(inner, cluster, ledger)? {
        return Ok(Some(Auth::Trust(trust)));
    }
    let of_trust = |entry: &LedgerEntry| matches!(entry.owned, Owned::Trustee { .. } | Owned::Trust { .. });
    let made = ledger.iter().any(|entry| {
        matches!(
            &entry.owned,
            Owned::Stack { stack: Some(_), .. } | Owned::LoadBalancer { .. } | Owned::Volume { .. }
        )
    });
    let hosts_own = matches!(inner.cloud(&cluster.cloud)?.trust, TrustMode::None) || made;
    Ok((hosts_own && !ledger.iter().any(of_trust)).then_some(Auth::Service))
}

/// As [`identity`], for what cannot be done without one.
pub(super) fn required(inner: &Inner, cluster: &Cluster, ledger: &[LedgerEntry]) -> Result<Auth> {
    identity(inner, cluster, ledger)?.ok_or_else(|| {
        Error::new(
            ErrorKind::Unauthorized,
            "the cluster has no trust under which its stack could be reached",
        )
        .at("keystone", TRUST)
    })
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
            // While another one is being given, the former is what there is.
            Owned::Trust { id, former, .. } => trust = id.as_ref().or(former.as_ref()).cloned(),
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

/// Makes a call under the cluster's identity; a trust that is refused is told with what must be done about it.
pub(super) async fn under<T>(
    inner: &Inner,
    identity: &Auth,
    what: &'static str,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    limited(inner, what, call).await.map_err(|error| {
        if error.kind() != ErrorKind::Unauthorized || !matches!(identity, Auth::Trust(_)) {
            return error;
        }
        let message = format!(
            "the cluster's trust is refused ({error}); its owner, a role or the trust is gone: \
             a member of its project can delete it, with a token that can give trusts; for all else an administrator must give \
             back what is gone"
        );
        Error::new(ErrorKind::Unauthorized, message)
            .at("keystone", TRUST)
            .with_source(error)
    })
}
