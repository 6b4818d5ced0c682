//! How clusters are made, scaled and deleted, beyond the obvious.

use crate::model::VolumePolicy;

/// How to make a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreateOptions {
    /// The same key with the same request returns the cluster that was made the first time; with another
    /// request it is a conflict.
    pub idempotency_key: Option<String>,
}

impl CreateOptions {
    /// Sets the idempotency key: 1 to 255 characters.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// How to change a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdateOptions {
    /// Which nodes to remove first, by server id or index; empty lets the driver choose.
    pub remove: Vec<String>,
    /// Only if the cluster is at this generation; else `Stale`.
    pub expected_generation: Option<u64>,
    /// Whether the cluster goes back to what it was when the change fails. Default false.
    pub rollback: bool,
}

impl UpdateOptions {
    /// Names nodes to remove first.
    #[must_use]
    pub fn with_remove<S: Into<String>>(mut self, nodes: impl IntoIterator<Item = S>) -> Self {
        self.remove = nodes.into_iter().map(Into::into).collect();
        self
    }

    /// Demands a generation.
    #[must_use]
    pub fn with_expected_generation(mut self, generation: u64) -> Self {
        self.expected_generation = Some(generation);
        self
    }

    /// Goes back when the change fails.
    #[must_use]
    pub fn with_rollback(mut self) -> Self {
        self.rollback = true;
        self
    }
}

/// How to bring a cluster to a desired state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// The same key with the same desired state is one request: repeated, it changes nothing more. With another
    /// desired state it is a conflict.
    pub idempotency_key: Option<String>,
    /// Only if the cluster is at this generation, for example the one that was planned on; else `Stale`.
    pub expected_generation: Option<u64>,
}

impl ApplyOptions {
    /// Sets the idempotency key: 1 to 255 characters.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Demands a generation.
    #[must_use]
    pub fn with_expected_generation(mut self, generation: u64) -> Self {
        self.expected_generation = Some(generation);
        self
    }
}

/// How to delete a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteOptions {
    /// Forget what cannot be removed: it is named in an event and kept in a tombstone.
    pub force: bool,
    /// What becomes of the volumes that the cluster itself made, for example for Kubernetes' claims.
    pub volumes: VolumePolicy,
}

impl DeleteOptions {
    /// Forgets what cannot be removed.
    #[must_use]
    pub fn forced() -> Self {
        Self {
            force: true,
            ..Self::default()
        }
    }

    /// Says what becomes of the volumes that the cluster itself made.
    #[must_use]
    pub fn with_volumes(mut self, policy: VolumePolicy) -> Self {
        self.volumes = policy;
        self
    }
}
