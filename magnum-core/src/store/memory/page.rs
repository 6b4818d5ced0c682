//! Pages of rows, from the store in memory.

use uuid::Uuid;

use crate::Result;
use crate::model::{Cluster, ClusterTemplate, Quota};
use crate::ports::{Marker, Position, PublicTemplates, Query, QuotaQuery, SortDirection, SortKey};
use crate::store::refusal;

/// What a [`Query`] looks at.
pub(super) trait Listed: Clone {
    fn id(&self) -> Uuid;
    fn name(&self) -> &str;
    fn project(&self) -> &str;
    fn position(&self, key: SortKey) -> Position;
    /// Whether it is shown to projects other than its own.
    fn is_shown(&self, which: PublicTemplates) -> bool;
    /// Whether it fits what the query says of this kind of row.
    fn fits(&self, query: &Query) -> bool;
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
    fn position(&self, key: SortKey) -> Position {
        Position::of_template(self, key)
    }
    fn is_shown(&self, which: PublicTemplates) -> bool {
        match which {
            PublicTemplates::None => false,
            PublicTemplates::Shown => self.spec.public && !self.spec.hidden,
            PublicTemplates::WithHidden => self.spec.public,
        }
    }
    fn fits(&self, query: &Query) -> bool {
        query.coe.as_ref().is_none_or(|coe| self.spec.coe == *coe)
            && query.public.is_none_or(|public| self.spec.public == public)
            && query.hidden.is_none_or(|hidden| self.spec.hidden == hidden)
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
    fn position(&self, key: SortKey) -> Position {
        Position::of_cluster(self, key)
    }
    fn is_shown(&self, _: PublicTemplates) -> bool {
        false
    }
    fn fits(&self, query: &Query) -> bool {
        query.status.is_none_or(|status| self.status == status)
            && query
                .cluster_template_id
                .is_none_or(|template| self.cluster_template_id == template)
    }
}

/// The rows of one page, in order.
pub(super) fn page<'a, T: Listed + 'a>(
    rows: impl Iterator<Item = &'a T> + Clone,
    query: &Query,
) -> Result<Vec<T>> {
    let start = match &query.marker {
        None => None,
        Some(Marker::Position(position)) => Some(refusal::unless_fits(position, query)?.clone()),
        Some(Marker::Row(id)) => {
            let row = rows
                .clone()
                .find(|row| row.id() == *id && is_seen(*row, query, query.public_templates.all()));
            let row = row.ok_or_else(|| refusal::no_marker(*id))?;
            Some(row.position(query.sort_key))
        }
    };
    let asked_for = rows.filter(|row| {
        is_seen(*row, query, query.public_templates)
            && query.name.as_ref().is_none_or(|name| row.name() == name)
            && row.fits(query)
    });
    let placed = asked_for.map(|row| (row.position(query.sort_key), row));
    Ok(cut(placed, start.as_ref(), query.direction, query.limit))
}

/// The quotas of one page, in order.
pub(super) fn quotas<'a>(rows: impl Iterator<Item = &'a Quota>, query: &QuotaQuery) -> Vec<Quota> {
    let asked_for = rows.filter(|row| query.project.as_ref().is_none_or(|own| row.project_id == *own));
    let placed = asked_for.map(|row| (row.project_id.clone(), row));
    cut(placed, query.marker.as_ref(), query.direction, query.limit)
}

/// At most `limit` rows after `start`, sorted by their places.
fn cut<'a, P: Ord, T: Clone + 'a>(
    placed: impl Iterator<Item = (P, &'a T)>,
    start: Option<&P>,
    direction: SortDirection,
    limit: u32,
) -> Vec<T> {
    let ascending = direction == SortDirection::Ascending;
    let follows = |place: &P| start.is_none_or(|start| if ascending { place > start } else { place < start });
    let mut rows: Vec<_> = placed.filter(|(place, _)| follows(place)).collect();
    rows.sort_by(|(left, _), (right, _)| {
        if ascending {
            left.cmp(right)
        } else {
            right.cmp(left)
        }
    });
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    rows.into_iter().take(limit).map(|(_, row)| row.clone()).collect()
}

/// Whether it is the project's, or shown to it.
fn is_seen<T: Listed>(row: &T, query: &Query, public: PublicTemplates) -> bool {
    let own = |project: &String| row.project() == project;
    query.project.as_ref().is_none_or(own) || row.is_shown(public)
}
