//! Flavors.

use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// A flavor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flavor {
    /// Identifier.
    pub id: String,
    /// Name; unique.
    pub name: String,
    /// Memory in MiB.
    pub ram_mib: u64,
    /// Virtual processors.
    pub vcpus: u64,
    /// Root disk in GiB.
    pub disk_gib: u64,
}

impl World {
    /// A flavor by identifier.
    ///
    /// # Errors
    /// `FlavorNotFound` (404).
    pub fn find_flavor(&self, id: &str) -> ApiResult<&Flavor> {
        self.compute.flavors.get(id).ok_or_else(|| flavor_not_found(id))
    }

    /// A flavor by identifier or name.
    ///
    /// # Errors
    /// `FlavorNotFound` (404).
    pub fn resolve_flavor(&self, name_or_id: &str) -> ApiResult<&Flavor> {
        self.compute
            .flavors
            .get(name_or_id)
            .or_else(|| self.compute.flavors.values().find(|f| f.name == name_or_id))
            .ok_or_else(|| flavor_not_found(name_or_id))
    }
}

fn flavor_not_found(id: &str) -> ApiFault {
    ApiFault::not_found("FlavorNotFound", format!("Flavor {id} could not be found."))
}
