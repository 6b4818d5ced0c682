//! What the store in memory holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{
    Action, CertificateNote, Cluster, ClusterId, ClusterTemplate, DiscoveryRegistry, Event, LedgerEntry,
    LedgerId, Operation, OperationId, Quota, QuotaResource, Stats, TemplateId, Tombstone,
};
use crate::ports::{Claim, Idempotent, KeyPair, Lease};

/// Everything, by its keys.
#[derive(Default)]
pub(super) struct State {
    pub(super) templates: BTreeMap<TemplateId, ClusterTemplate>,
    pub(super) clusters: BTreeMap<ClusterId, Row>,
    pub(super) operations: BTreeMap<OperationId, Operation>,
    /// The operation of each cluster that is active.
    pub(super) active: BTreeMap<ClusterId, OperationId>,
    pub(super) ledger: BTreeMap<LedgerId, LedgerEntry>,
    /// The ledger entries of each cluster.
    pub(super) ledger_of: BTreeMap<ClusterId, BTreeSet<LedgerId>>,
    pub(super) idempotent: BTreeMap<(String, String), Idempotent>,
    pub(super) key_pairs: BTreeMap<Uuid, KeyPair>,
    pub(super) quotas: BTreeMap<(String, QuotaResource), Quota>,
    pub(super) blobs: BTreeMap<String, String>,
    pub(super) discoveries: BTreeMap<ClusterId, DiscoveryRegistry>,
    /// By cluster, and by what they are about.
    pub(super) notes: BTreeMap<(ClusterId, String), CertificateNote>,
    pub(super) tombstones: BTreeMap<ClusterId, Tombstone>,
    /// In the order of their commits.
    pub(super) events: Vec<Event>,
}

impl State {
    /// The row that this lease is held on.
    pub(super) fn held(&mut self, lease: &Lease, now: Timestamp) -> Option<&mut Row> {
        let row = self.clusters.get_mut(&lease.cluster_id)?;
        row.is_held_by(lease, now).then_some(row)
    }

    /// How much there is in a project, or in all.
    pub(super) fn stats(&self, project: Option<&str>) -> Stats {
        let clusters = self.clusters.values().map(|row| &row.cluster);
        let counted = clusters.filter(|cluster| project.is_none_or(|project| cluster.project_id == project));
        counted.fold(Stats::default(), |stats, cluster| Stats {
            clusters: stats.clusters + 1,
            nodes: stats.nodes
                + cluster
                    .pools
                    .iter()
                    .map(|pool| u64::from(pool.count))
                    .sum::<u64>(),
        })
    }
}

/// A cluster with its place in the work.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) cluster: Cluster,
    /// When it is due; under a lease, what commits asked for since it was claimed.
    pub(super) due: Option<Timestamp>,
    pub(super) lease: Option<Held>,
    pub(super) epoch: i64,
}

/// A lease that was given out and not given back.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) owner: String,
    pub(super) expires: Timestamp,
}

impl Row {
    /// When it can be claimed: a leased cluster only once its lease expires, and then at once.
    pub(super) fn wakes(&self) -> Option<Timestamp> {
        self.lease.as_ref().map_or(self.due, |held| Some(held.expires))
    }

    /// Whether the worker has what it takes.
    pub(super) fn fits(&self, claim: &Claim) -> bool {
        claim.clouds.contains(&self.cluster.cloud)
            && (self.cluster.status.action == Action::Delete
                || claim.drivers.contains(&self.cluster.driver.name))
    }

    pub(super) fn is_held_by(&self, lease: &Lease, now: Timestamp) -> bool {
        let held = self.lease.as_ref();
        self.epoch == lease.epoch && held.is_some_and(|held| held.owner == lease.owner && held.expires > now)
    }
}
