//! Pages of rows, from the store in memory.

use jiff::Timestamp;
use uuid::Uuid;

use crate::Result;
use crate::model::{Cluster, ClusterTemplate};
use crate::ports::Query;
use crate::store::refusal;

/// What a [`Query`] looks at.
pub(super) trait Listed: Clone {
    fn id(&self) -> Uuid;
    fn name(&self) -> &str;
    fn project(&self) -> &str;
    fn created_at(&self) -> Timestamp;
    fn public(&self) -> bool;
    fn hidden(&self) -> bool;
}

impl Listed for ClusterTemplate {
    fn id(&self) -> Uuid {
        self.id.0
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn project(&self) -> &str {
        &self.project_id
    }
    fn created_at(&self) -> Timestamp {
        self.created_at
    }
    fn public(&self) -> bool {
        self.spec.public
    }
    fn hidden(&self) -> bool {
        self.spec.hidden
    }
}

impl Listed for Cluster {
    fn id(&self) -> Uuid {
        self.id.0
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn project(&self) -> &str {
        &self.project_id
    }
    fn created_at(&self) -> Timestamp {
        self.created_at
    }
    fn public(&self) -> bool {
        false
    }
    fn hidden(&self) -> bool {
        false
    }
}

/// The rows of one page, in order.
pub(super) fn page<'a, T: Listed + 'a>(rows: impl Iterator<Item = &'a T>, query: &Query) -> Result<Vec<T>> {
    let mut rows: Vec<&T> = rows.filter(|row| is_asked_for(*row, query)).collect();
    rows.sort_by_key(|row| (row.created_at().as_microsecond(), row.id()));
    let start = match query.marker {
        None => 0,
        Some(marker) => {
            let place = rows.iter().position(|row| row.id() == marker);
            place.ok_or_else(|| refusal::no_marker(marker))? + 1
        }
    };
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    Ok(rows.into_iter().skip(start).take(limit).cloned().collect())
}

fn is_asked_for<T: Listed>(row: &T, query: &Query) -> bool {
    let named = query.name.as_ref().is_none_or(|name| row.name() == name);
    let seen = query.project.as_ref().is_none_or(|project| {
        row.project() == project
            || (query.with_public && row.public() && (!row.hidden() || query.name.is_some()))
    });
    named && seen
}
