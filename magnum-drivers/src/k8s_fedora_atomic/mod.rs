//! Kubernetes on Fedora Atomic.
//!
//! One or several masters, behind a load balancer or not, and nodes, each with a volume for Docker; flannel carries
//! the pods' network; everything that listens beyond its own server demands certificates unless TLS is disabled.
//!
//! ```text
//! k8s_fedora_atomic/
//!     image/           how to get an image
//!     templates/       the top template
//!     mod.rs           the driver
//!     template_def.rs  what is different on this distribution
//!     notes.md         what its users should know beside the descriptor
//!     version.rs       name and version
//! common/kubernetes/   what Kubernetes is everywhere
//! ```

mod template_def;
pub mod version;

use magnum_core::StackDriver;

use crate::KubernetesStack;

/// The driver for Kubernetes on Fedora Atomic.
///
/// ```
/// use magnum_core::ClusterDriver;
/// let driver = magnum_drivers::k8s_fedora_atomic();
/// assert_eq!(driver.descriptor().provides[0].to_string(), "(vm, fedora-atomic, kubernetes)");
/// ```
#[must_use]
pub fn k8s_fedora_atomic() -> StackDriver<KubernetesStack> {
    StackDriver::new(KubernetesStack::new(&template_def::DISTRIBUTION))
}
