//! The change of a cluster's authorities that is under way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OperationKind;
use crate::ports::CertRef;

/// A change of a cluster's authorities for new ones. While it is under way the cluster trusts both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The version of the cluster's certificates that it began with; unique within the cluster.
    pub number: u64,
    /// How far it is.
    pub stage: RotationStage,
    /// The authorities that nodes are not certified by: the new ones until [`RotationStage::Reissuing`], then the former
    /// ones. By name, the cluster's own as `ca`.
    pub others: BTreeMap<String, CertRef>,
    /// The operation that drove it, if that was the cluster's last one and failed: what a retry does again.
    #[serde(default)]
    pub failed: Option<OperationKind>,
}

/// How far a change of authorities is.
///
/// | Stage | Nodes are certified by | Clients are certified by | Trusted |
/// | --- | --- | --- | --- |
/// | none | the authority | the authority | the authority |
/// | announced | the former | the former | both; nodes are learning it |
/// | overlap | the former | the new | both |
/// | reissuing | the new; nodes are getting it | the new | both |
/// | retiring | the new | the new | the new; nodes are learning it |
///
/// So a client that knows the former authority only, and one that knows both, work until the overlap ends, and what was
/// certified by the new one works from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RotationStage {
    /// The new ones are made known to nodes.
    Announced,
    /// Every node trusts both. It stays so until somebody ends it.
    Overlap,
    /// Nodes get certificates of the new ones.
    Reissuing,
    /// The former ones are trusted no more, and go when no node trusts them.
    Retiring,
}

impl RotationStage {
    /// The stage as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Overlap => "overlap",
            Self::Reissuing => "reissuing",
            Self::Retiring => "retiring",
        }
    }
}
