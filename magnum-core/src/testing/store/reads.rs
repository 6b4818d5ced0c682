//! Rules of reads: the outbox and pages.

use std::sync::Arc;

use uuid::Uuid;

use super::fixtures::{Corner, event, instant};
use crate::ErrorKind;
use crate::model::{Cluster, ClusterTemplate, Event};
use crate::ports::{Commit, Query, Store, Write};

async fn pending(corner: &Corner) -> Vec<Event> {
    let all = corner.store.pending_events(u32::MAX).await.unwrap();
    all.into_iter()
        .filter(|event| event.project_id == corner.project)
        .collect()
}

/// Events come in the order of their commits, as often as asked for, until they are acknowledged.
///
/// # Panics
/// When the rule is broken.
pub async fn events_stay_until_acknowledged(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let cluster = corner.cluster();
    let mut told = Vec::new();
    for _ in 0..3 {
        let events = [event(&cluster), event(&cluster)];
        let put = |event: &Event| Write::PutEvent(Box::new(event.clone()));
        let commit = Commit::new().write(put(&events[0])).write(put(&events[1]));
        corner.commit(commit).await.unwrap();
        told.extend(events);
    }
    assert_eq!(pending(&corner).await, told);
    assert_eq!(pending(&corner).await, told, "reading removes nothing");
    assert_eq!(
        corner.store.pending_events(1).await.unwrap().len(),
        1,
        "no more than asked for"
    );
    assert_eq!(corner.store.pending_events(0).await.unwrap(), []);
    corner
        .store
        .acknowledge(vec![told[0].id, told[5].id, told[3].id])
        .await
        .unwrap();
    corner
        .store
        .acknowledge(vec![told[0].id])
        .await
        .expect("acknowledging twice is no error");
    corner
        .store
        .acknowledge(Vec::new())
        .await
        .expect("nor is acknowledging nothing");
    let left = [told[1].clone(), told[2].clone(), told[4].clone()];
    assert_eq!(pending(&corner).await, left);
    let another = event(&cluster);
    let commit = Commit::new().write(Write::PutEvent(Box::new(another.clone())));
    corner.commit(commit).await.unwrap();
    assert_eq!(
        pending(&corner).await.last(),
        Some(&another),
        "later commits come later"
    );
    let ids = pending(&corner).await.into_iter().map(|event| event.id).collect();
    corner.store.acknowledge(ids).await.unwrap();
    assert_eq!(pending(&corner).await, []);
}

/// Pages come in the order of creation, then of id, without gaps or repeats, and only of what was
/// asked for; of other projects' templates only public ones, hidden ones only by name.
///
/// # Panics
/// When the rule is broken.
pub async fn pages_follow_the_order_of_creation(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    clusters(&corner).await;
    templates(&corner).await;
}

async fn clusters(corner: &Corner) {
    let mut rows: Vec<Cluster> = Vec::new();
    let mut commit = Commit::new();
    for second in [5, 1, 1, 3, 1, 2, 4] {
        let mut cluster = corner.cluster();
        cluster.created_at = instant(second);
        cluster.name = format!("cluster {second}");
        commit = commit.write(Write::InsertCluster(Box::new(cluster.clone())));
        rows.push(cluster);
    }
    corner.commit(commit).await.unwrap();
    Corner::of(Arc::clone(&corner.store)).make_cluster().await;
    rows.sort_by_key(|cluster| (cluster.created_at, cluster.id));
    let query = Query::project(&corner.project);
    let list = async |query: &Query| corner.store.clusters(query.clone()).await;
    assert_eq!(
        list(&query).await.unwrap(),
        rows,
        "all of the project's, in order"
    );

    let mut paged = Vec::new();
    let mut page = Query {
        limit: 3,
        ..query.clone()
    };
    loop {
        let next = list(&page).await.unwrap();
        let Some(last) = next.last() else { break };
        assert!(next.len() <= 3, "no more than asked for");
        assert!(
            !next.iter().any(|cluster| paged.contains(cluster)),
            "a cluster comes twice"
        );
        page.marker = Some(last.id.0);
        paged.extend(next);
    }
    assert_eq!(paged, rows, "pages have no gaps and no repeats");
    let none = Query {
        limit: 0,
        ..query.clone()
    };
    assert_eq!(list(&none).await.unwrap(), []);
    let named = query.clone().named("cluster 1");
    assert_eq!(list(&named).await.unwrap(), rows[..3]);
    let everyone = list(&Query {
        limit: u32::MAX,
        ..Query::all()
    })
    .await
    .unwrap();
    assert!(everyone.len() > rows.len(), "without a project all are listed");

    let unknown = Query {
        marker: Some(Uuid::new_v4()),
        ..query.clone()
    };
    let elsewhere = Query {
        project: Some("elsewhere".to_owned()),
        marker: Some(rows[0].id.0),
        ..query
    };
    for lost in [unknown, elsewhere] {
        let error = list(&lost).await.expect_err("there is no such marker");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    }
}

async fn templates(corner: &Corner) {
    let other = Corner::of(Arc::clone(&corner.store));
    let name = other.project.clone();
    let mut commit = Commit::new();
    let mut rows: Vec<ClusterTemplate> = Vec::new();
    for (at, whose, public, hidden) in [
        (corner, instant(1), false, true),
        (&other, instant(2), true, false),
        (&other, instant(3), true, true),
        (&other, instant(4), false, false),
    ]
    .map(|(whose, at, public, hidden)| (at, whose, public, hidden))
    {
        let mut template = whose.template();
        template.name.clone_from(&name);
        template.created_at = at;
        template.spec.public = public;
        template.spec.hidden = hidden;
        commit = commit.write(Write::InsertTemplate(Box::new(template.clone())));
        rows.push(template);
    }
    corner.commit(commit).await.unwrap();
    let own = Query {
        limit: u32::MAX,
        ..Query::project(&corner.project)
    };
    let with_public = Query {
        with_public: true,
        ..own.clone()
    };
    let list = async |query: Query| {
        let mut found = corner.store.templates(query).await.unwrap();
        found.retain(|template| rows.iter().any(|row| row.id == template.id));
        found
    };
    assert_eq!(
        list(own.clone()).await,
        rows[..1],
        "a project's own, hidden or not"
    );
    assert_eq!(
        list(with_public.clone()).await,
        rows[..2],
        "and what is public and not hidden"
    );
    assert_eq!(
        list(with_public.named(&name)).await,
        rows[..3],
        "and what is hidden, by name"
    );
    assert_eq!(
        list(own.named(&name)).await,
        rows[..1],
        "unless only the project's own is asked for"
    );
}
