//! Glance: images.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// What Glance knows.
#[derive(Debug, Default)]
pub struct Images {
    pub(crate) images: BTreeMap<String, Image>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: String,
    /// Owner.
    pub project_id: String,
    /// Whether every project sees it.
    pub public: bool,
    /// `active`, `queued`, `deactivated`, …
    pub status: String,
    /// Least root disk in GiB.
    pub min_disk_gib: u64,
    /// Least memory in MiB.
    pub min_ram_mib: u64,
    /// Properties, such as `os_distro`. Glance shows them beside the fields.
    pub properties: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Images {
    /// All images.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.images.values()
    }
}

impl Image {
    /// Whether a project sees it.
    #[must_use]
    pub fn is_visible_to(&self, project: &str) -> bool {
        self.public || self.project_id == project
    }
}

impl World {
    /// An image that a project sees.
    ///
    /// # Errors
    /// `ImageNotFound` (404).
    pub fn find_image(&self, project: &str, id: &str) -> ApiResult<&Image> {
        self.images
            .images
            .get(id)
            .filter(|image| image.is_visible_to(project))
            .ok_or_else(|| image_not_found(id))
    }

    /// An image that a project sees, by identifier or name.
    ///
    /// # Errors
    /// `ImageNotFound` (404), or `NoUniqueMatch` (409) for a name that several have.
    pub fn resolve_image(&self, project: &str, name_or_id: &str) -> ApiResult<&Image> {
        if let Ok(image) = self.find_image(project, name_or_id) {
            return Ok(image);
        }
        let mut named = self
            .images
            .images
            .values()
            .filter(|i| i.name == name_or_id && i.is_visible_to(project));
        match (named.next(), named.next()) {
            (Some(image), None) => Ok(image),
            (Some(_), Some(_)) => Err(ApiFault::conflict(
                "NoUniqueMatch",
                format!("No image unique match found for {name_or_id}."),
            )),
            _ => Err(image_not_found(name_or_id)),
        }
    }
}

fn image_not_found(id: &str) -> ApiFault {
    ApiFault::not_found("ImageNotFound", format!("No image found with ID {id}"))
}
