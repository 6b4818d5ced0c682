//! Transactions, tried again while others are in the way; and reads.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Transaction};

use super::SqlStore;
use super::dialect::Dialect;
use super::failure::{Failure, is_contention, unavailable, unknown};
use super::statement::Statement;
use crate::Result;

/// How long a transaction is tried again while others are in the way.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is done in one transaction. It may be begun more than once, and is committed at most once.
#[async_trait]
pub(super) trait Work: Sync {
    /// What it finds out.
    type Output: Send;

    async fn run(&self, dialect: Dialect, connection: &mut AnyConnection) -> Result<Self::Output, Failure>;
}

impl SqlStore {
    /// Does the work and commits it.
    pub(super) async fn transact<W: Work>(&self, work: &W) -> Result<W::Output> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            match self.attempt(work).await {
                Ok(output) => return Ok(output),
                Err(Failure::Database(error))
                    if is_contention(self.dialect, &error) && begun.elapsed() < PATIENCE =>
                {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(100));
                }
                Err(failure) => return Err(failure.into_error(self.dialect)),
            }
        }
    }

    async fn attempt<W: Work>(&self, work: &W) -> Result<W::Output, Failure> {
        let mut transaction = self.pools.writers.begin_with(self.dialect.begin()).await?;
        match work.run(self.dialect, &mut transaction).await {
            Ok(output) => self.finish(transaction).await.map(|()| output),
            Err(failure) => {
                // Were this to fail, the connection would be closed, which undoes the work as well.
                let _undone = transaction.rollback().await;
                Err(failure)
            }
        }
    }

    async fn finish(&self, transaction: Transaction<'static, sqlx::Any>) -> Result<(), Failure> {
        match transaction.commit().await.map_err(Failure::Database) {
            Err(Failure::Database(error)) if !is_contention(self.dialect, &error) => {
                Err(Failure::Refused(unknown(error)))
            }
            otherwise => otherwise,
        }
    }

    /// The rows of a read outside of any transaction: one statement sees one moment.
    pub(super) async fn read(&self, what: &'static str, ask: Statement) -> Result<Vec<AnyRow>> {
        let failed = |error| unavailable(self.dialect, error).at("store", what);
        let mut connection = self.pools.readers.acquire().await.map_err(failed)?;
        ask.rows(&mut connection).await.map_err(failed)
    }

    pub(super) async fn read_all<T>(
        &self,
        what: &'static str,
        ask: Statement,
        decode: impl Fn(&AnyRow) -> Result<T, Failure> + Send,
    ) -> Result<Vec<T>> {
        let rows = self.read(what, ask).await?;
        let decoded = rows
            .iter()
            .map(|row| decode(row).map_err(|failure| failure.into_error(self.dialect)));
        decoded.collect()
    }

    pub(super) async fn read_one<T>(
        &self,
        what: &'static str,
        ask: Statement,
        decode: impl Fn(&AnyRow) -> Result<T, Failure> + Send,
    ) -> Result<Option<T>> {
        let rows = self.read(what, ask).await?;
        let decoded = rows
            .first()
            .map(|row| decode(row).map_err(|failure| failure.into_error(self.dialect)));
        decoded.transpose()
    }
}
