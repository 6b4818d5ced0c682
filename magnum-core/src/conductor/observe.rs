//! The step that watches: what the driver sees decides whether the operation waits, is done, or failed.

use super::work::{Next, Work};
use crate::model::{ClusterStatus, FailureCode, Fault, OperationKind, Phase, PoolRole, Seen, Step};
use crate::ports::{ClusterDriver, DriverContext, Observation};
use crate::{Error, ErrorKind, Result, one_line};

/// How often a removal that failed in the cloud is started again: Heat often gets further the second time.
const REMOVALS: u32 = 3;

/// The same when something foreign is in the way: it may just be going, but if it stays, no try will help.
const FOREIGN_REMOVALS: u32 = 2;

impl Work {
    pub(super) async fn step_observe(&mut self) -> Result<Next> {
        let driver = match self.driver() {
            Err(_) if self.removing() => return self.without_driver().await,
            other => other?,
        };
        let cx = self.context()?;
        let mut seen = driver.observe(&cx).await?;
        let removing = self.removing();
        let doing = match removing {
            true => ClusterStatus::DELETE_IN_PROGRESS,
            false => self.cluster.status,
        };
        // A stack that is being made shows nothing older.
        let arrived = self.operation.kind == OperationKind::Create
            || seen.generation == Some(self.operation.generation);
        match doing.sees(seen.state, arrived) {
            Seen::UnderWay => self.under_way(&seen).await,
            Seen::Done => self.complete(seen).await,
            Seen::Failed => self.failed(seen).await,
            Seen::RemovedOutside => self.removed_outside().await,
            Seen::Gone => {
                self.last_look(&*driver).await?;
                self.go_to(Step::Drain).await?;
                Ok(Next::Again)
            }
            Seen::RemovalFailed => self.removal_failed(&mut seen, &*driver, &cx).await,
            Seen::NotArrived if removing => self.again("the removal has not arrived in the cloud").await,
            // It is from before the change, or somebody overwrote it: drive it again.
            Seen::NotArrived => self.again("the change has not arrived in the cloud").await,
        }
    }

    async fn removed_outside(&mut self) -> Result<Next> {
        if let OperationKind::Scale { rollback, .. } = &mut self.operation.kind {
            // There is nothing to go back to.
            *rollback = false;
        }
        let message = "its stack was removed outside; the cluster can only be deleted";
        self.fail(Fault::new(FailureCode::Dependency, message)).await
    }

    async fn removal_failed(
        &mut self,
        seen: &mut Observation,
        driver: &dyn ClusterDriver,
        cx: &DriverContext,
    ) -> Result<Next> {
        self.absorb(seen);
        let mut message = one_line(
            seen.reason
                .as_deref()
                .unwrap_or("the removal failed in the cloud"),
        );
        let mut code = code(&message);
        let named = in_the_way(driver, cx).await;
        if let Some(named) = &named {
            message = format!("{message}; in the way: {named}; remove it and delete again");
            code = FailureCode::Dependency;
        }
        let most = if named.is_some() {
            FOREIGN_REMOVALS
        } else {
            REMOVALS
        };
        if self.operation.rounds + 1 < most {
            return self.again(&message).await;
        }
        let resource = seen.failed_resource.take();
        self.fail(Fault {
            code,
            message,
            resource,
        })
        .await
    }

    async fn under_way(&mut self, seen: &Observation) -> Result<Next> {
        let changed = self.cluster.progress != seen.progress || self.cluster.stack_id != seen.stack_id;
        // Errors count only in a row: an hour of polling may meet some.
        let recovered = self.operation.attempt > 0;
        if recovered {
            self.operation.attempt = 0;
            self.cluster.status_reason = None;
        }
        self.absorb(seen);
        // Nothing to write is nothing written: a thousand waiting clusters cost reads only.
        if changed || recovered {
            self.save(Vec::new()).await?;
        }
        Ok(Next::Wait(self.inner.settings.poll_interval))
    }

    async fn complete(&mut self, seen: Observation) -> Result<Next> {
        let before = self.cluster.node_addresses();
        self.absorb(&seen);
        let after = self.cluster.node_addresses();
        let left: Vec<String> = before.into_iter().filter(|node| !after.contains(node)).collect();
        let reason = if left.is_empty() {
            seen.reason.as_deref().map(one_line)
        } else {
            tracing::info!(nodes = left.join(","), "nodes removed");
            Some(format!("nodes removed: {}", left.join(", ")))
        };
        // Rolled back, the cluster is as it was, and says why it is not as was wanted.
        let undone = self.operation.fault.take();
        self.end(Phase::Complete, undone, reason).await
    }

    async fn failed(&mut self, seen: Observation) -> Result<Next> {
        self.absorb(&seen);
        let message = one_line(seen.reason.as_deref().unwrap_or("the cloud gives no reason"));
        let fault = Fault {
            code: code(&message),
            message,
            resource: seen.failed_resource,
        };
        self.fail(fault).await
    }

    /// Back to driving, with a wait that grows; in the end the rounds are used up. A removal begins with what the
    /// cluster made since: until its masters are gone, Kubernetes may have made another load balancer.
    async fn again(&mut self, why: &str) -> Result<Next> {
        let rounds = self.operation.rounds.saturating_add(1);
        if rounds >= self.inner.settings.attempts {
            return Err(Error::new(ErrorKind::Unavailable, why).with_retry(crate::Retry::Never));
        }
        let wait = self.wait_after(rounds);
        self.operation.step = if self.removing() {
            Step::PreDelete
        } else {
            Step::Drive
        };
        self.operation.attempt = 0;
        self.operation.rounds = rounds;
        self.operation.not_before = self
            .inner
            .clock
            .now()
            .checked_add(wait)
            .unwrap_or(jiff::Timestamp::MAX);
        self.cluster.status_reason = Some(format!("{why}; trying again (round {rounds})"));
        self.save(Vec::new()).await?;
        Ok(Next::Wait(wait))
    }

    fn absorb(&mut self, seen: &Observation) {
        self.cluster.progress = seen.progress;
        let keep = |old: &mut Option<String>, new: &Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        keep(&mut self.cluster.stack_id, &seen.stack_id);
        keep(&mut self.cluster.api_address, &seen.api_address);
        keep(&mut self.cluster.coe_version, &seen.coe_version);
        keep(&mut self.cluster.container_version, &seen.container_version);
        for (role, addresses) in [
            (PoolRole::Master, &seen.master_addresses),
            (PoolRole::Worker, &seen.node_addresses),
        ] {
            if let (Some(addresses), Some(pool)) = (addresses, self.cluster.pool_mut(role)) {
                pool.addresses.clone_from(addresses);
            }
        }
    }
}

/// What a driver sees in the way of a removal; a look that fails only leaves the hint out.
async fn in_the_way(driver: &dyn ClusterDriver, cx: &DriverContext) -> Option<String> {
    let named = match driver.in_the_way(cx).await {
        Ok(named) => named,
        Err(error) => {
            tracing::warn!(error = ?error, "what is in the way of the removal is not to be seen");
            return None;
        }
    };
    (!named.is_empty()).then(|| named.join(", "))
}

/// Files a failure by the words that the services use for it.
fn code(reason: &str) -> FailureCode {
    let lower = reason.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["quota", "limit exceeded", "maximum number of"]) {
        FailureCode::Quota
    } else if says(&[
        "no valid host",
        "no more ip addresses",
        "ipaddressgenerationfailure",
        "insufficient",
    ]) {
        FailureCode::Capacity
    } else if says(&["timed out", "timeout"]) {
        FailureCode::Timeout
    } else if says(&[
        "unauthorized",
        "forbidden",
        "authorizationfailure",
        "not authorized",
    ]) {
        FailureCode::Authorization
    } else if says(&["stackvalidationfailed", "property error", "badrequest"]) {
        FailureCode::Configuration
    } else {
        FailureCode::Dependency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_words_tell_the_code() {
        for (reason, expected) in [
            (
                "OverQuotaClient: resources.port: Quota exceeded for resources: ['port'].",
                FailureCode::Quota,
            ),
            (
                "ResourceInError: Went to status ERROR due to \"No valid host was found.\"",
                FailureCode::Capacity,
            ),
            ("Create timed out", FailureCode::Timeout),
            (
                "WaitConditionTimeout: resources.w: 0 of 1 received",
                FailureCode::Timeout,
            ),
            (
                "Forbidden: resources.net: rule:create_network is disallowed",
                FailureCode::Authorization,
            ),
            (
                "WaitConditionFailure: resources.w: install docker: exit 100",
                FailureCode::Dependency,
            ),
        ] {
            assert_eq!(code(reason), expected, "{reason}");
        }
    }
}
