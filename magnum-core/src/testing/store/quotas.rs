//! Rules of quotas and of what they count.

use std::sync::Arc;

use super::fixtures::{Corner, instant, refused, require};
use crate::ErrorKind;
use crate::model::{ClusterStatus, Pool, PoolRole, Quota, QuotaResource, Stats};
use crate::ports::{Commit, Condition, QuotaQuery, SortDirection, Store, Write};

pub(super) fn quota(project: &str, hard_limit: u32) -> Quota {
    Quota {
        project_id: project.to_owned(),
        resource: QuotaResource::Cluster,
        hard_limit,
        created_at: Some(instant(6)),
        updated_at: None,
    }
}

/// A project has one quota of its own or none; where it has one that counts instead of the default, and what it
/// counts are the project's clusters, whatever their status. Quotas are listed by project.
///
/// # Panics
/// When the rule is broken.
pub async fn a_quota_is_a_projects_own(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let project = &corner.project;
    let stored = async || corner.store.quota(project, QuotaResource::Cluster).await.unwrap();
    let below = |default_limit| {
        require(Condition::ClustersBelow {
            project: project.clone(),
            default_limit,
        })
    };
    let delete = || Write::DeleteQuota(project.clone(), QuotaResource::Cluster);
    assert_eq!(stored().await, None);
    for absent in [Write::PutQuota(quota(project, 3)), delete()] {
        let result = corner.commit(Commit::new().write(absent)).await;
        refused(result, ErrorKind::NotFound, "a quota that is not there");
    }
    let first = quota(project, 0);
    corner
        .commit(Commit::new().write(Write::InsertQuota(first.clone())))
        .await
        .unwrap();
    assert_eq!(stored().await, Some(first.clone()));
    let again = corner
        .commit(Commit::new().write(Write::InsertQuota(quota(project, 9))))
        .await;
    refused(again, ErrorKind::Conflict, "a second quota of one project");
    refused(corner.commit(below(1)).await, ErrorKind::Quota, "a quota of none");

    let second = Quota {
        hard_limit: 2,
        updated_at: Some(instant(7)),
        ..first
    };
    corner
        .commit(Commit::new().write(Write::PutQuota(second.clone())))
        .await
        .unwrap();
    assert_eq!(stored().await, Some(second));
    let mut failed = corner.cluster();
    failed.status = ClusterStatus::CREATE_FAILED;
    corner.insert(&failed).await;
    corner
        .commit(below(0))
        .await
        .expect("the quota counts, not the default");
    corner.make_cluster().await;
    let error = corner.commit(below(9)).await.expect_err("the quota is used up");
    assert_eq!(error.kind(), ErrorKind::Quota, "{error:?}");
    assert!(
        error.to_string().contains("may have 2 clusters and has 2"),
        "{error}"
    );
    corner
        .commit(Commit::new().write(delete()))
        .await
        .expect("a quota is removed");
    assert_eq!(stored().await, None);
    corner.commit(below(3)).await.expect("the default counts again");
    refused(corner.commit(below(2)).await, ErrorKind::Quota, "the default");
    quotas_are_listed(&corner).await;
}

async fn quotas_are_listed(corner: &Corner) {
    let named = |ending: &str| quota(&format!("{}{ending}", corner.project), 1);
    let rows = ["", "A", "B", "a", "é"].map(named);
    let shuffled = [3, 0, 4, 2, 1].map(|place| &rows[place]);
    let commit = shuffled.into_iter().fold(Commit::new(), |commit, quota| {
        commit.write(Write::InsertQuota(quota.clone()))
    });
    corner.commit(commit).await.unwrap();
    let query = QuotaQuery {
        project: None,
        direction: SortDirection::Ascending,
        marker: None,
        limit: u32::MAX,
    };
    let list = async |query: &QuotaQuery| {
        let mut found = corner.store.quotas(query.clone()).await.unwrap();
        found.retain(|quota| quota.project_id.starts_with(&corner.project));
        found
    };
    let own = QuotaQuery {
        project: Some(rows[2].project_id.clone()),
        ..query.clone()
    };
    assert_eq!(list(&own).await, rows[2..3], "one project's");
    let mut backwards = rows.clone();
    backwards.reverse();
    for (direction, wanted) in [
        (SortDirection::Ascending, &rows),
        (SortDirection::Descending, &backwards),
    ] {
        let query = QuotaQuery {
            direction,
            ..query.clone()
        };
        assert_eq!(list(&query).await, *wanted, "{direction:?}");
        let rest = QuotaQuery {
            marker: Some(wanted[1].project_id.clone()),
            limit: 2,
            ..query.clone()
        };
        assert_eq!(list(&rest).await, wanted[2..4], "{direction:?}, after the second");
        let between = QuotaQuery {
            marker: Some(format!("{}AA", corner.project)),
            ..query
        };
        let (lower, higher) = rows.split_at(2);
        let rest = list(&between).await;
        match direction {
            SortDirection::Ascending => assert_eq!(rest, higher, "after a project that has none"),
            SortDirection::Descending => assert_eq!(rest.len(), lower.len(), "before it"),
        }
    }
    let none = QuotaQuery { limit: 0, ..query };
    assert_eq!(list(&none).await, []);
}

/// Statistics count a project's clusters, or all, and the servers of all their pools.
///
/// # Panics
/// When the rule is broken.
pub async fn statistics_count_all_servers(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let own = async || corner.store.stats(Some(&corner.project)).await.unwrap();
    assert_eq!(own().await, Stats::default(), "nothing is there");
    let mut cluster = corner.cluster();
    cluster.pools[0].count = 3;
    cluster.pools[1].count = 1000;
    cluster.pools.push(Pool {
        name: "more".to_owned(),
        role: PoolRole::Worker,
        count: u32::MAX,
        flavor_id: "m1.small".to_owned(),
        addresses: Vec::new(),
    });
    corner.insert(&cluster).await;
    let mut bare = corner.cluster();
    bare.pools.clear();
    bare.status = ClusterStatus::DELETE_FAILED;
    corner.insert(&bare).await;
    let nodes = 1003 + u64::from(u32::MAX);
    assert_eq!(own().await, Stats { clusters: 2, nodes });

    let other = Corner::of(Arc::clone(&corner.store));
    other.make_cluster().await;
    assert_eq!(own().await, Stats { clusters: 2, nodes }, "others' do not count");
    let all = corner.store.stats(None).await.unwrap();
    assert!(
        all.clusters >= 3 && all.nodes >= nodes + 2,
        "without a project all count: {all:?}"
    );
    corner
        .commit(Commit::new().write(Write::DeleteCluster(cluster.id)))
        .await
        .unwrap();
    assert_eq!(
        own().await,
        Stats {
            clusters: 1,
            nodes: 0
        },
        "nor do those that are gone"
    );
}
