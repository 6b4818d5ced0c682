//! What a failed creation leaves.

use serde::{Deserialize, Serialize};

/// What becomes of the resources of a cluster whose creation fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnCreateFailure {
    /// They stay, so that one can look into them; the creation can be retried.
    #[default]
    Keep,
    /// They are removed; the cluster stays, `CREATE_FAILED`, and says why.
    Delete,
}
