//! Name and version of the driver in this directory.

/// The driver's name.
pub const DRIVER: &str = "swarm_fedora_atomic";

/// The driver's version.
pub const VERSION: &str = "1.0.0";
