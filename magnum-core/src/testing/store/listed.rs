//! Rows that are listed, clusters and templates alike: what rules of pages have in common.

use uuid::Uuid;

use super::fixtures::Corner;
use crate::Result;
use crate::model::{Cluster, ClusterId, ClusterTemplate, Revision, TemplateId};
use crate::ports::{Marker, Position, Query, SortDirection, SortKey, Write};

/// A kind of rows that pages are taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Clusters,
    Templates,
}

/// Every kind with every order that it can have.
pub(super) const ORDERS: [(Kind, SortKey); 6] = [
    (Kind::Clusters, SortKey::Created),
    (Kind::Clusters, SortKey::Name),
    (Kind::Clusters, SortKey::Status),
    (Kind::Templates, SortKey::Created),
    (Kind::Templates, SortKey::Name),
    (Kind::Templates, SortKey::Status),
];

pub(super) const DIRECTIONS: [SortDirection; 2] = [SortDirection::Ascending, SortDirection::Descending];

/// A row of either kind.
#[derive(Clone, Debug)]
pub(super) enum Row {
    Cluster(Box<Cluster>),
    Template(Box<ClusterTemplate>),
}

impl Row {
    pub(super) fn id(&self) -> Uuid {
        match self {
            Self::Cluster(cluster) => cluster.id.0,
            Self::Template(template) => template.id.0,
        }
    }

    pub(super) fn position(&self, key: SortKey) -> Position {
        match self {
            Self::Cluster(cluster) => Position::of_cluster(cluster, key),
            Self::Template(template) => Position::of_template(template, key),
        }
    }

    pub(super) fn insert(&self) -> Write {
        match self.clone() {
            Self::Cluster(cluster) => Write::InsertCluster(cluster),
            Self::Template(template) => Write::InsertTemplate(template),
        }
    }

    pub(super) fn delete(&self) -> Write {
        match self {
            Self::Cluster(cluster) => Write::DeleteCluster(ClusterId(cluster.id.0)),
            Self::Template(template) => Write::DeleteTemplate(TemplateId(template.id.0), Revision(1)),
        }
    }
}

impl From<Cluster> for Row {
    fn from(cluster: Cluster) -> Self {
        Self::Cluster(Box::new(cluster))
    }
}

impl From<ClusterTemplate> for Row {
    fn from(template: ClusterTemplate) -> Self {
        Self::Template(Box::new(template))
    }
}

impl Corner {
    /// The rows of a page.
    pub(super) async fn list(&self, kind: Kind, query: Query) -> Result<Vec<Row>> {
        Ok(match kind {
            Kind::Clusters => {
                let rows = self.store.clusters(query).await?;
                rows.into_iter().map(Row::from).collect()
            }
            Kind::Templates => {
                let rows = self.store.templates(query).await?;
                rows.into_iter().map(Row::from).collect()
            }
        })
    }

    /// The ids in a page.
    pub(super) async fn ids(&self, kind: Kind, query: Query) -> Vec<Uuid> {
        let rows = self.list(kind, query).await.expect("a page is read");
        rows.iter().map(Row::id).collect()
    }

    /// The project's rows in an order.
    pub(super) fn ordered(&self, key: SortKey, direction: SortDirection) -> Query {
        Query {
            sort_key: key,
            direction,
            ..Query::project(&self.project)
        }
    }
}

/// The marker of what follows a row, as a caller of another page gives it back.
pub(super) fn after(row: &Row, key: SortKey) -> Marker {
    let marker = Marker::Position(row.position(key));
    marker
        .to_string()
        .parse()
        .expect("a marker is read as it was written")
}
