//! Quotas and what they count.

use sqlx::AnyConnection;

use super::dialect::Dialect;
use super::failure::{Failure, taken, unreadable};
use super::page::begin_after;
use super::statement::Statement;
use super::{SqlStore, row};
use crate::model::{Quota, QuotaResource, Stats};
use crate::ports::QuotaQuery;
use crate::store::refusal;
use crate::{Error, Result};

impl SqlStore {
    pub(super) async fn quota_page(&self, query: &QuotaQuery) -> Result<Vec<Quota>> {
        let mut ask = self.ask("SELECT body FROM magnum_quotas WHERE 1 = 1");
        if let Some(project) = &query.project {
            ask = ask.sql(" AND project_id = ").text(project);
        }
        let (comparison, order) = begin_after(query.direction);
        if let Some(marker) = &query.marker {
            ask = ask.sql(" AND project_id").sql(comparison).text(marker);
        }
        let ask = ask.sql(" ORDER BY project_id").sql(order);
        let ask = ask.sql(" LIMIT ").number(query.limit.into());
        self.read_all("quotas", ask, row::body).await
    }

    pub(super) async fn count_all(&self, project: Option<&str>) -> Result<Stats> {
        let of_project = |ask: Statement| match project {
            Some(project) => ask.sql(" WHERE c.project_id = ").text(project),
            None => ask,
        };
        let ask = self.ask("SELECT COUNT(*) AS clusters, (SELECT ");
        let ask = ask.sql(&self.dialect.sum("p.count"));
        let ask = ask.sql(" FROM magnum_clusters c JOIN magnum_pools p ON p.cluster_id = c.id");
        let ask = of_project(ask).sql(") AS nodes FROM magnum_clusters c");
        let counted = self
            .read_one("stats", of_project(ask), |row| {
                Ok(Stats {
                    clusters: row::count(row, "clusters")?,
                    nodes: row::count(row, "nodes")?,
                })
            })
            .await?;
        counted.ok_or_else(|| Error::internal("the database did not count").at("store", "stats"))
    }
}

/// Adds ` WHERE` it is the project's quota for this resource.
pub(super) fn of(statement: Statement, project: &str, resource: QuotaResource) -> Statement {
    let statement = statement.sql(" WHERE project_id = ").text(project);
    statement.sql(" AND resource = ").text(resource.as_str())
}

pub(super) async fn insert(
    dialect: Dialect,
    connection: &mut AnyConnection,
    quota: &Quota,
) -> Result<(), Failure> {
    let columns = "INSERT INTO magnum_quotas (project_id, resource, hard_limit, body) VALUES (";
    let insert = Statement::new(dialect, columns)
        .text(&quota.project_id)
        .sql(", ")
        .text(quota.resource.as_str())
        .sql(", ")
        .number(quota.hard_limit.into())
        .sql(", ")
        .json(body(quota)?)
        .sql(")");
    let inserted = insert.run(connection).await;
    inserted
        .map(|_| ())
        .map_err(|error| taken(error, || refusal::exists("quota")))
}

pub(super) async fn replace(
    dialect: Dialect,
    connection: &mut AnyConnection,
    quota: &Quota,
) -> Result<(), Failure> {
    let update = Statement::new(dialect, "UPDATE magnum_quotas SET hard_limit = ")
        .number(quota.hard_limit.into())
        .sql(", body = ")
        .json(body(quota)?);
    there(
        of(update, &quota.project_id, quota.resource),
        connection,
        &quota.project_id,
    )
    .await
}

pub(super) async fn delete(
    dialect: Dialect,
    connection: &mut AnyConnection,
    project: &str,
    resource: QuotaResource,
) -> Result<(), Failure> {
    let delete = Statement::new(dialect, "DELETE FROM magnum_quotas");
    there(of(delete, project, resource), connection, project).await
}

/// Changes a quota that must be there.
async fn there(change: Statement, connection: &mut AnyConnection, project: &str) -> Result<(), Failure> {
    match change.run(connection).await? {
        0 => Err(refusal::no_quota(project).into()),
        _ => Ok(()),
    }
}

fn body(quota: &Quota) -> Result<String, Failure> {
    serde_json::to_string(quota).map_err(|error| unreadable("quota", error).into())
}
