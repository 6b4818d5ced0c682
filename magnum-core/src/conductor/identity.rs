//! The step that gives a cluster its own identity: trustee, then trust.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::fence::limited;
use super::owner;
use super::work::{Next, Work};
use crate::model::{LedgerEntry, OperationKind, Owned, Step};
use crate::ports::{ClusterDriver, TrustCredentials, TrustManager, TrustMode};
use crate::secret::Secret;
use crate::{Error, ErrorKind, Result};

impl Work {
    pub(super) async fn step_trust(&mut self) -> Result<()> {
        let trusts = match &self.inner.cloud(&self.cluster.cloud)?.trust {
            TrustMode::None => None,
            TrustMode::Trust(trusts) => Some(Arc::clone(trusts)),
        };
        if let Some(trusts) = trusts {
            let trustee = self.trustee(&*trusts).await?;
            self.trust(&*trusts, &trustee).await?;
        }
        self.go_to(Step::Certificates).await
    }

    async fn trustee(&mut self, trusts: &dyn TrustManager) -> Result<String> {
        let known = self
            .ledger
            .iter()
            .find(|entry| matches!(entry.owned, Owned::Trustee { .. }))
            .cloned();
        let mut entry = match known {
            Some(entry) => entry,
            None => {
                let password = self.sealed_secret()?;
                let name = format!("{}_{}", self.cluster.id, self.cluster.project_id);
                self.intend(Owned::Trustee {
                    name,
                    password,
                    id: None,
                })
                .await?
            }
        };
        let Owned::Trustee { name, password, id } = &mut entry.owned else {
            return Err(crate::Error::internal("the ledger entry is no trustee"));
        };
        if let Some(id) = id {
            return Ok(id.clone());
        }
        let secret = self.inner.sealer.open(password, &self.cluster.id.to_string())?;
        let made = match self
            .fence
            .write("trustee.create", trusts.create_trustee(name, &secret))
            .await
        {
            // The name holds our UUID, so whoever has it was made for this cluster, with this password.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let found = limited(&self.inner, "trustee.find", trusts.find_trustee(name)).await?;
                found.ok_or(error)?
            }
            other => other?,
        };
        *id = Some(made.clone());
        self.record(entry).await?;
        Ok(made)
    }

    async fn trust(&mut self, trusts: &dyn TrustManager, trustee: &str) -> Result<()> {
        let known = self
            .ledger
            .iter()
            .find(|entry| matches!(entry.owned, Owned::Trust { .. }))
            .cloned();
        let resumed = known.is_some();
        let mut entry = match known {
            Some(entry) => entry,
            None => {
                self.intend(Owned::Trust {
                    trustee_id: trustee.to_owned(),
                    id: None,
                    former: None,
                })
                .await?
            }
        };
        let Owned::Trust { id, former, .. } = &mut entry.owned else {
            return Err(crate::Error::internal("the ledger entry is no trust"));
        };
        if id.is_some() {
            return Ok(());
        }
        let owner = owner::token(&self.inner, &self.cluster, &self.operation)?;
        // After a crash the trust may be there, even twice: keep one, remove the others.
        let mut made = if resumed {
            limited(&self.inner, "trust.list", trusts.trusts(&owner, trustee)).await?
        } else {
            Vec::new()
        };
        made.retain(|id| Some(id) != former.as_ref());
        let kept = match made.pop() {
            Some(kept) => kept,
            None => {
                self.fence
                    .write("trust.create", trusts.create_trust(&owner, trustee))
                    .await?
            }
        };
        for surplus in made {
            let credentials = TrustCredentials {
                trustee_user_id: trustee.to_owned(),
                password: self.trustee_password()?,
                trust_id: surplus,
            };
            self.fence
                .write("trust.delete", trusts.delete_trust(&credentials))
                .await?;
        }
        *id = Some(kept);
        self.record(entry).await
    }

    /// Whether an error says that the cluster's trust is refused, and whoever asked for this operation can give another.
    pub(super) fn can_delegate_anew(&self, error: &Error) -> bool {
        // Nobody's rights are given to a user whose password is on the cluster's servers.
        let on_nodes =
            |driver: Arc<dyn ClusterDriver>| driver.trust_on_nodes(&self.cluster.template).is_some();
        error.kind() == ErrorKind::Unauthorized
            && error.operation() == owner::TRUST
            && self.driver().is_ok_and(|driver| !on_nodes(driver))
            && matches!(self.operation.kind, OperationKind::Delete { .. })
            && self.trustee_id().is_some()
            && owner::token(&self.inner, &self.cluster, &self.operation).is_ok()
    }

    /// Gives the cluster's trustee a trust of whoever asked for this operation, once, in the place of one that is refused.
    pub(super) async fn delegate_anew(&mut self) -> Result<Next> {
        tracing::warn!(
            user = self.operation.user_id,
            "the cluster's trust is refused; its caller gives another"
        );
        let trustee = self
            .trustee_id()
            .ok_or_else(|| Error::internal("there is no trustee"))?;
        let trusts = self.trusts()?;
        self.swap_trust(|id, former| {
            if id.is_some() {
                *former = id.take();
            }
        })
        .await?;
        if let Err(error) = self.trust(&*trusts, &trustee).await {
            // The refused one may be given back.
            self.swap_trust(|id, former| {
                if id.is_none() {
                    *id = former.take();
                }
            })
            .await?;
            return Err(error);
        }
        // Once is enough: a trust that is refused at once will be again.
        self.operation.token = None;
        self.operation.attempt = 0;
        self.cluster.status_reason = None;
        self.save(Vec::new()).await?;
        Ok(Next::Again)
    }

    async fn swap_trust(&mut self, swap: impl Fn(&mut Option<String>, &mut Option<String>)) -> Result<()> {
        let trust = |entry: &&LedgerEntry| matches!(entry.owned, Owned::Trust { .. });
        let Some(mut entry) = self.ledger.iter().find(trust).cloned() else {
            return Ok(());
        };
        if let Owned::Trust { id, former, .. } = &mut entry.owned {
            swap(id, former);
        }
        self.record(entry).await
    }

    fn trustee_id(&self) -> Option<String> {
        self.ledger.iter().find_map(|entry| match &entry.owned {
            Owned::Trustee { id, .. } => id.clone(),
            _ => None,
        })
    }

    fn trustee_password(&self) -> Result<Secret> {
        let password = self.ledger.iter().find_map(|entry| match &entry.owned {
            Owned::Trustee { password, .. } => Some(password),
            _ => None,
        });
        let password = password.ok_or_else(|| crate::Error::internal("a trust without a trustee"))?;
        self.inner.sealer.open(password, &self.cluster.id.to_string())
    }

    /// A new random secret, sealed under the cluster's UUID.
    pub(super) fn sealed_secret(&self) -> Result<crate::ports::Sealed> {
        let mut random = zeroize::Zeroizing::new([0u8; 32]);
        self.inner.entropy.fill(&mut random[..])?;
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(&random[..]));
        self.inner.sealer.seal(&secret, &self.cluster.id.to_string())
    }
}
