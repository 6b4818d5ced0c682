//! Cluster drivers of openstack-magnum, one module per container orchestration engine and distribution.
//!
//! Each driver is a [`TemplateDefinition`](magnum_core::TemplateDefinition) in a
//! [`StackDriver`](magnum_core::StackDriver): a Heat template, a script for the nodes, and what connects the two to
//! a cluster's attributes. Drivers of your own go into the same
//! [`DriverRegistry`](magnum_core::DriverRegistry); [`TemplateText`] assembles their texts, too.
//!
//! ```
//! use magnum_core::DriverRegistry;
//! let mut registry = DriverRegistry::default();
//! for driver in magnum_drivers::all() {
//!     registry.add(driver)?;
//! }
//! assert!(registry.get("docker_ubuntu").is_some());
//! # Ok::<(), magnum_core::Error>(())
//! ```

mod common;
pub mod docker_ubuntu;
pub mod docs;
pub mod k8s_coreos;
pub mod k8s_fedora_atomic;
pub mod k8s_fedora_ironic;
pub mod mesos_ubuntu;
pub mod python_magnum;
pub mod swarm_fedora_atomic;
mod template_text;

use std::sync::Arc;

use magnum_core::ClusterDriver;

pub use common::kubernetes::KubernetesStack;
pub use docker_ubuntu::docker_ubuntu;
pub use k8s_coreos::k8s_coreos;
pub use k8s_fedora_atomic::k8s_fedora_atomic;
pub use k8s_fedora_ironic::k8s_fedora_ironic;
pub use mesos_ubuntu::mesos_ubuntu;
pub use python_magnum::python_magnum;
pub use swarm_fedora_atomic::swarm_fedora_atomic;
pub use template_text::{Language, TemplateText};

/// All drivers of this crate that make clusters.
#[must_use]
pub fn all() -> Vec<Arc<dyn ClusterDriver>> {
    vec![
        Arc::new(docker_ubuntu()),
        Arc::new(k8s_coreos()),
        Arc::new(k8s_fedora_atomic()),
        Arc::new(k8s_fedora_ironic()),
        Arc::new(mesos_ubuntu()),
        Arc::new(swarm_fedora_atomic()),
    ]
}
