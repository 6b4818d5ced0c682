//! Health: what monitors, or a healer in the cluster, say of a cluster. It changes no status.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a cluster's COE feels, beside its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HealthStatus {
    /// All of it answers as it should.
    Healthy,
    /// Some of it does not.
    Unhealthy,
    /// It cannot be told, for example because the COE is not to be reached from outside.
    Unknown,
}

/// A cluster's health, and what of it is how: `api` and `ok`, or a node's condition and `True`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// In a word; `None` until somebody said something.
    pub status: Option<HealthStatus>,
    /// In particular.
    pub reason: BTreeMap<String, String>,
}
