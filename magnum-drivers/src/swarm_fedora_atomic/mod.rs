//! Docker Swarm on Fedora Atomic.
//!
//! Managers, behind a load balancer or not, take Docker's own API and place containers on nodes; etcd on the managers
//! tells who is there. Everything that listens beyond its own server demands certificates unless TLS is disabled.
//!
//! ```text
//! swarm_fedora_atomic/
//!     image/           how to get an image
//!     templates/       cluster.yaml and what it nests, swarmmaster.sh and swarmnode.sh
//!     mod.rs           the driver
//!     descriptor.rs    what it is and can do
//!     notes.md         what its users should know beside that
//!     rules.rs         what goes together and what does not
//!     template_def.rs  what the stack is and what goes into it
//!     text.rs          its templates and scripts
//!     node_policy.rs   which certificates its servers may have
//!     version.rs       name and version
//! ```

mod descriptor;
mod node_policy;
mod rules;
mod template_def;
mod text;
pub mod version;

use magnum_core::StackDriver;

pub use template_def::SwarmFedoraAtomic;

/// The driver for Docker Swarm on Fedora Atomic.
///
/// ```
/// use magnum_core::ClusterDriver;
/// let driver = magnum_drivers::swarm_fedora_atomic();
/// assert_eq!(driver.descriptor().provides[0].to_string(), "(vm, fedora-atomic, swarm)");
/// ```
#[must_use]
pub fn swarm_fedora_atomic() -> StackDriver<SwarmFedoraAtomic> {
    StackDriver::new(SwarmFedoraAtomic::new())
}
