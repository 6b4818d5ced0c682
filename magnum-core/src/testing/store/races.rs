//! Rules that several writers at once try to break.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::fixtures::{Corner, LONG, changed, put, require};
use super::quotas::quota;
use crate::model::QuotaResource;
use crate::ports::{Commit, Condition, Store, Write};
use crate::{ErrorKind, Result};

const WRITERS: u32 = 8;

/// Makes all commits at once and returns what became of them.
async fn race(store: &Arc<dyn Store>, commits: impl IntoIterator<Item = Commit>) -> Vec<Result<()>> {
    let mut writers = JoinSet::new();
    for commit in commits {
        let store = Arc::clone(store);
        writers.spawn(async move { store.commit(commit).await });
    }
    writers.join_all().await
}

/// How many were accepted; all others must have been refused with this kind.
#[track_caller]
fn accepted(results: &[Result<()>], otherwise: ErrorKind) -> usize {
    let refused = results.iter().filter_map(|result| result.as_ref().err());
    for error in refused {
        assert_eq!(error.kind(), otherwise, "{error:?}");
    }
    results.iter().filter(|result| result.is_ok()).count()
}

/// However many claim at once, each cluster is given to one of them.
///
/// # Panics
/// When the rule is broken.
pub async fn two_claimers_never_share_a_cluster(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let mut commit = Commit::new();
    let mut wanted = BTreeSet::new();
    for _ in 0..40 {
        let cluster = corner.cluster();
        wanted.insert(cluster.id);
        commit = commit.write(Write::InsertCluster(Box::new(cluster)));
    }
    corner.commit(commit).await.unwrap();
    let mut workers = JoinSet::new();
    for worker in 0..WRITERS {
        let mut claim = corner.claim(&format!("worker {worker}"), LONG);
        claim.limit = 3;
        let store = Arc::clone(&corner.store);
        workers.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let leases = store.claim(claim.clone()).await.expect("a claim is answered");
                if leases.is_empty() {
                    return mine;
                }
                mine.extend(leases);
                tokio::task::yield_now().await;
            }
        });
    }
    let leases: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    let given: BTreeSet<_> = leases.iter().map(|lease| lease.cluster_id).collect();
    assert_eq!(leases.len(), given.len(), "a cluster was given to two workers");
    assert_eq!(given, wanted, "every cluster is given to one");
}

/// Of several puts of the same revision one is accepted.
///
/// # Panics
/// When the rule is broken.
pub async fn racing_puts_have_one_winner(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let cluster = corner.make_cluster().await;
    let commits = (0..WRITERS).map(|writer| {
        let mut mine = changed(&cluster);
        mine.name = format!("writer {writer}");
        mine.pools.truncate(1);
        mine.pools[0].name = mine.name.clone();
        Commit::new().write(put(&mine))
    });
    let results = race(&corner.store, commits).await;
    assert_eq!(accepted(&results, ErrorKind::Stale), 1);
    let stored = corner.store.cluster(cluster.id).await.unwrap().unwrap();
    assert_eq!(stored.pools[0].name, stored.name, "no mixture of two writers");
}

/// However many create at once, a project gets no more clusters than its quota, and no two of one name.
///
/// # Panics
/// When the rule is broken.
pub async fn quotas_hold_in_races(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let limit = 3;
    let below = || Condition::ClustersBelow {
        project: corner.project.clone(),
        default_limit: limit,
    };
    let insert = |commit: Commit| commit.write(Write::InsertCluster(Box::new(corner.cluster())));
    let results = race(&corner.store, (0..WRITERS).map(|_| insert(require(below())))).await;
    assert_eq!(accepted(&results, ErrorKind::Quota), 3);

    let corner = Corner::of(Arc::clone(&corner.store));
    let free = || Condition::ClusterNameFree {
        project: corner.project.clone(),
        name: corner.cluster().name,
    };
    let insert = |commit: Commit| commit.write(Write::InsertCluster(Box::new(corner.cluster())));
    let results = race(&corner.store, (0..WRITERS).map(|_| insert(require(free())))).await;
    assert_eq!(accepted(&results, ErrorKind::Conflict), 1);
}

/// A quota counts as it is in the transaction that inserts: of a cluster's creation under a quota of one, and the
/// lowering of that quota to none as long as none is there, at the same time, one wins.
///
/// # Panics
/// When the rule is broken.
pub async fn lowered_quotas_hold_in_races(store: Arc<dyn Store>) {
    for round in 0..6 {
        let corner = Corner::of(Arc::clone(&store));
        let granted = Write::InsertQuota(quota(&corner.project, 1));
        corner.commit(Commit::new().write(granted)).await.unwrap();
        let below = || {
            require(Condition::ClustersBelow {
                project: corner.project.clone(),
                default_limit: 20,
            })
        };
        let create = || below().write(Write::InsertCluster(Box::new(corner.cluster())));
        let mut commits = vec![
            below().write(Write::PutQuota(quota(&corner.project, 0))),
            create(),
            create(),
        ];
        commits.rotate_left(round % 3);
        let results = race(&corner.store, commits).await;
        assert_eq!(accepted(&results, ErrorKind::Quota), 1);
        let stats = corner.store.stats(Some(&corner.project)).await.unwrap();
        let stored = corner
            .store
            .quota(&corner.project, QuotaResource::Cluster)
            .await
            .unwrap();
        let limit = stored.map(|quota| quota.hard_limit);
        assert_eq!(
            limit,
            Some(u32::try_from(stats.clusters).unwrap()),
            "a cluster under a quota of none, or a quota lowered that was used"
        );
    }
}

/// Of a template's deletion and the creation of a cluster after it, at the same time, one wins.
///
/// # Panics
/// When the rule is broken.
pub async fn template_deletion_races_with_creation(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    for round in 0..6 {
        let template = corner.template();
        let insert = Write::InsertTemplate(Box::new(template.clone()));
        corner.commit(Commit::new().write(insert)).await.unwrap();
        let mut cluster = corner.cluster();
        cluster.cluster_template_id = template.id;
        let mut commits = vec![
            require(Condition::TemplateUnused(template.id))
                .write(Write::DeleteTemplate(template.id, template.revision)),
            require(Condition::Template(template.id, template.revision))
                .write(Write::InsertCluster(Box::new(cluster.clone()))),
        ];
        if round % 2 == 1 {
            commits.reverse();
        }
        let results = race(&corner.store, commits).await;
        let kinds: Vec<_> = results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .collect();
        let [refused] = kinds.as_slice() else {
            panic!("one of the two is refused: {results:?}");
        };
        let template = corner.store.template(template.id).await.unwrap();
        let cluster = corner.store.cluster(cluster.id).await.unwrap();
        assert_eq!(
            template.is_some(),
            cluster.is_some(),
            "a cluster without its template"
        );
        let kind = if cluster.is_some() {
            ErrorKind::Conflict
        } else {
            ErrorKind::Stale
        };
        assert_eq!(refused.kind(), kind, "{refused:?}");
    }
}
