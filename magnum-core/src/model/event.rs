//! Events: what other systems are told about clusters.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Action, ClusterId, ClusterStatus, EventId};

/// How an operation stands when an event tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was accepted.
    Pending,
    /// It is done.
    Success,
    /// It failed.
    Failure,
}

/// A change of a cluster that was committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its UUID; a receiver that saw it may drop it.
    pub id: EventId,
    /// The cluster.
    pub cluster_id: ClusterId,
    /// The cluster's name.
    pub cluster_name: String,
    /// The owning project.
    pub project_id: String,
    /// The user who asked for the change.
    pub user_id: String,
    /// What was asked for.
    pub operation: String,
    /// How it stands.
    pub outcome: Outcome,
    /// The cluster's status with it.
    pub status: ClusterStatus,
    /// Why, when it failed; what was left, when it was forgotten by force.
    pub reason: Option<String>,
    /// When it was committed.
    pub at: Timestamp,
}

impl Event {
    /// The event type that Magnum's consumers know: `magnum.cluster.create` and so on.
    #[must_use]
    pub fn event_type(&self) -> String {
        let verb = match self.status.action {
            Action::Create => "create",
            Action::Delete => "delete",
            _ => "update",
        };
        format!("magnum.cluster.{verb}")
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Pending => "pending",
            Outcome::Success => "success",
            Outcome::Failure => "failure",
        };
        write!(f, "{} {outcome} {}", self.event_type(), self.cluster_id)
    }
}
