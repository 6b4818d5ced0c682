//! Cinder's API, version 3: what tests and an engine's clean-up need of it.

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::api_fault::ApiFault;
use super::cloud::SimCloud;
use super::http_api::{Authenticated, JsonBody, Params, answer, at, empty, text};
use super::world::World;
use super::world::identity::Caller;
use super::world::volume::{DEFAULT_TYPE, Volume, VolumeSpec};

/// A refusal in Cinder's shape: the key names the kind of status.
struct Refused(ApiFault);

impl From<ApiFault> for Refused {
    fn from(fault: ApiFault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let ApiFault { status, message, .. } = self.0;
        let key = match status {
            400 => "badRequest",
            403 => "forbidden",
            404 => "itemNotFound",
            413 => "overLimit",
            _ => "computeFault",
        };
        answer(status, json!({ key: {"code": status, "message": message} }))
    }
}

type Answer = Result<Response, Refused>;

pub(super) fn routes() -> Router<SimCloud> {
    Router::new()
        .route("/v3/{project}/limits", get(limits))
        .route("/v3/{project}/types", get(types))
        .route("/v3/{project}/volumes", get(list).post(create))
        .route("/v3/{project}/volumes/detail", get(list))
        .route("/v3/{project}/volumes/{volume}", get(show).delete(remove))
}

async fn limits(State(cloud): State<SimCloud>, Authenticated(caller): Authenticated) -> Response {
    let world = cloud.world();
    let project = caller.project();
    answer(
        200,
        json!({"limits": {"rate": [], "absolute": {
            "maxTotalVolumes": world.volume_quota(project, "volumes"),
            "maxTotalVolumeGigabytes": world.volume_quota(project, "gigabytes"),
            "totalVolumesUsed": world.volume_usage(project, "volumes"),
            "totalGigabytesUsed": world.volume_usage(project, "gigabytes"),
        }}}),
    )
}

async fn types(State(cloud): State<SimCloud>, Authenticated(_): Authenticated) -> Response {
    let world = cloud.world();
    let own = world.volumes.types.iter();
    let all: Vec<Value> = std::iter::once((DEFAULT_TYPE, DEFAULT_TYPE))
        .chain(own.map(|(id, name)| (id.as_str(), name.as_str())))
        .map(|(id, name)| json!({"id": id, "name": name, "is_public": true, "extra_specs": {}}))
        .collect();
    answer(200, json!({"volume_types": all}))
}

async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Response {
    let world = cloud.world();
    let found: Vec<Value> = world
        .volumes
        .volumes()
        .filter(|volume| volume.project_id == caller.project())
        .filter(|volume| params.get("name").is_none_or(|name| *name == volume.name))
        .map(|volume| show_volume(&world, volume))
        .collect();
    answer(200, json!({"volumes": found}))
}

async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let body = at(&body, &["volume"]).cloned().unwrap_or_default();
    let mut world = cloud.world();
    let metadata = at(&body, &["metadata"]).and_then(Value::as_object);
    let name = text(&body, &["name"]).unwrap_or_default();
    let spec = VolumeSpec {
        size_gib: at(&body, &["size"]).and_then(Value::as_u64).unwrap_or(0),
        image_id: text(&body, &["imageRef"]),
        volume_type: text(&body, &["volume_type"]),
        description: text(&body, &["description"]),
        availability_zone: text(&body, &["availability_zone"]),
        metadata: metadata
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
        fails_with: world.resource_failure("OS::Cinder::Volume", &name),
        name,
    };
    let volume = world.create_volume(caller.project(), spec)?;
    Ok(answer(202, json!({"volume": show_volume(&world, &volume)})))
}

async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((_, id)): Path<(String, String)>,
) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        json!({"volume": show_volume(&world, own_volume(&world, &caller, &id)?)}),
    ))
}

async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((_, id)): Path<(String, String)>,
) -> Answer {
    let mut world = cloud.world();
    own_volume(&world, &caller, &id)?;
    world.delete_volume(&id)?;
    Ok(empty(202))
}

fn own_volume<'a>(world: &'a World, caller: &Caller, id: &str) -> Result<&'a Volume, ApiFault> {
    let volume = world.find_volume(id)?;
    if volume.project_id == caller.project() {
        return Ok(volume);
    }
    Err(ApiFault::not_found(
        "VolumeNotFound",
        format!("Volume {id} could not be found."),
    ))
}

/// A volume as Cinder shows it.
pub(super) fn show_volume(world: &World, volume: &Volume) -> Value {
    let attachments: Vec<Value> = volume
        .attachment
        .iter()
        .map(|attachment| {
            json!({
                "id": volume.id,
                "volume_id": volume.id,
                "attachment_id": attachment.id,
                "server_id": attachment.server_id,
                "device": attachment.device,
            })
        })
        .collect();
    json!({
        "id": volume.id,
        "name": volume.name,
        "size": volume.size_gib,
        "status": volume.status(world.now()),
        "volume_type": volume.volume_type,
        "metadata": volume.metadata,
        "attachments": attachments,
        "bootable": if volume.image_id.is_some() { "true" } else { "false" },
        "availability_zone": volume.availability_zone,
        "description": volume.description,
        "encrypted": false,
        "multiattach": false,
        "snapshot_id": null,
        "source_volid": null,
        "os-vol-tenant-attr:tenant_id": volume.project_id,
        "created_at": format!("{:.6}", volume.created_at).trim_end_matches('Z'),
    })
}
