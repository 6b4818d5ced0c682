//! Rows, read.

use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::column;
use super::failure::{Failure, unreadable};
use crate::Result;
use crate::model::ClusterId;
use crate::ports::{Idempotent, KeyPair, Sealed};

/// Selects what [`key_pair`] reads.
pub(super) const KEY_PAIRS: &str =
    "SELECT id, name, certificate, private_key, intermediates FROM magnum_key_pairs";

/// The object in a row's JSON body. Fields that this version does not know are left out; those that
/// the writing version did not know get their defaults.
pub(super) fn body<T: DeserializeOwned>(row: &AnyRow) -> Result<T, Failure> {
    json(row, "body")
}

pub(super) fn json<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, Failure> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|error| unreadable("row", error).into())
}

pub(super) fn text(row: &AnyRow, column: &str) -> Result<String, Failure> {
    Ok(column::unescaped(row.try_get(column)?))
}

/// A number that is never negative.
pub(super) fn count(row: &AnyRow, column: &str) -> Result<u64, Failure> {
    let count: i64 = row.try_get(column)?;
    u64::try_from(count).map_err(|error| unreadable("row", error).into())
}

pub(super) fn id(row: &AnyRow, column: &str) -> Result<Uuid, Failure> {
    let text: &str = row.try_get(column)?;
    text.parse()
        .map_err(|error: uuid::Error| unreadable("row", error).into())
}

pub(super) fn idempotent(row: &AnyRow) -> Result<Idempotent, Failure> {
    Ok(Idempotent {
        project: text(row, "project_id")?,
        key: text(row, "idempotency_key")?,
        request: text(row, "request")?,
        cluster_id: ClusterId(id(row, "cluster_id")?),
    })
}

pub(super) fn key_pair(row: &AnyRow) -> Result<KeyPair, Failure> {
    let intermediates: Option<String> = row.try_get("intermediates")?;
    Ok(KeyPair {
        id: id(row, "id")?,
        name: text(row, "name")?,
        certificate: text(row, "certificate")?,
        private_key: Sealed(text(row, "private_key")?),
        intermediates: intermediates.map(column::unescaped),
    })
}
