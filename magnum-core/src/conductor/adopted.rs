//! The step before a removal, which adopts what the cluster made itself, and the removal of what was adopted: load
//! balancers with their floating IPs, volumes.

use std::sync::Arc;

use super::owner;
use super::work::{Next, Work, later};
use crate::model::{FailureCode, Fault, LedgerEntry, OperationKind, Owned, Step, VolumePolicy};
use crate::ports::{CloudResources, ClusterDriver};
use crate::{Error, ErrorKind, Result, Retry};

/// How many kept volumes an event names; the others are counted. The log names all.
const KEPT_NAMED: usize = 10;

impl Work {
    pub(super) async fn step_pre_delete(&mut self) -> Result<Next> {
        self.apply_volume_policy().await?;
        let Ok(driver) = self.driver() else {
            return self.without_driver().await;
        };
        let given_up = self.forced() && self.operation.fault.is_some();
        // What is known goes first: a look is long, and not repeated only to wait for that.
        for again in [false, true] {
            let waits = self.drain_load_balancers().await;
            if let Some(Some(wait)) = go_on(given_up, waits)? {
                if !self.waited_long_enough() {
                    return Ok(wait);
                }
                let reason = self.cluster.status_reason.clone().unwrap_or_default();
                let fault = Fault::new(FailureCode::Timeout, reason);
                tracing::warn!("not waited for any longer: {fault}");
                self.operation.fault.get_or_insert(fault);
            }
            if !again {
                let looked = self.look(&*driver).await;
                go_on(given_up, looked)?;
            }
        }
        self.go_to(Step::Drive).await?;
        Ok(Next::Again)
    }

    /// Has the driver adopt what it finds.
    async fn look(&mut self, driver: &dyn ClusterDriver) -> Result<()> {
        let keeper = Arc::new(self.keeper()?);
        let cx = self.context_of(Arc::clone(&keeper))?;
        driver.pre_delete(&cx).await?;
        self.operation.unseen = keeper.unseen();
        self.ledger = self.inner.store.ledger(self.cluster.id).await?;
        Ok(())
    }

    /// Once more when the stack is gone: until its servers were, Kubernetes may have made what held nothing of the
    /// stack, a volume or a load balancer elsewhere.
    pub(super) async fn last_look(&mut self, driver: &dyn ClusterDriver) -> Result<()> {
        match self.look(driver).await {
            Ok(()) => {
                if self.forced() {
                    // What is still there is in the ledger.
                    self.operation.fault = None;
                }
                Ok(())
            }
            Err(error) if self.forced() && error.kind() != ErrorKind::Stale => {
                let last = error.retry() == Retry::Never
                    || self.operation.attempt.saturating_add(1) >= self.inner.settings.attempts;
                if self.operation.fault.is_none() && !last {
                    return Err(error);
                }
                tracing::warn!(error = ?error, "left out");
                self.operation.fault.get_or_insert_with(|| Fault::from(&error));
                Ok(())
            }
            other => other,
        }
    }

    /// By force the stack goes also when what was to go before it does not: nothing else ends what the cluster runs.
    /// It fails here twice only if nobody worked on it meanwhile.
    pub(super) async fn leave_for_later(&mut self, fault: Fault) -> Result<Next> {
        tracing::warn!("left for later: {fault}");
        let now = self.inner.clock.now();
        if now >= self.operation.deadline {
            self.operation.deadline = later(&self.inner, self.inner.settings.delete_timeout);
        }
        let again = self.operation.fault.replace(fault).is_some();
        let step = if again { Step::Drive } else { Step::PreDelete };
        self.go_to(step).await?;
        Ok(Next::Again)
    }

    /// Half of the time, by force; the other half is the stack's.
    fn waited_long_enough(&self) -> bool {
        let half = later(&self.inner, self.inner.settings.delete_timeout / 2);
        self.forced() && half >= self.operation.deadline
    }

    pub(super) fn forced(&self) -> bool {
        matches!(self.operation.kind, OperationKind::Delete { force: true, .. })
    }

    /// What stays by the volume policy, in words, and what may stay because it was not to be seen.
    pub(super) fn kept(&self) -> Option<String> {
        let mut kept: Vec<String> = self.ledger.iter().map(|entry| entry.owned.describe()).collect();
        for volume in &kept {
            tracing::info!("{volume}");
        }
        let more = kept.len().saturating_sub(KEPT_NAMED);
        kept.truncate(KEPT_NAMED);
        if more > 0 {
            kept.push(format!("{more} more"));
        }
        kept.extend(self.operation.unseen.clone());
        (!kept.is_empty()).then(|| kept.join(", "))
    }

    /// What an earlier removal adopted under another policy.
    async fn apply_volume_policy(&mut self) -> Result<()> {
        let OperationKind::Delete { volumes, .. } = self.operation.kind else {
            return Ok(());
        };
        let wanted = volumes == VolumePolicy::Keep;
        for mut entry in self.ledger.clone() {
            if let Owned::Volume { keep, .. } = &mut entry.owned
                && *keep != wanted
            {
                *keep = wanted;
                self.record(entry).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn drain_load_balancers(&mut self) -> Result<Option<Next>> {
        self.drain_adopted(|owned| matches!(owned, Owned::LoadBalancer { .. }))
            .await
    }

    /// Those that are not kept.
    pub(super) async fn drain_volumes(&mut self) -> Result<Option<Next>> {
        self.drain_adopted(|owned| matches!(owned, Owned::Volume { keep: false, .. }))
            .await
    }

    /// Asks once for the removal of each; `None` when all of them are gone.
    async fn drain_adopted(&mut self, which: fn(&Owned) -> bool) -> Result<Option<Next>> {
        let mut waits_for = None;
        let mut failed = None;
        for entry in self.ledger.clone().into_iter().filter(|e| which(&e.owned)) {
            let gone = match &entry.owned {
                Owned::LoadBalancer { .. } => self.remove_load_balancer(&entry).await,
                Owned::Volume { id, .. } => self.remove_volume(id).await,
                _ => continue,
            };
            match gone {
                Ok(None) => self.drop_entry(&entry).await?,
                Ok(Some(status)) => {
                    waits_for.get_or_insert_with(|| format!("{} is {status}", entry.owned.describe()));
                }
                Err(error) if error.kind() == ErrorKind::Stale => return Err(error),
                // One that cannot be removed does not keep the others.
                Err(error) => {
                    failed.get_or_insert_with(|| error.with_resource(entry.owned.describe()));
                }
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let Some(what) = waits_for else {
            return Ok(None);
        };
        let reason = Some(format!("waiting: {what}"));
        // Errors count only in a row. A stack that is drained counts its own removals so.
        let counts = self.operation.step == Step::Drain
            && self
                .ledger
                .iter()
                .any(|entry| matches!(entry.owned, Owned::Stack { .. }));
        let recovered = self.operation.attempt > 0 && !counts;
        if recovered {
            self.operation.attempt = 0;
        }
        if recovered || self.cluster.status_reason != reason {
            self.cluster.status_reason = reason;
            self.save(Vec::new()).await?;
        }
        Ok(Some(Next::Wait(self.inner.settings.poll_interval)))
    }

    fn resources(&self) -> Result<Arc<dyn CloudResources>> {
        Ok(Arc::clone(&self.inner.cloud(&self.cluster.cloud)?.resources))
    }

    /// `None` when it is gone, its floating IPs included; else what it is.
    async fn remove_load_balancer(&mut self, entry: &LedgerEntry) -> Result<Option<String>> {
        let Owned::LoadBalancer {
            id,
            floating_ips,
            vip_port_id,
            ..
        } = &entry.owned
        else {
            return Ok(None);
        };
        let auth = owner::required(&self.inner, &self.cluster, &self.ledger)?;
        let resources = self.resources()?;
        let get = resources.load_balancer(&auth, id);
        let seen = owner::under(&self.inner, &auth, "load_balancer.get", get).await?;
        let port = match &seen {
            Some(balancer) if vip_port_id.is_empty() => &balancer.vip_port_id,
            _ => vip_port_id,
        };
        let mut addresses = floating_ips.clone();
        if seen.is_some() && !port.is_empty() {
            // Kubernetes may have given it another since it was adopted.
            let list = resources.floating_ips(&auth, port);
            let leading = owner::under(&self.inner, &auth, "floating_ip.list", list).await?;
            addresses.extend(leading.into_iter().filter(|found| !floating_ips.contains(found)));
        }
        self.put_floating_ips(entry, &addresses).await?;
        let status = seen.as_ref().map(|balancer| balancer.provisioning_status.clone());
        if let Some(status) = &status
            && status.starts_with("PENDING_")
        {
            return Ok(Some(status.clone()));
        }
        // Also once it is gone: one may have been given to it while it was being removed.
        let mut moved = Vec::new();
        for address in &addresses {
            let get = resources.floating_ip(&auth, address);
            let Some(found) = owner::under(&self.inner, &auth, "floating_ip.get", get).await? else {
                continue;
            };
            if let Some(elsewhere) = found.port_id.filter(|leads_to| leads_to != port) {
                tracing::info!("floating IP {address} stays: it leads to port {elsewhere} now");
                moved.push(address.clone());
                continue;
            }
            let call = resources.delete_floating_ip(&auth, address);
            let call = owner::under(&self.inner, &auth, "floating_ip.delete", call);
            self.fence.write("floating_ip.delete", call).await?;
        }
        addresses.retain(|address| !moved.contains(address));
        self.put_floating_ips(entry, &addresses).await?;
        let Some(status) = status else {
            return Ok(None);
        };
        let call = resources.delete_load_balancer(&auth, id);
        let call = owner::under(&self.inner, &auth, "load_balancer.delete", call);
        match self.fence.write("load_balancer.delete", call).await {
            // It has begun to change since it was looked at.
            Err(error) if error.kind() == ErrorKind::Conflict => return Ok(Some("busy".to_owned())),
            other => other?,
        }
        // Octavia shows a removal that failed in no other way, so this counts as a try.
        if status == "ERROR" {
            let message = format!("load balancer {id} is in state {status}; its removal was asked for again");
            return Err(Error::new(ErrorKind::Unavailable, message).with_retry(Retry::Later));
        }
        Ok(Some("being removed".to_owned()))
    }

    /// Writes a load balancer's floating IPs down, if the ledger has others.
    async fn put_floating_ips(&mut self, entry: &LedgerEntry, addresses: &[String]) -> Result<()> {
        let Some(mut entry) = self.ledger.iter().find(|known| known.id == entry.id).cloned() else {
            return Ok(());
        };
        match &mut entry.owned {
            Owned::LoadBalancer { floating_ips, .. } if floating_ips != addresses => {
                *floating_ips = addresses.to_vec();
            }
            _ => return Ok(()),
        }
        self.record(entry).await
    }

    /// `None` when it is gone; else what it is.
    async fn remove_volume(&self, id: &str) -> Result<Option<String>> {
        let auth = owner::required(&self.inner, &self.cluster, &self.ledger)?;
        let resources = self.resources()?;
        let get = resources.volume(&auth, id);
        let Some(volume) = owner::under(&self.inner, &auth, "volume.get", get).await? else {
            return Ok(None);
        };
        if !volume.servers.is_empty() {
            let servers = volume.servers.join(", ");
            return Ok(Some(format!("{}, attached to server {servers}", volume.status)));
        }
        if !can_be_deleted(id, &volume.status)? {
            return Ok(Some(volume.status));
        }
        let call = resources.delete_volume(&auth, id);
        let call = owner::under(&self.inner, &auth, "volume.delete", call);
        match self.fence.write("volume.delete", call).await {
            // It has begun to change since it was looked at, or its snapshots keep it.
            Err(error) if error.kind() == ErrorKind::Conflict => return Err(error.with_retry(Retry::Later)),
            other => other?,
        }
        Ok(Some("being removed".to_owned()))
    }
}

/// What a step that may be left out has come to; `None` when it was left out.
pub(super) fn go_on<T>(leave_out: bool, result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if leave_out && error.kind() != ErrorKind::Stale => {
            tracing::warn!(error = ?error, "left out");
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// Whether Cinder deletes a volume in this state (cinder/volume/api.py, release 21 (Zed)).
fn can_be_deleted(id: &str, status: &str) -> Result<bool> {
    match status {
        "available" | "error" | "error_restoring" | "error_extending" | "error_managing" => Ok(true),
        "error_deleting" => {
            let message = format!(
                "the removal of volume {id} failed: an administrator must reset its state, error_deleting, before it \
                 can be removed"
            );
            Err(Error::new(ErrorKind::Conflict, message).with_retry(Retry::Never))
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_deleted_only_in_states_in_which_cinder_does() {
        for status in [
            "available",
            "error",
            "error_restoring",
            "error_extending",
            "error_managing",
        ] {
            assert!(can_be_deleted("v", status).unwrap(), "{status}");
        }
        for status in [
            "in-use",
            "detaching",
            "deleting",
            "error_backing-up",
            "error_managing_deleting",
        ] {
            assert!(!can_be_deleted("v", status).unwrap(), "{status}");
        }
        let error = can_be_deleted("v", "error_deleting").unwrap_err();
        assert_eq!(error.retry(), Retry::Never);
        assert!(error.to_string().contains("administrator must reset"), "{error}");
    }
}
