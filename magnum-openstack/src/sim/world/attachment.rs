//! Cinder and Nova: volumes on servers.

use jiff::Timestamp;

use super::volume::{Volume, not_found};
use super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

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
    /// When the server has it.
    pub ready_at: Timestamp,
    /// When it is detached, if that was asked for.
    pub gone_at: Option<Timestamp>,
}

impl Attachment {
    /// The volume's status while it has this attachment; `None` when it is over.
    pub(super) fn status(&self, now: Timestamp) -> Option<&'static str> {
        match self.gone_at {
            Some(at) if at <= now => None,
            Some(_) => Some("detaching"),
            None if self.ready_at > now => Some("attaching"),
            None => Some("in-use"),
        }
    }
}

impl World {
    /// Attaches a volume to a server, which has it at [`Attachment::ready_at`]; returns the attachment.
    ///
    /// # Errors
    /// `VolumeNotFound`, `InstanceNotFound` (404); `InstanceInvalidState` (409) unless the server runs;
    /// `InvalidVolume` (400) unless the volume is available.
    pub fn attach_volume(&mut self, id: &str, server_id: &str) -> ApiResult<Attachment> {
        let now = self.now();
        let server = self.find_server(server_id)?;
        let state = match server.status(now) {
            "ACTIVE" => None,
            "ERROR" => Some("error"),
            _ => Some("building"),
        };
        if let Some(state) = state {
            return Err(ApiFault::conflict(
                "InstanceInvalidState",
                format!("Cannot 'attach_volume' instance {server_id} while it is in vm_state {state}"),
            ));
        }
        let volume = self.find_volume(id)?;
        let status = volume.status(now);
        if status != "available" {
            return Err(ApiFault::bad_request(
                "InvalidVolume",
                format!("Invalid volume: volume {id} status must be 'available'. Currently in '{status}'"),
            ));
        }
        let ready_at = self.ready_at("OS::Cinder::VolumeAttachment", &volume.name);
        let taken: Vec<&str> = self
            .volumes
            .volumes()
            .filter_map(|v| v.attachment.as_ref())
            .filter(|attachment| attachment.server_id == server_id && attachment.status(now).is_some())
            .map(|attachment| attachment.device.as_str())
            .collect();
        // The first disk is the server's own.
        let device = ('b'..='z')
            .map(|letter| format!("/dev/vd{letter}"))
            .find(|device| !taken.contains(&device.as_str()))
            .unwrap_or_else(|| "/dev/vdz".to_owned());
        let attachment = Attachment {
            id: self.new_uuid(),
            server_id: server_id.to_owned(),
            device,
            delete_on_termination: false,
            ready_at,
            gone_at: None,
        };
        if let Some(volume) = self.volumes.volumes.get_mut(id) {
            volume.attachment = Some(attachment.clone());
        }
        Ok(attachment)
    }

    /// Takes a volume off its server, which takes a while. One that is not attached stays as it is.
    ///
    /// # Errors
    /// `VolumeNotFound` (404).
    pub fn detach_volume(&mut self, id: &str) -> ApiResult<()> {
        let name = self.find_volume(id)?.name.clone();
        let gone_at = self.ready_at("OS::Cinder::VolumeAttachment", &name);
        let volume = self.volumes.volumes.get_mut(id).ok_or_else(|| not_found(id))?;
        if let Some(attachment) = &mut volume.attachment {
            attachment.gone_at.get_or_insert(gone_at);
        }
        self.reap_attachments();
        Ok(())
    }

    /// Ends the attachments whose time has come.
    pub(crate) fn reap_attachments(&mut self) {
        let now = self.now();
        for volume in self.volumes.volumes.values_mut() {
            if volume
                .attachment
                .as_ref()
                .is_some_and(|attachment| attachment.status(now).is_none())
            {
                volume.attachment = None;
            }
        }
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
