//! Rules of markers: what the next page begins after.

use std::sync::Arc;

use uuid::Uuid;

use super::fixtures::{Corner, instant};
use super::listed::{Kind, ORDERS, Row, after};
use crate::ErrorKind;
use crate::model::{ClusterStatus, ClusterTemplate, TemplateId};
use crate::ports::{Commit, Marker, Position, PublicTemplates, Query, SortDirection, SortKey, Store, Write};

/// A page after a position goes on although the row there is gone or has changed. After a row it needs that row to be
/// there and to be seen, whatever else the query asks for. A position of another order is refused.
///
/// # Panics
/// When the rule is broken.
pub async fn markers_outlive_their_rows(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    for (kind, key) in ORDERS {
        let corner = Corner::of(Arc::clone(&corner.store));
        let rows: Vec<Row> = (0..4).map(|place| numbered(&corner, kind, place)).collect();
        let commit = rows
            .iter()
            .fold(Commit::new(), |commit, row| commit.write(row.insert()));
        corner.commit(commit).await.unwrap();
        let mut sorted: Vec<&Row> = rows.iter().collect();
        sorted.sort_by_key(|row| row.position(key));
        let rest: Vec<Uuid> = sorted[2..].iter().map(|row| row.id()).collect();
        let query = |marker| Query {
            marker: Some(marker),
            ..corner.ordered(key, SortDirection::Ascending)
        };
        let what = format!("{kind:?} by {key:?}");
        let (place, row) = (after(sorted[1], key), Marker::Row(sorted[1].id()));
        let named = query(row.clone()).named("nobody");
        let none = corner.ids(kind, named).await;
        assert!(none.is_empty(), "{what}: the marker's row need not fit");
        corner
            .commit(Commit::new().write(sorted[1].delete()))
            .await
            .unwrap();
        assert_eq!(
            corner.ids(kind, query(place.clone())).await,
            rest,
            "{what}: after a row that is gone"
        );

        let elsewhere = Query {
            project: Some("elsewhere".to_owned()),
            ..query(Marker::Row(sorted[0].id()))
        };
        for lost in [query(row), query(Marker::Row(Uuid::new_v4())), elsewhere] {
            let error = corner.list(kind, lost).await.expect_err("there is no such row");
            assert_eq!(error.kind(), ErrorKind::NotFound, "{what}: {error:?}");
        }
        let foreign = ORDERS.map(|(_, other)| after(sorted[0], other));
        for marker in foreign
            .into_iter()
            .chain([Marker::Position(Position::Project("a".to_owned()))])
        {
            let result = corner.list(kind, query(marker.clone())).await;
            if matches!(&marker, Marker::Position(place) if place.sort_key() == Some(key)) {
                result.expect("the position is of this order");
                continue;
            }
            let error = result.expect_err("the position is of another order");
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{what}: {error:?}");
            assert_eq!(error.problems()[0].field, "marker");
        }
    }
    hidden_templates_can_be_markers(&corner).await;
}

/// A row whose place is another one in every order.
fn numbered(corner: &Corner, kind: Kind, place: i64) -> Row {
    let name = format!("{}", 9 - place);
    match kind {
        Kind::Clusters => {
            let mut cluster = corner.cluster();
            cluster.created_at = instant(place);
            cluster.name = name;
            if place < 3 {
                cluster.status = ClusterStatus::UPDATE_FAILED;
            }
            cluster.into()
        }
        Kind::Templates => {
            let mut template = corner.template();
            template.created_at = instant(place);
            template.name = name;
            template.into()
        }
    }
}

async fn hidden_templates_can_be_markers(corner: &Corner) {
    let other = Corner::of(Arc::clone(&corner.store));
    let mut hidden = other.template();
    hidden.spec.public = true;
    hidden.spec.hidden = true;
    let mut private = other.template();
    private.created_at = instant(0);
    let insert = |template: &ClusterTemplate| Write::InsertTemplate(Box::new(template.clone()));
    let commit = Commit::new().write(insert(&hidden)).write(insert(&private));
    corner.commit(commit).await.unwrap();
    let query = |id: TemplateId| Query {
        public_templates: PublicTemplates::Shown,
        marker: Some(Marker::Row(id.0)),
        ..corner.ordered(SortKey::Created, SortDirection::Ascending)
    };
    let shown = corner.store.templates(query(hidden.id)).await;
    shown.expect("a template that was hidden since the last page is still known");
    let error = corner.store.templates(query(private.id)).await;
    let error = error.expect_err("another project's template is not known");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
}
