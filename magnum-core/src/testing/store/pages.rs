//! Rules of pages: which rows, and in which order.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::SignedDuration;
use uuid::Uuid;

use super::fixtures::{Corner, instant};
use super::listed::{DIRECTIONS, Kind, ORDERS, Row, after};
use crate::model::{Cluster, ClusterStatus, ClusterTemplate, TemplateId};
use crate::ports::{Commit, Marker, PublicTemplates, Query, SortDirection, Store, Write};

/// Pages come in the order of creation, then of id, without gaps or repeats.
///
/// # Panics
/// When the rule is broken.
pub async fn pages_follow_the_order_of_creation(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let mut rows: Vec<Cluster> = Vec::new();
    let mut commit = Commit::new();
    for second in [5, 1, 1, 3, 1, 2, 4] {
        let mut cluster = corner.cluster();
        // The order is to the microsecond.
        let more = SignedDuration::from_nanos(i64::try_from(rows.len()).unwrap());
        cluster.created_at = instant(second) + more;
        commit = commit.write(Write::InsertCluster(Box::new(cluster.clone())));
        rows.push(cluster);
    }
    corner.commit(commit).await.unwrap();
    Corner::of(Arc::clone(&corner.store)).make_cluster().await;
    rows.sort_by_key(|cluster| (cluster.created_at.as_microsecond(), cluster.id));
    let query = Query::project(&corner.project);
    let list = async |query: &Query| corner.store.clusters(query.clone()).await.unwrap();
    assert_eq!(list(&query).await, rows, "all of the project's, in order");

    let mut paged = Vec::new();
    let mut page = Query {
        limit: 3,
        ..query.clone()
    };
    loop {
        let next = list(&page).await;
        let Some(last) = next.last() else { break };
        assert!(next.len() <= 3, "no more than asked for");
        page.marker = Some(Marker::Row(last.id.0));
        paged.extend(next);
        assert!(paged.len() <= rows.len(), "rows come twice");
    }
    assert_eq!(paged, rows, "pages have no gaps and no repeats");
    let none = Query { limit: 0, ..query };
    assert_eq!(list(&none).await, []);
    let everyone = Query {
        limit: u32::MAX,
        ..Query::all()
    };
    assert!(
        list(&everyone).await.len() > rows.len(),
        "without a project all are listed"
    );
}

/// Texts that collations like to put in another order than that of their bytes, or to take for equal.
const NAMES: [&str; 20] = [
    "",
    "a",
    "A",
    "a ",
    " a",
    "a\u{0}",
    "a\u{1}",
    "a\u{0}\u{2}",
    "ab",
    "B",
    "b",
    "_",
    "\\",
    "\\0",
    "~",
    "\u{7f}",
    "\u{e9}",
    "e\u{301}",
    "\u{ffff}",
    "\u{10ffff}",
];

/// Every order is by its key, texts byte for byte, then by id, both in the same direction; pages of any size
/// add up to it, after positions as after rows.
///
/// # Panics
/// When the rule is broken.
pub async fn every_order_is_total(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let statuses = [
        ClusterStatus::UPDATE_FAILED,
        ClusterStatus::CREATE_IN_PROGRESS,
        ClusterStatus::CREATE_COMPLETE,
        ClusterStatus::DELETE_FAILED,
    ];
    let mut rows: Vec<Row> = Vec::new();
    for (place, name) in NAMES.iter().chain(&NAMES[..6]).enumerate() {
        let at = instant(i64::try_from(place % 5).unwrap());
        let mut cluster = corner.cluster();
        (*name).clone_into(&mut cluster.name);
        cluster.created_at = at;
        cluster.status = statuses[place % statuses.len()];
        rows.push(cluster.into());
        let mut template = corner.template();
        (*name).clone_into(&mut template.name);
        template.created_at = at;
        rows.push(template.into());
    }
    let commit = rows
        .iter()
        .fold(Commit::new(), |commit, row| commit.write(row.insert()));
    corner.commit(commit).await.unwrap();
    for (kind, key) in ORDERS {
        let mut sorted: Vec<&Row> = rows.iter().filter(|row| is_of(row, kind)).collect();
        for direction in DIRECTIONS {
            match direction {
                SortDirection::Ascending => sorted.sort_by_key(|row| row.position(key)),
                SortDirection::Descending => sorted.sort_by_key(|row| Reverse(row.position(key))),
            }
            let wanted: Vec<Uuid> = sorted.iter().map(|row| row.id()).collect();
            let query = corner.ordered(key, direction);
            let what = format!("{kind:?} by {key:?}, {direction:?}");
            assert_eq!(corner.ids(kind, query.clone()).await, wanted, "{what}");
            for limit in [1, 2, 7] {
                for by_row in [false, true] {
                    let mut page = Query {
                        limit,
                        ..query.clone()
                    };
                    let mut paged = Vec::new();
                    loop {
                        let rows = corner.list(kind, page.clone()).await.unwrap();
                        let Some(last) = rows.last() else { break };
                        page.marker = Some(if by_row {
                            Marker::Row(last.id())
                        } else {
                            after(last, key)
                        });
                        paged.extend(rows.iter().map(Row::id));
                        assert!(paged.len() <= wanted.len(), "{what}: rows come twice");
                    }
                    assert_eq!(paged, wanted, "{what}, pages of {limit}");
                }
            }
        }
    }
}

fn is_of(row: &Row, kind: Kind) -> bool {
    matches!(
        (row, kind),
        (Row::Cluster(_), Kind::Clusters) | (Row::Template(_), Kind::Templates)
    )
}

/// A page holds what every part of the query asks for, and nothing else; of other projects' templates only public
/// ones, and hidden ones among them only when they are asked for.
///
/// # Panics
/// When the rule is broken.
pub async fn pages_hold_what_was_asked_for(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    clusters(&corner).await;
    templates(&corner).await;
}

async fn clusters(corner: &Corner) {
    let template = TemplateId(Uuid::new_v4());
    let mut commit = Commit::new();
    let mut rows: Vec<Cluster> = Vec::new();
    for (second, name, after, status) in [
        (1, "one", None, ClusterStatus::CREATE_COMPLETE),
        (2, "two", Some(template), ClusterStatus::CREATE_COMPLETE),
        (3, "two", Some(template), ClusterStatus::CREATE_FAILED),
        (4, "two", None, ClusterStatus::CREATE_FAILED),
    ] {
        let mut cluster = corner.cluster();
        cluster.created_at = instant(second);
        cluster.name = name.to_owned();
        cluster.status = status;
        cluster.cluster_template_id = after.unwrap_or(cluster.cluster_template_id);
        commit = commit.write(Write::InsertCluster(Box::new(cluster.clone())));
        rows.push(cluster);
    }
    corner.commit(commit).await.unwrap();
    let own = || Query::project(&corner.project);
    let failed = Some(ClusterStatus::CREATE_FAILED);
    let cases = [
        (own().named("two"), &rows[1..]),
        (own().named("TWO"), &rows[..0]),
        (
            Query {
                status: failed,
                ..own()
            },
            &rows[2..],
        ),
        (
            Query {
                cluster_template_id: Some(template),
                ..own()
            },
            &rows[1..3],
        ),
        (
            Query {
                status: failed,
                cluster_template_id: Some(template),
                ..own().named("two")
            },
            &rows[2..3],
        ),
        (
            Query {
                status: failed,
                marker: Some(Marker::Row(rows[0].id.0)),
                limit: 1,
                ..own()
            },
            &rows[2..3],
        ),
        (
            Query {
                coe: Some("none".to_owned()),
                public: Some(true),
                hidden: Some(true),
                public_templates: PublicTemplates::WithHidden,
                ..own()
            },
            &rows[..],
        ),
    ];
    for (query, wanted) in cases {
        let found = corner.store.clusters(query.clone()).await.unwrap();
        assert_eq!(found, wanted, "{query:?}");
    }
}

async fn templates(corner: &Corner) {
    let other = Corner::of(Arc::clone(&corner.store));
    let mut commit = Commit::new();
    let mut rows: Vec<ClusterTemplate> = Vec::new();
    for (whose, second, coe, public, hidden) in [
        (corner, 1, "docker", false, true),
        (&other, 2, "kubernetes", true, false),
        (&other, 3, "docker", true, true),
        (&other, 4, "docker", false, false),
        (corner, 5, "kubernetes", false, false),
    ] {
        let mut template = whose.template();
        // Other rules make public templates, too.
        template.name.clone_from(&other.project);
        template.created_at = instant(second);
        coe.clone_into(&mut template.spec.coe);
        template.spec.public = public;
        template.spec.hidden = hidden;
        commit = commit.write(Write::InsertTemplate(Box::new(template.clone())));
        rows.push(template);
    }
    corner.commit(commit).await.unwrap();
    let seen = |public_templates| Query {
        public_templates,
        limit: u32::MAX,
        ..Query::project(&corner.project).named(&other.project)
    };
    let shown = || seen(PublicTemplates::Shown);
    let docker = Some("docker".to_owned());
    let cases: [(Query, &[usize]); 10] = [
        (seen(PublicTemplates::None), &[0, 4]),
        (shown(), &[0, 1, 4]),
        (seen(PublicTemplates::WithHidden), &[0, 1, 2, 4]),
        (
            Query {
                coe: docker,
                ..shown()
            },
            &[0],
        ),
        (
            Query {
                public: Some(true),
                ..shown()
            },
            &[1],
        ),
        (
            Query {
                public: Some(false),
                ..shown()
            },
            &[0, 4],
        ),
        (
            Query {
                hidden: Some(true),
                ..shown()
            },
            &[0],
        ),
        (
            Query {
                hidden: Some(false),
                public: Some(false),
                ..shown()
            },
            &[4],
        ),
        (
            Query {
                project: None,
                ..shown()
            },
            &[0, 1, 2, 3, 4],
        ),
        (
            Query {
                status: Some(ClusterStatus::CREATE_FAILED),
                cluster_template_id: Some(rows[0].id),
                ..shown()
            },
            &[0, 1, 4],
        ),
    ];
    for (query, wanted) in cases {
        let found = corner.store.templates(query.clone()).await.unwrap();
        let wanted: Vec<_> = wanted.iter().map(|place| rows[*place].clone()).collect();
        assert_eq!(found, wanted, "{query:?}");
    }
}
