//! Kubernetes on bare metal with Fedora.
//!
//! As on Fedora Atomic, but that the servers are machines of Ironic on a network that exists, and Docker keeps its images
//! on the ephemeral disk of their flavor.
//!
//! ```text
//! k8s_fedora_ironic/
//!     image/           how to get an image
//!     templates/       the top template, and the fragments of scripts that are its own
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

/// The driver for Kubernetes on bare metal with Fedora.
///
/// ```
/// use magnum_core::ClusterDriver;
/// let driver = magnum_drivers::k8s_fedora_ironic();
/// assert_eq!(driver.descriptor().provides[0].to_string(), "(bm, fedora, kubernetes)");
/// ```
#[must_use]
pub fn k8s_fedora_ironic() -> StackDriver<KubernetesStack> {
    StackDriver::new(KubernetesStack::new(&template_def::DISTRIBUTION))
}
