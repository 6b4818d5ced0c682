//! Clusters and their pools: a row each, read and written together.

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::dialect::Dialect;
use super::failure::{Failure, taken, unreadable};
use super::statement::Statement;
use super::{SqlStore, row};
use crate::Result;
use crate::model::{Cluster, ClusterId, Pool};
use crate::store::refusal;

/// Selects what [`clusters`] reads, from rows `c` with their pools beside them: one statement, so that a
/// cluster and its pools are of the same moment. The body comes with the first pool only.
pub(super) const WITH_POOLS: &str = "SELECT c.id AS cluster_id, \
     CASE WHEN p.place > 0 THEN NULL ELSE c.body END AS body, p.name AS pool_name, \
     p.role AS pool_role, p.count AS pool_count, p.flavor_id AS pool_flavor_id, p.addresses AS pool_addresses FROM ";

/// Adds the pools to the rows `c`; they must be in the order of the clusters, then of [`PLACES`].
pub(super) const POOLS: &str = " c LEFT JOIN magnum_pools p ON p.cluster_id = c.id ORDER BY ";

/// The order of a cluster's pools.
pub(super) const PLACES: &str = "p.place";

impl SqlStore {
    pub(super) async fn read_cluster(&self, id: ClusterId) -> Result<Option<Cluster>> {
        let one = "(SELECT id, body FROM magnum_clusters WHERE id = ";
        let ask = self.ask(WITH_POOLS).sql(one).id(id.0).sql(")");
        let ask = ask.sql(POOLS).sql(PLACES);
        let rows = self.read("cluster", ask).await?;
        let found = clusters(&rows).map_err(|failure| failure.into_error(self.dialect))?;
        Ok(found.into_iter().next())
    }
}

/// The clusters in rows that [`WITH_POOLS`] selected.
pub(super) fn clusters(rows: &[AnyRow]) -> Result<Vec<Cluster>, Failure> {
    let mut found: Vec<Cluster> = Vec::new();
    for row in rows {
        let id = ClusterId(row::id(row, "cluster_id")?);
        if found.last().is_none_or(|cluster| cluster.id != id) {
            found.push(row::body(row)?);
        }
        if let (Some(pool), Some(cluster)) = (pool(row)?, found.last_mut()) {
            cluster.pools.push(pool);
        }
    }
    Ok(found)
}

fn pool(row: &AnyRow) -> Result<Option<Pool>, Failure> {
    let Some(role) = row.try_get::<Option<String>, _>("pool_role")? else {
        return Ok(None);
    };
    let count: i64 = row.try_get("pool_count")?;
    Ok(Some(Pool {
        name: row::text(row, "pool_name")?,
        role: serde_json::from_value(Value::String(role)).map_err(|error| unreadable("pool", error))?,
        count: u32::try_from(count).map_err(|error| unreadable("pool", error))?,
        flavor_id: row::text(row, "pool_flavor_id")?,
        addresses: row::json(row, "pool_addresses")?,
    }))
}

/// Inserts a cluster, due at once by the database's clock.
pub(super) async fn insert(
    dialect: Dialect,
    connection: &mut AnyConnection,
    cluster: &Cluster,
) -> Result<(), Failure> {
    let columns = "INSERT INTO magnum_clusters (id, project_id, name, created, template_id, cloud, driver, \
         status, revision, body, lease_epoch, due_at) VALUES (";
    let insert = Statement::new(dialect, columns)
        .id(cluster.id.0)
        .sql(", ")
        .text(&cluster.project_id)
        .sql(", ")
        .text(&cluster.name)
        .sql(", ")
        .number(cluster.created_at.as_microsecond())
        .sql(", ")
        .id(cluster.cluster_template_id.0)
        .sql(", ")
        .text(&cluster.cloud)
        .sql(", ")
        .text(&cluster.driver.name)
        .sql(", ")
        .text(&cluster.status.to_string())
        .sql(", ")
        .number(cluster.revision.0)
        .sql(", ")
        .json(body(cluster)?)
        .sql(", 0, ")
        .now()
        .sql(")");
    let inserted = insert.run(connection).await;
    inserted.map_err(|error| taken(error, || refusal::exists("cluster")))?;
    insert_pools(dialect, connection, cluster).await
}

/// Replaces a cluster that is at the revision before this one.
pub(super) async fn replace(
    dialect: Dialect,
    connection: &mut AnyConnection,
    cluster: &Cluster,
) -> Result<(), Failure> {
    let id = cluster.id;
    let replaced = Statement::new(dialect, "UPDATE magnum_clusters SET project_id = ")
        .text(&cluster.project_id)
        .sql(", name = ")
        .text(&cluster.name)
        .sql(", created = ")
        .number(cluster.created_at.as_microsecond())
        .sql(", template_id = ")
        .id(cluster.cluster_template_id.0)
        .sql(", cloud = ")
        .text(&cluster.cloud)
        .sql(", driver = ")
        .text(&cluster.driver.name)
        .sql(", status = ")
        .text(&cluster.status.to_string())
        .sql(", body = ")
        .json(body(cluster)?)
        .sql(", revision = ")
        .number(cluster.revision.0)
        .sql(" WHERE id = ")
        .id(id.0)
        .sql(" AND revision = ")
        .number(cluster.revision.0.saturating_sub(1))
        .run(connection)
        .await?;
    if replaced == 0 {
        return Err(refusal::stale("cluster", id).into());
    }
    let delete = Statement::new(dialect, "DELETE FROM magnum_pools WHERE cluster_id = ").id(id.0);
    delete.run(connection).await?;
    insert_pools(dialect, connection, cluster).await
}

/// All of the cluster but its pools, of which there are none in the body.
fn body(cluster: &Cluster) -> Result<String, Failure> {
    let mut body = serde_json::to_value(cluster).map_err(|error| unreadable("cluster", error))?;
    if let Value::Object(fields) = &mut body {
        fields.insert("pools".to_owned(), Value::Array(Vec::new()));
    }
    Ok(body.to_string())
}

async fn insert_pools(
    dialect: Dialect,
    connection: &mut AnyConnection,
    cluster: &Cluster,
) -> Result<(), Failure> {
    if cluster.pools.is_empty() {
        return Ok(());
    }
    let columns =
        "INSERT INTO magnum_pools (cluster_id, place, name, role, count, flavor_id, addresses) VALUES ";
    let mut insert = Statement::new(dialect, columns);
    for (place, pool) in (0i64..).zip(&cluster.pools) {
        let addresses = serde_json::to_string(&pool.addresses).map_err(|error| unreadable("pool", error))?;
        insert = insert
            .sql(if place == 0 { "(" } else { ", (" })
            .id(cluster.id.0)
            .sql(", ")
            .number(place)
            .sql(", ")
            .text(&pool.name)
            .sql(", ")
            .text(pool.role.as_str())
            .sql(", ")
            .number(pool.count.into())
            .sql(", ")
            .text(&pool.flavor_id)
            .sql(", ")
            .json(addresses)
            .sql(")");
    }
    insert.run(connection).await?;
    Ok(())
}
