//! Operations: everything that changes a cluster's infrastructure.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Action, Cluster, ClusterId, Fault, OperationId, Pool, TemplateSpec};
use crate::ports::Sealed;

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperationKind {
    /// Makes the cluster.
    Create,
    /// Changes the number of nodes.
    Scale {
        /// The pool to scale.
        pool: String,
        /// How many servers it had; restored when the change is refused.
        from: u32,
        /// How many servers are wanted.
        to: u32,
        /// Which servers to remove first, by server id or index; empty lets the driver choose.
        remove: Vec<String>,
        /// Whether the cluster goes back to what it had when the change fails.
        #[serde(default)]
        rollback: bool,
    },
    /// Goes back to the number of nodes before a change that failed.
    Rollback {
        /// The pool.
        pool: String,
        /// How many servers the failed change wanted.
        from: u32,
        /// How many servers it had before.
        to: u32,
    },
    /// Gives attributes other values.
    Reshape {
        /// The attributes, by the names that users know.
        names: Vec<String>,
        /// What the cluster was before; restored when the change is refused.
        before: Box<Shape>,
    },
    /// Changes the cluster's authorities for new ones.
    RotateAuthorities {
        /// Whether the former ones are to go; else both are trusted in the end.
        finish: bool,
    },
    /// Tries again what failed when the cluster was made or last changed, and keeps what is there.
    Resume {
        /// Whether it was the making that failed.
        creation: bool,
    },
    /// Removes the cluster.
    Delete {
        /// Forget what cannot be removed; it stays in a tombstone and an event.
        force: bool,
        /// What becomes of the volumes that the cluster itself made.
        #[serde(default)]
        volumes: VolumePolicy,
    },
}

/// The attributes of a cluster that a change can concern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Its attributes in the form of its template's.
    pub template: TemplateSpec,
    /// Its SSH key pair.
    pub keypair: Option<String>,
    /// Where its servers find each other.
    pub discovery_url: Option<String>,
    /// Its pools.
    pub pools: Vec<Pool>,
}

impl Shape {
    /// A cluster's own.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        Self {
            template: cluster.template.clone(),
            keypair: cluster.keypair.clone(),
            discovery_url: cluster.discovery_url.clone(),
            pools: cluster.pools.clone(),
        }
    }

    /// Gives it to a cluster.
    pub fn restore(self, cluster: &mut Cluster) {
        cluster.template = self.template;
        cluster.keypair = self.keypair;
        cluster.discovery_url = self.discovery_url;
        cluster.pools = self.pools;
    }
}

/// What becomes of the volumes that a cluster itself made when the cluster is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumePolicy {
    /// They stay, with the data on them, and are named when the cluster is gone.
    #[default]
    Keep,
    /// They are removed.
    Delete,
}

impl OperationKind {
    /// The action that the cluster's status shows meanwhile.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::Create | Self::Resume { creation: true } => Action::Create,
            Self::Scale { .. }
            | Self::Reshape { .. }
            | Self::RotateAuthorities { .. }
            | Self::Resume { creation: false } => Action::Update,
            Self::Rollback { .. } => Action::Rollback,
            Self::Delete { .. } => Action::Delete,
        }
    }

    /// The kind as a word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Scale { .. } => "scale",
            Self::Rollback { .. } => "rollback",
            Self::Reshape { .. } => "reshape",
            Self::RotateAuthorities { .. } => "rotate_ca",
            Self::Resume { .. } => "resume",
            Self::Delete { .. } => "delete",
        }
    }
}

/// The step that an operation is at. Each may be entered again after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Have the discovery checked that the user gave, or one made, where the servers find each other by one.
    Discovery,
    /// Make the trustee and the trust.
    Trust,
    /// Make the certificate authority and the library's own client certificate.
    Certificates,
    /// Change the authorities, one stage after the other, each when all nodes have taken the one before.
    Rotate,
    /// Have the driver make, change or remove its stacks.
    Drive,
    /// Watch until the driver says that it is done.
    Observe,
    /// Have the driver find what the cluster itself made.
    PreDelete,
    /// Remove what the ledger holds, newest first.
    Drain,
}

impl Step {
    /// The step as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Trust => "trust",
            Self::Certificates => "certificates",
            Self::Rotate => "rotate",
            Self::Drive => "drive",
            Self::Observe => "observe",
            Self::PreDelete => "pre_delete",
            Self::Drain => "drain",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where an operation is in its own life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Accepted and not ended.
    Active,
    /// Ended, all of it done.
    Done,
    /// Ended with a fault.
    Failed,
    /// A delete took over.
    Superseded,
}

/// The caller's token, sealed, for as long as an operation needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedToken {
    /// The token, sealed under the operation's UUID.
    pub sealed: Sealed,
    /// When Keystone will refuse it.
    pub expires_at: Timestamp,
}

/// One accepted change of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its UUID.
    pub id: OperationId,
    /// The cluster it changes.
    pub cluster_id: ClusterId,
    /// What it does.
    pub kind: OperationKind,
    /// Where it is in its own life.
    pub state: OperationState,
    /// The step it is at.
    pub step: Step,
    /// When it is given up.
    pub deadline: Timestamp,
    /// How often the current step was tried without success.
    pub attempt: u32,
    /// How often it went back to driving because the change had not arrived, or a removal had failed.
    #[serde(default)]
    pub rounds: u32,
    /// Not to be tried before.
    pub not_before: Timestamp,
    /// The cluster generation that it brings about.
    pub generation: u64,
    /// The user who asked for it.
    pub user_id: String,
    /// The user's token; wiped when it is no longer needed.
    pub token: Option<SealedToken>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// What a removal was not allowed to look for; said when it ends.
    #[serde(default)]
    pub unseen: Option<String>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_that_was_accepted_before_there_was_a_policy_keeps_volumes() {
        let old: OperationKind = serde_json::from_str(r#"{"delete":{"force":true}}"#).unwrap();
        let volumes = VolumePolicy::Keep;
        assert_eq!(old, OperationKind::Delete { force: true, volumes });
        let text = serde_json::to_string(&OperationKind::Delete {
            force: false,
            volumes: VolumePolicy::Delete,
        });
        assert_eq!(text.unwrap(), r#"{"delete":{"force":false,"volumes":"delete"}}"#);
    }
}
