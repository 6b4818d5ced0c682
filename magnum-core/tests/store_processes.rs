//! Several processes on one SQLite file: each cluster has one owner, and what was committed survives a kill.
#![cfg(all(unix, feature = "sqlite", feature = "testing"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use magnum_core::testing::store::some_clusters;
use magnum_core::{Claim, Commit, SqlStore, Store, Write};

const FILE: &str = "MAGNUM_TEST_FILE";
const CLOUD: &str = "MAGNUM_TEST_CLOUD";

/// Runs one of this file's tests in a process of its own, on this database.
fn process(test: &str, file: &Path, cloud: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(FILE, file)
        .env(CLOUD, cloud)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a process prints after `marker`, line by line.
fn printed<'a>(child: &mut Child, marker: &'a str) -> impl Iterator<Item = String> + use<'a> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.filter_map(move |line| {
        let line = line.ok()?;
        let (_, rest) = line.split_once(marker)?;
        Some(rest.to_owned())
    })
}

fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

fn blob(hash: &str) -> Commit {
    Commit::new().write(Write::PutBlob {
        hash: hash.to_owned(),
        text: "x".repeat(300),
    })
}

/// Not a test by itself: commits until it is killed, and says what was committed.
#[tokio::test]
async fn process_that_commits() {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    let store = SqlStore::open_sqlite(file).await.unwrap();
    let prefix = std::process::id();
    for number in 0..u32::MAX {
        let hash = format!("{prefix}-{number}");
        store.commit(blob(&hash)).await.unwrap();
        print(&format!("committed {hash}"));
    }
}

/// Not a test by itself: claims until nothing is left, and says what it got.
#[tokio::test]
async fn process_that_claims() {
    let (Some(file), Ok(cloud)) = (std::env::var_os(FILE), std::env::var(CLOUD)) else {
        return;
    };
    let store = SqlStore::open_sqlite(file).await.unwrap();
    let claim = Claim {
        owner: std::process::id().to_string(),
        clouds: vec![cloud],
        drivers: vec!["docker_ubuntu".to_owned()],
        limit: 3,
        duration: Duration::from_secs(3600),
    };
    loop {
        let leases = store.claim(claim.clone()).await.unwrap();
        if leases.is_empty() {
            return;
        }
        for lease in leases {
            print(&format!("claimed {}", lease.cluster_id));
        }
    }
}

#[tokio::test]
async fn what_was_committed_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("magnum.db");
    let store = SqlStore::open_sqlite(&file).await.unwrap();
    store.migrate().await.unwrap();
    let mut children = [(); 2].map(|()| process("process_that_commits", &file, ""));
    let mut committed = Vec::new();
    for child in &mut children {
        let mut lines = printed(child, "committed ");
        committed.extend(lines.by_ref().take(100));
        child.kill().unwrap();
        // What it managed to say before it died counts too.
        committed.extend(lines);
        child.wait().unwrap();
    }
    assert!(committed.len() >= 200);
    store.close().await;

    let store = SqlStore::open_sqlite(&file).await.unwrap();
    for hash in &committed {
        assert!(
            store.blob(hash).await.unwrap().is_some(),
            "{hash} was committed and is lost"
        );
    }
    store.commit(blob("after")).await.expect("the dead hold no lock");
}

#[tokio::test]
async fn processes_never_share_a_cluster() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("magnum.db");
    let store = SqlStore::open_sqlite(&file).await.unwrap();
    store.migrate().await.unwrap();
    let shared: Arc<dyn Store> = Arc::new(store);
    let cloud = "the cloud";
    let wanted: BTreeSet<String> = some_clusters(&shared, cloud, 200)
        .await
        .iter()
        .map(ToString::to_string)
        .collect();
    let children = [(); 3].map(|()| process("process_that_claims", &file, cloud));
    let mut claimed = Vec::new();
    for mut child in children {
        claimed.extend(printed(&mut child, "claimed "));
        assert!(child.wait().unwrap().success());
    }
    let distinct: BTreeSet<String> = claimed.iter().cloned().collect();
    assert_eq!(claimed.len(), distinct.len(), "a cluster was claimed twice");
    assert_eq!(distinct, wanted);
}
