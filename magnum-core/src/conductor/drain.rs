//! The step that removes what the ledger holds: by kind, and within a kind newest first.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::fence::limited;
use super::owner;
use super::work::{Next, Work};
use crate::model::{Action, FailureCode, Fault, LedgerEntry, OperationKind, Owned, Phase};
use crate::ports::{Commit, StackKeeper, TrustManager, TrustMode, Write};
use crate::{Error, ErrorKind, Result, one_line};

impl Work {
    pub(super) async fn step_drain(&mut self) -> Result<Next> {
        // Load balancers hold the stack's network, the stack's servers hold volumes, and all of them can only be
        // removed under the trust.
        let balancers = self.drain_load_balancers().await;
        let held = match balancers {
            Ok(None) => None,
            // By force the stacks do not wait for them.
            Err(error) if error.kind() == ErrorKind::Stale => return Err(error),
            other if self.forced() => Some(other),
            other => return Ok(other?.unwrap_or(Next::Again)),
        };
        for entry in self.newest_first(|owned| matches!(owned, Owned::Stack { .. })) {
            if let Owned::Stack { role, .. } = &entry.owned
                && let Some(wait) = self.drain_stack(role).await?
            {
                return Ok(wait);
            }
            self.drop_entry(&entry).await?;
        }
        if let Some(Some(wait)) = held.transpose()? {
            return Ok(wait);
        }
        if let Some(wait) = self.drain_volumes().await? {
            return Ok(wait);
        }
        for entry in self.newest_first(|owned| matches!(owned, Owned::Certificate { .. })) {
            self.discard_certificates(&entry).await?;
            self.drop_entry(&entry).await?;
        }
        for entry in self.newest_first(|owned| matches!(owned, Owned::Trust { .. })) {
            self.drain_trust().await?;
            self.drop_entry(&entry).await?;
        }
        for entry in self.newest_first(|owned| matches!(owned, Owned::Trustee { .. })) {
            if let Owned::Trustee { name, id, .. } = &entry.owned {
                self.drain_trustee(name, id.as_deref()).await?;
            }
            self.drop_entry(&entry).await?;
        }
        match self.operation.kind {
            OperationKind::Delete { .. } => {
                let left = self.operation.fault.is_some().then(|| self.tombstone(None));
                self.vanish(left).await
            }
            _ => {
                self.cluster.ca_cert = None;
                self.cluster.authorities.clear();
                self.cluster.magnum_cert = None;
                self.cluster.stack_id = None;
                self.cluster.api_address = None;
                if std::mem::take(&mut self.cluster.discovery_made) {
                    // Servers that are gone have registered there.
                    self.cluster.discovery_url = None;
                }
                for pool in &mut self.cluster.pools {
                    pool.addresses.clear();
                }
                let fault = self.operation.fault.take();
                let mut fault =
                    fault.unwrap_or_else(|| Fault::new(FailureCode::Internal, "drained without a reason"));
                if let Some(kept) = self.kept() {
                    // Without a trust nothing can be done about them any more.
                    fault.message = format!("{}; {kept}", fault.message);
                }
                for entry in self.ledger.clone() {
                    self.drop_entry(&entry).await?;
                }
                self.end(Phase::Failed, Some(fault), None).await
            }
        }
    }

    fn newest_first(&self, which: fn(&Owned) -> bool) -> Vec<LedgerEntry> {
        let mut found: Vec<LedgerEntry> = self.ledger.iter().filter(|e| which(&e.owned)).cloned().collect();
        found.sort_by_key(|entry| Reverse(entry.sequence));
        found
    }

    /// `None` when the stack is gone.
    async fn drain_stack(&mut self, role: &str) -> Result<Option<Next>> {
        let keeper = self.keeper()?;
        let Some(stack) = keeper.get(role).await? else {
            return Ok(self.may_still_appear(role));
        };
        match (stack.action, stack.phase) {
            (Some(Action::Delete), Phase::InProgress) => {}
            (Some(Action::Delete), Phase::Failed) if self.operation.attempt > 0 => {
                let mut error = Error::new(ErrorKind::Conflict, one_line(&stack.reason));
                if let Some(failed) = failed_resource(&keeper, role).await? {
                    error = error.with_resource(failed);
                }
                return Err(error);
            }
            (action, _) => {
                keeper.remove(role).await?;
                if action == Some(Action::Delete) {
                    self.operation.attempt += 1;
                    self.save(Vec::new()).await?;
                }
            }
        }
        Ok(Some(Next::Wait(self.inner.settings.poll_interval)))
    }

    /// A create that was asked for and not answered may still arrive at the orchestrator: wait as long as a call may take.
    fn may_still_appear(&self, wanted: &str) -> Option<Next> {
        let asked = self.ledger.iter().find_map(|entry| match &entry.owned {
            Owned::Stack {
                role,
                stack: None,
                asked_at,
                ..
            } if role == wanted => *asked_at,
            _ => None,
        })?;
        let settled = asked
            .checked_add(self.inner.settings.call_timeout * 2)
            .unwrap_or(asked);
        let left = Duration::try_from(settled.duration_since(self.inner.clock.now())).unwrap_or_default();
        (!left.is_zero()).then_some(Next::Wait(left))
    }

    /// Removes what needs nobody's answer about a stack: certificates and the trustee.
    pub(super) async fn remove_quietly(&mut self, entry: &LedgerEntry) -> Result<()> {
        match &entry.owned {
            Owned::Certificate { .. } => self.discard_certificates(entry).await?,
            Owned::Trustee { name, id, .. } => self.drain_trustee(name, id.as_deref()).await?,
            _ => return Ok(()),
        }
        self.drop_entry(entry).await
    }

    async fn drain_trust(&mut self) -> Result<()> {
        // A trust that was never recorded goes with its trustee, and so does one that refuses its own login.
        let Some(credentials) = owner::trust(&self.inner, &self.cluster, &self.ledger)? else {
            return Ok(());
        };
        let trusts = self.trusts()?;
        match self
            .fence
            .write("trust.delete", trusts.delete_trust(&credentials))
            .await
        {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Unauthorized | ErrorKind::NotFound | ErrorKind::Forbidden
                ) =>
            {
                tracing::info!(error = ?error, "the trust cannot remove itself; it goes with its trustee");
                Ok(())
            }
            other => other,
        }
    }

    async fn drain_trustee(&mut self, name: &str, id: Option<&str>) -> Result<()> {
        let trusts = self.trusts()?;
        let id = match id {
            Some(id) => Some(id.to_owned()),
            None => limited(&self.inner, "trustee.find", trusts.find_trustee(name)).await?,
        };
        match id {
            Some(id) => {
                self.fence
                    .write("trustee.delete", trusts.delete_trustee(&id))
                    .await
            }
            None => Ok(()),
        }
    }

    pub(super) fn trusts(&self) -> Result<Arc<dyn TrustManager>> {
        match &self.inner.cloud(&self.cluster.cloud)?.trust {
            TrustMode::Trust(trusts) => Ok(Arc::clone(trusts)),
            TrustMode::None => {
                let message = "the cluster has a trust, but this host is set up without trusts";
                Err(Error::new(ErrorKind::Configuration, message))
            }
        }
    }

    pub(super) async fn drop_entry(&mut self, entry: &LedgerEntry) -> Result<()> {
        let commit = Commit::under(&self.fence.lease()).write(Write::DeleteLedger(entry.id));
        self.inner.store.commit(commit).await?;
        self.ledger.retain(|known| known.id != entry.id);
        Ok(())
    }
}

async fn failed_resource(keeper: &dyn StackKeeper, role: &str) -> Result<Option<String>> {
    let resources = keeper.resources(role).await?;
    Ok(resources
        .into_iter()
        .find(|r| r.phase == Some(Phase::Failed))
        .map(|r| r.name))
}
