//! What a cluster's own servers may have of the node endpoint.

use super::SubjectName;
use crate::model::PoolRole;

/// The name of the cluster's own authority, which clients of the COE trust and are certified by.
pub const CLUSTER_AUTHORITY: &str = "ca";

/// What nodes may ask the node endpoint for. Drivers declare it; whatever is not here is refused.
///
/// ```
/// use magnum_core::{NodePolicy, PoolRole};
/// let policy = NodePolicy::servers(&[PoolRole::Worker]);
/// assert_eq!(policy.certificates[0].purpose, "server");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePolicy {
    /// Authorities, and keys, that the cluster has beside its own authority; each is made once for a cluster and
    /// kept with it. Small letters and dashes.
    pub authorities: Vec<&'static str>,
    /// The certificates that nodes may have.
    pub certificates: Vec<NodeCertificate>,
    /// The private keys of `authorities` that all nodes of a role share.
    pub shared_keys: Vec<(PoolRole, &'static str)>,
    /// Whether nodes look from time to time what they are to trust and to hold, renew it, and say so. Only then can the
    /// cluster's authorities be changed.
    pub renewal: bool,
}

/// A certificate that each node of a role may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCertificate {
    /// What it is for: the word by which nodes ask for it.
    pub purpose: &'static str,
    /// Whose it is.
    pub role: PoolRole,
    /// Which authority signs it.
    pub authority: &'static str,
    /// Its common name.
    pub name: NodeName,
    /// Its organization.
    pub organization: Option<&'static str>,
    /// Whether it is a server's: `serverAuth`, for the node's addresses and `names`.
    pub server: bool,
    /// Whether it is a client's: `clientAuth`.
    pub client: bool,
    /// Names that nodes of the role have beside what the cloud gave them, for a server's certificate.
    pub names: Vec<SubjectName>,
}

/// The common name of a node's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeName {
    /// The role and the cluster's UUID: `worker.3968ffd5-…`.
    Role,
    /// The same for all nodes of the role.
    Fixed(&'static str),
    /// This, and then the name of the node's server, which must be one that the cloud knows.
    Server(&'static str),
}

impl NodePolicy {
    /// A server's certificate for the addresses of each node of these roles, and nothing else.
    #[must_use]
    pub fn servers(roles: &[PoolRole]) -> Self {
        let certificates = roles
            .iter()
            .map(|role| NodeCertificate {
                purpose: "server",
                role: *role,
                authority: CLUSTER_AUTHORITY,
                name: NodeName::Role,
                organization: None,
                server: true,
                client: false,
                names: Vec::new(),
            })
            .collect();
        Self {
            certificates,
            ..Self::default()
        }
    }

    /// The certificate for a purpose of a role.
    #[must_use]
    pub fn certificate(&self, role: PoolRole, purpose: &str) -> Option<&NodeCertificate> {
        self.certificates
            .iter()
            .find(|certificate| certificate.role == role && certificate.purpose == purpose)
    }

    /// Whether nodes of a role have certificates of names that the cloud shows.
    #[must_use]
    pub fn named(&self, role: PoolRole) -> bool {
        self.certificates.iter().any(|certificate| {
            certificate.role == role
                && (certificate.server || matches!(certificate.name, NodeName::Server(_)))
        })
    }

    /// Whether nodes of a role share this key.
    #[must_use]
    pub fn shares(&self, role: PoolRole, key: &str) -> bool {
        self.shared_keys
            .iter()
            .any(|(r, name)| *r == role && *name == key)
    }
}
