//! Why a store refuses a commit, in the same words whichever store it is.

use crate::model::ClusterId;
use crate::ports::Condition;
use crate::{Error, ErrorKind, shown};

/// The error of a condition that does not hold.
pub(super) fn condition(condition: &Condition) -> Error {
    let (kind, message) = match condition {
        Condition::Lease(lease) => (
            ErrorKind::Stale,
            format!("the lease on cluster {} is no longer held", lease.cluster_id),
        ),
        Condition::TemplateUnused(id) => (
            ErrorKind::Conflict,
            format!("cluster template {id} is used by a cluster"),
        ),
        Condition::Template(id, _) => (
            ErrorKind::Stale,
            format!("cluster template {id} was changed or removed meanwhile"),
        ),
        Condition::Idle(id) => return busy(*id),
        Condition::ClustersBelow { limit, .. } => (
            ErrorKind::Quota,
            format!("the project may have {limit} clusters and has them"),
        ),
        Condition::TemplateNameFree { name, .. } => (
            ErrorKind::Conflict,
            format!("a cluster template named '{}' exists already", shown(name)),
        ),
        Condition::ClusterNameFree { name, .. } => (
            ErrorKind::Conflict,
            format!("a cluster named '{}' exists already", shown(name)),
        ),
    };
    Error::new(kind, message).at("store", "commit")
}

/// Another operation is active on the cluster.
pub(super) fn busy(cluster: ClusterId) -> Error {
    let message = format!("another operation is in progress on cluster {cluster}");
    Error::new(ErrorKind::Busy, message).at("store", "commit")
}

/// The row's stored revision is not the one that the writer read, or the row is gone.
pub(super) fn stale(what: &str, id: impl std::fmt::Display) -> Error {
    let message = format!("{what} {id} was changed or removed meanwhile");
    Error::new(ErrorKind::Stale, message).at("store", "commit")
}

/// The row's key is taken.
pub(super) fn exists(what: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("this {what} exists already")).at("store", "commit")
}

/// A page begins after a row that is not among those asked for.
pub(super) fn no_marker(marker: uuid::Uuid) -> Error {
    Error::not_found("marker", marker).at("store", "page")
}
