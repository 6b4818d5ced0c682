//! The SQL store on SQLite keeps the rules of stores, agrees with the store in memory, and outlives its
//! processes.
#![cfg(all(feature = "sqlite", feature = "testing"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use magnum_core::testing::store::{
    conformance, lowered_quotas_hold_in_races, pages_are_stable, quotas_hold_in_races,
    racing_puts_have_one_winner, stores_agree, template_deletion_races_with_creation, text_comes_back,
    two_claimers_never_share_a_cluster,
};
use magnum_core::{Commit, ErrorKind, MemoryStore, Query, SqlStore, Store, SystemClock, Write};
use proptest::prelude::*;
use tempfile::TempDir;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("magnum.db")
    }
}

async fn open(path: &Path) -> SqlStore {
    let store = SqlStore::open_sqlite(path).await.unwrap();
    store.migrate().await.unwrap();
    store
}

fn blob(hash: &str) -> Commit {
    Commit::new().write(Write::PutBlob {
        hash: hash.to_owned(),
        text: "text".to_owned(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_the_rules() {
    let files = Files::new();
    let store = open(&files.path()).await;
    conformance(
        async || Arc::new(store.clone()) as Arc<dyn Store>,
        tokio::time::sleep,
    )
    .await;
}

#[tokio::test]
async fn sqlite_in_memory_keeps_the_rules() {
    let make = async || {
        let store = SqlStore::connect("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        Arc::new(store) as Arc<dyn Store>
    };
    conformance(make, tokio::time::sleep).await;
}

/// Two handles that know nothing of each other, as two processes have, taking turns.
#[derive(Debug)]
struct Both(SqlStore, SqlStore, std::sync::atomic::AtomicUsize);

impl Both {
    fn next(&self) -> &SqlStore {
        let turn = self.2.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        [&self.0, &self.1][turn % 2]
    }
}

macro_rules! by_turns {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        #[async_trait::async_trait]
        impl Store for Both {
            $(async fn $name(&self, $($argument: $kind),*) -> magnum_core::Result<$result> {
                self.next().$name($($argument),*).await
            })*
        }
    };
}

by_turns! {
    commit(commit: Commit) -> ();
    template(id: magnum_core::TemplateId) -> Option<magnum_core::ClusterTemplate>;
    templates(query: Query) -> Vec<magnum_core::ClusterTemplate>;
    cluster(id: magnum_core::ClusterId) -> Option<magnum_core::Cluster>;
    clusters(query: Query) -> Vec<magnum_core::Cluster>;
    active_operation(cluster: magnum_core::ClusterId) -> Option<magnum_core::Operation>;
    operation(id: magnum_core::OperationId) -> Option<magnum_core::Operation>;
    ledger(cluster: magnum_core::ClusterId) -> Vec<magnum_core::LedgerEntry>;
    idempotent(project: &str, key: &str) -> Option<magnum_core::Idempotent>;
    key_pair(id: uuid::Uuid) -> Option<magnum_core::KeyPair>;
    key_pairs(name: &str) -> Vec<magnum_core::KeyPair>;
    blob(hash: &str) -> Option<String>;
    quota(project: &str, resource: magnum_core::QuotaResource) -> Option<magnum_core::Quota>;
    quotas(query: magnum_core::QuotaQuery) -> Vec<magnum_core::Quota>;
    stats(project: Option<&str>) -> magnum_core::Stats;
    discovery(cluster: magnum_core::ClusterId) -> Option<magnum_core::DiscoveryRegistry>;
    certificate_notes(cluster: magnum_core::ClusterId, about: &str) -> Vec<magnum_core::CertificateNote>;
    tombstone(cluster: magnum_core::ClusterId) -> Option<magnum_core::Tombstone>;
    claim(claim: magnum_core::Claim) -> Vec<magnum_core::Lease>;
    renew(lease: &magnum_core::Lease, duration: std::time::Duration) -> magnum_core::Lease;
    release(lease: &magnum_core::Lease, due: Option<jiff::Timestamp>) -> ();
    next_due(claim: &magnum_core::Claim) -> Option<jiff::Timestamp>;
    pending_events(limit: u32) -> Vec<magnum_core::Event>;
    acknowledge(events: Vec<magnum_core::EventId>) -> ();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_handles_on_one_file_keep_the_rules() {
    let files = Files::new();
    let store = Arc::new(Both(
        open(&files.path()).await,
        open(&files.path()).await,
        0.into(),
    ));
    let make = async || Arc::clone(&store) as Arc<dyn Store>;
    conformance(make, tokio::time::sleep).await;
    for _ in 0..3 {
        two_claimers_never_share_a_cluster(make().await).await;
        racing_puts_have_one_winner(make().await).await;
        quotas_hold_in_races(make().await).await;
        lowered_quotas_hold_in_races(make().await).await;
        template_deletion_races_with_creation(make().await).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_agrees_with_memory(choices in prop::collection::vec(any::<u64>(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let sqlite = SqlStore::connect("sqlite::memory:").await.unwrap();
            sqlite.migrate().await.unwrap();
            let memory = MemoryStore::new(Arc::new(SystemClock));
            stores_agree(Arc::new(memory), Arc::new(sqlite), &choices).await;
        });
    }

    #[test]
    fn pages_of_sqlite_are_stable(choice in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let sqlite = SqlStore::connect("sqlite::memory:").await.unwrap();
            sqlite.migrate().await.unwrap();
            pages_are_stable(Arc::new(sqlite), &[choice]).await;
        });
    }

    #[test]
    fn any_text_comes_back(text in any::<String>(), ascii in r"[\x00-\x7f]{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let sqlite = SqlStore::connect("sqlite::memory:").await.unwrap();
            sqlite.migrate().await.unwrap();
            let store: Arc<dyn Store> = Arc::new(sqlite);
            text_comes_back(&store, &text).await;
            text_comes_back(&store, &ascii).await;
        });
    }
}

#[tokio::test]
async fn tables_are_made_once_whoever_comes_first() {
    let files = Files::new();
    let (one, two) = tokio::join!(
        SqlStore::open_sqlite(files.path()),
        SqlStore::open_sqlite(files.path())
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    let error = one.blob("hash").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
    let made = tokio::join!(one.migrate(), two.migrate(), one.migrate());
    made.0.and(made.1).and(made.2).unwrap();
    one.commit(blob("hash")).await.unwrap();
    assert!(two.blob("hash").await.unwrap().is_some());
    two.migrate().await.unwrap();
    assert!(
        two.blob("hash").await.unwrap().is_some(),
        "migrating again loses nothing"
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let files = Files::new();
    let store = open(&files.path()).await;
    sql(
        &files.path(),
        "INSERT INTO magnum_migrations (version, applied_at) VALUES (1000, 0)",
    )
    .await;
    for error in [
        store.migrate().await.unwrap_err(),
        SqlStore::open_sqlite(files.path()).await.map(|_| ()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("1000"), "{error}");
    }
}

async fn sql(path: &Path, text: &'static str) {
    let url = format!("sqlite:{}", path.display());
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    sqlx::raw_sql(text).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn rows_of_other_versions_are_read() {
    let files = Files::new();
    let store = open(&files.path()).await;
    let dynamic: Arc<dyn Store> = Arc::new(store.clone());
    text_comes_back(&dynamic, "name").await;
    let before = store.clusters(Query::all()).await.unwrap();
    sql(
        &files.path(),
        "UPDATE magnum_clusters SET body = json_remove(json_set(body, '$.new_field', json('{\"a\": 1}'), \
         '$.template.new_field', 1), '$.keypair', '$.discovery_url', '$.template.labels', '$.template.public')",
    )
    .await;
    let mut expected = before.clone();
    for cluster in &mut expected {
        cluster.keypair = None;
        cluster.template.labels.clear();
    }
    assert_eq!(store.clusters(Query::all()).await.unwrap(), expected);
    sql(&files.path(), "UPDATE magnum_clusters SET body = '{}'").await;
    let error = store.clusters(Query::all()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Internal,
        "what cannot be read is an error, not a panic: {error:?}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let files = Files::new();
    let store = open(&files.path()).await;
    store.commit(blob("hash")).await.unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(files.0.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
        seen += 1;
    }
    assert!(seen >= 2, "the file and its log");
}

#[tokio::test]
async fn a_path_that_cannot_be_made_is_a_configuration_error() {
    let error = SqlStore::open_sqlite("/nowhere/at/all.db")
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
    let error = SqlStore::connect("sqlite:x.db?nonsense=1")
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
}

/// A call that is dropped half way leaves the store as usable as before, and nothing half written.
#[tokio::test]
async fn dropped_calls_leave_nothing_behind() {
    let files = Files::new();
    let store = open(&files.path()).await;
    for polls in 0..60 {
        let hashes: Vec<_> = (0..3).map(|part| format!("{polls}-{part}")).collect();
        let commit = hashes.iter().fold(Commit::new(), |commit, hash| {
            let mut one = blob(hash);
            commit.write(one.writes.remove(0))
        });
        let mut call = Box::pin(store.commit(commit));
        for _ in 0..polls {
            if futures::poll!(&mut call).is_ready() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_micros(100)).await;
        }
        drop(call);
        store.commit(blob("after")).await.unwrap();
        let mut kept = 0;
        for hash in &hashes {
            kept += usize::from(store.blob(hash).await.unwrap().is_some());
        }
        assert!(kept == 0 || kept == hashes.len(), "{kept} of {}", hashes.len());
    }
}
