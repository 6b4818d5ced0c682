//! Kubernetes on CoreOS.
//!
//! As on Fedora Atomic, but that the API server is a container, Docker keeps its images on the server's own disk, and the
//! servers do not restart for updates of their own accord.
//!
//! ```text
//! k8s_coreos/
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

/// The driver for Kubernetes on CoreOS.
///
/// ```
/// use magnum_core::ClusterDriver;
/// let driver = magnum_drivers::k8s_coreos();
/// assert_eq!(driver.descriptor().provides[0].to_string(), "(vm, coreos, kubernetes)");
/// ```
#[must_use]
pub fn k8s_coreos() -> StackDriver<KubernetesStack> {
    StackDriver::new(KubernetesStack::new(&template_def::DISTRIBUTION))
}
