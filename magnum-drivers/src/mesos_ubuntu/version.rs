//! Name and version of the driver in this directory.

/// The driver's name.
pub const DRIVER: &str = "mesos_ubuntu";

/// The driver's version.
pub const VERSION: &str = "1.0.0";
