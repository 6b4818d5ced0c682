//! Docker hosts on Ubuntu: the smallest driver, and the one to begin with when writing another.
//!
//! It is not a true cluster. Each node is a server of its own with Docker, protected by TLS; nothing
//! connects them. There is no master: the first host is the cluster's endpoint.
//!
//! ```text
//! docker_ubuntu/
//!     image/           how to get an image
//!     templates/       cluster.yaml, node.yaml and node.sh
//!     mod.rs           the driver
//!     template_def.rs  what the stack is and what goes into it
//!     version.rs       name and version
//! ```

mod template_def;
pub mod version;

use magnum_core::StackDriver;

pub use template_def::DockerUbuntu;

/// The driver for Docker on Ubuntu.
///
/// ```
/// use magnum_core::ClusterDriver;
/// let driver = magnum_drivers::docker_ubuntu();
/// assert_eq!(driver.descriptor().provides[0].to_string(), "(vm, ubuntu, docker)");
/// ```
#[must_use]
pub fn docker_ubuntu() -> StackDriver<DockerUbuntu> {
    StackDriver::new(DockerUbuntu::new())
}
