//! Rules of commits: all or nothing, and under which conditions.

use std::sync::Arc;

use uuid::Uuid;

use super::fixtures::{
    Corner, LONG, changed, event, instant, key_pair, ledger_entry, operation, put, put_registry, refused,
    registry, require,
};
use super::quotas::quota;
use crate::ErrorKind;
use crate::model::{QuotaResource, Revision, TemplateId, Tombstone};
use crate::ports::{Commit, Condition, Idempotent, Lease, Store, Write};

/// A commit that is refused, by a condition or by one of its writes, changes nothing at all.
///
/// # Panics
/// When the rule is broken.
pub async fn a_failed_condition_changes_nothing(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let mut template = corner.template();
    let insert = Write::InsertTemplate(Box::new(template.clone()));
    corner.commit(Commit::new().write(insert)).await.unwrap();
    let cluster = corner.make_cluster().await;
    let entry = ledger_entry(cluster.id, 1);
    let listed = Commit::new().write(Write::PutLedger(Box::new(entry.clone())));
    corner.commit(listed).await.unwrap();
    let lease = corner.lease("one", LONG).await;

    template.revision = template.revision.next();
    let other = corner.cluster();
    let told = event(&cluster);
    let hash = Uuid::new_v4().to_string();
    let mut moved = entry.clone();
    moved.sequence = 7;
    let writes = |commit: Commit| {
        commit
            .write(Write::PutTemplate(Box::new(template.clone())))
            .write(put(&changed(&cluster)))
            .write(Write::InsertCluster(Box::new(other.clone())))
            .write(Write::PutOperation(Box::new(operation(cluster.id))))
            .write(Write::PutLedger(Box::new(moved.clone())))
            .write(Write::PutLedger(Box::new(ledger_entry(cluster.id, 2))))
            .write(Write::PutBlob {
                hash: hash.clone(),
                text: "text".to_owned(),
            })
            .write(Write::PutKeyPair(Box::new(key_pair(&corner.project))))
            .write(Write::PutIdempotent(Box::new(Idempotent {
                project: corner.project.clone(),
                key: "key".to_owned(),
                request: "hash".to_owned(),
                cluster_id: cluster.id,
            })))
            .write(Write::PutTombstone(Box::new(Tombstone {
                cluster_id: cluster.id,
                name: "gone".to_owned(),
                project_id: corner.project.clone(),
                leftovers: Vec::new(),
                at: instant(5),
            })))
            .write(Write::InsertQuota(quota(&corner.project, 1)))
            .write(Write::PutQuota(quota(&corner.project, 2)))
            .write(put_registry(&registry(cluster.id)))
            .write(Write::PutEvent(Box::new(told.clone())))
            .write(Write::DeleteLedger(entry.id))
            .write(Write::DeleteCluster(cluster.id))
    };
    let foreign = Lease {
        owner: "two".to_owned(),
        ..lease.clone()
    };
    let by_condition = writes(Commit::under(&foreign));
    refused(
        corner.commit(by_condition).await,
        ErrorKind::Stale,
        "a lease of another owner",
    );
    let by_write = writes(Commit::under(&lease))
        .write(put(&other))
        .write(put(&other));
    refused(
        corner.commit(by_write).await,
        ErrorKind::Stale,
        "a put of the same revision",
    );

    let store = &corner.store;
    let stored = store.template(template.id).await.unwrap().unwrap();
    assert_eq!(stored.revision, Revision(1), "the template is as it was");
    assert_eq!(store.cluster(cluster.id).await.unwrap(), Some(cluster.clone()));
    assert_eq!(
        store.cluster(other.id).await.unwrap(),
        None,
        "no cluster was made"
    );
    assert_eq!(
        store.active_operation(cluster.id).await.unwrap(),
        None,
        "nothing is active"
    );
    assert_eq!(
        store.ledger(cluster.id).await.unwrap(),
        [entry],
        "the ledger is as it was"
    );
    assert_eq!(store.blob(&hash).await.unwrap(), None, "no blob was kept");
    assert_eq!(
        store.key_pairs(&corner.project).await.unwrap(),
        [],
        "no certificate was kept"
    );
    assert_eq!(store.idempotent(&corner.project, "key").await.unwrap(), None);
    assert_eq!(store.discovery(cluster.id).await.unwrap(), None, "no registry");
    assert_eq!(store.tombstone(cluster.id).await.unwrap(), None, "no tombstone");
    let granted = store
        .quota(&corner.project, QuotaResource::Cluster)
        .await
        .unwrap();
    assert_eq!(granted, None, "no quota");
    let pending = store.pending_events(u32::MAX).await.unwrap();
    assert!(!pending.contains(&told), "no event of a refused commit");
    store.renew(&lease, LONG).await.expect("the lease is still held");
}

/// Every condition that does not hold gives its own kind of error; those that hold let the commit pass.
///
/// # Panics
/// When the rule is broken.
pub async fn conditions_fail_with_their_own_kind(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let template = corner.template();
    let mut cluster = corner.cluster();
    cluster.cluster_template_id = template.id;
    let (project, other) = (corner.project.clone(), "another project".to_owned());
    let template_named = |project: &str, name: &str| Condition::TemplateNameFree {
        project: project.to_owned(),
        name: name.to_owned(),
    };
    let cluster_named = |project: &str, name: &str| Condition::ClusterNameFree {
        project: project.to_owned(),
        name: name.to_owned(),
    };
    let below = |default_limit| Condition::ClustersBelow {
        project: project.clone(),
        default_limit,
    };
    refused(
        corner.commit(require(below(0))).await,
        ErrorKind::Quota,
        "a quota of none",
    );
    let made = require(below(1))
        .require(template_named(&project, &template.name))
        .require(cluster_named(&project, &cluster.name))
        .require(Condition::Idle(cluster.id))
        .require(Condition::TemplateUnused(template.id))
        .write(Write::InsertTemplate(Box::new(template.clone())))
        .write(Write::InsertCluster(Box::new(cluster.clone())))
        .write(Write::PutOperation(Box::new(operation(cluster.id))));
    corner.commit(made).await.expect("every condition holds");

    let holds = require(below(2))
        .require(Condition::Template(template.id, Revision(1)))
        .require(Condition::TemplateUnused(TemplateId(Uuid::new_v4())))
        .require(template_named(&other, &template.name))
        .require(template_named(&project, "SMALL"))
        .require(template_named(&project, "small "))
        .require(cluster_named(&other, &cluster.name))
        .require(cluster_named(&project, "MyCluster"));
    corner
        .commit(holds)
        .await
        .expect("every condition holds, and names are compared exactly");

    let broken = [
        (below(1), ErrorKind::Quota),
        (template_named(&project, &template.name), ErrorKind::Conflict),
        (cluster_named(&project, &cluster.name), ErrorKind::Conflict),
        (Condition::Idle(cluster.id), ErrorKind::Busy),
        (Condition::TemplateUnused(template.id), ErrorKind::Conflict),
        (Condition::Template(template.id, Revision(2)), ErrorKind::Stale),
        (
            Condition::Template(TemplateId(Uuid::new_v4()), Revision(1)),
            ErrorKind::Stale,
        ),
    ];
    for (condition, kind) in broken {
        let what = format!("{condition:?}");
        refused(corner.commit(require(condition)).await, kind, &what);
    }
    let both = require(Condition::Idle(cluster.id)).require(below(1));
    refused(
        corner.commit(both).await,
        ErrorKind::Busy,
        "the first of two that do not hold",
    );
}

/// A put is refused with `Stale` unless the stored revision is one less than its own.
///
/// # Panics
/// When the rule is broken.
pub async fn a_put_needs_the_revision_it_read(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let absent = put(&corner.cluster());
    refused(
        corner.commit(Commit::new().write(absent)).await,
        ErrorKind::Stale,
        "a cluster that is not there",
    );
    let absent = Write::PutTemplate(Box::new(corner.template()));
    refused(
        corner.commit(Commit::new().write(absent)).await,
        ErrorKind::Stale,
        "a template that is not there",
    );

    let first = corner.make_cluster().await;
    let second = changed(&first);
    let third = changed(&second);
    let jump = corner.commit(Commit::new().write(put(&third))).await;
    refused(
        jump,
        ErrorKind::Stale,
        "a cluster whose writer read what is not there yet",
    );
    corner
        .commit(Commit::new().write(put(&second)))
        .await
        .expect("the next revision");
    let late = corner.commit(Commit::new().write(put(&second))).await;
    refused(
        late,
        ErrorKind::Stale,
        "a cluster whose writer read an old revision",
    );
    let twice = changed(&third);
    let both = Commit::new().write(put(&third)).write(put(&twice));
    corner.commit(both).await.expect("one commit may write twice");
    assert_eq!(corner.store.cluster(first.id).await.unwrap(), Some(twice));

    let mut template = corner.template();
    let insert = Write::InsertTemplate(Box::new(template.clone()));
    corner.commit(Commit::new().write(insert)).await.unwrap();
    let same = Write::PutTemplate(Box::new(template.clone()));
    refused(
        corner.commit(Commit::new().write(same)).await,
        ErrorKind::Stale,
        "the same revision",
    );
    template.revision = template.revision.next();
    let next = Write::PutTemplate(Box::new(template.clone()));
    corner
        .commit(Commit::new().write(next))
        .await
        .expect("the next revision");
    let old = Write::DeleteTemplate(template.id, Revision(1));
    refused(
        corner.commit(Commit::new().write(old)).await,
        ErrorKind::Stale,
        "deletion at an old revision",
    );
    let now = || Write::DeleteTemplate(template.id, Revision(2));
    corner
        .commit(Commit::new().write(now()))
        .await
        .expect("deletion at the stored revision");
    refused(
        corner.commit(Commit::new().write(now())).await,
        ErrorKind::Stale,
        "deletion of what is gone",
    );
}

/// A template that a cluster was made after cannot be deleted until that cluster is gone.
///
/// # Panics
/// When the rule is broken.
pub async fn a_template_in_use_stays(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let template = corner.template();
    let mut cluster = corner.cluster();
    cluster.cluster_template_id = template.id;
    let made = Commit::new()
        .write(Write::InsertTemplate(Box::new(template.clone())))
        .write(Write::InsertCluster(Box::new(cluster.clone())));
    corner.commit(made).await.unwrap();
    let delete = || {
        require(Condition::TemplateUnused(template.id))
            .write(Write::DeleteTemplate(template.id, template.revision))
    };
    refused(
        corner.commit(delete()).await,
        ErrorKind::Conflict,
        "deleting a template in use",
    );
    assert!(corner.store.template(template.id).await.unwrap().is_some());
    corner
        .commit(Commit::new().write(Write::DeleteCluster(cluster.id)))
        .await
        .unwrap();
    corner.commit(delete()).await.expect("it is not in use any more");
    assert_eq!(corner.store.template(template.id).await.unwrap(), None);
}
