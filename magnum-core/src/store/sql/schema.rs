//! The tables, and how they came to be.

use async_trait::async_trait;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::SqlStore;
use super::dialect::Dialect;
use super::failure::Failure;
use super::statement::Statement;
use super::transaction::Work;
use crate::{Error, ErrorKind, Result};

/// Every step from no tables to today's, in order. A step that was released is never changed.
///
/// `{key}` is the type of texts that are looked up. Where two columns hold one truth, the body is what
/// is read and the column is what is searched; pools have no body.
const STEPS: [&[&str]; 2] = [
    &[
        "CREATE TABLE magnum_templates (
        id {key} NOT NULL PRIMARY KEY,
        project_id {key} NOT NULL,
        name {key} NOT NULL,
        created BIGINT NOT NULL,
        coe {key} NOT NULL,
        public SMALLINT NOT NULL,
        hidden SMALLINT NOT NULL,
        revision BIGINT NOT NULL,
        body TEXT NOT NULL
    )",
        "CREATE INDEX magnum_templates_created ON magnum_templates (created, id)",
        "CREATE INDEX magnum_templates_name ON magnum_templates (name, id)",
        "CREATE INDEX magnum_templates_project_name ON magnum_templates (project_id, name, id)",
        "CREATE TABLE magnum_clusters (
        id {key} NOT NULL PRIMARY KEY,
        project_id {key} NOT NULL,
        name {key} NOT NULL,
        created BIGINT NOT NULL,
        template_id {key} NOT NULL,
        cloud {key} NOT NULL,
        driver {key} NOT NULL,
        status {key} NOT NULL,
        revision BIGINT NOT NULL,
        due_at BIGINT,
        due_after_lease BIGINT,
        lease_owner {key},
        lease_epoch BIGINT NOT NULL,
        lease_expires_at BIGINT,
        body TEXT NOT NULL
    )",
        "CREATE INDEX magnum_clusters_created ON magnum_clusters (created, id)",
        "CREATE INDEX magnum_clusters_name ON magnum_clusters (name, id)",
        "CREATE INDEX magnum_clusters_status ON magnum_clusters (status, id)",
        "CREATE INDEX magnum_clusters_project_created ON magnum_clusters (project_id, created, id)",
        "CREATE INDEX magnum_clusters_project_name ON magnum_clusters (project_id, name, id)",
        "CREATE INDEX magnum_clusters_project_status ON magnum_clusters (project_id, status, id)",
        "CREATE INDEX magnum_clusters_template ON magnum_clusters (template_id)",
        "CREATE INDEX magnum_clusters_due ON magnum_clusters (due_at, id)",
        "CREATE TABLE magnum_pools (
        cluster_id {key} NOT NULL REFERENCES magnum_clusters (id) ON DELETE CASCADE,
        place SMALLINT NOT NULL,
        name {key} NOT NULL,
        role {key} NOT NULL,
        count BIGINT NOT NULL,
        flavor_id {key} NOT NULL,
        addresses TEXT NOT NULL,
        PRIMARY KEY (cluster_id, place)
    )",
        "CREATE TABLE magnum_quotas (
        project_id {key} NOT NULL,
        resource {key} NOT NULL,
        hard_limit BIGINT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (project_id, resource)
    )",
        "CREATE TABLE magnum_operations (
        id {key} NOT NULL PRIMARY KEY,
        cluster_id {key} NOT NULL,
        state {key} NOT NULL,
        active_on {key} UNIQUE,
        body TEXT NOT NULL
    )",
        "CREATE INDEX magnum_operations_cluster ON magnum_operations (cluster_id)",
        "CREATE TABLE magnum_ledger (
        id {key} NOT NULL PRIMARY KEY,
        cluster_id {key} NOT NULL,
        sequence BIGINT NOT NULL,
        body TEXT NOT NULL
    )",
        "CREATE INDEX magnum_ledger_cluster ON magnum_ledger (cluster_id, sequence, id)",
        "CREATE TABLE magnum_events (
        seq BIGINT NOT NULL PRIMARY KEY,
        id {key} NOT NULL UNIQUE,
        body TEXT NOT NULL
    )",
        "CREATE TABLE magnum_idempotency (
        project_id {key} NOT NULL,
        idempotency_key {key} NOT NULL,
        request {key} NOT NULL,
        cluster_id {key} NOT NULL,
        PRIMARY KEY (project_id, idempotency_key)
    )",
        "CREATE TABLE magnum_key_pairs (
        id {key} NOT NULL PRIMARY KEY,
        name {key} NOT NULL,
        certificate TEXT NOT NULL,
        private_key TEXT NOT NULL,
        intermediates TEXT
    )",
        "CREATE INDEX magnum_key_pairs_name ON magnum_key_pairs (name, id)",
        "CREATE TABLE magnum_blobs (
        hash {key} NOT NULL PRIMARY KEY,
        content TEXT NOT NULL
    )",
        "CREATE TABLE magnum_discoveries (
        cluster_id {key} NOT NULL PRIMARY KEY REFERENCES magnum_clusters (id) ON DELETE CASCADE,
        revision BIGINT NOT NULL,
        body TEXT NOT NULL
    )",
        "CREATE TABLE magnum_tombstones (
        cluster_id {key} NOT NULL PRIMARY KEY,
        project_id {key} NOT NULL,
        body TEXT NOT NULL
    )",
    ],
    &["CREATE TABLE magnum_certificate_notes (
        cluster_id {key} NOT NULL REFERENCES magnum_clusters (id) ON DELETE CASCADE,
        about {key} NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (cluster_id, about)
    )"],
];

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS magnum_migrations (
    version BIGINT NOT NULL PRIMARY KEY,
    applied_at BIGINT NOT NULL
)";

/// The newest step that was made; 0 for none.
const VERSION: &str = "SELECT COALESCE(MAX(version), 0) AS version FROM magnum_migrations";

/// Makes all steps that were not made yet.
pub(super) struct Migration;

#[async_trait]
impl Work for Migration {
    type Output = ();

    async fn run(&self, dialect: Dialect, connection: &mut AnyConnection) -> Result<(), Failure> {
        Statement::new(dialect, VERSIONS).run(connection).await?;
        let made = version(dialect, connection).await?;
        refuse_newer(made)?;
        for (place, step) in (1i64..).zip(STEPS) {
            if place <= made {
                continue;
            }
            for sql in step {
                let sql = sql.replace("{key}", dialect.key_type());
                sqlx::raw_sql(AssertSqlSafe(sql))
                    .execute(&mut *connection)
                    .await?;
            }
            let record = Statement::new(
                dialect,
                "INSERT INTO magnum_migrations (version, applied_at) VALUES (",
            );
            record
                .number(place)
                .sql(", ")
                .now()
                .sql(")")
                .run(connection)
                .await?;
        }
        Ok(())
    }
}

impl SqlStore {
    /// Fails when a newer version of the library has changed the tables. No tables at all are fine.
    pub(super) async fn refuse_newer_schema(&self) -> Result<()> {
        let database = |error| super::failure::unavailable(self.dialect, error);
        let mut connection = self.pools.readers.acquire().await.map_err(database)?;
        match version(self.dialect, &mut connection).await {
            Ok(made) => refuse_newer(made),
            Err(sqlx::Error::Database(error)) if self.dialect.is_missing_table(error.as_ref()) => Ok(()),
            Err(error) => Err(database(error)),
        }
    }
}

async fn version(dialect: Dialect, connection: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    let rows = Statement::new(dialect, VERSION).rows(connection).await?;
    rows.first().map_or(Ok(0), |row| row.try_get("version"))
}

fn refuse_newer(made: i64) -> Result<()> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if made <= known {
        return Ok(());
    }
    let message = format!("the database's tables are of version {made}; this library knows up to {known}");
    Err(Error::new(ErrorKind::Configuration, message).at("store", "migrate"))
}
