//! Pages of templates and clusters: a number of rows in one statement.

use sqlx::Row;
use uuid::Uuid;

use super::cluster_rows::{POOLS, WITH_POOLS, clusters};
use super::statement::Statement;
use super::{SqlStore, row};
use crate::Result;
use crate::model::{Cluster, ClusterTemplate};
use crate::ports::Query;
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
}

impl SqlStore {
    pub(super) async fn template_page(&self, query: &Query) -> Result<Vec<ClusterTemplate>> {
        let ask = self.page(self.ask(""), Table::Templates, query).await?;
        self.read_all("templates", ask, row::body).await
    }

    pub(super) async fn cluster_page(&self, query: &Query) -> Result<Vec<Cluster>> {
        let ask = self.ask(WITH_POOLS).sql("(");
        let ask = self.page(ask, Table::Clusters, query).await?.sql(")").sql(POOLS);
        let rows = self.read("clusters", ask).await?;
        clusters(&rows).map_err(|failure| failure.into_error(self.dialect))
    }

    /// Adds the selection of one page.
    async fn page(&self, ask: Statement, table: Table, query: &Query) -> Result<Statement> {
        let place = match query.marker {
            Some(marker) => Some((self.place_of(table, query, marker).await?, marker)),
            None => None,
        };
        let mut ask = ask.sql("SELECT id, created, body FROM ").sql(table.name());
        ask = asked_for(ask, table, query);
        if let Some((created, marker)) = place {
            ask = ask
                .sql(" AND (created > ")
                .number(created)
                .sql(" OR (created = ")
                .number(created);
            ask = ask.sql(" AND id > ").id(marker).sql("))");
        }
        Ok(ask.sql(" ORDER BY created, id LIMIT ").number(query.limit.into()))
    }

    /// Where the marker stands in the order of creation.
    async fn place_of(&self, table: Table, query: &Query, marker: Uuid) -> Result<i64> {
        let ask = self.ask("SELECT created FROM ").sql(table.name());
        let ask = asked_for(ask, table, query).sql(" AND id = ").id(marker);
        let place = self
            .read_one("marker", ask, |row| Ok(row.try_get("created")?))
            .await?;
        place.ok_or_else(|| refusal::no_marker(marker))
    }
}

/// Adds what of the table the query asks for.
fn asked_for(mut ask: Statement, table: Table, query: &Query) -> Statement {
    ask = ask.sql(" WHERE 1 = 1");
    if let Some(name) = &query.name {
        ask = ask.sql(" AND name = ").text(name);
    }
    let Some(project) = &query.project else { return ask };
    match (table, query.with_public) {
        (Table::Templates, true) => {
            let public = match query.name {
                Some(_) => " OR public = 1)",
                None => " OR (public = 1 AND hidden = 0))",
            };
            ask.sql(" AND (project_id = ").text(project).sql(public)
        }
        _ => ask.sql(" AND project_id = ").text(project),
    }
}
