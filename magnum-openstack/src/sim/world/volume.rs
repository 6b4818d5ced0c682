//! Cinder: volumes and what they are attached to.

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use super::attachment::Attachment;
use super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// The type of volumes that ask for none.
pub const DEFAULT_TYPE: &str = "__DEFAULT__";

/// What Cinder knows.
#[derive(Debug, Default)]
pub struct Volumes {
    pub(crate) volumes: BTreeMap<String, Volume>,
    /// Names of types by identifier, without the one that is always there.
    pub(crate) types: BTreeMap<String, String>,
    /// Limits by project and resource; what is not here has Cinder's default.
    pub(crate) quotas: BTreeMap<(String, String), i64>,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Owner.
    pub project_id: String,
    /// Size in GiB.
    pub size_gib: u64,
    /// The image it was made from.
    pub image_id: Option<String>,
    /// Its type.
    pub volume_type: Option<String>,
    /// Key-value metadata.
    pub metadata: BTreeMap<String, String>,
    /// Where it is.
    pub availability_zone: String,
    /// Until when it is busy.
    pub ready_at: Timestamp,
    /// What it is busy with: `creating` or `extending`.
    pub busy_with: &'static str,
    /// Where it is attached.
    pub attachment: Option<Attachment>,
    /// Why it ends in error.
    pub fails_with: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// A volume to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeSpec {
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Size in GiB.
    pub size_gib: u64,
    /// Identifier of an image to make it from.
    pub image_id: Option<String>,
    /// Its type.
    pub volume_type: Option<String>,
    /// Key-value metadata.
    pub metadata: BTreeMap<String, String>,
    /// Where; `None` means `nova`.
    pub availability_zone: Option<String>,
    /// The reason for which it ends in error, from [`World::resource_failure`].
    pub fails_with: Option<String>,
}

/// Cinder's default limits.
const DEFAULTS: &[(&str, i64)] = &[("gigabytes", 1000), ("volumes", 10)];

impl Volumes {
    /// All volumes.
    pub fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.volumes.values()
    }
}

impl World {
    /// The limit of a project for `volumes` or `gigabytes`. -1 is no limit.
    #[must_use]
    pub fn volume_quota(&self, project: &str, resource: &str) -> i64 {
        let key = (project.to_owned(), resource.to_owned());
        let default = DEFAULTS
            .iter()
            .find(|(name, _)| *name == resource)
            .map_or(-1, |(_, limit)| *limit);
        self.volumes.quotas.get(&key).copied().unwrap_or(default)
    }

    /// Whether Cinder knows a quota by this name.
    #[must_use]
    pub fn is_volume_quota(resource: &str) -> bool {
        DEFAULTS.iter().any(|(name, _)| *name == resource)
    }

    /// How many `volumes` or `gigabytes` a project has.
    #[must_use]
    pub fn volume_usage(&self, project: &str, resource: &str) -> i64 {
        let own = self
            .volumes
            .volumes()
            .filter(|volume| volume.project_id == project);
        let used: u64 = match resource {
            "gigabytes" => own.map(|volume| volume.size_gib).sum(),
            _ => own.count() as u64,
        };
        i64::try_from(used).unwrap_or(i64::MAX)
    }

    /// Creates a volume.
    ///
    /// # Errors
    /// `VolumeLimitExceeded` or `VolumeSizeExceedsAvailableQuota` (413); 400 for an image that is not there;
    /// `VolumeTypeNotFoundByName` (404).
    pub fn create_volume(&mut self, project: &str, spec: VolumeSpec) -> ApiResult<Volume> {
        if let Some(image) = &spec.image_id {
            self.find_image(project, image).map_err(|_| {
                ApiFault::bad_request(
                    "BadRequest",
                    "Invalid image identifier or unable to access requested image.",
                )
            })?;
        }
        let wanted = spec.volume_type.as_deref().unwrap_or(DEFAULT_TYPE);
        let volume_type = self.resolve_volume_type(wanted)?;
        let limit = self.volume_quota(project, "volumes");
        if limit >= 0 && self.volume_usage(project, "volumes") >= limit {
            return Err(ApiFault::new(
                413,
                "VolumeLimitExceeded",
                format!(
                    "VolumeLimitExceeded: Maximum number of volumes allowed ({limit}) exceeded for quota \
                     'volumes'."
                ),
            ));
        }
        self.check_gigabytes(project, spec.size_gib)?;
        let volume = Volume {
            id: self.new_uuid(),
            ready_at: self.ready_at("OS::Cinder::Volume", &spec.name),
            created_at: self.now(),
            busy_with: "creating",
            name: spec.name,
            description: spec.description,
            project_id: project.to_owned(),
            size_gib: spec.size_gib,
            image_id: spec.image_id,
            volume_type: Some(volume_type),
            metadata: spec.metadata,
            availability_zone: spec.availability_zone.unwrap_or_else(|| "nova".to_owned()),
            attachment: None,
            fails_with: spec.fails_with,
        };
        self.volumes.volumes.insert(volume.id.clone(), volume.clone());
        Ok(volume)
    }

    /// Refuses gigabytes beyond the project's limit.
    fn check_gigabytes(&self, project: &str, wanted: u64) -> ApiResult<()> {
        let limit = self.volume_quota(project, "gigabytes");
        let used = self.volume_usage(project, "gigabytes");
        let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
        if limit >= 0 && used.saturating_add(wanted) > limit {
            return Err(ApiFault::new(
                413,
                "VolumeSizeExceedsAvailableQuota",
                format!(
                    "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes \
                     quota. Requested {wanted}G, quota is {limit}G and {used}G has been consumed."
                ),
            ));
        }
        Ok(())
    }

    /// The name of a volume type given by name or identifier.
    ///
    /// # Errors
    /// `VolumeTypeNotFoundByName` (404).
    pub fn resolve_volume_type(&self, name_or_id: &str) -> ApiResult<String> {
        let types = &self.volumes.types;
        if name_or_id == DEFAULT_TYPE || types.values().any(|name| name == name_or_id) {
            return Ok(name_or_id.to_owned());
        }
        types.get(name_or_id).cloned().ok_or_else(|| {
            ApiFault::not_found(
                "VolumeTypeNotFoundByName",
                format!("Volume type with name {name_or_id} could not be found."),
            )
        })
    }

    /// Makes a volume larger; it is busy until [`Volume::ready_at`] of the answer.
    ///
    /// # Errors
    /// `VolumeNotFound` (404); `InvalidVolume` (400) unless it is available; 413 as
    /// [`World::create_volume`].
    pub fn extend_volume(
        &mut self,
        id: &str,
        size_gib: u64,
        fails_with: Option<String>,
    ) -> ApiResult<Volume> {
        let volume = self.find_volume(id)?.clone();
        let status = volume.status(self.now());
        if status != "available" {
            return Err(ApiFault::bad_request(
                "InvalidVolume",
                format!(
                    "Invalid volume: Volume {id} status must be '{{'available'}}' to extend, currently {status}."
                ),
            ));
        }
        self.check_gigabytes(&volume.project_id, size_gib.saturating_sub(volume.size_gib))?;
        let ready_at = self.ready_at("OS::Cinder::Volume", &volume.name);
        let Some(volume) = self.volumes.volumes.get_mut(id) else {
            return Err(not_found(id));
        };
        volume.ready_at = ready_at;
        volume.busy_with = "extending";
        volume.fails_with = fails_with;
        if volume.fails_with.is_none() {
            volume.size_gib = size_gib;
        }
        Ok(volume.clone())
    }

    /// A volume.
    ///
    /// # Errors
    /// `VolumeNotFound` (404).
    pub fn find_volume(&self, id: &str) -> ApiResult<&Volume> {
        self.volumes.volumes.get(id).ok_or_else(|| not_found(id))
    }

    /// Deletes a volume.
    ///
    /// # Errors
    /// `VolumeNotFound` (404); `InvalidVolume` (400) unless it is available or failed.
    pub fn delete_volume(&mut self, id: &str) -> ApiResult<()> {
        let status = self.find_volume(id)?.status(self.now());
        if !matches!(status, "available" | "error" | "error_extending") {
            return Err(ApiFault::bad_request(
                "InvalidVolume",
                "Invalid volume: Volume status must be available or error or error_restoring or \
                 error_extending or error_managing and must not be migrating, attached, belong to a group, \
                 have snapshots, awaiting a transfer, or be disassociated from snapshots after volume \
                 transfer.",
            ));
        }
        self.volumes.volumes.remove(id);
        Ok(())
    }
}

impl Volume {
    /// `creating`, `extending`, `available`, `attaching`, `in-use`, `detaching`, `error` or `error_extending`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> &'static str {
        if self.ready_at > now {
            return self.busy_with;
        }
        if self.fails_with.is_some() {
            return if self.busy_with == "extending" {
                "error_extending"
            } else {
                "error"
            };
        }
        match &self.attachment {
            None => "available",
            Some(attachment) => attachment.status(now).unwrap_or("available"),
        }
    }
}

pub(super) fn not_found(id: &str) -> ApiFault {
    ApiFault::not_found("VolumeNotFound", format!("Volume {id} could not be found."))
}
