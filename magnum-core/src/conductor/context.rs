//! What a driver gets to work with, and the keeper of a cluster's stacks.

use std::sync::Arc;
use std::time::Duration;

use super::keeper::{Keeper, Writing};
use super::owner;
use super::work::Work;
use crate::Result;
use crate::model::{OperationKind, Owned, VolumePolicy};
use crate::ports::{DriverContext, TrustAccess};

impl Work {
    /// What the driver gets to work with.
    pub(super) fn context(&self) -> Result<DriverContext> {
        self.context_of(Arc::new(self.keeper()?))
    }

    pub(super) fn context_of(&self, keeper: Arc<Keeper>) -> Result<DriverContext> {
        let nodes = self.inner.node_access(&self.cluster)?;
        let cluster = Arc::new(self.cluster.clone());
        // It holds the trustee's password: only those get it who put it on nodes, and only then.
        let wanted = self.operation.kind == OperationKind::Create
            && self
                .driver()
                .is_ok_and(|driver| driver.trust_on_nodes(&self.cluster.template).is_some());
        let trust = if wanted { self.trust_access()? } else { None };
        Ok(DriverContext::new(cluster, keeper, nodes).with_trust(trust))
    }

    /// What nodes would need to act under the cluster's trust.
    fn trust_access(&self) -> Result<Option<TrustAccess>> {
        let identity = &self.inner.cloud(&self.cluster.cloud)?.identity;
        let user_name = self.ledger.iter().find_map(|entry| match &entry.owned {
            Owned::Trustee { name, .. } => Some(name.clone()),
            _ => None,
        });
        let trust = owner::trust(&self.inner, &self.cluster, &self.ledger)?;
        let (Some(identity), Some(user_name), Some(trust)) = (identity, user_name, trust) else {
            return Ok(None);
        };
        Ok(Some(TrustAccess {
            identity: identity.clone(),
            user_id: trust.trustee_user_id,
            user_name,
            password: trust.password,
            trust_id: trust.trust_id,
        }))
    }

    pub(super) fn keeper(&self) -> Result<Keeper> {
        let token = match (&self.operation.kind, &self.operation.token) {
            // A token that has expired is as good as none: the keeper says so when it is needed.
            (OperationKind::Create, Some(_)) => {
                owner::token(&self.inner, &self.cluster, &self.operation).ok()
            }
            _ => None,
        };
        let left = self.operation.deadline.duration_since(self.inner.clock.now());
        let timeout = Duration::try_from(left)
            .unwrap_or_default()
            .max(Duration::from_secs(60));
        let writing = Writing {
            fence: Arc::clone(&self.fence),
            token,
            timeout,
            volumes: match self.operation.kind {
                OperationKind::Delete { volumes, .. } => volumes,
                _ => VolumePolicy::Keep,
            },
        };
        let cluster = Arc::new(self.cluster.clone());
        Ok(Keeper::writing(
            Arc::clone(&self.inner),
            cluster,
            self.ledger.clone(),
            writing,
        ))
    }
}
