//! `OS::Cinder::VolumeAttachment`.

use serde_json::{Map, Value};

use super::text;
use super::volume::{soon, unknown_status, volume_of};
use crate::sim::heat::plugin::{Failure, Operation, Plugin, Step, Update, failure};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::Constraint;

#[derive(Debug)]
pub(crate) struct VolumeAttachment;

/// Asks Nova to attach a volume.
pub(super) fn attach(op: &mut Operation<'_>, volume: &str, server: &str) -> Result<Step, Failure> {
    match op.world.attach_volume(volume, server) {
        Ok(attachment) => Ok(Step::Until(attachment.ready_at)),
        Err(fault) => {
            let reason = op.nova(&fault).text;
            let text = format!("Failed to attach volume {volume} to server {server} - {reason}");
            Err(failure("Error", text))
        }
    }
}

/// Looks whether a volume is attached.
pub(super) fn look(op: &mut Operation<'_>, volume: &str) -> Result<Step, Failure> {
    let volume = volume_of(op, volume)?;
    match volume.status(op.world.now()) {
        "in-use" => Ok(Step::Done),
        "attaching" => {
            let ready_at = volume.attachment.map(|a| a.ready_at);
            Ok(Step::Until(ready_at.unwrap_or_else(|| soon(op.world))))
        }
        "available" => Ok(Step::Until(soon(op.world))),
        other => Err(unknown_status("Volume attachment failed", other)),
    }
}

/// Asks Nova to detach a volume; that it is not on this server is success.
fn detach(op: &mut Operation<'_>, volume: &str, server: &str) -> Result<Step, Failure> {
    let here = op.world.find_volume(volume).is_ok_and(|v| {
        v.attachment
            .as_ref()
            .is_some_and(|attachment| attachment.server_id == server)
    });
    if here {
        op.world.detach_volume(volume).map_err(|e| op.nova(&e))?;
    }
    look_detached(op, volume)
}

/// Looks whether a volume is free.
fn look_detached(op: &mut Operation<'_>, volume: &str) -> Result<Step, Failure> {
    let Ok(volume) = op.world.find_volume(volume).cloned() else {
        return Ok(Step::Done);
    };
    match volume.status(op.world.now()) {
        "available" => Ok(Step::Done),
        "in-use" | "detaching" | "attaching" => {
            let gone_at = volume.attachment.and_then(|a| a.gone_at);
            Ok(Step::Until(gone_at.unwrap_or_else(|| soon(op.world))))
        }
        other => Err(unknown_status("Volume detachment failed", other)),
    }
}

fn ends(properties: &Map<String, Value>) -> (String, String) {
    (
        text(properties, "volume_id").unwrap_or_default(),
        text(properties, "instance_uuid").unwrap_or_default(),
    )
}

impl Plugin for VolumeAttachment {
    fn kind(&self) -> &'static str {
        "OS::Cinder::VolumeAttachment"
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("instance_uuid").required().updatable(),
            Prop::text("volume_id")
                .required()
                .constrained(Constraint::custom("cinder.volume"))
                .updatable(),
            Prop::text("mountpoint").updatable(),
        ]
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let (volume, server) = ends(&op.properties()?);
        let step = attach(op, &volume, &server)?;
        // Nova calls an attachment by its volume.
        op.set_physical_id(volume);
        Ok(step)
    }

    fn poll_create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let (volume, _) = ends(&op.properties()?);
        look(op, &volume)
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        before: &Map<String, Value>,
        changed: &[String],
    ) -> Result<Update, Failure> {
        if changed.is_empty() {
            return Ok(Update::InPlace(Step::Done));
        }
        let (volume, server) = ends(before);
        op.keep("leaves", volume.clone());
        match detach(op, &volume, &server)? {
            Step::Done => self.poll_update(op).map(Update::InPlace),
            step => Ok(Update::InPlace(step)),
        }
    }

    fn poll_update(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let (volume, server) = ends(&op.properties()?);
        let Some(leaves) = op.resource()?.data_text("leaves").map(str::to_owned) else {
            return look(op, &volume);
        };
        match look_detached(op, &leaves)? {
            Step::Done => {
                op.change(|r| drop(r.data.remove("leaves")));
                let step = attach(op, &volume, &server)?;
                op.set_physical_id(volume);
                Ok(step)
            }
            step => Ok(step),
        }
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        let (_, server) = ends(&op.properties()?);
        detach(op, &id, &server)
    }

    fn poll_delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let id = op.physical_id()?.unwrap_or_default();
        look_detached(op, &id)
    }
}
