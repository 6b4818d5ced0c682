//! What a project may have, and what it has.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Of what a project may have only so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum QuotaResource {
    /// Clusters, whatever their status.
    #[default]
    Cluster,
}

impl QuotaResource {
    /// The resource as the API spells it: `Cluster`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
        }
    }
}

/// How many clusters a project may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The project.
    pub project_id: String,
    /// What is counted.
    pub resource: QuotaResource,
    /// How many it may have; with 0 none can be made. Those that are there stay.
    pub hard_limit: u32,
    /// When it was made; absent for a project that has none of its own, so that the host's default counts.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

/// What there is, in a project or in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Clusters, whatever their status.
    pub clusters: u64,
    /// Servers that are wanted, of all their pools: masters and nodes.
    pub nodes: u64,
}
