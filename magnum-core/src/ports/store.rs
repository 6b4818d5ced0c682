//! The store port: what is kept, and changed only as a whole.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Query, QuotaQuery, Sealed};
use crate::Result;
use crate::model::{
    CertificateNote, Cluster, ClusterId, ClusterTemplate, DiscoveryRegistry, Event, EventId, LedgerEntry,
    LedgerId, Operation, OperationId, Quota, QuotaResource, Revision, Stats, TemplateId, Tombstone,
};

/// Keeps everything the library must not forget.
///
/// All changes go through [`Store::commit`]: a list of writes that happen together or not at all, under
/// conditions that are checked in the same transaction, all of them before the first write. Writes are made
/// in their order, each seeing those before it; the first that is refused gives its error to the whole commit.
/// Times at which clusters are due may be rounded up to a millisecond.
///
/// | Rule | Mandatory | Conformance test |
/// | --- | --- | --- |
/// | A commit whose condition fails MUST change nothing and MUST be `Stale`, or the condition's own kind | yes | `a_failed_condition_changes_nothing` |
/// | A row's revision MUST be the one in the write; a `Put` MUST fail with `Stale` unless the stored revision is one less | yes | `a_put_needs_the_revision_it_read` |
/// | What a commit wrote MUST be seen by every later read | yes | `a_commit_is_seen_by_the_next_read` |
/// | `claim` MUST NOT give out a cluster whose lease is held and not expired by the store's own clock | yes | `a_held_lease_is_not_claimed` |
/// | The epoch MUST grow with every claim of a cluster, and a commit under an older epoch or an expired lease MUST fail | yes | `a_former_owner_cannot_commit` |
/// | Events MUST be returned in the order of their commits until they are acknowledged | yes | `events_stay_until_acknowledged` |
/// | Names, and everything else that tenants give, MUST come back byte for byte | yes | `hostile_text_comes_back` |
/// | `DeleteTemplate` under `TemplateUnused` MUST be atomic with the insertion of clusters | yes | `a_template_in_use_stays`, `template_deletion_races_with_creation` |
/// | A condition that does not hold MUST fail with its own kind; names are compared byte for byte | yes | `conditions_fail_with_their_own_kind` |
/// | An insert under a key that is taken MUST be `Conflict` | yes | `keys_that_are_taken_are_refused` |
/// | A cluster MUST NOT have two active operations | yes | `one_operation_is_active` |
/// | A deleted cluster's operations and events MUST stay, its lease MUST NOT | yes | `what_a_deleted_cluster_leaves` |
/// | A discovery registry MUST NOT be put without its cluster, and MUST go with it | yes | `a_registry_goes_with_its_cluster` |
/// | A note of a certificate MUST take the place of the one about the same, MUST NOT be put without its cluster, and MUST go with it | yes | `notes_go_with_their_cluster` |
/// | A sealed key MUST be replaced where its certificate is, and nowhere else | yes | `a_key_is_sealed_anew_in_its_place` |
/// | A lease MUST last as long as its last renewal says, and only its holder may renew it | yes | `a_lease_is_renewed_by_its_holder` |
/// | `release` MUST NOT make a cluster due later than a commit during the lease did | yes | `a_due_time_set_under_a_lease_survives` |
/// | `next_due` MUST be now for what can be claimed and a lease's expiry for what is leased | yes | `next_due_tells_when_to_come_back` |
/// | `claim` MUST give only what the worker can do, the longest due first | yes | `a_claim_takes_what_it_can_do`, `the_longest_due_comes_first` |
/// | Pages MUST follow the order of creation without gaps or repeats | yes | `pages_follow_the_order_of_creation` |
/// | Every order MUST be total, by the sort key, then by id, both in the same direction; texts MUST be ordered byte for byte | yes | `every_order_is_total` |
/// | A page MUST hold only what every part of the query asks for | yes | `pages_hold_what_was_asked_for` |
/// | A page after a position MUST follow it although the row that stood there is gone or has changed; one after a row that is gone or of others MUST be `NotFound`; one after a position of another order MUST be `InvalidInput` | yes | `markers_outlive_their_rows` |
/// | Whatever is inserted and removed between pages, every row that stays MUST come exactly once | yes | `pages_are_stable` |
/// | A project's own quota MUST count instead of the default, as it is in the transaction that inserts | yes | `a_quota_is_a_projects_own`, `lowered_quotas_hold_in_races` |
/// | Statistics MUST be of one moment, and count all servers of all pools | yes | `statistics_count_all_servers` |
/// | All of this MUST hold with many writers at once | yes | `two_claimers_never_share_a_cluster`, `racing_puts_have_one_winner`, `quotas_hold_in_races` |
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Makes all writes, or none.
    async fn commit(&self, commit: Commit) -> Result<()>;

    /// A template.
    async fn template(&self, id: TemplateId) -> Result<Option<ClusterTemplate>>;
    /// One page of templates.
    async fn templates(&self, query: Query) -> Result<Vec<ClusterTemplate>>;
    /// A cluster.
    async fn cluster(&self, id: ClusterId) -> Result<Option<Cluster>>;
    /// One page of clusters.
    async fn clusters(&self, query: Query) -> Result<Vec<Cluster>>;
    /// A cluster's active operation.
    async fn active_operation(&self, cluster: ClusterId) -> Result<Option<Operation>>;
    /// An operation, also one that has ended.
    async fn operation(&self, id: OperationId) -> Result<Option<Operation>>;
    /// A cluster's ledger, in the order of making.
    async fn ledger(&self, cluster: ClusterId) -> Result<Vec<LedgerEntry>>;
    /// What was answered to an idempotency key in a project.
    async fn idempotent(&self, project: &str, key: &str) -> Result<Option<Idempotent>>;
    /// A certificate with its sealed key.
    async fn key_pair(&self, id: Uuid) -> Result<Option<KeyPair>>;
    /// All certificates of a name.
    async fn key_pairs(&self, name: &str) -> Result<Vec<KeyPair>>;
    /// A text kept under its hash.
    async fn blob(&self, hash: &str) -> Result<Option<String>>;
    /// A project's own quota.
    async fn quota(&self, project: &str, resource: QuotaResource) -> Result<Option<Quota>>;
    /// One page of quotas.
    async fn quotas(&self, query: QuotaQuery) -> Result<Vec<Quota>>;
    /// How much there is in a project, or without one in all.
    async fn stats(&self, project: Option<&str>) -> Result<Stats>;
    /// A cluster's registry at the library's own discovery service.
    async fn discovery(&self, cluster: ClusterId) -> Result<Option<DiscoveryRegistry>>;
    /// What is noted of a cluster's certificates, ordered by what the notes are about, which must begin so; all of it for an
    /// empty beginning.
    async fn certificate_notes(&self, cluster: ClusterId, about: &str) -> Result<Vec<CertificateNote>>;
    /// What is known of a cluster that was forgotten by force.
    async fn tombstone(&self, cluster: ClusterId) -> Result<Option<Tombstone>>;

    /// Leases due clusters to `claim.owner`: at most `limit` whose lease is free or expired, whose due
    /// time has come, and whose cloud and driver are among those named; the longest due first.
    /// A claim uses the due time up: what is due after the lease is said by `release`, by a [`Write::Due`]
    /// during the lease, or, when neither comes, by the lease's expiry.
    async fn claim(&self, claim: Claim) -> Result<Vec<Lease>>;
    /// Prolongs a lease; `Stale` when it is no longer held.
    async fn renew(&self, lease: &Lease, duration: Duration) -> Result<Lease>;
    /// Gives a lease back and says when the cluster is due again; `None` for not until a [`Write::Due`].
    /// A commit during the lease that made the cluster due earlier wins. A lease that is no longer held, or
    /// has expired, is no error and changes nothing.
    async fn release(&self, lease: &Lease, due: Option<Timestamp>) -> Result<()>;
    /// When the next cluster that this `claim` could be given is due, by the store's own clock: now or later;
    /// `None` when nothing waits. A leased cluster is due when its lease expires. Only the claim's clouds and
    /// drivers count, so that a worker does not wake for what only others can do.
    async fn next_due(&self, claim: &Claim) -> Result<Option<Timestamp>>;

    /// The oldest events not yet acknowledged.
    async fn pending_events(&self, limit: u32) -> Result<Vec<Event>>;
    /// Removes delivered events.
    async fn acknowledge(&self, events: Vec<EventId>) -> Result<()>;
}

/// Writes that happen together or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// What must hold.
    pub conditions: Vec<Condition>,
    /// What is written, in order.
    pub writes: Vec<Write>,
}

impl Commit {
    /// An empty commit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A commit that only the holder of a lease can make.
    #[must_use]
    pub fn under(lease: &Lease) -> Self {
        Self::new().require(Condition::Lease(lease.clone()))
    }

    /// Adds a condition.
    #[must_use]
    pub fn require(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Adds a write.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }
}

/// Something that must hold in the transaction that writes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// This lease is held and not expired; else `Stale`.
    Lease(Lease),
    /// No cluster was made after this template; else `Conflict`.
    TemplateUnused(TemplateId),
    /// The template exists at this revision; else `Stale`.
    Template(TemplateId, Revision),
    /// The cluster has no active operation; else `Busy`.
    Idle(ClusterId),
    /// The project has fewer clusters than its quota for them, or than the default when it has none; else `Quota`.
    ClustersBelow {
        /// The project.
        project: String,
        /// How many it may have when it has no quota of its own.
        default_limit: u32,
    },
    /// The project has no template of this name; else `Conflict`.
    TemplateNameFree {
        /// The project.
        project: String,
        /// The name.
        name: String,
    },
    /// The project has no cluster of this name; else `Conflict`.
    ClusterNameFree {
        /// The project.
        project: String,
        /// The name.
        name: String,
    },
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Write {
    /// Inserts a template; `Conflict` when its id exists.
    InsertTemplate(Box<ClusterTemplate>),
    /// Replaces a template; `Stale` unless the stored revision is one less.
    PutTemplate(Box<ClusterTemplate>),
    /// Removes a template at this revision; `Stale` when it is at another or gone.
    DeleteTemplate(TemplateId, Revision),
    /// Inserts a cluster, due at once; `Conflict` when its id exists.
    InsertCluster(Box<Cluster>),
    /// Replaces a cluster; `Stale` unless the stored revision is one less. Its lease and its due time stay.
    PutCluster(Box<Cluster>),
    /// Removes a cluster, its lease, its pools, its discovery registry and the notes of its certificates; one that is gone is no error. Operations,
    /// ledger and events stay.
    DeleteCluster(ClusterId),
    /// Makes a cluster due at this time, if that is earlier than it was; one that is gone is no error.
    Due(ClusterId, Timestamp),
    /// Inserts or replaces an operation; `Busy` when it is active and another one of its cluster is.
    PutOperation(Box<Operation>),
    /// Inserts or replaces a ledger entry.
    PutLedger(Box<LedgerEntry>),
    /// Removes a ledger entry; one that is gone is no error.
    DeleteLedger(LedgerId),
    /// Remembers what was answered to an idempotency key; `Conflict` when the project has that key.
    PutIdempotent(Box<Idempotent>),
    /// Inserts a certificate with its sealed key; `Conflict` when its id exists.
    PutKeyPair(Box<KeyPair>),
    /// Replaces the sealed key of a certificate; one that is gone stays gone.
    ResealKeyPair(Uuid, Sealed),
    /// Removes a certificate; one that is gone is no error.
    DeleteKeyPair(Uuid),
    /// Keeps a text under its hash; one that is there stays.
    PutBlob {
        /// The text's hash.
        hash: String,
        /// The text.
        text: String,
    },
    /// Inserts a quota; `Conflict` when the project has one for that resource.
    InsertQuota(Quota),
    /// Replaces a quota; `NotFound` when the project has none for that resource.
    PutQuota(Quota),
    /// Removes a project's quota for a resource; `NotFound` when it has none.
    DeleteQuota(String, QuotaResource),
    /// Inserts a discovery registry at revision 1, or replaces it; `Stale` unless the stored revision is one less, and
    /// when its cluster is gone.
    PutDiscovery(Box<DiscoveryRegistry>),
    /// Notes something of a cluster's certificates, in the place of what was noted about the same; `Stale` when the cluster
    /// is gone.
    PutCertificateNote(Box<CertificateNote>),
    /// Removes a note by what it is about; one that is gone is no error.
    DeleteCertificateNote(ClusterId, String),
    /// Adds an event to the outbox; `Conflict` when it is there.
    PutEvent(Box<Event>),
    /// Remembers what was left of a cluster.
    PutTombstone(Box<Tombstone>),
}

/// What was answered to a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotent {
    /// The project that used the key.
    pub project: String,
    /// The key.
    pub key: String,
    /// Hash of the request's body.
    pub request: String,
    /// The cluster that was made.
    pub cluster_id: ClusterId,
}

/// A certificate with its sealed key, as the x509keypair store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// Its UUID.
    pub id: Uuid,
    /// The name it was stored under; not unique.
    pub name: String,
    /// PEM certificate.
    pub certificate: String,
    /// PEM private key, sealed under the UUID.
    pub private_key: Sealed,
    /// PEM certificates between it and its root.
    pub intermediates: Option<String>,
}

/// Who wants to work on which clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The worker's name, unique among all processes.
    pub owner: String,
    /// Only clusters of these clouds.
    pub clouds: Vec<String>,
    /// Only clusters of these drivers, and any cluster that is being deleted.
    pub drivers: Vec<String>,
    /// At most so many.
    pub limit: u32,
    /// For how long.
    pub duration: Duration,
}

/// The right to work on a cluster for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Whose right it is.
    pub owner: String,
    /// Grows with every claim.
    pub epoch: i64,
    /// How much was left of it, by the store's clock, when this value was made.
    pub left: Duration,
}
