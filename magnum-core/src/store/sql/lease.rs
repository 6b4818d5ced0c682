//! Leases, by the database's clock.
//!
//! `due_at` says when a cluster can be claimed: while it is leased that is the lease's expiry, and what
//! is asked for meanwhile waits in `due_after_lease`. So one index finds what can be claimed.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{AnyConnection, Row};

use super::column::{self, milliseconds};
use super::dialect::Dialect;
use super::failure::Failure;
use super::statement::Statement;
use super::transaction::Work;
use super::{SqlStore, row};
use crate::model::{Action, ClusterId, ClusterStatus, Phase};
use crate::ports::{Claim, Lease};
use crate::{Error, ErrorKind, Result};

/// No claim gives more, so that one transaction stays short.
const BATCH: u32 = 1000;

impl SqlStore {
    pub(super) async fn claim_due(&self, claim: Claim) -> Result<Vec<Lease>> {
        // Most of the time nothing is due: find that out without a writer's lock.
        let Some(ask) = due(self.ask("SELECT id FROM magnum_clusters"), &claim) else {
            return Ok(Vec::new());
        };
        if claim.limit == 0 || self.read("claim", ask.sql(" LIMIT 1")).await?.is_empty() {
            return Ok(Vec::new());
        }
        let (begun, given) = self.transact(&Claiming(&claim)).await?;
        let left = left(claim.duration, begun);
        let leases = given.into_iter().map(|(cluster_id, epoch)| Lease {
            cluster_id,
            owner: claim.owner.clone(),
            epoch,
            left,
        });
        Ok(leases.collect())
    }

    pub(super) async fn renew_lease(&self, lease: &Lease, duration: Duration) -> Result<Lease> {
        let (begun, renewed) = self.transact(&Renewal(lease, duration)).await?;
        if !renewed {
            return Err(Error::new(ErrorKind::Stale, "the lease is no longer held").at("store", "renew"));
        }
        Ok(Lease {
            left: left(duration, begun),
            ..lease.clone()
        })
    }

    pub(super) async fn release_lease(&self, lease: &Lease, due: Option<Timestamp>) -> Result<()> {
        self.transact(&Release(lease, due)).await
    }

    pub(super) async fn earliest_due(&self, claim: &Claim) -> Result<Option<Timestamp>> {
        let ask = self
            .ask("SELECT due_at, ")
            .now()
            .sql(" AS present FROM magnum_clusters WHERE due_at IS NOT NULL");
        let Some(ask) = fitting(ask, claim) else {
            return Ok(None);
        };
        let ask = ask.sql(" ORDER BY due_at LIMIT 1");
        let earliest = self.read_one("next_due", ask, |row| {
            let (due, present): (i64, i64) = (row.try_get("due_at")?, row.try_get("present")?);
            Ok(column::instant(due.max(present)))
        });
        earliest.await
    }
}

/// What is left of a lease: the time since it was asked for, and what rounding may have taken, is gone.
fn left(duration: Duration, begun: Instant) -> Duration {
    duration.saturating_sub(begun.elapsed() + Duration::from_millis(1))
}

/// Adds ` WHERE` this lease is held and not expired.
pub(super) fn held(statement: Statement, lease: &Lease) -> Statement {
    let statement = statement.sql(" WHERE id = ").id(lease.cluster_id.0);
    let statement = statement.sql(" AND lease_owner = ").text(&lease.owner);
    let statement = statement.sql(" AND lease_epoch = ").number(lease.epoch);
    statement.sql(" AND lease_expires_at > ").now()
}

/// Adds ` WHERE` a cluster is due and fits the claim; `None` when none can.
fn due(statement: Statement, claim: &Claim) -> Option<Statement> {
    fitting(statement.sql(" WHERE due_at <= ").now(), claim)
}

/// Adds ` AND` the claim's clouds and drivers; `None` when no cluster can fit.
fn fitting(statement: Statement, claim: &Claim) -> Option<Statement> {
    if claim.clouds.is_empty() {
        return None;
    }
    let deletions = [Phase::InProgress, Phase::Complete, Phase::Failed]
        .map(|phase| ClusterStatus::of(Action::Delete, phase).to_string());
    let statement = statement
        .sql(" AND cloud IN ")
        .list(&claim.clouds, |list, cloud| list.text(cloud));
    let statement = statement
        .sql(" AND (status IN ")
        .list(&deletions, |list, status| list.text(status));
    let statement = match claim.drivers.as_slice() {
        [] => statement,
        drivers => statement
            .sql(" OR driver IN ")
            .list(drivers, |list, driver| list.text(driver)),
    };
    Some(statement.sql(")"))
}

struct Claiming<'a>(&'a Claim);

#[async_trait]
impl Work for Claiming<'_> {
    type Output = (Instant, Vec<(ClusterId, i64)>);

    async fn run(&self, dialect: Dialect, connection: &mut AnyConnection) -> Result<Self::Output, Failure> {
        let Self(claim) = self;
        let begun = Instant::now();
        let ask = Statement::new(dialect, "SELECT id, lease_epoch FROM magnum_clusters");
        let Some(ask) = due(ask, claim) else {
            return Ok((begun, Vec::new()));
        };
        let limit = claim.limit.min(BATCH);
        let ask = ask
            .sql(" ORDER BY due_at, id LIMIT ")
            .number(limit.into())
            .sql(dialect.skip_locked());
        let mut given = Vec::new();
        for found in ask.rows(connection).await? {
            let epoch: i64 = found.try_get("lease_epoch")?;
            given.push((ClusterId(row::id(&found, "id")?), epoch.saturating_add(1)));
        }
        if given.is_empty() {
            return Ok((begun, given));
        }
        let lasts = milliseconds(claim.duration);
        let lease = Statement::new(dialect, "UPDATE magnum_clusters SET lease_owner = ").text(&claim.owner);
        let lease = expiry(
            lease.sql(", lease_epoch = lease_epoch + 1, due_after_lease = NULL, "),
            lasts,
        );
        let lease = lease
            .sql(" WHERE id IN ")
            .list(&given, |list, (cluster, _)| list.id(cluster.0));
        lease.run(connection).await?;
        Ok((begun, given))
    }
}

/// Adds when a lease of this many milliseconds expires, and its cluster is due again.
fn expiry(statement: Statement, lasts: i64) -> Statement {
    let statement = statement
        .sql("lease_expires_at = ")
        .now()
        .sql(" + ")
        .number(lasts);
    statement.sql(", due_at = ").now().sql(" + ").number(lasts)
}

struct Renewal<'a>(&'a Lease, Duration);

#[async_trait]
impl Work for Renewal<'_> {
    type Output = (Instant, bool);

    async fn run(&self, dialect: Dialect, connection: &mut AnyConnection) -> Result<Self::Output, Failure> {
        let Self(lease, duration) = self;
        let begun = Instant::now();
        let renewal = Statement::new(dialect, "UPDATE magnum_clusters SET ");
        let renewal = held(expiry(renewal, milliseconds(*duration)), lease);
        Ok((begun, renewal.run(connection).await? > 0))
    }
}

struct Release<'a>(&'a Lease, Option<Timestamp>);

#[async_trait]
impl Work for Release<'_> {
    type Output = ();

    async fn run(&self, dialect: Dialect, connection: &mut AnyConnection) -> Result<(), Failure> {
        let Self(lease, due) = self;
        let release = Statement::new(dialect, "UPDATE magnum_clusters SET due_at = ");
        let release = match due.map(column::due) {
            None => release.sql("due_after_lease"),
            Some(due) => release
                .sql("CASE WHEN due_after_lease < ")
                .number(due)
                .sql(" THEN due_after_lease ELSE ")
                .number(due)
                .sql(" END"),
        };
        let release = release.sql(", due_after_lease = NULL, lease_owner = NULL, lease_expires_at = NULL");
        held(release, lease).run(connection).await?;
        Ok(())
    }
}

/// Makes a cluster due, if that is earlier than it was; while it is leased, after the lease.
pub(super) async fn make_due(
    dialect: Dialect,
    connection: &mut AnyConnection,
    cluster: ClusterId,
    due: Timestamp,
) -> Result<(), Failure> {
    let due = column::due(due);
    let earlier = |statement: Statement, leased: &str, column: &str| {
        let statement = statement
            .sql(column)
            .sql(" = CASE WHEN lease_owner IS ")
            .sql(leased);
        let statement = statement
            .sql(" AND (")
            .sql(column)
            .sql(" IS NULL OR ")
            .sql(column)
            .sql(" > ")
            .number(due);
        statement
            .sql(") THEN ")
            .number(due)
            .sql(" ELSE ")
            .sql(column)
            .sql(" END")
    };
    let update = Statement::new(dialect, "UPDATE magnum_clusters SET ");
    let update = earlier(update, "NULL", "due_at").sql(", ");
    let update = earlier(update, "NOT NULL", "due_after_lease");
    update.sql(" WHERE id = ").id(cluster.0).run(connection).await?;
    Ok(())
}
