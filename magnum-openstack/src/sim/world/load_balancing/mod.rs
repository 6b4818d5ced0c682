//! Octavia: load balancers and what hangs on them.
//!
//! A load balancer that changes is immutable until it has: every call on it or its parts is refused with
//! 409 meanwhile, as in Octavia. One in ERROR can only be deleted.

pub mod balancer;
pub mod part;
mod rules;

use std::collections::BTreeMap;

pub use balancer::{LoadBalancer, LoadBalancerChange, LoadBalancerSpec};
pub use part::{Part, PartKind, PartSpec};

/// What Octavia knows. Keys are identifiers.
#[derive(Debug, Default)]
pub struct LoadBalancing {
    pub(crate) balancers: BTreeMap<String, LoadBalancer>,
    pub(crate) parts: BTreeMap<String, Part>,
}

impl LoadBalancing {
    /// All load balancers.
    pub fn balancers(&self) -> impl Iterator<Item = &LoadBalancer> {
        self.balancers.values()
    }

    /// All listeners, pools, members and monitors.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.values()
    }
}
