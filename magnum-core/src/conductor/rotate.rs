//! The step that changes a cluster's authorities: made known, issuing, former ones gone; each stage only when every node
//! has taken the one before, so that at no time a node meets a certificate that it does not trust.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::certificates::CLIENT;
use super::work::{Next, Work};
use crate::model::{
    LedgerEntry, Noted, OperationKind, Owned, Phase, Pool, Progress, Rotation, RotationStage,
};
use crate::ports::{CLUSTER_AUTHORITY, CertRef, NodePolicy};
use crate::{Error, ErrorKind, Result};

impl Work {
    pub(super) async fn step_rotate(&mut self) -> Result<Next> {
        let finish = self.operation.kind == OperationKind::RotateAuthorities { finish: true };
        let Some(stage) = self.cluster.rotation.as_ref().map(|rotation| rotation.stage) else {
            if finish {
                return self.rotated("the former authorities are gone").await;
            }
            return self.announce().await;
        };
        if let Some(next) = self.wait_for_nodes().await? {
            return Ok(next);
        }
        match stage {
            RotationStage::Announced => self.begin_overlap().await,
            RotationStage::Overlap if !finish => {
                self.rotated("new and former authorities are trusted; certificates of the former are good until that is finished")
                    .await
            }
            RotationStage::Overlap => self.reissue().await,
            RotationStage::Reissuing => self.retire().await,
            RotationStage::Retiring => self.discard_former().await,
        }
    }

    async fn rotated(&mut self, reason: &str) -> Result<Next> {
        self.end(Phase::Complete, None, Some(reason.to_owned())).await
    }

    /// Makes the new authorities and makes them known.
    async fn announce(&mut self) -> Result<Next> {
        let policy = self.policy()?;
        let number = self.cluster.certificates_version + 1;
        let is_key = |name: &str| policy.shared_keys.iter().any(|(_, key)| *key == name);
        let further = self.cluster.authorities.keys().filter(|name| !is_key(name));
        let mut names = vec![CLUSTER_AUTHORITY.to_owned()];
        names.extend(further.cloned());
        let mut others = BTreeMap::new();
        for name in names {
            let common_name = match name.as_str() {
                CLUSTER_AUTHORITY => format!("{} {number}", self.authority_name()),
                further => format!("{} {further} {number}", self.authority_name()),
            };
            let made = self.authority(&format!("{name}.{number}"), &common_name).await?;
            others.insert(name, made);
        }
        self.cluster.rotation = Some(Rotation {
            number,
            stage: RotationStage::Announced,
            others,
            failed: None,
        });
        self.next_version().await
    }

    /// From here on clients are certified by the new authority; the library is the first of them.
    async fn begin_overlap(&mut self) -> Result<Next> {
        let mut rotation = self.rotation()?;
        let new = rotation.others.get(CLUSTER_AUTHORITY).cloned();
        let new = new.ok_or_else(|| Error::internal("a rotation without the cluster's own authority"))?;
        let role = format!("{CLIENT}.{}", rotation.number);
        let client = self.client_certificate(&role, &new).await?;
        rotation.stage = RotationStage::Overlap;
        self.cluster.magnum_cert = Some(client);
        self.cluster.rotation = Some(rotation);
        self.save(Vec::new()).await?;
        Ok(Next::Again)
    }

    /// From here on nodes are certified by the new authorities.
    async fn reissue(&mut self) -> Result<Next> {
        let mut rotation = self.rotation()?;
        for (name, other) in &mut rotation.others {
            let issuing = match name.as_str() {
                CLUSTER_AUTHORITY => self.cluster.ca_cert.as_mut(),
                further => self.cluster.authorities.get_mut(further),
            };
            let issuing =
                issuing.ok_or_else(|| Error::internal("a rotation of an authority that is not there"))?;
            std::mem::swap(issuing, other);
        }
        rotation.stage = RotationStage::Reissuing;
        self.cluster.rotation = Some(rotation);
        self.next_version().await
    }

    /// From here on the former authorities are not trusted.
    async fn retire(&mut self) -> Result<Next> {
        let mut rotation = self.rotation()?;
        rotation.stage = RotationStage::Retiring;
        self.cluster.rotation = Some(rotation);
        self.next_version().await
    }

    /// Removes every certificate that the cluster does not use any more.
    async fn discard_former(&mut self) -> Result<Next> {
        let own = &self.cluster;
        let used: Vec<CertRef> = own
            .ca_cert
            .iter()
            .chain(&own.magnum_cert)
            .chain(own.authorities.values())
            .cloned()
            .collect();
        let unused = |entry: &&LedgerEntry| match &entry.owned {
            Owned::Certificate { reference, .. } => {
                !reference.as_ref().is_some_and(|kept| used.contains(kept))
            }
            _ => false,
        };
        for entry in self.ledger.iter().filter(unused).cloned().collect::<Vec<_>>() {
            self.discard_certificates(&entry).await?;
            self.drop_entry(&entry).await?;
        }
        self.cluster.rotation = None;
        self.rotated("the former authorities are gone").await
    }

    /// Says to nodes that there is something new to trust or to hold.
    async fn next_version(&mut self) -> Result<Next> {
        self.cluster.certificates_version += 1;
        self.cluster.status_reason = None;
        self.operation.attempt = 0;
        self.save(Vec::new()).await?;
        Ok(Next::Again)
    }

    /// `None` when every node has taken what there is.
    async fn wait_for_nodes(&mut self) -> Result<Option<Next>> {
        let policy = self.policy()?;
        let (driver, cx) = (self.driver()?, self.context()?);
        let notes = self
            .inner
            .store
            .certificate_notes(self.cluster.id, "taken/")
            .await?;
        let wanted = self.cluster.certificates_version;
        let holds_any = |pool: &&Pool| policy.certificates.iter().any(|held| held.role == pool.role);
        let (mut done, mut total, mut behind) = (0, 0, Vec::new());
        for pool in self.cluster.pools.iter().filter(holds_any) {
            let members = notes.iter().filter_map(|note| match &note.noted {
                Noted::Taken {
                    role,
                    member,
                    version,
                    ..
                } if *role == pool.role && *version == wanted => Some(member.as_str()),
                _ => None,
            });
            let members: Vec<&str> = members.collect();
            let mut have = u32::try_from(members.len()).unwrap_or(u32::MAX);
            // Before the last of them counts: nodes that were removed since do not.
            if have >= pool.count && policy.named(pool.role) {
                have = 0;
                for member in members {
                    let shown = driver.node_names(&cx, pool.role, member).await?;
                    have += u32::from(!shown.is_empty());
                }
            }
            let have = have.min(pool.count);
            done += have;
            total += pool.count;
            if have < pool.count {
                behind.push(format!(
                    "{} of {} in pool {}",
                    pool.count - have,
                    pool.count,
                    pool.name
                ));
            }
        }
        if behind.is_empty() {
            return Ok(None);
        }
        let reason = format!(
            "waiting for nodes to take the new certificates: {}",
            behind.join(", ")
        );
        let progress = Progress { done, total };
        if self.cluster.status_reason.as_ref() != Some(&reason) || self.cluster.progress != progress {
            self.cluster.status_reason = Some(reason);
            self.cluster.progress = progress;
            self.save(Vec::new()).await?;
        }
        Ok(Some(Next::Wait(self.inner.settings.poll_interval)))
    }

    fn rotation(&self) -> Result<Rotation> {
        let rotation = self.cluster.rotation.clone();
        rotation.ok_or_else(|| Error::internal("there is no rotation"))
    }

    /// What nodes of the cluster hold.
    fn policy(&self) -> Result<NodePolicy> {
        let policy = Arc::clone(&self.driver()?).node_policy();
        if policy.renewal {
            return Ok(policy);
        }
        let message = "the driver's nodes do not renew their certificates any more";
        Err(Error::new(ErrorKind::Unsupported, message))
    }
}
