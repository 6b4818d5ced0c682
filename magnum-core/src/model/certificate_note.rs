//! What is written down of a cluster's certificates: which were issued to whom, and what its nodes have taken.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClusterId, PoolRole};
use crate::ports::CertificateFacts;

/// Who holds a certificate that was issued for a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Holder {
    /// Somebody who had a request signed.
    User {
        /// The Keystone user.
        user_id: String,
    },
    /// One of the cluster's servers.
    Node {
        /// What it is for.
        role: PoolRole,
        /// Which member of its pool it is.
        member: String,
        /// What the certificate is for, by the driver's word.
        purpose: String,
    },
}

/// Something noted of a cluster's certificates. A newer note about the same takes the place of the older one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateNote {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// What is noted.
    pub noted: Noted,
}

/// What is noted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Noted {
    /// A certificate was issued.
    Issued {
        /// To whom.
        holder: Holder,
        /// By which of the cluster's authorities.
        authority: String,
        /// What is written in it.
        facts: CertificateFacts,
        /// When; what is written in it begins a little earlier.
        at: Timestamp,
    },
    /// A node trusts and holds what the cluster's certificates of this version are.
    Taken {
        /// What the node is for.
        role: PoolRole,
        /// Which member of its pool it is.
        member: String,
        /// The version, as [`super::Cluster::certificates_version`] counts.
        version: u64,
        /// When it said so.
        at: Timestamp,
    },
}

impl CertificateNote {
    /// What the note is about: notes of a cluster differ by it. Short texts in plain characters, but for the ids of users.
    #[must_use]
    pub fn about(&self) -> String {
        match &self.noted {
            Noted::Issued { holder, facts, .. } => match holder {
                Holder::User { user_id } => format!("user/{user_id}/{}", facts.serial),
                Holder::Node {
                    role,
                    member,
                    purpose,
                } => format!("node/{}/{member}/{purpose}", role.as_str()),
            },
            Noted::Taken { role, member, .. } => format!("taken/{}/{member}", role.as_str()),
        }
    }
}
