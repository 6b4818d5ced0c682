//! Clusters that Python Magnum made and that were taken over: they are observed, scaled and deleted on the stacks that
//! they have. No cluster is made by these drivers.
//!
//! | Driver | For clusters of Python Magnum's drivers |
//! | --- | --- |
//! | `python_magnum_kubernetes` | `k8s_fedora_atomic_v1`, `k8s_fedora_coreos_v1`, `k8s_coreos_v1` |
//! | `python_magnum_swarm` | `swarm_fedora_atomic_v1` and `v2` |
//! | `python_magnum_mesos` | `mesos_ubuntu_v1` |
//!
//! ```
//! use magnum_core::DriverRegistry;
//! let mut registry = DriverRegistry::default();
//! for driver in magnum_drivers::python_magnum() {
//!     registry.add(driver)?;
//! }
//! assert!(registry.get("python_magnum_kubernetes").is_some());
//! assert_eq!(registry.types().count(), 0, "they make none");
//! # Ok::<(), magnum_core::Error>(())
//! ```

mod driver;
mod row;
mod stack;

use std::sync::Arc;

use magnum_core::ClusterDriver;

pub use driver::PythonMagnum;
pub use row::adoption;
pub use stack::Coe;

/// The drivers for clusters that were taken over from Python Magnum.
#[must_use]
pub fn python_magnum() -> Vec<Arc<dyn ClusterDriver>> {
    let driver = |coe| Arc::new(PythonMagnum::new(coe)) as Arc<dyn ClusterDriver>;
    [Coe::Kubernetes, Coe::Swarm, Coe::Mesos].map(driver).into()
}
