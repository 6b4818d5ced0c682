//! The drivers of a host as an operator lists them.

use super::DriverDescriptor;
use crate::model::ServerType;

/// A driver, and one of the kinds of cluster that it makes.
///
/// ```
/// use magnum_core::{ClusterType, DriverDescriptor, DriverEntry, ServerType};
/// let kinds = ["ubuntu", "debian"].map(|os| ClusterType::new(ServerType::Vm, os, "docker"));
/// let entries = DriverEntry::of(&DriverDescriptor::new("docker", "1.0.0", kinds.to_vec()));
/// assert_eq!(entries.iter().map(|entry| entry.os.as_str()).collect::<Vec<_>>(), ["ubuntu", "debian"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverEntry {
    /// The driver's name.
    pub name: String,
    /// The driver's version.
    pub version: String,
    /// Virtual or bare metal.
    pub server_type: ServerType,
    /// The image's `os_distro`.
    pub os: String,
    /// The container orchestration engine.
    pub coe: String,
    /// Where the driver's top template is, if it has one.
    pub template_path: Option<String>,
}

impl DriverEntry {
    /// One entry for each kind of cluster that a driver makes.
    #[must_use]
    pub fn of(driver: &DriverDescriptor) -> Vec<Self> {
        let entry = |kind: &super::ClusterType| Self {
            name: driver.name.clone(),
            version: driver.version.clone(),
            server_type: kind.server_type,
            os: kind.os.clone(),
            coe: kind.coe.clone(),
            template_path: driver.template_path.clone(),
        };
        driver.provides.iter().map(entry).collect()
    }
}
