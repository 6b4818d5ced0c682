//! Kubernetes on Fedora Atomic.
//!
//! One or several masters, behind a load balancer or not, and nodes, each with a volume for Docker; flannel carries
//! the pods' network; everything that listens beyond its own server demands certificates unless TLS is disabled.
//!
//! ```text
//! k8s_fedora_atomic/
//!     image/           how to get an image
//!     templates/       kubecluster.yaml and what it nests, kubemaster.sh and kubeminion.sh
//!     mod.rs           the driver
//!     descriptor.rs    what it is and can do
//!     notes.md         what its users should know beside that
//!     rules.rs         what goes together and what does not
//!     template_def.rs  what the stack is and what goes into it
//!     node_policy.rs   which certificates its servers may have
//!     kubeconfig.rs    what kubectl needs
//!     version.rs       name and version
//! ```

mod descriptor;
pub(crate) mod kubeconfig;
mod needs;
mod node_policy;
mod rules;
mod template_def;
pub mod version;

use magnum_core::StackDriver;

pub use template_def::K8sFedoraAtomic;

/// The driver for Kubernetes on Fedora Atomic.
///
/// ```
/// use magnum_core::ClusterDriver;
/// let driver = magnum_drivers::k8s_fedora_atomic();
/// assert_eq!(driver.descriptor().provides[0].to_string(), "(vm, fedora-atomic, kubernetes)");
/// ```
#[must_use]
pub fn k8s_fedora_atomic() -> StackDriver<K8sFedoraAtomic> {
    StackDriver::new(K8sFedoraAtomic::new())
}
