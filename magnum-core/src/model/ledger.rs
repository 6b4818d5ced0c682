//! The ownership ledger: what a cluster has outside, written down before it is made.

use serde::{Deserialize, Serialize};

use super::{ClusterId, LedgerId};
use crate::ports::{CertRef, Sealed, StackRef};
use crate::shown;

/// What an entry stands for. With [`Owned::Stack`] and the rest, the name is decided before the
/// thing is made, so that a restart can find it by exactly that name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Owned {
    /// A user in the trustee domain.
    Trustee {
        /// Its name there; unique in its domain.
        name: String,
        /// Its password, sealed before the user is made.
        password: Sealed,
        /// Its id, once it exists.
        id: Option<String>,
    },
    /// A trust from the owner to the trustee.
    Trust {
        /// The trustee's user id.
        trustee_id: String,
        /// Its id, once it exists.
        id: Option<String>,
        /// The one before, which was refused; it goes with the trustee.
        #[serde(default)]
        former: Option<String>,
    },
    /// A certificate with its key in a certificate store.
    Certificate {
        /// What it is for: `ca`, `client`, or an authority of the driver's.
        role: String,
        /// The store that was asked to keep it.
        backend: String,
        /// Its reference, once it is kept.
        reference: Option<CertRef>,
    },
    /// A Heat stack.
    Stack {
        /// The driver's name for it, `main` for most.
        role: String,
        /// Its name in the project.
        name: String,
        /// Hash of the template text that it was made from.
        template: String,
        /// The stack, once it exists.
        stack: Option<StackRef>,
        /// When it was last asked for, while it is not known whether it was made.
        #[serde(default)]
        asked_at: Option<jiff::Timestamp>,
    },
    /// A load balancer that the cluster itself made.
    LoadBalancer {
        /// Its UUID.
        id: String,
        /// Its name.
        name: String,
        /// The ids of the floating IPs that lead to it; they go with it.
        floating_ips: Vec<String>,
        /// The port that holds its address, to which those floating IPs led; empty where that was not written down.
        #[serde(default)]
        vip_port_id: String,
    },
    /// A volume that the cluster itself made.
    Volume {
        /// Its UUID.
        id: String,
        /// Its name.
        name: String,
        /// Whether it stays when the cluster goes.
        keep: bool,
    },
}

impl Owned {
    /// Whether the thing is known to have been made.
    #[must_use]
    pub fn exists(&self) -> bool {
        match self {
            Self::Trustee { id, .. } | Self::Trust { id, .. } => id.is_some(),
            Self::Certificate { reference, .. } => reference.is_some(),
            Self::Stack { stack, .. } => stack.is_some(),
            // Adopted: they are found, not made.
            Self::LoadBalancer { .. } | Self::Volume { .. } => true,
        }
    }

    /// The thing in words, for reasons and events.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Trustee { name, .. } => format!("trustee user {name}"),
            Self::Trust { id: Some(id), .. } => format!("trust {id}"),
            Self::Trust { trustee_id, .. } => format!("trust to {trustee_id}"),
            Self::Certificate { role, backend, .. } => format!("{role} certificate in {backend}"),
            Self::Stack { name, .. } => format!("stack {name}"),
            Self::LoadBalancer {
                id,
                name,
                floating_ips,
                ..
            } => {
                let named = format!("load balancer {} ({id})", shown(name));
                match floating_ips.as_slice() {
                    [] => named,
                    ids => format!("{named} with floating IP {}", ids.join(", ")),
                }
            }
            Self::Volume { id, name, keep: true } => format!("kept volume {} ({id})", shown(name)),
            Self::Volume { id, name, .. } => format!("volume {} ({id})", shown(name)),
        }
    }
}

/// One row of the ledger. Rows are drained by kind, and within a kind in the reverse order of `sequence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Its UUID.
    pub id: LedgerId,
    /// The owning cluster.
    pub cluster_id: ClusterId,
    /// Its place in the order of making, counted per cluster.
    pub sequence: u32,
    /// What is, or is about to be, there.
    pub owned: Owned,
}

/// What was left behind when a cluster was forgotten by force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The cluster that is no more.
    pub cluster_id: ClusterId,
    /// Its name.
    pub name: String,
    /// The project that owned it.
    pub project_id: String,
    /// What may still be there, in words.
    pub leftovers: Vec<String>,
    /// When it was forgotten.
    pub at: jiff::Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let old = r#"{"what":"stack","role":"main","name":"n","template":"t","stack":null}"#;
        let old: Owned = serde_json::from_str(old).unwrap();
        assert_eq!((old.describe().as_str(), old.exists()), ("stack n", false));
        let old = r#"{"what":"load_balancer","id":"i","name":"n","floating_ips":[]}"#;
        let old: Owned = serde_json::from_str(old).unwrap();
        assert!(matches!(old, Owned::LoadBalancer { vip_port_id, .. } if vip_port_id.is_empty()));
        let balancer =
            r#"{"what":"load_balancer","id":"i","name":"n\n","floating_ips":["f","g"],"vip_port_id":"p"}"#;
        let volume = r#"{"what":"volume","id":"i","name":"n","keep":true}"#;
        for (text, described) in [
            (balancer, r"load balancer n\n (i) with floating IP f, g"),
            (volume, "kept volume n (i)"),
        ] {
            let owned: Owned = serde_json::from_str(text).unwrap();
            assert_eq!((owned.describe().as_str(), owned.exists()), (described, true));
            assert_eq!(serde_json::to_string(&owned).unwrap(), text);
        }
    }
}
