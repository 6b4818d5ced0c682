//! Conditions of a commit, asked of the database within the transaction that writes.

use sqlx::AnyConnection;

use super::dialect::Dialect;
use super::failure::{Failure, unreadable};
use super::statement::Statement;
use super::{lease, quota_rows, row};
use crate::model::QuotaResource;
use crate::ports::Condition;
use crate::store::refusal;
use crate::{Error, Result};

/// Fails as the condition says unless it holds.
pub(super) async fn check(
    dialect: Dialect,
    connection: &mut AnyConnection,
    condition: &Condition,
) -> Result<(), Failure> {
    let ask = |sql| Statement::new(dialect, sql);
    let holds = match condition {
        Condition::Lease(held) => {
            let ask = lease::held(ask("SELECT id FROM magnum_clusters"), held);
            ask.finds(connection).await?
        }
        Condition::TemplateUnused(id) => {
            let ask = ask("SELECT id FROM magnum_clusters WHERE template_id = ").id(id.0);
            !ask.sql(" LIMIT 1").finds(connection).await?
        }
        Condition::Template(id, revision) => {
            let ask = ask("SELECT id FROM magnum_templates WHERE id = ").id(id.0);
            ask.sql(" AND revision = ")
                .number(revision.0)
                .finds(connection)
                .await?
        }
        Condition::Idle(id) => {
            let ask = ask("SELECT id FROM magnum_operations WHERE active_on = ").id(id.0);
            !ask.finds(connection).await?
        }
        Condition::ClustersBelow {
            project,
            default_limit,
        } => {
            let ask = ask("SELECT COUNT(*) AS clusters, COALESCE((SELECT hard_limit FROM magnum_quotas");
            let ask = quota_rows::of(ask, project, QuotaResource::Cluster)
                .sql("), ")
                .number(i64::from(*default_limit));
            let ask = ask
                .sql(") AS hard_limit FROM magnum_clusters WHERE project_id = ")
                .text(project);
            let rows = ask.rows(connection).await?;
            let Some(row) = rows.first() else {
                return Err(Error::internal("the database did not count clusters").into());
            };
            let limit = row::count(row, "hard_limit")?;
            let limit = u32::try_from(limit).map_err(|error| unreadable("quota", error))?;
            refusal::unless_below(limit, row::count(row, "clusters")?)?;
            true
        }
        Condition::TemplateNameFree { project, name } => {
            let ask = ask("SELECT id FROM magnum_templates WHERE project_id = ").text(project);
            !ask.sql(" AND name = ")
                .text(name)
                .sql(" LIMIT 1")
                .finds(connection)
                .await?
        }
        Condition::ClusterNameFree { project, name } => {
            let ask = ask("SELECT id FROM magnum_clusters WHERE project_id = ").text(project);
            !ask.sql(" AND name = ")
                .text(name)
                .sql(" LIMIT 1")
                .finds(connection)
                .await?
        }
    };
    if holds {
        Ok(())
    } else {
        Err(refusal::condition(condition).into())
    }
}
