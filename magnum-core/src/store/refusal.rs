//! Why a store refuses a commit, in the same words whichever store it is.

use crate::model::ClusterId;
use crate::ports::{Condition, Marker, Position, Query};
use crate::{Error, ErrorKind, Result, shown};

/// The error of a condition that does not hold; where there are numbers to tell, [`unless_below`] does.
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
        Condition::ClustersBelow { .. } => (
            ErrorKind::Quota,
            "the project has as many clusters as it may".to_owned(),
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

/// A project may have `limit` clusters, and another one is to be made.
pub(super) fn unless_below(limit: u32, clusters: u64) -> Result<()> {
    if clusters < u64::from(limit) {
        return Ok(());
    }
    let message = format!("the project may have {limit} clusters and has {clusters}");
    Err(Error::new(ErrorKind::Quota, message).at("store", "commit"))
}

/// The project has no quota of its own.
pub(super) fn no_quota(project: &str) -> Error {
    Error::not_found("quota of project", project).at("store", "commit")
}

/// A page cannot begin after a position in a list that is sorted otherwise.
pub(super) fn unless_fits<'a>(position: &'a Position, query: &Query) -> Result<&'a Position> {
    if position.sort_key() == Some(query.sort_key) {
        return Ok(position);
    }
    let message = "it came with a list that is sorted otherwise";
    Err(Error::field("marker", Marker::Position(position.clone()), message).at("store", "page"))
}

/// A page begins after a row that is not there, or not for the caller.
pub(super) fn no_marker(marker: uuid::Uuid) -> Error {
    Error::not_found("marker", marker).at("store", "page")
}
