//! What a cluster is doing, and how it ended.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is, or was last, being done with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Action {
    /// Being made.
    Create,
    /// Being changed.
    Update,
    /// Being removed.
    Delete,
    /// Being put back after a failed change.
    Rollback,
    /// Resumed in Heat.
    Resume,
    /// Restored in Heat.
    Restore,
    /// Snapshotted in Heat.
    Snapshot,
    /// Checked in Heat.
    Check,
    /// Adopted.
    Adopt,
}

impl Action {
    const ALL: [Self; 9] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Rollback,
        Self::Resume,
        Self::Restore,
        Self::Snapshot,
        Self::Check,
        Self::Adopt,
    ];

    /// The action as Heat and the API spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Rollback => "ROLLBACK",
            Self::Resume => "RESUME",
            Self::Restore => "RESTORE",
            Self::Snapshot => "SNAPSHOT",
            Self::Check => "CHECK",
            Self::Adopt => "ADOPT",
        }
    }
}

/// How far an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Under way.
    InProgress,
    /// Done, all parts of it.
    Complete,
    /// Ended without being done; the status reason says why.
    Failed,
}

impl Phase {
    const ALL: [Self; 3] = [Self::InProgress, Self::Complete, Self::Failed];

    /// The phase as Heat and the API spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Complete => "COMPLETE",
            Self::Failed => "FAILED",
        }
    }
}

/// A cluster's status: an [`Action`] and its [`Phase`], spelled `CREATE_IN_PROGRESS`.
///
/// ```
/// use magnum_core::{Action, ClusterStatus, Phase};
/// let status: ClusterStatus = "CREATE_FAILED".parse()?;
/// assert_eq!(status, ClusterStatus { action: Action::Create, phase: Phase::Failed });
/// assert!(status.is_settled());
/// # Ok::<(), magnum_core::ParseStatusError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClusterStatus {
    /// What is, or was last, being done.
    pub action: Action,
    /// How far it is.
    pub phase: Phase,
}

impl ClusterStatus {
    /// `CREATE_IN_PROGRESS`
    pub const CREATE_IN_PROGRESS: Self = Self::of(Action::Create, Phase::InProgress);
    /// `CREATE_COMPLETE`
    pub const CREATE_COMPLETE: Self = Self::of(Action::Create, Phase::Complete);
    /// `CREATE_FAILED`
    pub const CREATE_FAILED: Self = Self::of(Action::Create, Phase::Failed);
    /// `UPDATE_IN_PROGRESS`
    pub const UPDATE_IN_PROGRESS: Self = Self::of(Action::Update, Phase::InProgress);
    /// `UPDATE_COMPLETE`
    pub const UPDATE_COMPLETE: Self = Self::of(Action::Update, Phase::Complete);
    /// `UPDATE_FAILED`
    pub const UPDATE_FAILED: Self = Self::of(Action::Update, Phase::Failed);
    /// `DELETE_IN_PROGRESS`
    pub const DELETE_IN_PROGRESS: Self = Self::of(Action::Delete, Phase::InProgress);
    /// `DELETE_COMPLETE`
    pub const DELETE_COMPLETE: Self = Self::of(Action::Delete, Phase::Complete);
    /// `DELETE_FAILED`
    pub const DELETE_FAILED: Self = Self::of(Action::Delete, Phase::Failed);

    /// `ROLLBACK_IN_PROGRESS`
    pub const ROLLBACK_IN_PROGRESS: Self = Self::of(Action::Rollback, Phase::InProgress);
    /// `ROLLBACK_COMPLETE`
    pub const ROLLBACK_COMPLETE: Self = Self::of(Action::Rollback, Phase::Complete);
    /// `ROLLBACK_FAILED`
    pub const ROLLBACK_FAILED: Self = Self::of(Action::Rollback, Phase::Failed);
    /// `ADOPT_COMPLETE`
    pub const ADOPT_COMPLETE: Self = Self::of(Action::Adopt, Phase::Complete);

    /// Every status: each action in each phase.
    pub fn all() -> impl Iterator<Item = Self> {
        let phases = |action| Phase::ALL.into_iter().map(move |phase| Self::of(action, phase));
        Action::ALL.into_iter().flat_map(phases)
    }

    /// A status from its parts.
    #[must_use]
    pub const fn of(action: Action, phase: Phase) -> Self {
        Self { action, phase }
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_settled(self) -> bool {
        self.phase != Phase::InProgress
    }
}

impl fmt::Display for ClusterStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.action.as_str(), self.phase.as_str())
    }
}

/// The text is no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no status; a status is an action and a phase, like CREATE_COMPLETE")]
pub struct ParseStatusError(String);

impl FromStr for ClusterStatus {
    type Err = ParseStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (action, phase) = text
            .split_once('_')
            .ok_or_else(|| ParseStatusError(crate::shown(text)))?;
        let action = Action::ALL.into_iter().find(|a| a.as_str() == action);
        let phase = Phase::ALL.into_iter().find(|p| p.as_str() == phase);
        match (action, phase) {
            (Some(action), Some(phase)) => Ok(Self { action, phase }),
            _ => Err(ParseStatusError(crate::shown(text))),
        }
    }
}

impl Serialize for ClusterStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClusterStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Why an operation failed, as a word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FailureCode {
    /// A quota of the project is exhausted.
    Quota,
    /// Credentials were refused, have expired, or lack a role.
    Authorization,
    /// A service of the cloud, or something the cluster needs there, is missing or broken.
    Dependency,
    /// The cloud asked to slow down for too long.
    Rate,
    /// The cloud has no room.
    Capacity,
    /// The request, the driver or the cloud is set up so that it cannot work.
    Configuration,
    /// The time for it was up.
    Timeout,
    /// A fault of this library.
    Internal,
}

impl FailureCode {
    /// The code as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Authorization => "authorization",
            Self::Dependency => "dependency",
            Self::Rate => "rate",
            Self::Capacity => "capacity",
            Self::Configuration => "configuration",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an operation failed: a code, a sentence for the tenant, and what failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The reason as a word.
    pub code: FailureCode,
    /// A sentence that a tenant can act on.
    pub message: String,
    /// The outside resource that failed, if it was one.
    pub resource: Option<String>,
}

impl Fault {
    /// A fault without a resource.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            resource: None,
        }
    }
}

impl From<&crate::Error> for Fault {
    fn from(error: &crate::Error) -> Self {
        Self {
            code: error.kind().failure_code(),
            message: error.to_string(),
            resource: error.resource().map(ToOwned::to_owned),
        }
    }
}

/// The status reason: `quota: Quota exceeded … (resource port_0)`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        match &self.resource {
            Some(resource) => write!(f, " (resource {resource})"),
            None => Ok(()),
        }
    }
}
