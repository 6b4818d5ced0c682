//! How long the stores take: commits as the conductor makes them, claims, pages.
//!
//! `cargo bench -p magnum-core --features sqlite,testing --bench store [directory]`; the directory says
//! on which disk. Prints the median, the 99th percentile and the maximum of each call, and what several
//! writers at once reach.
#![allow(clippy::unwrap_used, reason = "a measurement that fails has nothing to say")]

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use magnum_core::testing::store::some_clusters;
use magnum_core::{
    Claim, Commit, MemoryStore, Operation, OperationId, OperationKind, OperationState, Query, SqlStore, Step,
    Store, SystemClock, Write,
};

const CLUSTERS: usize = 500;
const CLOUD: &str = "cloud";

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "{what:<40} p50 {:>9.1?}  p99 {:>9.1?}  max {:>9.1?}  ({})",
        at(50),
        at(99),
        at(100),
        times.len()
    );
}

async fn timed<F: Future>(times: &mut Vec<Duration>, call: F) -> F::Output {
    let begun = Instant::now();
    let output = call.await;
    times.push(begun.elapsed());
    output
}

fn claim(limit: u32) -> Claim {
    Claim {
        owner: "bench".to_owned(),
        clouds: vec![CLOUD.to_owned()],
        drivers: vec!["docker_ubuntu".to_owned()],
        limit,
        duration: Duration::from_secs(3600),
    }
}

/// A step of an operation: under the lease, the cluster and its operation.
async fn step(store: &dyn Store, lease: &magnum_core::Lease, operation: &Operation) -> Commit {
    let mut cluster = store.cluster(lease.cluster_id).await.unwrap().unwrap();
    cluster.revision = cluster.revision.next();
    let mut operation = operation.clone();
    operation.cluster_id = cluster.id;
    operation.id = OperationId(cluster.id.0);
    Commit::under(lease)
        .write(Write::PutCluster(Box::new(cluster)))
        .write(Write::PutOperation(Box::new(operation)))
}

async fn measure(name: &str, store: Arc<dyn Store>) {
    println!("{name}");
    let now = jiff::Timestamp::now();
    let operation = Operation {
        id: OperationId(uuid::Uuid::nil()),
        cluster_id: magnum_core::ClusterId(uuid::Uuid::nil()),
        kind: OperationKind::Create,
        state: OperationState::Active,
        step: Step::Observe,
        deadline: now,
        attempt: 0,
        rounds: 0,
        not_before: now,
        generation: 1,
        user_id: "user".to_owned(),
        token: None,
        fault: None,
        unseen: None,
        created_at: now,
        ended_at: None,
    };
    some_clusters(&store, CLOUD, CLUSTERS).await;
    let mut times = Vec::new();
    let mut leases = Vec::new();
    while leases.len() < CLUSTERS {
        leases.extend(timed(&mut times, store.claim(claim(50))).await.unwrap());
    }
    report("  claim of 50", times);

    let (mut commits, mut reads, mut idle, mut pages) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for lease in &leases {
        let commit = step(&*store, lease, &operation).await;
        timed(&mut commits, store.commit(commit)).await.unwrap();
        timed(&mut reads, store.cluster(lease.cluster_id)).await.unwrap();
        timed(&mut idle, store.claim(claim(50))).await.unwrap();
    }
    report("  commit of a step", commits);
    report("  read of a cluster", reads);
    report("  claim of nothing", idle);
    for _ in 0..20 {
        let page = Query {
            limit: 100,
            ..Query::all()
        };
        timed(&mut pages, store.clusters(page)).await.unwrap();
    }
    report("  page of 100 clusters", pages);

    let begun = Instant::now();
    let mut writers = tokio::task::JoinSet::new();
    for part in leases.chunks(CLUSTERS / 16 + 1).map(<[_]>::to_vec) {
        let (store, operation) = (Arc::clone(&store), operation.clone());
        writers.spawn(async move {
            let mut times = Vec::new();
            for lease in part {
                let commit = step(&*store, &lease, &operation).await;
                timed(&mut times, store.commit(commit)).await.unwrap();
            }
            times
        });
    }
    let times: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    report("  commit of a step, 16 at once", times);
    println!("  {rate:.0} steps a second\n");
}

fn main() {
    let directory = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let directory = match directory {
        Some(directory) => tempfile::tempdir_in(directory).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        measure("memory", Arc::new(MemoryStore::new(Arc::new(SystemClock)))).await;
        let sqlite = SqlStore::open_sqlite(directory.path().join("magnum.db"))
            .await
            .unwrap();
        sqlite.migrate().await.unwrap();
        measure("sqlite", Arc::new(sqlite.clone())).await;
        sqlite.close().await;
    });
}
