//! Cinder: volumes and what they are attached to.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// What Cinder knows.
#[derive(Debug, Default)]
pub struct Volumes {
    pub(crate) volumes: BTreeMap<String, Volume>,
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
    /// When it is available.
    pub ready_at: Timestamp,
    /// Where it is attached.
    pub attachment: Option<Attachment>,
    /// Why it ends in error.
    pub fails_with: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// Where a volume is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Identifier.
    pub id: String,
    /// The server.
    pub server_id: String,
    /// The device there, such as `/dev/vdb`.
    pub device: String,
    /// Whether the volume goes with the server.
    pub delete_on_termination: bool,
}

/// A volume to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeSpec {
    /// Name.
    pub name: String,
    /// Size in GiB.
    pub size_gib: u64,
    /// Identifier of an image to make it from.
    pub image_id: Option<String>,
    /// Its type.
    pub volume_type: Option<String>,
    /// Key-value metadata.
    pub metadata: BTreeMap<String, String>,
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
    /// `VolumeLimitExceeded` or `VolumeSizeExceedsAvailableQuota` (413); 400 for an image that is not there.
    pub fn create_volume(&mut self, project: &str, spec: VolumeSpec) -> ApiResult<Volume> {
        if let Some(image) = &spec.image_id {
            self.find_image(project, image).map_err(|_| {
                ApiFault::bad_request(
                    "BadRequest",
                    "Invalid image identifier or unable to access requested image.",
                )
            })?;
        }
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
        let limit = self.volume_quota(project, "gigabytes");
        let used = self.volume_usage(project, "gigabytes");
        let wanted = i64::try_from(spec.size_gib).unwrap_or(i64::MAX);
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
        let volume = Volume {
            id: self.new_uuid(),
            ready_at: self.ready_at("OS::Cinder::Volume", &spec.name),
            created_at: self.now(),
            name: spec.name,
            project_id: project.to_owned(),
            size_gib: spec.size_gib,
            image_id: spec.image_id,
            volume_type: spec.volume_type,
            metadata: spec.metadata,
            attachment: None,
            fails_with: spec.fails_with,
        };
        self.volumes.volumes.insert(volume.id.clone(), volume.clone());
        Ok(volume)
    }

    /// A volume.
    ///
    /// # Errors
    /// `VolumeNotFound` (404).
    pub fn find_volume(&self, id: &str) -> ApiResult<&Volume> {
        self.volumes.volumes.get(id).ok_or_else(|| not_found(id))
    }

    /// Attaches a volume to a server; returns the attachment.
    ///
    /// # Errors
    /// `VolumeNotFound`, `InstanceNotFound` (404); `InvalidVolume` (400) unless it is available.
    pub fn attach_volume(&mut self, id: &str, server_id: &str) -> ApiResult<Attachment> {
        self.find_server(server_id)?;
        let status = self.find_volume(id)?.status(self.now());
        if status != "available" {
            return Err(ApiFault::bad_request(
                "InvalidVolume",
                format!("Invalid volume: volume {id} status must be 'available'. Currently in '{status}'"),
            ));
        }
        let attached = self.volumes.volumes().filter_map(|v| v.attachment.as_ref());
        let count = attached
            .filter(|attachment| attachment.server_id == server_id)
            .count();
        let letter = u8::try_from(count)
            .ok()
            .and_then(|n| b'b'.checked_add(n))
            .map_or('z', char::from);
        let attachment = Attachment {
            id: self.new_uuid(),
            server_id: server_id.to_owned(),
            device: format!("/dev/vd{letter}"),
            delete_on_termination: false,
        };
        if let Some(volume) = self.volumes.volumes.get_mut(id) {
            volume.attachment = Some(attachment.clone());
        }
        Ok(attachment)
    }

    /// Takes a volume off its server. One that is not attached stays as it is.
    ///
    /// # Errors
    /// `VolumeNotFound` (404).
    pub fn detach_volume(&mut self, id: &str) -> ApiResult<()> {
        let volume = self.volumes.volumes.get_mut(id).ok_or_else(|| not_found(id))?;
        volume.attachment = None;
        Ok(())
    }

    /// Deletes a volume.
    ///
    /// # Errors
    /// `VolumeNotFound` (404); `InvalidVolume` (400) unless it is available or failed.
    pub fn delete_volume(&mut self, id: &str) -> ApiResult<()> {
        let status = self.find_volume(id)?.status(self.now());
        if !matches!(status, "available" | "error") {
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

    /// Frees the volumes of a server that is gone.
    pub(crate) fn release_volumes(&mut self, server_id: &str) {
        let is_here = |volume: &Volume| {
            volume
                .attachment
                .as_ref()
                .is_some_and(|attachment| attachment.server_id == server_id)
        };
        self.volumes.volumes.retain(|_, volume| {
            !is_here(volume)
                || volume
                    .attachment
                    .as_ref()
                    .is_none_or(|a| !a.delete_on_termination)
        });
        for volume in self.volumes.volumes.values_mut() {
            if is_here(volume) {
                volume.attachment = None;
            }
        }
    }
}

impl Volume {
    /// `creating`, `available`, `in-use` or `error`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> &'static str {
        if self.ready_at > now {
            "creating"
        } else if self.fails_with.is_some() {
            "error"
        } else if self.attachment.is_some() {
            "in-use"
        } else {
            "available"
        }
    }
}

fn not_found(id: &str) -> ApiFault {
    ApiFault::not_found("VolumeNotFound", format!("Volume {id} could not be found."))
}
