//! A store in a SQL database.

mod cluster_rows;
mod column;
mod condition;
mod dialect;
mod failure;
mod lease;
mod page;
mod quota_rows;
mod row;
mod schema;
mod statement;
mod transaction;
mod write;

use std::fmt;
#[cfg(feature = "sqlite")]
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use self::dialect::{Dialect, Pools};
use self::statement::Statement;
use crate::Result;
use crate::model::{
    CertificateNote, Cluster, ClusterId, ClusterTemplate, DiscoveryRegistry, Event, EventId, LedgerEntry,
    Operation, OperationId, Quota, QuotaResource, Stats, TemplateId, Tombstone,
};
use crate::ports::{Claim, Commit, Idempotent, KeyPair, Lease, Query, QuotaQuery, Store};

/// Keeps everything in a SQL database, shared by as many processes as open it.
///
/// What a commit wrote is on disk when it returns. Leases run by the database's clock. Commits of one
/// process queue up where the database allows one writer only, and wait a bounded time for other
/// processes. A clone is another handle on the same connections.
///
/// Private keys, passwords and tokens arrive here sealed and are kept so. A new SQLite file can be
/// read by its owner only.
///
/// It needs a tokio runtime with time and does not follow a paused clock.
#[cfg_attr(
    feature = "sqlite",
    doc = r#"
```
use magnum_core::{Query, SqlStore, Store};
# let directory = tempfile::tempdir()?;
# let path = directory.path().join("magnum.db");
# tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
let store = SqlStore::open_sqlite(&path).await?;
store.migrate().await?;
assert!(store.clusters(Query::all()).await?.is_empty());
store.close().await;
# Ok::<(), magnum_core::Error>(())
# })?;
# Ok::<(), Box<dyn std::error::Error>>(())
```
"#
)]
#[derive(Clone)]
pub struct SqlStore {
    pools: Pools,
    dialect: Dialect,
}

impl SqlStore {
    /// Opens the database that `url` names, for example `sqlite:///var/lib/magnum/magnum.db`.
    ///
    /// A SQLite file that does not exist is made. Tables are made by [`SqlStore::migrate`].
    /// A host that uses sqlx's `Any` driver itself must install the drivers with
    /// `sqlx::any::install_default_drivers` and no other way.
    ///
    /// # Errors
    /// `Configuration` when the URL is wrong, when this build has no driver for it, or when a newer
    /// version of the library has changed the tables; `Unavailable` when the database does not answer.
    pub async fn connect(url: &str) -> Result<Self> {
        let dialect = Dialect::of(url)?;
        let pools = dialect.connect(url).await?;
        let store = Self { pools, dialect };
        store.refuse_newer_schema().await?;
        Ok(store)
    }

    /// Opens the SQLite database in a file, whatever characters its path has.
    ///
    /// # Errors
    /// Those of [`SqlStore::connect`].
    #[cfg(feature = "sqlite")]
    pub async fn open_sqlite(path: impl AsRef<Path>) -> Result<Self> {
        Self::connect(&dialect::sqlite::url_of(path.as_ref())).await
    }

    /// Makes the tables, or brings those of an older version up to date. It may be called every time
    /// and by several processes at once.
    ///
    /// # Errors
    /// `Configuration` when a newer version of the library has changed the tables; `Unavailable` when
    /// the database does not answer. Nothing is half done.
    pub async fn migrate(&self) -> Result<()> {
        self.transact(&schema::Migration).await
    }

    /// Waits until all connections are closed. Without it, connections close when the last handle goes.
    pub async fn close(&self) {
        self.pools.readers.close().await;
        self.pools.writers.close().await;
    }

    fn ask(&self, sql: &str) -> Statement {
        Statement::new(self.dialect, sql)
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("dialect", &self.dialect)
            .field("readers", &self.pools.readers.size())
            .field("writers", &self.pools.writers.size())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn commit(&self, commit: Commit) -> Result<()> {
        self.transact(&commit).await
    }

    async fn template(&self, id: TemplateId) -> Result<Option<ClusterTemplate>> {
        let ask = self.ask("SELECT body FROM magnum_templates WHERE id = ").id(id.0);
        self.read_one("template", ask, row::body).await
    }

    async fn templates(&self, query: Query) -> Result<Vec<ClusterTemplate>> {
        self.template_page(&query).await
    }

    async fn cluster(&self, id: ClusterId) -> Result<Option<Cluster>> {
        self.read_cluster(id).await
    }

    async fn clusters(&self, query: Query) -> Result<Vec<Cluster>> {
        self.cluster_page(&query).await
    }

    async fn active_operation(&self, cluster: ClusterId) -> Result<Option<Operation>> {
        let ask = self
            .ask("SELECT body FROM magnum_operations WHERE active_on = ")
            .id(cluster.0);
        self.read_one("active_operation", ask, row::body).await
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        let ask = self
            .ask("SELECT body FROM magnum_operations WHERE id = ")
            .id(id.0);
        self.read_one("operation", ask, row::body).await
    }

    async fn ledger(&self, cluster: ClusterId) -> Result<Vec<LedgerEntry>> {
        let ask = self
            .ask("SELECT body FROM magnum_ledger WHERE cluster_id = ")
            .id(cluster.0);
        let ask = ask.sql(" ORDER BY sequence, id");
        self.read_all("ledger", ask, row::body).await
    }

    async fn idempotent(&self, project: &str, key: &str) -> Result<Option<Idempotent>> {
        let ask = self.ask("SELECT project_id, idempotency_key, request, cluster_id FROM magnum_idempotency");
        let ask = ask
            .sql(" WHERE project_id = ")
            .text(project)
            .sql(" AND idempotency_key = ")
            .text(key);
        self.read_one("idempotent", ask, row::idempotent).await
    }

    async fn key_pair(&self, id: Uuid) -> Result<Option<KeyPair>> {
        let ask = self.ask(row::KEY_PAIRS).sql(" WHERE id = ").id(id);
        self.read_one("key_pair", ask, row::key_pair).await
    }

    async fn key_pairs(&self, name: &str) -> Result<Vec<KeyPair>> {
        let ask = self
            .ask(row::KEY_PAIRS)
            .sql(" WHERE name = ")
            .text(name)
            .sql(" ORDER BY id");
        self.read_all("key_pairs", ask, row::key_pair).await
    }

    async fn blob(&self, hash: &str) -> Result<Option<String>> {
        let ask = self
            .ask("SELECT content FROM magnum_blobs WHERE hash = ")
            .text(hash);
        self.read_one("blob", ask, |found| row::text(found, "content"))
            .await
    }

    async fn quota(&self, project: &str, resource: QuotaResource) -> Result<Option<Quota>> {
        let ask = quota_rows::of(self.ask("SELECT body FROM magnum_quotas"), project, resource);
        self.read_one("quota", ask, row::body).await
    }

    async fn quotas(&self, query: QuotaQuery) -> Result<Vec<Quota>> {
        self.quota_page(&query).await
    }

    async fn stats(&self, project: Option<&str>) -> Result<Stats> {
        self.count_all(project).await
    }

    async fn discovery(&self, cluster: ClusterId) -> Result<Option<DiscoveryRegistry>> {
        let ask = self
            .ask("SELECT body FROM magnum_discoveries WHERE cluster_id = ")
            .id(cluster.0);
        self.read_one("discovery", ask, row::body).await
    }

    async fn certificate_notes(&self, cluster: ClusterId, about: &str) -> Result<Vec<CertificateNote>> {
        let mut ask = self
            .ask("SELECT body FROM magnum_certificate_notes WHERE cluster_id = ")
            .id(cluster.0);
        if !about.is_empty() {
            let end = format!("{about}{}", char::MAX);
            ask = ask
                .sql(" AND about >= ")
                .text(about)
                .sql(" AND about < ")
                .text(&end);
        }
        let mut notes: Vec<CertificateNote> = self.read_all("certificate_notes", ask, row::body).await?;
        notes.retain(|note| note.about().starts_with(about));
        // Databases sort texts each in its own way.
        notes.sort_by_key(CertificateNote::about);
        Ok(notes)
    }

    async fn tombstone(&self, cluster: ClusterId) -> Result<Option<Tombstone>> {
        let ask = self
            .ask("SELECT body FROM magnum_tombstones WHERE cluster_id = ")
            .id(cluster.0);
        self.read_one("tombstone", ask, row::body).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Lease>> {
        self.claim_due(claim).await
    }

    async fn renew(&self, lease: &Lease, duration: Duration) -> Result<Lease> {
        self.renew_lease(lease, duration).await
    }

    async fn release(&self, lease: &Lease, due: Option<Timestamp>) -> Result<()> {
        self.release_lease(lease, due).await
    }

    async fn next_due(&self, claim: &Claim) -> Result<Option<Timestamp>> {
        self.earliest_due(claim).await
    }

    async fn pending_events(&self, limit: u32) -> Result<Vec<Event>> {
        let ask = self
            .ask("SELECT body FROM magnum_events ORDER BY seq LIMIT ")
            .number(limit.into());
        self.read_all("pending_events", ask, row::body).await
    }

    async fn acknowledge(&self, events: Vec<EventId>) -> Result<()> {
        self.transact(&write::Acknowledgement(events)).await
    }
}
