//! `OS::Cinder::Volume`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{names, text};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View, failure};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, ErrorKind, HeatError, dumps, py_repr, py_str};
use crate::sim::volume_api::show_volume;
use crate::sim::world::World;
use crate::sim::world::volume::VolumeSpec;

#[derive(Debug)]
pub(crate) struct Volume;

/// A thing in a status that an operation does not expect.
pub(super) fn unknown_status(result: &str, status: &str) -> Failure {
    failure(
        "ResourceUnknownStatus",
        format!("{result} - Unknown status {status} due to \"Unknown\""),
    )
}

/// A thing that went to its error status: the client gives no reason, so Heat has none.
pub(super) fn in_error(status: &str) -> Failure {
    failure(
        "ResourceInError",
        format!("Went to status {status} due to \"Unknown\""),
    )
}

/// When Heat looks again at something that has no time of its own.
pub(super) fn soon(world: &World) -> Timestamp {
    world
        .now()
        .checked_add(std::time::Duration::from_secs(1))
        .unwrap_or(Timestamp::MAX)
}

fn given(properties: &Map<String, Value>, key: &str) -> bool {
    properties.get(key).is_some_and(|v| !v.is_null() && v != "")
}

fn size(properties: &Map<String, Value>) -> Option<u64> {
    properties.get("size").and_then(Value::as_u64)
}

fn metadata(properties: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut metadata: BTreeMap<String, String> = properties
        .get("metadata")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), py_str(value)))
        .collect();
    // Cinder keeps this beside what the user gave.
    if let Some(flag @ Value::Bool(_)) = properties.get("read_only") {
        metadata.insert("readonly".to_owned(), py_str(flag));
    }
    metadata
}

/// The image to make a volume from, under its present or its former name.
fn image(properties: &Map<String, Value>) -> Option<String> {
    super::first_text(properties, &["image", "imageRef"])
}

/// The volume behind an operation.
pub(super) fn volume_of(
    op: &mut Operation<'_>,
    id: &str,
) -> Result<crate::sim::world::volume::Volume, Failure> {
    op.world.find_volume(id).cloned().map_err(|e| op.cinder(&e))
}

/// Where an extension of a volume is: a volume in use is taken off its server, made larger, and put back.
impl Volume {
    fn begin_to_extend(op: &mut Operation<'_>, id: &str) -> Result<Step, Failure> {
        let volume = volume_of(op, id)?;
        if let Some(attachment) = &volume.attachment {
            op.keep("server", attachment.server_id.clone());
            op.world.detach_volume(id).map_err(|e| op.cinder(&e))?;
        }
        op.keep("phase", "detach");
        Self::extend(op)
    }

    fn extend(op: &mut Operation<'_>) -> Result<Step, Failure> {
        let (id, properties) = (op.physical_id()?.unwrap_or_default(), op.properties()?);
        let now = op.world.now();
        let volume = volume_of(op, &id)?;
        let phase = op.resource()?.data_text("phase").unwrap_or_default().to_owned();
        let status = volume.status(now);
        match (phase.as_str(), status) {
            ("detach", "available") => {
                let name = op.resource()?.name.clone();
                let fails_with = op.world.resource_failure("OS::Cinder::Volume", &name);
                let wanted = size(&properties).unwrap_or(volume.size_gib);
                let extended = op.world.extend_volume(&id, wanted, fails_with).map_err(|e| {
                    let reason = op.cinder(&e).text;
                    failure("Error", format!("Failed to extend volume {id} - {reason}"))
                })?;
                op.keep("phase", "extend");
                Ok(Step::Until(extended.ready_at))
            }
            ("detach", _) => {
                let gone_at = volume.attachment.and_then(|a| a.gone_at);
                Ok(Step::Until(gone_at.unwrap_or_else(|| soon(op.world))))
            }
            ("extend", "extending") => Ok(Step::Until(volume.ready_at)),
            ("extend", "available") => {
                let Some(server) = op.resource()?.data_text("server").map(str::to_owned) else {
                    op.change(|r| drop(r.data.remove("phase")));
                    return Ok(Step::Done);
                };
                op.change(|r| drop(r.data.remove("server")));
                op.keep("phase", "attach");
                super::volume_attachment::attach(op, &id, &server)
            }
            ("extend", other) => Err(unknown_status("Volume resize failed", other)),
            ("attach", _) => super::volume_attachment::look(op, &id),
            _ => Ok(Step::Done),
        }
    }

    fn check_sources(properties: &Map<String, Value>) -> Result<(), HeatError> {
        let sources: Vec<Value> = ["snapshot_id", "source_volid", "image", "imageRef"]
            .into_iter()
            .filter(|key| given(properties, key))
            .map(Value::from)
            .collect();
        let with_size = sources
            .iter()
            .filter(|s| **s == "snapshot_id" || **s == "source_volid")
            .count();
        let options = py_repr(&Value::Array(sources.clone()));
        if size(properties).is_none() && (with_size != 1 || sources.len() != 1) {
            return Err(HeatError::validation(format!(
                "If neither \"backup_id\" nor \"size\" is provided, one and only one of \"source_volid\", \
                 \"snapshot_id\" must be specified, but currently specified options: {options}."
            )));
        }
        if size(properties).is_some_and(|size| size > 0) && sources.len() > 1 {
            return Err(HeatError::validation(format!(
                "If \"size\" is provided, only one of \"image\", \"imageRef\", \"source_volid\", \
                 \"snapshot_id\" can be specified, but currently specified options: {options}."
            )));
        }
        Ok(())
    }
}

impl Plugin for Volume {
    fn kind(&self) -> &'static str {
        "OS::Cinder::Volume"
    }

    fn fails_itself(&self) -> bool {
        true
    }

    fn properties(&self) -> Vec<Prop> {
        let exists = |name: &str, kind: &str| Prop::text(name).constrained(Constraint::custom(kind));
        vec![
            Prop::text("availability_zone"),
            Prop::integer("size")
                .constrained(Constraint::range(Some(1), None))
                .updatable(),
            exists("snapshot_id", "cinder.snapshot"),
            exists("backup_id", "cinder.backup").updatable(),
            Prop::text("name").updatable(),
            Prop::text("description").updatable(),
            exists("volume_type", "cinder.vtype").updatable(),
            Prop::map("metadata").default(json!({})).updatable(),
            Prop::text("imageRef"),
            exists("image", "glance.image"),
            exists("source_volid", "cinder.volume"),
            Prop::map("scheduler_hints"),
            Prop::boolean("read_only").updatable(),
            Prop::boolean("multiattach").default(false),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&[
            "availability_zone",
            "size",
            "snapshot_id",
            "display_name",
            "display_description",
            "volume_type",
            "metadata",
            "source_volid",
            "status",
            "created_at",
            "bootable",
            "metadata_values",
            "encrypted",
            "attachments",
            "attachments_list",
            "multiattach",
        ])
    }

    fn validate(&self, properties: &Map<String, Value>) -> Result<(), HeatError> {
        if given(properties, "image") && given(properties, "imageRef") {
            return Err(HeatError::new(
                ErrorKind::ResourcePropertyConflict,
                "Cannot define the following properties at the same time: image, imageRef.",
            ));
        }
        if given(properties, "backup_id") {
            return Ok(());
        }
        Self::check_sources(properties)
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let (properties, project) = (op.properties()?, op.project()?);
        let resource_name = op.resource()?.name.clone();
        let image_id = match image(&properties) {
            Some(wanted) => Some(
                op.world
                    .resolve_image(&project, &wanted)
                    .map(|i| i.id.clone())
                    .map_err(|e| op.cinder(&e))?,
            ),
            None => None,
        };
        let source_size = match text(&properties, "source_volid") {
            Some(source) => volume_of(op, &source)?.size_gib,
            None => 0,
        };
        let name = match text(&properties, "name") {
            Some(name) => name,
            None => op.physical_name()?,
        };
        let spec = VolumeSpec {
            name,
            description: text(&properties, "description"),
            size_gib: size(&properties).unwrap_or(source_size),
            image_id,
            volume_type: text(&properties, "volume_type"),
            metadata: metadata(&properties),
            availability_zone: text(&properties, "availability_zone"),
            fails_with: op.world.resource_failure("OS::Cinder::Volume", &resource_name),
        };
        let volume = op
            .world
            .create_volume(&project, spec)
            .map_err(|e| op.cinder(&e))?;
        op.set_physical_id(volume.id);
        Ok(Step::Until(volume.ready_at))
    }

    fn poll_create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let id = op.physical_id()?.unwrap_or_default();
        let volume = volume_of(op, &id)?;
        match volume.status(op.world.now()) {
            "available" => Ok(Step::Done),
            "creating" => Ok(Step::Until(volume.ready_at)),
            "error" => Err(in_error("error")),
            other => Err(unknown_status("Volume create failed", other)),
        }
    }

    fn replaced_when_failed(&self, view: &View<'_>) -> bool {
        let found = view.found(World::find_volume);
        found.is_none_or(|volume| volume.status(view.world.now()) == "error")
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        changed: &[String],
    ) -> Result<Update, Failure> {
        let (id, properties) = (op.physical_id()?, op.properties()?);
        let Some(id) = id else { return Ok(Update::Replace) };
        let has = |key: &str| changed.iter().any(|c| c == key);
        let volume_type = match text(&properties, "volume_type").filter(|_| has("volume_type")) {
            Some(wanted) => Some(op.world.resolve_volume_type(&wanted).map_err(|e| op.cinder(&e))?),
            None => None,
        };
        let before = volume_of(op, &id)?;
        // What an extension left behind that did not get to its end.
        op.change(|r| r.data.retain(|key, _| key != "phase" && key != "server"));
        if let Some(volume) = op.world.volumes.volumes.get_mut(&id) {
            volume.name = text(&properties, "name").unwrap_or_else(|| volume.name.clone());
            volume.description = text(&properties, "description");
            volume.metadata = metadata(&properties);
            volume.volume_type = volume_type.or_else(|| volume.volume_type.clone());
        }
        match size(&properties).filter(|_| has("size")) {
            Some(wanted) if wanted < before.size_gib => {
                Err(failure("NotSupported", "Shrinking volume is not supported."))
            }
            Some(wanted) if wanted > before.size_gib => Self::begin_to_extend(op, &id).map(Update::InPlace),
            _ => Ok(Update::InPlace(Step::Done)),
        }
    }

    fn poll_update(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        Self::extend(op)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        let now = op.world.now();
        let status = op.world.find_volume(&id).ok().map(|v| v.status(now));
        if status == Some("in-use") {
            return Err(failure("Error", "Volume in use"));
        }
        match op.world.delete_volume(&id) {
            Err(fault) if !fault.is_not_found() => Err(op.cinder(&fault)),
            _ => Ok(Step::Done),
        }
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let found = view.found(World::find_volume);
        let Some(volume) = found else {
            return Ok(Attribute::whole(Value::Null));
        };
        let shown = show_volume(view.world, volume);
        let part = |key: &str| shown.get(key).cloned().unwrap_or_default();
        Ok(Attribute::whole(match name {
            "show" => shown,
            "metadata" => json!(dumps(&part("metadata"))),
            "metadata_values" => part("metadata"),
            "display_name" => part("name"),
            "display_description" => part("description"),
            "attachments_list" => part("attachments"),
            // Everything else is the text of what the client has.
            other => json!(py_str(&part(other))),
        }))
    }
}
