//! Pages of templates and clusters: a number of rows in one statement.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::cluster_rows::{PLACES, POOLS, WITH_POOLS, clusters};
use super::failure::{Failure, unreadable};
use super::statement::Statement;
use super::{SqlStore, row};
use crate::Result;
use crate::model::{Cluster, ClusterTemplate};
use crate::ports::{Marker, Position, PublicTemplates, Query, SortDirection, SortKey};
use crate::store::refusal;

/// A table that pages are taken from.
#[derive(Clone, Copy)]
enum Table {
    Templates,
    Clusters,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Templates => "magnum_templates",
            Self::Clusters => "magnum_clusters",
        }
    }

    /// What a row is sorted by.
    fn column(self, key: SortKey) -> &'static str {
        match (key, self) {
            (SortKey::Created, _) => "created",
            (SortKey::Name, _) => "name",
            (SortKey::Status, Self::Clusters) => "status",
            (SortKey::Status, Self::Templates) => "''",
        }
    }
}

/// How rows after a place compare with it, and in which order they come.
pub(super) fn begin_after(direction: SortDirection) -> (&'static str, &'static str) {
    match direction {
        SortDirection::Ascending => (" > ", " ASC"),
        SortDirection::Descending => (" < ", " DESC"),
    }
}

impl SqlStore {
    pub(super) async fn template_page(&self, query: &Query) -> Result<Vec<ClusterTemplate>> {
        let start = self.start(Table::Templates, query).await?;
        let ask = page(self.ask(""), Table::Templates, query, start.as_ref());
        self.read_all("templates", ask, row::body).await
    }

    pub(super) async fn cluster_page(&self, query: &Query) -> Result<Vec<Cluster>> {
        let start = self.start(Table::Clusters, query).await?;
        let ask = self.ask(WITH_POOLS).sql("(");
        let ask = page(ask, Table::Clusters, query, start.as_ref()).sql(")");
        let (_, order) = begin_after(query.direction);
        let ask = ask.sql(POOLS).sql("c.sorted").sql(order).sql(", c.id").sql(order);
        let rows = self.read("clusters", ask.sql(", ").sql(PLACES)).await?;
        clusters(&rows).map_err(|failure| failure.into_error(self.dialect))
    }

    /// After which place the page begins.
    async fn start(&self, table: Table, query: &Query) -> Result<Option<Position>> {
        match &query.marker {
            None => Ok(None),
            Some(Marker::Position(position)) => Ok(Some(refusal::unless_fits(position, query)?.clone())),
            Some(Marker::Row(id)) => self.place_of(table, query, *id).await.map(Some),
        }
    }

    /// Where a row stands that the page is to begin after.
    async fn place_of(&self, table: Table, query: &Query, id: Uuid) -> Result<Position> {
        let ask = self.ask("SELECT ").sql(table.column(query.sort_key));
        let ask = ask.sql(" AS sorted FROM ").sql(table.name());
        let ask = ask.sql(" WHERE id = ").id(id);
        let ask = seen(ask, table, query, query.public_templates.all());
        let key = query.sort_key;
        let place = self.read_one("marker", ask, |row| place(row, key, id)).await?;
        place.ok_or_else(|| refusal::no_marker(id))
    }
}

/// The place of a row, by the column that is sorted.
fn place(row: &AnyRow, key: SortKey, id: Uuid) -> Result<Position, Failure> {
    Ok(match key {
        SortKey::Created => {
            let created = Timestamp::from_microsecond(row.try_get("sorted")?);
            Position::Created(created.map_err(|error| unreadable("row", error))?, id)
        }
        SortKey::Name => Position::Name(row::text(row, "sorted")?, id),
        SortKey::Status => Position::Status(row::text(row, "sorted")?, id),
    })
}

/// Adds the selection of one page.
fn page(ask: Statement, table: Table, query: &Query, start: Option<&Position>) -> Statement {
    let column = table.column(query.sort_key);
    let ask = ask.sql("SELECT id, ").sql(column).sql(" AS sorted, body FROM ");
    let ask = ask.sql(table.name()).sql(" WHERE 1 = 1");
    let mut ask = fitting(seen(ask, table, query, query.public_templates), table, query);
    let (comparison, order) = begin_after(query.direction);
    if let Some(start) = start {
        // The first of the two comparisons is all that an index needs to begin in the right place.
        ask = value(
            ask.sql(" AND ").sql(column).sql(comparison.trim_end()).sql("= "),
            start,
        );
        ask = value(ask.sql(" AND (").sql(column).sql(comparison), start);
        ask = match start {
            Position::Created(_, id) | Position::Name(_, id) | Position::Status(_, id) => {
                ask.sql(" OR id").sql(comparison).id(*id).sql(")")
            }
            Position::Project(_) => ask.sql(")"),
        };
    }
    let ask = ask.sql(" ORDER BY sorted").sql(order).sql(", id").sql(order);
    ask.sql(" LIMIT ").number(query.limit.into())
}

/// Adds the value that a list with this place is sorted by.
fn value(ask: Statement, place: &Position) -> Statement {
    match place {
        Position::Created(at, _) => ask.number(at.as_microsecond()),
        Position::Name(text, _) | Position::Status(text, _) | Position::Project(text) => ask.text(text),
    }
}

/// Adds ` AND` it is the project's, or shown to it.
fn seen(ask: Statement, table: Table, query: &Query, public: PublicTemplates) -> Statement {
    let Some(project) = &query.project else { return ask };
    let ask = ask.sql(" AND (project_id = ").text(project);
    match (table, public) {
        (Table::Clusters, _) | (Table::Templates, PublicTemplates::None) => ask.sql(")"),
        (Table::Templates, PublicTemplates::Shown) => ask.sql(" OR (public = 1 AND hidden = 0))"),
        (Table::Templates, PublicTemplates::WithHidden) => ask.sql(" OR public = 1)"),
    }
}

/// Adds ` AND` what else the query says of rows of this table.
fn fitting(mut ask: Statement, table: Table, query: &Query) -> Statement {
    if let Some(name) = &query.name {
        ask = ask.sql(" AND name = ").text(name);
    }
    match table {
        Table::Clusters => {
            if let Some(status) = query.status {
                ask = ask.sql(" AND status = ").text(&status.to_string());
            }
            if let Some(template) = query.cluster_template_id {
                ask = ask.sql(" AND template_id = ").id(template.0);
            }
        }
        Table::Templates => {
            if let Some(coe) = &query.coe {
                ask = ask.sql(" AND coe = ").text(coe);
            }
            if let Some(public) = query.public {
                ask = ask.sql(" AND public = ").flag(public);
            }
            if let Some(hidden) = query.hidden {
                ask = ask.sql(" AND hidden = ").flag(hidden);
            }
        }
    }
    ask
}
