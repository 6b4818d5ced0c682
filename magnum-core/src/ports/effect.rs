//! What a change of an attribute does to a cluster that is there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a change of an attribute does to a running cluster; later ones are graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: the cluster is so already, or it makes no difference any more.
    Nothing,
    /// The servers that stay keep running, or are restarted at most.
    InPlace,
    /// Servers are replaced, one after the other, while the others serve.
    Rolling,
    /// Servers are replaced at once: what runs on them ends.
    ReplacesNodes,
    /// It cannot be done; a new cluster can.
    Impossible,
}

impl Effect {
    /// The effect as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::InPlace => "in_place",
            Self::Rolling => "rolling",
            Self::ReplacesNodes => "replaces_nodes",
            Self::Impossible => "impossible",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
