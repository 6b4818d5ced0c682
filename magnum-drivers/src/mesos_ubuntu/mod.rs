//! Mesos with ZooKeeper and Marathon on Ubuntu.
//!
//! Masters, behind a load balancer or not, share out what slaves have; Marathon on the masters runs containers on them.
//! Nothing of it can be protected by TLS.
//!
//! ```text
//! mesos_ubuntu/
//!     image/           elements and a Dockerfile to build an image
//!     templates/       mesoscluster.yaml and what it nests, mesosmaster.sh and mesosslave.sh
//!     mod.rs           the driver
//!     descriptor.rs    what it is and can do
//!     notes.md         what its users should know beside that
//!     rules.rs         what goes together and what does not
//!     template_def.rs  what the stack is and what goes into it
//!     text.rs          its templates and scripts
//!     version.rs       name and version
//! ```

mod descriptor;
mod rules;
mod template_def;
mod text;
pub mod version;

use magnum_core::StackDriver;

pub use template_def::MesosUbuntu;

/// The driver for Mesos on Ubuntu.
///
/// ```
/// use magnum_core::ClusterDriver;
/// let driver = magnum_drivers::mesos_ubuntu();
/// assert_eq!(driver.descriptor().provides[0].to_string(), "(vm, ubuntu, mesos)");
/// ```
#[must_use]
pub fn mesos_ubuntu() -> StackDriver<MesosUbuntu> {
    StackDriver::new(MesosUbuntu::new())
}
