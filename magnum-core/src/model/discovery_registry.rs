//! The registry of a cluster at the library's own discovery service.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ClusterId, Revision};

/// The members of a cluster's etcd that have registered, in the order in which they did.
///
/// `Debug` does not show the token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscoveryRegistry {
    /// The cluster; it has one registry at most, and the registry goes with it.
    pub cluster_id: ClusterId,
    /// Who knows it may read and register: the last part of the cluster's discovery URL.
    pub token: String,
    /// How many members there will be.
    pub size: u32,
    /// Those that are there.
    pub members: Vec<DiscoveryMember>,
    /// How often it was written.
    pub revision: Revision,
}

/// A member of etcd that has registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscoveryMember {
    /// The identifier that etcd gave itself, in hexadecimal.
    pub id: String,
    /// Its name and where it is reached: `name=url`, several separated by commas.
    pub value: String,
}

impl fmt::Debug for DiscoveryRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscoveryRegistry")
            .field("cluster_id", &self.cluster_id)
            .field("size", &self.size)
            .field("members", &self.members)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
