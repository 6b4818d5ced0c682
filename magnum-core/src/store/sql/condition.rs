//! Conditions of a commit, asked of the database within the transaction that writes.

use sqlx::{AnyConnection, Row};

use super::dialect::Dialect;
use super::failure::Failure;
use super::lease;
use super::statement::Statement;
use crate::Result;
use crate::ports::Condition;
use crate::store::refusal;

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
        Condition::ClustersBelow { project, limit } => {
            let ask =
                ask("SELECT COUNT(*) AS clusters FROM magnum_clusters WHERE project_id = ").text(project);
            let rows = ask.rows(connection).await?;
            let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get("clusters"))?;
            count < i64::from(*limit)
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
