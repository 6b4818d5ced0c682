//! Sealing anew what was sealed with a former key of the host's.

use super::Magnum;
use crate::model::{Cluster, ClusterId, Owned};
use crate::ports::{Commit, Condition, Marker, Position, Query, Sealed, SortKey, Write};
use crate::{ErrorKind, Result};

/// How many clusters are looked at in one read.
const PAGE: u32 = 100;

/// What was sealed anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many clusters have nothing any more that was sealed with a former key.
    pub clusters: u64,
    /// Those in whose middle an operation is: to be asked for again.
    pub busy: Vec<ClusterId>,
}

impl Magnum {
    /// Seals anew, with the key that the host's sealer seals with now, all that was sealed with a former one: nodes'
    /// credentials, trustees' passwords, and private keys where the certificate store seals them.
    ///
    /// To change the host's key, start all processes with a sealer that seals with the new one and opens with both, call
    /// this until nothing is busy, and drop the former key when the longest token of a node has passed
    /// ([`Settings::node_token_validity`](super::Settings::node_token_validity)). It can be called again at any time, and
    /// after a failure.
    ///
    /// ```
    /// # async fn f(magnum: magnum_core::Magnum) -> magnum_core::Result<()> {
    /// let sealed = magnum.reseal().await?;
    /// println!("{} done, {} busy", sealed.clusters, sealed.busy.len());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Configuration` when something was sealed with a key that the sealer does not have; what the store answers.
    pub async fn reseal(&self) -> Result<Resealed> {
        let mut done = Resealed::default();
        let mut after = None;
        loop {
            let mut query = Query::all();
            query.limit = PAGE;
            query.marker = after;
            let page = self.inner.store.clusters(query).await?;
            let Some(last) = page.last() else {
                return Ok(done);
            };
            after = Some(Marker::Position(Position::of_cluster(last, SortKey::Created)));
            for cluster in page {
                let id = cluster.id;
                match self.reseal_cluster(cluster).await {
                    Ok(()) => done.clusters += 1,
                    Err(error) if matches!(error.kind(), ErrorKind::Busy | ErrorKind::Stale) => {
                        done.busy.push(id);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }

    async fn reseal_cluster(&self, mut cluster: Cluster) -> Result<()> {
        let sealer = &self.inner.sealer;
        let context = cluster.id.to_string();
        let anew = |sealed: &mut Sealed| -> Result<bool> {
            if sealer.is_current(sealed) {
                return Ok(false);
            }
            *sealed = sealer.seal(&sealer.open(sealed, &context)?, &context)?;
            Ok(true)
        };
        // Whoever works on the cluster writes the same rows.
        let mut commit = Commit::new().require(Condition::Idle(cluster.id));
        let mut changed = false;
        for credential in &mut cluster.node_credentials {
            changed |= anew(&mut credential.sealed)?;
        }
        if changed {
            cluster.revision = cluster.revision.next();
            commit = commit.write(Write::PutCluster(Box::new(cluster.clone())));
        }
        let ledger = self.inner.store.ledger(cluster.id).await?;
        for mut entry in ledger.clone() {
            if let Owned::Trustee { password, .. } = &mut entry.owned
                && anew(password)?
            {
                commit = commit.write(Write::PutLedger(Box::new(entry)));
            }
        }
        if !commit.writes.is_empty() {
            self.inner.store.commit(commit).await?;
        }
        for entry in ledger {
            if let Owned::Certificate {
                reference: Some(reference),
                ..
            } = &entry.owned
            {
                self.inner
                    .certificates
                    .manager_for(reference)?
                    .reseal(reference)
                    .await?;
            }
        }
        Ok(())
    }
}
